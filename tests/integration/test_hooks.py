"""Hooks of an account, and entering their calls in the transaction of what they tell of."""

from contextlib import suppress
from uuid import uuid4

import pytest
from standardwebhooks import Webhook

from engine import hooks
from engine.errors import Invalid, NameTaken, NotFound
from tests.integration.conftest import NewDesk
from tests.integration.desk import Desk

URL = "https://hook.invalid/hook"


async def test_a_hook_is_made_changed_and_deleted(desk: Desk) -> None:
    async with desk.db.account(desk.account_id) as tx:
        made = await hooks.create(tx, " Welcome ", URL)
        assert (made.hook_no, made.name, made.url) == (1, "Welcome", URL)
        assert made.secret not in repr(made)
        Webhook(made.secret)
        with pytest.raises(NameTaken):
            await hooks.create(tx, "WELCOME", URL)
        other = await hooks.create(tx, "Invite", URL)
        assert other.hook_no > made.hook_no
        assert other.secret != made.secret
    with pytest.raises(NameTaken):
        async with desk.db.account(desk.account_id) as tx:
            await hooks.change(tx, other.hook_no, "welcome", URL)
    async with desk.db.account(desk.account_id) as tx:
        changed = await hooks.change(tx, made.hook_no, "Hello", URL + "2")
        assert (changed.name, changed.url, changed.secret) == ("Hello", URL + "2", made.secret)
        assert await hooks.by_names(tx, ["HELLO ", "welcome"]) == {"hello": changed}
        assert await hooks.page(tx, limit=1) == [changed]
        assert await hooks.page(tx, limit=5, after=changed.hook_no) == [other]
        await hooks.delete(tx, made.hook_no)
        for gone in (hooks.find_number(tx, made.hook_no), hooks.delete(tx, made.hook_no)):
            with pytest.raises(NotFound):
                await gone
        with pytest.raises(NotFound):
            await hooks.change(tx, made.hook_no, "again", URL)
        assert set(await hooks.by_numbers(tx, [made.hook_no, other.hook_no, 99])) == {other.hook_no}
        assert (await hooks.create(tx, "Hello", URL)).hook_no > other.hook_no


async def test_an_account_has_no_more_hooks_than_it_may(desk: Desk) -> None:
    async with desk.db.account(desk.account_id) as tx:
        await hooks.create(tx, "one", URL, most=1)
    with pytest.raises(Invalid, match="1 hooks already"):
        async with desk.db.account(desk.account_id) as tx:
            await hooks.create(tx, "two", URL, most=1)


async def test_a_hook_is_its_accounts(desk: Desk, new_desk: NewDesk) -> None:
    other = await new_desk()
    async with desk.db.account(desk.account_id) as tx:
        made = await hooks.create(tx, "mine", URL)
    async with other.db.account(other.account_id) as tx:
        assert await hooks.by_names(tx, ["mine"]) == {}
        with pytest.raises(NotFound):
            await hooks.find_number(tx, made.hook_no)


@pytest.mark.parametrize(
    "url",
    [
        "",
        "example.org",
        "ftp://example.org/",
        "file:///etc/passwd",
        "https://",
        "https://:80/",
        "http://example.org:99999/",
        "http://[::1/",
        "http://exa mple.org/",
        "http://example.org/\n",
        "http://example.org/\0",
        "http://exämple.org/",
        "http://example.org/" + "a" * 2048,
        "javascript:alert(1)",
    ],
)
def test_what_is_no_url_is_refused(url: str) -> None:
    with pytest.raises(Invalid):
        hooks.check_url(url)


async def test_calls_are_entered_with_what_they_tell_of(desk: Desk) -> None:
    """Or not at all: they are rows of the same transaction."""
    numbers = list(range(1, 2 * hooks.CONTACTS_OF_CALL + 2))
    async with desk.db.account(desk.account_id) as tx:
        hook = await hooks.create(tx, "Welcome", URL)
        await hooks.enter(tx, hook.hook_no, numbers)
        await hooks.enter(tx, hook.hook_no, [])
        await hooks.enter_callback(tx, URL, activity_id := uuid4())
    calls = await desk.rows("hook_call")
    told = sorted((call["contact_nos"] for call in calls if call["hook_no"] == hook.hook_no), key=lambda nos: nos[:1])
    assert [number for nos in told for number in nos] == numbers
    assert [len(nos) for nos in told] == [hooks.CONTACTS_OF_CALL, hooks.CONTACTS_OF_CALL, 1]
    assert [(call["url"], call["activity_id"]) for call in calls if call["hook_no"] is None] == [(URL, activity_id)]
    with suppress(ZeroDivisionError):
        async with desk.db.account(desk.account_id) as tx:
            await hooks.enter(tx, hook.hook_no, [1])
            raise ZeroDivisionError
    assert len(await desk.rows("hook_call")) == len(calls)
