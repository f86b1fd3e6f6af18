"""The examples of contract ivvy.md and of seed 002, as they stand there, against what is answered.

Compared after times, links and ids of batches have given way to what they are. What differs on purpose is said.
"""

import json
import re
from pathlib import Path
from typing import Any

import pytest

from engine import events, fields
from engine.fields import Definition
from engine.sets import catalog
from engine.sets.catalog import SetKind
from tests.e2e.ivvy.client import Ivvy
from tests.integration.desk import Desk
from tests.seed_repairs import repaired

FOLDER = Path(__file__).parents[2] / "examples" / "ivvy"
#: What gives way to a word for it.
FORMS = {
    r"\d{4}-\d\d-\d\d \d\d:\d\d:\d\d": "a time",
    r"\d{4}-\d\d-\d\d \d\d:\d\d:\d\d UTC": "a time, UTC",
    r"https?://.*": "a link",
    r"[0-9a-f]{32}": "an id",
}


def examples(source: str) -> dict[str, str]:
    """By the line above each."""
    blocks = repaired((FOLDER / f"{source}.txt").read_text()).strip().split("\n\n")
    return dict(block.split("\n", 1) for block in blocks)


SEED, CONTRACT = examples("seed"), examples("contract")


def canonical(value: Any) -> Any:
    if isinstance(value, dict):
        return {name: canonical(each) for name, each in value.items()}
    if isinstance(value, list):
        return [canonical(each) for each in value]
    if isinstance(value, str):
        return next((word for form, word in FORMS.items() if re.fullmatch(form, value)), value)
    return value


def example(text: str, *instead: tuple[str, str]) -> Any:
    """The canonical form of an example; instead: pieces of it that are others here."""
    for piece, other in instead:
        assert piece in text
        text = text.replace(piece, other)
    return canonical(json.loads(text))


async def next_number(desk: Desk, of: str, number: int) -> None:
    """The next contact, set or field of the account gets this number."""
    await desk.owner.execute(f"UPDATE account SET last_{of}_no = $2 WHERE account_id = $1", desk.account_id, number - 1)


async def new_event(desk: Desk, number: int) -> None:
    await next_number(desk, "set", number)
    async with desk.db.account(desk.account_id) as tx:
        assert (await events.create(tx, events.Details("Gala", "GALA26"))).set_no == number


async def new_set(desk: Desk, kind: SetKind, name: str, number: int) -> None:
    await next_number(desk, "set", number)
    async with desk.db.account(desk.account_id) as tx:
        assert (await catalog.create(tx, kind, name)).set_no == number


async def test_an_error(ivvy_client: Ivvy) -> None:
    """Contract ivvy.md 4."""
    told = await ivvy_client.refused("event", "inviteContacts", {"event": "x", "contacts": []})
    assert told == json.loads(CONTRACT["4 error"])


async def test_ping(ivvy_client: Ivvy) -> None:
    """Contract ivvy.md 5."""
    assert canonical(await ivvy_client.call("test", "ping")) == example(CONTRACT["5 ack"])


@pytest.mark.parametrize(
    ("request_", "answer"),
    [(SEED["request"], SEED["answer"]), (CONTRACT["6 request"], CONTRACT["6 answer"])],
    ids=["seed", "contract"],
)
async def test_inviting(ivvy_client: Ivvy, request_: str, answer: str) -> None:
    """Contract ivvy.md 6; seed 002: contacts 1, 2 and 3 to event 4, of which 2 is nobody who can be invited."""
    for number in (1, 2, 3):
        await ivvy_client.desk.make_contacts(1, first=number, deleted=number == 2)
    await new_event(ivvy_client.desk, 4)
    answered = await ivvy_client.call("event", "inviteContacts", json.loads(request_))
    assert canonical(answered) == example(answer)
    for result in (answered["results"][0], answered["results"][2]):
        yes, no = (result[name].removeprefix(ivvy_client.front.address) for name in ("inviteLinkYes", "inviteLinkNo"))
        assert re.fullmatch(r"/i/[\w-]{48}/yes", yes)
        assert no == yes.removesuffix("yes") + "no"


async def test_the_invited(ivvy_client: Ivvy) -> None:
    """Contract ivvy.md 7; nobody registers here."""
    client = ivvy_client
    for first, last, phone in (("Ann", "Ash", "0400000001"), ("Bo", "Birch", None), ("Cy", "Cole", None)):
        said = {"firstName": first, "lastName": last, "email": f"{first.lower()}@example.org", "phone": phone}
        await client.call("contact", "addOrUpdateContact", said)
    await new_event(client.desk, 4)
    answered = await client.call("event", "inviteContacts", {"event": 4, "contacts": [3, 1]})
    async with client.front.session.get(answered["results"][0]["inviteLinkYes"]) as opened:
        assert opened.status == 200
    told = await client.call("event", "getInvitedContactList", {"eventId": 4})
    assert canonical(told) == example(CONTRACT["7 answer"], ('"registrationId":71', '"registrationId":null'))


async def test_groups(ivvy_client: Ivvy) -> None:
    """Contract ivvy.md 8.1."""
    await ivvy_client.desk.make_contacts(57)
    await new_set(ivvy_client.desk, SetKind.LIST, "Newsletter", 2481)
    params = {"contacts": list(range(1, 58)), "group": 2481}
    await ivvy_client.call("contact", "addContactsToSubscriptionGroup", params)
    assert await ivvy_client.call("contact", "getSubscriptionGroupList") == example(CONTRACT["8.1 answer"])


async def test_contacts_into_and_out_of_a_group(ivvy_client: Ivvy) -> None:
    """Contract ivvy.md 8.2."""
    await ivvy_client.desk.make_contacts(6)
    await new_set(ivvy_client.desk, SetKind.LIST, "Newsletter", 2481)
    for action in ("addContactsToSubscriptionGroup", "removeContactsFromSubscriptionGroup"):
        answered = await ivvy_client.call("contact", action, json.loads(CONTRACT["8.2 request"]))
        assert answered == example(CONTRACT["8.2 answer"])


async def test_adding_a_contact(ivvy_client: Ivvy) -> None:
    """Contract ivvy.md 9.1."""
    await next_number(ivvy_client.desk, "contact", 33884)
    params = {"firstName": "Ann", "lastName": "Ash", "email": "ann@example.org"}
    assert await ivvy_client.call("contact", "addOrUpdateContact", params) == example(CONTRACT["9.1 answer"])


async def test_a_contact(ivvy_client: Ivvy) -> None:
    """Contract ivvy.md 9.2; no event and company have the same number here, and this event says no time."""
    client = ivvy_client
    await next_number(client.desk, "field", 33443)
    async with client.desk.db.account(client.desk.account_id) as tx:
        assert (await fields.create(tx, Definition("Diet"))).field_no == 33443
    await new_event(client.desk, 4)
    await new_set(client.desk, SetKind.COMPANY, "Acorn Pty", 5)
    await new_set(client.desk, SetKind.LIST, "Newsletter", 2481)
    of_sets = {"groups": [{"groupId": 2481}], "companies": [5], "customFields": [{"fieldId": 33443, "value": "None"}]}
    names = {"firstName": "Ann", "lastName": "Ash", "email": "ann@example.org", "phone": "0400000001"}
    await next_number(client.desk, "contact", 6)
    await client.call("contact", "addOrUpdateContact", {**names, **of_sets, "smsStatus": 1})
    await client.call("event", "inviteContacts", {"event": 4, "contacts": [6]})
    told = await client.call("contact", "getContact", json.loads(CONTRACT["9.2 request"]))
    others = (
        ('"companies":[4],"companiesData":[{"id":4', '"companies":[5],"companiesData":[{"id":5'),
        ('"eventStartDateTime":"2026-05-01 08:00:00 UTC"', '"eventStartDateTime":null'),
    )
    assert canonical(told) == example(CONTRACT["9.2 answer"], *others)


async def test_a_batch(ivvy_client: Ivvy) -> None:
    """Contract ivvy.md 10.1."""
    answered = await ivvy_client.call("batch", "run", json.loads(CONTRACT["10.1 request"]))
    assert canonical(answered) == example(CONTRACT["10.1 answer"])


async def test_what_came_of_a_batch(ivvy_client: Ivvy) -> None:
    """Contract ivvy.md 10.3: its jobs are run, and answered as there."""
    await ivvy_client.desk.make_contacts(1)
    await new_event(ivvy_client.desk, 4)
    told = json.loads(CONTRACT["10.3 answer"])
    jobs = [
        {"namespace": each["namespace"], "action": each["action"], "params": each["request"]}
        for each in told["results"]
    ]
    batch = await ivvy_client.call("batch", "run", {"jobs": jobs})
    await ivvy_client.work()
    answered = await ivvy_client.call("batch", "results", {"async": batch["asyncId"]})
    assert canonical(answered) == canonical(told)
