"""Contacts as answers tell of them (contract greenrope.md 3, 6.1.3). What has no value is an empty element."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from decimal import Decimal

from api.greenrope.answers import Listed, Members, Record
from api.greenrope.properties import ADDRESS, COLUMNS, FIRST_TEXTS, LAST_TEXTS, PHONES, PROFILE
from api.greenrope.values import written_time
from engine.contacts import record
from engine.contacts.reading import Contact
from engine.contacts.record import Row
from engine.database import Transaction
from engine.fields import Field, with_values
from engine.sets.catalog import SetKind
from engine.sets.reading import MemberOf


@dataclass(frozen=True, slots=True)
class Shape:
    """What must be known to tell of an account's contacts. fields: by their numbers as stored values have them."""

    account_id: int
    fields: Mapping[str, Field]
    with_scores: bool = False

    @classmethod
    async def of(cls, tx: Transaction, *, with_scores: bool) -> "Shape":
        fields = {str(field.field_no): field for field in await with_values(tx)}
        return cls(tx.account_id, fields, with_scores)


def in_full(contact: Contact, shape: Shape) -> Record:
    """A contact with all that belongs to it, in the order of contract 3."""
    row = record.of(contact.row)
    texts = _texts(row)
    return Record(
        (
            ("Contact_id", str(row["contact_no"])),
            *((name, texts.get(name, "")) for name in FIRST_TEXTS),
            ("Unsubscribed", "1" if row["permission"] == "unsubscribed" else "0"),
            ("CreatedDatetime", written_time(row["created_at"])),
            ("UpdatedTimeStamp", written_time(row["updated_at"])),
            ("Birthdate", _birthdate(row)),
            *((name, texts.get(name, "")) for name in LAST_TEXTS),
            ("AccountNumber", str(shape.account_id)),
            ("UserDefinedFields", Listed("UserDefinedField", list(_values(row, shape.fields)))),
            ("Groups", Listed("Group", [Record(_group(each)) for each in contact.sets(SetKind.LIST)])),
            ("Tags", Listed("Tag", [_tag(each) for each in contact.sets(SetKind.TAG)])),
            *(_scores(row) if shape.with_scores else ()),
            (
                "SecondaryCompanies",
                Listed("SecondaryCompany", [_company(each) for each in contact.sets(SetKind.COMPANY)]),
            ),
        )
    )


def found(contact: Contact) -> Record:
    """A contact as a search tells of it (contract 6.1.3)."""
    row = record.of(contact.row)
    texts = _texts(row)
    names = ("Firstname", "Lastname", "Phone", "Mobile", "Email")
    return Record((("ID", str(row["contact_no"])), *((name, texts.get(name, "")) for name in names)))


def _group(member_of: MemberOf) -> Members:
    """Under both pairs of names that clients know (contract 3.2)."""
    number, name = str(member_of.set_no), member_of.name
    return ("Group_id", number), ("GroupName", name), ("ID", number), ("Name", name)


def _texts(row: Row) -> dict[str, str]:
    """What there is of the elements that are one text each, by element."""
    profile, [address, *_] = row.get("profile") or {}, row.get("street_addresses") or [{}]
    phones = {each["kind"]: each["phone_number"] for each in reversed(row.get("phone_numbers") or [])}
    texts = {name: row.get(column) for name, column in COLUMNS.items()}
    texts |= {name: address.get(part) for name, part in ADDRESS.items()}
    texts |= {name: phones.get(kind) for name, kind in PHONES.items()}
    texts |= {name: profile.get(name_there) for name, name_there in PROFILE.items()}
    texts |= {"Email": row.get("email"), "Notes": next((note["content"] for note in row.get("notes") or ()), None)}
    return {name: str(text) for name, text in texts.items() if text is not None}


def _birthdate(row: Row) -> str:
    """As it was given; without a year, as others may give it, that is 0000."""
    if row["birthday_month"] is None:
        return ""
    return f"{row['birthday_year'] or 0:04}{row['birthday_month']:02}{row['birthday_day']:02}"


def _values(row: Row, fields: Mapping[str, Field]) -> Iterator[Record]:
    """The values of fields that there are, by the field's number (contract 3.1)."""
    for number, value in sorted((row.get("custom_values") or {}).items(), key=lambda item: int(item[0])):
        if number in fields:
            yield Record(
                (
                    ("UserFieldID", number),
                    ("FieldName", fields[number].label),
                    ("FieldValue", _value(fields[number], value)),
                )
            )


def _value(field: Field, value: str) -> str:
    """Days are stored as 2026-01-15, if they came by a way that knows what they are."""
    is_day = field.type == "date" and len(value) == len("2026-01-15") and value[4] == value[7] == "-"
    return value.replace("-", "") if is_day else value


def _tag(tag: MemberOf) -> Record:
    return Record((("TagID", str(tag.set_no)), ("TagName", tag.name), ("Abbreviation", tag.abbreviation or "")))


def _company(company: MemberOf) -> Record:
    return Record((("CompanyID", str(company.set_no)), ("CompanyName", company.name)))


def _scores(row: Row) -> Members:
    return (
        ("DemographicLeadScore", _score(row["demographic_score"])),
        ("ActivityLeadScore", _score(row["activity_score"])),
    )


def _score(score: Decimal | None) -> str:
    """Without zeros at its end; empty as long as nothing was worked out."""
    text = "" if score is None else f"{score:f}"
    return text.rstrip("0").rstrip(".") if "." in text else text
