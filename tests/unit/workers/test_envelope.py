"""What the doorbell seals is what Dramatiq decodes and the actor opens."""

from typing import Any
from uuid import uuid4

import dramatiq
import pytest
from dramatiq.brokers.stub import StubBroker

from engine.activities.model import Message, Queue
from workers import actors
from workers.envelope import ACTOR, seal, unseal


@pytest.mark.parametrize("queue", list(Queue))
def test_a_message_survives_its_journey(queue: Queue) -> None:
    message = Message(7, uuid4(), queue)
    message_id, data = seal(message)
    envelope = dramatiq.Message.decode(data)
    assert (envelope.queue_name, envelope.actor_name) == (queue, ACTOR)
    assert envelope.message_id == envelope.options["redis_message_id"] == message_id
    assert unseal(queue, envelope.args) == message


@pytest.mark.parametrize(
    "arguments",
    [
        (),
        (7,),
        ("7", str(uuid4())),
        (7, 7),
        (7, "no uuid"),
        (True, str(uuid4())),
        (7, str(uuid4()), "more"),
        (2**63, str(uuid4())),
        (-1, str(uuid4())),
    ],
)
async def test_what_is_no_message_of_ours_is_dropped(arguments: tuple[object, ...]) -> None:
    with pytest.raises(ValueError, match=r"\w"):
        unseal("activities", arguments)

    async def do(message: Message) -> None:
        pytest.fail(f"{message} was done")

    broker = StubBroker(middleware=[])
    actors.declare(broker, "activities", do)
    actor: Any = broker.get_actor(ACTOR)
    await actor.fn.__wrapped__(*arguments)
