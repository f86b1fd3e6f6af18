"""Groups of an address book over HTTP (contract convio.md)."""

import json
from urllib.parse import urlencode

import pytest
from lxml import etree

from tests import convio_examples as examples
from tests.convio_examples import CONTRACT, canonical
from tests.e2e.convio.book import Book, ids, listed, refusal
from tests.e2e.convio.conftest import Join, Served
from tests.integration.conftest import NewDesk


@pytest.mark.parametrize("verb", ["GET", "POST"])
async def test_a_new_group(book: Book, verb: str) -> None:
    """Contract 6.2."""
    await book.contacts(100, 101)
    await book.group(number=123)
    result = await book.call("addAddressBookGroup", verb, group_name=" Donors ", contact_ids="100,101,999")
    assert {"addAddressBookGroupResponse": result} == CONTRACT["6.2"]
    counted = await book.call("getAddressBookGroups", count_contacts="true")
    assert counted["group"][0] == {"id": "124", "name": "Donors", "contactsCount": "2"}


async def test_a_name_that_is_taken(book: Book) -> None:
    """Contract 6.2, 6.3: trimmed and without case, in this book only."""
    await book.group("Walk Team")
    other = str(await book.group("Donors"))
    await book.refused("addAddressBookGroup", 905, group_name="  walk TEAM ")
    await book.refused("updateAddressBookGroup", 905, group_id=other, group_name="WALK TEAM")


async def test_what_is_malformed(book: Book) -> None:
    """Contract 6.2, and 1: UTF-8; nothing is made."""
    wrong: list[dict[str, str]] = [
        {},
        {"group_name": ""},
        {"group_name": " "},
        {"group_name": "x" * 256},
        {"group_name": "Fine", "contact_ids": "1,x"},
        {"group_name": "a\0b"},
    ]
    for parameters in wrong:
        await book.refused("addAddressBookGroup", 902, **parameters)
    body = urlencode({**book.common, "method": "addAddressBookGroup", "group_name": "café"}, encoding="latin-1")
    for query, form in ((f"?{body}", ""), ("", body), ("", f"{body}&v=\udcff")):
        headers = {"Content-Type": "application/x-www-form-urlencoded"}
        data = form.encode(errors="surrogateescape")
        refusal(await book.front.as_(None).request("POST", book.path + query, data=data, headers=headers), 902)
    assert await book.call("getAddressBookGroups") == CONTRACT["6.5 none"]["getAddressBookGroupsResponse"]


async def test_more_groups_than_may_be(served: Served) -> None:
    """Contract 6.2, 7; an account has so many lists at most."""
    book = await served(max_lists=1)
    await book.call("addAddressBookGroup", group_name="A")
    await book.refused("addAddressBookGroup", 902, group_name="B")
    assert (await book.call("getAddressBookGroups"))["group"]["name"] == "A"


async def test_any_text_can_be_a_name(book: Book) -> None:
    """Contract 4, 6.2: what XML cannot hold is replaced in it."""
    name = "x" * 250 + "\u0001ä💥\"'"
    group = await book.call("addAddressBookGroup", group_name=name)
    assert group["addressBookGroup"]["name"] == name
    answer = await book.answer("getAddressBookGroups")
    assert "x�ä💥\"'" in canonical(answer.content)


async def test_another_name(book: Book) -> None:
    """Contract 6.3."""
    await book.group("Donors", 124)
    result = await book.call("updateAddressBookGroup", group_id="124", group_name=" Major Donors ")
    assert {"updateAddressBookGroupResponse": result} == CONTRACT["6.3"]
    await book.call("updateAddressBookGroup", group_id="124", group_name="MAJOR donors")
    await book.refused("updateAddressBookGroup", 906, group_id="999", group_name="X")
    await book.refused("updateAddressBookGroup", 902, group_id="124")
    await book.refused("updateAddressBookGroup", 902, group_name="X")


async def test_a_description_stays(book: Book) -> None:
    """Contract 6.3: a new name changes nothing else."""
    front = book.front
    made = await front.post("/v3/contact_lists", {"name": "Donors", "description": "Who gave", "favorite": True})
    [group] = listed(await book.call("getAddressBookGroups"), "group")
    await book.call("updateAddressBookGroup", group_id=group["id"], group_name="Givers")
    found = await front.get(f"/v3/contact_lists/{made['list_id']}")
    assert (found["name"], found["description"], found["favorite"]) == ("Givers", "Who gave", True)


async def test_groups_deleted(book: Book) -> None:
    """Contract 6.4: contacts are kept."""
    await book.contacts(1)
    await book.group("A", 124)
    await book.group("B")
    await book.call("addContactsToGroup", group_id="124", contact_ids="1")
    result = await book.call("deleteAddressBookGroups", group_ids="124, 125,124")
    assert {"deleteAddressBookGroupsResponse": result} == CONTRACT["6.4"]
    assert await book.call("getAddressBookGroups") == {}
    await book.refused("addContactsToGroup", 906, group_id="124")
    assert (await book.front.get("/v3/contacts"))["contacts"]


async def test_groups_that_are_not_there(book: Book, new_desk: NewDesk, join: Join) -> None:
    """Contract 6.4: those of others are unknown."""
    theirs = book.with_(sso_auth_token=await join(await new_desk()))
    group = str(await book.group())
    assert await theirs.call("deleteAddressBookGroups", group_ids=group) == {"errors": "true"}
    result = await book.call("deleteAddressBookGroups", group_ids=f"999,{group}")
    assert result == {"groupId": group, "errors": "true"}
    for wrong in ({}, {"group_ids": ""}, {"group_ids": "x"}):
        await book.refused("deleteAddressBookGroups", 902, **wrong)


async def test_more_groups_than_go_together(book: Book) -> None:
    """Contract 6.4."""
    groups = [str(await book.group(f"G{number}")) for number in range(101)]
    result = await book.call("deleteAddressBookGroups", group_ids=",".join(groups))
    assert result == {"groupId": groups, "errors": "false"}


@pytest.mark.parametrize("verb", ["GET", "POST"])
async def test_the_contracts_groups(book: Book, verb: str) -> None:
    """Contract 6.5."""
    await book.contacts(1, 2, 3)
    await book.group("Walk Team", 123)
    await book.group("Donors", 124)
    await book.call("addContactsToGroup", group_id="123", contact_ids="1,2,3")
    result = await book.call("getAddressBookGroups", verb, count_contacts="TRUE")
    # The contract's own examples are not in the order that it asks for.
    assert result["group"][::-1] == CONTRACT["6.5"]["getAddressBookGroupsResponse"]["group"]
    root = etree.fromstring((await book.answer("getAddressBookGroups", verb, count_contacts="1")).content)
    root[:] = reversed(root)
    assert canonical(etree.tostring(root)) == canonical(examples.xml("groups"))


async def test_the_order_of_groups(book: Book) -> None:
    """Contract 6.5: by name whatever its case, then id; one is no array, none are absent."""
    assert await book.call("getAddressBookGroups") == {}
    last = str(await book.group("Walkers"))
    assert await book.call("getAddressBookGroups") == {"group": {"id": last, "name": "Walkers"}}
    first = str(await book.group("anglers"))
    second = str(await book.group("Cooks"))
    result = await book.call("getAddressBookGroups", count_contacts="false")
    assert ids(result["group"]) == [first, second, last]
    assert "contactsCount" not in result["group"][0]
    await book.refused("getAddressBookGroups", 902, count_contacts="many")


async def test_a_contact_taken_off(book: Book) -> None:
    """Contract 6.6: the same answer for who is not on it."""
    await book.contacts(100, 101)
    await book.group(number=123)
    await book.call("addContactsToGroup", group_id="123", contact_ids="100,101")
    for _ in range(2):
        result = await book.call("removeContactFromGroup", contact_id="100", group_id="123")
        assert {"removeContactFromGroupResponse": result} == CONTRACT["6.6"]
    in_xml = await book.answer("removeContactFromGroup", contact_id="100", group_id="123")
    assert canonical(in_xml.content) == canonical(examples.xml("removed"))
    counted = await book.call("getAddressBookGroups", count_contacts="true")
    assert counted["group"]["contactsCount"] == "1"


async def test_who_cannot_be_taken_off(book: Book) -> None:
    """Contract 6.6: an unknown group is 906, an unknown contact 902."""
    await book.contacts(100)
    await book.contacts(101, deleted=True)
    await book.group(number=123)
    await book.refused("removeContactFromGroup", 906, contact_id="100", group_id="999")
    for contact_id in ("999", "101", "", "x", "-1", "0"):
        await book.refused("removeContactFromGroup", 902, contact_id=contact_id, group_id="123")
    await book.refused("removeContactFromGroup", 902, contact_id="100")


async def test_what_is_done_is_an_activity_of_its_own(book: Book) -> None:
    """Contract 10; design, "Inline operations": it leaves its record, and is not listed."""
    await book.contacts(100)
    group = str(await book.group())
    await book.call("addContactsToGroup", group_id=group, contact_ids="100")
    assert (await book.front.get("/v3/activities"))["activities"] == []
    desk = book.front.desk
    kinds = await desk.owner.fetch("SELECT kind, state FROM activity WHERE account_id = $1", desk.account_id)
    assert [tuple(row) for row in kinds] == [("members_change", "completed")]
    assert json.dumps(group) in json.dumps(await book.call("getAddressBookGroups"))
