"""How answers are written (contract greenrope.md 2.1, 7)."""

import json
from collections.abc import Sequence

import pytest

from api import xml
from api.greenrope import refusals
from api.greenrope.answers import SUCCESS, Format, Frame, Json, Listed, Members, Record, Xml
from api.xml import BadXml
from tests.greenrope_examples import canonical

#: The example of contract 7.
JSON_EXAMPLE = (
    '{"getcontactsresponse":{"result":"Success","contacts":{"contact":[{"contact_id":"8984","firstname":"Ada",'
    '"lastname":"Moss","email":"ada@example.org","unsubscribed":"0","accountnumber":"91234","userdefinedfields":'
    '{"userdefinedfield":[{"userfieldid":"93","fieldname":"Pet","fieldvalue":"Dog,Cat"}]},"groups":{"group":'
    '[{"group_id":"4","groupname":"News","id":"4","name":"News"}]}}]},"totalmatchingcontacts":"51"}}'
)
FIELD = Record((("UserFieldID", "93"), ("FieldName", "Pet"), ("FieldValue", "Dog,Cat")))
GROUP = Record((("Group_id", "4"), ("GroupName", "News"), ("ID", "4"), ("Name", "News")))
ADA = Record(
    (
        ("Contact_id", "8984"),
        ("Firstname", "Ada"),
        ("Lastname", "Moss"),
        ("Email", "ada@example.org"),
        ("Unsubscribed", "0"),
        ("AccountNumber", "91234"),
        ("UserDefinedFields", Listed("UserDefinedField", (FIELD,))),
        ("Groups", Listed("Group", (GROUP,))),
    )
)
FRAME = Frame("GetContactsResponse", (SUCCESS,), "Contacts", "Contact")
TOTAL: Members = (("TotalMatchingContacts", "51"),)
FORMATS = pytest.mark.parametrize("format_", [Xml(), Json()], ids=["xml", "json"])


def answer(*contacts: Record) -> Record:
    return Record((SUCCESS, ("Contacts", Listed("Contact", contacts)), *TOTAL))


def written(format_: Format, runs: Sequence[Sequence[Record]], tail: Members = TOTAL) -> bytes:
    items = format_.between.join(format_.items(FRAME, run) for run in runs)
    return format_.begin(FRAME) + items + format_.end(FRAME, tail)


def test_the_json_of_the_contract() -> None:
    """Contract 7: names in lower case, lists always arrays, scalars strings."""
    assert Json().whole("GetContactsResponse", answer(ADA)).decode() == JSON_EXAMPLE


def test_the_xml_of_the_same_value() -> None:
    """Contract 2.1."""
    text = Xml().whole("GetContactsResponse", answer(ADA)).decode()
    assert text.startswith('<?xml version="1.0" encoding="UTF-8"?>\n<GetContactsResponse><Result>Success</Result>')
    assert "<ID>4</ID><Name>News</Name></Group></Groups></Contact></Contacts><TotalMatching" in text


def test_what_is_empty() -> None:
    """Contract 7: an empty element is an empty text, an empty container has an empty list."""
    record = Record((("Notes", ""), ("Tags", Listed("Tag", ()))), {"request_id": "r-1"})
    assert json.loads(Json().whole("R", record)) == {"r": {"request_id": "r-1", "notes": "", "tags": {"tag": []}}}
    assert canonical(Xml().whole("R", record)) == '<R request_id="r-1"><Notes></Notes><Tags></Tags></R>'


@FORMATS
@pytest.mark.parametrize("runs", [[], [[ADA]], [[ADA], [ADA, ADA]]], ids=len)
def test_pieces_are_the_whole(format_: Format, runs: Sequence[Sequence[Record]]) -> None:
    contacts = [record for run in runs for record in run]
    pieces, whole = written(format_, runs), format_.whole("GetContactsResponse", answer(*contacts))
    if isinstance(format_, Json):
        assert pieces == whole
    else:
        assert canonical(pieces) == canonical(whole)


@FORMATS
def test_an_answer_that_fails_in_the_middle_is_well_formed(format_: Format) -> None:
    """Contract 2.1: what is told at the end is the error, and no total."""
    text = written(format_, [[ADA]], refusals.refusal(BadXml("broken")))
    if isinstance(format_, Json):
        assert json.loads(text)["getcontactsresponse"]["result"] == "Error"
        return
    root = xml.parse(text)
    assert [each.text for each in root.findall("Result")] == ["Success", "Error"]
    assert [child.tag for child in root][-2:] == ["ErrorCode", "ErrorText"]


def test_texts_that_xml_cannot_hold() -> None:
    """Contract 2: markup is escaped."""
    record = Record((("Name", "a<b>&\"'\x00\ud800 ü"),), {"request_id": '"<\x01'})
    root = xml.parse(Xml().whole("R", record))
    assert (root.findtext("Name"), root.get("request_id")) == ("a<b>&\"'\ufffd\ufffd ü", '"<\ufffd')
    assert json.loads(Json().whole("R", record))["r"]["name"].startswith("a<b>&\"'\x00")
