"""The seed's answers, made of what they tell (contract greenrope.md 3, 4, 6.3, 12)."""

import json
from collections.abc import Sequence
from dataclasses import replace
from datetime import UTC, datetime
from decimal import Decimal
from typing import Any
from uuid import UUID

import pytest
from lxml import etree

from api.greenrope import contact_records, user_fields, writing
from api.greenrope.answers import SUCCESS, Listed, Record, Xml
from api.greenrope.contact_records import Shape
from api.greenrope.properties import ADDRESS, COLUMNS, PHONES, PROFILE
from api.greenrope.requests import Item
from api.greenrope.submitted import Birthdate
from api.greenrope.values import Attributes
from api.xml import Element
from engine.contacts.reading import Contact
from engine.errors import EmailTaken
from engine.fields import Choice, Field
from engine.sets.reading import MemberOf
from tests.greenrope_examples import canonical, examples

NOBODY = UUID(int=0)
TIME = datetime(2012, 8, 29, 12, 34, 56, tzinfo=UTC)
SEEDS = etree.fromstring(examples("seed", "GetContactsResponse")[0])


def field(number: int, label: str, **said: Any) -> Field:
    return Field(number, NOBODY, label, label.replace(" ", "_"), "text", TIME, TIME, **said)


def members(told: Element, path: str, kind: str, number: Sequence[str], name: Sequence[str]) -> list[MemberOf]:
    """The sets of a kind that a contact of the seed is in; numbers and names stand under one of several names."""
    return [
        MemberOf(
            kind,
            int(next(filter(None, map(each.findtext, number)))),
            NOBODY,
            next(filter(None, map(each.findtext, name))),
            each.findtext("Abbreviation"),
        )
        for each in told.findall(path)
    ]


def contact(told: Element, number: int) -> Contact:
    """A contact as it is stored, of which the seed tells this."""
    said = {str(child.tag): child.text or "" for child in told}
    day = Birthdate.parse(said["Birthdate"])
    row = {
        "contact_no": number,
        "permission": "unsubscribed" if said["Unsubscribed"] == "1" else "implicit",
        "created_at": datetime.fromisoformat(said["CreatedDatetime"]).replace(tzinfo=UTC),
        "updated_at": datetime.fromisoformat(said["UpdatedTimeStamp"]).replace(tzinfo=UTC),
        "email": said["Email"],
        **{column: said[name] for name, column in COLUMNS.items()},
        "birthday_year": day.year,
        "birthday_month": day.month,
        "birthday_day": day.day,
        "demographic_score": Decimal(said["DemographicLeadScore"] + ".0"),
        "activity_score": None,
        "sms_channel": None,
        "profile": json.dumps({there: said[name] for name, there in PROFILE.items()}),
        "street_addresses": json.dumps([{part: said[name] for name, part in ADDRESS.items()}]),
        "phone_numbers": json.dumps([{"kind": kind, "phone_number": said[name]} for name, kind in PHONES.items()]),
        "notes": json.dumps([{"content": said["Notes"]}]),
        "custom_values": json.dumps(
            {each.findtext("UserFieldID"): each.findtext("FieldValue") for each in told.iter("UserDefinedField")}
        ),
    }
    row["activity_score"] = Decimal(said["ActivityLeadScore"])
    sets = [
        *members(told, "Groups/Group", "list", ("Group_id", "ID"), ("GroupName", "Name")),
        *members(told, "Tags/Tag", "tag", ("TagID",), ("TagName",)),
        *members(told, "SecondaryCompanies/SecondaryCompany", "company", ("CompanyID",), ("CompanyName",)),
    ]
    return Contact(row, sets)  # type: ignore[arg-type]


def as_contract(told: Element, number: int) -> Element:
    """What the contract makes of the seed's contact: always a number, groups under both pairs of names (3, 3.2)."""
    told = etree.fromstring(etree.tostring(told))
    if told.find("Contact_id") is None:
        etree.SubElement(told, "Contact_id").text = str(number)
    for group in told.findall("Groups/Group"):
        set_no, name = (each.text for each in group)
        for child in list(group):
            group.remove(child)
        for child_name, text in (("Group_id", set_no), ("GroupName", name), ("ID", set_no), ("Name", name)):
            etree.SubElement(group, child_name).text = text
    return told


@pytest.mark.parametrize(("nth", "number"), [(0, 8923), (1, 8924)])
def test_the_seeds_contacts(nth: int, number: int) -> None:
    """Contract 3 and 12: element for element; the second in the order of the first."""
    told = SEEDS.findall("Contacts/Contact")[nth]
    fields = {
        each.findtext("UserFieldID") or "": field(0, each.findtext("FieldName") or "")
        for each in told.iter("UserDefinedField")
    }
    record = contact_records.in_full(contact(told, number), Shape(91234, fields, with_scores=True))
    [written] = etree.fromstring(Xml().whole("R", Record((("Contact", record),))))
    expected = as_contract(told, number)
    if nth == 0:
        assert canonical(etree.tostring(written)) == canonical(etree.tostring(expected))
    assert sorted(map(canonical, map(etree.tostring, written))) == sorted(map(canonical, map(etree.tostring, expected)))


def test_what_there_is_nothing_of() -> None:
    """Contract 2 and 4: elements are there and empty; scores only when they are asked for."""
    row = dict.fromkeys(
        ("birthday_month", "custom_values", "phone_numbers", "street_addresses", "notes", "sms_channel", "profile")
    ) | {"contact_no": 1, "permission": "implicit", "created_at": TIME, "updated_at": TIME, "demographic_score": None}
    row["activity_score"] = None
    empty = Contact(row)  # type: ignore[arg-type]
    plain = dict(contact_records.in_full(empty, Shape(1, {})).members)
    assert {name: value for name, value in plain.items() if isinstance(value, str) and value} == {
        "Contact_id": "1",
        "Unsubscribed": "0",
        "CreatedDatetime": "2012-08-29 12:34:56",
        "UpdatedTimeStamp": "2012-08-29 12:34:56",
        "AccountNumber": "1",
    }
    scored = dict(contact_records.in_full(empty, Shape(1, {}, with_scores=True)).members)
    assert (scored["DemographicLeadScore"], "DemographicLeadScore" in plain) == ("", False)


def test_the_seeds_fields() -> None:
    """Contract 6.3 and the seed: the answer as it stands."""

    def choices(*values: str) -> tuple[Choice, ...]:
        return tuple(Choice(number, value) for number, value in enumerate(values, 1))

    animal = field(93, "Favorite Animal", set_no=2, choices=choices("Dog", "Cat", "Monkey"), editability="editable")
    fruits = field(154, "Fruits", set_no=5, choices=choices("Apple", "Orange", "Banana"), editability="visible")
    told = [
        user_fields._told(replace(animal, type="choices", updated_at=datetime(2012, 12, 6, 10, 52, 17, tzinfo=UTC))),
        user_fields._told(replace(fruits, type="choice", updated_at=datetime(2012, 12, 6, 14, 59, 29, tzinfo=UTC))),
    ]
    answer = Record((SUCCESS, ("UserDefinedFields", Listed("UserDefinedField", told))))
    [expected] = examples("seed", "GetUserDefinedFieldsResponse")
    assert canonical(Xml().whole("GetUserDefinedFieldsResponse", answer)) == canonical(expected)


def test_the_contracts_answer_of_adding() -> None:
    """Contract 5.2: one is written, the address of the other is taken."""
    [expected] = examples("contract", "AddContactsResponse")
    added = (SUCCESS, ("AccountNumber", "91234"), ("Contact_id", "8984"), ("UpdatedTimeStamp", "2026-01-15 10:00:00"))
    asked = [Item(etree.Element("Contact"), Attributes({"request_id": f"r-{nth}"})) for nth in (1, 2)]
    told = writing.answer(asked, [added, writing.refused(EmailTaken("", 8102))])
    assert canonical(Xml().whole("AddContactsResponse", told)) == canonical(expected)
