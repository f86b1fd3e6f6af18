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
from api.ivvy.actions import Actions, Call, Caller, Means, named
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
        key_id, principal_key = await self._key(request)
        head, services = _head(request), self._services
        signing.insist_on_time(head, datetime.now(UTC))
        body = await reading.at_most(request, BODY_BYTES)
        signing.insist_on_body(head, body)
        signing.insist_on_signature(head, body, signing.credentials(head).signature, principal_key.secret)
        principal = principal_key.principal
        await services.throttle.admit(principal)
        await services.quota.admit(principal)
        if not (name := request.query.get("action")):
            raise Refused(ErrorCode.INVALID, "The query parameter 'action' is required")
        action = named(self._actions, namespace, name)
        action.insist_on_right(principal)
        reading.insist_on_json(request)
        caller = Caller(principal, key_id, services.address(request))
        content = await action.handler(Call(caller, parameters.parameters_of(body), self._means))
        return await _streamed(request, content) if isinstance(content, AsyncIterator) else json_answer(content)

    def _namespace(self, request: web.Request) -> str:
        if request.method != "POST":
            raise MethodNotAllowed("Every call is a POST")
        found = _PATH.fullmatch(request.path)
        if found is None or found[1] not in self._namespaces:
            raise NoSuchRoute("There is no such namespace of this version; it is /api/1.0/{namespace}")
        return found[1]

    async def _key(self, request: web.Request) -> tuple[str, SigningKey]:
        key_id = signing.credentials(_head(request)).key_id
        key = await self._services.authenticator.key(key_id)
        insist_on_key(key)
        return key_id, key


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


def _head(request: web.Request) -> Head:
    return Head(request.raw_path, tuple(request.headers.items()))
