"""The bulk kinds: each takes a JSON body, which is the engine's request or narrows it (contract v3.md 3.1)."""

from collections.abc import Mapping, Sequence
from http import HTTPStatus
from typing import Any

from aiohttp import web

from api.dialects import AnyRoute, Call, Route
from api.reading import Query
from api.v3 import bodies
from api.v3.access import NO_404, WITH_404, WRITE
from api.v3.activities import submitted
from api.v3.example_ids import CONTACT, CUSTOM_FIELD, LIST, OTHER_CONTACT, OTHER_LIST, TAG
from api.v3.formats import ShownActivity
from engine.activities.operation import BulkRequest
from engine.operations.contact_delete import DeleteContacts
from engine.operations.contact_exports import ContactExports
from engine.operations.custom_fields_delete import DeleteCustomFields
from engine.operations.engagement import SetEngagement
from engine.operations.list_memberships import AddListMemberships
from engine.operations.lists_delete import DeleteLists
from engine.operations.tags_delete import DeleteTags


async def submit(call: Call[Query, BulkRequest]) -> web.StreamResponse:
    """Takes in an activity of the kind whose request the route reads."""
    return await submitted(call, await call.body())


def _bulk(
    model: type[BulkRequest],
    documented: frozenset[HTTPStatus],
    operation: str,
    summary: str,
    example: Mapping[str, Any],
    *,
    extension: bool = False,
) -> AnyRoute:
    return Route(
        "POST",
        f"/activities/{model.kind}",
        WRITE,
        submit,
        documented,
        operation,
        summary,
        body=model,
        example=example,
        answers={201: ShownActivity},
        extension=extension,
    )


ROUTES: Sequence[AnyRoute] = (
    _bulk(
        AddListMemberships,
        NO_404,
        "postListAddContact",
        "Put the contacts of a source on lists",
        {"source": {"contact_ids": [CONTACT, OTHER_CONTACT]}, "list_ids": [LIST, OTHER_LIST]},
    ),
    _bulk(
        bodies.RemoveListMemberships,
        WITH_404,
        "postListRemoveContact",
        "Take the contacts of a source off lists",
        {"source": {"list_ids": [OTHER_LIST]}, "exclude": {"contact_ids": [CONTACT]}, "list_ids": [LIST]},
    ),
    _bulk(
        bodies.AddTaggings,
        WITH_404,
        "postTagAddContact",
        "Tag the contacts of a source",
        {"source": {"list_ids": [LIST]}, "exclude": {"contact_ids": [CONTACT]}, "tag_ids": [TAG]},
    ),
    _bulk(
        bodies.RemoveTaggings,
        WITH_404,
        "postTagRemoveContact",
        "Take tags off the contacts of a source",
        {
            "source": {"expression": {"except": [{"all_active_contacts": True}, {"list_ids": [LIST]}]}},
            "tag_ids": [TAG],
        },
    ),
    _bulk(
        SetEngagement,
        NO_404,
        "postEngagementSet",
        "Set the engagement level of the contacts of a source",
        {"source": {"list_ids": [LIST]}, "engagement_level": "high"},
        extension=True,
    ),
    _bulk(
        DeleteLists,
        NO_404,
        "postListDelete",
        "Delete lists and their memberships",
        {"list_ids": [LIST, OTHER_LIST]},
    ),
    _bulk(
        DeleteTags,
        NO_404,
        "postTagDelete",
        "Take tags off all contacts and delete them",
        {"tag_ids": [TAG]},
    ),
    _bulk(
        DeleteContacts,
        NO_404,
        "postContactDelete",
        "Delete contacts",
        {"contact_ids": [CONTACT, OTHER_CONTACT]},
    ),
    _bulk(
        DeleteCustomFields,
        WITH_404,
        "postCustomFieldDelete",
        "Delete custom fields and their values",
        {"custom_field_ids": [CUSTOM_FIELD]},
    ),
    _bulk(
        ContactExports,
        WITH_404,
        "postContactsExport",
        "Export contacts to a CSV file",
        {"list_ids": [LIST], "status": "active", "fields": ["email_address", "first_name", "last_name", "tag"]},
    ),
)
