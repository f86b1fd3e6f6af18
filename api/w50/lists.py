"""Contact lists and their fields (contract w50.md 3, 7)."""

from collections.abc import Mapping
from types import MappingProxyType

from api.w50.calling import Call
from api.w50.documents import Item, Listing
from engine import fields
from engine.contacts import field_values
from engine.fields import Field, Type
from engine.sets import catalog
from engine.sets.catalog import NamedSet, SetKind

#: What types of fields are called; those that only others know are texts.
MAP_TYPES: Mapping[Type, str] = MappingProxyType(
    {
        "email": "Email",
        "mobile": "Mobile",
        "number": "Number",
        "date": "Date",
        "boolean": "Boolean",
        "choice": "List",
        "choices": "List",
    }
)


async def every(call: Call) -> Listing:
    """GET contactLists."""
    async with call.db.account(call.account_id) as tx:
        found = await catalog.everyone_of(tx, SetKind.LIST)
    return Listing("ContactsList", tuple(map(_shown, found)))


async def one(call: Call) -> Item:
    """GET contactLists/{contactListId}."""
    return _shown(call.list_of_path)


async def fields_of(call: Call) -> Listing:
    """GET contactLists/{contactListId}/fields."""
    async with call.db.account(call.account_id) as tx:
        found = await fields.of_list(tx, call.list_of_path.set_no)
    return Listing("ContactSchemaField", tuple(_field(place, each) for place, each in enumerate(found, 1)))


def _shown(named: NamedSet) -> Item:
    return Item("ContactsList", {"Id": named.set_no, "Name": named.name, "Count": named.member_count})


def _field(place: int, field: Field) -> Item:
    return Item(
        "ContactSchemaField",
        {
            "Id": field.field_no,
            "Name": field.label,
            "DefaultValue": field.default_value,
            "MapType": MAP_TYPES.get(field_values.type_of(field), "Text"),
            "Position": place if field.position is None else field.position,
            "ContactSchemaFieldValues": tuple(
                Item(
                    "ContactSchemaFieldValue",
                    {"Id": choice.choice_no, "Value": choice.value, "Order": order, "InUse": choice.in_use},
                )
                for order, choice in enumerate(field.choices, 1)
            ),
        },
    )
