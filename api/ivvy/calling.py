"""What a call of an action is to its handler, over HTTP and as a job of a batch alike, and how an action is found."""

from collections.abc import AsyncIterator, Awaitable, Callable, Mapping
from dataclasses import dataclass
from uuid import UUID

from api.answers import Json
from api.ivvy.parameters import Parameters
from api.ivvy.refusals import ErrorCode, Refused
from engine.activities.at_once import AtOnce
from engine.activities.inline import Inline
from engine.activities.model import Activity
from engine.database import Database
from engine.operations.members_change import ChangeMembers
from engine.principals import Principal, Privilege
from engine.settings import Settings

#: What is answered: JSON as a value, or in pieces as it is sent.
Content = Json | AsyncIterator[bytes]


@dataclass(frozen=True, slots=True)
class Means:
    """What handlers work with."""

    db: Database
    settings: Settings
    inline: Inline
    at_once: AtOnce


@dataclass(frozen=True, slots=True)
class Caller:
    """Who calls, with which key, and where: links in answers begin with the address, as https://events.example."""

    principal: Principal
    key_id: str
    address: str


@dataclass(frozen=True, slots=True)
class Call:
    """One call. record_id: what is changed by it is recorded under this id, and not changed again; None of any call."""

    caller: Caller
    params: Parameters
    means: Means
    record_id: UUID | None = None

    @property
    def principal(self) -> Principal:
        return self.caller.principal

    @property
    def account_id(self) -> int:
        return self.caller.principal.account_id

    @property
    def db(self) -> Database:
        return self.means.db

    async def done_before(self) -> Activity | None:
        """What the call has done already, when its answer got lost."""
        if self.record_id is None:
            return None
        return await self.means.at_once.done_before(self.principal, self.record_id)

    async def change_members(self, request: ChangeMembers) -> Activity:
        """Raises UnknownTarget, and Busy."""
        if self.record_id is None:
            return await self.means.at_once.do(self.principal, request)
        return await self.means.at_once.do_once(self.principal, request, self.record_id)


Handler = Callable[[Call], Awaitable[Content]]


@dataclass(frozen=True, slots=True)
class Action:
    """One action: who may (any of the privileges; without any, every key), and what answers."""

    privileges: tuple[Privilege, ...]
    handler: Handler

    def insist_on_right(self, principal: Principal) -> None:
        """Raises Forbidden."""
        if self.privileges:
            principal.require(*self.privileges)


#: By namespace and name.
Actions = Mapping[tuple[str, str], Action]


def named(actions: Actions, namespace: str, name: str) -> Action:
    """Raises Refused (contract ivvy.md 2.2, 8)."""
    action = actions.get((namespace, name))
    if action is None:
        raise Refused(ErrorCode.NOT_FOUND, "There is no such action")
    return action
