"""Signed requests (contract ivvy.md 2)."""

from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest

from api.ivvy import signing
from api.ivvy.refusals import Refused, error_object
from api.ivvy.signing import Head

NOW = datetime(2026, 1, 15, 10, tzinfo=UTC)
SECRET = "demo-secret-0001"
BODY = b'{"event":4,"contacts":[1,2,3]}'
MD5 = "5daad5187e039b537ec03e31268bfb63"
INVITE = "/api/1.0/event?action=inviteContacts"
JSON = ("Content-Type", "application/json")


def head(*headers: tuple[str, str], target: str = INVITE) -> Head:
    return Head(target, headers)


#: Rows A to D of the table: head, body, string to sign, signature.
VECTORS = {
    "A": (
        head(JSON, ("IVVY-Date", "2026-01-15 10:00:00")),
        BODY,
        f"post{MD5}application/json/api/1.0/event?action=invitecontacts1.0ivvydate=2026-01-15 10:00:00",
        "a3cc79d0384d92cf7514472a06f783013d23e140",
    ),
    "B": (
        head(JSON, ("Date", "Thu, 15 Jan 2026 10:00:00 UTC")),
        BODY,
        f"post{MD5}application/jsonthu, 15 jan 2026 10:00:00 utc/api/1.0/event?action=invitecontacts1.0",
        "f4b6f54a454a26fbb6e256714607f08a69589d1a",
    ),
    "C": (
        head(("content-type", "application/json; charset=utf-8"), ("ivvy-date", "2026-01-15 10:00:00 UTC")),
        BODY,
        f"post{MD5}application/json; charset=utf-8{INVITE.lower()}1.0ivvydate=2026-01-15 10:00:00 utc",
        "f9d0565a33a8e7139712026520ea7caf0e5198e3",
    ),
    "D": (
        head(JSON, ("IVVY-Date", "2026-01-15 10:00:00"), target="/api/1.0/test?action=ping"),
        b"",
        "postd41d8cd98f00b204e9800998ecf8427eapplication/json/api/1.0/test?action=ping1.0ivvydate=2026-01-15 10:00:00",
        "304ff00932a7a642ddc811c2baf587f0873b76c3",
    ),
}


def test_the_vendors_vector() -> None:
    """Contract ivvy.md 2.1, row 0."""
    assert signing.signature("my secret key", "string to sign") == "a993876ea1218921a1c8551923473da7b310dfae"


@pytest.mark.parametrize("row", VECTORS)
def test_what_is_signed(row: str) -> None:
    """Contract ivvy.md 2.1, rows A to D."""
    asked, body, text, expected = VECTORS[row]
    assert signing.string_to_sign(asked, body) == text
    assert signing.signature(SECRET, text) == expected
    signing.insist_on_signature(asked, body, expected, SECRET)


def test_the_host_is_not_signed() -> None:
    """Contract ivvy.md 2.1, REQUEST_STRING: be it that the request line names it."""
    asked, body, text, _ = VECTORS["A"]
    for host in ("http://api.example.test", "HTTPS://api.example.test:8080"):
        assert signing.string_to_sign(replace(asked, target=host + INVITE), body) == text
    within = f"{INVITE}&x=http://other.test/"
    assert within.lower() in signing.string_to_sign(replace(asked, target=within), body)


def test_own_headers_come_sorted_and_the_date_gives_way_to_the_own_one() -> None:
    """Contract ivvy.md 2.1: DATE is empty beside IVVY-Date; name without - and _, sorted, joined with &."""
    asked = head(
        JSON,
        ("IVVY_Tenant-Id", " 7 "),
        ("Date", "Thu, 15 Jan 2026 10:00:00 UTC"),
        ("IVVY-Date", "2026-01-15 10:00:00"),
        ("X-Ivvy", "not one of them"),
        ("IVVY-Date-2", "another"),
    )
    signed = signing.string_to_sign(asked, BODY)
    assert signed.startswith(f"post{MD5}application/json/api/")
    assert signed.endswith("1.0ivvydate=2026-01-15 10:00:00&ivvydate2=another&ivvytenantid=7")


@pytest.mark.parametrize("written", ["IWS DEMOKEY:{}", "iws DEMOKEY:{}", "Iws DEMOKEY:{}"])
def test_who_has_signed(written: str) -> None:
    """Contract ivvy.md 2: the scheme in any case; 2.1: the signature in upper case, too."""
    signature = VECTORS["A"][3]
    found = signing.credentials(head(("X-Api-Authorization", written.format(signature.upper()))))
    assert found == ("DEMOKEY", signature)


@pytest.mark.parametrize(
    "written", ["", "IWS", "IWS  KEY:aa", "IWS KEY", "IWS :aa", "IWS KEY:", "IWS KEY:xyz", "Bearer KEY:aa", "IWS\tK:aa"]
)
def test_who_has_not(written: str) -> None:
    """Contract ivvy.md 2.2, 3; 2: exactly one space after IWS."""
    with pytest.raises(Refused) as refused:
        signing.credentials(head(("X-Api-Authorization", written)))
    assert refused.value.error_code == 401


@pytest.mark.parametrize("off", [timedelta(minutes=5), timedelta(minutes=-5), timedelta()])
@pytest.mark.parametrize(
    "written",
    [
        ("Date", "Thu, 15 Jan 2026 10:00:00 UTC"),
        ("Date", "Thu, 15 Jan 2026 10:00:00 GMT"),
        ("IVVY-Date", "2026-01-15 10:00:00"),
        ("IVVY-Date", "2026-01-15 10:00:00 UTC"),
    ],
)
def test_five_minutes_are_near_enough(written: tuple[str, str], off: timedelta) -> None:
    """Contract ivvy.md 2.2, 5; 2: forms of both headers."""
    signing.insist_on_time(head(written), NOW + off)


@pytest.mark.parametrize(
    "headers",
    [
        [],
        [("Date", "yesterday")],
        [("Date", "Thu, 15 Jan 2026 10:00:00 +0100")],
        [("Date", "Thu, 32 Jan 2026 10:00:00 UTC")],
        [("Date", "Thu, 99999999999999999999999999 Jan 2026 10:00:00 UTC")],
        [("IVVY-Date", "2026-13-15 10:00:00")],
        [("IVVY-Date", "2026-01-15T10:00:00")],
        [("IVVY-Date", "2026-01-15 09:54:59")],
        [("IVVY-Date", "2026-01-15 10:05:01")],
        [("Date", "Thu, 15 Jan 2026 10:00:00 UTC"), ("IVVY-Date", "2026-01-14 10:00:00")],
    ],
)
def test_a_request_without_its_time_is_stale(headers: list[tuple[str, str]]) -> None:
    """Contract ivvy.md 2.2, 5: 401 and 23005."""
    with pytest.raises(Refused) as refused:
        signing.insist_on_time(head(*headers), NOW)
    assert error_object(refused.value) == {"errorCode": 401, "message": "Request is stale", "specificCode": 23005}


def test_a_body_that_is_not_the_one_that_was_signed() -> None:
    """Contract ivvy.md 2.2, 6 and 7."""
    asked = head(JSON, ("Content-MD5", MD5.upper()), ("IVVY-Date", "2026-01-15 10:00:00"))
    signing.insist_on_body(asked, BODY)
    with pytest.raises(Refused) as refused:
        signing.insist_on_body(asked, BODY + b" ")
    assert refused.value.error_code == 400
    with pytest.raises(Refused) as refused:
        signing.insist_on_signature(asked, BODY + b" ", VECTORS["A"][3], SECRET)
    assert refused.value.error_code == 401


@pytest.mark.parametrize(("version", "accepted"), [("1.0", True), ("", True), ("1.1", False), ("2.0", False)])
def test_the_version_is_that_of_the_path(version: str, accepted: bool) -> None:
    """Contract ivvy.md 2: X-Api-Version."""
    asked = head(("Content-MD5", MD5), ("X-Api-Version", version))
    if accepted:
        return signing.insist_on_body(asked, BODY)
    with pytest.raises(Refused):
        signing.insist_on_body(asked, BODY)
    return None
