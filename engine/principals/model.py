"""Principals, and what each may do in which account."""

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from enum import StrEnum
from typing import Self
from uuid import UUID

import asyncpg

from engine.errors import Forbidden, Unauthorized

#: Muster itself: who asks for what comes by the clock.
MUSTER = UUID(int=0)


class Privilege(StrEnum):
    """What a principal may do (contract v3.md 1.2), and two that are Muster's own."""

    CONTACTS_READ = "contacts:read"
    CONTACTS_WRITE = "contacts:write"
    LISTS_READ = "contacts:lists:read"
    LISTS_WRITE = "contacts:lists:write"
    #: To see contacts that are on no list, where others do not (contract greenrope.md 1.2).
    CONTACTS_UNLISTED = "contacts:unlisted"
    #: To say who may do what in the account; so, to do everything.
    ADMINISTER = "account:administer"


@dataclass(frozen=True, slots=True)
class Principal:
    """Who asks, for which account, and what it may do there."""

    principal_id: UUID
    account_id: int
    privileges: frozenset[Privilege]

    def require(self, *any_of: Privilege) -> None:
        """Raises Forbidden unless the principal has one of these privileges."""
        if self.privileges.isdisjoint(any_of):
            raise Forbidden(f"this needs the privilege {' or '.join(any_of)}")


@dataclass(frozen=True, slots=True)
class Access:
    """Who asks, and where it may.

    home: the account that is meant when none is named.
    grants: by account, what it may do there.
    name: the name of the user, or what a token or key is called.
    seconds: how long what was shown is good for; nobody may remember the access for longer.
    """

    principal_id: UUID
    home: int
    grants: Mapping[int, frozenset[Privilege]]
    name: str = ""
    seconds: float = math.inf

    @classmethod
    def of(cls, rows: Sequence[asyncpg.Record]) -> Self:
        """What a statement tells, a row for each grant. Raises Unauthorized when there is none of its home account."""
        home = next((row["account_id"] for row in rows if row["home"]), None)
        if home is None:
            raise Unauthorized("Unauthorized")
        seconds = rows[0]["seconds"]
        return cls(
            principal_id=rows[0]["principal_id"],
            home=home,
            grants={row["account_id"]: privileges_of(row) for row in rows},
            name=rows[0]["name"],
            seconds=math.inf if seconds is None else seconds,
        )

    def principal(self, account_id: int | None = None) -> Principal:
        """Who asks, in the account, or at home. Raises Forbidden when it has no grant there."""
        account_id = self.home if account_id is None else account_id
        if account_id not in self.grants:
            raise Forbidden(f"there is no access to account {account_id}")
        return Principal(self.principal_id, account_id, self.grants[account_id])


def muster(account_id: int) -> Principal:
    """Muster itself in an account. It has no token."""
    return Principal(MUSTER, account_id, frozenset())


def privileges_of(row: asyncpg.Record) -> frozenset[Privilege]:
    """The privileges of a row's grant."""
    return frozenset(map(Privilege, row["privileges"]))
