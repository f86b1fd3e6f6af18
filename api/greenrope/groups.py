"""Groups: the lists of an account (contract greenrope.md 6.2, 6.5)."""

from collections.abc import Awaitable, Callable, Mapping

from api.dialects import told
from api.greenrope.answers import SUCCESS, Listed, Members, Record
from api.greenrope.calling import Call
from api.greenrope.refusals import AlreadyThere, UnknownGroup, refusal
from api.greenrope.requests import MOST_CONTACTS, echoed
from api.greenrope.values import Attributes, child_text, not_longer, shown
from api.xml import Element
from engine.database import Database, Transaction
from engine.errors import Invalid, NameTaken, NotFound
from engine.operations.sets_delete import DeleteSets
from engine.principals import Privilege
from engine.sets import catalog
from engine.sets.catalog import NamedSet, SetKind, name_key

#: Who may see a group, the first by default.
GROUP_TYPES = ("Public", "Private", "Hidden")
#: What is kept of a group beside its name; the first is called Group_type in answers.
DETAILS = ("GroupType", "EmailsSentFromName", "EmailsSentFromEmail", "EmailPhysicalAddress", "EventsTimeZone")

#: Does what is asked of one of the groups of a request.
OneGroup = Callable[[Element, Attributes], Awaitable[NamedSet]]


async def create(call: Call) -> Record:
    """CreateGroup. Raises AlreadyThere, and Invalid."""
    principal = call.principal(Privilege.LISTS_WRITE)
    name, details = call.text("Name") or "", _said(call.root)
    if not name:
        raise Invalid("Name is missing")
    try:
        async with call.db.account(principal.account_id) as tx:
            most = call.services.settings.max_lists
            made = await catalog.create(tx, SetKind.LIST, name, details=details, most=most)
    except NameTaken:
        raise await _already_there(call.db, principal.account_id, name) from None
    return Record((SUCCESS, ("Group_id", str(made.set_no))))


async def every(call: Call) -> Record:
    """GetGroups: the one that is meant, else all."""
    principal = call.principal(Privilege.LISTS_READ, Privilege.CONTACTS_READ)
    async with call.db.account(principal.account_id) as tx:
        if call.attributes.text("group_id") or call.attributes.text("group_name"):
            found = [await meant(tx, call.attributes)]
        else:
            found = await catalog.everyone_of(tx, SetKind.LIST)
    return Record((SUCCESS, ("Groups", Listed("Group", [Record(_members(each)) for each in found]))))


async def edit(call: Call) -> Record:
    """EditGroups: what is not said of a group stays as it is."""
    principal = call.principal(Privilege.LISTS_WRITE)

    async def change(element: Element, attributes: Attributes) -> NamedSet:
        details, name = _said(element), child_text(element, "Name") or ""
        try:
            async with call.db.account(principal.account_id) as tx:
                return await _changed(tx, await meant(tx, attributes), name, details)
        except NameTaken:
            raise await _already_there(call.db, principal.account_id, name) from None

    return await _each(call, change)


async def delete(call: Call) -> Record:
    """DeleteGroups: memberships and fields of a group go with it, contacts stay."""
    principal = call.principal(Privilege.LISTS_WRITE)

    async def remove(_: Element, attributes: Attributes) -> NamedSet:
        async with call.db.account(principal.account_id) as tx:
            found = await meant(tx, attributes)
        await call.services.at_once.do(principal, DeleteSets(SetKind.LIST, (found.set_no,)))
        return found

    return await _each(call, remove)


async def meant(tx: Transaction, attributes: Attributes) -> NamedSet:
    """The group that group_id or group_name mean. Raises UnknownGroup, and Invalid when neither is there."""
    number, name = attributes.number("group_id"), attributes.text("group_name")
    if number is not None:
        return await numbered(tx, number)
    if name is None:
        raise Invalid("the attribute group_id or group_name is missing")
    found = await catalog.by_names(tx, SetKind.LIST, [name])
    if not found:
        raise UnknownGroup(f"Group {shown(name)} does not exist")
    return found[name_key(name)]


async def numbered(tx: Transaction, set_no: int) -> NamedSet:
    """The group with this number. Raises UnknownGroup."""
    try:
        return await catalog.find_number(tx, SetKind.LIST, set_no)
    except NotFound:
        raise UnknownGroup(f"Group {set_no} does not exist") from None


async def _changed(tx: Transaction, group: NamedSet, name: str, details: Mapping[str, str]) -> NamedSet:
    if name and name != group.name:
        group = await catalog.rename(tx, group, name)
    if details:
        group = await catalog.describe(tx, SetKind.LIST, group.set_id, {**group.details, **details})
    return group


async def _each(call: Call, do: OneGroup) -> Record:
    """What came of each of the groups of a request, in its order; each succeeds or fails on its own."""
    asked = call.root.findall("Groups/Group")
    if len(asked) > MOST_CONTACTS:
        raise Invalid(f"a request has at most {MOST_CONTACTS:,} groups")
    return Record((("Groups", Listed("Group", [await _done(call, do, each) for each in asked])),))


async def _done(call: Call, do: OneGroup, element: Element) -> Record:
    attributes = Attributes.of(element)
    try:
        done = await do(element, attributes)
    except Exception as error:  # noqa: BLE001 (whatever it is, the other groups have their turn)
        return Record(refusal(told(error, call.function)), echoed(attributes))
    return Record((SUCCESS, ("Group_id", str(done.set_no))), echoed(attributes))


def _members(group: NamedSet) -> Members:
    known = {"GroupType": GROUP_TYPES[0], **group.details}
    details = [str(known.get(name, "")) for name in DETAILS]
    return (
        ("Group_id", str(group.set_no)),
        ("Name", group.name),
        *zip(("Group_type", *DETAILS[1:]), details, strict=True),
    )


def _said(element: Element) -> dict[str, str]:
    """What is said of a group beside its name. Raises Invalid for that, too, if it is too long."""
    said = {name: text for name in ("Name", *DETAILS) if (text := child_text(element, name)) is not None}
    for name, text in said.items():
        not_longer(name, text)
    kind = said.get("GroupType")
    if kind is not None and kind not in GROUP_TYPES:
        raise Invalid(f"GroupType must be one of {', '.join(GROUP_TYPES)}: {shown(kind)}")
    return {name: text for name, text in said.items() if name != "Name"}


async def _already_there(db: Database, account_id: int, name: str) -> AlreadyThere:
    """The refusal of a name that another group has; it tells that group's number."""
    async with db.account(account_id) as tx:
        found = await catalog.by_names(tx, SetKind.LIST, [name])
    numbers = ", ".join(f"ID {each.set_no}" for each in found.values()) or "it is being deleted"
    return AlreadyThere(f"A group with this name already exists ({numbers})")
