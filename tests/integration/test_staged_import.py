"""Imports that are put together piece by piece, whoever dies in the middle (contract w50.md)."""

from collections.abc import Sequence
from dataclasses import replace

import pytest

from engine import fields, hooks, operations
from engine.activities import submission
from engine.activities.model import Activity, State
from engine.activities.operation import BatchedOperation
from engine.errors import Conflict, NotFound
from engine.fields import Definition, Field
from engine.imports import staged
from engine.imports.staged import StagedContact
from engine.operations import staged_import
from engine.operations.staged_import import SaveStaged
from engine.sets.catalog import NamedSet
from tests.integration.desk import Desk
from tests.integration.effects import assert_effects
from tests.integration.watched import WatchedBatches, failing

KIND = SaveStaged.kind


async def fields_of(desk: Desk, target: NamedSet) -> list[Field]:
    async with desk.db.account(desk.account_id) as tx:
        said = (Definition("Ref"), Definition("Email", property="email"), Definition("Name", property="first_name"))
        return [await fields.create(tx, replace(each, set_no=target.set_no)) for each in said]


async def made(desk: Desk, target: NamedSet, *pieces: Sequence[StagedContact]) -> int:
    async with desk.db.account(desk.account_id) as tx:
        job = await staged.create(tx, target.set_no, [])
        for piece in pieces:
            await staged.add(tx, job.import_no, piece, invalid_emails=0, invalid_mobiles=0)
    return job.import_no


async def run(desk: Desk, request: SaveStaged) -> Activity:
    begun = await staged_import.begin(desk.db, desk.settings, desk.principal, request)
    await desk.finish_everything()
    return await desk.find(begun)


async def test_whoever_dies_nothing_is_done_twice(desk: Desk, monkeypatch: pytest.MonkeyPatch) -> None:
    """Contract 8: batch by batch, each with its place, between and within the contacts that one of the job means."""
    target = await desk.new_list()
    ref, email, name = [each.field_no for each in await fields_of(desk, target)]
    numbers = range(10)
    first = [StagedContact({ref: f"r{number // 2}", email: f"c{number}@example.org"}) for number in numbers]
    assert (await run(desk, SaveStaged(await made(desk, target, first)))).counts == {"inserted": 10, "dropped": 0}
    inner = operations.OPERATIONS[KIND]
    assert isinstance(inner, BatchedOperation)
    watched = WatchedBatches(inner, before=failing(1, 4, 7), after=failing(2, 3, 6, 9))
    monkeypatch.setitem(operations.OPERATIONS, KIND, watched)
    monkeypatch.setattr(staged_import, "SIZE", 3)
    async with desk.db.account(desk.account_id) as tx:
        hook = await hooks.create(tx, "told", "https://hook.invalid/")
    # Each means two contacts, which get one address: they cannot be written side by side.
    again = [StagedContact({ref: f"r{number}", email: f"t{number}@example.org"}) for number in range(5)]
    more = [StagedContact({ref: f"n{number}", name: "New"}) for number in range(4)]
    job = await made(desk, target, again, more)
    ended = await run(desk, SaveStaged(job, match=(ref,), calls=(hook.hook_no,)))
    assert (ended.state, ended.failure) == (State.COMPLETED, None)
    assert (ended.items_total, ended.items_completed) == (9, 9)
    assert ended.counts == {"inserted": 4, "updated": 10, "dropped": 0}
    assert ended.changed_count == 4
    emails = sorted(row["email"] or "" for row in await desk.rows("contact"))
    assert emails == ["", "", "", "", *sorted(2 * [f"t{number}@example.org" for number in range(5)])]
    assert len(await desk.members(target)) == 14
    told = [number for call in await desk.rows("hook_call") for number in call["contact_nos"]]
    assert sorted(told) == sorted(row["contact_no"] for row in await desk.rows("contact"))
    await assert_effects(desk)


async def test_a_retry_goes_on(desk: Desk) -> None:
    """Contract 8; design: restart makes a new activity, which finds what was done."""
    target = await desk.new_list()
    ref, *_ = [each.field_no for each in await fields_of(desk, target)]
    job = await made(desk, target, [StagedContact({ref: "1"}), StagedContact({})])
    ended = await run(desk, SaveStaged(job, match=(ref,)))
    assert (ended.counts, ended.error_count) == ({"inserted": 1, "dropped": 1}, 1)
    [error] = await desk.rows("activity_error")
    assert (error["item"], error["message"]) == ("part 1, contact 2", "it has no value of a field")
    again = await submission.retry(desk.db, desk.settings, desk.principal, ended.activity_id)
    await desk.finish_everything()
    assert (await desk.find(again)).state is State.COMPLETED
    assert len(await desk.rows("contact")) == 1


async def test_what_cannot_begin(desk: Desk) -> None:
    """Contract 8: unknown, begun, and one whose field is gone fails as a whole."""
    target = await desk.new_list()
    ref, *_ = [each.field_no for each in await fields_of(desk, target)]
    with pytest.raises(NotFound):
        await run(desk, SaveStaged(99))
    job = await made(desk, target, [StagedContact({ref: "1"})])
    begun = await staged_import.begin(desk.db, desk.settings, desk.principal, SaveStaged(job, match=(ref,)))
    with pytest.raises(Conflict):
        await run(desk, SaveStaged(job))
    async with desk.db.account(desk.account_id) as tx:
        await fields.delete(tx, [ref])
        with pytest.raises(Conflict, match="has begun already"):
            await staged.add(tx, job, [], invalid_emails=0, invalid_mobiles=0)
    await desk.finish_everything()
    found = await desk.find(begun)
    assert (found.state, found.failure_code) == (State.FAILED, "invalid")


async def test_an_import_has_no_more_contacts_than_it_may(desk: Desk, monkeypatch: pytest.MonkeyPatch) -> None:
    """Contract 10: a refusal says which of the two it is."""
    monkeypatch.setattr(staged, "MOST", 1)
    with pytest.raises(Conflict, match="would have more than 1 contacts"):
        await made(desk, await desk.new_list(), [StagedContact({}), StagedContact({})])
