"""What is in every cell of an export (contract v3.md 3.10 and 3.15)."""

from datetime import date, timedelta, timezone
from random import Random
from uuid import uuid4

from engine.exports.columns import COLUMNS
from engine.sets.catalog import SetKind
from engine.sets.chunks import CHUNK_BITS
from tests.integration.desk import Desk
from tests.integration.exporting import NOON, content, export, exported, make_contact, new_field, new_set, rows

#: What makes CSV hard: separators, quotes, line ends of every kind, blanks, other scripts, and what ends a COPY.
HARD = (
    'a,b"c',
    "two\nlines",
    "two\r\nlines",
    "\r",
    " blank ",
    "é😀\u200bعربى",
    "\\.",
    '"',
    "=1+1",
    "\t",
    "''",
    "{0}$1",
)


class TestCells:
    """What is in each column (contract 3.15; chosen where it is silent: engine/exports/columns.py)."""

    async def test_every_field_of_a_full_contact(self, desk: Desk) -> None:
        """Contract 3.10: all 35, in the table's order, then the custom fields."""
        contact_id = uuid4()
        await make_contact(
            desk,
            1,
            contact_id=contact_id,
            email="Kim@Example.org",
            email_key="kim@example.org",
            permission="unsubscribed",
            first_name="Kim",
            last_name="Ode",
            job_title="Editor",
            company_name="Acme",
            birthday_month=5,
            birthday_day=7,
            anniversary=date(2006, 11, 15),
            update_source="Contact",
            updated_at=NOON.astimezone(timezone(timedelta(hours=9))),
            opt_in_source="Account",
            opt_in_date=NOON - timedelta(days=1),
            opt_out_source="Contact",
            opt_out_date=NOON + timedelta(days=1),
            opt_out_reason="too many",
            custom_values={"2": "blue", "1": "M", "3": "of a field that is gone"},
            phone_numbers=[{"phone_number": "555-1", "kind": "home"}, {"phone_number": "555-2", "kind": "work"}],
            street_addresses=[
                {"street": "1 Elm St", "city": "Oslo", "state": "X", "postal_code": "0150", "country": "Norway"},
                {"street": "2 Oak St"},
            ],
            notes=[
                {"content": "older", "created_at": "2026-01-01T00:00:00+00:00"},
                {"content": "newer", "created_at": "2026-01-02T00:00:00+00:00"},
            ],
        )
        await new_set(desk, SetKind.LIST, "Zebra", [1])
        await new_set(desk, SetKind.LIST, "Ant", [1])
        await new_set(desk, SetKind.TAG, "VIP", [1])
        await new_field(desk, 1, "Shirt_size")
        await new_field(desk, 2, "colour")
        [row] = await exported(desk)
        assert list(row) == [*COLUMNS, "cf:Shirt_size", "cf:colour"]
        assert row == dict.fromkeys(COLUMNS, "") | {
            "first_name": "Kim",
            "last_name": "Ode",
            "contact_id": str(contact_id),
            "email_address": "Kim@Example.org",
            "email_lists": "Zebra, Ant",
            "phone_number": "555-1",
            "company_name": "Acme",
            "job_title": "Editor",
            "street": "1 Elm St",
            "city": "Oslo",
            "state": "X",
            "zip": "0150",
            "country": "Norway",
            "anniversary": "2006-11-15",
            "birthday": "05/07",
            "birthday_day": "7",
            "birthday_month": "5",
            "created_at": "2026-03-29T12:00:05+00:00",
            "updated_at": "2026-03-29T12:00:05+00:00",
            "email_permission": "unsubscribed",
            "email_optin": "false",
            "email_optin_source": "Account",
            "email_optin_date": "2026-03-28T12:00:05+00:00",
            "email_optout_date": "2026-03-30T12:00:05+00:00",
            "email_optout_source": "Contact",
            "email_optout_reason": "too many",
            "tag": "VIP",
            "notes": "newer, older",
            "street_1": "1 Elm St",
            "source_name": "Account",
            "email_update_source": "Contact",
            "cf:Shirt_size": "M",
            "cf:colour": "blue",
        }

    async def test_an_empty_contact_has_empty_cells(self, desk: Desk) -> None:
        """Contract 3.15; what is said of an e-mail address is empty without one."""
        await make_contact(desk, 1, email=None, notes=[], phone_numbers=[], street_addresses=[], custom_values={})
        [row] = await exported(desk)
        filled = {name for name, value in row.items() if value}
        assert filled == {"contact_id", "created_at", "updated_at", "source_name"}

    async def test_whatever_is_stored_comes_back(self, desk: Desk) -> None:
        """Contract 3.15: RFC 4180, in names, headings and cells."""
        for number, text in enumerate(HARD, start=1):
            await make_contact(
                desk,
                number,
                first_name=text,
                email=f"{text}@x",
                email_key=f"{number}",
                opt_out_reason=text,
                notes=[{"content": text, "created_at": "2026-01-01"}],
                street_addresses=[{"city": text}],
                custom_values={"1": text},
            )
            await new_set(desk, SetKind.LIST, f"{number}{text}list", [number])
        await new_field(desk, 1, 'a,"b"\r\nc$1')
        found = await exported(desk)
        for number, (row, text) in enumerate(zip(found, HARD, strict=True), start=1):
            cells = (row["first_name"], row["email_optout_reason"], row["notes"], row["city"], row['cf:a,"b"\r\nc$1'])
            assert cells == (text,) * 5
            assert row["email_address"] == f"{text}@x"
            assert row["email_lists"] == f"{number}{text}list"

    async def test_fields_come_in_the_order_asked_for_and_without_custom_ones(self, desk: Desk) -> None:
        """Contract 3.15: the names in request order are the headings; of a repeated one there is one."""
        await new_field(desk, 1, "colour")
        await make_contact(desk, 1, last_name="Ode", first_name="Kim", custom_values={"1": "blue"})
        activity = await export(desk, fields=["last_name", "tag", "first_name", "last_name"])
        assert content(desk, activity) == b"last_name,tag,first_name\r\nOde,,Kim\r\n"

    async def test_a_single_column_has_a_line_for_each_contact(self, desk: Desk) -> None:
        """Contract 3.15: an empty line would be no row for many readers."""
        await make_contact(desk, 1, first_name=None)
        await make_contact(desk, 2, first_name="Kim")
        activity = await export(desk, fields=["first_name"])
        assert content(desk, activity) == b'first_name\r\n""\r\nKim\r\n'

    async def test_nobody_gives_the_headings(self, desk: Desk) -> None:
        """Contract 3.15: a header row, always."""
        activity = await export(desk, fields=["first_name", "tag"])
        assert content(desk, activity) == b"first_name,tag\r\n"
        assert rows(desk, activity) == []

    async def test_names_of_many_sets_against_a_model(self, desk: Desk) -> None:
        """Contract 3.15: email_lists and tag hold the names of living sets, in the order they were made."""
        random, numbers = Random(7), [5, 6, CHUNK_BITS - 1, CHUNK_BITS, CHUNK_BITS + 1, 5 * CHUNK_BITS]
        for number in numbers:
            await desk.make_contacts(1, first=number)
        joined: dict[tuple[SetKind, int], list[str]] = {}
        for place in range(30):
            kind = random.choice((SetKind.LIST, SetKind.TAG))
            members = random.sample(numbers, random.randint(0, len(numbers)))
            made = await new_set(desk, kind, f"{place}", members)
            if place % 10 == 9:
                await desk.delete_list(made)
                continue
            for number in members:
                joined.setdefault((kind, number), []).append(made.name)
        found = await exported(desk, fields=["email_address", "email_lists", "tag"])
        assert [(row["email_lists"], row["tag"]) for row in found] == [
            (", ".join(joined.get((SetKind.LIST, n), ())), ", ".join(joined.get((SetKind.TAG, n), ()))) for n in numbers
        ]
