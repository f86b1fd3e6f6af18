"""XML in requests and answers, by lxml: entities, DTDs and everything outside of the document are off, sizes bounded.

A document is refused as soon as a limit is passed: by its length before anything of it is parsed (`reading.at_most`),
by its depth and its DTD while it is.
"""

import re
from typing import Final

from lxml import etree
from lxml.etree import _Element as Element

from engine.errors import MusterError

#: Levels of elements that a document may have; the deepest of the contracts has 6.
MOST_LEVELS = 32
#: Bytes that are parsed at once: what is wrong in one piece is refused before the next is looked at.
PIECE_BYTES = 65_536
#: What every document that is sent begins with.
DECLARATION: Final = b'<?xml version="1.0" encoding="UTF-8"?>\n'

#: Characters that XML 1.0 cannot hold, escaped or not (its section 2.2).
_UNSPEAKABLE = re.compile("[^\t\n\r\x20-\ud7ff\ue000-\ufffd\U00010000-\U0010ffff]")


class BadXml(MusterError):
    """The text is no XML, or XML that Muster does not take."""

    code = "bad_xml"


class _Guard:
    """Looks at a document while it is parsed: how deep it is, and that it has no DTD. Keeps nothing of it."""

    def __init__(self) -> None:
        self._level = 0

    def start(self, _tag: str, _attributes: object) -> None:
        self._level += 1
        if self._level > MOST_LEVELS:
            raise BadXml(f"the XML has more than {MOST_LEVELS} levels of elements")

    def end(self, _tag: str) -> None:
        self._level -= 1

    def doctype(self, *_declared: object) -> None:
        raise BadXml("the XML has a DTD, which is not accepted")

    def close(self) -> None:
        return None


def parse(document: bytes) -> Element:
    """The root of a document, without comments and processing instructions. Raises BadXml.

    First it is only looked at, piece by piece, which takes 15 ms a megabyte and no memory; then its tree is built.
    """
    guard = etree.XMLParser(target=_Guard(), resolve_entities=False, no_network=True)  # type: ignore[call-overload]
    try:
        for start in range(0, len(document), PIECE_BYTES):
            guard.feed(document[start : start + PIECE_BYTES])
        guard.close()
        return etree.fromstring(
            document,
            etree.XMLParser(resolve_entities=False, no_network=True, remove_comments=True, remove_pis=True),
        )
    except (etree.XMLSyntaxError, ValueError) as error:
        raise BadXml(f"the XML is not well-formed: {error}") from None


def speakable(text: str) -> str:
    """The text with � for each character that XML cannot hold: lxml refuses them."""
    return _UNSPEAKABLE.sub("\ufffd", text)
