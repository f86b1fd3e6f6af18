"""What imports make of contacts."""

import json
from datetime import UTC, datetime

import pytest

from engine.activities.model import State
from engine.sets.catalog import NamedSet
from tests.integration.desk import Desk
from tests.integration.imports.importing import (
    BATCH,
    assert_sets_agree,
    channels,
    contacts,
    make_custom_fields,
    numbered,
    people,
    run,
)


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

    async def test_a_year_goes_with_its_birthday(self, desk: Desk, target: NamedSet) -> None:
        """Files say no years: another birthday has none, and the same one keeps it."""
        await desk.make_contacts(2)
        await desk.owner.execute(
            "UPDATE contact SET birthday_month = 2, birthday_day = 3, birthday_year = 1972 WHERE account_id = $1",
            desk.account_id,
        )
        await run(desk, "email,birthday_month,birthday_day\nc1@example.org,2,3\nc2@example.org,2,4\n", target)
        found = {row["contact_no"]: (row["birthday_day"], row["birthday_year"]) for row in await desk.rows("contact")}
        assert found == {1: (3, 1972), 2: (4, None)}

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
