"""Random membership activities, submitted in order and run in any order by several runners, against the model."""

from random import Random
from typing import Any
from uuid import uuid4

import pytest

from engine.accounts import Account
from engine.activities import reading, submission
from engine.activities.model import Activity, State
from engine.database import Database
from engine.operations.engagement import SetEngagement
from engine.operations.list_memberships import AddListMemberships, RemoveListMemberships
from engine.operations.lists_delete import DeleteLists
from engine.operations.taggings import AddTaggings, RemoveTaggings
from engine.operations.tags_delete import DeleteTags
from engine.principals import Principal
from engine.sets import catalog, system
from engine.sets import reading as sets_reading
from engine.sets.catalog import SetKind
from engine.sets.expressions import Members
from engine.settings import Settings
from tests.integration.contacts import make_contacts
from tests.integration.desk import Worker, deliver_at_random
from tests.reference import Model, random_deletion, random_request

REQUESTS = {
    request.kind: request
    for request in (
        AddListMemberships,
        RemoveListMemberships,
        AddTaggings,
        RemoveTaggings,
        SetEngagement,
        DeleteLists,
        DeleteTags,
    )
}


@pytest.mark.parametrize("seed", range(6))
async def test_random_activities_end_as_if_run_in_sequence(
    seed: int, database_url: str, db: Database, settings: Settings, account: Account, principal: Principal
) -> None:
    """Contract v3.md 3.3: jobs of one account run in the order they were queued."""
    random = Random(seed)
    model = await _prepared(random, database_url, db, account)
    contact_ids = [*model.existing, *model.deleted, str(uuid4())]
    expected, messages = [], []
    for number in range(60):
        # What is deleted can still be named: nothing runs yet.
        kind, body = random_deletion(random, model) if number % 20 == 9 else random_request(random, model, contact_ids)
        request = REQUESTS[kind].model_validate(body)
        submitted = await submission.submit(db, settings, principal, request)
        messages += submitted.messages
        expected.append((submitted.activity, model.run(kind, body)))
    await deliver_at_random(random, messages, [Worker(db, settings) for _ in range(3)])
    for activity, outcome in expected:
        found = await reading.find(db, settings, account.account_id, activity.activity_id)
        assert found.state is State.COMPLETED
        assert (found.items_total, found.changed_count, found.error_count) == (
            outcome.selected,
            outcome.changed,
            outcome.errors,
        ), found
        assert await _error_count(db, found) == outcome.errors
    await _assert_same(db, account, model)


async def _prepared(random: Random, database_url: str, db: Database, account: Account) -> Model:
    """An account with 120 contacts over three chunks, some deleted or unsubscribed, and lists and tags."""
    model = Model()
    await make_contacts(random, database_url, account.account_id, model, count=120)
    async with db.account(account.account_id) as tx:
        for number in range(5):
            created = await catalog.create(tx, SetKind.LIST, f"list {number}")
            model.lists[str(created.set_id)] = set()
            created = await catalog.create(tx, SetKind.TAG, f"tag {number}")
            model.tags[str(created.set_id)] = set()
    return model


async def _error_count(db: Database, activity: Activity) -> int:
    async with db.account(activity.account_id) as tx:
        page = await reading.errors(tx, activity, limit=7)
        count = len(page.errors)
        while page.next:
            page = await reading.errors(tx, activity, limit=7, after=page.next)
            count += len(page.errors)
    return count


async def _assert_same(db: Database, account: Account, model: Model) -> None:
    async with db.account(account.account_id) as tx:
        for kind, expected in ((SetKind.LIST, model.lists), (SetKind.TAG, model.tags)):
            shown = await catalog.page(tx, kind, limit=100, status="all")
            assert {str(each.set_id) for each in shown if each.deleted_at} == model.gone & expected.keys()
            for found in shown:
                members = await _members(tx, found.set_no)
                assert members == expected[str(found.set_id)]
                assert found.member_count == len(members)
                assert await sets_reading.count(tx, Members((found.set_no,))) == len(members)
        for level, set_no in system.ENGAGEMENT.items():
            assert await _members(tx, set_no) == model.levels[level]
        assert await _members(tx, system.LEVEL_BY_HAND) == model.by_hand


async def _members(tx: Any, set_no: int) -> set[str]:
    members: set[str] = set()
    after = 0
    while numbers := await sets_reading.page(tx, Members((set_no,)), limit=50, after=after):
        rows = await tx.all("contact_ids", contact_nos=numbers)
        members |= {str(row["contact_id"]) for row in rows}
        after = numbers[-1]
    return members
