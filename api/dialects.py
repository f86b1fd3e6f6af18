"""What a dialect is to the front, and how its routes come into the application.

A handler gets a `Call` from a principal who has the route's privilege, and answers or raises; every refusal is worded
by the dialect. Nothing here knows a wire format.
"""

from collections.abc import Awaitable, Callable, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass, field
from http import HTTPStatus
from itertools import groupby
from operator import attrgetter
from time import perf_counter
from typing import Any, Generic

import structlog
from aiohttp import web
from pydantic import BaseModel
from typing_extensions import TypeVar

from api import reading
from api.auth import Authenticator
from api.errors import MethodNotAllowed, NoSuchRoute, Unexpected
from api.finality import Finality
from api.metrics import Metrics
from api.quota import Quota
from api.reading import Query
from api.throttle import Throttle
from engine.activities.at_once import AtOnce
from engine.activities.inline import Inline
from engine.activities.intake import Intake
from engine.activities.model import Activity, Send
from engine.activities.submission import Submitted
from engine.activities.together import Together
from engine.database import UNREACHABLE, Database
from engine.errors import DatabaseUnusable, MusterError
from engine.principals import Principal, Privilege
from engine.settings import Settings

log = structlog.get_logger()

Answer = Callable[[web.Request], Awaitable[web.StreamResponse]]
Refuse = Callable[[MusterError], web.StreamResponse]

#: Adds a dialect to the application that is no `Dialect`: one path with many calls, say.
Mount = Callable[[web.Application, "Services"], None]

#: What a route reads: its query and its body. A plain `Call` is of a route that reads neither.
Q = TypeVar("Q", bound=Query, default=Query)
B = TypeVar("B", bound=BaseModel, default=BaseModel)


@dataclass(frozen=True, slots=True)
class Services:
    """What every handler may use."""

    db: Database
    settings: Settings
    send: Send
    intake: Intake
    inline: Inline
    at_once: AtOnce
    together: Together
    authenticator: Authenticator
    throttle: Throttle
    quota: Quota
    finality: Finality
    metrics: Metrics

    def address(self, request: web.Request) -> str:
        """Where links in an answer begin: where clients reach the API, or where the request came to."""
        return (self.settings.public_url or f"{request.scheme}://{request.host}").rstrip("/")

    async def admit(self, principal: Principal) -> None:
        """Raises Throttled and QuotaExceeded when the principal has asked as often as it may."""
        await self.throttle.admit(principal)
        await self.quota.admit(principal)

    def announce(self, submitted: Submitted) -> Activity:
        """Tells the workers about a committed activity, and answers it."""
        if submitted.messages:
            self.send(submitted.messages)
        return submitted.activity


@dataclass(frozen=True, slots=True)
class Call(Generic[Q, B]):
    """One request of an authorised principal, read by the models that its route declares."""

    request: web.Request
    principal: Principal
    services: Services
    route: "Route[Q, B]"

    def query(self) -> Q:
        """What the request asks for. Raises Invalid."""
        assert self.route.query is not None, "the route declares no query"
        return self.route.query.asked(self.request, self.account_id)

    async def body(self) -> B:
        """The JSON body. Raises UnsupportedMediaType, and Invalid with all that is wrong with it."""
        assert self.route.body is not None, "the route declares no body"
        return await reading.body(self.request, self.route.body)

    def received(self, fields: Mapping[str, Any]) -> B:
        """The fields of a form or body that the handler has received by itself. Raises Invalid."""
        assert self.route.body is not None, "the route declares no body"
        return reading.checked(self.route.body, fields)

    @property
    def db(self) -> Database:
        return self.services.db

    @property
    def settings(self) -> Settings:
        return self.services.settings

    @property
    def account_id(self) -> int:
        return self.principal.account_id


Handler = Callable[[Call[Q, B]], Awaitable[web.StreamResponse]]


@dataclass(frozen=True, slots=True)
class Media:
    """An answer that is no JSON."""

    content_type: str


CSV = Media("text/csv")


@dataclass(frozen=True, slots=True)
class Route(Generic[Q, B]):
    """One method of one path: who may (any of the privileges), what answers, and all that its documentation tells.

    documented: refusals beyond those that every route may give.
    operation: its name for generated clients.
    query, body: what the handler reads, through its call; a body that is a `Form` comes as multipart/form-data.
    example: a body as a client may send it.
    answers: by status, the type of the JSON that is sent, a `Media`, or None without a body.
    extension: whether it is Muster's own, and not of the dialect that is spoken.
    """

    method: str
    path: str
    privileges: tuple[Privilege, ...]
    handler: Handler[Q, B]
    documented: frozenset[HTTPStatus] = field(default=frozenset())
    operation: str = ""
    summary: str = ""
    query: type[Q] | None = None
    body: type[B] | None = None
    example: Mapping[str, Any] | None = None
    answers: Mapping[int, Any] = field(default_factory=dict)
    extension: bool = False


#: A route, whatever it reads.
AnyRoute = Route[Any, Any]


@dataclass(frozen=True, slots=True)
class Chapter:
    """What the documentation tells beside the routes: a table, and an example. What is between backquotes is code."""

    title: str
    words: str
    heading: tuple[str, ...]
    rows: Sequence[tuple[str, ...]]
    example: Mapping[str, Any] | None = None


@dataclass(frozen=True, slots=True)
class Nowhere:
    """Where nothing is, though a route with an id has such paths: a pattern as aiohttp has them, and what is said."""

    method: str
    path: str
    words: str


@dataclass(frozen=True, slots=True)
class Dialect:
    """One wire format, mounted under its prefix.

    refuse: words an error; the route is None where none was found.
    refusals: by status, the type of what `refuse` sends.
    ids: by name, the type of what stands in paths.
    nowhere: what is refused as unknown (404) where otherwise only the method would be wrong (405).
    webhooks: by its type, the type of what owners of addresses are told.
    """

    prefix: str
    routes: Sequence[AnyRoute]
    authenticate: Callable[[Authenticator, web.Request], Awaitable[Principal]]
    refuse: Callable[[MusterError, AnyRoute | None], web.Response]
    refusals: Mapping[HTTPStatus, Any]
    ids: Mapping[str, Any]
    chapters: Sequence[Chapter] = ()
    nowhere: Sequence[Nowhere] = ()
    webhooks: Mapping[str, Any] = field(default_factory=dict)


def mount(app: web.Application, services: Services, dialect: Dialect) -> None:
    """Adds the dialect's routes. Every other path under its prefix, and every other method, is refused in its words."""
    for each in dialect.nowhere:
        refuse = _refusing(dialect, NoSuchRoute(each.words))
        app.router.add_route(each.method, dialect.prefix + each.path, refuse, expect_handler=expect)
    path = attrgetter("path")
    for path_of_routes, routes in groupby(sorted(dialect.routes, key=path), key=path):
        _mount_path(app, services, dialect, path_of_routes, list(routes))
    nowhere = _refusing(dialect, NoSuchRoute("there is no such resource"))
    for path_of_others in (dialect.prefix, dialect.prefix + "/{rest:(?s:.*)}"):
        app.router.add_route("*", path_of_others, nowhere, expect_handler=expect)


def _mount_path(
    app: web.Application, services: Services, dialect: Dialect, path: str, routes: Sequence[AnyRoute]
) -> None:
    resource = app.router.add_resource(dialect.prefix + path)
    for route in routes:
        answer = _answering(services, dialect, route)
        resource.add_route(route.method, answer, expect_handler=expect)
        if route.method == "GET":
            resource.add_route("HEAD", answer, expect_handler=expect)
    methods = sorted({route.method for route in routes} | {"HEAD" for r in routes if r.method == "GET"})
    allow = ", ".join([*methods, "OPTIONS"])
    resource.add_route("OPTIONS", _telling(allow), expect_handler=expect)
    wrong = MethodNotAllowed(f"this resource has no such method; it has {allow}")
    resource.add_route("*", _refusing(dialect, wrong, allow), expect_handler=expect)


def _answering(services: Services, dialect: Dialect, route: AnyRoute) -> Answer:
    authenticator = services.authenticator

    async def answer(request: web.Request) -> web.StreamResponse:
        principal = await dialect.authenticate(authenticator, request)
        await services.admit(principal)
        principal.require(*route.privileges)
        return await route.handler(Call(request, principal, services, route))

    path = dialect.prefix + route.path
    return observed(services, path, route.method, answer, lambda error: dialect.refuse(error, route))


def observed(services: Services, path: str, method: str, answer: Answer, refuse: Refuse) -> Answer:
    """The answer with its time in the metrics of the path, and whatever it raises in the dialect's words."""
    observe = services.metrics.of_route(path, method).observe

    async def answer_or_refuse(request: web.Request) -> web.StreamResponse:
        begun = perf_counter()
        response: web.StreamResponse
        try:
            response = await answer(request)
        except Exception as error:  # noqa: BLE001 (whatever it is, the caller gets the dialect's words for it)
            response = refuse(told(error, path))
        observe(response.status, perf_counter() - begun)
        return response

    return answer_or_refuse


def told(error: Exception, path: str) -> MusterError:
    """What the caller of a path is told of an error: refusals as they are, faults in the log only."""
    match error:
        case MusterError():
            return error
        case TimeoutError():
            log.error("database_too_slow", route=path)
            return DatabaseUnusable("the database took too long; ask for less, or try again later")
        case _ if isinstance(error, UNREACHABLE):
            log.error("database_unreachable", route=path, reason=repr(error))
            return DatabaseUnusable("the database cannot be reached; try again later")
        case _:
            log.error("request_failed", route=path, exc_info=error)
            return Unexpected("Muster failed to answer; the fault is in its log")


def _refusing(dialect: Dialect, error: MusterError, allow: str = "") -> Answer:
    async def refuse(_: web.Request) -> web.StreamResponse:
        response = dialect.refuse(error, None)
        if allow:
            response.headers["Allow"] = allow
        return response

    return refuse


def _telling(allow: str) -> Answer:
    async def tell(_: web.Request) -> web.StreamResponse:
        return web.Response(status=HTTPStatus.NO_CONTENT, headers={"Allow": allow})

    return tell


async def expect(request: web.Request) -> web.StreamResponse | None:
    """Lets a client that asks first send its body; an expectation of another kind is not ours to refuse."""
    if request.headers.get("Expect", "").lower() == "100-continue":
        with suppress(ConnectionError):
            await request.writer.write(b"HTTP/1.1 100 Continue\r\n\r\n")
        request.writer.output_size = 0
    return None
