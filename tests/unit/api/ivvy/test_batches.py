"""Running batches where they cannot be saved (contract ivvy.md 10.1)."""

from types import SimpleNamespace
from typing import Any, cast

import pytest

from api.dialects import Services
from api.ivvy.batches import Batches
from api.ivvy.calling import Call, Caller, Means
from api.ivvy.parameters import Parameters
from api.ivvy.refusals import Refused, error_object
from engine.principals import muster


class NoIntake:
    """As when the database cannot be reached."""

    def __init__(self, error: Exception) -> None:
        self._error = error

    async def submit(self, *_: object) -> Any:
        raise self._error


@pytest.mark.parametrize("error", [OSError("gone"), TimeoutError()])
async def test_a_batch_that_cannot_be_saved(error: Exception) -> None:
    """Contract ivvy.md 10.1: 24091."""
    services = cast("Services", SimpleNamespace(intake=NoIntake(error)))
    params = Parameters({"jobs": [{"namespace": "test", "action": "ping"}]})
    call = Call(Caller(muster(1), "KEY", "http://here"), params, cast("Means", None))
    with pytest.raises(Refused) as refused:
        await Batches(services).run(call)
    told = error_object(refused.value)
    assert (told["errorCode"], told["specificCode"]) == (500, 24091)
