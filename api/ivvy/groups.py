"""Subscription groups, which are lists (contract ivvy.md 8)."""

from typing import NamedTuple

from api.answers import Json
from api.ivvy.calling import Action, Actions, Call
from api.ivvy.refusals import ErrorCode, Refused
from engine.errors import UnknownTarget
from engine.operations.members_change import ChangeMembers
from engine.principals import Privilege
from engine.sets import catalog
from engine.sets.catalog import NamedSet, SetKind

#: Contacts of one call (contract ivvy.md 11).
MOST_CONTACTS = 1000
#: The colour of every group: lists have none of their own.
COLOUR = "#3366CC"


async def get_subscription_group_list(call: Call) -> Json:
    """Contract ivvy.md 8.1."""
    async with call.db.account(call.account_id) as tx:
        return [_group(each) for each in await catalog.everyone_of(tx, SetKind.LIST)]


async def add_contacts_to_subscription_group(call: Call) -> Json:
    """Contract ivvy.md 8.2."""
    asked = _asked(call)
    return await _changed(call, asked, ChangeMembers(asked.contacts, on=(asked.group,), of=SetKind.LIST))


async def remove_contacts_from_subscription_group(call: Call) -> Json:
    """Contract ivvy.md 8.2."""
    asked = _asked(call)
    return await _changed(call, asked, ChangeMembers(asked.contacts, off=(asked.group,), of=SetKind.LIST))


class _Asked(NamedTuple):
    contacts: tuple[int, ...]
    group: int


def _asked(call: Call) -> _Asked:
    params = call.params
    params.require("contacts", "group")
    contacts, group = params.integers("contacts", MOST_CONTACTS), params.integer("group")
    assert contacts is not None
    assert group is not None
    return _Asked(contacts, group)


async def _changed(call: Call, asked: _Asked, request: ChangeMembers) -> Json:
    try:
        accepted = await call.means.at_once.done_to(await call.change_members(request))
    except UnknownTarget:
        raise Refused(ErrorCode.NOT_FOUND, "Unable to find subscription group") from None
    return [{"contactId": contact, "status": contact in accepted} for contact in asked.contacts]


def _group(each: NamedSet) -> dict[str, object]:
    return {"id": each.set_no, "groupName": each.name, "memberCount": each.member_count, "tagColour": COLOUR}


_WRITE = (Privilege.CONTACTS_WRITE,)
ACTIONS: Actions = {
    ("contact", "getSubscriptionGroupList"): Action((Privilege.LISTS_READ,), get_subscription_group_list),
    ("contact", "addContactsToSubscriptionGroup"): Action(_WRITE, add_contacts_to_subscription_group),
    ("contact", "removeContactsFromSubscriptionGroup"): Action(_WRITE, remove_contacts_from_subscription_group),
}
