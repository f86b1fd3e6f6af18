"""Where contact numbers lie in chunks."""

from hypothesis import given
from hypothesis import strategies as st

from engine.sets.chunks import CHUNK_BITS, bits_of, chunk_of, numbers_of


@given(st.sets(st.integers(0, 5 * CHUNK_BITS)))
def test_numbers_survive_as_bits(numbers: set[int]) -> None:
    chunks = bits_of(numbers)
    assert [number for chunk in sorted(chunks) for number in numbers_of(chunk, chunks[chunk])] == sorted(numbers)
    assert {len(bits) for bits in chunks.values()} <= {CHUNK_BITS}
    assert set(chunks) == {chunk_of(number) for number in numbers}


def test_bits_are_counted_from_the_left() -> None:
    bits = bits_of([2 * CHUNK_BITS + 9])[2]
    assert bits.bytes[:3] == bytes([0, 0b01000000, 0])


def test_chunks_fit_the_joining_of_words() -> None:
    assert CHUNK_BITS % 1024 == 0
    assert CHUNK_BITS & (CHUNK_BITS - 1) == 0
