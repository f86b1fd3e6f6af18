"""Calls of hooks are made at least once, signed, to whom they may go; and nobody waits for a receiver that is dead."""

import asyncio
import json
from collections import Counter
from collections.abc import AsyncIterator, Callable
from contextlib import AsyncExitStack, asynccontextmanager
from typing import Any
from uuid import UUID, uuid4

import pytest
import pytest_asyncio
from pydantic import TypeAdapter

from api.v3.webhooks import ContactsHook
from engine import hook_calls, hooks
from engine.database import Database
from engine.hook_calls import OF_RECEIVER, PAUSES, CallbackBody
from engine.hooks import Hook
from tests.integration.desk import Desk, until
from tests.receiver import Receiver, listening
from workers import delivery as delivering
from workers.delivery import Delivery, Outcome

#: Nobody listens there.
DEAD = "http://127.0.0.1:1/hook"

#: Makes the deliveries of one more process.
NewDelivery = Callable[..., Delivery]


async def body_of(_db: Database, account_id: int, activity_id: UUID) -> AsyncIterator[bytes]:
    yield json.dumps({"account": account_id, "activity": str(activity_id)}).encode()


@pytest_asyncio.fixture
async def receiver() -> AsyncIterator[Receiver]:
    async with listening() as receiver:
        yield receiver


@pytest_asyncio.fixture
async def new_delivery(desk: Desk) -> AsyncIterator[NewDelivery]:
    async with AsyncExitStack() as stack:

        def new(
            *,
            private_addresses: bool = True,
            count: Callable[[Outcome], None] = lambda _: None,
            told: CallbackBody = body_of,
        ) -> Delivery:
            delivery = Delivery(desk.db, told, count, private_addresses=private_addresses)
            stack.push_async_callback(delivery.close)
            return delivery

        yield new


@pytest_asyncio.fixture
async def delivery(new_delivery: NewDelivery) -> Delivery:
    return new_delivery()


async def hook_at(desk: Desk, url: str) -> Hook:
    async with desk.db.account(desk.account_id) as tx:
        return await hooks.create(tx, f"hook {url}", url)


async def enter(desk: Desk, hook: Hook, *contact_nos: int) -> None:
    async with desk.db.account(desk.account_id) as tx:
        await hooks.enter(tx, hook.hook_no, contact_nos or (1,))


async def calls(desk: Desk, hook: Hook) -> list[Any]:
    rows = await desk.rows("hook_call")
    return sorted((row for row in rows if row["hook_no"] == hook.hook_no), key=lambda row: row["created_at"])


async def make_due(desk: Desk) -> None:
    """As if the pauses had passed."""
    await desk.owner.execute("UPDATE hook_call SET due_at = now() WHERE account_id = $1", desk.account_id)


async def settle(delivery: Delivery, *, attempts: int = 1) -> None:
    """Makes what is due until nothing is under way."""
    for _ in range(attempts):
        await delivery.begin_due()
        await asyncio.gather(*delivery._tasks)


@asynccontextmanager
async def going_on(*deliveries: Delivery) -> AsyncIterator[None]:
    async def go_on(delivery: Delivery) -> None:
        while True:
            await delivery.begin_due()
            await asyncio.sleep(0.01)

    tasks = [asyncio.create_task(go_on(delivery)) for delivery in deliveries]
    yield
    for task in tasks:
        task.cancel()
    for result in await asyncio.gather(*tasks, return_exceptions=True):
        assert isinstance(result, asyncio.CancelledError)


async def test_a_call_tells_of_its_contacts_and_is_signed(desk: Desk, receiver: Receiver, delivery: Delivery) -> None:
    ids = await desk.make_contacts(3)
    hook = await hook_at(desk, receiver.url + "/welcome")
    await enter(desk, hook, 1, 3, 99)
    await settle(delivery, attempts=2)
    [got] = receiver.got
    [call] = await calls(desk, hook)
    assert (call["outcome"], call["attempts"]) == ("delivered", 1)
    assert got.headers["webhook-id"] == str(call["call_id"])
    assert got.headers["Content-Type"] == "application/json"
    documented = TypeAdapter(ContactsHook)
    assert (
        documented.dump_python(documented.validate_json(got.body), mode="json")
        == got.told(hook.secret)
        == {
            "type": "contacts.hook",
            "timestamp": call["created_at"].isoformat(),
            "data": {
                "hook_id": hook.hook_no,
                "hook_name": hook.name,
                "contacts": [
                    {"contact_id": str(ids[0]), "contact_no": 1},
                    {"contact_id": str(ids[2]), "contact_no": 3},
                ],
            },
        }
    )


async def test_hooks_are_called_in_the_order_they_are_entered(desk: Desk) -> None:
    """Contract w50.md 6: as listed."""
    made = [await hook_at(desk, f"{DEAD}/{number}") for number in range(6)]
    asked = [hook.hook_no for hook in made[3:] + made[:3]]
    async with desk.db.account(desk.account_id) as tx:
        for hook_no in asked:
            await hooks.enter(tx, hook_no, [1])
    due = [call for call in await hook_calls.due(desk.db, 1000) if call.receiver.account_id == desk.account_id]
    claimed = await hook_calls.claim(desk.db, desk.account_id, [call.call_id for call in due])
    assert [call.receiver.hook_no for call in claimed] == asked


async def test_a_url_is_told_of_an_activity(desk: Desk, receiver: Receiver, delivery: Delivery) -> None:
    """Its format makes the body; the call has an id and nobody's signature."""
    async with desk.db.account(desk.account_id) as tx:
        await hooks.enter_callback(tx, receiver.url + "/batch", activity_id := uuid4())
    await settle(delivery, attempts=2)
    [got] = receiver.at("/batch")
    assert json.loads(got.body) == {"account": desk.account_id, "activity": str(activity_id)}
    assert "webhook-signature" not in got.headers
    [call] = await desk.rows("hook_call")
    assert (call["outcome"], str(call["call_id"])) == ("delivered", got.headers["webhook-id"])


async def test_a_long_body_is_read_while_it_is_sent(
    desk: Desk, receiver: Receiver, new_delivery: NewDelivery, monkeypatch: pytest.MonkeyPatch
) -> None:
    """All of it would fill the memory: receivers may be slow, and of the dead ones nothing more need be read."""
    monkeypatch.setattr(delivering, "SHORT_BYTES", 10)
    read = []

    async def long(_db: Database, _account_id: int, _activity_id: UUID) -> AsyncIterator[bytes]:
        for piece in range(5):
            read.append(piece)
            yield b"0123456789"

    async with desk.db.account(desk.account_id) as tx:
        await hooks.enter_callback(tx, receiver.url + "/batch", uuid4())
        await hooks.enter_callback(tx, DEAD, uuid4())
    await settle(new_delivery(told=long), attempts=2)
    [got] = receiver.at("/batch")
    assert got.body == b"0123456789" * 5
    assert Counter(read) == {0: 2, 1: 2, 2: 1, 3: 1, 4: 1}


@pytest.mark.parametrize(
    ("status", "accepted"), [(200, True), (299, True), (302, False), (307, False), (404, False), (500, False)]
)
async def test_2xx_is_delivered_and_redirects_are_not_followed(
    desk: Desk, receiver: Receiver, delivery: Delivery, status: int, accepted: bool
) -> None:
    receiver.answers["/hook"] = status
    hook = await hook_at(desk, receiver.url + "/hook")
    await enter(desk, hook)
    await settle(delivery)
    [call] = await calls(desk, hook)
    assert (call["ended_at"] is not None) is accepted
    assert call["outcome"] == ("delivered" if accepted else f"status {status}")
    assert not receiver.at("/elsewhere")


async def test_pauses_grow_until_it_is_given_up(desk: Desk, receiver: Receiver, new_delivery: NewDelivery) -> None:
    """The first attempt and five more, all with one id; the end is kept, and each is counted."""
    outcomes: list[Outcome] = []
    delivery = new_delivery(count=outcomes.append)
    receiver.answers["/hook"] = 500
    hook = await hook_at(desk, receiver.url + "/hook")
    await enter(desk, hook)
    for number, pause in enumerate(PAUSES, 1):
        await settle(delivery, attempts=2)
        [call] = await calls(desk, hook)
        assert (call["attempts"], call["ended_at"], call["outcome"]) == (number, None, "status 500")
        seconds = await desk.owner.fetchval("SELECT extract(epoch FROM $1 - now())", call["due_at"])
        assert 0.7 * pause - 5 < seconds < 1.3 * pause
        await make_due(desk)
    await settle(delivery, attempts=2)
    await make_due(desk)
    await settle(delivery)
    [call] = await calls(desk, hook)
    assert (call["attempts"], call["outcome"]) == (len(PAUSES) + 1, "status 500")
    assert call["ended_at"] is not None
    assert {got.headers["webhook-id"] for got in receiver.got} == {str(call["call_id"])}
    assert len(receiver.got) == len(PAUSES) + 1
    assert outcomes == [Outcome.RETRIED] * len(PAUSES) + [Outcome.GIVEN_UP]


async def test_calls_that_are_due_are_counted(desk: Desk) -> None:
    """Not those that somebody makes, or that come later; and of very many not all."""
    hook, before = await hook_at(desk, DEAD), await hook_calls.count_due(desk.db, 1000)
    for _ in range(3):
        await enter(desk, hook)
    assert await hook_calls.count_due(desk.db, 1000) == before + 3
    assert await hook_calls.count_due(desk.db, 2) == 2
    [call, *_] = await calls(desk, hook)
    await hook_calls.claim(desk.db, desk.account_id, [call["call_id"]])
    assert await hook_calls.count_due(desk.db, 1000) == before + 2


@pytest.mark.parametrize("host", ["127.0.0.1", "localhost", "[::1]", "0.0.0.0", "[::ffff:127.0.0.1]"])
async def test_private_addresses_are_not_called(
    desk: Desk, receiver: Receiver, new_delivery: NewDelivery, host: str
) -> None:
    """Whichever way they are written, and whatever a name turns out to be."""
    hook = await hook_at(desk, receiver.url.replace("127.0.0.1", host) + "/hook")
    await enter(desk, hook)
    await settle(new_delivery(private_addresses=False))
    [call] = await calls(desk, hook)
    assert call["ended_at"] is None
    assert call["outcome"] == (
        "the address is not of the public internet, and MUSTER_HOOKS_TO_PRIVATE_ADDRESSES is off"
    )
    assert receiver.got == []


async def test_why_nobody_answered_is_told_in_words(desk: Desk, receiver: Receiver, delivery: Delivery) -> None:
    ways = {
        DEAD: "it takes no connections",
        "http://hook.invalid/": "the name of its host is not known",
        receiver.url.replace("http:", "https:"): "no secure connection to it can be made",
    }
    made = {url: await hook_at(desk, url) for url in ways}
    for hook in made.values():
        await enter(desk, hook)
    await settle(delivery)
    assert {url: call["outcome"] for url, hook in made.items() for call in await calls(desk, hook)} == ways


async def test_the_dead_hold_nobody_up(desk: Desk, receiver: Receiver, delivery: Delivery) -> None:
    """Neither one that refuses connections nor one that never answers, whatever waits for them."""
    receiver.answers["/slow"] = None
    dead, slow = await hook_at(desk, DEAD), await hook_at(desk, receiver.url + "/slow")
    for hook in (dead, slow):
        for _ in range(300):
            await enter(desk, hook)
    fine = await hook_at(desk, receiver.url + "/fine")
    for _ in range(20):
        await enter(desk, fine)

    async def all_are_made() -> bool:
        return all(call["outcome"] == "delivered" for call in await calls(desk, fine))

    async with going_on(delivery):
        await until(all_are_made, "the calls of the third")
    assert len(receiver.at("/slow")) == OF_RECEIVER
    assert sum(call["attempts"] for call in await calls(desk, dead)) == OF_RECEIVER
    assert all(call["ended_at"] is None for call in [*await calls(desk, dead), *await calls(desk, slow)])


async def test_two_processes_make_no_call_twice(desk: Desk, receiver: Receiver, new_delivery: NewDelivery) -> None:
    hook = await hook_at(desk, receiver.url + "/hook")
    for number in range(60):
        await enter(desk, hook, number)

    async def all_are_made() -> bool:
        return all(call["outcome"] == "delivered" for call in await calls(desk, hook))

    async with going_on(new_delivery(), new_delivery()):
        await until(all_are_made, "all calls")
    ids = [got.headers["webhook-id"] for got in receiver.got]
    assert len(ids) == len(set(ids)) == 60


async def test_a_call_whose_process_is_gone_is_made_again(
    desk: Desk, receiver: Receiver, new_delivery: NewDelivery
) -> None:
    """With the same id: the receiver may have heard it."""
    receiver.answers["/hook"] = None
    hook = await hook_at(desk, receiver.url + "/hook")
    await enter(desk, hook)
    gone, other = new_delivery(), new_delivery()
    await gone.begin_due()
    await until(lambda: asyncio.sleep(0, bool(receiver.got)), "the receiver has heard it")
    await gone.close()
    await settle(other)
    assert len(receiver.got) == 1, "it is not due while it is being made"
    receiver.answers["/hook"] = 200
    await make_due(desk)
    await settle(other)
    [call] = await calls(desk, hook)
    assert (call["outcome"], call["attempts"]) == ("delivered", 2)
    assert [got.headers["webhook-id"] for got in receiver.got] == 2 * [str(call["call_id"])]


async def test_who_comes_late_does_not_move_a_call_that_another_has_taken(desk: Desk) -> None:
    hook = await hook_at(desk, DEAD)
    await enter(desk, hook)
    [row] = await calls(desk, hook)
    [first] = await hook_calls.claim(desk.db, desk.account_id, [row["call_id"]])
    await make_due(desk)
    [second] = await hook_calls.claim(desk.db, desk.account_id, [row["call_id"]])
    [before] = await calls(desk, hook)
    await hook_calls.failed(desk.db, first, "late")
    assert await calls(desk, hook) == [before]
    await hook_calls.delivered(desk.db, second)
    await hook_calls.failed(desk.db, second, "later")
    [after] = await calls(desk, hook)
    assert after["outcome"] == "delivered"


async def test_calls_of_a_deleted_hook_are_given_up(desk: Desk, receiver: Receiver, delivery: Delivery) -> None:
    hook = await hook_at(desk, receiver.url + "/hook")
    await enter(desk, hook)
    async with desk.db.account(desk.account_id) as tx:
        await hooks.delete(tx, hook.hook_no)
    await settle(delivery)
    [call] = await calls(desk, hook)
    assert call["outcome"] == hook_calls.DELETED
    assert call["ended_at"] is not None
    assert receiver.got == []


async def test_the_last_calls_of_a_hook_can_be_seen(desk: Desk, receiver: Receiver, delivery: Delivery) -> None:
    hook = await hook_at(desk, receiver.url + "/hook")
    await enter(desk, hook, 1, 2)
    await settle(delivery)
    await enter(desk, hook, 1)
    async with desk.db.account(desk.account_id) as tx:
        waiting, made = await hook_calls.last_of(tx, hook.hook_no, limit=2)
    assert (waiting.contacts, waiting.attempts, waiting.outcome, waiting.ended_at) == (1, 0, None, None)
    assert (made.contacts, made.attempts, made.outcome) == (2, 1, "delivered")
