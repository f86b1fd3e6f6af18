"""Exports over HTTP: submitting, and the download whole, in part and packed (contract v3.md 3.10 and 3.15)."""

import asyncio
import csv
import gzip
import socket
from datetime import timedelta
from email.utils import format_datetime, parsedate_to_datetime
from pathlib import Path
from uuid import uuid4

import pytest

from engine import principals
from engine.files import exports
from engine.principals import Privilege
from tests.e2e.api.conftest import NewToken
from tests.e2e.api.front import Answer, Front
from tests.integration.conftest import NewDesk

KIND = "contact_exports"
#: What a client sends that takes a file as it is.
PLAIN = {"Accept": "text/csv", "Accept-Encoding": "identity"}


async def export(front: Front, body: object = None) -> tuple[str, bytes]:
    """The path of a completed export's file, and its bytes."""
    activity = await front.finished(KIND, body or {})
    assert activity["state"] == "completed"
    path = activity["_links"]["results"]["href"]
    return path, file_of(front, path).read_bytes()


def file_of(front: Front, path: str) -> Path:
    return exports(front.desk.settings, front.desk.account_id) / f"{path.rpartition('/')[2]}.csv"


async def got(front: Front, path: str, **headers: str) -> Answer:
    """The answer, not unpacked."""
    return await front.request("GET", path, headers={**PLAIN, **headers})


@pytest.fixture
def packed_as_they_come(front: Front) -> Front:
    front.session._auto_decompress = False
    return front


class TestSubmitting:
    async def test_the_link_is_there_from_the_first_answer_and_the_file_when_it_is_done(self, front: Front) -> None:
        """Contract 3.10, 6.18 and 5.22: `_links.results` at once, 404 until completed."""
        await front.desk.make_contacts(2)
        activity = await front.submit(KIND, {})
        path = f"/v3/contact_exports/{activity['activity_id']}"
        assert activity["_links"]["results"] == {"href": path}
        assert (activity["state"], activity["status"]) == ("initialized", {})
        await front.refused("GET", path, 404)
        await front.work()
        done = await front.get(activity["_links"]["self"]["href"])
        assert done["_links"]["results"] == {"href": path}
        assert done["status"] == {"items_total_count": 2, "items_completed_count": 2}
        assert done["percent_done"] == 100
        page = await front.get("/v3/activities")
        assert page["activities"][0]["_links"]["results"] == {"href": path}
        assert (await got(front, path)).status == 200

    async def test_what_was_asked_for_is_in_the_file(self, front: Front) -> None:
        """Contract 3.10 and 3.15."""
        people = await front.desk.make_contacts(3)
        list_id = await front.new_list('Friends, "old"')
        await front.add(people[:2], list_id)
        body = {"list_ids": [list_id], "status": "active", "fields": ["email_address", "email_lists", "contact_id"]}
        path, _ = await export(front, body)
        answer = await got(front, path)
        assert list(csv.reader(answer.content.decode().splitlines())) == [
            ["email_address", "email_lists", "contact_id"],
            *([f"c{number}@example.org", 'Friends, "old"', str(people[number - 1])] for number in (1, 2)),
        ]

    async def test_unknown_targets_are_404(self, front: Front) -> None:
        """Contract 3.1 and 3.3: 404 is documented here; nothing is queued."""
        for body in ({"list_ids": [str(uuid4())]}, {"tag_ids": [str(uuid4())]}, {"segment_id": 99}):
            await front.refused("POST", f"/v3/activities/{KIND}", 404, json=body)
        assert (await front.get("/v3/activities"))["activities"] == []

    @pytest.mark.parametrize(
        "body",
        [
            {"segment_ids": [1]},
            {"segment_id": 1, "status": "active"},
            {"tag_ids": [str(uuid4())], "exclude": {"contact_ids": [str(uuid4())]}},
            {"fields": ["email_optin_date"]},
            {"fields": ["nonsense\u0000"]},
            {"status": "everything"},
            {"contact_ids": [str(uuid4())] * 501},
            {"exclude": []},
            [],
            "x",
            5,
        ],
    )
    async def test_other_bodies_are_400(self, front: Front, body: object) -> None:
        """Contract 3.10: other combinations, unknown and incomplete fields; 1.8: wrong types, too many."""
        await front.refused("POST", f"/v3/activities/{KIND}", 400, json=body)

    async def test_contacts_that_are_not_there_are_told(self, front: Front) -> None:
        """Contract 3.3: one string each."""
        unknown = str(uuid4())
        activity = await front.finished(KIND, {"contact_ids": [unknown]})
        assert activity["activity_errors"] == [f"{unknown}: there is no such contact"]
        assert activity["status"] == {"items_total_count": 0, "items_completed_count": 0}


class TestDownload:
    async def test_the_file_as_it_is(self, front: Front) -> None:
        """Contract 3.15: text/csv, and a name to keep it under."""
        await front.desk.make_contacts(3)
        path, whole = await export(front)
        answer = await got(front, path)
        assert (answer.status, answer.content) == (200, whole)
        assert answer.headers["Content-Type"] == "text/csv"
        assert answer.headers["Content-Disposition"] == f'attachment; filename="{path.rpartition("/")[2]}.csv"'
        assert answer.headers["Content-Length"] == str(len(whole))
        assert answer.headers["Accept-Ranges"] == "bytes"
        assert answer.headers["ETag"].startswith('"')
        assert parsedate_to_datetime(answer.headers["Last-Modified"]).tzinfo is not None
        upper = await got(front, f"/v3/contact_exports/{path.rpartition('/')[2].upper()}")
        assert upper.content == whole

    async def test_head_tells_what_a_get_would(self, front: Front) -> None:
        """Contract 3.15; a HEAD has the headers and no body."""
        await front.desk.make_contacts(3)
        path, whole = await export(front)
        answer = await front.request("HEAD", path, headers={**PLAIN, "Range": "bytes=0-1"})
        assert (answer.status, answer.content) == (200, b"")
        assert answer.headers["Content-Length"] == str(len(whole))
        assert answer.headers["ETag"] == (await got(front, path)).headers["ETag"]
        packed = await front.request("HEAD", path, headers={"Accept-Encoding": "gzip"})
        assert packed.headers["Content-Encoding"] == "gzip"
        assert (await front.request("HEAD", f"/v3/contact_exports/{uuid4()}")).status == 404

    @pytest.mark.parametrize(
        ("asked", "first", "last"),
        [
            ("bytes=0-0", 0, 0),
            ("bytes=5-9", 5, 9),
            ("bytes=7-", 7, None),
            ("bytes=-4", -4, None),
            ("bytes=-999999", 0, None),
            ("bytes=3-999999", 3, None),
            ("Bytes=3-4", 3, 4),
            ("bytes=0-", 0, None),
        ],
    )
    async def test_a_range_of_it(self, front: Front, asked: str, first: int, last: int | None) -> None:
        """RFC 9110, 14: one range of bytes is answered with 206."""
        path, whole = await export(front)
        answer = await got(front, path, Range=asked, **{"Accept-Encoding": "gzip"})
        expected = whole[first : last + 1 if last is not None else None]
        start = first % len(whole)
        assert (answer.status, answer.content) == (206, expected)
        assert answer.headers["Content-Range"] == f"bytes {start}-{start + len(expected) - 1}/{len(whole)}"
        assert answer.headers["Content-Length"] == str(len(expected))
        assert "Content-Encoding" not in answer.headers

    @pytest.mark.parametrize("asked", ["bytes={size}-", "bytes={size}-{size}", "bytes=-0", "bytes=999999999-"])
    async def test_a_range_that_is_not_there(self, front: Front, asked: str) -> None:
        """RFC 9110, 15.5.17: 416 tells the size."""
        path, whole = await export(front)
        answer = await got(front, path, Range=asked.format(size=len(whole)))
        assert answer.status == 416
        assert answer.headers["Content-Range"] == f"bytes */{len(whole)}"
        assert answer.message

    @pytest.mark.parametrize(
        "asked",
        ["bytes=", "bytes=-", "bytes=9-3", "bytes=a-b", "lines=1-2", "bytes=0-1,3-4", "0-1", "bytes=1-" + "9" * 5000],
    )
    async def test_a_range_that_makes_no_sense_is_ignored(self, front: Front, asked: str) -> None:
        """RFC 9110, 14.2: the whole file, also for several ranges at once, which a server may answer so."""
        path, whole = await export(front)
        answer = await got(front, path, Range=asked)
        assert (answer.status, answer.content) == (200, whole)

    async def test_a_download_goes_on_only_with_the_same_file(self, front: Front) -> None:
        """RFC 9110, 13.1.5: If-Range with the strong ETag or the time of the file; else all of it."""
        path, whole = await export(front)
        first = await got(front, path)
        tag, changed = first.headers["ETag"], first.headers["Last-Modified"]
        earlier = format_datetime(parsedate_to_datetime(changed) - timedelta(seconds=1), usegmt=True)
        for condition, status in (
            (tag, 206),
            (changed, 206),
            ('"another"', 200),
            (f"W/{tag}", 200),
            (earlier, 200),
            ("nonsense", 200),
        ):
            answer = await got(front, path, Range="bytes=5-", **{"If-Range": condition})
            assert (answer.status, answer.content) == (status, whole[5:] if status == 206 else whole), condition

    @pytest.mark.parametrize(
        ("accepted", "is_packed"),
        [
            ("gzip", True),
            ("deflate, gzip;q=0.5, br", True),
            ("GZIP", True),
            ("x-gzip", True),
            ("gzip;q=0", False),
            ("gzip; q=0.0", False),
            ("identity", False),
            ("gzippy", False),
            ("gzip;q=many", False),
            ("", False),
        ],
    )
    async def test_it_is_packed_for_those_who_take_it(
        self, packed_as_they_come: Front, accepted: str, is_packed: bool
    ) -> None:
        """Contract 3.15; RFC 9110, 12.5.3."""
        front = packed_as_they_come
        await front.desk.make_contacts(500)
        path, whole = await export(front)
        plain = await got(front, path)
        answer = await got(front, path, **{"Accept-Encoding": accepted})
        assert answer.status == 200
        assert answer.headers["Vary"] == "Accept-Encoding"
        assert ("Content-Encoding" in answer.headers) is is_packed
        assert (answer.headers["ETag"] != plain.headers["ETag"]) is is_packed
        if is_packed:
            assert len(answer.content) < len(whole) / 2
            assert gzip.decompress(answer.content) == whole
        else:
            assert answer.content == whole

    async def test_who_may(self, front: Front, new_token: NewToken) -> None:
        """Contract 3.1 and 1.2: contacts:write, of GETs too; 401 without a token."""
        path, _ = await export(front)
        await front.as_(None).refused("GET", path, 401)
        await front.as_(await new_token(Privilege.CONTACTS_READ)).refused("GET", path, 403)
        assert (await front.as_(await new_token(Privilege.CONTACTS_WRITE)).request("GET", path)).status == 200

    async def test_there_is_nothing_else_under_that_path(self, front: Front, new_desk: NewDesk) -> None:
        """Contract 3.15 and 1.8: unknown, no UUID, of another kind, of another account: 404; other methods: 405."""
        path, _ = await export(front)
        list_id = await front.new_list("a list")
        other = await front.add([uuid4()], list_id)
        for wrong in (
            str(uuid4()),
            "x",
            "..%2f..%2fuploads",
            "%00",
            f"{path.rpartition('/')[2]}.csv",
            other["activity_id"],
        ):
            await front.refused("GET", f"/v3/contact_exports/{wrong}", 404)
        stranger = await new_desk()
        token = await principals.create_token(stranger.db, stranger.account_id, "stranger")
        await front.as_(token).refused("GET", path, 404)
        for method in ("POST", "PUT", "DELETE", "PATCH"):
            await front.refused(method, path, 405)

    @pytest.mark.parametrize("state", ["cancelled", "failed", "timed_out", "processing", "initialized"])
    async def test_only_a_completed_export_has_a_file(self, front: Front, state: str) -> None:
        """Contract 3.15: 404 when the job is not completed."""
        path, _ = await export(front)
        await front.desk.owner.execute(
            "UPDATE activity SET state = $2 WHERE account_id = $1", front.desk.account_id, state
        )
        await front.refused("GET", path, 404)

    async def test_it_goes_with_its_activity(self, front: Front) -> None:
        """Contract 6.19: the file is kept as long as its activity; then, or when somebody removed it, 404."""
        path, _ = await export(front)
        days = front.desk.settings.retention_days
        aged = "UPDATE activity SET created_at = now() - make_interval(days => $2) WHERE account_id = $1"
        await front.desk.owner.execute(aged, front.desk.account_id, days)
        await front.refused("GET", path, 404)
        await front.desk.owner.execute(aged, front.desk.account_id, days - 1)
        assert (await got(front, path)).status == 200
        file_of(front, path).unlink()
        await front.refused("GET", path, 404)

    async def test_a_file_that_ends_early_ends_the_connection(self, front: Front) -> None:
        """Nobody takes a part for the whole; other requests go on."""
        await _large(front)
        path, _ = await export(front)
        with file_of(front, path).open("r+b") as file:
            async with front.session.get(
                front.address + path, headers={**PLAIN, "Authorization": f"Bearer {front.token}"}
            ) as response:
                file.truncate(1 << 20)
                with pytest.raises(Exception, match=r"payload|closed|reset"):
                    await response.read()
        assert (await front.request("GET", "/v3/activities")).status == 200

    async def test_a_client_that_goes_away_does_no_harm(self, front: Front) -> None:
        """Also one that never reads: what waits for it is bounded, and others are served meanwhile."""
        await _large(front)
        path, whole = await export(front)
        host, port = front.address.removeprefix("http://").rsplit(":", 1)
        idle = socket.create_connection((host, int(port)))
        idle.sendall(f"GET {path} HTTP/1.1\r\nHost: x\r\nAuthorization: Bearer {front.token}\r\n\r\n".encode())
        await asyncio.sleep(0.1)
        assert (await got(front, path)).content == whole
        idle.close()
        assert (await got(front, path)).content == whole


async def _large(front: Front) -> None:
    """Contacts whose export is larger than what sockets buffer."""
    await front.desk.make_contacts(2000)
    await front.desk.owner.execute(
        "UPDATE contact SET opt_out_reason = repeat('x', 5000) WHERE account_id = $1", front.desk.account_id
    )
