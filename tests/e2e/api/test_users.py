"""Users, shared access and signed keys over HTTP: an extension, for who administers the account."""

import asyncio
from typing import Any
from uuid import uuid4

import pytest

from engine import principals
from engine.database import Database
from engine.errors import Unauthorized
from engine.principals import Privilege
from tests.e2e.api.front import Front
from tests.integration.conftest import NewDesk

ALL = sorted(Privilege)


def a_name() -> str:
    return f"{uuid4().hex}@example.org"


async def neighbour(front: Front, new_desk: NewDesk) -> Front:
    """Who administers another account."""
    desk = await new_desk()
    return front.as_(await principals.create_token(desk.db, desk.account_id, "neighbour"))


async def test_a_user_from_the_making_to_the_end(front: Front, db: Database) -> None:
    name = a_name()
    made = await front.post("/v3/users", {"name": f" {name} ", "password": "s3cret", "privileges": ["contacts:read"]})
    assert (made["name"], made["is_own"], made["privileges"]) == (name, True, ["contacts:read"])
    assert await front.get("/v3/users") == {"users": [made]}
    path = f"/v3/users/{made['user_id']}"
    changed = await front.put(f"{path}/privileges", {"privileges": ["contacts:write", "contacts:read"]})
    assert changed == {**made, "privileges": ["contacts:read", "contacts:write"]}
    assert (await front.request("PUT", f"{path}/password", json={"password": "another"})).status == 204
    access = await principals.log_in(db, name, "another")
    assert access.principal().privileges == {Privilege.CONTACTS_READ, Privilege.CONTACTS_WRITE}
    with pytest.raises(Unauthorized):
        await principals.log_in(db, name, "s3cret")
    await front.refused("POST", "/v3/users", 409, json={"name": name.upper(), "password": "s3cret"})
    await front.delete(path, 204)
    for method, gone, body in (
        ("DELETE", path, None),
        ("PUT", f"{path}/password", {"password": "another"}),
        ("PUT", f"{path}/privileges", {"privileges": []}),
    ):
        await front.refused(method, gone, 404, json=body)
    again = await front.post("/v3/users", {"name": name, "password": "s3cret"})
    assert (again["privileges"], again["user_id"] != made["user_id"]) == (ALL, True)


async def test_an_account_is_shared_with_a_user_of_another(front: Front, new_desk: NewDesk, db: Database) -> None:
    """Contract greenrope.md 1.2: who the user is stays a matter of the user's own account."""
    guest_name, theirs = a_name(), await neighbour(front, new_desk)
    guest = await theirs.post("/v3/users", {"name": guest_name, "password": "s3cret"})
    path = f"/v3/users/{guest['user_id']}"
    for method, hidden, body in (
        ("DELETE", path, None),
        ("PUT", f"{path}/privileges", {"privileges": ALL}),
        ("PUT", f"{path}/password", {"password": "stolen"}),
        ("DELETE", f"/v3/user_grants/{guest['user_id']}", None),
    ):
        await front.refused(method, hidden, 404, json=body)

    shared = await front.post("/v3/user_grants", {"name": guest_name.upper(), "privileges": ["contacts:read"]})
    assert shared == {**guest, "is_own": False, "privileges": ["contacts:read"]}
    assert await front.get("/v3/users") == {"users": [shared]}
    assert await theirs.get("/v3/users") == {"users": [guest]}, "nothing changed at home"
    await front.put(f"{path}/privileges", {"privileges": []})
    assert (await principals.log_in(db, guest_name, "s3cret")).grants[front.desk.account_id] == frozenset()
    await front.refused("DELETE", path, 404)
    await front.refused("PUT", f"{path}/password", 404, json={"password": "stolen"})
    await theirs.refused("DELETE", f"/v3/user_grants/{guest['user_id']}", 409)
    await front.delete(f"/v3/user_grants/{guest['user_id']}", 204)
    assert await front.get("/v3/users") == {"users": []}
    assert (await principals.log_in(db, guest_name, "s3cret")).grants.keys() != {front.desk.account_id}
    await front.refused("POST", "/v3/user_grants", 404, json={"name": a_name()})


async def test_a_key_from_the_making_to_the_end(front: Front, new_desk: NewDesk, db: Database) -> None:
    made = await front.post("/v3/keys", {"name": "Their system", "privileges": ["contacts:write"]})
    key = await principals.signing_key(db, made["key_id"])
    assert (key.secret, key.principal.account_id) == (made["secret"], front.desk.account_id)
    assert key.principal.privileges == {Privilege.CONTACTS_WRITE}
    [shown] = (await front.get("/v3/keys"))["keys"]
    assert (shown["key_id"], shown["name"], shown["privileges"]) == (made["key_id"], "Their system", ["contacts:write"])
    assert not {"secret", "revoked_at"} & set(shown)
    path, theirs = f"/v3/keys/{made['key_id']}", await neighbour(front, new_desk)
    assert await theirs.get("/v3/keys") == {"keys": []}
    await theirs.refused("DELETE", path, 404)
    await front.delete(path, 204)
    await front.refused("DELETE", path, 404)
    assert "revoked_at" in (await front.get("/v3/keys"))["keys"][0]
    assert (await principals.signing_key(db, made["key_id"])).revoked


@pytest.mark.parametrize(
    "body",
    [
        {},
        {"name": "x"},
        {"password": "s3cret"},
        {"name": "", "password": "s3cret"},
        {"name": " ", "password": "s3cret"},
        {"name": "a\0b", "password": "s3cret"},
        {"name": "a\nb", "password": "s3cret"},
        {"name": "\ud800", "password": "s3cret"},
        {"name": "x" * 255, "password": "s3cret"},
        {"name": 7, "password": "s3cret"},
        {"name": "x", "password": ""},
        {"name": "x", "password": "short"},
        {"name": "x", "password": "x" * 1025},
        {"name": "x", "password": "é" * 600},
        {"name": "x", "password": "s3cret\0"},
        {"name": "x", "password": None},
        {"name": "x", "password": "s3cret", "privileges": ["everything"]},
        {"name": "x", "password": "s3cret", "privileges": "contacts:read"},
        {"name": "x", "password": "s3cret", "privileges": ["contacts:read"] * 7},
        [],
    ],
)
async def test_bad_bodies(front: Front, body: Any) -> None:
    """Nothing is made, and nobody is shown a password."""
    message = await front.refused("POST", "/v3/users", 400, json=body)
    assert not any(secret in message for secret in ("s3cret", "xxx", "éé"))
    assert await front.get("/v3/users") == {"users": []}


async def test_one_name_at_once(front: Front) -> None:
    body = {"name": a_name(), "password": "s3cret"}
    answers = await asyncio.gather(*(front.request("POST", "/v3/users", json=body) for _ in range(5)))
    assert sorted(answer.status for answer in answers) == [201, 409, 409, 409, 409]


async def test_an_unknown_privilege_is_answered_with_those_there_are(front: Front) -> None:
    message = await front.refused("POST", "/v3/keys", 400, json={"name": "x", "privileges": ["contacts:red"]})
    assert message.startswith("privileges[0] does not have a valid value: it must be 'contacts:read', ")
    assert all(f"'{each}'" in message for each in Privilege)
