"""Calls of hooks and of other URLs, as rows: what is due, taken for an attempt, put off, ended.

A call has one id at all its attempts, and is made at least once: a worker that dies after the receiver has heard it
leaves it due again. How it is made is not known here (workers/delivery.py).
"""

import json
from collections.abc import AsyncIterator, Callable, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any, NamedTuple, Self
from uuid import UUID

import asyncpg

from engine.database import Database, Transaction

#: The body of a call for an activity: of the account and the activity, as JSON, in pieces; what is to be told is its
#: format's.
CallbackBody = Callable[[Database, int, UUID], AsyncIterator[bytes]]

#: Seconds until each further attempt; after the last one a call is given up.
PAUSES = (10, 60, 600, 3600, 21600)
#: Seconds in which no other call is made of a receiver that could not be reached, and how many are put off at once.
UNREACHABLE_SECONDS, PUT_OFF_AT_ONCE = 30, 10_000
#: Seconds a call is put off while it is being made; it takes less (workers/delivery.py).
CLAIM_SECONDS = 30
#: Calls of one receiver that one process makes at once.
OF_RECEIVER = 4
#: Characters that are kept of how an attempt ended.
OUTCOME_LENGTH = 200

#: The type of what a hook is told.
CONTACTS_HOOK = "contacts.hook"

DELIVERED = "delivered"
#: The outcome of calls whose hook was deleted before they were made.
DELETED = "the hook is deleted"


class Receiver(NamedTuple):
    """Who is called: a hook of an account, or a URL for it."""

    account_id: int
    hook_no: int | None
    url: str | None


@dataclass(frozen=True, slots=True)
class DueCall:
    """A call that is due, as a look finds it."""

    call_id: UUID
    receiver: Receiver


@dataclass(frozen=True, slots=True)
class Call:
    """A call that is taken for one attempt. `secret` and `body` are a hook's; another URL's body is its activity's."""

    receiver: Receiver
    call_id: UUID
    attempts: int
    url: str
    secret: str | None
    body: bytes | None
    activity_id: UUID | None


@dataclass(frozen=True, slots=True)
class PastCall:
    """What is kept of a call: its end is None until it was made or given up."""

    call_id: UUID
    contacts: int
    attempts: int
    created_at: datetime
    ended_at: datetime | None
    outcome: str | None

    @classmethod
    def of(cls, row: asyncpg.Record) -> Self:
        names = ("call_id", "attempts", "created_at", "ended_at", "outcome")
        return cls(contacts=len(row["contact_nos"]), **{name: row[name] for name in names})


async def due(db: Database, limit: int) -> list[DueCall]:
    """Calls that are due in any account; only the first few of each receiver."""
    async with db.everywhere() as tx:
        rows = await tx.all("due_calls", of_receiver=OF_RECEIVER, limit=limit)
    return [DueCall(row["call_id"], Receiver(row["account_id"], row["hook_no"], row["url"])) for row in rows]


async def count_due(db: Database, most: int) -> int:
    """How many calls are due in all accounts, and nobody's; of more than `most` it is that."""
    async with db.everywhere() as tx:
        return int(await tx.value("count_due_calls", most=most))


async def claim(db: Database, account_id: int, call_ids: Sequence[UUID]) -> list[Call]:
    """Those of the calls that nobody else has taken, in this order, now taken for CLAIM_SECONDS. Ends those of deleted
    hooks.
    """
    place = {call_id: place for place, call_id in enumerate(call_ids)}
    async with db.account(account_id) as tx:
        found = await tx.all("claim_calls", call_ids=list(call_ids), seconds=CLAIM_SECONDS)
        rows = sorted(found, key=lambda row: place[row["call_id"]])
        for row in rows:
            if row["gone"]:
                await tx.run("end_call", call_id=row["call_id"], outcome=DELETED)
        return [await _call(tx, row) for row in rows if not row["gone"]]


async def delivered(db: Database, call: Call) -> None:
    """The receiver has accepted the call."""
    async with db.account(call.receiver.account_id) as tx:
        await tx.run("end_call", call_id=call.call_id, outcome=DELIVERED)


async def failed(db: Database, call: Call, reason: str, pause_factor: float = 1.0) -> bool:
    """The attempt failed: another one comes after a pause, which is longer each time; or the call is given up.

    Answers whether another one comes.
    """
    outcome = reason[:OUTCOME_LENGTH]
    async with db.account(call.receiver.account_id) as tx:
        if call.attempts > len(PAUSES):
            await tx.run("end_call", call_id=call.call_id, outcome=outcome)
            return False
        seconds = PAUSES[call.attempts - 1] * pause_factor
        await tx.run("put_call_off", call_id=call.call_id, attempts=call.attempts, seconds=seconds, outcome=outcome)
        return True


async def unreachable(db: Database, receiver: Receiver) -> None:
    """The receiver cannot be reached: its other calls wait, so that they take nobody's place."""
    async with db.account(receiver.account_id) as tx:
        await tx.run(
            "put_receiver_off",
            hook_no=receiver.hook_no,
            url=receiver.url,
            seconds=UNREACHABLE_SECONDS,
            limit=PUT_OFF_AT_ONCE,
        )


async def last_of(tx: Transaction, hook_no: int, *, limit: int) -> list[PastCall]:
    """The last calls of a hook, those that are still to be made first among them."""
    return [PastCall.of(row) for row in await tx.all("page_of_calls", hook_no=hook_no, limit=limit)]


async def _call(tx: Transaction, row: asyncpg.Record) -> Call:
    return Call(
        receiver=Receiver(tx.account_id, row["hook_no"], row["url"]),
        call_id=row["call_id"],
        attempts=row["attempts"],
        url=row["receiver"],
        secret=row["secret"],
        body=None if row["hook_no"] is None else await _body(tx, row),
        activity_id=row["activity_id"],
    )


async def _body(tx: Transaction, row: asyncpg.Record) -> bytes:
    """What a hook is told, the same at every attempt: type, time and data, as standardwebhooks has it."""
    contacts = await tx.all("contact_ids", contact_nos=row["contact_nos"])
    ids: dict[int, UUID] = {contact["contact_no"]: contact["contact_id"] for contact in contacts}
    told: dict[str, Any] = {
        "type": CONTACTS_HOOK,
        "timestamp": row["created_at"].isoformat(),
        "data": {
            "hook_id": row["hook_no"],
            "hook_name": row["name"],
            "contacts": [{"contact_id": str(ids[no]), "contact_no": no} for no in row["contact_nos"] if no in ids],
        },
    }
    return json.dumps(told).encode()
