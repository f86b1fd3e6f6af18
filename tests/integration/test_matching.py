"""What is said of several contacts at once is written whole or not at all; ids that cannot be guessed."""

from dataclasses import replace
from uuid import uuid4

import pytest

from engine import accounts, fields
from engine.activities.together import Together
from engine.contacts import field_values, matching, sealed_ids
from engine.contacts.changes import Changes
from engine.contacts.matching import Matching
from engine.errors import UnknownField
from engine.fields import Definition
from engine.sets.expressions import Numbers
from tests.integration.conftest import NewDesk
from tests.integration.desk import Desk

#: Of each kind that values are compared in another way.
FIELDS = (
    Definition("Ref"),
    Definition("Second", type="email"),
    Definition("E-mail", property="email"),
    Definition("First", property="first_name"),
    Definition("Phone", property="mobile"),
)


async def test_one_that_is_refused_keeps_all_from_being_written(desk: Desk) -> None:
    """Contract w50.md 9: all or nothing. A field of a list is its members' only."""
    ids, target = await desk.make_contacts(3), await desk.new_list()
    async with desk.db.account(desk.account_id) as tx:
        field = await fields.create(tx, Definition("Age", set_no=target.set_no))
    await desk.add(ids[:2], target)
    await desk.finish_everything()
    before, together = await desk.rows("contact"), Together(desk.db)
    said = Changes(columns={"last_name": "L"}, custom_values={field.field_no: "1"})
    with pytest.raises(UnknownField):
        await together.write(desk.principal, Matching(Numbers((1, 2, 3)), said, None).writes)
    assert await desk.rows("contact") == before
    written = await together.write(desk.principal, Matching(Numbers((1, 2)), said, None).writes)
    assert [(each.contact_no, each.created, each.changed) for each in written] == [(1, False, True), (2, False, True)]
    again = await together.write(desk.principal, Matching(Numbers((1, 2)), said, None).writes)
    assert [each.changed for each in again] == [False, False]


async def test_members_are_known_by_the_values_of_fields(desk: Desk) -> None:
    """Contract w50.md 4: by each of many keys in one look; other case makes another text, but not another address."""
    ids, target = await desk.make_contacts(4), await desk.new_list()
    await desk.add(ids[:3], target)
    await desk.finish_everything()
    async with desk.db.account(desk.account_id) as tx:
        made = [await fields.create(tx, replace(said, set_no=target.set_no)) for said in FIELDS]
    values = {"Ref": "aB", "Second": "X@example.org", "E-mail": "C1@example.org", "First": "Ada", "Phone": "+1 234"}
    said = replace(field_values.changes({each: values[each.label] for each in made}), email=Changes().email)
    await Together(desk.db).write(desk.principal, Matching(Numbers((1, 2)), said, None).writes)
    async with desk.db.account(desk.account_id) as tx:
        for field in made:
            key = field_values.key(field, values[field.label])
            wanted = {(key,), ("nobody",), ("ab",), ("ada",)}
            found = await matching.members_by_key(tx, target.set_no, [field], wanted)
            assert found == {(key,): [1] if field.label == "E-mail" else [1, 2]}, field.label
        both = {(field_values.key(made[1], "x@EXAMPLE.org"), "Ada"), ("nobody", "Ada")}
        assert await matching.members_by_key(tx, target.set_no, [made[1], made[3]], both) == {
            ("x@example.org", "Ada"): [1, 2]
        }


async def test_an_id_is_sealed_with_its_accounts_secret(desk: Desk, new_desk: NewDesk) -> None:
    """Contract w50.md 2.1: always the same, no other account's, and nothing but hexadecimal digits opens."""
    async with desk.db.account(desk.account_id) as tx:
        mine = await accounts.secret(tx)
    other = await new_desk()
    async with other.db.account(other.account_id) as tx:
        theirs = await accounts.secret(tx)
    contact_id = uuid4()
    sealed = sealed_ids.sealed(mine, contact_id)
    assert sealed == sealed_ids.sealed(mine, contact_id) != sealed_ids.sealed(theirs, contact_id)
    assert sealed_ids.opened(mine, sealed) == sealed_ids.opened(mine, sealed.upper()) == contact_id
    assert sealed_ids.opened(theirs, sealed) != contact_id
    for text in (
        "",
        sealed[:-1],
        sealed + "0",
        sealed[:-1] + "g",
        str(contact_id),
        sealed[:-1] + "\u0663",
        sealed + "\n",
    ):
        assert sealed_ids.opened(mine, text) is None
