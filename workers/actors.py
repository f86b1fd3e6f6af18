"""The actor: what Dramatiq calls when there is a message. It only opens the envelope."""

from collections.abc import Awaitable, Callable

import dramatiq
import structlog
from dramatiq import Broker

from engine.activities.model import Message
from workers.envelope import ACTOR, unseal

log = structlog.get_logger()

#: Does the activity of a message. Never raises.
Do = Callable[[Message], Awaitable[None]]


def declare(broker: Broker, queue: str, do: Do) -> None:
    """Has the messages of the queue done."""

    async def do_activity(*arguments: object, **_unknown: object) -> None:
        try:
            message = unseal(queue, arguments)
        except ValueError as error:
            log.warning("message_dropped", reason=str(error))
            return
        await do(message)

    dramatiq.actor(actor_name=ACTOR, queue_name=queue, broker=broker)(do_activity)
