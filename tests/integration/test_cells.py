"""Stored chunks are found by where their members lie (engine/sets/cells.py)."""

from collections.abc import Sequence
from random import Random

import pytest

from engine.activities.inline import Inline
from engine.contacts.changes import Changes
from engine.contacts.decisions import Written
from engine.operations.contact_delete import DeleteContact
from engine.operations.contact_save import SaveContact
from engine.operations.members_change import ChangeMembers
from engine.sets import catalog, reading
from engine.sets.catalog import NamedSet, SetKind
from engine.sets.cells import CELLS, SHIFTS
from engine.sets.chunks import CHUNK_BITS
from tests.integration.desk import Desk
from tests.integration.effects import stored_bits

#: At the ends of cells of every size, within them, and in several chunks.
CONTACTS = [
    *(1, 2, 14, 15, 16, 17, 254, 255, 256, 257, 300, 511, 512, 4096, CHUNK_BITS - 2, CHUNK_BITS - 1),
    *(CHUNK_BITS, CHUNK_BITS + 1, CHUNK_BITS + 15, CHUNK_BITS + 16, 3 * CHUNK_BITS + 7, 3 * CHUNK_BITS + 4096),
]


async def test_the_cell_of_a_chunk_is_the_smallest_with_all_members(desk: Desk) -> None:
    bounds = [(low, high) for low in (0, 1, 15, 16, 255, 256, 5000, 16383) for high in (low, low + 1, low + 16, 16383)]
    bounds = sorted({(low, high) for low, high in bounds if low <= high < CHUNK_BITS})
    await desk.owner.executemany(
        "INSERT INTO set_chunk (account_id, set_no, chunk, lowest, highest, bits) VALUES ($1, 1, $2, $3, $4, '')",
        [(desk.account_id, chunk, *each) for chunk, each in enumerate(bounds)],
    )
    for row in await desk.rows("set_chunk"):
        cells = [((CHUNK_BITS + row["lowest"]) >> shift, (CHUNK_BITS + row["highest"]) >> shift) for shift in SHIFTS]
        assert row["cell"] == row["chunk"] * CELLS + next(low for low, high in cells if low == high)


@pytest.mark.parametrize("seed", range(4))
async def test_the_sets_of_contacts_whoever_else_is_in_them(desk: Desk, seed: int) -> None:
    """Design, contact sets: companies are sets, too, and an account may have very many, of a few contacts each."""
    random, truth = Random(seed), dict[int, set[int]]()
    for number in CONTACTS:
        await desk.make_contacts(1, first=number)
        truth[number] = set()
    sets = {each.set_no: each.kind for each in await made(desk, 12)}
    for _ in range(25):
        few = random.sample([*truth], random.choice((1, 2, 9)))
        await change(desk, random, few, truth, [*sets])
        wanted, kinds = random.sample(CONTACTS, random.randint(1, len(CONTACTS))), random.sample(list(SetKind), 2)
        async with desk.db.account(desk.account_id) as tx:
            found = await reading.sets_of(tx, wanted, kinds)
        for number in wanted:
            expected = sorted(set_no for set_no in truth.get(number, ()) if sets[set_no] in kinds)
            assert [each.set_no for each in found.get(number, ())] == expected
    await stored_bits(desk)


async def made(desk: Desk, count: int) -> list[NamedSet]:
    async with desk.db.account(desk.account_id) as tx:
        return [await catalog.create(tx, list(SetKind)[nth % 3], f"set {nth}") for nth in range(count)]


async def change(
    desk: Desk, random: Random, few: Sequence[int], truth: dict[int, set[int]], set_nos: Sequence[int]
) -> None:
    """Has contacts join or leave sets, one by one or in bulk, or deletes one of them."""
    some = frozenset(random.sample(set_nos, 2))
    match random.choice(("join", "join", "leave", "bulk", "delete")):
        case "join":
            await save(desk, few, Changes(joins=some))
            truth |= {number: truth[number] | some for number in few}
        case "leave":
            await save(desk, few, Changes(leaves=some))
            truth |= {number: truth[number] - some for number in few}
        case "bulk":
            list_no = set_nos[0]
            await desk.deliver((await desk.submit(ChangeMembers(tuple(few), (list_no,), of=SetKind.LIST))).messages)
            truth |= {number: truth[number] | {list_no} for number in few}
        case "delete":
            await Inline(desk.db).write(desk.principal, DeleteContact(few[0]))
            del truth[few[0]]


async def save(desk: Desk, few: Sequence[int], changes: Changes) -> None:
    written = await Inline(desk.db).write_all(desk.principal, [SaveContact(number, changes) for number in few])
    assert all(isinstance(each, Written) for each in written)
