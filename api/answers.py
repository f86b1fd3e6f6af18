"""Writing answers: JSON in one way for everybody."""

from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Annotated

from aiohttp import web
from pydantic import WithJsonSchema
from pydantic_core import to_json

#: A JSON object or array as handlers build it. Properties without a value are left out, never null.
Json = Mapping[str, object] | Sequence[object]

#: A moment and a day as they are sent.
Time = Annotated[str, WithJsonSchema({"type": "string", "format": "date-time"})]
Day = Annotated[str, WithJsonSchema({"type": "string", "format": "date"})]


def json_answer(content: Json, status: int = 200, headers: Mapping[str, str] | None = None) -> web.Response:
    """An answer with this content as its body."""
    return web.Response(body=to_json(content), status=status, headers=headers, content_type="application/json")


def time(moment: datetime) -> Time:
    """Seconds and a numeric offset, as 2026-01-15T10:00:00+00:00 (contract v3.md 1.5)."""
    return moment.isoformat(timespec="seconds")
