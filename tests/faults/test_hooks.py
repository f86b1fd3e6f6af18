"""A worker that is killed while it makes a call: the call is made again, with the same id."""

import asyncpg

from engine import hook_calls, hooks
from tests.faults.bulk import Bulk, until
from tests.faults.conftest import StartWorker
from tests.faults.worker import wait_until
from tests.receiver import listening


async def test_another_worker_makes_the_call_of_a_killed_one(bulk: Bulk, start_worker: StartWorker) -> None:
    account_id = bulk.principal.account_id
    async with listening() as receiver:
        receiver.answers["/hook"] = None
        async with bulk.db.account(account_id) as tx:
            hook = await hooks.create(tx, "welcome", receiver.url + "/hook")
            await hooks.enter(tx, hook.hook_no, [1])
        first = start_worker(hooks_to_private_addresses=True)

        async def heard() -> bool:
            return bool(receiver.got)

        await until(heard, "the receiver has heard the call")
        first.destroy()
        receiver.answers["/hook"] = 200
        owner = await asyncpg.connect(bulk.settings.database_url)
        await owner.execute("UPDATE hook_call SET due_at = now() WHERE account_id = $1", account_id)
        await owner.close()
        second = start_worker(hooks_to_private_addresses=True)

        async def is_delivered() -> bool:
            async with bulk.db.account(account_id) as tx:
                [call] = await hook_calls.last_of(tx, hook.hook_no, limit=2)
            return call.outcome == "delivered"

        await until(is_delivered, "the call was made again")
        [once, again] = receiver.got
        assert once.told(hook.secret) == again.told(hook.secret)
        assert once.headers["webhook-id"] == again.headers["webhook-id"]
        delivered = 'muster_worker_hook_calls_total{outcome="delivered"} 1.0'
        wait_until(lambda: delivered in second.get("/metrics")[1], "the call is counted")
        assert "\nmuster_worker_hook_calls_due " in second.get("/metrics")[1]
