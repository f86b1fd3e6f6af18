"""Contacts over the wire (contract v3.md 2.1)."""

from collections.abc import Mapping
from typing import Annotated, Any, ClassVar, Self
from uuid import UUID

from aiohttp import web
from pydantic import AfterValidator, Field, model_validator

from api.answers import json_answer
from api.dialects import Call
from api.v3 import contact_formats
from api.v3.contact_formats import ContactPage, Include
from api.v3.paging import PageQuery, next_links
from api.v3.values import Digits, Listed, QueryId, Switch, storable
from engine import contacts, fields
from engine.contacts import Filter, Status
from engine.database import Transaction
from engine.segments import stored
from engine.sets import catalog
from engine.sets import reading as members
from engine.sets.catalog import SetKind
from engine.sets.chunks import LARGEST_NUMBER
from engine.sets.expressions import Expression

#: What is included, by the kind of sets it shows.
SETS: Mapping[str, SetKind] = {"list_memberships": SetKind.LIST, "taggings": SetKind.TAG}

#: Filters of the contract that are not served yet: ignoring one would answer with contacts nobody asked for.
NOT_SERVED = (
    "updated_after",
    "updated_before",
    "created_after",
    "created_before",
    "optout_after",
    "optout_before",
    "sms_status",
)


class ContactsQuery(PageQuery):
    """Contract 2.1.8."""

    positions: ClassVar = frozenset({"after"})

    statuses: Annotated[tuple[Status, ...], Field(alias="status"), Listed] = ()
    email: Annotated[str, Field(max_length=254), AfterValidator(storable)] | None = None
    lists: Annotated[tuple[QueryId, ...], Field(max_length=25), Listed] | None = None
    tags: Annotated[tuple[QueryId, ...], Field(max_length=50), Listed] | None = None
    segment_id: Annotated[int, Field(ge=1, le=2**31 - 1), Digits] | None = None
    include: Annotated[tuple[Include, ...], Listed] = ()
    include_count: Switch = False
    after: Annotated[int, Field(ge=0, le=LARGEST_NUMBER)] = 0

    @model_validator(mode="after")
    def _segment_stands_alone(self) -> Self:
        others = ("statuses", "email", "lists", "tags", "include", "include_count")
        if self.segment_id is not None and any(getattr(self, name) not in (None, (), False) for name in others):
            raise ValueError("segment_id may be combined with limit only")
        return self

    @model_validator(mode="before")
    @classmethod
    def _knows_its_filters(cls, values: Any) -> Any:
        for name in NOT_SERVED:
            if name in values:
                raise ValueError(f"{name} is not supported yet")
        return values


async def page(call: Call[ContactsQuery]) -> web.Response:
    query = call.query()
    async with call.db.account(call.account_id) as tx:
        chosen = await _chosen(tx, query)
        kinds = [SETS[name] for name in query.include if name in SETS]
        found = await contacts.page(tx, chosen, limit=query.limit + 1, after=query.after, kinds=kinds)
        field_ids = await fields.ids(tx) if "custom_fields" in query.include else {}
        shown = found[: query.limit]
        answer: ContactPage = {"contacts": [contact_formats.contact(each, query.include, field_ids) for each in shown]}
        if query.include_count:
            answer["contacts_count"] = await members.count(tx, chosen)
    if len(found) > query.limit:
        answer["_links"] = next_links(call, query, after=shown[-1].row["contact_no"])
    return json_answer(answer)


async def _chosen(tx: Transaction, query: ContactsQuery) -> Expression:
    segment = None
    if query.segment_id is not None:
        segment = await stored.resolve(tx, await stored.criteria_of(tx, query.segment_id))
    return Filter(
        email=query.email,
        lists=await _numbers(tx, SetKind.LIST, query.lists),
        tags=await _numbers(tx, SetKind.TAG, query.tags),
        segment=segment,
        statuses=frozenset(query.statuses),
    ).expression()


async def _numbers(tx: Transaction, kind: SetKind, ids: tuple[UUID, ...] | None) -> tuple[int, ...] | None:
    """The sets' numbers; what does not exist has no members."""
    if ids is None:
        return None
    return tuple(named.set_no for named in (await catalog.by_ids(tx, kind, ids)).values())
