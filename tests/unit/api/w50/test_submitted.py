"""What requests say, in JSON and in XML (contract w50.md)."""

import json
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from api.w50 import submitted
from api.w50.documents import Contact, written
from api.w50.media import Media
from api.w50.submitted import MOST_ELEMENTS, Submitted
from api.w50.values import VALUE_LENGTH, Scalar, text_of
from api.xml import BadXml
from engine.errors import Invalid
from tests.seed_repairs import repaired
from tests.unit.api.w50.examples import CONTRACT_XML, ENC_ID, INSERT, MATCH, SEED_JSON, SEED_PUT, SEED_REPORT, SEED_XML

SEED = Submitted("sample string 2", {"sample string 1": None, "sample string 3": None})
VALUES = "http://schemas.microsoft.com/2003/10/Serialization/Arrays"


def read(body: str, media: Media = Media.JSON) -> Submitted:
    return submitted.contact(media, body.encode())


def xml_contact(value: str, *, root: str = "http://schemas.datacontract.org/2004/07/W50API.Models.DTO") -> str:
    """A contact with one value, `value` being the element."""
    common = "http://schemas.datacontract.org/2004/07/W50Common.Model.DTO"
    return (
        f'<Contact xmlns="{root}" xmlns:i="http://www.w3.org/2001/XMLSchema-instance"'
        f' xmlns:x="http://www.w3.org/2001/XMLSchema" xmlns:a="{VALUES}"><Values xmlns="{common}">'
        f"<a:KeyValueOfstringanyType><a:Key>F</a:Key>{value}</a:KeyValueOfstringanyType></Values></Contact>"
    )


@pytest.mark.parametrize(
    ("body", "media"),
    [
        (SEED_JSON, Media.JSON),
        (SEED_JSON, Media.TEXT_JSON),
        (SEED_REPORT, Media.REPORT),
        (SEED_XML, Media.XML),
        (SEED_XML, Media.TEXT_XML),
    ],
)
def test_the_seeds_samples_are_one_contact(body: str, media: Media) -> None:
    """Contract 2.1 to 2.3: `{}`, a placeholder, and a `Value` without type and content are null."""
    assert read(body, media) == read(repaired(body), media) == SEED
    assert media.is_xml or "{}" not in repaired(body)


def test_the_seeds_put_is_repaired_and_read() -> None:
    """Contract 4: names are matched whatever their case."""
    with pytest.raises(Invalid):
        read(SEED_PUT)
    values: dict[str, Scalar] = {
        "ReferanceAccountId": 123456,
        "Email": "pgannon@customerminds.com",
        "Mobile": "353871234567",
    }
    assert read(repaired(SEED_PUT)) == Submitted(None, values)


def test_the_contracts_examples() -> None:
    """Contract 2.3 and 4."""
    assert read(CONTRACT_XML, Media.XML) == Submitted(ENC_ID, {"Email": "ada@example.org", "Mobile": None})
    assert read(INSERT) == Submitted(None, {"Email": "ada@example.org", "FirstName": "Ada"})
    assert read(MATCH).values == {"AccountRef": 123456, "Email": "ada@example.org", "Mobile": "353870000001"}


@pytest.mark.parametrize(
    ("value", "text"),
    [
        (None, None),
        ("", None),
        (" ", " "),
        (0, "0"),
        (123456, "123456"),
        (123456.0, "123456"),
        (1.5, "1.5"),
        (True, "true"),
        (False, "false"),
        (10**30, "1" + "0" * 30),
    ],
)
def test_the_text_of_values(value: Any, text: str | None) -> None:
    """Contract 2.2: null and the empty text clear a field; numbers and booleans are stored as their text."""
    assert text_of(value) == text


@pytest.mark.parametrize(
    ("element", "value"),
    [
        ("<a:Value/>", None),
        ("", None),
        ('<a:Value i:nil="true"/>', None),
        ("<a:Value>text</a:Value>", "text"),
        ('<a:Value i:type="x:string"> 7 </a:Value>', " 7 "),
        ('<a:Value i:type="x:string"/>', ""),
        ('<a:Value i:type="x:int">7</a:Value>', 7),
        ('<a:Value i:type="x:long">-9000000000</a:Value>', -9000000000),
        ('<a:Value i:type="x:double">1.5</a:Value>', 1.5),
        ('<a:Value i:type="x:boolean">true</a:Value>', True),
        ('<a:Value i:type="x:boolean">0</a:Value>', False),
        ('<a:Value i:type="x:dateTime">2026-01-15T10:00:00</a:Value>', "2026-01-15T10:00:00"),
        (f'<b:Value xmlns:b="{VALUES}" xmlns:s="http://www.w3.org/2001/XMLSchema" i:type="s:int">7</b:Value>', 7),
        ('<a:Value i:type="int">7</a:Value>', "7"),
    ],
)
def test_values_in_xml(element: str, value: object) -> None:
    """Contract 2.3: types are known by their namespace."""
    found = read(xml_contact(element), Media.XML).values["F"]
    assert found == value
    assert type(found) is type(value)


@pytest.mark.parametrize(
    "element",
    [
        '<a:Value i:type="x:int">seven</a:Value>',
        '<a:Value i:type="x:int">٣</a:Value>',
        '<a:Value i:type="x:double">1e999</a:Value>',
        '<a:Value i:type="x:boolean">maybe</a:Value>',
        "<a:Value><a:Key/></a:Value>",
        f"<a:Value>{'x' * (VALUE_LENGTH + 1)}</a:Value>",
    ],
)
def test_wrong_values_in_xml(element: str) -> None:
    """Contract 2.2 and 2.3: 417."""
    with pytest.raises(Invalid):
        read(xml_contact(element), Media.XML)


@pytest.mark.parametrize(
    "document",
    [
        "",
        "<Contact",
        "<Contact/>",
        xml_contact("", root="urn:other"),
        '<!DOCTYPE Contact [<!ENTITY a "a">]>' + xml_contact("<a:Value>&a;</a:Value>"),
        "<a>" * 10_000,
        xml_contact("<a:Value>" + "<a:x/>" * MOST_ELEMENTS + "</a:Value>"),
    ],
)
def test_wrong_documents(document: str) -> None:
    """Contract 2.3 and 9: another root, a DTD, what is no XML, or has more elements than a contact needs."""
    with pytest.raises(BadXml):
        read(document, Media.XML)


@pytest.mark.parametrize(
    "body",
    [
        "",
        "nothing",
        "[]",
        "7",
        "null",
        '{"Values":[]}',
        '{"Values":"x"}',
        '{"Values":{"F":[]}}',
        '{"Values":{"F":{"a":1}}}',
        '{"Values":{"F":NaN}}',
        '{"Values":{"F":1e400}}',
        '{"Values":{"F":"a\\u0000"}}',
        '{"Values":{"F":"\\ud800"}}',
        '{"Values":{"F\\u0000":1}}',
        '{"EncContactId":7,"Values":{"F":1}}',
        '{"Values":{"F":%s}}' % ("9" * 5000),
        '{"Values":{"F":"%s"}}' % ("x" * (VALUE_LENGTH + 1)),
        '{"Values":' + "[" * 100_000,
        '{"Values":{"F":1}',
    ],
)
def test_wrong_json(body: str) -> None:
    """Contract 2.2, 9 and 10: 417."""
    with pytest.raises(Invalid):
        read(body)
    with pytest.raises(Invalid):
        submitted.contact(Media.JSON, b"\xff" + body.encode())


def test_other_members_are_ignored() -> None:
    """Contract 2.1."""
    body = '{"id":9,"ValidationWarnings":["x"],"Foo":{},"listid":8,"ENCCONTACTID":"e","vAlUeS":{"F":1}}'
    assert read(body) == Submitted("e", {"F": 1})
    assert read('{"values":{"F":1},"Values":{"F":2}}') == Submitted(None, {"F": 2})


def test_patch_takes_a_bare_object_too() -> None:
    """Contract 5."""
    for body in ('{"Values":{"F":"x"}}', '{"F":"x"}'):
        assert submitted.contact_or_values(Media.JSON, body.encode()).values == {"F": "x"}


def test_contacts_of_an_import() -> None:
    """Contract 8: an array, or ArrayOfContact."""
    one = SEED_XML.removesuffix("\n")
    array = (
        f'<ArrayOfContact xmlns="http://schemas.datacontract.org/2004/07/W50API.Models.DTO">{one}{one}</ArrayOfContact>'
    )
    assert submitted.contacts(Media.XML, array.encode(), 2) == [SEED, SEED]
    assert submitted.contacts(Media.JSON, f"[{SEED_JSON},{SEED_JSON}]".encode(), 2) == [SEED, SEED]
    for media, body in ((Media.XML, array), (Media.JSON, f"[{SEED_JSON},{SEED_JSON}]")):
        with pytest.raises(Invalid, match="At most 1 contacts"):
            submitted.contacts(media, body.encode(), 1)
    with pytest.raises(Invalid):
        submitted.contacts(Media.JSON, b"{}", 1)


def test_the_fields_that_an_import_announces() -> None:
    """Contract 8: the create request, as JSON and as XML."""
    assert submitted.field_names(Media.JSON, b'{"fieldnames":["Email","FirstName"]}') == ["Email", "FirstName"]
    document = (
        '<ImportJobCreateRequest xmlns="http://schemas.datacontract.org/2004/07/W50API.Controllers">'
        f'<FieldNames xmlns:a="{VALUES}"><a:string>Email</a:string><a:string>FirstName</a:string></FieldNames>'
        "</ImportJobCreateRequest>"
    )
    assert submitted.field_names(Media.XML, document.encode()) == ["Email", "FirstName"]
    for body in (b"{}", b'{"FieldNames":[]}', b'{"FieldNames":"Email"}', b'{"FieldNames":[7]}', b"[]"):
        with pytest.raises(Invalid):
            submitted.field_names(Media.JSON, body)


SCALARS = st.none() | st.booleans() | st.integers(-(10**20), 10**20) | st.floats(allow_nan=False, allow_infinity=False)
TEXTS = st.text(st.characters(codec="utf-8", exclude_characters="\0\r", exclude_categories=["Cs", "Cc"]), max_size=20)


@given(values=st.dictionaries(TEXTS.filter(bool), SCALARS | TEXTS, max_size=5), media=st.sampled_from(list(Media)))
def test_what_is_written_is_read_back(values: dict[str, Any], media: Media) -> None:
    """Contract 2.3: the same contact in all five; XML cannot tell a few characters."""
    speakable = {
        name: value for name, value in values.items() if not _is_unspeakable(name) and not _is_unspeakable(value)
    }
    shown = Contact(ENC_ID, 7, 3, speakable)
    found = submitted.contact(media, written(shown, media))
    assert found.enc_id == ENC_ID
    assert {name: text_of(value) for name, value in found.values.items()} == {
        name: text_of(value) for name, value in speakable.items()
    }


def _is_unspeakable(value: object) -> bool:
    return isinstance(value, str) and any(character in "\ufffe\uffff" for character in value)


@given(st.text(max_size=40) | st.recursive(SCALARS, lambda inner: st.dictionaries(st.text(), inner)).map(json.dumps))
def test_whatever_comes_is_read_or_refused(body: str) -> None:
    """Contract 9."""
    for media in Media:
        try:
            submitted.contact(media, body.encode(errors="surrogatepass"))
        except (Invalid, BadXml):
            continue


blanks = st.text(" \t\r\n", max_size=3)


@given(names=st.lists(st.text('a, ]}"\\ä', max_size=5)), blank=blanks)
def test_an_array_is_read_item_by_item(names: list[str], blank: str) -> None:
    items = [json.dumps({"Values": {"F": name or None}}, indent=1) for name in names]
    body = blank + "[" + blank + f"{blank},{blank}".join(items) + blank + "]" + blank
    read = submitted.contacts(Media.JSON, body.encode(), len(names))
    assert [each.values for each in read] == [{"F": name or None} for name in names]


@pytest.mark.parametrize("body", ["", "[", "[,]", "[{},]", "[{}", "[{} {}]", "[{}]]", "[{}],", "[{},{]", "[" * 100_000])
def test_what_is_no_array(body: str) -> None:
    with pytest.raises(Invalid):
        submitted.contacts(Media.JSON, body.encode(), 10)


def test_no_more_is_read_of_an_array_than_may_be_sent() -> None:
    with pytest.raises(Invalid, match="At most 1 contacts"):
        submitted.contacts(Media.JSON, b"[{},{},broken", 1)


def test_a_contact_of_many_is_no_longer_than_one_alone() -> None:
    """What reads JSON holds everybody up until the item is read."""
    short, long = ('{"Values":{},"x":"%s"}' % ("x" * size) for size in (100_000, 2**20))
    assert len(submitted.contacts(Media.JSON, f"[{short}]".encode(), 1)) == 1
    with pytest.raises(Invalid, match="has more than 1,048,576 characters"):
        submitted.contacts(Media.JSON, f"[{long}]".encode(), 1)
