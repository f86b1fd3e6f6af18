"""Batches: jobs, which are calls of other actions, done one after the other by a worker (contract ivvy.md 10).

A batch is known by its `asyncId`, whatever was restarted of it.
"""

import json
from collections.abc import AsyncIterator, Mapping, Sequence
from types import MappingProxyType
from typing import Any
from uuid import UUID

from pydantic_core import to_json

from api.answers import Json
from api.dialects import Services
from api.ivvy.calling import Action, Actions, Call, Caller, Content
from api.ivvy.parameters import Parameters
from api.ivvy.refusals import (
    EMPTY_JOB,
    NO_BATCH,
    NO_RESULTS,
    NOT_COMPLETED,
    NOT_DONE,
    NOT_SAVED,
    TOO_MANY_JOBS,
    WRONG_JOB,
    Problem,
    Refused,
    error_object,
)
from engine import hooks
from engine.activities.model import Activity
from engine.database import UNREACHABLE
from engine.errors import Conflict, Invalid, NotFinal, NotFound
from engine.operations import calls
from engine.operations.calls import Calls

#: Who does the jobs, as activities name it.
CALLEE = "ivvy"
#: Jobs of a batch (contract ivvy.md 11).
MOST_JOBS = 200
#: What may help whoever sends these members of a job empty.
MAY_BE_LEFT_OUT: Mapping[str, str] = MappingProxyType({"params": ": leave it out for a call without parameters"})

Job = Mapping[str, Any]


class Batches:
    """The actions on batches. They are not to be jobs themselves."""

    def __init__(self, services: Services) -> None:
        self._services = services

    @property
    def actions(self) -> Actions:
        handlers = {
            "run": self.run,
            "progress": self.progress,
            "results": self.results,
            "result": self.results,
            "restart": self.restart,
            "repost": self.repost,
        }
        return {("batch", name): Action((), handler) for name, handler in handlers.items()}

    async def run(self, call: Call) -> Json:
        """Contract ivvy.md 10.1."""
        request = Calls(CALLEE, _jobs(call.params), _common(call.caller), _callback_url(call.params))
        try:
            submitted = await self._services.intake.submit(call.principal, request)
        except (*UNREACHABLE, TimeoutError):
            raise Refused.of(NOT_SAVED) from None
        return {"asyncId": self._services.announce(submitted).activity_id.hex}

    async def progress(self, call: Call) -> Json:
        """Contract ivvy.md 10.2."""
        async with call.db.account(call.account_id) as tx:
            try:
                activity = await calls.find(tx, call.means.settings, _handle(call.params, NO_BATCH))
            except NotFound:
                raise Refused.of(NO_BATCH) from None
        return {"progress": _progress(activity)}

    async def results(self, call: Call) -> Content:
        """Contract ivvy.md 10.3."""
        handle = _handle(call.params, NO_RESULTS)
        async with call.db.account(call.account_id) as tx:
            try:
                activity = await calls.ended(tx, call.means.settings, handle)
            except NotFinal:
                raise Refused.of(NOT_COMPLETED) from None
            except NotFound:
                raise Refused.of(NO_RESULTS) from None
        return told_results(handle, activity.request["calls"], calls.results(call.db, activity))

    async def restart(self, call: Call) -> Json:
        """Contract ivvy.md 10.2: what failed or was not done runs again; false while it runs, and when all was done."""
        handle = _handle(call.params, NO_BATCH)
        try:
            self._services.announce(
                await calls.again(call.db, call.means.settings, call.principal, handle, _common(call.caller))
            )
        except NotFound:
            raise Refused.of(NO_BATCH) from None
        except Conflict:
            return {"restarted": False}
        return {"restarted": True}

    async def repost(self, call: Call) -> Json:
        """Contract ivvy.md 10.2."""
        handle = _handle(call.params, NO_BATCH)
        async with call.db.account(call.account_id) as tx:
            try:
                return {"reposted": await calls.call_back_again(tx, call.means.settings, handle)}
            except NotFound:
                raise Refused.of(NO_BATCH) from None


async def told_results(handle: UUID, jobs: Sequence[Job], results: AsyncIterator[str | None]) -> AsyncIterator[bytes]:
    """What came of the jobs, for those who ask and for callbacks (contract ivvy.md 10.3)."""
    not_done = to_json(error_object(Refused.of(NOT_DONE)))
    before, waiting = b'{"asyncId":"%b","results":[' % handle.hex.encode(), iter(jobs)
    async for result in results:
        yield before + _entry(next(waiting), not_done if result is None else result.encode())
        before = b","
    yield b"]}"


def _common(caller: Caller) -> Mapping[str, Any]:
    return {"key_id": caller.key_id, "address": caller.address}


def _entry(job: Job, response: bytes) -> bytes:
    said = {"namespace": job["namespace"], "action": job["action"], "request": job.get("params", {})}
    return to_json(said)[:-1] + b',"response":' + response + b"}"


def _progress(activity: Activity) -> int:
    """In percent: 100 only when the results are there."""
    return 100 if activity.state.is_final else min(99, 100 * activity.items_completed // max(1, activity.items_total))


def _jobs(params: Parameters) -> Sequence[Job]:
    params.require("jobs")
    jobs = params.given["jobs"]
    if not isinstance(jobs, list):
        raise Refused.of(WRONG_JOB, "'jobs' must be an array")
    if not jobs:
        raise Refused.of(EMPTY_JOB, "'jobs' is empty")
    if len(jobs) > MOST_JOBS:
        raise Refused.of(TOO_MANY_JOBS)
    return [_job(place, job) for place, job in enumerate(jobs)]


def _job(place: int, job: object) -> Job:
    """A job as it is kept, whatever else is said of it (contract ivvy.md 10.1)."""
    if not (isinstance(job, dict) and {"namespace", "action"} <= job.keys()):
        raise Refused.of(WRONG_JOB, f"Job {place} must be an object with a namespace and an action")
    said = {name: job[name] for name in ("namespace", "action", "params") if name in job}
    for name, value in said.items():
        if value in (None, "", [], {}):
            raise Refused.of(EMPTY_JOB, f"'{name}' of job {place} is empty{MAY_BE_LEFT_OUT.get(name, '')}")
    if not (isinstance(said["namespace"], str) and isinstance(said["action"], str)):
        raise Refused.of(WRONG_JOB, f"The namespace and the action of job {place} must be text")
    if not isinstance(said.get("params", {}), dict):
        raise Refused.of(WRONG_JOB, f"The params of job {place} must be an object")
    if not _is_storable(said):
        raise Refused.of(WRONG_JOB, f"Job {place} has a number that is too large")
    if said["namespace"] == "batch":
        raise Refused.of(WRONG_JOB, f"Job {place} is about batches")
    return said


def _is_storable(job: Job) -> bool:
    """JSON that is stored has no infinite numbers, as 1e400 is read."""
    try:
        json.dumps(job, allow_nan=False)
    except ValueError:
        return False
    return True


def _callback_url(params: Parameters) -> str | None:
    url = params.text("callbackUrl", hooks.URL_LENGTH)
    if url is not None:
        try:
            hooks.check_url(url)
        except Invalid as error:
            raise Refused.not_valid("callbackUrl", error.message) from None
    return url


def _handle(params: Parameters, unknown: Problem) -> UUID:
    """The batch that is meant. What is no id is nobody's."""
    given = params.given.get("async", params.given.get("asyncId"))
    if given is None:
        raise Refused.missing("async")
    try:
        return UUID(hex=given)
    except (ValueError, AttributeError, TypeError):
        raise Refused.of(unknown) from None
