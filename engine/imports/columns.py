"""Which column of an import goes where: the headings of contract v3.md 3.8 and the members of 3.9.

Headings match trimmed and whatever their case. A column of an unknown heading is ignored, with a warning.
The same heading twice is refused, since nobody can say which column was meant; of two headings for one place
(`phone` and `other_phone`, `city` and `home_city`) the later one's value is taken where it gives one.
"""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from types import MappingProxyType
from typing import NamedTuple

from engine.contacts.record import PLAIN_PHONE
from engine.errors import InvalidImport
from engine.fields import Field, name_of
from engine.imports.lines import Position
from engine.imports.problems import quoted

#: Different custom fields in a file, or in one JSON row (contract v3.md 3.8, 3.9).
MOST_CUSTOM_FIELDS = 25
#: More warnings than this are only counted (contract v3.md 3.2.3).
MOST_WARNINGS = 1000

CUSTOM = "cf:"
#: Stands for the headings of all custom fields.
ANY_CUSTOM_FIELD = CUSTOM + "{name}"
#: The cell that a missing column is read from: sources put a blank one there.
NOWHERE = -1

TEXTS = ("first_name", "last_name", "job_title", "company_name")
_PLAIN = ("email", *TEXTS, "birthday_month", "birthday_day", "anniversary", "sms_number", "sms_consent_date")
_PHONES = {"phone": PLAIN_PHONE, **{f"{kind}_phone": kind for kind in ("home", "work", "mobile", "other")}}
_ADDRESS_PARTS = {
    "street": "street",
    "street2": "street2",
    "city": "city",
    "state": "state",
    "zip": "postal_code",
    "country": "country",
}
_ADDRESSES = {
    f"{prefix}{name}": (kind, part)
    for prefix, kind in (("", "home"), ("home_", "home"), ("work_", "work"), ("other_", "other"))
    for name, part in _ADDRESS_PARTS.items()
}
#: As the vendor's generated client spells it (contract v3.md 1.10, 9).
_ALIASES = {"home country": "home_country"}

#: Every heading, as the contract spells it, but those of custom fields.
HEADINGS = (*_PLAIN, *_PHONES, *_ADDRESSES, *_ALIASES)
KNOWN = frozenset(HEADINGS).difference(_ALIASES)


def documented() -> Mapping[str, str]:
    """Every heading, and ANY_CUSTOM_FIELD, with where its values go, in words."""
    return {
        **dict.fromkeys(_PLAIN, "the property of the same name"),
        "email": "the e-mail address; required: by it a contact is known",
        "birthday_month": "given together with `birthday_day`",
        "birthday_day": "given together with `birthday_month`",
        "anniversary": "a day such as `2006-11-15` or `11/15/2006`",
        "sms_number": "the number of the text message channel",
        "sms_consent_date": "the day of the consent to text messages",
        **{heading: f"phone number of kind `{kind}`" for heading, kind in _PHONES.items()},
        **{heading: f"address of kind `{kind}`: {_part(part)}" for heading, (kind, part) in _ADDRESSES.items()},
        **{alias: f"the same as `{heading}`" for alias, heading in _ALIASES.items()},
        ANY_CUSTOM_FIELD: "the custom field of this name, whatever its case",
    }


def _part(part: str) -> str:
    return "put behind `street`" if part == "street2" else f"`{part}`"


class Called(NamedTuple):
    """What warnings call a heading, and one that is blank."""

    noun: str
    blank: str


class Phone(NamedTuple):
    """A column of phone numbers of one kind."""

    cell: int
    kind: str


class AddressPart(NamedTuple):
    """A column of one part of the addresses of one kind."""

    cell: int
    kind: str
    part: str


class CustomField(NamedTuple):
    """A column of values of one custom field."""

    cell: int
    heading: str
    field: Field


@dataclass(frozen=True, slots=True)
class Columns:
    """The cells of a row that are read: where each is, by its index."""

    indexes: Mapping[str, int]
    email: int
    texts: tuple[int, ...]
    birthday_month: int
    birthday_day: int
    anniversary: int
    sms_number: int
    sms_consent_date: int
    phones: tuple[Phone, ...]
    address_parts: tuple[AddressPart, ...]
    custom_fields: tuple[CustomField, ...]


@dataclass(frozen=True, slots=True)
class Header:
    """What the head of an import says, and where its rows begin. A CSV row has `width` cells."""

    columns: Columns
    width: int
    warnings: tuple[str, ...]
    start: Position


def read_columns(
    headings: Sequence[str], custom_fields: Mapping[str, Field], called: Called
) -> tuple[Columns, tuple[str, ...]]:
    """The columns under these headings, and warnings of those that are ignored.

    custom_fields: by name. called: the words of warnings. Raises InvalidImport when a known heading occurs twice.
    """
    keys = [heading_key(heading) for heading in headings]
    fields = {CUSTOM + name.strip().lower(): field for name, field in custom_fields.items()}
    indexes = _indexes(keys, KNOWN | fields.keys())
    columns = _arranged(indexes, fields)
    return columns, _warnings(keys, indexes, fields, called)


def heading_key(heading: str) -> str:
    """The heading as it is compared."""
    key = heading.strip().lower()
    if key.startswith(CUSTOM):
        return CUSTOM + key.removeprefix(CUSTOM).strip()
    return _ALIASES.get(key, key)


def custom_count(keys: Iterable[str]) -> int:
    """How many different custom fields these heading keys name, known or not."""
    return len({key for key in keys if key.startswith(CUSTOM)})


def _indexes(keys: Sequence[str], wanted: frozenset[str]) -> Mapping[str, int]:
    found: dict[str, int] = {}
    for index, key in enumerate(keys):
        if key in wanted and found.setdefault(key, index) != index:
            raise InvalidImport(f"the heading `{key}` occurs twice: in columns {found[key] + 1} and {index + 1}")
    return MappingProxyType(found)


def _arranged(indexes: Mapping[str, int], fields: Mapping[str, Field]) -> Columns:
    def index(heading: str) -> int:
        return indexes.get(heading, NOWHERE)

    found = indexes.items()
    return Columns(
        indexes=indexes,
        email=index("email"),
        texts=tuple(index(heading) for heading in TEXTS),
        birthday_month=index("birthday_month"),
        birthday_day=index("birthday_day"),
        anniversary=index("anniversary"),
        sms_number=index("sms_number"),
        sms_consent_date=index("sms_consent_date"),
        phones=tuple(Phone(at, _PHONES[key]) for key, at in found if key in _PHONES),
        address_parts=tuple(AddressPart(at, *_ADDRESSES[key]) for key, at in found if key in _ADDRESSES),
        custom_fields=tuple(CustomField(at, key, fields[key]) for key, at in found if key in fields),
    )


def _warnings(
    keys: Sequence[str], indexes: Mapping[str, int], fields: Mapping[str, Field], called: Called
) -> tuple[str, ...]:
    ignored = [key for key in dict.fromkeys(keys) if key not in indexes]
    warnings = [_warning(key, fields, called) for key in ignored[:MOST_WARNINGS]]
    if len(ignored) > MOST_WARNINGS:
        warnings[-1] = f"{len(ignored) - MOST_WARNINGS + 1:,} more unknown {called.noun}s: their values are ignored"
    return tuple(warnings)


def _warning(key: str, fields: Mapping[str, Field], called: Called) -> str:
    if not key:
        return f"{called.blank}: its values are ignored"
    if key.startswith(CUSTOM):
        return f"unknown custom field `{quoted(key.removeprefix(CUSTOM))}`: its values are ignored"
    meant = CUSTOM + name_of(key)
    hint = f"; for the custom field it must be `{quoted(meant)}`" if meant in fields else ""
    return f"unknown {called.noun} `{quoted(key)}`: its values are ignored{hint}"
