"""Creating or changing one contact, as much as is said of it: what dialects do that know contacts by their numbers.

What is said of a contact, and what must be so of it before, is in engine/contacts/changes.py.
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import ClassVar
from uuid import UUID

from engine import fields
from engine.contacts import changes, record
from engine.contacts.changes import UNSAID, Changes
from engine.contacts.decisions import Addresses, ContactWrite, Found, Names, Outcome
from engine.contacts.record import Row
from engine.emails import email_key
from engine.errors import EmailTaken, Invalid, MusterError, NotFound, StaleWrite, UnknownField, UnknownTarget
from engine.sets.catalog import SetKind
from engine.sets.naming import SetName

#: The least that times of changes differ in.
MOMENT = timedelta(microseconds=1)


@dataclass(frozen=True, slots=True)
class SaveContact(ContactWrite):
    """Changes the contact with this number, or makes one.

    twins: whether it may have the address of another contact that is not deleted; namesakes: whether a new one may have
    the names of such a one, too; unless_after: the time, in whole seconds, after which it must not have been changed;
    record_id: the id of its activity, so that it is done once only; most: how many sets of a kind the account may have
    when it has made some, else it is refused; calls, calls_on_create: hooks to call once it is
    written, and only if that made it. Who is changed in nothing keeps its time of change.
    """

    kind: ClassVar[str] = "contact_save"
    knows_twins: ClassVar[bool] = True
    unknown_set: ClassVar[type[MusterError]] = UnknownTarget

    number: int | None
    changes: Changes
    twins: bool = False
    namesakes: bool = True
    record_id: UUID | None = None
    unless_after: datetime | None = None
    most: Mapping[SetKind, int] = field(default_factory=dict)
    calls: tuple[int, ...] = ()
    calls_on_create: tuple[int, ...] = ()

    @property
    def contact_no(self) -> int | None:
        return self.number

    @property
    def waits_for_others(self) -> bool:
        """Unless it may have been done before: that does not pass."""
        return self.record_id is None

    @property
    def emails(self) -> tuple[str, ...]:
        return (self.changes.new_email,) if self.changes.new_email else ()

    @property
    def only_name(self) -> tuple[str, str] | None:
        if self.namesakes or self.number is not None:
            return None
        return self._said("first_name"), self._said("last_name")

    def _said(self, column: str) -> str:
        return self.changes.columns.get(column) or ""

    @property
    def set_nos(self) -> frozenset[int]:
        return self.changes.set_nos

    @property
    def needed_sets(self) -> tuple[SetName, ...]:
        return self.changes.joins_named + self.changes.makes

    @property
    def named_sets(self) -> tuple[SetName, ...]:
        return self.changes.leaves_named

    @property
    def most_sets(self) -> Mapping[SetKind, int]:
        return self.most

    @property
    def knows_fields(self) -> bool:
        return bool(self.changes.custom_values)

    def asks(self, names: Names) -> Iterable[str]:
        said = self.changes
        of_lists = {SetKind.LIST for no in said.custom_values if _is_of_list(names, no)}
        of_names = {each.kind for each in (*said.joins_named, *said.leaves_named)}
        return {*said.only, *(names.kinds[set_no] for set_no in said.joins | said.leaves), *of_names, *of_lists}

    def ordinal(self, key: str, addresses: Addresses) -> int | None:
        return addresses.next_ordinal(key) if self.twins or key not in addresses.living else None

    def decide(self, found: Found) -> Outcome:
        joins, leaves = self._turns(found)
        row = self._begun(found)
        row = self._with_email(row, found)
        row = self._with_permission(row, found)
        row = changes.applied(row, self.changes, found.now)
        lists = (found.members_of(SetKind.LIST) | joins) - leaves
        row = self._with_values(row, found, lists)
        if row["permission"] == "unsubscribed" and any(found.names.kinds[no] is SetKind.LIST for no in joins):
            raise Invalid("the contact has unsubscribed, and joins no list")
        if found.row and (row != found.row or joins or leaves):
            row |= {"update_source": "Account", "updated_at": max(found.now, found.row["updated_at"] + MOMENT)}
        return Outcome(row, joins, leaves)

    def _begun(self, found: Found) -> Row:
        """The contact before the changes: a new one, or the stored one if it is as it must be."""
        if self.number is None:
            return record.new(found.account_id, found.contact_no, "Account", found.now)
        if not found.row or found.row["deleted_at"] is not None:
            raise NotFound(f"there is no contact {self.number}")
        changed_at = found.row["updated_at"].replace(microsecond=0)
        if self.unless_after is not None and changed_at > self.unless_after:
            raise StaleWrite(f"the contact was changed at {changed_at.isoformat()}")
        return found.row

    def _turns(self, found: Found) -> tuple[frozenset[int], frozenset[int]]:
        """The sets that it really joins, and those that it really leaves."""
        said, before = self.changes, frozenset(each.set_no for each in found.sets)
        wanted = before
        for kind, exactly in said.only.items():
            _insist_on_kind(found.names, kind, exactly)
            wanted = wanted - (found.members_of(kind) - exactly) | exactly
        wanted = (wanted | said.joins | _named(found.names, said.joins_named)) - said.leaves
        wanted -= _named(found.names, said.leaves_named)
        return wanted - before, before - wanted

    def _with_email(self, row: Row, found: Found) -> Row:
        email = self.changes.email
        if email is UNSAID or email == row.get("email"):
            return row
        if email is None:
            return record.without_email(row)
        key, ordinal = email_key(email), row["email_ordinal"]
        if key != row.get("email_key"):
            ordinal = self._insisted_ordinal(key, found.addresses)
        return record.with_email(row, email, found.now) | {"email_ordinal": ordinal}

    def _insisted_ordinal(self, key: str, addresses: Addresses) -> int:
        if namesake := addresses.namesakes.get(key):
            raise EmailTaken(f"contact {namesake} has the name and the e-mail address already", namesake)
        ordinal = self.ordinal(key, addresses)
        if ordinal is None:
            holder = addresses.living[key].contact_no
            raise EmailTaken(f"contact {holder} has the e-mail address already", holder)
        return ordinal

    def _with_permission(self, row: Row, found: Found) -> Row:
        permission = self.changes.permission or (None if found.row else "implicit")
        if permission is None:
            return row
        if permission != "unsubscribed" and record.has_opted_out_itself(row):
            raise Invalid("the contact opted out, and only it may opt in again")
        return record.with_permission(row, permission, "Account", found.now)

    def _with_values(self, row: Row, found: Found, lists: frozenset[int]) -> Row:
        """With the custom values: those of a list's fields are for its members."""
        said = self.changes.custom_values
        if not said:
            return row
        stored = row.get("custom_values") or {}
        fitting = {str(no): _fitting(found.names, no, value, stored.get(str(no)), lists) for no, value in said.items()}
        return row | {"custom_values": changes.merged(stored, fitting)}


def _named(names: Names, said: Iterable[SetName]) -> frozenset[int]:
    """The sets that are meant by name, if they are there or are made."""
    return frozenset(names.named[each.key] for each in said if each.key in names.named)


def _is_of_list(names: Names, field_no: int) -> bool:
    field = names.numbered_fields.get(field_no)
    return field is not None and field.set_no is not None


def _insist_on_kind(names: Names, kind: SetKind, set_nos: Iterable[int]) -> None:
    for set_no in set_nos:
        if names.kinds[set_no] is not kind:
            raise UnknownTarget(f"there is no {kind} {set_no}")


def _fitting(names: Names, field_no: int, value: str | None, stored: str | None, lists: frozenset[int]) -> str | None:
    """The value as it is stored, None when nothing of it is left; what is stored stays possible."""
    field = names.numbered_fields.get(field_no)
    if field is None:
        raise UnknownField(f"there is no custom field {field_no}")
    if not (field.set_no is None or field.set_no in lists):
        raise UnknownField(f"the contact has no custom field {field.label!r}: it is not in the list of that field")
    return value if value in (None, stored) else fields.fitting(field, value) or None
