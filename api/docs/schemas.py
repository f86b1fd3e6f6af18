"""What a JSON Schema says, in words for people."""

from collections.abc import Iterable, Iterator, Mapping
from typing import Any
from xml.etree.ElementTree import Element

from api.docs.elements import Content, between, code, element, link, mark, prose

Json = Mapping[str, Any]

#: What types and formats are called; others are called what they are.
WORDS = {"integer": "whole number", "string": "text", "binary": "file", "uuid": "UUID"}


def properties(schema: Json) -> Element:
    """The properties of an object, one below the other."""
    required = schema.get("required", ())
    told = schema.get("properties", {}).items()
    return element("dl", *(part for name, each in told for part in property_(name, each, required=name in required)))


def property_(name: str, schema: Json, *, required: bool) -> Iterator[Element]:
    default = schema.get("default")
    begins = "" if default in (None, []) else f", by default {shown(default)}"
    yield element("dt", code(name), " ", mark("required") if required else None)
    yield element("dd", *kind(schema), begins, *description(schema, after=". "))


def rules(schema: Json) -> Iterator[str]:
    """What holds for the properties of an object together, as sentences with names between backquotes."""
    match schema:
        case {"anyOf": [*ways]} if all("required" in way for way in ways):
            yield f"At least one of {_names(name for way in ways for name in way['required'])} must be given."
    if schema.get("minProperties") == schema.get("maxProperties") == 1:
        yield "Exactly one must be given."
    for name, others in schema.get("dependentRequired", {}).items():
        yield f"`{name}` needs {_names(others)}."
    if schema.get("additionalProperties") is False:
        yield "Any other is refused."


def _names(names: Iterable[str]) -> str:
    return ", ".join(f"`{name}`" for name in names)


def description(schema: Json, after: str = "") -> Iterator[Content]:
    """What is said of it, if anything is."""
    if words := schema.get("description"):
        yield after
        yield from prose(words)


def kind(schema: Json) -> list[Content]:
    """What a value is, with links to shapes."""
    match schema:
        case {"$ref": ref}:
            name = ref.rpartition("/")[2]
            return [link(f"shape-{name}", name)]
        case {"anyOf": kinds} | {"oneOf": kinds}:
            return between(" or ", [element("span", *kind(each)) for each in kinds])
        case {"enum": values}:
            return ["one of ", *between(", ", [code(shown(value)) for value in values])]
        case {"const": value}:
            return [code(shown(value))]
        case {"type": "array"}:
            return [_how_many(schema), *kind(schema.get("items", {}))]
        case {"type": "object", "additionalProperties": dict(values)}:
            return ["object of ", *kind(values)]
        case _:
            return [words(schema)]


def words(schema: Json) -> str:
    """What a value is that holds no others."""
    return f"{_plain(schema)}{_limits(schema)}"


def shown(value: object) -> str:
    """A value as it is written in a query."""
    match value:
        case bool():
            return str(value).lower()
        case [*values]:
            return ",".join(map(shown, values))
        case _:
            return str(value)


def _how_many(schema: Json) -> str:
    how_many = _range(schema.get("minItems"), schema.get("maxItems"))
    return f"array of {how_many} × " if how_many else "array of "


def _plain(schema: Json) -> str:
    name = schema.get("format") or schema.get("contentMediaType") or schema.get("type", "anything")
    return WORDS.get(name, str(name))


def _limits(schema: Json) -> str:
    characters = _range(schema.get("minLength"), schema.get("maxLength"))
    numbers = _range(schema.get("minimum"), schema.get("maximum"))
    return f", {characters} characters" if characters else f", {numbers}" if numbers else ""


def _range(least: int | None, most: int | None) -> str:
    """What is between these, both included."""
    if most is None:
        return f"at least {least:,}" if least is not None else ""
    if least == most:
        return f"{most:,}"
    return f"up to {most:,}" if least is None else f"{least:,} to {most:,}"
