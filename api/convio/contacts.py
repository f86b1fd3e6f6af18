"""Contacts of an address book (contract convio.md 6.7, 6.8)."""

import asyncio

from api.convio import changing, listing, logins, submitted
from api.convio.calling import GET_OR_POST, POST, Call, Open, Restricted, Visit
from api.convio.refusals import ConstituentNeeded
from api.convio.results import Members, Value
from api.convio.submitted import Submitted
from engine import organizations
from engine.activities import deletions
from engine.contacts import reading, search
from engine.contacts.changes import Changes
from engine.contacts.decisions import Written
from engine.contacts.likeness import Person, person_of
from engine.contacts.reading import Contact
from engine.database import Transaction
from engine.errors import EmailTaken, Invalid, MusterError, NotFound
from engine.operations.contact_save import SaveContact
from engine.principals import Privilege
from engine.sets.catalog import SetKind


async def add(call: Call) -> Members:
    asked = call.asked
    contact = Submitted(asked.given("first_name"), asked.given("last_name"), asked.required("email"))
    written = await call.services.inline.write(call.principal, saving(_valid(contact)))
    return [_shown(contact, written.contact_no)]


async def add_for_constituent(visit: Visit) -> Members:
    """The form for servers: an administrator of the site does it for a constituent."""
    if not visit.asked.given("cons_id"):
        raise ConstituentNeeded("cons_id is required.")
    account_id, administrator = visit.asked.number("cons_id"), await logins.administrator(visit)
    try:
        acting = await organizations.acting_for(visit.db, visit.site.organization_id, administrator, account_id)
    except NotFound:
        raise ConstituentNeeded("There is no such constituent.") from None
    return await add(visit.by(acting))


async def add_all(call: Call) -> Members:
    """Those whose address is somebody's already are skipped; one that is not valid has nobody added."""
    contacts = [_valid(each) for each in await submitted.read(call.asked.required("contacts_to_add"))]
    results = await call.services.inline.write_all(call.principal, [saving(each) for each in contacts])
    for result in results:
        if isinstance(result, MusterError) and not isinstance(result, EmailTaken):
            raise result
    written = [(each, result) for each, result in zip(contacts, results, strict=True) if isinstance(result, Written)]
    return [_shown(each, result.contact_no) for each, result in written]


async def update(call: Call) -> Members:
    number = call.asked.number("contact_id")
    try:
        await call.services.inline.write(call.principal, SaveContact(number, changing.changes(call.asked)))
    except NotFound:
        raise _unknown(number) from None
    return [("success", True)]


async def delete(call: Call) -> Members:
    asked = call.asked.numbers("contact_ids")
    services = call.services
    done = await deletions.delete(services.inline, services.at_once, call.principal, asked)
    deleted = [number for number in asked if number in done]
    return [*(("contactId", number) for number in deleted), ("errors", len(deleted) < len(asked))]


async def page(call: Call) -> Members:
    wanted = listing.asked_for(call.asked)
    async with call.db.account(call.account_id) as tx:
        total, contacts = await search.page(
            tx, wanted.expression, wanted.order, limit=wanted.limit, offset=wanted.offset
        )
    # Of a page whose contacts are in many groups that takes its time.
    stored = await asyncio.to_thread(list, map(_stored, contacts))
    return [*stored, ("totalNumberResults", total)]


async def insist_on(tx: Transaction, contact_no: int) -> None:
    """Raises Invalid unless the address book has the contact."""
    if contact_no not in await reading.ids_by_number(tx, [contact_no]):
        raise _unknown(contact_no)


def saving(contact: Submitted) -> SaveContact:
    """The write that adds the contact, unless another has its address."""
    names = {"first_name": contact.first_name or None, "last_name": contact.last_name or None}
    return SaveContact(None, Changes(columns=names, email=contact.email))


def described(contact_no: int | None, person: Person) -> Members:
    """A contact as it is told; without an id before it has one."""
    told: Members = [("firstName", person.first_name), ("lastName", person.last_name), ("email", person.email)]
    return told if contact_no is None else [("id", contact_no), *told]


def _valid(contact: Submitted) -> Submitted:
    if contact.problem:
        raise Invalid(contact.problem)
    return contact


def _shown(contact: Submitted, contact_no: int) -> tuple[str, Value]:
    return ("addressBookContact", described(contact_no, contact.person))


def _stored(contact: Contact) -> tuple[str, Value]:
    groups: Members = [("group", [("id", each.set_no), ("name", each.name)]) for each in contact.sets(SetKind.LIST)]
    return ("addressBookContact", [*described(contact.row["contact_no"], person_of(contact.row)), *groups])


def _unknown(contact_no: int) -> Invalid:
    return Invalid(f"Contact {contact_no} was not found.")


READ = (Privilege.CONTACTS_READ,)
WRITE = (Privilege.CONTACTS_WRITE,)

CONTACTS = (
    Restricted("addAddressBookContact", GET_OR_POST, WRITE, add),
    Restricted("addAddressBookContacts", GET_OR_POST, WRITE, add_all, of="getAddressBookContacts"),
    Restricted("updateAddressBookContact", POST, WRITE, update),
    Restricted("deleteAddressBookContacts", GET_OR_POST, WRITE, delete),
    Restricted("getAddressBookContacts", GET_OR_POST, READ, page),
)
CONTACTS_OF_ADMINISTRATORS = (Open("addAddressBookContact", GET_OR_POST, add_for_constituent),)
