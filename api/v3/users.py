"""Users of the account and what they may do in it. An extension; v3 itself is spoken with tokens.

Who a user is, name and password, is a matter of the user's own account; what he may do here is one of this account.
"""

from collections.abc import Iterable, Sequence
from http import HTTPStatus
from typing import Annotated, Any
from uuid import UUID

from aiohttp import web
from pydantic import AfterValidator, Field
from typing_extensions import TypedDict

from api import reading
from api.answers import Time, json_answer, time
from api.dialects import AnyRoute, Call, Route
from api.reading import Query
from api.v3.access import ADMINISTER, NO_404_409, NOT_FOUND, WITH_404, WITH_404_409
from api.v3.bodies import Resource
from api.v3.example_ids import NEW_USER, USER
from api.v3.values import storable
from engine import principals
from engine.principals import Privilege, User
from engine.principals.passwords import LONGEST, SHORTEST
from engine.principals.users import LONGEST_NAME

UserName = Annotated[str, Field(min_length=1, max_length=LONGEST_NAME), AfterValidator(storable)]
Password = Annotated[
    str,
    Field(max_length=LONGEST, repr=False, description=f"{SHORTEST} to {LONGEST} bytes of UTF-8"),
    AfterValidator(storable),
]
Privileges = Annotated[tuple[Privilege, ...], Field(max_length=len(Privilege))]
#: Without any that are named, everything.
PrivilegesOrAll = Annotated[Privileges | None, Field(description="All of them by default")]


class NewUser(Resource):
    """Names are of one user in all accounts, whatever their case."""

    name: UserName
    password: Password
    privileges: PrivilegesOrAll = None


class NewPassword(Resource):
    """It ends the user's sessions."""

    password: Password


class ChangedPrivileges(Resource):
    """All that the user may do in this account from now on."""

    privileges: Privileges


class NewGrant(Resource):
    """A user of another account, by name."""

    name: UserName
    privileges: PrivilegesOrAll = None


class ShownUser(TypedDict):
    """`is_own`: whether this is the user's own account, and not one that is shared with him."""

    user_id: UUID
    name: str
    is_own: bool
    privileges: list[Privilege]
    created_at: Time


class Users(TypedDict):
    users: list[ShownUser]


async def page(call: Call) -> web.Response:
    answer: Users = {"users": [_shown(each) for each in await principals.list_users(call.db, call.account_id)]}
    return json_answer(answer)


async def create(call: Call[Query, NewUser]) -> web.Response:
    body = await call.body()
    privileges = granted(body.privileges)
    user_id = await principals.create_user(call.db, call.account_id, body.name, body.password, privileges)
    return await _answer(call, user_id, HTTPStatus.CREATED)


async def change_privileges(call: Call[Query, ChangedPrivileges]) -> web.Response:
    user_id = reading.path_uuid(call.request, "user_id")
    body = await call.body()
    await principals.user_of(call.db, call.account_id, user_id)
    await principals.grant(call.db, user_id, call.account_id, body.privileges)
    return await _answer(call, user_id)


async def change_password(call: Call[Query, NewPassword]) -> web.Response:
    user_id = reading.path_uuid(call.request, "user_id")
    body = await call.body()
    await principals.own_user(call.db, call.account_id, user_id)
    await principals.set_password(call.db, user_id, body.password)
    return web.Response(status=HTTPStatus.NO_CONTENT)


async def delete(call: Call) -> web.Response:
    user_id = reading.path_uuid(call.request, "user_id")
    await principals.own_user(call.db, call.account_id, user_id)
    await principals.remove_user(call.db, user_id)
    return web.Response(status=HTTPStatus.NO_CONTENT)


async def share(call: Call[Query, NewGrant]) -> web.Response:
    body = await call.body()
    user_id = await principals.find_user(call.db, body.name)
    await principals.grant(call.db, user_id, call.account_id, granted(body.privileges))
    return await _answer(call, user_id, HTTPStatus.CREATED)


async def unshare(call: Call) -> web.Response:
    user_id = reading.path_uuid(call.request, "user_id")
    await principals.revoke_grant(call.db, user_id, call.account_id)
    return web.Response(status=HTTPStatus.NO_CONTENT)


def granted(privileges: Sequence[Privilege] | None) -> Iterable[Privilege]:
    """Those that are named, or all."""
    return Privilege if privileges is None else privileges


def _shown(user: User) -> ShownUser:
    return {
        "user_id": user.principal_id,
        "name": user.name,
        "is_own": user.home,
        "privileges": [Privilege(each) for each in user.privileges],
        "created_at": time(user.created_at),
    }


async def _answer(call: Call[Any, Any], user_id: UUID, status: HTTPStatus = HTTPStatus.OK) -> web.Response:
    return json_answer(_shown(await principals.user_of(call.db, call.account_id, user_id)), status)


ROUTES: Sequence[AnyRoute] = (
    Route(
        "GET",
        "/users",
        ADMINISTER,
        page,
        frozenset(),
        "getUsers",
        "Who has access to the account by name and password",
        answers={200: Users},
        extension=True,
    ),
    Route(
        "POST",
        "/users",
        ADMINISTER,
        create,
        NO_404_409,
        "postUser",
        "Create a user, whose own account this is",
        body=NewUser,
        example={
            "name": NEW_USER,
            "password": "correct horse battery staple",
            "privileges": ["contacts:read", "contacts:write"],
        },
        answers={201: ShownUser},
        extension=True,
    ),
    Route(
        "PUT",
        "/users/{user_id}/privileges",
        ADMINISTER,
        change_privileges,
        WITH_404,
        "putUserPrivileges",
        "Say what a user may do in this account",
        body=ChangedPrivileges,
        example={"privileges": ["contacts:read"]},
        answers={200: ShownUser},
        extension=True,
    ),
    Route(
        "PUT",
        "/users/{user_id}/password",
        ADMINISTER,
        change_password,
        WITH_404,
        "putUserPassword",
        "Give a user of this account another password",
        body=NewPassword,
        example={"password": "correct horse battery staple"},
        answers={204: None},
        extension=True,
    ),
    Route(
        "DELETE",
        "/users/{user_id}",
        ADMINISTER,
        delete,
        NOT_FOUND,
        "deleteUser",
        "Remove a user of this account from all accounts",
        answers={204: None},
        extension=True,
    ),
    Route(
        "POST",
        "/user_grants",
        ADMINISTER,
        share,
        WITH_404,
        "postUserGrant",
        "Share the account with a user of another one",
        body=NewGrant,
        example={"name": USER, "privileges": ["contacts:read"]},
        answers={201: ShownUser},
        extension=True,
    ),
    Route(
        "DELETE",
        "/user_grants/{user_id}",
        ADMINISTER,
        unshare,
        WITH_404_409,
        "deleteUserGrant",
        "Share the account no longer with a user of another one",
        answers={204: None},
        extension=True,
    ),
)
