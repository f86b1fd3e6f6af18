"""Answers in JSON and in DataContract XML (contract w50.md)."""

import json
from datetime import UTC, datetime
from typing import Any
from uuid import UUID

import pytest
from lxml import etree

from api.w50 import lists
from api.w50.documents import Contact, Document, Item, Listing, Problem, written
from api.w50.media import Media
from engine.fields import Choice, Field
from tests.unit.api.w50.examples import (
    CONTRACT_XML,
    ENC_ID,
    FIELDS,
    INSERTED,
    JOB,
    LISTS,
    LISTS_XML,
    MATCHED,
    PROBLEM,
    PROBLEM_XML,
)

NOW = datetime(2026, 1, 15, tzinfo=UTC)
MODELS = "http://schemas.datacontract.org/2004/07/W50API.Models.DTO"


def canonical(document: str | bytes) -> str:
    """XML without blanks between elements and with prefixes of its own."""
    text = document if isinstance(document, str) else document.decode()
    return str(etree.canonicalize(text, strip_text=True, rewrite_prefixes=True))


LIST = Item("ContactsList", {"Id": 3, "Name": "Customers", "Count": 120})
CHOICE = Item("ContactSchemaFieldValue", {"Id": 9, "Value": "None", "Order": 1, "InUse": True})
EXAMPLES: list[tuple[Document, str]] = [
    (Contact(ENC_ID, 17, 3, {"Email": "ada@example.org", "FirstName": "Ada"}), INSERTED),
    (
        Contact(ENC_ID, 17, 3, {"AccountRef": "123456", "Email": "ada@example.org", "Mobile": "353870000001"}),
        MATCHED,
    ),
    (Listing("ContactsList", (LIST,)), LISTS),
    (Problem("Field 'Foo' does not exist in contact list 3."), PROBLEM),
]


@pytest.mark.parametrize(("document", "example"), EXAMPLES)
def test_the_contracts_answers_in_json(document: Document, example: str) -> None:
    """Contract 4, 7 and 9; 1: compact, as application/csp-report is."""
    for media in (Media.JSON, Media.TEXT_JSON, Media.REPORT):
        assert written(document, media).decode() == example


@pytest.mark.parametrize(
    ("document", "example"),
    [
        (Contact(ENC_ID, 17, 3, {"Email": "ada@example.org", "Mobile": None}), CONTRACT_XML),
        (Listing("ContactsList", (LIST,)), LISTS_XML),
        (Problem("Field 'Foo' does not exist in contact list 3."), PROBLEM_XML),
    ],
)
def test_the_contracts_answers_in_xml(document: Document, example: str) -> None:
    """Contract 2.3, 7 and 9: by namespace, whatever the prefixes."""
    for media in (Media.XML, Media.TEXT_XML):
        assert canonical(written(document, media)) == canonical(example)


def test_fields_and_their_values() -> None:
    """Contract 7: in XML the members are in alphabetical order."""
    shown = Item("ContactSchemaField", {"Id": 2, "Name": "Diet", "ContactSchemaFieldValues": (CHOICE,)})
    assert (
        json.loads(written(shown, Media.JSON))["ContactSchemaFieldValues"]
        == json.loads(FIELDS)[1]["ContactSchemaFieldValues"]
    )
    assert canonical(written(shown, Media.XML)) == canonical(
        f'<ContactSchemaField xmlns="{MODELS}"><ContactSchemaFieldValues><ContactSchemaFieldValue><Id>9</Id>'
        "<InUse>true</InUse><Order>1</Order><Value>None</Value></ContactSchemaFieldValue></ContactSchemaFieldValues>"
        "<Id>2</Id><Name>Diet</Name></ContactSchemaField>"
    )


def test_the_contracts_fields() -> None:
    """Contract 7: the example as it stands."""

    def field(number: int, label: str, **said: Any) -> Field:
        return Field(number, UUID(int=number), label, label, created_at=NOW, updated_at=NOW, position=number, **said)

    known = (
        field(1, "Email", type="string", property="email"),
        field(2, "Diet", type="choice", choices=(Choice(9, "None"),), default_value="None"),
    )
    shown = Listing("ContactSchemaField", tuple(lists._field(7, each) for each in known))
    assert written(shown, Media.JSON).decode() == FIELDS


def test_a_job_in_xml() -> None:
    """Contract 8: what is null is nil."""
    members = {**json.loads(JOB), "FinishDate": None}
    found = etree.fromstring(written(Item("ImportJob", members), Media.XML))
    names = [etree.QName(each).localname for each in found]
    assert names == sorted(members)
    [finished] = found.findall(f"{{{MODELS}}}FinishDate")
    assert dict(finished.attrib) == {"{http://www.w3.org/2001/XMLSchema-instance}nil": "true"}


def test_several_contacts_have_no_id() -> None:
    """Contract 4: null, which XML says by nil."""
    shown = Contact(None, 0, 3, {"F": 7})
    assert written(shown, Media.JSON) == b'{"EncContactId":null,"ListId":3,"Values":{"F":7}}'
    assert b'nil="true"' in written(shown, Media.XML)


def test_warnings_and_several_errors() -> None:
    """Contract 2.1 and 9."""
    shown = Contact(ENC_ID, 1, 3, {}, ("no e-mail",))
    assert json.loads(written(shown, Media.JSON))["ValidationWarnings"] == ["no e-mail"]
    assert b"no e-mail" in written(shown, Media.XML)
    assert json.loads(written(Problem("a", ("a", "b")), Media.JSON)) == {"Message": "a", "Errors": ["a", "b"]}


@pytest.mark.parametrize("media", list(Media))
def test_hostile_texts_make_no_broken_answers(media: Media) -> None:
    """Contract 9: an answer is well-formed whatever it tells of."""
    shown = Contact(None, 0, 3, {"<&\x01\ud800>": "]]><!--\x00\udfff"}, ("\x02",))
    body = written(shown, media)
    if media.is_xml:
        etree.fromstring(body)
    else:
        json.loads(body)


def test_a_long_list_is_written_item_by_item(monkeypatch: pytest.MonkeyPatch) -> None:
    """Contract 7: one text all the same; whoever writes JSON holds all threads up until it is done."""
    told, dumps = list[object](), json.dumps

    def noted(plain: object, **said: Any) -> str:
        told.append(plain)
        return dumps(plain, **said)

    monkeypatch.setattr(json, "dumps", noted)
    assert json.loads(written(Listing("ContactsList", (LIST, LIST)), Media.JSON)) == [LIST.plain()] * 2
    assert told == [LIST.plain()] * 2
