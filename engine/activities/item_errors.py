"""Recording errors of single items: they are reported with the activity and do not fail it."""

from collections.abc import Mapping, Sequence

from engine.database import Transaction
from engine.errors import ItemError


async def report(tx: Transaction, errors: Mapping[int, Sequence[ItemError]]) -> None:
    """Keeps the errors of activities, by sequence, in the order given."""
    rows = [(sequence, *error) for sequence, found in errors.items() for error in found]
    if rows:
        sequences, items, codes, messages = zip(*rows, strict=True)
        await tx.run("add_activity_errors", sequences=sequences, items=items, codes=codes, messages=messages)
