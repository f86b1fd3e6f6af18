"""SearchContacts (contract greenrope.md 6.1)."""

from collections.abc import Mapping, Sequence

from engine.principals import Privilege
from tests.e2e.greenrope.conftest import NewUser
from tests.e2e.greenrope.people import contact, listed, request, tracked
from tests.e2e.greenrope.rope import Rope, element, texts
from tests.e2e.greenrope.test_groups import created
from tests.e2e.greenrope.test_user_fields import added
from tests.greenrope_examples import canonical, examples

ALL = {"Unsubscribers": "Y", "BouncedContacts": "Y", "SpamComplaints": "Y", "DuplicateEmails": "Y"}


def rule(field: str, operator: str, value: str | None = None) -> str:
    said = {"Field": field, "Operator": operator} | ({} if value is None else {"Value": value})
    return element("Rule", **said)


def dated(field: str, span: str, *days: str) -> str:
    return element("Rule", Field=field, Range=span, **dict(zip(("Date", "Date2"), days, strict=False)))


def search(*rules: str, includes: Mapping[str, str] | None = None, **said: str) -> str:
    inside = said | ({"Includes": element("I", **includes)[3:-4]} if includes else {})
    return element("SearchContactsRequest", Rules="".join(rules) or "<None/>", **inside)


async def found(rope: Rope, document: str) -> list[str]:
    root = await rope.done(document)
    assert [child.tag for child in root] == ["Result", "TotalMatchingContacts", "Contacts"]
    names = [each.text or "" for each in root.findall("Contacts/Contact/Firstname")]
    assert root.findtext("TotalMatchingContacts") == str(len(names))
    return names


async def people(rope: Rope) -> str:
    """Four contacts, numbered from 1, of whom the first two are in the group whose number is answered."""
    group_id = await created(rope, "G")
    await added(rope, FieldName="Pet", FieldType="Checkbox")
    await added(rope, FieldName="Since", FieldType="Date")
    pet = '<UserDefinedField fieldname="Pet">Dog,Cat</UserDefinedField>'
    since = '<UserDefinedField fieldname="Since">20260115</UserDefinedField>'
    in_group, vip = listed("Group", "G"), listed("Tag", "VIP")
    contacts = (
        contact(Firstname="Ann", Lastname="Ash", Email="ann@example.org", Phone="021-1", Groups=in_group, Tags=vip),
        contact(Firstname="Bob", Lastname="Birch", Email="ann@example.org", Mobile="87", City="Cork", Groups=in_group),
        contact(Firstname="Cat", Lastname="Cedar", Company="Fern", UserDefinedFields=pet + since),
        contact(Firstname="Dan & Co", Title="CEO", Zip="T12", State="IL", Country="IE", Email="dan@example.org"),
    )
    await rope.each(request("AddContacts", *contacts))
    return group_id


async def test_the_answer(rope: Rope) -> None:
    """Contract 6.1.3: the contract's example but for numbers; Phone, Mobile and Email may be empty."""
    group_id = await created(rope, "G")
    said = {"Firstname": "Ada", "Lastname": "Moss", "Phone": "021-000-0001", "Email": "ada@example.org"}
    [told] = await rope.each(request("AddContacts", contact(**said, Groups=listed("Group", "G"))))
    document = examples("contract", "SearchContactsRequest")[0].replace('"4"', f'"{group_id}"')
    content = await rope.send(document.replace("2026/01/31", "2099/01/31"))
    expected = examples("contract", "SearchContactsResponse")[0].replace("8984", told.findtext("Contact_id") or "")
    assert canonical(content) == canonical(expected)


async def test_the_seeds_example(rope: Rope) -> None:
    """Contract 6.1 and the seed: the request as it stands, but for the group; its answer, which has escapes."""
    group_id = await created(rope, "G")
    in_group = {"Groups": listed("Group", "G")}
    await rope.each(request("AddContacts", *(contact(Firstname=f"F{n}", **in_group) for n in range(122))))
    expected = examples("seed", "SearchContactsResponse")[0]
    names = ("ID", "Firstname", "Lastname", "Phone", "Mobile", "Email")
    people = [
        {"Firstname": "Testfirst1 & and \" ' P", "Lastname": "Test1 & 2", "Phone": "(012) 111-111", "Mobile": "1111-1",
         "Email": "customer+test1@gmail.com"},
        {"Firstname": "Testfirst2", "Lastname": "Test2", "Phone": "012-111-111", "Mobile": "11111",
         "Email": "customer+test2@gmail.com"},
    ]  # fmt: skip
    told = await rope.each(request("AddContacts", *(contact(**each, **in_group) for each in people)))
    assert [each.findtext("Contact_id") for each in told] == ["123", "124"]
    document = examples("seed", "SearchContactsRequest")[0].replace("'4'", f"'{group_id}'")
    document = document.replace("<Group>4<", f"<Group>{group_id}<").replace(
        "2017/08/20</Date>\n        </Rule>", "2099/08/20</Date>\n        </Rule>", 1
    )
    content = await rope.send(document)
    assert canonical(content) == canonical(expected)
    assert list(names)


#: Rules, and the initials of those for whom any of them holds.
RULES: Sequence[tuple[tuple[str, ...], str]] = (
    ((), "ABCD"),
    ((rule("ID", "contains", "1"),), "A"),
    ((rule("ID", "is", "2"),), "B"),
    ((rule("ID", "greater than", "2"),), "CD"),
    ((rule("ID", "less than", "2"),), "A"),
    ((rule("Firstname", "is", "ANN"),), "A"),
    ((rule("Lastname", "contains", "i"),), "B"),
    ((rule("Lastname", "does not contain", "i"),), "ACD"),
    ((rule("Lastname", "is not", "ash"),), "BCD"),
    ((rule("Lastname", "starts with", "b"),), "B"),
    ((rule("Lastname", "ends with", "AR"),), "C"),
    ((rule("Lastname", "is empty"),), "D"),
    ((rule("Lastname", "is not empty"),), "ABC"),
    ((rule("Lastname", "greater than", "birch"),), "C"),
    ((rule("Lastname", "less than", "B"),), "A"),
    ((rule("Email", "is", "ann@EXAMPLE.org"),), "AB"),
    ((rule("Company", "is", "fern"),), "C"),
    ((rule("Title", "is", "ceo"),), "D"),
    ((rule("Phone", "contains", "021"),), "A"),
    ((rule("Mobile", "is", "87"),), "B"),
    ((rule("City", "is", "cork"), rule("Zip", "is", "T12")), "BD"),
    ((rule("State", "is", "IL"),), "D"),
    ((rule("Country", "is", "IE"),), "D"),
    ((rule("Tag", "contains", "vi"),), "A"),
    ((rule("Tag", "is not", "VIP"),), "BCD"),
    ((rule("Tag", "is empty"),), "BCD"),
    ((rule("pet", "contains", "cat"),), "C"),
    ((rule("Since", "is", "20260115"),), "C"),
    ((rule("Pet", "is empty"),), "ABD"),
    ((rule("Firstname", "contains", "&"),), "D"),
    ((dated("ContactCreated", "after", "2020/01/01"),), "ABCD"),
    ((dated("ContactCreated", "before", "2020/01/01"), rule("ID", "is", "1")), "A"),
    ((dated("LastModified", "between", "2020/01/01", "2099/12/31"),), "ABCD"),
    ((dated("LastModified", "between", "2099/12/31", "2020/01/01"), rule("ID", "is", "1")), "A"),
    ((dated("LastModified", "on", "2020/01/01"), rule("ID", "is", "3")), "C"),
    ((dated("LastModified", "after", "9999/12/31"), rule("ID", "is", "3")), "C"),
    ((dated("LastModified", "between", "2020/01/01", "9999/12/31"),), "ABCD"),
)


async def test_rules(rope: Rope) -> None:
    """Contract 6.1.1: fields, operators, ranges; several with `any`."""
    await people(rope)
    for rules, names in RULES:
        initials = [each[0] for each in await found(rope, search(*rules, includes=ALL, Filter="any"))]
        assert initials == list(names), rules


async def test_where_it_is_looked(rope: Rope) -> None:
    """Contract 6.1: single, multiple, all; any and all; order and direction."""
    group_id = await people(rope)
    other = await created(rope, "Other")
    both = rule("City", "is", "Cork"), rule("Lastname", "is not empty")
    assert await found(rope, search(*both, Filter="ALL")) == await found(rope, search(*both)) == ["Bob"]
    groups = listed("Group", group_id, other)
    in_group = element(
        "SearchContactsRequest", {"group_id": group_id}, From="single", Includes=listed("DuplicateEmails", "1")
    )
    assert await found(rope, in_group) == ["Ann", "Bob"]
    assert await found(rope, search(From="multiple", Groups=groups, includes=ALL)) == ["Ann", "Bob"]
    assert await found(rope, search(From="single", Groups=listed("Group", other))) == []
    everybody = search(From="all", OrderBy="Firstname", OrderDirection="desc", includes=ALL)
    assert [each[0] for each in await found(rope, everybody)] == ["D", "C", "B", "A"]


async def test_who_is_included(rope: Rope) -> None:
    """Contract 6.1.2: flags and their defaults."""
    group_id = await people(rope)
    await tracked(
        rope,
        ("dan@example.org", "bounced", "2026-01-15T00:00:00Z", None),
        ("ann@example.org", "complained", "2026-01-15T00:00:00Z", group_id),
    )
    assert await found(rope, search()) == ["Ann", "Cat"]
    assert await found(rope, search(includes={"DuplicateEmails": "Y"})) == ["Ann", "Bob", "Cat"]
    assert await found(rope, search(includes={"BouncedContacts": "true"})) == ["Ann", "Cat", "Dan & Co"]
    in_group = {"group_id": group_id}
    assert await found(rope, element("SearchContactsRequest", in_group)) == ["Bob"]
    complaints = listed("SpamComplaints", "Y")
    assert await found(rope, element("SearchContactsRequest", in_group, Includes=complaints)) == ["Ann"]
    await tracked(rope, ("ann@example.org", "unsubscribed", "2026-01-15T00:00:00Z", group_id))
    assert await found(rope, element("SearchContactsRequest", in_group, Includes=complaints)) == ["Bob"]
    both = complaints + listed("Unsubscribers", "Y")
    assert await found(rope, element("SearchContactsRequest", in_group, Includes=both)) == ["Ann"]
    assert await found(rope, search(includes={"ActiveMembers": "N"})) == []
    await rope.each(request("UnsubscribeContacts", contact({"contact_id": 3})))
    assert await found(rope, search()) == ["Ann"]
    assert await found(rope, search(includes={"Unsubscribers": "Y"})) == ["Ann", "Cat"]


async def test_complaints_of_the_account(rope: Rope) -> None:
    """Contract 6.1.2: SpamComplaints."""
    await rope.each(request("AddContacts", contact(Firstname="Ann", Email="ann@example.org")))
    await tracked(rope, ("ann@example.org", "complained", "2026-01-15T00:00:00Z", None))
    assert await found(rope, search(includes={"Unsubscribers": "Y"})) == []
    assert await found(rope, search(includes={"Unsubscribers": "Y", "SpamComplaints": "y"})) == ["Ann"]


async def test_the_order(rope: Rope) -> None:
    """Contract 6.1: by ID unless another field is named, which may be one of the text and date fields of 6.1.1."""
    people = [("B", "Zoe", "F"), ("A", "Yan", "G"), ("C", "Xu", "E")]
    contacts = [
        contact(Firstname=first, Lastname=last, Company=last, Title=title, Phone=title, Mobile=first, City=last,
                State=first, Zip=title, Country=last, Email=f"{title}@example.org")
        for first, last, title in people
    ]  # fmt: skip
    await rope.each(request("AddContacts", *contacts))
    orders = {"": "BAC", "ID": "BAC", "Firstname": "ABC", "Lastname": "CAB", "Company": "CAB", "Title": "CBA",
              "Email": "CBA", "Phone": "CBA", "Mobile": "ABC", "City": "CAB", "State": "ABC", "Zip": "CBA",
              "Country": "CAB", "ContactCreated": "BAC", "LastModified": "BAC"}  # fmt: skip
    for name, expected in orders.items():
        assert await found(rope, search(OrderBy=name)) == list(expected), name
        if name not in ("ContactCreated", "LastModified"):
            assert await found(rope, search(OrderBy=name, OrderDirection="DESC")) == list(reversed(expected)), name


async def test_who_sees_whom(rope: Rope, new_user: NewUser) -> None:
    """Contract 1.2: without the privilege contacts in no group do not exist."""
    await people(rope)
    limited = await new_user(rope.account_id, [Privilege.CONTACTS_READ])
    assert await found(limited, search(includes=ALL)) == ["Ann", "Bob"]


async def test_pages(rope: Rope) -> None:
    """Contract 6.1: 100 on a page, the first is 1."""
    await rope.each(request("AddContacts", *(contact(Firstname=f"F{n:03}") for n in range(101))))
    for page, count in (("1", 100), ("2", 1), ("3", 0)):
        root = await rope.done(search(Page=page))
        assert root.findtext("TotalMatchingContacts") == "101"
        assert len(root.findall("Contacts/Contact")) == count
    [last] = (await rope.done(search(Page="2"))).findall("Contacts/Contact")
    assert list(texts(last)) == ["ID", "Firstname", "Lastname", "Phone", "Mobile", "Email"]


REFUSED: Sequence[tuple[str, int]] = (
    (search(rule("Shoe size", "is", "1")), 1003),
    (search(rule("ID", "resembles", "1")), 1003),
    (search(rule("ID", "contains", "")), 1003),
    (search(rule("ID", "greater than", "x")), 1003),
    (search(dated("LastModified", "around", "2020/01/01")), 1003),
    (search(dated("LastModified", "on", "20200101")), 1003),
    (search(dated("LastModified", "between", "2020/01/01")), 1003),
    (search(rule("LastModified", "is", "2020/01/01")), 1003),
    (search(*[rule("ID", "is", "1")] * 101), 1003),
    (search(Filter="some"), 1003),
    (search(From="nowhere"), 1003),
    (search(From="single"), 1003),
    (search(From="multiple"), 1003),
    (search(From="single", Groups=listed("Group", "1", "2")), 1003),
    (search(Groups=listed("Group", "x")), 1003),
    (search(Groups=listed("Group", "999")), 1004),
    (search(OrderBy="Shoe size"), 1003),
    (search(OrderDirection="up"), 1003),
    (search(Page="0"), 1003),
    (search(Page="x"), 1003),
)


async def test_what_is_refused(rope: Rope) -> None:
    """Contract 6.1.1 and 8."""
    for document, code in REFUSED:
        assert await rope.refused(document) == code, document
