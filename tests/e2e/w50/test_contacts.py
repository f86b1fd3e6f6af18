"""Contacts of a list, one or all that match, over HTTP (contract w50.md)."""

import asyncio
import json
import re
from collections.abc import AsyncIterator
from typing import Any
from uuid import UUID

import pytest

from engine import fields, hooks, principals
from engine.contacts import matching
from engine.database import Database
from engine.fields import Definition
from engine.sets.catalog import NamedSet
from tests.e2e.w50.client import Client
from tests.integration.conftest import NewDesk
from tests.integration.desk import Desk, until
from tests.receiver import listening
from tests.unit.api.w50.examples import INSERT, MATCH
from workers.delivery import Delivery


def nothing_to_tell(_db: Database, _account_id: int, _activity_id: UUID) -> AsyncIterator[bytes]:
    """No URL is called for an activity here."""
    raise AssertionError("no URL is to be called")


async def new_list(desk: Desk) -> NamedSet:
    """A list with a field."""
    made = await desk.new_list()
    async with desk.db.account(desk.account_id) as tx:
        await fields.create(tx, Definition("AccountRef", set_no=made.set_no))
    return made


ENC_ID = re.compile(r"[0-9a-f]{32}")


class TestInserting:
    async def test_the_contracts_insert(self, client: Client) -> None:
        """Contract 2.1 and 4: a new id, the path's list, the values that are set."""
        answer = await client.done("POST", f"{client.path}/contact", json.loads(INSERT))
        assert ENC_ID.fullmatch(answer["EncContactId"])
        assert list(answer) == ["EncContactId", "ListId", "Values"]
        assert answer["ListId"] == client.contact_list.set_no
        assert answer["Values"] == {"Email": "ada@example.org", "FirstName": "Ada", "Diet": "None"}
        assert await client.get(answer["EncContactId"]) == answer["Values"]
        assert len(await client.desk.members(client.contact_list)) == 1
        [row] = await client.desk.rows("contact")
        assert str(row["contact_id"]).replace("-", "") != answer["EncContactId"]
        assert (row["email"], row["permission"]) == ("ada@example.org", "implicit")

    async def test_two_contacts_may_have_one_address(self, client: Client) -> None:
        """Contract 9: a plain POST always inserts."""
        first, second = [await client.post({"Email": "ada@example.org"}) for _ in range(2)]
        assert first["EncContactId"] != second["EncContactId"]
        assert len(await client.desk.members(client.contact_list)) == 2

    async def test_in_which_list_it_is_told(self, client: Client) -> None:
        """Contract 3 and 11: of several that with fields, be it the last; groups of other dialects have none."""
        plain, with_fields = await client.desk.new_list(), await new_list(client.desk)
        elsewhere = Client(client.front, with_fields)
        made = await elsewhere.post({"AccountRef": "1"})
        await client.desk._put(plain.set_no, [1])
        path = f"/Which50API/contacts/{made['EncContactId']}"
        assert await client.done("GET", path) == made
        [row] = await client.desk.rows("contact")
        await client.desk.remove([row["contact_id"]], with_fields)
        await client.desk.finish_everything()
        assert await client.done("GET", path) == {**made, "ListId": plain.set_no, "Values": {}}

    async def test_every_property_and_type(self, client: Client) -> None:
        """Contract 2.2: names whatever their case, answered in the field's own spelling; values by their text."""
        said = {"EMAIL": "Ada@Example.org", "firstname": "Ada", "surname": "L", "mobile": "353870000001"}
        own = {"Age": 36, "born": "1815-12-10", "member": True, "diet": "VEGAN", "accountref": 0.5}
        made = await client.post({**said, **own, "Address1": None, "Second_Email": {}})
        assert made["Values"] == {
            "Email": "Ada@Example.org",
            "FirstName": "Ada",
            "Surname": "L",
            "Mobile": "353870000001",
            "AccountRef": "0.5",
            "Age": "36",
            "Born": "1815-12-10",
            "Member": "true",
            "Diet": "Vegan",
        }
        [row] = await client.desk.rows("contact")
        assert (row["first_name"], row["last_name"]) == ("Ada", "L")

    async def test_values_that_are_cleared_have_no_default(self, client: Client) -> None:
        """Contract 2.2: the default is for a field that is not named."""
        for nothing in list[object](["", {}]):
            assert (await client.post({"Diet": nothing, "Surname": "L"}))["Values"] == {"Surname": "L"}
        made = await client.post({"Age": 1, "Diet": None})
        assert made["Values"] == {"Age": "1"}
        body = {"EncContactId": made["EncContactId"], "Values": {"Age": 2}}
        assert (await client.done("POST", f"{client.path}/contact", body))["Values"] == {"Age": "2"}
        assert (await client.post({"Age": 2, "AccountRef": 3}, "?match=Age"))["Values"] == {
            "Age": "2",
            "AccountRef": "3",
        }

    async def test_numbers_and_times_fit_their_fields(self, client: Client) -> None:
        """Contract 2.2 and 2.3: numbers without an exponent, of a dateTime the day."""
        body = (
            b'{"Values":{"Age":1e-7,"AccountRef":1E22,"Born":"2026-01-15T00:00:00","Address1":"2026-01-15T00:00:00"}}'
        )
        made = await client.done("POST", f"{client.path}/contact", body)
        assert made["Values"] == {
            "AccountRef": "1" + 22 * "0",
            "Address1": "2026-01-15T00:00:00",
            "Age": "0.0000001",
            "Born": "2026-01-15",
            "Diet": "None",
        }

    async def test_long_values(self, client: Client) -> None:
        """Contract 10: 4,000 characters, whatever the field; they can be matched, too."""
        for field in ("FirstName", "Surname", "AccountRef"):
            made = await client.post({field: (long := "".join(map(chr, range(0x4E00, 0x4E00 + 4000)))), "Age": 1})
            assert made["Values"][field] == long
            again = await client.post({field: long, "Age": 2}, f"?match={field}")
            assert again["EncContactId"] == made["EncContactId"]

    async def test_what_is_wrong_writes_nothing(self, client: Client) -> None:
        """Contract 2.2, 9 and 10: 417."""
        wrong: list[object] = [
            {},
            None,
            {"Foo": 1},
            {"Email": "ada@example.org", "Foo": 1},
            {"Email": "nobody"},
            {"Second Email": "nobody"},
            {"Age": "old"},
            {"Born": "yesterday"},
            {"Member": "perhaps"},
            {"Diet": "Meat"},
            {"Mobile": "call me"},
            {"Email": []},
            {"Email": {"a": 1}},
            {"AccountRef": "x" * 4001},
            {"AccountRef": 10**4000},
            {"Born": "2026-02-30T00:00:00"},
            {"AccountRef": "\0"},
        ]
        for values in wrong:
            await client.refused(417, "POST", f"{client.path}/contact", {"Values": values})
            assert await client.desk.rows("contact") == []

    async def test_several_problems_are_told_at_once(self, client: Client) -> None:
        """Contract 9: the first is the message."""
        body = {"Values": {"Foo": 1, "Bar": 2, "Age": "old"}}
        answer = await client.ask("POST", f"{client.path}/contact", body)
        assert answer.status == 417
        assert answer.body["Message"] == f"Field 'Foo' does not exist in contact list {client.contact_list.set_no}."
        assert answer.body["Errors"][0] == answer.body["Message"]
        assert len(answer.body["Errors"]) == 3


class TestUpdating:
    async def test_by_its_id(self, client: Client) -> None:
        """Contract 2.2 and 4: what is not named stays, null and the empty text clear."""
        made = await client.post({"Email": "ada@example.org", "FirstName": "Ada", "AccountRef": "7", "Age": 1})
        body = {
            "EncContactId": made["EncContactId"],
            "ListId": 99,
            "Values": {"FirstName": "", "Age": None, "Surname": "L"},
        }
        changed = await client.done("PUT", f"{client.path}/contact", body)
        assert changed == {
            "EncContactId": made["EncContactId"],
            "ListId": client.contact_list.set_no,
            "Values": {"Email": "ada@example.org", "Surname": "L", "AccountRef": "7", "Diet": "None"},
        }
        assert len(await client.desk.rows("contact")) == 1

    @staticmethod
    async def elsewhere(client: Client, new_desk: NewDesk) -> Client:
        """Who asks for another account."""
        desk = await new_desk()
        token = await principals.create_token(desk.db, desk.account_id, "another")
        return Client(client.front.as_(token), await new_list(desk))

    async def test_ids_of_no_contact_of_the_list(self, client: Client, new_desk: NewDesk) -> None:
        """Contract 4: unknown, of another list, of another account, deleted: 417."""
        made = await client.post({"Email": "ada@example.org"})
        path, values = f"{client.path}/contact", {"AccountRef": "1"}
        for enc_id in ("sample string 2", "0" * 32, made["EncContactId"][:-1], "é", "\0"):
            await client.refused(417, "POST", path, {"EncContactId": enc_id, "Values": values})
        body = {"EncContactId": made["EncContactId"], "Values": values}
        stranger = await self.elsewhere(client, new_desk)
        for elsewhere in (Client(client.front, await new_list(client.desk)), stranger):
            assert "EncContactId" in await elsewhere.refused(417, "POST", f"{elsewhere.path}/contact", body)
        await stranger.refused(404, "GET", f"/Which50API/contacts/{made['EncContactId']}")
        [row] = await client.desk.rows("contact")
        await client.front.request("DELETE", f"/v3/contacts/{row['contact_id']}")
        assert "EncContactId" in await client.refused(417, "POST", path, body)
        await client.refused(404, "GET", f"/Which50API/contacts/{made['EncContactId']}")

    async def test_the_contracts_match(self, client: Client) -> None:
        """Contract 1 and 4: application/csp-report both ways; numbers are compared by their text."""
        media = {"Content-Type": "application/csp-report", "Accept": "application/csp-report"}
        path = f"{client.path}/contact?match=AccountRef,Email"
        made = await client.done("PUT", path, MATCH.encode(), **media)
        again = await client.done("PUT", path, MATCH.replace("0001", "0002").encode(), **media)
        assert again["EncContactId"] == made["EncContactId"]
        assert again["Values"] == {**made["Values"], "Mobile": "353870000002"}
        assert made["Values"]["AccountRef"] == "123456"

    async def test_a_match_that_says_nothing_else_changes_nothing(self, client: Client) -> None:
        """Contract 4: the one that matches is told of."""
        made = await client.post({"AccountRef": "1", "Age": 1})
        assert await client.post({"AccountRef": 1}, "?match=AccountRef") == made

    async def test_all_that_match_are_updated(self, client: Client) -> None:
        """Contract 4: several are told of by the request's values; `match` decides, whatever the id says."""
        for number in range(3):
            await client.post({"Email": f"c{number}@example.org", "AccountRef": "x" if number else "y"})
        body = {"EncContactId": "0" * 32, "Values": {"accountref": "x", "Surname": "L"}}
        answer = await client.done("POST", f"{client.path}/contact?MATCH= AccountRef ,, accountref", body)
        assert answer == {"EncContactId": None, "ListId": client.contact_list.set_no, "Values": body["Values"]}
        rows = sorted(await client.desk.rows("contact"), key=lambda row: row["contact_no"])
        assert [row["last_name"] for row in rows] == [None, "L", "L"]

    async def test_how_values_are_compared(self, client: Client) -> None:
        """Contract 4: exact text, e-mail addresses whatever their case, numbers by their text."""
        for field, stored, same, other in [
            ("Email", "Ada@example.org", "ADA@EXAMPLE.ORG", "eda@example.org"),
            ("Second Email", "Ada@example.org", "ADA@EXAMPLE.ORG", "eda@example.org"),
            ("FirstName", "Ada", "Ada", "ADA"),
            ("AccountRef", "aB", "aB", "AB"),
            ("Mobile", "353870000001", 353870000001, "353870000002"),
            ("Age", "7", 7, "8"),
            ("Member", True, "yes", False),
        ]:
            made = await client.post({field: stored})
            query = f"?match={field.replace(' ', '%20')}"
            again = await client.post({field: same, "Address1": "x"}, query)
            assert again == {**made, "Values": {**made["Values"], "Address1": "x"}}
            assert (await client.post({field: other, "Address1": "x"}, query))["EncContactId"] != made["EncContactId"]

    async def test_contacts_of_other_lists_do_not_match(self, client: Client) -> None:
        """Contract 4: of the list."""
        made = await client.post({"Email": "ada@example.org", "AccountRef": "1"})
        [row] = await client.desk.rows("contact")
        await client.desk.remove([row["contact_id"]], client.contact_list)
        await client.desk.finish_everything()
        again = await client.post({"Email": "ada@example.org"}, "?match=Email")
        assert again["EncContactId"] != made["EncContactId"]

    async def test_wrong_matches(self, client: Client) -> None:
        """Contract 4: no field of the list, or without a value: 417."""
        for query in ["?match=Foo", "?match=AccountRef", "?match=Email,AccountRef", "?match=a%00"]:
            body = {"Values": {"Email": "ada@example.org", "AccountRef": None}}
            await client.refused(417, "PUT", f"{client.path}/contact{query}", body)
            assert await client.desk.rows("contact") == []

    async def test_an_empty_match_is_none(self, client: Client) -> None:
        """Contract 9."""
        for _ in range(2):
            await client.post({"Email": "ada@example.org"}, "?match=")
        assert len(await client.desk.rows("contact")) == 2

    async def test_what_is_said_twice_at_once_inserts_once(self, client: Client) -> None:
        """Contract 4: create or update."""
        said = {"Email": "ada@example.org", "AccountRef": "1"}
        answers = await asyncio.gather(*(client.post(said, "?match=Email") for _ in range(8)))
        assert len({answer["EncContactId"] for answer in answers}) == 1

    async def test_many_get_one_address(self, client: Client) -> None:
        """Contract 9: no uniqueness is documented, and all are written or none."""
        for number in range(3):
            await client.post({"AccountRef": "x", "Email": f"c{number}@example.org"})
        await client.post({"AccountRef": "y", "Email": "one@example.org"})
        for _ in range(2):
            await client.post({"AccountRef": "x", "Email": "one@example.org"}, "?match=AccountRef")
        assert {row["email"] for row in await client.desk.rows("contact")} == {"one@example.org"}

    async def test_too_many_matches_write_nothing(self, client: Client, monkeypatch: pytest.MonkeyPatch) -> None:
        """Contract 9: 417."""
        monkeypatch.setattr(matching, "MOST", 2)
        for number in range(3):
            await client.post({"AccountRef": "x", "Surname": str(number)})
        body = {"Values": {"AccountRef": "x", "Surname": "L"}}
        await client.refused(417, "POST", f"{client.path}/contact?match=AccountRef", body)
        assert "L" not in {row["last_name"] for row in await client.desk.rows("contact")}


class TestPatching:
    async def test_the_contracts_patch(self, client: Client) -> None:
        """Contract 5: values are URL-decoded, other parameters are ignored; a bare object will do, too."""
        made = await client.post({"AccountRef": "123456", "Email": "ada@example.org"})
        path = f"{client.path}/contact?match=AccountRef,Email&AccountRef=123456&email=ada%40example.org&Age=x"
        for body in ({"Values": {"Address1": "1 Green Road"}}, {"Address1": "1 Green Road"}):
            answer = await client.done("PATCH", path, body)
            assert answer["EncContactId"] == made["EncContactId"]
            assert answer["Values"] == {**made["Values"], "Address1": "1 Green Road"}

    async def test_blanks_in_the_query(self, client: Client) -> None:
        """Contract 5: values are URL-decoded."""
        made = await client.post({"FirstName": "Ada B", "Second Email": "a@example.org"})
        query = "match=FirstName,Second+Email&FirstName=Ada+B&second%20email=A%40example.org"
        answer = await client.done("PATCH", f"{client.path}/contact?{query}", {"Values": {"Age": 1}})
        assert answer["EncContactId"] == made["EncContactId"]

    async def test_reserved_names_are_no_fields(self, client: Client) -> None:
        """Contract 5: 417 even if the list has such fields; a body may name them."""
        async with client.desk.db.account(client.desk.account_id) as tx:
            for name in ("Match", "CustomEvents"):
                await fields.create(tx, Definition(name, set_no=client.contact_list.set_no))
        await client.post({"Match": "match", "CustomEvents": "customevents"}, "?match=Match")
        for query in ("match=match", "match=customevents&customevents="):
            await client.refused(417, "PATCH", f"{client.path}/contact?{query}", {"Values": {"Age": 1}})

    async def test_it_never_inserts(self, client: Client) -> None:
        """Contract 5: nobody matches: the values come back."""
        path = f"{client.path}/contact?match=Email&Email=ada@example.org"
        answer = await client.done("PATCH", path, {"Values": {"Age": 7}})
        assert answer == {"EncContactId": None, "ListId": client.contact_list.set_no, "Values": {"Age": 7}}
        assert await client.desk.rows("contact") == []

    async def test_wrong_matches(self, client: Client) -> None:
        """Contract 5 and 9: 417."""
        for query in [
            "",
            "?match=",
            "?match=Email",
            "?match=Email&Email=",
            "?match=Foo&Foo=1",
            "?match=Age&Age=x",
            "?Email=a@b.c",
        ]:
            await client.refused(417, "PATCH", f"{client.path}/contact{query}", {"Values": {"Age": 7}})


class TestCustomEvents:
    @staticmethod
    async def made(client: Client, *names: str) -> list[int]:
        async with client.desk.db.account(client.desk.account_id) as tx:
            return [(await hooks.create(tx, name, "https://hook.invalid/")).hook_no for name in names]

    @staticmethod
    async def calls(client: Client) -> list[Any]:
        rows = await client.desk.rows("hook_call")
        return sorted((row["hook_no"], row["contact_nos"]) for row in rows)

    async def test_they_run_for_what_was_written(self, client: Client) -> None:
        """Contract 6: each once, whatever its case; for each contact of the call."""
        first, second = await self.made(client, "SendWelcomeEmail", "SendEventInvite")
        query = "?CustomEvents=sendwelcomeemail, SendEventInvite,SENDWELCOMEEMAIL"
        await client.post({"AccountRef": "x"}, query)
        assert await self.calls(client) == [(first, [1]), (second, [1])]
        await client.post({"AccountRef": "x"})
        await client.post({"AccountRef": "x", "Age": 1}, "?match=AccountRef&customevents=SendEventInvite")
        assert (await self.calls(client))[-1] == (second, [1, 2])
        path = f"{client.path}/contact?match=AccountRef&AccountRef=none&customevents=SendEventInvite"
        await client.done("PATCH", path, {"Age": 2})
        assert len(await self.calls(client)) == 3

    async def test_unknown_ones_write_nothing(self, client: Client) -> None:
        """Contract 6 and 10: 417; at most 20."""
        many = [f"e{number}" for number in range(21)]
        await self.made(client, "Known", *many)
        for names in ("Unknown", "Known,Unknown", "a%00b", ",".join(many)):
            for method, query in (("POST", ""), ("PUT", "&match=Age"), ("PATCH", "&match=Age&Age=1")):
                path = f"{client.path}/contact?customevents={names}{query}"
                await client.refused(417, method, path, {"Values": {"Age": 1}})
        assert await client.desk.rows("contact") == []
        assert await self.calls(client) == []
        await client.post({"Age": 1}, f"?customevents={','.join(many[:20])}")
        assert len(await self.calls(client)) == 20

    async def test_nothing_runs_for_what_failed(self, client: Client) -> None:
        """Contract 6: only for contacts written successfully."""
        await self.made(client, "Known")
        await client.refused(417, "POST", f"{client.path}/contact?customevents=Known", {"Values": {"Age": "x"}})
        assert await self.calls(client) == []

    async def test_a_receiver_is_told_and_one_that_is_dead_changes_nothing(self, client: Client) -> None:
        """Contract 6: the run is queued; its later failure does not change the answer."""
        async with listening() as receiver:
            desk = client.desk
            async with desk.db.account(desk.account_id) as tx:
                hook = await hooks.create(tx, "Welcome", receiver.url + "/welcome")
                await hooks.create(tx, "Dead", "http://127.0.0.1:1/")
            made = await client.post({"Email": "ada@example.org"}, "?customevents=Dead,Welcome")
            delivery = Delivery(desk.db, nothing_to_tell, lambda _: None, private_addresses=True)

            async def is_told() -> bool:
                await delivery.begin_due()
                return bool(receiver.got)

            await until(is_told, "the receiver is told")
            await delivery.close()
            [got] = receiver.got
            [contact] = await desk.rows("contact")
            told = got.told(hook.secret)["data"]
            assert told["hook_name"] == "Welcome"
            assert told["contacts"] == [{"contact_id": str(contact["contact_id"]), "contact_no": contact["contact_no"]}]
            assert await client.get(made["EncContactId"]) == made["Values"]
