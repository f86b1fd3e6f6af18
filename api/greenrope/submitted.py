"""What a request says of one contact: its elements, checked and typed (contract greenrope.md 3, 5).

An element that is absent is not said; one that is empty clears what there is.
"""

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Final

from api.greenrope import values
from api.greenrope.properties import TEXTS
from api.greenrope.refusals import BadEmail
from api.greenrope.values import LONG_TEXT, Attributes, child_text, not_longer, text_of
from api.xml import Element
from engine.emails import is_email
from engine.errors import Invalid

#: Elements of a contact, so that one is read in a moment.
MOST_ELEMENTS: Final = 2000
#: Elements that are one text, which is a whole number.
WHOLE_NUMBERS = ("Height", "Weight")

_BIRTHDATE = re.compile(r"(\d{4})(\d\d)(\d\d)", re.ASCII)


@dataclass(frozen=True, slots=True)
class Birthdate:
    """As it is written: the 30th of February is one (contract 3, 12)."""

    year: int
    month: int
    day: int

    @classmethod
    def parse(cls, text: str) -> "Birthdate":
        """Raises Invalid."""
        found = _BIRTHDATE.fullmatch(text)
        parts = tuple(map(int, found.groups())) if found else (0, 0, 0)
        if not (1 <= parts[1] <= 12 and 1 <= parts[2] <= 31):
            raise Invalid(f"Birthdate must be a day as 19870501: {values.shown(text)}")
        return cls(*parts)


@dataclass(frozen=True, slots=True)
class FieldValue:
    """A value of a user-defined field, which has a number or else a name (contract 3.1)."""

    number: int | None
    name: str
    value: str


@dataclass(frozen=True, slots=True)
class CompanyLink:
    """A secondary company, which has a number or else a name (contract 3.4)."""

    number: int | None
    name: str
    removed: bool


@dataclass(frozen=True, slots=True)
class Groups:
    """Names of groups; `replaced`: whether the contact is to be in these and no others (contract 3.2)."""

    names: tuple[str, ...]
    replaced: bool


@dataclass(frozen=True, slots=True)
class Submitted:
    """What is said of a contact.

    texts: by element; birthdate: () when it is cleared, None when it is not said.
    """

    texts: Mapping[str, str]
    birthdate: Birthdate | tuple[()] | None = None
    company_number: int | None = None
    fields: tuple[FieldValue, ...] = ()
    groups: Groups | None = None
    removed_groups: tuple[str, ...] = ()
    tags: tuple[str, ...] = ()
    companies: tuple[CompanyLink, ...] = ()
    workflow: int | None = None
    unless_after: datetime | None = None

    @classmethod
    def of(cls, contact: Element) -> "Submitted":
        """What the elements of a `Contact` say. Raises Invalid, and BadEmail."""
        if sum(1 for _ in contact.iter()) > MOST_ELEMENTS:
            raise Invalid(f"a Contact has more than {MOST_ELEMENTS:,} elements")
        groups = contact.find("Groups")
        return cls(
            texts=_texts(contact),
            birthdate=_birthdate(contact),
            company_number=_number(contact, "CompanyID"),
            fields=tuple(map(_field_value, contact.iterfind("UserDefinedFields/UserDefinedField"))),
            groups=None if groups is None else _groups(groups),
            removed_groups=tuple(_names(contact.iterfind("RemoveGroups/RemoveGroup"))),
            tags=tuple(_names(contact.iterfind("Tags/Tag"))),
            companies=tuple(map(_company, contact.iterfind("SecondaryCompanies/SecondaryCompany"))),
            workflow=_number(contact, "WorkflowID"),
            unless_after=_guard(contact),
        )


def _texts(contact: Element) -> dict[str, str]:
    texts = {str(child.tag): text_of(child) for child in contact if child.tag in TEXTS}
    for name, text in texts.items():
        not_longer(name, text, TEXTS[name])
    for name in WHOLE_NUMBERS:
        if texts.get(name):
            values.number(name, texts[name])
    email = texts.get("Email")
    if email and not is_email(email):
        raise BadEmail(f"Email is not an e-mail address: {values.shown(email)}")
    return texts


def _birthdate(contact: Element) -> Birthdate | tuple[()] | None:
    text = child_text(contact, "Birthdate")
    if text is None:
        return None
    return Birthdate.parse(text) if text else ()


def _number(contact: Element, name: str) -> int | None:
    text = child_text(contact, name)
    return values.number(name, text) if text else None


def _guard(contact: Element) -> datetime | None:
    text = child_text(contact, "UpdatedTimeStamp")
    return values.timestamp("UpdatedTimeStamp", text) if text else None


def _field_value(element: Element) -> FieldValue:
    attributes = Attributes.of(element)
    number, name = attributes.number("fieldnum"), attributes.text("fieldname") or ""
    if number is None and not name:
        raise Invalid("a UserDefinedField must have the attribute fieldnum or fieldname")
    return FieldValue(number, name, not_longer("a UserDefinedField", text_of(element), LONG_TEXT))


def _groups(element: Element) -> Groups:
    return Groups(tuple(_names(element.iterfind("Group"))), Attributes.of(element).is_true("replace"))


def _names(elements: Iterator[Element]) -> Iterator[str]:
    """The names that elements have as texts; empty ones are none."""
    for element in elements:
        if name := not_longer(str(element.tag), text_of(element)):
            yield name


def _company(element: Element) -> CompanyLink:
    number, name = _number(element, "CompanyID"), child_text(element, "CompanyName") or ""
    if number is None and not name:
        raise Invalid("a SecondaryCompany must have a CompanyID or a CompanyName")
    not_longer("CompanyName", name)
    return CompanyLink(number, "" if number is not None else name, Attributes.of(element).is_true("remove"))
