"""The account's order, as pure decisions, against the plainest definition of it."""

from collections import Counter
from collections.abc import Sequence
from random import Random
from uuid import UUID, uuid4

from hypothesis import assume, given
from hypothesis import strategies as st

from engine.activities.model import Queue, State
from engine.activities.schedule import Unfinished, next_in_queue, runnable, soon_done, together

#: Few sets, so that activities meet often.
set_numbers = st.frozensets(st.sampled_from((-8, -2, 1, 2, 3)), max_size=2)
windows = st.fixed_dictionaries({queue.value: st.integers(0, 4) for queue in Queue})


@st.composite
def unfinished_activities(draw: st.DrawFn, least: int = 0) -> list[Unfinished]:
    """An account's unfinished activities in order, in any state that they can be found in."""
    return [_activity(draw, sequence) for sequence in range(1, draw(st.integers(least, 10)) + 1)]


def _activity(draw: st.DrawFn, sequence: int) -> Unfinished:
    return Unfinished(
        sequence=sequence,
        activity_id=UUID(int=sequence),
        queue=draw(st.sampled_from(tuple(Queue))),
        state=draw(st.sampled_from((State.INITIALIZED, State.INITIALIZED, State.PROCESSING))),
        reads=draw(set_numbers),
        writes=draw(set_numbers),
        shareable=draw(st.booleans()),
        queued=draw(st.booleans()),
    )


def meet(one: Unfinished, other: Unfinished) -> bool:
    return bool(one.writes & (other.reads | other.writes) or one.reads & other.writes)


def has_to_wait(unfinished: Sequence[Unfinished], activity: Unfinished) -> bool:
    return any(meet(earlier, activity) for earlier in unfinished if earlier.sequence < activity.sequence)


def is_waiting(activity: Unfinished) -> bool:
    return activity.state is State.INITIALIZED or not activity.queued


@given(unfinished_activities())
def test_what_meets_nothing_earlier_is_runnable(unfinished: list[Unfinished]) -> None:
    """Design, life of an activity, 3: it is refused while an earlier unfinished one meets it, and only then."""
    expected = [one for one in unfinished if is_waiting(one) and not has_to_wait(unfinished, one)]
    assert list(runnable(unfinished)) == expected


@given(unfinished_activities(least=1))
def test_the_oldest_can_always_go_on(unfinished: list[Unfinished]) -> None:
    """Design, life of an activity, 4: nothing is lost. The oldest runs, or may run, or may be claimed again."""
    oldest = unfinished[0]
    assert (oldest in runnable(unfinished)) == is_waiting(oldest)
    assert together(unfinished, oldest.activity_id, 1) == [oldest]


@given(unfinished_activities(), st.randoms())
def test_everything_gets_its_turn(unfinished: list[Unfinished], random: Random) -> None:
    """Contract v3.md 3.3: jobs of one account run in the order they were queued, so all of them do."""
    while unfinished:
        running = [one for one in unfinished if not is_waiting(one)]
        ended = random.choice([*runnable(unfinished), *running])
        unfinished = [one for one in unfinished if one is not ended]


@given(unfinished_activities(), windows)
def test_places_go_to_the_first_that_may_run(unfinished: list[Unfinished], window: dict[str, int]) -> None:
    """Design, life of an activity, 2: at most a window of an account's activities is in each queue."""
    chosen = next_in_queue(unfinished, window)
    for queue, places in window.items():
        taken = sum(one.queued for one in unfinished if one.queue == queue)
        may_run = [one for one in runnable(unfinished) if one.queue == queue and not one.queued]
        assert [one for one in chosen if one.queue == queue] == may_run[: max(0, places - taken)]
    assert chosen == sorted(chosen, key=lambda one: one.sequence)


@given(unfinished_activities(), st.integers(1, 12), st.integers(1, 4))
def test_a_batch_meets_nothing_earlier_outside_of_it(unfinished: list[Unfinished], number: int, most: int) -> None:
    """Design, life of an activity, 3 and 4: sharing a transaction changes nothing about the order."""
    batch = together(unfinished, UUID(int=number), most)
    for member in batch:
        outside = [one for one in unfinished if one not in batch]
        assert not has_to_wait(outside, member)
    assert batch == sorted(batch, key=lambda one: one.sequence)


@given(unfinished_activities(), st.integers(1, 12), st.integers(1, 4))
def test_a_batch_is_the_activity_and_all_that_may_join_it(unfinished: list[Unfinished], number: int, most: int) -> None:
    """Design, life of an activity, 4: small ones that are next in order may share one transaction."""
    batch = together(unfinished, UUID(int=number), most)
    expected: list[Unfinished] = []
    for one in unfinished:
        waits = has_to_wait([other for other in unfinished if other not in expected], one)
        is_asked_for = one.activity_id == UUID(int=number)
        joins = expected and expected[0].shareable and one.shareable and one.state is State.INITIALIZED
        if (is_asked_for or joins) and not waits and len(expected) < most:
            expected.append(one)
    assert batch == expected


@given(unfinished_activities(least=1))
def test_an_activity_that_has_ended_is_not_claimed(unfinished: list[Unfinished]) -> None:
    """Design, life of an activity, 1: a message may be doubled without harm."""
    assert together(unfinished, uuid4(), 100) == []


@given(unfinished_activities(least=2))
def test_a_batch_never_takes_what_somebody_else_works_on(unfinished: list[Unfinished]) -> None:
    """Design, life of an activity, 5: only a lease that has run out is taken over, and that is asked for by name."""
    first = unfinished[0]
    assume(first.shareable)
    states = Counter(one.state for one in together(unfinished, first.activity_id, 100)[1:])
    assert states[State.PROCESSING] == 0


@given(unfinished_activities())
def test_what_waits_for_batched_work_takes_long(unfinished: list[Unfinished]) -> None:
    """Whatever meets an earlier activity that is batched, or takes long itself."""
    slow: list[Unfinished] = []
    for activity in unfinished:
        if activity.queue == Queue.BULK or any(meet(earlier, activity) for earlier in slow):
            slow.append(activity)
    assert list(soon_done(unfinished)) == [activity for activity in unfinished if activity not in slow]
