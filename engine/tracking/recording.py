"""Recording tracking events: who did what goes into the sets of campaigns, and who bounced or unsubscribed changes.

Only an event that was not known before changes a contact, so that what is told twice changes nothing, also when the
account has mended the contact in between.

Who opened or clicked what was never sent to him, as far as we were told, is stored as told. Rules on `opened` and
`clicked` find him; those on `not_opened` and `not_clicked`, and engagement levels, go by what was sent.

Bounces and complaints are marks, too, of the list that they are told of or of the account, and so is an unsubscription
from a list (engine/marks.py).
"""

from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

import asyncpg
from asyncpg import BitString

from engine.database import Transaction
from engine.sets import membership
from engine.sets.chunks import as_integer, bits_of, chunk_of, is_member, of_integer
from engine.sets.membership import Bits
from engine.sets.system import ACTIVE, EXISTS, UNSUBSCRIBED
from engine.tracking import consequences, markings
from engine.tracking.events import CHANGING, Event, Kind, ListEvent, RowError, row_error

#: The sets of who may be mailed, which events may change.
SYSTEM_SETS = (ACTIVE, UNSUBSCRIBED)


@dataclass(frozen=True, slots=True)
class Written:
    """What recording events did: memberships and marks changed, and errors of rows."""

    changed: int
    errors: tuple[RowError, ...]


@dataclass(frozen=True, slots=True)
class Campaign:
    """A campaign with its sets; `sent_at` is the earliest time of a sent event, or of any while there is none."""

    sent_at: datetime
    sets: Mapping[Kind, int]

    @classmethod
    def of(cls, row: asyncpg.Record) -> "Campaign":
        return cls(row["sent_at"], {kind: row[f"{kind}_set"] for kind in Kind if row[f"{kind}_set"] is not None})


#: Events with the numbers of their contacts: of campaigns, and all.
Known = Sequence[tuple[Event, int]]
Named = Sequence[tuple[Event | ListEvent, int]]


async def reserve_sets(tx: Transaction, events: Iterable[Event | ListEvent]) -> int:
    """Makes sure of numbers in a row for the sets that these events need and that do not exist yet; answers the first.

    In a transaction of its own, which keeps the account's row locked for a moment only.
    """
    told = {(event.campaign_id, event.kind) for event in events if isinstance(event, Event)}
    campaigns = await _campaigns(tx, {campaign_id for campaign_id, _ in told})
    new = sum(campaign_id not in campaigns or kind not in campaigns[campaign_id].sets for campaign_id, kind in told)
    return int(await tx.value("reserve_set_numbers", count=new)) if new else 0


async def write(tx: Transaction, sequence: int, events: Sequence[Event | ListEvent], first_set_no: int) -> Written:
    """Records the events for an activity. New sets take the numbers from `first_set_no` on.

    Takes locks in the order of engine/activities. Campaigns are nobody else's meanwhile (TRACKING is written).
    """
    named, unknown = await _resolved(tx, events)
    changing = {no for event, no in named if isinstance(event, Event) and event.kind in CHANGING}
    contacts = await consequences.lock(tx, changing)
    masks = await _masks(tx, named, "take_existence" if contacts else "share_existence")
    existing, deleted = _existing(named, masks)
    known = [(event, contact_no) for event, contact_no in existing if isinstance(event, Event)]
    marked, unlisted = await markings.write(tx, existing)
    set_nos = await _sets(tx, known, first_set_no)
    told = _gathered((set_nos[event.campaign_id, event.kind], contact_no) for event, contact_no in known)
    await tx.all("lock_sets", set_nos=sorted({*set_nos.values(), *(SYSTEM_SETS if contacts else ())}))
    on = _without(told, await _stored(tx, told))
    news = [(e, no) for e, no in known if _is_in(on, set_nos[e.campaign_id, e.kind], no)]
    changes = consequences.decide(contacts, news)
    await consequences.write(tx, sequence, changes)
    out, inactive = _of_set(UNSUBSCRIBED, changes.opted_out), _of_set(ACTIVE, changes.inactive)
    on |= _without(out, await _stored(tx, out))
    off = _within(inactive, masks)
    changed = await membership.write_exactly(tx, sequence, {**told, **out, **inactive}, on, off)
    return Written(changed + marked, (*unknown, *deleted, *unlisted))


async def _resolved(tx: Transaction, events: Sequence[Event | ListEvent]) -> tuple[Named, list[RowError]]:
    """The events whose contacts there are or were, and errors for the others."""
    named = {event.contact for event in events}
    ids = [contact for contact in named if isinstance(contact, UUID)]
    keys = [contact for contact in named if isinstance(contact, str)]
    rows = await tx.all("told_by_id", contact_ids=ids) if ids else []
    rows += await tx.all("told_by_email", email_keys=keys) if keys else []
    numbers = {contact: contact_no for contact, contact_no in rows}  # noqa: C416 (records are no pairs to mypy)
    known = [(event, numbers[event.contact]) for event in events if event.contact in numbers]
    unknown = [event for event in events if event.contact not in numbers]
    return known, [_error(event, "contact_not_found", "there is no such contact") for event in unknown]


async def _masks(tx: Transaction, known: Named, locking: str) -> Bits:
    """The chunks that tell which of the contacts exist, and which are active if that may change, now locked."""
    chunks = sorted({chunk_of(contact_no) for _, contact_no in known})
    return _by_place(await tx.all(locking, chunks=chunks) if chunks else ())


def _existing(known: Named, masks: Bits) -> tuple[Named, list[RowError]]:
    """The events of contacts that exist, and errors for those of deleted ones."""
    existing = [(event, contact_no) for event, contact_no in known if _is_in(masks, EXISTS, contact_no)]
    deleted = [event for event, contact_no in known if not _is_in(masks, EXISTS, contact_no)]
    return existing, [_error(event, "contact_deleted", "the contact was deleted") for event in deleted]


async def _campaigns(tx: Transaction, campaign_ids: Iterable[UUID]) -> dict[UUID, Campaign]:
    rows = await tx.all("campaigns_told_of", campaign_ids=list(campaign_ids))
    return {row["campaign_id"]: Campaign.of(row) for row in rows}


async def _sets(tx: Transaction, known: Known, first_set_no: int) -> Mapping[tuple[UUID, Kind], int]:
    """The numbers of the sets that the events belong into, made where there were none; campaigns are written."""
    by_campaign: defaultdict[UUID, list[Event]] = defaultdict(list)
    for event, _ in known:
        by_campaign[event.campaign_id].append(event)
    before = await _campaigns(tx, by_campaign)
    names: list[str] = []
    after: dict[UUID, Campaign] = {}
    for campaign_id, events in by_campaign.items():
        sets = dict(before[campaign_id].sets) if campaign_id in before else {}
        for kind in sorted({event.kind for event in events} - set(sets)):
            sets[kind] = first_set_no + len(names)
            names.append(f"{kind} {campaign_id}")
        after[campaign_id] = Campaign(_sent_at(before.get(campaign_id), events), sets)
    await tx.run("create_tracking_sets", set_nos=[first_set_no + place for place in range(len(names))], names=names)
    await _write_campaigns(tx, {i: campaign for i, campaign in after.items() if campaign != before.get(i)})
    return {(i, kind): set_no for i, campaign in after.items() for kind, set_no in campaign.sets.items()}


def _sent_at(before: Campaign | None, events: Sequence[Event]) -> datetime:
    """The earliest time of a sent event, of any event while there is none."""
    was_sent = before is not None and Kind.SENT in before.sets
    sent = [event.time for event in events if event.kind is Kind.SENT]
    times = sent if sent or was_sent else [event.time for event in events]
    if before is not None and (was_sent or not sent):
        times = [before.sent_at, *times]
    return min(times)


async def _write_campaigns(tx: Transaction, campaigns: Mapping[UUID, Campaign]) -> None:
    if campaigns:
        sets = {kind.value: [campaign.sets.get(kind) for campaign in campaigns.values()] for kind in Kind}
        sent_at = [campaign.sent_at for campaign in campaigns.values()]
        await tx.run("write_campaigns", campaign_ids=list(campaigns), sent_at=sent_at, **sets)


async def _stored(tx: Transaction, places: Bits) -> Bits:
    """What is stored at the places of these bits."""
    if not places:
        return {}
    set_nos, chunks = zip(*places, strict=True)
    return _by_place(await tx.all("chunks_of_sets", set_nos=set_nos, chunks=chunks))


def _by_place(rows: Iterable[asyncpg.Record]) -> Bits:
    return {(row["set_no"], row["chunk"]): row["bits"] for row in rows}


def _gathered(members: Iterable[tuple[int, int]]) -> Bits:
    """The bits of sets that are told member by member."""
    by_set: defaultdict[int, list[int]] = defaultdict(list)
    for set_no, contact_no in members:
        by_set[set_no].append(contact_no)
    return {place: bits for set_no, numbers in by_set.items() for place, bits in _of_set(set_no, numbers).items()}


def _of_set(set_no: int, contact_nos: Iterable[int]) -> dict[tuple[int, int], BitString]:
    return {(set_no, chunk): bits for chunk, bits in bits_of(contact_nos).items()}


def _is_in(bits: Bits, set_no: int, contact_no: int) -> bool:
    found = bits.get((set_no, chunk_of(contact_no)))
    return found is not None and is_member(contact_no, found)


def _without(bits: Bits, stored: Bits) -> dict[tuple[int, int], BitString]:
    """The bits that are not stored yet, where there are any."""
    zero = of_integer(0)
    rest = {place: as_integer(each) & ~as_integer(stored.get(place, zero)) for place, each in bits.items()}
    return {place: of_integer(each) for place, each in rest.items() if each}


def _within(bits: Bits, stored: Bits) -> dict[tuple[int, int], BitString]:
    """The bits that are stored, where there are any."""
    rest = {place: as_integer(each) & as_integer(stored[place]) for place, each in bits.items() if place in stored}
    return {place: of_integer(each) for place, each in rest.items() if each}


def _error(event: Event | ListEvent, code: str, text: str) -> RowError:
    return row_error(event.row, str(event.contact), code, text)
