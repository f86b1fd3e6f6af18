"""addContactsToGroup over HTTP (contract convio.md, and its seed)."""

import json
from asyncio import gather

import pytest

from engine.principals import Privilege
from tests import convio_examples as examples
from tests.convio_examples import CONTRACT, canonical
from tests.e2e.convio.book import Book
from tests.e2e.convio.conftest import Join, Limited
from tests.integration.conftest import NewDesk


@pytest.mark.parametrize("verb", ["GET", "POST"])
async def test_the_seed(book: Book, verb: str) -> None:
    """Contract 6.1, and the seed: both answers come back the same, element for element."""
    await book.contacts(100, 101, 102, 103, 104)
    await book.group("Sample Group Name", 123)
    asked = {"group_id": "123", "contact_ids": "100,101,102,103,104"}
    in_xml = await book.answer("addContactsToGroup", verb, **asked)
    assert (in_xml.status, in_xml.headers["Content-Type"]) == (200, "text/xml;charset=UTF-8")
    assert canonical(in_xml.content) == canonical(examples.SEED_XML)
    in_json = await book.answer("addContactsToGroup", verb, response_format="json", **asked)
    assert (in_json.status, in_json.headers["Content-Type"]) == (200, "application/json;charset=UTF-8")
    assert json.loads(in_json.content) == examples.SEED_JSON
    assert len(in_json.content) == len((examples.FOLDER / "seed.json").read_bytes().strip())


@pytest.mark.parametrize(
    ("contact_ids", "section"),
    [
        ("100,101,104", "6.1"),
        (" 100, 101 ,,104,", "6.1"),
        ("100,101,100,104,101", "6.1"),
        ("0100,101,00104", "6.1"),
        ("100,999,104", "6.1 partial"),
        ("100,103,104", "6.1 partial"),
        ("100", "6.1 one"),
        ("100,99999999999999999999999", "6.1 one"),
    ],
)
async def test_the_contracts_examples(book: Book, contact_ids: str, section: str) -> None:
    """Contract 6.1: trimmed, each once, unknown and deleted ones skipped, one is no array."""
    await book.contacts(100, 101, 104)
    await book.contacts(103, deleted=True)
    await book.group(number=123)
    result = await book.call("addContactsToGroup", group_id="123", contact_ids=contact_ids)
    assert {"addContactsToGroupResponse": result} == CONTRACT[section]


@pytest.mark.parametrize("contact_ids", [{}, {"contact_ids": ""}, {"contact_ids": " , "}, {"contact_ids": "7,8"}])
async def test_nobody(book: Book, contact_ids: dict[str, str]) -> None:
    """Contract 6.1: without contacts, or with unknown ones only, the answer is the group alone."""
    group = await book.group()
    result = await book.call("addContactsToGroup", group_id=str(group), **contact_ids)
    assert result == {"addressBookGroup": {"id": str(group), "name": "Walk Team"}}


async def test_order_and_who_is_in_it_already(book: Book) -> None:
    """Contract 6.1: in the request's order; who is in the group already is listed, and is if unsubscribed since."""
    _, contact_id, _ = await book.contacts(100, 101, 104)
    group = str(await book.group())
    await book.call("addContactsToGroup", group_id=group, contact_ids="101")
    email = {"address": "c101@example.org", "permission_to_send": "unsubscribed"}
    await book.front.put(f"/v3/contacts/{contact_id}", {"email_address": email, "update_source": "Contact"})
    result = await book.call("addContactsToGroup", group_id=group, contact_ids="104,101,100")
    assert result["contactId"] == ["104", "101", "100"]


async def test_who_has_unsubscribed(book: Book) -> None:
    """Contract 6.1; design, "One policy": is skipped."""
    await book.contacts(100)
    await book.contacts(105, permission="unsubscribed")
    group = str(await book.group())
    result = await book.call("addContactsToGroup", group_id=group, contact_ids="105,100")
    assert result["contactId"] == "100"


async def test_what_is_malformed(book: Book) -> None:
    """Contract 6.1: 902, and nothing is added."""
    await book.contacts(100)
    await book.group(number=123)
    wrong: list[dict[str, str]] = [
        {},
        {"group_id": ""},
        {"group_id": "x"},
        {"group_id": "-1"},
        {"group_id": "1.0"},
        {"group_id": "123", "contact_ids": "100,12x"},
        {"group_id": "123", "contact_ids": "100,-4"},
        {"group_id": "123", "contact_ids": "100,1.5"},
        {"group_id": "123", "contact_ids": "100,+101"},
        {"group_id": "123", "contact_ids": "1," * 10_001},
    ]
    for parameters in wrong:
        await book.refused("addContactsToGroup", 902, **parameters)
    page = await book.call("getAddressBookGroups", count_contacts="true")
    assert page["group"]["contactsCount"] == "0"


async def test_the_contracts_error(book: Book) -> None:
    """Contract 6.1, 7: an unknown group."""
    in_json = await book.answer("addContactsToGroup", group_id="999", response_format="json")
    assert (in_json.status, json.loads(in_json.content)) == (403, CONTRACT["6.1 error"])
    in_xml = await book.answer("addContactsToGroup", group_id="999")
    assert (in_xml.status, canonical(in_xml.content)) == (403, canonical(examples.xml("error")))


async def test_other_owners(book: Book, new_desk: NewDesk, join: Join) -> None:
    """Contract 3, 6.1: groups of another owner are unknown, and so are contacts, though of the same site."""
    other = await new_desk()
    theirs = book.with_(sso_auth_token=await join(other))
    await other.make_contacts(3)
    await book.contacts(1, 2)
    group = str(await book.group())
    result = await book.call("addContactsToGroup", group_id=group, contact_ids="1,2,3")
    assert result["contactId"] == ["1", "2"]
    await theirs.refused("addContactsToGroup", 906, group_id=group, contact_ids="1")
    assert await theirs.call("getAddressBookGroups") == {}


async def test_ten_thousand_at_once(book: Book) -> None:
    """Contract 6.1, 9."""
    await book.front.desk.make_contacts(5)
    group = await book.group()
    contact_ids = ",".join(map(str, range(1, 10_001)))
    result = await book.call("addContactsToGroup", group_id=str(group), contact_ids=contact_ids)
    assert result["contactId"] == ["1", "2", "3", "4", "5"]


async def test_who_may_only_look(book: Book, limited: Limited) -> None:
    """Contract 6.1, 7: 904."""
    await book.contacts(100)
    group = str(await book.group())
    reader = await limited(Privilege.CONTACTS_READ, Privilege.LISTS_READ)
    await reader.refused("addContactsToGroup", 904, group_id=group, contact_ids="100")
    assert (await reader.call("getAddressBookGroups"))["group"]["id"] == group


async def test_who_may_make_groups_only(book: Book, limited: Limited) -> None:
    """Contract 6.2, 7: 904 with contacts, and then no group is made."""
    await book.contacts(100)
    maker = await limited(Privilege.LISTS_READ, Privilege.LISTS_WRITE)
    await maker.refused("addAddressBookGroup", 904, group_name="Donors", contact_ids="100")
    assert await maker.call("getAddressBookGroups") == {}
    assert "contactId" not in await maker.call("addAddressBookGroup", group_name="Donors", contact_ids=" ")


async def test_many_at_once(book: Book) -> None:
    """Contract 6.1; design, "Inline operations": one after the other, and each is answered."""
    await book.front.desk.make_contacts(12)
    group = str(await book.group())
    calls = (book.call("addContactsToGroup", group_id=group, contact_ids=str(number)) for number in range(1, 13))
    assert [result["contactId"] for result in await gather(*calls)] == [str(number) for number in range(1, 13)]
    assert len(await book.members(int(group))) == 12
