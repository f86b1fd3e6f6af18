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
    assert file["responses"]["200"]["content"] == {"text/csv": {"schema": {"type": "string"}}}
    assert "content" not in file["responses"]["204"]
