"""The one door of this dialect: a form that is posted calls one function (contract greenrope.md 1).

Answers have status 200, also those that refuse; every one has the root that belongs to its function, as far as that is
known. A long answer is sent while it is made. Once it has begun its status and its first words cannot be taken back, so
if it fails in the middle its list is closed where it is, and what follows is not the total but `Result` once more, with
`Error`, and the error: the document is well-formed, and whoever looks for the total sees that it is not whole.
"""

import asyncio
from collections.abc import AsyncIterator, Sequence
from contextlib import aclosing, suppress
from http import HTTPStatus

from aiohttp import web

from api import dialects
from api.dialects import Services
from api.greenrope import forms, login, requests
from api.greenrope.answers import Format, Frame, Record, Xml
from api.greenrope.calling import Call, Long
from api.greenrope.forms import Form
from api.greenrope.functions import FUNCTIONS
from api.greenrope.refusals import STATUSES, UnknownFunction, refusal
from api.greenrope.requests import UNATTRIBUTED, Heading
from api.greenrope.values import Attributes
from api.xml import BadXml
from engine.errors import Invalid, MusterError

PATHS = ("/api-xml", "/xml.pl")
#: What logs in, where all others need to have logged in.
LOGIN = "GetAuthToken"


def mount(app: web.Application, services: Services) -> None:
    """Adds the two paths, which are the same; other methods than POST are refused without a word."""
    for path in PATHS:
        resource = app.router.add_resource(path)
        answer = dialects.observed(services, path, "POST", _Door(services, path).answer, _unattributed)
        resource.add_route("POST", answer, expect_handler=dialects.expect)
        resource.add_route("*", _not_allowed, expect_handler=dialects.expect)


class _Door:
    """Answers the requests to one path."""

    def __init__(self, services: Services, path: str) -> None:
        self._services = services
        self._path = path

    async def answer(self, request: web.Request) -> web.StreamResponse:
        """Raises what is wrong with a request that is no XML, or of which it is not known what function it calls."""
        form = await forms.receive(request)
        if not form.xml:
            raise Invalid("the form field xml is missing")
        heading = requests.heading(form.xml)
        if heading.function != LOGIN and heading.function not in FUNCTIONS:
            raise UnknownFunction(f"there is no function {heading.function}")
        try:
            answer = await self._called(heading, form)
            if isinstance(answer, Long):
                return await self._sent(request, heading, answer)
            return _whole(heading.answer_root, answer, heading.format)
        except BadXml:
            raise
        except Exception as error:  # noqa: BLE001 (whatever it is, the caller gets it in the function's own answer)
            return _refused(dialects.told(error, self._path), heading)

    async def _called(self, heading: Heading, form: Form) -> Record | Long:
        """Who asks is known before the whole request is parsed."""
        if heading.function == LOGIN:
            return await login.log_in(self._services, form)
        access = await login.logged_in(self._services, form)
        root = await requests.document(form.xml)
        call = Call(heading.function, self._services, access, root, Attributes.of(root), heading.format)
        return await FUNCTIONS[heading.function](call)

    async def _sent(self, request: web.Request, heading: Heading, answer: Long) -> web.StreamResponse:
        """Sends the answer; what fails before its first items are there is refused as any other."""
        async with aclosing(answer.runs) as runs:
            first = await anext(runs, None)
            response = web.StreamResponse(headers={"Content-Type": _content_type(heading.format)})
            with suppress(ConnectionError):
                await response.prepare(request)
                async for piece in self._pieces(heading, answer, first):
                    await response.write(piece)
                    await asyncio.sleep(0)
                await response.write_eof()
        return response

    async def _pieces(self, heading: Heading, answer: Long, first: Sequence[Record] | None) -> AsyncIterator[bytes]:
        """The answer piece by piece; what fails from now on is told at its end."""
        frame, written = Frame(heading.answer_root, answer.head, answer.container, answer.item), heading.format
        yield written.begin(frame)
        run, between = first, b""
        try:
            while run is not None:
                if run:
                    yield between + written.items(frame, run)
                    between = written.between
                run = await anext(answer.runs, None)
            end = answer.tail()
        except Exception as error:  # noqa: BLE001 (the answer has begun, so it cannot be refused any more)
            end = refusal(dialects.told(error, self._path))
        yield written.end(frame, end)


async def _not_allowed(_: web.Request) -> web.StreamResponse:
    return web.Response(status=HTTPStatus.METHOD_NOT_ALLOWED, headers={"Allow": "POST"})


def _unattributed(error: MusterError) -> web.Response:
    return _whole(UNATTRIBUTED, Record(refusal(error)), Xml(), _status(error))


def _refused(error: MusterError, heading: Heading) -> web.Response:
    return _whole(heading.answer_root, Record(refusal(error)), heading.format, _status(error))


def _status(error: MusterError) -> HTTPStatus:
    return STATUSES.get(error.code, HTTPStatus.OK)


def _whole(root: str, answer: Record, written: Format, status: HTTPStatus = HTTPStatus.OK) -> web.Response:
    return web.Response(
        body=written.whole(root, answer), status=status, headers={"Content-Type": _content_type(written)}
    )


def _content_type(written: Format) -> str:
    return f"{written.content_type}; charset=utf-8"
