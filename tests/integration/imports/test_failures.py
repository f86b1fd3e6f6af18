"""Imports that fail, are cut off, cancelled or taken over."""

import asyncio
from typing import Any

import pytest

from engine.activities import submission
from engine.activities.model import State
from engine.sets.catalog import NamedSet
from tests.integration.desk import Desk
from tests.integration.imports.importing import (
    assert_sets_agree,
    run,
    submit,
)
from tests.integration.watched import failing


class TestFailures:
    """An activity fails as a whole only when it cannot go on, and says why (design, life of an activity, 6)."""

    async def test_the_file_is_gone(self, desk: Desk, target: NamedSet) -> None:
        submitted = await submit(desk, "email\nkim@example.org\n", target)
        [upload] = desk.settings.uploads.iterdir()
        upload.unlink()
        await desk.deliver(submitted.messages)
        found = await desk.find(submitted)
        assert (found.state, found.failure_code) == (State.FAILED, "invalid_import")
        assert found.failure == "the uploaded file cannot be read: No such file or directory"
        assert await desk.unfinished() == 0

    @pytest.mark.parametrize("text", [b"", b"\n\n", b"first_name\nKim\n", b"email,email\n", b"\xff\xfe\n", b'"email'])
    async def test_a_file_without_usable_headings(self, desk: Desk, target: NamedSet, text: bytes) -> None:
        """Contract v3.md 3.2.1: it could not finish; usually the API refuses such a file (3.8)."""
        found = await run(desk, text, target)
        assert (found.state, found.failure_code) == (State.FAILED, "invalid_import")
        assert found.failure
        assert found.percent_done == 1

    async def test_a_failing_batch_keeps_the_finished_ones(self, desk: Desk, target: NamedSet, watch: Any) -> None:
        """Issue 2, section 6: an import that must stop keeps its finished batches, says so, and can be retried."""
        submitted = await submit(desk, "email\n" + "".join(f"n{n}@example.org\n" for n in range(10)), target)
        watch(after=failing(2))
        await desk.deliver(submitted.messages, desk.worker(max_attempts=1))
        await desk.let_leases_run_out()
        watch(before=failing(0))
        await desk.deliver(await desk.swept(), desk.worker(max_attempts=1))
        found = await desk.find(submitted)
        assert (found.state, found.failure_code) == (State.FAILED, "attempts_exhausted")
        assert (found.items_completed, found.changed_count, found.counts["person_count"]) == (6, 6, 6)
        assert len(await desk.members(target)) == 6
        watch()
        again = await submission.retry(desk.db, desk.settings, desk.principal, found.activity_id)
        await desk.deliver(again.messages)
        found = await desk.find(again)
        assert (found.state, found.items_completed, found.changed_count) == (State.COMPLETED, 11, 4)
        assert len(await desk.members(target)) == 10

    async def test_attempts_start_again_after_a_batch(self, desk: Desk, target: NamedSet, watch: Any) -> None:
        """Design, life of an activity, 5: attempts are counted in the row and start again after progress."""
        submitted = await submit(desk, "email\n" + "".join(f"n{n}@example.org\n" for n in range(9)), target)
        runner = desk.worker(max_attempts=2)
        # Of the calls over all attempts: no batch; the first; another one and none; one and the end.
        watch(before=failing(0, 2, 4, 5, 7))
        await desk.deliver(submitted.messages, runner)
        await desk.finish_everything(runner)
        found = await desk.find(submitted)
        assert (found.state, found.failure, found.changed_count) == (State.COMPLETED, None, 9)

    async def test_what_was_left_out_is_told_once(self, desk: Desk, target: NamedSet, watch: Any) -> None:
        """A worker that dies between the last batch and the end has told it already."""
        submitted = await submit(desk, "email\n" + "".join(f"n{n}@example.org\n" for n in range(9)), target)
        runner = desk.worker(import_max_rows=5)
        watch(before=failing(3))
        await desk.deliver(submitted.messages, runner)
        assert len(await desk.errors(submitted)) == 1
        watch()
        await desk.finish_everything(runner)
        found = await desk.find(submitted)
        assert (found.state, found.error_count, found.changed_count) == (State.COMPLETED, 1, 4)
        assert await desk.errors(submitted) == [("", "too_many_rows")]

    async def test_a_retry_of_an_import_without_rows(self, desk: Desk, target: NamedSet) -> None:
        found = await run(desk, "email\n", target)
        again = await submission.retry(desk.db, desk.settings, desk.principal, found.activity_id)
        await desk.deliver(again.messages)
        assert (await desk.find(again)).state is State.COMPLETED

    async def test_a_time_limit_keeps_the_finished_batches(self, desk: Desk, target: NamedSet, watch: Any) -> None:
        submitted = await submit(desk, "email\n" + "".join(f"n{n}@example.org\n" for n in range(10)), target)

        async def never_ends(number: int) -> None:
            if number == 2:
                await asyncio.Event().wait()

        watch(after=never_ends)
        await desk.deliver(submitted.messages, desk.worker(activity_time_limit=1))
        found = await desk.find(submitted)
        assert (found.state, found.items_completed, found.changed_count) == (State.TIMED_OUT, 6, 6)
        assert found.percent_done == 54
        assert len(await desk.rows("contact")) == len(await desk.members(target)) == 6

    async def test_cancelling_stops_before_the_next_batch(self, desk: Desk, target: NamedSet, watch: Any) -> None:
        """Issue 2, section 2: what was done is reported exactly."""
        submitted = await submit(desk, "email\n" + "".join(f"n{n}@example.org\n" for n in range(10)), target)

        async def cancel(number: int) -> None:
            if number == 1:
                await submission.cancel(desk.db, desk.settings, desk.principal, submitted.activity.activity_id)

        watch(after=cancel)
        await desk.deliver(submitted.messages)
        found = await desk.find(submitted)
        assert (found.state, found.items_completed, found.changed_count) == (State.CANCELLED, 6, 6)
        assert (found.counts["person_count"], found.percent_done) == (6, 54)
        assert len(await desk.rows("contact")) == len(await desk.members(target)) == 6
        assert sum(row["bits"].to_int() > 0 for row in await desk.rows("effect") if row["set_no"] > 0) == 2
        assert await desk.unfinished() == 0
        await assert_sets_agree(desk)

    async def test_an_e_mail_in_several_batches_counts_once(self, desk: Desk, target: NamedSet, watch: Any) -> None:
        """Also in an import that does not come to its end."""
        await desk.make_contacts(1, permission="unsubscribed")
        rows = ["a@example.org", "c1@example.org", "C1@example.org"] * 4
        submitted = await submit(desk, "\n".join(["email", *rows]), target)

        async def cancel(number: int) -> None:
            if number == 2:
                await submission.cancel(desk.db, desk.settings, desk.principal, submitted.activity.activity_id)

        watch(after=cancel)
        await desk.deliver(submitted.messages)
        found = await desk.find(submitted)
        assert (found.state, found.counts["person_count"], found.changed_count) == (State.CANCELLED, 2, 1)
        [reason, *errors] = await desk.full_errors(found)
        assert (reason.code, reason.message[:19]) == ("cancelled", "its first 9 items a")
        lines = [error.message.partition(":")[0] for error in errors]
        assert lines == [f"line {line}" for line in (3, 4, 6, 7, 9, 10)]
        assert found.counts["cannot_add_to_list_count"] == found.error_count == 6

    @pytest.mark.parametrize("end", ["\n", "\r\n", "\r"])
    async def test_the_number_of_rows_is_known_from_the_first_batch(
        self, desk: Desk, target: NamedSet, watch: Any, end: str
    ) -> None:
        """Line breaks in cells are no rows, and any line end ends one."""
        text = "email,first_name" + end + "".join(f'n{n}@example.org,"a{end}b ""c"""{end}' for n in range(9))
        submitted = await submit(desk, text, target)
        watch(after=failing(1))
        await desk.deliver(submitted.messages)
        found = await desk.find(submitted)
        assert (found.state, found.items_total, found.items_completed) == (State.PROCESSING, 10, 3)

    async def test_a_zombie_writes_no_batch(self, desk: Desk, target: NamedSet) -> None:
        """Its transaction is open while its successor waits for the same rows."""
        submitted = await submit(desk, "email\n" + "".join(f"n{n}@example.org\n" for n in range(4)), target)
        async with desk.held(target):
            zombie = asyncio.create_task(desk.worker().run(submitted.messages[0]))
            await desk.someone_waits(1)
            await desk.let_leases_run_out()
            [message] = await desk.swept()
            successor = asyncio.create_task(desk.worker().run(message))
            await desk.someone_waits(2)
        assert await zombie == []
        await successor
        found = await desk.find(submitted)
        assert (found.state, found.changed_count, found.counts["person_count"]) == (State.COMPLETED, 4, 4)
        assert len(await desk.rows("contact")) == len(await desk.members(target)) == 4
        assert await desk.rows("import_row") == []
        await assert_sets_agree(desk)
