"""All that can be said of custom fields, of everybody's and of those of one list, over the wire: an extension.

`/contact_custom_fields` knows everybody's only, and all but dates as texts.
"""

from collections.abc import Iterable, Mapping, Sequence
from http import HTTPStatus
from typing import Annotated, Any, ClassVar, NotRequired
from uuid import UUID

from aiohttp import web
from pydantic import AfterValidator, StrictBool
from pydantic import Field as Limits
from typing_extensions import TypedDict

from api import reading
from api.answers import Time, json_answer, time
from api.dialects import AnyRoute, Call, Route
from api.reading import Query
from api.v3.access import NOT_FOUND, READ, WITH_404, WITH_404_409, WRITE
from api.v3.bodies import Resource
from api.v3.example_ids import LIST
from api.v3.paging import Page, PageQuery, next_links
from api.v3.values import Label, QueryId, storable
from engine import fields
from engine.database import Transaction
from engine.fields import Definition, Editability, Field, Property, Type
from engine.identifiers import Id
from engine.operations import custom_fields_delete
from engine.sets import catalog
from engine.sets.catalog import SetKind

#: Numbers of fields are int32.
LARGEST_FIELD_ID = 2**31 - 1

#: What other dialects call a field's number.
FieldId = Annotated[int, Limits(ge=1, le=LARGEST_FIELD_ID)]
Value = Annotated[str, Limits(max_length=255), AfterValidator(storable)]
Position = Annotated[int, Limits(ge=0, le=LARGEST_FIELD_ID, strict=True)]


class NewFieldDefinition(Resource):
    """Without `list_id` everybody has the field; `choices` are the possible values, of which none holds a comma;
    `property`, of a list's field, is what of a contact it is another name of.
    """

    label: Label
    type: Type = "string"
    list_id: Id | None = None
    choices: Annotated[tuple[Value, ...], Limits(max_length=500)] = ()
    editability: Editability = "hidden"
    default_value: Value | None = None
    position: Position | None = None
    required: StrictBool = False
    property: Property | None = None

    def definition(self, set_no: int | None) -> Definition:
        return Definition(**self.model_dump(exclude={"list_id"}), set_no=set_no)


class DefinitionsQuery(PageQuery):
    positions: ClassVar = frozenset({"after_field_id"})

    list_id: QueryId | None = None
    after_field_id: Annotated[int, Limits(ge=0, le=LARGEST_FIELD_ID)] = 0


class FieldChoice(TypedDict):
    """One that is not in use any more is kept for the contacts that have it."""

    choice_id: int
    value: str
    in_use: bool


class FieldDefinition(TypedDict):
    """`custom_field_id` is its id where values of contacts are shown."""

    field_id: FieldId
    custom_field_id: UUID
    list_id: NotRequired[UUID]
    label: str
    name: str
    type: Type
    choices: list[FieldChoice]
    editability: Editability
    default_value: NotRequired[str]
    position: NotRequired[int]
    required: bool
    property: NotRequired[Property]
    created_at: Time
    updated_at: Time


class FieldDefinitionPage(Page):
    field_definitions: Annotated[list[FieldDefinition], Limits(max_length=500)]


async def create(call: Call[Query, NewFieldDefinition]) -> web.Response:
    body = await call.body()
    async with call.db.account(call.account_id) as tx:
        said = body.definition(await _set_no(tx, body.list_id))
        made = await fields.create(tx, said, most=call.settings.max_custom_fields)
        [shown] = await _shown(tx, [made])
    return json_answer(shown, HTTPStatus.CREATED)


async def one(call: Call) -> web.Response:
    async with call.db.account(call.account_id) as tx:
        [shown] = await _shown(tx, [await fields.find_number(tx, _field_id(call))])
    return json_answer(shown)


async def change(call: Call[Query, NewFieldDefinition]) -> web.Response:
    """What the body leaves out is as in a new field; values that contacts have stay."""
    field_id, body = _field_id(call), await call.body()
    async with call.db.account(call.account_id) as tx:
        said = body.definition(await _set_no(tx, body.list_id))
        [shown] = await _shown(tx, [await fields.change(tx, field_id, lambda _: said)])
    return json_answer(shown)


async def delete(call: Call) -> web.Response:
    """Nobody sees its values any more; an activity erases them."""
    deleted = await custom_fields_delete.delete_at_once(call.db, call.settings, call.principal, _field_id(call))
    call.services.announce(deleted)
    return web.Response(status=HTTPStatus.NO_CONTENT)


async def page(call: Call[DefinitionsQuery]) -> web.Response:
    query = call.query()
    async with call.db.account(call.account_id) as tx:
        set_no = await _set_no(tx, query.list_id)
        found = await fields.page_of_all_scopes(
            tx, limit=query.limit + 1, after_field_no=query.after_field_id, set_no=set_no
        )
        answer: FieldDefinitionPage = {"field_definitions": await _shown(tx, found[: query.limit])}
    if len(found) > query.limit:
        answer["_links"] = next_links(call, query, after_field_id=found[query.limit - 1].field_no)
    return json_answer(answer)


def _field_id(call: Call[Any, Any]) -> int:
    return reading.path_number(call.request, "field_id", LARGEST_FIELD_ID)


async def _set_no(tx: Transaction, list_id: UUID | None) -> int | None:
    """The list's number. Raises NotFound."""
    return None if list_id is None else (await catalog.find(tx, SetKind.LIST, list_id)).set_no


async def _shown(tx: Transaction, found: Iterable[Field]) -> list[FieldDefinition]:
    found = list(found)
    lists = await catalog.by_numbers(tx, SetKind.LIST, (each.set_no for each in found if each.set_no is not None))
    return [_definition(each, {number: named.set_id for number, named in lists.items()}) for each in found]


def _definition(field: Field, list_ids: Mapping[int, UUID]) -> FieldDefinition:
    shown: FieldDefinition = {
        "field_id": field.field_no,
        "custom_field_id": field.field_id,
        "label": field.label,
        "name": field.name,
        "type": field.type,
        "choices": [
            {"choice_id": choice.choice_no, "value": choice.value, "in_use": choice.in_use} for choice in field.choices
        ],
        "editability": field.editability,
        "required": field.required,
        "created_at": time(field.created_at),
        "updated_at": time(field.updated_at),
    }
    if field.set_no is not None and field.set_no in list_ids:
        shown["list_id"] = list_ids[field.set_no]
    if field.default_value is not None:
        shown["default_value"] = field.default_value
    if field.position is not None:
        shown["position"] = field.position
    if field.property is not None:
        shown["property"] = field.property
    return shown


_EXAMPLE = {"label": "Diet", "type": "choice", "list_id": LIST, "choices": ["None", "Vegan"], "default_value": "None"}

ROUTES: Sequence[AnyRoute] = (
    Route(
        "GET",
        "/field_definitions",
        READ,
        page,
        WITH_404,
        "getFieldDefinitions",
        "Custom fields of everybody and of lists, or of one list",
        query=DefinitionsQuery,
        answers={200: FieldDefinitionPage},
        extension=True,
    ),
    Route(
        "POST",
        "/field_definitions",
        WRITE,
        create,
        WITH_404_409,
        "postFieldDefinition",
        "Define a custom field of everybody or of a list's members",
        body=NewFieldDefinition,
        example=_EXAMPLE,
        answers={201: FieldDefinition},
        extension=True,
    ),
    Route(
        "GET",
        "/field_definitions/{field_id}",
        READ,
        one,
        WITH_404,
        "getFieldDefinition",
        "One custom field, with all that is said of it",
        answers={200: FieldDefinition},
        extension=True,
    ),
    Route(
        "PUT",
        "/field_definitions/{field_id}",
        WRITE,
        change,
        WITH_404_409,
        "putFieldDefinition",
        "Define a custom field anew; what is left out is as in a new one",
        body=NewFieldDefinition,
        example=_EXAMPLE,
        answers={200: FieldDefinition},
        extension=True,
    ),
    Route(
        "DELETE",
        "/field_definitions/{field_id}",
        WRITE,
        delete,
        NOT_FOUND,
        "deleteFieldDefinition",
        "Delete a custom field and its values",
        answers={204: None},
        extension=True,
    ),
)
