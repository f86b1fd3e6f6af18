"""Engagement levels, computed from random campaigns and checked against the rule told contact by contact."""

from collections.abc import Iterable, Mapping
from random import Random
from typing import Any
from uuid import uuid4

import pytest

from engine.activities import clock
from engine.activities.model import Activity, State
from engine.activities.submission import Submitted
from engine.operations.engagement import ComputeEngagement, SetEngagement
from engine.operations.tracking_events import TrackingEvents
from engine.sets.chunks import CHUNK_BITS
from engine.sets.system import ACTIVE, ENGAGEMENT, LEVEL_BY_HAND, TRACKING
from engine.tracking import engagement
from tests.integration.desk import Desk
from tests.integration.test_tracking import days_ago, row, tell

#: What a campaign is to the model: how old it is, and to whom it was sent, who opened it, who clicked.
Campaign = tuple[float, set[int], set[int], set[int]]


def level(contact_no: int, campaigns: Iterable[Campaign]) -> str:
    """Contract v3.md 3.14: the rule, told for one contact."""
    recent = [(opened, clicked) for age, sent, opened, clicked in campaigns if age <= 90 and contact_no in sent]
    sent, moved = len(recent), sum(contact_no in opened | clicked for opened, clicked in recent)
    if sent < 5:
        return "unqualified"
    return "high" if moved / sent >= 0.5 else "medium" if moved / sent >= 0.2 else "low"


async def levels(desk: Desk) -> dict[str, set[int]]:
    return {level: await desk.members(set_no) for level, set_no in ENGAGEMENT.items()}


async def compute(desk: Desk, **settings: Any) -> Activity:
    submitted = await desk.submit(ComputeEngagement())
    return await done(desk, submitted, **settings)


async def done(desk: Desk, submitted: Submitted, **settings: Any) -> Activity:
    await desk.deliver(submitted.messages, desk.worker(**settings))
    found = await desk.find(submitted)
    assert found.state is State.COMPLETED
    return found


async def by_hand(desk: Desk, level: str, contact_ids: Iterable[Any]) -> Activity:
    body = {"source": {"contact_ids": list(contact_ids)}, "engagement_level": level}
    return await done(desk, await desk.submit(SetEngagement.model_validate(body)))


async def make_campaigns(desk: Desk, campaigns: Iterable[Campaign]) -> None:
    """As events would have made them; every third has no set of clicks."""
    for place, (age, *members) in enumerate(campaigns):
        numbers = [1000 + 3 * place + offset if offset < 2 or place % 3 else None for offset in range(3)]
        await desk.owner.execute(
            "INSERT INTO campaign (account_id, campaign_id, sent_at, sent_set, opened_set, clicked_set)"
            " VALUES ($1, gen_random_uuid(), now() - make_interval(secs => $2), $3, $4, $5)",
            *(desk.account_id, age * 86_400, *numbers),
        )
        for set_no, contact_nos in zip(numbers, members, strict=True):
            if set_no is not None:
                await desk._put(set_no, contact_nos)


def random_campaigns(random: Random, contact_nos: list[int], count: int) -> list[Campaign]:
    """Contacts are sent more or less, and move more or less: all levels and their borders come up."""
    eager = {contact_no: random.choice((0, 0.1, 0.2, 0.35, 0.5, 1)) for contact_no in contact_nos}
    reached = {contact_no: random.choice((0, 0.1, 0.5, 1)) for contact_no in contact_nos}
    campaigns = []
    for place in range(count):
        sent = {n for n in contact_nos if random.random() < reached[n]}
        opened = {n for n in contact_nos if random.random() < eager[n]}
        clicked = {n for n in contact_nos if random.random() < eager[n] / 2} if place % 3 else set()
        campaigns.append((random.choice((1, 30, 89.9, 90.1, 400)), sent, opened, clicked))
    return campaigns


@pytest.mark.parametrize("seed", range(4))
async def test_levels_follow_the_rule(seed: int, desk: Desk, monkeypatch: pytest.MonkeyPatch) -> None:
    """Contract 3.14: only active contacts have a level, unqualified included; computing again changes nothing."""
    monkeypatch.setattr(engagement, "CAMPAIGNS_AT_ONCE", 7)
    random = Random(seed)
    active = await make_people(desk, random, "implicit", 60)
    others = await make_people(desk, random, random.choice(("unsubscribed", "temp_hold")), 10)
    campaigns = random_campaigns(random, [*active, *others], 40)
    await make_campaigns(desk, campaigns)
    activity = await compute(desk)
    expected: Mapping[str, set[int]] = {each: set() for each in ENGAGEMENT}
    for contact_no in active:
        expected[level(contact_no, campaigns)].add(contact_no)
    assert all(expected.values())
    assert await levels(desk) == expected
    assert (activity.items_total, activity.items_completed) == (len(active), len(active))
    assert activity.changed_count == len(active)
    assert (await compute(desk)).changed_count == 0


async def make_people(desk: Desk, random: Random, permission: str, count: int) -> list[int]:
    """Contacts over three chunks."""
    taken = {each["contact_no"] for each in await desk.rows("contact")}
    numbers = random.sample(sorted(set(range(1, 3 * CHUNK_BITS)) - taken), count)
    for number in numbers:
        await desk.make_contacts(1, first=number, permission=permission)
    return numbers


async def test_a_server_without_mail_data(desk: Desk) -> None:
    """Contract 3.14: every active contact is unqualified unless a level was stored for it."""
    people = await desk.make_contacts(3)
    await by_hand(desk, "high", people[:1])
    await compute(desk)
    assert await levels(desk) == {"unqualified": {2, 3}, "low": set(), "medium": set(), "high": {1}}


async def test_levels_set_by_hand_win_when_the_setting_says_so(desk: Desk) -> None:
    people = await desk.make_contacts(2)
    await desk.make_contacts(1, first=3, permission="unsubscribed")
    await make_campaigns(desk, [(1, {1, 2, 3}, {1, 2, 3}, set())] * 5)
    await by_hand(desk, "low", people[:1])
    assert await desk.members(LEVEL_BY_HAND) == {1}
    await compute(desk)
    assert await levels(desk) == {"unqualified": set(), "low": {1}, "medium": set(), "high": {2}}
    assert await desk.members(LEVEL_BY_HAND) == {1}
    await compute(desk, engagement_by_hand_wins=False)
    assert await levels(desk) == {"unqualified": set(), "low": set(), "medium": set(), "high": {1, 2}}
    assert await desk.members(LEVEL_BY_HAND) == set()


async def test_who_is_not_active_any_more_loses_the_level(desk: Desk) -> None:
    """Contract 3.14: only active contacts are selected; but what was set by hand stays."""
    people = await desk.make_contacts(3)
    await make_campaigns(desk, [(1, {1, 2, 3}, {1, 2, 3}, set())] * 5)
    await compute(desk)
    await by_hand(desk, "medium", people[1:2])
    campaign_id = str(uuid4())
    await tell(desk, *(row(each, campaign_id, "unsubscribed") for each in people[:2]))
    await compute(desk)
    assert await levels(desk) == {"unqualified": set(), "low": set(), "medium": {2}, "high": {3}}


async def test_what_a_computation_did_is_in_its_effect(desk: Desk) -> None:
    """Design, effect first; everybody's level is the source, changed or not."""
    await desk.make_contacts(2)
    first = await compute(desk)
    await make_campaigns(desk, [(1, {1}, {1}, set())] * 5)
    second = await compute(desk)
    effects = {(each["sequence"], each["set_no"], each["turned_on"]) for each in await desk.rows("effect")}
    unqualified, high = ENGAGEMENT["unqualified"], ENGAGEMENT["high"]
    assert effects == {
        (first.sequence, unqualified, True),
        (second.sequence, unqualified, False),
        (second.sequence, high, True),
    }
    sources = {(each["sequence"], each["batch"]) for each in await desk.rows("activity_source")}
    assert sources == {(first.sequence, unqualified), (second.sequence, unqualified), (second.sequence, high)}


async def test_it_waits_for_events_and_for_who_sets_levels(desk: Desk) -> None:
    submitted = (await desk.submit(ComputeEngagement())).activity
    assert submitted.reads == {TRACKING, ACTIVE}
    assert submitted.writes == {*ENGAGEMENT.values(), LEVEL_BY_HAND}


async def test_it_comes_by_the_clock_once_there_are_events(desk: Desk) -> None:
    """Contract 3.14: recalculated weekly; not listed, since nobody asked for it."""
    [person] = await desk.make_contacts(1)
    assert ComputeEngagement.kind not in await scheduled(desk)
    for _ in range(2):
        await tell(desk, row(person, str(uuid4()), "sent", days_ago(1)))
    assert 0.9 < (await scheduled(desk))[ComputeEngagement.kind] <= 1
    await desk.owner.execute(
        "UPDATE schedule SET due_at = now() WHERE account_id = $1 AND kind = $2",
        *(desk.account_id, ComputeEngagement.kind),
    )
    messages = [each for each in await clock.due(desk.db, desk.settings) if each.account_id == desk.account_id]
    await desk.deliver(messages)
    assert await desk.members(ENGAGEMENT["unqualified"]) == {1}
    assert 6.9 < (await scheduled(desk))[ComputeEngagement.kind] <= 7
    listed = {each["kind"]: each["listed"] for each in await desk.rows("activity")}
    assert listed == {TrackingEvents.kind: True, ComputeEngagement.kind: False}


async def scheduled(desk: Desk) -> dict[str, float]:
    """In how many days what is due."""
    rows = await desk.owner.fetch(
        "SELECT kind, extract(epoch FROM due_at - now())::float8 / 86400 AS days FROM schedule WHERE account_id = $1",
        desk.account_id,
    )
    return {each["kind"]: each["days"] for each in rows}
