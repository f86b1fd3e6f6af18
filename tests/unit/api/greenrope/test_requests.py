"""What is read from requests before anybody is asked (contract greenrope.md 1.2, 2, 5.1, 7)."""

from datetime import UTC, date, datetime

import pytest

from api import xml
from api.greenrope import requests, values
from api.greenrope.answers import Json, Xml
from api.greenrope.refusals import CODES, UnknownFunction
from api.greenrope.values import Attributes
from api.xml import BadXml
from engine.contacts.search import Criteria
from engine.errors import Invalid
from tests.greenrope_examples import blocks

EXAMPLES = [example for example in [*blocks("contract"), *blocks("seed")] if "Request" in example.splitlines()[0]]


@pytest.mark.parametrize("example", EXAMPLES)
def test_every_example_of_a_request(example: str) -> None:
    """Contract 2 and 12: blanks in closing tags, single quotes."""
    heading = requests.heading(example.encode())
    assert xml.parse(example.encode()).tag == f"{heading.function}Request"
    assert isinstance(heading.format, Json) == ('response="json"' in example)


def test_the_heading() -> None:
    """Contract 2: the answer's root; contract 7: JSON."""
    heading = requests.heading(b"<?xml version='1.0'?><GetGroupsRequest RESPONSE=' JSON '><")
    assert (heading.answer_root, heading.format.content_type) == ("GetGroupsResponse", "application/json")
    assert isinstance(requests.heading(b"<GetGroupsRequest response='xml'/>").format, Xml)


@pytest.mark.parametrize("root", ["A", "Request", "GetContactsRequests", "getcontactsrequest"])
def test_roots_that_name_no_function(root: str) -> None:
    """Contract 8: 1015. Names are case-sensitive (contract 2)."""
    with pytest.raises(UnknownFunction) as error:
        requests.heading(f"<{root}/>".encode())
    assert CODES[error.value.code] == 1015


@pytest.mark.parametrize("document", [b"", b"<", b"x", b"<!DOCTYPE A><ARequest/>", b"\xff", b"<a", b"<!-- -->"])
def test_what_is_no_xml(document: bytes) -> None:
    """Contract 2.1 and 8: 1011."""
    with pytest.raises(BadXml):
        requests.heading(document)


def test_attributes() -> None:
    """Contract 2: names in any case, texts trimmed; 5.1: but a request_id, which is echoed."""
    attributes = Attributes(
        {"Contact_ID": " 7 ", "get_all": " YES ", "x": "", "r": " r-1 ", "t": "2026-01-15 10:00:00", "d": "20260131"}
    )
    assert attributes.number("contact_id") == 7
    assert attributes.is_true("get_all")
    assert (attributes.text("x"), attributes.sent("x"), attributes.sent("y")) == (None, "", None)
    assert (attributes.text("r"), attributes.sent("r")) == ("r-1", " r-1 ")
    assert attributes.timestamp("t") == datetime(2026, 1, 15, 10, tzinfo=UTC)
    assert attributes.day("d") == date(2026, 1, 31)
    assert (attributes.number("y"), attributes.timestamp("y"), attributes.day("y")) == (None, None, None)


@pytest.mark.parametrize(
    ("text", "is_true"), [("true", 1), ("TRUE", 1), ("1", 1), ("yes", 1), ("Y", 0), ("on", 0), ("0", 0), ("", 0)]
)
def test_flags(text: str, is_true: int) -> None:
    """Contract 2."""
    assert values.is_true(text) == bool(is_true)
    assert not values.is_true(None)


@pytest.mark.parametrize("text", ["x", "-1", "1.0", "٣", "1e3", "9" * 19, "1 2"])
def test_no_numbers(text: str) -> None:
    """Contract 4 and 5.1: 1003."""
    with pytest.raises(Invalid):
        values.number("contact_id", text)


@pytest.mark.parametrize(
    "text", ["2026-01-15", "2026-13-01 00:00:00", "2026-02-30 00:00:00", "2026-01-15T10:00:00", "0000-01-01 00:00:00"]
)
def test_no_times(text: str) -> None:
    """Contract 4: 1003."""
    with pytest.raises(Invalid):
        values.timestamp("updated_timestamp", text)


@pytest.mark.parametrize("text", ["2026-01-15", "20260230", "2026", "202601150", "00000101"])
def test_no_days(text: str) -> None:
    """Contract 4: 1003."""
    with pytest.raises(Invalid):
        values.day("Unsubscribed_startdate", text)


def test_days_of_searches() -> None:
    """Contract 6.1.1."""
    assert values.searched_day("Date", "2017/08/20") == date(2017, 8, 20)
    with pytest.raises(Invalid):
        values.searched_day("Date", "20170820")


def test_times_are_written_in_whole_seconds() -> None:
    """Contract 2."""
    assert values.written_time(datetime(2026, 1, 15, 10, 0, 0, 999_999, UTC)) == "2026-01-15 10:00:00"


def contacts(*attributes: str) -> bytes:
    inside = "".join(f"<Contact {each}/>" for each in attributes)
    return f"<DeleteContactsRequest><Contacts>{inside}</Contacts></DeleteContactsRequest>".encode()


def test_the_contacts_of_a_request() -> None:
    """Contract 5.1: criteria, request ids, accounts."""
    root = xml.parse(contacts('contact_id="8984" request_id="d-1"', 'account_id="12346" Firstname=" Sam " email="s@b"'))
    first, second = requests.items(root)
    assert requests.echoed(first.attributes) == {"request_id": "d-1"}
    assert (first.account_id(), first.criteria()) == (None, Criteria(8984))
    assert (requests.echoed(second.attributes), second.account_id()) == ({}, 12346)
    assert second.criteria() == Criteria(None, "Sam", None, "s@b")


@pytest.mark.parametrize("attributes", ["", 'contact_id=""', 'account_id="1"', 'contact_id="x"', 'contact_id="-1"'])
def test_contacts_that_mean_nobody(attributes: str) -> None:
    """Contract 5.1: 1003."""
    [item] = requests.items(xml.parse(contacts(attributes)))
    with pytest.raises(Invalid):
        item.criteria()


def test_how_many_contacts_a_request_has() -> None:
    """Contract 5.1 and 10."""
    assert requests.items(xml.parse(b"<R/>")) == requests.items(xml.parse(b"<R><Contacts/></R>")) == []
    assert len(requests.items(xml.parse(contacts(*["contact_id='1'"] * 1000)))) == 1000
    with pytest.raises(Invalid):
        requests.items(xml.parse(contacts(*["contact_id='1'"] * 1001)))


async def test_how_many_elements_a_request_has() -> None:
    """Contract 10: a request of far more than its contacts may have is refused before its tree is built."""
    inside = b"<Contact/>" * requests.MOST_ELEMENTS
    with pytest.raises(BadXml, match="200,000 elements"):
        await requests.document(b"<AddContactsRequest>" + inside + b"</AddContactsRequest>")
