"""The grammar of segment criteria (contract v3.md section 4): what is read and what is refused, and in which words."""

import json
from collections.abc import Mapping
from contextlib import suppress
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from engine import segments
from engine.errors import InvalidSegment
from engine.segments import CustomField
from engine.segments.vocabulary import VOCABULARY, custom, documented
from tests.segment_model import random_criteria

LIST = "a0000000-0000-4000-8000-00000000000A"
CITY = {"source": "contact", "field": "city", "op": "eq", "value": "Oslo"}
TAGGED = {"source": "tags", "field": "tag_id", "op": "contains-any", "value": [LIST]}
LISTED = {"source": "list_membership", "field": "list_id", "op": "contains-any", "value": LIST}
MONTH = {**CITY, "field": "birthday_month"}
JOINED = {**CITY, "field": "opt_in_date"}
PERMISSION = {**CITY, "field": "permission_to_send"}
PUBLISHED = (
    '{"version":"1.0.0","criteria":{"type":"and","group":[{"source":"tracking","field":"not_opened",'
    '"op":"contains-any","const_value":"last-n-campaigns","param":"5"}]}}'
)


OPENED = {**CITY, "source": "tracking", "field": "opened", "op": "contains-any", "value": None}
OPENED |= {"const_value": "last-n-campaigns", "param": "5"}
RECENT = {**OPENED, "field": "not_clicked", "const_value": "last-n-days"}
NAMED = {"source": "tracking", "field": "sent", "op": "contains-any", "value": [LIST]}


def text(*nodes: Any, top: str = "and", **document: Any) -> str:
    """Criteria with these nodes at the top."""
    return json.dumps({"version": "1.0.0", "criteria": {"type": top, "group": list(nodes)}, **document})


def any_of(*nodes: Any) -> dict[str, Any]:
    return {"type": "or", "group": list(nodes)}


def nested(levels: int) -> dict[str, Any]:
    """A rule in so many groups."""
    node: dict[str, Any] = CITY
    for _ in range(levels):
        node = any_of(node)
    return node


def refusal(criteria: str) -> str:
    with pytest.raises(InvalidSegment) as refused:
        segments.parse(criteria)
    return refused.value.message


@pytest.mark.parametrize(
    "criteria",
    [
        text(CITY),
        text(CITY, top="add"),
        text(CITY, {"type": "and", "group": [CITY]}, any_of(CITY, TAGGED, LISTED)),
        text(TAGGED),
        text(LISTED),
        text({**LISTED, "source": "contact", "field": "list_membership"}),
        text(CITY, {"type": "and", "group": [TAGGED]}),
        text(nested(9)),
        text({**CITY, "const_value": None, "param": None}),
        text({**CITY, "op": "is-empty", "value": None}),
        text({**CITY, "value": ""}),
        text({**MONTH, "value": 12}),
        text({**MONTH, "value": "12"}),
        text({**MONTH, "op": "contains-any", "value": [1, "2"]}),
        text({**JOINED, "op": "between", "value": ["2020-01-01", "2024-12-30"]}),
        text({**PERMISSION, "op": "contains-any", "value": "implicit"}),
        text({**CITY, "field": f"cf:{LIST}"}),
        PUBLISHED,
        text(OPENED, CITY, any_of(OPENED, TAGGED)),
        text({**OPENED, "param": 500}),
        text({**RECENT, "param": "1825"}),
        text({**NAMED, "value": [LIST] * 500}).replace(", ", ","),
        text({**CITY, "field": "cf:joined", "op": "after", "value": "5/17/2024"}),
        " " * 19_000 + text(CITY),
    ],
)
def test_read(criteria: str) -> None:
    """Contract 4.1 and 4.2."""
    segments.parse(criteria)


@given(random_criteria([LIST], [LIST]))
def test_everything_that_follows_the_grammar_is_read(criteria: Mapping[str, Any]) -> None:
    """Contract 4.2 and 4.3."""
    segments.parse(json.dumps(criteria))


@pytest.mark.parametrize(
    ("criteria", "message"),
    [
        (text(), "criteria.group is empty; it must be an array of at least one rule or group"),
        (text(any_of()), "criteria.group[0].group is empty; it must be an array of at least one rule or group"),
        (text(CITY, top="or"), 'criteria.type is "or"; it must be "and" or "add"'),
        (text({**any_of(CITY), "type": "add"}), 'criteria.group[0].type is "add"; it must be "and" or "or"'),
        (text({"group": [CITY]}), 'criteria.group[0].type is missing; it must be "and" or "or"'),
        (text({"type": "or"}), "criteria.group[0].group is missing; it must be an array of at least one rule or"),
        (text(CITY, version="1.0.1"), 'version is "1.0.1"; it must be "1.0.0"'),
        (text(CITY, version=None), 'version is missing; it must be "1.0.0"'),
        (text(CITY, name="x"), 'segment_criteria has "name"; it takes only version and criteria'),
        (text(CITY, "x"), 'criteria.group[1] is "x"; it must be an object of source'),
        (text({**CITY, "operand": 1}), 'criteria.group[0] has "operand"; it takes only source, field, op, value'),
        (text(any_of(CITY, {**CITY, "op": "is"})), 'criteria.group[0].group[1].op is "is"; it must be "eq", "not-eq"'),
        (text({**CITY, "source": "contacts"}), 'criteria.group[0].source is "contacts"; it must be "tracking", '),
        (text({**CITY, "source": [1]}), "criteria.group[0].source is an array; it must be "),
        (text({**CITY, "field": "town"}), 'criteria.group[0].field is "town"; it must be "first_name", '),
        (
            text({**CITY, "field": "town"}),
            '"permission_to_send", "list_membership" or cf: with the id or the name of a custom field',
        ),
        (text({**CITY, "field": "cf: "}), 'criteria.group[0].field is "cf: "; it must be cf: with the id or the name'),
        (text({**CITY, "field": None}), "criteria.group[0].field is missing; it must be a string"),
        (text({**TAGGED, "field": "cf:x"}), 'criteria.group[0].field is "cf:x"; it must be "tag_id"'),
        (text({**CITY, "value": 3}), "criteria.group[0].value is 3; it must be a string"),
        (text({**CITY, "value": None}), "criteria.group[0].value is missing; it must be a string"),
        (text({**CITY, "value": ["Oslo"]}), "criteria.group[0].value is an array; it must be a string"),
        (text({**CITY, "value": {}}), "criteria.group[0].value is an object; it must be a string"),
        (text({**CITY, "value": "a\0b"}), 'criteria.group[0].value is "a\\u0000b"; it must be without U+0000'),
        (text({**CITY, "value": "\ud800"}), 'criteria.group[0].value is "\\ud800"; it must be without U+0000'),
        (text({**CITY, "op": "contains", "value": " "}), 'value is " "; it must be a string that is not blank'),
        (text({**CITY, "op": "is-empty"}), 'criteria.group[0].value is "Oslo"; it must be left out'),
        (text({**CITY, "const_value": "x"}), 'criteria.group[0].const_value is "x"; it must be left out'),
        (text({**CITY, "param": "5"}), 'criteria.group[0].param is "5"; it must be left out'),
        (text({**MONTH, "value": 13}), "criteria.group[0].value is 13; it must be a whole number from 1 to 12"),
        (text({**MONTH, "value": 0}), "value is 0; it must be a whole number from 1 to 12"),
        (text({**MONTH, "value": True}), "value is true; it must be a whole number from 1 to 12"),
        (text({**MONTH, "value": 5.0}), "value is 5.0; it must be a whole number from 1 to 12"),
        (text({**MONTH, "value": "five"}), 'value is "five"; it must be a whole number from 1 to 12'),
        (text({**MONTH, "value": [5]}), "value is an array; it must be a whole number from 1 to 12"),
        (text({**MONTH, "op": "contains-any", "value": []}), "value is empty; it must be an array of at least one"),
        (text({**MONTH, "op": "contains-any", "value": [1, 13]}), "value[1] is 13; it must be a whole number"),
        (text({**PERMISSION, "value": "Implicit"}), 'value is "Implicit"; it must be "implicit", "explicit"'),
        (text({**JOINED, "value": "2024-02-30"}), 'value is "2024-02-30"; it must be a date such as 2024-05-17'),
        (text({**JOINED, "value": 20240517}), "value is 20240517; it must be a date such as 2024-05-17"),
        (text({**JOINED, "value": "9999-12-31"}), 'value is "9999-12-31"; it must be a date before the year 9999'),
        (text({**JOINED, "op": "not-eq"}), 'op is "not-eq"; it must be "eq", "before", "after" or "between"'),
        (text({**JOINED, "op": "between", "value": "2024-05-17"}), "it must be an array of at least one date"),
        (text({**JOINED, "op": "between", "value": ["2024-05-17"]}), "it must be an array of two dates"),
        (
            text({**JOINED, "op": "between", "value": ["2024-05-17", "2024-05-16"]}),
            "it must be two dates, the earlier one first, at most 1825 days apart",
        ),
        (text({**JOINED, "op": "between", "value": ["2020-01-01", "2024-12-31"]}), "at most 1825 days apart"),
        (text({**TAGGED, "value": ["x"]}), 'criteria.group[0].value[0] is "x"; it must be a UUID'),
        (text({**TAGGED, "value": []}), "criteria.group[0].value is empty; it must be an array of at least one tag id"),
        (text({**TAGGED, "value": 5}), "criteria.group[0].value is 5; it must be a UUID"),
        (text({**LISTED, "op": "contains-none"}), 'op is "contains-none"; it must be "contains-any"'),
        (text({**CITY, "field": "cf:x", "op": "before"}), 'value is "Oslo"; it must be a date such as 2024-05-17'),
        (text(CITY, TAGGED), 'criteria.group[1] is a rule on lists or tags beside others in an "and" group'),
        (text(LISTED, TAGGED), 'criteria.group[0] is a rule on lists or tags beside others in an "and" group'),
        (text(any_of({"type": "and", "group": [CITY, LISTED]})), "criteria.group[0].group[0].group[1] is a rule on"),
        (text(nested(10)), "criteria" + ".group[0]" * 10 + " is nested too deeply; 10 levels of groups are allowed"),
        (text({**OPENED, "field": "open"}), 'field is "open"; it must be "opened", "not_opened", "clicked"'),
        (text({**OPENED, "op": "eq"}), 'criteria.group[0].op is "eq"; it must be "contains-any"'),
        (text({**OPENED, "const_value": None}), 'const_value is missing; it must be "last-n-campaigns" or "last-n-'),
        (text({**OPENED, "const_value": "last-n-weeks"}), 'const_value is "last-n-weeks"; it must be "last-n-campai'),
        (
            text({**OPENED, "param": None}),
            "criteria.group[0].param is missing; it must be a whole number from 1 to 500",
        ),
        (text({**OPENED, "param": "501"}), 'criteria.group[0].param is "501"; it must be a whole number from 1 to 500'),
        (text({**OPENED, "param": 0}), "criteria.group[0].param is 0; it must be a whole number from 1 to 500"),
        (text({**OPENED, "param": "+5"}), 'criteria.group[0].param is "+5"; it must be a whole number from 1 to 500'),
        (
            text({**RECENT, "param": "1826"}),
            'criteria.group[0].param is "1826"; it must be a whole number from 1 to 18',
        ),
        (text({**OPENED, "value": [LIST]}), 'criteria.group[0].const_value is "last-n-campaigns"; it must be left out'),
        (text({**NAMED, "param": "5"}), 'criteria.group[0].param is "5"; it must be left out'),
        (text({**NAMED, "value": []}), "value is empty; it must be an array of at least one campaign id"),
        (text({**NAMED, "value": LIST}), "it must be an array of at least one campaign id"),
        (text({**NAMED, "value": ["x"]}), 'criteria.group[0].value[0] is "x"; it must be a UUID'),
        (
            text({**NAMED, "value": [LIST] * 501}).replace(", ", ","),
            "criteria.group[0].value is an array; it must be an array of at most 500 campaign ids",
        ),
    ],
)
def test_refused(criteria: str, message: str) -> None:
    """Contract 4.1, 4.2 and 4.3: nodes, versions, operands; whatever is not in the vocabulary."""
    assert message in refusal(criteria)


@pytest.mark.parametrize(
    ("criteria", "message"),
    [
        ("", "segment_criteria is not JSON: Expecting value"),
        ("{", "segment_criteria is not JSON: "),
        ("[]", "segment_criteria is empty; it must be an object of version and criteria"),
        ("null", "segment_criteria is missing; it must be an object of version and criteria"),
        ("1e999", "segment_criteria is Infinity; it must be an object"),
        ('{"version":NaN}', "segment_criteria is not JSON: it has no NaN"),
        ('{"version":-Infinity}', "segment_criteria is not JSON: it has no -Infinity"),
        ("9" * 15_000, "segment_criteria has a number that is too long"),
        # Where the JSON parser gives up depends on Python: "nested too deeply" or "not JSON".
        ("[" * 20_000, "segment_criteria is n"),
        ('{"a":' * 4_000, "segment_criteria is n"),
        ('{"a":' * 3_300 + "1" + "}" * 3_300, "segment_criteria "),
        ("[" * 400 + "]" * 400, "segment_criteria is an array; it must be an object"),
        (text("x" * 20_000), "segment_criteria has 20064 characters; it may have 20000"),
        ('{"version":"1.0.0","version":"1.0.0"}', "version is given twice"),
        (text({"SOURCE": 1}).replace('"SOURCE": 1', '"op":null,"op":"eq"'), "criteria.group[0].op is given twice"),
        (text({**CITY, "value": "x" * 10_000, "op": "x"}).replace('"Oslo"', "0"), "criteria.group[0].op"),
    ],
)
def test_json_bombs_are_refused(criteria: str, message: str) -> None:
    """Contract 4.1: 20,000 characters; 4.2: it is JSON, and names nothing twice."""
    assert message in refusal(criteria)


def test_a_wrong_value_is_shown_in_part() -> None:
    assert len(refusal(text({**MONTH, "value": "x" * 10_000}))) < 200


@given(st.text() | st.recursive(st.none() | st.booleans() | st.floats() | st.text(), st.lists).map(json.dumps))
def test_any_text_is_read_or_refused(criteria: str) -> None:
    with suppress(InvalidSegment):
        segments.parse(criteria)


@given(st.data())
def test_a_changed_document_is_read_or_refused(data: st.DataObject) -> None:
    """Whatever is put in the place of whatever, no other error comes up."""
    document = json.loads(json.dumps(data.draw(random_criteria([LIST], [LIST]))))
    holder, key = data.draw(st.sampled_from(list(_places(document))))
    holder[key] = data.draw(
        st.sampled_from([None, True, 0, -1, 1e400, 10**30, "", "\0", "eq", [], [[]], {}, {"group": 1}, LIST])
    )
    with suppress(InvalidSegment):
        segments.parse(json.dumps(document))


def _places(node: Any) -> Any:
    items = node.items() if isinstance(node, dict) else enumerate(node)
    for key, value in items:
        yield node, key
        if isinstance(value, dict | list):
            yield from _places(value)


def test_the_vocabulary_is_that_of_the_contract() -> None:
    """Contract 4.3, row by row: fields, operators and operands."""
    texts = ("first_name", "last_name", "job_title", "company_name", "email_address")
    addresses = ("street", "city", "state", "postal_code", "country")
    text_operators = "eq not-eq contains not-contains starts-with ends-with is-empty is-not-empty"
    days = ("anniversary", "created_at", "updated_at", "opt_in_date", "opt_out_date")
    tracking = ("opened", "not_opened", "clicked", "not_clicked", "sent", "not_sent")
    expected = {
        "tracking": dict.fromkeys(tracking, "contains-any"),
        "contact": {
            **dict.fromkeys((*texts, *addresses), text_operators),
            **dict.fromkeys(("birthday_month", "birthday_day"), "eq not-eq contains-any"),
            **dict.fromkeys(days, "eq before after between"),
            **dict.fromkeys(("create_source", "permission_to_send"), "eq not-eq contains-any"),
            "list_membership": "contains-any",
        },
        "list_membership": {"list_id": "contains-any"},
        "tags": {"tag_id": "contains-any contains-none"},
    }
    found = {s: {f: " ".join(operators) for f, operators in fields.items()} for s, fields in VOCABULARY.items()}
    assert found == expected


def test_the_documentation_is_complete() -> None:
    """Whatever the table takes is documented once, with an operand in words."""
    entries = documented()
    told = [(entry.source, entry.field, operator) for entry in entries for operator in entry.operators]
    taken = {(s, f, op) for s, fields in VOCABULARY.items() for f, operators in fields.items() for op in operators}
    assert len(told) == len(set(told))
    assert {each for each in told if not each[1].startswith("cf:")} == taken
    assert all(entry.operand for entry in entries)
    customs = {field: {op for _, f, op in told if f == field} for _, field, _ in told if field.startswith("cf:")}
    assert customs == {
        f"cf:{{custom_field_id}} or cf:{{name}}, of type {each}": set(custom(CustomField(1, each)))
        for each in ("string", "date")
    }
