"""The truth in plain Python: what bulk requests do to contacts, lists, tags and levels, told with sets.

Everything is checked against this model. It takes request bodies as they are on the wire and knows neither chunks nor
SQL nor order of execution: requests are run one after the other.
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from random import Random
from typing import Any

LEVELS = ("unqualified", "low", "medium", "high")
STORED_LEVELS = ("low", "medium", "high")

COMBINATIONS = ("union", "intersect", "except")
#: The leaves of a tree, which every kind offers.
LEAVES = ("contact_ids", "list_ids", "tag_ids", "all_active_contacts", "new_subscriber", "engagement_level")
#: How often a request that may chooses by a tree.
TREES = 0.25

Body = Mapping[str, Any]


@dataclass(frozen=True)
class Outcome:
    """What a request did: contacts (or sets) selected, memberships changed, contacts and ids with an error."""

    selected: int
    changed: int
    errors: int


@dataclass
class Model:
    """An account: contact ids by what they are, and by the list, tag and level they are in."""

    existing: set[str] = field(default_factory=set)
    deleted: set[str] = field(default_factory=set)
    active: set[str] = field(default_factory=set)
    unsubscribed: set[str] = field(default_factory=set)
    recent: set[str] = field(default_factory=set)
    lists: dict[str, set[str]] = field(default_factory=dict)
    tags: dict[str, set[str]] = field(default_factory=dict)
    levels: dict[str, set[str]] = field(default_factory=lambda: {level: set() for level in LEVELS})
    by_hand: set[str] = field(default_factory=set)
    #: Lists and tags that were deleted: they stay in `lists` and `tags`, empty.
    gone: set[str] = field(default_factory=set)

    def run(self, kind: str, body: Body) -> Outcome:
        """Does what a bulk request says."""
        if kind in DELETIONS:
            return self._delete(kind, body)
        chosen = self.selected(body)
        known = chosen & (self.existing | self.deleted)
        allowed = self.existing - (self.unsubscribed if kind == "add_list_memberships" else set())
        on, off = self._targets(kind, body)
        changed = sum(len(known & allowed - target) for target in on)
        changed += sum(len(known & allowed & target) for target in off)
        for members in on:
            members.update(known & allowed)
        for members in off:
            members.difference_update(known & allowed)
        gone = self.gone & {*body.get("list_ids", ()), *body.get("tag_ids", ())}
        return Outcome(len(chosen), changed, len(chosen - known) + len(known - allowed) + len(gone))

    def _delete(self, kind: str, body: Body) -> Outcome:
        """Nobody is in the sets any more, and nobody can be put into them."""
        name = DELETIONS[kind]
        sets, ids = (self.lists if name == "list_ids" else self.tags), set(body[name])
        outcome = Outcome(len(ids), sum(len(sets[each]) for each in ids), len(ids & self.gone))
        sets |= {each: set() for each in ids}
        self.gone |= ids
        return outcome

    def selected(self, body: Body) -> set[str]:
        """Whom the source of a body means, unknown ids included."""
        [(way, value)] = body["source"].items()
        excluded = set(body.get("exclude", {}).get("contact_ids", ()))
        return (self._in_tree(value) if way == "expression" else self._chosen(way, value)) - excluded

    def _chosen(self, way: str, value: Any) -> set[str]:
        match way:
            case "contact_ids":
                return set(value)
            case "list_ids":
                return _union(self.lists[list_id] for list_id in value)
            case "tag_ids":
                return _union(self.tags[tag_id] for tag_id in value)
            case "all_active_contacts":
                return set(self.active)
            case "new_subscriber":
                return self.recent & self.active
            case "engagement_level" if value == "unqualified":
                return self.active - _union(self.levels[level] for level in STORED_LEVELS)
            case "engagement_level":
                return self.levels[value] & self.active
        raise ValueError(way)

    def _in_tree(self, node: Mapping[str, Any], *, alone: bool = True) -> set[str]:
        """Whom a node means; unknown ids nobody, unless they are all that is asked for."""
        [(way, value)] = node.items()
        if way not in COMBINATIONS:
            chosen = self._chosen(way, value)
            return chosen if alone else chosen & (self.existing | self.deleted)
        first, *others = (self._in_tree(part, alone=False) for part in value)
        match way:
            case "union":
                return first.union(*others)
            case "intersect":
                return first.intersection(*others)
            case _:
                return first.difference(*others)

    def _targets(self, kind: str, body: Body) -> tuple[list[set[str]], list[set[str]]]:
        match kind:
            case "add_list_memberships":
                return [self.lists[list_id] for list_id in set(body["list_ids"]) - self.gone], []
            case "remove_list_memberships":
                return [], [self.lists[list_id] for list_id in set(body["list_ids"]) - self.gone]
            case "contacts_taggings_add":
                return [self.tags[tag_id] for tag_id in set(body["tag_ids"]) - self.gone], []
            case "contacts_taggings_remove":
                return [], [self.tags[tag_id] for tag_id in set(body["tag_ids"]) - self.gone]
            case "contacts_engagement_set":
                level = body["engagement_level"]
                return [self.levels[level], self.by_hand], [
                    members for name, members in self.levels.items() if name != level
                ]
        raise ValueError(kind)


#: The kinds that delete lists or tags, each with the name of what it deletes.
DELETIONS = {"list_delete": "list_ids", "contacts_tags_delete": "tag_ids"}

#: The bulk kinds, each with the sources that it offers and the name of its targets.
KINDS = {
    "add_list_memberships": (
        ("contact_ids", "list_ids", "tag_ids", "all_active_contacts", "new_subscriber", "engagement_level"),
        "list_ids",
    ),
    "remove_list_memberships": (
        ("contact_ids", "list_ids", "tag_ids", "all_active_contacts", "engagement_level"),
        "list_ids",
    ),
    "contacts_taggings_add": (
        ("contact_ids", "list_ids", "tag_ids", "all_active_contacts", "new_subscriber"),
        "tag_ids",
    ),
    "contacts_taggings_remove": (
        ("contact_ids", "list_ids", "tag_ids", "all_active_contacts", "new_subscriber"),
        "tag_ids",
    ),
    "contacts_engagement_set": (
        ("contact_ids", "list_ids", "tag_ids", "all_active_contacts", "new_subscriber", "engagement_level"),
        "engagement_level",
    ),
}


def random_request(
    random: Random, model: Model, contact_ids: list[str], *, most: int = 6
) -> tuple[str, dict[str, Any]]:
    """A bulk request that the API accepts; `contact_ids` to name contacts from may hold unknown ones."""
    kind = random.choice(list(KINDS))
    ways, target = KINDS[kind]
    way = random.choice(ways) if random.random() > TREES else "expression"
    body: dict[str, Any] = {"source": {way: _value(random, model, contact_ids, way, most)}}
    if way != "contact_ids" and random.random() < 0.5:
        body["exclude"] = {"contact_ids": random.choices(contact_ids, k=random.randint(1, most))}
    body[target] = _value(random, model, contact_ids, target, most)
    return kind, body


def _tree(random: Random, model: Model, contact_ids: list[str], most: int, levels: int) -> dict[str, Any]:
    """A tree of so many levels at most."""
    if levels == 1 or random.random() < 0.3:
        way = random.choice(LEAVES)
        return {way: _value(random, model, contact_ids, way, most)}
    way = random.choice(COMBINATIONS)
    parts = random.randint(2 if way == "except" else 1, 3)
    return {way: [_tree(random, model, contact_ids, most, levels - 1) for _ in range(parts)]}


def random_deletion(random: Random, model: Model, *, most: int = 2) -> tuple[str, dict[str, Any]]:
    """A bulk request that deletes lists or tags, be they deleted already."""
    kind = random.choice(list(DELETIONS))
    name = DELETIONS[kind]
    return kind, {name: _value(random, model, [], name, most)}


def _value(random: Random, model: Model, contact_ids: list[str], way: str, most: int) -> Any:
    if way == "expression":
        return _tree(random, model, contact_ids, most, random.randint(1, 4))
    names = {"contact_ids": contact_ids, "list_ids": list(model.lists), "tag_ids": list(model.tags)}
    if way in names:
        return random.choices(names[way], k=random.randint(1, most))
    return random.choice(LEVELS) if way == "engagement_level" else True


def _union(sets: Iterable[set[str]]) -> set[str]:
    return set().union(*sets)
