"""Subscription groups, which are lists (contract ivvy.md 8)."""

import asyncio

import pytest

from tests.e2e.ivvy.client import Ivvy

ADD, REMOVE = "addContactsToSubscriptionGroup", "removeContactsFromSubscriptionGroup"


async def test_the_list_of_groups(ivvy_client: Ivvy) -> None:
    """Contract ivvy.md 8.1: a bare array by id, empty at first."""
    client = ivvy_client
    assert await client.call("contact", "getSubscriptionGroupList") == []
    await client.desk.make_contacts(1)
    first, second = await client.front.new_list("Newsletter"), await client.front.new_list("Offers")
    await client.front.new_tag("no group")
    groups = await client.call("contact", "getSubscriptionGroupList", {})
    assert [(group["groupName"], group["memberCount"]) for group in groups] == [("Newsletter", 0), ("Offers", 0)]
    await client.call("contact", ADD, {"contacts": [1], "group": groups[1]["id"]})
    groups = await client.call("contact", "getSubscriptionGroupList")
    assert groups[1] == {"id": groups[1]["id"], "groupName": "Offers", "memberCount": 1, "tagColour": "#3366CC"}
    assert groups[0]["id"] < groups[1]["id"]
    assert first != second


async def test_each_contact_is_answered_in_its_place(ivvy_client: Ivvy) -> None:
    """Contract ivvy.md 8.2: unknown and deleted ones, members already, named twice, none at all."""
    client = ivvy_client
    await client.desk.make_contacts(2)
    await client.desk.make_contacts(1, first=3, deleted=True)
    await client.desk.make_contacts(1, first=4, permission="unsubscribed")
    group = await client.desk.new_list()
    asked = {"contacts": [2, "1", 2, 3, 999, 4, 2**62], "group": str(group.set_no)}
    answered = [(2, True), (1, True), (2, True), (3, False), (999, False), (4, False), (2**62, False)]
    expected = [{"contactId": contact, "status": status} for contact, status in answered]
    for _ in range(2):
        assert await client.call("contact", ADD, asked) == expected
        assert await client.desk.members(group) == {1, 2}
    for _ in range(2):
        removed = await client.call("contact", REMOVE, {"contacts": [2, 3, 999, 4, "2"], "group": group.set_no})
        assert removed == [{"contactId": no, "status": no in (2, 4)} for no in (2, 3, 999, 4, 2)]
        assert await client.desk.members(group) == {1}
    for action in (ADD, REMOVE):
        assert await client.call("contact", action, {"contacts": [], "group": group.set_no}) == []


@pytest.mark.parametrize("action", [ADD, REMOVE])
async def test_what_is_refused(ivvy_client: Ivvy, action: str) -> None:
    """Contract ivvy.md 8.2: 23017 and 23016; 404 without a specific code for what is no group."""
    client = ivvy_client
    group = (await client.desk.new_list()).set_no
    for params, code in (
        ({"group": group}, 23017),
        ({"contacts": [1]}, 23017),
        ({"contacts": "1", "group": group}, 23016),
        ({"contacts": [[]], "group": group}, 23016),
        ({"contacts": [1], "group": "x"}, 23016),
        ({"contacts": [1] * 1001, "group": group}, 23016),
    ):
        assert (await client.refused("contact", action, params))["specificCode"] == code
    await client.front.new_tag("no group")
    for unknown in (group + 1, 0, -1, 2**40):
        told = await client.refused("contact", action, {"contacts": [1], "group": unknown})
        assert told == {"errorCode": 404, "message": "Unable to find subscription group"}


async def test_calls_side_by_side(ivvy_client: Ivvy) -> None:
    """Contract ivvy.md 8.2: every one of several calls at once is done, in some order."""
    await ivvy_client.desk.make_contacts(8)
    group = await ivvy_client.desk.new_list()
    calls = [ivvy_client.call("contact", ADD, {"contacts": [no], "group": group.set_no}) for no in range(1, 9)]
    assert await asyncio.gather(*calls) == [[{"contactId": no, "status": True}] for no in range(1, 9)]
    assert await ivvy_client.desk.members(group) == set(range(1, 9))
