"""Sources: the ways in which a bulk request chooses contacts (contract v3.md 3.3 and 3.4).

A source is frozen when it is submitted (names become set numbers, segment criteria are copied) and becomes a set
expression when its activity runs.
"""

from collections.abc import Mapping
from datetime import UTC, datetime, timedelta
from typing import Annotated, Any, ClassVar, Literal, Self
from uuid import UUID

from pydantic import BaseModel, ConfigDict, Field, StrictBool, model_validator

from engine.database import Transaction
from engine.identifiers import Id
from engine.segments import stored as segments
from engine.sets import catalog, system
from engine.sets.catalog import SetKind
from engine.sets.expressions import Contacts, Difference, Expression, Intersection, Matching, Members, reads
from engine.sets.predicates import OptedInSince

#: For how long a contact is a new subscriber.
NEW_SUBSCRIBER = timedelta(days=30)
#: The levels that were stored for a contact; any other active contact is unqualified (contract v3.md 3.14).
STORED_LEVELS = ("low", "medium", "high")

ContactIds = Annotated[tuple[Id, ...], Field(max_length=500)]
SetIds = Annotated[tuple[Id, ...], Field(max_length=50)]
SegmentId = Annotated[int, Field(strict=True, ge=1, le=2**31 - 1)]
Level = Literal["unqualified", "low", "medium", "high"]


class Source(BaseModel):
    """Exactly one way of choosing contacts; false, null and [] choose nothing."""

    model_config = ConfigDict(frozen=True, extra="forbid")
    #: The ways there are; a request that offers fewer has a source class of its own.
    ways: ClassVar[tuple[str, ...]] = (
        "contact_ids",
        "list_ids",
        "all_active_contacts",
        "new_subscriber",
        "engagement_level",
        "segment_id",
        "tag_ids",
    )

    contact_ids: ContactIds | None = None
    list_ids: SetIds | None = None
    all_active_contacts: StrictBool | None = None
    new_subscriber: StrictBool | None = None
    engagement_level: Level | None = None
    segment_id: SegmentId | None = None
    tag_ids: SetIds | None = None

    @model_validator(mode="after")
    def _names_one_way(self) -> Self:
        chosen = [name for name in Source.ways if getattr(self, name) not in (None, False, ())]
        if len(chosen) != 1 or chosen[0] not in self.ways:
            found = " and ".join(chosen) or "none"
            raise ValueError(f"exactly one of {' | '.join(self.ways)} is needed; this one has {found}")
        return self


class Exclude(BaseModel):
    """Contacts that are left out of a source."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    contact_ids: ContactIds | None = None


async def freeze(tx: Transaction, source: Source, exclude: Exclude | None) -> dict[str, Any]:
    """The source as an activity keeps it, ready for JSON. Raises UnknownTarget for lists, tags and segments."""
    frozen = await _frozen(tx, source)
    if exclude and exclude.contact_ids:
        frozen["excluded"] = [str(contact_id) for contact_id in exclude.contact_ids]
    return frozen


async def chosen(tx: Transaction, frozen: Mapping[str, Any]) -> tuple[UUID, ...] | Expression:
    """Whom a frozen source means now: contacts by id, or a set expression."""
    if "contact_ids" in frozen:
        return tuple(map(UUID, frozen["contact_ids"]))
    return await _expression(tx, frozen)


async def reads_of(tx: Transaction, frozen: Mapping[str, Any]) -> frozenset[int]:
    """The sets that a frozen source reads; naming contacts by id reads none."""
    return frozenset() if "contact_ids" in frozen else reads(await _expression(tx, frozen))


async def _frozen(tx: Transaction, source: Source) -> dict[str, Any]:
    if source.contact_ids:
        return {"contact_ids": source.contact_ids}
    if source.list_ids:
        return {"set_nos": await catalog.numbers(tx, SetKind.LIST, source.list_ids)}
    if source.tag_ids:
        return {"set_nos": await catalog.numbers(tx, SetKind.TAG, source.tag_ids)}
    if source.segment_id is not None:
        return {"criteria": await segments.criteria_of(tx, source.segment_id)}
    if source.engagement_level:
        return {"engagement_level": source.engagement_level}
    return {"new_subscriber": True} if source.new_subscriber else {"all_active_contacts": True}


async def _expression(tx: Transaction, frozen: Mapping[str, Any]) -> Expression:
    excluded = Contacts(tuple(map(UUID, frozen.get("excluded", ()))))
    return Difference(await _included(tx, frozen), excluded)


async def _included(tx: Transaction, frozen: Mapping[str, Any]) -> Expression:
    match frozen:
        case {"set_nos": set_nos}:
            return Members(tuple(set_nos))
        case {"criteria": criteria}:
            return await segments.resolve(tx, criteria)
        case {"engagement_level": level}:
            return _at_level(level)
        case {"new_subscriber": True}:
            since = datetime.now(UTC) - NEW_SUBSCRIBER
            return Intersection((Matching(OptedInSince(since)), Members((system.ACTIVE,))))
        case _:
            return Members((system.ACTIVE,))


def _at_level(level: str) -> Expression:
    """Only active contacts are at a level; those for whom none was stored are unqualified."""
    active = Members((system.ACTIVE,))
    if level == "unqualified":
        return Difference(active, Members(tuple(system.ENGAGEMENT[stored] for stored in STORED_LEVELS)))
    return Intersection((Members((system.ENGAGEMENT[level],)), active))
