"""Whatever comes in, on whatever route: never a 5xx, and every refusal in the contract's form (v3.md 1.8)."""

import json
from collections.abc import Mapping
from typing import Any
from urllib.parse import quote
from uuid import uuid4

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from api.dialects import Route
from api.v3.routes import ROUTES
from tests.e2e.api.front import Front

FAST = settings(
    max_examples=60,
    deadline=None,
    suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow, HealthCheck.filter_too_much],
)

#: Stand for ids that exist; the test puts them in.
KNOWN = ("{list}", "{tag}", "{activity}", "{contact}", "{field}", "{user}", "{key}")

NAMES = (
    *("source", "exclude", "contact_ids", "list_ids", "tag_ids", "all_active_contacts", "new_subscriber"),
    *("engagement_level", "segment_id", "name", "description", "favorite", "tag_source", "segment_criteria"),
    *(
        "import_data",
        "custom_field_ids",
        "label",
        "email",
        "email_address",
        "create_source",
        "version",
        "criteria",
        "type",
        "group",
        "field",
        "op",
    ),
)
QUERIES = (
    *("limit", "cursor", "wait", "state", "status", "email", "lists", "tags", "segment_id", "include", "name"),
    *(
        "include_count",
        "include_membership_count",
        "sort_by",
        "sequence_ids",
        "channel_type",
        "updated_after",
        "before",
        "after",
        "error_no",
    ),
)

TEXT = st.one_of(
    st.text(max_size=12),
    st.sampled_from([*KNOWN, "", "\0", "a\0b", "\ud800", "é", "\U0001f4a9" * 300, "x" * 5000, "'; --", "%"]),
    st.sampled_from(["true", "high", "1", "all", "name"]),
)
NUMBERS = st.one_of(st.integers(), st.sampled_from([0, -1, 2**31, 2**63, 10**400, 1e308]), st.floats(allow_nan=False))
SCALARS = st.one_of(st.none(), st.booleans(), NUMBERS, TEXT)


def nested(values: st.SearchStrategy[Any]) -> st.SearchStrategy[Any]:
    names = st.sampled_from(NAMES) | TEXT
    return st.lists(values, max_size=4) | st.dictionaries(names, values, max_size=4)


JSON = st.recursive(SCALARS, nested, max_leaves=12)

#: Bodies that are nearly right, so that they get further than the first check.
IDS = st.lists(st.sampled_from(KNOWN) | TEXT, max_size=4)
SOURCES = st.fixed_dictionaries(
    {},
    optional={
        "contact_ids": IDS | JSON,
        "list_ids": IDS | JSON,
        "tag_ids": IDS | JSON,
        "all_active_contacts": st.booleans() | JSON,
        "new_subscriber": st.booleans() | JSON,
        "engagement_level": st.sampled_from(["high", "low"]) | JSON,
        "segment_id": st.integers(0, 3) | JSON,
    },
)
RULES = st.fixed_dictionaries(
    {
        "source": st.sampled_from(["contact", "tags", "list_membership", "tracking"]) | TEXT,
        "field": st.sampled_from(["first_name", "created_at", "birthday_day", "cf:x", "tag_id", "list_id"]) | TEXT,
        "op": st.sampled_from(["eq", "contains", "between", "before", "is-empty", "contains-any"]) | TEXT,
    },
    optional={"value": JSON},
)
CRITERIA = st.lists(RULES, max_size=3).map(
    lambda rules: json.dumps({"version": "1.0.0", "criteria": {"type": "and", "group": rules}})
)
PARTIES = st.sampled_from(["Account", "Contact"]) | JSON
EMAILS = st.sampled_from(["c1@example.org", " new@example.org", "a@b"]) | TEXT
CONTACT = {
    "create_source": PARTIES,
    "update_source": PARTIES,
    "first_name": TEXT,
    "anniversary": st.sampled_from(["2006-11-15", "1/5/0001", ""]) | JSON,
    "birthday_month": NUMBERS,
    "birthday_day": NUMBERS,
    "email_address": EMAILS
    | st.fixed_dictionaries(
        {"address": EMAILS},
        optional={"permission_to_send": st.sampled_from(["unsubscribed", "explicit"]) | JSON, "opt_out_reason": TEXT},
    ),
    "list_memberships": IDS,
    "taggings": IDS,
    "custom_fields": st.lists(st.fixed_dictionaries({"custom_field_id": TEXT, "value": TEXT | JSON}), max_size=3),
    "phone_number": TEXT,
    "phone_numbers": st.lists(st.fixed_dictionaries({"phone_number": TEXT}, optional={"kind": TEXT}), max_size=4),
    "street_address": st.fixed_dictionaries({"kind": st.just("home")}, optional={"city": TEXT | JSON}),
    "street_addresses": st.lists(st.fixed_dictionaries({"kind": st.just("work")}, optional={"city": TEXT}), max_size=4),
    "notes": st.lists(st.fixed_dictionaries({"content": TEXT}, optional={"note_id": TEXT}), max_size=3) | JSON,
    "sms_channel": st.fixed_dictionaries(
        {
            "full_sms_address": st.sampled_from(["+14155552671", "+999", "555"]) | TEXT,
            "sms_channel_consents": st.lists(
                st.fixed_dictionaries(
                    {
                        "sms_consent_permission": st.sampled_from(["explicit", "opt_out"]),
                        "consent_type": st.just("promotional_sms"),
                    },
                    optional={"opt_in_date": st.sampled_from(["9999-12-31T23:59:59-12:00", "0001-01-01"]) | JSON},
                ),
                max_size=2,
            ),
        }
    ),
}
BODIES = JSON | st.fixed_dictionaries(
    {},
    optional={
        "source": SOURCES | JSON,
        "exclude": st.fixed_dictionaries({}, optional={"contact_ids": IDS}) | JSON,
        "list_ids": IDS | JSON,
        "tag_ids": IDS | JSON,
        "engagement_level": st.sampled_from(["high", "low"]) | JSON,
        "contact_ids": IDS | JSON,
        "new_subscriber": st.booleans() | JSON,
        "status": st.sampled_from(["active", "removed"]) | JSON,
        "fields": st.lists(st.sampled_from(["first_name", "tag", "email_optin_date"]) | TEXT, max_size=3) | JSON,
        "name": TEXT | JSON,
        "description": TEXT | JSON,
        "favorite": st.booleans() | JSON,
        "tag_source": TEXT | JSON,
        "label": TEXT | JSON,
        "type": st.sampled_from(["string", "date"]) | JSON,
        "custom_field_ids": IDS | JSON,
        "segment_criteria": CRITERIA | TEXT | JSON,
        **CONTACT,
        "password": TEXT | JSON,
        "privileges": st.lists(st.sampled_from(["contacts:read"]) | TEXT, max_size=3) | JSON,
        "import_data": st.lists(st.dictionaries(st.sampled_from(NAMES) | TEXT, JSON, max_size=4), max_size=4) | JSON,
    },
)
RAW = st.binary(max_size=60) | JSON.map(lambda value: json.dumps(value).encode() + b"x")

FILES = st.sampled_from([b"email\na@b.c\n", b"{list}", b"email\n" + b'"' * 50, b"\xef\xbb\xbf"])
PARTS = st.lists(
    st.tuples(
        st.sampled_from(["file", "list_ids", "x", ""]),
        st.binary(max_size=60) | FILES,
        st.none() | st.sampled_from(["a.csv", "a.txt", ".csv"]),
    ),
    max_size=4,
)


async def known(front: Front) -> Mapping[str, str]:
    """Ids that exist, by what stands for them."""
    list_id, tag_id = await front.new_list("L"), await front.new_tag("T")
    [contact] = await front.desk.make_contacts(1)
    activity = await front.add([contact, uuid4()], list_id)
    field = await front.post("/v3/contact_custom_fields", {"label": "F", "type": "string"})
    user = await front.post("/v3/users", {"name": uuid4().hex, "password": "a password"})
    key = await front.post("/v3/keys", {"name": "K"})
    # Numbers of their own, from 1 on; an event and a company have the next of lists' and tags'.
    await front.post("/v3/hooks", {"name": "H", "url": "https://hook.invalid/"})
    await front.post("/v3/companies", {"name": "C"})
    await front.post("/v3/events", {"name": "E"})
    ids = (
        *(list_id, tag_id, activity["activity_id"], str(contact), field["custom_field_id"]),
        *(user["user_id"], key["key_id"]),
    )
    names = dict(zip(KNOWN, ids, strict=True))
    segment = {"source": "contact", "field": "first_name", "op": "is-empty"}
    criteria = json.dumps({"version": "1.0.0", "criteria": {"type": "and", "group": [segment]}})
    await front.post("/v3/segments", {"name": "S", "segment_criteria": criteria})
    return names


def put_in(text: str, names: Mapping[str, str]) -> str:
    for placeholder, value in names.items():
        text = text.replace(placeholder, value)
    return text


def path_of(route: Route, names: Mapping[str, str], other: str) -> str:
    """A path of the route: with ids that exist, or another text in their place."""
    here = {
        "activity_id": "{activity}",
        "list_id": "{list}",
        "tag_id": "{tag}",
        "custom_field_id": "{field}",
        "contact_id": "{contact}",
        "segment_id": "1",
        "file_export_id": "{activity}",
        "hook_id": "1",
        "field_id": "1",
        "company_id": "3",
        "event_id": "4",
        "user_id": "{user}",
        "key_id": "{key}",
    }
    return "/v3" + route.path.format(**{name: other or put_in(value, names) for name, value in here.items()})


async def holds(front: Front, route: Route, path: str, **arguments: Any) -> None:
    answer = await front.request(route.method, path, **arguments)
    assert answer.status < 500, answer.content
    if answer.status >= 400:
        assert answer.message
    else:
        assert answer.content == b"" if answer.status == 204 else answer.body is not None


WITH_BODY = [route for route in ROUTES if route.method in ("POST", "PUT", "PATCH")]
GETS = [route for route in ROUTES if route.method == "GET"]


def by_path(route: Route) -> str:
    return route.path


@pytest.fixture
async def names(front: Front) -> Mapping[str, str]:
    return await known(front)


@pytest.mark.parametrize("route", WITH_BODY, ids=by_path)
@FAST
@given(body=BODIES, raw=st.none() | RAW)
async def test_any_body(front: Front, names: Mapping[str, str], route: Route, body: Any, raw: bytes | None) -> None:
    """Malformed JSON, wrong types, NUL, half surrogate pairs, huge numbers, deep nesting: 400 (contract v3.md 1.8)."""
    data = raw if raw is not None else put_in(json.dumps(body), names).encode()
    headers = {"Content-Type": "application/json"}
    await holds(front, route, path_of(route, names, ""), data=data, headers=headers)


@pytest.mark.parametrize("route", GETS, ids=by_path)
@FAST
@given(query=st.dictionaries(st.sampled_from(QUERIES) | st.text(max_size=5), TEXT | NUMBERS.map(str), max_size=4))
async def test_any_query(front: Front, names: Mapping[str, str], route: Route, query: dict[str, str]) -> None:
    """Contract v3.md 1.6, 1.7, 2.1.8."""
    # No request of this test may wait for long.
    query |= {"wait": "x"} if query.get("wait", "").isdigit() else {}
    text = "&".join(
        f"{quote(name, errors='replace')}={quote(put_in(value, names)[:800], errors='replace')}"
        for name, value in query.items()
    )
    await holds(front, route, f"{path_of(route, names, '')}?{text}")


@pytest.mark.parametrize("route", [route for route in ROUTES if "{" in route.path], ids=by_path)
@FAST
@given(name=TEXT.map(lambda text: text[:500]))
async def test_any_id_in_a_path(front: Front, route: Route, name: str) -> None:
    """Contract v3.md 1.8: 404 whatever it is."""
    text = quote(name, safe="", errors="replace")
    path = path_of(route, {}, text or "x")
    answer = await front.request(route.method, path)
    assert answer.status in (404, 405, 400, 415)
    assert answer.message


@FAST
@given(parts=PARTS, raw=st.none() | st.binary(max_size=200))
async def test_any_form(
    front: Front, names: Mapping[str, str], parts: list[tuple[str, bytes, str | None]], raw: bytes | None
) -> None:
    """Contract v3.md 3.8: what is refused leaves no file, what is accepted leaves one."""
    for stored in front.desk.settings.uploads.glob("*/*"):
        stored.unlink()
    if raw is None:
        sent = [(name, content.replace(b"{list}", names["{list}"].encode()), file) for name, content, file in parts]
        answer = await front.upload(*sent)
    else:
        headers = {"Content-Type": "multipart/form-data; boundary=b"}
        data = b"--b\r\n" + raw + b"\r\n--b--\r\n"
        answer = await front.request("POST", "/v3/activities/contacts_file_import", data=data, headers=headers)
    assert answer.status == 201 or answer.message
    assert answer.status in (201, 400, 415)
    assert len(list(front.desk.settings.uploads.glob("*/*"))) == (answer.status == 201)


@FAST
@given(header=st.text(st.characters(min_codepoint=32, max_codepoint=255, exclude_characters="\x7f"), max_size=60))
async def test_any_authorization(front: Front, header: str) -> None:
    """Contract v3.md 1.2."""
    await front.as_(None).refused("GET", "/v3/contact_lists", 401, headers={"Authorization": header})
