"""Custom fields: names, and deletion, which is at once for whoever looks and then goes through the contacts."""

import asyncio
import json
from dataclasses import replace
from random import Random
from typing import Any
from uuid import uuid4

import pytest

from engine import fields, operations
from engine.activities import submission
from engine.activities.model import State
from engine.activities.submission import Submitted
from engine.errors import Invalid, NameTaken, NotFound, TooManyActivities, UnknownTarget
from engine.fields import Definition, Field
from engine.operations import custom_fields_delete
from engine.operations.custom_fields_delete import DeleteCustomFields, DeletionOfCustomFields
from engine.operations.lists_delete import DeleteLists
from engine.operations.sets_delete import DeletionOfSets
from engine.segments import stored
from engine.sets import reading
from engine.sets.system import FIELDS
from tests.integration.desk import Desk, message_of
from tests.integration.watched import WatchedBatches, WatchedWork, failing


async def new_field(desk: Desk, label: str = "Shoe size", type: fields.Type = "string") -> Field:  # noqa: A002
    async with desk.db.account(desk.account_id) as tx:
        return await fields.create(tx, Definition(label, type), most=100)


async def give(desk: Desk, values: dict[int, dict[int, str]]) -> None:
    """Contacts by number get values by field number."""
    for contact_no, of_contact in values.items():
        await desk.owner.execute(
            "UPDATE contact SET custom_values = $3 WHERE account_id = $1 AND contact_no = $2",
            desk.account_id,
            contact_no,
            json.dumps(of_contact),
        )


async def values(desk: Desk) -> dict[int, dict[str, str]]:
    """What the contacts' rows hold."""
    return {
        row["contact_no"]: json.loads(row["custom_values"])
        for row in await desk.rows("contact")
        if row["custom_values"] is not None
    }


async def delete_now(desk: Desk, doomed: Field) -> Submitted:
    return await custom_fields_delete.delete_at_once(desk.db, desk.settings, desk.principal, doomed.field_no)


def deleting(*doomed: Field) -> DeleteCustomFields:
    return DeleteCustomFields(custom_field_ids=tuple(each.field_id for each in doomed))


class TestNames:
    """Contract v3.md 2.4."""

    @pytest.mark.parametrize(
        ("label", "name"),
        [
            ("Vehicle make and model year", "Vehicle_make_and_model_year"),
            ("  a  b ", "a__b"),
            ("tab\there", "tab_here"),
            ("no\u00a0break\u3000ideographic", "no_break_ideographic"),
            ("customer_id", "customer_id"),
            ("Größe 👟 \u200bx", "Größe_👟_\u200bx"),
            (" " * 10 + "x" * 40, "x" * 40),
        ],
    )
    async def test_a_name_is_the_label_with_underscores_for_blanks(self, desk: Desk, label: str, name: str) -> None:
        made = await new_field(desk, label)
        assert (made.label, made.name) == (label, name)

    async def test_names_are_unique_without_case_among_living_fields(self, desk: Desk) -> None:
        first = await new_field(desk, "Shoe size")
        for label in ("Shoe size", "shoe_SIZE", " Shoe\tsize "):
            with pytest.raises(NameTaken, match="another custom field of this account is named"):
                await new_field(desk, label)
        await delete_now(desk, first)
        again = await new_field(desk, "SHOE size")
        assert again.field_no > first.field_no

    async def test_there_is_a_limit_of_living_ones(self, desk: Desk) -> None:
        """Contract v3.md 1.9 and 2.4."""
        first = await new_field(desk, "1")
        async with desk.db.account(desk.account_id) as tx:
            await fields.create(tx, Definition("2", "date"), most=2)
        with pytest.raises(Invalid, match="the account has 2 custom fields already"):
            async with desk.db.account(desk.account_id) as tx:
                await fields.create(tx, Definition("3", "date"), most=2)
        await delete_now(desk, first)
        async with desk.db.account(desk.account_id) as tx:
            await fields.create(tx, Definition("3", "date"), most=2)

    async def test_two_that_swap_their_names_end_in_no_deadlock(self, desk: Desk) -> None:
        a, b = await new_field(desk, "a"), await new_field(desk, "b")

        async def rename(field: Field, label: str) -> bool:
            try:
                async with desk.db.account(desk.account_id) as tx:
                    await fields.change(tx, field.field_no, lambda found: replace(found.definition(), label=label))
            except NameTaken:
                return False
            return True

        for _ in range(10):
            assert not any(await asyncio.gather(rename(a, "b"), rename(b, "a")))
        assert sorted([await rename(a, "c"), await rename(b, "C")]) == [False, True]


async def test_readers_know_living_fields_only(desk: Desk) -> None:
    """Contract v3.md 2.4 and 4.3: values disappear at once, and a rule on a field that is gone matches nobody."""
    await desk.make_contacts(2)
    kept, doomed = await new_field(desk, "kept"), await new_field(desk, "doomed")
    await give(desk, {1: {kept.field_no: "x", doomed.field_no: "x"}})

    async def found(name: str) -> list[int]:
        rule = {"source": "contact", "field": f"cf:{name}", "op": "eq", "value": "x"}
        criteria = json.dumps({"version": "1.0.0", "criteria": {"type": "and", "group": [rule]}})
        async with desk.db.account(desk.account_id) as tx:
            return await reading.page(tx, await stored.resolve(tx, criteria), limit=10)

    assert await found("doomed") == await found("kept") == [1]
    await delete_now(desk, doomed)
    async with desk.db.account(desk.account_id) as tx:
        assert await fields.numbers(tx) == {"kept": kept.field_no}
        assert await fields.ids(tx) == {kept.field_no: kept.field_id}
        assert await fields.by_id(tx) == {kept.field_id: kept}
        assert await fields.page(tx, limit=10) == [kept]
        with pytest.raises(NotFound):
            await fields.find(tx, doomed.field_id)
        with pytest.raises(UnknownTarget, match=str(doomed.field_id)):
            await fields.numbers_of(tx, [kept.field_id, doomed.field_id])
    assert await found("doomed") == await found(str(doomed.field_id)) == []
    assert await found("kept") == [1]


class TestScopes:
    """Issue 4, corrections: names are unique within a list, or among the fields that everybody has."""

    async def test_names(self, desk: Desk) -> None:
        one, two = await desk.new_lists(2)
        async with desk.db.account(desk.account_id) as tx:
            scopes = [None, one.set_no, two.set_no]
            made = [await fields.create(tx, Definition("Diet", set_no=scope), most=1) for scope in scopes]
        for scope in scopes:
            with pytest.raises(NameTaken):
                async with desk.db.account(desk.account_id) as tx:
                    await fields.create(tx, Definition("diet", set_no=scope))
            with pytest.raises(Invalid, match="the account has 1 custom fields already"):
                async with desk.db.account(desk.account_id) as tx:
                    await fields.create(tx, Definition("another", set_no=scope), most=1)
        with pytest.raises(NameTaken, match="another custom field of this list is named 'Diet'"):
            async with desk.db.account(desk.account_id) as tx:
                await fields.change(tx, made[1].field_no, lambda it: replace(it.definition(), set_no=two.set_no))

    async def test_those_of_a_list_are_seen_with_it_only(self, desk: Desk) -> None:
        """What names no list means everybody's (contract v3.md 2.4)."""
        target = await desk.new_list()
        wide = await new_field(desk, "wide")
        async with desk.db.account(desk.account_id) as tx:
            definitions = [Definition("last"), Definition("second", position=2), Definition("first", position=1)]
            made = [await fields.create(tx, replace(each, set_no=target.set_no)) for each in definitions]
            assert await fields.of_list(tx, target.set_no) == made[::-1]
            assert await fields.all_scopes(tx) == [wide, *made]
            assert await fields.page(tx, limit=10) == [wide]
            assert (await fields.numbers(tx)).keys() == (await fields.by_name(tx)).keys() == {"wide"}
            assert (await fields.ids(tx)).keys() == {wide.field_no}
            assert await fields.find_number(tx, made[0].field_no) == made[0]
            for field_id in (made[0].field_id, uuid4()):
                with pytest.raises(NotFound):
                    await fields.find(tx, field_id)
            with pytest.raises(UnknownTarget):
                await fields.numbers_of(tx, [made[0].field_id])

    async def test_a_field_moves_and_is_defined_anew(self, desk: Desk) -> None:
        """Contract greenrope.md 6.4: Edit moves the field; what is not said stays."""
        target = await desk.new_list()
        said = Definition("Pet", "choices", target.set_no, ("Dog", "Cat"), "editable", "Cat", 3, True, "first_name")
        async with desk.db.account(desk.account_id) as tx:
            made = await fields.create(tx, said)
            assert made.definition() == said
            other: dict[str, Any] = {"set_no": None, "choices": ("Cat", "Newt"), "property": None}
            moved = await fields.change(tx, made.field_no, lambda it: replace(it.definition(), **other))
            assert await fields.find_number(tx, made.field_no) == moved
        assert moved.definition() == replace(said, **other)
        assert [(each.choice_no, each.value, each.in_use) for each in moved.choices] == [
            (2, "Cat", True),
            (3, "Newt", True),
            (1, "Dog", False),
        ]

    @pytest.mark.parametrize(
        "said",
        [
            Definition("Pet", "choice", choices=("Dog", " dog")),
            Definition("Pet", "choices", choices=("Dog,Cat",)),
            Definition("Pet", "choice", choices=("Dog", " ")),
            Definition("Pet", "choice", choices=("Dog",), default_value="Cat"),
            Definition("Pet", "date", default_value="soon"),
            Definition("Pet", property="email"),
            Definition("Pet", "number", choices=("3",)),
        ],
    )
    async def test_definitions_without_sense(self, desk: Desk, said: Definition) -> None:
        with pytest.raises(Invalid, match="Pet"):
            async with desk.db.account(desk.account_id) as tx:
                await fields.create(tx, said)
        assert await desk.rows("custom_field") == []

    async def test_a_list_takes_its_fields_with_it(self, desk: Desk) -> None:
        gone, kept = await desk.new_lists(2)
        async with desk.db.account(desk.account_id) as tx:
            for each in (gone, kept):
                await fields.create(tx, Definition("Diet", set_no=each.set_no))
        await desk.deliver((await desk.submit(DeleteLists(list_ids=(gone.set_id,)))).messages)
        async with desk.db.account(desk.account_id) as tx:
            assert [each.set_no for each in await fields.all_scopes(tx)] == [kept.set_no]
            with pytest.raises(UnknownTarget):
                await fields.create(tx, Definition("Size", set_no=gone.set_no))

    async def test_a_list_takes_their_values_whatever_fails_or_gets_lost(
        self, desk: Desk, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        """Design, an activity's life: what is left to erase is entered with the deletion itself, or not at all."""
        await desk.make_contacts(2)
        gone, kept = await desk.new_lists(2)
        async with desk.db.account(desk.account_id) as tx:
            doomed = [await fields.create(tx, Definition(label, set_no=gone.set_no)) for label in ("Diet", "Size")]
            other = await fields.create(tx, Definition("Diet", set_no=kept.set_no))
        await give(desk, {1: {each.field_no: "x" for each in (*doomed, other)}, 2: {doomed[1].field_no: "x"}})
        monkeypatch.setitem(operations.OPERATIONS, DeleteLists.kind, WatchedWork(DeletionOfSets(), after=failing(0)))
        deleted = await desk.submit(DeleteLists(list_ids=(gone.set_id,)))
        await desk.worker().run(message_of(deleted))
        assert [row["kind"] for row in await desk.rows("activity")] == ["list_delete"]
        await desk.let_leases_run_out()
        # The messages that come of it are lost.
        [await desk.worker().run(message) for message in await desk.swept()]
        assert (await desk.find(deleted)).state is State.COMPLETED
        assert await desk.unfinished() == 1
        assert len(await values(desk)) == 2
        await desk.finish_everything()
        assert await values(desk) == {1: {str(other.field_no): "x"}}
        assert {row["kind"]: row["listed"] for row in await desk.rows("activity")} == {
            "list_delete": True,
            "custom_fields_delete": False,
        }

    async def test_a_list_is_deleted_while_one_of_them_is(self, desk: Desk, monkeypatch: pytest.MonkeyPatch) -> None:
        """Lock order (engine/activities): whoever takes the account's lock and fields, takes it first."""
        gone = await desk.new_list()
        async with desk.db.account(desk.account_id) as tx:
            doomed = await fields.create(tx, Definition("Diet", set_no=gone.set_no))
        begun, may_go_on = asyncio.Event(), asyncio.Event()

        async def pause(_number: int) -> None:
            begun.set()
            await may_go_on.wait()

        monkeypatch.setitem(operations.OPERATIONS, DeleteLists.kind, WatchedWork(DeletionOfSets(), before=pause))
        deleted = await desk.submit(DeleteLists(list_ids=(gone.set_id,)))
        deleting = asyncio.create_task(desk.deliver(deleted.messages))
        await begun.wait()
        async with desk.db.scheduling(desk.account_id) as tx:
            may_go_on.set()
            await desk.someone_waits()
            assert await fields.delete(tx, [doomed.field_no]) == {doomed.field_no}
        await deleting
        found = await desk.find(deleted)
        assert (found.state, found.attempts) == (State.COMPLETED, 1)

    async def test_one_of_a_list_is_deleted_with_its_values(self, desk: Desk) -> None:
        await desk.make_contacts(1)
        target = await desk.new_list()
        async with desk.db.account(desk.account_id) as tx:
            doomed = await fields.create(tx, Definition("Diet", set_no=target.set_no))
        await give(desk, {1: {doomed.field_no: "none"}})
        await desk.deliver((await delete_now(desk, doomed)).messages)
        assert await values(desk) == {}
        with pytest.raises(NotFound):
            await delete_now(desk, doomed)


class TestDeletion:
    """Contract v3.md 2.4 and 3.7."""

    async def test_values_are_erased_and_others_stay(self, desk: Desk) -> None:
        await desk.make_contacts(4)
        one, two, kept = [await new_field(desk, name) for name in ("one", "two", "kept")]
        await give(
            desk,
            {
                1: {one.field_no: "a", two.field_no: "b", kept.field_no: "c"},
                2: {one.field_no: "a"},
                3: {kept.field_no: "c"},
            },
        )
        before = {row["contact_no"]: row["updated_at"] for row in await desk.rows("contact")}
        deleted = await desk.submit(deleting(one, two))
        assert deleted.activity.writes == {FIELDS}
        await desk.deliver(deleted.messages)
        found = await desk.find(deleted)
        assert (found.state, found.percent_done) == (State.COMPLETED, 100)
        assert found.counts == {"fields": 2, "deleted": 2}
        assert (found.changed_count, found.error_count) == (2, 0)
        assert await values(desk) == {1: {str(kept.field_no): "c"}, 3: {str(kept.field_no): "c"}}
        assert {row["contact_no"]: row["updated_at"] for row in await desk.rows("contact")} == before

    async def test_what_was_erased_is_in_the_before_images(self, desk: Desk) -> None:
        """Design, undo: field changes keep before-images of the contacts they changed."""
        await desk.make_contacts(2)
        doomed, kept = await new_field(desk, "doomed"), await new_field(desk, "kept")
        await give(desk, {1: {doomed.field_no: "a", kept.field_no: "b"}, 2: {kept.field_no: "c"}})
        await desk.deliver((await desk.submit(deleting(doomed))).messages)
        [image] = await desk.rows("contact_before")
        assert image["contact_no"] == 1
        assert json.loads(image["image"]) == {"custom_values": {str(doomed.field_no): "a", str(kept.field_no): "b"}}

    async def test_at_once_then_erased_by_an_activity_that_is_not_listed(self, desk: Desk) -> None:
        await desk.make_contacts(1)
        doomed = await new_field(desk)
        await give(desk, {1: {doomed.field_no: "44"}})
        erasing = await delete_now(desk, doomed)
        assert await values(desk)
        assert [row["listed"] for row in await desk.rows("activity")] == [False]
        await desk.deliver(erasing.messages)
        found = await desk.find(erasing)
        assert (found.state, found.changed_count, found.error_count) == (State.COMPLETED, 1, 0)
        assert await values(desk) == {}
        with pytest.raises(NotFound):
            await delete_now(desk, doomed)

    async def test_when_nothing_more_can_be_queued_the_field_stays(self, desk: Desk) -> None:
        """Contract v3.md 1.9: 1,000 unfinished activities, then 429."""
        doomed = await new_field(desk)
        settings = desk.settings.model_copy(update={"max_unfinished": 1})
        await submission.submit(desk.db, settings, desk.principal, deleting(doomed))
        with pytest.raises(TooManyActivities):
            await custom_fields_delete.delete_at_once(desk.db, settings, desk.principal, doomed.field_no)
        async with desk.db.account(desk.account_id) as tx:
            assert await fields.find(tx, doomed.field_id) == doomed

    async def test_one_that_was_deleted_meanwhile_is_an_item_error(self, desk: Desk) -> None:
        first, second = await new_field(desk, "1"), await new_field(desk, "2")
        deleted = await desk.submit(deleting(first, second))
        await delete_now(desk, first)
        await desk.deliver(deleted.messages)
        found = await desk.find(deleted)
        assert (found.state, found.counts) == (State.COMPLETED, {"fields": 2, "deleted": 1})
        assert await desk.errors(deleted) == [(str(first.field_id), "custom_field_deleted")]
        with pytest.raises(UnknownTarget):
            await desk.submit(deleting(second))

    async def test_unknown_ones_are_refused(self, desk: Desk) -> None:
        known = await new_field(desk)
        with pytest.raises(UnknownTarget):
            await desk.submit(DeleteCustomFields(custom_field_ids=(known.field_id, uuid4())))
        assert await desk.rows("activity") == []

    async def test_an_account_without_contacts(self, desk: Desk) -> None:
        deleted = await desk.submit(deleting(await new_field(desk)))
        await desk.deliver(deleted.messages)
        assert (await desk.find(deleted)).state is State.COMPLETED

    @pytest.mark.parametrize("seed", range(3))
    async def test_it_survives_whatever_stops_it(self, desk: Desk, monkeypatch: pytest.MonkeyPatch, seed: int) -> None:
        """Design, batched work: a successor goes on after the last batch, and does nothing twice."""
        random = Random(seed)
        await desk.make_contacts(30, first=1)
        await desk.make_contacts(10, first=95)
        made = [await new_field(desk, str(number)) for number in range(4)]
        model = {
            number: {each.field_no: "v" for each in made if random.random() < 0.5}
            for number in (*range(1, 31), *range(95, 105))
        }
        await give(desk, model)
        doomed = random.sample(made, 2)
        steps = sorted(random.sample(range(15), 4))
        work = WatchedBatches(DeletionOfCustomFields(numbers=7), after=failing(*steps))
        monkeypatch.setitem(operations.OPERATIONS, DeleteCustomFields.kind, work)
        deleted = await desk.submit(deleting(*doomed))
        await desk.deliver(deleted.messages)
        await desk.finish_everything()
        gone = {each.field_no for each in doomed}
        found = await desk.find(deleted)
        assert (found.state, found.items_total, found.items_completed) == (State.COMPLETED, 104, 104)
        assert found.changed_count == sum(not gone.isdisjoint(of_contact) for of_contact in model.values())
        kept = {n: {str(f): v for f, v in of_contact.items() if f not in gone} for n, of_contact in model.items()}
        left = await values(desk)
        assert {n: left.get(n, {}) for n in model} == kept

    async def test_imports_before_it_are_waited_for(self, desk: Desk) -> None:
        """Both write the contacts' fields, so they run in the order they were queued."""
        doomed = await new_field(desk)
        first = await desk.submit(deleting(doomed))
        second = await delete_now(desk, doomed)
        assert [bool(each.messages) for each in (first, second)] == [True, True]
        worker = desk.worker()
        assert await worker.run(second.messages[0]) == []
        assert (await desk.find(second)).state is State.INITIALIZED
        await desk.deliver(first.messages)
        await desk.finish_everything()
        assert (await desk.find(second)).state is State.COMPLETED
