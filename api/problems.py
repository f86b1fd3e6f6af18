"""What is wrong with a body or query, in words: `{property} {problem}`, joined with `, ` (contract v3.md 1.8)."""

from collections.abc import Mapping, Sequence
from typing import Any

from pydantic import ValidationError

#: More problems than this are only counted.
MOST_PROBLEMS = 10
#: Of more than these nothing but their number is told: each costs 3 µs to look at, and a body can have half a million.
MOST_LOOKED_AT = 1000

#: What is said of a property, by pydantic's type of error; `{…}` is filled in from the error's context.
WORDS: Mapping[str, str] = {
    "missing": "is missing",
    "extra_forbidden": "is not known here",
    "too_long": "has {actual_length} items where at most {max_length} may be",
    "too_short": "has too few items: at least {min_length} must be given",
    "string_too_long": "is too long: at most {max_length} characters may be given",
    "string_too_short": "is too short: at least {min_length} characters must be given",
    "literal_error": "does not have a valid value: it must be {expected}",
    "enum": "does not have a valid value: it must be {expected}",
    "bool_type": "does not have a valid value: it must be true or false",
    "int_type": "does not have a valid value: it must be a whole number",
    "int_parsing": "does not have a valid value: it must be a whole number",
    "greater_than_equal": "does not have a valid value: it must be at least {ge}",
    "less_than_equal": "does not have a valid value: it must be at most {le}",
    "string_type": "does not have a valid value: it must be text",
    "string_unicode": "does not have a valid value: it must be text in UTF-8",
    "tuple_type": "does not have a valid value: it must be an array",
    "list_type": "does not have a valid value: it must be an array",
    "dict_type": "does not have a valid value: it must be an object",
    "model_type": "does not have a valid value: it must be an object",
    "not_an_id": "does not have a valid value: it must be a UUID of 36 characters",
    "uuid_parsing": "does not have a valid value: it must be a UUID",
    "uuid_type": "does not have a valid value: it must be a UUID",
    "value_error": "does not have a valid value: {error}",
}
UNLISTED = "does not have a valid value"


def described(error: ValidationError) -> str:
    """All that pydantic found, in one text."""
    if error.error_count() > MOST_LOOKED_AT:
        return f"body has {error.error_count()} problems"
    problems = _without_consequences(error.errors(include_url=False, include_input=False))
    texts = [_described(problem) for problem in problems[:MOST_PROBLEMS]]
    if len(problems) > MOST_PROBLEMS:
        texts.append(f"and {len(problems) - MOST_PROBLEMS} more problems")
    return ", ".join(texts)


def _without_consequences(problems: Sequence[Mapping[str, Any]]) -> list[Mapping[str, Any]]:
    """Of an array with a wrong item it is also said that it is too short; that is no problem of its own."""
    inside = {problem["loc"][:-1] for problem in problems if problem["loc"]}
    return [each for each in problems if each["type"] != "too_short" or each["loc"] not in inside]


def _described(problem: Mapping[str, Any]) -> str:
    kind, place = problem["type"], _place(problem["loc"])
    if kind == "json_invalid":
        return f"body is not valid JSON: {problem['ctx']['error']}"
    if kind == "value_error" and not place:
        return str(problem["ctx"]["error"])
    return f"{place or 'body'} {WORDS.get(kind, UNLISTED).format(**problem.get('ctx', {}))}"


def _place(location: tuple[str | int, ...]) -> str:
    """`source.contact_ids[3]` for ("source", "contact_ids", 3); names that cannot be shown are escaped."""
    path = "".join(f"[{step}]" if isinstance(step, int) else f".{step}" for step in location)
    shown = path.removeprefix(".")[:200]
    return shown if shown.isprintable() else ascii(shown)[1:-1]
