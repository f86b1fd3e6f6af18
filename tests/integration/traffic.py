"""Single contacts written at random by several processes at once, beside other work; and what must have come of it.

Refusals are checked by what they leave: nothing.
"""

import asyncio
import json
from collections.abc import AsyncIterator, Awaitable, Callable, Sequence
from contextlib import AsyncExitStack, asynccontextmanager, suppress
from copy import deepcopy
from dataclasses import dataclass, field, replace
from random import Random
from typing import Any, Self
from uuid import UUID, uuid4

from engine.activities.inline import Inline
from engine.contacts.decisions import ContactWrite, Written
from engine.contacts.details import Details
from engine.database import Database, Transaction
from engine.errors import MusterError
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
from tests.integration.watched import NotingDatabase

#: Processes, what each is asked at the same time, and how often.
PROCESSES = 3
CLIENTS = 6
WRITES = 14
ADDRESSES = [f"c{number}@example.org" for number in range(8)]
NAMES = [f"name {number}" for number in range(5)]
PERMISSIONS = (None, "implicit", "explicit", "unsubscribed", "unsubscribed", "pending_confirmation", "temp_hold")
REFUSALS = {"stale_write", "not_found", "written_meanwhile", "email_taken", "invalid", "conflict"}

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
    """What is asked, at random, and what came of it: by principals, of whom each asks once, for one or several."""

    desk: Desk
    random: Random
    lists: Sequence[NamedSet]
    tags: Sequence[NamedSet]
    known: list[UUID] = field(default_factory=lambda: [uuid4()])
    asked: dict[UUID, list[tuple[ContactWrite, Outcome]]] = field(default_factory=dict)

    @classmethod
    async def of(cls, desk: Desk, seed: int) -> Self:
        lists = await desk.new_lists(3)
        async with desk.db.account(desk.account_id) as tx:
            tags = [await catalog.create(tx, SetKind.TAG, f"tag {number}") for number in range(2)]
        return cls(desk, Random(seed), lists, tags)

    async def client(self, inline: Inline, patience: Callable[[], float]) -> None:
        """Asks one thing after the other, and at times goes away before it is answered."""
        for _ in range(WRITES):
            write, principal = self.anything(), replace(self.desk.principal, principal_id=uuid4())
            self.asked[principal.principal_id] = [(write, None)]
            outcome: Outcome = None
            with suppress(TimeoutError, ConnectionResetError):
                async with asyncio.timeout(patience()):
                    try:
                        outcome = await inline.write(principal, write)
                    except MusterError as refusal:
                        outcome = refusal.code
            self.asked[principal.principal_id] = [(write, outcome)]
            if isinstance(outcome, Written) and outcome.created:
                self.known.append(outcome.contact_id)

    def outcomes(self) -> list[Outcome]:
        return [outcome for asked in self.asked.values() for _, outcome in asked]

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
    desk, people = traffic.desk, People({each.set_no: each for each in (*traffic.lists, *traffic.tags)})
    rows = {row["contact_no"]: row for row in await desk.rows("contact")}
    left = deepcopy(traffic.asked)
    for activity in sorted(await desk.rows("activity"), key=lambda row: row["sequence"]):
        number = json.loads(activity["request"])["contact_no"]
        write, outcome = take(left[activity["principal_id"]], number)
        meant = rows[number]["contact_id"]
        contact_id, created = people.run(write, meant, number)
        assert contact_id == meant
        if isinstance(outcome, Written):
            assert (outcome.contact_id, outcome.contact_no, outcome.created) == (contact_id, number, created)
            assert outcome.changed is people.has_changed
    assert not [outcome for asked in left.values() for _, outcome in asked if isinstance(outcome, Written)]
    assert {outcome for outcome in traffic.outcomes() if isinstance(outcome, str)} <= REFUSALS
    await assert_people(traffic, people, rows)


def take(asked: list[tuple[ContactWrite, Outcome]], number: int) -> tuple[ContactWrite, Outcome]:
    """The first of the writes that has been done to this contact, or may have been."""
    for entry in asked:
        if entry[1] is None or (isinstance(entry[1], Written) and entry[1].contact_no == number):
            asked.remove(entry)
            return entry
    raise AssertionError(f"contact {number} was written, but nobody was told")


async def assert_people(traffic: Traffic, people: People, rows: dict[int, Any]) -> None:
    desk = traffic.desk
    assert {row["contact_id"] for row in rows.values()} == set(people.by_id)
    for row in rows.values():
        person = people.by_id[row["contact_id"]]
        # Who comes after the first with an address may not see that another has just given it up.
        assert (row["contact_no"], row["email_ordinal"] > 0) == (person.number, person.ordinal > 0)
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


def random_deletion(traffic: Traffic) -> DeleteContacts:
    return DeleteContacts(contact_ids=tuple(traffic.random.choices(traffic.known, k=3)))


def random_membership(traffic: Traffic) -> Any:
    source = {"contact_ids": traffic.random.choices(traffic.known, k=6)}
    kind = traffic.random.choice((AddTaggings, RemoveTaggings, None))
    if kind is None:
        return traffic.desk.adding(source["contact_ids"], traffic.random.choice(traffic.lists))
    return kind.model_validate({"source": source, "tag_ids": traffic.some(traffic.tags)})
