"""What a call answers, as one tree that is written as XML or as JSON (contract convio.md 4).

A result is its members in the order of the XML: a name and a value, which is a scalar or members again. A name that
comes twice is an array in JSON, one that comes once is no array; scalars are texts; what is empty is null.
"""

import json
from collections import defaultdict
from collections.abc import Iterator, Mapping, Sequence
from itertools import islice
from typing import Any, Literal, TypeAlias

from lxml import etree
from lxml.etree import _Element as Element

from api import xml

Format = Literal["xml", "json"]
Value: TypeAlias = "str | bool | int | Members | None"
Members: TypeAlias = Sequence[tuple[str, Value]]

NAMESPACE = "http://convio.com/crm/v1.0"
INSTANCE = "http://www.w3.org/2001/XMLSchema-instance"
SCHEMA = f"{NAMESPACE} http://service.convio.net/xmlschema/crm.public.v1.xsd"

CONTENT_TYPES: Mapping[Format, str] = {"xml": "text/xml;charset=UTF-8", "json": "application/json;charset=UTF-8"}


def has_more(members: Members, most: int) -> bool:
    """Whether there are more members than that, those within others included."""
    return next(islice(_every(members), most, None), None) is not None


def written(root: str, members: Members, format_: Format) -> bytes:
    """The document."""
    return as_json(root, members) if format_ == "json" else as_xml(root, members)


def as_json(root: str, members: Members) -> bytes:
    return json.dumps({root: _collapsed(members)}, ensure_ascii=False, separators=(",", ":")).encode()


def as_xml(root: str, members: Members) -> bytes:
    element = etree.Element(
        f"{{{NAMESPACE}}}{root}",
        {f"{{{INSTANCE}}}schemaLocation": SCHEMA},
        nsmap={None: NAMESPACE, "xsi": INSTANCE},
    )
    _append(element, members)
    return xml.DECLARATION + etree.tostring(element, encoding="UTF-8", pretty_print=True)


def _every(members: Members) -> Iterator[str]:
    for name, value in members:
        yield name
        if not isinstance(value, str | int) and value is not None:
            yield from _every(value)


def _collapsed(members: Members) -> dict[str, Any]:
    found: dict[str, list[Any]] = defaultdict(list)
    for name, value in members:
        found[name].append(_json(value))
    return {name: values if len(values) > 1 else values[0] for name, values in found.items()}


def _json(value: Value) -> Any:
    if isinstance(value, str | int) or value is None:
        return _text(value)
    return _collapsed(value)


def _text(value: str | int | None) -> str | None:
    """A scalar as it is sent; None for an empty one."""
    if isinstance(value, bool):
        return "true" if value else "false"
    return None if value is None else str(value) or None


def _append(element: Element, members: Members) -> None:
    for name, value in members:
        child = etree.SubElement(element, f"{{{NAMESPACE}}}{name}")
        if not isinstance(value, str | int) and value is not None:
            _append(child, value)
        elif text := _text(value):
            child.text = xml.speakable(text)
        else:
            child.set(f"{{{INSTANCE}}}nil", "true")
