"""Calls one after the other as one activity: each done once, what came of it kept, and asked again when it failed."""

import json
from collections.abc import AsyncIterator, Mapping, Sequence
from typing import Any
from uuid import UUID, uuid4

import pytest

from engine.activities import claims
from engine.activities.model import State
from engine.activities.runner import Runner
from engine.activities.submission import Submitted
from engine.callees import Answered, Asked
from engine.errors import Conflict, NotFinal, NotFound
from engine.operations import calls
from engine.operations.calls import Calls
from engine.operations.retention import Retention
from tests.integration.desk import Desk


class Echo:
    """Answers each call with itself, once; those that say so fail, and `dying` ones take the attempt with them."""

    def __init__(self) -> None:
        self.asked: list[Asked] = []
        self.dying = 0

    async def call(self, asked: Asked) -> Answered:
        self.asked.append(asked)
        if asked.call.get("dies") and self.dying:
            self.dying -= 1
            raise RuntimeError("as if the worker had died")
        return Answered(bool(asked.call.get("fails")), json.dumps(asked.call))

    async def told(
        self, handle: UUID, calls: Sequence[Mapping[str, Any]], results: AsyncIterator[str | None]
    ) -> AsyncIterator[bytes]:
        yield str(handle).encode()
        async for result in results:
            yield b" " + str(result).encode()

    @property
    def names(self) -> list[object]:
        return [asked.call["name"] for asked in self.asked]


def named(*names: str, **said: object) -> list[dict[str, object]]:
    return [{"name": name, **said} for name in names]


async def work(desk: Desk, submitted: Submitted, callee: Echo) -> None:
    runner = Runner(desk.db, desk.settings, lambda _: None, {"echo": callee})
    for message in submitted.messages:
        await runner.run(message)


async def done(desk: Desk, asked: Sequence[dict[str, object]], callee: Echo, url: str | None = None) -> UUID:
    """An activity of these calls, as far as it comes; its handle."""
    submitted = await desk.submit(Calls("echo", asked, {"who": "test"}, url))
    await work(desk, submitted, callee)
    return submitted.activity.activity_id


async def kept(desk: Desk, handle: UUID) -> list[Any]:
    async with desk.db.account(desk.account_id) as tx:
        activity = await calls.ended(tx, desk.settings, handle)
    return [result and json.loads(result) async for result in calls.results(desk.db, activity)]


async def again(desk: Desk, handle: UUID) -> Submitted:
    return await calls.again(desk.db, desk.settings, desk.principal, handle, {"who": "another"})


async def callbacks(desk: Desk) -> list[tuple[str, UUID]]:
    rows = await desk.owner.fetch("SELECT * FROM hook_call WHERE account_id = $1 ORDER BY created_at", desk.account_id)
    return [(row["url"], row["activity_id"]) for row in rows]


async def test_calls_are_done_in_their_order(desk: Desk) -> None:
    echo, asked = Echo(), named(*map(str, range(20)))
    handle = await done(desk, asked, echo)
    assert echo.names == list(map(str, range(20)))
    assert await kept(desk, handle) == asked
    assert {asked.common["who"] for asked in echo.asked} == {"test"}
    assert len({asked.record_id for asked in echo.asked}) == 20


async def test_an_activity_of_calls_is_not_listed_and_meets_nobody(desk: Desk) -> None:
    submitted = await desk.submit(Calls("echo", named("a"), {}))
    assert not submitted.activity.listed
    assert submitted.activity.reads | submitted.activity.writes == frozenset()


async def test_what_was_kept_is_not_asked_again_and_what_was_lost_is_under_the_same_record(desk: Desk) -> None:
    echo, asked = Echo(), [*named("a"), *named("b", dies=True), *named("c")]
    echo.dying = 1
    submitted = await desk.submit(Calls("echo", asked, {}))
    await work(desk, submitted, echo)
    await desk.let_leases_run_out()
    await work(desk, submitted._replace(messages=await desk.swept()), echo)
    assert echo.names == ["a", "b", "b", "c"]
    assert echo.asked[1].record_id == echo.asked[2].record_id
    assert await kept(desk, submitted.activity.activity_id) == asked


async def test_what_came_of_calls_is_told_when_they_have_ended(desk: Desk) -> None:
    submitted = await desk.submit(Calls("echo", named("a"), {}))
    with pytest.raises(NotFinal):
        await kept(desk, submitted.activity.activity_id)
    with pytest.raises(NotFound):
        await kept(desk, uuid4())


async def test_only_what_failed_is_asked_again(desk: Desk) -> None:
    """Its activity is a new one, linked to the first, by which the client goes on to know it."""
    echo = Echo()
    asked = [*named("a"), *named("b", fails=True), *named("c"), *named("d", fails=True)]
    handle = await done(desk, asked, echo)
    for attempt in (1, 2):
        second = await again(desk, handle)
        with pytest.raises(NotFinal):
            await again(desk, handle)
        await work(desk, second, echo)
        assert second.activity.retry_of == handle
        assert echo.names[2 + 2 * attempt :] == ["b", "d"]
    assert await kept(desk, handle) == asked
    assert {asked.record_id for asked in echo.asked if asked.call["name"] == "b"} == {echo.asked[1].record_id}
    assert echo.asked[-1].common == {"who": "another"}


async def test_where_all_was_done_nothing_is_asked_again(desk: Desk) -> None:
    handle = await done(desk, named("a"), Echo())
    with pytest.raises(Conflict):
        await again(desk, handle)


async def test_calls_that_were_never_done_are_asked_again(desk: Desk) -> None:
    echo, asked = Echo(), [*named("a"), *named("b", dies=True), *named("c")]
    echo.dying = desk.settings.max_attempts + 1
    submitted = await desk.submit(Calls("echo", asked, {}, "https://example.com/"))
    handle = submitted.activity.activity_id
    await work(desk, submitted, echo)
    while not (activity := await desk.find(submitted)).state.is_final:
        await desk.let_leases_run_out()
        await work(desk, submitted._replace(messages=await desk.swept()), echo)
    assert activity.state is State.FAILED
    assert await kept(desk, handle) == [*named("a"), None, None]
    assert await callbacks(desk) == [("https://example.com/", handle)]
    echo.dying = 0
    await work(desk, await again(desk, handle), echo)
    assert await kept(desk, handle) == asked


async def test_its_url_is_called_when_its_workers_died_too_often(desk: Desk) -> None:
    """Contract ivvy.md 10.3: whatever its end is, somebody waits to be told of it."""
    submitted = await desk.submit(Calls("echo", named("a"), {}, "https://example.com/"))
    for _ in range(desk.settings.max_attempts):
        await claims.claim(desk.db, desk.settings, uuid4(), submitted.messages[0])
        await desk.let_leases_run_out()
    assert await callbacks(desk) == []
    await work(desk, submitted, Echo())
    assert (await desk.find(submitted)).failure_code == "attempts_exhausted"
    assert await callbacks(desk) == [("https://example.com/", submitted.activity.activity_id)]


async def test_its_url_is_called_when_it_has_ended_and_when_that_is_asked_for(desk: Desk) -> None:
    echo, url = Echo(), "https://example.com/hook"
    submitted = await desk.submit(Calls("echo", named("a", fails=True), {}, url))
    handle = submitted.activity.activity_id
    async with desk.db.account(desk.account_id) as tx:
        assert not await calls.call_back_again(tx, desk.settings, handle)
    assert await callbacks(desk) == []
    await work(desk, submitted, echo)
    assert await callbacks(desk) == [(url, handle)]
    second = await again(desk, handle)
    await work(desk, second, echo)
    async with desk.db.account(desk.account_id) as tx:
        assert await calls.call_back_again(tx, desk.settings, handle)
    last = second.activity.activity_id
    assert await callbacks(desk) == [(url, handle), (url, last), (url, last)]
    body = b"".join([piece async for piece in calls.told({"echo": echo}, desk.db, desk.account_id, last)])
    assert body.decode() == f'{handle} {{"name": "a", "fails": true}}'


async def test_what_came_of_calls_is_kept_for_some_days(desk: Desk) -> None:
    old, young = [await done(desk, named("a", "b"), Echo()) for _ in range(2)]
    await desk.owner.execute(
        "UPDATE activity SET completed_at = now() - interval '49 hours' WHERE account_id = $1 AND activity_id = $2",
        desk.account_id,
        old,
    )
    with pytest.raises(NotFound):
        await kept(desk, old)
    with pytest.raises(NotFound):
        await again(desk, old)
    await desk.deliver((await desk.submit(Retention())).messages)
    assert len(await desk.rows("activity_result")) == 2
    assert await kept(desk, young) == named("a", "b")


async def test_a_worker_without_the_callee_says_so(desk: Desk) -> None:
    submitted = await desk.submit(Calls("nobody", named("a"), {}))
    await work(desk, submitted, Echo())
    assert (await desk.find(submitted)).failure_code == "unusable"
