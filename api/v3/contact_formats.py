"""Contacts as v3 shows them (contract v3.md 2.1). What has no value is left out, what was not asked for as well."""

import json
from collections.abc import Callable, Collection, Mapping
from datetime import UTC, datetime
from itertools import islice
from typing import Annotated, Any, Literal, NotRequired, Required, get_args
from uuid import UUID

from pydantic import Field
from typing_extensions import TypedDict

from api.answers import Day, Time, time
from api.v3.paging import Page
from engine.contacts.reading import Contact
from engine.contacts.record import Party, Permission
from engine.sets.catalog import SetKind

Kind = Literal["home", "work", "mobile", "other"]
PlaceKind = Literal["home", "work", "other"]
Text50 = Annotated[str, Field(max_length=50)]
Text255 = Annotated[str, Field(max_length=255)]
#: Clients refuse an answer with more of them (contract 1.10, 10): the first are shown.
MOST_VALUES = 25


class EmailAddress(TypedDict, total=False):
    """Contract 2.1.2."""

    address: Required[Annotated[str, Field(max_length=80)]]
    permission_to_send: Required[Permission]
    created_at: Time
    updated_at: Time
    opt_in_source: Party
    opt_in_date: Time
    opt_out_source: Party
    opt_out_date: Time
    opt_out_reason: Text255
    confirm_status: Literal["pending", "confirmed", "off"]


class CustomValue(TypedDict):
    """Contract 2.1.3."""

    custom_field_id: UUID
    value: Text255


class PhoneNumber(TypedDict):
    """Contract 2.1.4."""

    phone_number_id: UUID
    phone_number: Annotated[str, Field(max_length=25)]
    kind: Kind
    created_at: Time
    updated_at: Time
    create_source: Party
    update_source: Party


class StreetAddress(TypedDict, total=False):
    """Contract 2.1.5."""

    street_address_id: Required[UUID]
    kind: Required[PlaceKind]
    street: Text255
    city: Text50
    state: Text50
    postal_code: Text50
    country: Text50
    created_at: Required[Time]
    updated_at: Required[Time]


class Note(TypedDict):
    """Contract 2.1.6."""

    note_id: UUID
    created_at: Time
    content: Annotated[str, Field(max_length=2000)]


class SmsConsent(TypedDict, total=False):
    """Contract 2.1.7."""

    sms_consent_permission: Required[Literal["pending_confirmation", "opt_out", "explicit"]]
    consent_type: Required[Literal["promotional_sms"]]
    opt_in_date: Time
    opt_out_date: Time
    created_at: Required[Time]
    updated_at: Required[Time]
    advertised_frequency: str
    advertised_interval: Literal["daily", "weekly", "monthly"]


class SmsChannel(TypedDict):
    """Contract 2.1.7."""

    sms_channel_id: UUID
    sms_address: str
    dial_code: str
    country_code: str
    create_source: Party
    update_source: Party
    sms_channel_consents: list[SmsConsent]


class ShownContact(TypedDict, total=False):
    """Contract 2.1.1: sub-resources only when they are to be included."""

    contact_id: Required[UUID]
    email_address: EmailAddress
    first_name: Text50
    last_name: Text50
    job_title: Text50
    company_name: Text50
    birthday_month: Annotated[int, Field(ge=1, le=12)]
    birthday_day: Annotated[int, Field(ge=1, le=31)]
    anniversary: Day
    create_source: Party
    update_source: Party
    created_at: Required[Time]
    updated_at: Required[Time]
    deleted_at: Day
    custom_fields: Annotated[list[CustomValue], Field(max_length=MOST_VALUES)]
    phone_numbers: Annotated[list[PhoneNumber], Field(max_length=3)]
    street_addresses: Annotated[list[StreetAddress], Field(max_length=3)]
    list_memberships: list[UUID]
    taggings: list[UUID]
    notes: Annotated[list[Note], Field(max_length=150)]
    sms_channel: SmsChannel


class CreatedOrUpdated(TypedDict):
    """Contract 2.1.13."""

    contact_id: UUID
    action: Literal["created", "updated"]


class ContactXref(TypedDict):
    sequence_id: str
    contact_id: UUID


class ContactXrefs(TypedDict):
    """Contract 2.1.14."""

    xrefs: Annotated[list[ContactXref], Field(max_length=500)]


class ContactCounts(TypedDict):
    """Contract 2.1.15."""

    total: int
    explicit: int
    implicit: int
    pending: int
    unsubscribed: int
    new_subscriber: NotRequired[int]


class SmsHistoryDetails(TypedDict, total=False):
    """Contract 2.1.16."""

    state: Literal["E", "O"]
    source: Literal["A", "C", "S"]
    consent_type: Literal["promotional_sms", "transactional_sms"]
    consent_action_time: Time
    consent_action_type: Literal[
        "opt_out", "re_opt_in", "delete", "confirmed_opt_in", "deactivate", "suspend", "resubscribe"
    ]
    consent_medium_type: Literal["MD", "LF", "CD", "FI", "SY"]
    source_consent_timestamp: Time
    source_ip: str
    source_sms_number: str
    advertised_frequency: int
    advertised_interval: Literal["M", "D", "W"]


class SmsHistory(TypedDict):
    """Contract 2.1.16: nothing of it is recorded here."""

    contact_id: UUID
    sms_channel_id: UUID
    sms_channel_history_id: UUID
    insert_time: Time
    history_details: SmsHistoryDetails


class ContactPage(Page, total=False):
    contacts: Required[list[ShownContact]]
    contacts_count: int


#: What `include` may name.
Include = Literal[
    "custom_fields",
    "list_memberships",
    "phone_numbers",
    "street_addresses",
    "taggings",
    "notes",
    "sms_channel",
]


def contact(contact: Contact, include: Collection[Include], field_ids: Mapping[int, UUID]) -> ShownContact:
    """Contract 2.1.1; of the sub-resources those to include. field_ids: ids of custom fields by number."""
    row = contact.row
    shown: ShownContact = {
        "contact_id": row["contact_id"],
        "created_at": time(row["created_at"]),
        "updated_at": time(row["updated_at"]),
    }
    if row["email"] is not None:
        shown["email_address"] = _email_address(row)
    for name in PLAIN:
        if row[name] is not None:
            shown[name] = row[name]
    if row["anniversary"] is not None:
        shown["anniversary"] = row["anniversary"].isoformat()
    if row["deleted_at"] is not None:
        shown["deleted_at"] = row["deleted_at"].date().isoformat()
    for sub_resource in include:
        if (content := SUB_RESOURCES[sub_resource](contact, field_ids)) is not None:
            shown[sub_resource] = content
    return shown


def _email_address(row: Any) -> EmailAddress:
    """Contract 2.1.2."""
    shown: EmailAddress = {"address": row["email"], "permission_to_send": row["permission"]}
    for name in EMAIL_PLAIN:
        if row[name] is not None:
            shown[name] = row[name]
    for moment, column in EMAIL_TIMES.items():
        if row[column] is not None:
            shown[moment] = time(row[column])
    return shown


#: Properties of a contact, and of its e-mail, that are shown as they are stored.
Plain = Literal[
    "first_name",
    "last_name",
    "job_title",
    "company_name",
    "birthday_month",
    "birthday_day",
    "create_source",
    "update_source",
]
PLAIN: tuple[Plain, ...] = get_args(Plain)
EmailPlain = Literal["opt_in_source", "opt_out_source", "opt_out_reason", "confirm_status"]
EMAIL_PLAIN: tuple[EmailPlain, ...] = get_args(EmailPlain)
#: Times of an e-mail address by their columns.
EMAIL_TIMES: Mapping[Literal["created_at", "updated_at", "opt_in_date", "opt_out_date"], str] = {
    "created_at": "email_created_at",
    "updated_at": "email_updated_at",
    "opt_in_date": "opt_in_date",
    "opt_out_date": "opt_out_date",
}


def _custom_fields(contact: Contact, field_ids: Mapping[int, UUID]) -> list[CustomValue]:
    values = json.loads(contact.row["custom_values"] or "{}")
    living = (number for number in map(int, values) if number in field_ids)
    return [
        {"custom_field_id": field_ids[number], "value": values[str(number)]} for number in islice(living, MOST_VALUES)
    ]


def _entries(name: str) -> "SubResource":
    def entries(contact: Contact, _: Mapping[int, UUID]) -> list[Any]:
        return [_entry(entry) for entry in json.loads(contact.row[name] or "[]")]

    return entries


def _entry(entry: Mapping[str, Any]) -> Any:
    """A stored entry of a sub-resource, its times in our style."""
    shown = {name: value for name, value in entry.items() if value is not None}
    for name in ENTRY_TIMES:
        if name in shown:
            shown[name] = time(datetime.fromisoformat(shown[name]).astimezone(UTC))
    return shown


#: Times in entries.
ENTRY_TIMES = ("created_at", "updated_at", "opt_in_date", "opt_out_date")


def _notes(contact: Contact, _: Mapping[int, UUID]) -> list[Note]:
    """Newest first."""
    notes = json.loads(contact.row["notes"] or "[]")
    made = {note["note_id"]: datetime.fromisoformat(note["created_at"]) for note in notes}
    return [_entry(note) for note in sorted(notes, key=lambda note: made[note["note_id"]], reverse=True)]


def _sms_channel(contact: Contact, _: Mapping[int, UUID]) -> SmsChannel | None:
    if not contact.row["sms_channel"]:
        return None
    shown: SmsChannel = json.loads(contact.row["sms_channel"])
    shown["sms_channel_consents"] = [_entry(each) for each in shown.get("sms_channel_consents", ())]
    return shown


def _list_memberships(contact: Contact, _: Mapping[int, UUID]) -> list[UUID]:
    return [member_of.set_id for member_of in contact.sets(SetKind.LIST)]


def _taggings(contact: Contact, _: Mapping[int, UUID]) -> list[UUID]:
    return [member_of.set_id for member_of in contact.sets(SetKind.TAG)]


SubResource = Callable[[Contact, Mapping[int, UUID]], Any]

#: Asked for but empty is [], except for the channel, which is absent (contract 2.1.1).
SUB_RESOURCES: Mapping[Include, SubResource] = {
    "custom_fields": _custom_fields,
    "phone_numbers": _entries("phone_numbers"),
    "street_addresses": _entries("street_addresses"),
    "list_memberships": _list_memberships,
    "taggings": _taggings,
    "notes": _notes,
    "sms_channel": _sms_channel,
}
