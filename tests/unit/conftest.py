"""What unit tests share."""

import pytest
import structlog


@pytest.fixture(autouse=True)
def logging_as_at_first() -> None:
    """Whatever ran before in this process may have set another level."""
    structlog.reset_defaults()
