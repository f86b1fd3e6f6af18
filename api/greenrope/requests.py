"""Reading a request: which function it calls, and which contacts it means (contract greenrope.md 1.2, 2, 5.1)."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Final

from api import xml
from api.greenrope.answers import Format, Json, Xml
from api.greenrope.refusals import UnknownFunction
from api.greenrope.values import Attributes, shown
from api.xml import Element
from engine.contacts.search import Criteria
from engine.errors import Invalid

#: Contacts in a request (contract 5.1, 10).
MOST_CONTACTS: Final = 1000
#: Elements of a request: 200 for each of its contacts.
MOST_ELEMENTS: Final = 200_000
#: How the root of a request and of its answer end.
REQUEST: Final = "Request"
RESPONSE: Final = "Response"
#: The answer's root where no function is known (contract 2.1).
UNATTRIBUTED: Final = "ErrorResponse"

#: The attributes by which a contact is looked for (contract 5.1).
CRITERIA = ("contact_id", "firstname", "lastname", "email")


@dataclass(frozen=True, slots=True)
class Heading:
    """What is known of a request before it is read whole: its function, how it wants to be answered."""

    function: str
    format: Format

    @property
    def answer_root(self) -> str:
        return self.function + RESPONSE


def heading(document: bytes) -> Heading:
    """The heading of a request. Raises BadXml, and UnknownFunction when its root is not as a request's."""
    root, attributes = xml.opening(document)
    function = root.removesuffix(REQUEST)
    if not function or function == root:
        raise UnknownFunction(f"there is no function for {shown(root)}")
    return Heading(function, asked_format(attributes))


async def document(text: bytes) -> Element:
    """The root of a request. Raises BadXml."""
    return await xml.read(text, MOST_ELEMENTS)


def asked_format(attributes: Mapping[str, str]) -> Format:
    """JSON with response="json", else XML (contract 7)."""
    wanted = Attributes(attributes).text("response") or ""
    return Json() if wanted.lower() == "json" else Xml()


def criteria_of(attributes: Attributes) -> Criteria | None:
    """Whom attributes mean: all that are given must hold (contract 5.1); None when none is. Raises Invalid."""
    criteria = Criteria(attributes.number("contact_id"), *(attributes.text(name) for name in CRITERIA[1:]))
    return None if criteria == Criteria() else criteria


def echoed(attributes: Attributes) -> Mapping[str, str]:
    """What an answer's element repeats of that of the request: its request_id, if it was sent (contract 5.1)."""
    request_id = attributes.sent("request_id")
    return {} if request_id is None else {"request_id": request_id}


@dataclass(frozen=True, slots=True)
class Item:
    """One `Contact` of a request: itself and its attributes."""

    element: Element
    attributes: Attributes

    def account_id(self) -> int | None:
        """Raises Invalid when it is no number."""
        return self.attributes.number("account_id")

    def criteria(self) -> Criteria:
        """Raises Invalid when it names none, or one that cannot be."""
        found = criteria_of(self.attributes)
        if found is None:
            raise Invalid(f"a Contact must have one of the attributes {', '.join(CRITERIA)}")
        return found


def items(root: Element) -> Sequence[Item]:
    """The contacts of a request in its order. Raises Invalid when there are too many, or some stand beside Contacts."""
    if root.find("Contact") is not None:
        raise Invalid("a Contact must be inside the element Contacts")
    found = root.findall("Contacts/Contact")
    if len(found) > MOST_CONTACTS:
        raise Invalid(f"a request has at most {MOST_CONTACTS:,} contacts, this one has {len(found):,}")
    return [Item(each, Attributes.of(each)) for each in found]
