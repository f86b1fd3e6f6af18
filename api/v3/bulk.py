"""The bulk kinds: each takes a JSON body, which is the engine's request or narrows it (contract v3.md 3.1)."""

from collections.abc import Sequence
from http import HTTPStatus

from aiohttp import web

from api.dialects import AnyRoute, Call, Route
from api.reading import Query
from api.v3 import bodies
from api.v3.access import NO_404, WITH_404, WRITE
from api.v3.activities import submitted
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
        answers={201: ShownActivity},
        extension=extension,
    )


ROUTES: Sequence[AnyRoute] = (
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
    _bulk(DeleteLists, NO_404, "postListDelete", "Delete lists and their memberships"),
    _bulk(DeleteTags, NO_404, "postTagDelete", "Take tags off all contacts and delete them"),
    _bulk(DeleteContacts, NO_404, "postContactDelete", "Delete contacts"),
    _bulk(DeleteCustomFields, WITH_404, "postCustomFieldDelete", "Delete custom fields and their values"),
    _bulk(ContactExports, WITH_404, "postContactsExport", "Export contacts to a CSV file"),
)
