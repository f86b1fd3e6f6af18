"""Contacts and custom fields as they are told (contract ivvy.md 9)."""

import json
from collections.abc import Mapping, Sequence
from contextlib import suppress
from datetime import datetime
from typing import Any

from api.ivvy.times import plain_timestamp, timestamp
from engine.contacts.reading import Contact
from engine.contacts.record import PLAIN_PHONE
from engine.days import parse_day
from engine.fields import COMMA, Field, Type
from engine.sets.catalog import SetKind

#: By the contact's permission to be mailed; 4 is "registering".
STATUSES: Mapping[str, int] = {
    "implicit": 1,
    "explicit": 1,
    "unsubscribed": 2,
    "temp_hold": 3,
    "pending_confirmation": 4,
    "not_set": 5,
}
#: Of who has said nothing of text messages: no marketing.
NO_SMS_STATUS = 4

#: Names of further properties, as contacts are stored with them.
EXTERNAL_ID, EXTERNAL_URLS = "external_id", "external_urls"
SMS_STATUS, PRIVACY_CONSENT = "sms_status", "privacy_consent"

FIELD_TYPES: Mapping[Type, int] = {
    "string": 0,
    "email": 0,
    "mobile": 0,
    "text": 1,
    "choice": 2,
    "boolean": 2,
    "choices": 3,
    "address": 4,
    "date": 5,
    "file": 6,
    "static": 7,
    "number": 8,
}
#: The possible values of fields that say none because of their type.
BOOLEANS = ("true", "false")

#: When a contact joined a set, by the numbers of both.
Joined = Mapping[tuple[int, int], datetime]


def names(contact: Contact) -> dict[str, object]:
    """Who the contact is."""
    row = contact.row
    return {
        "id": row["contact_no"],
        "firstName": row["first_name"],
        "lastName": row["last_name"],
        "email": row["email"],
        "phone": _phone(contact),
    }


def status(contact: Contact) -> dict[str, object]:
    """Whether the contact wants to be written to (contract ivvy.md 9.1)."""
    return {
        "status": STATUSES[contact.row["permission"]],
        "smsStatus": profile(contact).get(SMS_STATUS, NO_SMS_STATUS),
    }


def details(
    contact: Contact, fields: Sequence[Field], companies: Mapping[int, str], joined: Joined
) -> dict[str, object]:
    """What both a single contact and one of a list tell beside names (contract ivvy.md 9.2 and 9.3).

    companies: their names by number.
    """
    row = contact.row
    of_companies = [each.set_no for each in contact.sets(SetKind.COMPANY)]
    return {
        "customFields": custom_fields(contact, fields),
        "groups": [_group(row["contact_no"], each.set_no, joined) for each in contact.sets(SetKind.LIST)],
        "companies": of_companies,
        "companiesData": [{"id": number, "businessName": companies[number]} for number in of_companies],
        "externalId": profile(contact).get(EXTERNAL_ID),
        "modifiedDate": timestamp(row["updated_at"]),
        "isAnonymised": False,
        "privacyConsentData": profile(contact).get(PRIVACY_CONSENT),
    }


def custom_fields(contact: Contact, fields: Sequence[Field]) -> list[dict[str, object]]:
    """The values that the contact has of these fields, in their order."""
    values = json.loads(contact.row["custom_values"] or "{}")
    return [
        {"fieldId": each.field_no, "displayName": each.label, "value": _value(each.type, values[str(each.field_no)])}
        for each in fields
        if str(each.field_no) in values
    ]


def definition(field: Field, place: int) -> dict[str, object]:
    """A custom field (contract ivvy.md 9.4)."""
    values = BOOLEANS if field.type == "boolean" else field.values()
    return {
        "fieldId": field.field_no,
        "fieldType": FIELD_TYPES[field.type],
        "displayName": field.label,
        "isRequired": field.required,
        "isActive": True,
        "sortOrder": place if field.position is None else field.position,
        "selectValues": list(values) or None,
        "fileTypes": None,
    }


def profile(contact: Contact) -> Mapping[str, Any]:
    """The contact's further properties."""
    return json.loads(contact.row["profile"] or "{}")  # type: ignore[no-any-return]


def _phone(contact: Contact) -> str | None:
    phones = json.loads(contact.row["phone_numbers"] or "[]")
    return next((each["phone_number"] for each in phones if each["kind"] == PLAIN_PHONE), None)


def _group(contact_no: int, group: int, joined: Joined) -> dict[str, object]:
    at = joined.get((group, contact_no))
    return {"contactId": contact_no, "groupId": group, "joinDate": at and plain_timestamp(at)}


def _value(type_: Type, stored: str) -> object:
    """The value as a client sends it; one that another format has stored in a way of its own is told as it is."""
    match type_:
        case "choices":
            return stored.split(COMMA)
        case "date":
            with suppress(ValueError):
                return parse_day(stored).isoformat()
        case "address" | "number":
            with suppress(ValueError):
                return json.loads(stored)
    return stored
