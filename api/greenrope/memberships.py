"""Putting contacts into a group and taking them out, all at once (contract greenrope.md 6.5), and the groups of one
contact (6.2).
"""

from collections.abc import Sequence

from api.greenrope import finding, groups, writing
from api.greenrope.answers import SUCCESS, Listed, Members, Record
from api.greenrope.calling import Call
from api.greenrope.finding import the_one
from api.greenrope.refusals import UnknownContact
from api.greenrope.requests import Item, criteria_of, items
from engine.contacts.search import Criteria
from engine.errors import Invalid, MusterError
from engine.operations.members_change import ChangeMembers
from engine.principals import Principal, Privilege
from engine.sets import catalog, reading
from engine.sets.catalog import NamedSet, SetKind


async def add(call: Call) -> Record:
    """AddContactsToGroup: who is in it already has been added; who has unsubscribed is not."""
    principal, group = await _meant(call)
    return await _changed(call, principal, on=(group.set_no,))


async def remove(call: Call) -> Record:
    """DeleteContactsFromGroup: who is not in it has been taken out."""
    principal, group = await _meant(call)
    return await _changed(call, principal, off=(group.set_no,))


async def of_contact(call: Call) -> Record:
    """GetContactGroups: of the contact that is meant, else all of the account, by number."""
    criteria = criteria_of(call.attributes)
    if criteria is None:
        principal = call.principal(Privilege.CONTACTS_READ, Privilege.LISTS_READ)
        async with call.db.account(principal.account_id) as tx:
            found = [(each.set_no, each.name) for each in await catalog.everyone_of(tx, SetKind.LIST)]
    else:
        principal = call.principal(Privilege.CONTACTS_READ)
        async with call.db.account(principal.account_id) as tx:
            [numbers] = await finding.found(tx, principal, [criteria])
            number = the_one(criteria, numbers)
            member_of = await reading.sets_of(tx, [number], [SetKind.LIST])
        found = [(each.set_no, each.name) for each in member_of.get(number, ())]
    told = [Record((("Group_id", str(set_no)), ("GroupName", name))) for set_no, name in found]
    return Record((SUCCESS, ("ContactGroups", Listed("ContactGroup", told))))


async def _meant(call: Call) -> tuple[Principal, NamedSet]:
    """Who asks, and the group. Raises Forbidden, UnknownGroup, and Invalid."""
    principal = call.principal(Privilege.CONTACTS_WRITE)
    async with call.db.account(principal.account_id) as tx:
        return principal, await groups.meant(tx, call.attributes)


async def _changed(call: Call, principal: Principal, *, on: tuple[int, ...] = (), off: tuple[int, ...] = ()) -> Record:
    """What came of each contact. They are changed in one activity, which skips whom it must not change."""
    asked = items(call.root)
    meant = await _found(call, principal, asked)
    contact_nos = tuple(dict.fromkeys(number for number in meant if isinstance(number, int)))
    done: frozenset[int] = frozenset()
    if contact_nos:
        at_once, change = call.services.at_once, ChangeMembers(contact_nos, on, off, of=SetKind.LIST)
        done = await at_once.done_to(await at_once.do(principal, change))
    return writing.answer(asked, [_told(number, done) for number in meant])


async def _found(call: Call, principal: Principal, asked: Sequence[Item]) -> list[int | MusterError]:
    """The number of the contact that each means, or why there is none."""
    criteria = [_criteria(principal, item) for item in asked]
    good = [each for each in criteria if isinstance(each, Criteria)]
    async with call.db.account(principal.account_id) as tx:
        found = iter(await finding.found(tx, principal, good))
    return [_number(each, next(found)) if isinstance(each, Criteria) else each for each in criteria]


def _criteria(principal: Principal, item: Item) -> Criteria | MusterError:
    """A group has contacts of its own account only."""
    try:
        account_id, criteria = item.account_id(), item.criteria()
    except MusterError as error:
        return error
    if account_id not in (None, principal.account_id):
        return UnknownContact(f"The group is not one of account {account_id}")
    return criteria


def _number(criteria: Criteria, found: Sequence[int]) -> int | MusterError:
    try:
        return the_one(criteria, found)
    except MusterError as error:
        return error


def _told(number: int | MusterError, done: frozenset[int]) -> Members:
    if isinstance(number, MusterError):
        return writing.refused(number)
    if number not in done:
        return writing.refused(Invalid("The contact has unsubscribed, and joins no group"))
    return SUCCESS, ("Contact_id", str(number))
