"""AddContacts, EditContacts, DeleteContacts and UnsubscribeContacts (contract greenrope.md 5)."""

import asyncio
from collections.abc import Callable, Collection, Sequence
from dataclasses import dataclass, replace
from functools import partial

from api import dialects
from api.greenrope import changing, finding, resolving, writing
from api.greenrope.answers import SUCCESS, Members, Record
from api.greenrope.calling import Call
from api.greenrope.finding import Match, Meant, the_matching, the_one
from api.greenrope.requests import Item, items
from api.greenrope.resolving import Known
from api.greenrope.submitted import Submitted
from api.greenrope.values import written_time
from api.greenrope.writing import Step, Tell
from engine.contacts.changes import Changes
from engine.contacts.decisions import ContactWrite, Written
from engine.contacts.search import Criteria, FullName
from engine.errors import Invalid, MusterError
from engine.operations.contact_delete import DeleteContact
from engine.operations.contact_save import SaveContact
from engine.principals import Principal, Privilege

#: A contact is added only if one of these is filled (contract 5.2).
NAMING = ("Firstname", "Lastname", "Email", "Company")
#: What is said of a contact by attributes only.
NOTHING = Submitted(texts={})


@dataclass(frozen=True, slots=True)
class Asked:
    """A contact of a request as it was read."""

    place: int
    principal: Principal
    meant: Meant
    said: Submitted


@dataclass(frozen=True, slots=True)
class Doing:
    """What a function does with each contact.

    read: whom it means, and what it says of it; make: the write for who was found, in these groups. Both raise
    MusterError.
    """

    read: Callable[[Item], tuple[Meant, Submitted]]
    make: Callable[[Asked, Known, Sequence[int], Collection[int]], ContactWrite]
    tell: Tell


async def add(call: Call) -> Record:
    """AddContacts: new ones, or with update="true" also changes of those there are."""
    read = _read_updated if call.attributes.is_true("update") else _read_new
    return await _each(call, Doing(read, _added, _tell_saved))


async def edit(call: Call) -> Record:
    """EditContacts."""
    return await _each(call, Doing(_read_edited, _edited, _tell_saved))


async def delete(call: Call) -> Record:
    """DeleteContacts."""
    return await _each(call, Doing(_read_meant, _deleted, _tell_deleted))


async def unsubscribe(call: Call) -> Record:
    """UnsubscribeContacts: from all mail of the account; memberships stay."""
    return await _each(call, Doing(_read_meant, _unsubscribed, _tell_unsubscribed))


async def _each(call: Call, doing: Doing) -> Record:
    """What came of each contact of the request, account by account."""
    contacts = items(call.root)
    told: dict[int, Members] = {}
    accounts: dict[int, list[Asked]] = {}
    for place, item in enumerate(contacts):
        try:
            asked = Asked(place, _principal(call, item), *doing.read(item))
            accounts.setdefault(asked.principal.account_id, []).append(asked)
        except MusterError as error:
            told[place] = writing.refused(error)
        # Others have their turn: a request may be long.
        await asyncio.sleep(0)
    for of_account in accounts.values():
        told |= await _in_account(call, doing, of_account)
    return writing.answer(contacts, [told[place] for place in range(len(contacts))])


def _principal(call: Call, item: Item) -> Principal:
    """Who asks, in the account that the contact names, else in the request's. Raises Forbidden, and Invalid."""
    account_id = item.account_id()
    if account_id is None:
        return call.principal(Privilege.CONTACTS_WRITE)
    return call.principal_in(account_id, Privilege.CONTACTS_WRITE)


async def _in_account(call: Call, doing: Doing, contacts: Sequence[Asked]) -> dict[int, Members]:
    principal = contacts[0].principal
    try:
        said, most_tags = [contact.said for contact in contacts], call.services.settings.max_tags
        known = await resolving.known(call.db, principal.account_id, said, most_tags=most_tags)
    except Exception as error:  # noqa: BLE001 (whatever it is, contacts of other accounts have their turn)
        refused = writing.refused(dialects.told(error, call.function))
        return {contact.place: refused for contact in contacts}
    steps = [_step(doing, contact, known) for contact in contacts]
    told = await writing.write(call, principal, steps, doing.tell)
    return {contact.place: members for contact, members in zip(contacts, told, strict=True)}


def _step(doing: Doing, contact: Asked, known: Known) -> Step:
    texts = contact.said.texts
    tokens = finding.tokens(contact.meant, texts.get("Email"), texts.get("Firstname"), texts.get("Lastname"))
    asks_groups = changing.is_unclear(contact.said, known)
    return Step(contact.meant, tokens, partial(doing.make, contact, known), asks_groups)


def _read_new(item: Item) -> tuple[Meant, Submitted]:
    said = replace(Submitted.of(item.element), removed_groups=())
    if said.company_number is None and not any(said.texts.get(name) for name in NAMING):
        raise Invalid(f"one of {', '.join(NAMING)} must be filled")
    return None, said


def _read_updated(item: Item) -> tuple[Meant, Submitted]:
    _, said = _read_new(item)
    first_name, last_name = said.texts.get("Firstname"), said.texts.get("Lastname")
    names = FullName(first_name, last_name) if first_name and last_name else None
    return Match(said.texts.get("Email", ""), names), said


def _read_edited(item: Item) -> tuple[Meant, Submitted]:
    return item.criteria(), Submitted.of(item.element)


def _read_meant(item: Item) -> tuple[Meant, Submitted]:
    return item.criteria(), NOTHING


def _added(contact: Asked, known: Known, found: Sequence[int], groups: Collection[int]) -> ContactWrite:
    """An address that somebody has is nobody's mistake where nothing is updated (issue 4: the seed's first example)."""
    calls = () if contact.said.workflow is None else (known.workflow(contact.said.workflow),)
    said = changing.changes(contact.said, known, groups)
    return SaveContact(the_matching(found), said, twins=contact.meant is None, calls_on_create=calls, most=known.most)


def _edited(contact: Asked, known: Known, found: Sequence[int], groups: Collection[int]) -> ContactWrite:
    said = changing.changes(contact.said, known, groups)
    return SaveContact(_the_one(contact, found), said, unless_after=contact.said.unless_after, most=known.most)


def _deleted(contact: Asked, _known: Known, found: Sequence[int], _groups: Collection[int]) -> ContactWrite:
    return DeleteContact(_the_one(contact, found))


def _unsubscribed(contact: Asked, _known: Known, found: Sequence[int], _groups: Collection[int]) -> ContactWrite:
    return SaveContact(_the_one(contact, found), Changes(permission="unsubscribed"))


def _the_one(contact: Asked, found: Sequence[int]) -> int:
    assert isinstance(contact.meant, Criteria), "whom it means is said by criteria"
    return the_one(contact.meant, found)


def _tell_saved(principal: Principal, written: Written) -> Members:
    updated = ("UpdatedTimeStamp", written_time(written.updated_at))
    return SUCCESS, _account(principal), _contact(written), updated


def _tell_deleted(principal: Principal, written: Written) -> Members:
    return _account(principal), _contact(written), SUCCESS


def _tell_unsubscribed(_principal: Principal, written: Written) -> Members:
    return _contact(written), SUCCESS


def _account(principal: Principal) -> tuple[str, str]:
    return "AccountNumber", str(principal.account_id)


def _contact(written: Written) -> tuple[str, str]:
    return "Contact_id", str(written.contact_no)
