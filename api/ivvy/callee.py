"""The jobs of batches, as the activity that does them calls them (contract ivvy.md 10)."""

from collections.abc import Mapping, Sequence
from typing import Any
from uuid import UUID

import structlog
from pydantic_core import to_json

from api.errors import Unexpected
from api.ivvy import namespaces
from api.ivvy.actions import Call, Caller, Content, Means, as_sent, named
from api.ivvy.batches import results_text
from api.ivvy.front import insist_on_key
from api.ivvy.parameters import Parameters
from api.ivvy.refusals import error_object
from engine import principals
from engine.callees import Answered, Asked
from engine.database import UNREACHABLE
from engine.errors import MusterError

log = structlog.get_logger()


class Jobs:
    """Does jobs with the rights that their caller has when it is their turn."""

    def __init__(self, means: Means) -> None:
        self._means = means

    async def call(self, asked: Asked) -> Answered:
        """The answer that the direct call would give, be it a refusal: then the job can be restarted."""
        try:
            content = await self._content(asked)
        except (*UNREACHABLE, TimeoutError):
            raise
        except MusterError as error:
            return _failed(error)
        except Exception:
            log.exception("job_failed", account_id=asked.account_id)
            return _failed(Unexpected("Muster failed to do the job; the fault is in its log"))
        return Answered(_says_that_it_failed(content), as_sent(content).decode())

    def told(self, handle: UUID, calls: Sequence[Mapping[str, Any]], results: Sequence[str | None]) -> bytes:
        """Contract ivvy.md 10.3: the body of a callback is what `results` answers."""
        return results_text(handle, calls, results)

    async def _content(self, asked: Asked) -> Content:
        key = await principals.signing_key(self._means.db, asked.common["key_id"])
        insist_on_key(key)
        job = asked.call
        action = named(namespaces.ACTIONS, job["namespace"], job["action"])
        action.insist_on_right(key.principal)
        caller = Caller(key.principal, asked.common["key_id"], asked.common["address"])
        return await action.handler(Call(caller, Parameters(job.get("params", {})), self._means, asked.record_id))


def _failed(error: MusterError) -> Answered:
    return Answered(failed=True, result=to_json(error_object(error)).decode())


def _says_that_it_failed(content: Content) -> bool:
    return isinstance(content, Mapping) and content.get("success") is False
