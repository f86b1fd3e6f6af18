"""Writing a batch of import rows: contacts by e-mail, then their memberships, all set by set in one transaction.

The rows of a batch never hold an e-mail twice (engine/imports/rows.py). Numbers for new contacts are reserved before
the transaction begins, so that the account's row is not locked while it runs.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import asyncpg

from engine.database import Transaction
from engine.errors import ItemError
from engine.imports.rows import EMAIL_KEY, STAGING_COLUMNS, StagedRow
from engine.sets import membership
from engine.sets.membership import Change, Mask
from engine.sets.system import ACTIVE, EXISTS, UNSUBSCRIBED


@dataclass(frozen=True, slots=True)
class Written:
    """What writing a batch did.

    created: contacts made, which took as many of the reserved numbers; contacts: all contacts of the batch;
    unsubscribed: those of them that were not put on the lists; changed: memberships of lists turned on.
    """

    created: int
    contacts: int
    unsubscribed: int
    changed: int
    errors: tuple[ItemError, ...]


async def write(
    tx: Transaction,
    sequence: int,
    batch: int,
    rows: Sequence[StagedRow],
    first_contact_no: int,
    set_nos: tuple[int, ...],
) -> Written:
    """Creates and changes the contacts of the rows and puts them on the sets.

    Takes locks in the order of engine/activities. `batch` counts the activity's batches; each writes two effects, first
    that contacts exist and are active, then their memberships.
    """
    scope = {"sequence": sequence}
    await tx.run("plan_anew")
    known = await _known(tx, rows)
    created = len(rows) - len(known)
    numbers = {"first_contact_no": first_contact_no, "last_contact_no": first_contact_no + created - 1}
    await _stage(tx, sequence, rows, known)
    full = await tx.all("full_phones", **scope)
    if known:
        await _update(tx, scope)
    await tx.run("insert_imported", **scope, first_contact_no=first_contact_no)
    await tx.run("lock_masks_exclusively", **scope, **numbers)
    await tx.run("freeze_import_rows", **scope, **numbers, batch=2 * batch, only_created=True)
    exist = Change(sequence, (), on=(EXISTS, ACTIVE), off=(UNSUBSCRIBED,))
    await membership.apply(tx, [exist], 2 * batch)
    await tx.run("freeze_import_rows", **scope, **numbers, batch=2 * batch + 1, only_created=False)
    join = Change(sequence, (), on=set_nos, mask=Mask.DELETED_AND_UNSUBSCRIBED)
    joined = (await membership.apply(tx, [join], 2 * batch + 1))[sequence]
    await tx.run("clear_import_rows", **scope)
    return Written(created, len(rows), joined.skipped, joined.changed, (*map(_no_room, full), *joined.errors))


async def _known(tx: Transaction, rows: Sequence[StagedRow]) -> dict[str, asyncpg.Record]:
    """The contacts that the rows speak of, by e-mail, now locked."""
    found = await tx.all("lock_imported_contacts", email_keys=[row[EMAIL_KEY] for row in rows])
    return {contact["email_key"]: contact for contact in found}


async def _stage(
    tx: Transaction, sequence: int, rows: Sequence[StagedRow], known: Mapping[str, asyncpg.Record]
) -> None:
    def staged(row: StagedRow) -> tuple[object, ...]:
        contact = known.get(row[EMAIL_KEY])
        contact_no, revived = (contact["contact_no"], contact["deleted"]) if contact else (None, False)
        return (tx.account_id, sequence, contact_no, revived, *row)

    columns = ("account_id", "sequence", "contact_no", "revived", *STAGING_COLUMNS)
    await tx.copy("import_row", columns, map(staged, rows))


async def _update(tx: Transaction, scope: Mapping[str, int]) -> None:
    if await tx.run("note_changes", **scope):
        await tx.run("keep_contacts_before", **scope)
        await tx.run("update_imported", **scope)


def _no_room(row: asyncpg.Record) -> ItemError:
    message = f"row {row['line']}: a contact may have three phone numbers; one of a further kind was left out"
    return ItemError(row["email"], "too_many_phones", message)
