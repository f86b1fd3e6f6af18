"""The vocabulary of segment rules (contract v3.md 4.3): VOCABULARY, and the operators that a kind of field takes.

An operator reads a rule's operand, refuses a wrong one (InvalidSegment), and says what the rule means. Tracking rules
are not in here: they are not available yet.
"""

from collections.abc import Callable, Mapping
from datetime import UTC, date, datetime, time, timedelta

from engine.segments.operands import Part
from engine.segments.rules import CustomField, OnAnyList, Rule, Where, WhereCustom, WithAnyTag, WithNoTag
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

#: What operators make of an operand: a rule, or a condition on the contact's fields.
Operators = Mapping[str, Callable[[Part], Rule]]
Conditions = Mapping[str, Callable[[Part], Predicate]]
#: Makes a condition of the first day that meets it and the first day after that does not; None is no bound.
Within = Callable[[date | None, date | None], Predicate]

ONE_DAY = timedelta(days=1)


def text(field: Field) -> Conditions:
    """Trimmed and without case; what is missing is the empty text."""

    def equals(operand: Part) -> Predicate:
        wanted = operand.string()
        return Text(field, Comparison.EQUALS, wanted) if wanted.strip() else Not(Present(field))

    def compares(comparison: Comparison) -> Callable[[Part], Predicate]:
        return lambda operand: Text(field, comparison, operand.filled())

    def present(operand: Part) -> Predicate:
        operand.absent()
        return Present(field)

    return {
        "eq": equals,
        "not-eq": _not(equals),
        "contains": compares(Comparison.CONTAINS),
        "not-contains": _not(compares(Comparison.CONTAINS)),
        "starts-with": compares(Comparison.STARTS_WITH),
        "ends-with": compares(Comparison.ENDS_WITH),
        "is-empty": _not(present),
        "is-not-empty": present,
    }


def number(column: Column, most: int) -> Conditions:
    """Whole numbers from 1 to `most`."""
    return _one_of(
        lambda operand: OneOf(column, (operand.number(most),)),
        lambda operand: OneOf(column, tuple(item.number(most) for item in operand.one_or_more("number"))),
    )


def choice(column: Column, *words: str) -> Conditions:
    """Fixed words."""
    return _one_of(
        lambda operand: OneOf(column, (operand.word(words),)),
        lambda operand: OneOf(column, tuple(item.word(words) for item in operand.one_or_more("word"))),
    )


def day(field: Column | CustomDay) -> Conditions:
    """Days."""
    return _within(lambda since, until: DayWithin(field, since, until))


def moment(column: Column) -> Conditions:
    """Times, of which the day in UTC counts."""
    return _within(lambda since, until: TimeWithin(column, _midnight(since), _midnight(until)))


def custom(field: CustomField) -> Conditions:
    """Texts; of a date field (in)equality is that of days, and days are compared."""
    as_text = text(CustomText(field.field_no))
    if field.type == "string":
        return as_text
    as_day = day(CustomDay(field.field_no))
    return {**as_text, **as_day, "not-eq": _not(as_day["eq"])}


def custom_rule(name: str, op: Part, operand: Part) -> Rule:
    """A rule on a custom field, by id or name, whose type is not known yet."""
    either = {**day(CustomDay(0)), **text(CustomText(0))}
    either[op.word(either)](operand)

    def condition(field: CustomField) -> Predicate:
        conditions = custom(field)
        return conditions[op.word(conditions)](operand)

    return WhereCustom(name, condition)


def _not(condition: Callable[[Part], Predicate]) -> Callable[[Part], Predicate]:
    return lambda operand: Not(condition(operand))


def _one_of(one: Callable[[Part], Predicate], several: Callable[[Part], Predicate]) -> Conditions:
    return {"eq": one, "not-eq": _not(one), "contains-any": several}


def _within(within: Within) -> Conditions:
    def between(operand: Part) -> Predicate:
        first, last = operand.span()
        return within(first, last + ONE_DAY)

    return {
        "eq": lambda operand: within(operand.day(), operand.day() + ONE_DAY),
        "before": lambda operand: within(None, operand.day()),
        "after": lambda operand: within(operand.day() + ONE_DAY, None),
        "between": between,
    }


def _midnight(of: date | None) -> datetime | None:
    return None if of is None else datetime.combine(of, time(), UTC)


def _where(fields: Mapping[str, Conditions]) -> dict[str, Operators]:
    def rule(condition: Callable[[Part], Predicate]) -> Callable[[Part], Rule]:
        return lambda operand: Where(condition(operand))

    return {
        field: {op: rule(condition) for op, condition in conditions.items()} for field, conditions in fields.items()
    }


LISTS: Operators = {
    "contains-any": lambda operand: OnAnyList(tuple(item.uuid() for item in operand.one_or_more("list id")))
}
TAGS: Operators = {
    "contains-any": lambda operand: WithAnyTag(tuple(item.uuid() for item in operand.one_or_more("tag id"))),
    "contains-none": lambda operand: WithNoTag(tuple(item.uuid() for item in operand.one_or_more("tag id"))),
}

#: The operators of each field of each source. Custom fields are fields of `contact`, too: `cf:` with an id or a name.
VOCABULARY: Mapping[str, Mapping[str, Operators]] = {
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
