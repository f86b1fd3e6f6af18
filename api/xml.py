"""XML in requests and answers, by lxml: entities, DTDs and everything outside of the document are off, sizes bounded.

A document is refused as soon as a limit is passed: by its length before anything of it is parsed (`reading.at_most`),
by its depth and its DTD while it is.
"""

import re
from collections.abc import Mapping
from functools import partial
from typing import Final, TypeAlias

from lxml import etree
from lxml.etree import _Element

from api import reading
from engine.errors import MusterError

Element: TypeAlias = _Element

#: Levels of elements that a document may have; the deepest of the contracts has 6.
MOST_LEVELS = 32
#: Elements that a document may have unless its dialect says less: the tree of a million takes 150 MB.
MOST_ELEMENTS = 1_500_000
#: Attributes of an element: lxml looks each up among all, so that 100,000 hold everybody up for half a minute.
MOST_ATTRIBUTES = 100
#: Bytes before which the root has to have begun where it is looked for.
MOST_BEFORE = 65_536
#: Bytes in which no element begins or ends, about: a tag of 4 MB holds all threads up for half a second.
MOST_BETWEEN = 2**19
#: Bytes that are parsed at once: what is wrong in one piece is refused before the next is looked at. The second are of
#: who looks for the root only.
PIECE_BYTES = 65_536
OPENING_BYTES = 1024
#: What every document that is sent begins with.
DECLARATION: Final = b'<?xml version="1.0" encoding="UTF-8"?>\n'

#: Characters that XML 1.0 cannot hold, escaped or not (its section 2.2).
_UNSPEAKABLE = re.compile("[^\t\n\r\x20-\ud7ff\ue000-\ufffd\U00010000-\U0010ffff]")


class BadXml(MusterError):
    """The text is no XML, or XML that Muster does not take."""

    code = "bad_xml"


class _Guard:
    """Looks at a document while it is parsed: how deep and large it is, and that it has no DTD. Keeps nothing of it."""

    def __init__(self, most_elements: int) -> None:
        self._level = 0
        self._most_elements = most_elements
        self._left = most_elements
        self._between = 0

    def start(self, _tag: str, attributes: Mapping[str, str]) -> None:
        self._level += 1
        self._left -= 1
        self._between = 0
        if self._level > MOST_LEVELS:
            raise BadXml(f"the XML has more than {MOST_LEVELS} levels of elements")
        if self._left < 0:
            raise BadXml(f"the XML has more than {self._most_elements:,} elements")
        if len(attributes) > MOST_ATTRIBUTES:
            raise BadXml(f"an element has more than {MOST_ATTRIBUTES} attributes")

    def end(self, _tag: str) -> None:
        self._level -= 1
        self._between = 0

    def fed(self, size: int) -> None:
        """So many bytes more have been looked at."""
        self._between += size
        if self._between > MOST_BETWEEN:
            raise BadXml(f"the XML has more than {MOST_BETWEEN:,} bytes between two tags")

    def doctype(self, *_declared: object) -> None:
        raise BadXml("the XML has a DTD, which is not accepted")

    def close(self) -> None:
        return None


async def read(document: bytes, most_elements: int = MOST_ELEMENTS) -> Element:
    """`parse` without holding anybody up. Raises BadXml."""
    return await reading.read_apart(partial(parse, most_elements=most_elements), document)


def parse(document: bytes, most_elements: int = MOST_ELEMENTS) -> Element:
    """The root of a document, without comments and processing instructions. Raises BadXml.

    First it is only looked at, piece by piece, which takes no memory; then its tree is built.
    """
    guard = _Guard(most_elements)
    parser = etree.XMLParser(target=guard, resolve_entities=False, no_network=True)  # type: ignore[call-overload]
    try:
        for start in range(0, len(document), PIECE_BYTES):
            piece = document[start : start + PIECE_BYTES]
            parser.feed(piece)
            guard.fed(len(piece))
        parser.close()
        return etree.fromstring(
            document,
            etree.XMLParser(resolve_entities=False, no_network=True, remove_comments=True, remove_pis=True),
        )
    except (etree.XMLSyntaxError, ValueError) as error:
        raise BadXml(f"the XML is not well-formed: {error}") from None


class _Opening(_Guard):
    """Keeps what the first element is called and its attributes."""

    def __init__(self) -> None:
        super().__init__(MOST_ELEMENTS)
        self.found: tuple[str, Mapping[str, str]] | None = None

    def start(self, tag: str, attributes: Mapping[str, str]) -> None:
        super().start(tag, attributes)
        self.found = self.found or (tag, dict(attributes))


def opening(document: bytes) -> tuple[str, Mapping[str, str]]:
    """What the root of a document is called, and its attributes; no more of it is parsed than one piece after another.

    For who has to be asked for a password before the rest is worth parsing. Raises BadXml, also when the root does not
    come soon.
    """
    opening = _Opening()
    parser = etree.XMLParser(target=opening, resolve_entities="internal", no_network=True)  # type: ignore[call-overload]
    try:
        for start in range(0, min(len(document), MOST_BEFORE), OPENING_BYTES):
            parser.feed(document[start : start + OPENING_BYTES])
            if opening.found is not None:
                return opening.found
        if len(document) > MOST_BEFORE:
            raise BadXml(f"the XML has no element in its first {MOST_BEFORE:,} bytes")
        parser.close()
    except (etree.XMLSyntaxError, ValueError) as error:
        raise BadXml(f"the XML is not well-formed: {error}") from None
    if opening.found is None:
        raise BadXml("the XML has no element")
    return opening.found


def speakable(text: str) -> str:
    """The text with � for each character that XML cannot hold: lxml refuses them."""
    return _UNSPEAKABLE.sub("\ufffd", text)
