"""What holds for every kind of activity, whoever adds one: cancelled before it begins, retried, told in its figures."""

from collections.abc import Awaitable, Callable
from typing import Any
from uuid import uuid4

import pytest

from engine import operations
from engine.activities.submission import Submitted
from engine.imports import staged
from engine.imports.staged import StagedContact
from engine.operations import staged_import
from engine.operations.members_change import ChangeMembers
from engine.operations.retention import Retention
from engine.operations.sets_delete import DeleteSets
from engine.operations.staged_import import SaveStaged
from engine.sets.catalog import SetKind
from tests.e2e.api.front import Front

NOON = "2026-01-15T12:00:00Z"

#: Submits an activity of one kind for an account with three contacts, and answers where it is.
Submit = Callable[[Front], Awaitable[str]]


def _posted(kind: str, **body: Any) -> Submit:
    """A bulk request; "list", "tag", "field" and "contact" in its arrays become ids of such, "unknown" of nothing."""

    async def submit(front: Front) -> str:
        given = {name: [await _made(front, word) for word in words] for name, words in body.items()}
        source = given.pop("source", None)
        told = given | ({"source": {"contact_ids": source}} if source else {}) | EXTRAS.get(kind, {})
        return str((await front.submit(kind, told))["_links"]["self"]["href"])

    return submit


#: What some bodies need beside ids.
EXTRAS: dict[str, dict[str, Any]] = {"contacts_engagement_set": {"engagement_level": "low"}}


async def _made(front: Front, word: str) -> str:
    match word:
        case "list":
            return await front.new_list(f"L {uuid4()}")
        case "tag":
            return await front.new_tag(f"T {uuid4()}")
        case "field":
            body = {"label": f"F {uuid4()}"[:50], "type": "string"}
            return str((await front.post("/v3/contact_custom_fields", body))["custom_field_id"])
        case "contact":
            return str((await front.get("/v3/contacts?limit=1"))["contacts"][0]["contact_id"])
        case _:
            return str(uuid4())


async def _file_import(front: Front) -> str:
    answer = await front.upload(
        ("list_ids", await _made(front, "list"), None), ("file", "email\na@x.org\nb\n", "p.csv")
    )
    return str(answer.body["_links"]["self"]["href"])


async def _json_import(front: Front) -> str:
    body = {"import_data": [{"email": "a@x.org"}, {}], "list_ids": [await _made(front, "list")]}
    return str((await front.submit("contacts_json_import", body))["_links"]["self"]["href"])


async def _tracking(front: Front) -> str:
    event = {"contact_id": await _made(front, "contact"), "campaign_id": str(uuid4()), "event": "sent", "time": NOON}
    answer = await front.request("POST", "/v3/tracking_events", json={"events": [event]})
    assert answer.status < 300, answer.content
    return str(answer.body["_links"]["self"]["href"])


async def _retention(front: Front) -> str:
    """Comes by the clock only."""
    return _sent(front, await front.desk.submit(Retention()))


async def _members(front: Front) -> str:
    """What other dialects do at once."""
    target = await front.desk.new_list()
    return _sent(front, await front.desk.submit(ChangeMembers((1, 2, 99), on=(target.set_no,))))


async def _sets(front: Front) -> str:
    """What dialects know by number."""
    target = await front.desk.new_list()
    return _sent(front, await front.desk.submit(DeleteSets(SetKind.LIST, (target.set_no,))))


async def _staged(front: Front) -> str:
    """What other dialects put together piece by piece."""
    desk, target = front.desk, await front.desk.new_list()
    async with desk.db.account(desk.account_id) as tx:
        job = await staged.create(tx, target.set_no, [])
        await staged.add(tx, job.import_no, [StagedContact({})], invalid_emails=0, invalid_mobiles=0)
    request = SaveStaged(job.import_no)
    return _sent(front, await staged_import.begin(desk.db, desk.settings, desk.principal, request))


def _sent(front: Front, submitted: Submitted) -> str:
    front.bell.send(submitted.messages)
    return f"/v3/activities/{submitted.activity.activity_id}"


SUBMIT: dict[str, Submit] = {
    "add_list_memberships": _posted("add_list_memberships", source=["contact", "unknown"], list_ids=["list"]),
    "remove_list_memberships": _posted("remove_list_memberships", source=["contact"], list_ids=["list"]),
    "contacts_taggings_add": _posted("contacts_taggings_add", source=["contact"], tag_ids=["tag"]),
    "contacts_taggings_remove": _posted("contacts_taggings_remove", source=["contact"], tag_ids=["tag"]),
    "contacts_engagement_set": _posted("contacts_engagement_set", source=["contact"]),
    "contacts_engagement_compute": _posted("contacts_engagement_compute"),
    "list_delete": _posted("list_delete", list_ids=["list"]),
    "contacts_tags_delete": _posted("contacts_tags_delete", tag_ids=["tag"]),
    "custom_fields_delete": _posted("custom_fields_delete", custom_field_ids=["field"]),
    "contact_delete": _posted("contact_delete", contact_ids=["contact", "unknown"]),
    "contact_exports": _posted("contact_exports"),
    "contacts_file_import": _file_import,
    "contacts_json_import": _json_import,
    "tracking_events": _tracking,
    "retention": _retention,
    "members_change": _members,
    "sets_delete": _sets,
    "staged_import": _staged,
}
#: A process that does calls is handed those who do them: tests/integration/test_calls.py.
ELSEWHERE = {"calls"}


def test_no_kind_is_forgotten() -> None:
    assert SUBMIT.keys() | ELSEWHERE == operations.OPERATIONS.keys()


@pytest.mark.parametrize("kind", SUBMIT)
async def test_at_first_all_are_alike(front: Front, kind: str) -> None:
    """Contract v3.md 3.2, 3.2.4 and 3.13: as in the seed; only exports tell more links, only files have a name."""
    await front.desk.make_contacts(3)
    href = await SUBMIT[kind](front)
    activity = await front.get(href)
    links: dict[str, Any] = {"self": {"href": href}}
    if kind == "contact_exports":
        links["results"] = {"href": href.replace("activities", "contact_exports")}
    named = {"source_file_name": "p.csv"} if kind == "contacts_file_import" else {}
    assert activity == {
        "activity_id": href.rpartition("/")[2],
        "state": "initialized",
        "created_at": activity["updated_at"],
        "updated_at": activity["created_at"],
        "percent_done": 1,
        "activity_errors": [],
        "status": {},
        "_links": links,
        **named,
    }


@pytest.mark.parametrize("kind", SUBMIT)
async def test_what_is_cancelled_before_it_begins_can_be_retried(front: Front, kind: str) -> None:
    """Contract v3.md 3.2.1 and 3.2.2; cancel and retry are extensions."""
    await front.desk.make_contacts(3)
    href = await SUBMIT[kind](front)
    assert "only an ended activity" in await front.refused("POST", f"{href}/retry", 409)
    cancelled = (await front.request("POST", f"{href}/cancel")).body
    assert (cancelled["state"], cancelled["percent_done"]) == ("cancelled", 1)
    assert (cancelled["changed_count"], cancelled["error_count"]) == (0, 0)
    await front.work()
    assert await front.get(href) == cancelled
    again = await front.request("POST", f"{href}/retry")
    assert (again.status, again.body["state"], again.body["percent_done"]) == (201, "initialized", 1)
    assert again.headers["Location"] == again.body["_links"]["self"]["href"] != href
    await front.work()
    ended = await front.get(again.body["_links"]["self"]["href"])
    assert (ended["state"], ended["percent_done"]) == ("completed", 100)
    assert ended["retry_of"] == href.rpartition("/")[2]


@pytest.mark.parametrize("kind", SUBMIT)
async def test_what_has_ended_can_be_retried_and_not_cancelled(front: Front, kind: str) -> None:
    """Contract v3.md 3.2.1. A final state never changes (3.2.1); what was done is not done twice."""
    await front.desk.make_contacts(3)
    href = await SUBMIT[kind](front)
    await front.work()
    ended = await front.get(href)
    assert (ended["state"], ended["percent_done"]) == ("completed", 100)
    assert (await front.refused("POST", f"{href}/cancel", 409)).endswith("is completed already")
    await front.request("POST", f"{href}/retry")
    await front.work()
    [again] = [each for each in (await front.desk.rows("activity")) if each["retry_of"]]
    found = await front.get(f"/v3/activities/{again['activity_id']}")
    assert found["state"] == "completed"
    if kind != "contacts_engagement_compute":
        assert found["changed_count"] == 0
    assert await front.get(href) == ended
    assert await front.desk.unfinished() == 0


@pytest.mark.parametrize("kind", SUBMIT)
async def test_what_is_stopped_before_its_first_batch_has_done_nothing(front: Front, kind: str) -> None:
    """Contract v3.md 3.2.2: `percent_done` stays where it was. A kind that finds nothing to do may be done first."""
    await front.desk.make_contacts(3)
    href = await SUBMIT[kind](front)
    stop = "UPDATE activity SET cancel_requested = true WHERE account_id = $1"
    await front.desk.owner.execute(stop, front.desk.account_id)
    await front.work()
    ended = await front.get(href)
    assert (ended["state"], ended["percent_done"]) in {("cancelled", 1), ("completed", 100)}
    assert ended["changed_count"] == ended["error_count"] == 0
