"""Contact lists over the wire (contract v3.md 2.2)."""

from collections.abc import Mapping, Sequence
from http import HTTPStatus
from typing import Annotated, ClassVar, Literal

from aiohttp import web
from pydantic import AfterValidator, Field

from api import reading
from api.answers import json_answer
from api.dialects import AnyRoute, Call, Route
from api.reading import Query
from api.v3 import activities, formats
from api.v3.access import NO_404, NO_404_409, NOT_FOUND, READ_LISTS, WITH_404, WRITE_LISTS
from api.v3.bodies import NewList
from api.v3.paging import PageQuery, next_links
from api.v3.values import Digits, Listed, SequenceIds, Switch, storable
from engine.database import Transaction
from engine.operations.lists_delete import DeleteLists
from engine.sets import catalog
from engine.sets.catalog import LARGEST_SET_NO, NamedSet, SetKind, Status

Membership = Literal["all", "active"]


class OneQuery(Query):
    include_membership_count: Membership | None = None


class ListsQuery(PageQuery):
    positions: ClassVar = frozenset({"after_set_no"})

    limit: Annotated[int, Field(ge=1, le=1000), Digits] = 50
    include_count: Switch = False
    include_membership_count: Membership | None = None
    name: Annotated[str, Field(max_length=255), AfterValidator(storable)] | None = None
    #: Lists are of e-mail; who asks for other channels too is told of the same ones (contract 2.2).
    channel_type: Literal["email", "sms"] = "email"
    include_sms_membership_count: Switch = False
    statuses: Annotated[tuple[Status, ...], Field(min_length=1, alias="status"), Listed] = ("active",)
    after_set_no: Annotated[int, Field(ge=0, le=LARGEST_SET_NO)] = 0

    @property
    def status(self) -> Status:
        """Active and deleted ones together are all."""
        return self.statuses[0] if len(self.statuses) == 1 else "all"


class XrefsQuery(Query):
    """Contract 2.2: numbers of lists in decimal; they are small, but whoever asks does not know."""

    sequence_ids: SequenceIds


async def create(call: Call[Query, NewList]) -> web.Response:
    body = await call.body()
    async with call.db.account(call.account_id) as tx:
        made = await catalog.create(
            tx,
            SetKind.LIST,
            body.name,
            description=body.description,
            favorite=bool(body.favorite),
            most=call.settings.max_lists,
        )
    return json_answer(formats.contact_list(made), HTTPStatus.CREATED)


async def one(call: Call[OneQuery]) -> web.Response:
    list_id = reading.path_uuid(call.request, "list_id")
    query = call.query()
    async with call.db.account(call.account_id) as tx:
        found = await catalog.find(tx, SetKind.LIST, list_id)
        counts = await _counts(tx, [found], query.include_membership_count)
    return json_answer(formats.contact_list(found, counts.get(found.set_no)))


async def change(call: Call[Query, NewList]) -> web.Response:
    """What the body leaves out is cleared."""
    list_id = reading.path_uuid(call.request, "list_id")
    body = await call.body()
    async with call.db.account(call.account_id) as tx:
        changed = await catalog.change(
            tx, SetKind.LIST, list_id, body.name, description=body.description, favorite=bool(body.favorite)
        )
    return json_answer(formats.contact_list(changed))


async def delete(call: Call) -> web.Response:
    """An activity of its own."""
    list_id = reading.path_uuid(call.request, "list_id")
    activity = await activities.queue(call, DeleteLists(list_ids=(list_id,)))
    return json_answer(formats.list_deletion(activity), HTTPStatus.ACCEPTED, activities.location(activity))


async def xrefs(call: Call[XrefsQuery]) -> web.Response:
    """A list's number is its sequence id."""
    async with call.db.account(call.account_id) as tx:
        found = await catalog.by_numbers(tx, SetKind.LIST, call.query().sequence_ids)
    answer: formats.ListXrefs = {
        "xrefs": [{"sequence_id": str(number), "list_id": each.set_id} for number, each in found.items()]
    }
    return json_answer(answer)


async def page(call: Call[ListsQuery]) -> web.Response:
    query = call.query()
    async with call.db.account(call.account_id) as tx:
        found = await catalog.page(
            tx,
            SetKind.LIST,
            limit=query.limit + 1,
            after_set_no=query.after_set_no,
            name=query.name,
            status=query.status,
        )
        shown = found[: query.limit]
        counts = await _counts(tx, shown, query.include_membership_count)
        answer: formats.ListPage = {"lists": [formats.contact_list(each, counts.get(each.set_no)) for each in shown]}
        if query.include_count:
            answer["lists_count"] = await catalog.count(tx, SetKind.LIST, name=query.name, status=query.status)
    if len(found) > query.limit:
        answer["_links"] = next_links(call, query, after_set_no=shown[-1].set_no)
    return json_answer(answer)


async def _counts(tx: Transaction, lists: Sequence[NamedSet], membership: Membership | None) -> Mapping[int, int]:
    """Members by list: none unless asked for, every one, or only mailable ones."""
    if membership is None:
        return {}
    if membership == "all":
        return {each.set_no: each.member_count for each in lists}
    return await catalog.active_counts(tx, [each.set_no for each in lists])


ROUTES: Sequence[AnyRoute] = (
    Route(
        "GET",
        "/contact_lists",
        READ_LISTS,
        page,
        NO_404,
        "getLists",
        "Contact lists",
        query=ListsQuery,
        answers={200: formats.ListPage},
    ),
    Route(
        "POST",
        "/contact_lists",
        WRITE_LISTS,
        create,
        NO_404_409,
        "createList",
        "Create a list",
        body=NewList,
        example={"name": "News", "description": "Once a month", "favorite": True},
        answers={201: formats.ContactList},
    ),
    Route(
        "GET",
        "/contact_lists/{list_id}",
        READ_LISTS,
        one,
        WITH_404,
        "getList",
        "One list",
        query=OneQuery,
        answers={200: formats.ContactList},
    ),
    Route(
        "PUT",
        "/contact_lists/{list_id}",
        WRITE_LISTS,
        change,
        WITH_404,
        "putList",
        "Change a list; what is left out is cleared",
        body=NewList,
        example={"name": "News and events", "description": "Once a week"},
        answers={200: formats.ContactList},
    ),
    Route(
        "DELETE",
        "/contact_lists/{list_id}",
        WRITE_LISTS,
        delete,
        NOT_FOUND,
        "deleteListActivity",
        "Delete a list and its memberships, as an activity",
        answers={202: formats.ListDeletion},
    ),
    Route(
        "GET",
        "/contact_lists/list_id_xrefs",
        READ_LISTS,
        xrefs,
        WITH_404,
        "getListIdXrefs",
        "Which lists have these sequence ids",
        query=XrefsQuery,
        answers={200: formats.ListXrefs},
    ),
)
