"""Hooks over HTTP: an extension, for who administers the account."""

import pytest

from engine import hooks
from tests.e2e.api.front import Front

URL = "https://hook.invalid/hook"


async def test_a_hook_from_its_making_to_its_end(front: Front) -> None:
    made = await front.post("/v3/hooks", {"name": " Welcome ", "url": URL})
    secret = made.pop("secret")
    assert secret.startswith("whsec_")
    assert (made["name"], made["url"]) == ("Welcome", URL)
    path = f"/v3/hooks/{made['hook_id']}"
    assert await front.get(path) == made
    await front.post("/v3/hooks", {"name": "Other", "url": URL})
    pages = await front.pages("/v3/hooks?limit=1", "hooks")
    assert [each["name"] for each in pages] == ["Welcome", "Other"]
    await front.refused("POST", "/v3/hooks", 409, json={"name": "welcome", "url": URL})
    await front.refused("PUT", path, 409, json={"name": "other", "url": URL})
    changed = await front.put(path, {"name": "Hello", "url": URL + "2"})
    assert changed == {**made, "name": "Hello", "url": URL + "2"}
    assert (await front.request("DELETE", path)).status == 204
    for method, body in (("GET", None), ("DELETE", None), ("PUT", {"name": "x", "url": URL})):
        await front.refused(method, path, 404, json=body)
    await front.refused("GET", f"{path}/calls", 404)


async def test_calls_that_wait_are_seen(front: Front) -> None:
    made = await front.post("/v3/hooks", {"name": "Welcome", "url": URL})
    async with front.desk.db.account(front.desk.account_id) as tx:
        await hooks.enter(tx, made["hook_id"], [1, 2])
    [call] = (await front.get(f"/v3/hooks/{made['hook_id']}/calls"))["hook_calls"]
    assert (call["contacts_count"], call["attempts"]) == (2, 0)
    assert "ended_at" not in call


async def test_private_addresses_are_refused(front: Front) -> None:
    """Nobody is called there; what a name stands for is seen when it is called."""
    made = await front.post("/v3/hooks", {"name": "By name", "url": "http://localhost/"})
    body = {"name": "Here", "url": "http://127.0.0.1:9000/hook"}
    for method, path in (("POST", "/v3/hooks"), ("PUT", f"/v3/hooks/{made['hook_id']}")):
        assert await front.refused(method, path, 400, json=body) == (
            "url does not have a valid value: "
            "the address is not of the public internet, and MUSTER_HOOKS_TO_PRIVATE_ADDRESSES is off"
        )


@pytest.mark.parametrize(
    "url", ["", "ftp://x.org/", "https://", "http://a b/", "http://x.org/\0", "http://x.org/" + "a" * 3000, None, 7]
)
async def test_what_is_no_url_is_refused(front: Front, url: object) -> None:
    await front.refused("POST", "/v3/hooks", 400, json={"name": "Welcome", "url": url})
