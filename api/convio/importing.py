"""Adding many contacts, told apart from those that are there already (contract convio.md 6.9)."""

import asyncio
from collections.abc import Mapping, Sequence
from types import MappingProxyType

from api.convio import submitted
from api.convio.calling import GET_OR_POST, Call, Restricted
from api.convio.contacts import described, saving
from api.convio.refusals import words_of
from api.convio.results import Members
from api.convio.submitted import Submitted
from engine.contacts import likeness
from engine.contacts.decisions import Written
from engine.contacts.likeness import Acquaintances, Known, Likeness
from engine.errors import EmailTaken, MusterError
from engine.principals import Privilege

#: The member that an item is told in, in the order of the answer.
SAVED, SAME, ALIKE, ERROR = "savedContact", "duplicateContact", "potentialDuplicateContact", "errorContact"
ORDER = (SAVED, SAME, ALIKE, ERROR)
BY_LIKENESS: Mapping[Likeness, str] = MappingProxyType({Likeness.SAME: SAME, Likeness.ALIKE: ALIKE})

#: What came of an item, and the member in which it is told.
Told = tuple[str, Members]


async def import_contacts(call: Call) -> Members:
    """Who is like somebody there, or like an item before, is not added."""
    items = await submitted.read(call.asked.required("contacts_to_add"))
    there = await _there(call, items)
    new = await asyncio.to_thread(_unlike_all, items, there)
    written = await call.services.inline.write_all(call.principal, [saving(items[nth]) for nth in new])
    results = dict(zip(new, written, strict=True))
    if any(isinstance(result, EmailTaken) for result in written):
        # Somebody else has added one in the meantime.
        there = await _there(call, items)
    for nth, result in results.items():
        if isinstance(result, Written):
            there.add(Known(result.contact_no, items[nth].person))
    return await asyncio.to_thread(_all_told, items, results, there)


def _all_told(
    items: Sequence[Submitted], results: Mapping[int, Written | MusterError], there: Acquaintances
) -> Members:
    told = [_told(item, results.get(nth), there) for nth, item in enumerate(items)]
    return sorted(told, key=lambda each: ORDER.index(each[0]))


async def _there(call: Call, items: Sequence[Submitted]) -> Acquaintances:
    persons = [item.person for item in items if not item.problem]
    async with call.db.account(call.account_id) as tx:
        return await likeness.acquaintances(tx, persons)


def _unlike_all(items: Sequence[Submitted], there: Acquaintances) -> list[int]:
    """The places of the items that are like nobody, neither there nor before them."""
    places, fresh = list[int](), Acquaintances()
    for nth, item in enumerate(items):
        if not (item.problem or there.like(item.person) or fresh.like(item.person)):
            fresh.add(Known(0, item.person))
            places.append(nth)
    return places


def _told(item: Submitted, result: Written | MusterError | None, there: Acquaintances) -> Told:
    person = item.person
    if item.problem:
        return ERROR, [("contact", described(None, person)), ("error", item.problem)]
    match result:
        case Written(contact_no=number):
            return SAVED, [("contact", described(number, person))]
        case MusterError() if not isinstance(result, EmailTaken):
            return ERROR, [("contact", described(None, person)), ("error", words_of(result))]
    if (found := there.like(person)) is None:
        return ERROR, [("contact", described(None, person)), ("error", "One like it could not be added.")]
    how, known = found
    return BY_LIKENESS[how], [
        ("contact", described(None, person)),
        ("duplicateContact", described(known.contact_no, known.person)),
    ]


IMPORTS = (Restricted("importAddressBookContacts", GET_OR_POST, (Privilege.CONTACTS_WRITE,), import_contacts),)
