"""The vocabulary of segment criteria as the documentation tells it, from the engine's table (contract v3.md 4.3)."""

from collections.abc import Mapping
from typing import Any

from api.dialects import Chapter
from api.v3.example_ids import LIST, TAG
from engine.segments.grammar import VERSION
from engine.segments.vocabulary import Entry, documented

WORDS = (
    "`segment_criteria` is a text that holds a JSON object as below: a `version`, and the `criteria`, an `and` group "
    "of rules and of groups (`and` or `or`, which nest). A rule on lists or tags stands alone, or in an `or` group. A "
    "rule has a source, a field, an operator (`op`) and what the operator takes: a `value`, or a `const_value` and a "
    "`param`."
)
#: What the text may hold: who was born in April, is on a list or has a tag, and has opened one of the last campaigns.
EXAMPLE: Mapping[str, Any] = {
    "version": VERSION,
    "criteria": {
        "type": "and",
        "group": [
            {"source": "contact", "field": "birthday_month", "op": "eq", "value": 4},
            {
                "type": "or",
                "group": [
                    {"source": "list_membership", "field": "list_id", "op": "contains-any", "value": [LIST]},
                    {"source": "tags", "field": "tag_id", "op": "contains-any", "value": [TAG]},
                ],
            },
            {
                "source": "tracking",
                "field": "opened",
                "op": "contains-any",
                "const_value": "last-n-campaigns",
                "param": 5,
            },
        ],
    },
}


def chapter() -> Chapter:
    """Fields that know the same operators share a row."""
    rows = [
        (f"`{source}`", _codes(fields), _codes(operators), operand)
        for (source, told), fields in _alike().items()
        for operators, operand in told
    ]
    return Chapter("Segment criteria", WORDS, ("source", "field", "op", "takes"), rows, EXAMPLE)


def _alike() -> Mapping[tuple[str, tuple[tuple[tuple[str, ...], str], ...]], list[str]]:
    """The fields of each source by all that is told of them."""
    told: dict[tuple[str, str], list[Entry]] = {}
    for entry in documented():
        told.setdefault((entry.source, entry.field), []).append(entry)
    alike: dict[tuple[str, tuple[tuple[tuple[str, ...], str], ...]], list[str]] = {}
    for (source, field), entries in told.items():
        alike.setdefault((source, tuple((entry.operators, entry.operand) for entry in entries)), []).append(field)
    return alike


def _codes(names: tuple[str, ...] | list[str]) -> str:
    return ", ".join(f"`{name}`" for name in names)
