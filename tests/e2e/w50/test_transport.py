"""Who may ask, in which media types, and what the errors are, over HTTP (contract w50.md)."""

import asyncio
import base64
import json
from unittest.mock import patch
from uuid import uuid4

from lxml import etree

from engine import principals
from engine.principals import Privilege
from engine.sets import catalog
from engine.settings import Settings
from tests.e2e.api.front import open_front
from tests.e2e.w50.client import Client
from tests.integration.conftest import NewDesk
from tests.unit.api.w50.examples import CONTRACT_XML, FIELDS, LISTS, SEED_XML
from tests.unit.api.w50.test_documents import canonical

MODELS = "{http://schemas.datacontract.org/2004/07/W50API.Models.DTO}"
XML = {"Content-Type": "application/xml", "Accept": "application/xml"}


def basic(name: str, password: str) -> str:
    return "Basic " + base64.b64encode(f"{name}:{password}".encode()).decode()


class TestWhoMay:
    async def test_users_and_tokens(self, client: Client) -> None:
        """Contract 1: Basic with a user's name and password, or Bearer with a token of the account."""
        desk, name = client.desk, f"ada-{uuid4().hex}"
        await principals.create_user(desk.db, desk.account_id, name, "pässword:1", tuple(Privilege))
        for shown in (basic(name, "pässword:1"), f"bearer {client.front.token}"):
            assert await client.done("GET", client.path, Authorization=shown)

    async def test_others_are_401_whatever_they_ask(self, client: Client) -> None:
        """Contract 1 and 9: before path, list, rights and body."""
        for shown in ["", "Basic", "Basic x", basic("nobody", "x"), basic("nobody", ""), "Bearer x", "Digest x"]:
            stranger = Client(client.front.as_(None), client.contact_list)
            for method, path in (("GET", client.path), ("DELETE", client.path), ("POST", "/Which50API/nothing")):
                answer = await stranger.ask(method, path, **({"Authorization": shown} if shown else {}))
                assert answer.status == 401
                assert answer.headers["WWW-Authenticate"] == 'Basic realm="W50", Bearer'

    async def test_rights_come_after_the_list(self, client: Client) -> None:
        """Contract 1 and 9: 404 for a list that is not there, 403 without the right, then 417."""
        desk = client.desk
        token = await principals.create_token(desk.db, desk.account_id, "reader", [Privilege.LISTS_READ])
        reader = Client(client.front.as_(token), client.contact_list)
        assert await reader.done("GET", client.path)
        await reader.refused(403, "POST", f"{client.path}/contact", b"nonsense")
        await reader.refused(404, "POST", "/Which50API/contactLists/999/contact", b"nonsense")
        await reader.refused(403, "POST", "/Which50API/contactLists/x/contact", b"nonsense")
        await reader.refused(403, "GET", f"/Which50API/contacts/{'0' * 32}")

    async def test_every_call_has_its_right(self, client: Client) -> None:
        """Contract 1 and 9: who has all others is told 403, whatever else is wrong."""
        desk = client.desk
        for privilege, calls in {
            Privilege.LISTS_READ: ["GET", "GET /", "GET /fields"],
            Privilege.CONTACTS_READ: ["GET contacts"],
            Privilege.CONTACTS_WRITE: [
                "POST /contact",
                "PUT /contact",
                "PATCH /contact",
                "POST /import",
                "POST /import/1",
                "POST /import/1/run",
                "GET /import/1",
            ],
        }.items():
            others = [each for each in Privilege if each is not privilege]
            token = await principals.create_token(desk.db, desk.account_id, f"no {privilege}", others)
            for call in calls:
                method, _, path = call.partition(" ")
                whole = {"": "/Which50API/contactLists", "contacts": "/Which50API/contacts/x"}.get(path)
                caller = Client(client.front.as_(token), client.contact_list)
                await caller.refused(403, method, whole or client.path + path, None if method == "GET" else b"x")

    async def test_who_asks_too_often(self, settings: Settings, client: Client, token: str) -> None:
        """Contract 10: 503, and when to try again."""
        limited = settings.model_copy(update={"requests_per_second": 1})
        async with open_front(limited, client.desk, token) as front:
            caller = Client(front, client.contact_list)
            answers = [await caller.ask("GET", client.path) for _ in range(5)]
        [refused, *_] = [answer for answer in answers if answer.status != 200]
        assert (refused.status, refused.headers["Retry-After"]) == (503, "5")

    async def test_another_accounts_list_is_unknown(self, client: Client, new_desk: NewDesk) -> None:
        """Contract 9: 404."""
        other = await new_desk()
        theirs = max([(await other.new_list()).set_no for _ in range(3)])
        await client.refused(404, "GET", f"/Which50API/contactLists/{theirs}")


class TestPaths:
    async def test_case_is_the_same(self, client: Client) -> None:
        """Contract 1."""
        path = client.path.upper()
        assert (await client.done("GET", path))["Id"] == client.contact_list.set_no
        assert await client.done("GET", path + "/FIELDS/") != []

    async def test_numbers_of_lists(self, client: Client) -> None:
        """Contract 9: no integer is 417, none below 1 exists."""
        for number, status in [
            ("x", 417),
            ("1.5", 417),
            ("%D9%A3", 417),
            ("0", 404),
            ("-1", 404),
            ("99999", 404),
            ("9" * 400, 404),
            ("1%00", 417),
        ]:
            await client.refused(status, "POST", f"/Which50API/contactLists/{number}/contact", {"Values": {"Age": 1}})

    async def test_other_methods_are_405(self, client: Client) -> None:
        """Contract 9."""
        answer = await client.ask("DELETE", f"{client.path}/contact")
        assert (answer.status, answer.headers["Allow"]) == (405, "PATCH, POST, PUT")
        await client.refused(404, "GET", f"{client.path}/nothing")
        await client.refused(404, "GET", "/Which50API")


class TestMedia:
    async def test_xml_both_ways(self, client: Client) -> None:
        """Contract 2.3 and 4: the document of 2.3, sent without ids, comes back with them."""
        sent = etree.fromstring(CONTRACT_XML)
        for name in ("EncContactId", "Id"):
            [gone] = [each for each in sent if etree.QName(each).localname == name]
            sent.remove(gone)
        answer = await client.ask("POST", f"{client.path}/contact", etree.tostring(sent), **XML)
        assert answer.status == 200, answer.content
        [contact] = await client.desk.rows("contact")
        found = (await client.ask("GET", "/Which50API/contactLists", Accept="text/xml")).content
        assert etree.fromstring(found).tag == MODELS + "ArrayOfContactsList"
        texts = {etree.QName(each).localname: each.text for each in etree.fromstring(answer.content)}
        assert (texts["Id"], texts["ListId"]) == (str(contact["contact_no"]), str(client.contact_list.set_no))
        example = etree.fromstring(CONTRACT_XML)
        for each in example:
            each.text = texts.get(etree.QName(each).localname) or each.text
        [values] = [each for each in example if etree.QName(each).localname == "Values"]
        pair = etree.fromstring(etree.tostring(values[0]))
        values.remove(values[1])
        pair[0].text, pair[1].text = "Diet", "None"
        values.append(pair)
        assert canonical(answer.content) == canonical(etree.tostring(example))

    async def test_errors_are_of_the_type_that_is_wanted(self, client: Client) -> None:
        """Contract 9."""
        for accept in ["application/xml", "text/xml"]:
            answer = await client.ask("POST", f"{client.path}/contact", {"Values": {"Foo": 1}}, Accept=accept)
            message = f"Field 'Foo' does not exist in contact list {client.contact_list.set_no}."
            assert answer.content.decode() == f"<Error><Message>{message}</Message></Error>"
            assert answer.headers["Content-Type"] == f"{accept}; charset=utf-8"

    async def test_faults_are_500(self, client: Client) -> None:
        """Contract 1 and 9: in the words of the dialect, and of the type that is wanted."""
        with patch.object(catalog, "everyone_of", side_effect=RuntimeError("secret")):
            message = await client.refused(500, "GET", "/Which50API/contactLists")
            answer = await client.ask("GET", "/Which50API/contactLists", Accept="text/xml")
        assert "secret" not in message
        assert (answer.status, answer.content.decode()) == (500, f"<Error><Message>{message}</Message></Error>")

    async def test_other_types_are_417(self, client: Client) -> None:
        """Contract 1."""
        for content_type in ["text/plain", "application/x-www-form-urlencoded", "multipart/form-data"]:
            body = b'{"Values":{"Age":1}}'
            await client.refused(
                417, "POST", f"{client.path}/contact", body, **{"Content-Type": content_type, "Accept": "text/json"}
            )

    async def test_the_seeds_sample_names_no_fields_of_this_list(self, client: Client) -> None:
        """Contract 2.2: it is read, and its names are unknown."""
        answer = await client.ask("PUT", f"{client.path}/contact", SEED_XML.encode(), **XML)
        assert (answer.status, b"sample string 1" in answer.content) == (417, True)


class TestHostileBodies:
    async def test_they_are_417(self, client: Client) -> None:
        """Contract 2.3, 9 and 10."""
        for body, content_type in [
            (b"", "application/json"),
            (b"", "application/xml"),
            (b"[]", "application/json"),
            (b"\xff\xfe", "application/json"),
            (b'{"Values":' + b'{"a":' * 100_000, "application/json"),
            (b"[" * 500_000, "text/json"),
            (b"<a>" * 10_000, "application/xml"),
            (
                b'<!DOCTYPE a [<!ENTITY b "lol"><!ENTITY c "&b;&b;&b;&b;&b;&b;">]><Contact>&c;</Contact>',
                "application/xml",
            ),
            (b'<!DOCTYPE a SYSTEM "file:///etc/passwd"><Contact/>', "text/xml"),
            (b'{"Values":{"Age":1}}' + b" " * 2**20, "application/json"),
        ]:
            await client.refused(
                417, "PUT", f"{client.path}/contact", body, **{"Content-Type": content_type, "Accept": "text/json"}
            )

    async def test_a_hundred_megabytes_are_refused_by_their_length(self, client: Client) -> None:
        """Contract 10: at once, before anything of it is sent."""
        host, port = client.front.address.removeprefix("http://").split(":")
        reader, writer = await asyncio.open_connection(host, int(port))
        head = (
            f"POST {client.path}/contact HTTP/1.1\r\nHost: x\r\nAuthorization: Bearer {client.front.token}\r\n"
            "Content-Type: application/xml\r\nContent-Length: 104857600\r\n\r\n"
        )
        writer.write(head.encode())
        assert (await reader.readline()).startswith(b"HTTP/1.1 417 ")
        writer.close()

    async def test_who_asks_first_may_go_on(self, client: Client) -> None:
        """Contract 9: `Expect: 100-continue` is no expectation that fails."""
        host, port = client.front.address.removeprefix("http://").split(":")
        reader, writer = await asyncio.open_connection(host, int(port))
        body = b'{"Values":{"Age":1}}'
        head = (
            f"POST {client.path}/contact HTTP/1.1\r\nHost: x\r\nAuthorization: Bearer {client.front.token}\r\n"
            f"Content-Type: application/json\r\nExpect: 100-continue\r\nContent-Length: {len(body)}\r\n\r\n"
        )
        writer.write(head.encode())
        assert (await reader.readuntil(b"\r\n\r\n")) == b"HTTP/1.1 100 Continue\r\n\r\n"
        writer.write(body)
        assert (await reader.readline()) == b"HTTP/1.1 200 OK\r\n"
        writer.close()


class TestLists:
    async def test_lists(self, client: Client) -> None:
        """Contract 7: every list with its number of contacts; one by its number."""
        for _ in range(2):
            await client.post({"Age": 1})
        named = client.contact_list
        shown = {"Id": named.set_no, "Name": named.name, "Count": 2}
        assert await client.done("GET", "/Which50API/contactLists") == [shown]
        assert await client.done("GET", client.path) == shown
        assert list(shown) == list(json.loads(LISTS)[0])

    async def test_fields(self, client: Client) -> None:
        """Contract 7: by position, with what they may be."""
        found = await client.done("GET", f"{client.path}/fields")
        assert [list(each) for each in found] == [list(json.loads(FIELDS)[0])] * len(found)
        types = {each["Name"]: each["MapType"] for each in found}
        assert types == {
            **dict.fromkeys(("FirstName", "Surname", "AccountRef", "Address1"), "Text"),
            "Email": "Email",
            "Second Email": "Email",
            "Mobile": "Mobile",
            "Age": "Number",
            "Born": "Date",
            "Member": "Boolean",
            "Diet": "List",
        }
        assert [each["Position"] for each in found] == list(range(1, len(found) + 1))
        assert found[-1]["DefaultValue"] == "None"
        assert found[-1]["ContactSchemaFieldValues"] == [
            {"Id": 1, "Value": "None", "Order": 1, "InUse": True},
            {"Id": 2, "Value": "Vegan", "Order": 2, "InUse": True},
        ]
        document = (await client.ask("GET", f"{client.path}/fields", Accept="application/xml")).content
        assert etree.fromstring(document).tag == MODELS + "ArrayOfContactSchemaField"

    async def test_contacts_that_are_not_there(self, client: Client) -> None:
        """Contract 2.1 and 3: nobody is told what an id deciphers to."""
        for enc_id in ["0" * 32, "x", "%00", "é"]:
            message = await client.refused(404, "GET", f"/Which50API/contacts/{enc_id}")
            assert message == "There is no such contact."
