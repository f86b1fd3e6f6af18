"""Imports from submission to the last row (contract v3.md 3.8 and 3.9), against a model in plain Python."""

import asyncio
import json
from collections import Counter
from collections.abc import Mapping, Sequence
from datetime import UTC, datetime
from typing import Any
from uuid import uuid4

import pytest
import pytest_asyncio
from hypothesis import given
from hypothesis import settings as examples
from hypothesis import strategies as st

from engine import accounts, operations, principals
from engine.activities import submission
from engine.activities.model import Activity, Message, State
from engine.activities.operation import BatchedOperation
from engine.activities.submission import Submitted
from engine.database import Database
from engine.operations.contacts_import import ContactsFileImport, ContactsJsonImport, SmsPermission
from engine.sets import system
from engine.sets.catalog import NamedSet
from engine.sets.chunks import CHUNK_BITS
from engine.settings import Settings
from tests.integration.conftest import NewDesk, open_desk
from tests.integration.desk import Desk
from tests.integration.import_model import HEADINGS, Model, Person, Row, csv_text, person_from
from tests.integration.watched import WatchedBatches, failing, go_on
from tests.unit.imports.reading import stored_lines

KIND = ContactsFileImport.kind
BATCH = 3


class Killed(BaseException):
    """The process is gone: nobody gives anything back."""


@pytest.fixture
def settings(settings: Settings) -> Settings:
    """A few rows are many batches."""
    return settings.model_copy(update={"import_batch_rows": BATCH})


@pytest.fixture
def watch(monkeypatch: pytest.MonkeyPatch) -> Any:
    """Replaces the import of files by one that calls hooks between and inside its transactions."""
    inner = operations.OPERATIONS[KIND]
    assert isinstance(inner, BatchedOperation)

    def install(before: Any = go_on, after: Any = go_on) -> None:
        monkeypatch.setitem(operations.OPERATIONS, KIND, WatchedBatches(inner, before=before, after=after))

    return install


@pytest_asyncio.fixture
async def target(desk: Desk) -> NamedSet:
    return await desk.new_list()


async def submit(
    desk: Desk, text: str | bytes, *lists: NamedSet, sms_permission: SmsPermission | None = None
) -> Submitted:
    """Uploads a CSV file and asks for its import."""
    name = f"{uuid4()}.csv"
    (desk.settings.uploads / name).write_bytes(text if isinstance(text, bytes) else text.encode())
    list_ids = tuple(each.set_id for each in lists)
    request = ContactsFileImport(
        file=name, list_ids=list_ids, source_file_name="people.csv", sms_permission=sms_permission
    )
    return await desk.submit(request)


async def run(desk: Desk, text: str | bytes, *lists: NamedSet, sms_permission: SmsPermission | None = None) -> Activity:
    submitted = await submit(desk, text, *lists, sms_permission=sms_permission)
    await desk.deliver(submitted.messages)
    return await desk.find(submitted)


async def contacts(desk: Desk) -> dict[str, Any]:
    """The rows of all contacts by e-mail."""
    return {row["email_key"]: row for row in await desk.rows("contact")}


async def people(desk: Desk) -> dict[str, Person]:
    """All contacts by e-mail, as the model knows them."""
    return {key: person_from(row, loaded(row)) for key, row in (await contacts(desk)).items()}


async def channels(desk: Desk) -> dict[str, Any]:
    """The text message channels by e-mail."""
    return {key: loaded(row)["sms_channel"] for key, row in (await contacts(desk)).items()}


def loaded(row: Any) -> Mapping[str, Any]:
    names = ("phone_numbers", "street_addresses", "custom_values", "sms_channel")
    return {name: row[name] and json.loads(row[name]) for name in names}


async def numbered(desk: Desk, keys: set[str]) -> set[int]:
    rows = await contacts(desk)
    return {rows[key]["contact_no"] for key in keys}


async def assert_sets_agree(desk: Desk) -> None:
    """The sets of those who exist, are active and have unsubscribed say what the contacts' rows say."""
    rows = await desk.rows("contact")
    existing = {row["contact_no"] for row in rows if row["deleted_at"] is None}
    active = {row["contact_no"] for row in rows if row["permission"] in ("implicit", "explicit")} & existing
    unsubscribed = {row["contact_no"] for row in rows if row["permission"] == "unsubscribed"}
    assert await desk.members(system.EXISTS) == existing
    assert await desk.members(system.ACTIVE) == active
    assert await desk.members(system.UNSUBSCRIBED) == unsubscribed


class TestContacts:
    """What becomes of contacts (contract v3.md 3.9, semantics)."""

    async def test_new_ones(self, desk: Desk, target: NamedSet) -> None:
        found = await run(desk, "email,first_name,phone\nKim@Example.org,Kim,555\nbo@example.org,,\n", target)
        assert (found.state, found.error_count, found.changed_count) == (State.COMPLETED, 0, 2)
        kim = (await contacts(desk))["kim@example.org"]
        assert (kim["email"], kim["first_name"], kim["last_name"]) == ("Kim@Example.org", "Kim", None)
        assert (kim["permission"], kim["confirm_status"]) == ("implicit", "off")
        assert (kim["create_source"], kim["update_source"], kim["opt_in_source"]) == ("Account", None, "Account")
        times = {kim[f"{name}_at"] for name in ("created", "updated", "email_created", "email_updated")}
        assert times == {kim["opt_in_date"]}
        [phone] = json.loads(kim["phone_numbers"])
        assert (phone["kind"], phone["phone_number"], phone["create_source"]) == ("other", "555", "Account")
        assert phone["phone_number_id"]
        assert await desk.members(target) == await numbered(desk, {"kim@example.org", "bo@example.org"})
        await assert_sets_agree(desk)

    async def test_only_given_properties_of_a_known_one_change(self, desk: Desk, target: NamedSet) -> None:
        await desk.make_contacts(1, permission="explicit")
        await run(desk, "email,first_name,last_name,city\nc1@example.org,Kim,Ode,Oslo\n", target)
        before = (await contacts(desk))["c1@example.org"]
        await run(desk, "email,first_name,last_name,city\n C1@EXAMPLE.ORG ,,Berg,\n", target)
        after = (await contacts(desk))["c1@example.org"]
        assert (after["first_name"], after["last_name"]) == ("Kim", "Berg")
        assert (after["permission"], after["update_source"]) == ("explicit", "Account")
        assert after["updated_at"] > before["updated_at"]
        changed = {name for name in dict(after) if after[name] != before[name]}
        assert changed == {"last_name", "updated_at"}

    async def test_rows_that_change_nothing_write_nothing(self, desk: Desk, target: NamedSet) -> None:
        text = "email,first_name,birthday_month,birthday_day,phone,work_city,anniversary\n"
        text += "kim@example.org,Kim,2,29,555,Oslo,11/15/2006\nbo@example.org,,,,,,\n"
        await run(desk, text, target)
        versions = await desk.owner.fetch("SELECT xmin, * FROM contact WHERE account_id = $1", desk.account_id)
        found = await run(desk, text + text.split("\n", 1)[1], target)
        assert (found.state, found.changed_count) == (State.COMPLETED, 0)
        again = await desk.owner.fetch("SELECT xmin, * FROM contact WHERE account_id = $1", desk.account_id)
        assert versions == again
        assert await desk.rows("contact_before") == []
        assert {row["sequence"] for row in await desk.rows("effect")} == {1}

    async def test_deleted_ones_are_revived(self, desk: Desk, target: NamedSet) -> None:
        for first, permission in enumerate(("unsubscribed", "temp_hold", "explicit"), start=1):
            await desk.make_contacts(1, first=first, permission=permission, deleted=True)
        await desk.owner.execute(
            "UPDATE contact SET opt_out_source = 'Contact', opt_out_date = now(), opt_out_reason = 'spam'"
            " WHERE account_id = $1",
            desk.account_id,
        )
        await assert_sets_agree(desk)
        found = await run(desk, "email\nc1@example.org\nc2@example.org\nc3@example.org\n", target)
        assert found.counts["cannot_add_to_list_count"] == 0
        for row in (await contacts(desk)).values():
            assert (row["permission"], row["deleted_at"], row["opt_in_source"]) == ("implicit", None, "Account")
            assert (row["opt_out_source"], row["opt_out_date"], row["opt_out_reason"]) == (None, None, None)
        assert await desk.members(target) == {1, 2, 3}
        await assert_sets_agree(desk)

    async def test_unsubscribed_ones_are_changed_but_not_put_on_lists(self, desk: Desk, target: NamedSet) -> None:
        await desk.make_contacts(1, permission="unsubscribed")
        await desk.make_contacts(1, first=2, permission="temp_hold")
        found = await run(desk, "email,first_name\nc1@example.org,Kim\nc2@example.org,Bo\n", target)
        assert found.counts["cannot_add_to_list_count"] == 1
        assert found.counts["person_count"] == 2
        rows = await contacts(desk)
        assert (rows["c1@example.org"]["first_name"], rows["c1@example.org"]["permission"]) == ("Kim", "unsubscribed")
        assert rows["c2@example.org"]["permission"] == "temp_hold"
        assert await desk.members(target) == {2}
        [(item, code)] = await desk.errors(found)
        assert (item, code) == ("c1@example.org", "contact_unsubscribed")
        await assert_sets_agree(desk)

    async def test_lists_are_never_taken_away(self, desk: Desk, target: NamedSet) -> None:
        other = await desk.new_list()
        await run(desk, "email\nkim@example.org\n", other)
        await run(desk, "email\nkim@example.org\n", target)
        assert await desk.members(other) == await desk.members(target) == {1}

    async def test_phones_and_addresses_merge_by_kind(self, desk: Desk, target: NamedSet) -> None:
        await run(desk, "email,home_phone,work_phone,street,city\nkim@example.org,1,2,Elm St,Oslo\n", target)
        [before] = (await contacts(desk)).values()
        await run(desk, "email,home_phone,work_phone,phone,city,work_city\nkim@example.org,,3,4,Bergen,Bodø\n", target)
        [person] = (await people(desk)).values()
        assert person.phones == {"home": "1", "work": "3", "other": "4"}
        assert person.addresses == {"home": {"street": "Elm St", "city": "Bergen"}, "work": {"city": "Bodø"}}
        [after] = (await contacts(desk)).values()
        old, new = (json.loads(row["phone_numbers"]) for row in (before, after))
        assert [entry["phone_number_id"] for entry in new[:2]] == [entry["phone_number_id"] for entry in old]
        assert len({entry["phone_number_id"] for entry in new}) == 3
        assert new[0] == old[0]
        assert new[1]["created_at"] == old[1]["created_at"]
        assert new[1]["updated_at"] > old[1]["updated_at"]

    @pytest.mark.parametrize("rows_between", [0, BATCH])
    async def test_a_fourth_phone_is_left_out_and_reported(
        self, desk: Desk, target: NamedSet, rows_between: int
    ) -> None:
        """Contract v3.md 1.9: three at most; no drop is silent."""
        text = "email,phone,home_phone,work_phone,mobile_phone\nkim@example.org,1,2,3,\n"
        text += "".join(f"n{number}@example.org,,,,\n" for number in range(rows_between))
        found = await run(desk, text + "kim@example.org,,,,4\n", target)
        person = (await people(desk))["kim@example.org"]
        assert person.phones == {"other": "1", "home": "2", "work": "3"}
        assert (found.error_count, found.counts["error_count"]) == (1, 0)
        assert await desk.errors(found) == [("kim@example.org", "too_many_phones")]

    async def test_custom_fields_merge(self, desk: Desk, target: NamedSet) -> None:
        await make_custom_fields(desk)
        await run(desk, "email,CF: Color ,cf:size\nkim@example.org,blue,M\n", target)
        found = await run(desk, "email,cf:color,cf:size,cf:shape\nkim@example.org,red,,round\n", target)
        [person] = (await people(desk)).values()
        assert person.custom == {"1": "red", "2": "M"}
        [error] = await desk.full_errors(found)
        assert (error.code, error.message) == ("ignored", "unknown custom field `shape`: its values are ignored")

    async def test_text_message_numbers(self, desk: Desk, target: NamedSet) -> None:
        """Contract v3.md 2.1.7, 3.8 and 3.9: consents only where the import says that there are some."""
        heading = "email,sms_number,sms_consent_date\n"
        await run(desk, heading + "kim@example.org,+15055550100,1/15/2026\nbo@example.org,,\n", target)
        channel = (await channels(desk))["kim@example.org"]
        assert (await contacts(desk))["bo@example.org"]["sms_channel"] is None
        assert (channel["dial_code"], channel["country_code"], channel["sms_address"]) == ("1", "US", "5055550100")
        assert (channel["create_source"], channel["update_source"]) == ("Account", "Account")
        assert channel["sms_channel_consents"] == []
        versions = await desk.rows("contact")
        await run(desk, heading + "kim@example.org,505 555 0100,\n", target)
        assert await desk.rows("contact") == versions

        text = heading + "kim@example.org,+15055550100,1/15/2026\nbo@example.org,+15055550101,\n"
        await run(desk, text, target, sms_permission="explicit")
        told = await channels(desk)
        kim, bo = told["kim@example.org"], told["bo@example.org"]
        assert kim["sms_channel_id"] == channel["sms_channel_id"] != bo["sms_channel_id"]
        [consent] = kim["sms_channel_consents"]
        assert (consent["sms_consent_permission"], consent["consent_type"]) == ("explicit", "promotional_sms")
        assert datetime.fromisoformat(consent["opt_in_date"]) == datetime(2026, 1, 15, tzinfo=UTC)
        assert bo["sms_channel_consents"][0]["opt_in_date"] == bo["sms_channel_consents"][0]["created_at"]

        await run(desk, heading + "kim@example.org,+15055550100,\nbo@example.org,+4722225555,\n", target)
        told = await channels(desk)
        bo = told["bo@example.org"]
        assert told["kim@example.org"] == kim
        assert (bo["dial_code"], bo["country_code"], bo["sms_channel_consents"]) == ("47", "NO", [])

    async def test_an_import_undoes_no_opt_out(self, desk: Desk, target: NamedSet) -> None:
        """Contract v3.md 2.1.7: a consent of the same number stays as it is."""
        heading = "email,sms_number\nkim@example.org,+15055550100\n"
        await run(desk, heading, target, sms_permission="explicit")
        await desk.owner.execute(
            "UPDATE contact SET sms_channel = replace(sms_channel::text, 'explicit', 'opt_out')::jsonb"
            " WHERE account_id = $1",
            desk.account_id,
        )
        await run(desk, heading, target, sms_permission="explicit")
        [consent] = (await channels(desk))["kim@example.org"]["sms_channel_consents"]
        assert consent["sms_consent_permission"] == "opt_out"

    async def test_one_e_mail_twice_is_one_contact(self, desk: Desk, target: NamedSet) -> None:
        """In one batch and over two: the later row's values win, blanks leave the earlier ones alone."""
        text = "email,first_name,last_name\nkim@example.org,K,Ode\nKIM@example.org,Kim,\nbo@example.org,B,\n"
        found = await run(desk, text + "x@example.org,,\nbo@example.org,Bo,Berg\n", target)
        assert (found.state, found.error_count, found.changed_count) == (State.COMPLETED, 0, 3)
        found_people = await people(desk)
        assert found_people["kim@example.org"].texts == {"first_name": "Kim", "last_name": "Ode"}
        assert found_people["bo@example.org"].texts == {"first_name": "Bo", "last_name": "Berg"}
        assert await desk.members(target) == {1, 2, 3}

    async def test_a_twin_is_left_alone(self, desk: Desk, target: NamedSet) -> None:
        """Design, one policy: imports speak of ordinal 0."""
        await desk.make_contacts(2)
        await desk.owner.execute(
            "UPDATE contact SET email_key = 'c1@example.org', email_ordinal = 1"
            " WHERE account_id = $1 AND contact_no = 2",
            desk.account_id,
        )
        await run(desk, "email,first_name\nc1@example.org,Kim\n", target)
        names = {row["contact_no"]: row["first_name"] for row in await desk.rows("contact")}
        assert names == {1: "Kim", 2: None}


class TestReport:
    """Counters and errors (contract v3.md 3.2.4, 3.8)."""

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


class TestFailures:
    """An activity fails as a whole only when it cannot go on, and says why (design, life of an activity, 6)."""

    async def test_the_file_is_gone(self, desk: Desk, target: NamedSet) -> None:
        submitted = await submit(desk, "email\nkim@example.org\n", target)
        [upload] = desk.settings.uploads.iterdir()
        upload.unlink()
        await desk.deliver(submitted.messages)
        found = await desk.find(submitted)
        assert (found.state, found.failure_code) == (State.FAILED, "invalid_import")
        assert found.failure == "the uploaded file cannot be read: No such file or directory"
        assert await desk.unfinished() == 0

    @pytest.mark.parametrize("text", [b"", b"\n\n", b"first_name\nKim\n", b"email,email\n", b"\xff\xfe\n", b'"email'])
    async def test_a_file_without_usable_headings(self, desk: Desk, target: NamedSet, text: bytes) -> None:
        found = await run(desk, text, target)
        assert (found.state, found.failure_code) == (State.FAILED, "invalid_import")
        assert found.failure
        assert found.percent_done == 1

    async def test_a_failing_batch_keeps_the_finished_ones(self, desk: Desk, target: NamedSet, watch: Any) -> None:
        """Issue 2, section 6: an import that must stop keeps its finished batches, says so, and can be retried."""
        submitted = await submit(desk, "email\n" + "".join(f"n{n}@example.org\n" for n in range(10)), target)
        watch(after=failing(2))
        await desk.deliver(submitted.messages, desk.worker(max_attempts=1))
        await desk.let_leases_run_out()
        watch(before=failing(0))
        await desk.deliver(await desk.swept(), desk.worker(max_attempts=1))
        found = await desk.find(submitted)
        assert (found.state, found.failure_code) == (State.FAILED, "attempts_exhausted")
        assert (found.items_completed, found.changed_count, found.counts["person_count"]) == (6, 6, 6)
        assert len(await desk.members(target)) == 6
        watch()
        again = await submission.retry(desk.db, desk.settings, desk.principal, found.activity_id)
        await desk.deliver(again.messages)
        found = await desk.find(again)
        assert (found.state, found.items_completed, found.changed_count) == (State.COMPLETED, 11, 4)
        assert len(await desk.members(target)) == 10

    async def test_attempts_start_again_after_a_batch(self, desk: Desk, target: NamedSet, watch: Any) -> None:
        """Design, life of an activity, 5: attempts are counted in the row and start again after progress."""
        submitted = await submit(desk, "email\n" + "".join(f"n{n}@example.org\n" for n in range(9)), target)
        runner = desk.worker(max_attempts=2)
        # Of the calls over all attempts: no batch; the first; another one and none; one and the end.
        watch(before=failing(0, 2, 4, 5, 7))
        await desk.deliver(submitted.messages, runner)
        await desk.finish_everything(runner)
        found = await desk.find(submitted)
        assert (found.state, found.failure, found.changed_count) == (State.COMPLETED, None, 9)

    async def test_what_was_left_out_is_told_once(self, desk: Desk, target: NamedSet, watch: Any) -> None:
        """A worker that dies between the last batch and the end has told it already."""
        submitted = await submit(desk, "email\n" + "".join(f"n{n}@example.org\n" for n in range(9)), target)
        runner = desk.worker(import_max_rows=5)
        watch(before=failing(3))
        await desk.deliver(submitted.messages, runner)
        assert len(await desk.errors(submitted)) == 1
        watch()
        await desk.finish_everything(runner)
        found = await desk.find(submitted)
        assert (found.state, found.error_count, found.changed_count) == (State.COMPLETED, 1, 4)
        assert await desk.errors(submitted) == [("", "too_many_rows")]

    async def test_a_retry_of_an_import_without_rows(self, desk: Desk, target: NamedSet) -> None:
        found = await run(desk, "email\n", target)
        again = await submission.retry(desk.db, desk.settings, desk.principal, found.activity_id)
        await desk.deliver(again.messages)
        assert (await desk.find(again)).state is State.COMPLETED

    async def test_a_time_limit_keeps_the_finished_batches(self, desk: Desk, target: NamedSet, watch: Any) -> None:
        submitted = await submit(desk, "email\n" + "".join(f"n{n}@example.org\n" for n in range(10)), target)

        async def never_ends(number: int) -> None:
            if number == 2:
                await asyncio.Event().wait()

        watch(after=never_ends)
        await desk.deliver(submitted.messages, desk.worker(activity_time_limit=1))
        found = await desk.find(submitted)
        assert (found.state, found.items_completed, found.changed_count) == (State.TIMED_OUT, 6, 6)
        assert found.percent_done == 54
        assert len(await desk.rows("contact")) == len(await desk.members(target)) == 6

    async def test_cancelling_stops_before_the_next_batch(self, desk: Desk, target: NamedSet, watch: Any) -> None:
        """Issue 2, section 2: what was done is reported exactly."""
        submitted = await submit(desk, "email\n" + "".join(f"n{n}@example.org\n" for n in range(10)), target)

        async def cancel(number: int) -> None:
            if number == 1:
                await submission.cancel(desk.db, desk.settings, desk.principal, submitted.activity.activity_id)

        watch(after=cancel)
        await desk.deliver(submitted.messages)
        found = await desk.find(submitted)
        assert (found.state, found.items_completed, found.changed_count) == (State.CANCELLED, 6, 6)
        assert (found.counts["person_count"], found.percent_done) == (6, 54)
        assert len(await desk.rows("contact")) == len(await desk.members(target)) == 6
        assert sum(row["bits"].to_int() > 0 for row in await desk.rows("effect") if row["set_no"] > 0) == 2
        assert await desk.unfinished() == 0
        await assert_sets_agree(desk)

    async def test_an_e_mail_in_several_batches_counts_once(self, desk: Desk, target: NamedSet, watch: Any) -> None:
        """Also in an import that does not come to its end."""
        await desk.make_contacts(1, permission="unsubscribed")
        rows = ["a@example.org", "c1@example.org", "C1@example.org"] * 4
        submitted = await submit(desk, "\n".join(["email", *rows]), target)

        async def cancel(number: int) -> None:
            if number == 2:
                await submission.cancel(desk.db, desk.settings, desk.principal, submitted.activity.activity_id)

        watch(after=cancel)
        await desk.deliver(submitted.messages)
        found = await desk.find(submitted)
        assert (found.state, found.counts["person_count"], found.changed_count) == (State.CANCELLED, 2, 1)
        [reason, *errors] = await desk.full_errors(found)
        assert (reason.code, reason.message[:19]) == ("cancelled", "its first 9 items a")
        lines = [error.message.partition(":")[0] for error in errors]
        assert lines == [f"line {line}" for line in (3, 4, 6, 7, 9, 10)]
        assert found.counts["cannot_add_to_list_count"] == found.error_count == 6

    @pytest.mark.parametrize("end", ["\n", "\r\n", "\r"])
    async def test_the_number_of_rows_is_known_from_the_first_batch(
        self, desk: Desk, target: NamedSet, watch: Any, end: str
    ) -> None:
        """Line breaks in cells are no rows, and any line end ends one."""
        text = "email,first_name" + end + "".join(f'n{n}@example.org,"a{end}b ""c"""{end}' for n in range(9))
        submitted = await submit(desk, text, target)
        watch(after=failing(1))
        await desk.deliver(submitted.messages)
        found = await desk.find(submitted)
        assert (found.state, found.items_total, found.items_completed) == (State.PROCESSING, 10, 3)

    async def test_a_zombie_writes_no_batch(self, desk: Desk, target: NamedSet) -> None:
        """Its transaction is open while its successor waits for the same rows."""
        submitted = await submit(desk, "email\n" + "".join(f"n{n}@example.org\n" for n in range(4)), target)
        async with desk.held(target):
            zombie = asyncio.create_task(desk.worker().run(submitted.messages[0]))
            await desk.someone_waits(1)
            await desk.let_leases_run_out()
            [message] = await desk.swept()
            successor = asyncio.create_task(desk.worker().run(message))
            await desk.someone_waits(2)
        assert await zombie == []
        await successor
        found = await desk.find(submitted)
        assert (found.state, found.changed_count, found.counts["person_count"]) == (State.COMPLETED, 4, 4)
        assert len(await desk.rows("contact")) == len(await desk.members(target)) == 4
        assert await desk.rows("import_row") == []
        await assert_sets_agree(desk)


class TestImages:
    """Before-images exactly of the contacts that change (issue 2, section 2: undo will need them)."""

    async def test_a_phone_without_room_changes_nothing(self, desk: Desk, target: NamedSet) -> None:
        heading = "email,home_phone,work_phone,mobile_phone,phone\n"
        await run(desk, heading + "a@example.org,1,2,3,\n", target)
        before = await desk.rows("contact")
        found = await run(desk, heading + "a@example.org,1,,,4\n", target)
        assert (found.state, found.error_count) == (State.COMPLETED, 1)
        assert await desk.rows("contact") == before
        assert await desk.rows("contact_before") == []

    async def test_they_show_contacts_as_they_were(self, desk: Desk, target: NamedSet) -> None:
        await desk.make_contacts(3)
        await desk.make_contacts(1, first=4, deleted=True)
        await desk.make_contacts(1, first=5, permission="unsubscribed")
        before = {row["contact_no"]: dict(row) for row in await desk.rows("contact")}
        rows = ["c1@example.org,Kim", "c2@example.org,", "new@example.org,New", "c4@example.org,", "c5@example.org,Bo"]
        await run(desk, "\n".join(["email,first_name", *rows, "c1@example.org,Again", "new@example.org,Newer"]), target)
        images = {row["contact_no"]: json.loads(row["image"]) for row in await desk.rows("contact_before")}
        assert images.keys() == {1, 4, 5}
        for number, image in images.items():
            assert image.keys() == before[number].keys()
            assert image["first_name"] is None
            assert image["permission"] == before[number]["permission"]
            assert (image["deleted_at"] is None) == (before[number]["deleted_at"] is None)


class TestNumbers:
    """Contact numbers are unique and nearly dense (design, "Words": contact)."""

    async def test_the_next_import_goes_on_where_the_last_one_ended(self, desk: Desk, target: NamedSet) -> None:
        await run(desk, "email\n" + "".join(f"a{n}@example.org\n" for n in range(10)), target)
        await run(desk, "email\n" + "".join(f"b{n}@example.org\n" for n in range(10)), target)
        assert {row["contact_no"] for row in await desk.rows("contact")} == set(range(1, 21))

    async def test_known_contacts_take_no_numbers_from_batch_to_batch(self, desk: Desk, target: NamedSet) -> None:
        """What a batch leaves serves the next; at most what one batch might have needed becomes a gap."""
        text = "email\n" + "".join(f"a{n}@example.org\n" for n in range(30))
        await run(desk, text, target)
        await run(desk, text + "".join(f"b{n}@example.org\n" for n in range(3)), target)
        [account] = await desk.rows("account")
        assert {row["contact_no"] for row in await desk.rows("contact")} == set(range(1, 34))
        assert account["last_contact_no"] <= 33 + BATCH

    @pytest.mark.parametrize("before", [CHUNK_BITS - 4, CHUNK_BITS - 1, CHUNK_BITS, 5 * CHUNK_BITS + 60])
    async def test_across_words_and_chunks(self, desk: Desk, target: NamedSet, before: int) -> None:
        await desk.make_contacts(1)
        await desk.make_contacts(2, first=before - 1, deleted=True)
        revived = [f"c{number}@example.org" for number in (before, before - 1)]
        found = await run(desk, "\n".join(["email", *revived, *(f"n{n}@example.org" for n in range(9))]), target)
        assert (found.state, found.changed_count) == (State.COMPLETED, 11)
        assert await desk.members(target) == set(range(before - 1, before + 10))
        await assert_sets_agree(desk)

    @pytest.mark.parametrize("number_of_accounts", [1, 4])
    async def test_imports_side_by_side(self, desk: Desk, new_desk: NewDesk, number_of_accounts: int) -> None:
        desks = [desk, *[await new_desk() for _ in range(number_of_accounts - 1)]]
        targets = [await each.new_list() for each in desks]
        submitted = []
        for place in range(4):
            text = "email\n" + "".join(f"{place}-{n}@example.org\nshared{n}@example.org\n" for n in range(10))
            where = place % number_of_accounts
            submitted.append((desks[where], await submit(desks[where], text, targets[where])))
        await asyncio.gather(*(each.deliver(import_.messages) for each, import_ in submitted))
        for each, target in zip(desks, targets, strict=True):
            await each.finish_everything()
            numbers = [row["contact_no"] for row in await each.rows("contact")]
            expected = 10 + 10 * 4 // number_of_accounts
            assert len(set(numbers)) == len(numbers) == expected
            assert max(numbers) <= expected + 4 * BATCH
            assert await each.members(target) == set(numbers)
            assert len({row["email_key"] for row in await each.rows("contact")}) == expected
            await assert_sets_agree(each)
        for each, import_ in submitted:
            assert (await each.find(import_)).state is State.COMPLETED


async def make_custom_fields(desk: Desk) -> None:
    for number, name in enumerate(("color", "size"), start=1):
        await desk.owner.execute(
            "INSERT INTO custom_field VALUES ($1, $2, gen_random_uuid(), $3, $3, $3, 'string', now(), now())",
            desk.account_id,
            number,
            name,
        )


#: Contacts that exist before a random import: number, permission, deleted.
RESIDENTS = (
    ("implicit", False),
    ("explicit", False),
    ("unsubscribed", False),
    ("temp_hold", False),
    ("implicit", True),
    ("unsubscribed", True),
)

known_emails = st.integers(1, len(RESIDENTS)).map(lambda number: f"c{number}@example.org")
other_emails = st.sampled_from([" C1@Example.org ", "new1@example.org", "NEW2@example.org", "nope", ""])
birthdays = st.sampled_from([("", "")] * 4 + [("2", "29"), ("12", "1"), ("13", "1"), ("1", "")])


@st.composite
def random_rows(draw: st.DrawFn) -> Row:
    month, day = draw(birthdays)
    row = {name: draw(st.sampled_from(["", "", "a", "b"])) for name in HEADINGS}
    row |= {"email": draw(known_emails | other_emails), "birthday_month": month, "birthday_day": day}
    if draw(st.integers(0, 9)) == 0:
        row["last_name"] = "x" * 51
    return row


#: Where a worker dies: before the batch of this number, or inside its transaction; counted anew for each worker.
deaths = st.lists(st.tuples(st.sampled_from(["between", "inside"]), st.integers(0, 4)), max_size=3)


@pytest.mark.timeout(300)
@examples(max_examples=60)
@given(files=st.lists(st.lists(random_rows(), max_size=9), min_size=1, max_size=2), deaths=deaths)
async def test_random_imports_with_dying_workers_end_as_the_model_says(
    files: Sequence[Sequence[Row]],
    deaths: Sequence[tuple[str, int]],
    db: Database,
    settings: Settings,
    watch: Any,
) -> None:
    """Issue 2, section 4 and design, life of an activity, 4: nothing is lost, nothing is done twice."""
    account = await accounts.create(db, "random")
    token = await principals.create_token(db, account.account_id, "random")
    async with open_desk(db, settings, await principals.authenticate(db, token)) as desk:
        model, target = await inhabited(desk), await desk.new_list()
        for rows in files:
            submitted = await submit(desk, csv_text(rows), target)
            model.run(rows, BATCH)
            await run_with_deaths(desk, submitted, deaths, watch)
            found = await desk.find(submitted)
            assert found.state is State.COMPLETED
            assert (found.items_total, found.items_completed) == (len(rows) + 1, len(rows) + 1)
            assert model.counts == Counter(found.counts)
            assert (model.joined, model.error_count) == (found.changed_count, found.error_count)
            images = await desk.owner.fetch(
                "SELECT image ->> 'email_key' AS email_key FROM contact_before WHERE account_id = $1 AND sequence = $2",
                desk.account_id,
                found.sequence,
            )
            assert {row["email_key"] for row in images} == model.changed
            model = Model(people=model.people, members=model.members)
        assert await people(desk) == model.people
        assert await desk.members(target) == await numbered(desk, model.members)
        await assert_sets_agree(desk)
        assert await desk.rows("import_row") == await desk.rows("lease") == []


async def inhabited(desk: Desk) -> Model:
    model = Model()
    await make_custom_fields(desk)
    for number, (permission, deleted) in enumerate(RESIDENTS, start=1):
        await desk.make_contacts(1, first=number, permission=permission, deleted=deleted)
        email = f"c{number}@example.org"
        model.people[email] = Person(email, permission, deleted)
    return model


async def run_with_deaths(desk: Desk, submitted: Submitted, deaths: Sequence[tuple[str, int]], watch: Any) -> None:
    messages: Sequence[Message] = submitted.messages
    for place, number in deaths:

        async def die(at: int, number: int = number) -> None:
            if at == number:
                raise Killed

        watch(**{"before" if place == "between" else "after": die})
        try:
            await desk.deliver(messages)
        except Killed:
            await desk.let_leases_run_out()
            messages = await desk.swept()
    watch()
    await desk.deliver(messages)
