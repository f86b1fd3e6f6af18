"""The examples of the seed and of contract convio.md, and what makes two documents the same."""

import json
from pathlib import Path
from typing import Any

from lxml import etree

FOLDER = Path(__file__).parent / "examples" / "convio"
SEED_XML = (FOLDER / "seed.xml").read_bytes()
SEED_JSON = json.loads((FOLDER / "seed.json").read_bytes())
#: The contract's JSON, by the section that it is in.
CONTRACT: dict[str, Any] = json.loads((FOLDER / "contract.json").read_bytes())


def xml(name: str) -> bytes:
    """An example in XML."""
    return (FOLDER / f"{name}.xml").read_bytes()


def canonical(document: bytes) -> str:
    """XML without what means nothing: blanks between elements, the order of attributes."""
    return etree.canonicalize(etree.fromstring(document, etree.XMLParser(remove_blank_text=True)))
