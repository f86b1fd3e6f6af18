"""What effects and stored sets have to say of each other."""

from collections import Counter, defaultdict

from engine.sets.chunks import CHUNK_BITS, as_integer
from tests.integration.desk import Desk


async def stored_bits(desk: Desk) -> dict[tuple[int, int], int]:
    """The bits of stored sets by set and chunk, after a check that none is outside of the bounds told with them."""
    stored = dict[tuple[int, int], int]()
    for row in await desk.rows("set_chunk"):
        bits = as_integer(row["bits"])
        assert not bits >> CHUNK_BITS - row["lowest"]
        assert not bits & (1 << CHUNK_BITS - 1 - row["highest"]) - 1
        stored[row["set_no"], row["chunk"]] = bits
    return stored


async def assert_effects(desk: Desk) -> None:
    """Each effect is of bits that its activity really changed: in the account's order they make the stored sets."""
    sets: defaultdict[tuple[int, int], int] = defaultdict(int)
    for row in sorted(await desk.rows("effect"), key=lambda row: (row["sequence"], row["batch"])):
        place, bits = (row["set_no"], row["chunk"]), as_integer(row["bits"])
        assert sets[place] & bits == (0 if row["turned_on"] else bits), row
        sets[place] ^= bits
    stored = await stored_bits(desk)
    assert {place: sets[place] for place in {*sets, *stored}} == {
        place: stored.get(place, 0) for place in {*sets, *stored}
    }


async def assert_effects_alternate(desk: Desk) -> None:
    """The same where batches of an activity may lie before and after others: each bit was turned on and off in turn."""
    turns: Counter[tuple[int, int, int]] = Counter()
    for row in await desk.rows("effect"):
        bits = as_integer(row["bits"])
        while bits:
            turns[row["set_no"], row["chunk"], bits.bit_length()] += 1 if row["turned_on"] else -1
            bits ^= 1 << bits.bit_length() - 1
    stored = await stored_bits(desk)
    for (set_no, chunk, place), balance in turns.items():
        assert balance == stored.get((set_no, chunk), 0) >> place - 1 & 1
