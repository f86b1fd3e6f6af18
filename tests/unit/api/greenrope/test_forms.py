"""How requests are sent (contract greenrope.md 1, 10)."""

from urllib.parse import urlencode

import pytest

from api.errors import BodyTooLong
from api.greenrope import forms
from api.greenrope.forms import MOST_FIELDS, PIECE_BYTES, XML_BYTES
from engine.errors import Invalid

DOCUMENT = '<A b="ü+%41 &amp;">ad+a@example.org</A>'
FIELDS = {"email": "ad+a@example.org", "auth_token": "t&=", "xml": DOCUMENT}


def test_a_form() -> None:
    """Contract 1."""
    form = forms.parse(urlencode(FIELDS).encode())
    assert form == forms.Form(DOCUMENT.encode(), "ad+a@example.org", "", "t&=")


@pytest.mark.parametrize("before", ["email=a%40b&password=p&", ""])
def test_xml_that_was_not_encoded_takes_the_rest(before: str) -> None:
    """Contract 1: raw angle brackets, quotes, blanks, ampersands and what looks like another field."""
    raw = DOCUMENT + "&email=c"
    form = forms.parse(f"{before}xml={raw}".encode())
    assert (form.xml.decode(), form.email) == (raw, "a@b" if before else "")


def test_names_are_as_printed_and_the_first_counts() -> None:
    """Contract 1: names are case-sensitive."""
    form = forms.parse(b"EMAIL=a&email=b&email=c&novalue&=x")
    assert form == forms.Form(b"", "b", "", "")


@pytest.mark.parametrize("body", [b"", b"&&&", b"=", b"xml", b"xml=%", b"email=%ff%fe&xml=%zz%"])
def test_what_is_no_form_has_no_fields(body: bytes) -> None:
    assert forms.parse(body).auth_token == ""


@pytest.mark.parametrize("offset", range(4))
def test_no_escape_is_cut_where_a_long_value_is(offset: int) -> None:
    text = "x" * (PIECE_BYTES - offset) + "ü&" * PIECE_BYTES
    assert forms.parse(urlencode({"xml": text}).encode()).xml.decode() == text


@pytest.mark.parametrize(
    "body",
    [
        b"xml=<" + b"a" * XML_BYTES,
        b"xml=" + b"a" * (XML_BYTES + 1),
        b"xml=" + b"%41" * (XML_BYTES + 1),
        b"email=" + b"a" * (XML_BYTES + forms.OTHER_BYTES),
    ],
    ids=["raw", "plain", "encoded", "not xml"],
)
def test_more_than_may_be(body: bytes) -> None:
    """Contract 10: 4 MiB of XML."""
    with pytest.raises(BodyTooLong):
        forms.parse(body)


def test_as_much_as_may_be() -> None:
    """Contract 10."""
    assert len(forms.parse(b"email=a&xml=" + b"%41" * XML_BYTES).xml) == XML_BYTES


def test_too_many_fields() -> None:
    forms.parse(b"&".join([b"a=b"] * MOST_FIELDS))
    with pytest.raises(Invalid):
        forms.parse(b"&".join([b"a=b"] * (MOST_FIELDS + 1)))
