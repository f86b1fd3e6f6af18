"""Checked rules of a segment: what each mentions, and the set expression that it means."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Literal, Protocol
from uuid import UUID

from engine.sets.expressions import EVERYBODY, NOBODY, Difference, Expression, Intersection, Matching, Members, Union
from engine.sets.predicates import Predicate
from engine.sets.system import EXISTS, TRACKING


@dataclass(frozen=True, slots=True)
class LastCampaigns:
    """The campaigns that were sent last, so many of them."""

    count: int


@dataclass(frozen=True, slots=True)
class LastDays:
    """The campaigns that were sent within so many days."""

    days: int


@dataclass(frozen=True, slots=True)
class NamedCampaigns:
    """The campaigns with these ids."""

    campaign_ids: frozenset[UUID]


Campaigns = LastCampaigns | LastDays | NamedCampaigns


@dataclass(frozen=True, slots=True)
class Mentions:
    """Ids of lists and of tags; custom fields by id or by name, in lower case; campaigns as the rules choose them."""

    lists: frozenset[UUID] = frozenset()
    tags: frozenset[UUID] = frozenset()
    fields: frozenset[str] = frozenset()
    campaigns: frozenset[Campaigns] = frozenset()


@dataclass(frozen=True, slots=True)
class CustomField:
    """A custom field of the account."""

    field_no: int
    type: Literal["string", "date"]


Action = Literal["sent", "opened", "clicked"]


@dataclass(frozen=True, slots=True)
class Tracked:
    """The numbers of the sets of some campaigns: to whom they were sent, who opened them, who clicked."""

    sent: tuple[int, ...] = ()
    opened: tuple[int, ...] = ()
    clicked: tuple[int, ...] = ()

    def of(self, action: Action) -> tuple[int, ...]:
        return {"sent": self.sent, "opened": self.opened, "clicked": self.clicked}[action]


@dataclass(frozen=True, slots=True)
class Names:
    """What of the things mentioned exists: set numbers, and custom fields by id and by name, in lower case."""

    lists: Mapping[UUID, int]
    tags: Mapping[UUID, int]
    fields: Mapping[str, CustomField]
    campaigns: Mapping[Campaigns, Tracked] = field(default_factory=dict)


class Rule(Protocol):
    """A rule, or a group of rules."""

    def mentions(self) -> Mentions: ...

    def expression(self, names: Names) -> Expression:
        """Whom the rule means; of contacts chosen by fields, deleted ones too."""
        ...


@dataclass(frozen=True, slots=True)
class Where:
    """Contacts whose fields meet a predicate."""

    predicate: Predicate

    def mentions(self) -> Mentions:
        return Mentions()

    def expression(self, _names: Names) -> Expression:
        return Matching(self.predicate)


@dataclass(frozen=True, slots=True)
class WhereCustom:
    """Contacts whose custom field meets a condition, which depends on the field's type.

    Nobody if there is no such field: a name mistyped in a negative rule must not mean everybody.
    """

    field: str
    condition: Callable[[CustomField], Predicate]

    def mentions(self) -> Mentions:
        return Mentions(fields=frozenset({self.field}))

    def expression(self, names: Names) -> Expression:
        field = names.fields.get(self.field)
        return Matching(self.condition(field)) if field else NOBODY


@dataclass(frozen=True, slots=True)
class OnAnyList:
    """Contacts on at least one of the lists that exist."""

    list_ids: tuple[UUID, ...]

    def mentions(self) -> Mentions:
        return Mentions(lists=frozenset(self.list_ids))

    def expression(self, names: Names) -> Expression:
        return _members(self.list_ids, names.lists)


@dataclass(frozen=True, slots=True)
class WithAnyTag:
    """Contacts with at least one of the tags that exist."""

    tag_ids: tuple[UUID, ...]

    def mentions(self) -> Mentions:
        return Mentions(tags=frozenset(self.tag_ids))

    def expression(self, names: Names) -> Expression:
        return _members(self.tag_ids, names.tags)


@dataclass(frozen=True, slots=True)
class WithNoTag:
    """Contacts with none of the tags."""

    tag_ids: tuple[UUID, ...]

    def mentions(self) -> Mentions:
        return Mentions(tags=frozenset(self.tag_ids))

    def expression(self, names: Names) -> Expression:
        return Difference(EVERYBODY, _members(self.tag_ids, names.tags))


@dataclass(frozen=True, slots=True)
class Did:
    """Contacts to whom it happened with at least one of the campaigns.

    TRACKING has no members: it is named so that whoever reads a campaign waits for events that may make another.
    """

    action: Action
    campaigns: Campaigns

    def mentions(self) -> Mentions:
        return Mentions(campaigns=frozenset({self.campaigns}))

    def expression(self, names: Names) -> Expression:
        return Members((TRACKING, *names.campaigns.get(self.campaigns, Tracked()).of(self.action)))


@dataclass(frozen=True, slots=True)
class DidNot:
    """Contacts to whom at least one of the campaigns was sent, and who did it with none of them."""

    action: Action
    campaigns: Campaigns

    def mentions(self) -> Mentions:
        return Mentions(campaigns=frozenset({self.campaigns}))

    def expression(self, names: Names) -> Expression:
        did = Did(self.action, self.campaigns).expression(names)
        return Difference(Did("sent", self.campaigns).expression(names), did)


@dataclass(frozen=True, slots=True)
class WasNotSent:
    """Contacts to whom none of the campaigns was sent, if there are any.

    The contract's words for all `not_` fields would make this one of nobody, ever (v3.md 4.3).
    """

    campaigns: Campaigns

    def mentions(self) -> Mentions:
        return Mentions(campaigns=frozenset({self.campaigns}))

    def expression(self, names: Names) -> Expression:
        sent = names.campaigns.get(self.campaigns, Tracked()).sent
        everybody = (EXISTS,) if sent else ()
        return Difference(Members((TRACKING, *everybody)), Members(sent))


@dataclass(frozen=True, slots=True)
class Group:
    """Rules of which all or any must hold."""

    type: Literal["and", "or"]
    rules: tuple[Rule, ...]

    def mentions(self) -> Mentions:
        parts = [rule.mentions() for rule in self.rules]
        return Mentions(
            frozenset().union(*(part.lists for part in parts)),
            frozenset().union(*(part.tags for part in parts)),
            frozenset().union(*(part.fields for part in parts)),
            frozenset().union(*(part.campaigns for part in parts)),
        )

    def expression(self, names: Names) -> Expression:
        combined = Intersection if self.type == "and" else Union
        return combined(tuple(rule.expression(names) for rule in self.rules))


def _members(set_ids: tuple[UUID, ...], numbers: Mapping[UUID, int]) -> Expression:
    return Members(tuple(numbers[set_id] for set_id in set_ids if set_id in numbers))
