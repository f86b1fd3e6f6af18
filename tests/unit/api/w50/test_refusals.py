"""Every error has its status on the wire (contract w50.md)."""

import pytest

from api.errors import Unexpected
from api.w50.media import Media
from api.w50.refusals import refusal, status_of
from api.xml import BadXml
from engine import errors
from engine.errors import MusterError
from tests.unit.api import every_error

#: Faults, and what no request can raise.
ELSEWHERE = {"error", "unexpected", "lease_lost", "range_not_satisfiable"}


def test_every_code_has_a_status() -> None:
    """Contract 9: 200, 401, 403, 404, 405, 417 and 500, and 503 for what may be tried again (10)."""
    kinds: list[type[MusterError]] = [*every_error.errors(), BadXml]
    statuses = {kind.code: status_of(kind) for kind in kinds}
    assert {code for code, status in statuses.items() if status == 500} == ELSEWHERE
    assert {int(status) for status in statuses.values()} == {401, 403, 404, 405, 417, 500, 503}
    assert (statuses["unknown_target"], statuses["email_taken"], statuses["database_unusable"]) == (404, 417, 503)


@pytest.mark.parametrize("media", list(Media))
def test_faults_are_500(media: Media) -> None:
    """Contract 9."""
    assert refusal(Unexpected("a fault"), media).status == 500


def test_what_may_be_tried_again_says_when() -> None:
    """Contract 10."""
    assert refusal(errors.Busy("busy"), Media.JSON).headers["Retry-After"] == "5"
