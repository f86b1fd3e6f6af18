"""Saying the same of everybody who meets a condition; or of a new contact, when nobody does."""

from collections import defaultdict
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass

from engine.contacts import field_values, record, search
from engine.contacts.changes import Changes
from engine.contacts.decisions import Addresses
from engine.database import Transaction
from engine.errors import Invalid
from engine.fields import Field
from engine.operations.contact_save import SaveContact
from engine.sets import expressions
from engine.sets.expressions import EVERYBODY, Expression, Intersection, Members
from engine.sets.predicates import AllOf

#: Contacts that may meet a condition; when there are more, nothing is written.
MOST = 10_000

#: By what a contact is known: a text for each of some fields.
Key = tuple[str, ...]


@dataclass(frozen=True, slots=True)
class SaveOneOf(SaveContact):
    """A write beside others of the same transaction. place: among them, so that twins get different ordinals."""

    place: int = 0

    def ordinal(self, key: str, addresses: Addresses) -> int | None:
        next_one = SaveContact.ordinal(self, key, addresses)
        return None if next_one is None else next_one + self.place


@dataclass(frozen=True, slots=True)
class Matching:
    """Whom it means, what is said of each of them, and what of a new contact (None makes none).

    calls: numbers of hooks to call for each.
    """

    whom: Expression
    changes: Changes
    insert: Changes | None
    calls: tuple[int, ...] = ()

    async def writes(self, tx: Transaction) -> Sequence[SaveContact]:
        """What to write. Raises Invalid when there are more than MOST."""
        found = await search.numbers(tx, self.whom, limit=MOST + 1)
        if len(found) > MOST:
            raise Invalid(f"more than {MOST:,} contacts match, and nothing was written")
        if found:
            return [
                SaveOneOf(contact_no, self.changes, twins=True, calls=self.calls, place=place)
                for place, contact_no in enumerate(found)
            ]
        return () if self.insert is None else [SaveContact(None, self.insert, twins=True, calls=self.calls)]


def members_with(set_no: int, values: Mapping[Field, str]) -> Expression:
    """The members of a set that have all these values of fields."""
    equal = tuple(field_values.equal(field, value) for field, value in values.items())
    return Intersection((Members((set_no,)), expressions.Matching(AllOf(equal)), EVERYBODY))


async def members_by_key(
    tx: Transaction, set_no: int, fields: Sequence[Field], keys: Collection[Key]
) -> dict[Key, list[int]] | None:
    """The members of a set that are known by these values of fields, by them, ascending; None when they are too many.

    A key has what `field_values.key` makes of a value of each field. One scan of the members, however many keys.
    """
    if not (fields and keys):
        return {}
    columns = zip(fields, zip(*keys, strict=True), strict=True)
    among = AllOf(tuple(field_values.among(field, values) for field, values in columns))
    whom = Intersection((Members((set_no,)), expressions.Matching(among), EVERYBODY))
    found = await search.numbers(tx, whom, limit=MOST + 1)
    if len(found) > MOST:
        return None
    members = defaultdict[Key, list[int]](list)
    for row in map(record.of, await tx.all("contacts_by_number", contact_nos=found)):
        values = [field_values.key(field, field_values.stored(row, field) or "") for field in fields]
        members[tuple(values)].append(row["contact_no"])
    return members
