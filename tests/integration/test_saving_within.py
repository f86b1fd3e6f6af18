"""Contacts saved by a batched activity, under its own record; design, "An activity's life" 4."""

import asyncio
import json
from collections.abc import AsyncGenerator, Sequence
from dataclasses import dataclass, field
from typing import Any, ClassVar
from uuid import uuid4

import pytest

from engine import operations
from engine.activities.model import Activity, Queue, State
from engine.activities.operation import Batch, BatchedOperation, Plan, Progress, Resources
from engine.contacts import writing
from engine.contacts.changes import Changes
from engine.contacts.decisions import ContactWrite, Written
from engine.contacts.numbers import Numbers
from engine.database import Transaction
from engine.errors import MusterError
from engine.operations.contact_delete import DeleteContact
from engine.operations.contact_save import SaveContact
from engine.sets.system import ACTIVE, EXISTS, FIELDS
from tests.integration.contact_model import People
from tests.integration.desk import Desk
from tests.integration.effects import assert_effects, assert_effects_alternate
from tests.integration.test_saving_races import InBulk
from tests.integration.traffic import assert_people, processes, run
from tests.integration.watched import NotingDatabase


@dataclass(frozen=True)
class Saves:
    """A request to write contacts one after the other."""

    kind: ClassVar[str] = "test_saves"
    queue: ClassVar[Queue] = Queue.BULK

    async def plan(self, _tx: Transaction) -> Plan:
        return Plan(request={}, reads=frozenset(), writes=frozenset({EXISTS, ACTIVE, FIELDS}))


@dataclass
class Saving(BatchedOperation):
    """Does so, in batches of up to so many; what came of each."""

    writes: Sequence[ContactWrite]
    size: int
    results: dict[int, Written | MusterError] = field(default_factory=dict)

    async def batches(self, activity: Activity, resources: Resources) -> AsyncGenerator[Batch, None]:
        numbers, done = Numbers(resources.db, activity.account_id), int((activity.cursor or {"done": 0})["done"])
        while done < len(self.writes):
            batch = SavingBatch(self, done, numbers, await numbers.reserve(self.size))
            yield batch
            done += batch.count


@dataclass
class SavingBatch:
    saving: Saving
    done: int
    numbers: Numbers
    first_contact_no: int
    count: int = 0

    async def write(self, tx: Transaction, activity: Activity) -> Progress:
        writes = self.saving.writes[self.done : self.done + self.saving.size]
        results, _ = await writing.write_within(tx, activity, writes, self.first_contact_no)
        self.count = len(results)
        self.numbers.take(sum(isinstance(result, Written) and result.created for result in results))
        self.saving.results |= dict(enumerate(results, self.done))
        done = self.done + self.count
        return Progress({"done": done}, len(self.saving.writes), done)


async def submitted(desk: Desk, monkeypatch: pytest.MonkeyPatch, saving: Saving) -> Any:
    monkeypatch.setitem(operations.OPERATIONS, Saves.kind, saving)
    return await desk.submit(Saves())


@pytest.mark.parametrize("size", [3, 100])
async def test_as_if_one_after_the_other(desk: Desk, monkeypatch: pytest.MonkeyPatch, size: int) -> None:
    """Against the model; a worker dies in the middle, and its successor goes on."""
    traffic = await InBulk.of(desk, size)
    for _ in range(30):
        traffic.asked[uuid4()] = [(SaveContact(None, traffic.changes(), twins=True), None)]
    made = [write for asked in traffic.asked.values() for write, _ in asked]
    numbered = [SaveContact(traffic.random.randint(1, 35), traffic.changes(), twins=True) for _ in range(40)]
    saving = Saving([*made, *numbered, *map(DeleteContact, range(1, 9))], size)
    asked = await submitted(desk, monkeypatch, saving)
    await desk.begin(asked.activity, batches=2)
    await desk.finish_everything()
    assert (await desk.find(asked)).state is State.COMPLETED
    people = People({each.set_no: each for each in (*traffic.lists, *traffic.tags)})
    for place, write in enumerate(saving.writes):
        result = saving.results[place]
        if isinstance(result, Written):
            assert people.run(write, result.contact_id, result.contact_no) == (result.contact_id, result.created)
    await assert_people(traffic, people, {row["contact_no"]: row for row in await desk.rows("contact")})
    await assert_effects(desk)
    assert sum(isinstance(result, Written) for result in saving.results.values()) > 40


async def test_images_of_contacts_before_the_activity(desk: Desk, monkeypatch: pytest.MonkeyPatch) -> None:
    """For undo: as they were before its first change, and none of those that it has made itself."""
    await desk.make_contacts(2)
    named = [SaveContact(1, Changes(columns={"first_name": name})) for name in ("first", "second")]
    made = SaveContact(None, Changes(email="new@example.org"))
    saving = Saving([*named, made, SaveContact(3, Changes(note="x")), SaveContact(99, Changes(note="x"))], 1)
    await desk.deliver((await submitted(desk, monkeypatch, saving)).messages)
    images = {row["contact_no"]: json.loads(row["image"])["first_name"] for row in await desk.rows("contact_before")}
    assert images == {1: None}
    assert sorted(row["batch"] for row in await desk.rows("activity_source")) == [0, 1, 2, 3]
    assert [type(result).__name__ for result in saving.results.values()] == ["Written"] * 4 + ["NotFound"]


async def test_beside_single_writes(desk: Desk, monkeypatch: pytest.MonkeyPatch) -> None:
    """Of the same contacts and addresses: nobody waits for ever, and every bit is accounted for."""
    traffic = await InBulk.of(desk, 0)
    saving = Saving([SaveContact(None, traffic.changes(), twins=True) for _ in range(60)], 7)
    asked = await submitted(desk, monkeypatch, saving)

    async def work() -> None:
        await asyncio.sleep(0.02)
        await desk.deliver(asked.messages)

    async with processes(desk, NotingDatabase) as inlines:
        await run(inlines, traffic, 1.0, work())
    await desk.finish_everything()
    assert len(saving.results) == 60
    await assert_effects_alternate(desk)
    rows = await desk.rows("contact")
    assert await desk.members(EXISTS) == {row["contact_no"] for row in rows if row["deleted_at"] is None}
