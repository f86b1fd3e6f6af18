"""Deleting contacts by number while the caller waits: few as single writes, which share a transaction, many as one
activity.

A single write takes a quarter of the time of an activity; ten thousand take ten times as long as one, or longer.
"""

from collections.abc import Sequence

from engine.activities.at_once import AtOnce
from engine.activities.inline import MOST_TOGETHER, Inline
from engine.contacts.decisions import Written
from engine.operations.contact_delete import DeleteContact, DeleteNumbers
from engine.principals import Principal


async def delete(inline: Inline, at_once: AtOnce, principal: Principal, contact_nos: Sequence[int]) -> frozenset[int]:
    """Deletes contacts; the numbers of those that it has deleted, so none of nobody or of a deleted contact.

    Raises Busy when many cannot be deleted now; of few that is so for each on its own.
    """
    if len(contact_nos) > MOST_TOGETHER:
        return await at_once.done_to(await at_once.do(principal, DeleteNumbers(tuple(contact_nos))))
    results = await inline.write_all(principal, [DeleteContact(number) for number in contact_nos])
    return frozenset(no for no, result in zip(contact_nos, results, strict=True) if isinstance(result, Written))
