"""AddContacts (contract greenrope.md 3, 5.1, 5.2), with the corrections of issue 4."""

import asyncio
from dataclasses import replace

import pytest
from lxml import etree

from engine import principals
from engine.database import Database
from engine.principals import Privilege
from engine.settings import Settings
from tests.e2e.api.front import open_front
from tests.e2e.greenrope.conftest import NewUser
from tests.e2e.greenrope.people import (
    TIME,
    added_one,
    contact,
    everybody,
    listed,
    names,
    one,
    placed,
    request,
    seeds_world,
)
from tests.e2e.greenrope.rope import Rope, element, refusal, texts
from tests.e2e.greenrope.test_groups import created
from tests.e2e.greenrope.test_user_fields import added
from tests.greenrope_examples import examples
from tests.integration.conftest import NewDesk
from tests.integration.desk import Desk


async def test_the_seeds_first_example(rope: Rope) -> None:
    """Contract 5.2 and the seed: two new contacts with one e-mail (issue 4), all that is said of them, in the order
    of contract 3.
    """
    world = await seeds_world(rope)
    jefferey, sam = await rope.each(placed(examples("seed", "AddContactsRequest")[0], world))
    assert [dict(each.attrib) for each in (jefferey, sam)] == [{"request_id": "a1b2c3"}, {"request_id": "d4e5f6"}]
    for told in (jefferey, sam):
        assert list(texts(told)) == ["Result", "AccountNumber", "Contact_id", "UpdatedTimeStamp"]
        assert (told.findtext("Result"), told.findtext("AccountNumber")) == ("Success", str(rope.account_id))
        assert TIME.fullmatch(told.findtext("UpdatedTimeStamp") or "")
    found_sam, found_jefferey = await everybody(rope)
    [asked, _] = etree.fromstring(examples("seed", "AddContactsRequest")[0]).findall("Contacts/Contact")
    said = {name: text for name, text in texts(asked).items() if text.strip()}
    assert {name: texts(found_jefferey)[name] for name in said} == said
    assert found_jefferey.findtext("Contact_id") == jefferey.findtext("Contact_id")
    assert names(found_jefferey, "Groups/Group/Name") == ["groupname1", "groupname2"]
    assert names(found_sam, "Groups/Group/GroupName") == ["groupname3", "groupname4"]
    assert names(found_sam, "Tags/Tag/TagName") == ["Long Tag Name", "Tag Name"]
    assert names(found_sam, "Tags/Tag/Abbreviation") == ["", ""]
    assert names(found_sam, "SecondaryCompanies/SecondaryCompany/CompanyName") == ["Company DEF", "Company XYZ"]
    assert found_sam.findtext("Company") == "Acme Widgets, LLC"
    values = {each.findtext("FieldName"): each.findtext("FieldValue") for each in found_sam.iter("UserDefinedField")}
    assert values == {
        "Favorite Animal": "Dog",
        "Fruits": "Apple",
        "Checkboxes Type Example": "Football,Basketball,Tennis",
        "Date Type Example": "20231023",
    }
    calls = await rope.front.desk.owner.fetch(
        "SELECT contact_nos FROM hook_call WHERE account_id = $1", rope.account_id
    )
    assert [list(call["contact_nos"]) for call in calls] == [[int(sam.findtext("Contact_id") or "")]]


async def test_the_seeds_third_example_updates(rope: Rope) -> None:
    """Contract 5.2 and 3.2: after the first, which has made twins, the one who has the names, too; groups replaced."""
    world = await seeds_world(rope)
    first, third = (placed(examples("seed", "AddContactsRequest")[nth], world) for nth in (0, 2))
    before = [each.findtext("Contact_id") for each in await rope.each(first)]
    [told] = await rope.each(third)
    assert told.findtext("Contact_id") == before[0]
    found = await one(rope, before[0] or "")
    assert (found.findtext("Hometown"), found.findtext("Weight")) == ("Mobile, AL", "195")
    assert names(found, "Groups/Group/Name") == ["groupname1", "groupname2"]
    assert names(found, "SecondaryCompanies/SecondaryCompany/CompanyName") == ["Company DEF", "Company XYZ"]
    assert len(await everybody(rope)) == 2


async def test_the_contracts_example(rope: Rope) -> None:
    """Contract 5.2: add-or-update, twice: nothing new the second time."""
    await created(rope, "News")
    await added(rope, FieldName="Pet", FieldType="Checkbox", PossibleValues="Dog,Cat")
    day = await added(rope, FieldName="Since", FieldType="Date")
    hook = await rope.front.post("/v3/hooks", {"name": "W", "url": "https://hook.invalid/"})
    world = {
        "95": day,
        "91234": str(rope.account_id),
        "<WorkflowID>4": f"<WorkflowID>{hook['hook_id']}",
    }
    document = placed(examples("contract", "AddContactsRequest")[0], world)
    [told] = await rope.each(document)
    [again] = await rope.each(document)
    assert texts(told) == texts(again)
    found = await one(rope, told.findtext("Contact_id") or "")
    assert names(found, "Tags/Tag/TagName") == ["Speaker"]
    assert [each.text for each in found.iter("FieldValue")] == ["Dog,Cat", "20260115"]
    count = "SELECT count(*) FROM hook_call WHERE account_id = $1"
    assert await rope.front.desk.owner.fetchval(count, rope.account_id) == 1


async def test_each_on_its_own_and_a_thousand_in_order(rope: Rope) -> None:
    """Contract 5.1 and issue 4: 1,000 contacts, 1,000 results in the request's order; one failure stops nobody."""
    contacts = [
        contact({"request_id": nth}, Firstname=f"F{nth}", Email="no" if nth % 100 == 7 else f"p{nth}@example.org")
        for nth in range(1000)
    ]
    told = await rope.each(request("AddContacts", *contacts))
    assert [each.get("request_id") for each in told] == [str(nth) for nth in range(1000)]
    failed = [nth for nth, each in enumerate(told) if each.findtext("Result") == "Error"]
    assert failed == list(range(7, 1000, 100))
    assert {refusal(told[nth]) for nth in failed} == {1013}
    assert len({each.findtext("Contact_id") for each in told if each.findtext("Contact_id")}) == 990
    assert await rope.refused(request("AddContacts", *contacts, "<Contact/>")) == 1003


async def test_what_is_refused(rope: Rope) -> None:
    """Contract 3, 5.2 and 8: each with its code; nobody is made, and nothing that they name."""
    group_id = await created(rope, "G")
    await added(rope, FieldName="Pet", FieldType="Checkbox", PossibleValues="Dog,Cat")
    await added(rope, group_id, FieldName="Of group")
    said: list[tuple[int, str]] = [
        (1003, contact()),
        (1003, contact(Title="CEO", Notes="n")),
        (1003, contact(Firstname="A", Birthdate="1972")),
        (1003, contact({"account_id": "x"}, Firstname="A")),
        (1004, contact(Firstname="A", Groups=listed("Group", "G", "H"))),
        (1005, contact(CompanyID="999")),
        (1005, contact(CompanyID=str(10**17))),
        (1005, contact(Firstname="A", SecondaryCompanies=listed("SecondaryCompany", "<CompanyID>99</CompanyID>"))),
        (1007, contact({"account_id": 10**15}, Firstname="A")),
        (1008, contact(Firstname="A", UserDefinedFields=element("UserDefinedField", {"fieldname": "X"}))),
        (1008, contact(Firstname="A", UserDefinedFields='<UserDefinedField fieldnum="99">v</UserDefinedField>')),
        (1008, contact(Firstname="A", UserDefinedFields='<UserDefinedField fieldname="Of group">v</UserDefinedField>')),
        (1009, contact(Firstname="A", UserDefinedFields='<UserDefinedField fieldname="pet">Cow</UserDefinedField>')),
        (1010, contact(Firstname="A", WorkflowID="99")),
        (1010, contact(Firstname="A", WorkflowID=str(10**17))),
        (1013, contact(Firstname="A", Email="nobody")),
    ]
    names = "<Tags><Tag>T</Tag></Tags><SecondaryCompanies><SecondaryCompany><CompanyName>C</CompanyName>"
    made = f"{names}</SecondaryCompany></SecondaryCompanies></Contact>"
    told = await rope.each(request("AddContacts", *(each.replace("</Contact>", made) for _, each in said)))
    assert [refusal(each) for each in told] == [code for code, _ in said]
    assert await everybody(rope) == []
    assert (await rope.front.get("/v3/companies"))["companies"] == []
    assert (await rope.front.get("/v3/contact_tags"))["tags"] == []


async def test_fields_of_groups(rope: Rope) -> None:
    """Contract 3.1: for members after the change; issue 4: one name in two groups is the field of the contact's."""
    one_id, two_id = await created(rope, "One"), await created(rope, "Two")
    first, second = await added(rope, one_id, FieldName="Rank"), await added(rope, two_id, FieldName="Rank")
    everybodys = await added(rope, FieldName="Rank")
    value = (
        '<UserDefinedField fieldname="rank">1</UserDefinedField><UserDefinedField fieldname="Rank">2</UserDefinedField>'
    )
    number = ""
    for groups, expected in ((["Two"], second), (["One"], first), ([], everybodys)):
        number = await added_one(rope, Lastname="X", UserDefinedFields=value, Groups=listed("Group", *groups))
        [field] = (await one(rope, number)).iter("UserDefinedField")
        assert texts(field) == {"UserFieldID": expected, "FieldName": "Rank", "FieldValue": "2"}
    edit = contact({"contact_id": number}, Groups=listed("Group", "Two"), UserDefinedFields=value.replace("2<", "3<"))
    [told] = await rope.each(request("EditContacts", edit))
    assert told.findtext("Result") == "Success"
    assert [texts(each)["UserFieldID"] for each in (await one(rope, number)).iter("UserDefinedField")] == sorted(
        [second, everybodys], key=int
    )
    number = await added_one(rope, Lastname="X", Groups=listed("Group", "One"))
    moved = contact({"contact_id": number}, Groups=listed("Group", "Two"), UserDefinedFields=value)
    await rope.each(request("EditContacts", moved.replace("<Groups>", '<Groups replace="true">')))
    assert names(await one(rope, number), "UserDefinedFields/UserDefinedField/UserFieldID") == [second]


async def test_what_goes_before_what(rope: Rope) -> None:
    """Contract 3, 3.1 and 3.4: CompanyID before Company, fieldnum before fieldname; a company that is named is made;
    to unlink what is not linked, or not there, is no error.
    """
    await added_one(rope, Firstname="A", Company="Acme")
    [acme] = (await rope.front.get("/v3/companies"))["companies"]
    pet, _ = await added(rope, FieldName="Pet"), await added(rope, FieldName="Toy")
    links = (
        "<CompanyName>None</CompanyName>",
        "<CompanyID>999</CompanyID>",
        f"<CompanyID>{acme['company_id']}</CompanyID>",
    )
    number = await added_one(
        rope, Firstname="B", Company="Other", CompanyID=acme["company_id"],
        UserDefinedFields=element("UserDefinedField", {"fieldnum": pet, "fieldname": "Toy"}).replace("><", ">Dog<"),
        SecondaryCompanies="".join(f'<SecondaryCompany remove="true">{each}</SecondaryCompany>' for each in links),
    )  # fmt: skip
    found = await one(rope, number)
    assert found.findtext("Company") == acme["name"] == "Acme"
    assert names(found, "UserDefinedFields/UserDefinedField/FieldName") == ["Pet"]
    assert found.findall("SecondaryCompanies/SecondaryCompany") == []
    assert {each["name"] for each in (await rope.front.get("/v3/companies"))["companies"]} == {"Acme", "Other"}


async def test_what_is_of_one_function_only(rope: Rope) -> None:
    """Contract 3: RemoveGroups and the guard are of EditContacts, WorkflowID of AddContacts: others ignore them."""
    await created(rope, "G")
    number = await added_one(rope, Email="a@example.org", Groups=listed("Group", "G"))
    edits = {"RemoveGroups": listed("RemoveGroup", "G"), "UpdatedTimeStamp": "2020-01-01 00:00:00"}
    [updated] = await rope.each(request("AddContacts", contact(Email="a@example.org", **edits), update="true"))
    [edited] = await rope.each(request("EditContacts", contact({"contact_id": number}, WorkflowID="99")))
    for told in (updated, edited):
        assert (told.findtext("Result"), told.findtext("Contact_id")) == ("Success", number)
    assert names(await one(rope, number), "Groups/Group/Name") == ["G"]


async def test_update_matches_by_e_mail_or_by_names(rope: Rope) -> None:
    """Contract 5.2 and issue 4: by e-mail first, else by first and last name, whatever address that one has."""
    ada = await added_one(rope, Firstname="Ada", Lastname="Moss", Email="ada@example.org", Title="CTO")
    bob = await added_one(rope, Firstname="Bob", Lastname="Moss", Email="bob@example.org")
    updates = (
        contact(Firstname="Zoe", Email="ADA@example.org"),
        contact(Firstname="bob", Lastname="MOSS", Email="new@example.org", Title=""),
        contact(Firstname="Bob", City="Cork"),
        contact(Lastname="Moss", Email="third@example.org"),
        contact(Email="new@example.org", Phone="1"),
    )
    told = await rope.each(request("AddContacts", *updates, update="true"))
    numbers = [each.findtext("Contact_id") for each in told]
    assert numbers[:2] == [ada, bob]
    assert len({ada, bob, numbers[2], numbers[3]}) == 4
    assert numbers[4] == bob
    found = texts(await one(rope, ada))
    assert (found["Firstname"], found["Lastname"], found["Title"]) == ("Zoe", "Moss", "CTO")
    found = texts(await one(rope, bob))
    assert (found["Email"], found["Phone"]) == ("new@example.org", "1")


async def test_several_of_one_name(rope: Rope) -> None:
    """Contract 5.2: 1012."""
    twice = [contact(Firstname="Ada", Lastname="Moss", Email=f"{n}@example.org") for n in range(2)]
    await rope.each(request("AddContacts", *twice))
    [told] = await rope.each(request("AddContacts", contact(Firstname="Ada", Lastname="Moss"), update="1"))
    assert refusal(told) == 1012


async def test_a_later_one_sees_what_an_earlier_one_did(rope: Rope) -> None:
    """Contract 5.2: the same e-mail twice in one request is one contact with update, and two without."""
    twice = [contact(Firstname=name, Email="same@example.org") for name in ("A", "B")]
    first, second = await rope.each(request("AddContacts", *twice, update="true"))
    assert first.findtext("Contact_id") == second.findtext("Contact_id")
    [found] = await everybody(rope)
    assert found.findtext("Firstname") == "B"
    third, fourth = await rope.each(request("AddContacts", *twice))
    assert len({each.findtext("Contact_id") for each in (first, third, fourth)}) == 3


async def test_the_same_contact_from_many_clients(rope: Rope) -> None:
    """Contract 5.2: with update there is one contact of an address, however many add it at once."""
    adds = [request("AddContacts", contact(Email="a@example.org", Title=str(nth)), update="1") for nth in range(8)]
    told = [each for [each] in await asyncio.gather(*map(rope.each, adds))]
    assert {each.findtext("Result") for each in told} == {"Success"}
    assert len({each.findtext("Contact_id") for each in told}) == len(await everybody(rope)) == 1


async def test_what_is_said_and_what_is_not(rope: Rope) -> None:
    """Contract 2 and 5.2: an element that is absent stays, one that is empty clears."""
    number = await added_one(
        rope, Firstname="A", Lastname="B", Email="a@example.org", Phone="1", Mobile="2", Fax="3", City="Cork",
        Address2="Suite", Notes="n", Birthdate="19720230", Company="Acme", Bio="long",
    )  # fmt: skip
    [told] = await rope.each(
        request(
            "AddContacts",
            contact(Email="a@example.org", Lastname="", Phone="", City="", Notes="", Birthdate="", Bio="", Fax=""),
            update="true",
        )
    )
    assert told.findtext("Contact_id") == number
    found = texts(await one(rope, number))
    cleared = ("Lastname", "Phone", "City", "Notes", "Birthdate", "Bio", "Fax")
    assert {name: found[name] for name in cleared} == dict.fromkeys(cleared, "")
    kept = {"Firstname": "A", "Mobile": "2", "Address2": "Suite", "Company": "Acme"}
    assert {name: found[name] for name in kept} == kept


async def test_contacts_of_one_request_in_different_accounts(rope: Rope, new_desk: NewDesk, db: Database) -> None:
    """Contract 1.2, issue 4 and the seed's second example: each to the account that it names, privileges in each."""
    other, readable, stranger = await new_desk(), await new_desk(), await new_desk()
    await principals.grant(db, rope.principal_id, other.account_id, [Privilege.CONTACTS_WRITE, Privilege.CONTACTS_READ])
    await principals.grant(db, rope.principal_id, readable.account_id, [Privilege.CONTACTS_READ])
    shared = await rope.again()
    accounts = [None, other.account_id, readable.account_id, stranger.account_id, None, rope.account_id]
    contacts = [contact({"account_id": each} if each else None, Firstname="A") for each in accounts]
    told = await shared.each(request("AddContacts", *contacts, account_id=other.account_id))
    numbers = [each.findtext("AccountNumber") for each in told]
    theirs, ours = str(other.account_id), str(rope.account_id)
    assert numbers == [theirs, theirs, None, None, theirs, ours]
    assert [refusal(each) for each in told[2:4]] == [1007, 1007]
    assert str(readable.account_id) in (told[2].findtext("ErrorText") or "")
    assert len(await everybody(rope)) == 1


async def test_who_may_not_write(new_user: NewUser, rope: Rope) -> None:
    """Contract 1.2: 1007."""
    limited = await new_user(rope.account_id, [Privilege.CONTACTS_READ])
    [told] = await limited.each(request("AddContacts", contact(Firstname="A")))
    assert refusal(told) == 1007


@pytest.mark.parametrize("document", ["<AddContactsRequest/>", "<AddContactsRequest><Contacts/></AddContactsRequest>"])
async def test_no_contacts(rope: Rope, document: str) -> None:
    """Contract 5.1."""
    assert await rope.each(document) == []


@pytest.mark.parametrize(
    "function", ["AddContacts", "EditContacts", "DeleteContacts", "UnsubscribeContacts", "AddContactsToGroup"]
)
async def test_contacts_beside_contacts(rope: Rope, function: str) -> None:
    """Contract 5 and 6.5: they are not overlooked, as if nothing had been asked for."""
    group_id = await created(rope, "G")
    asked = request(function, group_id=group_id).replace("<Contacts></Contacts>", "<Contacts/><Contact/>")
    assert await rope.refused(asked) == 1003


async def test_very_many_new_tags(rope: Rope) -> None:
    """Contract 3.3: tags that are not there are made, but not as many as would keep all others waiting."""
    said = (element("Contact", Firstname="Ann", Tags=tags(range(first, first + 1900))) for first in (0, 1900, 3800))
    assert {refusal(each) for each in await rope.each(request("AddContacts", *said))} == {1003}
    [told] = await rope.each(request("AddContacts", element("Contact", Firstname="Ann", Tags=tags(range(3)))))
    assert told.findtext("Result") == "Success"


async def test_as_many_tags_as_there_may_be(settings: Settings, desk: Desk, token: str, rope: Rope) -> None:
    """Contract 3.3 and 5.1: those that are there may be given, and who names no new one is written."""
    async with open_front(settings.model_copy(update={"max_tags": 1}), desk, token) as front:
        limited = replace(rope, front=front)
        await added_one(limited, Firstname="A", Tags=listed("Tag", "T"))
        said = [contact(Firstname=name, Tags=listed("Tag", *of)) for name, of in (("B", "tU"), ("C", "t"), ("D", ""))]
        refused, *written = await limited.each(request("AddContacts", *said))
    assert refusal(refused) == 1003
    assert [each.findtext("Result") for each in written] == ["Success", "Success"]


def tags(numbers: range) -> str:
    return "".join(f"<Tag>tag {number}</Tag>" for number in numbers)
