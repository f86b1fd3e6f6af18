"""EditContacts, DeleteContacts, UnsubscribeContacts (contract greenrope.md 5.1, 5.3 to 5.5)."""

from datetime import UTC, datetime

import pytest

from engine import principals
from engine.database import Database
from engine.principals import Privilege
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
from tests.e2e.greenrope.test_user_fields import DELETE, EDIT, PET, added
from tests.greenrope_examples import canonical, examples
from tests.integration.conftest import NewDesk

FUNCTIONS = pytest.mark.parametrize("function", ["EditContacts", "DeleteContacts", "UnsubscribeContacts"])


async def test_the_seeds_first_example(rope: Rope) -> None:
    """Contract 5.3 and the seed: by number and by three criteria; a company unlinked, another linked."""
    world = await seeds_world(rope)
    linked = listed("SecondaryCompany", world["<CompanyID>3<"] + "/CompanyID>")
    first = await added_one(rope, Firstname="J", Email="j@example.org", SecondaryCompanies=linked)
    said = {"Firstname": "Samuel", "Lastname": "BARTHMAN", "Email": "sbarthman@acmewidgetsllc.com"}
    second = await added_one(rope, **said)
    document = placed(examples("seed", "EditContactsRequest")[0], world | {'"8984"': f'"{first}"'})
    for told, number, request_id in zip(await rope.each(document), (first, second), ("a1b2c3", "d4e5f6"), strict=True):
        assert (told.get("request_id"), told.findtext("Contact_id")) == (request_id, number)
        assert list(texts(told)) == ["Result", "AccountNumber", "Contact_id", "UpdatedTimeStamp"]
        assert TIME.fullmatch(told.findtext("UpdatedTimeStamp") or "")
    found, other = await one(rope, first), await one(rope, second)
    assert names(found, "SecondaryCompanies/SecondaryCompany/CompanyName") == ["Company DEF"]
    assert (other.findtext("Lastname"), other.findtext("Email")) == ("Bartman", "sbartman@acmewidgetsllc.com")
    assert other.findtext("Company") == "Acme Widgets, LLC"
    assert names(found, "Tags/Tag/TagName") == ["Long Tag Name", "Tag Name"]


async def test_the_seeds_third_example(rope: Rope) -> None:
    """Contract 5.3 and 3.2: groups replaced, and groups added to."""
    world = await seeds_world(rope)
    groups = listed("Group", "groupname1")
    numbers = [await added_one(rope, Firstname=name, Groups=groups) for name in ("A", "B")]
    world |= {f'"{made_up}"': f'"{number}"' for made_up, number in zip(("817", "818"), numbers, strict=True)}
    for told in await rope.each(placed(examples("seed", "EditContactsRequest")[2], world)):
        assert told.findtext("Result") == "Success"
    assert names(await one(rope, numbers[0]), "Groups/Group/Name") == ["Group A", "Group B"]
    assert names(await one(rope, numbers[1]), "Groups/Group/Name") == ["Group A", "groupname1"]


async def test_the_contracts_example(rope: Rope) -> None:
    """Contract 5.3: the guard rejects, the other is written; the answer but for numbers and times."""
    for name in ("Board", "News"):
        await created(rope, name)
    first = await added_one(rope, Firstname="Ada", Email="ada@example.org")
    second = await added_one(rope, Firstname="Sam", Lastname="Birch", Email="sam@example.org")
    document = examples("contract", "EditContactsRequest")[0].replace("91234", str(rope.account_id))
    guarded = document.replace('"8984"', f'"{first}"').replace("2026-01-15 10:00:00", "2020-01-15 10:00:00")
    content = (await rope.send(guarded)).decode()
    [_, edited] = await everybody(rope)
    assert (edited.findtext("Contact_id"), edited.findtext("Lastname")) == (second, "Beech")
    expected = examples("contract", "EditContactsResponse")[0]
    numbers = {"91234": str(rope.account_id), "8985": second, "2026-01-15 10:02:00": texts(edited)["UpdatedTimeStamp"]}
    assert canonical(content) == canonical(placed(expected, numbers))


async def test_the_guard(rope: Rope) -> None:
    """Contract 5.3: later is rejected and nothing changes; equal passes, in whole seconds; unparsable is 1003."""
    number = await added_one(rope, Firstname="Ada")
    stamp = texts(await one(rope, number))["UpdatedTimeStamp"]
    edits = [
        contact({"contact_id": number}, UpdatedTimeStamp="2020-01-01 00:00:00", Title="no", Company="no"),
        contact({"contact_id": number}, UpdatedTimeStamp="today", Title="no"),
        contact({"contact_id": number}, UpdatedTimeStamp=stamp, Title="yes"),
    ]
    stale, bad, good = [(await rope.each(request("EditContacts", each)))[0] for each in edits]
    assert (refusal(stale), refusal(bad), good.findtext("Result")) == (1014, 1003, "Success")
    assert (await one(rope, number)).findtext("Title") == "yes"
    assert (await rope.front.get("/v3/companies"))["companies"] == []


async def test_an_edit_that_changes_nothing(rope: Rope) -> None:
    """Contract 5.3: succeeds and keeps the time."""
    number = await added_one(rope, Firstname="Ada", Tags=listed("Tag", "T"))
    before = await rope.front.desk.owner.fetchval(
        "SELECT updated_at FROM contact WHERE account_id = $1", rope.account_id
    )
    edit = contact({"contact_id": number}, Firstname="Ada", Tags=listed("Tag", "T"), Notes="")
    [told] = await rope.each(request("EditContacts", edit))
    assert told.findtext("Result") == "Success"
    after = await rope.front.desk.owner.fetchval(
        "SELECT updated_at FROM contact WHERE account_id = $1", rope.account_id
    )
    assert before == after


async def test_groups(rope: Rope) -> None:
    """Contract 3.2 and 5.3: replaced by none, RemoveGroups after Groups, unknown ones change nothing."""
    for name in "ABC":
        await created(rope, name)
    number = await added_one(rope, Firstname="Ada", Groups=listed("Group", "A", "B"))

    async def edited(**said: str) -> list[str]:
        [told] = await rope.each(request("EditContacts", contact({"contact_id": number}, **said)))
        assert told.findtext("Result") == "Success", texts(told)
        return names(await one(rope, number), "Groups/Group/Name")

    assert await edited(Groups=listed("Group", "c", "C"), RemoveGroups=listed("RemoveGroup", "a", "C")) == ["B"]
    [told] = await rope.each(
        request("EditContacts", contact({"contact_id": number}, Title="X", Groups=listed("Group", "A", "nobody")))
    )
    assert refusal(told) == 1004
    assert (await one(rope, number)).findtext("Title") == ""
    document = f'<Contact contact_id="{number}"><Groups replace="TRUE"></Groups></Contact>'
    await rope.each(request("EditContacts", document))
    assert names(await one(rope, number), "Groups/Group/Name") == []


async def test_the_values_of_a_field(rope: Rope) -> None:
    """Contract 6.4: those in use stay when an edit drops them from the possible ones; they go with the field."""
    number = await added(rope, **PET)
    value = element("UserDefinedField", {"fieldnum": number}).replace("><", ">Dog<")
    contact_id = await added_one(rope, Firstname="A", UserDefinedFields=value)
    await rope.done(element(EDIT, FieldName="Pet", PossibleValues="Cat,Bird"))
    [told_of] = await rope.each(request("EditContacts", contact({"contact_id": contact_id}, Title="CEO")))
    assert told_of.findtext("Result") == "Success"
    assert names(await one(rope, contact_id), ".//FieldValue") == ["Dog"]
    await rope.done(element(DELETE, FieldName="Pet"))
    await added(rope, **PET)
    assert names(await one(rope, contact_id), ".//FieldValue") == []


async def test_nothing_is_chosen(rope: Rope) -> None:
    """Contract 3.1: only fields with a value are listed."""
    await added(rope, **PET)
    chosen, nothing = ('<UserDefinedField fieldname="Pet">' + text + "</UserDefinedField>" for text in ("Dog", " , "))
    number = await added_one(rope, Firstname="A", UserDefinedFields=chosen)
    await rope.each(request("EditContacts", contact({"contact_id": number}, UserDefinedFields=nothing)))
    assert (await one(rope, number)).findall("UserDefinedFields/UserDefinedField") == []


async def test_the_address_of_another(rope: Rope) -> None:
    """Contract 5.3 and 8: 1002 with the number."""
    holder = await added_one(rope, Email="a@example.org")
    number = await added_one(rope, Email="b@example.org")
    [told] = await rope.each(request("EditContacts", contact({"contact_id": number}, Email="A@example.org")))
    assert refusal(told) == 1002
    assert told.findtext("ErrorText") == f"A contact with this email already exists (ID {holder})"


@FUNCTIONS
async def test_whom_criteria_select(rope: Rope, function: str) -> None:
    """Contract 5.1: none 1006, several 1012, no criterion or a malformed one 1003; all of them must hold."""
    first = await added_one(rope, Firstname="Ada", Lastname="Moss", Email="ada@example.org")
    await added_one(rope, Firstname="Ada", Lastname="Birch", Email="ada@example.org")
    asked: list[tuple[int, dict[str, object]]] = [
        (1003, {}),
        (1003, {"contact_id": "x"}),
        (1003, {"contact_id": ""}),
        (1003, {"account_id": "x", "contact_id": first}),
        (1006, {"contact_id": 999}),
        (1006, {"contact_id": 10**17}),
        (1006, {"contact_id": first, "firstname": "Bob"}),
        (1006, {"email": "nobody@example.org"}),
        (1006, {"firstname": "Ada", "lastname": "Oak"}),
        (1007, {"account_id": 10**15, "contact_id": first}),
        (1012, {"firstname": "ADA"}),
        (1012, {"email": "ada@example.org"}),
        (1012, {"firstname": "ada", "email": "ada@example.org"}),
    ]
    told = await rope.each(request(function, *(contact(each | {"request_id": "r"}) for _, each in asked)))
    assert [refusal(each) for each in told] == [code for code, _ in asked]
    assert {each.get("request_id") for each in told} == {"r"}
    good = contact({"contact_id": first, "FirstName": "ada", "lastname": " moss ", "email": "ADA@example.org"})
    [told_of_good] = await rope.each(request(function, good))
    assert told_of_good.findtext("Result") == "Success"


async def test_deleting(rope: Rope) -> None:
    """Contract 5.4: Result comes last; the second time 1006; memberships go, and so does the contact."""
    group_id = await created(rope, "G")
    number = await added_one(rope, Firstname="A", Email="a@example.org", Groups=listed("Group", "G"))
    other = await added_one(rope, Firstname="B")
    document = examples("seed", "DeleteContactsRequest")[0].replace("8984", number).replace("8983", other)
    told = await rope.each(document.replace("</Contacts>", f'<Contact contact_id="{number}"/></Contacts>'))
    assert [list(texts(each)) for each in told[:2]] == [["AccountNumber", "Contact_id", "Result"]] * 2
    assert (told[0].get("request_id"), told[0].findtext("Contact_id")) == ("a1b2c3", number)
    assert refusal(told[2]) == 1006
    assert await everybody(rope) == []
    assert await everybody(rope, group_id=group_id) == []


async def test_deleting_the_same_by_other_words(rope: Rope) -> None:
    """Contract 5.4: each finds what those before it have left."""
    await added_one(rope, Firstname="A", Lastname="B", Email="a@example.org")
    second = await added_one(rope, Firstname="A", Lastname="C", Email="a@example.org")
    told = await rope.each(
        request(
            "DeleteContacts",
            contact({"lastname": "B"}),
            contact({"email": "a@example.org"}),
            contact({"firstname": "A"}),
        )
    )
    assert [each.findtext("Result") for each in told] == ["Success", "Success", "Error"]
    assert told[1].findtext("Contact_id") == second


async def test_unsubscribing(rope: Rope) -> None:
    """Contract 5.5: no AccountNumber; memberships stay; of today, the time moves; again is Success; then it joins no
    group.
    """
    group_id, _ = await created(rope, "G"), await created(rope, "H")
    number = await added_one(rope, Firstname="A", Email="a@example.org", Groups=listed("Group", "G"))
    await rope.front.desk.owner.execute(
        "UPDATE contact SET updated_at = '2020-01-01' WHERE account_id = $1", rope.account_id
    )
    today = datetime.now(UTC)
    for _ in range(2):
        content = await rope.send(request("UnsubscribeContacts", contact({"contact_id": number, "request_id": "u-1"})))
        expected = examples("contract", "UnsubscribeContactsResponse")[0].replace("8984", number)
        assert canonical(content) == canonical(expected)
    [found] = await everybody(rope, group_id=group_id)
    assert found.findtext("Unsubscribed") == "1"
    assert len(await everybody(rope, Unsubscribed="true", Unsubscribed_startdate=f"{today:%Y%m%d}")) == 1
    assert len(await everybody(rope, updated_timestamp="2026-01-01 00:00:00")) == 1
    joins = contact({"contact_id": number}, Groups=listed("Group", "H"))
    [told] = await rope.each(request("EditContacts", joins))
    assert refusal(told) == 1003


async def test_unsubscribing_as_in_the_seed(rope: Rope) -> None:
    """Contract 5.5 and the seed's first example, and its answer but for numbers."""
    real = {"8984": await added_one(rope, Firstname="A"), "8983": await added_one(rope, Firstname="B")}
    content = await rope.send(placed(examples("seed", "UnsubscribeContactsRequest")[0], real))
    assert canonical(content) == canonical(placed(examples("seed", "UnsubscribeContactsResponse")[0], real))


@FUNCTIONS
async def test_shared_access(rope: Rope, new_desk: NewDesk, db: Database, function: str) -> None:
    """Contract 1.2 and 8: in the account that the contact names; elsewhere 1007; a number alone is of the own one."""
    other = await new_desk()
    await principals.grant(db, rope.principal_id, other.account_id, list(Privilege))
    shared = await rope.again()
    number = await added_one(shared, {"account_id": other.account_id}, Firstname="A")
    mine, theirs = await shared.each(
        request(
            function,
            contact({"contact_id": number}),
            contact({"contact_id": number, "account_id": other.account_id}),
        )
    )
    assert refusal(mine) == 1006
    assert (theirs.findtext("Result"), theirs.findtext("Contact_id")) == ("Success", number)


async def test_who_is_on_no_list(rope: Rope, new_user: NewUser) -> None:
    """Contract 1.2: for those without the privilege contacts in no group do not exist."""
    await created(rope, "G")
    unlisted = await added_one(rope, Firstname="A", Email="a@example.org")
    listed_one = await added_one(rope, Firstname="B", Groups=listed("Group", "G"))
    limited = await new_user(rope.account_id, [Privilege.CONTACTS_READ, Privilege.CONTACTS_WRITE])
    assert [each.findtext("Contact_id") for each in await everybody(limited)] == [listed_one]
    assert await everybody(limited, contact_id=unlisted) == []
    told = await limited.each(
        request("DeleteContacts", contact({"contact_id": unlisted}), contact({"email": "a@example.org"}))
    )
    assert [refusal(each) for each in told] == [1006, 1006]
    assert len(await everybody(rope)) == 2
