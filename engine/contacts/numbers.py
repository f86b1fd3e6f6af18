"""Contact numbers for new contacts, reserved in blocks so that the account's row is locked only for a moment."""

from engine import accounts
from engine.database import Database


class Numbers:
    """Numbers reserved for one import or process, handed out in runs; what one step leaves serves the next.

    block: at least so many are reserved at once. Those that are never used are a gap.
    """

    def __init__(self, db: Database, account_id: int, block: int = 1) -> None:
        self._db = db
        self._account_id = account_id
        self._block = block
        self._first, self._end = 1, 1

    async def reserve(self, count: int) -> int:
        """Makes sure of `count` numbers in a row; answers the first."""
        missing = count - (self._end - self._first)
        if missing > 0:
            size = max(missing, self._block)
            first = await accounts.reserve_contact_numbers(self._db, self._account_id, size)
            if self._first == self._end:
                self._first, self._end = first, first + size
            elif first == self._end:
                self._end += size
            else:
                # Somebody took numbers in between: those left over become a gap.
                self._first = await accounts.reserve_contact_numbers(self._db, self._account_id, count)
                self._end = self._first + count
        return self._first

    def take(self, count: int) -> None:
        """The first `count` reserved numbers belong to contacts now."""
        self._first += count
