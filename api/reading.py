"""Reading requests: bodies, queries and ids in paths, each checked by a model before anybody sees it."""

import asyncio
import re
from collections.abc import AsyncIterator, Callable, Mapping
from contextlib import asynccontextmanager
from typing import Any, ClassVar, Self, TypeVar
from uuid import UUID

from aiohttp import web
from aiohttp.http_exceptions import HttpProcessingError
from aiohttp.web_exceptions import HTTPRequestEntityTooLarge
from pydantic import BaseModel, ConfigDict, ValidationError

from api import problems
from api.errors import BodyTooLong, UnsupportedMediaType
from engine.errors import Invalid, NotFound

Model = TypeVar("Model", bound=BaseModel)
T = TypeVar("T")

JSON = "application/json"
#: What has more bytes is read beside the event loop.
LONG_BYTES = 65_536
#: Seconds in which a body that is kept in memory has to come.
BODY_SECONDS = 120.0
#: What aiohttp raises for a body that is not what its headers say, or that ends too early.
BROKEN_BODY = (HttpProcessingError, web.RequestPayloadError, ConnectionError)

_UUID = re.compile(r"[0-9a-f]{8}-(?:[0-9a-f]{4}-){3}[0-9a-f]{12}", re.IGNORECASE | re.ASCII)


class Query(BaseModel):
    """What a route can be asked for. Other parameters are ignored, as unknown ones are everywhere."""

    model_config = ConfigDict(frozen=True, extra="ignore")
    #: Fields that are not asked for: where a page begins, which only a cursor says.
    positions: ClassVar[frozenset[str]] = frozenset()

    @classmethod
    def asked(cls, request: web.Request, account_id: int) -> Self:  # noqa: ARG003 (for those that continue)
        """What the request's query asks for. Raises Invalid."""
        return checked(cls, query(request))


class Form(BaseModel):
    """The fields of a body that comes as multipart/form-data with one file, in the part `file`."""

    model_config = ConfigDict(frozen=True, extra="ignore")


async def body(request: web.Request, model: type[Model]) -> Model:
    """The JSON body. Raises UnsupportedMediaType, and Invalid with all that is wrong with it."""
    insist_on_json(request)
    try:
        return model.model_validate_json(await _bytes(request))
    except ValidationError as error:
        raise Invalid(problems.described(error)) from None


def insist_on_json(request: web.Request) -> None:
    """Raises UnsupportedMediaType unless the body is said to be JSON."""
    if request.content_type != JSON:
        raise UnsupportedMediaType(f"Content-Type must be {JSON}")


def broken(error: Exception) -> Invalid:
    """The refusal of a body that cannot be read."""
    return Invalid(f"body cannot be read: {type(error).__name__}")


def checked(model: type[Model], values: Mapping[str, Any]) -> Model:
    """The values of a query or form. Raises Invalid."""
    try:
        return model.model_validate(values)
    except ValidationError as error:
        raise Invalid(problems.described(error)) from None


def query(request: web.Request) -> Mapping[str, str]:
    """The query's parameters; of one that is repeated, the last."""
    if not request.query_string:
        return {}
    return dict(request.query.items())


def path_uuid(request: web.Request, name: str) -> UUID:
    """An id in the path. Raises NotFound when it is none (contract v3.md 1.8)."""
    text = request.match_info[name]
    if not _UUID.fullmatch(text):
        raise NotFound(f"{name} is in an invalid format.")
    return UUID(text)


def path_number(request: web.Request, name: str, most: int) -> int:
    """A number in the path. Raises NotFound when it is none."""
    text = request.match_info[name]
    if not (text.isascii() and text.isdigit() and len(text) <= len(str(most)) and int(text) <= most):
        raise NotFound(f"{name} is in an invalid format.")
    return int(text)


async def at_most(request: web.Request, most: int) -> bytes:
    """The body, if it has at most so many bytes; else refused by its declared length, or as soon as that is passed.

    For dialects with limits of their own. Raises BodyTooLong, and Invalid when it cannot be read.
    """
    too_long = BodyTooLong(f"body is too long: at most {most:,} bytes may be sent")
    if request.content_length is not None and request.content_length > most:
        raise too_long
    received = bytearray()
    async with arriving():
        async for piece in request.content.iter_any():
            received += piece
            if len(received) > most:
                raise too_long
    return bytes(received)


@asynccontextmanager
async def arriving() -> AsyncIterator[None]:
    """A body that is kept in memory has to come in time: some are read before it is known who sends them.

    Raises Invalid when it does not, and when it cannot be read.
    """
    try:
        async with asyncio.timeout(BODY_SECONDS):
            yield
    except TimeoutError:
        raise Invalid(f"body did not come within {BODY_SECONDS:.0f} seconds") from None
    except BROKEN_BODY as error:
        raise broken(error) from error


async def read_apart(read: Callable[[bytes], T], data: bytes) -> T:
    """What `read` makes of the data: of long data beside the event loop, so that nobody waits. Raises as it does."""
    return read(data) if len(data) <= LONG_BYTES else await asyncio.to_thread(read, data)


async def _bytes(request: web.Request) -> bytes:
    try:
        async with arriving():
            return await request.read()
    except HTTPRequestEntityTooLarge:
        raise Invalid(f"body is too long: at most {request.client_max_size:,} bytes may be sent") from None
