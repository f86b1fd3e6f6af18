"""A client of the W50 API (contract w50.md 1)."""

import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from lxml import etree

from engine.sets.catalog import NamedSet
from tests.e2e.api.front import Answer, Front
from tests.integration.desk import Desk


@dataclass(frozen=True)
class Client:
    """A caller with a list."""

    front: Front
    contact_list: NamedSet
    headers: Mapping[str, str] = field(default_factory=dict)

    @property
    def desk(self) -> Desk:
        return self.front.desk

    @property
    def path(self) -> str:
        return f"/Which50API/contactLists/{self.contact_list.set_no}"

    async def ask(self, method: str, path: str, body: object = None, **headers: str) -> Answer:
        """A request whose body, unless it is bytes, is sent as JSON; its answer is of the type that it says."""
        data = body if body is None or isinstance(body, bytes) else json.dumps(body).encode()
        given = {**({"Content-Type": "application/json"} if data is not None else {}), **self.headers, **headers}
        answer = await self.front.request(method, path, data=data, headers=given)
        content_type, _, charset = answer.headers["Content-Type"].partition("; ")
        assert charset == "charset=utf-8"
        if content_type.endswith("xml"):
            etree.fromstring(answer.content)
        else:
            assert content_type in ("application/json", "text/json", "application/csp-report")
            json.loads(answer.content)
        return answer

    async def refused(self, status: int, method: str, path: str, body: object = None, **headers: str) -> str:
        """The message of a refusal (contract 9)."""
        answer = await self.ask(method, path, body, **headers)
        assert answer.status == status, answer.content
        problem = answer.body
        assert set(problem) <= {"Message", "Errors"}
        return str(problem["Message"])

    async def done(self, method: str, path: str, body: object = None, **headers: str) -> Any:
        answer = await self.ask(method, path, body, **headers)
        assert answer.status == 200, answer.content
        return answer.body

    async def post(self, values: object, query: str = "") -> Any:
        return await self.done("POST", f"{self.path}/contact{query}", {"Values": values})

    async def get(self, enc_id: str) -> Any:
        """The values of a contact."""
        return (await self.done("GET", f"/Which50API/contacts/{enc_id}"))["Values"]
