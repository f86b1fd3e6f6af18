"""Every v3 route: method, path, who may, what answers, which refusals the contract documents (v3.md 2.0 and 3.1)."""

from http import HTTPStatus
from typing import Any

from api.dialects import Route
from api.v3 import activities, bodies, contact_lists, contact_tags, contacts, imports, segments, tracking
from api.v3.contact_formats import ContactPage
from api.v3.formats import (
    ActivityPage,
    ContactList,
    ErrorPage,
    FullSegment,
    ListPage,
    SegmentPage,
    ShownActivity,
    Tag,
    TagPage,
)
from engine.operations.engagement import SetEngagement
from engine.operations.list_memberships import AddListMemberships
from engine.operations.memberships import MembershipRequest
from engine.principals import Privilege

READ = (Privilege.CONTACTS_READ,)
WRITE = (Privilege.CONTACTS_WRITE,)
READ_LISTS = (Privilege.LISTS_READ,)
WRITE_LISTS = (Privilege.LISTS_WRITE,)
#: The contract's sources differ on tags (v3.md 5, 16): either will do.
READ_TAGS = (Privilege.CONTACTS_READ, Privilege.LISTS_READ)

NO_404 = frozenset({HTTPStatus.BAD_REQUEST})
WITH_404 = NO_404 | {HTTPStatus.NOT_FOUND}
NO_404_409 = NO_404 | {HTTPStatus.CONFLICT}
WITH_404_409 = WITH_404 | {HTTPStatus.CONFLICT}


def _bulk(
    model: type[MembershipRequest],
    documented: frozenset[HTTPStatus],
    operation: str,
    summary: str,
    *,
    extension: bool = False,
) -> Route[Any, Any]:
    return Route(
        "POST",
        f"/activities/{model.kind}",
        WRITE,
        activities.submit,
        documented,
        operation,
        summary,
        body=model,
        answers={201: ShownActivity},
        extension=extension,
    )


ROUTES: tuple[Route[Any, Any], ...] = (
    _bulk(AddListMemberships, NO_404, "postListAddContact", "Put the contacts of a source on lists"),
    _bulk(bodies.RemoveListMemberships, WITH_404, "postListRemoveContact", "Take the contacts of a source off lists"),
    _bulk(bodies.AddTaggings, WITH_404, "postTagAddContact", "Tag the contacts of a source"),
    _bulk(bodies.RemoveTaggings, WITH_404, "postTagRemoveContact", "Take tags off the contacts of a source"),
    _bulk(
        SetEngagement,
        NO_404,
        "postEngagementSet",
        "Set the engagement level of the contacts of a source",
        extension=True,
    ),
    Route(
        "POST",
        "/activities/contacts_file_import",
        WRITE,
        imports.file_import,
        WITH_404,
        "contactsCSVImport",
        "Import contacts from a CSV file onto lists",
        body=bodies.ImportForm,
        answers={201: ShownActivity},
    ),
    Route(
        "POST",
        "/activities/contacts_json_import",
        WRITE,
        imports.json_import,
        NO_404,
        "bulkImportContactsJSON",
        "Import contacts from JSON onto lists",
        body=bodies.JsonImport,
        answers={201: ShownActivity},
    ),
    Route(
        "GET",
        "/activities",
        WRITE,
        activities.page,
        WITH_404,
        "getActivityStatusCollection",
        "The activities of the past days, newest first",
        query=activities.ActivitiesQuery,
        answers={200: ActivityPage},
    ),
    Route(
        "GET",
        "/activities/{activity_id}",
        WRITE,
        activities.one,
        WITH_404,
        "getActivity",
        "One activity, as it is now",
        query=activities.OneQuery,
        answers={200: ShownActivity},
    ),
    Route(
        "GET",
        "/activities/{activity_id}/errors",
        WRITE,
        activities.errors,
        WITH_404,
        "getActivityErrors",
        "Every item that was not done as asked",
        query=activities.ErrorsQuery,
        answers={200: ErrorPage},
        extension=True,
    ),
    Route(
        "POST",
        "/activities/{activity_id}/cancel",
        WRITE,
        activities.cancel,
        WITH_404_409,
        "postActivityCancel",
        "Cancel an activity before it begins, or between its batches",
        answers={200: ShownActivity},
        extension=True,
    ),
    Route(
        "POST",
        "/activities/{activity_id}/retry",
        WRITE,
        activities.retry,
        WITH_404_409,
        "postActivityRetry",
        "Submit an ended activity again, as a new one",
        answers={201: ShownActivity},
        extension=True,
    ),
    Route(
        "GET",
        "/contacts",
        READ,
        contacts.page,
        WITH_404,
        "getContacts",
        "Contacts, filtered",
        query=contacts.ContactsQuery,
        answers={200: ContactPage},
    ),
    Route(
        "GET",
        "/contact_lists",
        READ_LISTS,
        contact_lists.page,
        NO_404,
        "getLists",
        "Contact lists",
        query=contact_lists.ListsQuery,
        answers={200: ListPage},
    ),
    Route(
        "POST",
        "/contact_lists",
        WRITE_LISTS,
        contact_lists.create,
        NO_404_409,
        "createList",
        "Create a list",
        body=bodies.NewList,
        answers={201: ContactList},
    ),
    Route(
        "GET",
        "/contact_lists/{list_id}",
        READ_LISTS,
        contact_lists.one,
        WITH_404,
        "getList",
        "One list",
        query=contact_lists.OneQuery,
        answers={200: ContactList},
    ),
    Route(
        "GET",
        "/contact_tags",
        READ_TAGS,
        contact_tags.page,
        WITH_404,
        "getTags",
        "Tags",
        query=contact_tags.TagsQuery,
        answers={200: TagPage},
    ),
    Route(
        "POST",
        "/contact_tags",
        WRITE,
        contact_tags.create,
        WITH_404_409,
        "postTag",
        "Create a tag",
        body=bodies.NewTag,
        answers={201: Tag},
    ),
    Route(
        "GET",
        "/contact_tags/{tag_id}",
        READ_TAGS,
        contact_tags.one,
        WITH_404,
        "getTag",
        "One tag",
        query=contact_tags.OneQuery,
        answers={200: Tag},
    ),
    Route(
        "POST",
        "/tracking_events",
        WRITE,
        tracking.record,
        NO_404,
        "postTrackingEvents",
        "Tell who was sent, opened or clicked which campaign, bounced or unsubscribed",
        body=tracking.TrackingEvents,
        answers={201: ShownActivity},
        extension=True,
    ),
    Route(
        "GET",
        "/segments",
        READ_LISTS,
        segments.page,
        WITH_404,
        "getSegments",
        "Segments, without their criteria",
        query=segments.SegmentsQuery,
        answers={200: SegmentPage},
    ),
    Route(
        "POST",
        "/segments",
        WRITE_LISTS,
        segments.create,
        NO_404_409,
        "createSegment",
        "Create a segment",
        body=bodies.NewSegment,
        answers={201: FullSegment},
    ),
    Route(
        "GET",
        "/segments/{segment_id}",
        READ_LISTS,
        segments.one,
        WITH_404,
        "getSegmentDetail",
        "One segment with its criteria, also a deleted one",
        answers={200: FullSegment},
    ),
)
