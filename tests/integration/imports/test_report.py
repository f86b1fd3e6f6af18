"""What imports tell of themselves."""

from typing import Any

import pytest

from engine.activities.model import State
from engine.operations.contacts_import import ContactsJsonImport
from engine.sets.catalog import NamedSet
from tests.integration.desk import Desk
from tests.integration.imports.importing import people, run, submit
from tests.unit.imports.reading import stored_lines


class TestReport:
    """Counters and errors (contract v3.md 3.2.3, 3.2.4, 3.8)."""

    async def test_the_counters(self, desk: Desk, target: NamedSet) -> None:
        await desk.make_contacts(1, permission="unsubscribed")
        rows = [
            "email,first_name,birthday_month,birthday_day",
            "kim@example.org,Kim,5,17",
            "not an e-mail,Kim,,",
            "bo@example.org,Bo,13,1",
            f"long@example.org,{'x' * 51},,",
            "c1@example.org,Unsubscribed,,",
            ",,,",
            "",
            "short@example.org,too few",
            f"both@example.org,{'x' * 51},13,1",
        ]
        found = await run(desk, "\n".join(rows), target)
        assert found.state is State.COMPLETED
        assert found.counts == {
            "person_count": 2,
            "error_count": 3,
            "correctable_count": 3,
            "cannot_add_to_list_count": 1,
        }
        # The line of headings counts, a blank line does not.
        assert (found.items_total, found.items_completed, found.percent_done) == (9, 9, 100)
        assert found.error_count == 7
        assert found.source_file_name == "people.csv"
        errors = await desk.full_errors(found)
        assert [error.message.partition(":")[0] for error in errors] == [
            f"line {line}" for line in (3, 4, 5, 6, 7, 9, 10)
        ]
        assert [error.code for error in errors] == [
            "malformed_email",
            "malformed_birthday",
            "too_long",
            "contact_unsubscribed",
            "missing_name_and_email",
            "wrong_number_of_cells",
            "too_long",
        ]
        assert [error.item for error in errors[:3]] == ["not an e-mail", "bo@example.org", "long@example.org"]

    async def test_every_row_wrong(self, desk: Desk, target: NamedSet) -> None:
        """Contract v3.md 3.9: the job ends `completed` even when every row failed."""
        found = await run(desk, "email\n" + "nope\n" * 7, target)
        assert (found.state, found.counts["correctable_count"], found.changed_count) == (State.COMPLETED, 7, 0)
        assert await desk.rows("contact") == []
        assert await desk.members(target) == set()

    async def test_warnings_without_rows(self, desk: Desk, target: NamedSet) -> None:
        """Contract v3.md 3.8: unknown heading → one string in `activity_errors`."""
        found = await run(desk, "email,shoe\n", target)
        assert [error.message for error in await desk.full_errors(found)] == [
            "unknown heading `shoe`: its values are ignored"
        ]
        assert found.error_count == 1

    @pytest.mark.parametrize("text", ["email,first_name\n", "email", "\ufeffemail\r\n\r\n\r\n"])
    async def test_no_rows(self, desk: Desk, target: NamedSet, text: str) -> None:
        found = await run(desk, text, target)
        assert (found.state, found.items_total, found.error_count) == (State.COMPLETED, 1, 0)
        assert (found.percent_done, await desk.rows("contact")) == (100, [])

    async def test_json_rows(self, desk: Desk, target: NamedSet) -> None:
        """Contract v3.md 3.9."""
        rows: list[dict[str, Any]] = [
            {"email": "kim@example.org", "first_name": "Kim", "birthday_month": 5, "birthday_day": 17},
            {"email": "bo@example.org", "home country": "Norway", "phone": 47},
            {"email": "nope"},
        ]
        (desk.settings.uploads / "rows.json").write_bytes(stored_lines(rows))
        submitted = await desk.submit(ContactsJsonImport(file="rows.json", list_ids=(target.set_id,)))
        await desk.deliver(submitted.messages)
        found = await desk.find(submitted)
        assert (found.state, found.items_total, found.changed_count) == (State.COMPLETED, 3, 2)
        assert found.source_file_name is None
        assert await desk.errors(found) == [("nope", "malformed_email")]
        found_people = await people(desk)
        assert found_people["kim@example.org"].birthday == (5, 17)
        assert found_people["bo@example.org"].addresses == {"home": {"country": "Norway"}}
        assert found_people["bo@example.org"].phones == {"other": "47"}

    async def test_progress_is_seen_while_it_runs(self, desk: Desk, target: NamedSet, watch: Any) -> None:
        """Contract v3.md 3.2.2: percent_done never decreases."""
        submitted = await submit(desk, "email\n" + "".join(f"n{n}@example.org\n" for n in range(10)), target)
        seen: list[tuple[int, int]] = []

        async def look(_number: int) -> None:
            now = await desk.find(submitted)
            seen.append((now.items_completed, now.percent_done))

        watch(look)
        await desk.deliver(submitted.messages)
        assert seen == [(0, 1), (3, 27), (6, 54), (9, 81), (10, 90), (11, 99)]

    async def test_a_target_deleted_meanwhile(self, desk: Desk, target: NamedSet) -> None:
        """Design, life of an activity, 4: an item error; the contacts are imported."""
        gone = await desk.new_list()
        submitted = await submit(desk, "email\nkim@example.org\n", target, gone)
        await desk.delete_list(gone)
        await desk.deliver(submitted.messages)
        found = await desk.find(submitted)
        assert (found.state, found.changed_count) == (State.COMPLETED, 1)
        assert await desk.errors(found) == [(str(gone.set_id), "list_deleted")]
        assert await desk.members(target) == {1}
        assert await desk.members(gone) == set()
