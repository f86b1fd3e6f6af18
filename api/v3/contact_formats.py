"""Contacts as v3 shows them (contract v3.md 2.1). What has no value is left out, what was not asked for as well."""

import json
from collections.abc import Callable, Collection, Mapping
from datetime import UTC, datetime
from typing import Any
from uuid import UUID

from api.answers import time
from api.v3.formats import Json, add_times
from engine.contacts import Contact


def contact(contact: Contact, include: Collection[str], field_ids: Mapping[int, UUID]) -> Json:
    """Contract 2.1.1; of the sub-resources those to include. field_ids: ids of custom fields by number."""
    row = contact.row
    shown: Json = {"contact_id": row["contact_id"]}
    if row["email"] is not None:
        shown["email_address"] = _email_address(row)
    shown |= {name: row[name] for name in PLAIN if row[name] is not None}
    if row["anniversary"] is not None:
        shown["anniversary"] = row["anniversary"].isoformat()
    add_times(shown, {"created_at": row["created_at"], "updated_at": row["updated_at"]})
    if row["deleted_at"] is not None:
        shown["deleted_at"] = row["deleted_at"].date().isoformat()
    for name in include:
        shown |= SUB_RESOURCES[name](contact, field_ids)
    return shown


def _email_address(row: Any) -> Json:
    """Contract 2.1.2."""
    shown: Json = {"address": row["email"], "permission_to_send": row["permission"]}
    shown |= {name: row[name] for name in EMAIL_PLAIN if row[name] is not None}
    times = {"created_at": "email_created_at", "updated_at": "email_updated_at"}
    add_times(shown, {name: row[times.get(name, name)] for name in EMAIL_TIMES})
    return shown


#: Properties of a contact, and of its e-mail, that are shown as they are stored.
PLAIN = (
    "first_name",
    "last_name",
    "job_title",
    "company_name",
    "birthday_month",
    "birthday_day",
    "create_source",
    "update_source",
)
EMAIL_PLAIN = ("opt_in_source", "opt_out_source", "opt_out_reason", "confirm_status")
EMAIL_TIMES = ("created_at", "updated_at", "opt_in_date", "opt_out_date")


def _custom_fields(contact: Contact, field_ids: Mapping[int, UUID]) -> Json:
    values = json.loads(contact.row["custom_values"] or "{}")
    return {
        "custom_fields": [
            {"custom_field_id": field_ids[int(number)], "value": value}
            for number, value in values.items()
            if int(number) in field_ids
        ]
    }


def _entries(name: str) -> "SubResource":
    def entries(contact: Contact, _: Mapping[int, UUID]) -> Json:
        return {name: [_entry(entry) for entry in json.loads(contact.row[name] or "[]")]}

    return entries


def _entry(entry: Mapping[str, Any]) -> Json:
    """A stored entry of a sub-resource, its times in our style."""
    shown = {name: value for name, value in entry.items() if value is not None}
    for name in ("created_at", "updated_at"):
        if name in shown:
            shown[name] = time(datetime.fromisoformat(shown[name]).astimezone(UTC))
    return shown


def _notes(contact: Contact, _: Mapping[int, UUID]) -> Json:
    """Newest first."""
    notes = json.loads(contact.row["notes"] or "[]")
    return {"notes": [_entry(note) for note in sorted(notes, key=lambda note: note["created_at"], reverse=True)]}


def _sms_channel(contact: Contact, _: Mapping[int, UUID]) -> Json:
    stored = contact.row["sms_channel"]
    return {"sms_channel": json.loads(stored)} if stored else {}


def _list_memberships(contact: Contact, _: Mapping[int, UUID]) -> Json:
    return {"list_memberships": [member_of["set_id"] for member_of in contact.lists]}


def _taggings(contact: Contact, _: Mapping[int, UUID]) -> Json:
    return {"taggings": [member_of["set_id"] for member_of in contact.tags]}


SubResource = Callable[[Contact, Mapping[int, UUID]], Json]

#: What `include` may name. Asked for but empty is [], except for the channel (contract 2.1.1).
SUB_RESOURCES: Mapping[str, SubResource] = {
    "custom_fields": _custom_fields,
    "phone_numbers": _entries("phone_numbers"),
    "street_addresses": _entries("street_addresses"),
    "list_memberships": _list_memberships,
    "taggings": _taggings,
    "notes": _notes,
    "sms_channel": _sms_channel,
}
