"""The OpenAPI document: all that the routes declare, and nothing else."""

import json
from collections.abc import Iterator
from http import HTTPStatus
from typing import Any

import pytest
from openapi_spec_validator import OpenAPIV31SpecValidator
from typing_extensions import TypedDict

from api.auth import Authenticator
from api.dialects import CSV, Call, Dialect, Route
from api.openapi import document, refusals
from api.reading import Form, Query
from api.v3 import V3
from api.v3.paging import PageQuery
from api.v3.refusals import refuse
from api.v3.routes import ROUTES
from engine.principals import Privilege

DOCUMENT = document(V3)
TEXT = json.dumps(DOCUMENT)


def told(route: Route[Any, Any]) -> Any:
    return DOCUMENT["paths"][route.path][route.method.lower()]


#: Of each of the contract's endpoints: the successes and the errors that it documents, beside those of every endpoint.
CONTRACT = {
    "GET /contacts": ({200}, {400, 404}),
    "POST /contacts": ({201}, {400, 409, 415}),
    "GET /contacts/{contact_id}": ({200}, {400, 404}),
    "PUT /contacts/{contact_id}": ({200}, {400, 404, 409}),
    "DELETE /contacts/{contact_id}": ({204}, {400, 404}),
    "POST /contacts/sign_up_form": ({200, 201}, {400, 404, 409}),
    "GET /contacts/contact_id_xrefs": ({200}, {400, 404}),
    "GET /contacts/counts": ({200}, {400, 404}),
    "GET /contacts/sms_engagement_history/{contact_id}": ({200}, {400, 404}),
    "PUT /contacts/resubscribe/{contact_id}": ({200}, {400, 404, 409}),
    "GET /contact_lists": ({200}, {400}),
    "POST /contact_lists": ({201}, {400, 409}),
    "GET /contact_lists/{list_id}": ({200}, {404}),
    "PUT /contact_lists/{list_id}": ({200}, {400, 404}),
    "DELETE /contact_lists/{list_id}": ({202}, {404}),
    "GET /contact_lists/list_id_xrefs": ({200}, {400, 404}),
    "GET /contact_tags": ({200}, {400, 404}),
    "POST /contact_tags": ({201}, {400, 404, 409}),
    "GET /contact_tags/{tag_id}": ({200}, {400, 404}),
    "PUT /contact_tags/{tag_id}": ({200}, {400, 404, 409}),
    "DELETE /contact_tags/{tag_id}": ({202}, {400, 404}),
    "GET /contact_custom_fields": ({200}, {400}),
    "POST /contact_custom_fields": ({201}, {400, 409, 415}),
    "GET /contact_custom_fields/{custom_field_id}": ({200}, {400, 404}),
    "PUT /contact_custom_fields/{custom_field_id}": ({200}, {400, 404}),
    "DELETE /contact_custom_fields/{custom_field_id}": ({204}, {404}),
    "GET /segments": ({200}, {400, 404}),
    "POST /segments": ({201}, {400, 409, 415}),
    "GET /segments/{segment_id}": ({200}, {400, 404}),
    "PUT /segments/{segment_id}": ({200}, {400, 404, 409, 415}),
    "PATCH /segments/{segment_id}/name": ({200}, {400, 404, 409, 415}),
    "DELETE /segments/{segment_id}": ({204}, {400, 404}),
    "POST /activities/add_list_memberships": ({201}, {400}),
    "POST /activities/remove_list_memberships": ({201}, {400, 404}),
    "POST /activities/contacts_taggings_add": ({201}, {400, 404}),
    "POST /activities/contacts_taggings_remove": ({201}, {400, 404}),
    "POST /activities/contacts_tags_delete": ({201}, {400}),
    "POST /activities/list_delete": ({201}, {400}),
    "POST /activities/custom_fields_delete": ({201}, {400, 404}),
    "POST /activities/contact_delete": ({201}, {400}),
    "POST /activities/contact_exports": ({201}, {400, 404}),
    "POST /activities/contacts_file_import": ({201}, {400, 404, 415}),
    "POST /activities/contacts_json_import": ({201}, {400}),
    "GET /activities": ({200}, {400, 404}),
    "GET /activities/{activity_id}": ({200}, {400, 404}),
    "GET /contact_exports/{file_export_id}": ({200, 206}, {400, 404}),
}
#: The contract's names for the bulk operations (3.1).
OPERATIONS = {
    "POST /activities/add_list_memberships": "postListAddContact",
    "POST /activities/remove_list_memberships": "postListRemoveContact",
    "POST /activities/contacts_taggings_add": "postTagAddContact",
    "POST /activities/contacts_taggings_remove": "postTagRemoveContact",
    "POST /activities/contacts_tags_delete": "postTagDelete",
    "POST /activities/list_delete": "postListDelete",
    "POST /activities/custom_fields_delete": "postCustomFieldDelete",
    "POST /activities/contact_delete": "postContactDelete",
    "POST /activities/contact_exports": "postContactsExport",
    "POST /activities/contacts_file_import": "contactsCSVImport",
    "POST /activities/contacts_json_import": "bulkImportContactsJSON",
    "GET /activities": "getActivityStatusCollection",
    "GET /activities/{activity_id}": "getActivity",
    "GET /contact_exports/{file_export_id}": "getContactsExport",
}


def operations() -> dict[str, Any]:
    return {
        f"{method.upper()} {path}": operation
        for path, methods in DOCUMENT["paths"].items()
        for method, operation in methods.items()
    }


def test_it_is_the_contract_and_extensions() -> None:
    """Contract 1.1, 2.0, 3.1 and 5.23: 32 and 14 endpoints under /v3; what else there is, is marked."""
    assert len(CONTRACT) == 46
    assert DOCUMENT["servers"] == [{"url": "/v3"}]
    extensions = {name for name, operation in operations().items() if operation.get("x-extension")}
    assert set(operations()) - extensions == set(CONTRACT)


@pytest.mark.parametrize("name", CONTRACT)
def test_it_documents_what_the_contract_documents(name: str) -> None:
    """Contract 2.0 and 3.1, last columns.

    But 202 for contacts of a segment, which are told at once; 406; and 415 where no body is read (1.3, 2.1.8, 2.3).
    """
    successes, errors = CONTRACT[name]
    documented = {int(status) for status in operations()[name]["responses"]}
    assert {status for status in documented if status < 400} == successes
    assert errors <= documented


def test_bulk_operations_are_called_as_generated_clients_call_them() -> None:
    """Contract 3.1."""
    assert {name: operations()[name]["operationId"] for name in OPERATIONS} == OPERATIONS


def test_it_is_valid() -> None:
    OpenAPIV31SpecValidator(DOCUMENT).validate()


def test_it_tells_every_route_and_no_other() -> None:
    operations = {(method.upper(), path) for path, methods in DOCUMENT["paths"].items() for method in methods}
    assert operations == {(route.method, route.path) for route in ROUTES}


@pytest.mark.parametrize("route", ROUTES, ids=lambda route: route.operation)
def test_it_tells_of_a_route_what_is_declared(route: Route[Any, Any]) -> None:
    """Contract v3.md 2.0 and 3.1: privileges, successes, documented errors."""
    operation = told(route)
    assert (operation["operationId"], operation["summary"]) == (route.operation, route.summary)
    assert operation.get("x-extension", False) is route.extension
    assert operation["security"] == [{"token": [privilege]} for privilege in route.privileges]
    for privilege in route.privileges:
        assert privilege in operation["description"]
    assert set(operation["responses"]) == {str(int(status)) for status in (*route.answers, *refusals(route))}
    assert route.documented <= set(refusals(route))
    assert {401, 403, 429, 500, 503} <= set(refusals(route))
    assert ("requestBody" in operation) is (route.body is not None)


@pytest.mark.parametrize("route", ROUTES, ids=lambda route: route.operation)
def test_its_parameters_are_what_the_route_reads(route: Route[Any, Any]) -> None:
    """Contract v3.md 1.7: positions are in cursors only."""
    fields = route.query.model_fields if route.query else {}
    positions = route.query.positions if route.query else frozenset()
    asked = {each["name"] for each in told(route)["parameters"] if each["in"] == "query"}
    assert asked == {field.alias or name for name, field in fields.items() if name not in positions}
    assert all(each["required"] for each in told(route)["parameters"] if each["in"] == "path"), (
        "ids in paths are never left out"
    )


def test_limits_are_told() -> None:
    """Contract v3.md 1.7 and 3.4."""
    [limit] = [each for each in DOCUMENT["paths"]["/contact_lists"]["get"]["parameters"] if each["name"] == "limit"]
    assert limit["schema"] == {"type": "integer", "minimum": 1, "maximum": 1000, "default": 50}
    lists = DOCUMENT["components"]["schemas"]["AddListMemberships"]["properties"]["list_ids"]
    uuid = {"type": "string", "format": "uuid"}
    assert lists == {"type": "array", "items": uuid, "minItems": 1, "maxItems": 50}


def test_calls_of_hooks_are_told() -> None:
    [(name, told)] = DOCUMENT["webhooks"].items()
    shapes = DOCUMENT["components"]["schemas"]
    body = shapes[told["post"]["requestBody"]["content"]["application/json"]["schema"]["$ref"].rpartition("/")[2]]
    assert body["properties"]["type"] == {"const": name, "type": "string"}
    assert set(body["required"]) == {"type", "timestamp", "data"}
    assert shapes["HookedContacts"]["properties"]["contacts"]["maxItems"] == 1000


def test_refusals_have_both_forms() -> None:
    """Contract v3.md 1.8: an array of one, or one object for who may not."""
    answers = DOCUMENT["components"]["responses"]
    forms = {name: answer["content"]["application/json"]["schema"] for name, answer in answers.items()}
    assert forms["BadRequest"]["type"] == "array"
    assert forms["BadRequest"]["description"] == "`error_key`: contacts.api.validation.error"
    assert forms["Unauthorized"]["$ref"] == forms["Forbidden"]["$ref"] == "#/components/schemas/Problem"
    assert {each.get("type") for each in forms["TooManyRequests"]["anyOf"]} == {"array", None}


def test_nothing_in_it_is_left_over() -> None:
    """Neither words for engineers nor what JSON Schema does not know, nor schemas that nobody refers to."""
    written = json.dumps({**DOCUMENT, "info": None})
    for stale in ('"title": "', "ontract ", '"ge"', '"le"', "__"):
        assert stale not in written, stale
    for name in DOCUMENT["components"]["schemas"]:
        assert f'"#/components/schemas/{name}"' in TEXT, name


def test_a_shape_has_one_name() -> None:
    """What a body and an answer call the same is told apart by pydantic, in names that nobody wants to read."""
    assert not [name for name in DOCUMENT["components"]["schemas"] if not name.isidentifier()]


def test_a_source_is_told_with_the_ways_of_its_kind() -> None:
    """Contract v3.md 3.4 to 3.6."""
    shapes = DOCUMENT["components"]["schemas"]
    assert "segment_id" in shapes["Source"]["properties"]
    assert not {"segment_id", "engagement_level"} & set(shapes["TaggingSource"]["properties"])
    for name in ("Source", "RemovalSource", "TaggingSource", "Node"):
        assert shapes[name]["minProperties"] == shapes[name]["maxProperties"] == 1


def test_words_that_users_need_are_told() -> None:
    """Contract v3.md 2.1.8, 2.1.9 and 2.5."""
    shapes = DOCUMENT["components"]["schemas"]
    assert shapes["SegmentName"]["description"] == "The new name of a segment; all else of it stays."
    assert "text message channel" in shapes["NewContact"]["description"]
    asked = {each["name"]: each for each in DOCUMENT["paths"]["/contacts"]["get"]["parameters"]}
    assert asked["segment_id"]["description"] == "Goes with `limit` and `cursor` only"


def walked(schema: Any) -> Iterator[Any]:
    """Every object inside."""
    if isinstance(schema, dict):
        yield schema
    for each in schema.values() if isinstance(schema, dict) else schema if isinstance(schema, list) else ():
        yield from walked(each)


def test_limits_are_where_they_mean_something() -> None:
    """A limit declared behind what reads text is put on the text: write `Field(…)` before `Digits` and `Listed`."""
    for schema in walked(DOCUMENT):
        limits = {"minLength", "maxLength", "ge", "le"} & schema.keys()
        assert not limits or schema.get("type") == "string", schema


class Upload(Form):
    """What comes with a file."""

    note: str = ""


class Asked(PageQuery):
    q: str


class Sent(TypedDict):
    """Contract 2.1, 2.2 and 3.3.1: something that is sent (contract other.md 7)."""

    name: str


async def handle(call: Call[Any, Any]) -> Any:
    raise AssertionError


def test_any_dialect_has_one() -> None:
    routes = (
        Route("GET", "/things", (Privilege.CONTACTS_READ,), handle, query=Asked, answers={200: Sent, 202: Sent}),
        Route("PUT", "/things/{no}/file", (), handle, body=Upload, answers={200: CSV, 204: None}),
        Route("GET", "/things/{no}", (), handle, query=Query, answers={200: list[Sent]}),
    )
    shapes = {status: Sent for status in HTTPStatus if status >= 400}
    other = document(Dialect("/other", routes, Authenticator.bearer, refuse, shapes, {"no": int}))
    things, file, one = (other["paths"][route.path][route.method.lower()] for route in routes)
    assert other["servers"] == [{"url": "/other"}]
    assert other["components"]["schemas"]["Sent"]["description"] == "Something that is sent."
    assert set(other["components"]["schemas"]) == {"Sent"}
    assert [each["name"] for each in things["parameters"] if each["required"]] == ["q"]
    assert one["parameters"] == [{"name": "no", "in": "path", "required": True, "schema": {"type": "integer"}}]
    assert one["responses"]["200"]["content"]["application/json"]["schema"]["items"]["$ref"].endswith("Sent")
    [form] = file["requestBody"]["content"].items()
    assert form[0] == "multipart/form-data"
    assert (set(form[1]["schema"]["properties"]), form[1]["schema"]["required"]) == ({"file", "note"}, ["file"])
    part = form[1]["schema"]["properties"]["file"]
    assert (part["type"], part["format"]) == ("string", "binary"), "generated clients know a file by its format"
    assert "file name" in part["description"]
    assert file["responses"]["200"]["content"] == {"text/csv": {"schema": {"type": "string"}}}
    assert "content" not in file["responses"]["204"]
