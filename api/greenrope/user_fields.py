"""User-defined fields: custom fields, of everybody or of a group (contract greenrope.md 6.3, 6.4).

A field that is another name of what contacts have anyway, as other dialects know them, is none of them.
"""

from collections.abc import Mapping
from dataclasses import replace
from types import MappingProxyType

from api.greenrope import groups
from api.greenrope.answers import SUCCESS, Listed, Record
from api.greenrope.calling import Call
from api.greenrope.refusals import AlreadyThere
from api.greenrope.values import not_longer, one_of, shown, written_time
from engine import fields
from engine.database import Database, Transaction
from engine.errors import Invalid, NameTaken, UnknownField
from engine.fields import COMMA, Definition, Editability, Field, Type
from engine.operations import custom_fields_delete
from engine.principals import Principal, Privilege

#: What stands for all groups.
ALL = "All"
#: What the kinds of fields are called here; those that only others know are texts.
TYPES: Mapping[str, Type] = MappingProxyType(
    {"Select": "choice", "Checkbox": "choices", "Text": "text", "ShortText": "string", "Date": "date"}
)
EDITABILITIES: Mapping[str, Editability] = MappingProxyType(
    {"Hidden": "hidden", "Visible": "visible", "Editable": "editable"}
)
_TYPE_NAMES: Mapping[str, str] = MappingProxyType({of_engine: name for name, of_engine in TYPES.items()})


async def every(call: Call) -> Record:
    """GetUserDefinedFields: by number, or only those changed after a time."""
    principal, after = call.principal(Privilege.CONTACTS_READ), call.attributes.timestamp("updated_timestamp")
    async with call.db.account(principal.account_id) as tx:
        found = await fields.with_values(tx)
    told = [_told(each) for each in found if after is None or each.updated_at.replace(microsecond=0) > after]
    return Record((SUCCESS, ("UserDefinedFields", Listed("UserDefinedField", told))))


async def add(call: Call) -> Record:
    """AddUserDefinedField. Raises UnknownGroup, AlreadyThere, and Invalid."""
    principal, group_no = call.principal(Privilege.CONTACTS_WRITE), call.attributes.number("group_id")
    if group_no is None:
        raise Invalid("the attribute group_id is missing; 0 is all groups")
    said = _said(call, Definition(_name(call), "text"))
    try:
        async with call.db.account(principal.account_id) as tx:
            said = replace(said, set_no=await _scope(tx, group_no))
            made = await fields.create(tx, said, most=call.services.settings.max_custom_fields)
    except NameTaken:
        raise await _already_there(call.db, principal.account_id, said) from None
    return _written(principal, made)


async def edit(call: Call) -> Record:
    """EditUserDefinedField: the name says which; a group_id moves it. Raises as `add`, and UnknownField."""
    principal, group_no = call.principal(Privilege.CONTACTS_WRITE), call.attributes.number("group_id")
    said = _said(call, Definition(_name(call)))
    try:
        async with call.db.account(principal.account_id) as tx:
            scope = None if group_no is None else await _scope(tx, group_no)
            found = await _named(tx, said.label, group_no)
            said = replace(said, set_no=found.set_no if group_no is None else scope)
            changed = await fields.change(
                tx, found.field_no, lambda before: replace(_said(call, before.definition()), set_no=said.set_no)
            )
    except NameTaken:
        raise await _already_there(call.db, principal.account_id, said) from None
    return _written(principal, changed)


async def delete(call: Call) -> Record:
    """DeleteUserDefinedField: its values are gone at once. Raises UnknownField."""
    principal, name = call.principal(Privilege.CONTACTS_WRITE), _name(call)
    async with call.db.account(principal.account_id) as tx:
        found = await _named(tx, name, call.attributes.number("group_id"))
    services = call.services
    services.announce(
        await custom_fields_delete.delete_at_once(services.db, services.settings, principal, found.field_no)
    )
    return Record((SUCCESS,))


def _told(field: Field) -> Record:
    return Record(
        (
            ("Group", ALL if field.set_no is None else str(field.set_no)),
            ("UserFieldID", str(field.field_no)),
            ("FieldName", field.label),
            ("FieldType", _TYPE_NAMES.get(field.type, "Text")),
            ("PossibleValues", COMMA.join(field.values())),
            ("ContactEditable", field.editability.capitalize()),
            ("UpdatedTimeStamp", written_time(field.updated_at)),
        )
    )


def _written(principal: Principal, field: Field) -> Record:
    return Record(
        (
            SUCCESS,
            ("UserFieldID", str(field.field_no)),
            ("AccountNumber", str(principal.account_id)),
            ("UpdatedTimeStamp", written_time(field.updated_at)),
        )
    )


def _name(call: Call) -> str:
    name = call.text("FieldName")
    if not name:
        raise Invalid("FieldName is missing")
    return not_longer("FieldName", name)


def _said(call: Call, before: Definition) -> Definition:
    """The definition with what the request says instead of what was. Raises Invalid."""
    if kind := call.text("FieldType"):
        before = replace(before, type=one_of("FieldType", kind, TYPES))
    if before.type not in fields.CHOOSING:
        before = replace(before, choices=())
    if editable := call.text("ContactEditable"):
        before = replace(before, editability=one_of("ContactEditable", editable, EDITABILITIES))
    if (values := call.text("PossibleValues")) is not None:
        choices = tuple(filter(None, map(str.strip, values.split(COMMA))))
        before = replace(before, choices=choices)
    return before


async def _scope(tx: Transaction, group_no: int) -> int | None:
    """The list of the fields of a group; None for all groups, 0. Raises UnknownGroup."""
    return (await groups.numbered(tx, group_no)).set_no if group_no else None


async def _named(tx: Transaction, name: str, group_no: int | None) -> Field:
    """The field of this name; of several that of the group. Raises UnknownField, and Invalid when that is none.

    A name is of one field within a group, not within the account: the group decides only where it has to.
    """
    found = [each for each in await fields.with_values(tx) if fields.key_of(each.label) == fields.key_of(name)]
    if not found:
        raise UnknownField(f"User-defined field {shown(name)} does not exist")
    of_group = [each for each in found if group_no is not None and (each.set_no or 0) == group_no]
    if len(found) > 1 and not of_group:
        raise Invalid(f"{len(found)} user-defined fields are called {shown(name)}: group_id must say whose is meant")
    return of_group[0] if of_group else found[0]


async def _already_there(db: Database, account_id: int, said: Definition) -> AlreadyThere:
    """The refusal of a name that another field has, with that field's number."""
    async with db.account(account_id) as tx:
        known = await fields.all_scopes(tx)
    numbers = [
        f"ID {each.field_no}"
        for each in known
        if each.set_no == said.set_no and fields.key_of(each.label) == fields.key_of(said.label)
    ]
    return AlreadyThere(f"A field with this name already exists ({', '.join(numbers) or 'it is being deleted'})")
