"""Collections page by page: `limit`, and cursors that hold the whole query (contract v3.md 1.7)."""

from typing import Annotated, Any, NotRequired, Self

from aiohttp import web
from pydantic import Field, ValidationError
from typing_extensions import TypedDict

from api import cursors, reading
from api.dialects import Call
from api.reading import Query
from api.v3.values import Digits


class Link(TypedDict):
    href: str


class Links(TypedDict):
    next: Link


class Page(TypedDict):
    """Without links it is the last one."""

    _links: NotRequired[Links]


class PageQuery(Query):
    """What a collection is asked for, by a query or by a cursor that holds one."""

    limit: Annotated[int, Field(ge=1, le=500), Digits] = 50
    cursor: (
        Annotated[str, Field(max_length=8192, description="Of `_links.next.href`, which is to be used as it is.")]
        | None
    ) = None

    @classmethod
    def asked(cls, request: web.Request, account_id: int) -> Self:
        """The query, or that of the cursor; a `limit` beside a cursor counts. Raises Invalid."""
        given = {name: value for name, value in reading.query(request).items() if name not in cls.positions}
        query = reading.checked(cls, given)
        if "cursor" not in given:
            return query
        continued = cls._continued(request, account_id, given["cursor"])
        return continued.model_copy(update={"limit": query.limit}) if "limit" in given else continued

    @classmethod
    def _continued(cls, request: web.Request, account_id: int, cursor: str) -> Self:
        try:
            return cls.model_validate_json(cursors.opened(account_id, request.path, cursor))
        except ValidationError:
            raise cursors.refusal() from None


def next_links(call: Call[Any, Any], query: PageQuery, **position: Any) -> Links:
    """The `_links` of a page after which there is more, from this position on."""
    content = query.model_copy(update=position).model_dump_json(exclude_defaults=True, by_alias=True)
    path = call.request.path
    cursor = cursors.sealed(call.account_id, path, content.encode())
    return {"next": {"href": f"{path}?cursor={cursor}"}}
