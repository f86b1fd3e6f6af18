"""Whom an account has already who may be the same as somebody to be added: by address, and by both names.

Names are compared trimmed and without case; who has neither is not found by them.
"""

from collections.abc import Iterable, Sequence
from enum import Enum
from typing import NamedTuple

import asyncpg

from engine.contacts import reading, search
from engine.contacts.search import FullName
from engine.database import Transaction
from engine.emails import email_key
from engine.sets import reading as sets
from engine.sets.expressions import EVERYBODY, Expression, Intersection, Matching, Numbers, Union
from engine.sets.predicates import Column, OneOf

#: Contacts that are read at once.
CONTACTS_AT_ONCE = 1000


class Person(NamedTuple):
    """Who a contact is; what it does not have is empty."""

    first_name: str
    last_name: str
    email: str

    @property
    def names(self) -> tuple[str, str]:
        """What makes two persons' names the same."""
        return _key(self.first_name), _key(self.last_name)


class Likeness(Enum):
    """How much two persons are one."""

    SAME = "same"
    ALIKE = "alike"


class Known(NamedTuple):
    """A contact who is there."""

    contact_no: int
    person: Person


class Acquaintances:
    """Contacts who are there, found by their address and by their names; of several the first."""

    def __init__(self, known: Iterable[Known] = ()) -> None:
        self._by_both: dict[object, Known] = {}
        self._by_email: dict[str, Known] = {}
        self._by_names: dict[object, Known] = {}
        for each in known:
            self.add(each)

    def add(self, known: Known) -> None:
        email, names = email_key(known.person.email), known.person.names
        self._by_both.setdefault((email, names), known)
        if email:
            self._by_email.setdefault(email, known)
        if any(names):
            self._by_names.setdefault(names, known)

    def like(self, person: Person) -> tuple[Likeness, Known] | None:
        """Who has the address and the names of the person, or else the address, or else the names."""
        email, names = email_key(person.email), person.names
        if same := self._by_both.get((email, names)):
            return Likeness.SAME, same
        alike = self._by_email.get(email) or self._by_names.get(names)
        return (Likeness.ALIKE, alike) if alike else None


async def acquaintances(tx: Transaction, persons: Sequence[Person]) -> Acquaintances:
    """The contacts, not deleted, with an address of the persons, and the first with each of their names."""
    emails = tuple({email_key(person.email) for person in persons if person.email})
    names = [FullName(*names) for names in {person.names for person in persons}]
    named = {number for found in await search.named(tx, names, most=1) for number in found}
    addressed = (Matching(OneOf(Column.EMAIL_KEY, emails)),) if emails else ()
    return Acquaintances(await _known(tx, Intersection((Union((Numbers(tuple(named)), *addressed)), EVERYBODY))))


async def _known(tx: Transaction, chosen: Expression) -> list[Known]:
    """By number. Whom is meant is found out once: ten thousand addresses take their time."""
    numbers = sorted(sets.members(await sets.chunks(tx, chosen)))
    found = list[Known]()
    for start in range(0, len(numbers), CONTACTS_AT_ONCE):
        contacts = await reading.by_number(tx, numbers[start : start + CONTACTS_AT_ONCE])
        found += [Known(each.row["contact_no"], person_of(each.row)) for each in contacts]
    return found


def person_of(row: asyncpg.Record) -> Person:
    """Who the contact of a row is."""
    return Person(row["first_name"] or "", row["last_name"] or "", row["email"] or "")


def _key(name: str) -> str:
    return name.strip().lower()
