"""Activities, lists, tags and segments as v3 shows them. What has no value is left out (contract v3.md 1.6).

Each shape stands before the function that makes it; the routes name it for the documentation.
"""

from collections.abc import Callable, Mapping, Sequence
from typing import Annotated, Literal, Required
from uuid import UUID

from pydantic import Field
from typing_extensions import TypedDict

from api.answers import Time, time
from api.v3.paging import Link, Page
from engine import fields
from engine.activities.model import Activity, State
from engine.errors import ItemError
from engine.operations.contact_delete import DeleteContacts
from engine.operations.contact_exports import ContactExports
from engine.operations.contacts_import import ContactsFileImport, ContactsJsonImport
from engine.operations.custom_fields_delete import DeleteCustomFields
from engine.operations.list_memberships import AddListMemberships, RemoveListMemberships
from engine.operations.lists_delete import DeleteLists
from engine.segments.stored import Segment
from engine.sets.catalog import NamedSet
from engine.sources import SegmentId

#: At most so many strings are in `activity_errors` (contract 3.2.3).
MOST_ERRORS = 1000


class ActivityLinks(TypedDict, total=False):
    """`results` is where the file of an export will be, once it has completed."""

    self: Required[Link]
    results: Link


class ActivityStatus(TypedDict, total=False):
    """The figures of the activity's kind (contract 3.2.4)."""

    items_total_count: int
    items_completed_count: int
    list_count: int
    person_count: int
    error_count: int
    correctable_count: int
    cannot_add_to_list_count: int


class ShownActivity(TypedDict, total=False):
    """Contract 3.2; `retry_of`, and `changed_count` and `error_count` of a final activity, are an extension."""

    activity_id: Required[UUID]
    state: Required[State]
    started_at: Time
    completed_at: Time
    created_at: Required[Time]
    updated_at: Required[Time]
    percent_done: Required[Annotated[int, Field(ge=1, le=100)]]
    activity_errors: Required[Annotated[list[str], Field(max_length=MOST_ERRORS)]]
    status: Required[ActivityStatus]
    _links: Required[ActivityLinks]
    retry_of: UUID
    source_file_name: str
    changed_count: int
    error_count: int


class ActivityPage(Page):
    activities: list[ShownActivity]


def activity(activity: Activity, errors: Sequence[ItemError] = ()) -> ShownActivity:
    """Contract 3.2."""
    shown: ShownActivity = {
        "activity_id": activity.activity_id,
        "state": activity.state,
        "created_at": time(activity.created_at),
        "updated_at": time(activity.updated_at),
        "percent_done": activity.percent_done,
        "activity_errors": [_error_text(error) for error in errors[:MOST_ERRORS]],
        "status": _status(activity),
        "_links": {"self": {"href": activity_path(activity)}},
    }
    if activity.kind == ContactExports.kind:
        shown["_links"]["results"] = {"href": f"/v3/contact_exports/{activity.activity_id}"}
    if activity.started_at:
        shown["started_at"] = time(activity.started_at)
    if activity.completed_at:
        shown["completed_at"] = time(activity.completed_at)
    if activity.retry_of:
        shown["retry_of"] = activity.retry_of
    if activity.source_file_name:
        shown["source_file_name"] = activity.source_file_name
    if activity.state.is_final:
        shown["changed_count"], shown["error_count"] = activity.changed_count, activity.error_count
    return shown


def activity_path(activity: Activity) -> str:
    return f"/v3/activities/{activity.activity_id}"


class ListDeletion(TypedDict):
    """What DELETE of a list answers (contract 2.2): an activity without `status`."""

    activity_id: UUID
    state: State
    created_at: Time
    updated_at: Time
    percent_done: int
    activity_errors: list[str]
    _links: ActivityLinks


def list_deletion(activity: Activity) -> ListDeletion:
    """Contract 2.2."""
    return {
        "activity_id": activity.activity_id,
        "state": activity.state,
        "created_at": time(activity.created_at),
        "updated_at": time(activity.updated_at),
        "percent_done": activity.percent_done,
        "activity_errors": [],
        "_links": {"self": {"href": activity_path(activity)}},
    }


class TagDeletionError(TypedDict):
    message: str


class TagDeletion(TypedDict):
    """What DELETE of a tag answers (contract 2.3): errors are objects, and no state is `initialized`."""

    activity_id: UUID
    state: Literal[State.PROCESSING]
    created_at: Time
    updated_at: Time
    percent_done: int
    activity_errors: list[TagDeletionError]
    status: ActivityStatus
    _links: ActivityLinks


def tag_deletion(activity: Activity) -> TagDeletion:
    """Contract 2.3: of an activity that was just queued."""
    return {**list_deletion(activity), "state": State.PROCESSING, "activity_errors": [], "status": {}}


class ShownError(TypedDict):
    """An item that was not done as asked: the contact, row or list, and why."""

    item: str
    code: str
    message: str


class ErrorPage(Page):
    errors: list[ShownError]


def item_error(error: ItemError) -> ShownError:
    """One entry of an activity's errors, an extension."""
    return {"item": error.item, "code": error.code, "message": error.message}


class ContactList(TypedDict, total=False):
    """Contract 2.2."""

    list_id: Required[UUID]
    name: Required[str]
    description: str
    favorite: Required[bool]
    created_at: Required[Time]
    updated_at: Required[Time]
    deleted_at: Time
    membership_count: int


class ListPage(Page, total=False):
    lists: Required[list[ContactList]]
    lists_count: int


def contact_list(named: NamedSet, membership_count: int | None = None) -> ContactList:
    """Contract 2.2."""
    shown: ContactList = {
        "list_id": named.set_id,
        "name": named.name,
        "favorite": named.favorite,
        "created_at": time(named.created_at),
        "updated_at": time(named.updated_at),
    }
    if named.description is not None:
        shown["description"] = named.description
    if named.deleted_at:
        shown["deleted_at"] = time(named.deleted_at)
    if membership_count is not None:
        shown["membership_count"] = membership_count
    return shown


class ListXref(TypedDict):
    sequence_id: str
    list_id: UUID


class ListXrefs(TypedDict):
    xrefs: Annotated[list[ListXref], Field(max_length=500)]


class Tag(TypedDict, total=False):
    """Contract 2.3; `abbreviation` is an extension."""

    tag_id: Required[UUID]
    name: Required[str]
    tag_source: str
    abbreviation: str
    created_at: Required[Time]
    updated_at: Required[Time]
    contacts_count: int


class TagPage(Page):
    tags: list[Tag]


def tag(named: NamedSet) -> Tag:
    """Contract 2.3, without its count."""
    shown: Tag = {
        "tag_id": named.set_id,
        "name": named.name,
        "created_at": time(named.created_at),
        "updated_at": time(named.updated_at),
    }
    if named.source is not None:
        shown["tag_source"] = named.source
    if named.abbreviation is not None:
        shown["abbreviation"] = named.abbreviation
    return shown


def counted_tag(named: NamedSet) -> Tag:
    return {**tag(named), "contacts_count": named.member_count}


#: The types of contract 2.4; fields of any other look like texts.
FieldType = Literal["string", "date"]


class CustomField(TypedDict):
    """Contract 2.4."""

    custom_field_id: UUID
    label: Annotated[str, Field(max_length=50)]
    name: Annotated[str, Field(max_length=50)]
    type: FieldType
    created_at: Time
    updated_at: Time


class CustomFieldPage(Page):
    custom_fields: Annotated[list[CustomField], Field(max_length=100)]


def custom_field(field: fields.Field) -> CustomField:
    """Contract 2.4."""
    return {
        "custom_field_id": field.field_id,
        "label": field.label,
        "name": field.name,
        "type": field_type(field),
        "created_at": time(field.created_at),
        "updated_at": time(field.updated_at),
    }


def field_type(field: fields.Field) -> FieldType:
    return "date" if field.type == "date" else "string"


class NamedSegment(TypedDict):
    segment_id: SegmentId
    name: str
    created_at: Time
    edited_at: Time


class FullSegment(NamedSegment):
    """Contract 2.5: the criteria exactly as they were stored."""

    segment_criteria: Annotated[str, Field(max_length=20_000)]


class SegmentPage(Page):
    segments: list[NamedSegment]


def segment(segment: Segment) -> FullSegment:
    """Contract 2.5."""
    return {**named_segment(segment), "segment_criteria": segment.criteria}


def named_segment(segment: Segment) -> NamedSegment:
    """A segment as collections show it."""
    return {
        "segment_id": segment.segment_id,
        "name": segment.name,
        "created_at": time(segment.created_at),
        "edited_at": time(segment.edited_at),
    }


def _error_text(error: ItemError) -> str:
    return f"{error.item}: {error.message}" if error.item else error.message


def _status(activity: Activity) -> ActivityStatus:
    """The figures of its kind, once it has begun or ended (contract 3.2.4)."""
    if activity.state is State.INITIALIZED:
        return {}
    return STATUS.get(activity.kind, _items)(activity)


def _items(activity: Activity) -> ActivityStatus:
    return {"items_total_count": activity.items_total, "items_completed_count": activity.items_completed}


def _items_and_lists(activity: Activity) -> ActivityStatus:
    return {**_items(activity), "list_count": len(activity.writes)}


def _items_of_lists(activity: Activity) -> ActivityStatus:
    """The lists only when they were given."""
    lists = activity.counts.get("list_count")
    return {**_items(activity), "list_count": lists} if lists else _items(activity)


def _lists(activity: Activity) -> ActivityStatus:
    return {"list_count": activity.items_completed}


def _fields(activity: Activity) -> ActivityStatus:
    """Its items are contacts whose values are erased; these are the fields."""
    counts = activity.counts
    return {"items_total_count": counts.get("fields", 0), "items_completed_count": counts.get("deleted", 0)}


def _import(activity: Activity) -> ActivityStatus:
    return {
        "items_total_count": activity.items_total,
        "person_count": activity.counts.get("person_count", 0),
        "error_count": activity.counts.get("error_count", 0),
        "correctable_count": activity.counts.get("correctable_count", 0),
        "cannot_add_to_list_count": activity.counts.get("cannot_add_to_list_count", 0),
    }


#: The figures of those kinds that have others than the items.
STATUS: Mapping[str, Callable[[Activity], ActivityStatus]] = {
    DeleteContacts.kind: _items_of_lists,
    AddListMemberships.kind: _items_and_lists,
    RemoveListMemberships.kind: _items_and_lists,
    DeleteLists.kind: _lists,
    DeleteCustomFields.kind: _fields,
    ContactsFileImport.kind: _import,
    ContactsJsonImport.kind: _import,
}
