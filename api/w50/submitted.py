"""What requests say: contacts and import requests, read from JSON or XML (contract w50.md 2.1 to 2.3, 8)."""

import json
import re
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from itertools import islice
from typing import Any, Final

from api import xml
from api.w50.media import Media
from api.w50.namespaces import ARRAYS, COMMON, CONTROLLERS, MODELS, NIL, SCHEMA, TYPE
from api.w50.values import Scalar, checked, finite, insist_on_storable, of_type
from api.xml import BadXml, Element
from engine.errors import Invalid
from engine.texts import can_be_stored

#: Fields that a contact may have values of, or an import announces.
MOST_VALUES: Final = 1000
#: Elements of an XML body with one contact, or with names: a pair of a contact has three.
MOST_ELEMENTS: Final = 5 * MOST_VALUES
#: Longest name of a field, and longest id of a contact, that is looked at.
NAME_LENGTH: Final = 255
#: Characters of one contact of many, as JSON: of most, and at most.
SHORT_ITEM: Final = 16_384
LONGEST_ITEM: Final = 2**20

_BLANKS = re.compile(r"[ \t\n\r]*")


@dataclass(frozen=True, slots=True)
class Submitted:
    """A contact as a request has it. enc_id: None when it has none; values: by the names as they were given."""

    enc_id: str | None
    values: Mapping[str, Scalar]


def contact(media: Media, body: bytes) -> Submitted:
    """The contact in a body. Raises Invalid, and BadXml."""
    if media.is_xml:
        return _contact_of_element(_root(body, "Contact", MODELS))
    return _contact_of_json(_json(body))


def contact_or_values(media: Media, body: bytes) -> Submitted:
    """The contact in a body, which may also be a bare object of values (contract 5)."""
    if media.is_xml:
        return contact(media, body)
    found = _object(_json(body))
    return _contact_of_json(found if _member(found, "Values") is not None else {"Values": found})


def contacts(media: Media, body: bytes, most: int) -> list[Submitted]:
    """The contacts in a body. Raises Invalid, also for more than `most`, and BadXml."""
    if media.is_xml:
        elements = _root(body, "ArrayOfContact", MODELS, xml.MOST_ELEMENTS).iterfind(f"{{{MODELS}}}Contact")
        found = map(_contact_of_element, elements)
    else:
        found = map(_contact_of_json, _items(body))
    read = list(islice(found, most + 1))
    if len(read) > most:
        raise Invalid(f"At most {most:,} contacts may be added at once.")
    return read


def field_names(media: Media, body: bytes) -> list[str]:
    """The names of fields that an import announces. Raises Invalid, and BadXml."""
    if media.is_xml:
        listed = _root(body, "ImportJobCreateRequest", CONTROLLERS).find(f"{{{CONTROLLERS}}}FieldNames")
        names: Any = None if listed is None else [each.text or "" for each in listed.findall(f"{{{ARRAYS}}}string")]
    else:
        names = _member(_object(_json(body)), "FieldNames")
    if not isinstance(names, list) or not names or len(names) > MOST_VALUES:
        raise Invalid(f"FieldNames must be an array of 1 to {MOST_VALUES} names of fields.")
    if not all(isinstance(name, str) and can_be_stored(name) and len(name) <= NAME_LENGTH for name in names):
        raise Invalid("FieldNames must be names of fields.")
    return names


def _contact_of_json(given: Any) -> Submitted:
    found = _object(given)
    values = _member(found, "Values")
    enc_id = _member(found, "EncContactId")
    if not (enc_id is None or isinstance(enc_id, str)):
        raise Invalid("EncContactId must be a text or null.")
    if not (values is None or isinstance(values, Mapping)):
        raise Invalid("Values must be an object of names and values.")
    return _contact(enc_id, dict(values or {}))


def _contact(enc_id: str | None, values: Mapping[str, Any]) -> Submitted:
    if len(values) > MOST_VALUES:
        raise Invalid(f"Values may have at most {MOST_VALUES} members.")
    if any(len(name) > NAME_LENGTH or not can_be_stored(name) for name in values):
        raise Invalid("Values has a name that no field can have.")
    return Submitted(enc_id or None, {name: checked(name, value) for name, value in values.items()})


def _object(given: Any) -> Mapping[str, Any]:
    if not isinstance(given, Mapping):
        raise Invalid("A JSON object was expected.")
    return given


def _member(found: Mapping[str, Any], name: str) -> Any:
    """A member, whatever the case of its name; of several the last (contract 2.1)."""
    return next((value for key, value in reversed(list(found.items())) if key.lower() == name.lower()), None)


def _json(body: bytes) -> Any:
    with _well_formed():
        return _decoder().decode(body.decode("utf-8-sig"))


def _items(body: bytes) -> Iterator[Any]:
    """The items of the array that a body is, one by one: what reads JSON holds all threads up until it has done."""
    decoder = _decoder()
    with _well_formed():
        text = body.decode("utf-8-sig")
        mark, place = _mark(text, 0)
        if mark != "[":
            raise Invalid("The body must be an array of contacts.")
        first, after = _mark(text, place)
        mark, place = (first, after) if first == "]" else (mark, place)
        while mark != "]":
            item, place = _item(decoder, text, _BLANKS.match(text, place).end())  # type: ignore[union-attr]
            yield item
            mark, place = _mark(text, place)
            if mark not in {",", "]"}:
                raise ValueError(f"after an item ',' or ']' is wanted: char {place - 1}")
        if _mark(text, place)[0]:
            raise ValueError(f"there is more after the array: char {place}")


def _item(decoder: json.JSONDecoder, text: str, start: int) -> tuple[Any, int]:
    """The item that begins there, and where it ends. It is looked for in a part of the text, then in a longer one."""
    for length in (SHORT_ITEM, LONGEST_ITEM):
        try:
            item, size = decoder.raw_decode(text[start : start + length])
        except ValueError:
            if start + length >= len(text):
                raise
        else:
            return item, start + size
    raise ValueError(f"it is broken, or has more than {LONGEST_ITEM:,} characters: the item at char {start}")


def _mark(text: str, start: int) -> tuple[str, int]:
    """The next character that is no blank, and the place after it; empty at the end."""
    place = _BLANKS.match(text, start).end()  # type: ignore[union-attr]
    return text[place : place + 1], place + 1


def _decoder() -> json.JSONDecoder:
    return json.JSONDecoder(parse_constant=_refuse_constant, parse_float=finite)


@contextmanager
def _well_formed() -> Iterator[None]:
    """Raises Invalid for what is no JSON."""
    try:
        yield
    except RecursionError:
        raise Invalid("The JSON is nested too deeply.") from None
    except ValueError as error:  # UnicodeDecodeError and JSONDecodeError are such
        raise Invalid(f"The body is not well-formed JSON: {error}") from None


def _refuse_constant(name: str) -> float:
    raise ValueError(f"{name} is no number")


def _root(body: bytes, name: str, namespace: str, most_elements: int = MOST_ELEMENTS) -> Element:
    root = xml.parse(body, most_elements)
    if root.tag != f"{{{namespace}}}{name}":
        raise BadXml(f"The root of the XML must be {name} in the namespace {namespace}.")
    return root


def _contact_of_element(element: Element) -> Submitted:
    enc_id, values = element.find(f"{{{COMMON}}}EncContactId"), element.find(f"{{{COMMON}}}Values")
    pairs = [] if values is None else list(_pairs(values))
    return _contact(None if enc_id is None or _is_nil(enc_id) else (enc_id.text or "").strip(), dict(pairs))


def _pairs(values: Element) -> Iterator[tuple[str, Scalar]]:
    for pair in values.findall(f"{{{ARRAYS}}}KeyValueOfstringanyType"):
        key, value = pair.find(f"{{{ARRAYS}}}Key"), pair.find(f"{{{ARRAYS}}}Value")
        name = "" if key is None else key.text or ""
        yield name, None if value is None else _value(name, value)


def _value(name: str, element: Element) -> Scalar:
    """A value as its type says; without one text is a text, and nothing is null (contract 2.3)."""
    if len(element):
        raise Invalid(f"The value of '{name[:100]}' must be a text, a number, true, false or null.")
    text, kind = element.text or "", _kind(element)
    if _is_nil(element) or (kind is None and not text):
        return None
    insist_on_storable(name, text)
    try:
        return of_type(kind, text)
    except ValueError:
        raise Invalid(f"The value of '{name[:100]}' is not of the type {kind}.") from None


def _kind(element: Element) -> str | None:
    """The local name of a type of XML Schema; another's types are texts."""
    prefix, colon, local = (element.get(TYPE) or "").strip().rpartition(":")
    namespace = element.nsmap.get(prefix if colon else None)
    return local or None if namespace == SCHEMA else None


def _is_nil(element: Element) -> bool:
    return (element.get(NIL) or "").strip() in ("true", "1")
