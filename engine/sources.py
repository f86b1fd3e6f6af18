"""Sources: the ways in which a bulk request chooses contacts (contract v3.md 3.3 and 3.4), and trees of them.

A source is frozen when it is submitted (names become set numbers, segment criteria are copied) and becomes a set
expression when its activity runs. An ordinary source is a tree of one leaf: one function freezes whatever chooses, and
one makes an expression of it.
"""

from collections.abc import Iterable, Iterator, Mapping
from datetime import UTC, datetime, timedelta
from itertools import islice
from typing import Annotated, Any, ClassVar, Literal, Protocol, Self
from uuid import UUID

from pydantic import (
    AfterValidator,
    BaseModel,
    BeforeValidator,
    ConfigDict,
    Field,
    JsonValue,
    StrictBool,
    model_validator,
)

from engine.arrays import Sized
from engine.database import Transaction
from engine.identifiers import Id
from engine.segments import stored as segments
from engine.sets import catalog, system
from engine.sets.catalog import SetKind
from engine.sets.expressions import Contacts, Difference, Expression, Intersection, Matching, Members, Union, reads
from engine.sets.predicates import OptedInSince

#: For how long a contact is a new subscriber.
NEW_SUBSCRIBER = timedelta(days=30)
#: The levels that were stored for a contact; any other active contact is unqualified (contract v3.md 3.14).
STORED_LEVELS = ("low", "medium", "high")
#: What a tree may have of leaves, and of levels; its topmost node is the first level.
MOST_LEAVES = 50
MOST_LEVELS = 10
#: Of the keys of a node that has several, so many are shown.
SHOWN_KEYS = 5

ContactIds = Annotated[tuple[Id, ...], Sized(500)]
SetIds = Annotated[tuple[Id, ...], Sized(50)]
SegmentId = Annotated[int, Field(strict=True, ge=1, le=2**31 - 1)]
Level = Literal["unqualified", "low", "medium", "high"]

#: The ways to choose contacts, and to put together what was chosen.
LEAVES = (
    "contact_ids",
    "list_ids",
    "all_active_contacts",
    "new_subscriber",
    "engagement_level",
    "segment_id",
    "tag_ids",
)
COMBINATIONS = ("union", "intersect", "except")


def _true(value: object) -> object:
    if not value:
        raise ValueError("it must be true")
    return value


Flag = Annotated[StrictBool, AfterValidator(_true)]
Nodes = Annotated[tuple["Node", ...], Field(min_length=1)]


#: What JSON Schema says of an object with exactly one key.
ONE_KEY: dict[str, JsonValue] = {"minProperties": 1, "maxProperties": 1}


class HasWays(Protocol):
    """A model of several ways to choose, of which one is taken."""

    ways: ClassVar[tuple[str, ...]]


def one_way(schema: dict[str, Any], model: type[HasWays]) -> None:
    """The plain form of such a model as JSON Schema: one of its ways, nothing idle beside it."""
    properties = {way: schema["properties"][way] for way in model.ways}
    filled = {"array": {"minItems": 1}, "boolean": {"const": True}}
    schema |= {
        "properties": {way: told | filled.get(told.get("type"), {}) for way, told in properties.items()},
        **ONE_KEY,
    }


class Node(BaseModel):
    """A node of `source.expression`: one leaf, or one combination of nodes (an extension).

    `union`: everybody in any of them; `intersect`: everybody in all of them; `except`: everybody in the first who is in
    none of the others. It has exactly one key: unlike in an ordinary source nothing idle may stand beside it.
    """

    model_config = ConfigDict(frozen=True, extra="forbid", json_schema_extra=ONE_KEY)

    union: Nodes | None = None
    intersect: Nodes | None = None
    except_: Annotated[Nodes, Field(min_length=2)] | None = Field(default=None, alias="except")
    contact_ids: Annotated[tuple[Id, ...], Sized(500, least=1)] | None = None
    list_ids: Annotated[tuple[Id, ...], Sized(50, least=1)] | None = None
    all_active_contacts: Flag | None = None
    new_subscriber: Flag | None = None
    engagement_level: Level | None = None
    segment_id: SegmentId | None = None
    tag_ids: Annotated[tuple[Id, ...], Sized(50, least=1)] | None = None

    @model_validator(mode="before")
    @classmethod
    def _has_one_key(cls, given: object) -> object:
        if isinstance(given, dict) and not (len(given) == 1 and _KEYS.issuperset(given) and None not in given.values()):
            found = " and ".join(map(_shown, islice(given, SHOWN_KEYS))) or "none"
            nothing = "that is null" if None in given.values() else ""
            raise ValueError(f"exactly one of {_ONE_OF} is needed; this one has {found} {nothing}".rstrip())
        return given

    @property
    def choice(self) -> tuple[str, Any]:
        """Its one key, and what it is given."""
        [name] = self.model_fields_set
        return name.removesuffix("_"), getattr(self, name)


_KEYS = frozenset(COMBINATIONS + LEAVES)
_ONE_OF = " | ".join(COMBINATIONS + LEAVES)


def _shown(key: str) -> str:
    text = key[:40]
    return text if text.isprintable() else ascii(text)[1:-1]


def _within_limits(given: object) -> object:
    """Refuses too large a tree before anything in it is read, whatever it is and however deep it goes."""
    leaves = 0
    waiting = [(given, "", 1)]
    while waiting:
        node, path, level = waiting.pop()
        if level > MOST_LEVELS:
            raise ValueError(f"{path[1:]} is on level {level}; at most {MOST_LEVELS} levels may be given")
        below = _below(node, path)
        leaves += not below
        if leaves > MOST_LEAVES:
            raise ValueError(f"it has more than {MOST_LEAVES} leaves; at most {MOST_LEAVES} may be given")
        waiting += [(part, place, level + 1) for part, place in below]
    return given


def _below(node: object, path: str) -> list[tuple[object, str]]:
    """The nodes under one, each with its path; more than there may be leaves are not looked at."""
    if not isinstance(node, dict):
        return []
    parts = [(way, node[way]) for way in COMBINATIONS if isinstance(node.get(way), list | tuple)]
    return [
        (part, f"{path}.{way}[{place}]")
        for way, nodes in parts
        for place, part in enumerate(islice(nodes, MOST_LEAVES + 1))
    ]


class Source(BaseModel):
    """Exactly one way of choosing contacts; false, null and [] choose nothing."""

    model_config = ConfigDict(frozen=True, extra="forbid", json_schema_extra=one_way)
    #: The ways there are; a request that offers fewer has a source class of its own.
    ways: ClassVar[tuple[str, ...]] = (*LEAVES, "expression")

    contact_ids: ContactIds | None = None
    list_ids: SetIds | None = None
    all_active_contacts: StrictBool | None = None
    new_subscriber: StrictBool | None = None
    engagement_level: Level | None = None
    segment_id: SegmentId | None = None
    tag_ids: SetIds | None = None
    expression: Annotated[Node, BeforeValidator(_within_limits)] | None = None

    @model_validator(mode="after")
    def _names_one_way(self) -> Self:
        chosen = self._chosen()
        if len(chosen) != 1 or chosen[0] not in self.ways:
            found = " and ".join(chosen) or "none"
            raise ValueError(f"exactly one of {' | '.join(self.ways)} is needed; this one has {found}")
        return self

    @property
    def choice(self) -> tuple[str, Any]:
        """The one way, and what it is given."""
        [way] = self._chosen()
        return way, getattr(self, way)

    def _chosen(self) -> list[str]:
        return [name for name in Source.ways if getattr(self, name) not in (None, False, ())]


class Exclude(BaseModel):
    """Contacts that are left out of a source."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    contact_ids: ContactIds | None = None


async def freeze(tx: Transaction, source: Source, exclude: Exclude | None) -> dict[str, Any]:
    """The source as an activity keeps it, ready for JSON. Raises UnknownTarget for lists, tags and segments."""
    frozen = await _frozen(tx, *source.choice)
    if exclude and exclude.contact_ids:
        frozen["excluded"] = exclude.contact_ids
    return frozen


async def chosen(tx: Transaction, frozen: Mapping[str, Any]) -> tuple[UUID, ...] | Expression:
    """Whom a frozen source means now: contacts by id, or a set expression.

    Only of contacts by id alone, and not of those in a tree, is it told which do not exist.
    """
    if "contact_ids" in frozen:
        excluded = set(_ids(frozen.get("excluded", ())))
        return tuple(contact_id for contact_id in _ids(frozen["contact_ids"]) if contact_id not in excluded)
    return await _without_excluded(tx, frozen)


async def reads_of(tx: Transaction, frozen: Mapping[str, Any]) -> frozenset[int]:
    """The sets that a frozen source reads; naming contacts by id reads none.

    Who has a tag depends on who exists, too: contacts that are revived have their tags again.
    """
    if "contact_ids" in frozen:
        return frozenset()
    tagged = any("tag_nos" in leaf for leaf in _leaves(frozen))
    return reads(await _without_excluded(tx, frozen)) | (frozenset({system.EXISTS}) if tagged else frozenset())


def named_in(frozen: Mapping[str, Any]) -> frozenset[int]:
    """The lists and tags that a frozen source names."""
    numbers = ((*leaf.get("list_nos", ()), *leaf.get("tag_nos", ())) for leaf in _leaves(frozen))
    return frozenset(set_no for numbers_of_leaf in numbers for set_no in numbers_of_leaf)


async def _frozen(tx: Transaction, way: str, given: Any) -> dict[str, Any]:
    match way:
        case "expression":
            return await _frozen(tx, *given.choice)
        case "union" | "intersect" | "except":
            return {way: [await _frozen(tx, *node.choice) for node in given]}
        case "list_ids":
            return {"list_nos": await catalog.numbers(tx, SetKind.LIST, given)}
        case "tag_ids":
            return {"tag_nos": await catalog.numbers(tx, SetKind.TAG, given)}
        case "segment_id":
            return {"criteria": await segments.criteria_of(tx, given)}
        case _:
            return {way: given}


async def _without_excluded(tx: Transaction, frozen: Mapping[str, Any]) -> Expression:
    excluded = Contacts(_ids(frozen.get("excluded", ())))
    return Difference(await _expression(tx, frozen, datetime.now(UTC)), excluded)


async def _expression(tx: Transaction, frozen: Mapping[str, Any], now: datetime) -> Expression:
    """Whom a frozen node means at this moment."""
    match frozen:
        case {"union": nodes}:
            return Union(await _expressions(tx, nodes, now))
        case {"intersect": nodes}:
            return Intersection(await _expressions(tx, nodes, now))
        case {"except": nodes}:
            first, *others = await _expressions(tx, nodes, now)
            return Difference(first, Union(tuple(others)))
        case {"criteria": criteria}:
            return await segments.resolve(tx, criteria)
        case _:
            return _leaf(frozen, now)


async def _expressions(tx: Transaction, nodes: Iterable[Mapping[str, Any]], now: datetime) -> tuple[Expression, ...]:
    return tuple([await _expression(tx, node, now) for node in nodes])


def _leaf(frozen: Mapping[str, Any], now: datetime) -> Expression:
    match frozen:
        case {"contact_ids": contact_ids}:
            return Contacts(_ids(contact_ids))
        case {"list_nos": set_nos} | {"tag_nos": set_nos}:
            return Members(tuple(set_nos))
        case {"engagement_level": level}:
            return _at_level(level)
        case {"new_subscriber": True}:
            return new_subscribers(now)
        case _:
            return Members((system.ACTIVE,))


def new_subscribers(now: datetime) -> Expression:
    """Who has subscribed within the last 30 days and may be mailed."""
    return Intersection((Matching(OptedInSince(now - NEW_SUBSCRIBER)), Members((system.ACTIVE,))))


def _at_level(level: str) -> Expression:
    """Only active contacts are at a level; those for whom none was stored are unqualified."""
    active = Members((system.ACTIVE,))
    if level == "unqualified":
        return Difference(active, Members(tuple(system.ENGAGEMENT[stored] for stored in STORED_LEVELS)))
    return Intersection((Members((system.ENGAGEMENT[level],)), active))


def _leaves(frozen: Mapping[str, Any]) -> Iterator[Mapping[str, Any]]:
    combined = [node for way in COMBINATIONS for node in frozen.get(way, ())]
    if not combined:
        yield frozen
    for node in combined:
        yield from _leaves(node)


def _ids(given: Iterable[UUID | str]) -> tuple[UUID, ...]:
    """Ids of a source that was frozen just now, or read from its activity's row."""
    return tuple(UUID(contact_id) if isinstance(contact_id, str) else contact_id for contact_id in given)
