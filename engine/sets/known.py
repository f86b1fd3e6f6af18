"""Which set has which number, remembered by a process.

A set's number never changes while it exists, so nobody needs to ask for it again and again. Whether the set still
exists, under this number and this id, is looked at where an activity is queued (submit_activities).
"""

from uuid import UUID

#: Sets remembered at once, 300 bytes each; when there are more, all are asked for again.
MOST_KNOWN = 100_000


class KnownSets:
    """Numbers of sets by account, kind and public id, and the other way round."""

    def __init__(self) -> None:
        self._numbers: dict[tuple[int, str, UUID], int] = {}
        self._ids: dict[tuple[int, int], UUID] = {}

    def number(self, account_id: int, kind: str, set_id: UUID) -> int | None:
        return self._numbers.get((account_id, kind, set_id))

    def set_id(self, account_id: int, set_no: int) -> UUID | None:
        return self._ids.get((account_id, set_no))

    def remember(self, account_id: int, kind: str, set_id: UUID, set_no: int) -> None:
        if len(self._numbers) >= MOST_KNOWN:
            self.forget()
        self._numbers[account_id, kind, set_id] = set_no
        self._ids[account_id, set_no] = set_id

    def drop(self, account_id: int, kind: str, set_id: UUID) -> None:
        """Forgets one set: it was deleted."""
        set_no = self._numbers.pop((account_id, kind, set_id), None)
        if set_no is not None:
            del self._ids[account_id, set_no]

    def forget(self) -> None:
        self._numbers.clear()
        self._ids.clear()
