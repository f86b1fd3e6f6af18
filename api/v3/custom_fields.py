"""Custom fields of contacts over the wire (contract v3.md 2.4)."""

from collections.abc import Sequence
from dataclasses import replace
from http import HTTPStatus
from typing import Annotated, ClassVar

from aiohttp import web
from pydantic import Field as Limits

from api import reading
from api.answers import json_answer
from api.dialects import AnyRoute, Call, Route
from api.reading import Query
from api.v3 import formats
from api.v3.access import NO_404, NO_404_409, NOT_FOUND, READ, WITH_404, WRITE
from api.v3.bodies import NewCustomField
from api.v3.paging import PageQuery, next_links
from api.v3.values import Digits
from engine import fields
from engine.errors import Invalid
from engine.fields import Definition, Field
from engine.operations import custom_fields_delete


class CustomFieldsQuery(PageQuery):
    positions: ClassVar = frozenset({"after_field_no"})

    limit: Annotated[int, Limits(ge=1, le=100), Digits] = 50
    after_field_no: Annotated[int, Limits(ge=0, lt=2**31)] = 0


async def create(call: Call[Query, NewCustomField]) -> web.Response:
    body = await call.body()
    async with call.db.account(call.account_id) as tx:
        made = await fields.create(tx, Definition(body.label, body.type), most=call.settings.max_custom_fields)
    return json_answer(formats.custom_field(made), HTTPStatus.CREATED)


async def one(call: Call) -> web.Response:
    field_id = reading.path_uuid(call.request, "custom_field_id")
    async with call.db.account(call.account_id) as tx:
        found = await fields.find(tx, field_id)
    return json_answer(formats.custom_field(found))


async def change(call: Call[Query, NewCustomField]) -> web.Response:
    """Another label gives the field another name; it keeps its type."""
    field_id = reading.path_uuid(call.request, "custom_field_id")
    body = await call.body()

    def relabelled(field: Field) -> Definition:
        if (of_type := formats.field_type(field)) != body.type:
            raise Invalid(f"type cannot be changed: this custom field is of type {of_type}")
        return replace(field.definition(), label=body.label)

    async with call.db.account(call.account_id) as tx:
        found = await fields.find(tx, field_id)
        changed = await fields.change(tx, found.field_no, relabelled)
    return json_answer(formats.custom_field(changed))


async def delete(call: Call) -> web.Response:
    """Nobody sees its values any more; an activity erases them."""
    field_id = reading.path_uuid(call.request, "custom_field_id")
    async with call.db.account(call.account_id) as tx:
        number = (await fields.find(tx, field_id)).field_no
    call.services.announce(await custom_fields_delete.delete_at_once(call.db, call.settings, call.principal, number))
    return web.Response(status=HTTPStatus.NO_CONTENT)


async def page(call: Call[CustomFieldsQuery]) -> web.Response:
    query = call.query()
    async with call.db.account(call.account_id) as tx:
        found = await fields.page(tx, limit=query.limit + 1, after_field_no=query.after_field_no)
    shown = found[: query.limit]
    answer: formats.CustomFieldPage = {"custom_fields": [formats.custom_field(each) for each in shown]}
    if len(found) > query.limit:
        answer["_links"] = next_links(call, query, after_field_no=shown[-1].field_no)
    return json_answer(answer)


ROUTES: Sequence[AnyRoute] = (
    Route(
        "GET",
        "/contact_custom_fields",
        READ,
        page,
        NO_404,
        "getCustomFields",
        "Custom fields",
        query=CustomFieldsQuery,
        answers={200: formats.CustomFieldPage},
    ),
    Route(
        "POST",
        "/contact_custom_fields",
        WRITE,
        create,
        NO_404_409,
        "postCustomFields",
        "Create a custom field",
        body=NewCustomField,
        example={"label": "Favourite colour", "type": "string"},
        answers={201: formats.CustomField},
    ),
    Route(
        "GET",
        "/contact_custom_fields/{custom_field_id}",
        READ,
        one,
        WITH_404,
        "getCustomField",
        "One custom field",
        answers={200: formats.CustomField},
    ),
    Route(
        "PUT",
        "/contact_custom_fields/{custom_field_id}",
        WRITE,
        change,
        WITH_404,
        "putCustomField",
        "Change the label of a custom field, and with it its name",
        body=NewCustomField,
        example={"label": "Colour", "type": "string"},
        answers={200: formats.CustomField},
    ),
    Route(
        "DELETE",
        "/contact_custom_fields/{custom_field_id}",
        WRITE,
        delete,
        NOT_FOUND,
        "deleteCustomField",
        "Delete a custom field and its values",
        answers={204: None},
    ),
)
