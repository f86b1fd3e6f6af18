"""Random imports with dying workers, against a model in plain Python."""

from collections import Counter
from collections.abc import Sequence
from typing import Any

import pytest
from hypothesis import given
from hypothesis import settings as examples
from hypothesis import strategies as st

from engine import accounts, principals
from engine.activities.model import Message, State
from engine.activities.submission import Submitted
from engine.database import Database
from engine.settings import Settings
from tests.integration.conftest import open_desk
from tests.integration.desk import Desk
from tests.integration.imports.importing import BATCH, assert_sets_agree, make_custom_fields, numbered, people, submit
from tests.integration.imports.model import HEADINGS, Model, Person, Row, csv_text


class Killed(BaseException):
    """The process is gone: nobody gives anything back."""


#: Contacts that exist before a random import: number, permission, deleted.
RESIDENTS = (
    ("implicit", False),
    ("explicit", False),
    ("unsubscribed", False),
    ("temp_hold", False),
    ("implicit", True),
    ("unsubscribed", True),
)

known_emails = st.integers(1, len(RESIDENTS)).map(lambda number: f"c{number}@example.org")
other_emails = st.sampled_from([" C1@Example.org ", "new1@example.org", "NEW2@example.org", "nope", ""])
birthdays = st.sampled_from([("", "")] * 4 + [("2", "29"), ("12", "1"), ("13", "1"), ("1", "")])


@st.composite
def random_rows(draw: st.DrawFn) -> Row:
    month, day = draw(birthdays)
    row = {name: draw(st.sampled_from(["", "", "a", "b"])) for name in HEADINGS}
    row |= {"email": draw(known_emails | other_emails), "birthday_month": month, "birthday_day": day}
    if draw(st.integers(0, 9)) == 0:
        row["last_name"] = "x" * 51
    return row


#: Where a worker dies: before the batch of this number, or inside its transaction; counted anew for each worker.
deaths = st.lists(st.tuples(st.sampled_from(["between", "inside"]), st.integers(0, 4)), max_size=3)


@pytest.mark.timeout(300)
@examples(max_examples=60)
@given(files=st.lists(st.lists(random_rows(), max_size=9), min_size=1, max_size=2), deaths=deaths)
async def test_random_imports_with_dying_workers_end_as_the_model_says(
    files: Sequence[Sequence[Row]],
    deaths: Sequence[tuple[str, int]],
    db: Database,
    settings: Settings,
    watch: Any,
) -> None:
    """Issue 2, section 4 and design, life of an activity, 4: nothing is lost, nothing is done twice."""
    account = await accounts.create(db, "random")
    token = await principals.create_token(db, account.account_id, "random")
    async with open_desk(db, settings, await principals.authenticate(db, token)) as desk:
        model, target = await inhabited(desk), await desk.new_list()
        for rows in files:
            submitted = await submit(desk, csv_text(rows), target)
            model.run(rows, BATCH)
            await run_with_deaths(desk, submitted, deaths, watch)
            found = await desk.find(submitted)
            assert found.state is State.COMPLETED
            assert (found.items_total, found.items_completed) == (len(rows) + 1, len(rows) + 1)
            assert model.counts == Counter(found.counts)
            assert (model.joined, model.error_count) == (found.changed_count, found.error_count)
            images = await desk.owner.fetch(
                "SELECT image ->> 'email_key' AS email_key FROM contact_before WHERE account_id = $1 AND sequence = $2",
                desk.account_id,
                found.sequence,
            )
            assert {row["email_key"] for row in images} == model.changed
            model = Model(people=model.people, members=model.members)
        assert await people(desk) == model.people
        assert await desk.members(target) == await numbered(desk, model.members)
        await assert_sets_agree(desk)
        assert await desk.rows("import_row") == await desk.rows("lease") == []


async def inhabited(desk: Desk) -> Model:
    model = Model()
    await make_custom_fields(desk)
    for number, (permission, deleted) in enumerate(RESIDENTS, start=1):
        await desk.make_contacts(1, first=number, permission=permission, deleted=deleted)
        email = f"c{number}@example.org"
        model.people[email] = Person(email, permission, deleted)
    return model


async def run_with_deaths(desk: Desk, submitted: Submitted, deaths: Sequence[tuple[str, int]], watch: Any) -> None:
    messages: Sequence[Message] = submitted.messages
    for place, number in deaths:

        async def die(at: int, number: int = number) -> None:
            if at == number:
                raise Killed

        watch(**{"before" if place == "between" else "after": die})
        try:
            await desk.deliver(messages)
        except Killed:
            await desk.let_leases_run_out()
            messages = await desk.swept()
    watch()
    await desk.deliver(messages)
