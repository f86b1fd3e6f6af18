"""Groups (contract greenrope.md 6.5, 1.2)."""

from typing import Any

from engine import principals
from engine.database import Database
from engine.principals import Privilege
from tests.e2e.greenrope.conftest import NewUser
from tests.e2e.greenrope.rope import Rope, element, refusal, texts
from tests.integration.conftest import NewDesk

SAID = {
    "GroupType": "Private",
    "EmailsSentFromName": "Ada & Co",
    "EmailsSentFromEmail": "ada@example.org",
    "EmailPhysicalAddress": "1 Green Road",
    "EventsTimeZone": "Europe/Dublin",
}


async def created(rope: Rope, name: str, **said: Any) -> str:
    """The number of a new group."""
    root = await rope.done(element("CreateGroupRequest", Name=name, **said))
    assert [child.tag for child in root] == ["Result", "Group_id"]
    return root.findtext("Group_id") or ""


async def named(rope: Rope) -> list[str]:
    return [each.text or "" for each in (await rope.done("<GetGroupsRequest/>")).findall("Groups/Group/Name")]


async def test_a_group_and_all_that_is_told_of_it(rope: Rope) -> None:
    """Contract 6.5: CreateGroup and GetGroups, whose names are not all the same."""
    number, other = await created(rope, " News ", **SAID), await created(rope, "Board")
    told = {"Group_id": number, "Name": "News", "Group_type": "Private"} | {k: SAID[k] for k in list(SAID)[1:]}
    for attributes in ({"group_id": number}, {"group_name": "NEWS"}):
        [group] = (await rope.done(element("GetGroupsRequest", attributes))).findall("Groups/Group")
        assert list(texts(group).items()) == list(told.items())
    first, second = (await rope.done("<GetGroupsRequest/>")).findall("Groups/Group")
    assert (texts(first), second.findtext("Group_id")) == (told, other)
    assert await rope.front.get("/v3/contact_lists?name=News")
    await rope.front.post("/v3/contact_lists", {"name": "Of v3"})
    third = (await rope.done(element("GetGroupsRequest", {"group_name": "Of v3"}))).find("Groups/Group")
    assert third is not None
    assert second.findtext("Group_type") == third.findtext("Group_type") == "Public"


async def test_a_name_that_is_taken(rope: Rope) -> None:
    """Contract 8: 1002, with `already exists` and the number."""
    number = await created(rope, "News")
    root = await rope.ask(element("CreateGroupRequest", Name="news"))
    assert refusal(root) == 1002
    assert "already exists" in (root.findtext("ErrorText") or "")
    assert f"ID {number}" in (root.findtext("ErrorText") or "")


async def test_groups_that_cannot_be(rope: Rope) -> None:
    """Contract 6.5 and 10: 1003."""
    for inside in ("", "<Name/>", f"<Name>{'x' * 256}</Name>", "<Name>A</Name><GroupType>Secret</GroupType>"):
        assert await rope.refused(f"<CreateGroupRequest>{inside}</CreateGroupRequest>") == 1003
    assert await named(rope) == []


async def test_groups_that_are_not_there(rope: Rope) -> None:
    """Contract 8: 1004."""
    for attributes in ({"group_id": 999}, {"group_id": 10**17}, {"group_name": "Nobody"}):
        assert await rope.refused(element("GetGroupsRequest", attributes)) == 1004
    assert await rope.refused(element("GetGroupsRequest", {"group_id": "x"})) == 1003


async def test_editing_groups(rope: Rope) -> None:
    """Contract 6.5: each on its own, in the request's order; what is not said stays (contract 2)."""
    number, other = await created(rope, "News", **SAID), await created(rope, "Board")
    edits = (
        element("Group", {"group_id": number, "request_id": "a"}, Name="Letters", EventsTimeZone=""),
        element("Group", {"group_name": "nobody"}, Name="X"),
        element("Group", {"group_name": "Board"}, Name="letters"),
        element("Group", {"group_id": other}, GroupType="Hidden"),
        element("Group", {}, Name="X"),
    )
    root = await rope.ask(f"<EditGroupsRequest><Groups>{''.join(edits)}</Groups></EditGroupsRequest>")
    done, unknown, taken, hidden, nobody = root.findall("Groups/Group")
    assert (dict(done.attrib), texts(done)) == ({"request_id": "a"}, {"Result": "Success", "Group_id": number})
    assert (refusal(unknown), refusal(taken), refusal(nobody)) == (1004, 1002, 1003)
    assert f"ID {number}" in (taken.findtext("ErrorText") or "")
    assert texts(hidden) == {"Result": "Success", "Group_id": other}
    first, second = map(texts, (await rope.done("<GetGroupsRequest/>")).findall("Groups/Group"))
    assert (first["Name"], first["Group_type"], first["EventsTimeZone"]) == ("Letters", "Private", "")
    assert (second["Name"], second["Group_type"]) == ("Board", "Hidden")


async def test_deleting_groups(rope: Rope) -> None:
    """Contract 6.5: each on its own; twice the same is once too often."""
    number = await created(rope, "News")
    await created(rope, "Board")
    groups = f'<Group group_id="{number}"/><Group group_id="{number}"/><Group group_name="board"/>'
    root = await rope.ask(f"<DeleteGroupsRequest><Groups>{groups}</Groups></DeleteGroupsRequest>")
    first, again, second = root.findall("Groups/Group")
    assert (texts(first), refusal(again)) == ({"Result": "Success", "Group_id": number}, 1004)
    assert second.findtext("Result") == "Success"
    assert await named(rope) == []
    assert (await rope.ask("<DeleteGroupsRequest/>")).findall("Groups/Group") == []


async def test_groups_of_other_accounts(rope: Rope, new_user: NewUser, new_desk: NewDesk, db: Database) -> None:
    """Contract 1.2: account_id on the root; without access, and without the privilege, 1007."""
    other, stranger = await new_desk(), await new_desk()
    await principals.grant(db, rope.principal_id, other.account_id, [Privilege.LISTS_READ])
    shared, limited = await rope.again(), await new_user(rope.account_id, [Privilege.LISTS_READ])
    await created(rope, "Ours")
    assert (await shared.done(element("GetGroupsRequest", {"account_id": other.account_id}))).findall(".//Group") == []
    for attributes in ({"account_id": stranger.account_id}, {"account_id": 10**17}):
        assert await shared.refused(element("GetGroupsRequest", attributes)) == 1007
    assert await shared.refused(element("CreateGroupRequest", {"account_id": other.account_id}, Name="X")) == 1007
    assert await limited.refused(element("CreateGroupRequest", Name="X")) == 1007
    assert await named(limited) == ["Ours"]
