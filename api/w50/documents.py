"""Answers as values, and each written as JSON and as DataContract XML (contract w50.md 2, 7 to 9)."""

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Final, Protocol, TypeAlias

from lxml import etree

from api import xml
from api.w50.media import Media
from api.w50.namespaces import ARRAYS, COMMON, INSTANCE, MODELS, NIL, SCHEMA, TYPE
from api.w50.values import Filled, Scalar
from api.xml import Element

#: Members of an answer by their names; objects and arrays of objects are of the kind that their name says.
Members: TypeAlias = Mapping[str, "Scalar | tuple[Item, ...]"]

#: What a list of a kind is called in XML.
ARRAY_OF: Final = "ArrayOf"
#: Between these a whole number is an `int` of XML Schema; one beyond is a `long`, or no number to the vendor.
INT, LONG = 2**31, 2**63


class Document(Protocol):
    """An answer."""

    def plain(self) -> Any:
        """As JSON has it."""
        ...

    def element(self) -> Element:
        """As XML has it."""
        ...


@dataclass(frozen=True, slots=True)
class Contact:
    """A contact. enc_id: None where several are meant; number: its integer, which only XML shows."""

    enc_id: str | None
    number: int
    list_id: int
    values: Mapping[str, Scalar]
    warnings: Sequence[str] = ()

    def plain(self) -> Any:
        shown: dict[str, Any] = {"EncContactId": self.enc_id, "ListId": self.list_id, "Values": dict(self.values)}
        return {**shown, "ValidationWarnings": list(self.warnings)} if self.warnings else shown

    def element(self) -> Element:
        root = etree.Element(f"{{{MODELS}}}Contact", nsmap=ROOT)
        self.fill(root)
        return root

    def fill(self, element: Element) -> None:
        """Writes its members into the element, in alphabetical order."""
        members: Mapping[str, Scalar] = {"EncContactId": self.enc_id, "Id": self.number, "ListId": self.list_id}
        for name, value in members.items():
            _fill_scalar(etree.SubElement(element, f"{{{COMMON}}}{name}", nsmap={None: COMMON}), value)
        if self.warnings:
            warnings = etree.SubElement(
                element, f"{{{COMMON}}}ValidationWarnings", nsmap={"d2p1": ARRAYS, None: COMMON}
            )
            for warning in self.warnings:
                etree.SubElement(warnings, f"{{{ARRAYS}}}string").text = xml.speakable(warning)
        values = etree.SubElement(element, f"{{{COMMON}}}Values", nsmap={"d2p1": ARRAYS, None: COMMON})
        for name, value in self.values.items():
            pair = etree.SubElement(values, f"{{{ARRAYS}}}KeyValueOfstringanyType")
            etree.SubElement(pair, f"{{{ARRAYS}}}Key").text = xml.speakable(name)
            _fill_any(pair, value)


@dataclass(frozen=True, slots=True)
class Item:
    """An object of a kind, with its members."""

    kind: str
    members: Members

    def plain(self) -> Any:
        return {name: _plain(value) for name, value in self.members.items()}

    def element(self) -> Element:
        root = etree.Element(f"{{{MODELS}}}{self.kind}", nsmap=ROOT)
        self.fill(root)
        return root

    def fill(self, element: Element) -> None:
        """Writes its members into the element, in alphabetical order."""
        for name, value in sorted(self.members.items()):
            member = etree.SubElement(element, f"{{{MODELS}}}{name}")
            if isinstance(value, tuple):
                _fill_list(member, value)
            else:
                _fill_scalar(member, value)


@dataclass(frozen=True, slots=True)
class Listing:
    """A list of objects of one kind."""

    kind: str
    items: Sequence[Item | Contact]

    def plain(self) -> Any:
        return [item.plain() for item in self.items]

    def element(self) -> Element:
        root = etree.Element(f"{{{MODELS}}}{ARRAY_OF}{self.kind}", nsmap=ROOT)
        for item in self.items:
            item.fill(etree.SubElement(root, f"{{{MODELS}}}{self.kind}"))
        return root


@dataclass(frozen=True, slots=True)
class Problem:
    """Why a request is refused: the first reason, and all of them if there are several (contract 9)."""

    message: str
    errors: Sequence[str] = field(default=())

    def plain(self) -> Any:
        return {"Message": self.message, **({"Errors": list(self.errors)} if self.errors else {})}

    def element(self) -> Element:
        root = etree.Element("Error")
        etree.SubElement(root, "Message").text = xml.speakable(self.message)
        return root


ROOT: Final[Any] = {"i": INSTANCE, None: MODELS}


def written(document: Document, media: Media) -> bytes:
    """The document in this media type; JSON is compact in all of them (contract 1)."""
    if media.is_xml:
        return etree.tostring(document.element(), encoding="utf-8")
    if isinstance(document, Listing):
        # Item by item: whoever writes JSON holds all threads up.
        return b"[" + b",".join(_json(item.plain()) for item in document.items) + b"]"
    return _json(document.plain())


def _json(plain: Any) -> bytes:
    return json.dumps(plain, ensure_ascii=False, separators=(",", ":")).encode(errors="replace")


def _plain(value: Scalar | tuple[Item, ...]) -> Any:
    return [item.plain() for item in value] if isinstance(value, tuple) else value


def _fill_list(element: Element, items: Sequence[Item]) -> None:
    for item in items:
        item.fill(etree.SubElement(element, f"{{{MODELS}}}{item.kind}"))


def _fill_scalar(element: Element, value: Scalar) -> None:
    if value is None:
        element.set(NIL, "true")
    else:
        element.text = xml.speakable(_text(value))


def _fill_any(pair: Element, value: Scalar) -> None:
    """A value of any type, which says what type it is (contract 2.3)."""
    if value is None:
        etree.SubElement(pair, f"{{{ARRAYS}}}Value").set(NIL, "true")
        return
    element = etree.SubElement(pair, f"{{{ARRAYS}}}Value", nsmap={"d4p1": SCHEMA})
    element.set(TYPE, f"d4p1:{_type(value)}")
    element.text = xml.speakable(_text(value))


def _text(value: Filled) -> str:
    if isinstance(value, bool):
        return "true" if value else "false"
    return value if isinstance(value, str) else repr(value)


def _type(value: Filled) -> str:
    match value:
        case bool():
            return "boolean"
        case int() if -INT <= value < INT:
            return "int"
        case int():
            return "long" if -LONG <= value < LONG else "decimal"
        case float():
            return "double"
        case _:
            return "string"
