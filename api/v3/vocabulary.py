"""The vocabulary of segment criteria as the documentation tells it, from the engine's table (contract v3.md 4.3)."""

from collections.abc import Mapping

from api.dialects import Chapter
from engine.segments.vocabulary import Entry, documented

WORDS = (
    "`segment_criteria` is a text that holds JSON: an `and` group of rules and of groups (`and` or `or`, which nest). "
    "A rule has a source, a field, an operator (`op`) and what the operator takes: a `value`, or a `const_value` and a "
    "`param`."
)


def chapter() -> Chapter:
    """Fields that know the same operators share a row."""
    rows = [
        (f"`{source}`", _codes(fields), _codes(operators), operand)
        for (source, told), fields in _alike().items()
        for operators, operand in told
    ]
    return Chapter("Segment criteria", WORDS, ("source", "field", "op", "takes"), rows)


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
