"""Contacts written by number, as much as is said of them; design, "Inline operations" and "One policy"."""

import asyncio
from collections.abc import Sequence
from datetime import date, timedelta
from decimal import Decimal
from typing import Any
from uuid import uuid4

import pytest

from engine import fields, hooks
from engine.activities.inline import Inline
from engine.contacts import writing
from engine.contacts.changes import Changes
from engine.contacts.decisions import ContactWrite, Written
from engine.contacts.details import Details
from engine.database import Transaction
from engine.errors import (
    DatabaseUnusable,
    EmailTaken,
    Invalid,
    MusterError,
    NotFound,
    StaleWrite,
    UnknownField,
    UnknownTarget,
    WrittenMeanwhile,
)
from engine.fields import Definition
from engine.operations.contact_delete import DeleteContact
from engine.operations.contact_save import SaveContact
from engine.operations.contact_sign_up import SignUp
from engine.operations.contact_update import UpdateContact
from engine.sets import catalog, system
from engine.sets.catalog import NamedSet, SetKind
from tests.integration.desk import Desk
from tests.integration.effects import assert_effects


@pytest.fixture(autouse=True)
def _numbers_without_gaps(monkeypatch: pytest.MonkeyPatch) -> None:
    """As if all was written by one process."""
    monkeypatch.setattr("engine.activities.inline.NUMBERS_AT_ONCE", 1)


async def written(desk: Desk, write: ContactWrite) -> Written:
    return await Inline(desk.db).write(desk.principal, write)


async def saved(desk: Desk, number: int | None = None, **said: Any) -> Written:
    return await written(desk, SaveContact(number, Changes(**said)))


async def row(desk: Desk, number: int = 1) -> Any:
    [found] = [each for each in await desk.rows("contact") if each["contact_no"] == number]
    return found


async def new_set(desk: Desk, kind: SetKind) -> NamedSet:
    async with desk.db.account(desk.account_id) as tx:
        return await catalog.create(tx, kind, f"a {kind}")


EVERYTHING: Any = {
    "columns": {
        "first_name": "Ada",
        "birthday_month": 2,
        "birthday_day": 30,
        "birthday_year": 1972,
        "anniversary": date(2001, 2, 3),
        "demographic_score": Decimal("1.5"),
        "activity_score": Decimal(7),
    },
    "email": "Ada@Example.org",
    "profile": {"gender": "female", "links": [{"ref": "a"}]},
    "phones": {"mobile": "1", "home": "2"},
    "address": {"street": "1 Green Road", "city": "Cork"},
    "note": "a note",
}


async def test_all_that_can_be_said(desk: Desk) -> None:
    made = await saved(desk, **EVERYTHING)
    assert (made.contact_no, made.created, made.changed) == (1, True, True)
    found = await row(desk)
    assert {name: found[name] for name in EVERYTHING["columns"]} == EVERYTHING["columns"]
    assert (found["email"], found["email_key"], found["email_ordinal"]) == ("Ada@Example.org", "ada@example.org", 0)
    assert (found["permission"], found["updated_at"]) == ("implicit", made.updated_at)
    assert await desk.members(system.ACTIVE) == {1}
    await assert_effects(desk)


@pytest.mark.parametrize("said", [{}, EVERYTHING, {"phones": {"home": "2"}}, {"address": {"city": "Cork"}}])
async def test_who_is_changed_in_nothing_keeps_the_time(desk: Desk, said: Any) -> None:
    """Contract greenrope.md 5.3."""
    made = await saved(desk, **EVERYTHING)
    again = await saved(desk, 1, **said)
    assert again == Written(made.contact_id, 1, False, made.updated_at, False)


async def test_what_is_not_said_stays_and_none_clears(desk: Desk) -> None:
    await saved(desk, **EVERYTHING)
    before = await row(desk)
    changed = await saved(desk, 1, columns={"last_name": "Moss"}, phones={"mobile": "3"})
    assert changed.updated_at > before["updated_at"]
    after = await row(desk)
    assert {name for name in dict(after) if after[name] != before[name]} == {
        "last_name",
        "phone_numbers",
        "update_source",
        "updated_at",
    }
    nothing: Any = {
        "columns": dict.fromkeys(EVERYTHING["columns"]),
        "email": None,
        "profile": {"gender": None, "links": None},
        "phones": {"mobile": None, "home": None},
        "address": {"street": None, "city": None},
        "note": None,
    }
    await saved(desk, 1, **nothing)
    cleared = await row(desk)
    emptied = ("email", "email_key", "profile", "phone_numbers", "street_addresses", "notes", *EVERYTHING["columns"])
    assert {name: cleared[name] for name in emptied} == dict.fromkeys(emptied)


async def test_an_address_may_have_several_holders(desk: Desk) -> None:
    """Design, "E-mail is not identity": each takes the next ordinal; the first is whom others know by it."""
    twin = SaveContact(None, Changes(email="c1@example.org"), twins=True)
    assert [(await written(desk, twin)).contact_no for _ in range(3)] == [1, 2, 3]
    assert [(await row(desk, number))["email_ordinal"] for number in (1, 2, 3)] == [0, 1, 2]
    signed = await written(desk, SignUp(Details(email="C1@example.org"), confirms=False))
    assert (signed.contact_no, signed.created) == (1, False)
    with pytest.raises(EmailTaken) as taken:
        await saved(desk, email="c1@example.org")
    assert taken.value.contact_no == 1
    moved = await written(desk, SaveContact(3, Changes(email="c2@example.org"), twins=True))
    assert (await row(desk, moved.contact_no))["email_ordinal"] == 0
    await written(desk, SaveContact(3, Changes(email="c1@example.org"), twins=True))
    assert (await row(desk, 3))["email_ordinal"] == 2


async def test_a_twin_may_keep_its_address(desk: Desk) -> None:
    twin = SaveContact(None, Changes(email="c1@example.org"), twins=True)
    await written(desk, twin)
    await written(desk, twin)
    assert (await saved(desk, 2, email="C1@example.org")).changed
    assert ((await row(desk, 2))["email"], (await row(desk, 2))["email_ordinal"]) == ("C1@example.org", 1)


async def test_the_address_of_a_deleted_contact_is_free(desk: Desk) -> None:
    """Who was deleted is not there for those who know contacts by number."""
    await desk.make_contacts(1, deleted=True)
    made = await saved(desk, email="c1@example.org")
    assert (made.contact_no, (await row(desk, 2))["email_ordinal"]) == (2, 1)
    with pytest.raises(EmailTaken) as taken:
        await saved(desk, email="c1@example.org")
    assert taken.value.contact_no == 2


async def test_a_first_ordinal_that_became_free_is_taken_again(desk: Desk) -> None:
    twin = SaveContact(None, Changes(email="c1@example.org"), twins=True)
    await written(desk, twin)
    await written(desk, twin)
    await saved(desk, 1, email=None)
    third = await written(desk, twin)
    assert [(await row(desk, number))["email_ordinal"] for number in (2, third.contact_no)] == [1, 0]


async def test_an_old_state_is_not_overwritten(desk: Desk) -> None:
    """Contract greenrope.md 5.3: whole seconds are compared, and the same second passes."""
    made = await saved(desk, columns={"first_name": "Ada"})
    second = made.updated_at.replace(microsecond=0)
    with pytest.raises(StaleWrite):
        await written(desk, SaveContact(1, Changes(note="x"), unless_after=second - timedelta(seconds=1)))
    assert (await row(desk))["notes"] is None
    assert (await written(desk, SaveContact(1, Changes(note="x"), unless_after=second))).changed


@pytest.mark.parametrize("number", [0, -1, 2, 999, 2**31, 2**63, 2**70])
async def test_nobody_has_the_number(desk: Desk, number: int) -> None:
    await desk.make_contacts(1)
    await desk.make_contacts(1, first=2, deleted=True)
    for write in (SaveContact(number, Changes(note="x")), DeleteContact(number)):
        with pytest.raises(NotFound):
            await written(desk, write)
    assert await desk.rows("activity") == []


async def test_deleting_by_number(desk: Desk) -> None:
    await desk.make_contacts(2)
    deleted = await written(desk, DeleteContact(2))
    assert (deleted.contact_no, deleted.created) == (2, False)
    assert await desk.members(system.EXISTS) == {1}


async def test_sets_of_all_kinds(desk: Desk) -> None:
    sets = {kind: await new_set(desk, kind) for kind in SetKind}
    numbers = frozenset(each.set_no for each in sets.values())
    assert (await saved(desk, joins=numbers)).created
    assert not (await saved(desk, 1, joins=numbers)).changed
    assert [await desk.members(each) for each in sets.values()] == [{1}] * 4
    company = sets[SetKind.COMPANY]
    left = await saved(desk, 1, leaves=frozenset({company.set_no}), joins=frozenset({company.set_no}))
    assert left.changed
    assert not (await saved(desk, 1, leaves=frozenset({company.set_no}))).changed
    assert [await desk.members(each) for each in sets.values()] == [{1}, {1}, set(), {1}]
    await assert_effects(desk)


async def test_exactly_these_lists(desk: Desk) -> None:
    """Contract greenrope.md 3.2: of one kind; what leaves comes last."""
    one, two, three = await desk.new_lists(3)
    tag = await new_set(desk, SetKind.TAG)
    await saved(desk, joins=frozenset({one.set_no, tag.set_no}))
    await saved(desk, 1, only={SetKind.LIST: frozenset({two.set_no, three.set_no})}, leaves=frozenset({three.set_no}))
    assert [await desk.members(each) for each in (one, two, three, tag)] == [set(), {1}, set(), {1}]
    await saved(desk, 1, only={SetKind.LIST: frozenset()})
    assert [await desk.members(each) for each in (two, tag)] == [set(), {1}]
    with pytest.raises(UnknownTarget):
        await saved(desk, 1, only={SetKind.LIST: frozenset({tag.set_no})})


@pytest.mark.parametrize("said", ["joins", "leaves"])
@pytest.mark.parametrize("set_no", [0, 99, system.EXISTS, 2**31, 2**70])
async def test_no_set_has_the_number(desk: Desk, said: str, set_no: int) -> None:
    naming: Any = {said: frozenset({set_no})}
    with pytest.raises(UnknownTarget):
        await saved(desk, **naming)
    assert await desk.rows("contact") == []


async def test_who_has_unsubscribed_joins_no_list(desk: Desk) -> None:
    """Design, "One policy": and leaves none by that; other sets are no mailings."""
    target, tag = await desk.new_list(), await new_set(desk, SetKind.TAG)
    await saved(desk, joins=frozenset({target.set_no}))
    assert (await saved(desk, 1, permission="unsubscribed")).changed
    assert not (await saved(desk, 1, permission="unsubscribed", joins=frozenset({target.set_no}))).changed
    assert await desk.members(target) == {1} == await desk.members(system.UNSUBSCRIBED)
    with pytest.raises(Invalid):
        await saved(desk, 1, joins=frozenset({(await desk.new_list()).set_no}))
    await saved(desk, 1, joins=frozenset({tag.set_no}))
    await saved(desk, 1, permission="implicit")
    assert await desk.members(system.UNSUBSCRIBED) == set()


async def test_who_opted_out_itself_opts_in_itself(desk: Desk) -> None:
    """Contract v3.md 6, 11."""
    [contact_id] = await desk.make_contacts(1)
    out = Details(email="c1@example.org", permission="unsubscribed")
    await written(desk, UpdateContact(contact_id, out, "Contact"))
    with pytest.raises(Invalid):
        await saved(desk, 1, permission="implicit")


async def test_custom_values(desk: Desk) -> None:
    """Contract greenrope.md 3.1: those of a list's fields are for its members, after the change."""
    target = await desk.new_list()
    async with desk.db.account(desk.account_id) as tx:
        everybody = await fields.create(tx, Definition("Pet", "choice", choices=("Dog", "Cat")), most=10)
        members = await fields.create(tx, Definition("Rank", set_no=target.set_no), most=10)
    await saved(desk, custom_values={everybody.field_no: "dog"})
    assert (await row(desk))["custom_values"] == f'{{"{everybody.field_no}": "Dog"}}'
    with pytest.raises(UnknownField):
        await saved(desk, 1, custom_values={members.field_no: "1"})
    with pytest.raises(UnknownField):
        await saved(desk, 1, custom_values={99: "1"})
    with pytest.raises(Invalid):
        await saved(desk, 1, custom_values={everybody.field_no: "Cow"})
    joining = frozenset({target.set_no})
    assert (
        await saved(desk, 1, joins=joining, custom_values={members.field_no: "1", everybody.field_no: None})
    ).changed
    assert (await row(desk))["custom_values"] == f'{{"{members.field_no}": "1"}}'
    assert (await saved(desk, 1, custom_values={members.field_no: "2"})).changed
    with pytest.raises(UnknownField):
        await saved(desk, 1, leaves=joining, custom_values={members.field_no: "3"})


async def test_hooks_are_called_for_who_is_written(desk: Desk) -> None:
    async with desk.db.account(desk.account_id) as tx:
        always, once = [
            (await hooks.create(tx, name, "https://hook.invalid/")).hook_no for name in ("always", "when made")
        ]
    for number in (None, 1):
        await written(desk, SaveContact(number, Changes(note="x"), calls=(always,), calls_on_create=(once,)))
    with pytest.raises(NotFound):
        await written(desk, SaveContact(9, Changes(note="x"), calls=(always,)))
    calls = sorted((call["hook_no"], call["contact_nos"]) for call in await desk.rows("hook_call"))
    assert calls == [(always, [1]), (always, [1]), (once, [1])]


async def test_what_an_older_dialect_does_not_know_stays(desk: Desk) -> None:
    """Contract v3.md 2.1.11 replaces what it knows; a year goes with its birthday."""
    made = await saved(desk, **EVERYTHING)
    same = {"first_name": "Ada", "birthday_month": 2, "birthday_day": 30}
    await written(desk, UpdateContact(made.contact_id, Details(core=same), "Account"))
    found = await row(desk)
    assert (found["birthday_year"], found["demographic_score"]) == (1972, Decimal("1.5"))
    assert found["profile"] is not None
    await written(desk, UpdateContact(made.contact_id, Details(core=same | {"birthday_day": 1}), "Account"))
    assert (await row(desk))["birthday_year"] is None


def outcomes(results: Sequence[Written | MusterError]) -> list[object]:
    return [each.contact_no if isinstance(each, Written) else each.code for each in results]


async def test_many_in_order_each_on_its_own(desk: Desk) -> None:
    """A later one sees what an earlier one did, and none is held up by what another is refused."""
    twin = SaveContact(None, Changes(email="a@example.org"), twins=True)
    single = SaveContact(None, Changes(email="a@example.org"))
    asked = [
        twin,
        twin,
        single,
        SaveContact(99, Changes(note="x")),
        SaveContact(1, Changes(email="b@example.org")),
        SaveContact(None, Changes(email="b@example.org")),
        DeleteContact(2),
        DeleteContact(2),
        single,
        SaveContact(1, Changes(joins=frozenset({99}))),
    ]
    results = await Inline(desk.db).write_all(desk.principal, asked)
    assert outcomes(results) == [
        1, 2, "email_taken", "not_found", 1, "email_taken", 2, "not_found", 3, "unknown_target",
    ]  # fmt: skip
    await assert_effects(desk)


async def test_a_thousand(desk: Desk) -> None:
    target = await desk.new_list()
    asked = [
        SaveContact(None, Changes(email=f"c{n}@example.org", joins=frozenset({target.set_no}))) for n in range(1, 1001)
    ]
    results = await Inline(desk.db).write_all(desk.principal, asked)
    assert outcomes(results) == list(range(1, 1001))
    assert await desk.members(target) == set(range(1, 1001))


async def test_what_was_written_under_a_record_is_not_written_again(desk: Desk) -> None:
    record_id, inline = uuid4(), Inline(desk.db)
    assert await inline.written_before(desk.principal, record_id) is None
    for nth in range(2):
        write = SaveContact(None, Changes(columns={"first_name": f"Ada {nth}"}), record_id=record_id)
        if nth:
            with pytest.raises(WrittenMeanwhile):
                await inline.write(desk.principal, write)
        else:
            await inline.write(desk.principal, write)
    assert [each["first_name"] for each in await desk.rows("contact")] == ["Ada 0"]
    assert await inline.written_before(desk.principal, record_id) == 1


async def test_two_may_have_an_address_and_not_the_names_beside_it(desk: Desk) -> None:
    """Names are compared trimmed and without case; a missing one is an empty one. Contract ivvy.md 9.1."""

    async def make(first: str | None, last: str | None, email: str = "a@example.org") -> int:
        changes = Changes(columns={"first_name": first, "last_name": last}, email=email)
        return (await written(desk, SaveContact(None, changes, twins=True, namesakes=False))).contact_no

    assert [await make("Ada", "Ash"), await make("Ada", None), await make("Ada", "Ash", "b@example.org")] == [1, 2, 3]
    for first, last, holder in ((" ADA", "ash ", 1), ("Ada", "", 2)):
        with pytest.raises(EmailTaken) as taken:
            await make(first, last, "A@example.org")
        assert taken.value.contact_no == holder
    results = await asyncio.gather(*(make("Bo", "Bell", "new@example.org") for _ in range(3)), return_exceptions=True)
    assert sum(isinstance(result, int) for result in results) == 1


@pytest.mark.parametrize("giving_up", [SaveContact(1, Changes(email=None)), DeleteContact(1)])
async def test_an_address_that_is_given_up_is_free_for_the_next(desk: Desk, giving_up: ContactWrite) -> None:
    """Also for one that could share its transaction."""
    await desk.make_contacts(1)
    taking = SaveContact(None, Changes(email="c1@example.org"))
    assert outcomes(await Inline(desk.db).write_all(desk.principal, [taking, SaveContact(1, Changes())])) == [
        "email_taken",
        1,
    ]
    made, taken = await Inline(desk.db).write_all(desk.principal, [giving_up, taking])
    assert isinstance(made, Written)
    assert isinstance(taken, Written)
    assert (await row(desk, taken.contact_no))["email_key"] == "c1@example.org"


async def test_when_the_database_is_gone(desk: Desk, monkeypatch: pytest.MonkeyPatch) -> None:
    """What was done before is told; nobody waits for the rest."""
    inline, asked = Inline(desk.db), [SaveContact(None, Changes(note=str(n))) for n in range(120)]
    write, calls = writing.write, list[int]()

    async def breaking(tx: Transaction, batch: Any, first: int) -> Any:
        calls.append(len(batch))
        if len(calls) == 2:
            raise ConnectionResetError("lost")
        return await write(tx, batch, first)

    monkeypatch.setattr(writing, "write", breaking)
    results = await inline.write_all(desk.principal, asked)
    assert calls == [50, 50]
    assert [type(result) for result in results] == [Written] * 50 + [DatabaseUnusable] * 70
