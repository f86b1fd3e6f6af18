"""Who may, and what they see (contract v3.md 1.2, 2.0, 3.1)."""

import asyncio
import re
from datetime import UTC, datetime, timedelta
from uuid import UUID, uuid4

import pytest

from api.dialects import Route
from api.v3 import IDS
from api.v3.routes import ROUTES
from engine import principals
from engine.database import Database
from engine.principals import Privilege
from engine.settings import Settings
from tests.e2e.api.conftest import NewToken
from tests.e2e.api.front import Front, open_front
from tests.integration.conftest import NewDesk
from tests.integration.desk import Desk


def path_of(route: Route) -> str:
    """A path of the route, with ids that are unknown."""
    return "/v3" + re.sub(r"{(\w+)}", lambda name: str(uuid4() if IDS[name[1]] is UUID else 10**9), route.path)


@pytest.mark.parametrize(
    "header",
    [None, "", "Bearer", "Bearer muster_unknown", "Basic {token}", "{token}", "Bearer {token}x", "Bearer \u00e9"],
)
async def test_without_a_good_token_every_route_is_401(front: Front, header: str | None) -> None:
    """Contract v3.md 1.2 and 1.8: one object, not an array."""
    headers = {} if header is None else {"Authorization": header.replace("{token}", str(front.token))}
    stranger = front.as_(None)
    for route in ROUTES:
        message = await stranger.refused(route.method, path_of(route), 401, headers=headers)
        assert message == "Unauthorized"


async def test_each_route_needs_one_of_its_privileges(front: Front, new_token: NewToken) -> None:
    """Contract v3.md 1.2, 1.8, 2.0 and 3.1: 403 without, as one object; with it, the request is looked at."""
    tokens = {privilege: await new_token(privilege) for privilege in Privilege}
    nobody = await new_token()
    for route in ROUTES:
        assert "needs the privilege" in await front.as_(nobody).refused(route.method, path_of(route), 403)
        for privilege, token in tokens.items():
            answer = await front.as_(token).request(route.method, path_of(route))
            assert (answer.status == 403) is (privilege not in route.privileges), (route, privilege)
            assert answer.status != 401


async def test_a_revoked_or_expired_token_is_no_good(front: Front, db: Database) -> None:
    """Contract v3.md 1.2: 401. Nothing of it was remembered, so at once."""
    account_id = front.desk.account_id
    expired = await principals.create_token(db, account_id, "old", expires_at=datetime.now(UTC) - timedelta(seconds=1))
    revoked = await principals.create_token(db, account_id, "revoked")
    await principals.revoke_token(db, (await principals.authenticate(db, revoked)).principal_id)
    for token in (expired, revoked):
        await front.as_(token).refused("GET", "/v3/contact_lists", 401)


async def test_a_token_sees_its_account_only(front: Front, new_desk: NewDesk, db: Database) -> None:
    """Contract v3.md 3.12: somebody else's activities, lists, tags and segments are as unknown as any."""
    await front.desk.make_contacts(1)
    list_id, tag_id = await front.new_list("L"), await front.new_tag("T")
    field_id = (await front.post("/v3/contact_custom_fields", {"label": "F", "type": "date"}))["custom_field_id"]
    body = {"source": {"list_ids": [list_id]}, "list_ids": [list_id]}
    activity = await front.submit("add_list_memberships", body)
    criteria = (
        '{"version":"1.0.0","criteria":{"type":"and","group":[{"source":"contact","field":"city","op":"is-empty"}]}}'
    )
    segment = await front.post("/v3/segments", {"name": "S", "segment_criteria": criteria})
    other = await new_desk()
    stranger = front.as_(await principals.create_token(db, other.account_id, "stranger"))

    href = activity["_links"]["self"]["href"]
    for method, path in (
        ("GET", href),
        ("GET", f"{href}/errors"),
        ("POST", f"{href}/cancel"),
        ("POST", f"{href}/retry"),
        ("GET", f"/v3/contact_lists/{list_id}"),
        ("GET", f"/v3/contact_tags/{tag_id}"),
        ("GET", f"/v3/contact_custom_fields/{field_id}"),
        ("GET", f"/v3/segments/{segment['segment_id']}"),
        ("DELETE", f"/v3/contact_lists/{list_id}"),
        ("DELETE", f"/v3/contact_tags/{tag_id}"),
        ("DELETE", f"/v3/contact_custom_fields/{field_id}"),
        ("DELETE", f"/v3/segments/{segment['segment_id']}"),
    ):
        await stranger.refused(method, path, 404)
    for path, change in (
        (f"/v3/contact_lists/{list_id}", {"name": "mine"}),
        (f"/v3/contact_tags/{tag_id}", {"name": "mine"}),
        (f"/v3/contact_custom_fields/{field_id}", {"label": "mine", "type": "date"}),
        (f"/v3/segments/{segment['segment_id']}", {"name": "mine", "segment_criteria": criteria}),
    ):
        await stranger.refused("PUT", path, 404, json=change)
    for kind, doomed, status in (
        ("list_delete", {"list_ids": [list_id]}, 400),
        ("contacts_tags_delete", {"tag_ids": [tag_id]}, 400),
        ("custom_fields_delete", {"custom_field_ids": [field_id]}, 404),
    ):
        await stranger.refused("POST", f"/v3/activities/{kind}", status, json=doomed)
    for path, name in (
        ("/v3/activities", "activities"),
        ("/v3/contact_lists", "lists"),
        ("/v3/contact_tags", "tags"),
        ("/v3/contact_custom_fields", "custom_fields"),
        ("/v3/contact_lists/list_id_xrefs?sequence_ids=1", "xrefs"),
        ("/v3/segments", "segments"),
        ("/v3/contacts?status=all", "contacts"),
        (f"/v3/contacts?lists={list_id}", "contacts"),
    ):
        assert await stranger.get(path) == {name: []}
    mine = await stranger.new_list("mine")
    for source, targets in (
        ({"list_ids": [list_id]}, [mine]),
        ({"tag_ids": [tag_id]}, [mine]),
        ({"segment_id": segment["segment_id"]}, [mine]),
        ({"all_active_contacts": True}, [list_id]),
    ):
        request = {"source": source, "list_ids": targets}
        await stranger.refused("POST", "/v3/activities/add_list_memberships", 400, json=request)


async def test_a_cursor_is_of_use_to_its_account_and_path_only(front: Front, new_desk: NewDesk, db: Database) -> None:
    """Contract v3.md 1.7: 400 for a bad cursor; one of another account or collection, or an altered one, is bad."""
    for number in range(3):
        await front.new_list(f"list {number}")
        await front.new_tag(f"tag {number}")
    href = (await front.get("/v3/contact_lists?limit=1&include_count=1"))["_links"]["next"]["href"]
    assert (await front.get(href))["lists_count"] == 3, "the cursor holds the whole query"
    assert len((await front.get(f"{href}&limit=2"))["lists"]) == 2, "a limit beside it counts"
    other = await new_desk()
    stranger = front.as_(await principals.create_token(db, other.account_id, "stranger"))
    wrong = "cursor does not have a valid value: use the href of _links.next as it is"
    assert await stranger.refused("GET", href, 400) == wrong
    assert await front.refused("GET", href.replace("contact_lists", "contact_tags"), 400) == wrong
    path, _, cursor = href.partition("?cursor=")
    for altered in (cursor[:-1], cursor[::-1], cursor + "A", cursor.swapcase(), "", "A", "%00", "%F0%9F%92%A9"):
        assert await front.refused("GET", f"{path}?cursor={altered}", 400) == wrong


async def test_a_token_may_be_held_to_a_number_of_requests_a_second(
    settings: Settings, desk: Desk, token: str, new_token: NewToken
) -> None:
    """Contract v3.md 1.8 and 1.9: 429, in the form of one object; every token for itself."""
    async with open_front(settings.model_copy(update={"requests_per_second": 3}), desk, token) as front:
        asked = (front.request("GET", "/v3/activities") for _ in range(10))
        answers = await asyncio.gather(*asked)
        assert [answer.status for answer in answers].count(200) <= 6
        refused = next(answer for answer in answers if answer.status == 429)
        assert refused.body == {"error_key": "throttled", "error_message": "Too Many Requests"}
        other = front.as_(await new_token(*Privilege))
        assert await other.get("/v3/activities") == {"activities": []}
