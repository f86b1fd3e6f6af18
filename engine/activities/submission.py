"""Taking activities in: submit, retry, cancel. Each answers at once; the work is done by whoever claims it."""

from typing import NamedTuple
from uuid import UUID, uuid4

from engine.activities import order
from engine.activities.model import Activity, Message, Queue, State, json_text
from engine.activities.operation import Plan, Request
from engine.activities.order import REDISPATCH_SECONDS, End
from engine.database import Database, Transaction
from engine.errors import AlreadyFinal, NotFinal, NotFound, TooManyActivities
from engine.principals import Principal
from engine.settings import Settings


class Submitted(NamedTuple):
    """A queued activity, and the messages to send now that it is committed."""

    activity: Activity
    messages: list[Message]


async def submit(db: Database, settings: Settings, principal: Principal, request: Request) -> Submitted:
    """Queues the request as an activity of the principal's account.

    Raises Invalid or UnknownTarget when the request cannot be done, TooManyActivities when the account has as many
    unfinished ones as it may have. A refused request leaves nothing.
    """
    async with db.scheduling(principal.account_id) as tx:
        plan = await request.plan(tx)
        return await _enter(tx, settings, principal, request.kind, request.queue, plan)


async def retry(db: Database, settings: Settings, principal: Principal, activity_id: UUID) -> Submitted:
    """Queues an ended activity again, as a new one linked to it; batched work goes on after its finished batches.

    Raises NotFound, NotFinal, TooManyActivities.
    """
    async with db.scheduling(principal.account_id) as tx:
        first = await _lock(tx, settings, activity_id)
        if not first.state.is_final:
            raise NotFinal(f"activity {activity_id} is {first.state}; only an ended activity can be retried")
        plan = Plan(
            first.request,
            first.reads,
            first.writes,
            source_file_name=first.source_file_name,
            cursor=first.cursor,
        )
        return await _enter(tx, settings, principal, first.kind, Queue(first.queue), plan, retry_of=activity_id)


async def cancel(db: Database, settings: Settings, principal: Principal, activity_id: UUID) -> Submitted:
    """Cancels at once what has not begun; what runs in batches stops before its next one.

    What was done stays and is reported exactly. Raises NotFound, AlreadyFinal.
    """
    async with db.scheduling(principal.account_id) as tx:
        activity = await _lock(tx, settings, activity_id)
        if activity.state.is_final:
            raise AlreadyFinal(f"activity {activity_id} is {activity.state} already")
        messages = []
        if activity.state is State.INITIALIZED:
            end = End(activity.sequence, activity.fence)
            messages = await order.finish(tx, settings, State.CANCELLED, [end])
        else:
            await tx.run("request_cancel", sequence=activity.sequence)
        return Submitted(await _lock(tx, settings, activity_id), messages)


async def _lock(tx: Transaction, settings: Settings, activity_id: UUID) -> Activity:
    row = await tx.one("lock_activity", activity_id=activity_id, retention_days=settings.retention_days)
    if row is None:
        raise NotFound(f"there is no activity {activity_id}")
    return Activity.of(row)


async def _enter(
    tx: Transaction,
    settings: Settings,
    principal: Principal,
    kind: str,
    queue: Queue,
    plan: Plan,
    retry_of: UUID | None = None,
) -> Submitted:
    row = await tx.one(
        "submit_activity",
        activity_id=uuid4(),
        kind=kind,
        queue=queue,
        principal_id=principal.principal_id,
        request=json_text(plan.request),
        reads=sorted(plan.reads),
        writes=sorted(plan.writes),
        shareable=plan.shareable,
        listed=True,
        retry_of=retry_of,
        source_file_name=plan.source_file_name,
        cursor=plan.cursor and json_text(plan.cursor),
        most_unfinished=settings.max_unfinished,
        window=settings.window,
        redispatch_seconds=REDISPATCH_SECONDS,
    )
    if row is None:
        most = settings.max_unfinished
        raise TooManyActivities(f"the account has {most} unfinished activities; wait for some to end")
    activity = Activity.of(row)
    message = Message(activity.account_id, activity.activity_id, activity.queue)
    return Submitted(activity, [message] if row["queued"] else [])
