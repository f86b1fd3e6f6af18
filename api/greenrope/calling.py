"""What a function of this dialect gets, and what it gives (contract greenrope.md 1.2, 2)."""

from collections.abc import AsyncGenerator, Awaitable, Callable, Sequence
from dataclasses import dataclass
from typing import TypeAlias

from api.dialects import Services
from api.greenrope.answers import Format, Members, Record
from api.greenrope.values import Attributes, child_text
from api.xml import Element
from engine.database import Database
from engine.errors import Forbidden
from engine.principals import Access, Principal, Privilege


@dataclass(frozen=True, slots=True)
class Call:
    """One request of somebody who has logged in. function: what it calls, for the log."""

    function: str
    services: Services
    access: Access
    root: Element
    attributes: Attributes
    written: Format

    @property
    def db(self) -> Database:
        return self.services.db

    def text(self, name: str) -> str | None:
        """The text of a child of the root; None when there is none."""
        return child_text(self.root, name)

    def principal(self, *any_of: Privilege) -> Principal:
        """Who asks, in the account that the root names, or at home. Raises Forbidden, and Invalid."""
        return self.principal_in(self.attributes.number("account_id"), *any_of)

    def principal_in(self, account_id: int | None, *any_of: Privilege) -> Principal:
        """Who asks, in an account, with one of these privileges there; an unknown account is one without access."""
        try:
            principal = self.access.principal(account_id)
            principal.require(*any_of)
        except Forbidden:
            account_id = self.access.home if account_id is None else account_id
            raise Forbidden(f"No contacts permission in account {account_id}") from None
        return principal


@dataclass(frozen=True, slots=True)
class Long:
    """An answer whose items come while it is sent.

    runs: some items at a time, in order; tail: what follows them, asked for when all have come.
    """

    head: Members
    container: str
    item: str
    runs: AsyncGenerator[Sequence[Record], None]
    tail: Callable[[], Members]


Function: TypeAlias = Callable[[Call], Awaitable[Record | Long]]
