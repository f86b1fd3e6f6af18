"""Exports against a model in plain Python: whom they mean, and what is in every cell (contract v3.md 3.10 and 3.15)."""

import asyncio
import csv
import errno
import json
from collections.abc import AsyncGenerator, Iterable, Sequence
from contextlib import aclosing
from datetime import UTC, date, datetime, timedelta, timezone
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
from engine.exports.columns import COLUMNS
from engine.exports.part import Part
from engine.files import exports
from engine.operations import contact_exports
from engine.operations.contact_exports import ContactExports, Export
from engine.segments import stored as segments
from engine.sets import catalog, system
from engine.sets.catalog import NamedSet, SetKind
from engine.sets.chunks import CHUNK_BITS
from tests.integration.conftest import NewDesk
from tests.integration.contacts import make_contacts
from tests.integration.desk import Desk, until
from tests.reference import Model

NOON = datetime(2026, 3, 29, 12, 0, 5, 999_999, tzinfo=UTC)
#: What makes CSV hard: separators, quotes, line ends of every kind, blanks, other scripts, and what ends a COPY.
HARD = (
    'a,b"c',
    "two\nlines",
    "two\r\nlines",
    "\r",
    " blank ",
    "é😀\u200bعربى",
    "\\.",
    '"',
    "=1+1",
    "\t",
    "''",
    "{0}$1",
)


async def export(desk: Desk, **body: Any) -> Activity:
    submitted = await desk.submit(ContactExports.model_validate(body))
    await desk.deliver(submitted.messages)
    return await desk.find(submitted)


def content(desk: Desk, activity: Activity) -> bytes:
    return (exports(desk.settings, desk.account_id) / f"{activity.activity_id}.csv").read_bytes()


def rows(desk: Desk, activity: Activity) -> list[dict[str, str]]:
    """The file's rows as any reader of CSV finds them, after a check of what must hold for each export."""
    assert activity.state is State.COMPLETED, activity
    text = content(desk, activity).decode()
    assert text.endswith("\r\n")
    headings, *lines = csv.reader(text.splitlines(keepends=True), strict=True)
    assert activity.items_total == activity.items_completed == len(lines)
    return [dict(zip(headings, line, strict=True)) for line in lines]


async def exported(desk: Desk, **body: Any) -> list[dict[str, str]]:
    return rows(desk, await export(desk, **body))


async def emails(desk: Desk, **body: Any) -> list[int]:
    """The numbers in the e-mails of the exported contacts: c<number>@example.org."""
    found = await exported(desk, **body, fields=["email_address"])
    return [int(row["email_address"].partition("@")[0][1:]) for row in found]


async def put(desk: Desk, set_no: int, numbers: Iterable[int]) -> None:
    await desk._put(set_no, numbers)


async def make_contact(desk: Desk, contact_no: int, **values: Any) -> None:
    """A contact that exists, with any column."""
    row = {
        "account_id": desk.account_id,
        "contact_no": contact_no,
        "contact_id": uuid4(),
        "email_ordinal": 0,
        "permission": "implicit",
        "create_source": "Account",
        "confirm_status": "off",
        "created_at": NOON,
        "updated_at": NOON,
        **values,
    }
    await desk.owner.execute(
        "INSERT INTO contact SELECT * FROM jsonb_populate_record(null::contact, $1)", json.dumps(row, default=str)
    )
    await put(desk, system.EXISTS, [contact_no])


async def new_set(desk: Desk, kind: SetKind, name: str, numbers: Iterable[int]) -> NamedSet:
    async with desk.db.account(desk.account_id) as tx:
        made = await catalog.create(tx, kind, name)
    await put(desk, made.set_no, numbers)
    return made


async def new_field(desk: Desk, number: int, name: str) -> None:
    await desk.owner.execute(
        "INSERT INTO custom_field (account_id, field_no, label, name, name_key, type, created_at, updated_at)"
        " VALUES ($1, $2, $3, $3, lower($3), 'string', now(), now())",
        desk.account_id,
        number,
        name,
    )


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


class TestCells:
    """What is in each column (contract 3.15; chosen where it is silent: engine/exports/columns.py)."""

    async def test_every_field_of_a_full_contact(self, desk: Desk) -> None:
        """Contract 3.10: all 35, in the table's order, then the custom fields."""
        contact_id = uuid4()
        await make_contact(
            desk,
            1,
            contact_id=contact_id,
            email="Kim@Example.org",
            email_key="kim@example.org",
            permission="unsubscribed",
            first_name="Kim",
            last_name="Ode",
            job_title="Editor",
            company_name="Acme",
            birthday_month=5,
            birthday_day=7,
            anniversary=date(2006, 11, 15),
            update_source="Contact",
            updated_at=NOON.astimezone(timezone(timedelta(hours=9))),
            opt_in_source="Account",
            opt_in_date=NOON - timedelta(days=1),
            opt_out_source="Contact",
            opt_out_date=NOON + timedelta(days=1),
            opt_out_reason="too many",
            custom_values={"2": "blue", "1": "M", "3": "of a field that is gone"},
            phone_numbers=[{"phone_number": "555-1", "kind": "home"}, {"phone_number": "555-2", "kind": "work"}],
            street_addresses=[
                {"street": "1 Elm St", "city": "Oslo", "state": "X", "postal_code": "0150", "country": "Norway"},
                {"street": "2 Oak St"},
            ],
            notes=[
                {"content": "older", "created_at": "2026-01-01T00:00:00+00:00"},
                {"content": "newer", "created_at": "2026-01-02T00:00:00+00:00"},
            ],
        )
        await new_set(desk, SetKind.LIST, "Zebra", [1])
        await new_set(desk, SetKind.LIST, "Ant", [1])
        await new_set(desk, SetKind.TAG, "VIP", [1])
        await new_field(desk, 1, "Shirt_size")
        await new_field(desk, 2, "colour")
        [row] = await exported(desk)
        assert list(row) == [*COLUMNS, "cf:Shirt_size", "cf:colour"]
        assert row == dict.fromkeys(COLUMNS, "") | {
            "first_name": "Kim",
            "last_name": "Ode",
            "contact_id": str(contact_id),
            "email_address": "Kim@Example.org",
            "email_lists": "Zebra, Ant",
            "phone_number": "555-1",
            "company_name": "Acme",
            "job_title": "Editor",
            "street": "1 Elm St",
            "city": "Oslo",
            "state": "X",
            "zip": "0150",
            "country": "Norway",
            "anniversary": "2006-11-15",
            "birthday": "05/07",
            "birthday_day": "7",
            "birthday_month": "5",
            "created_at": "2026-03-29T12:00:05+00:00",
            "updated_at": "2026-03-29T12:00:05+00:00",
            "email_permission": "unsubscribed",
            "email_optin": "false",
            "email_optin_source": "Account",
            "email_optin_date": "2026-03-28T12:00:05+00:00",
            "email_optout_date": "2026-03-30T12:00:05+00:00",
            "email_optout_source": "Contact",
            "email_optout_reason": "too many",
            "tag": "VIP",
            "notes": "newer, older",
            "street_1": "1 Elm St",
            "source_name": "Account",
            "email_update_source": "Contact",
            "cf:Shirt_size": "M",
            "cf:colour": "blue",
        }

    async def test_an_empty_contact_has_empty_cells(self, desk: Desk) -> None:
        """Contract 3.15; what is said of an e-mail address is empty without one."""
        await make_contact(desk, 1, email=None, notes=[], phone_numbers=[], street_addresses=[], custom_values={})
        [row] = await exported(desk)
        filled = {name for name, value in row.items() if value}
        assert filled == {"contact_id", "created_at", "updated_at", "source_name"}

    async def test_whatever_is_stored_comes_back(self, desk: Desk) -> None:
        """Contract 3.15: RFC 4180, in names, headings and cells."""
        for number, text in enumerate(HARD, start=1):
            await make_contact(
                desk,
                number,
                first_name=text,
                email=f"{text}@x",
                email_key=f"{number}",
                opt_out_reason=text,
                notes=[{"content": text, "created_at": "2026-01-01"}],
                street_addresses=[{"city": text}],
                custom_values={"1": text},
            )
            await new_set(desk, SetKind.LIST, f"{number}{text}list", [number])
        await new_field(desk, 1, 'a,"b"\r\nc$1')
        found = await exported(desk)
        for number, (row, text) in enumerate(zip(found, HARD, strict=True), start=1):
            cells = (row["first_name"], row["email_optout_reason"], row["notes"], row["city"], row['cf:a,"b"\r\nc$1'])
            assert cells == (text,) * 5
            assert row["email_address"] == f"{text}@x"
            assert row["email_lists"] == f"{number}{text}list"

    async def test_fields_come_in_the_order_asked_for_and_without_custom_ones(self, desk: Desk) -> None:
        """Contract 3.15: the names in request order are the headings; of a repeated one there is one."""
        await new_field(desk, 1, "colour")
        await make_contact(desk, 1, last_name="Ode", first_name="Kim", custom_values={"1": "blue"})
        activity = await export(desk, fields=["last_name", "tag", "first_name", "last_name"])
        assert content(desk, activity) == b"last_name,tag,first_name\r\nOde,,Kim\r\n"

    async def test_a_single_column_has_a_line_for_each_contact(self, desk: Desk) -> None:
        """Contract 3.15: an empty line would be no row for many readers."""
        await make_contact(desk, 1, first_name=None)
        await make_contact(desk, 2, first_name="Kim")
        activity = await export(desk, fields=["first_name"])
        assert content(desk, activity) == b'first_name\r\n""\r\nKim\r\n'

    async def test_nobody_gives_the_headings(self, desk: Desk) -> None:
        """Contract 3.15: a header row, always."""
        activity = await export(desk, fields=["first_name", "tag"])
        assert content(desk, activity) == b"first_name,tag\r\n"
        assert rows(desk, activity) == []

    async def test_names_of_many_sets_against_a_model(self, desk: Desk) -> None:
        """Contract 3.15: email_lists and tag hold the names of living sets, in the order they were made."""
        random, numbers = Random(7), [5, 6, CHUNK_BITS - 1, CHUNK_BITS, CHUNK_BITS + 1, 5 * CHUNK_BITS]
        for number in numbers:
            await desk.make_contacts(1, first=number)
        joined: dict[tuple[SetKind, int], list[str]] = {}
        for place in range(30):
            kind, members = random.choice(list(SetKind)), random.sample(numbers, random.randint(0, len(numbers)))
            made = await new_set(desk, kind, f"{place}", members)
            if place % 10 == 9:
                await desk.delete_list(made)
                continue
            for number in members:
                joined.setdefault((kind, number), []).append(made.name)
        found = await exported(desk, fields=["email_address", "email_lists", "tag"])
        assert [(row["email_lists"], row["tag"]) for row in found] == [
            (", ".join(joined.get((SetKind.LIST, n), ())), ", ".join(joined.get((SetKind.TAG, n), ()))) for n in numbers
        ]


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
