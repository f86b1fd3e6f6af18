"""Shared access: a caller of one account in another (contract greenrope.md 1.2), and the seed's examples of it."""

import pytest_asyncio

from engine import principals
from engine.database import Database
from engine.principals import Privilege
from tests.e2e.greenrope.conftest import NewUser
from tests.e2e.greenrope.people import added_one, contact, everybody, names, one, placed, request, seeds_world
from tests.e2e.greenrope.rope import Rope, element, refusal, texts
from tests.e2e.greenrope.test_groups import created
from tests.e2e.greenrope.test_user_fields import PET, added
from tests.greenrope_examples import canonical, examples
from tests.integration.conftest import NewDesk


@pytest_asyncio.fixture
async def guest(rope: Rope, new_user: NewUser, new_desk: NewDesk, db: Database) -> Rope:
    """At home in an account of its own, with all privileges in that of `rope`."""
    guest = await new_user((await new_desk()).account_id)
    await principals.grant(db, guest.principal_id, rope.account_id, list(Privilege))
    return await guest.again()


async def test_the_seeds_examples_of_adding_and_editing(rope: Rope, guest: Rope) -> None:
    """Contract 5.2, 5.3 and the seed: in the account that the contact names; the guard of 2012 rejects."""
    world, here = await seeds_world(rope), str(rope.account_id)
    adding = placed(examples("seed", "AddContactsRequest")[1], world | {'"123456"': f'"{here}"'})
    [told] = await guest.each(adding)
    assert (told.findtext("Result"), told.findtext("AccountNumber"), dict(told.attrib)) == ("Success", here, {})
    number = told.findtext("Contact_id") or ""
    found = await one(rope, number)
    assert names(found, "Groups/Group/Name") == ["groupname1", "groupname2"]
    editing = placed(examples("seed", "EditContactsRequest")[1], world | {'"12345"': f'"{here}"'})
    editing = editing.replace('"8984"', f'"{number}"')
    [stale] = await guest.each(editing)
    assert refusal(stale) == 1014
    [told] = await guest.each(editing.replace("2012-08-30 12:12:33", texts(found)["UpdatedTimeStamp"]))
    assert (told.findtext("Result"), told.findtext("Contact_id")) == ("Success", number)
    assert (await one(rope, number)).findtext("Birthdate") == "19840823"
    assert await everybody(guest) == []


async def test_the_seeds_examples_of_unsubscribing_and_deleting(rope: Rope, guest: Rope) -> None:
    """Contract 5.4, 5.5 and the seed: two accounts in one request; the answers but for numbers and request ids."""
    there, here = await added_one(rope, Firstname="A"), await added_one(guest, Firstname="B")
    [account] = [number for number in await accounts(guest) if number != str(rope.account_id)]
    world = {
        '"8984"': f'"{there}"',
        '"8983"': f'"{here}"',
        '"12345"': f'"{rope.account_id}"',
        '"12346"': f'"{account}"',
    }
    told = {">91234<": f">{rope.account_id}<", ">91236<": f">{account}<", ">8984<": f">{there}<", ">8983<": f">{here}<"}
    ids = {' request_id="a1b2c3"': "", ' request_id="d4e5f6"': ""}
    for function in ("UnsubscribeContacts", "DeleteContacts"):
        content = await guest.send(placed(examples("seed", f"{function}Request")[1], world))
        expected = placed(examples("seed", f"{function}Response")[0], told | ids)
        assert canonical(content) == canonical(expected)
    assert await everybody(rope) == await everybody(guest) == []


async def test_the_account_of_the_whole_request(rope: Rope, guest: Rope) -> None:
    """Contract 1.2: account_id on the root of every function; one without access is 1007."""
    group_id, field = await created(rope, "G"), await added(rope, **PET)
    number = await added_one(rope, Firstname="A", Email="a@example.org")
    there = {"account_id": rope.account_id}
    [group] = (await guest.done(element("GetContactGroupsRequest", there))).findall(".//ContactGroup")
    assert group.findtext("Group_id") == group_id
    seeds = examples("seed", "GetUserDefinedFieldsRequest")[1].replace("1392", str(rope.account_id))
    [told] = (await guest.done(seeds)).findall(".//UserDefinedField")
    assert told.findtext("UserFieldID") == field
    assert (await guest.done(element("SearchContactsRequest", there))).findtext("Contacts/Contact/ID") == number
    for function in ("AddContactsToGroup", "UnsubscribeContacts", "DeleteContactsFromGroup", "DeleteContacts"):
        asked = contact({"email": "A@example.org"})
        [done] = await guest.each(request(function, asked, account_id=rope.account_id, group_name="g"))
        assert (done.findtext("Result"), done.findtext("Contact_id")) == ("Success", number), function
    nowhere = {"account_id": 10**15, "group_id": group_id}
    for function in ("GetContactGroups", "GetUserDefinedFields", "SearchContacts", "AddContactsToGroup"):
        assert await guest.refused(element(f"{function}Request", nowhere)) == 1007, function
    for function in ("AddUserDefinedField", "EditUserDefinedField", "DeleteUserDefinedField"):
        assert await guest.refused(element(f"{function}Request", nowhere, FieldName="Pet")) == 1007, function
    assert (await added(guest, **PET)) == "1"


async def accounts(rope: Rope) -> list[str]:
    root = await rope.done("<GetAccountsWithAccessRequest/>")
    return [each.text or "" for each in root.findall("Accounts/Account/AccountNumber")]
