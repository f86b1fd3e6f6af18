"""Telling of contacts and of custom fields (contract ivvy.md 9.2 to 9.4)."""

from collections.abc import Mapping, Sequence

from api.answers import Json
from api.ivvy import contact_formats, filters, links
from api.ivvy.calling import Action, Actions, Call
from api.ivvy.contact_formats import EXTERNAL_ID, EXTERNAL_URLS, SMS_STATUS, STATUSES
from api.ivvy.events import RESPONSES
from api.ivvy.filters import Choices, Compare, Properties, Suffix, Texts, Times
from api.ivvy.paging import page_of
from api.ivvy.parameters import Unfit, whole_number
from api.ivvy.refusals import NO_CONTACT, Refused
from api.ivvy.times import timestamp
from engine import accounts, events, fields, invitations
from engine.contacts import search
from engine.contacts.reading import Contact
from engine.database import Transaction
from engine.fields import Field
from engine.principals import Privilege
from engine.sets import catalog
from engine.sets.catalog import SetKind
from engine.sets.expressions import EVERYBODY, NOBODY, Expression, Intersection, Matching, Members, Numbers, Union
from engine.sets.joined import joined
from engine.sets.predicates import Column, ExactlyAmong, OneOf, Present, Profile


async def get_contact(call: Call) -> Json:
    """Contract ivvy.md 9.2."""
    call.params.require("id")
    contact_no = call.params.integer("id")
    assert contact_no is not None
    async with call.db.account(call.account_id) as tx:
        found = await one(tx, contact_no)
        if found is None:
            raise Refused.of(NO_CONTACT)
        [told] = await _told(tx, [found])
        invited_to = await _invitations(tx, call, found)
    further = {
        "eventInvitations": invited_to,
        "eventRegistrations": [],
        "externalUrls": contact_formats.profile(found).get(EXTERNAL_URLS, []),
    }
    return {**contact_formats.names(found), **contact_formats.status(found), **told, **further}


async def get_contact_list(call: Call) -> Json:
    """Contract ivvy.md 9.3."""
    page = page_of(call.params)
    async with call.db.account(call.account_id) as tx:
        companies = await catalog.by_numbers(tx, SetKind.COMPANY, filters.numbers_of(call.params, "companyId"))
        chosen = filters.filtered(call.params, _properties(frozenset(companies)))
        total, contacts = await search.page(tx, chosen, (), limit=page.per_page, offset=page.start)
        told = await _told(tx, contacts)
    created = [{"createdDate": timestamp(each.row["created_at"])} for each in contacts]
    names = map(contact_formats.names, contacts)
    return page.collection(total, [{**a, **b, **c} for a, b, c in zip(names, told, created, strict=True)])


async def get_custom_field_definition(call: Call) -> Json:
    """Contract ivvy.md 9.4."""
    async with call.db.account(call.account_id) as tx:
        found = await everybodys_fields(tx)
    return [contact_formats.definition(each, place) for place, each in enumerate(found)]


async def one(tx: Transaction, contact_no: int) -> Contact | None:
    """The contact with this number, of any size, that is not deleted."""
    _, found = await search.page(tx, Intersection((EVERYBODY, Numbers((contact_no,)))), (), limit=1, offset=0)
    return found[0] if found else None


async def everybodys_fields(tx: Transaction) -> list[Field]:
    """The fields that every contact may have, in their order; those of one list are not told (9.2)."""
    found = (await fields.by_name(tx)).values()
    return sorted(found, key=lambda each: (each.position is None, each.position or 0, each.field_no))


async def _told(tx: Transaction, contacts: Sequence[Contact]) -> list[dict[str, object]]:
    lists = {each.set_no for contact in contacts for each in contact.sets(SetKind.LIST)}
    at = await joined(tx, lists, [contact.row["contact_no"] for contact in contacts])
    numbers = {each.set_no for contact in contacts for each in contact.sets(SetKind.COMPANY)}
    named = await catalog.by_numbers(tx, SetKind.COMPANY, numbers)
    companies = {number: each.name for number, each in named.items()}
    of_everybody = await everybodys_fields(tx)
    return [contact_formats.details(contact, of_everybody, companies, at) for contact in contacts]


async def _invitations(tx: Transaction, call: Call, contact: Contact) -> list[dict[str, object]]:
    contact_no = contact.row["contact_no"]
    found = await events.by_numbers(tx, [each.set_no for each in contact.sets(SetKind.EVENT)])
    replies = await invitations.replies(tx, list(found), (contact_no,))
    secret = await accounts.secret(tx)
    return [
        {
            "eventId": number,
            "eventCode": event.code,
            "eventStartDateTime": event.starts_at and timestamp(event.starts_at),
            **links.of(call.caller.address, invitations.link(secret, number, contact_no)),
            "response": RESPONSES[replies[number, contact_no].answer],
        }
        for number, event in found.items()
    ]


def _properties(companies: frozenset[int]) -> Properties:
    """By which contacts can be chosen. companies: the numbers of those that are asked for and that there are."""
    modified = Times(Column.UPDATED_AT)
    return {
        "id": filters.numbers,
        **filters.NAMES,
        "externalId": Texts(Profile(EXTERNAL_ID)),
        "status": Choices(_by_status()),
        "smsStatus": Choices(_by_sms_status()),
        "modifiedDate": modified,
        "createdDate": Times(Column.CREATED_AT),
        "fromModifiedDate": modified.bound(Suffix.FROM),
        "toModifiedDate": modified.bound(Suffix.UP_TO),
        "isAnonymised": Choices({"FALSE": EVERYBODY}),
        "companyId": _of_company(companies),
        # Contacts have none.
        "venueId": Choices({}),
        "venueGroupId": Choices({}),
    }


def _by_status() -> Mapping[object, Expression]:
    permissions: dict[object, tuple[str, ...]] = {}
    for permission, code in STATUSES.items():
        permissions[code] = (*permissions.get(code, ()), permission)
    return {code: Matching(OneOf(Column.PERMISSION, named)) for code, named in permissions.items()}


def _by_sms_status() -> Mapping[object, Expression]:
    stored = Profile(SMS_STATUS)
    said: dict[object, Expression] = {code: Matching(ExactlyAmong(stored, (str(code),))) for code in range(1, 5)}
    unsaid = filters.no(Matching(Present(stored)))
    return {**said, contact_formats.NO_SMS_STATUS: Union((said[contact_formats.NO_SMS_STATUS], unsaid))}


def _of_company(companies: frozenset[int]) -> Compare:
    def compare(suffix: Suffix, value: object) -> Expression:
        if suffix is Suffix.NOT:
            return filters.no(compare(Suffix.EQUALS, value))
        if suffix is not Suffix.EQUALS:
            raise Unfit("This property is compared as a whole")
        number = whole_number(value)
        return Members((number,)) if number in companies else NOBODY

    return compare


_READ = (Privilege.CONTACTS_READ,)
ACTIONS: Actions = {
    ("contact", "getContact"): Action(_READ, get_contact),
    ("contact", "getContactList"): Action(_READ, get_contact_list),
    ("contact", "getCustomFieldDefinition"): Action(_READ, get_custom_field_definition),
}
