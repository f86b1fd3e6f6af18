"""Adding contacts, and changing what is said of them (contract ivvy.md 9.1).

What cannot be done as it is said is answered so, with HTTP 200, and then nothing is saved.
"""

from collections.abc import Mapping
from datetime import UTC, datetime
from typing import Any

from api.answers import Json
from api.ivvy import contact_formats, contact_reading
from api.ivvy.calling import Action, Actions, Call
from api.ivvy.contact_formats import EXTERNAL_ID, EXTERNAL_URLS, PRIVACY_CONSENT, SMS_STATUS
from api.ivvy.custom_values import stored
from api.ivvy.refusals import NO_CONTACT, Refused
from api.ivvy.submitted import MOST_URLS, Submitted, Urls
from api.ivvy.times import timestamp
from engine.contacts.changes import UNSAID, Changes
from engine.contacts.decisions import Written
from engine.contacts.reading import Contact
from engine.contacts.record import PLAIN_PHONE, Permission
from engine.errors import EmailTaken, Invalid, MusterError, NotFound, UnknownField, UnknownTarget
from engine.operations.contact_save import SaveContact
from engine.principals import Privilege
from engine.sets.catalog import SetKind

#: The permission to mail that a status means.
PERMISSIONS: Mapping[int, Permission] = {1: "implicit", 2: "unsubscribed", 3: "temp_hold", 5: "not_set"}
#: Where consent comes from: here (contract ivvy.md 9.2).
BY_API = 5


async def add_or_update_contact(call: Call) -> Json:
    """Contract ivvy.md 9.1."""
    said = Submitted.of(call.params)
    try:
        contact_no = await _saved(call, said)
    except (Invalid, UnknownTarget, UnknownField, EmailTaken) as error:
        return {"success": False, "id": None, "message": error.message}
    except NotFound:
        raise Refused.of(NO_CONTACT) from None
    return {"success": True, "id": contact_no}


async def _saved(call: Call, said: Submitted) -> int:
    """The number of the contact, which is saved once however often the call is made under its record."""
    done = await _saved_before(call)
    if done is not None:
        return done
    try:
        return await _save(call, said, said.contact_no)
    except MusterError:
        # Another process may have done the same call meanwhile, which then stands in the way of this one.
        done = await _saved_before(call)
        if done is None:
            raise
        return done


async def _saved_before(call: Call) -> int | None:
    if call.record_id is None:
        return None
    return await call.means.inline.written_before(call.principal, call.record_id)


async def _save(call: Call, said: Submitted, contact_no: int | None) -> int:
    changes = await _changes(call, said, contact_no)
    write = SaveContact(contact_no, changes, twins=True, namesakes=False, record_id=call.record_id)
    [result] = await call.means.inline.write_all(call.principal, [write])
    if isinstance(result, Written):
        return result.contact_no
    if isinstance(result, EmailTaken) and said.update_if_exists and contact_no is None:
        return await _save(call, said, result.contact_no)
    raise result


async def _changes(call: Call, said: Submitted, contact_no: int | None) -> Changes:
    """What is to become of the contact. Raises NotFound, and what custom values raise."""
    async with call.db.account(call.account_id) as tx:
        contact = None if contact_no is None else await contact_reading.one(tx, contact_no)
        if contact_no is not None and contact is None:
            raise NotFound(f"there is no contact {contact_no}")
        fields = {each.field_no: each for each in await contact_reading.everybodys_fields(tx)} if said.values else {}
    columns = {"first_name": said.first_name, "last_name": said.last_name}
    of_kinds = {SetKind.LIST: said.groups, SetKind.COMPANY: said.companies}
    return Changes(
        columns={name: value or None for name, value in columns.items() if value is not None},
        email=UNSAID if said.email is None else said.email or None,
        permission=_permission(said.status, contact),
        profile=_profile(said, contact),
        phones={} if said.phone is None else {PLAIN_PHONE: said.phone or None},
        custom_values={number: stored(fields.get(number), number, value) for number, value in said.values.items()},
        only={kind: numbers for kind, numbers in of_kinds.items() if numbers is not None},
    )


def _permission(status: int | None, contact: Contact | None) -> Permission | None:
    """The permission that the contact is to have; none when it has one that is told as this status already."""
    if status is None or (contact and contact_formats.STATUSES[contact.row["permission"]] == status):
        return None
    return PERMISSIONS[status]


def _profile(said: Submitted, contact: Contact | None) -> dict[str, Any]:
    before = contact_formats.profile(contact) if contact else {}
    changed: dict[str, Any] = {}
    if said.external_id is not None:
        changed[EXTERNAL_ID] = said.external_id or None
    if said.sms_status is not None:
        changed[SMS_STATUS] = said.sms_status
    if said.urls is not UNSAID:
        changed[EXTERNAL_URLS] = _urls(said.urls, before.get(EXTERNAL_URLS, []))
    if said.consent is not None and said.consent != bool(before.get(PRIVACY_CONSENT)):
        given = {"source": BY_API, "dateTime": timestamp(datetime.now(UTC))}
        changed[PRIVACY_CONSENT] = given if said.consent else None
    return changed


def _urls(said: Urls | None, before: list[Mapping[str, Any]]) -> list[Mapping[str, Any]] | None:
    """The contact's URLs with those that are said. Raises Invalid when they would be too many."""
    if said is None:
        return None
    by_ref = {**{each["ref"]: each for each in before}, **said}
    left = [each for each in by_ref.values() if each is not None]
    if len(left) > MOST_URLS:
        raise Invalid(f"the contact would have {len(left)} external URLs, of which it may have {MOST_URLS}")
    return left or None


ACTIONS: Actions = {("contact", "addOrUpdateContact"): Action((Privilege.CONTACTS_WRITE,), add_or_update_contact)}
