"""Reading what is sent: a form whose field `xml` is the request (contract greenrope.md 1, 10)."""

from dataclasses import dataclass
from typing import Final
from urllib.parse import unquote_to_bytes

from aiohttp import web

from api import reading
from api.errors import BodyTooLong
from engine.errors import Invalid

#: Bytes of a request's XML (contract 10); of all other fields together; and of a body, each of whose bytes may be
#: written with three.
XML_BYTES: Final = 4 * 1024 * 1024
OTHER_BYTES: Final = 16 * 1024
BODY_BYTES: Final = 3 * (XML_BYTES + OTHER_BYTES)
#: Fields of a form: there are four that mean something.
MOST_FIELDS = 50
#: Bytes that are decoded at once: 4 M escapes in one piece cost urllib 1 GB and 4 s, piece by piece 0.5 s.
PIECE_BYTES = 64 * 1024

#: How a field begins that was sent as it is, without urlencoding; it takes the rest of the body.
_RAW: Final = b"xml=<"


@dataclass(frozen=True, slots=True)
class Form:
    """The fields of a request; those that were not sent are empty."""

    xml: bytes
    email: str
    password: str
    auth_token: str


async def receive(request: web.Request) -> Form:
    """What was sent. Raises BodyTooLong as soon as a limit is passed, and Invalid when it cannot be read."""
    return await reading.read_apart(parse, await reading.at_most(request, BODY_BYTES))


def parse(body: bytes) -> Form:
    """The fields of a body. Raises BodyTooLong, and Invalid when there are too many."""
    encoded, raw = _split(body)
    if encoded.count(b"&") >= MOST_FIELDS:
        raise Invalid(f"a request has at most {MOST_FIELDS} form fields")
    if len(raw) > XML_BYTES or _decoded_length(encoded) > XML_BYTES + OTHER_BYTES:
        raise _too_long()
    fields = dict(map(_field, reversed(encoded.split(b"&"))))
    document = raw or fields.get(b"xml", b"").strip()
    if len(document) > XML_BYTES:
        raise _too_long()
    return Form(document, *(_text(fields.get(name, b"")) for name in (b"email", b"password", b"auth_token")))


def _split(body: bytes) -> tuple[bytes, bytes]:
    """The urlencoded fields, and the XML of clients that send it as it is."""
    if body.startswith(_RAW):
        return b"", body[len(_RAW) - 1 :]
    encoded, found, rest = body.partition(b"&" + _RAW)
    return (encoded, b"<" + rest) if found else (body, b"")


def _field(pair: bytes) -> tuple[bytes, bytes]:
    name, _, value = pair.partition(b"=")
    return _decoded(name), _decoded(value)


def _decoded(encoded: bytes) -> bytes:
    """The value, decoded piece by piece; no escape is cut."""
    encoded, decoded, start = encoded.replace(b"+", b" "), bytearray(), 0
    while start < len(encoded):
        end = start + PIECE_BYTES
        cut = encoded.rfind(b"%", end - 2, end)
        end = end if cut < 0 else cut
        decoded += unquote_to_bytes(encoded[start:end])
        start = end
    return bytes(decoded)


def _decoded_length(encoded: bytes) -> int:
    """How long it is once decoded, or a little less."""
    return len(encoded) - 2 * encoded.count(b"%")


def _text(value: bytes) -> str:
    return value.decode("utf-8", "replace")


def _too_long() -> BodyTooLong:
    return BodyTooLong(f"the xml field is too long: at most {XML_BYTES:,} bytes may be sent")
