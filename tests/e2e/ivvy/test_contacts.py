"""Adding, changing and telling of contacts and their custom fields (contract ivvy.md 9)."""

import asyncio
import re
from datetime import UTC, datetime
from typing import Any

import pytest

from engine import events, fields
from engine.activities.inline import Inline
from engine.contacts.changes import Changes
from engine.fields import Definition, Field
from engine.operations.contact_save import SaveContact
from engine.sets import catalog
from engine.sets.catalog import SetKind
from tests.e2e.ivvy.client import Ivvy

STAMP = re.compile(r"\d{4}-\d\d-\d\d \d\d:\d\d:\d\d")
ANN = {"firstName": "Ann", "lastName": "Ash", "email": "ann@example.org"}


async def save(client: Ivvy, **said: object) -> int:
    answer = await client.call("contact", "addOrUpdateContact", said)
    assert answer.keys() == {"success", "id"}
    assert answer["success"] is True
    return int(answer["id"])


async def not_saved(client: Ivvy, **said: object) -> str:
    """The message of a failure, after which nothing is saved."""
    before = await client.desk.rows("contact")
    answer = await client.call("contact", "addOrUpdateContact", said)
    assert answer == {"success": False, "id": None, "message": answer["message"]}
    assert await client.desk.rows("contact") == before
    return str(answer["message"])


async def told(client: Ivvy, contact_no: int) -> Any:
    return await client.call("contact", "getContact", {"id": contact_no})


async def new_set(client: Ivvy, kind: SetKind, name: str) -> int:
    async with client.desk.db.account(client.desk.account_id) as tx:
        return (await catalog.create(tx, kind, name)).set_no


async def new_field(client: Ivvy, label: str, **said: Any) -> Field:
    async with client.desk.db.account(client.desk.account_id) as tx:
        return await fields.create(tx, Definition(label, **said))


async def test_a_contact_with_everything(ivvy_client: Ivvy) -> None:
    """Contract ivvy.md 9.1 and 9.2: every parameter, and the members in the form of the example."""
    client = ivvy_client
    group, company = (
        await new_set(client, SetKind.LIST, "Newsletter"),
        await new_set(client, SetKind.COMPANY, "Acorn Pty"),
    )
    diet = await new_field(client, "Diet")
    async with client.desk.db.account(client.desk.account_id) as tx:
        event = await events.create(tx, events.Details("Gala", "GALA26", datetime(2096, 5, 1, 8, tzinfo=UTC)))
    number = await save(
        client,
        **ANN,
        phone="0400000001",
        externalId="X-1",
        groups=[{"groupId": group}],
        customFields=[{"fieldId": diet.field_no, "value": "None"}],
        companies=[company],
        status=1,
        smsStatus=1,
        externalUrls=[{"ref": "a", "url": "https://a.example/", "label": "A"}],
        privacyConsent=True,
    )
    invited = await client.call("event", "inviteContacts", {"event": event.set_no, "contacts": [number]})
    contact = await told(client, number)
    assert STAMP.fullmatch(contact["groups"][0].pop("joinDate"))
    for place, name in ((contact["privacyConsentData"], "dateTime"), (contact, "modifiedDate")):
        assert STAMP.fullmatch(place.pop(name).removesuffix(" UTC"))
    assert contact == {
        "id": number,
        **ANN,
        "phone": "0400000001",
        "status": 1,
        "smsStatus": 1,
        "customFields": [{"fieldId": diet.field_no, "displayName": "Diet", "value": "None"}],
        "groups": [{"contactId": number, "groupId": group}],
        "companies": [company],
        "companiesData": [{"id": company, "businessName": "Acorn Pty"}],
        "externalId": "X-1",
        "isAnonymised": False,
        "eventInvitations": [
            {
                "eventId": event.set_no,
                "eventCode": "GALA26",
                "eventStartDateTime": "2096-05-01 08:00:00 UTC",
                **{name: invited["results"][0][name] for name in ("inviteLinkYes", "inviteLinkNo")},
                "response": "U",
            }
        ],
        "eventRegistrations": [],
        "externalUrls": [{"ref": "a", "url": "https://a.example/", "label": "A"}],
        "privacyConsentData": {"source": 5},
    }


async def test_what_is_not_said_stays_and_groups_are_replaced(ivvy_client: Ivvy) -> None:
    """Contract ivvy.md 9.1: id, groups, companies, customFields; the SDK sends the id as a text."""
    client = ivvy_client
    groups = [await new_set(client, SetKind.LIST, f"group {nth}") for nth in range(3)]
    tag = await new_set(client, SetKind.TAG, "a tag")
    diet, seat = await new_field(client, "Diet"), await new_field(client, "Seat")
    values = [{"fieldId": diet.field_no, "value": "None"}, {"fieldId": seat.field_no, "value": "12"}]
    number = await save(
        client, **ANN, phone="1", groups=[{"groupId": no} for no in groups[:2]], customFields=values, companies=[]
    )
    await Inline(client.desk.db).write_all(
        client.desk.principal, [SaveContact(number, Changes(joins=frozenset({tag})))]
    )
    changed = {"id": str(number), "LastName": "Oak", "groups": [{"groupId": no} for no in groups[1:]]}
    assert await save(client, **changed, customFields=[{"fieldId": seat.field_no, "value": ""}], phone=None) == number
    contact = await told(client, number)
    assert (contact["firstName"], contact["lastName"], contact["phone"]) == ("Ann", "Oak", "1")
    assert [each["groupId"] for each in contact["groups"]] == groups[1:]
    assert [each["fieldId"] for each in contact["customFields"]] == [diet.field_no]
    companies = [await new_set(client, SetKind.COMPANY, name) for name in ("Acorn", "Beech")]
    for company in companies:
        await save(client, id=number, companies=[company])
        assert (await told(client, number))["companies"] == [company]
    await save(client, id=number, phone="", groups=[])
    contact = await told(client, number)
    assert (contact["phone"], contact["groups"], contact["companies"]) == (None, [], companies[1:])
    assert await client.desk.members(tag) == {number}


async def test_a_contact_is_its_names_and_its_address(ivvy_client: Ivvy) -> None:
    """Contract ivvy.md 9.1: the same identity exists; updateIfExists. Another may have the address."""
    client = ivvy_client
    first = await save(client, **ANN)
    assert "already" in await not_saved(client, **{**ANN, "email": "ANN@example.org"})
    assert await save(client, **{**ANN, "firstName": " ann"}, phone="2", updateIfExists=True) == first
    assert (await told(client, first))["phone"] == "2"
    twin = await save(client, **{**ANN, "firstName": "Bo"})
    assert twin != first
    assert (await told(client, twin))["email"] == ANN["email"]
    new = {**ANN, "email": "new@example.org", "updateIfExists": True}
    numbers = await asyncio.gather(*(save(client, **new) for _ in range(3)))
    assert len(set(numbers)) == 1


@pytest.mark.parametrize(
    ("said", "code", "name"),
    [
        ({}, 23017, "firstName"),
        ({"id": ""}, 23017, "firstName"),
        ({"id": None, "firstName": "A"}, 23017, "lastName"),
        ({"firstName": "A", "LastName": "B"}, 23017, "email"),
        ({**ANN, "firstName": ""}, 23017, "firstName"),
        ({**ANN, "lastName": " "}, 23017, "lastName"),
        ({**ANN, "email": " "}, 23017, "email"),
        ({**ANN, "email": "no address"}, 23016, "email"),
        ({**ANN, "email": 7}, 23016, "email"),
        ({**ANN, "phone": "a\0b"}, 23016, "phone"),
        ({**ANN, "phone": "1" * 256}, 23016, "phone"),
        ({**ANN, "groups": [1]}, 23016, "groups"),
        ({**ANN, "groups": [{}]}, 23016, "groups"),
        ({**ANN, "companies": ["x"]}, 23016, "companies"),
        ({**ANN, "customFields": [{"value": 1}]}, 23016, "customFields"),
        ({**ANN, "status": 4}, 23016, "status"),
        ({**ANN, "status": True}, 23016, "status"),
        ({**ANN, "smsStatus": 5}, 23016, "smsStatus"),
        ({**ANN, "updateIfExists": 1}, 23016, "updateIfExists"),
        ({**ANN, "externalUrls": [{"url": "https://a.example"}]}, 23016, "externalUrls"),
        ({**ANN, "externalUrls": [{"ref": "a", "url": "http://a.example"}]}, 23016, "externalUrls"),
        (
            {**ANN, "externalUrls": [{"ref": str(no), "url": "https://a.example"} for no in range(4)]},
            23016,
            "externalUrls",
        ),
        ({**ANN, "privacyConsent": "yes"}, 23016, "privacyConsent"),
        ({"id": "x"}, 23016, "id"),
        ({"id": [1]}, 23016, "id"),
    ],
)
async def test_parameters_that_do_not_validate(ivvy_client: Ivvy, said: object, code: int, name: str) -> None:
    """Contract ivvy.md 9.1: type errors and what is missing, 400."""
    refused = await ivvy_client.refused("contact", "addOrUpdateContact", said)
    words = {23017: f"'{name}' is required", 23016: f"'{name}' does not validate"}
    assert (refused["errorCode"], refused["specificCode"], refused["message"]) == (400, code, words[code])


async def test_what_cannot_be_done_is_answered_so(ivvy_client: Ivvy) -> None:
    """Contract ivvy.md 9.1: unknown group, company, field; a value that does not fit; nothing is saved."""
    client = ivvy_client
    group, company = await new_set(client, SetKind.LIST, "a group"), await new_set(client, SetKind.COMPANY, "Acorn")
    number = await save(client, **ANN)
    count = await new_field(client, "Count", type="number")
    of_list = await new_field(client, "Of the list", set_no=group)
    for said in (
        {"groups": [{"groupId": company}]},
        {"groups": [{"groupId": 2**40}]},
        {"companies": [group]},
        {"companies": [999]},
        {"customFields": [{"fieldId": 999, "value": "x"}]},
        {"customFields": [{"fieldId": of_list.field_no, "value": "x"}]},
        {"customFields": [{"fieldId": count.field_no, "value": 1.5}]},
        {"customFields": [{"fieldId": count.field_no, "value": "many"}]},
    ):
        assert await not_saved(client, id=number, firstName="Other", **said)
        assert await not_saved(client, firstName="New", lastName="Person", email="new@example.org", **said)


@pytest.mark.parametrize("number", [0, -1, 999, 2**62, "77"])
async def test_an_unknown_contact(ivvy_client: Ivvy, number: object) -> None:
    """Contract ivvy.md 9.1 and 9.2: 404 and 24096, for a deleted one, too."""
    client = ivvy_client
    await client.desk.make_contacts(1, deleted=True)
    expected = {"errorCode": 404, "message": "Unable to find contact", "specificCode": 24096}
    for unknown in (number, 1):
        assert await client.refused("contact", "getContact", {"id": unknown}) == expected
        assert await client.refused("contact", "addOrUpdateContact", {"id": unknown, "phone": "1"}) == expected
    assert (await client.refused("contact", "getContact"))["specificCode"] == 23017


async def test_fields_of_a_list_are_not_told(ivvy_client: Ivvy) -> None:
    """Contract ivvy.md 9.2: only global custom fields; useEventSortOrder changes nothing of the one event order."""
    client = ivvy_client
    group = await new_set(client, SetKind.LIST, "a group")
    seat, everybodys = await new_field(client, "Seat", set_no=group), await new_field(client, "Diet")
    number = await save(client, **ANN, groups=[{"groupId": group}])
    values = {seat.field_no: "12", everybodys.field_no: "None"}
    write = SaveContact(number, Changes(custom_values=values))
    await Inline(client.desk.db).write_all(client.desk.principal, [write])
    contact = await client.call("contact", "getContact", {"id": number, "useEventSortOrder": True})
    [listed] = (await client.call("contact", "getContactList"))["results"]
    for each in (contact, listed):
        assert [field["fieldId"] for field in each["customFields"]] == [everybodys.field_no]
    definitions = await client.call("contact", "getCustomFieldDefinition")
    assert [each["fieldId"] for each in definitions] == [everybodys.field_no]


async def test_statuses(ivvy_client: Ivvy) -> None:
    """Contract ivvy.md 9.1: 1, 2, 3 and 5 can be set; design: who has unsubscribed joins no group."""
    client = ivvy_client
    group = await new_set(client, SetKind.LIST, "a group")
    number = await save(client, **ANN, groups=[{"groupId": group}])
    contact = await told(client, number)
    assert (contact["status"], contact["smsStatus"]) == (1, 4)
    for status in (5, 3, 2):
        await save(client, id=number, status=status, smsStatus=2)
        contact = await told(client, number)
        assert (contact["status"], contact["smsStatus"], len(contact["groups"])) == (status, 2, 1)
    other = await new_set(client, SetKind.LIST, "another")
    assert "unsubscribed" in await not_saved(client, id=number, groups=[{"groupId": other}])
    await save(client, id=number, status=1)
    assert (await told(client, number))["status"] == 1
    for status in (1, 2, 3, 4):
        await save(client, id=number, smsStatus=str(status))
        assert (await told(client, number))["smsStatus"] == status
    for number, (permission, status) in enumerate({"explicit": 1, "pending_confirmation": 4, "not_set": 5}.items(), 9):
        await client.desk.make_contacts(1, first=number, permission=permission)
        assert (await told(client, number))["status"] == status
    await save(client, id=9, status=1)
    assert {row["permission"] for row in await client.desk.rows("contact") if row["contact_no"] == 9} == {"explicit"}


async def test_external_urls(ivvy_client: Ivvy) -> None:
    """Contract ivvy.md 9.1: by their ref; url null removes one, null all; three at most."""
    client = ivvy_client
    number = await save(client, **ANN, externalUrls=[{"ref": ref, "url": f"https://{ref}.example"} for ref in "ab"])

    async def after(urls: object) -> list[tuple[str, str]]:
        await save(client, id=number, externalUrls=urls)
        return [(each["ref"], each["url"]) for each in (await told(client, number))["externalUrls"]]

    a, b, c = [(ref, f"https://{ref}.example") for ref in "abc"]
    assert await after([{"ref": "c", "url": c[1], "label": "C"}]) == [a, b, c]
    assert "3" in await not_saved(client, id=number, externalUrls=[{"ref": "d", "url": a[1]}])
    assert await after([{"ref": "a", "url": None}, {"ref": "b", "url": c[1]}]) == [("b", c[1]), c]
    assert await after([]) == [("b", c[1]), c]
    assert await after(None) == []


async def test_privacy_consent(ivvy_client: Ivvy) -> None:
    """Contract ivvy.md 9.1 and 9.2: given by the API, at a time that stays."""
    client = ivvy_client
    number = await save(client, **ANN)
    assert (await told(client, number))["privacyConsentData"] is None
    await save(client, id=number, privacyConsent=True)
    assert (await told(client, number))["privacyConsentData"]["source"] == 5
    earlier = """profile = jsonb_set(profile, '{privacy_consent,dateTime}', '"then"')"""
    await client.desk.owner.execute(f"UPDATE contact SET {earlier} WHERE account_id = $1", client.desk.account_id)
    await save(client, id=number, privacyConsent=True)
    assert (await told(client, number))["privacyConsentData"] == {"source": 5, "dateTime": "then"}
    await save(client, id=number, privacyConsent=False)
    assert (await told(client, number))["privacyConsentData"] is None


async def test_custom_fields_of_every_type(ivvy_client: Ivvy) -> None:
    """Contract ivvy.md 9.4, its types, and 9.1: values by type; 9.2: as they were given."""
    client = ivvy_client
    assert await client.call("contact", "getCustomFieldDefinition") == []
    address = {"line1": "1 Green Road", "city": "Cork", "countryCode": "IE"}
    types: list[tuple[str, int, object, tuple[str, ...]]] = [
        ("string", 0, "short", ()),
        ("text", 1, "long\ntext", ()),
        ("choice", 2, "Red", ("Red", "Blue")),
        ("choices", 3, ["Red", "Blue"], ("Red", "Blue", "Green")),
        ("address", 4, address, ()),
        ("date", 5, "2026-01-15", ()),
        ("file", 6, "a.pdf", ()),
        ("number", 8, 42, ()),
        ("email", 0, "ann@example.org", ()),
        ("mobile", 0, "0400000001", ()),
    ]
    made = [await new_field(client, name, type=name, choices=choices) for name, _, _, choices in types]
    static = await new_field(client, "static", type="static", required=True, position=1)
    definitions = await client.call("contact", "getCustomFieldDefinition")
    assert definitions[0] == {
        "fieldId": static.field_no,
        "fieldType": 7,
        "displayName": "static",
        "isRequired": True,
        "isActive": True,
        "sortOrder": 1,
        "selectValues": None,
        "fileTypes": None,
    }
    told_types = [(each["displayName"], each["fieldType"], each["selectValues"]) for each in definitions[1:]]
    assert told_types == [(name, code, list(choices) or None) for name, code, _, choices in types]
    wanted = await new_field(client, "wanted", type="boolean")
    definition = (await client.call("contact", "getCustomFieldDefinition"))[-1]
    assert (definition["fieldType"], definition["selectValues"]) == (2, ["true", "false"])
    values = [{"fieldId": field.field_no, "value": each[2]} for field, each in zip(made, types, strict=True)]
    values.append({"fieldId": wanted.field_no, "value": "true"})
    number = await save(client, **ANN, customFields=values)
    kept = (await told(client, number))["customFields"]
    assert [{"fieldId": each["fieldId"], "value": each["value"]} for each in kept] == values
    for field, wrong in zip(
        [*made[2:6], made[7], static], ["Black", ["Black"], {"street": 1}, "soon", "x", "x"], strict=True
    ):
        assert await not_saved(client, id=number, customFields=[{"fieldId": field.field_no, "value": wrong}])


async def test_a_date_is_told_in_one_form(ivvy_client: Ivvy) -> None:
    """Contract ivvy.md 3, dates: yyyy-mm-dd, whichever form v3 has stored it in."""
    client = ivvy_client
    field = await client.front.post("/v3/contact_custom_fields", {"label": "Day", "type": "date"})
    said = {"custom_field_id": field["custom_field_id"], "value": "1/15/2026"}
    ann = {"email_address": {"address": "ann@example.org"}, "create_source": "Account", "custom_fields": [said]}
    await client.front.post("/v3/contacts", ann)
    [value] = (await told(client, 1))["customFields"]
    assert value == {"fieldId": value["fieldId"], "displayName": "Day", "value": "2026-01-15"}
