"""What activities leave for undo, history and counts: effects and frozen sources (design, "Effect first")."""

from collections import defaultdict
from random import Random

import pytest

from engine.activities.model import State
from engine.sets import catalog, system
from engine.sets.catalog import SetKind
from engine.sets.chunks import CHUNK_BITS, numbers_of
from tests.integration.contacts import make_contacts
from tests.integration.desk import Desk
from tests.integration.test_memberships import REQUESTS
from tests.reference import Model, random_request


@pytest.mark.parametrize("seed", range(3))
async def test_effects_are_exactly_what_changed(desk: Desk, seed: int) -> None:
    """Replayed in sequence they make the sets; no effect turns on what is on, or off what is off."""
    random, model = Random(seed), await prepared(desk, Random(seed))
    for _ in range(40):
        kind, body = random_request(random, model, sorted(model.existing | model.deleted))
        await desk.deliver((await desk.submit(REQUESTS[kind].model_validate(body))).messages)
        model.run(kind, body)
    sets: dict[int, set[int]] = defaultdict(set)
    changed: dict[int, int] = defaultdict(int)
    rows = await desk.rows("effect")
    for row in sorted(rows, key=lambda row: (row["sequence"], row["batch"])):
        members = set(numbers_of(row["chunk"], row["bits"]))
        assert members
        if row["turned_on"]:
            assert not members & sets[row["set_no"]]
            sets[row["set_no"]] |= members
        else:
            assert members <= sets[row["set_no"]]
            sets[row["set_no"]] -= members
        assert_bounded(row["lowest"], row["highest"], members)
        changed[row["sequence"]] += len(members)
    for activity in await desk.rows("activity"):
        assert activity["state"] == State.COMPLETED
        assert activity["changed_count"] == changed[activity["sequence"]]
    for set_no, members in sets.items():
        assert await desk.members(set_no) == members


def assert_bounded(lowest: int, highest: int, members: set[int]) -> None:
    """Effects of single contacts are passed over cheaply: exact for them, never too narrow for others."""
    offsets = {number % CHUNK_BITS for number in members}
    assert lowest == min(offsets)
    assert highest >= max(offsets)
    assert len(members) > 1 or highest == lowest


async def test_a_repeated_activity_writes_nothing(desk: Desk) -> None:
    """Design, effect first; contract v3.md 3.4: already on a list: no change, counted as processed."""
    targets, people = await desk.new_lists(2), await desk.make_contacts(3)
    await desk.deliver((await desk.add(people, *targets)).messages)
    versions = "SELECT xmin FROM set_chunk WHERE account_id = $1 ORDER BY set_no, chunk"
    before = await desk.owner.fetch(versions, desk.account_id)
    again = await desk.add(people, *targets)
    await desk.deliver(again.messages)
    found = await desk.find(again)
    assert (found.items_total, found.items_completed, found.changed_count) == (3, 3, 0)
    assert {row["sequence"] for row in await desk.rows("effect")} == {1}
    assert await desk.owner.fetch(versions, desk.account_id) == before


async def test_the_frozen_source_is_what_was_asked_for(desk: Desk) -> None:
    """Design, undo: what a later activity also asked for is kept with it, also where it changed nothing."""
    [target], people = await desk.new_lists(1), await desk.make_contacts(3)
    people += await desk.make_contacts(1, first=4, deleted=True)
    people += await desk.make_contacts(1, first=5, permission="unsubscribed")
    for _ in range(2):
        await desk.deliver((await desk.add(people, target)).messages)
    sources = await desk.rows("activity_source")
    assert [set(numbers_of(row["chunk"], row["bits"])) for row in sources] == [{1, 2, 3}] * 2
    skipped = {row["code"]: set(numbers_of(row["chunk"], row["bits"])) for row in await desk.rows("activity_skipped")}
    assert skipped == {"contact_deleted": {4}, "contact_unsubscribed": {5}}


async def test_a_source_is_read_when_its_activity_runs(desk: Desk) -> None:
    """Contract v3.md 3.3: selection is taken when the job starts running, after all that was asked for before it."""
    source, target = await desk.new_lists(2)
    people = await desk.make_contacts(2)
    filling = await desk.add(people, source)
    body = {"source": {"list_ids": [source.set_id]}, "exclude": {"contact_ids": people[:1]}}
    copying = await desk.submit(REQUESTS["add_list_memberships"].model_validate({**body, "list_ids": [target.set_id]}))
    emptying = await desk.remove(people, source)
    await desk.deliver([*emptying.messages, *copying.messages, *filling.messages])
    assert await desk.members(target) == {2}
    assert await desk.members(source) == set()


async def test_levels_are_stored_so_that_everybody_has_one_at_most(desk: Desk) -> None:
    """Contract v3.md 3.14."""
    people = await desk.make_contacts(3)
    for level, chosen in (("low", people), ("high", people[:2]), ("unqualified", people[:1])):
        body = {"source": {"contact_ids": chosen}, "engagement_level": level}
        await desk.deliver((await desk.submit(REQUESTS["contacts_engagement_set"].model_validate(body))).messages)
    found = {level: await desk.members(set_no) for level, set_no in system.ENGAGEMENT.items()}
    assert found == {"unqualified": {1}, "low": {3}, "medium": set(), "high": {2}}


async def prepared(desk: Desk, random: Random) -> Model:
    model = Model()
    await make_contacts(random, str(desk.settings.database_url), desk.account_id, model, count=60)
    async with desk.db.account(desk.account_id) as tx:
        for number in range(3):
            model.lists[str((await catalog.create(tx, SetKind.LIST, f"list {number}")).set_id)] = set()
            model.tags[str((await catalog.create(tx, SetKind.TAG, f"tag {number}")).set_id)] = set()
    return model
