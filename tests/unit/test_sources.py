"""Which sources a bulk request may name (contract v3.md 3.3 and 3.4); what they mean is tested on a database."""

import json
from typing import Any, ClassVar
from uuid import uuid4

import pytest
from pydantic import ValidationError

from api import problems
from engine.sources import Exclude, Source

ID = str(uuid4())

LEAVES: dict[str, Any] = {
    "contact_ids": [ID],
    "list_ids": [ID],
    "all_active_contacts": True,
    "new_subscriber": True,
    "engagement_level": "low",
    "segment_id": 1,
    "tag_ids": [ID],
}
VALID: dict[str, Any] = {**LEAVES, "expression": {"all_active_contacts": True}}
IDLE: dict[str, Any] = {
    "contact_ids": [],
    "list_ids": [],
    "all_active_contacts": False,
    "new_subscriber": False,
    "engagement_level": None,
    "segment_id": None,
    "tag_ids": [],
    "expression": None,
}


LEAVES_OK = {"all_active_contacts": True}


def ids(count: int) -> list[str]:
    return [str(uuid4()) for _ in range(count)]


@pytest.mark.parametrize("way", VALID)
def test_every_way_of_the_seed_is_accepted_alone(way: str) -> None:
    """Contract v3.md 3.4: seven ways to choose contacts, and trees of them."""
    chosen = Source.model_validate({way: VALID[way]})
    assert [name for name in Source.ways if getattr(chosen, name)] == [way]


@pytest.mark.parametrize("way", VALID)
def test_what_chooses_nothing_does_not_count(way: str) -> None:
    """Contract v3.md 3.3 and 1.10, 3: false, null, absent and [] do not count as chosen."""
    alone = Source.model_validate({way: VALID[way]})
    assert Source.model_validate({**dict.fromkeys(VALID), way: VALID[way]}) == alone
    idle = Source.model_validate({**IDLE, way: VALID[way]})
    assert [name for name in Source.ways if getattr(idle, name)] == [way]


@pytest.mark.parametrize("body", [{}, IDLE, dict.fromkeys(VALID), {"contact_ids": []}, {"new_subscriber": False}])
def test_a_source_that_chooses_nothing_is_refused(body: dict[str, Any]) -> None:
    """Contract v3.md 3.3: none → 400."""
    with pytest.raises(ValidationError, match=r"exactly one of .* is needed; this one has none"):
        Source.model_validate(body)


@pytest.mark.parametrize("one", VALID)
@pytest.mark.parametrize("other", VALID)
def test_two_ways_at_once_are_refused(one: str, other: str) -> None:
    """Contract v3.md 3.3: two or more → 400."""
    if one != other:
        with pytest.raises(ValidationError, match=f"{one} and {other}|{other} and {one}"):
            Source.model_validate({one: VALID[one], other: VALID[other]})


@pytest.mark.parametrize(("way", "most"), [("contact_ids", 500), ("list_ids", 50), ("tag_ids", 50)])
def test_the_limits_of_arrays(way: str, most: int) -> None:
    """Contract v3.md 3.3 and 3.4: an id array over its maximum → 400."""
    assert len(getattr(Source.model_validate({way: ids(most)}), way)) == most
    with pytest.raises(ValidationError, match=f"at most {most} items"):
        Source.model_validate({way: ids(most + 1)})


@pytest.mark.parametrize(
    "body",
    [
        {"contact_ids": ["Array"]},
        {"contact_ids": ID},
        {"contact_ids": [None]},
        {"contact_ids": [7]},
        {"list_ids": [ID[:-1]]},
        {"tag_ids": {"0": ID}},
        {"all_active_contacts": "true"},
        {"all_active_contacts": 1},
        {"new_subscriber": "yes"},
        {"engagement_level": "LOW"},
        {"engagement_level": ""},
        {"engagement_level": ["low"]},
        {"segment_id": 0},
        {"segment_id": -1},
        {"segment_id": 2**31},
        {"segment_id": "1"},
        {"segment_id": 1.5},
        {"segment_id": [1]},
        {"segment_id": True},
    ],
)
def test_values_of_another_shape_are_refused(body: dict[str, Any]) -> None:
    """Contract v3.md 3.3: malformed ids → 400; 1.8: wrong type, bad enum value → 400."""
    with pytest.raises(ValidationError):
        Source.model_validate(body)


@pytest.mark.parametrize("key", ["contact_id", "exclude", "all_contacts", "Contact_ids", ""])
def test_unknown_keys_are_refused(key: str) -> None:
    """Contract v3.md 1.6: a typo must not widen a bulk job."""
    with pytest.raises(ValidationError, match="Extra inputs are not permitted"):
        Source.model_validate({"contact_ids": [ID], key: [ID]})


def test_ids_are_read_whatever_their_case() -> None:
    """Contract v3.md 1.4: compare case-insensitively."""
    assert Source.model_validate({"contact_ids": [ID.upper()]}) == Source.model_validate({"contact_ids": [ID]})


class Few(Source):
    """A source of a request that offers fewer ways."""

    ways: ClassVar[tuple[str, ...]] = ("contact_ids", "list_ids")


@pytest.mark.parametrize("way", VALID)
def test_a_request_may_offer_fewer_ways(way: str) -> None:
    """Contract v3.md 3.5 and 3.6: some kinds have no segments, levels or new subscribers."""
    if way in Few.ways:
        Few.model_validate({way: VALID[way]})
    else:
        with pytest.raises(ValidationError, match=rf"exactly one of contact_ids \| list_ids is needed.*has {way}"):
            Few.model_validate({way: VALID[way]})


@pytest.mark.parametrize("way", VALID)
def test_a_way_that_is_not_offered_may_be_there_and_choose_nothing(way: str) -> None:
    """Contract v3.md 1.10, 3: the client sends `all_active_contacts: false` in every body."""
    Few.model_validate({**IDLE, "list_ids": [ID], way: [ID] if way == "list_ids" else IDLE[way]})


def test_exclude_leaves_out_up_to_500_contacts() -> None:
    """Contract v3.md 3.3: ≤500; [], null and absent leave nobody out."""
    assert len(Exclude.model_validate({"contact_ids": ids(500)}).contact_ids or ()) == 500
    nobody: list[dict[str, Any]] = [{}, {"contact_ids": None}, {"contact_ids": []}]
    for body in nobody:
        assert not Exclude.model_validate(body).contact_ids
    for wrong in ({"contact_ids": ids(501)}, {"contact_ids": ["x"]}, {"list_ids": [ID]}):
        with pytest.raises(ValidationError):
            Exclude.model_validate(wrong)


def refused(tree: object) -> str:
    """What is said of a tree that came as JSON."""
    with pytest.raises(ValidationError) as caught:
        Source.model_validate_json(json.dumps({"expression": tree}))
    return problems.described(caught.value)


def nested(levels: int) -> dict[str, Any]:
    tree: dict[str, Any] = {"all_active_contacts": True}
    for _ in range(levels - 1):
        tree = {"union": [tree]}
    return tree


class TestExpressions:
    """`source.expression` (issue 3, part 3)."""

    @pytest.mark.parametrize("way", LEAVES)
    def test_every_leaf(self, way: str) -> None:
        node = Source.model_validate({"expression": {way: LEAVES[way]}}).expression
        assert node is not None
        assert node.choice == Source.model_validate({way: LEAVES[way]}).choice

    def test_nodes_of_every_kind(self) -> None:
        leaf = {"tag_ids": [ID]}
        tree = {"except": [{"union": [leaf]}, {"intersect": [leaf, {"list_ids": [ID]}]}]}
        node = Source.model_validate_json(json.dumps({"expression": tree})).expression
        assert node is not None
        way, (first, second) = node.choice
        assert (way, first.choice[0], second.choice[0]) == ("except", "union", "intersect")

    def test_as_deep_and_as_wide_as_they_may_be(self) -> None:
        leaf = {"all_active_contacts": True}
        for tree in (nested(10), {"union": [leaf] * 50}, {"union": [{"union": [leaf] * 25}, {"except": [leaf] * 25}]}):
            assert Source.model_validate({"expression": tree}).expression

    @pytest.mark.parametrize(
        ("tree", "problem"),
        [
            (nested(11), "union[0].union[0].union[0].union[0].union[0].union[0].union[0].union[0].union[0].union[0]"),
            (nested(11), "is on level 11; at most 10 levels may be given"),
            (nested(90), "is on level 11; at most 10 levels may be given"),
            ({"union": [LEAVES] * 51}, "it has more than 50 leaves; at most 50 may be given"),
            ({"union": [{"union": [{}] * 49}, 7, {"x": 1}]}, "it has more than 50 leaves"),
            ({"union": [nested(9)] * 5_000}, "it has more than 50 leaves"),
        ],
    )
    def test_too_deep_or_too_wide(self, tree: object, problem: str) -> None:
        told = refused(tree)
        assert told.startswith("expression does not have a valid value: ")
        assert problem in told

    @pytest.mark.parametrize("levels", [150, 5_000])
    def test_bottomless_json_is_refused_at_once(self, levels: int) -> None:
        for opened in ('{"union":[', "[", '{"expression":'):
            with pytest.raises(ValidationError):
                Source.model_validate_json('{"expression":' + opened * levels)
        tree: Any = {}
        for _ in range(levels):
            tree = {"except": [tree]}
        with pytest.raises(ValidationError, match="is on level 11"):
            Source.model_validate({"expression": tree})

    @pytest.mark.parametrize(
        ("node", "found"),
        [
            ({}, "none"),
            ({"lists_ids": [ID]}, "lists_ids"),
            ({"tag_ids": [ID], "list_ids": [ID]}, "tag_ids and list_ids"),
            ({"union": [{"tag_ids": [ID]}], "all_active_contacts": False}, "union and all_active_contacts"),
            ({"tag_ids": None}, "tag_ids that is null"),
            ({"except": None}, "except that is null"),
            ({"except_": []}, "except_"),
            ({"expression": {"tag_ids": [ID]}}, "expression"),
            ({"exclude": {"contact_ids": [ID]}}, "exclude"),
            ({"a\n\u200b": 1}, "a\\n\\u200b"),
        ],
    )
    def test_a_node_has_exactly_one_key(self, node: object, found: str) -> None:
        told = "does not have a valid value: exactly one of union | intersect | except | contact_ids | "
        assert refused(node).startswith(f"expression {told}")
        assert refused(node).endswith(f"is needed; this one has {found}")
        assert refused({"union": [LEAVES_OK, node]}).startswith(f"expression.union[1] {told}")

    @pytest.mark.parametrize(
        ("leaf", "problem"),
        [
            ({"union": []}, "union has too few items: at least 1 must be given"),
            ({"intersect": []}, "intersect has too few items: at least 1 must be given"),
            ({"except": [{"tag_ids": [ID]}]}, "except has too few items: at least 2 must be given"),
            ({"union": {"tag_ids": [ID]}}, "union does not have a valid value: it must be an array"),
            ({"union": [7]}, "union[0] does not have a valid value: it must be an object"),
            ({"union": [None]}, "union[0] does not have a valid value: it must be an object"),
            ({"contact_ids": []}, "contact_ids has too few items: at least 1 must be given"),
            ({"list_ids": []}, "list_ids has too few items: at least 1 must be given"),
            ({"contact_ids": ids(501)}, "contact_ids has 501 items where at most 500 may be"),
            ({"tag_ids": ids(51)}, "tag_ids has 51 items where at most 50 may be"),
            ({"tag_ids": [ID.replace("-", "")]}, "tag_ids[0] does not have a valid value: it must be a UUID of 36"),
            ({"all_active_contacts": False}, "all_active_contacts does not have a valid value: it must be true"),
            ({"new_subscriber": False}, "new_subscriber does not have a valid value: it must be true"),
            ({"new_subscriber": 1}, "new_subscriber does not have a valid value: it must be true or false"),
            ({"new_subscriber": "true"}, "new_subscriber does not have a valid value: it must be true or false"),
            ({"engagement_level": "top"}, "engagement_level does not have a valid value: it must be 'unqualified'"),
            ({"segment_id": "1"}, "segment_id does not have a valid value: it must be a whole number"),
            ({"segment_id": True}, "segment_id does not have a valid value: it must be a whole number"),
        ],
    )
    def test_what_is_wrong_is_told_by_its_path(self, leaf: object, problem: str) -> None:
        assert refused(leaf).startswith(f"expression.{problem}")
        assert refused({"except": [LEAVES_OK, {"intersect": [leaf]}]}).startswith(
            f"expression.except[1].intersect[0].{problem}"
        )

    @pytest.mark.parametrize("tree", [[], "x", 7, True, [{"tag_ids": [ID]}]])
    def test_what_is_no_tree(self, tree: object) -> None:
        assert refused(tree) == "expression does not have a valid value: it must be an object"
