"""Signed requests over HTTP: the checks in the contract's order, then the action (contract ivvy.md 2.2)."""

import re
from collections.abc import AsyncIterator
from datetime import UTC, datetime

from aiohttp import web

from api import reading
from api.answers import json_answer
from api.dialects import Services
from api.errors import MethodNotAllowed, NoSuchRoute
from api.ivvy import parameters, signing
from api.ivvy.calling import Actions, Call, Caller, Means, named
from api.ivvy.refusals import ErrorCode, Refused, error_object
from api.ivvy.signing import Head
from engine.errors import MusterError
from engine.principals import SigningKey

#: Largest body (contract ivvy.md 11).
BODY_BYTES = 2**20

_PATH = re.compile(r"/api/1\.0/([a-z]+)", re.ASCII)


class Front:
    """Answers the requests of one application."""

    def __init__(self, services: Services, actions: Actions) -> None:
        self._services = services
        self._actions = actions
        self._namespaces = frozenset(namespace for namespace, _ in actions)
        self._means = Means(services.db, services.settings, services.inline, services.at_once)

    async def answer(self, request: web.Request) -> web.StreamResponse:
        """Raises MusterError."""
        namespace = self._namespace(request)
        caller, body = await self._signed(request)
        await self._services.admit(caller.principal)
        action = named(self._actions, namespace, _name(request))
        action.insist_on_right(caller.principal)
        reading.insist_on_json(request)
        content = await action.handler(Call(caller, parameters.parameters_of(body), self._means))
        return await _streamed(request, content) if isinstance(content, AsyncIterator) else json_answer(content)

    def _namespace(self, request: web.Request) -> str:
        if request.method != "POST":
            raise MethodNotAllowed("Every call is a POST")
        found = _PATH.fullmatch(request.path)
        if found is None or found[1] not in self._namespaces:
            raise NoSuchRoute("There is no such namespace of this version; it is /api/1.0/{namespace}")
        return found[1]

    async def _signed(self, request: web.Request) -> tuple[Caller, bytes]:
        """Who has signed the request, and its body (contract ivvy.md 2.2, 3 to 7)."""
        head = Head(request.raw_path, tuple(request.headers.items()))
        given = signing.credentials(head)
        key = await self._services.authenticator.key(given.key_id)
        insist_on_key(key)
        signing.insist_on_time(head, datetime.now(UTC))
        body = await reading.at_most(request, BODY_BYTES)
        signing.insist_on_body(head, body)
        signing.insist_on_signature(head, body, given.signature, key.secret)
        return Caller(key.principal, given.key_id, self._services.address(request)), body


def insist_on_key(key: SigningKey) -> None:
    """Raises Refused when the key is revoked (contract ivvy.md 2.2, 4)."""
    if key.revoked:
        raise Refused(ErrorCode.REVOKED, "The key has been revoked")


def refuse(error: MusterError) -> web.Response:
    """The error object, whose code is the status, too (contract ivvy.md 4)."""
    told = error_object(error)
    return json_answer(told, int(str(told["errorCode"])))


async def _streamed(request: web.Request, pieces: AsyncIterator[bytes]) -> web.StreamResponse:
    """The answer as its pieces come. One that breaks off must not look whole."""
    response = web.StreamResponse(headers={"Content-Type": reading.JSON})
    await response.prepare(request)
    try:
        async for piece in pieces:
            await response.write(piece)
    except Exception:
        if request.transport is not None:
            request.transport.abort()
        raise
    await response.write_eof()
    return response


def _name(request: web.Request) -> str:
    """The action that is asked for. Raises Refused (contract ivvy.md 2.2, 8)."""
    if not (name := request.query.get("action")):
        raise Refused(ErrorCode.INVALID, "The query parameter 'action' is required")
    return name
