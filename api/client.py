"""Muster's HTTP API for Python programs: the v3 dialect over any connection.

It stands alone, on aiohttp and pydantic: nothing here knows the engine or the server. What is safe to repeat is
repeated when a connection fails or the server is busy: what only reads, and what was refused before anything was done.

    async with Client.open("http://127.0.0.1:8080", token) as client:
        activity = await client.submit("add_list_memberships", {"source": {"list_ids": [one]}, "list_ids": [two]})
        print((await client.finished(activity)).state)
"""

import asyncio
from collections.abc import AsyncIterator, Callable, Iterable, Iterator, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass
from http import HTTPStatus
from pathlib import Path
from typing import Any, BinaryIO, Self

import aiohttp
from pydantic import BaseModel, ConfigDict, Field

#: Where the dialect is mounted.
PREFIX = "/v3"
#: Bytes of a file that are read and sent, or received and written, at once.
PIECE_BYTES = 256 * 1024
#: Seconds that the server may hold a question for an activity's state, before it answers that nothing is new.
WAIT_SECONDS = 1
#: Seconds within which a connection is made, and within which something comes over it that is waited for.
CONNECT_SECONDS = 10
READ_SECONDS = 90
FINAL_STATES = frozenset({"completed", "cancelled", "failed", "timed_out"})
#: Refusals that pass: by a server that is busy, or by what stands before it.
BUSY = frozenset({HTTPStatus.BAD_GATEWAY, HTTPStatus.SERVICE_UNAVAILABLE, HTTPStatus.GATEWAY_TIMEOUT})

#: A value of a query; several are told with commas between them.
Value = str | int | Iterable[str]
#: Is told how many bytes were sent or received so far, and how many there are in all.
Told = Callable[[int, int], None]


class ClientError(Exception):
    """What a request can come to other than an answer."""


class Unreachable(ClientError):
    """The connection broke, or the server fell silent: whether the request was carried out is not known."""


class BadAddress(ClientError):
    """The address is none that an API can have."""


class NotConnected(Unreachable):
    """Nobody answers at the address: nothing was asked."""


class Refused(ClientError):
    """The API refused the request (contract v3.md 1.8): `key` is for programs, `message` for people."""

    def __init__(self, request: str, status: int, key: str, message: str) -> None:
        super().__init__(f"{request}: {status} {message}")
        self.status = status
        self.key = key
        self.message = message


@dataclass(frozen=True, slots=True)
class Retries:
    """How often a request is made at most, and the seconds before the second time; each pause is twice the last."""

    most: int = 4
    pause: float = 0.2

    def pauses(self) -> Iterator[float]:
        return (self.pause * 2**number for number in range(self.most - 1))


RETRIES = Retries()


class Activity(BaseModel):
    """An activity as the API tells it (contract v3.md 3.2; the counts are an extension). What else it tells is kept."""

    model_config = ConfigDict(frozen=True, extra="allow")

    activity_id: str
    state: str
    percent_done: int
    created_at: str
    activity_errors: tuple[str, ...] = ()
    status: Mapping[str, int] = Field(default_factory=dict)
    links: Mapping[str, Mapping[str, str]] = Field(default_factory=dict, alias="_links")
    changed_count: int | None = None
    error_count: int | None = None

    @property
    def is_final(self) -> bool:
        return self.state in FINAL_STATES

    @property
    def file(self) -> str | None:
        """Where the file of an export is once it is completed, for `Client.download`."""
        return self.links["results"]["href"] if "results" in self.links else None


class Client:
    """One account's connection to the API, by the token. Every method raises Refused and Unreachable."""

    def __init__(self, session: aiohttp.ClientSession, address: str, retries: Retries) -> None:
        self._session = session
        self._address = address
        self._retries = retries

    @classmethod
    @asynccontextmanager
    async def open(cls, address: str, token: str, retries: Retries = RETRIES) -> AsyncIterator[Self]:
        """A client of the API at this address, such as http://127.0.0.1:8080. Raises BadAddress."""
        root = _root(address)
        headers = {"Authorization": f"Bearer {token}"}
        timeout = aiohttp.ClientTimeout(total=None, connect=CONNECT_SECONDS, sock_read=READ_SECONDS)
        async with aiohttp.ClientSession(headers=headers, timeout=timeout) as session:
            yield cls(session, root, retries)

    async def get(self, path: str, **query: Value) -> Any:
        """What is at a path such as /contact_lists, as JSON."""
        return await self._json("GET", PREFIX + path, params={name: _text(value) for name, value in query.items()})

    async def post(self, path: str, body: object | None = None) -> Any:
        return await self._json("POST", PREFIX + path, json=body)

    async def put(self, path: str, body: object) -> Any:
        return await self._json("PUT", PREFIX + path, json=body)

    async def patch(self, path: str, body: object) -> Any:
        return await self._json("PATCH", PREFIX + path, json=body)

    async def delete(self, path: str) -> Any:
        """The activity that deletes, or None when all is done."""
        return await self._json("DELETE", PREFIX + path)

    async def each(self, path: str, **query: Value) -> AsyncIterator[Any]:
        """Every item of a collection such as /contacts, page after page; `limit` is the size of a page."""
        page = await self.get(path, **query)
        while True:
            for item in _items(page):
                yield item
            if "_links" not in page:
                return
            page = await self._json("GET", page["_links"]["next"]["href"])

    async def submit(self, kind: str, body: object) -> Activity:
        """Submits an activity; `kind` is the last part of its path, such as add_list_memberships."""
        return Activity.model_validate(await self.post(f"/activities/{kind}", body))

    async def activity(self, activity: Activity | str, wait: int = 0) -> Activity:
        """The activity as it is now, or as soon as it has ended within so many seconds."""
        return Activity.model_validate(await self.get(f"/activities/{_id(activity)}", wait=wait))

    async def watch(self, activity: Activity | str) -> AsyncIterator[Activity]:
        """The activity each time the server tells of it; the last one is final."""
        while True:
            latest = await self.activity(activity, WAIT_SECONDS)
            yield latest
            if latest.is_final:
                return

    async def finished(self, activity: Activity | str) -> Activity:
        """The activity once it is final."""
        async for latest in self.watch(activity):
            if latest.is_final:
                return latest
        raise AssertionError("watching ends with a final state")

    def errors(self, activity: Activity | str) -> AsyncIterator[Mapping[str, str]]:
        """Every item that the activity did not do as asked: its item, code and message."""
        return self.each(f"/activities/{_id(activity)}/errors", limit=500)

    async def find_list(self, name: str) -> str | None:
        """The id of the list with this name, whatever its case and the blanks around it; None when there is none."""
        async for each in self.each("/contact_lists", limit=1000):
            if _name_key(each["name"]) == _name_key(name):
                return str(each["list_id"])
        return None

    async def find_or_make_list(self, name: str) -> str:
        """The id of the list with this name, which is made when there is none."""
        return await self.find_list(name) or str((await self.post("/contact_lists", {"name": name}))["list_id"])

    async def import_csv(self, file: Path, list_ids: Iterable[str], sent: Told) -> Activity:
        """Uploads a CSV file; answers the import's activity."""
        form = aiohttp.MultipartWriter("form-data")
        form.append(",".join(list_ids)).set_content_disposition("form-data", name="list_ids")
        part = form.append(_pieces(file, sent), {aiohttp.hdrs.CONTENT_TYPE: "text/csv"})
        part.set_content_disposition("form-data", name="file", filename=file.name)
        return Activity.model_validate(await self._once("POST", f"{PREFIX}/activities/contacts_file_import", data=form))

    async def download(self, href: str, file: Path, received: Told) -> None:
        """Writes what is at a link, such as `Activity.file`, to the file; goes on in it when the connection breaks."""
        with await asyncio.to_thread(file.open, "wb") as stream:
            part = _Part(stream)
            pauses = self._retries.pauses()
            while not part.is_whole:
                begun = part.size
                try:
                    await self._receive(href, part, received)
                except Unreachable:
                    pauses = self._retries.pauses() if part.size > begun else pauses
                    pause = next(pauses, None)
                    if pause is None:
                        raise
                    await asyncio.sleep(pause)

    async def _receive(self, href: str, part: "_Part", received: Told) -> None:
        async with self._answered("GET", href, headers=part.headers()) as response:
            await part.begin(response)
            async for piece in response.content.iter_chunked(PIECE_BYTES):
                await part.add(piece)
                received(part.size, part.size_of_all)
        part.is_whole = True

    async def _json(self, method: str, path: str, **arguments: Any) -> Any:
        """The JSON of an answer, or None without one; repeated where that is safe."""
        pauses = self._retries.pauses()
        while True:
            try:
                return await self._once(method, path, **arguments)
            except ClientError as error:
                pause = next(pauses, None)
                if pause is None or not _may_be_repeated(method, error):
                    raise
                await asyncio.sleep(pause)

    async def _once(self, method: str, path: str, **arguments: Any) -> Any:
        async with self._answered(method, path, **arguments) as response:
            return None if response.status == HTTPStatus.NO_CONTENT else await response.json()

    @asynccontextmanager
    async def _answered(self, method: str, path: str, **arguments: Any) -> AsyncIterator[aiohttp.ClientResponse]:
        try:
            async with self._session.request(method, self._address + path, **arguments) as response:
                if response.status >= HTTPStatus.BAD_REQUEST:
                    raise await _refusal(f"{method} {path}", response)
                yield response
        except (aiohttp.ClientConnectorError, aiohttp.ConnectionTimeoutError, aiohttp.InvalidURL) as error:
            raise NotConnected(f"no API answers at {self._address}") from error
        except (aiohttp.ClientError, TimeoutError, ConnectionError) as error:
            raise Unreachable(f"{method} {path}: the connection broke: {error}") from error


class _Part:
    """What has come of a file, and which file that is."""

    def __init__(self, stream: BinaryIO) -> None:
        self._stream = stream
        self._tag = ""
        self.size = 0
        self.size_of_all = 0
        self.is_whole = False

    def headers(self) -> Mapping[str, str]:
        """Asks for the rest if it is still the same file, as it is stored: a place in what is packed is none in it."""
        rest = {"Range": f"bytes={self.size}-", "If-Range": self._tag} if self.size and self._tag else {}
        return {"Accept-Encoding": "identity", **rest}

    async def begin(self, response: aiohttp.ClientResponse) -> None:
        """Goes on where the answer begins: behind what there is, or at the beginning."""
        if response.status != HTTPStatus.PARTIAL_CONTENT:
            self.size = 0
            await asyncio.to_thread(self._stream.seek, 0)
            await asyncio.to_thread(self._stream.truncate)
        self._tag = response.headers.get("ETag", "")
        self.size_of_all = self.size + (response.content_length or 0)

    async def add(self, piece: bytes) -> None:
        await asyncio.to_thread(self._stream.write, piece)
        self.size += len(piece)


async def _pieces(file: Path, sent: Told) -> AsyncIterator[bytes]:
    with await asyncio.to_thread(file.open, "rb") as stream:
        size = await asyncio.to_thread(lambda: file.stat().st_size)
        while piece := await asyncio.to_thread(stream.read, PIECE_BYTES):
            yield piece
            sent(stream.tell(), size)


def _root(address: str) -> str:
    """What the paths of requests are put behind. Raises BadAddress, which says what would be right."""
    root = address.rstrip("/")
    if not root.lower().startswith(("http://", "https://")):
        raise BadAddress(f"{address} has no http:// or https:// before it: is it http://{root}?")
    if root.endswith(PREFIX):
        raise BadAddress(f"{address} must end before {PREFIX}, which is added: {root.removesuffix(PREFIX)}")
    return root


def _may_be_repeated(method: str, error: ClientError) -> bool:
    """Whether asking again cannot do anything twice, and may help."""
    match error:
        case Refused(key="quota_exceeded"):
            return False
        case Refused(status=HTTPStatus.TOO_MANY_REQUESTS) | NotConnected():
            return True
        case Refused(status=status):
            return method == "GET" and status in BUSY
        case _:
            return method == "GET"


async def _refusal(request: str, response: aiohttp.ClientResponse) -> Refused:
    """An error body in either of its forms (contract v3.md 1.8), or whatever else stands before the API."""
    text = await response.text(errors="replace")
    try:
        body = await response.json(content_type=None)
    except ValueError:
        body = None
    told = body[0] if isinstance(body, list) and body else body
    if not isinstance(told, dict):
        return Refused(request, response.status, "", text or response.reason or "")
    return Refused(request, response.status, str(told.get("error_key", "")), str(told.get("error_message", text)))


def _items(page: Mapping[str, Any]) -> list[Any]:
    """The one array of a page."""
    [items] = (value for value in page.values() if isinstance(value, list))
    return items


def _text(value: Value) -> str:
    match value:
        case bool():
            return str(value).lower()
        case str() | int():
            return str(value)
        case _:
            return ",".join(value)


def _name_key(name: str) -> str:
    """The name as it is compared (contract v3.md 2.3, 6.23)."""
    return name.strip().lower()


def _id(activity: Activity | str) -> str:
    return activity if isinstance(activity, str) else activity.activity_id
