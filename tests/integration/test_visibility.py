"""Whom a principal sees, and who has an e-mail address (contract greenrope.md 1.2, 5.2)."""

from dataclasses import replace

from engine.contacts import search, visibility
from engine.principals import Privilege
from engine.sets.expressions import Intersection, Numbers
from tests.integration.desk import Desk
from tests.integration.people import make_people


async def test_contacts_on_no_list_need_a_privilege(desk: Desk) -> None:
    """Contract 1.2: for others they do not exist; nor do they without any list."""
    limited = replace(desk.principal, privileges=frozenset({Privilege.CONTACTS_READ}))
    ids = await desk.make_contacts(4)
    async with desk.db.account(desk.account_id) as tx:
        assert await search.numbers(tx, await visibility.visible_to(tx, limited), limit=9) == []
    lists = [await desk.new_list(name) for name in "AB"]
    for contact_id, named in ((ids[0], lists[0]), (ids[2], lists[1]), (ids[3], lists[1])):
        await desk.deliver((await desk.add([contact_id], named)).messages)
    await desk.owner.execute(
        "UPDATE set_chunk SET bits = set_bit(bits, 4, 0) WHERE account_id = $1 AND set_no = -1", desk.account_id
    )
    async with desk.db.account(desk.account_id) as tx:
        assert await search.numbers(tx, await visibility.visible_to(tx, limited), limit=9) == [1, 3]
        everybody = await visibility.visible_to(tx, desk.principal)
        assert await search.numbers(tx, everybody, limit=9) == [1, 2, 3]
        assert await search.numbers(tx, Intersection((everybody, Numbers((2, 4, 99)))), limit=9) == [2]


async def test_who_has_an_address(desk: Desk) -> None:
    """Contract 5.2: of each of many addresses, in the order in which they came by it; deleted ones are not there."""
    twins = [{"email": "A@example.org", "email_ordinal": nth} for nth in (2, 0, 1)]
    await make_people(desk, [*twins, {"email": "b@example.org"}, {"first_name": "Kim"}])
    await desk.owner.execute(
        "UPDATE contact SET deleted_at = now() WHERE account_id = $1 AND contact_no = 2", desk.account_id
    )
    asked = ["b@example.org", " a@EXAMPLE.org ", "nobody@example.org", "", "b@example.org"]
    async with desk.db.account(desk.account_id) as tx:
        assert await search.addressed(tx, asked, most=9) == [[4], [3, 1], [], [], [4]]
        assert await search.addressed(tx, asked[1:2], most=1) == [[3]]
        assert await search.addressed(tx, [], most=1) == []
