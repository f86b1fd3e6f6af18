"""Which of the five media types is read and answered (contract w50.md)."""

import pytest
from aiohttp.test_utils import make_mocked_request

from api.w50 import media
from api.w50.media import Media
from engine.errors import Invalid


@pytest.mark.parametrize("name", list(Media))
def test_five_types_are_read(name: str) -> None:
    """Contract 1: whatever their case and parameters."""
    for given in (name, name.upper(), f"{name}; charset=utf-8"):
        request = make_mocked_request("POST", "/", {"Content-Type": given})
        assert media.of_body(request) == name
        assert media.of_answer(request) == name


@pytest.mark.parametrize("name", ["text/plain", "application/x-www-form-urlencoded", "multipart/form-data", "x", ""])
def test_others_are_not(name: str) -> None:
    """Contract 1: 417; the refusal is JSON."""
    request = make_mocked_request("POST", "/", {"Content-Type": name} if name else {})
    with pytest.raises(Invalid, match="Content-Type must be one of"):
        media.of_body(request)
    assert media.of_answer(request) is Media.JSON


@pytest.mark.parametrize(
    ("accept", "answer"),
    [
        ("application/xml", Media.XML),
        ("TEXT/XML", Media.TEXT_XML),
        ("text/json", Media.TEXT_JSON),
        ("application/csp-report", Media.REPORT),
        ("*/*", Media.TEXT_XML),
        ("text/html, */*;q=0.1", Media.TEXT_XML),
        ("text/html", Media.JSON),
        ("application/*", Media.JSON),
        ("text/*", Media.TEXT_JSON),
        ("application/json;q=0.5, application/xml", Media.XML),
        ("application/json;q=0.5, application/xml;q=0.4", Media.JSON),
        ("application/xml;q=0, application/json", Media.JSON),
        ("*/*, application/*, application/csp-report", Media.REPORT),
        ("*/*, application/*", Media.JSON),
        ("*/*, application/csp-report;q=0.9", Media.TEXT_XML),
        ("application/xml;q=x", Media.TEXT_XML),
        ("", Media.TEXT_XML),
        (",;,q=1", Media.JSON),
    ],
)
def test_answers_are_as_wished(accept: str, answer: Media) -> None:
    """Contract 1: by `Accept`; without a wish what the body is written in; an unknown one JSON."""
    request = make_mocked_request("POST", "/", {"Content-Type": "text/xml", "Accept": accept})
    assert media.of_answer(request) == answer
