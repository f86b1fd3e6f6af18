"""Reading contacts: one, page by page with what belongs to them, and how many there are."""

from collections import Counter
from collections.abc import Collection, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from uuid import UUID

import asyncpg

from engine import sources
from engine.database import Transaction
from engine.errors import NotFound
from engine.sets import reading
from engine.sets.catalog import SetKind
from engine.sets.expressions import Expression, Intersection, Members, Numbers
from engine.sets.reading import MemberOf


@dataclass(frozen=True, slots=True)
class Contact:
    """A contact's row, and the named sets that it is in when they were asked for."""

    row: asyncpg.Record
    member_of: Sequence[MemberOf] = ()

    def sets(self, kind: SetKind) -> list[MemberOf]:
        """The sets of the kind that the contact is in, by number."""
        return [each for each in self.member_of if each.kind == kind]


async def page(
    tx: Transaction, chosen: Expression, *, limit: int, after: int = 0, kinds: Sequence[SetKind] = ()
) -> list[Contact]:
    """The first `limit` chosen contacts with numbers greater than `after`, with their sets of these kinds.

    A fixed number of statements, however many contacts there are.
    """
    contact_nos = await reading.page(tx, chosen, limit=limit, after=after)
    rows = await tx.all("contacts_by_number", contact_nos=contact_nos) if contact_nos else []
    return await _with_sets(tx, rows, kinds)


async def by_number(tx: Transaction, contact_nos: Sequence[int]) -> list[Contact]:
    """These contacts, deleted ones too, without their sets, by number."""
    return [Contact(row) for row in await tx.all("contacts_by_number", contact_nos=contact_nos)]


async def in_full(tx: Transaction, contact_nos: Sequence[int]) -> dict[int, Contact]:
    """These contacts by number, deleted ones too, with all their named sets."""
    if not contact_nos:
        return {}
    rows = await tx.all("contacts_by_number", contact_nos=contact_nos)
    return {each.row["contact_no"]: each for each in await _with_sets(tx, rows, tuple(SetKind))}


async def one(tx: Transaction, contact_id: UUID, *, kinds: Sequence[SetKind] = ()) -> Contact:
    """The contact, also a deleted one. Raises NotFound."""
    row = await tx.one("contact_by_id", contact_id=contact_id)
    if row is None:
        raise NotFound(f"there is no contact {contact_id}")
    [found] = await _with_sets(tx, [row], kinds)
    return found


async def members_by_id(tx: Transaction, set_no: int, contact_ids: Collection[UUID]) -> dict[UUID, int]:
    """The numbers of those of the contacts, not deleted, that are in the set."""
    rows = await tx.all("living_contacts_by_id", contact_ids=list(contact_ids)) if contact_ids else []
    numbers = {row["contact_no"]: row["contact_id"] for row in rows}
    members = Intersection((Members((set_no,)), Numbers(tuple(numbers))))
    found = await reading.page(tx, members, limit=len(numbers)) if numbers else []
    return {numbers[contact_no]: contact_no for contact_no in found}


async def counts(tx: Transaction) -> Counter[str]:
    """How many contacts there are that are not deleted, by permission (contract v3.md 2.1.15)."""
    return Counter({row["permission"]: row["contacts"] for row in await tx.all("count_by_permission")})


async def count_new_subscribers(tx: Transaction) -> int:
    """How many subscribed within the last 30 days."""
    return await reading.count(tx, sources.new_subscribers(datetime.now(UTC)))


async def ids_by_number(tx: Transaction, contact_nos: Sequence[int]) -> dict[int, UUID]:
    """The public ids of those of the numbers that are a contact's, not deleted, ascending."""
    rows = await tx.all("contact_ids_of_living", contact_nos=contact_nos)
    return {row["contact_no"]: row["contact_id"] for row in rows}


async def _with_sets(tx: Transaction, rows: Sequence[asyncpg.Record], kinds: Sequence[SetKind]) -> list[Contact]:
    if not (kinds and rows):
        return [Contact(row) for row in rows]
    found = await reading.sets_of(tx, [row["contact_no"] for row in rows], kinds)
    return [Contact(row, found.get(row["contact_no"], ())) for row in rows]
