"""Imports and writes of single contacts that meet at a new e-mail: one of them makes the contact, and both are done."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack, asynccontextmanager, suppress
from dataclasses import dataclass, field, replace
from random import Random
from typing import Any
from uuid import UUID, uuid4

import pytest

from engine.activities.inline import Inline
from engine.activities.model import State
from engine.contacts.decisions import Written
from engine.contacts.details import Details
from engine.database import Database
from engine.errors import EmailTaken, WrittenMeanwhile
from engine.operations.contact_create import CreateContact
from engine.operations.contact_sign_up import SignUp
from engine.operations.contact_update import UpdateContact
from engine.sets import system
from engine.sets.catalog import NamedSet
from engine.sets.chunks import CHUNK_BITS
from tests.integration.desk import Desk
from tests.integration.effects import assert_effects_alternate
from tests.integration.imports.importing import assert_sets_agree, contacts, numbered, submit
from tests.integration.watched import NotingDatabase

#: Processes that write single contacts, and the clients of each.
PROCESSES = 3
CLIENTS = 6
WRITES = 12
ADDRESSES = [f"new{number}@example.org" for number in range(150)]
MOVERS = 12
LOCK_CONTACT = "SELECT FROM contact WHERE account_id = $1 AND contact_no = $2 FOR UPDATE"


def signing_up(email: str, *lists: NamedSet, name: str = "Kim") -> SignUp:
    details = Details(core={"first_name": name}, email=email, list_ids=tuple(each.set_id for each in lists))
    return SignUp(details, confirms=False)


async def skip_to_next_chunk(desk: Desk) -> None:
    """Whoever reserves contact numbers from now on does so in another chunk."""
    await desk.owner.execute(
        "UPDATE account SET last_contact_no = $2 WHERE account_id = $1", desk.account_id, CHUNK_BITS + 99
    )


class TestOvertaken:
    """The contact is made while the import's batch is under way: its row changes that contact, in the same attempt."""

    @pytest.mark.parametrize("other_chunk", [False, True])
    async def test_by_a_write_that_is_done(self, desk: Desk, target: NamedSet, other_chunk: bool) -> None:
        inline, theirs = Inline(desk.db), await desk.new_list()
        await desk.make_contacts(2)
        text = "email,last_name\nc1@example.org,One\na@example.org,Ode\nb@example.org,Berg\n"
        submitted = await submit(desk, text, target)
        async with desk.holding(LOCK_CONTACT, desk.account_id, 1):
            importing = asyncio.create_task(desk.deliver(submitted.messages))
            await desk.someone_waits()
            if other_chunk:
                await skip_to_next_chunk(desk)
            await inline.write(desk.principal, signing_up("a@example.org", theirs))
        await importing
        rows = await contacts(desk)
        a, b = rows["a@example.org"], rows["b@example.org"]
        assert (a["first_name"], a["last_name"], a["permission"]) == ("Kim", "Ode", "explicit")
        assert (a["create_source"], a["update_source"]) == ("Contact", "Account")
        assert (b["last_name"], b["create_source"]) == ("Berg", "Account")
        await assert_done(desk, submitted, persons=3, joined=3)
        assert {row["contact_no"] for row in await desk.rows("contact_before")} == {1, a["contact_no"]}
        assert await desk.members(theirs) == {a["contact_no"]}
        assert await desk.members(target) == {1, a["contact_no"], b["contact_no"]}
        await assert_sets_agree(desk)

    async def test_by_one_who_has_unsubscribed_since(self, desk: Desk, target: NamedSet) -> None:
        """Contract v3.md 3.8: an error for each of his rows, and he is on no list."""
        inline = Inline(desk.db)
        await desk.make_contacts(1)
        text = "email\nc1@example.org\na@example.org\nA@example.org\n"
        submitted = await submit(desk, text, target)
        opting_out = Details(email="a@example.org", permission="unsubscribed")
        async with desk.holding(LOCK_CONTACT, desk.account_id, 1):
            importing = asyncio.create_task(desk.deliver(submitted.messages))
            await desk.someone_waits()
            await inline.write(desk.principal, CreateContact(opting_out, "Account"))
        await importing
        found = await assert_done(desk, submitted, persons=2, joined=1, errors=2)
        assert found.counts["cannot_add_to_list_count"] == 2
        assert await desk.errors(found) == [("A@example.org", "contact_unsubscribed")] * 2
        assert await desk.members(target) == {1}
        await assert_sets_agree(desk)

    @pytest.mark.parametrize("other_chunk", [False, True])
    async def test_by_a_write_under_way(self, desk: Desk, target: NamedSet, other_chunk: bool) -> None:
        """The import waits for what is not committed yet."""
        inline, theirs = Inline(desk.db), await desk.new_list()
        await desk.make_contacts(1)
        submitted = await submit(desk, "email,last_name\na@example.org,Ode\nb@example.org,Berg\n", target)
        async with desk.held(theirs):
            writing = asyncio.create_task(inline.write(desk.principal, signing_up("a@example.org", theirs)))
            await desk.someone_waits(1)
            if other_chunk:
                await skip_to_next_chunk(desk)
            importing = asyncio.create_task(desk.deliver(submitted.messages))
            await desk.someone_waits(2)
        assert (await writing).created
        await importing
        rows = await contacts(desk)
        assert (rows["a@example.org"]["first_name"], rows["a@example.org"]["last_name"]) == ("Kim", "Ode")
        await assert_done(desk, submitted, persons=2, joined=2)
        assert await desk.members(theirs) == await numbered(desk, {"a@example.org"})
        assert await desk.members(target) == await numbered(desk, {"a@example.org", "b@example.org"})
        await assert_sets_agree(desk)

    async def test_by_a_zombie(self, desk: Desk, target: NamedSet) -> None:
        """Two workers at the same batch, the second of which has it: the first leaves nothing behind."""
        submitted = await submit(desk, "email\n" + "".join(f"n{n}@example.org\n" for n in (3, 1, 2)), target)
        async with desk.held(target):
            zombie = asyncio.create_task(desk.worker().run(submitted.messages[0]))
            await desk.someone_waits(1)
            await desk.let_leases_run_out()
            [message] = await desk.swept()
            await skip_to_next_chunk(desk)
            successor = asyncio.create_task(desk.worker().run(message))
            await desk.someone_waits(2)
        await zombie
        await successor
        await assert_done(desk, submitted, persons=3, joined=3)
        assert len(await desk.rows("contact")) == 3
        await assert_sets_agree(desk)


class TestOvertaking:
    """The import has written the contact first, and has not committed it yet."""

    @pytest.mark.parametrize("other_chunk", [False, True])
    async def test_a_write_waits_for_the_import(self, desk: Desk, target: NamedSet, other_chunk: bool) -> None:
        """It waits without the mask, which the import may need: nobody has to be broken off."""
        noting, theirs = NotingDatabase(desk.db._pool, 10), await desk.new_list()
        inline = Inline(noting)
        await desk.make_contacts(1)
        submitted = await submit(desk, "email,last_name\na@example.org,Ode\n", target)
        masks = "SELECT FROM set_chunk WHERE account_id = $1 AND set_no = $2 FOR UPDATE"
        async with desk.holding(masks, desk.account_id, system.ACTIVE):
            importing = asyncio.create_task(desk.deliver(submitted.messages))
            await desk.someone_waits(1)
            if other_chunk:
                await skip_to_next_chunk(desk)
            writing = asyncio.create_task(inline.write(desk.principal, signing_up("a@example.org", theirs)))
            await desk.someone_waits(2)
        assert not (await writing).created
        await importing
        assert noting.errors == ["UniqueViolationError"]
        [_, a] = sorted(await desk.rows("contact"), key=lambda row: row["contact_no"])
        assert (a["first_name"], a["last_name"], a["permission"]) == ("Kim", "Ode", "explicit")
        await assert_done(desk, submitted, persons=1, joined=1)
        assert await desk.members(theirs) == await desk.members(target) == {a["contact_no"]}
        await assert_sets_agree(desk)


async def assert_done(desk: Desk, submitted: Any, *, persons: int, joined: int, errors: int = 0) -> Any:
    """It has ended, in one attempt, since nothing was delivered twice; and tells so many."""
    found = await desk.find(submitted)
    assert (found.state, found.failure) == (State.COMPLETED, None)
    assert (found.counts["person_count"], found.changed_count, found.error_count) == (persons, joined, errors)
    assert await desk.rows("import_row") == []
    return found


@dataclass
class Crowd:
    """Who writes single contacts beside an import, at random, and what is done, by the principal, each write's own."""

    desk: Desk
    random: Random
    theirs: NamedSet
    movers: list[UUID]
    done: dict[UUID, tuple[Any, Written]] = field(default_factory=dict)

    async def client(self, inline: Inline) -> None:
        for _ in range(WRITES):
            await asyncio.sleep(self.random.uniform(0, 0.03))
            write, principal = self.anything(), replace(self.desk.principal, principal_id=uuid4())
            with suppress(EmailTaken, WrittenMeanwhile):
                self.done[principal.principal_id] = write, await inline.write(principal, write)

    def anything(self) -> Any:
        """Nobody gives an address up that others may come to."""
        email, said = self.random.choice(ADDRESSES), {"first_name": uuid4().hex}
        match self.random.choice(("sign up", "sign up", "create", "move" if self.movers else "create")):
            case "create":
                return CreateContact(Details(core=said, email=email, permission="implicit"), "Account")
            case "move":
                return UpdateContact(self.movers.pop(), Details(core=said, email=email), "Account")
            case _:
                return SignUp(Details(core=said, email=email, list_ids=(self.theirs.set_id,)), confirms=False)


@pytest.mark.timeout(300)
@pytest.mark.parametrize("seed", range(4))
async def test_random_writes_beside_an_import(desk: Desk, target: NamedSet, seed: int) -> None:
    """Each address has one contact, to which all was done; the import needs one attempt, and nobody is broken off."""
    random, theirs = Random(seed), await desk.new_list()
    crowd = Crowd(desk, random, theirs, await desk.make_contacts(MOVERS))
    rows = [(random.choice(ADDRESSES), f"row {number}") for number in range(300)]
    submitted = await submit(desk, "email,last_name\n" + "".join(f"{email},{name}\n" for email, name in rows), target)
    async with connected(desk) as databases:
        worker = replace(desk, db=databases[0]).worker(import_batch_rows=100)
        inlines = [Inline(database) for database in databases[1:]]
        if seed % 2:
            await asyncio.gather(
                *(inline.write(desk.principal, signing_up(f"{inline}@example.org")) for inline in inlines)
            )
            await skip_to_next_chunk(desk)
        async with asyncio.timeout(120):
            clients = (crowd.client(inline) for inline in inlines for _ in range(CLIENTS))
            await asyncio.gather(desk.deliver(submitted.messages, worker), *clients)
        assert {error for database in databases for error in database.errors} <= {"UniqueViolationError"}
    await assert_all_was_done(crowd, submitted, target, dict(rows))
    await assert_effects_alternate(desk)
    await assert_sets_agree(desk)


async def assert_all_was_done(crowd: Crowd, submitted: Any, target: NamedSet, imported: dict[str, str]) -> None:
    desk = crowd.desk
    found = await assert_done(desk, submitted, persons=len(imported), joined=len(imported))
    writes: dict[str, list[tuple[Any, Written]]] = {email: [] for email in ADDRESSES}
    for activity in sorted(await desk.rows("activity"), key=lambda row: row["sequence"]):
        if activity["principal_id"] in crowd.done:
            write, written = crowd.done[activity["principal_id"]]
            writes[write.details.email].append((write, written))
    stored = {email: row for email, row in (await contacts(desk)).items() if email in writes}
    assert set(stored) == set(imported) | {email for email, done in writes.items() if done}
    for email, row in stored.items():
        done = writes[email]
        assert {written.contact_id for _, written in done} <= {row["contact_id"]}
        assert row["first_name"] == (done[-1][0].details.core["first_name"] if done else None)
        assert row["last_name"] == imported.get(email)
        assert row["permission"] == ("explicit" if any(isinstance(write, SignUp) for write, _ in done) else "implicit")
    signed_up = {email for email, done in writes.items() if any(isinstance(write, SignUp) for write, _ in done)}
    assert await desk.members(crowd.theirs) == await numbered(desk, signed_up)
    assert await desk.members(target) == await numbered(desk, set(imported))
    theirs = {
        email for email, done in writes.items() if any(new.created or type(w) is UpdateContact for w, new in done)
    }
    images = [row for row in await desk.rows("contact_before") if row["sequence"] == found.sequence]
    assert {row["contact_no"] for row in images} == await numbered(desk, theirs & set(imported))


@asynccontextmanager
async def connected(desk: Desk) -> AsyncIterator[list[NotingDatabase]]:
    """The pools of a worker and of so many processes."""
    assert desk.settings.database_app_url is not None
    async with AsyncExitStack() as stack:
        pools = [await Database.open(desk.settings.database_app_url, connections=4) for _ in range(1 + PROCESSES)]
        for pool in pools:
            stack.push_async_callback(pool.close)
        yield [NotingDatabase(pool._pool, 4) for pool in pools]
