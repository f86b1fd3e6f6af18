"""Invitations, their links, and who is invited (contract ivvy.md 6 and 7)."""

import re
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from engine import events
from engine.events import Event
from engine.settings import Settings
from tests.e2e.api.front import open_front
from tests.e2e.ivvy.client import Ivvy, new_client
from tests.integration.desk import Desk


async def new_event(client: Ivvy, name: str = "Gala", **said: Any) -> Event:
    async with client.desk.db.account(client.desk.account_id) as tx:
        return await events.create(tx, events.Details(name, **said))


async def invite(client: Ivvy, event: Event, *contacts: object) -> Any:
    return (await client.call("event", "inviteContacts", {"event": event.set_no, "contacts": contacts}))["results"]


async def invited(client: Ivvy, event: Event, **params: object) -> Any:
    return await client.call("event", "getInvitedContactList", {"eventId": event.set_no, **params})


async def responses(client: Ivvy, event: Event, **params: object) -> dict[int, str]:
    return {each["contactId"]: each["response"] for each in (await invited(client, event, **params))["results"]}


async def open_link(client: Ivvy, link: str, status: int = 200, method: str = "GET", said: str = "") -> str:
    """The page; said: a header of the browser's."""
    headers = dict([said.split(": ")]) if said else {}
    async with client.front.session.request(method, link, headers=headers) as response:
        assert response.status == status
        assert response.headers["Content-Type"] == "text/html; charset=utf-8"
        assert response.headers["Cache-Control"] == "no-store"
        return await response.text()


async def test_each_contact_is_answered_in_its_place(ivvy_client: Ivvy) -> None:
    """Contract ivvy.md 6: unknown, another account's, deleted, without e-mail, unsubscribed, named twice, as digits."""
    client = ivvy_client
    await client.desk.make_contacts(2)
    await client.desk.make_contacts(1, first=3, permission="unsubscribed")
    await client.desk.make_contacts(1, first=4, permission="temp_hold")
    await client.call("contact", "addOrUpdateContact", {"id": 2, "email": ""})
    assert (await client.call("contact", "getContact", {"id": 2}))["email"] is None
    event = await new_event(client)
    asked = [2, 999, "1", 3, 4, 2, 0, -7, 2**63 - 1]
    results = await invite(client, event, *asked)
    assert [result["contact"] for result in results] == [2, 999, 1, 3, 4, 2, 0, -7, 2**63 - 1]
    assert [result["status"] for result in results] == [True, False, True, True, True, True, False, False, False]
    assert results[0] == results[5]
    assert len({result["inviteLinkYes"] for result in results if result["status"]}) == 4
    assert await client.desk.members(event.set_no) == {1, 2, 3, 4}
    assert await invite(client, event, *asked) == results
    assert await invite(client, event) == []
    assert await invite(client, event, 998, 999) == [
        {"contact": 998, "status": False},
        {"contact": 999, "status": False},
    ]


async def test_a_thousand_contacts_have_a_thousand_answers(ivvy_client: Ivvy) -> None:
    """Contract ivvy.md 6 and 11: 1,000 at once, in the request's order; one more is refused."""
    await ivvy_client.desk.make_contacts(500)
    event, asked = await new_event(ivvy_client), list(range(1000, 0, -1))
    results = await invite(ivvy_client, event, *asked)
    assert [(result["contact"], result["status"]) for result in results] == [(no, no <= 500) for no in asked]
    told = await ivvy_client.refused("event", "inviteContacts", {"event": event.set_no, "contacts": [1] * 1001})
    assert (told["specificCode"], told["message"]) == (23016, "'contacts' does not validate")
    assert "1,000" in told["additionalMessages"][0]


@pytest.mark.parametrize(
    ("params", "code", "name"),
    [
        ({"contacts": [1]}, 23017, "event"),
        ({}, 23017, "event"),
        ({"event": None, "contacts": [1]}, 23017, "event"),
        ({"event": 1}, 23017, "contacts"),
        ({"event": 1, "contacts": None}, 23017, "contacts"),
        ({"event": "x"}, 23017, "contacts"),
        ({"event": "x", "contacts": [1]}, 23016, "event"),
        ({"event": 1.5, "contacts": [1]}, 23016, "event"),
        ({"event": 1, "contacts": 1}, 23016, "contacts"),
        ({"event": 1, "contacts": {"0": 1}}, 23016, "contacts"),
        ({"event": 1, "contacts": [1, "x"]}, 23016, "contacts"),
        ({"event": 1, "contacts": [1, 1.5]}, 23016, "contacts"),
        ({"event": 1, "contacts": [1, {}]}, 23016, "contacts"),
        ({"event": 1, "contacts": [1, 2**63]}, 23016, "contacts"),
        ({"event": 1, "contacts": [1, None]}, 23016, "contacts"),
    ],
)
async def test_parameters_that_do_not_validate(ivvy_client: Ivvy, params: object, code: int, name: str) -> None:
    """Contract ivvy.md 6, table of cases: 400; nothing is done."""
    await ivvy_client.desk.make_contacts(1)
    event = await new_event(ivvy_client)
    assert event.set_no == 1
    told = await ivvy_client.refused("event", "inviteContacts", params)
    words = {23017: f"'{name}' is required", 23016: f"'{name}' does not validate"}
    assert (told["errorCode"], told["specificCode"], told["message"]) == (400, code, words[code])
    assert await ivvy_client.desk.members(event.set_no) == set()


@pytest.mark.parametrize("number", [0, -1, 999, 2**31, 2**62])
async def test_an_unknown_event(ivvy_client: Ivvy, number: int) -> None:
    """Contract ivvy.md 6 and 7: 404 and 24097; a list is no event."""
    group = await ivvy_client.desk.new_list()
    for event in (number, group.set_no):
        expected = {"errorCode": 404, "message": "Unable to find event", "specificCode": 24097}
        assert await ivvy_client.refused("event", "inviteContacts", {"event": event, "contacts": [1]}) == expected
        assert await ivvy_client.refused("event", "getInvitedContactList", {"eventId": event}) == expected


async def test_an_event_that_is_over_or_cancelled(ivvy_client: Ivvy) -> None:
    """Contract ivvy.md 6: 461; its links say that it is too late."""
    client = ivvy_client
    await client.desk.make_contacts(1)
    over, cancelled = await new_event(client), await new_event(client, "Ball")
    links = [(await invite(client, event, 1))[0]["inviteLinkYes"] for event in (over, cancelled)]
    async with client.desk.db.account(client.desk.account_id) as tx:
        await events.change(tx, over.set_no, events.Details("Gala", ends_at=datetime.now(UTC) - timedelta(days=1)))
        await events.cancel(tx, cancelled.set_no)
    for event, link in zip((over, cancelled), links, strict=True):
        told = await client.refused("event", "inviteContacts", {"event": event.set_no, "contacts": [1]})
        assert told == {"errorCode": 461, "message": "Unable to invite contacts to this event"}
        assert "too late" in await open_link(client, link, 410)
        assert await responses(client, event) == {1: "U"}


async def test_an_event_that_is_deleted(ivvy_client: Ivvy) -> None:
    """Contract ivvy.md 6, 7: as one that never was; its links are none, and nothing is left of answers."""
    client = ivvy_client
    await client.desk.make_contacts(2)
    gone, kept = await new_event(client), await new_event(client, "Ball")
    links = [(await invite(client, event, 1, 2))[0]["inviteLinkYes"] for event in (gone, kept)]
    for link in links:
        await open_link(client, link)
    await client.front.delete(f"/v3/events/{gone.set_no}", 202)
    await client.work()
    for action, name in (("inviteContacts", "event"), ("getInvitedContactList", "eventId")):
        told = await client.refused("event", action, {name: gone.set_no, "contacts": [1]})
        assert (told["errorCode"], told["specificCode"]) == (404, 24097)
    assert "no such invitation" in await open_link(client, links[0], 404)
    assert [row["set_no"] for row in await client.desk.rows("response")] == [kept.set_no]
    [told] = (await client.call("contact", "getContact", {"id": 1}))["eventInvitations"]
    assert (told["response"], told["inviteLinkYes"]) == ("Y", links[1])


async def test_opening_a_link_answers(ivvy_client: Ivvy) -> None:
    """Contract ivvy.md 6, links; 7: response. It may be opened again, and the last one counts."""
    client = ivvy_client
    await client.desk.make_contacts(2)
    event = await new_event(client, "Gala <b>& more</b>")
    first, _ = await invite(client, event, 1, 2)
    assert await responses(client, event) == {1: "U", 2: "U"}
    for name, said in (("inviteLinkYes", "Y"), ("inviteLinkYes", "Y"), ("inviteLinkNo", "N"), ("inviteLinkYes", "Y")):
        page = await open_link(client, first[name])
        assert "Gala &lt;b&gt;&amp; more&lt;/b&gt;" in page
        assert await responses(client, event) == {1: said, 2: "U"}
        [told] = (await client.call("contact", "getContact", {"id": 1}))["eventInvitations"]
        assert (told["response"], told[name]) == (said, first[name])
    assert first in await invite(client, event, 1), "invited again the links are the same"
    assert await responses(client, event) == {1: "Y", 2: "U"}


async def test_who_only_looks_says_nothing(ivvy_client: Ivvy) -> None:
    """Contract ivvy.md 6: links are opened by GET; HEAD, and browsers that fetch ahead, answer nothing."""
    await ivvy_client.desk.make_contacts(1)
    event = await new_event(ivvy_client)
    [result] = await invite(ivvy_client, event, 1)
    assert await open_link(ivvy_client, result["inviteLinkNo"], method="HEAD") == ""
    for said in ("Sec-Purpose: prefetch;prerender", "Purpose: Prefetch", "X-Moz: prefetch", "X-Purpose: preview"):
        await open_link(ivvy_client, result["inviteLinkNo"], said=said)
    assert await responses(ivvy_client, event) == {1: "U"}
    async with ivvy_client.front.session.post(result["inviteLinkYes"]) as response:
        assert response.status == 405


async def test_links_that_are_none(ivvy_client: Ivvy) -> None:
    """Contract ivvy.md 6: a link cannot be guessed, and is worth nothing when the contact is gone."""
    client = ivvy_client
    [contact_id] = await client.desk.make_contacts(1)
    event = await new_event(client)
    [result] = await invite(client, event, 1)
    link = result["inviteLinkYes"]
    token = link.split("/")[-2]
    for other in ("x", "A" * 48, token[:-1], token[:-2] + "AA", token.swapcase(), token + "A", "%ff", "%00", "ü" * 20):
        await open_link(client, link.replace(token, other), 404)
    await client.front.delete(f"/v3/contacts/{contact_id}", 204)
    await open_link(client, link, 404)
    assert (await invite(client, event, 1)) == [{"contact": 1, "status": False}]


async def test_the_list_of_the_invited(ivvy_client: Ivvy) -> None:
    """Contract ivvy.md 7: members, order, pages; 3: collections."""
    client = ivvy_client
    await client.desk.make_contacts(3)
    event = await new_event(client)
    await client.call("contact", "addOrUpdateContact", {"id": 3, "firstName": "Cy", "phone": "0400000001"})
    await invite(client, event, 3, 1, 2)
    answer = await invited(client, event)
    assert answer["meta"] == {"totalResults": 3, "start": 0, "perPage": 50, "count": 3}
    assert [each["contactId"] for each in answer["results"]] == [1, 2, 3]
    third = answer["results"][2]
    assert re.fullmatch(r"\d{4}-\d\d-\d\d \d\d:\d\d:\d\d UTC", third.pop("modifiedDate"))
    assert third == {
        "eventId": event.set_no,
        "contactId": 3,
        "firstName": "Cy",
        "lastName": None,
        "email": "c3@example.org",
        "phone": "0400000001",
        "response": "U",
        "registrationId": None,
    }
    page = await invited(client, event, start=1, perPage=1)
    assert page["meta"] == {"totalResults": 3, "start": 1, "perPage": 1, "count": 1}
    assert [each["contactId"] for each in page["results"]] == [2]
    beyond = await invited(client, event, start=3)
    assert beyond["meta"] == {"totalResults": 3, "start": 3, "perPage": 50, "count": 0}
    assert (await client.refused("event", "getInvitedContactList"))["specificCode"] == 23017


async def test_filters_of_the_invited(ivvy_client: Ivvy) -> None:
    """Contract ivvy.md 7 and 3: by every property but the time."""
    client = ivvy_client
    await client.desk.make_contacts(3)
    event = await new_event(client)
    await client.call("contact", "addOrUpdateContact", {"id": 3, "phone": "0400000001"})
    await open_link(client, (await invite(client, event, 1, 2, 3))[0]["inviteLinkYes"])
    assert await responses(client, event, filter={"response": "Y"}) == {1: "Y"}
    assert await responses(client, event, filter={"response": "u", "contactId__GREATERTHAN": 3}) == {3: "U"}
    assert await responses(client, event, filter={"response__NOT": "Y", "phone__CONTAINS": "0400"}) == {3: "U"}
    assert await responses(client, event, filter={"response": "N"}) == {}
    nobody = [("response__EMPTY", True), ("eventId__NOT", event.set_no), ("registrationId", 71)]
    everybody = [("response__EMPTY", False), ("eventId", str(event.set_no)), ("registrationId", "__ISNULL__")]
    for chosen, filters in (([], nobody), ([1, 2, 3], everybody)):
        for key, value in filters:
            assert list(await responses(client, event, filter={key: value})) == chosen
    told = await client.refused("event", "getInvitedContactList", {"eventId": event.set_no, "filter": {"nothing": 1}})
    assert told["specificCode"] == 23016


async def test_since_when_it_stands_so(ivvy_client: Ivvy) -> None:
    """Contract ivvy.md 7, modifiedDate: of the invitation and its answer, whatever becomes of the contact."""
    client = ivvy_client
    await client.desk.make_contacts(2)
    event = await new_event(client)
    await open_link(client, (await invite(client, event, 1, 2))[0]["inviteLinkYes"])
    _, before = (await invited(client, event))["results"]
    for change in ("contact SET updated_at = '2001-01-01'", "response SET answered_at = '2002-02-02 02:02:02Z'"):
        await client.desk.owner.execute(f"UPDATE {change} WHERE account_id = $1", client.desk.account_id)
    answered, unanswered = (await invited(client, event))["results"]
    assert answered["modifiedDate"] == "2002-02-02 02:02:02 UTC"
    assert unanswered == before


async def test_links_begin_where_clients_reach_the_api(settings: Settings, desk: Desk, token: str) -> None:
    """Contract ivvy.md 6: behind a proxy that is MUSTER_PUBLIC_URL."""
    await desk.make_contacts(1)
    behind = settings.model_copy(update={"public_url": "https://events.example.test/"})
    async with open_front(behind, desk, token) as front:
        client = await new_client(desk.db, front)
        [result] = await invite(client, await new_event(client), 1)
    assert result["inviteLinkYes"].startswith("https://events.example.test/i/")
