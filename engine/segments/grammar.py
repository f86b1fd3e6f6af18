"""The grammar of segment criteria (contract v3.md 4.2 and 4.3): JSON text in, checked rules out.

Whatever is not in the grammar is refused with InvalidSegment, whose message names the path and says what would be
right; a rule that was dropped or guessed would widen a bulk job.
"""

import json
from typing import Any, Literal, NoReturn

from engine.errors import InvalidSegment
from engine.segments.operands import ROOT, Object, Operand, Part
from engine.segments.rules import Group, OnAnyList, Rule, WithAnyTag, WithNoTag
from engine.segments.vocabulary import VOCABULARY, custom_rule

#: The longest criteria. The contract's 500 rules need no check of their own: so many do not fit in.
LONGEST = 20_000
DEEPEST = 10
VERSION = "1.0.0"
#: Begins the name of a contact field that is a custom field.
CUSTOM = "cf:"
A_CUSTOM_FIELD = f"{CUSTOM} with the id or the name of a custom field"
#: By source, the fields that are not in the vocabulary.
OTHER_FIELDS = {"contact": (A_CUSTOM_FIELD,)}

Types = dict[str, Literal["and", "or"]]
#: The words for a group's type; at the top the vendor's prose misprints `and`.
TYPES: Types = {"and": "and", "or": "or"}
TOP_TYPES: Types = {"and": "and", "add": "and"}


def parse(text: str) -> Group:
    """The rules in a segment's criteria. Raises InvalidSegment."""
    if len(text) > LONGEST:
        raise InvalidSegment(f"{ROOT} has {len(text)} characters; it may have {LONGEST}")
    document = Part(_json(text), ROOT).members("version", "criteria")
    document["version"].word((VERSION,))
    return _group(document["criteria"], TOP_TYPES, 1)


def _json(text: str) -> Any:
    try:
        return json.loads(text, object_pairs_hook=Object, parse_constant=_refuse_constant)
    except RecursionError:
        raise InvalidSegment(f"{ROOT} is nested too deeply; {DEEPEST} levels of groups are allowed") from None
    except json.JSONDecodeError as error:
        raise InvalidSegment(f"{ROOT} is not JSON: {error}") from None
    except ValueError:
        raise InvalidSegment(f"{ROOT} has a number that is too long") from None


def _refuse_constant(name: str) -> NoReturn:
    raise InvalidSegment(f"{ROOT} is not JSON: it has no {name}")


def _group(part: Part, types: Types, level: int) -> Group:
    if level > DEEPEST:
        raise InvalidSegment(f"{part.path} is nested too deeply; {DEEPEST} levels of groups are allowed")
    given = part.members("type", "group")
    kind = types[given["type"].word(types)]
    items = given["group"].items("rule or group")
    rules = tuple(_node(item, level + 1) for item in items)
    if kind == "and" and len(rules) > 1:
        _refuse_memberships(items, rules)
    return Group(kind, rules)


def _node(part: Part, level: int) -> Rule:
    return _group(part, TYPES, level) if part.has("type", "group") else _rule(part)


def _rule(part: Part) -> Rule:
    given = part.members("source", "field", "op", "value", "const_value", "param")
    source, field, op = (given[name] for name in ("source", "field", "op"))
    operand = Operand(given["value"], given["const_value"], given["param"])
    fields = VOCABULARY[source.word(VOCABULARY)]
    if source.value == "contact" and field.string().startswith(CUSTOM):
        return custom_rule(_custom_field(field), op, operand)
    operators = fields[field.word(fields, *OTHER_FIELDS.get(source.value, ()))]
    return operators[op.word(operators)].read(operand)


def _custom_field(field: Part) -> str:
    name = field.string().removeprefix(CUSTOM).strip().lower()
    if not name:
        raise field.wrong(A_CUSTOM_FIELD)
    return name


def _refuse_memberships(items: list[Part], rules: tuple[Rule, ...]) -> None:
    for item, rule in zip(items, rules, strict=True):
        if isinstance(rule, OnAnyList | WithAnyTag | WithNoTag):
            raise InvalidSegment(
                f'{item.path} is a rule on lists or tags beside others in an "and" group;'
                ' it must be in an "or" group, which may have it alone'
            )
