"""Events, who is invited to them, and what they answer (contract ivvy.md 6 and 7)."""

import asyncio
import base64
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta

import pytest

from engine import accounts, events, invitations
from engine.activities.inline import Inline
from engine.errors import EventClosed, Invalid, NameTaken, NotFound
from engine.events import Event
from engine.invitations import Invitation, Reply
from engine.operations.contact_delete import DeleteContact, DeleteContacts
from engine.operations.members_change import ChangeMembers
from engine.sets import reading
from engine.sets.catalog import LARGEST_SET_NO
from engine.sets.expressions import Answered, Expression
from engine.sets.joined import joined
from tests.integration.conftest import NewDesk
from tests.integration.desk import Desk

NOW = datetime.now(UTC)
YESTERDAY, TOMORROW = NOW - timedelta(days=1), NOW + timedelta(days=1)


async def new_event(desk: Desk, name: str = "Gala", ends_at: datetime | None = None) -> Event:
    async with desk.db.account(desk.account_id) as tx:
        return await events.create(tx, events.Details(name, "GALA26", ends_at=ends_at))


async def invite(desk: Desk, event: Event, *contact_nos: int) -> None:
    await desk.deliver((await desk.submit(ChangeMembers(contact_nos, on=(event.set_no,)))).messages)


async def link(desk: Desk, event: Event, contact_no: int) -> str:
    async with desk.db.account(desk.account_id) as tx:
        return invitations.link(await accounts.secret(tx), event.set_no, contact_no)


async def answer(desk: Desk, event: Event, contact_no: int, said: invitations.Answer = "yes") -> Event:
    invitation = await invitations.read(desk.db, await link(desk, event, contact_no))
    async with desk.db.account(desk.account_id) as tx:
        return await invitations.answer(tx, invitation, said)


async def replies(desk: Desk, event: Event) -> list[Reply]:
    """Of who is invited, by number."""
    invited = sorted(await desk.members(event.set_no))
    async with desk.db.account(desk.account_id) as tx:
        return list((await invitations.replies(tx, (event.set_no,), invited)).values())


async def selected(desk: Desk, expression: Expression) -> list[int]:
    async with desk.db.account(desk.account_id) as tx:
        return await reading.page(tx, expression, limit=100)


async def said(desk: Desk, event: Event) -> dict[int, str | None]:
    return {reply.contact_no: reply.answer for reply in await replies(desk, event)}


class TestEvents:
    async def test_made_changed_and_found(self, desk: Desk) -> None:
        async with desk.db.account(desk.account_id) as tx:
            made = await events.create(tx, events.Details("Gala", "GALA26", YESTERDAY, TOMORROW))
            assert (made.name, made.code, made.starts_at, made.ends_at) == ("Gala", "GALA26", YESTERDAY, TOMORROW)
            changed = await events.change(tx, made.set_no, events.Details("Ball", ends_at=TOMORROW))
            assert (changed.name, changed.code, changed.starts_at) == ("Ball", None, None)
            other = await events.create(tx, events.Details("gala"))
            assert await events.find_number(tx, made.set_no) == await events.find_open(tx, made.set_no) == changed
            assert await events.by_numbers(tx, [other.set_no, made.set_no, 10**20, -3]) == {
                made.set_no: changed,
                other.set_no: other,
            }
            assert await events.page(tx, limit=1) == [changed]
            assert await events.page(tx, limit=5, after_set_no=made.set_no) == [other]
        for name in ("GALA", " ball "):
            with pytest.raises(NameTaken):
                async with desk.db.account(desk.account_id) as tx:
                    await events.create(tx, events.Details(name))
        with pytest.raises(Invalid, match="would end before it begins"):
            async with desk.db.account(desk.account_id) as tx:
                await events.change(tx, made.set_no, events.Details("Ball", None, TOMORROW, YESTERDAY))

    async def test_unknown_and_other_peoples(self, desk: Desk, new_desk: NewDesk) -> None:
        theirs = await new_event(other := await new_desk())
        mine = await desk.new_list()
        async with desk.db.account(desk.account_id) as tx:
            for number in (mine.set_no, theirs.set_no + 7, 0, -1, LARGEST_SET_NO + 1, 10**30):
                with pytest.raises(NotFound, match=f"there is no event {number}"):
                    await events.find_open(tx, number)
                with pytest.raises(NotFound, match=f"there is no event {number}"):
                    await events.find_number(tx, number)
        assert other.account_id != desk.account_id

    async def test_cancelled_and_over(self, desk: Desk) -> None:
        """Contract 6: an event that is over or cancelled takes no invitations."""
        over, open_ = await new_event(desk, "over", YESTERDAY), await new_event(desk, "open", TOMORROW)
        async with desk.db.account(desk.account_id) as tx:
            begun = await events.create(tx, events.Details("begun", starts_at=YESTERDAY))
            await events.find_open(tx, open_.set_no)
            cancelled = await events.cancel(tx, open_.set_no)
            assert cancelled.cancelled_at is not None
            assert await events.cancel(tx, open_.set_no) == cancelled
            for closed, why in ((over, "over"), (begun, "over"), (open_, "cancelled")):
                with pytest.raises(EventClosed, match=f"event {closed.set_no} is {why}"):
                    await events.find_open(tx, closed.set_no)


class TestLinks:
    """Contract 6: per contact and event, unguessable, stable."""

    async def test_they_are_stable_and_say_whom_they_are_for(self, desk: Desk, new_desk: NewDesk) -> None:
        one, two = await new_event(desk, "one"), await new_event(desk, "two")
        tokens = {(event, number): await link(desk, event, number) for event in (one, two) for number in (1, 2**40)}
        for (event, number), token in tokens.items():
            assert token == await link(desk, event, number)
            assert token.replace("-", "").replace("_", "").isalnum()
            assert await invitations.read(desk.db, token) == Invitation(desk.account_id, event.set_no, number)
        other = await new_desk()
        theirs = await new_event(other)
        assert len({*tokens.values(), await link(other, theirs, 1)}) == 5

    async def test_nothing_else_is_one(self, desk: Desk, new_desk: NewDesk) -> None:
        event, other = await new_event(desk), await new_desk()
        token, theirs = await link(desk, event, 1), await link(other, await new_event(other), 1)
        for wrong in (*altered(token), theirs[:11] + token[11:], token[:27] + theirs[27:]):
            with pytest.raises(NotFound, match=r"^there is no such invitation$"):
                await invitations.read(desk.db, wrong)


def altered(token: str) -> Iterator[str]:
    yield from ("", "x", "é" * 48, "\0" * 48, token[:-1], token + "=", token + "A", token.lower(), " " + token)
    data = base64.urlsafe_b64decode(token)
    for place in range(len(data)):
        yield base64.urlsafe_b64encode(data[:place] + bytes([data[place] ^ 1]) + data[place + 1 :]).decode()
    yield base64.urlsafe_b64encode(b"\x80" + data[1:]).decode()
    yield base64.urlsafe_b64encode(data[:20]).decode()
    yield "A" * 100_000


class TestAnswers:
    """Contract 6 and 7: opening a link sets the response, and may be repeated."""

    async def test_they_count_as_often_as_they_change(self, desk: Desk) -> None:
        await desk.make_contacts(3)
        event = await new_event(desk)
        await invite(desk, event, 1, 3)
        before = await replies(desk, event)
        assert [(reply.contact_no, reply.answer) for reply in before] == [(1, None), (3, None)]
        await answer(desk, event, 3, "yes")
        assert await said(desk, event) == {1: None, 3: "yes"}
        await answer(desk, event, 3, "no")
        await answer(desk, event, 3, "no")
        assert await said(desk, event) == {1: None, 3: "no"}
        [unanswered, answered] = await replies(desk, event)
        assert unanswered == before[0]
        assert (answered.at or YESTERDAY) > (before[1].at or TOMORROW)
        await invite(desk, event, 1, 2, 3)
        assert await said(desk, event) == {1: None, 2: None, 3: "no"}
        assert (await replies(desk, event))[0] == unanswered, "who is invited again was invited then"

    async def test_only_the_invited_answer(self, desk: Desk) -> None:
        """Nor do they when they were deleted; what they said before is forgotten."""
        people = await desk.make_contacts(3)
        event = await new_event(desk)
        await invite(desk, event, 1, 2)
        with pytest.raises(NotFound, match="there is no such invitation"):
            await answer(desk, event, 3)
        await answer(desk, event, 1)
        await answer(desk, event, 2)
        await Inline(desk.db).write(desk.principal, DeleteContact(people[0]))
        await desk.deliver((await desk.submit(DeleteContacts(contact_ids=(people[1],)))).messages)
        for number in (1, 2):
            with pytest.raises(NotFound):
                await answer(desk, event, number)
        assert await desk.rows("response") == []

    async def test_to_closed_events_there_are_none(self, desk: Desk) -> None:
        await desk.make_contacts(1)
        event = await new_event(desk)
        await invite(desk, event, 1)
        await answer(desk, event, 1)
        async with desk.db.account(desk.account_id) as tx:
            await events.cancel(tx, event.set_no)
        with pytest.raises(EventClosed):
            await answer(desk, event, 1, "no")
        assert await said(desk, event) == {1: "yes"}

    async def test_who_is_deleted_meanwhile_leaves_no_answer(self, desk: Desk) -> None:
        """An answer and a deletion take turns, by the lock of the event's set."""
        people = await desk.make_contacts(8)
        event = await new_event(desk)
        await invite(desk, event, *range(1, 9))
        inline = Inline(desk.db)
        lock = "SELECT FROM contact_set WHERE account_id = $1 AND set_no = $2 FOR UPDATE"
        async with desk.holding(lock, desk.account_id, event.set_no):
            answers = [asyncio.create_task(answer(desk, event, number)) for number in range(1, 9)]
            deletions = [asyncio.create_task(inline.write(desk.principal, DeleteContact(each))) for each in people]
            await desk.someone_waits(2)
        await asyncio.gather(*answers, *deletions, return_exceptions=True)
        assert await desk.members(event.set_no) == set()
        assert await desk.rows("response") == []


class TestJoining:
    """Design, contact sets: when a contact joined is answered from effects."""

    async def test_the_last_time_counts(self, desk: Desk) -> None:
        people = await desk.make_contacts(5)
        one, two = await desk.new_lists(2)
        await desk.deliver((await desk.add(people, one)).messages)
        alone = await desk.submit(ChangeMembers((2,), on=(two.set_no,)))
        await desk.deliver(alone.messages)
        await desk.deliver((await desk.submit(ChangeMembers((3,), off=(one.set_no,)))).messages)
        again = await desk.submit(ChangeMembers((1, 2, 3), on=(one.set_no,)))
        await desk.deliver(again.messages)
        first = min(row["started_at"] for row in await desk.rows("activity"))
        async with desk.db.account(desk.account_id) as tx:
            found = await joined(tx, [one.set_no], [1, 2, 3, 9])
            last = {1: first, 2: first, 3: (await desk.find(again)).started_at}
            assert found == {(one.set_no, contact_no): at for contact_no, at in last.items()}
            both = await joined(tx, [one.set_no, two.set_no], [2, 5])
            assert both == {
                (one.set_no, 2): first,
                (one.set_no, 5): first,
                (two.set_no, 2): (await desk.find(alone)).started_at,
            }
            assert await joined(tx, [one.set_no], []) == {}
            assert await joined(tx, [], [1]) == {}


async def test_who_has_answered_what_is_a_set_expression(desk: Desk) -> None:
    """Contract ivvy.md 7: those invited can be asked for by their answer."""
    await desk.make_contacts(4)
    gala, ball = await new_event(desk), await new_event(desk, "Ball")
    for event in (gala, ball):
        await invite(desk, event, 1, 2, 3, 4)
    await answer(desk, gala, 1, "yes")
    await answer(desk, gala, 2, "no")
    await answer(desk, ball, 3, "yes")
    assert await selected(desk, Answered((gala.set_no,), "yes")) == [1]
    assert await selected(desk, Answered((gala.set_no, ball.set_no), "yes")) == [1, 3]
    await answer(desk, gala, 1, "no")
    assert await selected(desk, Answered((gala.set_no,), "no")) == [1, 2]
