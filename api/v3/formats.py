"""Activities, lists, tags and segments as v3 shows them. What has no value is left out (contract v3.md 1.6)."""

from collections.abc import Callable, Mapping, Sequence
from datetime import datetime
from typing import Any

from api.answers import time
from engine.activities.model import Activity, State
from engine.errors import ItemError
from engine.operations.contacts_import import COUNTERS, ContactsFileImport, ContactsJsonImport
from engine.operations.list_memberships import AddListMemberships, RemoveListMemberships
from engine.segments.stored import Segment
from engine.sets.catalog import NamedSet

Json = dict[str, Any]

#: At most so many strings are in `activity_errors` (contract 3.2.3).
MOST_ERRORS = 1000


def activity(activity: Activity, errors: Sequence[ItemError] = ()) -> Json:
    """Contract 3.2; `retry_of`, and `changed_count` and `error_count` of a final activity, are an extension."""
    shown: Json = {"activity_id": activity.activity_id, "state": activity.state}
    add_times(shown, {"started_at": activity.started_at, "completed_at": activity.completed_at})
    shown |= {
        "created_at": time(activity.created_at),
        "updated_at": time(activity.updated_at),
        "percent_done": activity.percent_done,
        "activity_errors": [_error_text(error) for error in errors[:MOST_ERRORS]],
        "status": _status(activity),
        "_links": {"self": {"href": activity_path(activity)}},
    }
    if activity.retry_of:
        shown["retry_of"] = activity.retry_of
    if activity.source_file_name:
        shown["source_file_name"] = activity.source_file_name
    if activity.state.is_final:
        shown |= {"changed_count": activity.changed_count, "error_count": activity.error_count}
    return shown


def activity_path(activity: Activity) -> str:
    return f"/v3/activities/{activity.activity_id}"


def item_error(error: ItemError) -> Json:
    """One entry of an activity's errors, an extension."""
    return {"item": error.item, "code": error.code, "message": error.message}


def contact_list(named: NamedSet, membership_count: int | None = None) -> Json:
    """Contract 2.2."""
    shown: Json = {"list_id": named.set_id, "name": named.name}
    if named.description is not None:
        shown["description"] = named.description
    shown["favorite"] = named.favorite
    add_times(
        shown,
        {"created_at": named.created_at, "updated_at": named.updated_at, "deleted_at": named.deleted_at},
    )
    if membership_count is not None:
        shown["membership_count"] = membership_count
    return shown


def tag(named: NamedSet) -> Json:
    """Contract 2.3, without its count."""
    shown: Json = {"tag_id": named.set_id, "name": named.name}
    if named.source is not None:
        shown["tag_source"] = named.source
    add_times(shown, {"created_at": named.created_at, "updated_at": named.updated_at})
    return shown


def counted_tag(named: NamedSet) -> Json:
    return tag(named) | {"contacts_count": named.member_count}


def segment(segment: Segment) -> Json:
    """Contract 2.5: the criteria exactly as they were stored."""
    return named_segment(segment) | {"segment_criteria": segment.criteria}


def named_segment(segment: Segment) -> Json:
    """A segment as collections show it."""
    return {
        "segment_id": segment.segment_id,
        "name": segment.name,
        "created_at": time(segment.created_at),
        "edited_at": time(segment.edited_at),
    }


def add_times(shown: Json, times: Mapping[str, datetime | None]) -> None:
    """Adds those of the times that there are."""
    shown.update((name, time(moment)) for name, moment in times.items() if moment is not None)


def _error_text(error: ItemError) -> str:
    return f"{error.item}: {error.message}" if error.item else error.message


def _status(activity: Activity) -> Mapping[str, int]:
    """The figures of its kind, once it has begun or ended (contract 3.2.4)."""
    if activity.state is State.INITIALIZED:
        return {}
    return STATUS.get(activity.kind, _items)(activity)


def _items(activity: Activity) -> Mapping[str, int]:
    return {"items_total_count": activity.items_total, "items_completed_count": activity.items_completed}


def _items_and_lists(activity: Activity) -> Mapping[str, int]:
    return {**_items(activity), "list_count": len(activity.writes)}


def _import(activity: Activity) -> Mapping[str, int]:
    counts = {name: activity.counts.get(name, 0) for name in COUNTERS}
    return {"items_total_count": activity.items_total, **counts}


#: The figures of those kinds that have others than the items.
STATUS: Mapping[str, Callable[[Activity], Mapping[str, int]]] = {
    AddListMemberships.kind: _items_and_lists,
    RemoveListMemberships.kind: _items_and_lists,
    ContactsFileImport.kind: _import,
    ContactsJsonImport.kind: _import,
}
