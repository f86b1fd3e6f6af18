"""Activities of which a test can hold up and break the work."""

from typing import Any

import pytest

from engine import operations
from engine.activities.operation import MembershipOperation
from engine.operations.list_memberships import AddListMemberships
from tests.integration.watched import WatchedChange

ADD = AddListMemberships.kind


@pytest.fixture
def watch(monkeypatch: pytest.MonkeyPatch) -> Any:
    """Replaces the operation that adds to lists by one that calls a hook."""

    def install(hook: Any) -> WatchedChange:
        inner = operations.OPERATIONS[ADD]
        assert isinstance(inner, MembershipOperation)
        watched = WatchedChange(inner, hook)
        monkeypatch.setitem(operations.OPERATIONS, ADD, watched)
        return watched

    return install
