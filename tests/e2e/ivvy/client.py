"""A client that signs its requests, by code of its own, and the account behind its key (contract ivvy.md 2)."""

import hashlib
import hmac
import json
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any
from uuid import UUID

from yarl import URL

from deploy.process import open_callees
from engine import principals
from engine.activities.model import Message
from engine.activities.runner import Runner
from engine.callees import Callees
from engine.database import Database
from engine.principals import Privilege
from tests.e2e.api.front import Answer, Front
from tests.integration.desk import Desk


@dataclass(frozen=True)
class Ivvy:
    """A key, and what is done with it."""

    front: Front
    key_id: str
    secret: str

    @property
    def desk(self) -> Desk:
        return self.front.desk

    def signed(
        self, target: str, body: bytes, content_type: str = "application/json", own: Mapping[str, str] | None = None
    ) -> dict[str, str]:
        """The headers of a request."""
        md5 = hashlib.md5(body).hexdigest()
        own = {"IVVY-Date": f"{datetime.now(UTC):%Y-%m-%d %H:%M:%S}"} if own is None else own
        names = sorted((name.replace("-", "").replace("_", ""), value) for name, value in own.items())
        text = f"POST{md5}{content_type}{target}1.0{'&'.join(f'{name}={value}' for name, value in names)}".lower()
        signature = hmac.new(self.secret.encode(), text.encode(), hashlib.sha1).hexdigest()
        return {
            "X-Api-Authorization": f"IWS {self.key_id}:{signature}",
            "Content-MD5": md5,
            "Content-Type": content_type,
            **own,
        }

    async def request(self, namespace: str, action: str, params: object = None) -> Answer:
        body = b"" if params is None else json.dumps(params).encode()
        target = f"/api/1.0/{namespace}?action={action}"
        return await self.send(target, body, self.signed(target, body))

    async def send(self, target: str, body: bytes, headers: Mapping[str, str], method: str = "POST") -> Answer:
        """A request; its target is sent as it is."""
        url = URL(self.front.address + target, encoded=True)
        async with self.front.session.request(method, url, data=body, headers=headers) as response:
            return Answer(response.status, response.headers, await response.read())

    async def call(self, namespace: str, action: str, params: object = None) -> Any:
        """What an action answers."""
        answer = await self.request(namespace, action, params)
        assert answer.status == 200, answer.content
        assert answer.headers["Content-Type"].startswith("application/json")
        return answer.body

    async def refused(self, namespace: str, action: str, params: object = None) -> Any:
        """The error object of a refusal, whose code is the status."""
        return error_of(await self.request(namespace, action, params))

    def callees(self, sent: list[Message] | None = None) -> Callees:
        """Those of a worker of the deployment."""
        return open_callees(self.desk.db, self.desk.settings, (sent or []).extend)

    async def work(self) -> None:
        """Does what the doorbell rang for, as a worker of the deployment does."""
        desk, sent = self.desk, list(self.front.bell.messages)
        self.front.bell.messages.clear()
        runner = Runner(desk.db, desk.settings, sent.extend, self.callees(sent))
        while sent:
            await runner.run(sent.pop(0))

    async def contact_no(self, contact_id: UUID) -> int:
        rows = await self.desk.rows("contact")
        return next(int(row["contact_no"]) for row in rows if row["contact_id"] == contact_id)


def error_of(answer: Answer) -> Any:
    body = answer.body
    assert {"errorCode", "message"} <= body.keys() <= {"errorCode", "message", "specificCode", "additionalMessages"}
    assert answer.status == body["errorCode"]
    return body


async def new_client(db: Database, front: Front, *privileges: Privilege) -> Ivvy:
    """A client with a new key of the front's account."""
    key = await principals.create_key(db, front.desk.account_id, "test", privileges or tuple(Privilege))
    return Ivvy(front, *key)
