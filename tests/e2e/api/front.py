"""The API as its clients meet it: a real server on a port of its own, spoken to over HTTP."""

import json
from collections.abc import AsyncIterator, Iterable, Mapping, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass, field, replace
from io import BytesIO
from typing import Any, Self
from uuid import UUID

import aiohttp

from api.app import serving
from engine.activities.model import Message
from engine.settings import Settings
from tests.e2e.api.promises import promises
from tests.integration.desk import Desk

#: The keys of contract v3.md 1.8 that come as one object; all others come in an array of one.
OBJECTS = {401: {"unauthorized"}, 403: {"forbidden"}}
ARRAYS = {
    400: {"contacts.api.validation.error"},
    404: {"contacts.api.not_found"},
    405: {"contacts.api.method_not_allowed"},
    409: {"contacts.api.conflict"},
    415: {"contacts.api.unsupported_media_type"},
    416: {"contacts.api.range_not_satisfiable"},
    429: {"contacts.api.activities.limit"},
    500: {"contacts.api.internal_error"},
    503: {"contacts.api.unavailable"},
}


class Bell:
    """A doorbell that remembers; its broker may be down."""

    def __init__(self) -> None:
        self.messages: list[Message] = []
        self.up = True

    def send(self, messages: Iterable[Message]) -> None:
        if self.up:
            self.messages += messages

    async def is_up(self) -> bool:
        return self.up


@dataclass(frozen=True)
class Answer:
    """What came back."""

    status: int
    headers: Mapping[str, str]
    content: bytes

    @property
    def body(self) -> Any:
        return json.loads(self.content)

    @property
    def message(self) -> str:
        """What a refusal says, after a check that it has the form of contract v3.md 1.8."""
        assert self.headers["Content-Type"] == "application/json"
        body = self.body
        if self.status in OBJECTS:
            refusal, keys = body, OBJECTS[self.status]
        else:
            assert isinstance(body, list)
            assert len(body) == 1
            refusal, keys = body[0], ARRAYS[self.status]
        assert set(refusal) == {"error_key", "error_message"}
        assert refusal["error_key"] in keys
        assert refusal["error_message"]
        assert refusal["error_message"].isprintable()
        return str(refusal["error_message"])


@dataclass(frozen=True)
class Front:
    """A client with the token of an account, and that account's desk behind the server."""

    session: aiohttp.ClientSession
    address: str
    bell: Bell
    desk: Desk
    token: str | None
    headers: Mapping[str, str] = field(default_factory=dict)

    def as_(self, token: str | None) -> Self:
        return replace(self, token=token)

    async def request(self, method: str, path: str, **arguments: Any) -> Answer:
        """A request; `path` is sent as it is. The answer is what the OpenAPI document promises."""
        headers = dict(arguments.pop("headers", {}))
        if self.token is not None:
            headers.setdefault("Authorization", f"Bearer {self.token}")
        async with self.session.request(method, self.address + path, headers=headers, **arguments) as response:
            answer = Answer(response.status, response.headers, await response.read())
        if method != "HEAD" and (promise := promises().of(method, response.url.raw_path)):
            promise.check(answer.status, answer.headers.get("Content-Type", ""), answer.content)
        return answer

    async def get(self, path: str, status: int = 200) -> Any:
        answer = await self.request("GET", path)
        assert answer.status == status, answer.content
        return answer.body

    async def post(self, path: str, body: object, status: int = 201) -> Any:
        answer = await self.request("POST", path, json=body)
        assert answer.status == status, answer.content
        return answer.body

    async def put(self, path: str, body: object, status: int = 200) -> Any:
        answer = await self.request("PUT", path, json=body)
        assert answer.status == status, answer.content
        return answer.body

    async def delete(self, path: str, status: int) -> Answer:
        answer = await self.request("DELETE", path)
        assert answer.status == status, answer.content
        return answer

    async def refused(self, method: str, path: str, status: int, **arguments: Any) -> str:
        """The message of a refusal with this status."""
        answer = await self.request(method, path, **arguments)
        assert answer.status == status, answer.content
        return answer.message

    async def submit(self, kind: str, body: object) -> Any:
        return await self.post(f"/v3/activities/{kind}", body)

    async def upload(self, *parts: tuple[str, str | bytes, str | None]) -> Answer:
        """A CSV import of form parts: name, content, file name."""
        form = aiohttp.FormData()
        for name, content, file_name in parts:
            form.add_field(name, BytesIO(content) if isinstance(content, bytes) else content, filename=file_name)
        form._is_multipart = True  # also without a file
        return await self.request("POST", "/v3/activities/contacts_file_import", data=form)

    async def new_list(self, name: str, **properties: object) -> str:
        return str((await self.post("/v3/contact_lists", {"name": name, **properties}))["list_id"])

    async def new_tag(self, name: str) -> str:
        return str((await self.post("/v3/contact_tags", {"name": name}))["tag_id"])

    async def work(self) -> None:
        """Does what the doorbell rang for."""
        messages, self.bell.messages[:] = list(self.bell.messages), []
        await self.desk.deliver(messages)

    async def finished(self, kind: str, body: object) -> Any:
        """Submits, lets a worker do it, and answers the activity as it ended."""
        submitted = await self.submit(kind, body)
        await self.work()
        return await self.get(submitted["_links"]["self"]["href"])

    async def add(self, contact_ids: Sequence[UUID], *list_ids: str) -> Any:
        body = {"source": {"contact_ids": [str(each) for each in contact_ids]}, "list_ids": list_ids}
        return await self.finished("add_list_memberships", body)

    async def pages(self, path: str, name: str) -> list[Any]:
        """The items of every page, following `_links.next` as the contract's clients do."""
        items: list[Any] = []
        while True:
            page = await self.get(path)
            items += page[name]
            if "_links" not in page:
                return items
            path = page["_links"]["next"]["href"]
            assert path.startswith("/v3/")


@asynccontextmanager
async def open_front(settings: Settings, desk: Desk, token: str) -> AsyncIterator[Front]:
    bell = Bell()
    async with serving(settings.model_copy(update={"port": 0}), bell) as address, aiohttp.ClientSession() as session:
        yield Front(session, address, bell, desk, token)
