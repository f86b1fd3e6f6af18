"""Writing a batch of import rows: contacts by e-mail, then their memberships, all set by set in one transaction.

The rows of a batch never hold an e-mail twice (engine/imports/rows.py). Numbers for new contacts are reserved before
the transaction begins, so that the account's row is not locked while it runs.
"""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass

import asyncpg

from engine.activities.model import Activity
from engine.database import Transaction
from engine.errors import ItemError
from engine.imports.rows import EMAIL, EMAIL_KEY, LINE, STAGING_COLUMNS, Batch, StagedRow
from engine.sets import membership, revival
from engine.sets.membership import Change
from engine.sets.system import ACTIVE, EXISTS, UNSUBSCRIBED

#: The number of nobody's contact, and that it is neither revived nor unsubscribed.
UNKNOWN = (None, False, False)
#: The code of the error, by what a contact has no room for.
NO_ROOM = {"phone numbers": "too_many_phones", "street addresses": "too_many_addresses"}
#: Effects that a batch of an import has: that contacts exist, the tags of the revived, the lists.
EFFECTS = 3
#: The batch under which an import keeps all contacts of its batches as one source.
EVERYONE = -1


@dataclass(frozen=True, slots=True)
class Written:
    """What writing a batch did.

    created: contacts made, which took as many of the reserved numbers; contacts: all contacts of the import so far;
    unsubscribed: file rows whose contact was not put on the lists; changed: memberships of lists turned on;
    row_errors: what became of rows, each with its line; errors: what is the matter with lists.
    """

    created: int
    contacts: int
    unsubscribed: int
    changed: int
    row_errors: list[tuple[int, ItemError]]
    errors: tuple[ItemError, ...]


async def write(tx: Transaction, activity: Activity, rows: Batch, first_contact_no: int) -> Written:
    """Creates and changes the contacts of the rows and puts them on the lists.

    Takes locks in the order of engine/activities. Each of the activity's batches writes EFFECTS, in which nobody can be
    deleted or unsubscribed in between: the contacts' rows are locked. When the write of a single contact was faster
    with an e-mail, all of this is undone, with its locks, and the batch looks again whom there is.
    """
    while True:
        try:
            async with tx.savepoint():
                return await _write(tx, activity, rows, first_contact_no)
        except asyncpg.UniqueViolationError as error:
            if error.constraint_name != "contact_by_email":
                raise


async def _write(tx: Transaction, activity: Activity, rows: Batch, first_contact_no: int) -> Written:
    request, sequence = activity.request, activity.sequence
    scope, set_nos = {"sequence": sequence}, tuple(request["lists"])
    await tx.run("plan_anew")
    known = await _known(tx, rows.rows)
    created = len(rows.rows) - len(known)
    numbers = {"first_contact_no": first_contact_no, "last_contact_no": first_contact_no + created - 1}
    await _stage(tx, sequence, rows.rows, known)
    full = await tx.all("full_contacts", **scope)
    consent = {"sms_explicit": request.get("sms_permission") == "explicit"}
    if known and await tx.run("note_changes", **scope, **consent):
        await tx.run("keep_contacts_before", **scope)
        await tx.run("update_imported", **scope, **consent)
    await tx.run("insert_imported", **scope, **consent, first_contact_no=first_contact_no)
    await tx.run("lock_masks_exclusively", **scope, **numbers)
    existing, tagged, joining = range(EFFECTS * activity.batch, EFFECTS * (activity.batch + 1))
    await tx.run("freeze_import_rows", **scope, **numbers, batch=existing, whom="created")
    await membership.apply(tx, [Change(sequence, (), on=(EXISTS, ACTIVE), off=(UNSUBSCRIBED,))], existing)
    if any(contact["deleted"] for contact in known.values()):
        await revival.give_tags_back(tx, sequence, source=existing, batch=tagged, also=set_nos)
    await tx.run("freeze_import_rows", **scope, **numbers, batch=joining, whom="joining")
    joined = (await membership.apply(tx, [Change(sequence, (), on=set_nos)], joining))[sequence]
    await tx.run("freeze_import_rows", **scope, **numbers, batch=EVERYONE, whom="everyone")
    await tx.run("clear_import_rows", **scope)
    contacts = await tx.value("count_source", **scope, batch=EVERYONE)
    unsubscribed = list(_unsubscribed(rows, known))
    row_errors = [*unsubscribed, *(_no_room(rows, row) for row in full)]
    return Written(created, contacts, len(unsubscribed), joined.changed, row_errors, joined.errors)


async def _known(tx: Transaction, rows: Sequence[StagedRow]) -> dict[str, asyncpg.Record]:
    """The contacts that the rows speak of, by e-mail, now locked."""
    found = await tx.all("lock_imported_contacts", email_keys=[row[EMAIL_KEY] for row in rows])
    return {contact["email_key"]: contact for contact in found}


async def _stage(
    tx: Transaction, sequence: int, rows: Sequence[StagedRow], known: Mapping[str, asyncpg.Record]
) -> None:
    def staged(row: StagedRow) -> tuple[object, ...]:
        contact = known.get(row[EMAIL_KEY])
        found = (contact["contact_no"], contact["deleted"], contact["unsubscribed"]) if contact else UNKNOWN
        return (tx.account_id, sequence, *found, *row)

    columns = ("account_id", "sequence", "contact_no", "revived", "unsubscribed", *STAGING_COLUMNS)
    await tx.copy("import_row", columns, map(staged, rows))


def _unsubscribed(rows: Batch, known: Mapping[str, asyncpg.Record]) -> Iterator[tuple[int, ItemError]]:
    """An error for each file row of a contact that has unsubscribed."""
    message = "the contact has unsubscribed, and was not put on the lists"
    for row in rows.rows:
        contact = known.get(row[EMAIL_KEY])
        if contact and contact["unsubscribed"]:
            for line in (*rows.merged_lines.get(row[EMAIL_KEY], ()), row[LINE]):
                yield line, ItemError(row[EMAIL], "contact_unsubscribed", f"{rows.noun} {line}: {message}")


def _no_room(rows: Batch, row: asyncpg.Record) -> tuple[int, ItemError]:
    line, what = row["line"], row["what"]
    message = f"{rows.noun} {line}: a contact may have three {what}; one of a further kind was left out"
    return line, ItemError(row["email"], NO_ROOM[what], message)
