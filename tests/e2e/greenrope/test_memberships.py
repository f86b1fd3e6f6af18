"""Groups of contacts (contract greenrope.md 6.2, 6.5)."""

from tests.e2e.greenrope.people import added_one, contact, everybody, listed, request
from tests.e2e.greenrope.rope import Rope, element, refusal, texts
from tests.e2e.greenrope.test_groups import created
from tests.greenrope_examples import canonical, examples


async def members(rope: Rope, group_id: str) -> list[str]:
    return [each.findtext("Contact_id") or "" for each in await everybody(rope, group_id=group_id)]


async def test_adding_and_removing(rope: Rope) -> None:
    """Contract 6.5: by any criteria, each on its own; whoever is in, or is not, is a success all the same."""
    group_id = await created(rope, "G")
    first = await added_one(rope, Firstname="A", Groups=listed("Group", "G"))
    second, third = await added_one(rope, Firstname="B"), await added_one(rope, Firstname="C")
    await rope.each(request("UnsubscribeContacts", contact({"contact_id": third})))
    asked = [
        contact({"contact_id": first, "request_id": "a"}),
        contact({"firstname": "b"}),
        contact({"contact_id": second}),
        contact({"contact_id": third}),
        contact({"contact_id": 999}),
        contact({"contact_id": first, "account_id": rope.account_id + 1}),
        contact(),
    ]
    told = await rope.each(request("AddContactsToGroup", *asked, group_id=group_id))
    assert (told[0].get("request_id"), texts(told[0])) == ("a", {"Result": "Success", "Contact_id": first})
    assert [texts(each).get("Contact_id") for each in told[1:3]] == [second, second]
    assert [refusal(each) for each in told[3:]] == [1003, 1006, 1006, 1003]
    assert await members(rope, group_id) == [first, second]
    told = await rope.each(request("DeleteContactsFromGroup", asked[0], asked[3], group_name="g"))
    assert [each.findtext("Contact_id") for each in told] == [first, third]
    assert await members(rope, group_id) == [second]
    assert await rope.each(request("AddContactsToGroup", group_id=group_id)) == []


async def test_groups_that_are_not_there(rope: Rope) -> None:
    """Contract 6.5: an unknown group refuses the whole request, 1004; none is 1003."""
    for function in ("AddContactsToGroup", "DeleteContactsFromGroup"):
        assert await rope.refused(request(function, contact({"contact_id": 1}), group_id=999)) == 1004
        assert await rope.refused(request(function, contact({"contact_id": 1}))) == 1003


async def test_a_thousand(rope: Rope) -> None:
    """Issue 4: 1,000 contacts, 1,000 results in order."""
    group_id = await created(rope, "G")
    await rope.each(request("AddContacts", *(contact(Firstname=f"F{nth}") for nth in range(1000))))
    numbers = [each.findtext("Contact_id") or "" for each in await everybody(rope)]
    told = await rope.each(
        request("AddContactsToGroup", *(contact({"contact_id": each}) for each in numbers), group_id=group_id)
    )
    assert [each.findtext("Contact_id") for each in told] == numbers
    assert len(await members(rope, group_id)) == 1000


async def groups(rope: Rope, **attributes: object) -> list[str | None]:
    root = await rope.done(element("GetContactGroupsRequest", attributes))
    return [each.text for each in root.findall("ContactGroups/ContactGroup/GroupName")]


async def test_the_groups_of_a_contact(rope: Rope) -> None:
    """Contract 6.2 and the seed: of one contact, and without criteria all; by number."""
    second, first = await created(rope, "My Mailing List 2"), await created(rope, "My Mailing List 3")
    await created(rope, "Another")
    number = await added_one(rope, Firstname="A", Groups=listed("Group", "My Mailing List 3", "My Mailing List 2"))
    last = await added_one(rope, Firstname="B", Groups=listed("Group", "My Mailing List 3", "Another"))
    content = await rope.send(examples("seed", "GetContactGroupsRequest")[0].replace("8984", number))
    expected = examples("seed", "GetContactGroupsResponse")[0].replace("9902", second).replace("9903", first)
    assert canonical(content) == canonical(expected)
    groups_of_account = await groups(rope)
    assert groups_of_account == ["My Mailing List 2", "My Mailing List 3", "Another"]
    assert await groups(rope, contact_id=last, firstname="b") == groups_of_account[1:]
    await added_one(rope, Firstname="A")
    assert await rope.refused(element("GetContactGroupsRequest", {"firstname": "a"})) == 1012
    assert await rope.refused(element("GetContactGroupsRequest", {"contact_id": 999})) == 1006
