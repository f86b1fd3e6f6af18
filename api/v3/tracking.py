"""Tracking events over the wire, an extension: what a mail system tells of its campaigns.

A refused request leaves no file.
"""

from collections.abc import Sequence
from typing import Annotated, Any

from aiohttp import web
from pydantic import Field
from pydantic_core import to_json

from api import uploads
from api.dialects import AnyRoute, Call, Route
from api.reading import Query
from api.v3.access import NO_404, WRITE
from api.v3.activities import submitted
from api.v3.bodies import Resource
from api.v3.example_ids import CAMPAIGN, CONTACT
from api.v3.formats import ShownActivity
from engine import files
from engine.operations import tracking_events

ENDING = ".json"


class TrackingEvents(Resource):
    """Up to 10,000 events. What is in the rows is checked row by row, as in an import."""

    events: Annotated[
        list[Any],
        Field(
            min_length=1,
            max_length=10_000,
            description="Objects of contact_id or email, campaign_id (a UUID), event (sent, opened, clicked, bounced,"
            " unsubscribed or complained) and time (a date-time with its offset), all required. With list_id instead of"
            " or beside campaign_id a contact has bounced on, unsubscribed from or complained of that list only",
        ),
    ]


async def record(call: Call[Query, TrackingEvents]) -> web.Response:
    """An extension: 201 with an activity; wrong rows become its errors."""
    rows = (await call.body()).events
    path = await uploads.stored(files.uploads(call.settings, call.account_id), ENDING, (to_json(rows),))
    with uploads.kept_unless_refused(path):
        file = files.uploaded(call.settings, path)
        return await submitted(call, tracking_events.TrackingEvents.stored(file, rows))


ROUTES: Sequence[AnyRoute] = (
    Route(
        "POST",
        "/tracking_events",
        WRITE,
        record,
        NO_404,
        "postTrackingEvents",
        "Tell who was sent, opened or clicked which campaign, bounced, unsubscribed or complained",
        body=TrackingEvents,
        example={
            "events": [
                {"contact_id": CONTACT, "campaign_id": CAMPAIGN, "event": "sent", "time": "2026-01-15T10:00:00+00:00"},
                {
                    "email": "kim@example.org",
                    "campaign_id": CAMPAIGN,
                    "event": "opened",
                    "time": "2026-01-15T11:30:00Z",
                },
            ]
        },
        answers={201: ShownActivity},
        extension=True,
    ),
)
