"""Reading activities: one, a page, and the errors of one (contract v3.md 3.2.3, 3.11, 3.12)."""

from uuid import UUID, uuid4

import pytest

from engine.activities import reading, submission
from engine.activities.model import Activity, State
from engine.activities.reading import ErrorPosition
from engine.activities.submission import Submitted
from engine.errors import ItemError, NotFound
from engine.sets.chunks import CHUNK_BITS
from tests.integration.conftest import NewDesk
from tests.integration.desk import Desk


async def page(
    desk: Desk, *, limit: int = 100, state: State | None = None, before: int = reading.NEWEST
) -> list[Activity]:
    return await reading.page(desk.db, desk.settings, desk.account_id, limit=limit, state=state, before=before)


async def make_old(desk: Desk, submitted: Submitted, days: int) -> None:
    await desk.owner.execute(
        "UPDATE activity SET created_at = created_at - make_interval(days => $3)"
        " WHERE account_id = $1 AND sequence = $2",
        desk.account_id,
        submitted.activity.sequence,
        days,
    )


class TestPages:
    """Jobs of the past 10 days, newest first (contract v3.md 3.11)."""

    async def test_newest_first_and_on_from_there(self, desk: Desk) -> None:
        target = await desk.new_list()
        asked = [await desk.add([uuid4()], target) for _ in range(5)]
        newest = [each.activity.activity_id for each in reversed(asked)]
        first = await page(desk, limit=3)
        assert [each.activity_id for each in first] == newest[:3]
        assert [each.activity_id for each in await page(desk, before=first[-1].sequence)] == newest[3:]

    async def test_by_state(self, desk: Desk) -> None:
        target = await desk.new_list()
        done, cancelled, waiting = [await desk.add([uuid4()], target) for _ in range(3)]
        await submission.cancel(desk.db, desk.settings, desk.principal, cancelled.activity.activity_id)
        await submission.cancel(desk.db, desk.settings, desk.principal, waiting.activity.activity_id)
        await desk.deliver(done.messages)
        waiting = await desk.add([uuid4()], target)
        by_state = {state: [each.activity_id for each in await page(desk, state=state)] for state in State}
        assert by_state[State.COMPLETED] == [done.activity.activity_id]
        assert by_state[State.INITIALIZED] == [waiting.activity.activity_id]
        assert len(by_state[State.CANCELLED]) == 2
        assert by_state[State.PROCESSING] == by_state[State.FAILED] == by_state[State.TIMED_OUT] == []

    async def test_what_is_past_the_retention_time_is_not_told(self, desk: Desk) -> None:
        """Contract v3.md 3.12: 404 when older than 10 days."""
        target = await desk.new_list()
        old, new = await desk.add([uuid4()], target), await desk.add([uuid4()], target)
        await desk.finish_everything()
        await make_old(desk, old, desk.settings.retention_days)
        await make_old(desk, new, desk.settings.retention_days - 1)
        assert [each.activity_id for each in await page(desk)] == [new.activity.activity_id]
        assert (await desk.find(new)).state is State.COMPLETED
        with pytest.raises(NotFound):
            await desk.find(old)
        with pytest.raises(NotFound):
            await submission.retry(desk.db, desk.settings, desk.principal, old.activity.activity_id)

    async def test_what_is_unfinished_is_done_however_old_it_is(self, desk: Desk) -> None:
        submitted = await desk.add(await desk.make_contacts(1), await desk.new_list())
        await make_old(desk, submitted, 1000)
        await desk.deliver(submitted.messages)
        assert await desk.unfinished() == 0

    async def test_another_account_s_is_not_found(self, desk: Desk, new_desk: NewDesk) -> None:
        other = await new_desk()
        theirs = await other.add([uuid4()], await other.new_list())
        for activity_id in (theirs.activity.activity_id, UUID(int=0)):
            with pytest.raises(NotFound, match=str(activity_id)):
                await reading.find(desk.db, desk.settings, desk.account_id, activity_id)
        assert await page(desk) == []


class TestErrors:
    """Each problem is told once, whatever the size of the pages (contract v3.md 3.2.3)."""

    @pytest.fixture
    async def submitted(self, desk: Desk) -> Submitted:
        """Unknown contacts, deleted and unsubscribed ones over three chunks, and a deleted list."""
        gone, target = await desk.new_lists(2)
        people = [uuid4(), uuid4()]
        for first in (3, CHUNK_BITS - 2, 2 * CHUNK_BITS + 7):
            people += await desk.make_contacts(2, first=first, deleted=True)
            people += await desk.make_contacts(2, first=first + 2, permission="unsubscribed")
            people += await desk.make_contacts(1, first=first + 4)
        submitted = await desk.add(people, gone, target)
        await desk.delete_list(gone)
        await desk.deliver(submitted.messages)
        return submitted

    @pytest.mark.parametrize("limit", [1, 2, 3, 4, 7, 15, 16, 100])
    async def test_page_by_page(self, desk: Desk, submitted: Submitted, limit: int) -> None:
        activity, errors, pages = await desk.find(submitted), list[ItemError](), 0
        after: ErrorPosition | None = ErrorPosition()
        async with desk.db.account(desk.account_id) as tx:
            while after:
                found = await reading.errors(tx, activity, limit=limit, after=after)
                assert len(found.errors) <= limit
                errors += found.errors
                after = found.next
                pages += 1
        assert activity.error_count == len(errors) == len(set(errors)) == 15
        assert pages <= 15 // limit + 1
        assert [error.code for error in errors] == [
            *["contact_not_found"] * 2,
            "list_deleted",
            *["contact_deleted"] * 6,
            *["contact_unsubscribed"] * 6,
        ]
        states = {str(row["contact_id"]): row for row in await desk.rows("contact")}
        for error in errors:
            if error.code == "contact_deleted":
                assert states[error.item]["deleted_at"]
            if error.code == "contact_unsubscribed":
                assert states[error.item]["permission"] == "unsubscribed"

    async def test_none(self, desk: Desk) -> None:
        submitted = await desk.add(await desk.make_contacts(1), await desk.new_list())
        await desk.deliver(submitted.messages)
        assert await desk.full_errors(submitted) == []
