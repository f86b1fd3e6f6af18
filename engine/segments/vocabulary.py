"""The vocabulary of segment rules (contract v3.md 4.3): VOCABULARY, and the operators that a kind of field takes.

An operator says in words what operand it takes, reads it, refuses a wrong one (InvalidSegment), and says what the rule
means. The documentation is made from the same table (`documented`).
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta
from typing import Generic, Literal, NamedTuple, TypeVar
from uuid import UUID

from engine.segments.operands import LONGEST_SPAN, Operand, Part
from engine.segments.rules import (
    Action,
    Campaigns,
    CustomField,
    Did,
    DidNot,
    LastCampaigns,
    LastDays,
    NamedCampaigns,
    OnAnyList,
    Rule,
    WasNotSent,
    Where,
    WhereCustom,
    WithAnyTag,
    WithNoTag,
)
from engine.sets.predicates import (
    AddressPart,
    Column,
    Comparison,
    CustomDay,
    CustomText,
    DayWithin,
    Field,
    Not,
    OneOf,
    Predicate,
    Present,
    Text,
    TimeWithin,
)

Meaning_co = TypeVar("Meaning_co", covariant=True)


@dataclass(frozen=True, slots=True)
class Operator(Generic[Meaning_co]):
    """What it takes, in words, and what it makes of that. `read` raises InvalidSegment."""

    takes: str
    read: Callable[[Operand], Meaning_co]


#: What operators make of an operand: a rule, or a condition on the contact's fields.
Operators = Mapping[str, Operator[Rule]]
Conditions = Mapping[str, Operator[Predicate]]
#: Makes a condition of the first day that meets it and the first day after that does not; None is no bound.
Within = Callable[[date | None, date | None], Predicate]

ONE_DAY = timedelta(days=1)
#: The most campaigns and days that a tracking rule may look back (contract v3.md 4.1).
MOST_CAMPAIGNS = 500
MOST_DAYS = 1825


def text(field: Field) -> Conditions:
    """Trimmed and without case; what is missing is the empty text."""

    def equals(operand: Part) -> Predicate:
        wanted = operand.string()
        return Text(field, Comparison.EQUALS, wanted) if wanted.strip() else Not(Present(field))

    def compares(comparison: Comparison) -> Operator[Predicate]:
        return _of_value("a text that is not blank", lambda operand: Text(field, comparison, operand.filled()))

    def present(operand: Part) -> Predicate:
        operand.absent()
        return Present(field)

    equal, contains = _of_value("a text", equals), compares(Comparison.CONTAINS)
    is_present = _of_value("none", present)
    return {
        "eq": equal,
        "not-eq": _not(equal),
        "contains": contains,
        "not-contains": _not(contains),
        "starts-with": compares(Comparison.STARTS_WITH),
        "ends-with": compares(Comparison.ENDS_WITH),
        "is-empty": _not(is_present),
        "is-not-empty": is_present,
    }


def number(column: Column, most: int) -> Conditions:
    """Whole numbers from 1 to `most`."""
    return _one_of(
        f"a whole number from 1 to {most}",
        lambda operand: OneOf(column, (operand.number(most),)),
        lambda operand: OneOf(column, tuple(item.number(most) for item in operand.one_or_more("number"))),
    )


def choice(column: Column, *words: str) -> Conditions:
    """Fixed words."""
    return _one_of(
        f"one of {', '.join(words)}",
        lambda operand: OneOf(column, (operand.word(words),)),
        lambda operand: OneOf(column, tuple(item.word(words) for item in operand.one_or_more("word"))),
    )


def day(field: Column | CustomDay) -> Conditions:
    """Days."""
    return _within("a day", lambda since, until: DayWithin(field, since, until))


def moment(column: Column) -> Conditions:
    """Times, of which the day in UTC counts."""
    return _within("a day in UTC", lambda since, until: TimeWithin(column, _midnight(since), _midnight(until)))


def custom(field: CustomField) -> Conditions:
    """Texts; of a date field (in)equality is that of days, and days are compared."""
    as_text = text(CustomText(field.field_no))
    if field.type == "string":
        return as_text
    as_day = day(CustomDay(field.field_no))
    return {**as_text, **as_day, "not-eq": _not(as_day["eq"])}


def custom_rule(name: str, op: Part, operand: Operand) -> Rule:
    """A rule on a custom field, by id or name, whose type is not known yet."""
    either = {**day(CustomDay(0)), **text(CustomText(0))}
    either[op.word(either)].read(operand)

    def condition(field: CustomField) -> Predicate:
        conditions = custom(field)
        return conditions[op.word(conditions)].read(operand)

    return WhereCustom(name, condition)


def tracked(rule: Callable[[Campaigns], Rule]) -> Operators:
    """Some campaigns, by their time or by their ids."""
    takes = (
        f'const_value "last-n-campaigns" and param 1 to {MOST_CAMPAIGNS}, const_value "last-n-days" and param 1 to'
        f" {MOST_DAYS}, or an array of 1 to {MOST_CAMPAIGNS} campaign ids"
    )
    return {"contains-any": Operator(takes, lambda operand: rule(_campaigns(operand)))}


def did(action: Action) -> Operators:
    """It happened to the contact with one of the campaigns."""
    return tracked(lambda campaigns: Did(action, campaigns))


def did_not(action: Action) -> Operators:
    """It happened to the contact with none of the campaigns, though one was sent to it."""
    return tracked(lambda campaigns: DidNot(action, campaigns))


def _campaigns(operand: Operand) -> Campaigns:
    if operand.value.value is not None:
        named = operand.alone().some("campaign id", MOST_CAMPAIGNS)
        return NamedCampaigns(frozenset(item.uuid() for item in named))
    if operand.const_value.word(("last-n-campaigns", "last-n-days")) == "last-n-campaigns":
        return LastCampaigns(operand.param.number(MOST_CAMPAIGNS))
    return LastDays(operand.param.number(MOST_DAYS))


def _of_value(takes: str, read: Callable[[Part], Meaning_co]) -> Operator[Meaning_co]:
    return Operator(takes, lambda operand: read(operand.alone()))


def _not(condition: Operator[Predicate]) -> Operator[Predicate]:
    return Operator(condition.takes, lambda operand: Not(condition.read(operand)))


def _one_of(takes: str, one: Callable[[Part], Predicate], several: Callable[[Part], Predicate]) -> Conditions:
    equal = _of_value(takes, one)
    return {"eq": equal, "not-eq": _not(equal), "contains-any": _of_value(f"{takes}, or an array of them", several)}


def _within(takes: str, within: Within) -> Conditions:
    def between(operand: Part) -> Predicate:
        first, last = operand.span()
        return within(first, last + ONE_DAY)

    return {
        "eq": _of_value(takes, lambda operand: within(operand.day(), operand.day() + ONE_DAY)),
        "before": _of_value(takes, lambda operand: within(None, operand.day())),
        "after": _of_value(takes, lambda operand: within(operand.day() + ONE_DAY, None)),
        "between": _of_value(f"an array of two days, at most {LONGEST_SPAN.days} apart", between),
    }


def _midnight(of: date | None) -> datetime | None:
    return None if of is None else datetime.combine(of, time(), UTC)


def _where(fields: Mapping[str, Conditions]) -> dict[str, Operators]:
    def rule(condition: Operator[Predicate]) -> Operator[Rule]:
        return Operator(condition.takes, lambda operand: Where(condition.read(operand)))

    return {
        field: {op: rule(condition) for op, condition in conditions.items()} for field, conditions in fields.items()
    }


def _of_ids(of_what: str, rule: Callable[[tuple[UUID, ...]], Rule]) -> Operator[Rule]:
    return _of_value(
        f"an array of {of_what}s, or one", lambda operand: rule(tuple(i.uuid() for i in operand.one_or_more(of_what)))
    )


LISTS: Operators = {"contains-any": _of_ids("list id", OnAnyList)}
TAGS: Operators = {"contains-any": _of_ids("tag id", WithAnyTag), "contains-none": _of_ids("tag id", WithNoTag)}

#: The types of custom fields.
TYPES: tuple[Literal["string", "date"], ...] = ("string", "date")

#: The operators of each field of each source. Custom fields are fields of `contact`, too: `cf:` with an id or a name.
VOCABULARY: Mapping[str, Mapping[str, Operators]] = {
    "tracking": {
        "opened": did("opened"),
        "not_opened": did_not("opened"),
        "clicked": did("clicked"),
        "not_clicked": did_not("clicked"),
        "sent": did("sent"),
        "not_sent": tracked(WasNotSent),
    },
    "contact": _where(
        {
            "first_name": text(Column.FIRST_NAME),
            "last_name": text(Column.LAST_NAME),
            "job_title": text(Column.JOB_TITLE),
            "company_name": text(Column.COMPANY_NAME),
            "email_address": text(Column.EMAIL),
            "street": text(AddressPart.STREET),
            "city": text(AddressPart.CITY),
            "state": text(AddressPart.STATE),
            "postal_code": text(AddressPart.POSTAL_CODE),
            "country": text(AddressPart.COUNTRY),
            "birthday_month": number(Column.BIRTHDAY_MONTH, 12),
            "birthday_day": number(Column.BIRTHDAY_DAY, 31),
            "anniversary": day(Column.ANNIVERSARY),
            "created_at": moment(Column.CREATED_AT),
            "updated_at": moment(Column.UPDATED_AT),
            "opt_in_date": moment(Column.OPT_IN_DATE),
            "opt_out_date": moment(Column.OPT_OUT_DATE),
            "create_source": choice(Column.CREATE_SOURCE, "Account", "Contact"),
            "permission_to_send": choice(
                Column.PERMISSION,
                "implicit",
                "explicit",
                "pending_confirmation",
                "unsubscribed",
                "temp_hold",
                "not_set",
            ),
        }
    )
    | {"list_membership": LISTS},
    "list_membership": {"list_id": LISTS},
    "tags": {"tag_id": TAGS},
}


class Entry(NamedTuple):
    """Operators of a field that take the same operand."""

    source: str
    field: str
    operators: tuple[str, ...]
    operand: str


def documented() -> tuple[Entry, ...]:
    """The whole vocabulary in words, in the order of the table; custom fields come after the contact's own."""
    customs = {f"cf:{{custom_field_id}} or cf:{{name}}, of type {each}": custom(CustomField(0, each)) for each in TYPES}
    return tuple(
        entry
        for source, fields in VOCABULARY.items()
        for field, operators in (*fields.items(), *(customs.items() if source == "contact" else ()))
        for entry in _entries(source, field, operators)
    )


def _entries(source: str, field: str, operators: Operators | Conditions) -> list[Entry]:
    by_operand: dict[str, list[str]] = {}
    for name, operator in operators.items():
        by_operand.setdefault(operator.takes, []).append(name)
    return [Entry(source, field, tuple(names), takes) for takes, names in by_operand.items()]
