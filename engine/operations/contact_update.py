"""Changing one contact, and reviving a deleted one (contract v3.md 2.1.11)."""

from dataclasses import dataclass
from typing import ClassVar
from uuid import UUID

from engine.contacts import record
from engine.contacts.decisions import Found, Outcome
from engine.contacts.details import DetailedWrite, Details, insist_on_consent, insist_on_name, replaced
from engine.contacts.record import Party, Row
from engine.errors import Invalid, NotFound
from engine.sets.catalog import SetKind


@dataclass(frozen=True, slots=True)
class UpdateContact(DetailedWrite):
    """The contact is what the details say: core properties that are not said are emptied, all else stays."""

    kind: ClassVar[str] = "contact_update"
    kinds: ClassVar = (SetKind.LIST, SetKind.TAG)

    id: UUID
    details: Details
    source: Party

    @property
    def contact_id(self) -> UUID:
        return self.id

    @property
    def knows_fields(self) -> bool:
        return self.details.custom_values is not None

    def decide(self, found: Found) -> Outcome:
        if not found.row:
            raise NotFound(f"there is no contact {self.id}")
        if self.details.email is not None:
            found.insist_on_email(self.details.email)
        self._insist_on_consent(found.row)
        row = record.with_properties(self._revived(found.row), dict.fromkeys(record.CORE) | dict(self.details.core))
        row |= {"update_source": self.source, "updated_at": found.now}
        if self.details.custom_values is not None:
            row["custom_values"] = {**_values_of_lists(found), **self.custom_values(found)} or None
        row = insist_on_name(replaced(row, self.details, self.source, found.now))
        lists, lists_off = self._lists(found)
        insist_on_consent(row, lists - found.members_of(SetKind.LIST))
        tags, tags_off = self._tags(found)
        return Outcome(row, lists | tags, lists_off | tags_off)

    def _insist_on_consent(self, row: Row) -> None:
        opts_in = self.source == "Account" and self.details.permission not in (None, "unsubscribed")
        if opts_in and record.has_opted_out_itself(row):
            raise Invalid(
                "permission_to_send does not have a valid value: the contact opted out, and only update_source Contact"
                " may opt it in again"
            )

    def _revived(self, row: Row) -> Row:
        if row["deleted_at"] is None:
            return row
        if self.source != "Account":
            raise Invalid("update_source does not have a valid value: only Account can revive a deleted contact")
        return record.revived(row)

    def _lists(self, found: Found) -> tuple[frozenset[int], frozenset[int]]:
        if self.details.list_ids is None:
            return frozenset(), frozenset()
        wanted = frozenset(found.names.lists.values())
        return wanted, found.members_of(SetKind.LIST) - wanted

    def _tags(self, found: Found) -> tuple[frozenset[int], frozenset[int]]:
        """A revived contact has the tags back that its deletion took, unless others are given."""
        if self.details.tag_ids is None:
            return found.tags_before, frozenset()
        wanted = frozenset(found.names.tags.values())
        return wanted, found.members_of(SetKind.TAG) - wanted


def _values_of_lists(found: Found) -> Row:
    """What the contact has in fields of lists, of which these details say nothing."""
    stored, known = found.row.get("custom_values") or {}, found.names.numbered_fields
    return {no: value for no, value in stored.items() if int(no) in known and known[int(no)].set_no is not None}
