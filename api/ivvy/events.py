"""Inviting contacts to events, and who is invited (contract ivvy.md 6 and 7)."""

from collections.abc import Mapping
from datetime import UTC, datetime

from api.answers import Json
from api.ivvy import contact_formats, filters, links
from api.ivvy.calling import Action, Actions, Call
from api.ivvy.filters import Choices, Properties
from api.ivvy.groups import MOST_CONTACTS
from api.ivvy.paging import page_of
from api.ivvy.refusals import NO_EVENT, ErrorCode, Refused
from api.ivvy.times import timestamp
from engine import accounts, events, invitations
from engine.contacts import search
from engine.contacts.reading import Contact
from engine.errors import EventClosed, NotFound
from engine.invitations import Reply
from engine.operations.members_change import ChangeMembers
from engine.principals import Privilege
from engine.sets.catalog import SetKind
from engine.sets.expressions import EVERYBODY, Answered, Difference, Intersection, Members, Union

#: What contacts say, as it is written; U is nothing yet.
RESPONSES: Mapping[invitations.Answer | None, str] = {None: "U", "yes": "Y", "no": "N"}


async def invite_contacts(call: Call) -> Json:
    """Contract ivvy.md 6."""
    params = call.params
    params.require("event", "contacts")
    event_no, contacts = params.integer("event"), params.integers("contacts", MOST_CONTACTS)
    assert event_no is not None
    assert contacts is not None
    invited = await _invited(call, event_no, contacts)
    async with call.db.account(call.account_id) as tx:
        secret = await accounts.secret(tx)
    told = {no: links.of(call.caller.address, invitations.link(secret, event_no, no)) for no in invited}
    return {"results": [{"contact": no, "status": no in told, **told.get(no, {})} for no in contacts]}


async def get_invited_contact_list(call: Call) -> Json:
    """Contract ivvy.md 7."""
    params = call.params
    params.require("eventId")
    event_no, page = params.integer("eventId"), page_of(params)
    assert event_no is not None
    chosen = filters.filtered(params, _properties(event_no))
    async with call.db.account(call.account_id) as tx:
        try:
            event = await events.find_number(tx, event_no)
        except NotFound:
            raise Refused.of(NO_EVENT) from None
        invited = Intersection((Members((event.set_no,)), chosen))
        total, contacts = await search.page(tx, invited, (), limit=page.per_page, offset=page.start)
        replies = await invitations.replies(tx, (event.set_no,), [each.row["contact_no"] for each in contacts])
    results = [_invitation(each, replies[event.set_no, each.row["contact_no"]]) for each in contacts]
    return page.collection(total, results)


async def _invited(call: Call, event_no: int, contacts: tuple[int, ...]) -> frozenset[int]:
    """Who of the contacts is invited now. Raises Refused."""
    activity = await call.done_before()
    if activity is None:
        await _insist_on_open(call, event_no)
        activity = await call.change_members(ChangeMembers(contacts, on=(event_no,), of=SetKind.EVENT))
    return await call.means.at_once.done_to(activity)


async def _insist_on_open(call: Call, event_no: int) -> None:
    async with call.db.account(call.account_id) as tx:
        try:
            (await events.find_number(tx, event_no)).insist_on_open(datetime.now(UTC))
        except NotFound:
            raise Refused.of(NO_EVENT) from None
        except EventClosed:
            raise Refused(ErrorCode.FAILED, "Unable to invite contacts to this event") from None


def _invitation(contact: Contact, reply: Reply) -> dict[str, object]:
    names = contact_formats.names(contact)
    return {
        "eventId": reply.event_no,
        "contactId": names.pop("id"),
        **names,
        "response": RESPONSES[reply.answer],
        "registrationId": None,
        "modifiedDate": timestamp(reply.at or contact.row["updated_at"]),
    }


def _properties(event_no: int) -> Properties:
    """By which invited contacts can be chosen."""
    yes, no = Answered((event_no,), "yes"), Answered((event_no,), "no")
    undecided = Difference(EVERYBODY, Union((yes, no)))
    return {
        "contactId": filters.numbers,
        **filters.NAMES,
        "response": Choices({"Y": yes, "N": no, "U": undecided}),
        "eventId": Choices({event_no: EVERYBODY}),
        # Nobody registers here.
        "registrationId": Choices({}),
    }


ACTIONS: Actions = {
    ("event", "inviteContacts"): Action((Privilege.CONTACTS_WRITE,), invite_contacts),
    ("event", "getInvitedContactList"): Action((Privilege.CONTACTS_READ,), get_invited_contact_list),
}
