"""Contacts of an address book over HTTP (contract convio.md)."""

import json
from asyncio import gather
from collections.abc import Iterator
from typing import Any

import aiohttp
import pytest
from lxml import etree

from api.convio.contacts import CONTACTS
from api.convio.importing import IMPORTS
from engine import organizations, principals
from engine.activities.inline import Inline
from engine.contacts import likeness
from engine.contacts.likeness import Acquaintances
from engine.errors import Busy, MusterError
from engine.principals import Privilege
from tests.convio_examples import CONTRACT
from tests.e2e.api.front import Answer
from tests.e2e.convio.book import NAMESPACE, Book, ids, listed, refusal
from tests.e2e.convio.conftest import Join, Limited
from tests.integration.conftest import NewDesk

ADA = {"first_name": "Ada", "last_name": "Moss", "email": "ada@example.org"}


async def next_contact(book: Book, number: int) -> None:
    """Has the next new contact get this number."""
    desk = book.front.desk
    await desk.owner.execute(
        "UPDATE account SET last_contact_no = $2 WHERE account_id = $1", desk.account_id, number - 1
    )


async def stored(book: Book, number: str) -> Any:
    """The contact as v3 tells it, in full."""
    xrefs = await book.front.get(f"/v3/contacts/contact_id_xrefs?sequence_ids={number}")
    contact_id = xrefs["xrefs"][0]["contact_id"]
    return await book.front.get(f"/v3/contacts/{contact_id}?include=phone_numbers,street_addresses,list_memberships")


@pytest.mark.parametrize("verb", ["GET", "POST"])
async def test_a_new_contact(book: Book, verb: str) -> None:
    """Contract 6.7: with or without names; it may be mailed and put into groups."""
    await next_contact(book, 205)
    result = await book.call("addAddressBookContact", verb, **ADA)
    assert {"addAddressBookContactResponse": result} == CONTRACT["6.7 add"]
    alone = (await book.call("addAddressBookContact", verb, email=" bo@example.org "))["addressBookContact"]
    assert alone == {"id": alone["id"], "firstName": None, "lastName": None, "email": "bo@example.org"}
    group = str(await book.group())
    joined = await book.call("addContactsToGroup", group_id=group, contact_ids=f"205,{alone['id']}")
    assert joined["contactId"] == ["205", alone["id"]]


async def test_an_address_that_somebody_has(book: Book) -> None:
    """Contract 6.7: 901, without telling anything of whose it is; a deleted contact's can be added again."""
    await book.call("addAddressBookContact", **ADA)
    message = await book.refused("addAddressBookContact", 901, email="ADA@example.org")
    assert message == "The e-mail address is already in use."
    [contact] = listed(await book.call("getAddressBookContacts"), "addressBookContact")
    await book.call("deleteAddressBookContacts", contact_ids=contact["id"])
    again = await book.call("addAddressBookContact", **ADA)
    assert again["addressBookContact"]["email"] == ADA["email"]


async def test_what_is_no_contact(book: Book) -> None:
    """Contract 6.7: 902."""
    wrong: list[dict[str, str]] = [
        {},
        {"email": ""},
        {"email": "nope"},
        {"email": "a@b@c"},
        {"email": f"{'x' * 80}@b.c"},
        {**ADA, "first_name": "x" * 51},
    ]
    for parameters in wrong:
        await book.refused("addAddressBookContact", 902, **parameters)


async def test_the_form_for_servers(book: Book) -> None:
    """Contract 5, 7: of an administrator of the site, for a constituent of the site."""
    desk, server = book.front.desk, book.with_(sso_auth_token=None)
    name = f"admin-{desk.account_id}"
    user = await principals.create_user(desk.db, desk.account_id, name, "a good password", [Privilege.CONTACTS_READ])
    await organizations.add_administrator(desk.db, book.site.organization_id, user)
    login = {"login_name": name, "login_password": "a good password", "servlet": "SRAddressBookAPI"}
    constituent = str(desk.account_id)
    result = await server.call("addAddressBookContact", cons_id=constituent, **login, **ADA)
    assert result["addressBookContact"]["email"] == ADA["email"]
    for code, changes in ((903, {}), (903, {"cons_id": "999999"}), (902, {"cons_id": "x"}), (9, {"login_name": ""})):
        answer = await server.answer("addAddressBookContact", **{**login, **ADA, "cons_id": constituent, **changes})
        if changes:
            refusal(answer, code)
        else:
            refusal(await server.answer("addAddressBookContact", **{**login, **ADA}), code)
    refusal(await server.answer("getAddressBookGroups", **login), 6)
    refusal(await server.answer("addAddressBookContact", **{**login, "servlet": "CRAddressBookAPI"}, **ADA), 5)


async def test_several_contacts(book: Book) -> None:
    """Contract 6.7: both forms, with the root of another method; whose address is known is skipped."""
    await book.call("addAddressBookContact", **ADA)
    text = '"Ann Ash" <ann@example.org>, "Ada Moss" <ada@example.org>\n"Bo","Birch","bo@example.org"\nann@example.org'
    answer = await book.answer("addAddressBookContacts", contacts_to_add=text, response_format="json")
    [(root, result)] = json.loads(answer.content).items()
    assert root == "getAddressBookContactsResponse"
    assert [(each["firstName"], each["email"]) for each in result["addressBookContact"]] == [
        ("Ann", "ann@example.org"),
        ("Bo", "bo@example.org"),
    ]
    assert (await book.call("getAddressBookContacts"))["totalNumberResults"] == "3"
    assert await book.call("addAddressBookContacts", contacts_to_add=text) == {}


async def test_a_thousand_contacts(book: Book) -> None:
    """Contract 6.7; issue 4: in the request's order, however many go together."""
    emails = [f"c{number}@example.org" for number in range(1001)]
    result = await book.call("addAddressBookContacts", contacts_to_add=",".join(emails))
    contacts = result["addressBookContact"]
    assert [contact["email"] for contact in contacts] == emails
    result = await book.call("deleteAddressBookContacts", contact_ids=",".join(reversed(ids(contacts))))
    assert result == {"contactId": ids(contacts)[::-1], "errors": "false"}


@pytest.mark.parametrize("text", ["", '"Ann Ash" <ann@example.org>, "X Y" <nope>'])
async def test_several_that_are_not_valid(book: Book, text: str) -> None:
    """Contract 6.7: 902, and nobody is added."""
    await book.refused("addAddressBookContacts", 902, contacts_to_add=text)
    assert await book.call("getAddressBookContacts") == {"totalNumberResults": "0"}


async def test_a_file_of_contacts(book: Book) -> None:
    """Contract 1, 9: a form with files, in which a file is a parameter as any other; of 10 MiB at most."""
    parameters = {**book.common, "method": "addAddressBookContacts", "response_format": "json"}

    async def send(content: bytes, query: str = "") -> Answer:
        form = aiohttp.FormData(parameters)
        form.add_field("contacts_to_add", content, filename="contacts.csv", content_type="text/csv")
        return await book.front.as_(None).request("POST", book.path + query, data=form)

    answer = json.loads((await send(b'"Ann","Ash","ann@example.org"\r\n"Bo","Birch","bo@example.org"\r\n')).content)
    assert ids(answer["getAddressBookContactsResponse"]["addressBookContact"])
    assert (await book.call("getAddressBookContacts"))["totalNumberResults"] == "2"
    assert "too long" in refusal(await send(b"x" * (10 * 2**20)), 902)
    for content in (b"\xff", b"\0", b"a@b.c," * 10_001):
        refusal(await send(content), 902)
    broken = {"Content-Type": "multipart/form-data; boundary=b"}
    for body in (b"", b"--b", b"--b\r\nx\r\n\r\ny", b"--c--", b"--b\r\n" * 200):
        answer = await book.front.as_(None).request("POST", book.path, data=body, headers=broken)
        assert answer.status == 403


async def test_a_contact_changed(book: Book) -> None:
    """Contract 6.7: what is absent stays, what is empty is cleared."""
    number = (await book.call("addAddressBookContact", **ADA))["addressBookContact"]["id"]
    place = {"street1": "1 Elm St", "street2": "Flat 2", "city": "Ulm", "state": "BW", "zip": "89073", "country": "DE"}
    changed = {"contact_id": number, "email": "Ada@example.org", "first_name": "Ada", "last_name": "Marsh"}
    for parameters in ({**place, "phone": "555-0100"}, {}):
        assert await book.call("updateAddressBookContact", **changed, **parameters) == {"success": "true"}
        contact = await stored(book, number)
        [address] = contact["street_addresses"]
        assert (address["street"], address["city"], address["state"]) == ("1 Elm St, Flat 2", "Ulm", "BW")
        assert (address["postal_code"], address["country"]) == ("89073", "DE")
        assert [(phone["kind"], phone["phone_number"]) for phone in contact["phone_numbers"]] == [("other", "555-0100")]
        assert (contact["last_name"], contact["email_address"]["address"]) == ("Marsh", "Ada@example.org")
    await book.call("updateAddressBookContact", **changed, city="Bonn", phone="", state="")
    contact = await stored(book, number)
    [address] = contact["street_addresses"]
    assert (address["street"], address["city"], address["postal_code"]) == ("1 Elm St, Flat 2", "Bonn", "89073")
    assert "state" not in address
    assert not contact["phone_numbers"]


async def test_who_cannot_be_changed(book: Book, new_desk: NewDesk, join: Join) -> None:
    """Contract 6.7, 7: unknown and deleted contacts, those of others, and addresses of others."""
    await book.contacts(1, 2)
    await book.contacts(3, deleted=True)
    theirs = book.with_(sso_auth_token=await join(await new_desk()))
    await theirs.refused("updateAddressBookContact", 902, contact_id="1", **ADA)
    for number in ("3", "999", "0", "x", "", "9" * 30):
        await book.refused("updateAddressBookContact", 902, contact_id=number, **ADA)
    await book.refused("updateAddressBookContact", 901, contact_id="1", **{**ADA, "email": "C2@example.org"})
    for wrong in (
        *({name: ""} for name in ADA),
        {"email": "nope"},
        {"street2": "x"},
        {"street1": "x" * 254, "street2": "x"},
        {"city": "x" * 51},
        {"phone": "x" * 26},
    ):
        await book.refused("updateAddressBookContact", 902, contact_id="1", **{**ADA, **wrong})
    await book.call("updateAddressBookContact", contact_id="1", **{**ADA, "email": "c3@example.org"})


async def test_contacts_deleted(book: Book) -> None:
    """Contract 6.7: they leave their groups, and cannot be deleted again."""
    await book.contacts(101, 102, 103)
    group = str(await book.group())
    await book.call("addContactsToGroup", group_id=group, contact_ids="101,102,103")
    result = await book.call("deleteAddressBookContacts", contact_ids="101, 102,101")
    assert {"deleteAddressBookContactsResponse": result} == CONTRACT["6.7 delete"]
    counted = await book.call("getAddressBookGroups", count_contacts="true")
    assert counted["group"]["contactsCount"] == "1"
    result = await book.call("deleteAddressBookContacts", "GET", contact_ids="101,103,999")
    assert result == {"contactId": "103", "errors": "true"}
    assert await book.call("deleteAddressBookContacts") == {"errors": "false"}
    await book.refused("deleteAddressBookContacts", 902, contact_ids="1,x")


async def people(book: Book) -> dict[str, str]:
    """Four contacts, by who they are: the ids."""
    text = (
        '"Cy","birch","cy@b.example"\n"Bo","Birch","bo@a.example"\n"Al","Birch","x%y@a.example"\n'
        '"Zed","Ash","zed@b.example"\n<nobody@c.example>'
    )
    result = await book.call("addAddressBookContacts", contacts_to_add=text)
    return {each["firstName"] or "": each["id"] for each in result["addressBookContact"]}


async def test_the_same_contact_at_once(book: Book) -> None:
    """Contract 6.7: one is added, the others are told that the address is in use; changes come one after the other."""
    answers = await gather(*(book.answer("addAddressBookContact", **ADA) for _ in range(6)))
    assert sorted(answer.status for answer in answers) == [200, *[403] * 5]
    assert {refusal(answer, 901) for answer in answers if answer.status == 403}
    [contact] = listed(await book.call("getAddressBookContacts"), "addressBookContact")
    changes = (book.answer("updateAddressBookContact", contact_id=contact["id"], **ADA, city=city) for city in "ABCDEF")
    assert [answer.status for answer in await gather(*changes)] == [200] * 6


@pytest.mark.parametrize("verb", ["GET", "POST"])
async def test_the_contracts_page(book: Book, verb: str) -> None:
    """Contract 6.8."""
    await next_contact(book, 100)
    await book.call("addAddressBookContact", first_name="Ann", last_name="Ash", email="ann@example.org")
    await next_contact(book, 101)
    await book.call("addAddressBookContact", first_name="Bo", last_name="Birch", email="bo@example.org")
    await book.group(number=123)
    await book.call("addContactsToGroup", group_id="123", contact_ids="100")
    assert {"getAddressBookContactsResponse": await book.call("getAddressBookContacts", verb)} == CONTRACT["6.8"]
    root = etree.fromstring((await book.answer("getAddressBookContacts", verb)).content)
    assert [child.tag for child in root] == [
        *[f"{NAMESPACE}addressBookContact"] * 2,
        f"{NAMESPACE}totalNumberResults",
    ]


async def test_orders(book: Book) -> None:
    """Contract 6.8: by last name, first name and id; or by a column, in either direction."""
    who = await people(book)
    named = {number: name for name, number in who.items()}
    for parameters, order in (
        ({}, ["", "Zed", "Al", "Bo", "Cy"]),
        ({"list_ascending": "false"}, ["Cy", "Bo", "Al", "Zed", ""]),
        ({"list_sort_column": "id"}, ["Cy", "Bo", "Al", "Zed", ""]),
        ({"list_sort_column": "id", "list_ascending": "0"}, ["", "Zed", "Al", "Bo", "Cy"]),
        ({"list_sort_column": "first_name"}, ["", "Al", "Bo", "Cy", "Zed"]),
        ({"list_sort_column": "email"}, ["Bo", "Cy", "", "Al", "Zed"]),
        ({"list_sort_column": "last_name"}, ["", "Zed", "Cy", "Bo", "Al"]),
    ):
        result = await book.call("getAddressBookContacts", **parameters)
        assert [named[number] for number in ids(result["addressBookContact"])] == order, parameters


async def test_filters(book: Book) -> None:
    """Contract 6.8: contains, without case, and nothing but the text itself; who is deleted is not found."""
    who = await people(book)
    await book.contacts(900, deleted=True)
    for column, text, found in (
        ("last_name", "IRC", ["Al", "Bo", "Cy"]),
        ("email", "@B.EXAMPLE", ["Cy", "Zed"]),
        ("email", "%", ["Al"]),
        ("email", "_", []),
        ("first_name", "z", ["Zed"]),
        ("id", who["Bo"], ["Bo"]),
        ("id", "900", []),
        ("last_name", "", ["", "Al", "Bo", "Cy", "Zed"]),
    ):
        result = await book.call("getAddressBookContacts", list_filter_column=column, list_filter_text=text)
        contacts = listed(result, "addressBookContact")
        assert sorted(each["firstName"] or "" for each in contacts) == found, (column, text)
        assert result["totalNumberResults"] == str(len(found))


async def test_pages(book: Book) -> None:
    """Contract 6.8: by page or by record; 25 at a time, 500 at most."""
    await book.front.desk.make_contacts(601)

    async def page(**parameters: str) -> list[int]:
        result = await book.call("getAddressBookContacts", list_sort_column="id", **parameters)
        assert result["totalNumberResults"] == "601"
        return [int(number) for number in ids(listed(result, "addressBookContact"))]

    assert await page() == list(range(1, 26))
    assert await page(list_page_offset="1") == list(range(26, 51))
    assert await page(list_page_offset="2", list_page_size="3") == [7, 8, 9]
    assert await page(list_record_offset="599", list_page_offset="") == [600, 601]
    assert await page(list_page_size="1000") == list(range(1, 501))
    assert await page(list_page_size="1000", list_page_offset="1") == list(range(501, 602))
    assert await page(list_page_size="0") == []
    assert await page(list_record_offset="9" * 18) == []
    assert await page(list_category_id="x", list_page_size="1") == [1]


async def test_pages_that_cannot_be(book: Book) -> None:
    """Contract 6.8, 7: 50."""
    wrong: list[dict[str, str]] = [
        {"list_sort_column": "zip"},
        {"list_sort_column": "EMAIL"},
        {"list_filter_column": "zip", "list_filter_text": "x"},
        {"list_filter_text": "x"},
        {"list_page_offset": "0", "list_record_offset": "0"},
        {"list_page_size": "-1"},
        {"list_page_offset": "-1"},
        {"list_record_offset": "x"},
        {"list_page_size": "9" * 40},
        {"list_ascending": "maybe"},
    ]
    for parameters in wrong:
        await book.refused("getAddressBookContacts", 50, **parameters)


async def test_privileges(book: Book, limited: Limited) -> None:
    """Contract 7: 904 for who may do the one and not the other."""
    of_groups = ("addAddressBookGroup", "updateAddressBookGroup", "deleteAddressBookGroups")
    of_contacts = [method.name for method in (*CONTACTS, *IMPORTS) if method.name != "getAddressBookContacts"]
    of_both = ("addContactsToGroup", "removeContactFromGroup")
    for privilege, methods in (
        (Privilege.LISTS_WRITE, of_groups),
        (Privilege.CONTACTS_WRITE, (*of_contacts, *of_both)),
        (Privilege.LISTS_READ, ["getAddressBookGroups"]),
        (Privilege.CONTACTS_READ, ["getAddressBookContacts"]),
    ):
        without, alone = await limited(*set(Privilege) - {privilege}), await limited(privilege)
        for method in methods:
            await without.refused(method, 904)
            assert (await alone.answer(method)).status == 200 or await alone.refused(method, 902)


async def test_an_import(book: Book) -> None:
    """Contract 6.9: the contract's example."""
    await book.contacts(100)
    await book.front.desk.owner.execute(
        "UPDATE contact SET first_name = 'Ann', last_name = 'Ash', email = $2, email_key = $2 WHERE account_id = $1",
        book.front.desk.account_id,
        "ann@example.org",
    )
    await next_contact(book, 301)
    text = '"Eve","Elm","eve@example.org"\n"Ann","Ash","ann@example.org"\n"X","Y","nope"'
    result = await book.call("importAddressBookContacts", contacts_to_add=text)
    assert {"importAddressBookContactsResponse": result} == CONTRACT["6.9"]


async def test_who_is_like_somebody(book: Book) -> None:
    """Contract 6.9: by address or by both names, also of one before in the request; in the order of the lists."""
    await book.call("addAddressBookContact", first_name="Ann", last_name="Ash", email="ann@example.org")
    text = (
        '"Bo","Birch","ann@example.org"\n"ANN","ash","other@example.org"\n"Ann","Other","third@example.org"\n'
        '"Eve","Elm","eve@example.org"\n"eve","ELM","EVE@example.org"\n<fourth@example.org>\n<fifth@example.org>\nnope'
    )
    answer = await book.answer("importAddressBookContacts", "GET", contacts_to_add=text)
    root = etree.fromstring(answer.content)
    told = [(str(child.tag).removeprefix(NAMESPACE), str(child.findtext(f".//{NAMESPACE}email"))) for child in root]
    assert told == [
        ("savedContact", "third@example.org"),
        ("savedContact", "eve@example.org"),
        ("savedContact", "fourth@example.org"),
        ("savedContact", "fifth@example.org"),
        ("duplicateContact", "EVE@example.org"),
        ("potentialDuplicateContact", "ann@example.org"),
        ("potentialDuplicateContact", "other@example.org"),
        ("errorContact", "nope"),
    ]
    result = await book.call("importAddressBookContacts", contacts_to_add=text)
    assert "savedContact" not in result
    assert len(result["duplicateContact"]) == 5
    await book.refused("importAddressBookContacts", 902)
    assert list(await book.call("importAddressBookContacts", contacts_to_add="nope")) == ["errorContact"]


async def test_an_import_that_others_come_before(book: Book, monkeypatch: pytest.MonkeyPatch) -> None:
    """Contract 6.9, 10: whose address somebody else has just added is told with who that is; refusals are told, too."""
    await next_contact(book, 100)
    await book.call("addAddressBookContact", **ADA)
    looks: Iterator[Any] = iter([_nobody, likeness.acquaintances])

    async def look(*asked: Any) -> Acquaintances:
        return await next(looks)(*asked)

    monkeypatch.setattr(likeness, "acquaintances", look)
    text = '<ADA@example.org>\n"Bo","Birch","bo@example.org"\n"bo","birch","other@example.org"'
    result = await book.call("importAddressBookContacts", contacts_to_add=text)
    assert list(result) == ["savedContact", "potentialDuplicateContact"]
    known = [told["duplicateContact"]["email"] for told in result["potentialDuplicateContact"]]
    assert known == [ADA["email"], "bo@example.org"]
    monkeypatch.undo()
    monkeypatch.setattr(Inline, "write_all", _busy)
    result = await book.call("importAddressBookContacts", contacts_to_add="a@b.c,A@B.C")
    assert [told["error"] for told in result["errorContact"]] == ["busy now", "One like it could not be added."]


async def _nobody(*_: object) -> Acquaintances:
    return Acquaintances()


async def _busy(*_: object) -> list[MusterError]:
    return [Busy("busy now")]
