"""An address book of a site as its owner's programs meet it, over HTTP."""

import json
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from typing import Any, Self
from uuid import UUID

from lxml import etree

from engine.organizations import Organization
from engine.sets import catalog
from engine.sets.catalog import SetKind
from tests.e2e.api.front import Answer, Front

NAMESPACE = "{http://convio.com/crm/v1.0}"


@dataclass(frozen=True)
class Book:
    """The address book of an account; what `call` sends beside the method is common to all its requests."""

    front: Front
    site: Organization
    common: Mapping[str, str] = field(default_factory=dict)

    def with_(self, **parameters: str | None) -> Self:
        """Other common parameters; None leaves one out."""
        merged = {**self.common, **parameters}
        return replace(self, common={name: value for name, value in merged.items() if value is not None})

    @property
    def path(self) -> str:
        return f"/{self.site.name}/site/CRAddressBookAPI"

    async def send(self, verb: str, path: str, parameters: Mapping[str, str], **arguments: Any) -> Answer:
        """GET sends them in the query, everything else as a form."""
        arguments |= {"params": parameters} if verb == "GET" else {"data": parameters}
        return await self.front.as_(None).request(verb, path, allow_redirects=False, **arguments)

    async def answer(self, method: str, verb: str = "POST", servlet: str | None = None, **parameters: str) -> Answer:
        path = f"/{self.site.name}/site/{servlet}" if servlet else self.path
        return await self.send(verb, path, {**self.common, "method": method, **parameters})

    async def call(self, method: str, verb: str = "POST", servlet: str | None = None, **parameters: str) -> Any:
        """What is in the JSON of a result, after a check of its form."""
        answer = await self.answer(method, verb, servlet, response_format="json", **parameters)
        assert answer.status == 200, answer.content
        assert answer.headers["Content-Type"] == "application/json;charset=UTF-8"
        assert answer.headers["Cache-Control"] == "no-store"
        [(root, result)] = json.loads(answer.content).items()
        assert root != "errorResponse", result
        return result

    async def refused(self, method: str, code: int, verb: str = "POST", **parameters: str) -> str:
        """The message of a refusal with this code, in both formats."""
        plain, messages = {"response_format": "json", **parameters}, []
        for format_ in dict.fromkeys((plain["response_format"], "xml")):
            answer = await self.answer(method, verb, **{**plain, "response_format": format_})
            assert answer.status == (405 if code == 405 else 403), answer.content
            assert format_ in answer.headers["Content-Type"]
            messages.append(refusal(answer, code))
        assert len(set(messages)) == 1
        return messages[0]

    async def group(self, name: str = "Walk Team", number: int | None = None) -> int:
        """A new group; as if it were the next after number - 1, if one is given."""
        desk = self.front.desk
        if number is not None:
            await desk.owner.execute(
                "UPDATE account SET last_set_no = $2 WHERE account_id = $1", desk.account_id, number - 1
            )
        async with desk.db.account(desk.account_id) as tx:
            return (await catalog.create(tx, SetKind.LIST, name)).set_no

    async def contacts(self, *numbers: int, permission: str = "implicit", deleted: bool = False) -> list[UUID]:
        """Contacts with these numbers; their public ids."""
        make = self.front.desk.make_contacts
        return [(await make(first=no, count=1, permission=permission, deleted=deleted))[0] for no in numbers]

    async def members(self, group: int) -> list[str]:
        """The ids of who is in a group, as the groups of everybody tell."""
        page = await self.call("getAddressBookContacts", list_sort_column="id", list_page_size="500")
        return [each["id"] for each in listed(page, "addressBookContact") if str(group) in ids(listed(each, "group"))]


def listed(result: Mapping[str, Any], name: str) -> list[Any]:
    """The members of this name, of which one is no array and none is absent."""
    found = result.get(name, [])
    return found if isinstance(found, list) else [found]


def ids(items: list[Any]) -> list[str]:
    return [item["id"] for item in items]


def refusal(answer: Answer, code: int) -> str:
    """The message of a refusal, after a check of its form (contract convio.md 4, 7)."""
    assert answer.headers["Cache-Control"] == "no-store"
    if answer.headers["Content-Type"] == "application/json;charset=UTF-8":
        error = json.loads(answer.content)
        assert set(error) == {"errorResponse"}
        told = error["errorResponse"]
    else:
        assert answer.headers["Content-Type"] == "text/xml;charset=UTF-8"
        root = etree.fromstring(answer.content)
        assert root.tag == f"{NAMESPACE}errorResponse"
        told = {str(child.tag).removeprefix(NAMESPACE): child.text for child in root}
    assert set(told) == {"code", "message"}
    assert told["code"] == str(code), told
    assert told["message"]
    return str(told["message"])
