"""Hooks over the wire: addresses of other programs that are told of contacts. An extension."""

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
from api.v3.access import ADMINISTER, NO_404, NO_404_409, WITH_404, WITH_404_409
from api.v3.bodies import Resource
from api.v3.paging import Page, PageQuery, next_links
from api.v3.values import Digits, Name, storable
from engine import hook_calls, hooks
from engine.addresses import NOT_PUBLIC, names_private
from engine.errors import Invalid
from engine.hook_calls import PastCall
from engine.hooks import URL_LENGTH

#: Hook ids are int32.
LARGEST_HOOK_ID = 2**31 - 1

HookId = Annotated[int, Field(ge=1, le=LARGEST_HOOK_ID)]


class NewHook(Resource):
    """Where a hook goes: `http://` or `https://`, in ASCII."""

    name: Name
    url: Annotated[str, Field(max_length=URL_LENGTH), AfterValidator(storable)]


class HooksQuery(PageQuery):
    positions: ClassVar = frozenset({"after_hook_id"})

    after_hook_id: Annotated[int, Field(ge=0, le=LARGEST_HOOK_ID)] = 0


class CallsQuery(Query):
    limit: Annotated[int, Field(ge=1, le=500), Digits] = 50


class Hook(TypedDict):
    """`secret` is shown when the hook is made and never again."""

    hook_id: HookId
    name: str
    url: str
    created_at: Time
    secret: NotRequired[str]


class HookPage(Page):
    hooks: Annotated[list[Hook], Field(max_length=500)]


class HookCall(TypedDict):
    """A call that has not ended is still to be made, for the first time or again."""

    call_id: str
    contacts_count: int
    attempts: int
    created_at: Time
    ended_at: NotRequired[Time]
    outcome: NotRequired[str]


class HookCalls(TypedDict):
    hook_calls: Annotated[list[HookCall], Field(max_length=500)]


async def create(call: Call[Query, NewHook]) -> web.Response:
    body = await _said(call)
    async with call.db.account(call.account_id) as tx:
        made = await hooks.create(tx, body.name, body.url, most=call.settings.max_hooks)
    return json_answer({**_shown(made), "secret": made.secret}, HTTPStatus.CREATED)


async def one(call: Call) -> web.Response:
    async with call.db.account(call.account_id) as tx:
        found = await hooks.find_number(tx, _hook_id(call))
    return json_answer(_shown(found))


async def change(call: Call[Query, NewHook]) -> web.Response:
    hook_id, body = _hook_id(call), await _said(call)
    async with call.db.account(call.account_id) as tx:
        changed = await hooks.change(tx, hook_id, body.name, body.url)
    return json_answer(_shown(changed))


async def delete(call: Call) -> web.Response:
    async with call.db.account(call.account_id) as tx:
        await hooks.delete(tx, _hook_id(call))
    return web.Response(status=HTTPStatus.NO_CONTENT)


async def page(call: Call[HooksQuery]) -> web.Response:
    query = call.query()
    async with call.db.account(call.account_id) as tx:
        found = await hooks.page(tx, limit=query.limit + 1, after=query.after_hook_id)
    shown = found[: query.limit]
    answer: HookPage = {"hooks": [_shown(each) for each in shown]}
    if len(found) > query.limit:
        answer["_links"] = next_links(call, query, after_hook_id=shown[-1].hook_no)
    return json_answer(answer)


async def calls(call: Call[CallsQuery]) -> web.Response:
    """The last calls of a hook, the latest first."""
    hook_id, query = _hook_id(call), call.query()
    async with call.db.account(call.account_id) as tx:
        await hooks.find_number(tx, hook_id)
        found = await hook_calls.last_of(tx, hook_id, limit=query.limit)
    return json_answer(HookCalls(hook_calls=[_call_shown(each) for each in found]))


async def _said(call: Call[Query, NewHook]) -> NewHook:
    """The body. Raises Invalid for a URL that would not be called."""
    body = await call.body()
    if names_private(body.url) and not call.settings.hooks_to_private_addresses:
        raise Invalid(f"url does not have a valid value: {NOT_PUBLIC}")
    return body


def _hook_id(call: Call[Any, Any]) -> int:
    return reading.path_number(call.request, "hook_id", LARGEST_HOOK_ID)


def _shown(hook: hooks.Hook) -> Hook:
    return {"hook_id": hook.hook_no, "name": hook.name, "url": hook.url, "created_at": time(hook.created_at)}


def _call_shown(past: PastCall) -> HookCall:
    shown: HookCall = {
        "call_id": str(past.call_id),
        "contacts_count": past.contacts,
        "attempts": past.attempts,
        "created_at": time(past.created_at),
    }
    if past.ended_at is not None:
        shown["ended_at"] = time(past.ended_at)
    if past.outcome is not None:
        shown["outcome"] = past.outcome
    return shown


_EXAMPLE = {"name": "SendWelcomeEmail", "url": "https://example.org/hooks/welcome"}

ROUTES: Sequence[AnyRoute] = (
    Route(
        "GET",
        "/hooks",
        ADMINISTER,
        page,
        NO_404,
        "getHooks",
        "Hooks: addresses that are told of contacts",
        query=HooksQuery,
        answers={200: HookPage},
        extension=True,
    ),
    Route(
        "POST",
        "/hooks",
        ADMINISTER,
        create,
        NO_404_409,
        "postHook",
        "Create a hook; its secret, to check signatures with (standardwebhooks), is shown this once",
        body=NewHook,
        example=_EXAMPLE,
        answers={201: Hook},
        extension=True,
    ),
    Route(
        "GET",
        "/hooks/{hook_id}",
        ADMINISTER,
        one,
        WITH_404,
        "getHook",
        "One hook",
        answers={200: Hook},
        extension=True,
    ),
    Route(
        "PUT",
        "/hooks/{hook_id}",
        ADMINISTER,
        change,
        WITH_404_409,
        "putHook",
        "Change the name and URL of a hook; its secret stays",
        body=NewHook,
        example=_EXAMPLE,
        answers={200: Hook},
        extension=True,
    ),
    Route(
        "DELETE",
        "/hooks/{hook_id}",
        ADMINISTER,
        delete,
        WITH_404,
        "deleteHook",
        "Delete a hook; calls of it that were not made yet are given up",
        answers={204: None},
        extension=True,
    ),
    Route(
        "GET",
        "/hooks/{hook_id}/calls",
        ADMINISTER,
        calls,
        WITH_404,
        "getHookCalls",
        "The last calls of a hook and what became of them",
        query=CallsQuery,
        answers={200: HookCalls},
        extension=True,
    ),
)
