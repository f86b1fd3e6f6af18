"""What receivers of hooks get, as documented; the engine makes the body (engine/hook_calls.py), the workers call."""

from typing import Annotated, Literal
from uuid import UUID

from pydantic import Field
from typing_extensions import TypedDict

from api.answers import Time
from api.dialects import Chapter
from api.v3.hooks import HookId
from engine.hook_calls import CONTACTS_HOOK
from engine.hooks import CONTACTS_OF_CALL

WORDS = (
    "The URL of a hook gets a POST whose body is `ContactsHook`, the same at each attempt. Any answer of 200 to 299 "
    "within ten seconds has it delivered; after another, or none, it is made again 10 seconds, 1 and 10 minutes, 1 and "
    "6 hours later, then given up. A call may come twice, and several in any order. Its headers are those of "
    "standardwebhooks.com, whose libraries check the signature."
)
SIGNATURE = (
    "`v1,` and base64 of the HMAC-SHA256 of `{webhook-id}.{webhook-timestamp}.{body}`; its key is what the hook's "
    "`secret` holds behind `whsec_`, from base64"
)
HEADERS = (
    ("`webhook-id`", "the call, the same at each attempt: who has it already has been told"),
    ("`webhook-timestamp`", "the time of this attempt, in seconds since 1970"),
    ("`webhook-signature`", SIGNATURE),
)


class HookedContact(TypedDict):
    """`contact_no` is the number by which other dialects call the contact."""

    contact_id: UUID
    contact_no: int


class HookedContacts(TypedDict):
    hook_id: HookId
    hook_name: str
    contacts: Annotated[list[HookedContact], Field(max_length=CONTACTS_OF_CALL)]


class ContactsHook(TypedDict):
    """A call of a hook. `timestamp` is when what it tells of was written."""

    type: Literal["contacts.hook"]
    timestamp: Time
    data: HookedContacts


WEBHOOKS = {CONTACTS_HOOK: ContactsHook}


def chapter() -> Chapter:
    return Chapter("Calls of hooks", WORDS, ("header", "holds"), HEADERS)
