"""Single contacts written by several processes at once: all is as if done one after the other, in the account's order.

Refusals are checked by what they leave: nothing.
"""

import asyncio
import json
from collections import Counter
from collections.abc import AsyncIterator, Awaitable, Callable, Sequence
from contextlib import AsyncExitStack, asynccontextmanager, suppress
from dataclasses import dataclass, field, replace
from random import Random
from typing import Any
from uuid import UUID, uuid4

import pytest

from engine.activities.inline import BUSY_SECONDS, Inline
from engine.contacts import writing
from engine.contacts.details import Details
from engine.contacts.writing import ContactWrite, Written
from engine.database import Database, Transaction
from engine.errors import Busy, Invalid, MusterError, WrittenMeanwhile
from engine.operations.contact_create import CreateContact
from engine.operations.contact_delete import DeleteContact, DeleteContacts
from engine.operations.contact_resubscribe import Resubscribe
from engine.operations.contact_sign_up import SignUp
from engine.operations.contact_update import UpdateContact
from engine.operations.taggings import AddTaggings, RemoveTaggings
from engine.sets import catalog, system
from engine.sets.catalog import NamedSet, SetKind
from tests.integration.contact_model import People
from tests.integration.desk import Desk
from tests.integration.effects import assert_effects, assert_effects_alternate
from tests.integration.watched import NotingDatabase

#: Processes, what each is asked at the same time, and how often.
PROCESSES = 3
CLIENTS = 6
WRITES = 14
ADDRESSES = [f"c{number}@example.org" for number in range(8)]
NAMES = [f"name {number}" for number in range(5)]
PERMISSIONS = (None, "implicit", "explicit", "unsubscribed", "unsubscribed", "pending_confirmation", "temp_hold")
REFUSALS = {"not_found", "written_meanwhile", "email_taken", "invalid", "conflict"}

#: What came of a write: a contact, a refusal's code, or None when nobody knows.
Outcome = Written | str | None


class Faulty(NotingDatabase):
    """Loses its connection now and then: before a commit, or after it, when nobody is told that it has happened."""

    def __init__(self, *arguments: Any) -> None:
        super().__init__(*arguments)
        self._random = Random(3)

    @asynccontextmanager
    async def account(self, account_id: int) -> AsyncIterator[Transaction]:
        async with super().account(account_id) as tx:
            yield tx
            self._lose()
        self._lose()

    def _lose(self) -> None:
        if self._random.random() < 0.04:
            raise ConnectionResetError("lost")


@dataclass
class Traffic:
    """What is asked, at random, and what came of it. Each write has a principal of its own, which tells them apart."""

    desk: Desk
    random: Random
    lists: Sequence[NamedSet]
    tags: Sequence[NamedSet]
    known: list[UUID] = field(default_factory=lambda: [uuid4()])
    asked: dict[UUID, tuple[ContactWrite, Outcome]] = field(default_factory=dict)

    @classmethod
    async def of(cls, desk: Desk, seed: int) -> "Traffic":
        lists = await desk.new_lists(3)
        async with desk.db.account(desk.account_id) as tx:
            tags = [await catalog.create(tx, SetKind.TAG, f"tag {number}") for number in range(2)]
        return cls(desk, Random(seed), lists, tags)

    async def client(self, inline: Inline, patience: Callable[[], float]) -> None:
        """Asks one thing after the other, and at times goes away before it is answered."""
        for _ in range(WRITES):
            write, principal = self.anything(), replace(self.desk.principal, principal_id=uuid4())
            self.asked[principal.principal_id] = write, None
            outcome: Outcome = None
            with suppress(TimeoutError, ConnectionResetError):
                async with asyncio.timeout(patience()):
                    try:
                        outcome = await inline.write(principal, write)
                    except MusterError as refusal:
                        outcome = refusal.code
            self.asked[principal.principal_id] = write, outcome
            if isinstance(outcome, Written) and outcome.created:
                self.known.append(outcome.contact_id)

    def anything(self) -> ContactWrite:
        random, contact_id = self.random, self.random.choice(self.known[-12:])
        match random.choice(("create", "update", "update", "update", "delete", "sign up", "sign up", "resubscribe")):
            case "create":
                return CreateContact(replace(self.details(), email=random.choice(ADDRESSES)), self.party())
            case "update":
                return UpdateContact(contact_id, self.details(), self.party())
            case "delete":
                return DeleteContact(contact_id)
            case "resubscribe":
                return Resubscribe(contact_id, self.some(self.lists))
            case _:
                core = {"first_name": random.choice(NAMES)} if random.random() < 0.5 else {}
                said = Details(core=core, email=random.choice(ADDRESSES), list_ids=self.some(self.lists))
                return SignUp(said, confirms=False)

    def details(self) -> Details:
        random = self.random
        email = random.choice([*ADDRESSES, None, None, None, None])
        return Details(
            core={"first_name": random.choice(NAMES)},
            email=email,
            permission=random.choice(PERMISSIONS) if email else None,  # type: ignore[arg-type]
            list_ids=random.choice((None, (), self.some(self.lists))),
            tag_ids=random.choice((None, (), self.some(self.tags))),
        )

    def some(self, sets: Sequence[NamedSet]) -> tuple[UUID, ...]:
        return tuple(each.set_id for each in self.random.sample(sets, self.random.randint(1, 2)))

    def party(self) -> Any:
        return self.random.choice(("Account", "Account", "Contact"))


@asynccontextmanager
async def processes(desk: Desk, kind: type[NotingDatabase]) -> AsyncIterator[list[Inline]]:
    """Inline operations of so many processes, with pools of their own; none may be broken off by a deadlock."""
    assert desk.settings.database_app_url is not None
    async with AsyncExitStack() as stack:
        pools = [await Database.open(desk.settings.database_app_url, connections=4) for _ in range(PROCESSES)]
        for pool in pools:
            stack.push_async_callback(pool.close)
        databases = [kind(pool._pool, 4) for pool in pools]
        yield [Inline(database) for database in databases]
        assert {error for database in databases for error in database.errors} <= {"UniqueViolationError"}


async def run(inlines: Sequence[Inline], traffic: Traffic, patience: float, *others: Awaitable[None]) -> None:
    """The traffic of all clients of all processes, beside other work. patience: how many of them have it, in parts."""

    def seconds() -> float:
        return 60 if traffic.random.random() < patience else traffic.random.uniform(0, 0.02)

    async with asyncio.timeout(90):
        clients = (traffic.client(inline, seconds) for inline in inlines for _ in range(CLIENTS))
        await asyncio.gather(*clients, *others)
    for inline in inlines:
        await asyncio.gather(*inline._tasks)
        assert not inline._lines, "nobody waits, and no contact is held, whatever happens"


async def assert_as_in_sequence(traffic: Traffic) -> None:
    """Every write that was done is in the order once, and done in that order they make what is stored."""
    desk, people = traffic.desk, People()
    rows = {row["contact_no"]: row for row in await desk.rows("contact")}
    done = set()
    for activity in sorted(await desk.rows("activity"), key=lambda row: row["sequence"]):
        write, outcome = traffic.asked[activity["principal_id"]]
        number = json.loads(activity["request"])["contact_no"]
        meant = rows[number]["contact_id"]
        contact_id, created = people.run(write, meant)
        assert contact_id == meant
        if isinstance(outcome, Written):
            assert (outcome.contact_id, outcome.contact_no, outcome.created) == (contact_id, number, created)
        done.add(activity["principal_id"])
    for principal_id, (_, outcome) in traffic.asked.items():
        assert (principal_id in done) is isinstance(outcome, Written) or outcome is None
    assert {outcome for _, outcome in traffic.asked.values() if isinstance(outcome, str)} <= REFUSALS
    await assert_people(traffic, people, rows)


async def assert_people(traffic: Traffic, people: People, rows: dict[int, Any]) -> None:
    desk = traffic.desk
    assert {row["contact_id"] for row in rows.values()} == set(people.by_id)
    for row in rows.values():
        person = people.by_id[row["contact_id"]]
        stored = (
            row["email"],
            row["first_name"],
            row["permission"],
            row["opt_out_source"],
            row["deleted_at"] is not None,
        )
        assert stored == (person.email, person.name, person.permission, person.opted_out_by, person.deleted)
    everybody = {number: people.by_id[row["contact_id"]] for number, row in rows.items()}
    living = {number: person for number, person in everybody.items() if not person.deleted}
    expected = {
        system.EXISTS: set(living),
        system.ACTIVE: {n for n, person in living.items() if person.permission in ("implicit", "explicit")},
        system.UNSUBSCRIBED: {n for n, person in living.items() if person.permission == "unsubscribed"},
        **{each.set_no: {n for n, person in living.items() if each.set_id in person.lists} for each in traffic.lists},
        **{each.set_no: {n for n, person in living.items() if each.set_id in person.tags} for each in traffic.tags},
    }
    assert {set_no: await desk.members(set_no) for set_no in expected} == expected


async def assert_order(desk: Desk) -> None:
    sequences = sorted(row["sequence"] for row in await desk.rows("activity"))
    assert sequences == list(range(1, len(sequences) + 1))


@pytest.mark.parametrize("seed", range(3))
async def test_as_if_one_after_the_other(desk: Desk, seed: int) -> None:
    """Contract 1.8, 2.1.9 to 2.1.16 against a model, whoever writes when; design, "Inline operations"."""
    traffic = await Traffic.of(desk, seed)
    async with processes(desk, NotingDatabase) as inlines:
        await run(inlines, traffic, 1.0)
    await assert_as_in_sequence(traffic)
    await assert_order(desk)
    await assert_effects(desk)
    outcomes = Counter(type(outcome) for _, outcome in traffic.asked.values())
    assert outcomes[Written] > 50
    assert outcomes[type(None)] == 0


@pytest.mark.parametrize("seed", range(2))
async def test_with_lost_connections_and_clients_that_go_away(desk: Desk, seed: int) -> None:
    """What was done is there as a whole, what was not has left nothing; nobody waits for ever."""
    traffic = await Traffic.of(desk, seed)
    async with processes(desk, Faulty) as inlines:
        await run(inlines, traffic, 0.7)
    await assert_as_in_sequence(traffic)
    await assert_order(desk)
    await assert_effects(desk)


@pytest.mark.parametrize("seed", range(2))
async def test_beside_bulk_memberships(desk: Desk, seed: int) -> None:
    """Contract 6.31: a write comes after the earlier activities on its lists and tags, however many of them wait."""
    traffic = await Traffic.of(desk, seed)

    async def bulk() -> None:
        for _ in range(8):
            messages = [
                message
                for _ in range(traffic.random.randint(1, 8))
                for message in (await desk.submit(random_membership(traffic))).messages
            ]
            await asyncio.sleep(traffic.random.uniform(0, 0.05))
            await desk.deliver(messages)

    async with processes(desk, NotingDatabase) as inlines:
        await run(inlines, traffic, 1.0, bulk(), bulk())
    await desk.finish_everything()
    await assert_order(desk)
    await assert_effects(desk)


@pytest.mark.parametrize("seed", range(2))
async def test_beside_bulk_deletions(desk: Desk, seed: int) -> None:
    """Nobody deleted is in any set, and every bit is accounted for."""
    traffic = await Traffic.of(desk, seed)

    async def bulk() -> None:
        for _ in range(8):
            request = traffic.random.choice((random_deletion, random_membership))(traffic)
            await desk.deliver((await desk.submit(request)).messages)

    async with processes(desk, NotingDatabase) as inlines:
        await run(inlines, traffic, 1.0, bulk(), bulk())
    await desk.finish_everything()
    await assert_order(desk)
    await assert_effects_alternate(desk)
    rows = await desk.rows("contact")
    assert await desk.members(system.EXISTS) == {row["contact_no"] for row in rows if row["deleted_at"] is None}
    for each in await desk.rows("contact_set"):
        assert await desk.members(each["set_no"]) <= await desk.members(system.EXISTS)


def random_deletion(traffic: Traffic) -> DeleteContacts:
    return DeleteContacts(contact_ids=tuple(traffic.random.choices(traffic.known, k=3)))


def random_membership(traffic: Traffic) -> Any:
    source = {"contact_ids": traffic.random.choices(traffic.known, k=6)}
    kind = traffic.random.choice((AddTaggings, RemoveTaggings, None))
    if kind is None:
        return traffic.desk.adding(source["contact_ids"], traffic.random.choice(traffic.lists))
    return kind.model_validate({"source": source, "tag_ids": traffic.some(traffic.tags)})


def creating(name: str, *lists: NamedSet) -> CreateContact:
    return CreateContact(Details(core={"first_name": name}, list_ids=tuple(each.set_id for each in lists)), "Account")


async def test_numbers_of_a_lost_commit_are_not_used_again(desk: Desk, monkeypatch: pytest.MonkeyPatch) -> None:
    """Whoever is not told of a commit cannot know whether its numbers are taken."""
    inline, write = Inline(desk.db), writing.write

    async def lost(tx: Transaction, *arguments: Any) -> Any:
        await write(tx, *arguments)
        await tx._connection.execute("COMMIT")
        raise ConnectionResetError

    monkeypatch.setattr(writing, "write", lost)
    with pytest.raises(ConnectionResetError):
        await inline.write(desk.principal, creating("lost"))
    monkeypatch.setattr(writing, "write", write)
    await inline.write(desk.principal, creating("found"))
    assert [(row["contact_no"], row["first_name"]) for row in await desk.rows("contact")] == [(1, "lost"), (2, "found")]


async def test_two_writes_to_one_contact_in_one_transaction(desk: Desk) -> None:
    """Contract 1.8: one is done, the other is 409, also when one means the contact by its id and one by its address."""
    inline, [contact_id], [target] = Inline(desk.db), await desk.make_contacts(1), await desk.new_lists(1)
    signing_up = SignUp(Details(email="c1@example.org", list_ids=(target.set_id,)), confirms=False)
    asked = [creating("first, so that the others share"), DeleteContact(contact_id), signing_up]
    outcomes = await asyncio.gather(*(inline.write(desk.principal, each) for each in asked), return_exceptions=True)
    assert [type(outcome) for outcome in outcomes] == [Written, Written, WrittenMeanwhile]
    assert await desk.members(target) == set()
    assert await desk.members(system.EXISTS) == {2}


async def test_refused_with_a_new_address(desk: Desk) -> None:
    """Contract 1.8: the contact keeps its own, and the other is nobody's; beside a write that is done."""
    inline, [contact_id] = Inline(desk.db), await desk.make_contacts(1, permission="unsubscribed")
    [before] = await desk.rows("contact")
    joining = Details(email="new@example.org", list_ids=((await desk.new_list()).set_id,))
    asked = [
        creating("first, so that the others share"),
        UpdateContact(contact_id, joining, "Account"),
        creating("next"),
    ]
    outcomes = await asyncio.gather(*(inline.write(desk.principal, each) for each in asked), return_exceptions=True)
    assert [type(outcome) for outcome in outcomes] == [Written, Invalid, Written]
    assert [row for row in await desk.rows("contact") if row["contact_no"] == 1] == [before]
    signing_up = SignUp(Details(email="new@example.org"), confirms=False)
    assert (await inline.write(desk.principal, signing_up)).created


async def test_waiting_for_what_has_no_place_in_its_queue(desk: Desk) -> None:
    """Design, "Inline operations": an earlier activity comes first, also if many come before it."""
    inline, people, target = Inline(desk.db), await desk.make_contacts(1), await desk.new_list()
    await desk.deliver((await desk.add(people, target)).messages)
    others = [await desk.add(people, *await desk.new_lists(1)) for _ in range(desk.settings.window)]
    assert (await desk.remove(people, target)).messages == []
    staying = UpdateContact(people[0], Details(email="c1@example.org", list_ids=(target.set_id,)), "Account")
    task = asyncio.create_task(inline.write(desk.principal, staying))
    await asyncio.sleep(0.1)
    assert not task.done()
    await desk.deliver(message for each in others for message in each.messages)
    await task
    assert await desk.members(target) == {1}


async def test_what_is_submitted_before_a_write_has_its_place(desk: Desk) -> None:
    """Design, "Inline operations": the order of sequences is the order in which things are done."""
    inline, people, target = Inline(desk.db), await desk.make_contacts(1), await desk.new_list()
    joining = UpdateContact(people[0], Details(email="c1@example.org", list_ids=(target.set_id,)), "Account")
    async with desk.held(target):
        task = asyncio.create_task(inline.write(desk.principal, joining))
        await desk.someone_waits()
        removing = await desk.remove(people, target)
    await asyncio.sleep(0.1)
    assert not task.done()
    await desk.deliver(removing.messages)
    await task
    assert await desk.members(target) == {1}


async def test_not_waiting_for_batched_work(desk: Desk) -> None:
    """Contract 6, 31: an import takes long and is not one moment; nor does a write wait for what waits for one."""
    inline, people, target = Inline(desk.db), await desk.make_contacts(1), await desk.new_list()
    await desk.submit(DeleteContacts(list_ids=(target.set_id,)))
    await desk.add(people, target)
    signing_up = SignUp(Details(email="c1@example.org", list_ids=(target.set_id,)), confirms=False)
    async with asyncio.timeout(BUSY_SECONDS - 1):
        await inline.write(desk.principal, signing_up)
    assert await desk.members(target) == {1}


async def test_waiting_has_an_end(desk: Desk, monkeypatch: pytest.MonkeyPatch) -> None:
    """Design, "Inline operations": bounded; then it is refused, and has left nothing."""
    monkeypatch.setattr("engine.activities.inline.BUSY_SECONDS", 0.1)
    inline, people, target = Inline(desk.db), await desk.make_contacts(1), await desk.new_list()
    await desk.remove(people, target)
    with pytest.raises(Busy):
        await inline.write(desk.principal, creating("nobody", target))
    assert len(await desk.rows("contact")) == len(await desk.rows("activity")) == 1
