"""Collections page by page: `limit`, and cursors that hold the whole query (contract v3.md 1.7)."""

from typing import Annotated, Any, ClassVar, TypeVar

from pydantic import BaseModel, ConfigDict, Field, ValidationError

from api import cursors, reading
from api.dialects import Call
from api.v3.values import Digits

Links = dict[str, dict[str, str]]


class PageQuery(BaseModel):
    """What a collection is asked for. Other parameters are ignored, as unknown ones are everywhere."""

    model_config = ConfigDict(frozen=True, extra="ignore")
    #: The fields that say where a page begins: only a cursor gives them.
    positions: ClassVar[frozenset[str]] = frozenset()

    limit: Annotated[int, Digits, Field(ge=1, le=500)] = 50


Query = TypeVar("Query", bound=PageQuery)


def page_query(call: Call, model: type[Query]) -> Query:
    """The query, or that of the cursor; a `limit` beside a cursor counts. Raises Invalid."""
    given = {name: value for name, value in reading.query(call.request).items() if name not in model.positions}
    query = reading.checked(model, given)
    if "cursor" not in given:
        return query
    continued = _continued(call, model, given["cursor"])
    return continued.model_copy(update={"limit": query.limit}) if "limit" in given else continued


def next_links(call: Call, query: PageQuery, **position: Any) -> Links:
    """The `_links` of a page after which there is more, from this position on."""
    content = query.model_copy(update=position).model_dump_json(exclude_defaults=True, by_alias=True)
    path = call.request.path
    cursor = cursors.sealed(call.account_id, path, content.encode())
    return {"next": {"href": f"{path}?cursor={cursor}"}}


def _continued(call: Call, model: type[Query], cursor: str) -> Query:
    try:
        return model.model_validate_json(cursors.opened(call.account_id, call.request.path, cursor))
    except ValidationError:
        raise cursors.refusal() from None
