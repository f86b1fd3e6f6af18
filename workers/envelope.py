"""How a message travels: the one place that knows what is written into a queue and read out of it.

Keys that are ours, in Dramatiq's layout (all of it: dramatiq/brokers/redis/dispatch.lua):

muster:<queue>       list of the ids of waiting messages, oldest first
muster:<queue>.msgs  hash of id to message, until it is acknowledged: its length is what waits and what is being done
"""

from uuid import UUID

from dramatiq import Message as Envelope

from engine.activities.model import Message

#: What all keys begin with.
NAMESPACE = "muster"
#: The name of the only actor: it does whatever activity the message names.
ACTOR = "do_activity"
#: The greatest account number: a bigint.
GREATEST = 2**63 - 1


def waiting_key(queue: str) -> str:
    """The list of a queue's waiting messages."""
    return f"{NAMESPACE}:{queue}"


def messages_key(queue: str) -> str:
    """The hash of a queue's messages."""
    return f"{NAMESPACE}:{queue}.msgs"


def seal(message: Message) -> tuple[str, bytes]:
    """The message as it is stored, and the id that it is stored under."""
    envelope: Envelope[None] = Envelope(
        queue_name=message.queue,
        actor_name=ACTOR,
        args=(message.account_id, str(message.activity_id)),
        kwargs={},
        options={},
    )
    # Dramatiq acknowledges by this option; one id serves both, since our messages are never copied.
    envelope.options["redis_message_id"] = envelope.message_id
    return envelope.message_id, envelope.encode()


def unseal(queue: str, arguments: tuple[object, ...]) -> Message:
    """The message in an envelope of the queue. Raises ValueError when it is none of ours."""
    match arguments:
        case (int(account_id), str(activity_id)) if type(account_id) is int and 0 < account_id <= GREATEST:
            return Message(account_id, UUID(activity_id), queue)
        case _:
            raise ValueError(f"{arguments!r} is not an account and an activity")
