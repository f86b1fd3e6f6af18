"""Whoever is revived has the tags again that the last deletion took, and no list (design, "One policy")."""

from dataclasses import dataclass, field
from random import Random
from uuid import uuid4

import pytest

from engine.activities.model import State
from engine.operations.contacts_import import ContactsFileImport
from engine.sets import catalog, membership, system
from engine.sets.catalog import NamedSet, SetKind
from engine.sets.chunks import CHUNK_BITS, bits_of
from engine.sets.membership import Change
from tests.integration.desk import Desk


async def new_tag(desk: Desk, name: str) -> NamedSet:
    async with desk.db.account(desk.account_id) as tx:
        return await catalog.create(tx, SetKind.TAG, name)


async def change(desk: Desk, numbers: set[int], *, on: tuple[int, ...] = (), off: tuple[int, ...] = ()) -> None:
    """As an activity of its own, whose row nobody misses here."""
    sequence = await desk.owner.fetchval(
        "UPDATE account SET last_sequence = last_sequence + 1 WHERE account_id = $1 RETURNING last_sequence",
        desk.account_id,
    )
    await desk.owner.executemany(
        "INSERT INTO activity_source (account_id, sequence, batch, chunk, bits) VALUES ($1, $2, 0, $3, $4)",
        [(desk.account_id, sequence, chunk, bits) for chunk, bits in bits_of(numbers).items()],
    )
    async with desk.db.account(desk.account_id) as tx:
        await membership.apply(tx, [Change(sequence, (), on=on, off=off)], 0)


async def delete(desk: Desk, numbers: set[int], *sets: NamedSet) -> None:
    """Deletes contacts: every bit of theirs goes, in one effect."""
    await change(desk, numbers, off=(system.EXISTS, system.ACTIVE, *(each.set_no for each in sets)))
    await desk.owner.execute(
        "UPDATE contact SET deleted_at = now() WHERE account_id = $1 AND contact_no = any($2)",
        desk.account_id,
        list(numbers),
    )


async def revive(desk: Desk, numbers: set[int], target: NamedSet) -> None:
    """Imports them again."""
    name = f"{uuid4()}.csv"
    rows = [f"c{number}@example.org" for number in sorted(numbers)]
    (desk.settings.uploads / name).write_text("\n".join(["email", *rows]))
    submitted = await desk.submit(ContactsFileImport(file=name, list_ids=(target.set_id,)))
    await desk.deliver(submitted.messages, desk.worker(import_batch_rows=3))
    found = await desk.find(submitted)
    assert (found.state, found.error_count) == (State.COMPLETED, 0)


async def test_tags_come_back_and_lists_do_not(desk: Desk) -> None:
    """Contract v3.md 3.9: a deleted contact is revived."""
    await desk.make_contacts(4)
    lists, tags = await desk.new_lists(2), [await new_tag(desk, name) for name in "abc"]
    await change(desk, {1, 2, 3}, on=(lists[0].set_no, tags[0].set_no))
    await change(desk, {2, 3, 4}, on=(tags[1].set_no,))
    await delete(desk, {1, 2}, *lists, *tags)
    await revive(desk, {1, 2, 3}, lists[1])
    assert await desk.members(lists[0]) == {3}
    assert await desk.members(lists[1]) == {1, 2, 3}
    assert [await desk.members(tag) for tag in tags] == [{1, 2, 3}, {2, 3, 4}, set()]
    assert await desk.members(system.EXISTS) == await desk.members(system.ACTIVE) == {1, 2, 3, 4}


async def test_only_the_last_deletion_counts(desk: Desk) -> None:
    """A tag that was taken off between two deletions stays away."""
    await desk.make_contacts(2)
    target, tags = await desk.new_list(), [await new_tag(desk, name) for name in "ab"]
    await change(desk, {1, 2}, on=(tags[0].set_no,))
    await delete(desk, {1, 2}, target, *tags)
    await revive(desk, {1, 2}, target)
    await change(desk, {1}, off=(tags[0].set_no,))
    await change(desk, {1}, on=(tags[1].set_no,))
    await delete(desk, {1}, target, *tags)
    await revive(desk, {1}, target)
    assert [await desk.members(tag) for tag in tags] == [{2}, {1}]


async def test_a_tag_that_is_gone_stays_away(desk: Desk) -> None:
    await desk.make_contacts(1)
    target, tags = await desk.new_list(), [await new_tag(desk, name) for name in "ab"]
    await change(desk, {1}, on=(tags[0].set_no, tags[1].set_no))
    await delete(desk, {1}, *tags)
    await desk.delete_list(tags[0])
    await revive(desk, {1}, target)
    assert [await desk.members(tag) for tag in tags] == [set(), {1}]


async def test_levels_do_not_come_back(desk: Desk) -> None:
    """Contract v3.md 3.14: they are computed."""
    await desk.make_contacts(1)
    level = system.ENGAGEMENT["high"]
    await change(desk, {1}, on=(level,))
    await change(desk, {1}, off=(system.EXISTS, system.ACTIVE, level))
    await desk.owner.execute("UPDATE contact SET deleted_at = now() WHERE account_id = $1", desk.account_id)
    await revive(desk, {1}, await desk.new_list())
    assert await desk.members(level) == set()


@dataclass
class Lives:
    """The truth in plain Python: who exists, the members of each tag, and the tags that a deletion took."""

    existing: set[int]
    tagged: dict[int, set[int]]
    lost: dict[int, set[int]] = field(default_factory=dict)

    def turn(self, numbers: set[int], on: tuple[int, ...] = (), off: tuple[int, ...] = ()) -> None:
        for tag_no in on:
            self.tagged[tag_no] |= numbers & self.existing
        for tag_no in off:
            self.tagged[tag_no] -= numbers

    def delete(self, numbers: set[int]) -> None:
        for number in numbers & self.existing:
            self.lost[number] = {tag_no for tag_no, members in self.tagged.items() if number in members}
        self.turn(numbers, off=tuple(self.tagged))
        self.existing -= numbers

    def revive(self, numbers: set[int]) -> None:
        for number in numbers - self.existing:
            self.existing.add(number)
            self.turn({number}, on=tuple(self.lost[number]))


@pytest.mark.parametrize("seed", range(4))
async def test_random_lives_end_as_the_model_says(desk: Desk, seed: int) -> None:
    """Contacts of two chunks, some deleted alone and some together, revived by batches of imports."""
    random = Random(seed)
    numbers = [1, 2, 3, 64, 65, 700, *(CHUNK_BITS + number for number in (0, 1, 2, 90))]
    for number in numbers:
        await desk.make_contacts(1, first=number)
    target, tags = await desk.new_list(), [await new_tag(desk, name) for name in "abcd"]
    lives = Lives(set(numbers), {tag.set_no: set() for tag in tags})
    for _ in range(25):
        chosen = set(random.sample(numbers, random.randint(1, 6)))
        some = tuple(random.sample(sorted(lives.tagged), 2))
        match random.choice(("tag", "tag", "untag", "delete", "revive")):
            case "tag":
                await change(desk, chosen & lives.existing, on=some)
                lives.turn(chosen, on=some)
            case "untag":
                await change(desk, chosen, off=some)
                lives.turn(chosen, off=some)
            case "delete":
                await delete(desk, chosen & lives.existing, target, *tags)
                lives.delete(chosen)
            case "revive":
                await revive(desk, chosen, target)
                lives.revive(chosen)
    assert {tag.set_no: await desk.members(tag) for tag in tags} == lives.tagged
    assert await desk.members(system.EXISTS) == lives.existing
