"""A client of the GreenRope XML API (contract greenrope.md 1)."""

from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Any, Self
from urllib.parse import urlencode
from uuid import UUID
from xml.sax.saxutils import escape

from lxml import etree

from api.xml import Element
from tests.e2e.api.front import Front

PASSWORD = "correct horse"
XML = "text/xml; charset=utf-8"
JSON = "application/json; charset=utf-8"


@dataclass(frozen=True)
class Rope:
    """A user who has logged in."""

    front: Front
    email: str
    token: str
    principal_id: UUID

    @property
    def account_id(self) -> int:
        """The account of the front, which is the user's home unless it was made for another."""
        return self.front.desk.account_id

    async def again(self) -> Self:
        """With a new token, of which nobody remembers what it was good for before."""
        return replace(self, token=(await logged_in(self.front, self.email, PASSWORD, self.principal_id)).token)

    async def send(self, document: str | bytes, **fields: str) -> bytes:
        """What is answered, with status 200."""
        content_type, content = await posted(
            self.front, {"email": self.email, "auth_token": self.token, "xml": document} | fields
        )
        assert content_type in {XML, JSON}
        return content

    async def ask(self, document: str | bytes) -> Element:
        """The root of what is answered."""
        root = etree.fromstring(await self.send(document))
        asked = etree.fromstring(document.encode() if isinstance(document, str) else document)
        assert root.tag == str(asked.tag).removesuffix("Request") + "Response"
        return root

    async def done(self, document: str | bytes) -> Element:
        """The same, of a function that succeeds or fails as a whole."""
        root = await self.ask(document)
        assert root.findtext("Result") == "Success", etree.tostring(root)
        return root

    async def refused(self, document: str | bytes) -> int:
        """The code of a refusal, after a check that it has the form of contract 2.1 and nothing else."""
        return refusal(await self.ask(document))

    async def each(self, document: str | bytes) -> list[Element]:
        """The contacts of an answer that has no Result of its own (contract 2.1)."""
        root = await self.ask(document)
        assert [child.tag for child in root] == ["Contacts"], etree.tostring(root)
        return root.findall("Contacts/Contact")


def refusal(element: Element) -> int:
    """The code of an element that tells of a failure."""
    assert [child.tag for child in element] == ["Result", "ErrorCode", "ErrorText"], etree.tostring(element)
    assert element.findtext("Result") == "Error"
    assert element.findtext("ErrorText")
    return int(element.findtext("ErrorCode") or "")


def texts(element: Element) -> dict[str, str]:
    """The texts of an element's children by name."""
    return {str(child.tag): child.text or "" for child in element}


def element(name: str, attributes: Mapping[str, object] | None = None, /, **children: Any) -> str:
    """An element with texts as its children; what begins with < is put in as it is."""
    said = "".join(f' {key}="{escape(str(value), {chr(34): "&quot;"})}"' for key, value in (attributes or {}).items())
    inside = "".join(f"<{key}>{_inside(value)}</{key}>" for key, value in children.items())
    return f"<{name}{said}>{inside}</{name}>"


def _inside(value: object) -> str:
    text = str(value)
    return text if text.startswith("<") else escape(text)


async def posted(front: Front, form: Mapping[str, Any] | bytes, path: str = "/api-xml") -> tuple[str, bytes]:
    """The content type and the content of an answer, which has status 200."""
    data = form if isinstance(form, bytes) else urlencode(form).encode()
    headers = {"Content-Type": "application/x-www-form-urlencoded"}
    async with front.session.post(front.address + path, data=data, headers=headers) as response:
        content = await response.read()
        assert response.status == 200, content
        return response.headers["Content-Type"], content


async def logged_in(front: Front, email: str, password: str, principal_id: UUID) -> Rope:
    form = {"email": email, "password": password, "xml": "<GetAuthTokenRequest></GetAuthTokenRequest>"}
    root = etree.fromstring((await posted(front, form))[1])
    assert [child.tag for child in root] == ["Result", "Token"], etree.tostring(root)
    return Rope(front, email, root.findtext("Token") or "", principal_id)
