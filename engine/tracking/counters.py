"""Counting for a whole chunk of contacts at once: numbers that stand upright.

The n-th plane holds the n-th binary digit of every contact's number, a bit a contact, as one large integer. Adding one
to the numbers of some contacts is a few operations on integers of 2 KB, whoever and however many they are.
"""

from collections.abc import Sequence
from itertools import zip_longest

from engine.sets.chunks import ALL_BITS

#: One number a contact; the least digits come first.
Planes = Sequence[int]


def constant(number: int) -> Planes:
    """The same number for everybody."""
    return [ALL_BITS if number >> place & 1 else 0 for place in range(number.bit_length())]


def count_up(planes: list[int], members: int) -> None:
    """Adds one to the numbers of the members."""
    for place, digit in enumerate(planes):
        if not members:
            return
        planes[place], members = digit ^ members, digit & members
    if members:
        planes.append(members)


def total(left: Planes, right: Planes) -> Planes:
    """The sums."""
    planes, carried = [], 0
    for one, other in zip_longest(left, right, fillvalue=0):
        either = one ^ other
        planes.append(either ^ carried)
        carried = one & other | either & carried
    return [*planes, carried]


def doubled(planes: Planes, times: int = 1) -> Planes:
    """The numbers, doubled so many times."""
    return [*[0] * times, *planes]


def at_least(left: Planes, right: Planes) -> int:
    """Whose left number is not less than the right one."""
    found: int = ALL_BITS
    for one, other in zip_longest(left, right, fillvalue=0):
        found = one & ~other | ~(one ^ other) & found
    return found
