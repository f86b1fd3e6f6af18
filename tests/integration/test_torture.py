"""Worker processes are killed and frozen at random while accounts are busy: all ends as if run in sequence, once."""

import asyncio
import multiprocessing
import os
import signal
import socket
import time
from collections import Counter
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, suppress
from dataclasses import dataclass, field, replace
from multiprocessing.process import BaseProcess
from random import Random
from typing import Any
from uuid import UUID, uuid4

import asyncpg
import pytest

from engine.activities import claims, submission
from engine.activities.model import Activity, Message, State
from engine.errors import AlreadyFinal
from engine.operations.contacts_import import ContactsFileImport
from engine.sets import catalog, system
from engine.sets.catalog import SetKind
from tests.integration import torture_worker
from tests.integration.conftest import NewDesk
from tests.integration.contacts import make_contacts
from tests.integration.desk import Desk, until
from tests.integration.test_memberships import REQUESTS
from tests.reference import DELETIONS, Model, random_deletion, random_request

#: For how long activities are submitted and workers die.
SECONDS = 9.0
WORKERS = 3
LEASE_SECONDS = 0.4
HASTE = {"lease_seconds": LEASE_SECONDS, "max_attempts": 1000, "import_batch_rows": 5, "log_level": "error"}
#: Processes are forked from one that has everything imported, so that there can be many.
FORKS = multiprocessing.get_context("forkserver")
FORKS.set_forkserver_preload(["tests.integration.torture_worker"])

#: A log of what became final, beside Muster's tables.
LOG = """
CREATE SCHEMA torture;
CREATE TABLE torture.ended (account_id bigint, sequence bigint);
GRANT USAGE ON SCHEMA torture TO PUBLIC;
GRANT INSERT ON torture.ended TO PUBLIC;
CREATE FUNCTION torture.note() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    INSERT INTO torture.ended VALUES (new.account_id, new.sequence);
    RETURN new;
END $$;
CREATE TRIGGER note_end AFTER UPDATE OF state ON activity FOR EACH ROW
WHEN (new.state NOT IN ('initialized', 'processing')) EXECUTE FUNCTION torture.note();
"""
#: A moment is enough to wait for a message, instead of a minute.
LOSE_PATIENCE = """
UPDATE lease SET expires_at = now()
WHERE account_id = any($1) AND worker_id IS NULL
    AND expires_at BETWEEN now() + interval '30 s' AND now() + interval '59.7 s'
"""
DEADLOCKS = "SELECT deadlocks FROM pg_stat_database WHERE datname = current_database()"


@pytest.mark.timeout(180)
async def test_accounts_stay_right_while_workers_die(desk: Desk, new_desk: NewDesk) -> None:
    """Design, life of an activity: nothing is lost, nothing is done twice, and the order holds."""
    random = Random(11)
    offices = [await Office.open(random, each) for each in (desk, await new_desk(), await new_desk())]
    deadlocks = await desk.owner.fetchval(DEADLOCKS)
    account_ids = [office.desk.account_id for office in offices]
    async with logged(desk), Crew.at_work(random, desk, account_ids) as crew:
        deadline = time.monotonic() + SECONDS
        chaos = asyncio.create_task(crew.suffer())
        await asyncio.gather(*(office.be_busy(crew, deadline) for office in offices))
        chaos.cancel()
        for office in offices:
            await until(office.is_done, "everything has ended")
        await crew.go_home()
        ended = await desk.owner.fetch("SELECT * FROM torture.ended WHERE account_id = any($1)", account_ids)
    assert len({tuple(row) for row in ended}) == len(ended) == sum(len(office.asked) for office in offices)
    for office in offices:
        await office.assert_as_in_sequence()
    assert await desk.owner.fetchval(DEADLOCKS) == deadlocks
    assert crew.deaths > 3


@asynccontextmanager
async def logged(desk: Desk) -> AsyncIterator[None]:
    await desk.owner.execute(LOG)
    try:
        yield
    finally:
        await desk.owner.execute("DROP SCHEMA torture CASCADE")


@dataclass
class Crew:
    """Worker processes, and the queue that they are fed from."""

    random: Random
    desk: Desk
    account_ids: list[int]
    waiting: list[Message] = field(default_factory=list)
    hands: list["Hand"] = field(default_factory=list)
    gone: list["Hand"] = field(default_factory=list)
    listening: set[asyncio.Task[None]] = field(default_factory=set)
    deaths: int = 0

    @classmethod
    @asynccontextmanager
    async def at_work(cls, random: Random, desk: Desk, account_ids: list[int]) -> AsyncIterator["Crew"]:
        crew = cls(random, desk, account_ids)
        crew.hands += [await Hand.start(crew) for _ in range(WORKERS)]
        tasks = [asyncio.create_task(duty) for duty in (crew._feed(), crew._sweep())]
        try:
            yield crew
        finally:
            for hand in (*crew.hands, *crew.gone):
                hand.kill()
            for task in (*tasks, *crew.listening):
                task.cancel()
            await asyncio.gather(*tasks, *crew.listening, return_exceptions=True)

    async def suffer(self) -> None:
        """Now and then a worker is killed, frozen, or stopped in order."""
        while True:
            await asyncio.sleep(self.random.uniform(0.1, 0.4))
            hand = self.random.choice(self.hands)
            match self.random.choice(("kill", "kill", "freeze", "stop")):
                case "freeze":
                    hand.freeze()
                    continue
                case "stop":
                    hand.line.write(torture_worker.STOP)
                case _:
                    hand.kill()
                    self.deaths += 1
            self.hands.remove(hand)
            self.gone.append(hand)
            self.hands.append(await Hand.start(self))

    async def go_home(self) -> None:
        """The workers end in order, so that the server has counted everything that they did."""
        for hand in self.hands:
            hand.line.close()
            await until(hand.has_ended, "the worker has ended")
        assert [hand.process.exitcode for hand in self.hands] == [0] * len(self.hands)

    async def _feed(self) -> None:
        while True:
            if self.waiting:
                self.random.choice(self.hands).give(self.waiting.pop(self.random.randrange(len(self.waiting))))
            await asyncio.sleep(0 if self.waiting else 0.005)

    async def _sweep(self) -> None:
        """Workers that died are found by their leases; messages that got lost as if a minute had passed."""
        owner = await asyncpg.connect(self.desk.settings.database_url)
        try:
            while True:
                await asyncio.sleep(0.1)
                await owner.execute(LOSE_PATIENCE, self.account_ids)
                found = await claims.sweep(self.desk.db)
                # Other tests may have left something.
                self.waiting += [message for message in found if message.account_id in self.account_ids]
        finally:
            owner.terminate()


@dataclass
class Hand:
    """One worker process."""

    crew: Crew
    process: BaseProcess
    line: asyncio.StreamWriter

    @classmethod
    async def start(cls, crew: Crew) -> "Hand":
        here, there = socket.socketpair()
        settings = crew.desk.settings.model_copy(update=HASTE)
        process = FORKS.Process(target=torture_worker.run, args=(settings, there), daemon=True)
        process.start()
        there.close()
        answers, line = await asyncio.open_connection(sock=here)
        hand = cls(crew, process, line)
        crew.listening.add(asyncio.create_task(hand._listen(answers)))
        return hand

    def give(self, message: Message) -> None:
        """What a killed worker was given is lost with it."""
        self.line.write(torture_worker.written(message))

    def freeze(self) -> None:
        """For longer than its lease."""
        self.signal(signal.SIGSTOP)
        asyncio.get_running_loop().call_later(2 * LEASE_SECONDS, self.signal, signal.SIGCONT)

    def signal(self, number: signal.Signals) -> None:
        if self.process.pid is not None and self.process.is_alive():
            os.kill(self.process.pid, number)

    def kill(self) -> None:
        self.process.kill()
        self.line.close()

    async def has_ended(self) -> bool:
        return not self.process.is_alive()

    async def _listen(self, answers: asyncio.StreamReader) -> None:
        with suppress(ConnectionError):
            async for line in answers:
                self.crew.waiting.append(torture_worker.read(line))


@dataclass
class Office:
    """An account that is busy, and what it asked for, in order."""

    random: Random
    desk: Desk
    model: Model
    emails: dict[str, str]
    asked: list[tuple[Activity, str, dict[str, Any]]] = field(default_factory=list)
    #: Whether it asks for small changes only now, which may share transactions.
    is_hasty: bool = False
    #: Lists and tags whose deletion was asked for: they are not named again.
    doomed: set[str] = field(default_factory=set)

    @classmethod
    async def open(cls, random: Random, desk: Desk) -> "Office":
        model = Model()
        await make_contacts(random, str(desk.settings.database_url), desk.account_id, model, count=40)
        async with desk.db.account(desk.account_id) as tx:
            for number in range(8):
                model.lists[str((await catalog.create(tx, SetKind.LIST, f"list {number}")).set_id)] = set()
                model.tags[str((await catalog.create(tx, SetKind.TAG, f"tag {number}")).set_id)] = set()
        emails = {row["email"]: str(row["contact_id"]) for row in await desk.rows("contact")}
        return cls(random, desk, model, emails)

    async def be_busy(self, crew: Crew, deadline: float) -> None:
        while time.monotonic() < deadline:
            if self.random.random() < 0.1:
                self.is_hasty = not self.is_hasty
            kind, body = self._anything()
            submitted = await self.desk.submit(self._request(kind, body))
            self.asked.append((submitted.activity, kind, body))
            crew.waiting += submitted.messages
            if kind in DELETIONS:
                await self._replace(body)
            if kind != ContactsFileImport.kind and self.random.random() < 0.05:
                await self._cancel(crew)
            await until(self._has_room, "there are few unfinished activities")

    async def is_done(self) -> bool:
        return await self.desk.unfinished() == 0

    async def assert_as_in_sequence(self) -> None:
        """Everything is as the model says when it runs what was completed, one after the other."""
        states = Counter[str]()
        for asked, kind, body in self.asked:
            found = await self.desk.find(asked)
            states[found.state] += 1
            if found.state is State.COMPLETED:
                self._assert_outcome(found, kind, body)
        assert states.keys() <= {State.COMPLETED, State.CANCELLED}
        assert states[State.COMPLETED] > 20
        await self._assert_sets()
        set_nos = {row["set_no"] for row in await self.desk.rows("contact_set") if row["deleted_at"]}
        assert set_nos.isdisjoint(row["set_no"] for row in await self.desk.rows("set_chunk"))
        assert await self.desk.rows("lease") == await self.desk.rows("import_row") == []

    def _assert_outcome(self, found: Activity, kind: str, body: dict[str, Any]) -> None:
        if kind == ContactsFileImport.kind:
            assert found.changed_count == self._run_import(body), found
            assert found.items_completed == len(body["emails"]) + 1
        else:
            outcome = self.model.run(kind, body)
            did = (found.items_total, found.changed_count, found.error_count)
            assert did == (outcome.selected, outcome.changed, outcome.errors), found

    async def _assert_sets(self) -> None:
        rows = await self.desk.rows("contact")
        names = {row["contact_no"]: self.emails.get(row["email"], row["email"]) for row in rows}
        assert len(set(names.values())) == len(rows) == len(self.model.existing | self.model.deleted)
        expected = {
            **{system.ENGAGEMENT[level]: members for level, members in self.model.levels.items()},
            **await self._numbered(SetKind.LIST, self.model.lists),
            **await self._numbered(SetKind.TAG, self.model.tags),
        }
        for set_no, members in expected.items():
            assert {names[number] for number in await self.desk.members(set_no)} == members

    async def _numbered(self, kind: SetKind, sets: dict[str, set[str]]) -> dict[int, set[str]]:
        async with self.desk.db.account(self.desk.account_id) as tx:
            found = await catalog.by_ids(tx, kind, map(UUID, sets))
        return {named.set_no: sets[str(set_id)] for set_id, named in found.items()}

    def _anything(self) -> tuple[str, dict[str, Any]]:
        if self.random.random() < 0.1:
            return ContactsFileImport.kind, self._random_import()
        if self.random.random() < 0.04:
            return random_deletion(self.random, self._named())
        known = sorted([*self.model.existing, *self.model.deleted, str(uuid4())])
        kind, body = random_request(self.random, self._named(), known)
        while self.is_hasty and "contact_ids" not in body["source"]:
            kind, body = random_request(self.random, self._named(), known)
        return kind, body

    def _named(self) -> Model:
        """The model without lists and tags that may be gone by now: nothing would be queued for them."""
        lists, tags = (
            {set_id: members for set_id, members in sets.items() if set_id not in self.doomed}
            for sets in (self.model.lists, self.model.tags)
        )
        return replace(self.model, lists=lists, tags=tags)

    async def _replace(self, body: dict[str, Any]) -> None:
        """There are new lists or tags for those that are deleted."""
        [(name, doomed)] = body.items()
        self.doomed |= set(doomed)
        kind, sets = (SetKind.LIST, self.model.lists) if name == "list_ids" else (SetKind.TAG, self.model.tags)
        async with self.desk.db.account(self.desk.account_id) as tx:
            for _ in set(doomed):
                sets[str((await catalog.create(tx, kind, f"another {uuid4()}")).set_id)] = set()

    def _random_import(self) -> dict[str, Any]:
        """New contacts, and known ones that are not deleted."""
        living = sorted(email for email, contact_id in self.emails.items() if contact_id in self.model.existing)
        emails = self.random.sample(living, 6)
        emails += [f"new{self.random.randrange(300)}@example.org" for _ in range(self.random.randrange(12))]
        self.random.shuffle(emails)
        return {"emails": emails, "list_ids": self.random.choices(list(self._named().lists), k=2)}

    def _request(self, kind: str, body: dict[str, Any]) -> Any:
        if kind != ContactsFileImport.kind:
            return REQUESTS[kind].model_validate(body)
        name = f"{uuid4()}.csv"
        (self.desk.settings.uploads / name).write_text("email\n" + "".join(f"{email}\n" for email in body["emails"]))
        return ContactsFileImport.model_validate({"file": name, "list_ids": body["list_ids"]})

    def _run_import(self, body: dict[str, Any]) -> int:
        model, changed = self.model, 0
        people = {self.emails.get(email, email) for email in body["emails"]}
        new = people - model.existing
        model.existing |= new
        model.active |= new
        model.recent |= new
        for list_id in set(body["list_ids"]):
            joining = people - model.unsubscribed - model.lists[list_id]
            changed += len(joining)
            model.lists[list_id] |= joining
        return changed

    async def _cancel(self, crew: Crew) -> None:
        activity, kind, _ = self.random.choice(self.asked[-10:])
        if kind != ContactsFileImport.kind:
            with suppress(AlreadyFinal):
                desk = self.desk
                answer = await submission.cancel(desk.db, desk.settings, desk.principal, activity.activity_id)
                crew.waiting += answer.messages

    async def _has_room(self) -> bool:
        return await self.desk.unfinished() < 30
