"""In which steps contacts are scanned for a page."""

import pytest

from engine.sets.expressions import EVERYWHERE, Chunks
from engine.sets.reading import _Step, _steps


@pytest.mark.parametrize(
    ("first", "scanned", "steps"),
    [
        (0, 0, [_Step(Chunks(0), 0)]),
        (0, 1, [_Step(Chunks(0), 1)]),
        (5, 3, [_Step(Chunks(5), 0)]),
        (0, 2, [_Step(Chunks(0, 1), 1), _Step(Chunks(1), 1)]),
        (2, 62, [_Step(Chunks(2, 3), 1), _Step(Chunks(3, 7), 4), _Step(Chunks(7, 23), 16), _Step(Chunks(23), 39)]),
    ],
)
def test_steps(first: int, scanned: int, steps: list[_Step]) -> None:
    """They leave no chunk out, and the last has no end: who comes meanwhile is found."""
    assert list(_steps(first, _Step(EVERYWHERE, scanned))) == steps
