"""Segments: stored rules for choosing contacts (contract v3.md section 4), which become set expressions.

A segment's criteria are kept as the text that was given. `parse` checks the text, `mentions` says what the rules name,
and `compile` makes an expression of them once these names are looked up. No SQL in here.
"""

from engine.segments.grammar import parse
from engine.segments.rules import CustomField, Group, Mentions, Names
from engine.sets.expressions import EVERYBODY, Expression, Intersection

__all__ = ["CustomField", "Group", "Mentions", "Names", "compile", "mentions", "parse"]


def mentions(criteria: Group) -> Mentions:
    """The lists, tags and custom fields that the criteria name, existing or not."""
    return criteria.mentions()


def compile(criteria: Group, names: Names) -> Expression:  # noqa: A001 (it is what it does)
    """Who is in the segment: contacts that exist and meet the criteria. What is not in `names` has nobody.

    Raises InvalidSegment when a custom field is of a type that does not take a rule's operator or operand.
    """
    return Intersection((EVERYBODY, criteria.expression(names)))
