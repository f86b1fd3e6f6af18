"""Answers as values, and how the same value is written as XML and as JSON (contract greenrope.md 2.1, 7).

A long answer is written piece by piece: what its list begins with, items as they come, and what follows the list. The
pieces together are well-formed whatever is written at the end, so that an answer that fails in the middle can say so.
"""

import json
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Final, Protocol, TypeAlias

from lxml import etree

from api import xml
from api.xml import Element


@dataclass(frozen=True, slots=True)
class Record:
    """An element with members in their order; attributes are told beside them."""

    members: Sequence[tuple[str, "Value"]]
    attributes: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Listed:
    """A container of any number of elements of one name."""

    name: str
    items: Sequence[Record]


Value: TypeAlias = str | Record | Listed
Members: TypeAlias = Sequence[tuple[str, Value]]

SUCCESS: Final = ("Result", "Success")


@dataclass(frozen=True, slots=True)
class Frame:
    """What stands around the items of a long answer: its root, what comes first, the container and an item's name."""

    root: str
    head: Members
    container: str
    item: str


class Format(Protocol):
    """One of the two ways in which answers are written."""

    content_type: str
    #: What stands between two runs of items.
    between: bytes

    def whole(self, root: str, answer: Record) -> bytes:
        """The answer at once."""
        ...

    def begin(self, frame: Frame) -> bytes:
        """A long answer up to its first item."""
        ...

    def items(self, frame: Frame, records: Iterable[Record]) -> bytes:
        """A run of its items."""
        ...

    def end(self, frame: Frame, tail: Members) -> bytes:
        """What follows the last item."""
        ...


class Xml:
    """XML without blanks between elements."""

    content_type = "text/xml"
    between = b""

    def whole(self, root: str, answer: Record) -> bytes:
        return xml.DECLARATION + _bytes(_element(root, answer))

    def begin(self, frame: Frame) -> bytes:
        head = b"".join(_bytes(_element(name, value)) for name, value in frame.head)
        return xml.DECLARATION + f"<{frame.root}>".encode() + head + f"<{frame.container}>".encode()

    def items(self, frame: Frame, records: Iterable[Record]) -> bytes:
        return b"".join(_bytes(_element(frame.item, record)) for record in records)

    def end(self, frame: Frame, tail: Members) -> bytes:
        members = b"".join(_bytes(_element(name, value)) for name, value in tail)
        return f"</{frame.container}>".encode() + members + f"</{frame.root}>".encode()


class Json:
    """JSON whose names are the elements' in lower case; of one that comes twice the last counts, as parsers have it."""

    content_type = "application/json"
    between = b","

    def whole(self, root: str, answer: Record) -> bytes:
        return _json({root.lower(): _plain(answer)})

    def begin(self, frame: Frame) -> bytes:
        head = b"".join(_member(name, value) + b"," for name, value in frame.head)
        container, item = frame.container.lower(), frame.item.lower()
        return f'{{"{frame.root.lower()}":{{'.encode() + head + f'"{container}":{{"{item}":['.encode()

    def items(self, frame: Frame, records: Iterable[Record]) -> bytes:  # noqa: ARG002 (XML needs the frame)
        return b",".join(_json(_plain(record)) for record in records)

    def end(self, frame: Frame, tail: Members) -> bytes:  # noqa: ARG002 (XML needs the frame)
        return b"]}" + b"".join(b"," + _member(name, value) for name, value in tail) + b"}}"


def _element(name: str, value: Value) -> Element:
    element = etree.Element(name)
    _fill(element, value)
    return element


def _fill(element: Element, value: Value) -> None:
    match value:
        case str():
            element.text = xml.speakable(value)
        case Record(members, attributes):
            for name, text in attributes.items():
                element.set(name, xml.speakable(text))
            for name, member in members:
                _fill(etree.SubElement(element, name), member)
        case Listed(name, items):
            for item in items:
                _fill(etree.SubElement(element, name), item)


def _bytes(element: Element) -> bytes:
    return etree.tostring(element, encoding="utf-8")


def _plain(value: Value) -> object:
    match value:
        case str():
            return value
        case Record(members, attributes):
            return {**attributes, **{name.lower(): _plain(member) for name, member in members}}
        case Listed(name, items):
            return {name.lower(): [_plain(item) for item in items]}


def _member(name: str, value: Value) -> bytes:
    return _json(name.lower()) + b":" + _json(_plain(value))


def _json(value: object) -> bytes:
    return json.dumps(value, ensure_ascii=False, separators=(",", ":")).encode("utf-8", "replace")
