"""Contacts as they are sent in one text, `contacts_to_add` (contract convio.md 6.7, 6.9).

An item is `"First Last" <address>`, separated by commas or new lines, or a line `"First","Last","address"`. The quotes
of a name and the name itself may be missing.
"""

import asyncio
import csv
import re
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from itertools import islice

from api.convio.parameters import MOST_IDS
from engine.contacts.likeness import Person
from engine.emails import is_email
from engine.errors import Invalid

#: Characters of a name and of an address (contract v3.md 1.9, which the engine's other ways in have).
MOST_NAME = 50
MOST_EMAIL = 80
#: Fields of a line `"First","Last","address"`.
TRIPLE = 3
#: Characters of such a line; longer ones are lists, whose items are read one by one.
MOST_TRIPLE = 10_000

#: What stands between commas, of which those in quotes or angle brackets are none. Possessive: nothing is tried twice.
_ITEM = re.compile(r'(?:"[^"]*+"|<[^<>]*+>|[^",<]++)++|,++|["<]')
_NAMED = re.compile(r'(?:"(?P<quoted>[^"]*+)"|(?P<bare>[^"<>]*+))\s*+<(?P<email>[^<>]*+)>')


@dataclass(frozen=True, slots=True)
class Submitted:
    """A contact as it was sent. `problem` says what is wrong with it."""

    first_name: str
    last_name: str
    email: str

    @property
    def person(self) -> Person:
        return Person(self.first_name, self.last_name, self.email)

    @property
    def problem(self) -> str | None:
        if not is_email(self.email) or len(self.email) > MOST_EMAIL:
            return "The e-mail address is not valid."
        if max(len(self.first_name), len(self.last_name)) > MOST_NAME:
            return f"A name may have {MOST_NAME} characters at most."
        return None


async def read(text: str) -> Sequence[Submitted]:
    """`contacts` without holding anybody up: the text may be long. Raises Invalid."""
    return await asyncio.to_thread(contacts, text)


def contacts(text: str) -> Sequence[Submitted]:
    """The contacts in their order. Raises Invalid when there are too many."""
    every = (contact for line in filter(str.strip, text.splitlines()) for contact in _of_line(line))
    found = list(islice(every, MOST_IDS + 1))
    if len(found) > MOST_IDS:
        raise Invalid(f"contacts_to_add may hold {MOST_IDS:,} contacts at most.")
    return found


def _of_line(line: str) -> Iterable[Submitted]:
    fields = _fields(line) if len(line) <= MOST_TRIPLE else []
    if len(fields) == TRIPLE and not any("@" in name for name in fields[:2]):
        return (Submitted(*fields),)
    return _of_list(line)


def _fields(line: str) -> list[str]:
    try:
        [fields] = csv.reader([line], skipinitialspace=True)
    except (csv.Error, ValueError):
        return []
    return [field.strip() for field in fields]


def _of_list(line: str) -> Iterator[Submitted]:
    for found in _ITEM.finditer(line):
        item = found[0].strip()
        if item and item[0] != ",":
            yield _of_item(item)


def _of_item(item: str) -> Submitted:
    """The contact of one item; one that cannot be read has it as its address."""
    named = _NAMED.fullmatch(item)
    if named is None:
        return Submitted("", "", item)
    first, _, last = (named["quoted"] or named["bare"] or "").strip().rpartition(" ")
    return Submitted(*((first.strip(), last) if first else (last, "")), named["email"].strip())
