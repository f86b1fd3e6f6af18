"""The lead scores of a contact, an extension: what dialects show of them comes in here."""

from collections.abc import Sequence
from decimal import Decimal
from typing import Annotated, NotRequired

from aiohttp import web
from pydantic import AfterValidator, Field
from typing_extensions import TypedDict

from api import reading
from api.answers import json_answer
from api.dialects import AnyRoute, Call, Route
from api.reading import Query
from api.v3.access import WITH_404, WRITE
from api.v3.bodies import Resource
from engine.operations.contact_lead_scores import SetLeadScores

#: Six digits after the point are kept.
Score = Annotated[float, Field(strict=True, ge=-1e9, le=1e9), AfterValidator(lambda score: round(score, 6))]


class LeadScores(Resource):
    """What is not given, or null, is no score."""

    demographic_score: Score | None = None
    activity_score: Score | None = None


class ShownLeadScores(TypedDict):
    """The scores that the contact has."""

    demographic_score: NotRequired[float]
    activity_score: NotRequired[float]


async def put(call: Call[Query, LeadScores]) -> web.Response:
    """Replaces both."""
    contact_id = reading.path_uuid(call.request, "contact_id")
    body = await call.body()
    scores = SetLeadScores(contact_id, _exact(body.demographic_score), _exact(body.activity_score))
    await call.services.inline.write(call.principal, scores)
    return json_answer(body.model_dump(exclude_none=True))


def _exact(score: float | None) -> Decimal | None:
    """The number as it was written, a whole one without a point."""
    return None if score is None else Decimal(repr(score)).normalize()


ROUTES: Sequence[AnyRoute] = (
    Route(
        "PUT",
        "/contacts/{contact_id}/lead_scores",
        WRITE,
        put,
        WITH_404,
        "putContactLeadScores",
        "Say what the lead scores of a contact are",
        body=LeadScores,
        example={"demographic_score": 50, "activity_score": 329.9},
        answers={200: ShownLeadScores},
        extension=True,
    ),
)
