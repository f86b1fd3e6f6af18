"""What segment criteria mean (contract v3.md 4.3), told in plain Python over contacts as dictionaries.

It reads the JSON as it is on the wire and shares no code with the engine. A contact has the properties of the contract
by name, days as date and times as datetime, and besides them `custom` (values by field name), `lists` and `tags` (sets
of ids), and `sent`, `opened` and `clicked` (sets of ids of campaigns).
"""

import re
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, date, datetime, timedelta
from random import Random
from typing import Any
from uuid import UUID

from hypothesis import strategies as st
from hypothesis.strategies import SearchStrategy

Contact = Mapping[str, Any]
Node = Mapping[str, Any]

ADDRESS = ("street", "city", "state", "postal_code", "country")
DAYS = ("anniversary", "created_at", "updated_at", "opt_in_date", "opt_out_date")
CHOICES = ("birthday_month", "birthday_day", "create_source", "permission_to_send")
NEGATIVE = {"not-eq": "eq", "not-contains": "contains", "is-empty": "is-not-empty", "contains-none": "contains-any"}

TEXT_TESTS: Mapping[str, Callable[[str, str], bool]] = {
    "eq": lambda text, wanted: text == wanted,
    "contains": lambda text, wanted: wanted in text,
    "starts-with": lambda text, wanted: text.startswith(wanted),
    "ends-with": lambda text, wanted: text.endswith(wanted),
    "is-not-empty": lambda text, _: text != "",
}


@dataclass(frozen=True)
class World:
    """What an account has besides contacts: types of custom fields by name, days since campaigns were sent by id."""

    field_types: Mapping[str, str] = field(default_factory=dict)
    campaigns: Mapping[str, float] = field(default_factory=dict)


def meets(contact: Contact, node: Node, world: World) -> bool:
    """Whether the contact meets a rule or a group."""
    if "group" in node:
        found = [meets(contact, inner, world) for inner in node["group"]]
        return any(found) if node["type"] == "or" else all(found)
    if node["source"] == "tracking":
        return _meets_tracking(contact, node, _meant(node, world.campaigns))
    if node["field"].startswith("cf:"):
        return _meets_custom(contact, node, world.field_types)
    if node["op"] in NEGATIVE:
        return not _holds(contact, {**node, "op": NEGATIVE[node["op"]]})
    return _holds(contact, node)


def _meant(node: Node, campaigns: Mapping[str, float]) -> set[str]:
    """The campaigns that a rule on tracking speaks of."""
    if "value" in node:
        return set(node["value"]) & set(campaigns)
    if node["const_value"] == "last-n-days":
        return {campaign_id for campaign_id, days in campaigns.items() if days <= int(node["param"])}
    return set(sorted(campaigns, key=lambda campaign_id: campaigns[campaign_id])[: int(node["param"])])


def _meets_tracking(contact: Contact, node: Node, meant: set[str]) -> bool:
    """Not having done something takes having been sent something; but not having been sent anything does not."""
    action = node["field"].removeprefix("not_")
    did = bool(contact[action] & meant)
    if action == node["field"]:
        return did
    return bool(meant) and not did if action == "sent" else bool(contact["sent"] & meant) and not did


def _meets_custom(contact: Contact, node: Node, field_types: Mapping[str, str]) -> bool:
    name = node["field"].removeprefix("cf:").strip().lower()
    if name not in field_types:
        return False
    negative = node["op"] in NEGATIVE
    op = NEGATIVE[node["op"]] if negative else node["op"]
    given = contact["custom"].get(name)
    if field_types[name] == "date" and op in ("eq", "before", "after", "between"):
        found = _day_holds(day_of(given or ""), op, node["value"])
    else:
        found = _any_text_holds([given], op, node.get("value"))
    return found != negative


def _holds(contact: Contact, node: Node) -> bool:
    """Whether a positive rule holds."""
    field, op, value = node["field"], node["op"], node.get("value")
    if node["source"] == "tags":
        return bool(contact["tags"] & set(_several(value)))
    if node["source"] == "list_membership" or field == "list_membership":
        return bool(contact["lists"] & set(_several(value)))
    if field in CHOICES:
        return contact[field] is not None and str(contact[field]) in map(str, _several(value))
    if field in DAYS:
        return _day_holds(_utc_day(contact[field]), op, value)
    if field in ADDRESS:
        return _any_text_holds([entry.get(field) for entry in contact["street_addresses"]], op, value)
    return _any_text_holds([contact[field]], op, value)


def _any_text_holds(texts: list[str | None], op: str, value: str | None) -> bool:
    """A missing text is the empty one; equal to nothing is whoever has nothing in any of several."""
    known = [_folded(text or "") for text in texts]
    wanted = _folded(value or "")
    if op == "eq" and not wanted:
        return not any(known)
    return any(TEXT_TESTS[op](text, wanted) for text in known)


def _day_holds(day: date | None, op: str, value: Any) -> bool:
    if day is None:
        return False
    days = [day_of(text) for text in _several(value)]
    first, last = days[0], days[-1]
    assert first is not None
    assert last is not None
    return {"eq": day == first, "before": day < first, "after": day > first, "between": first <= day <= last}[op]


def day_of(text: str) -> date | None:
    """The day that a text says in one of the forms of contract v3.md 1.5."""
    parts = re.split("[/-]", text.strip(" \t\n\r\f\v"))
    marks = set(re.findall("[/-]", text))
    if len(parts) != 3 or len(marks) != 1 or not all(re.fullmatch("[0-9]+", part) for part in parts):
        return None
    lengths = tuple(map(len, parts))
    if lengths[0] == 4 and max(lengths[1:]) <= 2:
        year, month, day = parts
    elif lengths[2] == 4 and max(lengths[:2]) <= 2:
        month, day, year = parts
    else:
        return None
    try:
        return date(int(year), int(month), int(day))
    except ValueError:
        return None


def _utc_day(value: date | datetime | None) -> date | None:
    return value.astimezone(UTC).date() if isinstance(value, datetime) else value


def _folded(text: str) -> str:
    return text.strip(" \t\n\r\f\v").lower()


def _several(value: Any) -> Iterator[Any]:
    yield from value if isinstance(value, list) else [value]


#: Texts that are near each other, and those with characters that patterns treat in their own way.
TEXTS = (
    "Kim",
    "kim",
    " KIM\t",
    "Kimberly",
    "kimkim",
    "50% off",
    "50 off",
    "a_b",
    "axb",
    "a\\b",
    "O'Brien",
    "straße",
    "",
)
#: Days as they are given: in all nine forms, one day in several, and some that are none.
DAY_TEXTS = (
    *("05/17/2024", "5/7/2024", "2024/05/17", "2024/5/7", "2024-05-17", "2024-5-7", "5-7-2024", "5-17-2024"),
    *("05-17-2024", " 2024-05-17\t\n", "2024-02-29", "02/29/2024", "1999-12-31", "2000-01-01", "0001-01-01"),
)
NO_DAYS = (
    *("2023-02-29", "2024-04-31", "2024-13-01", "2024-00-10", "2024-01-00", "0000-01-01", "13/01/2024", "99-99-9999"),
    *("2024-05/17", "2024-05-17T00:00", "24-05-17", "2024-005-17", "12024-05-17", "2024-05-17\n2024-05-17", "soon"),
    *(
        "\u0662\u0660\u0662\u0664-\u0660\u0665-\u0661\u0667",
        "-2024-05-17",
        "2024-05",
        "",
        "   ",
        "----",
        "//",
        "9" * 50,
    ),
)
MONTHS = (1, 2, 12)
SOURCES = ("Account", "Contact")
PERMISSIONS = ("implicit", "explicit", "unsubscribed", "temp_hold")
#: What exists; rules name other custom fields and campaigns, too.
FIELD_TYPES = {"shirt_size": "string", "joined": "date"}
CAMPAIGNS = {str(UUID(int=100 + number)): days for number, days in enumerate((0.5, 1.5, 1.6, 20.5, 400.5, 1900.0))}
WORLD = World(FIELD_TYPES, CAMPAIGNS)
UNKNOWN_CAMPAIGN = str(UUID(int=99))


def random_contact(random: Random, lists: Sequence[str], tags: Sequence[str]) -> Contact:
    """A contact, each of whose properties may be missing."""

    def maybe(values: Sequence[Any]) -> Any:
        return random.choice((*values, None))

    def moment() -> datetime:
        day = datetime(2024, 5, random.choice((6, 7, 16, 17, 18)), tzinfo=UTC)
        return day + timedelta(seconds=random.choice((0, 1, 43_200, 86_399)))

    return {
        **{field: maybe(TEXTS) for field in ("first_name", "last_name", "job_title", "company_name")},
        "email_address": maybe(TEXTS),
        "street_addresses": [
            {part: text for part in ADDRESS if (text := maybe(TEXTS)) is not None} for _ in range(random.randrange(4))
        ],
        "birthday_month": maybe(MONTHS),
        "birthday_day": maybe(MONTHS),
        "anniversary": maybe([day_of(text) for text in DAY_TEXTS]),
        "created_at": moment(),
        "updated_at": moment(),
        "opt_in_date": maybe([moment()]),
        "opt_out_date": maybe([moment()]),
        "create_source": random.choice(SOURCES),
        "permission_to_send": random.choice(PERMISSIONS),
        "custom": {
            name: value
            for name, values in (("shirt_size", TEXTS), ("joined", (*DAY_TEXTS, *NO_DAYS)))
            if (value := maybe(values)) is not None
        },
        "lists": {list_id for list_id in lists if random.random() < 0.3},
        "tags": {tag_id for tag_id in tags if random.random() < 0.3},
        **{action: {i for i in CAMPAIGNS if random.random() < 0.3} for action in ("sent", "opened", "clicked")},
    }


def random_criteria(lists: Sequence[str], tags: Sequence[str]) -> SearchStrategy[Mapping[str, Any]]:
    """Whole documents that follow the grammar."""
    node = st.recursive(
        _contact_rules() | _tracking_rules(),
        lambda inner: _groups("and", inner) | _groups("or", inner | _set_rules(lists, tags)),
        max_leaves=8,
    )
    top = _groups("and", node) | _groups("and", _set_rules(lists, tags), most=1)
    return st.fixed_dictionaries({"version": st.just("1.0.0"), "criteria": top})


def _groups(kind: str, inner: SearchStrategy[Node], most: int = 4) -> SearchStrategy[Node]:
    return st.fixed_dictionaries({"type": st.just(kind), "group": st.lists(inner, min_size=1, max_size=most)})


def _contact_rules() -> SearchStrategy[Node]:
    texts = st.sampled_from(TEXTS)
    filled = st.sampled_from([text for text in TEXTS if text])
    texts_fields = ("first_name", "last_name", "job_title", "company_name", "email_address", *ADDRESS)
    anything = ("cf:Shirt_Size", "cf:unknown")
    equal, unequal = ("eq", "not-eq"), ("contains", "not-contains", "starts-with", "ends-with")
    days = st.sampled_from(DAY_TEXTS)
    day_fields = (*DAYS, "cf:joined")
    return st.one_of(
        _rules((*texts_fields, *anything), equal, texts),
        _rules((*texts_fields, *anything, "cf:JOINED"), unequal, filled),
        _rules((*texts_fields, *anything, "cf:joined"), ("is-empty", "is-not-empty"), None),
        _rules(("birthday_month", "birthday_day"), equal, st.sampled_from((*MONTHS, *map(str, MONTHS)))),
        _rules(("birthday_month", "birthday_day"), ("contains-any",), _some(MONTHS)),
        _rules(("create_source",), equal, st.sampled_from(SOURCES)),
        _rules(("create_source",), ("contains-any",), _some(SOURCES)),
        _rules(("permission_to_send",), equal, st.sampled_from(PERMISSIONS)),
        _rules(("permission_to_send",), ("contains-any",), _some(PERMISSIONS)),
        _rules(day_fields, ("eq", "before", "after"), days),
        _rules(("cf:joined",), ("not-eq",), days),
        _rules(day_fields, ("between",), st.lists(days, min_size=2, max_size=2).filter(_is_span)),
    )


def _tracking_rules() -> SearchStrategy[Node]:
    fields = ("opened", "not_opened", "clicked", "not_clicked", "sent", "not_sent")
    ids = st.sampled_from((*CAMPAIGNS, UNKNOWN_CAMPAIGN))
    rule = {"source": st.just("tracking"), "field": st.sampled_from(fields), "op": st.just("contains-any")}
    counts, days = st.sampled_from((1, 2, "5", 500)), st.sampled_from((1, "2", 20, 21, 1825))
    return st.one_of(
        st.fixed_dictionaries({**rule, "value": st.lists(ids, min_size=1, max_size=3)}),
        st.fixed_dictionaries({**rule, "const_value": st.just("last-n-campaigns"), "param": counts}),
        st.fixed_dictionaries({**rule, "const_value": st.just("last-n-days"), "param": days}),
    )


def _set_rules(lists: Sequence[str], tags: Sequence[str]) -> SearchStrategy[Node]:
    return st.one_of(
        _rules(("list_id",), ("contains-any",), _some(lists), source="list_membership"),
        _rules(("list_membership",), ("contains-any",), _some(lists)),
        _rules(("tag_id",), ("contains-any", "contains-none"), _some(tags), source="tags"),
    )


def _rules(
    fields: Sequence[str], ops: Sequence[str], values: SearchStrategy[Any] | None, source: str = "contact"
) -> SearchStrategy[Node]:
    members = {"source": st.just(source), "field": st.sampled_from(fields), "op": st.sampled_from(ops)}
    return st.fixed_dictionaries(members if values is None else {**members, "value": values})


def _some(values: Sequence[Any]) -> SearchStrategy[Any]:
    return st.sampled_from(values) | st.lists(st.sampled_from(values), min_size=1, max_size=3)


def _is_span(texts: list[str]) -> bool:
    first, last = map(day_of, texts)
    return first is not None and last is not None and timedelta(0) <= last - first <= timedelta(days=1825)
