"""Conditions on the fields of a contact, which set expressions turn into sets.

A predicate is composed in code and becomes a boolean SQL expression over the table alias `contact`. Values are
always bound, never written into the SQL. It must not raise on anything that may be stored, and what cannot be stored is
no contact's. Text is compared trimmed and without case, as far as the database's collation knows case.
"""

import json
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from datetime import date, datetime
from enum import StrEnum
from typing import Protocol

from engine.sets.chunks import LARGEST_NUMBER
from engine.texts import can_be_stored

#: Binds a value to the statement and answers its place, `$n`.
Bind = Callable[[object], str]
#: Makes a condition from the SQL of a value.
Condition = Callable[[str], str]


class Predicate(Protocol):
    """A condition that a contact meets or does not; null, which a missing field gives, counts as not."""

    def sql(self, bind: Bind) -> str:
        """A boolean expression over `contact`; goes into parentheses."""
        ...


class Field(Protocol):
    """Where a contact has a value, or several, or none."""

    def where(self, condition: Condition, bind: Bind) -> str:
        """A boolean expression: the condition holds for the value, or for one of several."""
        ...


class Column(StrEnum):
    """A column of the contact row."""

    EMAIL = "email"
    EMAIL_KEY = "email_key"
    PERMISSION = "permission"
    FIRST_NAME = "first_name"
    LAST_NAME = "last_name"
    JOB_TITLE = "job_title"
    COMPANY_NAME = "company_name"
    BIRTHDAY_MONTH = "birthday_month"
    BIRTHDAY_DAY = "birthday_day"
    ANNIVERSARY = "anniversary"
    CREATE_SOURCE = "create_source"
    CREATED_AT = "created_at"
    UPDATED_AT = "updated_at"
    OPT_IN_DATE = "opt_in_date"
    OPT_OUT_DATE = "opt_out_date"

    def where(self, condition: Condition, _bind: Bind) -> str:
        return condition(f"contact.{self}")


#: The most street addresses of a contact (contract v3.md 1.9).
MOST_ADDRESSES = 3


class AddressPart(StrEnum):
    """A part of the street addresses, of which a contact may have several.

    They are looked at one by one: as the rows of a function, they took three times as long.
    """

    STREET = "street"
    CITY = "city"
    STATE = "state"
    POSTAL_CODE = "postal_code"
    COUNTRY = "country"

    def where(self, condition: Condition, _bind: Bind) -> str:
        texts = [f"(contact.street_addresses -> {place} ->> '{self}')" for place in range(MOST_ADDRESSES)]
        found = " or ".join(f"({condition(text)})" for text in texts)
        return f"contact.street_addresses is not null and ({found})"


@dataclass(frozen=True, slots=True)
class CustomText:
    """A custom field's value as it was given."""

    field_no: int

    def where(self, condition: Condition, bind: Bind) -> str:
        return condition(f"(contact.custom_values ->> {bind(str(self.field_no))}::text)")


@dataclass(frozen=True, slots=True)
class CustomDay:
    """A custom field's value as a day, if it is one in one of the nine forms of contract v3.md 1.5."""

    field_no: int

    def where(self, condition: Condition, bind: Bind) -> str:
        return CustomText(self.field_no).where(lambda text: condition(f"day_of({text})"), bind)


@dataclass(frozen=True, slots=True)
class Profile:
    """A further property of the contact, by its name."""

    name: str

    def where(self, condition: Condition, bind: Bind) -> str:
        return condition(f"(contact.profile ->> {bind(self.name)}::text)")


@dataclass(frozen=True, slots=True)
class Phone:
    """The first phone number of a kind."""

    kind: str

    def where(self, condition: Condition, bind: Bind) -> str:
        of_kind = f"'$[*] ? (@.kind == $kind).phone_number', jsonb_build_object('kind', {bind(self.kind)}::text)"
        return condition(f"(jsonb_path_query_first(contact.phone_numbers, {of_kind}) #>> '{{}}')")


@dataclass(frozen=True, slots=True)
class Digits:
    """The contact's number as it is written."""

    def where(self, condition: Condition, _bind: Bind) -> str:
        return condition("contact.contact_no::text")


class Sign(StrEnum):
    """How values that have an order are compared."""

    BELOW = "<"
    UP_TO = "<="
    EQUAL = "="
    FROM = ">="
    ABOVE = ">"


class Comparison(StrEnum):
    """How a text is compared with another."""

    EQUALS = "{0} = {1}"
    CONTAINS = "strpos({0}, {1}) > 0"
    STARTS_WITH = "starts_with({0}, {1})"
    ENDS_WITH = "right({0}, length({1})) = {1}"


@dataclass(frozen=True, slots=True)
class Text:
    """The field compares with a text that is not blank."""

    field: Field
    comparison: Comparison
    text: str

    def __post_init__(self) -> None:
        if not self.text.strip():
            raise ValueError("every text contains a blank one; ask whether the field is present")

    def sql(self, bind: Bind) -> str:
        if not can_be_stored(self.text):
            return "false"
        # As a query of its own it is worked out once a statement, not once a contact, in generic plans too.
        wanted = f"(select {_folded(f'{bind(self.text)}::text')})"
        return self.field.where(lambda value: self.comparison.format(_folded(value), wanted), bind)


@dataclass(frozen=True, slots=True)
class ExactlyAmong:
    """The field is one of these texts, to the letter."""

    field: Field
    texts: tuple[str, ...]

    def sql(self, bind: Bind) -> str:
        wanted = _keys(self.texts, bind)
        return self.field.where(lambda value: f"{wanted} ? {value}", bind)


@dataclass(frozen=True, slots=True)
class FoldedAmong:
    """The field, trimmed and in lower case, is one of these texts, which are so."""

    field: Field
    texts: tuple[str, ...]

    def sql(self, bind: Bind) -> str:
        wanted = _keys(self.texts, bind)
        return self.field.where(lambda value: f"{wanted} ? {_folded(value)}", bind)


@dataclass(frozen=True, slots=True)
class Ordered:
    """The field compares with a text in the order that contacts are sorted in; a missing one never does."""

    field: Field
    sign: Sign
    text: str

    def sql(self, bind: Bind) -> str:
        if not can_be_stored(self.text):
            return "false"
        wanted = f"(select {in_order(f'{bind(self.text)}::text')})"
        return self.field.where(lambda value: f"{in_order(value)} {self.sign} {wanted}", bind)


@dataclass(frozen=True, slots=True)
class Number:
    """The contact's number compares with any other."""

    sign: Sign
    number: int

    def sql(self, bind: Bind) -> str:
        # Beyond those that there can be one is as good as any, and PostgreSQL can count so far.
        return f"contact.contact_no {self.sign} {bind(min(max(self.number, 0), LARGEST_NUMBER + 1))}::bigint"


@dataclass(frozen=True, slots=True)
class Present:
    """The field has a value that is not blank."""

    field: Field

    def sql(self, bind: Bind) -> str:
        return self.field.where(lambda value: f"{_folded(value)} <> ''", bind)


@dataclass(frozen=True, slots=True)
class OneOf:
    """The column has one of the values: at least one, all numbers or all texts."""

    column: Column
    values: tuple[int, ...] | tuple[str, ...]

    def sql(self, bind: Bind) -> str:
        kind = "int" if isinstance(self.values[0], int) else "text"
        values = tuple(value for value in self.values if isinstance(value, int) or can_be_stored(value))
        return f"contact.{self.column} = any({bind(values)}::{kind}[])"


@dataclass(frozen=True, slots=True)
class DayWithin:
    """The field is a day, not before `since` and before `until`; None sets no bound."""

    field: Column | CustomDay
    since: date | None
    until: date | None

    def sql(self, bind: Bind) -> str:
        days = f"daterange({bind(self.since)}::date, {bind(self.until)}::date)"
        return self.field.where(lambda value: f"{days} @> {value}", bind)


@dataclass(frozen=True, slots=True)
class TimeWithin:
    """The column is a time, not before `since` and before `until`; None sets no bound."""

    column: Column
    since: datetime | None
    until: datetime | None

    def sql(self, bind: Bind) -> str:
        times = f"tstzrange({bind(self.since)}::timestamptz, {bind(self.until)}::timestamptz)"
        return f"{times} @> contact.{self.column}"


@dataclass(frozen=True, slots=True)
class HasConsent:
    """The contact's text message channel has a consent that is one of these (contract v3.md 2.1.7)."""

    permissions: tuple[str, ...]

    def sql(self, bind: Bind) -> str:
        consents = "jsonb_path_query(contact.sms_channel, '$.sms_channel_consents[*].sms_consent_permission')"
        found = (
            f"select from {consents} as permission where permission #>> '{{}}' = any({bind(self.permissions)}::text[])"
        )
        return f"contact.sms_channel is not null and exists ({found})"


@dataclass(frozen=True, slots=True)
class OptedInSince:
    """The contact subscribed at that time or later."""

    moment: datetime

    def sql(self, bind: Bind) -> str:
        return TimeWithin(Column.OPT_IN_DATE, self.moment, None).sql(bind)


@dataclass(frozen=True, slots=True)
class AllOf:
    """Every part holds."""

    parts: tuple[Predicate, ...]

    def sql(self, bind: Bind) -> str:
        return " and ".join(f"({part.sql(bind)})" for part in self.parts) or "true"


@dataclass(frozen=True, slots=True)
class AnyOf:
    """At least one part holds."""

    parts: tuple[Predicate, ...]

    def sql(self, bind: Bind) -> str:
        return " or ".join(f"({part.sql(bind)})" for part in self.parts)


@dataclass(frozen=True, slots=True)
class Not:
    """The part does not hold, be it that the field is missing."""

    part: Predicate

    def sql(self, bind: Bind) -> str:
        return f"({self.part.sql(bind)}) is not true"


def in_order(text: str) -> str:
    """The SQL of what texts are sorted by: code points, without the case of ASCII letters.

    The same on every server: what other collations make of case and accents depends on the system that it runs on, and
    may change with it between two pages.
    """
    return f'lower(({text}) collate "C")'


def _keys(texts: Iterable[str], bind: Bind) -> str:
    """The SQL of an object that has these keys: they are sorted, where an array is looked through for each contact."""
    return f"(select {bind(json.dumps({text: 0 for text in texts if can_be_stored(text)}))}::jsonb)"


def _trimmed(text: str) -> str:
    r"""The SQL of a text without ASCII white space around it."""
    return rf"btrim({text}, E' \t\n\r\f\v')"


def _folded(text: str) -> str:
    """The SQL of a trimmed text that has lost its case."""
    return f"lower({_trimmed(text)})"
