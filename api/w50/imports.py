"""Import jobs: made, filled with contacts, run as an activity, and how far they are (contract w50.md 8)."""

import asyncio
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from types import MappingProxyType

from api.w50 import calling, contacts, schema, submitted
from api.w50.calling import Call
from api.w50.documents import Contact, Item, Listing
from api.w50.refusals import insist_on_none
from api.w50.schema import Schema
from api.w50.submitted import Submitted
from api.w50.values import Scalar
from engine.activities import reading
from engine.activities.model import Activity, State
from engine.contacts import field_values
from engine.database import Transaction
from engine.errors import Invalid, NotFound
from engine.fields import Field
from engine.imports import staged
from engine.imports.staged import StagedContact, StagedImport
from engine.operations import staged_import
from engine.operations.staged_import import DROPPED, INSERTED, UNCHANGED, UPDATED, SaveStaged

#: Contacts that may be added at once, and bytes of the request to create a job and of one that adds (contract 10).
MOST_CONTACTS = 10_000
JOB_BYTES, CONTACTS_BYTES = 2**20, 32 * 2**20
#: Names of a contact that were not announced and are told one by one: of all that a request holds 170 MB are told.
MOST_UNANNOUNCED = 10

STATUSES: Mapping[State, str] = MappingProxyType(
    {State.INITIALIZED: "Queued", State.PROCESSING: "Running", State.COMPLETED: "Complete"}
)


@dataclass(frozen=True, slots=True)
class _Checked:
    """A contact that is added: what is staged of it, its values as they are shown, and what is said about it."""

    said: Submitted
    contact: StagedContact
    values: Mapping[str, Scalar]
    warnings: tuple[str, ...]
    invalid: tuple[str, ...]


async def create(call: Call) -> Item:
    """POST contactLists/{contactListId}/import: the fields that contacts may have values of."""
    names = submitted.field_names(*await call.body(JOB_BYTES))
    async with call.db.account(call.account_id) as tx:
        announced = (await schema.read(tx, call.list_of_path)).named(names)
        made = await staged.create(tx, call.list_of_path.set_no, [field.field_no for field in announced])
    return _shown(made, None)


async def add(call: Call) -> Listing:
    """POST contactLists/{contactListId}/import/{importJobId}: up to 10,000 contacts."""
    async with call.db.account(call.account_id) as tx:
        job, of_list = await _job(tx, call), await schema.read(tx, call.list_of_path)
    said = await asyncio.to_thread(submitted.contacts, *await call.body(CONTACTS_BYTES), MOST_CONTACTS)
    async with call.db.account(call.account_id) as tx:
        known = await contacts.known(tx, call, [each.enc_id for each in said if each.enc_id is not None])
    checked = await asyncio.to_thread(_all_checked, of_list, job, said, known)
    invalid = Counter(kind for each in checked for kind in each.invalid)
    async with call.db.account(call.account_id) as tx:
        await staged.add(
            tx,
            job.import_no,
            [each.contact for each in checked],
            invalid_emails=invalid["email"],
            invalid_mobiles=invalid["mobile"],
        )
    list_no = call.list_of_path.set_no
    return Listing(
        "Contact",
        [
            Contact(each.said.enc_id, each.contact.contact_no or 0, list_no, each.values, each.warnings)
            for each in checked
        ],
    )


async def run(call: Call) -> Item:
    """POST contactLists/{contactListId}/import/{importJobId}/run: an activity from now on."""
    async with call.db.account(call.account_id) as tx:
        job, of_list = await _job(tx, call), await schema.read(tx, call.list_of_path)
        match = of_list.named(call.listed("match"))
        insist_on_none(
            [f"Field '{each.label}' was not announced." for each in match if each.field_no not in job.field_nos]
        )
        calls = await schema.events(tx, call)
    request = SaveStaged(job.import_no, tuple(each.field_no for each in match), calls)
    call.services.announce(await staged_import.begin(call.db, call.services.settings, call.principal, request))
    return await state(call)


async def state(call: Call) -> Item:
    """GET contactLists/{contactListId}/import/{importJobId}."""
    async with call.db.account(call.account_id) as tx:
        job = await _job(tx, call)
    if job.activity_id is None:
        return _shown(job, None)
    activity = await reading.find(call.db, call.services.settings, call.account_id, job.activity_id)
    return _shown(job, activity)


async def _job(tx: Transaction, call: Call) -> StagedImport:
    """The job of the path. Raises NotFound, also for one of another list."""
    found = await staged.find(tx, calling.number(call.names["job"], "importJobId"))
    if found.set_no != call.list_of_path.set_no:
        raise NotFound(f"Contact list {call.list_of_path.set_no} has no import job {found.import_no}.")
    return found


def _all_checked(
    of_list: Schema, job: StagedImport, said: Sequence[Submitted], known: Mapping[str, int]
) -> list[_Checked]:
    return [_checked(of_list, job, each, known) for each in said]


def _checked(of_list: Schema, job: StagedImport, said: Submitted, known: Mapping[str, int]) -> _Checked:
    """What can be imported of a contact; the rest is warned about and left out."""
    values, warnings, invalid, unannounced = dict[Field, str | None](), list[str](), list[str](), list[str]()
    if not said.values:
        warnings.append("Values has no value of a field.")
    for name, value in said.values.items():
        field = of_list.find(name)
        if field is None or field.field_no not in job.field_nos:
            unannounced.append(name)
            continue
        try:
            values[field] = schema.fitting(field, value)
        except Invalid as error:
            warnings.append(error.message)
            invalid.append(field_values.type_of(field))
    warnings += _left_out(unannounced)
    contact_no = None if said.enc_id is None else known.get(said.enc_id, 0)
    if contact_no == 0:
        warnings.append(f"EncContactId is not of a contact of contact list {of_list.contact_list.set_no}.")
    contact = StagedContact({field.field_no: value for field, value in values.items()}, contact_no)
    shown = {field.label: value for field, value in values.items()}
    return _Checked(said, contact, shown, tuple(warnings), tuple(invalid))


def _left_out(names: Sequence[str]) -> Iterator[str]:
    for name in names[:MOST_UNANNOUNCED]:
        yield f"Field '{name[:100]}' was not announced, and is left out."
    if len(names) > MOST_UNANNOUNCED:
        more = len(names) - MOST_UNANNOUNCED
        yield f"{more} more fields were not announced, and are left out."


def _shown(job: StagedImport, activity: Activity | None) -> Item:
    counts = activity.counts if activity else {}
    return Item(
        "ImportJob",
        {
            "Id": job.import_no,
            "ContactListId": job.set_no,
            "InvalidEmailCount": job.invalid_emails,
            "InvalidSmsCount": job.invalid_mobiles,
            "ProgressPercent": activity.percent_done if activity and activity.started_at else 0,
            "CurrentStatus": STATUSES.get(activity.state, "Failed") if activity else "Created",
            "StartDate": _time(activity.started_at if activity else None),
            "FinishDate": _time(activity.completed_at if activity else None),
            "InsertedContacts": counts.get(INSERTED, 0),
            "UpdatedContacts": counts.get(UPDATED, 0),
            "DroppedContacts": counts.get(DROPPED, 0),
            "NotUpdatedContacts": counts.get(UNCHANGED, 0),
            "TotalContacts": job.contacts,
        },
    )


def _time(moment: datetime | None) -> str | None:
    """As 2026-01-15T10:00:00Z."""
    return None if moment is None else f"{moment.astimezone(UTC):%Y-%m-%dT%H:%M:%SZ}"
