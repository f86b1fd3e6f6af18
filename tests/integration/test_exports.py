"""Exports against a model in plain Python: whom they mean, when, and after whom (contract v3.md 3.10)."""

import asyncio
import errno
import json
from collections.abc import AsyncGenerator, Sequence
from contextlib import aclosing
from random import Random
from typing import Any
from unittest.mock import patch
from uuid import uuid4

import pytest

from engine import operations
from engine.activities import submission
from engine.activities.model import Activity, State
from engine.activities.operation import Batch, BatchedOperation, Resources
from engine.activities.submission import Submitted
from engine.errors import UnknownTarget
from engine.exports.part import Part
from engine.files import exports
from engine.operations import contact_exports
from engine.operations.contact_exports import ContactExports, Export
from engine.segments import stored as segments
from engine.sets.catalog import SetKind
from engine.sets.chunks import CHUNK_BITS
from tests.integration.conftest import NewDesk
from tests.integration.contacts import make_contacts
from tests.integration.desk import Desk, until
from tests.integration.exporting import content, export, exported, new_set, rows
from tests.reference import Model


async def emails(desk: Desk, **body: Any) -> list[int]:
    """The numbers in the e-mails of the exported contacts: c<number>@example.org."""
    found = await exported(desk, **body, fields=["email_address"])
    return [int(row["email_address"].partition("@")[0][1:]) for row in found]


class FreezingExport(BatchedOperation):
    """An export whose worker freezes after its third batch, until it is woken up."""

    def __init__(self, woken: asyncio.Event) -> None:
        self._woken = woken

    async def batches(self, activity: Activity, resources: Resources) -> AsyncGenerator[Batch, None]:
        done = 0
        async with aclosing(Export().batches(activity, resources)) as batches:
            async for batch in batches:
                yield batch
                done += 1
                if done == 3:
                    await self._woken.wait()


class TestSelection:
    """Whom an export means (contract 3.10)."""

    async def test_every_source_against_the_model(self, desk: Desk) -> None:
        """Contract 3.10: each way, status and exclusion, over contacts in every state."""
        model, random = Model(), Random(3)
        assert desk.settings.database_url is not None
        await make_contacts(random, desk.settings.database_url, desk.account_id, model, count=60)
        numbers = {str(row["contact_id"]): row["contact_no"] for row in await desk.rows("contact")}
        # By number, since ids are new each time.
        everybody = sorted(numbers, key=numbers.__getitem__)
        members = set(random.sample([each for each in everybody if each in model.existing], 20))
        listed = await new_set(desk, SetKind.LIST, "a list", (numbers[each] for each in members))
        tagged = await new_set(desk, SetKind.TAG, "a tag", (numbers[each] for each in members))
        named = random.sample(everybody, 30)
        some = random.sample([each for each in everybody if each in members], 5)
        unsubscribed = model.unsubscribed & model.existing
        recent = model.recent & model.active
        list_ids, exclude = [str(listed.set_id)], {"contact_ids": [*some, str(uuid4())]}
        cases: Sequence[tuple[dict[str, Any], set[str]]] = (
            ({}, model.existing),
            ({"exclude": exclude}, model.existing - set(some)),
            ({"status": "active"}, model.active),
            ({"all_active_contacts": True}, model.active),
            ({"status": "unsubscribed"}, unsubscribed),
            ({"status": "removed"}, model.deleted),
            ({"contact_ids": named}, set(named) & model.existing),
            ({"contact_ids": named, "status": "active"}, set(named) & model.active),
            ({"contact_ids": named, "status": "unsubscribed"}, set(named) & unsubscribed),
            ({"contact_ids": named, "status": "removed"}, set(named) & model.deleted),
            ({"list_ids": list_ids}, members),
            ({"list_ids": list_ids, "status": "active"}, members & model.active),
            ({"list_ids": list_ids, "status": "unsubscribed"}, members & unsubscribed),
            ({"list_ids": list_ids, "status": "removed"}, set()),
            ({"list_ids": list_ids, "all_active_contacts": True}, members & model.active),
            ({"list_ids": list_ids, "exclude": exclude}, members - set(some)),
            ({"list_ids": list_ids, "new_subscriber": True}, members & recent),
            ({"list_ids": list_ids, "new_subscriber": True, "exclude": exclude}, members & recent - set(some)),
            ({"new_subscriber": True}, recent),
            ({"new_subscriber": True, "exclude": exclude}, recent - set(some)),
            ({"tag_ids": [str(tagged.set_id)]}, members),
        )
        assert [body for body, expected in cases if not expected] == [{"list_ids": list_ids, "status": "removed"}]
        for body, expected in cases:
            found = await exported(desk, **body, fields=["contact_id"])
            assert [row["contact_id"] for row in found] == sorted(expected, key=numbers.__getitem__), body

    async def test_a_segment(self, desk: Desk) -> None:
        """Contract 3.10: segment_id; its criteria are frozen when the export is asked for."""
        await desk.make_contacts(5)
        rule = {"source": "contact", "field": "email_address", "op": "eq", "value": "c3@example.org"}
        criteria = json.dumps({"version": "1.0.0", "criteria": {"type": "and", "group": [rule]}})
        async with desk.db.account(desk.account_id) as tx:
            segment = await segments.create(tx, "third", criteria)
        submitted = await desk.submit(ContactExports(segment_id=segment.segment_id, fields=("email_address",)))
        await desk.owner.execute("UPDATE segment SET criteria = '{}' WHERE account_id = $1", desk.account_id)
        await desk.deliver(submitted.messages)
        [row] = rows(desk, await desk.find(submitted))
        assert row == {"email_address": "c3@example.org"}

    async def test_contacts_that_are_not_there_are_told(self, desk: Desk) -> None:
        """Contract 3.3: unknown or deleted ones in contact_ids are skipped, one string each; repeated ones are one."""
        [known] = await desk.make_contacts(1)
        [deleted] = await desk.make_contacts(1, first=2, deleted=True)
        unknown = uuid4()
        activity = await export(desk, contact_ids=[str(each) for each in (unknown, known, deleted, known, unknown)])
        assert len(rows(desk, activity)) == 1
        assert await desk.errors(activity) == [(str(unknown), "contact_not_found"), (str(deleted), "contact_deleted")]
        assert activity.error_count == 2
        removed = await export(desk, contact_ids=[str(deleted), str(known)], status="removed")
        assert [row["contact_id"] for row in rows(desk, removed)] == [str(deleted)]
        assert await desk.errors(removed) == []

    async def test_nothing_is_queued_for_what_does_not_exist(self, desk: Desk) -> None:
        """Contract 3.3 and 3.1: unknown lists, tags and segments are refused."""
        for body in ({"list_ids": [uuid4()]}, {"tag_ids": [uuid4()]}, {"segment_id": 7}):
            with pytest.raises(UnknownTarget):
                await desk.submit(ContactExports.model_validate(body))
        assert await desk.rows("activity") == []

    async def test_no_other_account_is_in_it(self, desk: Desk, new_desk: NewDesk) -> None:
        other = await new_desk()
        await desk.make_contacts(2)
        [theirs] = await other.make_contacts(1, first=3)
        assert await emails(desk) == [1, 2]
        activity = await export(desk, contact_ids=[str(theirs)])
        assert rows(desk, activity) == []
        assert await desk.errors(activity) == [(str(theirs), "contact_not_found")]


class TestOrder:
    """Jobs of an account run in the order they were queued; the selection is taken when one starts (contract 3.3)."""

    async def test_what_was_asked_for_before_is_in_it(self, desk: Desk) -> None:
        """The export waits for what changes its columns, too."""
        people, target = await desk.make_contacts(3), await desk.new_list()
        adding = await desk.add(people[:2], target)
        submitted = await desk.submit(ContactExports(fields=("email_address", "email_lists")))
        await desk.deliver(submitted.messages)
        assert (await desk.find(submitted)).state is State.INITIALIZED
        await desk.deliver(adding.messages)
        found = rows(desk, await desk.find(submitted))
        assert [row["email_lists"] for row in found] == [target.name, target.name, ""]

    async def test_nobody_waits_once_it_knows_whom_it_means(self, desk: Desk) -> None:
        """What is asked for later may run while rows are written; its message does not wait for the end."""
        people, target = await desk.make_contacts(3), await desk.new_list()
        submitted = await desk.submit(ContactExports(list_ids=(target.set_id,)))
        later = await desk.add(people, target)
        await desk.deliver(later.messages)
        assert (await desk.find(later)).state is State.INITIALIZED
        assert [sent.activity_id for sent in await desk.begin(submitted.activity)] == [later.activity.activity_id]
        [row] = [row for row in await desk.rows("activity") if row["sequence"] == submitted.activity.sequence]
        assert (row["reads"], row["state"]) == ([], State.PROCESSING)
        await desk.finish_everything()
        assert rows(desk, await desk.find(submitted)) == []
        assert len(await desk.members(target)) == 3

    async def test_what_waited_for_it_gets_its_message_once(self, desk: Desk) -> None:
        people, target = await desk.make_contacts(3), await desk.new_list()
        submitted = await desk.submit(ContactExports(list_ids=(target.set_id,)))
        later = await desk.add(people, target)
        await desk.deliver(later.messages)
        sent = await desk.worker().run(submitted.messages[0])
        assert [message.activity_id for message in sent] == [later.activity.activity_id]

    async def test_contacts_that_are_deleted_meanwhile_are_exported_as_they_are_then(self, desk: Desk) -> None:
        """The file has as many rows as were told."""
        await desk.make_contacts(3)
        submitted = await desk.submit(ContactExports(fields=("email_address", "email_permission")))
        await desk.begin(submitted.activity)
        await desk.owner.execute(
            "UPDATE contact SET deleted_at = now(), permission = 'temp_hold' WHERE account_id = $1 AND contact_no = 2",
            desk.account_id,
        )
        await desk.finish_everything()
        found = rows(desk, await desk.find(submitted))
        assert [row["email_permission"] for row in found] == ["implicit", "temp_hold", "implicit"]


class TestTakingOver:
    """Long work goes on where it was (design, "An activity's life", 4 and 5); a batch here is a chunk."""

    CHUNKS = 5

    async def _start(self, desk: Desk) -> Submitted:
        """An export of 200 contacts in each of some chunks."""
        for chunk in range(self.CHUNKS):
            await desk.make_contacts(200, first=chunk * CHUNK_BITS + 1)
        return await desk.submit(ContactExports(fields=("email_address", "first_name")))

    @pytest.fixture(autouse=True)
    def _small_batches(self, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setattr(contact_exports, "MOST_CHUNKS", 1)

    @staticmethod
    async def _is_whole(desk: Desk, submitted: Submitted) -> None:
        activity = await desk.find(submitted)
        assert activity.items_total == 1000
        assert [row["email_address"] for row in rows(desk, activity)] == [
            f"c{number}@example.org"
            for chunk in range(5)
            for number in range(chunk * CHUNK_BITS + 1, chunk * CHUNK_BITS + 201)
        ]
        folder = exports(desk.settings, desk.account_id)
        assert [path.name for path in folder.iterdir()] == [f"{activity.activity_id}.csv"]

    @pytest.mark.parametrize("batches", [1, 2, 4, 6, 7])
    async def test_a_successor_goes_on_after_the_last_batch(self, desk: Desk, batches: int) -> None:
        """Whether its predecessor had decided whom it means, written some, or all, or had looked for more in vain."""
        submitted = await self._start(desk)
        await desk.begin(submitted.activity, batches)
        halfway = await desk.find(submitted)
        assert (halfway.items_total, halfway.items_completed) == (1000, min(1000, 200 * (batches - 1)))
        await desk.owner.execute("UPDATE contact SET first_name = 'new' WHERE account_id = $1", desk.account_id)
        await desk.finish_everything()
        await self._is_whole(desk, submitted)
        renamed = [row["first_name"] for row in rows(desk, await desk.find(submitted))].count("new")
        assert renamed == 1000 - halfway.items_completed

    async def test_one_that_died_between_the_file_and_its_commit(self, desk: Desk) -> None:
        """The file is there under its last name already."""
        submitted = await self._start(desk)
        await desk.begin(submitted.activity, 7)
        folder = exports(desk.settings, desk.account_id)
        (folder / f"{submitted.activity.activity_id}.1.part").rename(folder / f"{submitted.activity.activity_id}.csv")
        await desk.finish_everything()
        await self._is_whole(desk, submitted)

    async def test_rows_that_were_not_committed_are_written_once(self, desk: Desk) -> None:
        submitted = await self._start(desk)
        await desk.begin(submitted.activity, 3)
        folder = exports(desk.settings, desk.account_id)
        with (folder / f"{submitted.activity.activity_id}.1.part").open("ab") as file:
            file.write(b"half a batch that no")
        await desk.finish_everything()
        await self._is_whole(desk, submitted)

    async def test_a_file_that_is_lost_is_made_anew(self, desk: Desk) -> None:
        submitted = await self._start(desk)
        await desk.begin(submitted.activity, 3)
        folder = exports(desk.settings, desk.account_id)
        (folder / f"{submitted.activity.activity_id}.1.part").write_bytes(bytes(10_000))
        await desk.finish_everything()
        await self._is_whole(desk, submitted)

    async def test_a_frozen_worker_that_wakes_up_damages_nothing(self, desk: Desk) -> None:
        """It goes on with its next batch, and finds that the activity is another's by now."""
        submitted, woken = await self._start(desk), asyncio.Event()
        with patch.dict(operations.OPERATIONS, {ContactExports.kind: FreezingExport(woken)}):
            frozen = asyncio.create_task(desk.worker().run(submitted.messages[0]))
            await until(lambda: self._has_begun(desk, submitted), "some rows are written")
        await desk.finish_everything()
        before = content(desk, await desk.find(submitted))
        woken.set()
        assert await frozen == []
        assert content(desk, await desk.find(submitted)) == before
        assert len(rows(desk, await desk.find(submitted))) == 1000

    @staticmethod
    async def _has_begun(desk: Desk, submitted: Submitted) -> bool:
        return (await desk.find(submitted)).items_completed > 0

    async def test_a_retry_goes_on_after_what_was_done(self, desk: Desk) -> None:
        """A cancelled one: its retry is a new activity with a file of its own, of the contacts chosen at first."""
        submitted = await self._start(desk)
        await desk.begin(submitted.activity, 3)
        await submission.cancel(desk.db, desk.settings, desk.principal, submitted.activity.activity_id)
        await desk.finish_everything()
        assert (await desk.find(submitted)).state is State.CANCELLED
        await desk.make_contacts(1, first=9 * CHUNK_BITS)
        again = await submission.retry(desk.db, desk.settings, desk.principal, submitted.activity.activity_id)
        await desk.deliver(again.messages)
        activity = await desk.find(again)
        assert len(rows(desk, activity)) == activity.items_total == 1000

    async def test_a_disk_that_is_full_fails_the_activity(self, desk: Desk, monkeypatch: pytest.MonkeyPatch) -> None:
        def full(*_: object) -> None:
            raise OSError(errno.ENOSPC, "no space left on device")

        submitted = await self._start(desk)
        monkeypatch.setattr(Part, "_append", full)
        await desk.finish_everything(desk.worker(max_attempts=2))
        activity = await desk.find(submitted)
        assert (activity.state, activity.failure_code) == (State.FAILED, "attempts_exhausted")
