"""Every v3 route: method, path, who may, what answers, which refusals the contract documents (v3.md 2.0 and 3.1)."""

from http import HTTPStatus

from api.dialects import Handler, Route
from api.v3 import activities, bodies, contact_lists, contact_tags, contacts, imports, segments
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


def _bulk(model: type[MembershipRequest], documented: frozenset[HTTPStatus]) -> Route:
    path = f"/activities/{model.kind}"
    return Route("POST", path, WRITE, activities.submitting(model), documented)


def _import(path: str, handler: Handler, documented: frozenset[HTTPStatus]) -> Route:
    return Route("POST", f"/activities/{path}", WRITE, handler, documented)


ROUTES = (
    _bulk(AddListMemberships, NO_404),
    _bulk(bodies.RemoveListMemberships, WITH_404),
    _bulk(bodies.AddTaggings, WITH_404),
    _bulk(bodies.RemoveTaggings, WITH_404),
    _bulk(SetEngagement, NO_404),
    _import("contacts_file_import", imports.file_import, WITH_404),
    _import("contacts_json_import", imports.json_import, NO_404),
    Route("GET", "/activities", WRITE, activities.page, WITH_404),
    Route("GET", "/activities/{activity_id}", WRITE, activities.one, WITH_404),
    Route("GET", "/activities/{activity_id}/errors", WRITE, activities.errors, WITH_404),
    Route("POST", "/activities/{activity_id}/cancel", WRITE, activities.cancel, WITH_404),
    Route("POST", "/activities/{activity_id}/retry", WRITE, activities.retry, WITH_404),
    Route("GET", "/contacts", READ, contacts.page, WITH_404),
    Route("GET", "/contact_lists", READ_LISTS, contact_lists.page, NO_404),
    Route("POST", "/contact_lists", WRITE_LISTS, contact_lists.create, NO_404),
    Route("GET", "/contact_lists/{list_id}", READ_LISTS, contact_lists.one, WITH_404),
    Route("GET", "/contact_tags", READ_TAGS, contact_tags.page, WITH_404),
    Route("POST", "/contact_tags", WRITE, contact_tags.create, WITH_404),
    Route("GET", "/contact_tags/{tag_id}", READ_TAGS, contact_tags.one, WITH_404),
    Route("GET", "/segments", READ_LISTS, segments.page, WITH_404),
    Route("POST", "/segments", WRITE_LISTS, segments.create, NO_404),
    Route("GET", "/segments/{segment_id}", READ_LISTS, segments.one, WITH_404),
)
