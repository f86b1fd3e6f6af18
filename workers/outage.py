"""Something that is away for a while: told once when it goes and once when it comes back, not at every try."""

import time
from typing import Any

import structlog


class Outage:
    """The outages of one thing; `name` begins its events."""

    def __init__(self, name: str) -> None:
        self._name = name
        self._log: Any = structlog.get_logger()
        self._since: float | None = None

    def goes_on(self, error: BaseException) -> None:
        """It failed, for the first time or again."""
        if self._since is None:
            self._since = time.monotonic()
            self._log.warning(f"{self._name}_down", reason=str(error) or type(error).__name__)

    def is_over(self) -> None:
        """It worked."""
        if self._since is not None:
            self._log.info(f"{self._name}_up_again", seconds=round(time.monotonic() - self._since, 1))
            self._since = None
