"""The actions that there are, but for those on batches (contract ivvy.md 1, 5)."""

from datetime import UTC, datetime

from api.answers import Json
from api.ivvy import contact_reading, contact_saving, events, groups
from api.ivvy.calling import Action, Actions, Call
from api.ivvy.times import timestamp


async def ping(_call: Call) -> Json:
    """Contract ivvy.md 5."""
    return {"ack": timestamp(datetime.now(UTC))}


ACTIONS: Actions = {
    ("test", "ping"): Action((), ping),
    **events.ACTIONS,
    **groups.ACTIONS,
    **contact_reading.ACTIONS,
    **contact_saving.ACTIONS,
}
