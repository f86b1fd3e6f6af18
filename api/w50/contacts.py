"""Writing contacts of a list, one or all that match, and reading one (contract w50.md 3 to 6)."""

from collections.abc import Iterable, Mapping
from contextlib import suppress

from api.w50 import schema, submitted
from api.w50.calling import Call
from api.w50.documents import Contact
from api.w50.refusals import insist_on_none
from api.w50.schema import Schema
from api.w50.submitted import Submitted
from api.w50.values import Scalar, checked
from engine import accounts, fields
from engine.accounts import Secret
from engine.contacts import field_values, matching, reading, record, sealed_ids
from engine.contacts.decisions import Written
from engine.contacts.matching import Matching
from engine.contacts.record import Row
from engine.database import Transaction
from engine.errors import Invalid, NotFound
from engine.fields import Field
from engine.operations.contact_save import SaveContact
from engine.sets import catalog
from engine.sets.catalog import NamedSet, SetKind
from engine.sets.expressions import Expression

#: Bytes of a body (contract 10).
MOST_BYTES = 2**20
#: Parameters of the query that are no fields (contract 5).
RESERVED = ("match", "customevents")
#: How a list is told of whose numbers are asked for.
LISTS = (SetKind.LIST,)


async def write(call: Call) -> Contact:
    """POST and PUT contactLists/{contactListId}/contact (contract 4)."""
    said = submitted.contact(*await call.body(MOST_BYTES))
    async with call.db.account(call.account_id) as tx:
        of_list = await schema.read(tx, call.list_of_path)
        values = _insisted(of_list.checked(said.values))
        match, calls = of_list.named(call.listed("match")), await schema.events(tx, call)
        contact_no = None if match or said.enc_id is None else await _meant(tx, call, said.enc_id)
    if not match:
        return await _save_one(call, of_list, values, contact_no, calls)
    whom = _whom(of_list, {field: values.get(field) for field in match})
    rest = {field: value for field, value in values.items() if field not in match}
    return await _save_all(call, of_list, said, Matching(whom, field_values.changes(rest), of_list.new(values), calls))


async def change(call: Call) -> Contact:
    """PATCH contactLists/{contactListId}/contact (contract 5)."""
    said = submitted.contact_or_values(*await call.body(MOST_BYTES))
    async with call.db.account(call.account_id) as tx:
        of_list = await schema.read(tx, call.list_of_path)
        match = of_list.named(call.listed("match"))
        if not match:
            raise Invalid("match must name at least one field.")
        whom = _whom(of_list, of_list.checked({field.label: _asked(call, field) for field in match}))
        values, calls = _insisted(of_list.checked(said.values)), await schema.events(tx, call)
    return await _save_all(call, of_list, said, Matching(whom, field_values.changes(values), None, calls))


async def one(call: Call) -> Contact:
    """GET contacts/{contactId} (contract 3). What an id that is nobody's deciphers to is not told."""
    async with call.db.account(call.account_id) as tx:
        secret, found = await accounts.secret(tx), None
        if contact_id := sealed_ids.opened(secret, call.names["contact"]):
            with suppress(NotFound):
                found = await reading.one(tx, contact_id, kinds=LISTS)
        if found is None or found.row["deleted_at"] is not None or not found.sets(SetKind.LIST):
            raise NotFound("There is no such contact.")
        of_list = await schema.read(tx, await _list_of(tx, found))
        return shown(secret, of_list, record.of(found.row))


def shown(secret: Secret, of_list: Schema, row: Row) -> Contact:
    """A contact as one of a list."""
    enc_id = sealed_ids.sealed(secret, row["contact_id"])
    return Contact(enc_id, row["contact_no"], of_list.contact_list.set_no, of_list.shown(row))


async def known(tx: Transaction, call: Call, enc_ids: Iterable[str]) -> dict[str, int]:
    """The numbers of those of the ids that are of contacts of the list."""
    secret = await accounts.secret(tx)
    found = {enc_id: sealed_ids.opened(secret, enc_id) for enc_id in enc_ids}
    contact_ids = {contact_id for contact_id in found.values() if contact_id is not None}
    members = await reading.members_by_id(tx, call.list_of_path.set_no, contact_ids)
    return {enc_id: members[contact_id] for enc_id, contact_id in found.items() if contact_id in members}


async def _list_of(tx: Transaction, contact: reading.Contact) -> NamedSet:
    """The first of its lists that has fields, else the first: those of other dialects have none."""
    list_nos = [each.set_no for each in contact.sets(SetKind.LIST)]
    with_fields = {field.set_no for field in await fields.all_scopes(tx)}
    return await catalog.find_number(
        tx, SetKind.LIST, next((list_no for list_no in list_nos if list_no in with_fields), list_nos[0])
    )


async def _meant(tx: Transaction, call: Call, enc_id: str) -> int:
    """The number of a contact of the list. Raises Invalid when the id is of none."""
    found = await known(tx, call, [enc_id])
    if enc_id not in found:
        raise _unknown(call)
    return found[enc_id]


async def _save_one(
    call: Call, of_list: Schema, values: Mapping[Field, str | None], contact_no: int | None, calls: tuple[int, ...]
) -> Contact:
    changes = of_list.new(values) if contact_no is None else field_values.changes(values)
    try:
        write = SaveContact(contact_no, changes, twins=True, calls=calls)
        return await _stored(call, of_list, await call.services.inline.write(call.principal, write))
    except NotFound:
        raise _unknown(call) from None


async def _save_all(call: Call, of_list: Schema, said: Submitted, wanted: Matching) -> Contact:
    """Several contacts are told of by what was said of them, as nobody is (contract 4, 5)."""
    written = await call.services.together.write(call.principal, wanted.writes)
    if len(written) == 1:
        return await _stored(call, of_list, written[0])
    return Contact(None, 0, of_list.contact_list.set_no, said.values)


async def _stored(call: Call, of_list: Schema, written: Written) -> Contact:
    async with call.db.account(call.account_id) as tx:
        found = await reading.one(tx, written.contact_id)
        return shown(await accounts.secret(tx), of_list, record.of(found.row))


def _insisted(values: dict[Field, str | None]) -> dict[Field, str | None]:
    if not values:
        raise Invalid("Values must have a value of at least one field.")
    return values


def _whom(of_list: Schema, match: Mapping[Field, str | None]) -> Expression:
    """The contacts of the list that have these values. Raises Invalid unless each is one."""
    insist_on_none([f"There must be a value of '{field.label}' to match." for field in match if match[field] is None])
    wanted = {field: value for field, value in match.items() if value is not None}
    return matching.members_with(of_list.contact_list.set_no, wanted)


def _asked(call: Call, field: Field) -> Scalar:
    """What the query has for the field; of several the last."""
    key = fields.key_of(field.label)
    if key in RESERVED:
        raise Invalid(f"'{field.label}' is no name of a field in the query.")
    values = [value for name, value in call.request.query.items() if fields.key_of(name) == key]
    return checked(field.label, values[-1]) if values else None


def _unknown(call: Call) -> Invalid:
    return Invalid(f"EncContactId is not of a contact of contact list {call.list_of_path.set_no}.")
