"""Marks: rare facts of a contact in a list, or in the account as a whole, with their time.

Who unsubscribed from a list without opting out of the account, whose mail bounced, who complained. A mark is not
undone by what comes after it: not by leaving the list or joining it again, nor by deleting and reviving the contact.
"""

from collections.abc import Mapping
from datetime import datetime
from enum import StrEnum

from engine.database import Transaction

#: What stands for the account as a whole where a mark could be of a list.
WHOLE_ACCOUNT = 0


class MarkKind(StrEnum):
    """What a mark says."""

    UNSUBSCRIBED = "unsubscribed"
    BOUNCED = "bounced"
    COMPLAINED = "complained"


async def add(tx: Transaction, kind: MarkKind, set_no: int, times: Mapping[int, datetime]) -> int:
    """Marks contacts, by number with the time, in a list or WHOLE_ACCOUNT; answers for how many that says anything new.

    Who has the mark keeps it, with the later of the times. Marks are locked by contact: whoever adds several kinds does
    so in the order of (kind, set), after all locks on contacts.
    """
    contact_nos = sorted(times)
    moments = [times[contact_no] for contact_no in contact_nos]
    return await tx.run("add_marks", kind=kind, set_no=set_no, contact_nos=contact_nos, times=moments)
