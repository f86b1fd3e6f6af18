"""The numbers that imported contacts get."""

import asyncio

import pytest

from engine.activities.model import State
from engine.sets.catalog import NamedSet
from engine.sets.chunks import CHUNK_BITS
from tests.integration.conftest import NewDesk
from tests.integration.desk import Desk
from tests.integration.imports.importing import (
    BATCH,
    assert_sets_agree,
    run,
    submit,
)


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
