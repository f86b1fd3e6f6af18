"""Contacts: finding them, page by page and with what belongs to them. Membership is the sets' business."""

from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal

import asyncpg

from engine.database import Transaction
from engine.sets import reading, system
from engine.sets.catalog import SetKind
from engine.sets.expressions import Difference, Expression, Intersection, Matching, Members, Union
from engine.sets.predicates import AllOf, Column, OneOf

Status = Literal["all", "active", "deleted", "not_set", "pending_confirmation", "temp_hold", "unsubscribed"]


def email_key(email: str) -> str:
    """What makes two e-mail addresses one: trimmed, lower case. The one rule for it."""
    return email.strip().lower()


@dataclass(frozen=True, slots=True)
class Filter:
    """Which contacts are asked for: all conditions hold, of several values inside one any (contract v3.md 2.1.8).

    lists, tags: set numbers; None asks for nothing in particular, () matches nobody. No statuses: everybody who is not
    deleted.
    """

    email: str | None = None
    lists: tuple[int, ...] | None = None
    tags: tuple[int, ...] | None = None
    segment: Expression | None = None
    statuses: frozenset[Status] = frozenset()

    def expression(self) -> Expression:
        """The contacts that meet the filter."""
        parts: list[Expression] = [Members(nos) for nos in (self.lists, self.tags) if nos is not None]
        if self.email is not None:
            parts.append(Matching(OneOf(Column.EMAIL_KEY, (email_key(self.email),))))
        if self.segment is not None:
            parts.append(self.segment)
        if "all" not in self.statuses:
            parts.append(Union(tuple(map(_with_status, sorted(self.statuses)))) if self.statuses else _EXISTING)
        return Intersection(tuple(parts)) if parts else _EVERYBODY


#: Every contact there ever was, and those that are not deleted.
_EVERYBODY = Matching(AllOf(()))
_EXISTING = Members((system.EXISTS,))


@dataclass(frozen=True, slots=True)
class Contact:
    """A contact's row, and the numbers and ids of its lists and tags when they were asked for."""

    row: asyncpg.Record
    lists: tuple[asyncpg.Record, ...] = ()
    tags: tuple[asyncpg.Record, ...] = ()


async def page(
    tx: Transaction, chosen: Expression, *, limit: int, after: int = 0, kinds: Sequence[SetKind] = ()
) -> list[Contact]:
    """The first `limit` chosen contacts with numbers greater than `after`, with their sets of these kinds.

    A fixed number of statements, however many contacts there are.
    """
    contact_nos = await reading.page(tx, chosen, limit=limit, after=after)
    rows = await tx.all("contacts_by_number", contact_nos=contact_nos) if contact_nos else []
    sets = await tx.all("sets_of_contacts", contact_nos=contact_nos, kinds=list(kinds)) if kinds and rows else []
    found: dict[tuple[int, str], list[asyncpg.Record]] = defaultdict(list)
    for member_of in sets:
        found[member_of["contact_no"], member_of["kind"]].append(member_of)
    return [Contact(row, *(tuple(found[row["contact_no"], kind]) for kind in SetKind)) for row in rows]


def _with_status(status: Status) -> Expression:
    match status:
        case "active":
            return Members((system.ACTIVE,))
        case "unsubscribed":
            return Intersection((Members((system.UNSUBSCRIBED,)), _EXISTING))
        case "deleted":
            return Difference(_EVERYBODY, _EXISTING)
        case _:
            return Intersection((Matching(OneOf(Column.PERMISSION, (status,))), _EXISTING))
