"""Writing single contacts, several of an account in one transaction.

A write says whom it means and what it makes of that contact, as a value (engine/contacts/record.py); here is how that
comes into the tables: rows, memberships with their effects, and an activity of its own for each, at the end of the
account's order. One that cannot be done is refused on its own.

All that may have to be waited for is locked before the account's row is, in the order of engine/activities; what is
written after that waits for nobody.
"""

from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime
from typing import Any, NamedTuple
from uuid import UUID

import asyncpg

from engine import fields, hooks
from engine.activities import order, schedule
from engine.activities.model import Activity, json_text
from engine.contacts import record
from engine.contacts.decisions import Addresses, ContactWrite, Found, Holder, Names, Outcome, Written
from engine.contacts.record import Row
from engine.database import Transaction
from engine.emails import email_key
from engine.errors import Busy, Invalid, MusterError, UnknownTarget, WrittenMeanwhile
from engine.principals import Principal
from engine.sets import catalog, membership, naming, reading, revival
from engine.sets.catalog import SetKind
from engine.sets.chunks import LARGEST_NUMBER, chunk_of
from engine.sets.reading import MemberOf
from engine.sets.system import FIELDS


@dataclass(slots=True)
class _Step:
    """A write on its way through the transaction."""

    write: ContactWrite
    principal_id: UUID
    names: Names = field(default_factory=Names)
    before: Row = field(default_factory=dict)
    claimed: bool = False
    outcome: Outcome | None = None
    refusal: MusterError | None = None

    @property
    def contact_no(self) -> int:
        assert self.outcome is not None
        return int(self.outcome.row["contact_no"])

    @property
    def turned(self) -> tuple[frozenset[int], frozenset[int]]:
        """The sets to turn on and off for the contact, system sets too."""
        assert self.outcome is not None
        before = record.system_sets(self.before) if self.before else frozenset[int]()
        after = record.system_sets(self.outcome.row)
        return self.outcome.joins | (after - before), self.outcome.leaves | (before - after)

    def turns(self) -> Iterator[tuple[int, bool]]:
        """Each set to be turned, and whether on."""
        on, off = self.turned
        yield from ((set_no, True) for set_no in on)
        yield from ((set_no, False) for set_no in off)

    def insist_on_turn(self, ahead: frozenset[int]) -> None:
        """Raises Busy when it turns lists or tags that earlier activities, which come first, read or write."""
        if not ahead.isdisjoint(set_no for set_no, _ in self.turns() if set_no > 0):
            raise Busy("earlier activities on these lists or tags have not ended; try again in a moment")

    def claim(self, addresses: Addresses) -> Iterator[Row]:
        """Its stored contact under the address that it is to get, if it may."""
        for key in map(email_key, self.write.emails if self.refusal is None else ()):
            ordinal = self.write.ordinal(key, addresses)
            if ordinal is not None and key != self.before["email_key"]:
                self.claimed = True
                yield self.before | {"email_key": key, "email_ordinal": ordinal}

    def join_made(self, made: Mapping[int, int]) -> None:
        """Has the contact join sets by their numbers, now that they are made, instead of what has stood for these."""
        assert self.outcome is not None
        joins = frozenset(made.get(set_no, set_no) for set_no in self.outcome.joins)
        self.outcome = replace(self.outcome, joins=joins)

    def decide(self, found: Found, ahead: frozenset[int]) -> None:
        """What becomes of the contact, or why nothing does."""
        try:
            self.outcome = self.write.decide(found)
            self.insist_on_turn(ahead)
        except MusterError as error:
            self.outcome, self.refusal = None, error


class Batch(NamedTuple):
    """What came of the writes of a batch, and how many memberships of named sets they have changed."""

    results: Sequence[Written | MusterError]
    changed: int


class _Locked(NamedTuple):
    """What the writes have locked and when, and the account's last sequence and unfinished activities before that.

    masked: whether the mask is locked, too; else an address may be new, and `write_addresses` locks it.
    """

    at: datetime
    last_sequence: int
    unfinished: int
    masked: bool
    contacts: Sequence[Row]

    def by_id(self) -> dict[object, Row]:
        """By public id and by number."""
        return {row[name]: row for row in self.contacts for name in ("contact_id", "contact_no")}

    def by_email(self) -> dict[str, Row]:
        """By key, those whose address it is in dialects that know no twins."""
        return {row["email_key"]: row for row in self.contacts if row["email_key"] and not row["email_ordinal"]}

    def holders(self) -> dict[str, Holder]:
        return {email: Holder(row["contact_no"], row["contact_id"]) for email, row in self.by_email().items()}

    def deleted(self) -> list[int]:
        return [row["contact_no"] for row in self.contacts if row["deleted_at"] is not None]

    def chunks(self) -> list[int]:
        return sorted({chunk_of(row["contact_no"]) for row in self.contacts})


class _Situation(NamedTuple):
    """What all writes of a transaction have before them."""

    account_id: int
    at: datetime
    addresses: Addresses
    ahead: frozenset[int]

    def put_to(
        self, step: _Step, number: int, sets: Sequence[MemberOf] = (), tags_before: frozenset[int] = frozenset()
    ) -> None:
        """Has a write decide on the contact with this number."""
        found = Found(self.account_id, self.at, step.names, number, step.before, sets, tags_before, self.addresses)
        step.decide(found, self.ahead)


async def write(
    tx: Transaction, asked: Sequence[tuple[Principal, ContactWrite]], first_contact_no: int
) -> list[Written | MusterError]:
    """Does the writes; what came of each. Of several to one contact the first that can be done is.

    first_contact_no: the first of as many reserved numbers as there are writes; those made take the first of them.
    Raises Busy when activities came in between that must come first.
    """
    steps = [_Step(each, principal.principal_id) for principal, each in asked]
    locked = await _find(tx, steps)
    ahead = await _ahead(tx) if locked.unfinished else frozenset[int]()
    _put_off(steps)
    await _decide(tx, steps, locked, ahead, first_contact_no)
    if done := [step for step in steps if step.outcome]:
        await _record(tx, done, locked.last_sequence)
    return [_told(step) for step in steps]


async def write_within(
    tx: Transaction, activity: Activity, writes: Sequence[ContactWrite], first_contact_no: int
) -> Batch:
    """Does the first of the writes as the current batch of a batched activity, whose record is theirs, too.

    What came of each of them: at least one, if there are any, and all before the first that means a contact, or an
    address, which an earlier one may change; the rest is for the next batch. The activity's order is the caller's
    business, and so is the contact numbers', as with `write`.
    """
    while writes:
        try:
            async with tx.savepoint():
                return await _write_within(tx, activity, writes, first_contact_no)
        except asyncpg.UniqueViolationError as error:
            # A single contact's write was faster with an address.
            if error.constraint_name != "contact_by_email":
                raise
    return Batch((), 0)


async def _write_within(
    tx: Transaction, activity: Activity, writes: Sequence[ContactWrite], first_contact_no: int
) -> Batch:
    asked = [_Step(each, activity.principal_id) for each in writes]
    locked = await _find(tx, asked)
    steps = asked[: _count_apart(asked)]
    await _decide(tx, steps, locked, frozenset(), first_contact_no)
    done = [step for step in steps if step.outcome]
    changed = await _keep(tx, activity, done) if done else 0
    return Batch([_told(step) for step in steps], changed)


def _count_apart(steps: Sequence[_Step]) -> int:
    """How many of the first mean contacts of their own, and addresses that no earlier one may give up."""
    meant, given_up = set[object](), set[object]()
    for place, step in enumerate(steps):
        means = {step.before.get("contact_no"), *step.write.keys} - {None}
        if not meant.isdisjoint(means) or not given_up.isdisjoint(map(email_key, step.write.emails)):
            return place
        meant |= means
        given_up.add(step.before.get("email_key"))
    return len(steps)


async def _find(tx: Transaction, steps: Sequence[_Step]) -> _Locked:
    """What the writes name and mean; their contacts are locked."""
    await _name(tx, steps)
    locked = await _lock(tx, steps)
    by_id, by_email = locked.by_id(), locked.by_email()
    for step in steps:
        step.before = _meant(step.write, by_id, by_email)
    return locked


async def _decide(
    tx: Transaction, steps: Sequence[_Step], locked: _Locked, ahead: frozenset[int], first_contact_no: int
) -> None:
    """Has the writes say what becomes of their contacts, and stores that. ahead: sets that none of them may turn."""
    addresses = await _addresses(tx, steps, locked)
    situation = _Situation(tx.account_id, locked.at, addresses, ahead)
    new, known = [step for step in steps if not step.before], [step for step in steps if step.before]
    made = _make(situation, new, first_contact_no)
    if not locked.masked:
        await _write_addresses(tx, made, known, locked, addresses)
    await _change(tx, situation, known, locked.deleted())


def _put_off(steps: Iterable[_Step]) -> None:
    """Refuses writes to addresses that earlier ones may give up: the next transaction sees whose they are."""
    given_up = set[str]()
    for step in steps:
        if step.write.knows_twins and not given_up.isdisjoint(map(email_key, step.write.emails)):
            step.refusal = step.refusal or WrittenMeanwhile("another request is writing whoever has this address")
        if step.before and step.before["email_key"] not in set(map(email_key, step.write.emails)):
            given_up.add(step.before["email_key"])


def _told(step: _Step) -> Written | MusterError:
    if step.outcome is None:
        assert step.refusal is not None
        return step.refusal
    row = step.outcome.row
    return Written(row["contact_id"], row["contact_no"], not step.before, row["updated_at"], row != step.before)


async def _name(tx: Transaction, steps: Sequence[_Step]) -> None:
    """Finds the numbers of what the writes name, and what the numbers in them are."""
    known = await fields.by_id(tx) if any(step.write.field_ids for step in steps) else {}
    numbered = await fields.all_scopes(tx) if any(step.write.knows_fields for step in steps) else ()
    set_nos = frozenset().union(*(step.write.set_nos for step in steps))
    kinds = await catalog.kinds_of(tx, set_nos) if set_nos else {}
    writes = [step.write for step in steps]
    needed = [each for write in writes for each in write.needed_sets]
    named = await naming.numbers(tx, needed, [each for write in writes for each in write.named_sets])
    kinds |= {set_no: kind for (kind, _), set_no in named.items()}
    for step in steps:
        write = step.write
        try:
            catalog.insist_on_kinds(kinds, write.set_nos)
            step.names = Names(
                await catalog.numbered(tx, SetKind.LIST, write.list_ids),
                await catalog.numbered(tx, SetKind.TAG, write.tag_ids),
                {field_id: known[field_id] for field_id in write.field_ids},
                kinds,
                {each.field_no: each for each in numbered},
                named,
            )
        except KeyError as unknown:
            step.refusal = Invalid(f"custom_field_id does not have a valid value: there is no field {unknown.args[0]}")
        except UnknownTarget as error:
            step.refusal = write.unknown_set(error.message)


async def _lock(tx: Transaction, steps: Sequence[_Step]) -> _Locked:
    """Locks the contacts that the writes mean or name by an address, and their mask if none can be a new one."""
    writes = [step.write for step in steps if step.refusal is None]
    rows = await tx.all(
        "lock_contacts",
        contact_ids=[write.contact_id for write in writes if write.contact_id],
        contact_nos=[write.contact_no for write in writes if 0 < (write.contact_no or 0) <= LARGEST_NUMBER],
        email_keys=sorted({email_key(email) for write in writes for email in write.emails}),
        making=any(write.is_of_new for write in writes),
    )
    beside = rows[0]
    contacts = [record.of(row) for row in rows if row["contact_no"] is not None]
    return _Locked(beside["locked_at"], beside["last_sequence"], beside["unfinished"], beside["masked"], contacts)


async def _addresses(tx: Transaction, steps: Iterable[_Step], locked: _Locked) -> Addresses:
    """Whose the addresses are. Who has the first ordinal of one is locked: for that all wait who take a further one."""
    knowing = [step.write for step in steps if step.refusal is None and step.write.knows_twins]
    names = {email_key(email): write.only_name or (None, None) for write in knowing for email in write.emails}
    if not names:
        return Addresses(locked.holders())
    rows = await tx.all(
        "holders_of_emails",
        email_keys=sorted(names),
        first_names=[names[key][0] for key in sorted(names)],
        last_names=[names[key][1] for key in sorted(names)],
    )
    return Addresses(
        locked.holders(),
        {row["email_key"]: Holder(row["contact_no"], row["contact_id"]) for row in rows if row["contact_no"]},
        {row["email_key"]: row["namesake_no"] for row in rows if row["namesake_no"]},
        {row["email_key"]: row["last_ordinal"] for row in rows},
    )


async def _ahead(tx: Transaction) -> frozenset[int]:
    """The sets that unfinished activities read and write, but for batched work and what waits for it."""
    earlier = schedule.soon_done(await order.unfinished(tx))
    return frozenset().union(*(activity.reads | activity.writes for activity in earlier))


def _meant(write: ContactWrite, by_id: Mapping[object, Row], by_email: Mapping[str, Row]) -> Row:
    """The contact of a write; none when it is a new one."""
    if write.contact_id is not None or write.contact_no is not None:
        return by_id.get(write.contact_id or write.contact_no, {})
    return by_email.get(email_key(write.holder_of), {}) if write.holder_of else {}


def _make(situation: _Situation, steps: Iterable[_Step], first_contact_no: int) -> list[Row]:
    """The new contacts that writes make."""
    rows = list[Row]()
    for step in steps:
        if step.refusal is None:
            situation.put_to(step, first_contact_no + len(rows))
        if step.outcome is not None:
            rows.append(step.outcome.row)
    return rows


async def _write_addresses(
    tx: Transaction, made: Iterable[Row], known: Iterable[_Step], locked: _Locked, addresses: Addresses
) -> None:
    """Stores new contacts, and stored ones under the address that they are to get; ascending. Then locks the mask."""
    claims = {row["contact_no"]: row for step in known for row in step.claim(addresses)}
    rows = sorted([*made, *claims.values()], key=lambda row: row.get("email_key") or "")
    await tx.run("write_addresses", rows=json_text(rows), chunks=locked.chunks())


async def _change(tx: Transaction, situation: _Situation, steps: Sequence[_Step], deleted: Sequence[int]) -> None:
    """Has writes say what becomes of stored contacts, each of one, and stores that; of one refused, what was stored."""
    sets, tags_before = await _sets(tx, steps), await revival.tags_before(tx, deleted)
    rows = dict[int, Row]()
    for step in steps:
        number = step.before["contact_no"]
        if number in rows:
            step.refusal = WrittenMeanwhile("another request is writing this contact at this moment; try again")
        if step.refusal is None:
            situation.put_to(step, number, sets.get(number, ()), tags_before.get(number, frozenset()))
        if step.outcome is not None:
            rows[number] = step.outcome.row
    if rows := {step.before["contact_no"]: step.before for step in steps if step.claimed} | rows:
        await tx.run("update_contacts", rows=json_text(list(rows.values())), contact_nos=list(rows))


async def _sets(tx: Transaction, steps: Iterable[_Step]) -> Mapping[int, Sequence[MemberOf]]:
    """The sets that contacts are in, by number, for the writes that ask for them."""
    asked = [(step, frozenset(step.write.asks(step.names))) for step in steps if step.refusal is None]
    asking = [(step.before["contact_no"], kinds) for step, kinds in asked if kinds]
    if not asking:
        return {}
    kinds = sorted(frozenset().union(*(kinds for _, kinds in asking)))
    return await reading.sets_of(tx, [contact_no for contact_no, _ in asking], kinds)


async def _record(tx: Transaction, steps: Sequence[_Step], last_sequence: int) -> None:
    """Enters the writes into the account's order, and turns their sets with effects.

    last_sequence: the account's when it was looked at what must come first.
    """
    await _lock_and_make_sets(tx, steps)
    turned = [(nth, step, set_no, on) for nth, step in enumerate(steps, 1) for set_no, on in step.turns()]
    entered = await tx.one(
        "enter_writes",
        count=len(steps),
        nths=[nth for nth, _, _, _ in turned],
        set_nos=[set_no for _, _, set_no, _ in turned],
        contact_nos=[step.contact_no for _, step, _, _ in turned],
        turned_on=[on for _, _, _, on in turned],
        images=json_text([{"nth": nth, "image": step.before} for nth, step in enumerate(steps, 1) if step.before]),
        entries=json_text([_entry(nth, step) for nth, step in enumerate(steps, 1)]),
    )
    assert entered is not None
    if entered["unfinished"] and entered["last_sequence"] != last_sequence:
        ahead = await _ahead(tx)
        for step in steps:
            step.insist_on_turn(ahead)
    if entered["removing"]:
        await membership.take_off(tx, entered["removing"], 0)
    await _call(tx, steps)


async def _keep(tx: Transaction, activity: Activity, steps: Sequence[_Step]) -> int:
    """Records the writes with the batch of their activity, and turns their sets with its effects; how many memberships
    of named sets.
    """
    await _lock_and_make_sets(tx, steps)
    turned = [(step.contact_no, set_no, on) for step in steps for set_no, on in step.turns()]
    scope = {"sequence": activity.sequence, "batch": activity.batch}
    changed = await tx.value(
        "keep_writes",
        **scope,
        written=[step.contact_no for step in steps],
        contact_nos=[contact_no for contact_no, _, _ in turned],
        set_nos=[set_no for _, set_no, _ in turned],
        turned_on=[on for _, _, on in turned],
        images=json_text([step.before for step in steps if step.before]),
    )
    await membership.turn(tx, activity.sequence, activity.batch)
    await _call(tx, steps)
    return int(changed)


async def _lock_and_make_sets(tx: Transaction, steps: Sequence[_Step]) -> None:
    """Locks the sets that the writes, one at least, turn, ascending; then makes those that they need and that are not
    there, for which the account's row is locked.
    """
    await catalog.lock(tx, {set_no for step in steps for set_no, _ in step.turns() if naming.is_there(set_no)})
    most = {kind: most for step in steps for kind, most in step.write.most_sets.items()}
    needed = [each for step in steps for each in step.write.needed_sets]
    # What is named by one is known to all.
    made = await naming.make(tx, needed, steps[0].names.named, most)
    for step in steps:
        step.join_made(made)


async def _call(tx: Transaction, steps: Iterable[_Step]) -> None:
    for hook_no, contact_nos in _calls(steps).items():
        await hooks.enter(tx, hook_no, contact_nos)


def _calls(steps: Iterable[_Step]) -> Mapping[int, list[int]]:
    """The contacts for which each hook is to be called."""
    calls = defaultdict[int, list[int]](list)
    for step in steps:
        for hook_no in (*step.write.calls, *(() if step.before else step.write.calls_on_create)):
            calls[hook_no].append(step.contact_no)
    return calls


def _entry(nth: int, step: _Step) -> Mapping[str, Any]:
    """The write's activity, as `enter_writes` reads it."""
    on, off = map(sorted, step.turned)
    return {
        "nth": nth,
        "record_id": step.write.record_id,
        "kind": step.write.kind,
        "principal_id": step.principal_id,
        "request": {"contact_no": step.contact_no, "on": on, "off": off},
        "writes": sorted({*on, *off, FIELDS}),
    }
