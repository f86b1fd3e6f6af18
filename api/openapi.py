"""The OpenAPI 3.1 document of a dialect, made of nothing but its routes, models, shapes and refusals.

What is in it is what the code does; whoever wants other words changes a route, a field or a docstring.
"""

import inspect
import json
import re
from collections.abc import Iterable, Iterator
from http import HTTPStatus
from importlib import metadata
from typing import Any

from pydantic import BaseModel, TypeAdapter
from pydantic.json_schema import GenerateJsonSchema, JsonSchemaMode

from api.dialects import AnyRoute, Dialect, Media
from api.reading import JSON, Form, Query
from api.uploads import FORM

Json = dict[str, Any]
#: A part of what a route reads or sends: its method, its path, and `query`, `body` or a status.
Place = tuple[str, str, str]

COMPONENTS = "#/components/schemas/"
ACCESS = "Every request has a header `Authorization: Bearer …` with a token that `muster token create` made."
MENTION = re.compile(f'"\\$ref": "{COMPONENTS}([\\w.-]+)"')
#: What every route may answer, whatever it does.
EVERYWHERE = frozenset(
    {
        HTTPStatus.UNAUTHORIZED,
        HTTPStatus.FORBIDDEN,
        HTTPStatus.TOO_MANY_REQUESTS,
        HTTPStatus.INTERNAL_SERVER_ERROR,
        HTTPStatus.SERVICE_UNAVAILABLE,
    }
)
#: The part of a form that is a file. Without the format, which OpenAPI 3.1 no longer needs, generated clients make a
#: text of it and send no file name.
FILE = {
    "type": "string",
    "format": "binary",
    "contentMediaType": "application/octet-stream",
    "description": 'Its part has a file name: `Content-Disposition: form-data; name="file"; filename="…"`',
}
#: Names in a path.
NAMED = re.compile(r"\{(\w+)\}")
#: Mentions of the contract in docstrings: they are for who works on the code.
CONTRACT = re.compile(r"\s*\(contract [^)]*\)|^Contract (?:v3\.md )?\d[\d.]*(?:(?:,| and) \d[\d.]*)*[.:;,]?\s*")


def document(dialect: Dialect) -> Json:
    """The whole document, ready for JSON."""
    schemas = Schemas(dialect)
    return {
        "openapi": "3.1.0",
        "info": {
            "title": f"Muster {dialect.prefix.strip('/')}",
            "version": metadata.version("muster"),
            "license": {"name": "Apache 2.0", "identifier": "Apache-2.0"},
        },
        "servers": [{"url": dialect.prefix}],
        "tags": [{"name": name} for name in dict.fromkeys(map(group, dialect.routes))],
        "paths": _paths(dialect, schemas),
        "webhooks": {name: _webhook(name, schemas) for name in dialect.webhooks},
        "components": {
            "schemas": schemas.components,
            "responses": {_name(status): _refusal(schemas, status) for status in sorted(dialect.refusals)},
            "securitySchemes": {"token": {"type": "http", "scheme": "bearer", "description": ACCESS}},
        },
    }


def refusals(route: AnyRoute) -> list[HTTPStatus]:
    """Every status with which the route may refuse, ascending."""
    implied = {
        HTTPStatus.BAD_REQUEST: route.query or route.body,
        HTTPStatus.NOT_FOUND: NAMED.search(route.path),
        HTTPStatus.UNSUPPORTED_MEDIA_TYPE: route.body,
    }
    return sorted(EVERYWHERE | route.documented | {status for status, reason in implied.items() if reason})


def group(route: AnyRoute) -> str:
    """What the route belongs to: the first part of its path."""
    return route.path.split("/")[1]


class Schemas:
    """The JSON Schemas of all that a dialect reads and sends."""

    def __init__(self, dialect: Dialect) -> None:
        kinds = dict(_kinds(dialect))
        found, told = TypeAdapter.json_schemas(
            [(place, mode, TypeAdapter(kind)) for place, (mode, kind) in kinds.items()],
            ref_template=COMPONENTS + "{model}",
            schema_generator=_Generator,
        )
        definitions = {name: _readable(schema) for name, schema in told.get("$defs", {}).items()}
        self._found = {place: _in_place(definitions, schema, kinds[place][1]) for (place, _), schema in found.items()}
        self.components = {name: definitions[name] for name in sorted(_mentioned(definitions, self._found.values()))}

    def of(self, route: AnyRoute, part: str) -> Json:
        """The schema of one part: `query`, `body` or a status."""
        return self._found[route.method, route.path, part]

    def of_id(self, name: str) -> Json:
        return self._found["", "id", name]

    def of_webhook(self, name: str) -> Json:
        return self._found["", "webhook", name]

    def of_refusal(self, status: HTTPStatus) -> Json:
        return self._found["", "refusal", str(status.value)]


class _Generator(GenerateJsonSchema):
    """Without titles of fields, which only repeat their names, and without null."""

    def field_title_should_be_set(self, schema: Any) -> bool:  # noqa: ARG002
        return False

    def nullable_schema(self, schema: Any) -> Json:
        """What may be null may as well be left out; only that is told."""
        return self.generate_inner(schema["schema"])

    def default_schema(self, schema: Any) -> Json:
        told = super().default_schema(schema)
        return {name: value for name, value in told.items() if (name, value) != ("default", None)}


def _readable(told: Json) -> Json:
    """A definition without its title, which only repeats its name, and with its docstring as users may read it."""
    words = CONTRACT.sub("", told.pop("description", ""))
    told.pop("title", None)
    return ({"description": words[0].upper() + words[1:]} if words else {}) | told


def _kinds(dialect: Dialect) -> Iterator[tuple[Place, tuple[JsonSchemaMode, Any]]]:
    """Every type that is read or sent, by its place."""
    for name, kind in dialect.ids.items():
        yield ("", "id", name), ("validation", kind)
    for status, shape in dialect.refusals.items():
        yield ("", "refusal", str(status.value)), ("serialization", shape)
    for name, shape in dialect.webhooks.items():
        yield ("", "webhook", name), ("serialization", shape)
    for route in dialect.routes:
        yield from _kinds_of(route)


def _kinds_of(route: AnyRoute) -> Iterator[tuple[Place, tuple[JsonSchemaMode, Any]]]:
    for part, model in (("query", route.query), ("body", route.body)):
        if model is not None:
            yield (route.method, route.path, part), ("validation", model)
    for answer, shape in route.answers.items():
        if shape is not None and not isinstance(shape, Media):
            yield (route.method, route.path, str(answer)), ("serialization", shape)


def _in_place(definitions: Json, schema: Json, kind: Any) -> Json:
    """Queries and forms are no schemas of their own in the document, and nobody asks for positions."""
    if not (inspect.isclass(kind) and issubclass(kind, Query | Form)):
        return schema
    told: Json = definitions[schema["$ref"].removeprefix(COMPONENTS)]
    hidden = kind.positions if issubclass(kind, Query) else ()
    shown = {name: each for name, each in told.get("properties", {}).items() if name not in hidden}
    return told | {"properties": shown}


def _mentioned(definitions: Json, schemas: Iterable[Json]) -> set[str]:
    """The names of all that these schemas refer to, directly or not."""
    found: set[str] = set()
    to_read = [*schemas]
    while to_read:
        names = set(MENTION.findall(json.dumps(to_read.pop()))) - found
        found |= names
        to_read += [definitions[name] for name in names]
    return found


def _paths(dialect: Dialect, schemas: Schemas) -> Json:
    paths: Json = {}
    for route in dialect.routes:
        paths.setdefault(route.path, {})[route.method.lower()] = _operation(route, schemas)
    return paths


def _operation(route: AnyRoute, schemas: Schemas) -> Json:
    told: Json = {
        "operationId": route.operation,
        "tags": [group(route)],
        "summary": route.summary,
        "description": f"Needs the privilege {' or '.join(f'`{each}`' for each in route.privileges)}.",
        "security": [{"token": [privilege]} for privilege in route.privileges],
        "parameters": [*_ids(route, schemas), *_parameters(route, schemas)],
        "responses": {
            **{str(status): _answer(route, schemas, status) for status in route.answers},
            **{str(status.value): {"$ref": f"#/components/responses/{_name(status)}"} for status in refusals(route)},
        },
    }
    if route.body is not None:
        told["requestBody"] = {"required": True, "content": _content(route, schemas)}
    return told | ({"x-extension": True} if route.extension else {})


def _webhook(name: str, schemas: Schemas) -> Json:
    """What the owner of an address takes, signed as standardwebhooks has it."""
    headers = ("webhook-id", "webhook-timestamp", "webhook-signature")
    return {
        "post": {
            "operationId": name,
            "summary": "What a hook's URL is told; an answer without success, or none in time, has it told again",
            "parameters": [
                {"name": header, "in": "header", "required": True, "schema": {"type": "string"}} for header in headers
            ],
            "requestBody": {"required": True, "content": {JSON: {"schema": schemas.of_webhook(name)}}},
            "responses": {"2XX": {"description": "Delivered"}},
        }
    }


def _ids(route: AnyRoute, schemas: Schemas) -> Iterator[Json]:
    for name in NAMED.findall(route.path):
        yield {"name": name, "in": "path", "required": True, "schema": schemas.of_id(name)}


def _parameters(route: AnyRoute, schemas: Schemas) -> Iterator[Json]:
    """The query's fields; lists are separated by commas."""
    if route.query is None:
        return
    told = schemas.of(route, "query")
    required = told.get("required", ())
    for name, property_ in told["properties"].items():
        is_list = property_.get("type") == "array"
        schema = _list(property_) if is_list else dict(property_)
        words = {"description": schema.pop("description")} if "description" in schema else {}
        style = {"style": "form", "explode": False} if is_list else {}
        yield {"name": name, "in": "query", "required": name in required, "schema": schema} | words | style


def _list(schema: Json) -> Json:
    """A list in a query has items, or is not given: nothing between commas would be an item, too."""
    return {"minItems": 1, **{name: value for name, value in schema.items() if (name, value) != ("default", [])}}


def _content(route: AnyRoute, schemas: Schemas) -> Json:
    schema = schemas.of(route, "body")
    example = {} if route.example is None else {"example": route.example}
    if not issubclass(route.body or BaseModel, Form):
        return {JSON: {"schema": schema} | example}
    properties, required = {"file": FILE, **schema["properties"]}, ["file", *schema.get("required", ())]
    return {FORM: {"schema": schema | {"properties": properties, "required": required}} | example}


def _answer(route: AnyRoute, schemas: Schemas, status: int) -> Json:
    told: Json = {"description": HTTPStatus(status).phrase}
    match route.answers[status]:
        case None:
            return told
        case Media(content_type=content_type):
            return told | {"content": {content_type: {"schema": {"type": "string"}}}}
        case _:
            return told | {"content": {JSON: {"schema": schemas.of(route, str(status))}}}


def _refusal(schemas: Schemas, status: HTTPStatus) -> Json:
    return {"description": f"{status.value} {status.phrase}", "content": {JSON: {"schema": schemas.of_refusal(status)}}}


def _name(status: HTTPStatus) -> str:
    """A status as a name: MethodNotAllowed."""
    return "".join(word.capitalize() for word in status.name.split("_"))
