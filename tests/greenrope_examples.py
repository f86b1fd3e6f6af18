"""The examples of contract greenrope.md and of seed 003, as they stand there; broken ones are repaired."""

from pathlib import Path

from lxml import etree

from api import xml
from tests.seed_repairs import repaired

FOLDER = Path(__file__).parent / "examples" / "greenrope"


def blocks(source: str) -> list[str]:
    """All examples of a source (`contract`, `seed`) in their order."""
    return repaired((FOLDER / f"{source}.txt").read_text()).strip().split("\n\n")


def examples(source: str, root: str) -> list[str]:
    """Those whose root element has this name."""
    return [block for block in blocks(source) if xml.opening(block.encode())[0] == root]


def canonical(document: str | bytes) -> str:
    """The document in canonical form, without the blanks around texts."""
    root = etree.fromstring(document.encode() if isinstance(document, str) else document)
    return etree.canonicalize(root, strip_text=True)
