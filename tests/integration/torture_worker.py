"""A worker process that a test can kill at any time: messages come in and go out as lines of JSON.

It takes its time inside its transactions, so that a signal finds it there.
"""

import asyncio
import json
import random
import socket
from uuid import UUID

from engine import logs, operations
from engine.activities.model import Message
from engine.activities.operation import BatchedOperation, WholeOperation
from engine.activities.runner import Runner
from engine.database import Database
from engine.settings import Settings
from tests.integration.watched import WatchedBatches, WatchedChange, WatchedWork

#: Longest pause inside a transaction.
PAUSE_SECONDS = 0.03
#: Sent instead of a message.
STOP = b"stop\n"


async def dawdle(_number: int) -> None:
    await asyncio.sleep(random.random() * PAUSE_SECONDS)


def slow_down() -> None:
    for kind, operation in operations.OPERATIONS.items():
        if isinstance(operation, BatchedOperation):
            operations.OPERATIONS[kind] = WatchedBatches(operation, before=dawdle, after=dawdle)
        elif isinstance(operation, WholeOperation):
            operations.OPERATIONS[kind] = WatchedWork(operation, before=dawdle, after=dawdle)
        else:
            operations.OPERATIONS[kind] = WatchedChange(operation, dawdle)


def run(settings: Settings, line: socket.socket) -> None:
    """What the process does."""
    logs.configure(settings)
    slow_down()
    asyncio.run(work(settings, line))


async def work(settings: Settings, line: socket.socket) -> None:
    """Until the other end of the line is closed, or says that the worker shall stop and hand over what it does."""
    db = await Database.open(str(settings.database_app_url))
    messages, answers = await asyncio.open_connection(sock=line)
    runner = Runner(db, settings, lambda sent: answers.writelines(map(written, sent)))
    beating = asyncio.create_task(keep_leases(runner, settings.lease_seconds))
    async with asyncio.TaskGroup() as group:
        tasks: list[asyncio.Task[None]] = []
        async for message in messages:
            if message == STOP:
                break
            tasks.append(group.create_task(do(runner, message, answers)))
        for task in tasks if message == STOP else ():
            task.cancel()
    beating.cancel()
    await db.close()
    answers.close()
    await answers.wait_closed()


async def do(runner: Runner, line: bytes, answers: asyncio.StreamWriter) -> None:
    try:
        await runner.run(read(line))
    except asyncio.CancelledError:
        answers.write(line)
        raise


def read(line: bytes) -> Message:
    account_id, activity_id, queue = json.loads(line)
    return Message(account_id, UUID(activity_id), queue)


def written(message: Message) -> bytes:
    return json.dumps([message.account_id, str(message.activity_id), message.queue]).encode() + b"\n"


async def keep_leases(runner: Runner, lease_seconds: float) -> None:
    while True:
        await runner.heartbeat()
        await asyncio.sleep(lease_seconds / 3)
