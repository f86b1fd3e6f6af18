"""Named sets that a write means by name, be they there or not.

Those that it needs and that are not there are made in its own transaction, once nothing can refuse it any more: what is
refused leaves no names behind. Until then a number that no set has stands for each.
"""

from collections import defaultdict
from collections.abc import Iterable, Mapping
from typing import NamedTuple, TypeAlias

from engine.database import Transaction
from engine.sets import catalog
from engine.sets.catalog import LARGEST_SET_NO, SetKind, name_key

#: What makes two names those of one set.
Key: TypeAlias = tuple[SetKind, str]


class SetName(NamedTuple):
    """A set that is meant by its name."""

    kind: SetKind
    name: str

    @property
    def key(self) -> Key:
        return self.kind, name_key(self.name)


def is_there(set_no: int) -> bool:
    """Whether the number is that of a set, and does not stand for one that is to be made."""
    return set_no <= LARGEST_SET_NO


async def numbers(tx: Transaction, needed: Iterable[SetName], named: Iterable[SetName]) -> dict[Key, int]:
    """The numbers of the sets that are there, and what stands for those that are needed and are not.

    Then the account's names are locked, so that nobody else makes them meanwhile; before any other lock.
    """
    needed, asked = list(needed), [*needed, *named]
    found = await _found(tx, asked)
    if all(each.key in found for each in needed):
        return found
    await tx.all("lock_names")
    found = await _found(tx, asked)
    missing = dict.fromkeys(each.key for each in needed if each.key not in found)
    return found | {key: LARGEST_SET_NO + nth for nth, key in enumerate(missing, 1)}


async def make(
    tx: Transaction, needed: Iterable[SetName], known: Mapping[Key, int], most: Mapping[SetKind, int]
) -> dict[int, int]:
    """Makes the sets that are needed and are not there, as they are spelled first; by what has stood for each its
    number.

    known: what `numbers` has told. Locks the account's row. Raises Invalid when the account would have more of a kind
    than `most`.
    """
    missing = defaultdict[SetKind, dict[str, str]](dict)
    for each in needed:
        if not is_there(known[each.key]):
            missing[each.kind].setdefault(name_key(each.name), each.name.strip())
    made = dict[int, int]()
    for kind, names in missing.items():
        found = await catalog.create_all(tx, kind, names, most=most.get(kind))
        made |= {known[kind, key]: named.set_no for key, named in found.items()}
    return made


async def _found(tx: Transaction, names: Iterable[SetName]) -> dict[Key, int]:
    by_kind = defaultdict[SetKind, list[str]](list)
    for each in names:
        by_kind[each.kind].append(each.name)
    return {
        (kind, key): named.set_no
        for kind, of_kind in by_kind.items()
        for key, named in (await catalog.by_names(tx, kind, of_kind)).items()
    }
