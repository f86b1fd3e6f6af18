"""The door: who asks, which call of which list the path means, and the answer in the media type that is wanted
(contract w50.md 1).

What is wrong is looked for in this order: credentials, path and list, rights, parameters and body.
"""

import asyncio
import re
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass, replace
from typing import Final

from aiohttp import web

from api import dialects
from api.dialects import Answer, Services
from api.errors import MethodNotAllowed, NoSuchRoute
from api.w50 import calling, contacts, imports, lists, media
from api.w50.calling import Call
from api.w50.documents import Document, Listing, written
from api.w50.media import Media
from api.w50.refusals import refusal
from engine.errors import Invalid, MusterError, NotFound
from engine.principals import Principal, Privilege
from engine.sets import catalog
from engine.sets.catalog import NamedSet, SetKind

#: The API's root, `~` in the contract.
ROOT: Final = "/Which50API"

Handler = Callable[[Call], Awaitable[Document]]


@dataclass(frozen=True, slots=True)
class Route:
    """One call: a method, a path with names for its parts, who may, and what answers."""

    method: str
    path: str
    privilege: Privilege
    handler: Handler

    @property
    def pattern(self) -> re.Pattern[str]:
        """Paths are the same whatever their case (contract 1)."""
        return re.compile(re.sub(r"{(\w+)}", r"(?P<\1>[^/]+)", self.path) + "/?", re.IGNORECASE)


CONTACT = "contactLists/{list}/contact"
IMPORT = "contactLists/{list}/import"
ROUTES: Sequence[Route] = (
    Route("POST", CONTACT, Privilege.CONTACTS_WRITE, contacts.write),
    Route("PUT", CONTACT, Privilege.CONTACTS_WRITE, contacts.write),
    Route("PATCH", CONTACT, Privilege.CONTACTS_WRITE, contacts.change),
    Route("GET", "contactLists", Privilege.LISTS_READ, lists.every),
    Route("GET", "contactLists/{list}", Privilege.LISTS_READ, lists.one),
    Route("GET", "contactLists/{list}/fields", Privilege.LISTS_READ, lists.fields_of),
    Route("POST", IMPORT, Privilege.CONTACTS_WRITE, imports.create),
    Route("POST", IMPORT + "/{job}", Privilege.CONTACTS_WRITE, imports.add),
    Route("POST", IMPORT + "/{job}/run", Privilege.CONTACTS_WRITE, imports.run),
    Route("GET", IMPORT + "/{job}", Privilege.CONTACTS_WRITE, imports.state),
    Route("GET", "contacts/{contact}", Privilege.CONTACTS_READ, contacts.one),
)


def mount(app: web.Application, services: Services) -> None:
    """Adds the dialect to the application."""
    app.router.add_route(
        "*", f"/{{root:(?i:{ROOT[1:]})}}{{rest:(?s:(?:/.*)?)}}", _door(services), expect_handler=dialects.expect
    )


@dataclass(frozen=True, slots=True)
class _Entry:
    """A route with its pattern and its answer, whose time is measured."""

    route: Route
    pattern: re.Pattern[str]
    answer: Answer


def _door(services: Services) -> Answer:
    entries = [_Entry(route, route.pattern, _observed(services, route)) for route in ROUTES]
    nowhere = dialects.observed(services, ROOT, "*", _nowhere(services, entries), _as_json)

    async def answer(request: web.Request) -> web.StreamResponse:
        path = _path(request)
        found = [each for each in entries if each.pattern.fullmatch(path)]
        meant = next((each.answer for each in found if each.route.method == request.method), nowhere)
        return await meant(request)

    return answer


def _path(request: web.Request) -> str:
    """The path below the root."""
    return request.match_info["rest"].removeprefix("/")


def _observed(services: Services, route: Route) -> Answer:
    pattern = route.pattern

    async def answer(request: web.Request) -> web.StreamResponse:
        wanted = media.of_answer(request)
        try:
            principal = await _admitted(services, request)
            matched = pattern.fullmatch(_path(request))
            assert matched is not None
            call = Call(request, principal, services, matched.groupdict())
            return await _shown(await _called(route, call), wanted)
        except Exception as error:  # noqa: BLE001 (whatever it is, the caller gets the dialect's words for it)
            return refusal(dialects.told(error, f"{ROOT}/{route.path}"), wanted)

    return dialects.observed(services, f"{ROOT}/{route.path}", route.method, answer, _as_json)


def _nowhere(services: Services, entries: Sequence[_Entry]) -> Answer:
    """Of paths that nothing is under, and of other methods; to strangers both are the same."""

    async def answer(request: web.Request) -> web.StreamResponse:
        wanted = media.of_answer(request)
        try:
            await _admitted(services, request)
        except Exception as error:  # noqa: BLE001 (whatever it is, the caller gets the dialect's words for it)
            return refusal(dialects.told(error, ROOT), wanted)
        path = _path(request)
        allowed = sorted(each.route.method for each in entries if each.pattern.fullmatch(path))
        if not allowed:
            return refusal(NoSuchRoute("There is no such resource."), wanted)
        response = refusal(MethodNotAllowed(f"This resource has {', '.join(allowed)} only."), wanted)
        response.headers["Allow"] = ", ".join(allowed)
        return response

    return answer


async def _admitted(services: Services, request: web.Request) -> Principal:
    principal = await services.authenticator.basic_or_bearer(request)
    await services.admit(principal)
    return principal


async def _called(route: Route, call: Call) -> Document:
    """Looks for the list first, so that one that is not there is told to everybody (contract 1)."""
    wrong: Invalid | None = None
    contact_list: NamedSet | None = None
    if "list" in call.names:
        try:
            contact_list = await _list(call)
        except Invalid as error:
            wrong = error
    call.principal.require(route.privilege)
    if wrong is not None:
        raise wrong
    return await route.handler(replace(call, contact_list=contact_list))


async def _list(call: Call) -> NamedSet:
    list_no = calling.number(call.names["list"], "contactListId")
    async with call.db.account(call.account_id) as tx:
        found = await catalog.by_numbers(tx, SetKind.LIST, [list_no])
    if list_no not in found:
        raise NotFound(f"Contact list {list_no} was not found.")
    return found[list_no]


async def _shown(document: Document, wanted: Media) -> web.Response:
    """Lists may be long, and are written beside the event loop."""
    is_long = isinstance(document, Listing)
    body = await asyncio.to_thread(written, document, wanted) if is_long else written(document, wanted)
    return web.Response(body=body, content_type=wanted.value, charset="utf-8")


def _as_json(error: MusterError) -> web.Response:
    return refusal(error, Media.JSON)
