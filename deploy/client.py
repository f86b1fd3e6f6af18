"""Muster's HTTP API as the commands use it: the v3 dialect over a real connection, never the engine."""

import asyncio
from collections.abc import AsyncIterator, Callable, Mapping
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any, Self

import aiohttp
from pydantic import BaseModel, ConfigDict, Field

from engine.errors import MusterError

#: Bytes of a file that are read and sent at once.
PIECE_BYTES = 256 * 1024

#: Seconds that the server may hold a question for an activity's state, before it answers that nothing is new.
WAIT_SECONDS = 1

FINAL_STATES = frozenset({"completed", "cancelled", "failed", "timed_out"})


class ApiRefused(MusterError):
    """The API refused the request, or none answers."""

    code = "api_refused"


class Activity(BaseModel):
    """What the commands show of an activity (contract v3.md 3.2; the counts are an extension)."""

    model_config = ConfigDict(frozen=True, extra="allow")

    activity_id: str
    state: str
    percent_done: int
    created_at: str
    activity_errors: tuple[str, ...] = ()
    status: Mapping[str, int] = Field(default_factory=dict)
    changed_count: int | None = None
    error_count: int | None = None

    @property
    def is_final(self) -> bool:
        return self.state in FINAL_STATES


class Client:
    """One account's connection to the API, by the token."""

    def __init__(self, session: aiohttp.ClientSession, address: str) -> None:
        self._session = session
        self._address = address

    @classmethod
    @asynccontextmanager
    async def open(cls, address: str, token: str) -> AsyncIterator[Self]:
        headers = {"Authorization": f"Bearer {token}"}
        timeout = aiohttp.ClientTimeout(total=None, connect=10)
        async with aiohttp.ClientSession(headers=headers, timeout=timeout) as session:
            yield cls(session, address.rstrip("/"))

    async def get(self, path: str, **query: str) -> Any:
        return await self._request("GET", path, params=query)

    async def post(self, path: str, body: object | None = None) -> Any:
        return await self._request("POST", path, json=body)

    async def submit(self, kind: str, body: object) -> Activity:
        """Submits an activity; `kind` is the last part of its path, such as add_list_memberships."""
        return Activity.model_validate(await self.post(f"/activities/{kind}", body))

    async def watch(self, activity_id: str) -> AsyncIterator[Activity]:
        """The activity each time the server tells of it; the last one is final."""
        while True:
            answer = await self.get(f"/activities/{activity_id}", wait=str(WAIT_SECONDS))
            activity = Activity.model_validate(answer)
            yield activity
            if activity.is_final:
                return

    async def finished(self, activity_id: str) -> Activity:
        """The activity once it is final."""
        async for activity in self.watch(activity_id):
            if activity.is_final:
                return activity
        raise AssertionError("watching ends with a final state")

    async def list_named(self, name: str) -> str:
        """The id of the list with this name, which is made when there is none."""
        found = (await self.get("/contact_lists", name=name))["lists"]
        return str((found[0] if found else await self.post("/contact_lists", {"name": name}))["list_id"])

    async def import_csv(self, file: Path, list_ids: list[str], sent: Callable[[int], None]) -> Activity:
        """Uploads a CSV file, telling `sent` the bytes of each piece; answers the import's activity."""
        form = aiohttp.MultipartWriter("form-data")
        form.append(",".join(list_ids)).set_content_disposition("form-data", name="list_ids")
        part = form.append(_pieces(file, sent), {aiohttp.hdrs.CONTENT_TYPE: "text/csv"})
        part.set_content_disposition("form-data", name="file", filename=file.name)
        return Activity.model_validate(await self._request("POST", "/activities/contacts_file_import", data=form))

    async def _request(self, method: str, path: str, **arguments: Any) -> Any:
        try:
            async with self._session.request(method, f"{self._address}/v3{path}", **arguments) as response:
                if response.status >= 400:
                    raise ApiRefused(f"{method} /v3{path}: {response.status} {await _reason(response)}")
                return await response.json()
        except (aiohttp.ClientConnectorError, aiohttp.InvalidURL, TimeoutError) as error:
            raise ApiRefused(
                f"no API answers at {self._address}: start one with `muster up`, or set MUSTER_URL"
            ) from error
        except aiohttp.ClientError as error:
            raise ApiRefused(f"{method} /v3{path}: the connection broke: {error}") from error


async def _pieces(file: Path, sent: Callable[[int], None]) -> AsyncIterator[bytes]:
    with await asyncio.to_thread(file.open, "rb") as stream:
        while piece := await asyncio.to_thread(stream.read, PIECE_BYTES):
            yield piece
            sent(len(piece))


async def _reason(response: aiohttp.ClientResponse) -> str:
    """The messages of an error body in either of its forms (contract v3.md 1.8), else the body."""
    text = await response.text()
    try:
        body = await response.json(content_type=None)
    except ValueError:
        return text
    errors = body if isinstance(body, list) else [body]
    return "; ".join(str(error.get("error_message", error)) for error in errors if isinstance(error, dict)) or text
