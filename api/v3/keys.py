"""Signed keys of the account, for wire formats whose requests are signed. An extension."""

import re
from collections.abc import Sequence
from http import HTTPStatus
from typing import Annotated, NotRequired

from aiohttp import web
from pydantic import Field
from typing_extensions import TypedDict

from api.answers import Time, json_answer, time
from api.dialects import AnyRoute, Call, Route
from api.reading import Query
from api.v3.access import ADMINISTER, NO_404, NOT_FOUND
from api.v3.bodies import Resource
from api.v3.users import PrivilegesOrAll, granted
from api.v3.values import Name
from engine import principals
from engine.errors import NotFound
from engine.principals import Key, Privilege
from engine.principals.secrets import KEY_ID

KeyId = Annotated[str, Field(pattern=f"^{KEY_ID}$")]


class NewKey(Resource):
    """What the key is called."""

    name: Name
    privileges: PrivilegesOrAll = None


class ShownKey(TypedDict):
    """One with `revoked_at` is useless."""

    key_id: KeyId
    name: str
    privileges: list[Privilege]
    created_at: Time
    revoked_at: NotRequired[Time]


class MadeKey(TypedDict):
    """`secret` is shown this once."""

    key_id: KeyId
    secret: str


class Keys(TypedDict):
    keys: list[ShownKey]


async def page(call: Call) -> web.Response:
    answer: Keys = {"keys": [_shown(each) for each in await principals.list_keys(call.db, call.account_id)]}
    return json_answer(answer)


async def create(call: Call[Query, NewKey]) -> web.Response:
    body = await call.body()
    key_id, secret = await principals.create_key(call.db, call.account_id, body.name, granted(body.privileges))
    made: MadeKey = {"key_id": key_id, "secret": secret}
    return json_answer(made, HTTPStatus.CREATED)


async def revoke(call: Call) -> web.Response:
    key_id = call.request.match_info["key_id"]
    if not re.fullmatch(KEY_ID, key_id):
        raise NotFound("key_id is in an invalid format.")
    await principals.revoke_key(call.db, call.account_id, key_id)
    return web.Response(status=HTTPStatus.NO_CONTENT)


def _shown(key: Key) -> ShownKey:
    told: ShownKey = {
        "key_id": key.key_id,
        "name": key.name,
        "privileges": [Privilege(each) for each in key.privileges],
        "created_at": time(key.created_at),
    }
    if key.revoked_at is not None:
        told["revoked_at"] = time(key.revoked_at)
    return told


ROUTES: Sequence[AnyRoute] = (
    Route(
        "GET",
        "/keys",
        ADMINISTER,
        page,
        frozenset(),
        "getKeys",
        "Signed keys of the account, revoked ones too",
        answers={200: Keys},
        extension=True,
    ),
    Route(
        "POST",
        "/keys",
        ADMINISTER,
        create,
        NO_404,
        "postKey",
        "Create a signed key; its secret, which requests are signed with, is shown this once",
        body=NewKey,
        example={"name": "Their booking system", "privileges": ["contacts:read", "contacts:write"]},
        answers={201: MadeKey},
        extension=True,
    ),
    Route(
        "DELETE",
        "/keys/{key_id}",
        ADMINISTER,
        revoke,
        NOT_FOUND,
        "deleteKey",
        "Make a key useless",
        answers={204: None},
        extension=True,
    ),
)
