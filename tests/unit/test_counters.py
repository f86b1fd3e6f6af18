"""Numbers that stand upright: whatever is done with planes is done with everybody's number."""

from hypothesis import given
from hypothesis import strategies as st

from engine.sets.chunks import ALL_BITS
from engine.tracking.counters import Planes, at_least, constant, count_up, doubled, total

PEOPLE = range(12)
groups = st.lists(st.frozensets(st.sampled_from(PEOPLE)), max_size=40)


def counted(members: list[frozenset[int]]) -> list[int]:
    planes: list[int] = []
    for each in members:
        count_up(planes, sum(1 << person for person in each))
    return planes


def numbers(planes: Planes) -> list[int]:
    return [sum((plane >> person & 1) << place for place, plane in enumerate(planes)) for person in PEOPLE]


def counts(members: list[frozenset[int]]) -> list[int]:
    return [sum(person in each for each in members) for person in PEOPLE]


@given(groups)
def test_counting(members: list[frozenset[int]]) -> None:
    assert numbers(counted(members)) == counts(members)
    assert len(counted(members)) <= len(members).bit_length()


@given(groups, groups)
def test_sums_and_comparisons(left: list[frozenset[int]], right: list[frozenset[int]]) -> None:
    one, other = counted(left), counted(right)
    pairs = list(zip(counts(left), counts(right), strict=True))
    assert numbers(total(one, other)) == [a + b for a, b in pairs]
    found = at_least(one, other)
    assert [found >> person & 1 == 1 for person in PEOPLE] == [a >= b for a, b in pairs]
    assert 0 <= found <= ALL_BITS


@given(groups, st.integers(0, 3), st.integers(0, 100))
def test_doubling_and_constants(members: list[frozenset[int]], times: int, number: int) -> None:
    assert numbers(doubled(counted(members), times)) == [count << times for count in counts(members)]
    assert numbers(constant(number)) == [number for _ in PEOPLE]
