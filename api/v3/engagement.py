"""Computing engagement levels, an extension: an activity that takes no body."""

from collections.abc import Sequence

from aiohttp import web

from api.dialects import AnyRoute, Call, Route
from api.v3.access import NO_404, WRITE
from api.v3.activities import submitted
from api.v3.formats import ShownActivity
from engine.operations.engagement import ComputeEngagement


async def compute(call: Call) -> web.StreamResponse:
    """Takes in a computation, which nothing can be said about."""
    return await submitted(call, ComputeEngagement())


ROUTES: Sequence[AnyRoute] = (
    Route(
        "POST",
        f"/activities/{ComputeEngagement.kind}",
        WRITE,
        compute,
        NO_404,
        "postEngagementCompute",
        "Compute the engagement level of every active contact from tracking events",
        answers={201: ShownActivity},
        extension=True,
    ),
)
