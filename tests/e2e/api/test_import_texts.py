"""Names of every script, and e-mail addresses in every spelling, through both imports (contract v3.md 3.8 and 3.9)."""

import csv
import io
from collections.abc import Awaitable, Callable, Mapping, Sequence
from typing import Any
from urllib.parse import quote
from uuid import uuid4

import pytest

from tests.e2e.api.front import Front

Row = Mapping[str, str]
Import = Callable[[Front, Sequence[Row]], Awaitable[Any]]

#: What is a name like any other, and comes back as it was given.
NAMES = (
    "Ærøskøbing Ðóra",
    "Ольга",
    "Ελένη",
    "עדה",
    "عائشة",
    "अदिति",
    "สมชาย",
    "王小明",
    "さくら",
    "한글",
    "👩‍👩‍👧‍👦🏳️‍🌈",
    "e\u0301 and é",
    "zero\u200bwidth\u200djoined\u2060",
    "\u202eright to left\u202c",
    "ﷺ" * 50,
    "\U0001d518\U0001d52b\U0001d526" * 16,
    "a,b;\"c\"\n'd'",
    "=1+1",
    "\\N",
    "NULL",
)


async def by_file(front: Front, rows: Sequence[Row]) -> Any:
    text = io.StringIO()
    writer = csv.DictWriter(text, list({name: None for row in rows for name in row}), restval="")
    writer.writeheader()
    writer.writerows(rows)
    parts = ("file", text.getvalue().encode(), "people.csv"), ("list_ids", await front.new_list(f"L {uuid4()}"), None)
    submitted = (await front.upload(*parts)).body
    await front.work()
    return await front.get(submitted["_links"]["self"]["href"])


async def by_json(front: Front, rows: Sequence[Row]) -> Any:
    body = {"import_data": rows, "list_ids": [await front.new_list(f"L {uuid4()}")]}
    return await front.finished("contacts_json_import", body)


@pytest.mark.parametrize("import_", [by_file, by_json])
async def test_names_of_every_script_come_back_as_they_were(front: Front, import_: Import) -> None:
    rows = [{"email": f"c{n}@example.org", "first_name": name} for n, name in enumerate(NAMES)]
    ended = await import_(front, rows)
    assert (ended["state"], ended["activity_errors"]) == ("completed", [])
    contacts = await front.pages("/v3/contacts?limit=7", "contacts")
    assert [contact["first_name"] for contact in contacts] == list(NAMES)


@pytest.mark.parametrize("import_", [by_file, by_json])
async def test_custom_fields_of_every_script(front: Front, import_: Import) -> None:
    """Contract v3.md 2.4 and 6.23: names without regard to case."""
    for label in ("Größe", "Цвет", "尺码", "👟"):
        await front.post("/v3/contact_custom_fields", {"label": label, "type": "string"})
    row = {"email": "a@b.c", "cf:GRÖßE": "🙂", "cf: цвет ": "красный", "CF:尺码": "大", "cf:👟": "\u200b"}
    ended = await import_(front, [row])
    assert ended["activity_errors"] == []
    [contact] = (await front.get("/v3/contacts?include=custom_fields"))["contacts"]
    assert [each["value"] for each in contact["custom_fields"]] == ["🙂", "красный", "大", "\u200b"]


@pytest.mark.parametrize("import_", [by_file, by_json])
async def test_one_address_in_every_spelling_is_one_contact(front: Front, import_: Import) -> None:
    """Contract v3.md 2.1.2: addresses are compared without case, and blanks around them are none (design)."""
    spellings = (
        "Kim@Example.org",
        " kim@example.org",
        "KIM@EXAMPLE.ORG\t",
        "\u00a0kim@example.ORG\u3000",
        "kim@example.org",
    )
    for email in (*spellings, "BJÖRK@Bücher.example", "björk@bücher.EXAMPLE ", "ОЛЬГА@почта.рф", "ольга@Почта.рф"):
        ended = await import_(front, [{"email": email, "last_name": email.strip()}])
        assert (ended["state"], ended["activity_errors"]) == ("completed", [])
    contacts = await front.pages("/v3/contacts?limit=1", "contacts")
    assert [contact["last_name"] for contact in contacts] == [
        "kim@example.org",
        "björk@bücher.EXAMPLE",
        "ольга@Почта.рф",
    ]
    for email in spellings:
        found = await front.get(f"/v3/contacts?email={quote(email)}&include_count=1")
        assert (found["contacts_count"], found["contacts"][0]["contact_id"]) == (1, contacts[0]["contact_id"])


@pytest.mark.parametrize("import_", [by_file, by_json])
async def test_spellings_in_one_file_are_one_contact_too(front: Front, import_: Import) -> None:
    rows = [{"email": "kim@example.org", "first_name": "K"}, {"email": " KIM@example.org ", "first_name": "Kim"}]
    ended = await import_(front, rows)
    assert (ended["status"]["person_count"], ended["changed_count"]) == (1, 1)
    [contact] = (await front.get("/v3/contacts"))["contacts"]
    assert contact["first_name"] == "Kim"


@pytest.mark.parametrize("import_", [by_file, by_json])
async def test_what_cannot_be_seen_makes_no_address(front: Front, import_: Import) -> None:
    """Contract v3.md 3.2.4: malformed, and so correctable; nobody has an address that looks like another's."""
    marks = ("\u200b", "\u200d", "\ufeff", "\u202e", "\u2060", "\u00ad", "\x7f", "\u0085x")
    rows = [{"email": f"k{mark}im@example.org"} for mark in marks]
    ended = await import_(front, [*rows, {"email": "kim@example.org"}])
    assert (ended["status"]["person_count"], ended["status"]["correctable_count"]) == (1, len(marks))
    assert all(text.isprintable() for text in ended["activity_errors"])


@pytest.mark.parametrize("import_", [by_file, by_json])
async def test_rows_with_several_problems_count_once(front: Front, import_: Import) -> None:
    """Contract v3.md 3.9 and 3.2.4."""
    rows = [
        {"email": "x", "first_name": "a" * 51, "birthday_month": "13", "birthday_day": "1", "phone": ""},
        {"email": "x", "first_name": "Kim", "birthday_month": "13", "birthday_day": "1", "phone": "5" * 26},
        {"email": "kim@example.org", "first_name": "", "birthday_month": "", "birthday_day": "", "phone": "5" * 25},
    ]
    ended = await import_(front, rows)
    status = ended["status"]
    assert (status["error_count"], status["correctable_count"], status["person_count"]) == (1, 1, 1)
    assert len(ended["activity_errors"]) == 2


async def test_more_than_25_custom_fields(front: Front) -> None:
    """Contract v3.md 3.8: of a file, 400; 3.9: of a row, an error of that row."""
    many = {f"cf:field {number}": "x" for number in range(26)}
    target = await front.new_list("L")
    head = ",".join(["email", *many])
    answer = await front.upload(("list_ids", target, None), ("file", f"{head}\na@b.c\n", "people.csv"))
    assert (answer.status, "26 custom fields; use 25 at most" in answer.message) == (400, True)
    few = dict(list(many.items())[:25])
    ended = await by_json(
        front, [{"email": "a@b.c", **many}, {"email": "b@b.c", **few}, {"email": "c@b.c", "CF:FIELD 25": ""}]
    )
    assert (ended["status"]["person_count"], ended["status"]["error_count"]) == (2, 1)
    assert any("there are 26 custom fields; give 25 at most" in text for text in ended["activity_errors"])
