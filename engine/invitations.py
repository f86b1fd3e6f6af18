"""Invitations to events, and what comes back. Who is in an event's set is invited; an answer is a row of its own.

A link holds a token that names the account, the event and the contact, with a digest that only the account's secret
makes: it cannot be guessed, is always the same, and is stored nowhere.
"""

import base64
import hashlib
import hmac
import struct
from collections.abc import Collection
from dataclasses import dataclass
from datetime import datetime
from itertools import product
from typing import Literal

from engine import accounts, events
from engine.accounts import Secret
from engine.database import Database, Transaction
from engine.errors import NotFound
from engine.events import Event
from engine.sets import reading
from engine.sets.expressions import Members
from engine.sets.joined import joined

Answer = Literal["yes", "no"]

#: Account, event, contact.
NAMED = struct.Struct(">qiq")
DIGEST_BYTES = 16
#: What the digest is for, so that no other one made with the secret is the same.
PURPOSE = b"invitation\0"


@dataclass(frozen=True, slots=True)
class Invitation:
    """Whom a link is for."""

    account_id: int
    event_no: int
    contact_no: int


@dataclass(frozen=True, slots=True)
class Reply:
    """How it stands with an invitation: the answer, None while there is none, and since when that is so."""

    event_no: int
    contact_no: int
    answer: Answer | None
    at: datetime | None


def link(secret: Secret, event_no: int, contact_no: int) -> str:
    """The token of an invitation's links, 48 characters that need no escaping in a URL."""
    return _sealed(secret, Invitation(secret.account_id, event_no, contact_no))


async def read(db: Database, token: str) -> Invitation:
    """Whom a token is for. Raises NotFound for one that the account has not made."""
    invitation = _named(token)
    try:
        async with db.account(invitation.account_id) as tx:
            secret = await accounts.secret(tx)
    except NotFound:
        raise _no_invitation() from None
    if not hmac.compare_digest(_sealed(secret, invitation).encode(), token.encode()):
        raise _no_invitation()
    return invitation


async def answer(tx: Transaction, invitation: Invitation, said: Answer) -> Event:
    """Keeps what an invited contact says, as often as it says anything; the event.

    Raises NotFound when the contact is not invited, or not any more, and EventClosed.
    """
    event = await events.find_open(tx, invitation.event_no)
    if not await reading.contains(tx, Members((event.set_no,)), invitation.contact_no):
        raise _no_invitation()
    await tx.run("answer_invitation", set_no=event.set_no, contact_no=invitation.contact_no, answer=said)
    return event


async def replies(
    tx: Transaction, event_nos: Collection[int], contact_nos: Collection[int]
) -> dict[tuple[int, int], Reply]:
    """How it stands with every pair of these events and contacts, by their numbers.

    Without an answer, since the contact was invited; who is not has no time either.
    """
    invited = await joined(tx, event_nos, contact_nos)
    found = {pair: Reply(*pair, None, invited.get(pair)) for pair in product(event_nos, contact_nos)}
    for row in await tx.all("responses", set_nos=list(event_nos), contact_nos=list(contact_nos)):
        found[row["set_no"], row["contact_no"]] = Reply(*row.values())
    return found


def _sealed(secret: Secret, invitation: Invitation) -> str:
    named = NAMED.pack(invitation.account_id, invitation.event_no, invitation.contact_no)
    digest = hmac.digest(secret.key, PURPOSE + named, hashlib.sha256)[:DIGEST_BYTES]
    return base64.urlsafe_b64encode(named + digest).decode()


def _named(token: str) -> Invitation:
    """What a token names, be it Muster's or not."""
    try:
        return Invitation(*NAMED.unpack(base64.urlsafe_b64decode(token.encode("ascii"))[: NAMED.size]))
    except (ValueError, struct.error):
        raise _no_invitation() from None


def _no_invitation() -> NotFound:
    return NotFound("there is no such invitation")
