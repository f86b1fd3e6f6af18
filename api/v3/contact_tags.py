"""Contact tags over the wire (contract v3.md 2.3)."""

from collections.abc import Sequence
from http import HTTPStatus
from typing import Annotated, ClassVar

from aiohttp import web
from pydantic import Field

from api import reading
from api.answers import json_answer
from api.dialects import AnyRoute, Call, Route
from api.reading import Query
from api.v3 import activities, formats
from api.v3.access import READ_TAGS, WITH_404, WITH_404_409, WRITE
from api.v3.bodies import ChangedTag, NewTag
from api.v3.paging import PageQuery, next_links
from api.v3.values import Switch
from engine.operations.tags_delete import DeleteTags
from engine.sets import catalog
from engine.sets.catalog import LARGEST_SET_NO, SetKind


class OneQuery(Query):
    include_count: Switch = False


class TagsQuery(PageQuery):
    positions: ClassVar = frozenset({"after_set_no"})

    include_count: Switch = False
    after_set_no: Annotated[int, Field(ge=0, le=LARGEST_SET_NO)] = 0


async def create(call: Call[Query, NewTag]) -> web.Response:
    body = await call.body()
    async with call.db.account(call.account_id) as tx:
        made = await catalog.create(tx, SetKind.TAG, body.name, source=body.tag_source, most=call.settings.max_tags)
        if body.abbreviation:
            made = await catalog.abbreviate(tx, SetKind.TAG, made.set_id, body.abbreviation)
    return json_answer(formats.tag(made), HTTPStatus.CREATED)


async def one(call: Call[OneQuery]) -> web.Response:
    tag_id = reading.path_uuid(call.request, "tag_id")
    query = call.query()
    async with call.db.account(call.account_id) as tx:
        found = await catalog.find(tx, SetKind.TAG, tag_id)
    shown = formats.counted_tag if query.include_count else formats.tag
    return json_answer(shown(found))


async def change(call: Call[Query, ChangedTag]) -> web.Response:
    tag_id = reading.path_uuid(call.request, "tag_id")
    body = await call.body()
    async with call.db.account(call.account_id) as tx:
        changed = await catalog.change(tx, SetKind.TAG, tag_id, body.name)
        if "abbreviation" in body.model_fields_set:
            changed = await catalog.abbreviate(tx, SetKind.TAG, tag_id, body.abbreviation or None)
    return json_answer(formats.tag(changed))


async def delete(call: Call) -> web.Response:
    """An activity of its own."""
    tag_id = reading.path_uuid(call.request, "tag_id")
    activity = await activities.queue(call, DeleteTags(tag_ids=(tag_id,)))
    return json_answer(formats.tag_deletion(activity), HTTPStatus.ACCEPTED, activities.location(activity))


async def page(call: Call[TagsQuery]) -> web.Response:
    query = call.query()
    async with call.db.account(call.account_id) as tx:
        found = await catalog.page(tx, SetKind.TAG, limit=query.limit + 1, after_set_no=query.after_set_no)
    shown = found[: query.limit]
    show = formats.counted_tag if query.include_count else formats.tag
    answer: formats.TagPage = {"tags": [show(each) for each in shown]}
    if len(found) > query.limit:
        answer["_links"] = next_links(call, query, after_set_no=shown[-1].set_no)
    return json_answer(answer)


ROUTES: Sequence[AnyRoute] = (
    Route(
        "GET",
        "/contact_tags",
        READ_TAGS,
        page,
        WITH_404,
        "getTags",
        "Tags",
        query=TagsQuery,
        answers={200: formats.TagPage},
    ),
    Route(
        "POST",
        "/contact_tags",
        WRITE,
        create,
        WITH_404_409,
        "postTag",
        "Create a tag",
        body=NewTag,
        example={"name": "VIP"},
        answers={201: formats.Tag},
    ),
    Route(
        "GET",
        "/contact_tags/{tag_id}",
        READ_TAGS,
        one,
        WITH_404,
        "getTag",
        "One tag",
        query=OneQuery,
        answers={200: formats.Tag},
    ),
    Route(
        "PUT",
        "/contact_tags/{tag_id}",
        WRITE,
        change,
        WITH_404_409,
        "putTag",
        "Rename a tag",
        body=ChangedTag,
        example={"name": "Very important"},
        answers={200: formats.Tag},
    ),
    Route(
        "DELETE",
        "/contact_tags/{tag_id}",
        WRITE,
        delete,
        WITH_404,
        "deleteTag",
        "Take a tag off all contacts and delete it, as an activity",
        answers={202: formats.TagDeletion},
    ),
)
