"""Passwords are hashed beside the event loop, few at once, and as often for names that nobody has."""

import asyncio
import threading
from typing import Any

import pytest
from argon2.exceptions import VerifyMismatchError

from engine.errors import Busy, Invalid
from engine.principals import passwords
from engine.principals.passwords import Hashing


class Slow:
    """A hasher that takes as long as the test wants."""

    def __init__(self, **_parameters: int) -> None:
        self.checked: list[str] = []
        self.threads: set[int] = set()
        self.at_once = self.most_at_once = 0
        self.busy, self.go_on = threading.Event(), threading.Event()
        self.lock = threading.Lock()

    def hash(self, secret: bytes) -> str:
        return f"hash of {secret.hex()}"

    def verify(self, stored: str, secret: bytes) -> bool:
        with self.lock:
            self.at_once += 1
            self.most_at_once = max(self.most_at_once, self.at_once)
            if self.at_once == passwords.AT_ONCE:
                self.busy.set()
            self.checked.append(stored)
            self.threads.add(threading.get_ident())
        self.go_on.wait(10)
        with self.lock:
            self.at_once -= 1
        if stored != self.hash(secret):
            raise VerifyMismatchError
        return True


@pytest.fixture
def hashing(monkeypatch: pytest.MonkeyPatch) -> Hashing:
    monkeypatch.setattr(passwords, "PasswordHasher", Slow)
    return Hashing()


def slow(hashing: Hashing) -> Slow:
    hasher: Any = hashing._hasher
    assert isinstance(hasher, Slow)
    return hasher


async def test_few_are_checked_at_once_and_none_on_the_loop(hashing: Hashing) -> None:
    hasher = slow(hashing)
    checks = [asyncio.create_task(hashing.verify("hash of 61", b"a")) for _ in range(6)]
    assert await asyncio.to_thread(hasher.busy.wait, 10)
    hasher.go_on.set()
    assert await asyncio.gather(*checks) == [True] * 6
    assert hasher.most_at_once == passwords.AT_ONCE
    assert threading.get_ident() not in hasher.threads


async def test_no_more_wait_than_may(hashing: Hashing) -> None:
    checks = [asyncio.create_task(hashing.verify("hash of 61", b"a")) for _ in range(passwords.MOST)]
    await asyncio.sleep(0)
    with pytest.raises(Busy):
        await hashing.verify("hash of 61", b"a")
    slow(hashing).go_on.set()
    await asyncio.gather(*checks)
    assert await hashing.verify("hash of 62", b"b")


async def test_who_was_right_before_does_not_wait_behind_those_who_guess(hashing: Hashing) -> None:
    hasher = slow(hashing)
    hasher.go_on.set()
    assert await hashing.verify("hash of 61", b"a")
    hasher.go_on.clear()
    guesses = [asyncio.create_task(hashing.verify("hash of 61", b"b")) for _ in range(passwords.MOST)]
    await asyncio.sleep(0)
    assert await hashing.verify("hash of 61", b"a")
    for stored, secret in (("hash of 61", b"b"), ("hash of 62", b"a"), (None, b"a")):
        with pytest.raises(Busy):
            await hashing.verify(stored, secret)
    hasher.go_on.set()
    assert not any(await asyncio.gather(*guesses))


async def test_no_more_is_remembered_than_may(hashing: Hashing, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(passwords, "MOST_REMEMBERED", 1)
    slow(hashing).go_on.set()
    for stored, secret in (("hash of 61", b"a"), ("hash of 62", b"b"), ("hash of 61", b"a"), ("hash of 61", b"a")):
        assert await hashing.verify(stored, secret)
    assert slow(hashing).checked == ["hash of 61", "hash of 62", "hash of 61"]


async def test_a_name_that_nobody_has_costs_a_check(hashing: Hashing) -> None:
    """Who asks cannot tell it from a wrong password by the time it takes."""
    slow(hashing).go_on.set()
    assert not await hashing.verify(None, b"a")
    assert not await hashing.verify("hash of 62", b"a")
    [nobodys, somebodys] = slow(hashing).checked
    assert nobodys.startswith("hash of ")
    assert somebodys == "hash of 62"


async def test_the_hash_of_nobody_has_the_cost_of_all() -> None:
    hashing = Hashing()
    stored = await hashing.hash(b"s3cret")
    assert stored.rpartition("$")[0].rpartition("$")[0] == hashing._nobodys.rpartition("$")[0].rpartition("$")[0]
    assert await hashing.verify(stored, b"s3cret")
    assert not await hashing.verify(stored, b"S3cret")


@pytest.mark.parametrize("password", ["", "short", "x" * 1025, "é" * 513, "\ud800" * 342])
async def test_lengths_are_of_bytes(password: str) -> None:
    with pytest.raises(Invalid):
        await passwords.hashed(password)


async def test_what_is_too_long_is_not_hashed() -> None:
    stored = await passwords.hashed("x" * 1024)
    assert await passwords.matches(stored, "x" * 1024)
    assert not await passwords.matches(stored, "x" * 5_000_000)
