"""Answers of contract greenrope.md and of its seed as they stand there, but for numbers, times and tokens."""

from lxml import etree

from tests.e2e.greenrope.people import added_one, contact, listed, placed, request, seeds_world
from tests.e2e.greenrope.rope import PASSWORD, Rope, element, posted
from tests.e2e.greenrope.test_groups import created
from tests.e2e.greenrope.test_user_fields import PET, added
from tests.greenrope_examples import canonical, examples

#: What no two servers have the same.
OWN = ("AccountNumber", "Contact_id", "Group_id", "Token", "UpdatedTimeStamp", "UserFieldID")


def form(document: str | bytes) -> str:
    """The document in canonical form with a mark for all that is a server's own."""
    root = etree.fromstring(document.encode() if isinstance(document, str) else document)
    for each in root.iter(*OWN):
        each.text = "…"
    return canonical(etree.tostring(root))


async def test_logging_in(rope: Rope) -> None:
    """Contract 1.1: the form as it stands, but for who it is."""
    body = f"email={rope.email}&password={PASSWORD}&xml=%3CGetAuthTokenRequest%3E%3C%2FGetAuthTokenRequest%3E"
    _, content = await posted(rope.front, body.replace("@", "%40").replace(" ", "+").encode())
    assert form(content) == form(examples("contract", "GetAuthTokenResponse")[0])


async def test_adding(rope: Rope) -> None:
    """The seed's first example and its answer."""
    world = await seeds_world(rope)
    content = await rope.send(placed(examples("seed", "AddContactsRequest")[0], world))
    assert form(content) == form(examples("seed", "AddContactsResponse")[0])


async def test_editing(rope: Rope) -> None:
    """The seed's first example and its answer."""
    world = await seeds_world(rope)
    first = await added_one(rope, Firstname="Jefferey")
    await added_one(rope, Firstname="Samuel", Lastname="Barthman", Email="sbarthman@acmewidgetsllc.com")
    content = await rope.send(placed(examples("seed", "EditContactsRequest")[0], world | {'"8984"': f'"{first}"'}))
    assert form(content) == form(examples("seed", "EditContactsResponse")[0])


async def test_deleting(rope: Rope) -> None:
    """Contract 5.4: the second is of an account that cannot be reached."""
    real = {"8984": await added_one(rope, Firstname="A"), "12346": "999999999999"}
    content = await rope.send(placed(examples("contract", "DeleteContactsRequest")[0], real))
    assert form(content) == form(placed(examples("contract", "DeleteContactsResponse")[0], real))


async def test_the_groups_of_a_contact(rope: Rope) -> None:
    """Contract 6.2."""
    await created(rope, "News")
    number = await added_one(rope, Firstname="A", Groups=listed("Group", "News"))
    content = await rope.send(element("GetContactGroupsRequest", {"contact_id": number}))
    assert form(content) == form(examples("contract", "GetContactGroupsResponse")[0])


async def test_user_defined_fields(rope: Rope) -> None:
    """Contract 6.3."""
    await added(rope, **PET)
    content = await rope.send("<GetUserDefinedFieldsRequest></GetUserDefinedFieldsRequest>")
    assert form(content) == form(examples("contract", "GetUserDefinedFieldsResponse")[0])


async def test_a_group_that_is_not_there(rope: Rope) -> None:
    """Contract 4."""
    content = await rope.send(element("GetContactsRequest", {"group_id": 999}))
    assert form(content) == form(examples("contract", "GetContactsResponse")[1])


async def test_the_request_id_comes_back_to_the_letter(rope: Rope) -> None:
    """Contract 5.1: free text."""
    said = ' <r> & "1"  ü '
    [told] = await rope.each(request("AddContacts", contact({"request_id": said}, Firstname="A")))
    assert dict(told.attrib) == {"request_id": said}
