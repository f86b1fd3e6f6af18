"""The jobs of batches, as the activity that does them calls them (contract ivvy.md 10)."""

from collections.abc import AsyncIterator, Mapping, Sequence
from typing import Any
from uuid import UUID

import structlog
from pydantic_core import to_json

from api.errors import Unexpected
from api.ivvy import actions
from api.ivvy.batches import told_results
from api.ivvy.calling import Call, Caller, Content, Means, named
from api.ivvy.front import insist_on_key
from api.ivvy.parameters import Parameters
from api.ivvy.refusals import ErrorCode, Refused, error_object
from engine import principals
from engine.callees import Answered, Asked
from engine.database import UNREACHABLE
from engine.errors import MusterError

log = structlog.get_logger()

#: What is kept of one job's answer: more than twice that of 1,000 invitations, or of a page of 500 contacts.
MOST_BYTES = 2**20


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
        return _kept(content)

    def told(
        self, handle: UUID, calls: Sequence[Mapping[str, Any]], results: AsyncIterator[str | None]
    ) -> AsyncIterator[bytes]:
        """Contract ivvy.md 10.3: the body of a callback is what `results` answers."""
        return told_results(handle, calls, results)

    async def _content(self, asked: Asked) -> Content:
        key = await principals.signing_key(self._means.db, asked.common["key_id"])
        insist_on_key(key)
        job = asked.call
        action = named(actions.ACTIONS, job["namespace"], job["action"])
        action.insist_on_right(key.principal)
        caller = Caller(key.principal, asked.common["key_id"], asked.common["address"])
        return await action.handler(Call(caller, Parameters(job.get("params", {})), self._means, asked.record_id))


def _failed(error: MusterError) -> Answered:
    return Answered(failed=True, result=to_json(error_object(error)).decode())


def _kept(content: Content) -> Answered:
    text = to_json(content)
    if len(text) > MOST_BYTES:
        return _failed(Refused(ErrorCode.FAILED, "The answer is too long for a batch; ask for less, or directly"))
    return Answered(_says_that_it_failed(content), text.decode())


def _says_that_it_failed(content: Content) -> bool:
    return isinstance(content, Mapping) and content.get("success") is False
