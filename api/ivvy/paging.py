"""Collections, page by page (contract ivvy.md 3)."""

from collections.abc import Sequence
from typing import NamedTuple

from api.ivvy.parameters import Parameters
from api.ivvy.refusals import Refused

#: Records of a page: by default, and at most.
PER_PAGE, MOST_PER_PAGE = 50, 500


class Page(NamedTuple):
    """Which records are asked for: from the `start`th on, counted from 0."""

    start: int
    per_page: int

    def collection(self, total: int, results: Sequence[object]) -> dict[str, object]:
        """The records of the page out of `total`, as they are sent."""
        meta = {"totalResults": total, "start": self.start, "perPage": self.per_page, "count": len(results)}
        return {"meta": meta, "results": results}


def page_of(params: Parameters) -> Page:
    """Which page is asked for; a longer one than may be is cut silently. Raises Refused."""
    return Page(_count(params, "start", 0), min(_count(params, "perPage", PER_PAGE), MOST_PER_PAGE))


def _count(params: Parameters, name: str, default: int) -> int:
    value = params.integer(name)
    if value is None:
        return default
    if value < 0:
        raise Refused.not_valid(name, "Value must not be negative")
    return value
