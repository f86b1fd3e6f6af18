"""Groups of an address book, which are lists, and who is in them (contract convio.md 6.1 to 6.6)."""

from collections.abc import Iterable, Sequence

from api.convio import contacts
from api.convio.calling import GET_OR_POST, POST, Call, Restricted
from api.convio.parameters import NOBODY
from api.convio.results import Members
from engine.database import Transaction
from engine.errors import Invalid, NotFound
from engine.operations.members_change import ChangeMembers
from engine.operations.sets_delete import DeleteSets
from engine.principals import Privilege
from engine.sets import catalog, reading
from engine.sets.catalog import NamedSet, SetKind
from engine.sets.expressions import Intersection, Numbers
from engine.sets.expressions import Members as MembersOf

#: Characters of a group's name (contract convio.md 6.2).
MOST_NAME = 255


async def add_contacts(call: Call) -> Members:
    group_id, contact_nos = call.asked.number("group_id"), call.asked.numbers("contact_ids")
    async with call.db.account(call.account_id) as tx:
        group = await _find(tx, group_id)
    return [_group(group), *_ids(await _join(call, group, contact_nos))]


async def add(call: Call) -> Members:
    """A new group; who puts contacts into it must be allowed to do that as well."""
    name, contact_nos = _name(call), call.asked.numbers("contact_ids")
    if contact_nos:
        call.principal.require(*WRITE)
    async with call.db.account(call.account_id) as tx:
        group = await catalog.create(tx, SetKind.LIST, name, most=call.services.settings.max_lists)
    return [_group(group), *_ids(await _join(call, group, contact_nos))]


async def rename(call: Call) -> Members:
    group_id, name = call.asked.number("group_id"), _name(call)
    async with call.db.account(call.account_id) as tx:
        renamed = await catalog.rename(tx, await _find(tx, group_id), name)
    return [_group(renamed)]


async def delete(call: Call) -> Members:
    """Their contacts are kept."""
    call.asked.required("group_ids")
    asked = call.asked.numbers("group_ids")
    async with call.db.account(call.account_id) as tx:
        known = await catalog.by_numbers(tx, SetKind.LIST, asked)
    if known:
        await call.services.at_once.do(call.principal, DeleteSets(SetKind.LIST, tuple(known)))
    deleted = [number for number in asked if number in known]
    return [*(("groupId", number) for number in deleted), ("errors", len(deleted) < len(asked))]


async def page(call: Call) -> Members:
    """By name, then number."""
    described = _counted if call.asked.boolean("count_contacts") else _described
    async with call.db.account(call.account_id) as tx:
        groups = await catalog.everyone_of(tx, SetKind.LIST)
    in_order = sorted(groups, key=lambda group: (catalog.name_key(group.name), group.set_no))
    return [("group", described(each)) for each in in_order]


async def remove_contact(call: Call) -> Members:
    contact_no, group_id = call.asked.number("contact_id"), call.asked.number("group_id")
    async with call.db.account(call.account_id) as tx:
        group = await _find(tx, group_id)
        await contacts.insist_on(tx, contact_no)
    await call.services.at_once.do(call.principal, ChangeMembers((contact_no,), off=(group.set_no,)))
    return [("group_id", group_id), ("contact_id", contact_no)]


async def _find(tx: Transaction, group_id: int) -> NamedSet:
    try:
        return await catalog.find_number(tx, SetKind.LIST, group_id)
    except NotFound:
        raise NotFound(f"Group {group_id} was not found.") from None


def _name(call: Call) -> str:
    name = call.asked.required("group_name")
    if len(name) > MOST_NAME:
        raise Invalid(f"group_name may have {MOST_NAME} characters at most.")
    return name


async def _join(call: Call, group: NamedSet, contact_nos: Sequence[int]) -> list[int]:
    """Puts the contacts on the group; those of them that are in it then, in their order."""
    wanted = tuple(number for number in contact_nos if number != NOBODY)
    if not wanted:
        return []
    await call.services.at_once.do(call.principal, ChangeMembers(wanted, on=(group.set_no,)))
    in_it = Intersection((MembersOf((group.set_no,)), Numbers(wanted)))
    async with call.db.account(call.account_id) as tx:
        members = set(await reading.page(tx, in_it, limit=len(wanted)))
    return [number for number in wanted if number in members]


def _group(group: NamedSet) -> tuple[str, Members]:
    return ("addressBookGroup", _described(group))


def _described(group: NamedSet) -> Members:
    return [("id", group.set_no), ("name", group.name)]


def _counted(group: NamedSet) -> Members:
    return [*_described(group), ("contactsCount", group.member_count)]


def _ids(contact_nos: Iterable[int]) -> Members:
    return [("contactId", number) for number in contact_nos]


WRITE = (Privilege.CONTACTS_WRITE,)
WRITE_LISTS = (Privilege.LISTS_WRITE,)

GROUPS = (
    Restricted("addContactsToGroup", GET_OR_POST, WRITE, add_contacts),
    Restricted("addAddressBookGroup", GET_OR_POST, WRITE_LISTS, add),
    Restricted("updateAddressBookGroup", POST, WRITE_LISTS, rename),
    Restricted("deleteAddressBookGroups", POST, WRITE_LISTS, delete),
    Restricted("getAddressBookGroups", GET_OR_POST, (Privilege.LISTS_READ,), page),
    Restricted("removeContactFromGroup", POST, WRITE, remove_contact),
)
