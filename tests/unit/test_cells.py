"""Cells of chunks: by which the sets are found that may have certain contacts."""

from collections import Counter

from hypothesis import given
from hypothesis import strategies as st

from engine.sets.cells import CELLS, SHIFTS, places_of, runs_of
from engine.sets.chunks import CHUNK_BITS

#: Some anywhere, some in a row, some at the ends of chunks and cells.
CONTACTS = st.sets(
    st.one_of(
        st.integers(1, 4 * CHUNK_BITS - 1),
        st.integers(700, 800),
        st.builds(lambda edge, beside: 256 * edge + beside, st.integers(1, 200), st.sampled_from((-1, 0))),
    )
)


@given(CONTACTS)
def test_each_contact_is_in_one_run_of_each_size(contacts: set[int]) -> None:
    runs = list(runs_of(contacts))
    found = Counter[int]()
    for run in runs:
        assert len(run.bits) + run.first <= CHUNK_BITS
        numbers = [run.chunk * CHUNK_BITS + run.first + place for place in places_of(run.bits)]
        assert numbers
        found.update(numbers)
        first_cell, last_cell = run.first_cell - run.chunk * CELLS, run.last_cell - run.chunk * CELLS
        shift = next(shift for shift in SHIFTS if first_cell >= CHUNK_BITS >> shift)
        cells = {(CHUNK_BITS + number % CHUNK_BITS) >> shift for number in numbers}
        assert cells == set(range(first_cell, last_cell + 1))
    assert found == Counter(dict.fromkeys(contacts, len(SHIFTS)))


def test_neighbours_are_one_run() -> None:
    """A page of contacts in a row costs four look-ups, not four a contact."""
    assert len(list(runs_of(range(5000, 5500)))) == len(SHIFTS)
    assert len(list(runs_of(range(CHUNK_BITS - 1, CHUNK_BITS + 1)))) == 2 * len(SHIFTS)
    assert list(runs_of([])) == []
