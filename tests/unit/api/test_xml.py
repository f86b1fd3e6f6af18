"""Issue 4: XML is parsed with entities, DTDs and everything outside off, and refused as soon as a limit is passed."""

import asyncio

import pytest
from lxml import etree

from api import xml
from api.xml import MOST_ATTRIBUTES, MOST_BEFORE, MOST_BETWEEN, MOST_LEVELS, PIECE_BYTES, BadXml

LAUGHS = (
    '<?xml version="1.0"?><!DOCTYPE lolz [<!ENTITY lol1 "lol">'
    + "".join(f'<!ENTITY lol{n} "{f"&lol{n - 1};" * 10}">' for n in range(2, 10))
    + "]><lolz>&lol9;</lolz>"
).encode()
OUTSIDE = b'<!DOCTYPE a [<!ENTITY x SYSTEM "file:///etc/passwd">]><a>&x;</a>'


def nested(levels: int) -> bytes:
    return b"<a>" * levels + b"</a>" * levels


def test_a_document() -> None:
    root = xml.parse(b"<?xml version=\"1.0\"?>\n<a b='1'><!-- no --><c>x &amp; &#228;</c ><?no thing?></a>")
    assert (root.tag, root.get("b"), [child.tag for child in root]) == ("a", "1", ["c"])
    assert root.findtext("c") == "x & ä"


def test_as_deep_as_may_be() -> None:
    assert xml.parse(nested(MOST_LEVELS)).tag == "a"


@pytest.mark.parametrize(
    ("document", "words"),
    [
        (b"", "not well-formed"),
        (b"<a><b></a>", "not well-formed"),
        (b"<a>&nbsp;</a>", "not well-formed"),
        (b"<a>\x00</a>", "not well-formed"),
        (b"\xff\xfe\x00", "not well-formed"),
        (b"<a/><b/>", "not well-formed"),
        (b"<!DOCTYPE a><a/>", "has a DTD"),
        (LAUGHS, "has a DTD"),
        (OUTSIDE, "has a DTD"),
        (nested(MOST_LEVELS + 1), "more than 32 levels"),
        (nested(10_000), "more than 32 levels"),
        (b"<a>" * 30_000_000, "more than 32 levels"),
        (
            b"<a><b" + b"".join(b' c%d=""' % n for n in range(MOST_ATTRIBUTES + 1)) + b"/></a>",
            "more than 100 attributes",
        ),
        (b"<a><b c='" + b"d" * 2**20 + b"'/></a>", "between two tags"),
        (b"<a><!--" + b"-><!-" * 2**18 + b"--></a>", "between two tags"),
    ],
)
def test_what_is_refused(document: bytes, words: str) -> None:
    with pytest.raises(BadXml, match=words):
        xml.parse(document)


def test_as_many_attributes_and_as_long_a_text_as_may_be() -> None:
    tag = b"<b" + b"".join(b' c%d=""' % n for n in range(MOST_ATTRIBUTES)) + b"/>"
    text = b"t" * (MOST_BETWEEN - PIECE_BYTES)
    assert [len(each.attrib) for each in xml.parse(b"<a>" + (text + tag) * 3 + b"</a>")] == [MOST_ATTRIBUTES] * 3


def test_as_many_elements_as_may_be() -> None:
    assert len(xml.parse(b"<a><b/><b/></a>", 3)) == 2
    with pytest.raises(BadXml, match="more than 2 elements"):
        xml.parse(b"<a><b/><b/></a>", 2)


async def test_a_long_document_holds_nobody_up() -> None:
    reading = asyncio.create_task(xml.read(b"<a>" + b"<b/>" * 100_000 + b"</a>"))
    for _ in range(3):
        await asyncio.sleep(0)
    assert not reading.done()
    assert len(await reading) == 100_000


@pytest.mark.parametrize(
    ("text", "shown"), [("a\x00b", "a�b"), ("\ud800", "�"), ("ä\t\n😀", "ä\t\n😀"), ("\ufffe", "�")]
)
def test_every_text_can_be_sent(text: str, shown: str) -> None:
    element = etree.Element("a")
    element.text = xml.speakable(text)
    assert element.text == shown


def test_the_opening_of_a_document() -> None:
    """Issue 4: who asks is known before the whole is parsed."""
    assert xml.opening(b"<?xml version='1.0'?><!-- no --><a b='&amp;1' c='\xc3\xa4'><unclosed") == (
        "a",
        {"b": "&1", "c": "ä"},
    )
    assert xml.opening(b"<a" + b" " * 5000 + b"/>") == ("a", {})


LATE = b" " * MOST_BEFORE + b"<a/>"


@pytest.mark.parametrize("document", [b"", b"  ", b"<", b"a<b/>", b"<!-- -->", LAUGHS, OUTSIDE, b"\xff\xfe\x00", LATE])
def test_what_has_no_opening(document: bytes) -> None:
    with pytest.raises(BadXml):
        xml.opening(document)
