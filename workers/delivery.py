"""Makes the calls of hooks and of other URLs that are due: over HTTP, signed, never following a redirect.

A receiver may be dead, slow or hostile: its time, its answer and the calls of it at once are bounded, and others do not
wait for it (workers/receivers.py tells which addresses are called at all).
"""

import asyncio
import random
import socket
import ssl
from collections import Counter
from collections.abc import AsyncIterator, Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from enum import StrEnum
from itertools import groupby
from types import MappingProxyType

import structlog
from aiohttp import ClientConnectionError, ClientConnectorError, ClientError
from standardwebhooks import Webhook

from engine import hook_calls
from engine.addresses import NOT_PUBLIC
from engine.database import Database
from engine.hook_calls import OF_RECEIVER, Call, CallbackBody, DueCall, Receiver
from workers import receivers
from workers.receivers import PrivateAddress

log = structlog.get_logger()

#: Calls that a process makes at once: while they wait for receivers they hold nothing.
AT_ONCE = 200
#: A longer body of an activity is sent while it is read, in chunks: it may have hundreds of MB.
SHORT_BYTES = 2**20
#: A pause is up to so much longer or shorter, so that what failed together does not come again together.
SPREAD = 0.2
#: What is told of an attempt that got no answer, by the first kind of error that it is; each behind those it includes.
REASONS: Mapping[type[Exception], str] = MappingProxyType(
    {
        PrivateAddress: NOT_PUBLIC,
        TimeoutError: "no answer in time",
        socket.gaierror: "the name of its host is not known",
        ConnectionRefusedError: "it takes no connections",
        ssl.SSLCertVerificationError: "its certificate is not valid",
        ssl.SSLError: "no secure connection to it can be made",
        ConnectionError: "the connection broke",
        OSError: "it cannot be reached",
        ClientConnectionError: "the connection broke",
        ClientError: "its answer is no HTTP",
    }
)


class Outcome(StrEnum):
    """What becomes of a call by an attempt."""

    DELIVERED = "delivered"
    RETRIED = "retried"
    GIVEN_UP = "given_up"


@dataclass(frozen=True, slots=True)
class Attempt:
    """What came of one attempt; `answered` tells whether anybody was there at all."""

    accepted: bool
    answered: bool
    outcome: str


class Delivery:
    """The calls of one process.

    body_of: makes what is told of an activity. count: called with the outcome of each attempt.
    """

    def __init__(
        self, db: Database, body_of: CallbackBody, count: Callable[[Outcome], None], *, private_addresses: bool
    ) -> None:
        self._db = db
        self._body_of = body_of
        self._count = count
        self._session = receivers.open_session(private_addresses=private_addresses)
        self._under_way = Counter[Receiver]()
        self._tasks = set[asyncio.Task[None]]()
        #: So that calls take one connection at a time, and leave the others to the activities.
        self._turn = asyncio.Lock()
        #: Set when a call has ended: there is room for another.
        self.room = asyncio.Event()

    async def begin_due(self) -> None:
        """Begins the calls that are due, as far as there is room; they go on by themselves."""
        self.room.clear()
        if free := max(0, AT_ONCE - len(self._tasks)):
            found = self._with_room(await hook_calls.due(self._db, AT_ONCE))[:free]
            for account_id, calls in groupby(sorted(found, key=_account), key=_account):
                await self._begin(account_id, list(calls))

    async def close(self) -> None:
        """Stops the calls under way: others make them again."""
        for task in self._tasks:
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)
        await self._session.close()

    def _with_room(self, calls: Iterable[DueCall]) -> Sequence[DueCall]:
        """Those whose receivers have not as many calls under way as they may have."""
        taken, fitting = self._under_way.copy(), []
        for call in calls:
            if taken[call.receiver] < OF_RECEIVER:
                taken[call.receiver] += 1
                fitting.append(call)
        return fitting

    async def _begin(self, account_id: int, calls: Sequence[DueCall]) -> None:
        async with self._turn:
            claimed = await hook_calls.claim(self._db, account_id, [call.call_id for call in calls])
        for call in claimed:
            self._under_way[call.receiver] += 1
            task = asyncio.create_task(self._make(call))
            self._tasks.add(task)
            task.add_done_callback(self._tasks.discard)

    async def _make(self, call: Call) -> None:
        """One attempt. Never raises: what could not be noted is due again by itself."""
        try:
            attempt = await self._attempt(call)
            async with self._turn:
                self._count(await self._note(call, attempt))
        except Exception as error:  # noqa: BLE001 (the database may be away)
            log.warning("hook_call_not_noted", call_id=str(call.call_id), reason=repr(error))
        finally:
            self._under_way -= Counter([call.receiver])
            self.room.set()

    async def _attempt(self, call: Call) -> Attempt:
        try:
            return await self._post(call, await _body(self._told(call)))
        except Exception as error:  # noqa: BLE001 (whatever receivers, and formats of activities, may do)
            log.info("hook_call_failed", call_id=str(call.call_id), reason=repr(error))
            return Attempt(accepted=False, answered=False, outcome=_reason(error))

    async def _told(self, call: Call) -> AsyncIterator[bytes]:
        """The body, in pieces; between two of them others have their turn."""
        if call.body is not None:
            yield call.body
            return
        assert call.activity_id is not None
        pieces = self._body_of(self._db, call.receiver.account_id, call.activity_id)
        while True:
            async with self._turn:
                piece = await anext(pieces, None)
            if piece is None:
                return
            yield piece

    async def _post(self, call: Call, body: bytes | AsyncIterator[bytes]) -> Attempt:
        """Nothing is read of the answer but its head."""
        headers = {"Content-Type": "application/json", **_head(call)}
        async with self._session.post(call.url, data=body, headers=headers, allow_redirects=False) as response:
            status = response.status
            response.close()
        accepted = 200 <= status < 300
        return Attempt(accepted, answered=True, outcome=f"status {status}")

    async def _note(self, call: Call, attempt: Attempt) -> Outcome:
        if attempt.accepted:
            await hook_calls.delivered(self._db, call)
            return Outcome.DELIVERED
        spread = random.uniform(1 - SPREAD, 1 + SPREAD)  # noqa: S311
        comes_again = await hook_calls.failed(self._db, call, attempt.outcome, spread)
        if not attempt.answered:
            await hook_calls.unreachable(self._db, call.receiver)
        return Outcome.RETRIED if comes_again else Outcome.GIVEN_UP


async def _body(pieces: AsyncIterator[bytes]) -> bytes | AsyncIterator[bytes]:
    """The whole body if it is short, else its pieces: of who cannot be reached no more is read."""
    begun = bytearray()
    async for piece in pieces:
        begun += piece
        if len(begun) > SHORT_BYTES:
            return _continued(bytes(begun), pieces)
    return bytes(begun)


async def _continued(begun: bytes, rest: AsyncIterator[bytes]) -> AsyncIterator[bytes]:
    yield begun
    async for piece in rest:
        yield piece


def _head(call: Call) -> dict[str, str]:
    """The call's id, the time of this attempt, and by the secret of a hook's owner that both and the body are ours."""
    now, call_id = datetime.now(UTC), str(call.call_id)
    headers = {"webhook-id": call_id, "webhook-timestamp": str(int(now.timestamp()))}
    if call.secret is None or call.body is None:
        return headers
    return {**headers, "webhook-signature": Webhook(call.secret).sign(call_id, now, call.body.decode())}


def _reason(error: Exception) -> str:
    """What is kept of an attempt that got no answer; not what a receiver may have written into the error."""
    cause = error.os_error if isinstance(error, ClientConnectorError) else error
    return next((told for kind, told in REASONS.items() if isinstance(cause, kind)), "it could not be called")


def _account(call: DueCall) -> int:
    return call.receiver.account_id
