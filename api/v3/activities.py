"""Activities over the wire: submitting, watching, cancelling, retrying (contract v3.md 3)."""

from collections.abc import Sequence
from http import HTTPStatus
from typing import Annotated, Any, ClassVar, Literal
from uuid import UUID

from aiohttp import web
from pydantic import Field

from api import reading
from api.answers import json_answer
from api.dialects import AnyRoute, Call, Route
from api.reading import Query
from api.v3 import formats
from api.v3.access import WITH_404, WITH_404_409, WRITE
from api.v3.paging import PageQuery, next_links
from api.v3.values import Digits, Text
from engine.activities import reading as activities
from engine.activities import submission
from engine.activities.model import Activity, State
from engine.activities.operation import Request
from engine.activities.reading import NEWEST, ErrorPosition
from engine.activities.submission import Submitted
from engine.errors import ItemError
from engine.sets.chunks import LARGEST_NUMBER

#: Strings in `activity_errors` of each activity in a page of them; the activity itself has all.
ERRORS_IN_PAGE = 100

Number = Annotated[int, Field(ge=0, le=NEWEST)]


class OneQuery(Query):
    """`wait`, an extension: seconds to hold the answer until the activity has ended."""

    wait: Annotated[int, Field(ge=0, le=60), Digits] = 0


class ActivitiesQuery(PageQuery):
    """Contract 3.11."""

    positions: ClassVar = frozenset({"before"})

    state: Literal["processing", "completed", "cancelled", "failed", "timed_out"] | None = None
    before: Number = NEWEST


class ErrorsQuery(PageQuery):
    """Which errors of one activity."""

    positions: ClassVar = frozenset({"error_no", "code", "contact_no"})

    error_no: Annotated[int, Field(ge=-1, le=NEWEST)] = -1
    code: Text = ""
    contact_no: Annotated[int, Field(ge=0, le=LARGEST_NUMBER)] = 0


async def submitted(call: Call[Any, Any], request: Request) -> web.Response:
    """Queues the request and answers 201 with its activity."""
    return _created(await queue(call, request))


async def accepted(call: Call[Any, Any], request: Request) -> web.Response:
    """Queues the request and answers 202 with its activity: what is deleted is not gone yet."""
    activity = await queue(call, request)
    return json_answer(formats.activity(activity), HTTPStatus.ACCEPTED, location(activity))


async def queue(call: Call[Any, Any], request: Request) -> Activity:
    """Queues the request; the workers are told of its activity."""
    return _announced(call, await call.services.intake.submit(call.principal, request))


async def cancel(call: Call) -> web.Response:
    """An extension: 200 with the activity, 409 when it has ended."""
    activity_id = reading.path_uuid(call.request, "activity_id")
    cancelled = await submission.cancel(call.db, call.settings, call.principal, activity_id)
    return await _shown(call, call.services.announce(cancelled))


async def retry(call: Call) -> web.Response:
    """An extension: 201 with the new activity, 409 when the old one has not ended."""
    activity_id = reading.path_uuid(call.request, "activity_id")
    return _created(_announced(call, await submission.retry(call.db, call.settings, call.principal, activity_id)))


async def one(call: Call[OneQuery]) -> web.Response:
    """Contract 3.12."""
    activity_id = reading.path_uuid(call.request, "activity_id")
    query = call.query()
    activity = await _find(call, activity_id)
    if query.wait and not activity.state.is_final:
        with call.services.metrics.waiting.track_inprogress():
            activity = await call.services.finality.wait(activity, query.wait)
    return await _shown(call, activity)


async def page(call: Call[ActivitiesQuery]) -> web.Response:
    """Contract 3.11, newest first."""
    query = call.query()
    found = await activities.page(
        call.db,
        call.settings,
        call.account_id,
        limit=query.limit + 1,
        state=State(query.state) if query.state else None,
        before=query.before,
    )
    shown = found[: query.limit]
    told = await _errors(call, shown, ERRORS_IN_PAGE)
    answer: formats.ActivityPage = {
        "activities": [formats.activity(each, told.get(each.sequence, ())) for each in shown]
    }
    if len(found) > query.limit:
        answer["_links"] = next_links(call, query, before=shown[-1].sequence)
    return json_answer(answer)


async def errors(call: Call[ErrorsQuery]) -> web.Response:
    """An extension: every item that was not done as asked, page by page."""
    activity_id = reading.path_uuid(call.request, "activity_id")
    query = call.query()
    activity = await _find(call, activity_id)
    position = ErrorPosition(query.error_no, query.code, query.contact_no)
    async with call.db.account(call.account_id) as tx:
        found = await activities.errors(tx, activity, limit=query.limit, after=position)
    answer: formats.ErrorPage = {"errors": [formats.item_error(error) for error in found.errors]}
    if at := found.next:
        answer["_links"] = next_links(call, query, error_no=at.error_no, code=at.code, contact_no=at.contact_no)
    return json_answer(answer)


def _announced(call: Call[Any, Any], queued: Submitted) -> Activity:
    activity = call.services.announce(queued)
    call.services.metrics.submitted(activity.kind)
    return activity


def _created(activity: Activity) -> web.Response:
    return json_answer(formats.activity(activity), HTTPStatus.CREATED, location(activity))


def location(activity: Activity) -> dict[str, str]:
    """The header that says where the activity is (contract 1.3)."""
    return {"Location": formats.activity_path(activity)}


async def _shown(call: Call[Any, Any], activity: Activity) -> web.Response:
    told = await _errors(call, [activity], formats.MOST_ERRORS)
    return json_answer(formats.activity(activity, told.get(activity.sequence, ())))


async def _find(call: Call[Any, Any], activity_id: UUID) -> Activity:
    return await activities.find(call.db, call.settings, call.account_id, activity_id)


async def _errors(call: Call[Any, Any], shown: Sequence[Activity], most: int) -> dict[int, Sequence[ItemError]]:
    """The first errors of those activities that have some, by sequence."""
    wrong = [each for each in shown if each.error_count or each.failure]
    if not wrong:
        return {}
    async with call.db.account(call.account_id) as tx:
        return {each.sequence: (await activities.errors(tx, each, limit=most)).errors for each in wrong}


ROUTES: Sequence[AnyRoute] = (
    Route(
        "GET",
        "/activities",
        WRITE,
        page,
        WITH_404,
        "getActivityStatusCollection",
        "The activities of the past days, newest first",
        query=ActivitiesQuery,
        answers={200: formats.ActivityPage},
    ),
    Route(
        "GET",
        "/activities/{activity_id}",
        WRITE,
        one,
        WITH_404,
        "getActivity",
        "One activity, as it is now",
        query=OneQuery,
        answers={200: formats.ShownActivity},
    ),
    Route(
        "GET",
        "/activities/{activity_id}/errors",
        WRITE,
        errors,
        WITH_404,
        "getActivityErrors",
        "Every item that was not done as asked",
        query=ErrorsQuery,
        answers={200: formats.ErrorPage},
        extension=True,
    ),
    Route(
        "POST",
        "/activities/{activity_id}/cancel",
        WRITE,
        cancel,
        WITH_404_409,
        "postActivityCancel",
        "Cancel an activity before it begins, or between its batches",
        answers={200: formats.ShownActivity},
        extension=True,
    ),
    Route(
        "POST",
        "/activities/{activity_id}/retry",
        WRITE,
        retry,
        WITH_404_409,
        "postActivityRetry",
        "Submit an ended activity again, as a new one",
        answers={201: formats.ShownActivity},
        extension=True,
    ),
)
