"""A client of each dialect that puts contacts on lists and takes them off, as its users' programs do it."""

import json
from abc import ABC, abstractmethod
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from typing import Any, Self

from lxml import etree

from engine import fields, organizations, principals
from engine.fields import Definition
from engine.principals import Purpose
from engine.sets.catalog import NamedSet
from tests.e2e.api.front import Answer, Front
from tests.e2e.greenrope.rope import PASSWORD, logged_in
from tests.e2e.ivvy import client
from tests.integration.desk import Desk


@dataclass
class Speaker(ABC):
    """Speaks for an account of its own, whose contacts 1, 2, … have the addresses c1@example.org, c2@example.org, …"""

    front: Front
    desk: Desk
    credential: Any
    lists: Sequence[NamedSet] = field(default_factory=list)

    @classmethod
    async def introduce(cls, front: Front, desk: Desk) -> Self:
        return cls(front, desk, await cls.credentials(front, desk))

    @staticmethod
    @abstractmethod
    async def credentials(front: Front, desk: Desk) -> Any:
        """What the client shows."""

    async def new_lists(self, count: int) -> None:
        """Empty lists to use from now on."""
        self.lists = await self.desk.new_lists(count)

    @abstractmethod
    async def add(self, list_: NamedSet, contacts: Sequence[int]) -> None: ...

    async def members(self) -> list[set[str]]:
        """The addresses on each list."""
        return [await self._addresses(await self.desk.members(each)) for each in self.lists]

    async def _addresses(self, numbers: Iterable[int]) -> set[str]:
        query = "SELECT email FROM contact WHERE account_id = $1 AND contact_no = ANY($2)"
        rows = await self.desk.owner.fetch(query, self.desk.account_id, list(numbers))
        return {row["email"] for row in rows}

    async def _request(self, method: str, path: str, **arguments: Any) -> Answer:
        answer = await self.front.as_(None).request(method, path, **arguments)
        assert answer.status == 200, answer.content
        return answer


class Remover(Speaker):
    """Of a dialect that takes contacts off lists, too."""

    @abstractmethod
    async def remove(self, list_: NamedSet, contacts: Sequence[int]) -> None: ...


class V3(Remover):
    """Contract v3.md 3.4 and 3.5: activities, done by a worker."""

    @staticmethod
    async def credentials(front: Front, desk: Desk) -> Front:
        token = await principals.create_token(desk.db, desk.account_id, "client")
        return Front(front.session, front.address, front.bell, desk, token)

    async def add(self, list_: NamedSet, contacts: Sequence[int]) -> None:
        await self._change("add_list_memberships", list_, contacts)

    async def remove(self, list_: NamedSet, contacts: Sequence[int]) -> None:
        await self._change("remove_list_memberships", list_, contacts)

    async def _change(self, kind: str, list_: NamedSet, contacts: Sequence[int]) -> None:
        query = "SELECT contact_id FROM contact WHERE account_id = $1 AND contact_no = ANY($2)"
        rows = await self.desk.owner.fetch(query, self.desk.account_id, contacts)
        contact_ids = [str(row["contact_id"]) for row in rows]
        body = {"source": {"contact_ids": contact_ids}, "list_ids": [str(list_.set_id)]}
        ended = await self.credential.finished(kind, body)
        assert ended["state"] == "completed"


class Convio(Remover):
    """Contract convio.md 6.1 and 6.6: many are added at once, each is removed by a call of its own."""

    @staticmethod
    async def credentials(front: Front, desk: Desk) -> dict[str, str]:
        site = await organizations.create(desk.db, f"site{desk.account_id}")
        await organizations.add_account(desk.db, site.organization_id, desk.account_id)
        owner = await organizations.owner(desk.db, desk.account_id)
        token = await principals.open_session(desk.db, owner, Purpose.SIGN_ON, 1800)
        return {"api_key": site.api_keys[0], "v": "1.0", "response_format": "json", "sso_auth_token": token}

    async def add(self, list_: NamedSet, contacts: Sequence[int]) -> None:
        ids = ",".join(map(str, contacts))
        await self._call(method="addContactsToGroup", group_id=str(list_.set_no), contact_ids=ids)

    async def remove(self, list_: NamedSet, contacts: Sequence[int]) -> None:
        for contact in contacts:
            await self._call(method="removeContactFromGroup", group_id=str(list_.set_no), contact_id=str(contact))

    async def _call(self, **parameters: str) -> None:
        await self._request("POST", "/site/CRAddressBookAPI", data=self.credential | parameters)


class Ivvy(Remover):
    """Contract ivvy.md 8.2, each request signed (2.1)."""

    @staticmethod
    async def credentials(front: Front, desk: Desk) -> client.Ivvy:
        return client.Ivvy(front, *await principals.create_key(desk.db, desk.account_id, "client"))

    async def add(self, list_: NamedSet, contacts: Sequence[int]) -> None:
        await self._call("addContactsToSubscriptionGroup", list_, contacts)

    async def remove(self, list_: NamedSet, contacts: Sequence[int]) -> None:
        await self._call("removeContactsFromSubscriptionGroup", list_, contacts)

    async def _call(self, action: str, list_: NamedSet, contacts: Sequence[int]) -> None:
        path = f"/api/1.0/contact?action={action}"
        body = json.dumps({"contacts": contacts, "group": list_.set_no}).encode()
        answer = await self._request("POST", path, data=body, headers=self.credential.signed(path, body))
        assert [each["status"] for each in answer.body] == [True] * len(contacts)


class GreenRope(Remover):
    """Contract greenrope.md 6.5, logged in as in 1.1."""

    @staticmethod
    async def credentials(front: Front, desk: Desk) -> dict[str, str]:
        name = f"owner{desk.account_id}@example.org"
        user_id = await principals.create_user(desk.db, desk.account_id, name, PASSWORD)
        return {"email": name, "auth_token": (await logged_in(front, name, PASSWORD, user_id)).token}

    async def add(self, list_: NamedSet, contacts: Sequence[int]) -> None:
        await self._change("AddContactsToGroup", list_, contacts)

    async def remove(self, list_: NamedSet, contacts: Sequence[int]) -> None:
        await self._change("DeleteContactsFromGroup", list_, contacts)

    async def _change(self, function: str, list_: NamedSet, contacts: Sequence[int]) -> None:
        items = (f'<Contact contact_id="{contact}"/>' for contact in contacts)
        await self.call(function, "".join(items), group_id=list_.set_no)

    async def call(self, function: str, contacts: str, **attributes: int) -> None:
        """Has each of the contacts done, which must succeed."""
        said = "".join(f' {name}="{value}"' for name, value in attributes.items())
        xml = f"<{function}Request{said}><Contacts>{contacts}</Contacts></{function}Request>"
        answer = await self._request("POST", "/api-xml", data=self.credential | {"xml": xml})
        found = etree.fromstring(answer.content).findall("Contacts/Contact")
        assert found, answer.content
        assert {each.findtext("Result") for each in found} == {"Success"}, answer.content


class W50(Speaker):
    """Contract w50.md 4: a contact comes into being in its list, so each list has one of its own for an address."""

    @staticmethod
    async def credentials(front: Front, desk: Desk) -> str:
        return await principals.create_token(desk.db, desk.account_id, "client")

    async def new_lists(self, count: int) -> None:
        await super().new_lists(count)
        for each in self.lists:
            async with self.desk.db.account(self.desk.account_id) as tx:
                definition = Definition("Email", type="email", set_no=each.set_no, property="email")
                await fields.create(tx, definition, most=100)

    async def add(self, list_: NamedSet, contacts: Sequence[int]) -> None:
        for contact in contacts:
            await self.ask(list_, "POST", "contact?match=Email", {"Values": {"Email": f"c{contact}@example.org"}})

    async def ask(self, list_: NamedSet, method: str, path: str, body: object = None) -> Any:
        """What the list's resource answers."""
        headers = {"Authorization": f"Bearer {self.credential}"}
        path = f"/Which50API/contactLists/{list_.set_no}/{path}"
        return (await self._request(method, path, json=body, headers=headers)).body
