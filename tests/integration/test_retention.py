"""What is past the retention time goes, what an activity did stays, and nothing goes early (design: what expires)."""

import os
import time
from random import Random
from unittest.mock import patch
from uuid import uuid4

import pytest

from engine import files, hooks
from engine.activities import submission
from engine.activities.model import State
from engine.activities.submission import Submitted
from engine.imports import staged
from engine.imports.staged import StagedContact
from engine.operations import retention, staged_import
from engine.operations.contact_exports import ContactExports
from engine.operations.contacts_import import ContactsFileImport
from engine.operations.retention import Retention
from engine.operations.staged_import import SaveStaged
from tests.integration.conftest import NewDesk
from tests.integration.desk import Desk, deliver_at_random


async def end_long_ago(desk: Desk, *sequences: int, days: float = 11) -> None:
    """As if these activities had been submitted and had ended so many days ago."""
    await desk.owner.execute(
        "UPDATE activity SET created_at = now() - make_interval(secs => $3 * 86400),"
        " completed_at = now() - make_interval(secs => $3 * 86400) WHERE account_id = $1 AND sequence = any($2)",
        desk.account_id,
        sequences,
        days,
    )


async def prune(desk: Desk) -> None:
    submitted = await desk.submit(Retention())
    await desk.deliver(submitted.messages)
    assert (await desk.find(submitted)).state is State.COMPLETED


async def with_errors(desk: Desk) -> list[int]:
    """The activities that still have error rows, each as often as it has."""
    return sorted(row["sequence"] for row in await desk.rows("activity_error"))


async def make_activities(desk: Desk, count: int, errors: int = 1) -> list[int]:
    """Completed activities with error rows."""
    target = await desk.new_list()
    submitted = [await desk.add([uuid4() for _ in range(errors)], target) for _ in range(count)]
    await desk.finish_everything()
    return [each.activity.sequence for each in submitted]


class Files:
    """An account's uploads and exports, as old as a test says."""

    def __init__(self, desk: Desk) -> None:
        self.desk = desk
        self.folders = (files.uploads(desk.settings, desk.account_id), files.exports(desk.settings, desk.account_id))
        for folder in self.folders:
            folder.mkdir(parents=True)

    def upload(self, text: str = "email\nkim@example.org\n") -> str:
        """A new upload, as requests call it."""
        path = self.folders[0] / f"{uuid4()}.csv"
        path.write_text(text)
        return files.uploaded(self.desk.settings, path)

    def age(self, days: float = 11) -> None:
        """As if all files had been written so many days ago."""
        then = time.time() - days * 86400
        for folder in self.folders:
            for path in folder.iterdir():
                os.utime(path, (then, then))

    @property
    def names(self) -> set[str]:
        """What there is."""
        return {path.name for folder in self.folders for path in folder.iterdir()}


def name_of(file: str) -> str:
    return file.rpartition("/")[2]


async def start_import(desk: Desk, file: str) -> Submitted:
    return await desk.submit(ContactsFileImport(file=file, list_ids=((await desk.new_list()).set_id,)))


async def test_files_go_with_their_activities(desk: Desk) -> None:
    """Contract 6.19: an import's upload and an export's file are kept as long as the activity is."""
    stored = Files(desk)
    upload, young = stored.upload(), stored.upload()
    imported, exported = await start_import(desk, upload), await desk.submit(ContactExports())
    await start_import(desk, young)
    await desk.finish_everything()
    stored.age()
    await prune(desk)
    export = f"{exported.activity.activity_id}.csv"
    assert stored.names == {name_of(upload), name_of(young), export}
    await end_long_ago(desk, imported.activity.sequence, exported.activity.sequence)
    await prune(desk)
    assert stored.names == {name_of(young)}
    await prune(desk)
    assert stored.names == {name_of(young)}


async def test_an_upload_that_a_retry_needs_stays(desk: Desk) -> None:
    """The first import ended long ago; its retry, of the same file, waits, then ends, and can be retried again."""
    stored = Files(desk)
    upload = stored.upload("email\n")
    first = await start_import(desk, upload)
    await desk.finish_everything()
    again = await submission.retry(desk.db, desk.settings, desk.principal, first.activity.activity_id)
    stored.age()
    await end_long_ago(desk, first.activity.sequence)
    await prune(desk)
    assert stored.names == {name_of(upload)}
    await desk.finish_everything()
    await prune(desk)
    assert stored.names == {name_of(upload)}
    await end_long_ago(desk, again.activity.sequence)
    await prune(desk)
    assert stored.names == set()


async def test_an_export_that_a_retry_goes_on_with_stays(desk: Desk) -> None:
    stored = Files(desk)
    first = await desk.submit(ContactExports())
    await desk.finish_everything()
    again = await submission.retry(desk.db, desk.settings, desk.principal, first.activity.activity_id)
    stored.age()
    await end_long_ago(desk, first.activity.sequence)
    await prune(desk)
    assert stored.names == {f"{first.activity.activity_id}.csv"}
    await desk.deliver(again.messages)
    await prune(desk)
    assert stored.names == {f"{again.activity.activity_id}.csv"}


async def test_what_killed_processes_left_goes_when_it_is_old(desk: Desk) -> None:
    """Uploads that no activity names and parts of exports; young ones may be on their way to one."""
    stored = Files(desk)
    exported = await desk.submit(ContactExports())
    for name in (f"{uuid4()}.7.part", f"{exported.activity.activity_id}.1.part"):
        (stored.folders[1] / name).touch()
    stored.upload()
    stored.age()
    young = stored.upload()
    await prune(desk)
    assert stored.names == {f"{exported.activity.activity_id}.1.part", name_of(young)}


async def test_files_of_other_accounts_stay(desk: Desk, new_desk: NewDesk) -> None:
    theirs = Files(await new_desk())
    mine, upload = Files(desk), theirs.upload()
    mine.upload()
    theirs.age()
    mine.age()
    await prune(desk)
    assert (mine.names, theirs.names) == (set(), {name_of(upload)})


async def test_an_account_without_files_has_nothing_to_lose(desk: Desk) -> None:
    await prune(desk)
    assert not files.uploads(desk.settings, desk.account_id).exists()


async def test_a_run_that_is_killed_is_gone_on_with(desk: Desk, monkeypatch: pytest.MonkeyPatch) -> None:
    """After each batch, and between the rows and the files."""
    monkeypatch.setattr(retention, "ERROR_ROWS", 2)
    stored = Files(desk)
    stored.upload()
    stored.age()
    await end_long_ago(desk, *await make_activities(desk, 3, errors=3))
    for batches in (1, 3):
        submitted = await desk.submit(Retention())
        await desk.begin(submitted.activity, batches)
    assert len(await with_errors(desk)) == 9 - 4 * 2
    await desk.finish_everything()
    assert await with_errors(desk) == []
    assert stored.names == set()


async def test_errors_go_and_what_was_done_stays(desk: Desk) -> None:
    old, new = await make_activities(desk, 2)
    done = await desk.add(await desk.make_contacts(3), await desk.new_list())
    await desk.finish_everything()
    sources, effects = len(await desk.rows("activity_source")), len(await desk.rows("effect"))
    assert min(sources, effects) > 0
    await end_long_ago(desk, old, done.activity.sequence)
    await prune(desk)
    assert await with_errors(desk) == [new]
    assert len(await desk.rows("activity_source")) == sources
    assert len(await desk.rows("effect")) == effects
    assert len(await desk.rows("activity")) == 4
    await prune(desk)
    assert await with_errors(desk) == [new]


async def test_the_retention_time_is_a_setting(desk: Desk) -> None:
    """Of activities that ended 9 and 11 days ago with 10 days of it, one goes."""
    older, younger = await make_activities(desk, 2)
    await end_long_ago(desk, older, days=11)
    await end_long_ago(desk, younger, days=9)
    await prune(desk)
    assert await with_errors(desk) == [younger]


async def test_nothing_of_an_unfinished_activity_goes(desk: Desk) -> None:
    """It was submitted long ago; those after it wait, too, until it has ended."""
    [first] = await make_activities(desk, 1)
    waiting = await desk.add([uuid4()], await desk.new_list())
    later = await desk.add([uuid4()], await desk.new_list())
    await desk.deliver(later.messages)
    await end_long_ago(desk, first, later.activity.sequence)
    await prune(desk)
    assert await with_errors(desk) == [later.activity.sequence]
    await desk.finish_everything()
    await end_long_ago(desk, waiting.activity.sequence)
    await prune(desk)
    assert await with_errors(desk) == []


@pytest.mark.parametrize(("activities", "rows"), [(1, 1), (2, 3), (100, 2)])
async def test_it_goes_in_batches(desk: Desk, monkeypatch: pytest.MonkeyPatch, activities: int, rows: int) -> None:
    """Whatever their sizes are: several activities a batch, or several batches an activity."""
    monkeypatch.setattr(retention, "ACTIVITIES", activities)
    monkeypatch.setattr(retention, "ERROR_ROWS", rows)
    old = await make_activities(desk, 5, errors=4)
    [new] = await make_activities(desk, 1)
    await end_long_ago(desk, *old)
    await prune(desk)
    assert await with_errors(desk) == [new]
    [account] = await desk.rows("account")
    assert account["pruned_sequence"] == old[-1]


async def test_two_at_once_do_no_harm(desk: Desk, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(retention, "ERROR_ROWS", 3)
    old = await make_activities(desk, 5, errors=4)
    await end_long_ago(desk, *old)
    submitted = [await desk.submit(Retention()) for _ in range(2)]
    messages = [message for each in submitted for message in each.messages]
    await deliver_at_random(Random(1), messages, [desk.worker(), desk.worker()])
    assert [each.state for each in await desk.found(submitted)] == [State.COMPLETED] * 2
    assert await with_errors(desk) == []


async def test_calls_that_ended_long_ago_go(desk: Desk) -> None:
    """Not those that are still to be made, however old."""
    async with desk.db.account(desk.account_id) as tx:
        for _ in range(4):
            await hooks.enter(tx, 1, [1])
    old, young, waiting, other = [row["call_id"] for row in await desk.rows("hook_call")]
    for call_id, ended, days in ((old, True, 11), (other, True, 12), (young, True, 9), (waiting, False, 90)):
        await desk.owner.execute(
            "UPDATE hook_call SET created_at = now() - make_interval(days => $2),"
            " ended_at = CASE WHEN $3 THEN now() - make_interval(days => $2) END WHERE call_id = $1",
            call_id,
            days,
            ended,
        )
    with patch.object(retention, "CALLS", 1):
        await prune(desk)
    assert {row["call_id"] for row in await desk.rows("hook_call")} == {young, waiting}


async def test_imports_that_never_began_go(desk: Desk) -> None:
    """And those whose activity is pruned; not those of activities that can still be retried."""
    target = await desk.new_list()

    async def made() -> int:
        async with desk.db.account(desk.account_id) as tx:
            job = await staged.create(tx, target.set_no, [])
            await staged.add(tx, job.import_no, [StagedContact({})], invalid_emails=0, invalid_mobiles=0)
        return job.import_no

    never, young, ended, kept = [await made() for _ in range(4)]
    begun = await staged_import.begin(desk.db, desk.settings, desk.principal, SaveStaged(ended))
    await desk.finish_everything()
    await end_long_ago(desk, begun.activity.sequence)
    await staged_import.begin(desk.db, desk.settings, desk.principal, SaveStaged(kept))
    await desk.finish_everything()
    await desk.owner.execute(
        "UPDATE staged_import SET created_at = now() - interval '11 days'"
        " WHERE account_id = $1 AND import_no = any($2)",
        desk.account_id,
        [never, ended, kept],
    )
    await prune(desk)
    for table in ("staged_import", "staged_contacts"):
        assert sorted(row["import_no"] for row in await desk.rows(table)) == sorted([young, kept])
