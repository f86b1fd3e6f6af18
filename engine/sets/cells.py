"""Cells of chunks, by which those of sets are found that may have certain contacts.

A cell is a run of 2 ** shift places of a chunk, the largest the whole chunk; those of one size are numbered from
CHUNK_BITS >> shift on, and by CELLS more in each chunk. A chunk of a set is found by the smallest cell that has all its
members (the column `cell` of set_chunk): so of very many sets only those are read that have members near the wanted
ones, or far from each other.
"""

from collections.abc import Iterable, Iterator, Sequence
from typing import NamedTuple

from asyncpg import BitString

from engine.sets.chunks import CHUNK_BITS, chunk_of

#: The sizes of cells, ascending: 1, 16, 256 places and all.
SHIFTS = (0, 4, 8, 14)
#: Numbers that a chunk has for its cells.
CELLS = 2 * CHUNK_BITS


class Run(NamedTuple):
    """Cells next to each other, of one size, that have contacts. bits: which, from the place `first` of a chunk on."""

    chunk: int
    first_cell: int
    last_cell: int
    first: int
    bits: BitString


def runs_of(contact_nos: Iterable[int]) -> Iterator[Run]:
    """The cells of every size that have any of the contacts."""
    numbers = sorted(set(contact_nos))
    for shift in SHIFTS:
        first = 0
        for place in range(1, len(numbers) + 1):
            if place == len(numbers) or not _adjoin(numbers[place - 1], numbers[place], shift):
                yield _run(numbers[first:place], shift)
                first = place


def places_of(bits: BitString) -> Iterator[int]:
    """The places of the set bits, counted from the left."""
    length = len(bits)
    rest = int.from_bytes(bits.bytes) >> (-length % 8)
    while rest:
        place = length - rest.bit_length()
        yield place
        rest ^= 1 << (length - 1 - place)


def _adjoin(number: int, following: int, shift: int) -> bool:
    """Whether both are in one cell, or in two that are next to each other, of one chunk."""
    return (following >> shift) - (number >> shift) <= 1 and chunk_of(number) == chunk_of(following)


def _run(numbers: Sequence[int], shift: int) -> Run:
    """That of these contacts, ascending. Its bits begin with a byte: others take four times as long to be cut out."""
    chunk, lowest, highest = chunk_of(numbers[0]), numbers[0] % CHUNK_BITS, numbers[-1] % CHUNK_BITS
    first = lowest // 8 * 8
    wanted = bytearray((highest - first) // 8 + 1)
    for number in numbers:
        offset = number % CHUNK_BITS
        wanted[(offset - first) // 8] |= 128 >> offset % 8
    bits = BitString.frombytes(bytes(wanted), bitlength=highest - first + 1)
    first_cell, last_cell = (chunk * CELLS + ((CHUNK_BITS + place) >> shift) for place in (lowest, highest))
    return Run(chunk, first_cell, last_cell, first, bits)
