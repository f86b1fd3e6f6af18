"""What queries accept (contract v3.md 1.6, 1.7, 2.1.8, 2.2, 2.5, 3.11)."""

from contextlib import suppress
from datetime import UTC, datetime
from typing import Any
from uuid import UUID

import pytest
from hypothesis import given
from hypothesis import strategies as st

from api import reading
from api.v3.activities import ActivitiesQuery, ErrorsQuery, OneQuery
from api.v3.contact_lists import ListsQuery
from api.v3.contact_tags import TagsQuery
from api.v3.contacts import ContactsQuery
from api.v3.custom_fields import CustomFieldsQuery
from api.v3.paging import PageQuery
from api.v3.segments import SegmentsQuery
from engine.errors import Invalid

ID = "5d3cb4f0-9d3a-4c39-8d1c-0e5f3f0c1a2b"
OTHER = "0f0e4c50-2b8e-4a0e-9b57-c2b1a2f3d4e5"

#: The range of `limit` and what it is when it is not given.
LIMITS: dict[type[PageQuery], tuple[int, int]] = {
    ActivitiesQuery: (500, 50),
    ErrorsQuery: (500, 50),
    ContactsQuery: (500, 50),
    ListsQuery: (1000, 50),
    TagsQuery: (500, 50),
    CustomFieldsQuery: (100, 50),
    SegmentsQuery: (1000, 1000),
}


def refused(model: type[Any], **values: str) -> str:
    with pytest.raises(Invalid) as caught:
        reading.checked(model, values)
    return caught.value.message


@pytest.mark.parametrize("model", LIMITS)
def test_limits(model: type[PageQuery]) -> None:
    """Contract v3.md 1.7: ranges, defaults; out of range or no number is refused."""
    most, default = LIMITS[model]
    assert reading.checked(model, {}).limit == default
    assert reading.checked(model, {"limit": "1"}).limit == 1
    assert reading.checked(model, {"limit": str(most)}).limit == most
    assert refused(model, limit="0") == "limit does not have a valid value: it must be at least 1"
    assert refused(model, limit=str(most + 1)) == f"limit does not have a valid value: it must be at most {most}"
    for wrong in ("", " 5", "5.0", "-1", "+5", "1e2", "5_0", "0x5", "٣", "five", "9" * 5000):
        assert refused(model, limit=wrong) == "limit does not have a valid value: it must be a whole number"


@pytest.mark.parametrize(
    ("text", "value"), [("true", True), ("True", True), ("1", True), ("false", False), ("0", False)]
)
def test_booleans(text: str, value: bool) -> None:
    """Contract v3.md 1.6 and 1.10: the generated client sends 1 and 0."""
    assert reading.checked(ContactsQuery, {"include_count": text}).include_count is value


@pytest.mark.parametrize("text", ["", "yes", "2", "null", "1 "])
def test_what_is_no_boolean(text: str) -> None:
    """Contract v3.md 1.6: true, false, 1 and 0."""
    assert refused(TagsQuery, include_count=text) == (
        "include_count does not have a valid value: it must be true or false"
    )


def test_lists_of_values() -> None:
    """Contract v3.md 1.6: comma separated, optional blanks around items."""
    query = reading.checked(ContactsQuery, {"lists": f"{ID} , {OTHER},{ID}", "status": "all, deleted"})
    assert query.lists == (UUID(ID), UUID(OTHER))
    assert query.statuses == ("all", "deleted")
    for wrong in ("", ",", f"{ID},", f"{ID};{OTHER}", "x"):
        assert refused(ContactsQuery, tags=wrong).startswith("tags[")
    assert refused(ContactsQuery, lists=",".join(str(UUID(int=number)) for number in range(26))) == (
        "lists has 26 items where at most 25 may be"
    )
    assert refused(ContactsQuery, tags=",".join(str(UUID(int=number)) for number in range(51))) == (
        "tags has 51 items where at most 50 may be"
    )


def test_unknown_values_are_refused_and_unknown_parameters_ignored() -> None:
    """Contract v3.md 2.1.8, 2.2, 3.11."""
    assert refused(ContactsQuery, include="notes,foo").startswith("include[1] does not have a valid value: it must be")
    assert refused(ContactsQuery, status="gone").startswith("status[0] ")
    assert refused(ListsQuery, include_membership_count="some").startswith("include_membership_count ")
    assert refused(ActivitiesQuery, state="initialized").startswith("state does not have a valid value: it must be")
    assert reading.checked(ContactsQuery, {"foo": "bar"}) == ContactsQuery()


@pytest.mark.parametrize(
    ("text", "moment"),
    [
        ("2016-07-16", datetime(2016, 7, 16, tzinfo=UTC)),
        ("2016-07-16T12:30:00Z", datetime(2016, 7, 16, 12, 30, tzinfo=UTC)),
        ("2016-07-16T12:30:00.250Z", datetime(2016, 7, 16, 12, 30, 0, 250_000, tzinfo=UTC)),
        ("2016-07-16T12:30:00-05:00", datetime(2016, 7, 16, 17, 30, tzinfo=UTC)),
        ("2016-07-16T12:30:00 05:00", datetime(2016, 7, 16, 7, 30, tzinfo=UTC)),
        ("2016-07-16T12:30:00", datetime(2016, 7, 16, 12, 30, tzinfo=UTC)),
    ],
)
def test_times(text: str, moment: datetime) -> None:
    """Contract v3.md 1.5: a bare date is midnight in UTC; an offset may have lost its plus sign on the way."""
    assert reading.checked(ContactsQuery, {"updated_after": text}).updated_after == moment


@pytest.mark.parametrize(
    "text", ["", "yesterday", "2016-13-01", "2016-02-30", "17,Europe/Oslo", "0001-01-01T00:00:00+05:00"]
)
@pytest.mark.parametrize("name", ["updated_after", "created_before", "optout_after"])
def test_wrong_times(name: str, text: str) -> None:
    """Contract v3.md 1.10: a date object garbled by the client is 400."""
    assert refused(ContactsQuery, **{name: text}).startswith(f"{name} does not have a valid value: it must be a date")


def test_a_segment_stands_alone() -> None:
    """Contract v3.md 2.1.8: combined with `limit` only; what clients send by default counts as absent (1.10)."""
    query = reading.checked(ContactsQuery, {"segment_id": "7", "limit": "5", "include_count": "0"})
    assert query.segment_id == 7
    for name, value in {"email": "a@b.c", "lists": ID, "tags": ID, "status": "all", "include": "notes"}.items():
        assert refused(ContactsQuery, segment_id="7", **{name: value}) == "segment_id may be combined with limit only"
    assert refused(ContactsQuery, segment_id="7", include_count="1").startswith("segment_id may")
    for wrong in ("x", "0", "-7", str(2**31), "7.0"):
        assert refused(ContactsQuery, segment_id=wrong).startswith("segment_id does not have a valid value")


def test_segments_are_sorted_as_the_contracts_slip_says_too() -> None:
    """Contract v3.md 2.5: the sample value is the text `sort_by=date`."""
    assert reading.checked(SegmentsQuery, {"sort_by": "sort_by=date"}).sort_by == "date"
    assert reading.checked(SegmentsQuery, {"sort_by": "name"}).sort_by == "name"
    assert refused(SegmentsQuery, sort_by="size").startswith("sort_by does not have a valid value")


def test_waiting_has_an_end() -> None:
    """`wait` is an extension."""
    assert reading.checked(OneQuery, {"wait": "60"}).wait == 60
    for wrong in ("61", "-1", "1.5", "", "inf", "nan"):
        assert refused(OneQuery, wait=wrong).startswith("wait does not have a valid value")


@pytest.mark.parametrize(("model", "name"), [(ContactsQuery, "email"), (ListsQuery, "name")])
def test_what_cannot_be_stored_is_not_looked_for(model: type[PageQuery], name: str) -> None:
    """PostgreSQL's text holds neither."""
    assert refused(model, **{name: "a\0"}).endswith("it must not hold a NUL character")
    assert refused(model, **{name: "\ud800"}).endswith("it must be text in UTF-8")


@pytest.mark.parametrize("model", LIMITS)
@given(values=st.dictionaries(st.text(max_size=10), st.text(max_size=20), max_size=5), data=st.data())
def test_whatever_is_asked_is_read_or_refused(
    model: type[PageQuery], values: dict[str, str], data: st.DataObject
) -> None:
    """Contract v3.md 1.8; a cursor gives back exactly what was asked."""
    names = [field.alias or name for name, field in model.model_fields.items()]
    values |= data.draw(st.dictionaries(st.sampled_from(names), st.sampled_from(["1", "true", ID, "all", "", "é"])))
    with suppress(Invalid):
        query = reading.checked(model, values)
        stored = query.model_dump_json(exclude_defaults=True, by_alias=True)
        assert model.model_validate_json(stored) == query
