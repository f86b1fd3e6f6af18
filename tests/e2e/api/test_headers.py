"""What the headers of requests and answers say (contract v3.md 1.2 and 1.3)."""

from typing import Any
from uuid import uuid4

import pytest

from api.dialects import AnyRoute
from api.reading import Form
from api.v3.routes import ROUTES
from engine.database import Database
from engine.settings import Settings
from tests.e2e.api.front import Front, open_front
from tests.e2e.api.test_access import path_of
from tests.integration.desk import Desk

JSON = "application/json"
WITH_BODY = [route for route in ROUTES if route.body is not None]
#: What vendors send that tell their clients how much they may ask.
OF_LIMITS = {"Retry-After", "RateLimit", "RateLimit-Limit", "X-RateLimit-Limit", "X-RateLimit-Remaining"}


def by_name(route: AnyRoute) -> str:
    return route.operation


@pytest.mark.parametrize("route", WITH_BODY, ids=by_name)
async def test_each_body_has_its_one_type(front: Front, route: AnyRoute) -> None:
    """Contract 1.3, 1.8: JSON for POST, PUT and PATCH, a form for the import of a file; anything else is 415."""
    assert route.body is not None
    own = "multipart/form-data" if issubclass(route.body, Form) else JSON
    others = {JSON, "multipart/form-data", "text/plain", "application/x-www-form-urlencoded", "text/csv"} - {own}
    for other in (*others, "application/merge-patch+json"):
        headers = {"Content-Type": f"{other}; boundary=b"}
        await front.refused(route.method, path_of(route), 415, data=b"{}", headers=headers)


@pytest.mark.parametrize("headers", [{"Content-Type": JSON}, {"Content-Type": "text/plain"}, {}])
async def test_what_has_no_body_needs_no_type(front: Front, headers: dict[str, str]) -> None:
    """Contract 1.3, 2.0: a Content-Type on GET and DELETE is ignored, and none is missed; so nothing is 415."""
    body = {"create_source": "Account", "first_name": "Kim"}
    contact = (await front.post("/v3/contacts", body))["contact_id"]
    field = (await front.post("/v3/contact_custom_fields", {"label": "F", "type": "date"}))["custom_field_id"]
    for path, status in (
        (f"/v3/contacts/{contact}", 204),
        (f"/v3/contact_lists/{await front.new_list('L')}", 202),
        (f"/v3/contact_tags/{await front.new_tag('T')}", 202),
        (f"/v3/contact_custom_fields/{field}", 204),
    ):
        for method, expected in (("GET", 200), ("DELETE", status)):
            answer = await front.request(method, path, headers=headers, skip_auto_headers=("Content-Type",))
            assert answer.status == expected, answer.content


@pytest.mark.parametrize("accept", [JSON, "text/csv", "image/png", "*/*;q=0", "", None])
async def test_no_answer_is_refused_for_what_is_accepted(front: Front, accept: str | None) -> None:
    """Contract 1.1, 1.3: never 406, whatever `Accept` says; JSON in UTF-8 all the same, refusals, too."""
    arguments: dict[str, Any] = (
        {"skip_auto_headers": ("Accept",)} if accept is None else {"headers": {"Accept": accept}}
    )
    for method, path, status in (
        ("GET", "/v3/contacts", 200),
        ("GET", "/v3/contacts?limit=0", 400),
        ("GET", f"/v3/contacts/{uuid4()}", 404),
        ("GET", "/v3/nothing", 404),
        ("PATCH", "/v3/contacts", 405),
        ("POST", "/v3/contacts", 415),
    ):
        answer = await front.request(method, path, **arguments)
        assert (answer.status, answer.headers["Content-Type"]) == (status, JSON)
        assert answer.body
    made = await front.request("POST", "/v3/contact_lists", json={"name": "Ünïcode"}, **arguments)
    assert made.content.decode("utf-8").count("Ünïcode") == 1
    exported = await front.submit("contact_exports", {})
    await front.work()
    file = await front.request("GET", exported["_links"]["results"]["href"], **arguments)
    assert (file.status, file.headers["Content-Type"].partition(";")[0]) == (200, "text/csv")


async def test_other_headers_say_nothing(front: Front) -> None:
    """Contract 1.2 and 1.3: `x-api-key` is accepted and ignored, and is no token; so is `Cache-Control`."""
    headers = {"x-api-key": "3c2b", "Cache-Control": "no-cache"}
    assert (await front.request("GET", "/v3/contact_lists", headers=headers)).status == 200
    await front.as_(None).refused("GET", "/v3/contact_lists", 401, headers=headers)
    headers["x-api-key"] = str(front.token)
    await front.as_(None).refused("GET", "/v3/contact_lists", 401, headers=headers)


@pytest.mark.parametrize("kind", ["list", "tag"])
async def test_where_the_activity_of_a_deletion_is(front: Front, kind: str) -> None:
    """Contract 1.3: `Location` with 202; it is the activity's own link, and no redirection."""
    made = await (front.new_list if kind == "list" else front.new_tag)("X")
    path = f"/v3/contact_{kind}s/{made}"
    answer = await front.request("DELETE", path, allow_redirects=False)
    assert answer.status == 202
    assert answer.headers["Location"] == answer.body["_links"]["self"]["href"]
    assert (await front.get(answer.headers["Location"]))["activity_id"] == answer.body["activity_id"]


async def test_nobody_is_told_how_much_is_left(
    settings: Settings, desk: Desk, token: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Contract 1.3 and 1.8: neither limits nor `Retry-After`, also with 429 and 503."""
    limited = settings.model_copy(update={"requests_per_second": 3, "max_unfinished": 1})
    async with open_front(limited, desk, token) as front:
        await front.new_tag("T")
        body = {"source": {"all_active_contacts": True}, "list_ids": [await front.new_list("L")]}
        await front.submit("add_list_memberships", body)
        throttled = [await front.request("GET", "/v3/contact_lists") for _ in range(4)][-1]
        assert throttled.body == {"error_key": "throttled", "error_message": "Too Many Requests"}
        assert not OF_LIMITS & set(throttled.headers)
    async with open_front(limited.model_copy(update={"requests_per_second": None}), desk, token) as front:
        full = await front.request("POST", "/v3/activities/add_list_memberships", json=body)
        assert full.status == 429
        assert "unfinished" in full.message
        monkeypatch.setattr(Database, "account", _unreachable)
        down = await front.request("GET", "/v3/contact_lists")
        assert down.status == 503
        for answer in (full, down):
            assert not OF_LIMITS & set(answer.headers)


def _unreachable(_: Database, _account_id: int) -> None:
    raise ConnectionRefusedError
