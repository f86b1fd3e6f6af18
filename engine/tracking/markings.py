"""Marks that events make: of a list where they are told of one, of the account for bounces and complaints otherwise.

An event that was known before marks nobody anew: a mark stays as it is but for the later of two times.
"""

from collections import defaultdict
from collections.abc import Collection, Mapping, Sequence
from datetime import datetime
from uuid import UUID

from engine import marks
from engine.database import Transaction
from engine.marks import WHOLE_ACCOUNT, MarkKind
from engine.sets import catalog
from engine.sets.catalog import SetKind
from engine.tracking.events import Event, Kind, ListEvent, RowError, row_error

#: What marks the account as a whole; who unsubscribed from it is told by the contact itself.
OF_ACCOUNT = (Kind.BOUNCED, Kind.COMPLAINED)


async def write(tx: Transaction, told: Sequence[tuple[Event | ListEvent, int]]) -> tuple[int, list[RowError]]:
    """Marks the contacts of events, given by number; answers how many marks changed, and errors for unknown lists."""
    lists = await _lists(tx, {event.list_id for event, _ in told if isinstance(event, ListEvent)})
    times: defaultdict[tuple[MarkKind, int], dict[int, datetime]] = defaultdict(dict)
    for event, contact_no in told:
        set_no = _place(event, lists)
        if set_no is not None:
            of_set = times[MarkKind(event.kind), set_no]
            of_set[contact_no] = max(event.time, of_set.get(contact_no, event.time))
    changed = [await marks.add(tx, kind, set_no, times[kind, set_no]) for kind, set_no in sorted(times)]
    unknown = [event for event, _ in told if isinstance(event, ListEvent) and event.list_id not in lists]
    return sum(changed), [_error(event) for event in unknown]


async def _lists(tx: Transaction, list_ids: Collection[UUID]) -> Mapping[UUID, int]:
    """The numbers of those that there are."""
    found = await catalog.by_ids(tx, SetKind.LIST, list_ids) if list_ids else {}
    return {list_id: named.set_no for list_id, named in found.items()}


def _place(event: Event | ListEvent, lists: Mapping[UUID, int]) -> int | None:
    """What the event marks the contact in, if anything."""
    if isinstance(event, ListEvent):
        return lists.get(event.list_id)
    return WHOLE_ACCOUNT if event.kind in OF_ACCOUNT else None


def _error(event: ListEvent) -> RowError:
    return row_error(event.row, str(event.contact), "list_not_found", f"there is no list {event.list_id}")
