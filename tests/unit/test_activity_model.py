"""What an activity says of itself."""

from dataclasses import replace
from datetime import UTC, datetime
from uuid import UUID

import pytest
from hypothesis import given
from hypothesis import strategies as st

from engine.activities.model import Activity, Queue, State, json_text

NOW = datetime(2026, 1, 15, 10, tzinfo=UTC)
ROW = {
    "account_id": 1,
    "sequence": 1,
    "activity_id": UUID(int=1),
    "kind": "add_list_memberships",
    "queue": Queue.ACTIVITIES,
    "state": "initialized",
    "principal_id": UUID(int=2),
    "request": '{"on":[1]}',
    "reads": [2],
    "writes": [1, 3],
    "listed": True,
    "retry_of": None,
    "source_file_name": None,
    "created_at": NOW,
    "updated_at": NOW,
    "started_at": None,
    "completed_at": None,
    "attempts": 0,
    "fence": 0,
    "cancel_requested": False,
    "batch": 0,
    "cursor": None,
    "items_total": 0,
    "items_completed": 0,
    "changed_count": 0,
    "error_count": 0,
    "counts": None,
    "failure_code": None,
    "failure": None,
}
NEW = Activity.of(ROW)  # type: ignore[arg-type]  # a record is read like a mapping

ENDED = [state for state in State if state.is_final]


def test_a_row_is_read_into_plain_values() -> None:
    """Contract v3.md 3.2: everything that the activity object shows comes from its row."""
    assert NEW.state is State.INITIALIZED
    assert NEW.request == {"on": [1]}
    assert (NEW.reads, NEW.writes) == (frozenset({2}), frozenset({1, 3}))
    assert NEW.counts == {}
    assert NEW.cursor is None


def test_final_states_are_those_of_the_contract() -> None:
    """Contract v3.md 3.2.1."""
    assert ENDED == ["completed", "cancelled", "failed", "timed_out"]


@pytest.mark.parametrize(
    ("total", "completed", "percent"),
    [(0, 0, 1), (3, 0, 1), (1000, 1, 1), (3, 1, 33), (3, 2, 66), (200, 199, 99), (3, 3, 99), (3, 4, 99)],
)
def test_percent_done_while_running(total: int, completed: int, percent: int) -> None:
    """Contract v3.md 3.2.2: floor(100 × completed / total), 1 to 99 while running."""
    running = replace(NEW, state=State.PROCESSING, items_total=total, items_completed=completed)
    assert running.percent_done == percent


def test_percent_done_at_both_ends() -> None:
    """Contract v3.md 3.2.2: 1 at creation, 100 when completed, also when nothing was selected."""
    assert NEW.percent_done == 1
    assert replace(NEW, state=State.COMPLETED).percent_done == 100


@given(st.integers(0, 10**8), st.integers(0, 10**8), st.integers(0, 10**8))
def test_percent_done_never_decreases_as_items_are_completed(total: int, one: int, other: int) -> None:
    """Contract v3.md 3.2.2: never decreases, stays where it was in the other final states."""
    before, after = (
        replace(NEW, state=State.PROCESSING, items_total=total, items_completed=count) for count in sorted((one, other))
    )
    assert 1 <= before.percent_done <= after.percent_done <= 99
    for state in set(ENDED) - {State.COMPLETED}:
        assert replace(after, state=state).percent_done == after.percent_done


def test_json_is_stored_without_blanks() -> None:
    """Requests of ten thousand activities lie in the table: no byte for nothing."""
    assert json_text({"on": [1, 2], "off": []}) == '{"on":[1,2],"off":[]}'
