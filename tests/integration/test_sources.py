"""What sources are frozen to, what they read, and whom trees of them choose (contract v3.md 3.3; issue 3, part 3)."""

import json
from typing import Any
from uuid import UUID, uuid4

import pytest

from engine import sources
from engine.activities.model import State
from engine.errors import UnknownTarget
from engine.operations.contacts_import import ContactsImport, ContactsJsonImport
from engine.operations.list_memberships import AddListMemberships
from engine.operations.taggings import AddTaggings
from engine.segments import stored
from engine.sets import catalog, system
from engine.sets.catalog import NamedSet, SetKind
from engine.sources import Exclude, Source
from tests.integration.desk import Desk

KIMS = (
    '{"version":"1.0.0","criteria":{"type":"and","group":'
    '[{"source":"contact","field":"first_name","op":"eq","value":"Kim"}]}}'
)


async def frozen(desk: Desk, body: dict[str, Any], *excluded: UUID) -> tuple[Any, frozenset[int]]:
    """The source as it is kept, and the sets that it reads."""
    async with desk.db.account(desk.account_id) as tx:
        kept = await sources.freeze(tx, Source.model_validate(body), Exclude(contact_ids=excluded))
        return kept, await sources.reads_of(tx, kept)


async def new_tag(desk: Desk) -> NamedSet:
    async with desk.db.account(desk.account_id) as tx:
        return await catalog.create(tx, SetKind.TAG, f"tag {uuid4()}")


async def new_segment(desk: Desk) -> int:
    async with desk.db.account(desk.account_id) as tx:
        return (await stored.create(tx, f"segment {uuid4()}", KIMS)).segment_id


async def chosen(desk: Desk, source: dict[str, Any], *excluded: UUID) -> tuple[set[int], list[tuple[str, str]]]:
    """Whom a source puts on a list, and the errors."""
    target = await desk.new_list()
    body: dict[str, Any] = {"source": source, "list_ids": [target.set_id]}
    if excluded:
        body["exclude"] = {"contact_ids": excluded}
    submitted = await desk.submit(AddListMemberships.model_validate(body))
    await desk.deliver(submitted.messages)
    assert (await desk.find(submitted)).state is State.COMPLETED
    return await desk.members(target), await desk.errors(submitted)


async def test_an_ordinary_source_is_a_tree_of_one_leaf(desk: Desk) -> None:
    """One code: both are kept alike."""
    contact_id = uuid4()
    leaves: list[dict[str, Any]] = [
        {"contact_ids": [contact_id]},
        {"list_ids": [(await desk.new_list()).set_id]},
        {"tag_ids": [(await new_tag(desk)).set_id]},
        {"segment_id": await new_segment(desk)},
        {"engagement_level": "low"},
        {"all_active_contacts": True},
        {"new_subscriber": True},
    ]
    for leaf in leaves:
        assert await frozen(desk, {"expression": leaf}) == await frozen(desk, leaf)


async def test_a_tree_reads_all_that_is_in_it(desk: Desk) -> None:
    """So that it waits for whoever writes one of its leaves."""
    named, tag = await desk.new_list(), await new_tag(desk)
    tree = {
        "except": [
            {"union": [{"list_ids": [named.set_id]}, {"contact_ids": [uuid4()]}]},
            {"intersect": [{"engagement_level": "low"}, {"segment_id": await new_segment(desk)}]},
            {"tag_ids": [tag.set_id]},
        ]
    }
    kept, read = await frozen(desk, {"expression": tree})
    assert sources.named_in(kept) == {named.set_no, tag.set_no}
    levels = system.ENGAGEMENT
    assert read == {named.set_no, tag.set_no, system.ACTIVE, levels["low"], system.EXISTS, system.FIELDS}
    kept, read = await frozen(desk, {"expression": {"union": [{"new_subscriber": True}] * 2}})
    assert read == {system.ACTIVE, system.FIELDS}


async def test_contacts_by_id_read_nothing(desk: Desk) -> None:
    for body in ({"contact_ids": [uuid4()]}, {"expression": {"contact_ids": [uuid4()]}}):
        assert (await frozen(desk, body))[1] == frozenset()


async def test_a_tag_as_source_waits_for_imports(desk: Desk) -> None:
    """They bring tags back with the contacts that they revive; a list waits for those imports that go to it."""
    tag, named = await new_tag(desk), await desk.new_list()
    async with desk.db.account(desk.account_id) as tx:
        imported: ContactsImport = ContactsJsonImport(file="x", list_ids=(named.set_id,))
        writes = (await imported.plan(tx)).writes
    assert (await frozen(desk, {"tag_ids": [tag.set_id]}))[1] & writes
    assert not (await frozen(desk, {"list_ids": [(await desk.new_list()).set_id]}))[1] & writes


@pytest.mark.parametrize("way", ["list_ids", "tag_ids"])
async def test_what_does_not_exist_is_refused_wherever_it_is(desk: Desk, way: str) -> None:
    """Contract v3.md 3.3: nothing is queued."""
    leaf = {"all_active_contacts": True}
    unknown = uuid4()
    bodies: list[dict[str, Any]] = [{way: [unknown]}, {"expression": {"except": [leaf, {"union": [{way: [unknown]}]}]}}]
    for body in bodies:
        with pytest.raises(UnknownTarget, match=str(unknown)):
            await frozen(desk, body)
    for body in ({"segment_id": 7}, {"expression": {"intersect": [leaf, {"segment_id": 7}]}}):
        with pytest.raises(UnknownTarget, match="segment 7 does not exist"):
            await frozen(desk, body)
    named = await desk.new_list()
    request: dict[str, Any] = {"source": {"expression": {"union": [leaf, {"list_ids": [named.set_id]}]}}}
    request["tag_ids"] = [(await new_tag(desk)).set_id]
    await desk.submit(AddTaggings.model_validate(request))
    await desk.delete_list(named)
    with pytest.raises(UnknownTarget, match=str(named.set_id)):
        await desk.submit(AddTaggings.model_validate(request))


async def test_except_is_the_first_without_the_others(desk: Desk) -> None:
    contacts = await desk.make_contacts(6)

    def leaf(*numbers: int) -> dict[str, Any]:
        return {"contact_ids": [contacts[number - 1] for number in numbers]}

    everybody = {"all_active_contacts": True}
    for tree, expected in (
        ({"except": [everybody, leaf(1, 2), leaf(2, 3)]}, {4, 5, 6}),
        ({"except": [leaf(1, 2), everybody]}, set()),
        ({"union": [leaf(1), {"except": [leaf(2, 3), leaf(3)]}]}, {1, 2}),
        ({"intersect": [leaf(1, 2, 3), leaf(2, 3, 4), {"except": [everybody, leaf(3)]}]}, {2}),
        ({"intersect": [everybody]}, {1, 2, 3, 4, 5, 6}),
    ):
        assert await chosen(desk, {"expression": tree}) == (expected, [])


async def test_segments_in_a_tree_are_frozen(desk: Desk) -> None:
    await desk.make_contacts(3)
    await desk.owner.execute(
        "UPDATE contact SET first_name = 'Kim' WHERE account_id = $1 AND contact_no < 3", desk.account_id
    )
    segment_id, target = await new_segment(desk), await desk.new_list()
    tree = {"except": [{"all_active_contacts": True}, {"segment_id": segment_id}]}
    body = {"source": {"expression": tree}, "list_ids": [target.set_id]}
    submitted = await desk.submit(AddListMemberships.model_validate(body))
    assert json.loads(submitted.activity.request_text)["source"] == {
        "except": [{"all_active_contacts": True}, {"criteria": KIMS}]
    }
    await desk.owner.execute("UPDATE segment SET criteria = 'x' WHERE account_id = $1", desk.account_id)
    await desk.deliver(submitted.messages)
    assert await desk.members(target) == {3}


async def test_unknown_ids_are_told_of_when_they_are_all_that_is_asked_for(desk: Desk) -> None:
    """Contract v3.md 3.3: skipped and reported; within a tree they select nobody."""
    [known], [gone], unknown = await desk.make_contacts(1), await desk.make_contacts(1, first=2, deleted=True), uuid4()
    leaf = {"contact_ids": [known, gone, unknown]}
    deleted = (str(gone), "contact_deleted")
    assert await chosen(desk, {"expression": leaf}) == ({1}, [(str(unknown), "contact_not_found"), deleted])
    assert await chosen(desk, {"expression": {"union": [leaf]}}) == ({1}, [deleted])


async def test_exclude_stands_beside_a_tree(desk: Desk) -> None:
    """Contract v3.md 3.3: taken out before anything is counted; unknown ids are ignored."""
    first, *others = await desk.make_contacts(3)
    for tree in ({"contact_ids": [first, *others]}, {"union": [{"all_active_contacts": True}]}):
        assert await chosen(desk, {"expression": tree}, first, uuid4()) == ({2, 3}, [])
    assert await chosen(desk, {"expression": {"contact_ids": [first]}}, first) == (set(), [])


async def test_new_subscribers(desk: Desk) -> None:
    """Contract v3.md 3.3: opted in within the last 30 days, not deleted, and mailable."""
    await desk.make_contacts(2)
    await desk.make_contacts(1, first=3, permission="explicit")
    await desk.make_contacts(1, first=4, permission="unsubscribed")
    await desk.make_contacts(1, first=5, permission="pending_confirmation")
    await desk.make_contacts(1, first=6, deleted=True)
    for number, age in ((1, "29 days 23 hours"), (2, "30 days 1 hour")):
        await desk.owner.execute(
            f"UPDATE contact SET opt_in_date = now() - interval '{age}' WHERE account_id = $1 AND contact_no = $2",
            desk.account_id,
            number,
        )
    assert await chosen(desk, {"new_subscriber": True}) == ({1, 3}, [])
    assert await chosen(desk, {"all_active_contacts": True}) == ({1, 2, 3}, [])


async def test_the_selection_is_taken_when_the_activity_starts(desk: Desk) -> None:
    """Contract v3.md 3.3."""
    await desk.make_contacts(1)
    target = await desk.new_list()
    body = {"source": {"all_active_contacts": True}, "list_ids": [target.set_id]}
    submitted = await desk.submit(AddListMemberships.model_validate(body))
    await desk.make_contacts(1, first=2)
    await desk.deliver(submitted.messages)
    assert await desk.members(target) == {1, 2}
