"""Which sources a bulk request may name (contract v3.md 3.3 and 3.4); what they mean is tested on a database."""

from typing import Any, ClassVar
from uuid import uuid4

import pytest
from pydantic import ValidationError

from engine.sources import Exclude, Source

ID = str(uuid4())

VALID: dict[str, Any] = {
    "contact_ids": [ID],
    "list_ids": [ID],
    "all_active_contacts": True,
    "new_subscriber": True,
    "engagement_level": "low",
    "segment_id": 1,
    "tag_ids": [ID],
}
IDLE: dict[str, Any] = {
    "contact_ids": [],
    "list_ids": [],
    "all_active_contacts": False,
    "new_subscriber": False,
    "engagement_level": None,
    "segment_id": None,
    "tag_ids": [],
}


def ids(count: int) -> list[str]:
    return [str(uuid4()) for _ in range(count)]


@pytest.mark.parametrize("way", VALID)
def test_every_way_of_the_seed_is_accepted_alone(way: str) -> None:
    """Contract v3.md 3.4: seven ways to choose contacts."""
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
