"""The OpenAPI document as tables may write it: every value by its place."""

from collections.abc import Iterator
from typing import Any

from api.openapi import document
from api.v3 import V3

DOCUMENT = document(V3)
SHAPES = DOCUMENT["components"]["schemas"]


def told(schema: Any, place: str = "", is_required: bool = False) -> Iterator[tuple[str, str]]:
    """Every value in a schema by its place, as the tables below write it; `*` marks a required one."""
    schema = SHAPES[schema["$ref"].rpartition("/")[2]] if "$ref" in schema else schema
    if place:
        yield place, _kind(schema) + ("*" if is_required else "")
    if schema.get("type") == "array":
        items = schema["items"]
        if "$ref" in items:
            yield from ((inner, kind) for inner, kind in told(items, place + "[]") if inner != place + "[]")
    for name, each in schema.get("properties", {}).items():
        required = name in schema.get("required", ())
        yield from told(each, f"{place}.{name}".removeprefix("."), required)


def _kind(schema: Any) -> str:
    match schema:
        case {"$ref": _}:
            return "object"
        case {"enum": values}:
            return "|".join(values)
        case {"const": value}:
            return str(value)
        case {"anyOf": [{"format": one}, {"format": other}]}:
            return f"{one} or {other}"
        case {"type": "array", "items": items}:
            return f"[{_kind(items)}]" + _most(schema, "maxItems")
        case {"type": "integer", "minimum": least, "maximum": most} if most < 2**31 - 1:
            return f"{least}-{most}"
    return _plain(schema)


def _plain(schema: Any) -> str:
    name = schema.get("format", "email")
    if schema["type"] != "string":
        return str(schema["type"])
    return str(name) if name != "email" else "text" + _most(schema, "maxLength")


def _most(schema: Any, name: str) -> str:
    return f" {schema[name]}" if name in schema else ""


def shape(name: str) -> dict[str, str]:
    return dict(told(SHAPES[name]))


def members(name: str) -> dict[str, str]:
    """The shape's own members, without what is in them."""
    required = SHAPES[name].get("required", ())
    told = SHAPES[name]["properties"].items()
    return {member: _kind(each) + ("*" if member in required else "") for member, each in told}


def query(path: str) -> dict[str, str]:
    parameters = [each for each in DOCUMENT["paths"][path]["get"]["parameters"] if each["in"] == "query"]
    return {each["name"]: _kind(each["schema"]) + ("*" if each["required"] else "") for each in parameters}
