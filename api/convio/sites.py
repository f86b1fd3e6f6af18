"""Sites: organizations and the accounts in them, remembered for the same moment as tokens are."""

import math
from time import monotonic

from api.auth import Memory
from engine import organizations
from engine.database import Database
from engine.organizations import Organization


class Sites:
    """Finds out which site is meant, and whose address books it has."""

    def __init__(self, db: Database, seconds: float) -> None:
        self._db = db
        self._named = Memory[Organization](seconds, monotonic, lambda _: math.inf)
        self._by_key = Memory[Organization](seconds, monotonic, lambda _: math.inf)
        self._holds = Memory[bool](seconds, monotonic, lambda _: math.inf)

    async def named(self, name: str) -> Organization:
        """The site of a path. Raises NotFound."""
        return await self._named.get(name, lambda: organizations.find(self._db, name))

    async def of_key(self, api_key: str) -> Organization:
        """The site that has this key. Raises Unauthorized."""
        return await self._by_key.get(api_key, lambda: organizations.by_api_key(self._db, api_key))

    async def holds(self, site: Organization, account_id: int) -> bool:
        """Whether the account is one of the site's."""
        number = site.organization_id
        return await self._holds.get((number, account_id), lambda: organizations.holds(self._db, number, account_id))
