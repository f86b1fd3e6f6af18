"""Creating one contact (contract v3.md 2.1.9)."""

from dataclasses import dataclass
from typing import ClassVar

from engine.contacts import record
from engine.contacts.decisions import Found, Outcome
from engine.contacts.details import DetailedWrite, Details, insist_on_consent, insist_on_name, replaced
from engine.contacts.record import Party


@dataclass(frozen=True, slots=True)
class CreateContact(DetailedWrite):
    """A new contact; its address must be nobody's, not even a deleted contact's."""

    kind: ClassVar[str] = "contact_create"

    details: Details
    source: Party

    def decide(self, found: Found) -> Outcome:
        details, now = self.details, found.now
        if details.email is not None:
            found.insist_on_email(details.email)
        row = record.new(found.account_id, found.contact_no, self.source, now) | dict(details.core)
        row["custom_values"] = self.custom_values(found) or None
        row = insist_on_name(replaced(row, details, self.source, now))
        joins = frozenset(found.names.lists.values())
        insist_on_consent(row, joins)
        return Outcome(row, joins | frozenset(found.names.tags.values()))
