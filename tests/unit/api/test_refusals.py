"""Errors on the wire (contract v3.md 1.8)."""

import json
from http import HTTPStatus

import pytest

from api.dialects import Route
from api.v3.refusals import BY_ROUTE, REFUSALS, refuse
from api.v3.routes import ROUTES
from engine import errors
from engine.errors import MusterError
from tests.unit.api import every_error

#: By code: status and key of the contract's table.
CONTRACT = {
    "invalid": (400, "contacts.api.validation.error"),
    "invalid_segment": (400, "contacts.api.validation.error"),
    "invalid_import": (400, "contacts.api.validation.error"),
    "unknown_field": (400, "contacts.api.validation.error"),
    "value_not_allowed": (400, "contacts.api.validation.error"),
    "unauthorized": (401, "unauthorized"),
    "forbidden": (403, "forbidden"),
    "not_found": (404, "contacts.api.not_found"),
    "no_such_route": (404, "contacts.api.not_found"),
    "method_not_allowed": (405, "contacts.api.method_not_allowed"),
    "conflict": (409, "contacts.api.conflict"),
    "email_taken": (409, "contacts.api.conflict"),
    "written_meanwhile": (409, "contacts.api.conflict"),
    "event_closed": (409, "contacts.api.conflict"),
    "stale_write": (409, "contacts.api.conflict"),
    "already_final": (409, "contacts.api.conflict"),
    "not_final": (409, "contacts.api.conflict"),
    "body_too_long": (400, "contacts.api.validation.error"),
    "unsupported_media_type": (415, "contacts.api.unsupported_media_type"),
    "range_not_satisfiable": (416, "contacts.api.range_not_satisfiable"),
    "throttled": (429, "throttled"),
    "quota_exceeded": (429, "quota_exceeded"),
    "too_many_activities": (429, "contacts.api.activities.limit"),
    "unexpected": (500, "contacts.api.internal_error"),
    "busy": (503, "contacts.api.unavailable"),
    "unusable": (503, "contacts.api.unavailable"),
    "database_unusable": (503, "contacts.api.unavailable"),
}
#: Faults of Muster's own when they come up here: nobody is to be told more.
INTERNAL = {"error", "lease_lost"}


def coded(code: str) -> MusterError:
    kind = next(kind for kind in every_error.errors() if kind.code == code)
    return kind("the message")


@pytest.mark.parametrize("kind", list(every_error.errors()), ids=lambda kind: kind.__name__)
def test_every_error_has_the_contracts_answer(kind: type[MusterError]) -> None:
    """Contract v3.md 1.8, 6.3: status, key, and one object or an array of one."""
    if kind.code in BY_ROUTE:
        return
    status, key = CONTRACT.get(kind.code, CONTRACT["unexpected"])
    assert kind.code in REFUSALS or kind.code in INTERNAL | {"unexpected"}, "say in refusals.py what it is on the wire"
    response = refuse(kind("the message"), None)
    body = json.loads(response.body)  # type: ignore[arg-type]
    refusal = {"error_key": key, "error_message": "the message"}
    assert (response.status, body) == (
        status,
        refusal if key in ("unauthorized", "forbidden", "throttled", "quota_exceeded") else [refusal],
    )
    assert response.content_type == "application/json"


@pytest.mark.parametrize("route", [route for route in ROUTES if route.method == "POST"], ids=lambda route: route.path)
def test_an_unknown_target_is_404_where_that_is_documented(route: Route) -> None:
    """Contract v3.md 3.1, last column, and 3.3."""
    documents_404 = {
        "/activities/remove_list_memberships",
        "/activities/contacts_taggings_add",
        "/activities/contacts_taggings_remove",
        "/activities/contact_exports",
        "/activities/custom_fields_delete",
        "/activities/contacts_file_import",
        "/contact_tags",
        "/contacts/sign_up_form",
        "/user_grants",
    }
    extensions = {
        "/activities/{activity_id}/cancel",
        "/activities/{activity_id}/retry",
        "/field_definitions",
        "/events/{event_id}/cancel",
    }
    if route.path in documents_404 | extensions:
        expected = HTTPStatus.NOT_FOUND, "contacts.api.not_found"
    else:
        expected = HTTPStatus.BAD_REQUEST, "contacts.api.validation.error"
    response = refuse(errors.UnknownTarget("list 1 does not exist"), route)
    body = json.loads(response.body)  # type: ignore[arg-type]
    assert (response.status, body[0]["error_key"]) == expected


def test_a_name_that_is_taken_is_409_where_that_is_documented() -> None:
    """Contract v3.md 2.2 to 2.5."""
    documents_409 = {
        ("POST", "/contact_lists"),
        ("POST", "/contact_tags"),
        ("PUT", "/contact_tags/{tag_id}"),
        ("POST", "/contact_custom_fields"),
        ("POST", "/segments"),
        ("PUT", "/segments/{segment_id}"),
        ("PATCH", "/segments/{segment_id}/name"),
    }
    documents_400 = {("PUT", "/contact_lists/{list_id}"), ("PUT", "/contact_custom_fields/{custom_field_id}")}
    statuses = {
        (route.method, route.path): refuse(errors.NameTaken("taken"), route).status
        for route in ROUTES
        if (route.method, route.path) in documents_409 | documents_400
    }
    assert statuses == dict.fromkeys(documents_409, 409) | dict.fromkeys(documents_400, 400)


def test_who_is_not_known_is_told_how_to_say_it() -> None:
    """Contract v3.md 1.2."""
    assert refuse(coded("unauthorized"), None).headers["WWW-Authenticate"] == "Bearer"
