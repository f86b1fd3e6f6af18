"""Contacts over the wire (contract v3.md 2.1)."""

from collections.abc import Collection, Mapping, Sequence
from http import HTTPStatus
from typing import Annotated, Any, ClassVar, Literal, Self, get_args
from uuid import UUID

from aiohttp import web
from pydantic import AfterValidator, Field, model_validator

from api import reading
from api.answers import json_answer
from api.dialects import AnyRoute, Call, Route
from api.reading import Query
from api.v3 import contact_formats
from api.v3.access import NO_404_409, READ, WITH_404, WITH_404_409, WRITE
from api.v3.contact_bodies import ChangedContact, ContactBody, NewContact, ResubscribeBody, SignUpBody
from api.v3.contact_formats import (
    ContactCounts,
    ContactPage,
    ContactXrefs,
    CreatedOrUpdated,
    Include,
    ShownContact,
    SmsHistory,
)
from api.v3.example_ids import CUSTOM_FIELD, LIST, OTHER_LIST, TAG
from api.v3.paging import PageQuery, next_links
from api.v3.segments import LARGEST_SEGMENT_ID
from api.v3.values import Digits, Listed, Moment, QueryId, SequenceIds, Switch, storable
from engine import fields
from engine.contacts import reading as contacts
from engine.contacts.filters import Filter, SmsStatus, Status, Times
from engine.database import Transaction
from engine.operations.contact_create import CreateContact
from engine.operations.contact_delete import DeleteContact
from engine.operations.contact_resubscribe import Resubscribe
from engine.operations.contact_sign_up import SignUp
from engine.operations.contact_update import UpdateContact
from engine.segments import stored
from engine.sets import catalog
from engine.sets import reading as members
from engine.sets.catalog import SetKind
from engine.sets.chunks import LARGEST_NUMBER
from engine.sets.expressions import Expression
from engine.sets.predicates import Column

#: What the answer to resubscribing shows.
RESUBSCRIBED: tuple[Include, ...] = ("list_memberships",)
#: What is included, by the kind of sets it shows.
SETS: Mapping[str, SetKind] = {"list_memberships": SetKind.LIST, "taggings": SetKind.TAG}

#: What `include` may name, in the order in which it is shown.
INCLUDES: tuple[Include, ...] = get_args(Include)
Included = Annotated[tuple[Include, ...], Listed]


class ContactsQuery(PageQuery):
    """Contract 2.1.8."""

    positions: ClassVar = frozenset({"after"})

    statuses: Annotated[tuple[Status, ...], Field(alias="status"), Listed] = ()
    email: Annotated[str, Field(max_length=254), AfterValidator(storable)] | None = None
    lists: Annotated[tuple[QueryId, ...], Field(max_length=25), Listed] | None = None
    tags: Annotated[tuple[QueryId, ...], Field(max_length=50), Listed] | None = None
    segment_id: (
        Annotated[int, Field(ge=1, le=LARGEST_SEGMENT_ID, description="Goes with `limit` and `cursor` only"), Digits]
        | None
    ) = None
    updated_after: Moment | None = None
    updated_before: Moment | None = None
    created_after: Moment | None = None
    created_before: Moment | None = None
    optout_after: Moment | None = None
    optout_before: Moment | None = None
    sms_statuses: Annotated[tuple[SmsStatus, ...], Field(alias="sms_status"), Listed] = ()
    include: Included = ()
    include_count: Switch = False
    after: Annotated[int, Field(ge=0, le=LARGEST_NUMBER)] = 0

    @model_validator(mode="after")
    def _segment_stands_alone(self) -> Self:
        alone = ContactsQuery.model_construct(
            segment_id=self.segment_id, limit=self.limit, cursor=self.cursor, after=self.after
        )
        if self.segment_id is not None and self != alone:
            raise ValueError("segment_id may be combined with limit only")
        return self

    def times(self) -> tuple[Times, ...]:
        """The stretches of time that are asked for."""
        stretches = (
            Times(Column.UPDATED_AT, self.updated_after, self.updated_before),
            Times(Column.CREATED_AT, self.created_after, self.created_before),
            Times(Column.OPT_OUT_DATE, self.optout_after, self.optout_before),
        )
        return tuple(each for each in stretches if (each.after, each.before) != (None, None))


class ContactQuery(Query):
    """Contract 2.1.10."""

    include: Included = ()


class XrefsQuery(Query):
    """Contract 2.1.14."""

    sequence_ids: SequenceIds


class CountsQuery(Query):
    """Contract 2.1.15; the contract's sources spell the one value in two ways (5, 37)."""

    include: Literal["new_subscriber", "new_subscribers"] | None = None


async def page(call: Call[ContactsQuery]) -> web.Response:
    query = call.query()
    async with call.db.account(call.account_id) as tx:
        chosen = await _chosen(tx, query)
        kinds = _kinds(query.include)
        found = await contacts.page(tx, chosen, limit=query.limit + 1, after=query.after, kinds=kinds)
        field_ids = await _field_ids(tx, query.include)
        shown = found[: query.limit]
        answer: ContactPage = {"contacts": [contact_formats.contact(each, query.include, field_ids) for each in shown]}
        if query.include_count:
            answer["contacts_count"] = await members.count(tx, chosen)
    if len(found) > query.limit:
        answer["_links"] = next_links(call, query, after=shown[-1].row["contact_no"])
    return json_answer(answer)


async def create(call: Call[Query, NewContact]) -> web.Response:
    """Contract 2.1.9."""
    body = await call.body()
    made = await call.services.inline.write(call.principal, CreateContact(body.details(), body.create_source))
    return await _shown(call, made.contact_id, _said(body), HTTPStatus.CREATED)


async def one(call: Call[ContactQuery]) -> web.Response:
    """Contract 2.1.10: also a deleted one."""
    contact_id = reading.path_uuid(call.request, "contact_id")
    return await _shown(call, contact_id, call.query().include)


async def update(call: Call[Query, ChangedContact]) -> web.Response:
    """Contract 2.1.11."""
    contact_id = reading.path_uuid(call.request, "contact_id")
    body = await call.body()
    await call.services.inline.write(call.principal, UpdateContact(contact_id, body.details(), body.update_source))
    return await _shown(call, contact_id, _said(body))


async def delete(call: Call) -> web.Response:
    """Contract 2.1.12."""
    contact_id = reading.path_uuid(call.request, "contact_id")
    await call.services.inline.write(call.principal, DeleteContact(contact_id))
    return web.Response(status=HTTPStatus.NO_CONTENT)


async def sign_up(call: Call[Query, SignUpBody]) -> web.Response:
    """Contract 2.1.13."""
    body = await call.body()
    done = await call.services.inline.write(call.principal, SignUp(body.details(), call.settings.confirmed_opt_in))
    answer: CreatedOrUpdated = {"contact_id": done.contact_id, "action": "created" if done.created else "updated"}
    return json_answer(answer, HTTPStatus.CREATED if done.created else HTTPStatus.OK)


async def resubscribe(call: Call[Query, ResubscribeBody]) -> web.Response:
    """Contract 2.1.16; it says nothing of a body, so that of a contact is shown."""
    contact_id = reading.path_uuid(call.request, "contact_id")
    body = await call.body()
    await call.services.inline.write(call.principal, Resubscribe(contact_id, tuple(dict.fromkeys(body.list_ids))))
    return await _shown(call, contact_id, RESUBSCRIBED)


async def xrefs(call: Call[XrefsQuery]) -> web.Response:
    """Contract 2.1.14: a contact's number is its sequence id."""
    asked = [number for number in call.query().sequence_ids if number <= LARGEST_NUMBER]
    async with call.db.account(call.account_id) as tx:
        found = await contacts.ids_by_number(tx, asked)
    answer: ContactXrefs = {
        "xrefs": [{"sequence_id": str(number), "contact_id": contact_id} for number, contact_id in found.items()]
    }
    return json_answer(answer)


async def counts(call: Call[CountsQuery]) -> web.Response:
    """Contract 2.1.15."""
    query = call.query()
    async with call.db.account(call.account_id) as tx:
        found = await contacts.counts(tx)
        answer: ContactCounts = {
            "total": sum(found.values()),
            "explicit": found["explicit"],
            "implicit": found["implicit"],
            "pending": found["pending_confirmation"],
            "unsubscribed": found["unsubscribed"],
        }
        if query.include:
            answer["new_subscriber"] = await contacts.count_new_subscribers(tx)
    return json_answer(answer)


async def sms_history(call: Call) -> web.Response:
    """Contract 2.1.16: nothing is sent from here, so nothing has happened."""
    contact_id = reading.path_uuid(call.request, "contact_id")
    async with call.db.account(call.account_id) as tx:
        await contacts.one(tx, contact_id)
    return json_answer([])


async def _shown(
    call: Call[Any, Any], contact_id: UUID, include: Collection[Include], status: HTTPStatus = HTTPStatus.OK
) -> web.Response:
    async with call.db.account(call.account_id) as tx:
        found = await contacts.one(tx, contact_id, kinds=_kinds(include))
        field_ids = await _field_ids(tx, include)
    return json_answer(contact_formats.contact(found, include, field_ids), status)


def _said(body: ContactBody) -> list[Include]:
    """The sub-resources in a request, which its answer shows (contract 6, 9)."""
    return [name for name in INCLUDES if getattr(body, name) is not None]


def _kinds(include: Collection[Include]) -> list[SetKind]:
    return [SETS[name] for name in include if name in SETS]


async def _field_ids(tx: Transaction, include: Collection[Include]) -> Mapping[int, UUID]:
    return await fields.ids(tx) if "custom_fields" in include else {}


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
        sms_statuses=frozenset(query.sms_statuses),
        times=query.times(),
    ).expression()


async def _numbers(tx: Transaction, kind: SetKind, ids: tuple[UUID, ...] | None) -> tuple[int, ...] | None:
    """The sets' numbers; what does not exist has no members."""
    if ids is None:
        return None
    return tuple(named.set_no for named in (await catalog.by_ids(tx, kind, ids)).values())


ROUTES: Sequence[AnyRoute] = (
    Route(
        "GET",
        "/contacts",
        READ,
        page,
        WITH_404,
        "getContacts",
        "Contacts, filtered",
        query=ContactsQuery,
        answers={200: ContactPage},
    ),
    Route(
        "POST",
        "/contacts",
        WRITE,
        create,
        NO_404_409,
        "postContact",
        "Create a contact",
        body=NewContact,
        example={
            "create_source": "Account",
            "email_address": {"address": "kim@example.org", "permission_to_send": "explicit"},
            "first_name": "Kim",
            "anniversary": "2006-11-15",
            "custom_fields": [{"custom_field_id": CUSTOM_FIELD, "value": "blue"}],
            "phone_numbers": [{"phone_number": "+49 30 1234567", "kind": "mobile"}],
            "street_addresses": [{"kind": "home", "street": "Am Markt 1", "city": "Berlin", "country": "Germany"}],
            "list_memberships": [LIST],
            "taggings": [TAG],
        },
        answers={201: ShownContact},
    ),
    Route(
        "GET",
        "/contacts/contact_id_xrefs",
        READ,
        xrefs,
        WITH_404,
        "getContactIdXrefs",
        "The ids of contacts by their sequence ids",
        query=XrefsQuery,
        answers={200: ContactXrefs},
    ),
    Route(
        "GET",
        "/contacts/counts",
        READ,
        counts,
        WITH_404,
        "getContactsCounts",
        "How many contacts there are, by permission",
        query=CountsQuery,
        answers={200: ContactCounts},
    ),
    Route(
        "POST",
        "/contacts/sign_up_form",
        WRITE,
        sign_up,
        WITH_404_409,
        "postSignUpForm",
        "Create or change the contact with an e-mail address, and put it on lists",
        body=SignUpBody,
        example={"email_address": "kim@example.org", "first_name": "Kim", "list_memberships": [LIST]},
        answers={200: CreatedOrUpdated, 201: CreatedOrUpdated},
    ),
    Route(
        "GET",
        "/contacts/sms_engagement_history/{contact_id}",
        READ,
        sms_history,
        WITH_404,
        "getContactSMSEngagementHistory",
        "What happened on a contact's text message channel",
        answers={200: list[SmsHistory]},
    ),
    Route(
        "PUT",
        "/contacts/resubscribe/{contact_id}",
        WRITE,
        resubscribe,
        WITH_404_409,
        "putContactResubscribe",
        "Opt in again, once, a contact who had unsubscribed",
        body=ResubscribeBody,
        example={"list_ids": [LIST]},
        answers={200: ShownContact},
    ),
    Route(
        "GET",
        "/contacts/{contact_id}",
        READ,
        one,
        WITH_404,
        "getContact",
        "One contact, also a deleted one",
        query=ContactQuery,
        answers={200: ShownContact},
    ),
    Route(
        "PUT",
        "/contacts/{contact_id}",
        WRITE,
        update,
        WITH_404_409,
        "putContact",
        "Change a contact, or revive a deleted one",
        body=ChangedContact,
        example={
            "update_source": "Account",
            "email_address": {"address": "kim@example.org"},
            "first_name": "Kim",
            "last_name": "Ode",
            "list_memberships": [LIST, OTHER_LIST],
        },
        answers={200: ShownContact},
    ),
    Route(
        "DELETE",
        "/contacts/{contact_id}",
        WRITE,
        delete,
        WITH_404,
        "deleteContact",
        "Delete a contact",
        answers={204: None},
    ),
)
