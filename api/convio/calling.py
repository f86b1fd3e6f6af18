"""What a method of a servlet is: its verbs, who may call it, and what answers (contract convio.md 3, 5)."""

from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from typing import Protocol

from aiohttp import web

from api.convio.parameters import Parameters
from api.convio.refusals import NotLoggedIn, TokenNeeded, WrongNetwork, WrongToken
from api.convio.results import Members
from api.convio.sites import Sites
from api.dialects import Services
from engine.database import Database
from engine.errors import MusterError, Unauthorized
from engine.organizations import Organization
from engine.principals import Principal, Privilege, Purpose

GET_OR_POST = frozenset({"GET", "POST"})
POST = frozenset({"POST"})


@dataclass(frozen=True, slots=True)
class Visit:
    """A request to a site, before it is known who asks."""

    request: web.Request
    services: Services
    sites: Sites
    site: Organization
    asked: Parameters

    @property
    def db(self) -> Database:
        return self.services.db

    def insist_on_network(self) -> None:
        """Raises WrongNetwork when the site takes no requests from where this one comes from."""
        if not self.site.admits(self.request.remote or ""):
            raise WrongNetwork("This address may not use the API of this site.")

    def by(self, principal: Principal) -> "Call":
        """The request as one of this principal."""
        return Call(self.request, self.services, self.sites, self.site, self.asked, principal)


@dataclass(frozen=True, slots=True)
class Call(Visit):
    """A request of the owner of an address book."""

    principal: Principal

    @property
    def account_id(self) -> int:
        return self.principal.account_id


class Method(Protocol):
    """A method of a servlet. root: the element that its answer has for a root."""

    @property
    def name(self) -> str: ...

    @property
    def verbs(self) -> frozenset[str]: ...

    @property
    def root(self) -> str: ...

    async def answer(self, visit: Visit) -> Members:
        """What it answers. Raises MusterError."""


@dataclass(frozen=True, slots=True)
class Open:
    """A method that everybody may call who knows the site's key."""

    name: str
    verbs: frozenset[str]
    handler: Callable[[Visit], Awaitable[Members]]

    @property
    def root(self) -> str:
        return f"{self.name}Response"

    async def answer(self, visit: Visit) -> Members:
        visit.insist_on_network()
        return await self.handler(visit)


@dataclass(frozen=True, slots=True)
class Restricted:
    """A method that needs a token, and of the privileges any.

    of: the method whose root its answer has, if that is not its own.
    """

    name: str
    verbs: frozenset[str]
    privileges: tuple[Privilege, ...]
    handler: Callable[[Call], Awaitable[Members]]
    of: str = ""

    @property
    def root(self) -> str:
        return f"{self.of or self.name}Response"

    async def answer(self, visit: Visit) -> Members:
        call = await caller(visit)
        visit.insist_on_network()
        await visit.services.admit(call.principal)
        call.principal.require(*self.privileges)
        return await self.handler(call)


async def caller(visit: Visit) -> Call:
    """The call of whom the token names; a single sign-on token goes before that of a session.

    Raises TokenNeeded without one, and WrongToken or NotLoggedIn for one that is none of this site's.
    """
    sign_on, session = visit.asked.given("sso_auth_token"), visit.asked.given("auth")
    if sign_on:
        return await _holder(visit, sign_on, Purpose.SIGN_ON, WrongToken("Single sign-on failed."))
    if session:
        return await _holder(visit, session, Purpose.SESSION, NotLoggedIn("Nobody is logged in."))
    raise TokenNeeded("This method needs auth or sso_auth_token.")


async def _holder(visit: Visit, token: str, purpose: Purpose, refusal: MusterError) -> Call:
    try:
        access = await visit.services.authenticator.session(token, purpose)
    except Unauthorized:
        raise refusal from None
    principal = access.principal()
    if not await visit.sites.holds(visit.site, principal.account_id):
        raise refusal
    return visit.by(principal)
