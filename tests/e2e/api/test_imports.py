"""Imports over HTTP (contract v3.md 3.8 and 3.9): a refused one leaves no file, an accepted one is on the disk."""

import asyncio
import json
from collections.abc import AsyncIterator, Callable
from dataclasses import replace
from pathlib import Path
from typing import Any
from uuid import UUID, uuid4

import aiohttp
import psutil
import pytest

from engine.settings import Settings
from tests.e2e.api.front import Answer, Front, open_front
from tests.integration.desk import Desk

FILE = "/v3/activities/contacts_file_import"
JSON = "/v3/activities/contacts_json_import"
#: The vendor's limits (contract v3.md 1.9).
VENDORS = {"import_max_bytes": 4_194_304, "import_max_rows": 40_000}
PEOPLE = b"email,first_name\r\nkim@example.org,Kim\r\nlee@example.org,Lee\r\n"


def files(front: Front) -> list[Path]:
    return list(front.desk.settings.uploads.glob("*/*"))


async def until(condition: Callable[[], bool]) -> None:
    for _ in range(1000):
        if condition():
            return
        await asyncio.sleep(0.01)
    raise AssertionError("not within 10 seconds")


async def ended(front: Front, answer: Answer) -> Any:
    assert answer.status == 201, answer.content
    await front.work()
    return await front.get(answer.body["_links"]["self"]["href"])


class TestFiles:
    async def test_a_file_is_stored_and_imported(self, front: Front) -> None:
        """Contract v3.md 3.8, 3.2 and 3.2.4."""
        lists = [await front.new_list(f"L{number}") for number in range(2)]
        answer = await front.upload(("file", PEOPLE, "people.csv"), ("list_ids", ",".join(lists), None))
        submitted = answer.body
        assert (submitted["state"], submitted["status"]) == ("initialized", {})
        assert submitted["source_file_name"] == "people.csv"
        assert answer.headers["Location"] == submitted["_links"]["self"]["href"]
        [stored] = files(front)
        assert stored.read_bytes() == PEOPLE
        activity = await ended(front, answer)
        assert (activity["state"], activity["activity_errors"]) == ("completed", [])
        assert set(activity["status"]) == {
            "items_total_count",
            "person_count",
            "error_count",
            "correctable_count",
            "cannot_add_to_list_count",
        }
        assert activity["status"]["person_count"] == 2
        found = await front.get(f"/v3/contacts?lists={lists[0]}&include=list_memberships")
        assert [each["first_name"] for each in found["contacts"]] == ["Kim", "Lee"]
        assert found["contacts"][0]["list_memberships"] == lists

    async def test_list_ids_come_in_any_way(self, front: Front) -> None:
        """Contract v3.md 3.8 and 5.31: comma text, repeated parts, in any place; other parts are ignored."""
        lists = [await front.new_list(f"L{number}") for number in range(3)]
        answer = await front.upload(
            ("sms_permission_to_send", "not_set", None),
            ("list_ids", f" {lists[0]} , {lists[1]} ", None),
            ("file", PEOPLE, "PEOPLE.CSV"),
            ("list_ids", lists[2].upper(), None),
        )
        assert (await ended(front, answer))["changed_count"] == 6

    async def test_the_name_is_kept_without_its_folders(self, front: Front) -> None:
        """Contract v3.md 3.2: `source_file_name` is the uploaded file's name."""
        target = await front.new_list("L")
        for name, kept in (("../../etc/p.csv", "p.csv"), ("C:\\x\\p q.csv", "p q.csv"), ("Jürgen.csv", "Jürgen.csv")):
            form = aiohttp.FormData(quote_fields=False)
            form.add_field("list_ids", target)
            form.add_field("file", PEOPLE, filename=name)
            answer = await front.request("POST", FILE, data=form)
            assert answer.body["source_file_name"] == kept

    @pytest.mark.parametrize(
        ("file", "problem"),
        [
            (b"", "empty"),
            (b"\r\n\r\n", "empty"),
            (b"name\nKim\n", "email"),
            (b"email,email\n", "occurs twice"),
            (b"\xff\xfee\0m\0a\0i\0l\0", ""),
            (b'"email\n', ""),
            (b"email\0\n", ""),
            ("é-mail\n".encode("latin-1"), ""),
            (b"a" * 5_000_000, ""),
            (b",".join(b"cf:%d" % number for number in range(30)) + b",email\n", "25"),
        ],
    )
    async def test_a_file_without_a_usable_header(self, front: Front, file: bytes, problem: str) -> None:
        """Contract v3.md 3.8: 400, and nothing is queued."""
        target = await front.new_list("L")
        answer = await front.upload(("list_ids", target, None), ("file", file, "people.csv"))
        assert answer.status == 400
        assert problem in answer.message
        assert files(front) == []
        assert await front.get("/v3/activities") == {"activities": []}

    async def test_ten_thousand_columns_are_a_file_like_any_other(self, front: Front) -> None:
        heading = ",".join(f"x{number}" for number in range(10_000)).encode() + b",email\n"
        target = await front.new_list("L")
        answer = await front.upload(("list_ids", target, None), ("file", heading + b"," * 10_000 + b"a@b.c", "p.csv"))
        assert (await ended(front, answer))["status"]["person_count"] == 1

    @pytest.mark.parametrize(
        ("list_ids", "status", "problem"),
        [
            (None, 400, "list_ids is missing"),
            ("", 400, "list_ids[0] does not have a valid value"),
            ("Array", 400, "list_ids[0] does not have a valid value"),
            (",".join([str(uuid4())] * 51), 400, "list_ids has 51 items where at most 50 may be"),
            (str(UUID(int=1)), 404, "does not exist"),
            (b"\xff", 400, "list_ids is not text in UTF-8"),
            ("x" * 100_000, 400, "list_ids is too long"),
        ],
    )
    async def test_without_good_lists(
        self, front: Front, list_ids: str | bytes | None, status: int, problem: str
    ) -> None:
        """Contract v3.md 3.8, 3.3 and 1.10, 7; an unknown list is 404 here (3.1)."""
        parts: list[tuple[str, str | bytes, str | None]] = [("file", PEOPLE, "people.csv")]
        parts += [] if list_ids is None else [("list_ids", list_ids, None)]
        answer = await front.upload(*parts)
        assert (answer.status, problem in answer.message) == (status, True)
        assert files(front) == []

    async def test_without_a_file(self, front: Front) -> None:
        """Contract v3.md 3.8: 400."""
        target = await front.new_list("L")
        answer = await front.upload(("list_ids", target, None))
        assert (answer.status, answer.message) == (400, "file is missing")
        twice = ("file", PEOPLE, "people.csv")
        answer = await front.upload(("list_ids", target, None), twice, twice)
        assert (answer.status, answer.message) == (400, "file is given twice: send one")
        assert files(front) == []

    async def test_what_is_no_csv_or_no_form_is_415(self, front: Front) -> None:
        """Contract v3.md 3.8: other extensions, other media."""
        for name in ("people.txt", "people.csv.exe", "csv", None):
            answer = await front.upload(("file", PEOPLE, name))
            assert (answer.status, answer.message) == (415, "file must have a name that ends in .csv")
        for media in ("application/json", "multipart/mixed; boundary=b", "text/csv"):
            await front.refused("POST", FILE, 415, data=PEOPLE, headers={"Content-Type": media})
        assert files(front) == []

    @pytest.mark.filterwarnings("ignore::aiohttp.BadContentDispositionHeader")
    @pytest.mark.filterwarnings("ignore::aiohttp.BadContentDispositionParam")
    @pytest.mark.parametrize(
        "body",
        [
            b"",
            b"no form",
            b"--b--\r\n",
            b"--b\r\n",
            b"--b\r\nno header\r\n\r\nx\r\n--b--\r\n",
            b"--b\r\nX: " + b"a" * 70_000 + b"\r\n\r\nx\r\n--b--\r\n",
            b"--b\r\n" + b"X: a\r\n" * 1000 + b"\r\nx\r\n--b--\r\n",
            b"--b\r\nContent-Type: multipart/mixed; boundary=c\r\n\r\n--c\r\n\r\nx\r\n--c--\r\n--b--\r\n",
            b"--b\r\nContent-Type: multipart/mixed\r\n\r\nx\r\n--b--\r\n",
            b'--b\r\nContent-Disposition: form-data; name="x"\r\n\r\n1\r\n' * 200 + b"--b--\r\n",
            b'--b\r\nContent-Disposition: form-data; name="file"; filename="a.csv"\r\n\r\nemail\r\n',
            b'--b\r\nContent-Disposition: form-data; name="file"; filename="\xff.csv"\r\n\r\nemail\r\n--b--\r\n',
            b'--b\r\nContent-Disposition: form-data; name="file"; filename="a\0.csv"\r\n\r\nemail\r\n--b--\r\n',
            b'--b\r\nContent-Disposition: form-data; name="file"; filename="' + b"a" * 300 + b'.csv"\r\n\r\n\r\n--b--',
            b'--b\r\nContent-Disposition: x; name="file"; filename="a.csv"\r\nContent-Transfer-Encoding: x\r\n\r\n',
            b"--b\r\nContent-Disposition: attachment; filename*=UTF-8''%ff.csv\r\n\r\nx\r\n--b--\r\n",
        ],
    )
    async def test_broken_forms(self, front: Front, body: bytes) -> None:
        """Contract v3.md 3.8 and 1.8: 400 whatever is wrong with the form."""
        headers = {"Content-Type": "multipart/form-data; boundary=b"}
        await front.refused("POST", FILE, 400, data=body, headers=headers)
        assert files(front) == []

    @pytest.mark.parametrize("parameters", ["", "; boundary=", "; boundary=" + "a" * 200, '; boundary="\xff"'])
    async def test_forms_without_a_boundary(self, front: Front, parameters: str) -> None:
        headers = {"Content-Type": "multipart/form-data" + parameters}
        await front.refused("POST", FILE, 400, data=b"--b--\r\n", headers=headers)

    async def test_a_file_has_a_limit(self, settings: Settings, desk: Desk, token: str) -> None:
        async with open_front(settings.model_copy(update={"upload_max_bytes": 1000}), desk, token) as front:
            target = await front.new_list("L")
            answer = await front.upload(("list_ids", target, None), ("file", b"email\n" + b" " * 995, "people.csv"))
            assert (answer.status, answer.message) == (400, "file is too long: at most 1,000 bytes may be sent")
            assert files(front) == []
            answer = await front.upload(("list_ids", target, None), ("file", b"email\n" + b"\n" * 994, "people.csv"))
            assert answer.status == 201

    async def test_a_file_is_cut_where_the_vendor_cuts_it(self, settings: Settings, desk: Desk, token: str) -> None:
        """Contract v3.md 3.8: of a file over 4 MB the rows that are complete within them, of 40,000 lines these."""
        vendors = settings.model_copy(update=VENDORS)
        async with open_front(vendors, replace(desk, settings=vendors), token) as front:
            list_ids = ("list_ids", await front.new_list("L"), None)
            file = b"email,first_name\n" + b"".join(b"%06d@x.org,%s\n" % (n, b"\xc3\xa9" * 50) for n in range(40_000))
            activity = await ended(front, await front.upload(list_ids, ("file", file, "people.csv")))
            whole = 1 + (4_194_304 - 17) // (len(file) // 40_000)
            assert activity["status"]["items_total_count"] == whole
            assert activity["status"]["person_count"] == activity["changed_count"] == whole - 1
            assert activity["activity_errors"] == [
                "an import may have 4,194,304 bytes; rows that are not complete within them were not imported"
            ]
            file = b"email\n" + b"".join(b"%06d@x.org\n" % n for n in range(40_000))
            activity = await ended(front, await front.upload(list_ids, ("file", file, "people.csv")))
            assert (activity["state"], activity["status"]["items_total_count"]) == ("completed", 40_000)
            assert activity["activity_errors"] == [
                "an import may have 39,999 contacts; those after line 40,000 were not imported"
            ]

    async def test_what_the_account_may_not_have_is_not_kept(self, settings: Settings, desk: Desk, token: str) -> None:
        """Contract v3.md 1.8: 429 leaves no file either."""
        async with open_front(settings.model_copy(update={"max_unfinished": 1}), desk, token) as front:
            parts = ("list_ids", await front.new_list("L"), None), ("file", PEOPLE, "people.csv")
            assert (await front.upload(*parts)).status == 201
            assert (await front.upload(*parts)).status == 429
            assert len(files(front)) == 1

    async def test_no_room_for_it_is_503(self, front: Front) -> None:
        front.desk.settings.uploads.rmdir()
        front.desk.settings.uploads.write_text("not a folder")
        answer = await front.upload(("list_ids", await front.new_list("L"), None), ("file", PEOPLE, "people.csv"))
        assert answer.status == 503
        assert answer.message.startswith("the upload cannot be stored")

    async def test_an_upload_that_breaks_off_leaves_no_file(self, front: Front) -> None:
        head = f"POST {FILE} HTTP/1.1\r\nHost: x\r\nAuthorization: Bearer {front.token}\r\nContent-Length: 9999999\r\n"
        part = '--b\r\nContent-Disposition: form-data; name="file"; filename="a.csv"\r\n\r\nemail\r\n'
        _, writer = await asyncio.open_connection("127.0.0.1", int(front.address.rpartition(":")[2]))
        writer.write(f"{head}Content-Type: multipart/form-data; boundary=b\r\n\r\n{part}".encode() + b"x\n" * 1_000_000)
        await writer.drain()
        await until(lambda: bool(files(front)))
        writer.close()
        await until(lambda: not files(front))

    async def test_a_file_never_sits_in_memory(self, front: Front) -> None:
        """The upload streams to the disk, whatever its size."""
        size = 96 << 20

        async def lines() -> AsyncIterator[bytes]:
            yield b"email\n"
            for _ in range(size >> 20):
                yield b"\n" * (1 << 20)
                used.append(process.memory_info().rss)

        process, used = psutil.Process(), list[int]()
        form = aiohttp.FormData()
        form.add_field("list_ids", await front.new_list("L"))
        form.add_field("file", lines(), filename="big.csv", content_type="text/csv")
        answer = await front.request("POST", FILE, data=form)
        assert answer.status == 201
        [stored] = files(front)
        assert stored.stat().st_size == size + 6
        assert max(used) - used[8] < 24 << 20


class TestRows:
    """Contract v3.md 3.9."""

    async def test_rows_are_stored_and_imported(self, front: Front) -> None:
        target = await front.new_list("L")
        rows = [
            {"email": "kim@example.org", "first_name": "Kim", "birthday_month": 5, "birthday_day": 17},
            {"email": "nobody", "first_name": "No"},
            {"first_name": "x", "cf:shirt_size": None, "home country": "NO", "unknown": {"a": [1]}},
        ]
        body = {"import_data": rows, "list_ids": [target], "sms_permission_to_send": "not_set"}
        answer = await front.request("POST", JSON, json=body)
        assert "source_file_name" not in answer.body
        activity = await ended(front, answer)
        assert activity["state"] == "completed"
        assert activity["status"] == {
            "items_total_count": 3,
            "person_count": 1,
            "error_count": 0,
            "correctable_count": 2,
            "cannot_add_to_list_count": 0,
        }
        [contact] = (await front.get(f"/v3/contacts?lists={target}"))["contacts"]
        assert (contact["first_name"], contact["birthday_day"]) == ("Kim", 17)

    @pytest.mark.parametrize("rows", [[{}], [{"name": "Kim"}], [{"email\0": "a@b.c"}]])
    async def test_rows_without_any_email_are_row_errors(self, front: Front, rows: list[dict[str, str]]) -> None:
        """Contract v3.md 3.9: the job ends `completed` even when every row failed."""
        body = {"import_data": rows, "list_ids": [await front.new_list("L")]}
        activity = await front.finished("contacts_json_import", body)
        assert (activity["state"], activity["status"]["correctable_count"]) == ("completed", 1)

    @pytest.mark.parametrize("import_data", [None, [], {}, "x", [1], [None], [[]]])
    async def test_what_are_no_rows(self, front: Front, import_data: object) -> None:
        """400."""
        body = {"import_data": import_data, "list_ids": [await front.new_list("L")]}
        await front.refused("POST", JSON, 400, json=body)
        assert files(front) == []

    async def test_without_good_lists(self, front: Front) -> None:
        """Contract v3.md 3.1: no 404 documented here."""
        rows = [{"email": "a@b.c"}]
        for list_ids in ([], ["x"], [str(uuid4())] * 51, [str(uuid4())]):
            await front.refused("POST", JSON, 400, json={"import_data": rows, "list_ids": list_ids})
        assert await front.refused("POST", JSON, 400, json={}) == "list_ids is missing, import_data is missing"
        assert files(front) == []

    async def test_rows_are_cut_where_the_vendor_cuts_them(self, settings: Settings, desk: Desk, token: str) -> None:
        """Contract v3.md 3.9: over 4 MB the rows that are complete within them; malformed JSON within them is 400."""
        vendors = settings.model_copy(update=VENDORS)
        async with open_front(vendors, replace(desk, settings=vendors), token) as front:
            target = await front.new_list("L")
            head, row = b'{"import_data":[', b'{"email":"%06d@x.org","first_name":"' + b"\xc3\xa9" * 50 + b'"}'
            rows = b",".join(row % n for n in range(40_000))
            tail = b'],"list_ids":["%s"]}' % target.encode()
            json_ = {"Content-Type": "application/json"}
            answer = await front.request("POST", JSON, data=head + rows + tail, headers=json_)
            activity = await ended(front, answer)
            whole = (4_194_304 - len(head) + 1) // (len(row % 0) + 1)
            assert activity["status"]["items_total_count"] == activity["status"]["person_count"] == whole
            assert activity["activity_errors"] == [
                "an import may have 4,194,304 bytes; rows that are not complete within them were not imported"
            ]
            answer = await front.request("POST", JSON, data=head + rows + b"}", headers=json_)
            assert (answer.status, answer.message) == (400, "list_ids is missing")
            early = head + rows[:4_000_000].rpartition(b",")[0] + b"x" + rows + tail
            assert "is not valid JSON" in await front.refused("POST", JSON, 400, data=early, headers=json_)
            small = b",".join(b'{"email":"%06d@x.org"}' % n for n in range(40_001))
            activity = await ended(front, await front.request("POST", JSON, data=head + small + tail, headers=json_))
            assert activity["status"]["items_total_count"] == 40_000
            assert len(files(front)) == 2

    async def test_a_body_has_the_limit_of_an_upload(self, settings: Settings, desk: Desk, token: str) -> None:
        limits = {"json_max_bytes": 1000, "upload_max_bytes": 2000}
        async with open_front(settings.model_copy(update=limits), desk, token) as front:
            body: dict[str, Any] = {"import_data": [{"email": "a@b.c", "x": "x" * 1500}]}
            body["list_ids"] = [await front.new_list("L")]
            assert (await front.request("POST", JSON, json=body)).status == 201
            body["import_data"] *= 2
            told = await front.refused("POST", JSON, 400, json=body)
            assert told == "body is too long: at most 2,000 bytes may be sent"
            assert len(files(front)) == 1

    async def test_a_million_rows_never_sit_in_memory(self, front: Front) -> None:
        """A larger JSON import than the vendor's, as it comes."""
        target = await front.new_list("L")

        async def body() -> AsyncIterator[bytes]:
            yield b'{"list_ids":["%s"],"import_data":[{}' % target.encode()
            for _ in range(100):
                yield b",{}" * 10_000
                used.append(process.memory_info().rss)
            yield b"]}"

        process, used = psutil.Process(), list[int]()
        answer = await front.request("POST", JSON, data=body(), headers={"Content-Type": "application/json"})
        assert answer.status == 201
        used.append(process.memory_info().rss)
        assert max(used) - used[8] < 24 << 20

    @pytest.mark.parametrize("deletion", ["contact_delete", "DELETE"])
    async def test_who_was_deleted_is_revived_with_tags_and_without_lists(self, front: Front, deletion: str) -> None:
        """Contract v3.md 3.9 and 3.7; design, "One policy": deleted as it is done, one by one and together."""
        contacts = await front.desk.make_contacts(3)
        old, new, tag = await front.new_list("old"), await front.new_list("new"), await front.new_tag("T")
        await front.add(contacts, old)
        some = [str(contact_id) for contact_id in contacts[:2]]
        await front.finished("contacts_taggings_add", {"source": {"contact_ids": some}, "tag_ids": [tag]})
        if deletion == "DELETE":
            for contact_id in contacts:
                await front.request("DELETE", f"/v3/contacts/{contact_id}")
        else:
            await front.finished(deletion, {"list_ids": [old]})
        assert (await front.get(f"/v3/contact_tags/{tag}?include_count=1"))["contacts_count"] == 0
        rows = [{"email": f"c{number}@example.org"} for number in (1, 2, 3)]
        ended = await front.finished("contacts_json_import", {"import_data": rows, "list_ids": [new]})
        assert (ended["status"]["person_count"], ended["activity_errors"]) == (3, [])
        assert (await front.get(f"/v3/contact_tags/{tag}?include_count=1"))["contacts_count"] == 2
        found = await front.pages("/v3/contacts?include=list_memberships,taggings", "contacts")
        assert [each["taggings"] for each in found] == [[tag], [tag], []]
        assert [each["list_memberships"] for each in found] == [[new]] * 3
        assert {each["email_address"]["permission_to_send"] for each in found} == {"implicit"}

    async def test_odd_values_are_errors_of_their_rows(self, front: Front) -> None:
        """A row never spoils its neighbours (contract v3.md 3.9)."""
        rows: list[dict[str, Any]] = [
            {"email": "a@example.org"},
            {"email": "b\0@example.org"},
            {"email": ["c@example.org"]},
            {"email": 10**300},
            {"email": "d@example.org", "first_name": "\0"},
            {"email": "e@example.org", "birthday_month": 10**40, "birthday_day": True},
            {"email": "f@example.org", "anniversary": "9999-99-99"},
            {"email": "g@example.org", "x" * 1000: "y" * 100_000},
            {"email": "h@example.org", "": ""},
        ]
        body = json.dumps({"import_data": rows, "list_ids": [await front.new_list("L")]})
        answer = await front.request("POST", JSON, data=body, headers={"Content-Type": "application/json"})
        activity = await ended(front, answer)
        assert activity["state"] == "completed"
        assert activity["status"]["person_count"] == 3
        assert activity["status"]["error_count"] + activity["status"]["correctable_count"] == 6
