"""HTML elements, escaped by the library that writes them."""

import json
from collections.abc import Iterable
from xml.etree import ElementTree as ET
from xml.etree.ElementTree import Element

Content = Element | str


def element(tag: str, *content: Content | None, **attributes: str) -> Element:
    """An element with this content; `class_` is the attribute class."""
    made = Element(tag, {name.rstrip("_"): value for name, value in attributes.items()})
    last: Element | None = None
    for each in content:
        if isinstance(each, Element):
            made.append(each)
            last = each
        elif last is not None:
            last.tail = (last.tail or "") + (each or "")
        else:
            made.text = (made.text or "") + (each or "")
    return made


def document(html: Element) -> bytes:
    """The whole document in UTF-8."""
    return b"<!DOCTYPE html>\n" + bytes(ET.tostring(html, encoding="utf-8", method="html"))


def code(text: str) -> Element:
    return element("code", text)


def listing(value: object) -> Element:
    """The value as JSON, over several lines."""
    return element("pre", code(json.dumps(value, indent=2, ensure_ascii=False)))


def link(anchor: str, *content: Content) -> Element:
    """A link to a place in the same document."""
    return element("a", *content, href=f"#{anchor}")


def mark(text: str) -> Element:
    return element("span", text, class_="mark")


def prose(text: str) -> Iterable[Content]:
    """The text, with what is between backquotes as code."""
    return [code(part) if number % 2 else part for number, part in enumerate(text.split("`"))]


def between(separator: str, content: Iterable[Content]) -> list[Content]:
    """The content with a separator between each two."""
    return [part for each in content for part in (separator, each)][1:]
