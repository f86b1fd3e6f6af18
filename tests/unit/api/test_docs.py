"""The page for people: all of the document, and nothing from anywhere else."""

import re
from html.parser import HTMLParser
from typing import Any

import pytest

from api.auth import Authenticator
from api.dialects import Call, Chapter, Dialect, Route
from api.docs.page import page
from api.docs.schemas import kind
from api.openapi import document
from api.v3 import V3
from api.v3.refusals import SHAPES, refuse
from engine.exports.columns import COLUMNS
from engine.hook_calls import PAUSES
from engine.imports.columns import HEADINGS
from engine.segments.vocabulary import VOCABULARY
from workers.receivers import TIMEOUT

HOSTILE = "<script>alert('é')</script> & \"co\""


class Elements(HTMLParser):
    """The tags, attributes and texts of a page."""

    def __init__(self, html: bytes) -> None:
        super().__init__()
        self.tags: list[str] = []
        self.attributes: list[tuple[str, str | None]] = []
        self.text = ""
        self.feed(html.decode())

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.append(tag)
        self.attributes += attrs

    def handle_data(self, data: str) -> None:
        self.text += data


HTML = page([(V3, document(V3))])
PAGE = Elements(HTML)


def test_every_operation_is_on_it() -> None:
    ids = [value for name, value in PAGE.attributes if name == "id"]
    assert len(ids) == len(set(ids))
    for route in V3.routes:
        assert route.operation in ids
        assert route.summary in PAGE.text
        assert f"{route.method} {V3.prefix}{route.path}" in PAGE.text


def test_extensions_are_marked() -> None:
    assert HTML.count(b'class="mark">extension<') == sum(route.extension for route in V3.routes)


def test_links_lead_somewhere() -> None:
    ids = {f"#{value}" for name, value in PAGE.attributes if name == "id"}
    links = {value for name, value in PAGE.attributes if name == "href"}
    assert links - ids == {"/v3/openapi.json"}


def test_it_needs_nothing_else() -> None:
    """Neither scripts nor styles, fonts or pictures from anywhere: it works without the internet."""
    assert not {"script", "link", "img", "iframe", "object"} & set(PAGE.tags)
    assert not {"src", "srcset", "style", "onload", "onclick"} & {name for name, _ in PAGE.attributes}
    assert not re.search(rb"""=["' ]*(?:https?:|//)|@import|url\(""", HTML)


def test_the_vocabulary_of_segments_is_on_it() -> None:
    """Contract v3.md 4.3."""
    for source, fields in VOCABULARY.items():
        assert source in PAGE.text
        for field, operators in fields.items():
            assert field in PAGE.text
            assert all(operator in PAGE.text for operator in operators)


def test_the_columns_of_imports_are_on_it() -> None:
    """Contract v3.md 3.8 and 3.9: every heading, with its limit and where it goes."""
    [section] = re.findall(rb'<section id="v3-import-columns">.*?</section>', HTML, re.DOTALL)
    cells = re.findall(rb"<td>(.*?)</td><td>(.*?)</td><td>(.*?)</td></tr>", section)
    told = {heading: (holds, meaning) for headings, *(holds, meaning) in cells for heading in headings.split(b", ")}
    for heading in HEADINGS:
        assert b"<code>%b</code>" % heading.encode() in told
    assert told[b"<code>cf:{name}</code>"][0] == b"text, up to 255 characters"
    assert told[b"<code>birthday_day</code>"][0] == b"whole number, 1 to 31"
    assert told[b"<code>work_zip</code>"][1] == b"address of kind <code>work</code>: <code>postal_code</code>"
    assert told[b"<code>phone</code>"] == told[b"<code>other_phone</code>"]


def test_the_columns_of_exports_are_on_it() -> None:
    """Contract v3.md 3.10 and 3.15."""
    [section] = re.findall(rb'<section id="v3-export-columns">.*?</section>', HTML, re.DOTALL)
    cells = re.findall(rb"<tr><td>(.*?)</td><td>(.*?)</td></tr>", section)
    told = {field: holds for fields, holds in cells for field in fields.split(b", ")}
    assert set(told) == {b"<code>%b</code>" % field.encode() for field in COLUMNS}
    assert told[b"<code>zip</code>"] == b"<code>postal_code</code> of the first address"
    assert all(told.values())


def test_what_is_said_of_calls_of_hooks_is_so() -> None:
    [section] = re.findall(rb'<section id="v3-calls-of-hooks">.*?</section>', HTML, re.DOTALL)
    assert b"within ten seconds" in section
    assert b"10 seconds, 1 and 10 minutes, 1 and 6 hours later" in section
    assert (TIMEOUT.total, PAUSES) == (10, (10, 60, 600, 3600, 6 * 3600))


def body_of(operation: str) -> str:
    [article] = re.findall(f'<article id="{operation}">.*?</article>', HTML.decode(), re.DOTALL)
    return Elements(article.partition("<h4>Body</h4>")[2].encode()).text


def test_what_holds_for_properties_together_is_on_it() -> None:
    """Contract v3.md 2.1.9, 1.5, 3.3 and 1.6: what is not known is ignored in resources, refused in activities."""
    new = body_of("postContact")
    assert "At least one of email_address, first_name, last_name, sms_channel must be given." in new
    assert "birthday_month needs birthday_day." in new
    assert "Any other is ignored." in new
    assert "Any other is ignored." in body_of("createList")
    assert "Any other is refused." in body_of("postListAddContact")
    assert "Exactly one must be given. Any other is refused." in PAGE.text


async def handle(call: Call[Any, Any]) -> Any:
    raise AssertionError


def test_whatever_a_dialect_says_is_text() -> None:
    route = Route("GET", "/things", (), handle, operation="x", summary=HOSTILE, answers={200: list[str]})
    chapter = Chapter(HOSTILE, HOSTILE, (HOSTILE,), ((HOSTILE,),))
    other = Dialect("/other", (route,), Authenticator.bearer, refuse, SHAPES, {}, (chapter,))
    elements = Elements(page([(V3, document(V3)), (other, document(other))]))
    assert "script" not in elements.tags
    assert elements.text.count(HOSTILE) == 6
    assert "#other-refusals" in {value for _, value in elements.attributes}


@pytest.mark.parametrize(
    ("schema", "words"),
    [
        ({"type": "string"}, "text"),
        ({"type": "string", "maxLength": 10_000}, "text, up to 10,000 characters"),
        ({"type": "string", "minLength": 1, "maxLength": 255}, "text, 1 to 255 characters"),
        ({"type": "integer", "minimum": 1, "maximum": 500}, "whole number, 1 to 500"),
        ({"type": "integer", "minimum": 0}, "whole number, at least 0"),
        ({"type": "array", "items": {"type": "string", "format": "uuid"}, "maxItems": 25}, "array of up to 25 × UUID"),
        ({"type": "array", "items": {}, "minItems": 1}, "array of at least 1 × anything"),
        ({"type": "array", "items": {"type": "boolean"}, "minItems": 2, "maxItems": 2}, "array of 2 × boolean"),
        ({"anyOf": [{"$ref": "#/components/schemas/Tag"}, {"type": "null"}]}, "Tag or null"),
        ({"enum": ["a", True, 1]}, "one of a, true, 1"),
        ({"const": "a"}, "a"),
        ({"type": "object", "additionalProperties": {"type": "integer"}}, "object of whole number"),
    ],
)
def test_schemas_are_put_in_words(schema: dict[str, Any], words: str) -> None:
    assert "".join(part if isinstance(part, str) else "".join(part.itertext()) for part in kind(schema)) == words
