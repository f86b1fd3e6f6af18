"""The kinds of activities, one module a kind: its request, what it touches, and its work.

To add a kind, write its module and add its OPERATIONS here; and its SCHEDULED, if it comes by the clock.
"""

from engine.activities.model import Activity, State
from engine.activities.operation import BatchedOperation, Operation, Scheduled
from engine.database import Transaction
from engine.operations import (
    calls,
    contact_delete,
    contact_exports,
    contacts_import,
    custom_fields_delete,
    engagement,
    list_memberships,
    lists_delete,
    members_change,
    retention,
    sets_delete,
    staged_import,
    taggings,
    tags_delete,
    tracking_events,
)

OPERATIONS: dict[str, Operation] = {
    **list_memberships.OPERATIONS,
    **taggings.OPERATIONS,
    **engagement.OPERATIONS,
    **members_change.OPERATIONS,
    **lists_delete.OPERATIONS,
    **tags_delete.OPERATIONS,
    **sets_delete.OPERATIONS,
    **custom_fields_delete.OPERATIONS,
    **contacts_import.OPERATIONS,
    **contact_delete.OPERATIONS,
    **tracking_events.OPERATIONS,
    **contact_exports.OPERATIONS,
    **calls.OPERATIONS,
    **staged_import.OPERATIONS,
    **retention.OPERATIONS,
}

#: Those that come by the clock (engine/activities/clock.py).
SCHEDULED: dict[str, Scheduled] = {
    **retention.SCHEDULED,
    **engagement.SCHEDULED,
}


def named(kind: str) -> Operation:
    """The operation that does activities of this kind."""
    return OPERATIONS[kind]


async def ended(tx: Transaction, activity: Activity, state: State) -> None:
    """Has the operation of an activity that was begun write what else goes with its end."""
    operation = named(activity.kind)
    if isinstance(operation, BatchedOperation):
        await operation.ended(tx, activity, state)
