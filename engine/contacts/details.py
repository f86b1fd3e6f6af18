"""What a request says of one contact, and the row that comes of it. No dialect's lengths or words in here."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any
from uuid import UUID

from engine import fields
from engine.contacts import record, sms
from engine.contacts.decisions import ContactWrite, Found
from engine.contacts.record import Address, Note, Party, Permission, Phone, Row
from engine.contacts.sms import Consent
from engine.days import parse_day
from engine.errors import Invalid
from engine.fields import Field


@dataclass(frozen=True, slots=True)
class Details:
    """What is said of a contact. None is not said; an empty collection is none of them.

    core: columns of record.CORE with their values, None to empty one; custom_values: by the id of the field;
    sms_channel: the number and its consents.
    """

    core: Mapping[str, Any] = field(default_factory=dict)
    email: str | None = None
    permission: Permission | None = None
    opt_out_reason: str | None = None
    custom_values: Mapping[UUID, str] | None = None
    phones: Sequence[Phone] | None = None
    addresses: Sequence[Address] | None = None
    notes: Sequence[Note] | None = None
    sms_channel: tuple[str, Sequence[Consent]] | None = None
    list_ids: tuple[UUID, ...] | None = None
    tag_ids: tuple[UUID, ...] | None = None


class DetailedWrite(ContactWrite):
    """A write of details: what they name is what it names."""

    details: Details

    @property
    def emails(self) -> tuple[str, ...]:
        return (self.details.email,) if self.details.email else ()

    @property
    def list_ids(self) -> tuple[UUID, ...]:
        return self.details.list_ids or ()

    @property
    def tag_ids(self) -> tuple[UUID, ...]:
        return self.details.tag_ids or ()

    @property
    def field_ids(self) -> tuple[UUID, ...]:
        return tuple(self.details.custom_values or ())

    def custom_values(self, found: Found) -> Row:
        """The values by field number, as they are stored. Raises Invalid for no date in a date field."""
        given = self.details.custom_values or {}
        return {
            str(found.names.fields[field_id].field_no): _fitting(found.names.fields[field_id], value)
            for field_id, value in given.items()
        }


def _fitting(field: Field, value: str) -> str:
    """The value as it is stored; texts and days as they were given (contract v3.md 2.4)."""
    if field.type != "date":
        return fields.fitting(field, value) if value.strip() else value
    try:
        parse_day(value.strip())
    except ValueError:
        message = "it must be a date such as 2026-01-15"
        raise Invalid(f"custom_fields of {field.name} does not have a valid value: {message}") from None
    return value


def replaced(row: Row, details: Details, by: Party, now: datetime) -> Row:
    """The contact whose e-mail and entries are as said; what is not said stays. Custom values are the writes' own."""
    if details.email is not None and details.email != row.get("email"):
        row = record.with_email(row, details.email, now)
    if details.permission is not None:
        row = record.with_permission(row, details.permission, by, now)
    if details.opt_out_reason is not None and details.opt_out_reason != row.get("opt_out_reason"):
        row = row | {"opt_out_reason": details.opt_out_reason, "email_updated_at": now}
    if details.phones is not None:
        row = row | {"phone_numbers": record.phones(row.get("phone_numbers"), details.phones, by, now)}
    if details.addresses is not None:
        row = row | {"street_addresses": record.addresses(row.get("street_addresses"), details.addresses, now)}
    if details.notes is not None:
        row = row | {"notes": record.notes(row.get("notes"), details.notes, now)}
    if details.sms_channel is not None:
        row = row | {"sms_channel": sms.channel(row.get("sms_channel"), *details.sms_channel, by, now)}
    return row


def insist_on_name(row: Row) -> Row:
    """Raises Invalid when nothing tells who the contact is (contract v3.md 2.1.9)."""
    if any(row.get(name) for name in ("email", "first_name", "last_name", "sms_channel")):
        return row
    raise Invalid("at least one of email_address, first_name, last_name and sms_channel must be given")


def insist_on_consent(row: Row, joins: frozenset[int]) -> None:
    """Raises Invalid when somebody who has unsubscribed would be put on lists (design, "One policy")."""
    if joins and row["permission"] == "unsubscribed":
        raise Invalid("list_memberships does not have a valid value: the contact has unsubscribed, and joins no list")
