"""Segments over the wire (contract v3.md 2.5)."""

import json
from collections.abc import Sequence
from http import HTTPStatus
from typing import Annotated, Any, ClassVar

from aiohttp import web
from pydantic import BeforeValidator, Field

from api import reading
from api.answers import json_answer
from api.dialects import AnyRoute, Call, Route
from api.reading import Query
from api.v3 import formats
from api.v3.access import NO_404_409, READ_LISTS, WITH_404, WITH_404_409, WRITE_LISTS
from api.v3.bodies import NewSegment, SegmentName
from api.v3.paging import PageQuery, next_links
from api.v3.values import Digits
from api.v3.vocabulary import EXAMPLE
from engine.segments import stored
from engine.segments.stored import Order, Place

#: Segment ids are int32.
LARGEST_SEGMENT_ID = 2**31 - 1


def _without_slip(value: object) -> object:
    """The contract's own sample value is the text `sort_by=date`."""
    return value.removeprefix("sort_by=") if isinstance(value, str) else value


class SegmentsQuery(PageQuery):
    positions: ClassVar = frozenset({"after"})

    limit: Annotated[int, Field(ge=1, le=1000), Digits] = 1000
    sort_by: Annotated[Order, BeforeValidator(_without_slip)] = "date"
    after: Place | None = None


async def create(call: Call[Query, NewSegment]) -> web.Response:
    body = await call.body()
    async with call.db.account(call.account_id) as tx:
        made = await stored.create(tx, body.name, body.segment_criteria, most=call.settings.max_segments)
    return json_answer(formats.segment(made), HTTPStatus.CREATED)


async def one(call: Call) -> web.Response:
    """Also a deleted one."""
    segment_id = _segment_id(call)
    async with call.db.account(call.account_id) as tx:
        found = await stored.find(tx, segment_id)
    return json_answer(formats.segment(found))


async def change(call: Call[Query, NewSegment]) -> web.Response:
    segment_id = _segment_id(call)
    body = await call.body()
    async with call.db.account(call.account_id) as tx:
        changed = await stored.change(tx, segment_id, body.name, body.segment_criteria)
    return json_answer(formats.segment(changed))


async def rename(call: Call[Query, SegmentName]) -> web.Response:
    segment_id = _segment_id(call)
    body = await call.body()
    async with call.db.account(call.account_id) as tx:
        renamed = await stored.rename(tx, segment_id, body.name)
    return json_answer(formats.segment(renamed))


async def delete(call: Call) -> web.Response:
    segment_id = _segment_id(call)
    async with call.db.account(call.account_id) as tx:
        await stored.delete(tx, segment_id)
    return web.Response(status=HTTPStatus.NO_CONTENT)


async def page(call: Call[SegmentsQuery]) -> web.Response:
    query = call.query()
    async with call.db.account(call.account_id) as tx:
        found = await stored.page(tx, limit=query.limit + 1, order=query.sort_by, after=query.after)
    shown = found[: query.limit]
    answer: formats.SegmentPage = {"segments": [formats.named_segment(each) for each in shown]}
    if len(found) > query.limit:
        last = shown[-1]
        answer["_links"] = next_links(call, query, after=Place(last.segment_id, last.name, last.edited_at))
    return json_answer(answer)


def _segment_id(call: Call[Any, Any]) -> int:
    return reading.path_number(call.request, "segment_id", LARGEST_SEGMENT_ID)


ROUTES: Sequence[AnyRoute] = (
    Route(
        "GET",
        "/segments",
        READ_LISTS,
        page,
        WITH_404,
        "getSegments",
        "Segments, without their criteria",
        query=SegmentsQuery,
        answers={200: formats.SegmentPage},
    ),
    Route(
        "POST",
        "/segments",
        WRITE_LISTS,
        create,
        NO_404_409,
        "createSegment",
        "Create a segment",
        body=NewSegment,
        example={"name": "Birthday in April", "segment_criteria": json.dumps(EXAMPLE)},
        answers={201: formats.FullSegment},
    ),
    Route(
        "GET",
        "/segments/{segment_id}",
        READ_LISTS,
        one,
        WITH_404,
        "getSegmentDetail",
        "One segment with its criteria, also a deleted one",
        answers={200: formats.FullSegment},
    ),
    Route(
        "PUT",
        "/segments/{segment_id}",
        WRITE_LISTS,
        change,
        WITH_404_409,
        "updateSegment",
        "Change the name and the criteria of a segment",
        body=NewSegment,
        example={"name": "Born in April", "segment_criteria": json.dumps(EXAMPLE)},
        answers={200: formats.FullSegment},
    ),
    Route(
        "PATCH",
        "/segments/{segment_id}/name",
        WRITE_LISTS,
        rename,
        WITH_404_409,
        "updateSegmentName",
        "Rename a segment",
        body=SegmentName,
        example={"name": "Born in April"},
        answers={200: formats.FullSegment},
    ),
    Route(
        "DELETE",
        "/segments/{segment_id}",
        WRITE_LISTS,
        delete,
        WITH_404,
        "deleteSegment",
        "Delete a segment",
        answers={204: None},
    ),
)
