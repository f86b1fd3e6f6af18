"""GetContacts (contract greenrope.md 3, 4, 7)."""

import json
import re
from collections.abc import Sequence

from lxml import etree

from engine import principals
from engine.database import Database
from engine.principals import Privilege
from tests.e2e.greenrope.people import added_one, contact, everybody, listed, one, placed, request, tracked
from tests.e2e.greenrope.rope import JSON, Rope, element, posted, texts
from tests.e2e.greenrope.test_groups import created
from tests.e2e.greenrope.test_user_fields import added
from tests.greenrope_examples import canonical, examples
from tests.integration.conftest import NewDesk

FIRST_NAMES = "Contacts/Contact/Firstname"


async def found(rope: Rope, **attributes: object) -> list[str]:
    """The first names of who is found, in the order of the answer."""
    return [each.findtext("Firstname") or "" for each in await everybody(rope, **attributes)]


async def test_the_contracts_example(rope: Rope) -> None:
    """Contract 3 and 4: every element in its order; the second page of one."""
    group_id = await created(rope, "News")
    field = await added(rope, FieldName="Pet", FieldType="Checkbox", PossibleValues="Dog,Cat")
    expected = examples("contract", "GetContactsResponse")[0]
    [ada] = etree.fromstring(expected).findall("Contacts/Contact")
    said = {name: text for name, text in texts(ada).items() if text.strip()}
    for name in ("Contact_id", "Unsubscribed", "CreatedDatetime", "UpdatedTimeStamp", "AccountNumber"):
        del said[name]
    number = await added_one(
        rope,
        **said,
        UserDefinedFields='<UserDefinedField fieldname="Pet">cat, dog</UserDefinedField>'.replace(
            "cat, dog", "Dog,Cat"
        ),
        Groups=listed("Group", "news"),
        Tags=listed("Tag", "Speaker"),
    )
    [tag] = (await rope.front.get("/v3/contact_tags"))["tags"]
    await rope.front.put(f"/v3/contact_tags/{tag['tag_id']}", {"name": "Speaker", "abbreviation": "SP"})
    told = (await rope.send(element("GetContactsRequest", {"group_id": group_id}))).decode()
    contact_told = texts(await one(rope, number))
    tag_id = re.search(r"<TagID>(\d+)", told)
    assert tag_id is not None
    for made_up, real in {
        "<Contact_id>8984": f"<Contact_id>{number}",
        "91234": str(rope.account_id),
        "2026-01-10 09:00:00": contact_told["CreatedDatetime"],
        "2026-01-15 10:00:00": contact_told["UpdatedTimeStamp"],
        "<UserFieldID>93": f"<UserFieldID>{field}",
        "<Group_id>4": f"<Group_id>{group_id}",
        "<ID>4": f"<ID>{group_id}",
        "<TagID>7": f"<TagID>{tag_id[1]}",
    }.items():
        expected = expected.replace(made_up, real)
    assert canonical(told) == canonical(expected.replace(">51<", ">1<"))


async def test_the_seeds_order_of_elements(rope: Rope) -> None:
    """Contract 3: as the first contact of the seed's answer, with lead scores (do_lead_scoring) beside the tags."""
    number = await added_one(rope, Firstname="A", Email="a@example.org")
    contact_id = await rope.front.get("/v3/contacts/contact_id_xrefs?sequence_ids=" + number)
    path = f"/v3/contacts/{contact_id['xrefs'][0]['contact_id']}/lead_scores"
    await rope.front.put(path, {"demographic_score": 50, "activity_score": 329.9})
    [told] = await everybody(rope, do_lead_scoring="true")
    [seeds, _] = etree.fromstring(examples("seed", "GetContactsResponse")[0]).findall("Contacts/Contact")
    assert [child.tag for child in told if child.tag not in ("DemographicLeadScore", "ActivityLeadScore")] == [
        child.tag for child in seeds if child.tag not in ("DemographicLeadScore", "ActivityLeadScore")
    ]
    assert [child.tag for child in told][-3:] == ["DemographicLeadScore", "ActivityLeadScore", "SecondaryCompanies"]
    assert (told.findtext("DemographicLeadScore"), told.findtext("ActivityLeadScore")) == ("50", "329.9")
    assert "DemographicLeadScore" not in texts(await one(rope, number))


async def people(rope: Rope) -> str:
    """Five contacts, of whom two are in the group whose number is answered."""
    group_id = await created(rope, "G")
    in_group = listed("Group", "G")
    for each in (
        contact(Firstname="Ann", Lastname="Ash", Email="ann@example.org", Groups=in_group, Company="Fern & Co"),
        contact(Firstname="Bob", Lastname="birch", Email="bob@example.org", Groups=in_group, Title="CTO of Fern"),
        contact(Firstname="Cat", Lastname="Birch", Email="cat@example.org"),
        contact(Firstname="Dan", Lastname="Cedar", Email="dan@fern.org"),
        contact(Firstname="Eve"),
    ):
        await rope.each(request("AddContacts", each))
    return group_id


async def test_criteria(rope: Rope) -> None:
    """Contract 4: exact, without case, combined with AND; search; last names; group; order."""
    group_id = await people(rope)
    assert await found(rope) == ["Eve", "Ann", "Bob", "Cat", "Dan"]
    assert await found(rope, firstname="ANN", email="ann@example.org") == ["Ann"]
    assert await found(rope, firstname="Ann", lastname="Birch") == []
    assert await found(rope, lastname="BIRCH") == ["Bob", "Cat"]
    assert await found(rope, search="fern") == ["Ann", "Bob", "Dan"]
    assert await found(rope, start_lastname="B", end_lastname="birch") == ["Bob", "Cat"]
    assert await found(rope, start_lastname="birch") == ["Bob", "Cat", "Dan"]
    assert await found(rope, group_id=group_id) == ["Ann", "Bob"]
    assert await found(rope, group_id=group_id, lastname="Birch") == ["Bob"]
    assert await found(rope, contact_id=999) == await found(rope, contact_id=10**17) == []


async def test_the_order(rope: Rope) -> None:
    """Contract 4 and the seed: last name, first name, e-mail, number."""
    said = [("Ash", "B", "x@example.org"), ("Ash", "A", "y@example.org"), ("Ash", "A", "x@example.org"),
            ("", "C", "z@example.org"), ("Ash", "A", "x@example.org")]  # fmt: skip
    for last, first, email in said:
        await added_one(rope, Lastname=last, Firstname=first, Email=email)
    assert [each.findtext("Contact_id") for each in await everybody(rope)] == ["4", "3", "5", "2", "1"]
    assert [each.findtext("Contact_id") for each in await everybody(rope, start_chunk_page=0)] == [*"43521"]


async def test_updated_after(rope: Rope) -> None:
    """Contract 4: after a time, in whole seconds."""
    await people(rope)
    times = {each.findtext("UpdatedTimeStamp") or "" for each in await everybody(rope)}
    assert await found(rope, updated_timestamp=max(times)) == []
    assert len(await found(rope, updated_timestamp="2012-01-01 07:00:34")) == 5
    assert await found(rope, updated_timestamp="9999-12-31 23:59:59") == []


async def test_unsubscribed_and_bounced(rope: Rope) -> None:
    """Contract 4: of the account or of the group, with days, which alone are ignored; both hold."""
    group_id = await people(rope)
    await tracked(
        rope,
        ("ann@example.org", "unsubscribed", "2018-01-31T23:59:59Z", None),
        ("bob@example.org", "unsubscribed", "2018-01-01T00:00:00Z", group_id),
        ("bob@example.org", "bounced", "2018-01-15T00:00:00Z", group_id),
        ("dan@fern.org", "bounced", "2018-02-01T00:00:00Z", None),
    )
    january = {"startdate": "20180101", "enddate": "20180131"}
    unsubscribed = {f"Unsubscribed_{name}": day for name, day in january.items()}
    bounced = {f"Bounced_{name}": day for name, day in january.items()}
    assert await found(rope, Unsubscribed="true") == ["Ann"]
    assert await found(rope, Unsubscribed="true", **unsubscribed) == ["Ann"]
    assert await found(rope, Unsubscribed="true", Unsubscribed_startdate="20180201") == []
    assert await found(rope, Unsubscribed="true", group_id=group_id, **unsubscribed) == ["Bob"]
    assert await found(rope, Unsubscribed="1", group_id=group_id, Unsubscribed_enddate="20171231") == []
    assert await found(rope, Bounced="true") == ["Dan"]
    assert await found(rope, Bounced="true", **bounced) == []
    assert await found(rope, Bounced="true", group_id=group_id, **bounced) == ["Bob"]
    assert await found(rope, Bounced="true", Unsubscribed="true", group_id=group_id) == ["Bob"]
    assert await found(rope, Bounced="true", Unsubscribed="true") == []
    assert (
        await found(rope, Unsubscribed="true", Unsubscribed_startdate="20180131", Unsubscribed_enddate="20180101") == []
    )
    assert len(await found(rope, **unsubscribed, **bounced)) == 5


async def test_pages(rope: Rope) -> None:
    """Contract 4: first is 0, with every criterion; total before paging; past the end; size alone; the cap."""
    await people(rope)

    async def page(**attributes: object) -> tuple[list[str], str]:
        root = await rope.done(element("GetContactsRequest", attributes))
        return [each.text or "" for each in root.findall(FIRST_NAMES)], root.findtext("TotalMatchingContacts") or ""

    assert await page(start_chunk_page=0, start_chunk_size=2) == (["Eve", "Ann"], "5")
    assert await page(start_chunk_page=2, start_chunk_size=2) == (["Dan"], "5")
    assert await page(start_chunk_page=3, start_chunk_size=2) == ([], "5")
    assert await page(start_chunk_page=10**17, start_chunk_size=10**17) == ([], "5")
    assert await page(start_chunk_size=1) == (["Eve"], "5")
    assert await page(start_chunk_page=0, lastname="Birch") == (["Bob", "Cat"], "2")
    assert await page(start_chunk_page=0, start_chunk_size=5000) == (["Eve", "Ann", "Bob", "Cat", "Dan"], "5")


async def test_all_accounts(rope: Rope, new_desk: NewDesk, db: Database) -> None:
    """Contract 1.2 and 4: by account number, pages across accounts; JSON comes by the hundred."""
    other, unread = await new_desk(), await new_desk()
    await principals.grant(db, rope.principal_id, other.account_id, list(Privilege))
    await principals.grant(db, rope.principal_id, unread.account_id, [Privilege.CONTACTS_WRITE])
    shared = await rope.again()
    await shared.each(request("AddContacts", *(contact(Firstname=f"A{n}") for n in range(3))))
    theirs = [contact({"account_id": other.account_id}, Firstname=f"B{n:03}") for n in range(120)]
    await shared.each(request("AddContacts", *theirs))
    ours_first = rope.account_id < other.account_id
    names = [f"A{n}" for n in range(3)] + [f"B{n:03}" for n in range(120)]
    expected = names if ours_first else names[3:] + names[:3]
    assert await found(shared, get_all="true") == expected
    assert await found(shared, account_id=other.account_id, firstname="B007") == ["B007"]

    async def page(**attributes: object) -> list[str]:
        content = await shared.send(element("GetContactsRequest", {"get_all": "true", "response": "json"} | attributes))
        answer = json.loads(content)["getcontactsresponse"]
        assert answer["totalmatchingcontacts"] == "123"
        return [each["firstname"] for each in answer["contacts"]["contact"]]

    assert await page() == expected[:100]
    assert await page(start_chunk_page=1) == expected[100:]
    assert await page(start_chunk_page=1, start_chunk_size=2) == expected[2:4]
    assert await found(shared, get_all="true", start_chunk_page=0, start_chunk_size=4) == expected[:4]


async def test_json(rope: Rope) -> None:
    """Contract 7: without paging everything, streamed; lists are arrays, empty ones too."""
    await created(rope, "News")
    await added_one(rope, Firstname="Ada", Groups=listed("Group", "News"))
    form = {"email": rope.email, "auth_token": rope.token, "xml": "<GetContactsRequest response='json'/>"}
    content_type, content = await posted(rope.front, form)
    assert content_type == JSON
    answer = json.loads(content)["getcontactsresponse"]
    assert list(answer) == ["result", "contacts", "totalmatchingcontacts"]
    [ada] = answer["contacts"]["contact"]
    assert (ada["firstname"], ada["tags"], ada["groups"]["group"][0]["name"]) == ("Ada", {"tag": []}, "News")
    nobody = json.loads(await rope.send("<GetContactsRequest response='json' contact_id='99'/>"))
    assert nobody["getcontactsresponse"] == {
        "result": "Success",
        "contacts": {"contact": []},
        "totalmatchingcontacts": "0",
    }


REFUSED: Sequence[tuple[dict[str, str], int]] = (
    ({"group_id": "999"}, 1004),
    ({"group_id": "x"}, 1003),
    ({"contact_id": "x"}, 1003),
    ({"updated_timestamp": "2026"}, 1003),
    ({"Unsubscribed": "true", "Unsubscribed_startdate": "20180230"}, 1003),
    ({"Bounced": "true", "Bounced_enddate": "x"}, 1003),
    ({"start_chunk_page": "-1"}, 1003),
    ({"start_chunk_size": "0"}, 1003),
    ({"start_chunk_size": "x"}, 1003),
    ({"search": "x", "get_all": "true"}, 1003),
    ({"account_id": "999999"}, 1007),
    ({"group_id": "999", "get_all": "true"}, 1004),
)


async def test_what_is_refused(rope: Rope) -> None:
    """Contract 4: the contract's table; days without their flag are ignored."""
    for attributes, code in REFUSED:
        assert await rope.refused(element("GetContactsRequest", attributes)) == code, attributes
    await rope.done(element("GetContactsRequest", {"Unsubscribed_startdate": "x", "search": ""}))


async def test_the_seeds_requests(rope: Rope) -> None:
    """Contract 4 and the seed: each as it stands, but for numbers of groups and accounts."""
    group_id = await created(rope, "G")
    real = {
        'group_id="9985"': f'group_id="{group_id}"',
        'group_id="4"': f'group_id="{group_id}"',
        'account_id="123456"': f'account_id="{rope.account_id}"',
        'account_id="4"': f'account_id="{rope.account_id}"',
    }
    for document in examples("seed", "GetContactsRequest"):
        content = await rope.send(placed(document, real))
        total = b'"totalmatchingcontacts":"0"' if b"json" in document.encode() else b"Contacts>0</Total"
        assert total in content, document
