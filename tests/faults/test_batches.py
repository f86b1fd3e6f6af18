"""Batches survive the death of their workers (contract ivvy.md 10): no job is done twice, and none is lost."""

import json
from typing import Any

import asyncpg
import pytest

from api.ivvy.batches import CALLEE
from engine import events, principals
from engine.activities import submission
from engine.activities.model import Activity, State
from engine.operations.calls import Calls
from engine.sets import catalog
from engine.sets.catalog import SetKind
from tests.faults.bulk import Bulk, until
from tests.faults.conftest import StartWorker
from tests.receiver import listening

ADDRESS = "https://events.example.test"


async def run(bulk: Bulk, jobs: list[dict[str, Any]], callback_url: str | None = None) -> Activity:
    """A batch that was just run, with a new key."""
    key_id, _ = await principals.create_key(bulk.db, bulk.principal.account_id, "test")
    request = Calls(CALLEE, jobs, {"key_id": key_id, "address": ADDRESS}, callback_url)
    submitted = await submission.submit(bulk.db, bulk.settings, bulk.principal, request)
    bulk.doorbell.send(submitted.messages)
    return submitted.activity


def job(namespace: str, action: str, **params: object) -> dict[str, Any]:
    return {"namespace": namespace, "action": action, "params": params}


class Owner:
    """The owner of the database, set to the account."""

    def __init__(self, connection: Any, account_id: int) -> None:
        self.connection, self.account_id = connection, account_id

    async def rows(self, table: str) -> list[Any]:
        return await self.connection.fetch(f"SELECT * FROM {table} WHERE account_id = $1", self.account_id)

    async def kinds(self) -> list[str]:
        """The kinds of activities that jobs have left, ascending."""
        return sorted(row["kind"] for row in await self.rows("activity") if row["kind"] != Calls.kind)

    async def completed(self) -> set[str]:
        return {row["kind"] for row in await self.rows("activity") if row["state"] == "completed"}

    async def waiting(self) -> bool:
        """Whether somebody waits for a lock."""
        return bool(await self.connection.fetchval("SELECT count(*) FROM pg_locks WHERE NOT granted"))

    async def results(self, activity: Activity) -> list[Any]:
        rows = await self.connection.fetch(
            "SELECT result FROM activity_result WHERE account_id = $1 AND sequence = $2 ORDER BY item",
            self.account_id,
            activity.sequence,
        )
        return [json.loads(row["result"]) for row in rows]


async def owner_of(bulk: Bulk) -> Owner:
    connection = await asyncpg.connect(bulk.settings.database_url)
    await connection.execute(f"SET muster.account_id = '{bulk.principal.account_id}'")
    return Owner(connection, bulk.principal.account_id)


@pytest.mark.parametrize("between", [False, True], ids=["inside a job", "between two jobs"])
@pytest.mark.parametrize("held", ["contact_save", "members_change"])
async def test_a_killed_worker_does_no_job_twice_and_loses_none(
    bulk: Bulk, start_worker: StartWorker, held: str, between: bool
) -> None:
    """Contract ivvy.md 10.1: jobs run in list order; each is one transaction, its result another one."""
    owner, holder = await owner_of(bulk), await owner_of(bulk)
    worker = start_worker(queues=("bulk",))
    async with bulk.db.account(bulk.principal.account_id) as tx:
        group = (await catalog.create(tx, SetKind.LIST, "a group")).set_no
        event = (await events.create(tx, events.Details("Gala"))).set_no
    person = {"firstName": "Ann", "lastName": "Ash", "email": "ann@example.org"}
    of_contact, of_change = (bulk.target.set_no, group)[:: 1 if held == "contact_save" else -1]
    jobs = [
        job("contact", "addOrUpdateContact", **person, groups=[{"groupId": of_contact}]),
        job("contact", "addContactsToSubscriptionGroup", contacts=[1, 2], group=of_change),
        job("event", "inviteContacts", event=event, contacts=[1, 2]),
        job("contact", "addOrUpdateContact", **{**person, "firstName": "Bo"}),
    ]
    async with bulk.held_up():
        batch = await run(bulk, jobs)
        await until(owner.waiting, "a job is in the middle of its transaction")
        if between:
            await holder.connection.execute("BEGIN; LOCK TABLE activity_result IN EXCLUSIVE MODE")
        else:
            worker.members()[0].kill()
    if between:

        async def is_between() -> bool:
            return held in await owner.completed() and await owner.waiting()

        await until(is_between, "a job is done, and its result is not kept")
        worker.members()[0].kill()
        await holder.connection.execute("ROLLBACK")
    ended = await bulk.ended(batch)
    assert (ended.state, ended.items_completed, ended.error_count) == (State.COMPLETED, 4, 0)
    assert ended.fence == 2
    made = {row["first_name"]: row["contact_no"] for row in await owner.rows("contact") if row["last_name"] == "Ash"}
    added, grouped, invited, another = await owner.results(batch)
    assert (added, another) == tuple({"success": True, "id": made[name]} for name in ("Ann", "Bo"))
    assert [each["status"] for each in grouped] == [each["status"] for each in invited["results"]]
    assert await owner.kinds() == ["contact_save", "contact_save", "members_change", "members_change"]
    for connection in (owner.connection, holder.connection):
        await connection.close()


async def test_its_url_is_called_by_a_real_worker(bulk: Bulk, start_worker: StartWorker) -> None:
    """Contract ivvy.md 10.3: the callback is a POST of what `results` answers."""
    start_worker(queues=("bulk",), hooks_to_private_addresses=True)
    async with listening() as receiver:
        batch = await run(bulk, [job("test", "ping"), {"namespace": "no", "action": "such"}], receiver.url)

        async def is_called() -> bool:
            return bool(receiver.got)

        await until(is_called, "the URL is called")
        [call] = receiver.got
    assert (call.method, call.headers["Content-Type"]) == ("POST", "application/json")
    body = json.loads(call.body)
    assert body["asyncId"] == batch.activity_id.hex
    assert [(each["namespace"], each["action"], each["request"]) for each in body["results"]] == [
        ("test", "ping", {}),
        ("no", "such", {}),
    ]
    assert body["results"][0]["response"].keys() == {"ack"}
    assert body["results"][1]["response"]["errorCode"] == 404
