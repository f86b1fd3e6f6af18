"""What events do to contacts: who unsubscribed or complained is opted out, whose mail bounced is held.

An event never undoes what came after it: an unsubscription does not when the contact has subscribed on its own since, a
bounce neither then nor when its address was put in order since. What the account itself did after an unsubscription
does not count: it may not mail again until the contact opts in (contract v3.md 2.1.2).
"""

from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime

import asyncpg

from engine.database import Transaction
from engine.tracking.events import Event, Kind

#: After which the contact must not be mailed until it opts in.
OPTING_OUT = (Kind.UNSUBSCRIBED, Kind.COMPLAINED)
#: Who may be mailed, or is about to be: a bounce puts them on hold.
MAILED = ("implicit", "explicit", "pending_confirmation")


@dataclass(frozen=True, slots=True)
class Consequences:
    """Contacts that have opted out, with the time, and those whose mail is held."""

    opted_out: Mapping[int, datetime]
    held: frozenset[int]

    @property
    def inactive(self) -> frozenset[int]:
        return self.held.union(self.opted_out)


async def lock(tx: Transaction, contact_nos: Collection[int]) -> Mapping[int, asyncpg.Record]:
    """The contacts that events may change, now locked, with deleted ones, which they do not."""
    if not contact_nos:
        return {}
    rows = await tx.all("lock_told_contacts", contact_nos=sorted(contact_nos))
    return {row["contact_no"]: row for row in rows}


def decide(contacts: Mapping[int, asyncpg.Record], events: Iterable[tuple[Event, int]]) -> Consequences:
    """What these events, of which none was known before, mean for the locked contacts."""
    opted_out: dict[int, datetime] = {}
    held = set[int]()
    for event, contact_no in events:
        if event.kind in OPTING_OUT and _opts_out(contacts[contact_no], event.time):
            opted_out[contact_no] = min(event.time, opted_out.get(contact_no, event.time))
        elif event.kind is Kind.BOUNCED and _is_held(contacts[contact_no], event.time):
            held.add(contact_no)
    return Consequences(opted_out, frozenset(held - set(opted_out)))


async def write(tx: Transaction, sequence: int, consequences: Consequences) -> None:
    """Changes the locked contacts, after keeping them as they were."""
    if not consequences.inactive:
        return
    opted_out = consequences.opted_out
    await tx.run("keep_told_contacts", sequence=sequence, contact_nos=list(consequences.inactive))
    await tx.run("unsubscribe_told", contact_nos=list(opted_out), times=list(opted_out.values()))
    await tx.run("hold_told", contact_nos=list(consequences.held))


def _opts_out(contact: asyncpg.Record, time: datetime) -> bool:
    """Also who was opted out by the account: now the contact wants it itself."""
    is_done = contact["permission"] == "unsubscribed" and contact["opt_out_source"] == "Contact"
    return not is_done and _is_since(time, contact["subscribed_at"])


def _is_held(contact: asyncpg.Record, time: datetime) -> bool:
    in_order = _is_since(time, contact["subscribed_at"]) and _is_since(time, contact["mended_at"])
    return contact["permission"] in MAILED and in_order


def _is_since(time: datetime, fact: datetime | None) -> bool:
    return fact is None or time >= fact
