"""How often a token may ask: a limit of the vendor's (contract v3.md 1.9) that a setting turns on."""

from limits import RateLimitItem, RateLimitItemPerSecond
from limits.aio.storage import MemoryStorage
from limits.aio.strategies import MovingWindowRateLimiter

from api.errors import Throttled
from engine.principals import Principal
from engine.settings import Settings


class Throttle:
    """Counts the requests of each principal; every API process counts for itself."""

    def __init__(self, settings: Settings) -> None:
        most = settings.requests_per_second
        self._limit: RateLimitItem | None = RateLimitItemPerSecond(most) if most else None
        self._window = MovingWindowRateLimiter(MemoryStorage())

    async def admit(self, principal: Principal) -> None:
        """Raises Throttled when the principal has asked as often in this second as it may."""
        if self._limit and not await self._window.hit(self._limit, str(principal.principal_id)):
            raise Throttled("Too Many Requests")
