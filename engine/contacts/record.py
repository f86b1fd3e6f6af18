"""A contact's row as a value: made, changed and read without a database.

Rows are mappings of column to value, as the table has them, with JSON columns as Python values. Nothing here changes a
row that it was given.
"""

import json
from collections.abc import Mapping, Sequence
from datetime import datetime, timedelta
from typing import Any, Literal, NamedTuple, TypeVar
from uuid import UUID, uuid4

import asyncpg

from engine.emails import email_key
from engine.sets.system import ACTIVE, EXISTS, UNSUBSCRIBED

Party = Literal["Account", "Contact"]
Permission = Literal["implicit", "explicit", "pending_confirmation", "unsubscribed", "temp_hold", "not_set"]
Row = dict[str, Any]

#: The properties that are one column each.
CORE = (
    "first_name",
    "last_name",
    "job_title",
    "company_name",
    "birthday_month",
    "birthday_day",
    "anniversary",
)
JSON_COLUMNS = ("profile", "custom_values", "phone_numbers", "street_addresses", "notes", "sms_channel")
#: What `lock_contacts` tells beside a contact.
BESIDE = frozenset({"locked_at", "last_sequence", "unfinished", "masked"})
#: The kind of a phone number that is given without one.
PLAIN_PHONE = "other"
#: The permissions under which a contact may be mailed (contract v3.md 2.1.8, `active`).
MAILABLE = ("implicit", "explicit")


class Phone(NamedTuple):
    """A phone number as it is given."""

    kind: str
    phone_number: str


class Address(NamedTuple):
    """A street address as it is given; None is a part that it does not have."""

    kind: str
    street: str | None = None
    city: str | None = None
    state: str | None = None
    postal_code: str | None = None
    country: str | None = None


class Note(NamedTuple):
    """A note as it is given: with the id of a stored one it takes its place."""

    content: str
    note_id: UUID | None = None


Given = TypeVar("Given", Phone, Address)


def of(record: asyncpg.Record) -> Row:
    """The row of a record, of whose columns those of the table count."""
    row = {name: value for name, value in record.items() if name not in BESIDE}
    return row | {name: json.loads(row[name]) for name in JSON_COLUMNS if row[name] is not None}


def new(account_id: int, contact_no: int, source: Party, now: datetime) -> Row:
    """A new contact without properties, whom nobody may mail yet."""
    return {
        "account_id": account_id,
        "contact_no": contact_no,
        "contact_id": uuid4(),
        "email_ordinal": 0,
        "permission": "not_set",
        "confirm_status": "off",
        "opt_in_source": source,
        "create_source": source,
        "created_at": now,
        "updated_at": now,
    }


def system_sets(row: Mapping[str, Any]) -> frozenset[int]:
    """The system sets that the contact belongs to as it is."""
    if row.get("deleted_at") is not None:
        return frozenset()
    sets = {EXISTS}
    if row["permission"] in MAILABLE:
        sets.add(ACTIVE)
    if row["permission"] == "unsubscribed":
        sets.add(UNSUBSCRIBED)
    return frozenset(sets)


def with_email(row: Row, email: str, now: datetime) -> Row:
    """The contact with this address; as the first who has it, unless it is only spelled another way."""
    key = email_key(email)
    ordinal = row["email_ordinal"] if key == row.get("email_key") else 0
    times = {"email_created_at": row.get("email_created_at") or now, "email_updated_at": now}
    return row | {"email": email, "email_key": key, "email_ordinal": ordinal} | times


def without_email(row: Row) -> Row:
    """The contact without an address."""
    return row | dict.fromkeys(("email", "email_key", "email_created_at", "email_updated_at")) | {"email_ordinal": 0}


def with_properties(row: Row, said: Mapping[str, Any]) -> Row:
    """The contact with these values of columns. The year goes with the birthday that it was given for."""
    changed: Row = {**row, **said}
    if any(changed.get(name) != row.get(name) for name in ("birthday_month", "birthday_day")):
        changed |= {"birthday_year": said.get("birthday_year")}
    return changed


def has_opted_out_itself(row: Row) -> bool:
    """Whether the contact must opt in itself, too: the account cannot have that forgotten (contract v3.md 6, 11)."""
    return bool(row["permission"] == "unsubscribed" and row["opt_out_source"] == "Contact")


def with_permission(row: Row, permission: Permission, by: Party, now: datetime) -> Row:
    """The contact with this permission, and with what follows from it: who opted in or out, and when."""
    before = row["permission"]
    if permission == "unsubscribed":
        return _unsubscribed(row, by, now)
    if before == permission:
        return row
    changed = row | {"permission": permission, "email_updated_at": now}
    if before == "unsubscribed":
        changed |= {"opt_out_source": None, "opt_out_date": None, "opt_out_reason": None, "confirm_status": "off"}
    if _opts_in(row, permission, by):
        changed |= {"opt_in_source": by, "opt_in_date": now}
    return changed | {"confirm_status": _confirmation(changed["confirm_status"], permission)}


def _unsubscribed(row: Row, by: Party, now: datetime) -> Row:
    """Opted out. Whom the account has opted out may do so himself; what he did himself the account cannot take over."""
    if row["permission"] == "unsubscribed" and (by == "Account" or row["opt_out_source"] == "Contact"):
        return row
    opted_out = {"permission": "unsubscribed", "opt_out_source": by, "opt_out_date": now, "email_updated_at": now}
    return row | opted_out | {"confirm_status": _confirmation(row["confirm_status"], "unsubscribed")}


def _opts_in(row: Row, permission: Permission, by: Party) -> bool:
    """Whether the new permission is a new consent, and not only another word for the one there is."""
    if permission not in MAILABLE:
        return False
    return row.get("opt_in_date") is None or row["permission"] not in (*MAILABLE, "temp_hold") or by == "Contact"


def _confirmation(before: str, permission: Permission) -> str:
    if permission == "pending_confirmation":
        return "pending"
    if before == "pending":
        return "confirmed" if permission == "explicit" else "off"
    return before


def deleted(row: Row, now: datetime) -> Row:
    """The contact once it is deleted: opted out by the account, unless it was before (contract v3.md 6, 10)."""
    opt_out = {} if row.get("opt_out_date") else {"opt_out_source": "Account", "opt_out_date": now}
    return row | opt_out | {"deleted_at": now}


def revived(row: Row) -> Row:
    """The contact once it is not deleted any more: what it opted out of itself stays (contract v3.md 6, 10)."""
    opted_in = {} if row["permission"] == "unsubscribed" else {"opt_out_source": None, "opt_out_date": None}
    return row | opted_in | {"deleted_at": None}


def phones(stored: Sequence[Mapping[str, Any]] | None, given: Sequence[Phone], by: Party, now: datetime) -> list[Row]:
    """The given numbers as they are stored: known ones as they were, those of a known kind under its id."""
    made: Row = {"create_source": by, "update_source": by}
    return _entries("phone_number_id", stored or (), given, made, {"update_source": by}, now)


def addresses(stored: Sequence[Mapping[str, Any]] | None, given: Sequence[Address], now: datetime) -> list[Row]:
    """The given addresses as they are stored: known ones as they were, those of a known kind under its id."""
    return _entries("street_address_id", stored or (), given, {}, {}, now)


def notes(stored: Sequence[Mapping[str, Any]] | None, given: Sequence[Note], now: datetime) -> list[Row]:
    """The given notes as they are stored: of several new ones the last is the newest; of one id the last counts."""
    known = {note["note_id"]: note for note in stored or ()}
    made: dict[str, Row] = {}
    for place, note in enumerate(given):
        note_id = str(note.note_id or uuid4())
        fresh = {"note_id": note_id, "created_at": now + timedelta(microseconds=place)}
        made[note_id] = {**known.get(note_id, fresh), "content": note.content}
    return list(made.values())


def _entries(
    id_name: str, stored: Sequence[Mapping[str, Any]], given: Sequence[Given], made: Row, changed: Row, now: datetime
) -> list[Row]:
    left, entries = list(stored), []
    for item in given:
        parts = {name: value for name, value in item._asdict().items() if value is not None}
        same = next((entry for entry in left if _parts(entry, item) == parts), None)
        of_kind = same or next((entry for entry in left if entry["kind"] == item.kind), None)
        if of_kind is not None:
            left.remove(of_kind)
        if same is not None:
            entries.append(dict(same))
        elif of_kind is not None:
            kept = {name: of_kind[name] for name in (id_name, "created_at", "create_source") if name in of_kind}
            entries.append({**kept, **parts, **changed, "updated_at": now})
        else:
            entries.append({id_name: str(uuid4()), **parts, **made, "created_at": now, "updated_at": now})
    return entries


def _parts(entry: Mapping[str, Any], like: Given) -> Row:
    return {name: entry[name] for name in like._fields if entry.get(name) is not None}
