"""The API's documentation, served to anybody: each dialect's OpenAPI document, and one page for people at /docs."""

from collections.abc import Awaitable, Callable, Mapping, Sequence
from functools import cache
from typing import Any

from aiohttp import web

from api import openapi
from api.answers import json_answer
from api.dialects import Dialect
from api.docs.page import page

PATH = "/docs"
#: The page needs nothing but its own style.
POLICY = "default-src 'none'; style-src 'unsafe-inline'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'"


def mount(app: web.Application, dialects: Sequence[Dialect]) -> None:
    """Adds {prefix}/openapi.json of each dialect and /docs, each made when it is first asked for; / points to them."""
    documents = {dialect.prefix + "/openapi.json": _document(dialect) for dialect in dialects}
    for path, document in documents.items():
        app.router.add_get(path, document)
    app.router.add_get(PATH, _page(dialects))
    app.router.add_get(
        "/", _signpost(f"This is Muster. Its API for people: {PATH}; for programs: {', '.join(documents)}")
    )


def _signpost(words: str) -> Callable[[web.Request], Awaitable[web.Response]]:
    async def answer(_: web.Request) -> web.Response:
        return web.Response(text=words + "\n")

    return answer


def _document(dialect: Dialect) -> Callable[[web.Request], Awaitable[web.Response]]:
    @cache
    def document() -> Mapping[str, Any]:
        return openapi.document(dialect)

    async def answer(_: web.Request) -> web.Response:
        return json_answer(document())

    return answer


def _page(dialects: Sequence[Dialect]) -> Callable[[web.Request], Awaitable[web.Response]]:
    @cache
    def html() -> bytes:
        return page([(dialect, openapi.document(dialect)) for dialect in dialects])

    async def answer(_: web.Request) -> web.Response:
        headers = {"Content-Security-Policy": POLICY}
        return web.Response(body=html(), content_type="text/html", charset="utf-8", headers=headers)

    return answer
