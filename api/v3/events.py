"""Events over the wire, an extension: invitations themselves are another dialect's."""

from collections.abc import Sequence
from http import HTTPStatus
from typing import Annotated, Any, ClassVar, NotRequired

from aiohttp import web
from pydantic import AfterValidator, Field
from typing_extensions import TypedDict

from api import reading
from api.answers import Time, json_answer, time
from api.dialects import AnyRoute, Call, Route
from api.reading import Query
from api.v3 import activities
from api.v3.access import NO_404, NO_404_409, READ, WITH_404, WITH_404_409, WRITE
from api.v3.bodies import Resource
from api.v3.formats import ShownActivity
from api.v3.paging import Page, PageQuery, next_links
from api.v3.values import Name, OffsetMoment, storable
from engine import events
from engine.operations.sets_delete import DeleteSets
from engine.sets.catalog import LARGEST_SET_NO, SetKind

#: What other dialects call an event's number.
EventId = Annotated[int, Field(ge=1, le=LARGEST_SET_NO)]


class NewEvent(Resource):
    """No other event of the account has its name. One without an end is over when it begins; one without either is not
    over before it is cancelled.
    """

    name: Name
    code: Annotated[str, Field(max_length=255), AfterValidator(storable)] | None = None
    starts_at: OffsetMoment | None = None
    ends_at: OffsetMoment | None = None

    def details(self) -> events.Details:
        return events.Details(**self.model_dump())


class EventsQuery(PageQuery):
    positions: ClassVar = frozenset({"after_event_id"})

    after_event_id: Annotated[int, Field(ge=0, le=LARGEST_SET_NO)] = 0


class Event(TypedDict):
    event_id: EventId
    name: str
    code: NotRequired[str]
    starts_at: NotRequired[Time]
    ends_at: NotRequired[Time]
    cancelled_at: NotRequired[Time]
    invited_count: int
    created_at: Time
    updated_at: Time


class EventPage(Page):
    events: Annotated[list[Event], Field(max_length=500)]


async def create(call: Call[Query, NewEvent]) -> web.Response:
    body = await call.body()
    async with call.db.account(call.account_id) as tx:
        made = await events.create(tx, body.details())
    return json_answer(_shown(made), HTTPStatus.CREATED)


async def one(call: Call) -> web.Response:
    async with call.db.account(call.account_id) as tx:
        found = await events.find_number(tx, _event_id(call))
    return json_answer(_shown(found))


async def change(call: Call[Query, NewEvent]) -> web.Response:
    """What the body leaves out is cleared."""
    event_id, body = _event_id(call), await call.body()
    async with call.db.account(call.account_id) as tx:
        changed = await events.change(tx, event_id, body.details())
    return json_answer(_shown(changed))


async def cancel(call: Call) -> web.Response:
    async with call.db.account(call.account_id) as tx:
        cancelled = await events.cancel(tx, _event_id(call))
    return json_answer(_shown(cancelled))


async def delete(call: Call) -> web.Response:
    """An activity of its own."""
    return await activities.accepted(call, DeleteSets(SetKind.EVENT, (_event_id(call),)))


async def page(call: Call[EventsQuery]) -> web.Response:
    query = call.query()
    async with call.db.account(call.account_id) as tx:
        found = await events.page(tx, limit=query.limit + 1, after_set_no=query.after_event_id)
    shown = found[: query.limit]
    answer: EventPage = {"events": [_shown(each) for each in shown]}
    if len(found) > query.limit:
        answer["_links"] = next_links(call, query, after_event_id=shown[-1].set_no)
    return json_answer(answer)


def _event_id(call: Call[Any, Any]) -> int:
    return reading.path_number(call.request, "event_id", LARGEST_SET_NO)


def _shown(event: events.Event) -> Event:
    shown: Event = {
        "event_id": event.set_no,
        "name": event.name,
        "invited_count": event.member_count,
        "created_at": time(event.created_at),
        "updated_at": time(event.updated_at),
    }
    if event.code is not None:
        shown["code"] = event.code
    if event.starts_at is not None:
        shown["starts_at"] = time(event.starts_at)
    if event.ends_at is not None:
        shown["ends_at"] = time(event.ends_at)
    if event.cancelled_at is not None:
        shown["cancelled_at"] = time(event.cancelled_at)
    return shown


_EXAMPLE = {
    "name": "Gala",
    "code": "GALA26",
    "starts_at": "2036-05-01T18:00:00+00:00",
    "ends_at": "2036-05-01T23:00:00+00:00",
}

ROUTES: Sequence[AnyRoute] = (
    Route(
        "GET",
        "/events",
        READ,
        page,
        NO_404,
        "getEvents",
        "Events",
        query=EventsQuery,
        answers={200: EventPage},
        extension=True,
    ),
    Route(
        "POST",
        "/events",
        WRITE,
        create,
        NO_404_409,
        "postEvent",
        "Make an event, to which contacts may then be invited",
        body=NewEvent,
        example=_EXAMPLE,
        answers={201: Event},
        extension=True,
    ),
    Route(
        "GET",
        "/events/{event_id}",
        READ,
        one,
        WITH_404,
        "getEvent",
        "One event",
        answers={200: Event},
        extension=True,
    ),
    Route(
        "PUT",
        "/events/{event_id}",
        WRITE,
        change,
        WITH_404_409,
        "putEvent",
        "Change an event; what is left out is cleared",
        body=NewEvent,
        example=_EXAMPLE,
        answers={200: Event},
        extension=True,
    ),
    Route(
        "DELETE",
        "/events/{event_id}",
        WRITE,
        delete,
        WITH_404,
        "deleteEvent",
        "Delete an event with its invitations and what was answered, as an activity",
        answers={202: ShownActivity},
        extension=True,
    ),
    Route(
        "POST",
        "/events/{event_id}/cancel",
        WRITE,
        cancel,
        WITH_404,
        "cancelEvent",
        "Call an event off: nobody is invited any more, and nobody answers",
        answers={200: Event},
        extension=True,
    ),
)
