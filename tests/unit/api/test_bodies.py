"""What v3 bodies accept, and what is said of those that they refuse."""

import json
from typing import Any
from uuid import UUID

import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydantic import BaseModel, ValidationError

from api import problems
from api.v3.bodies import (
    AddTaggings,
    JsonImport,
    NewCustomField,
    NewList,
    NewSegment,
    NewTag,
    RemoveListMemberships,
    RemoveTaggings,
)
from api.v3.contact_bodies import GivenPhone, NewContact, SignUpBody
from api.v3.contact_lists import ListsQuery
from engine.operations.contact_delete import DeleteContacts
from engine.operations.contact_exports import ContactExports
from engine.operations.custom_fields_delete import DeleteCustomFields
from engine.operations.engagement import SetEngagement
from engine.operations.list_memberships import AddListMemberships
from engine.operations.lists_delete import DeleteLists
from engine.operations.tags_delete import DeleteTags

ID = "5d3cb4f0-9d3a-4c39-8d1c-0e5f3f0c1a2b"
OTHER = "0f0e4c50-2b8e-4a0e-9b57-c2b1a2f3d4e5"

SOURCES: dict[str, Any] = {
    "contact_ids": [ID],
    "list_ids": [ID],
    "all_active_contacts": True,
    "new_subscriber": True,
    "engagement_level": "high",
    "segment_id": 7,
    "tag_ids": [ID],
    "expression": {"except": [{"segment_id": 7}, {"new_subscriber": True}]},
}
LISTS = {"list_ids": [OTHER]}
TAGS = {"tag_ids": [OTHER]}
LEVEL = {"engagement_level": "low"}

#: What each bulk body may choose from, and the rest of it (contract v3.md 3.4 to 3.6).
BULK: dict[type[BaseModel], tuple[set[str], dict[str, Any]]] = {
    AddListMemberships: (set(SOURCES), LISTS),
    RemoveListMemberships: (
        {"contact_ids", "list_ids", "all_active_contacts", "engagement_level", "tag_ids", "expression"},
        LISTS,
    ),
    AddTaggings: ({"contact_ids", "list_ids", "all_active_contacts", "new_subscriber", "tag_ids", "expression"}, TAGS),
    RemoveTaggings: (
        {"contact_ids", "list_ids", "all_active_contacts", "new_subscriber", "tag_ids", "expression"},
        TAGS,
    ),
    SetEngagement: (set(SOURCES), LEVEL),
}


def read(model: type[BaseModel], body: object) -> Any:
    return model.model_validate_json(json.dumps(body))


def refused(model: type[BaseModel], body: object) -> str:
    with pytest.raises(ValidationError) as caught:
        read(model, body)
    return problems.described(caught.value)


@pytest.mark.parametrize("way", SOURCES)
@pytest.mark.parametrize("model", BULK)
def test_each_bulk_body_has_its_own_sources(model: type[BaseModel], way: str) -> None:
    """Contract v3.md 3.4, 3.5, 3.6."""
    ways, rest = BULK[model]
    body = {"source": {way: SOURCES[way]}, **rest}
    if way in ways:
        assert read(model, body).source
    else:
        told = refused(model, body)
        assert told.startswith("source does not have a valid value: exactly one of ")
        assert told.endswith(f"this one has {way}")
        assert way not in told.removesuffix(way)


@pytest.mark.parametrize("model", BULK)
def test_a_source_chooses_in_exactly_one_way(model: type[BaseModel]) -> None:
    """Contract v3.md 3.3, first row."""
    _, rest = BULK[model]
    assert refused(model, {"source": {}, **rest}).endswith("this one has none")
    both = {"contact_ids": [ID], "all_active_contacts": True}
    assert refused(model, {"source": both, **rest}).endswith("has contact_ids and all_active_contacts")
    idle = {"all_active_contacts": False, "contact_ids": [ID], "list_ids": [], "tag_ids": None}
    assert read(model, {"source": idle, **rest}).source.contact_ids == (UUID(ID),)


@pytest.mark.parametrize("model", BULK)
def test_a_typo_does_not_widen_a_bulk_job(model: type[BaseModel]) -> None:
    """Contract v3.md 1.6, 3.4 and 3.6: nothing unknown inside `source`, `exclude` neither."""
    _, rest = BULK[model]
    assert refused(model, {"source": {"contact_ids": [ID], "lists_ids": [ID]}, **rest}) == (
        "source.lists_ids is not known here"
    )
    nested = {"all_active_contacts": True, "exclude": {"contact_ids": [ID]}}
    assert refused(model, {"source": nested, **rest}) == "source.exclude is not known here"


@pytest.mark.parametrize("way", ["list_ids", "all_active_contacts", "tag_ids", "contact_ids", "expression"])
@pytest.mark.parametrize("model", BULK)
def test_contacts_are_excluded_from_selections_only(model: type[BaseModel], way: str) -> None:
    """Contract v3.md 3.3: `exclude` beside a source that does not support it; all but contact_ids do."""
    body = {"source": {way: SOURCES[way]}, "exclude": {"contact_ids": [OTHER]}, **BULK[model][1]}
    if way == "contact_ids":
        assert refused(model, body).startswith("exclude does not go with source.contact_ids")
    else:
        assert read(model, body).exclude.contact_ids == (UUID(OTHER),)


@pytest.mark.parametrize("model", [AddTaggings, RemoveTaggings])
def test_tagging_bodies_take_booleans_as_text(model: type[BaseModel]) -> None:
    """Contract v3.md 1.6, body booleans."""
    assert read(model, {"source": {"all_active_contacts": "true"}, **TAGS}).source.all_active_contacts is True
    assert read(model, {"source": {"new_subscriber": "false", "list_ids": [ID]}, **TAGS}).source.list_ids
    others: list[object] = ["yes", "True", 1, 0, []]
    for other in others:
        assert refused(model, {"source": {"all_active_contacts": other}, **TAGS}) == (
            "source.all_active_contacts does not have a valid value: it must be true or false"
        )


@pytest.mark.parametrize("model", [AddListMemberships, RemoveListMemberships])
def test_list_bodies_do_not(model: type[BaseModel]) -> None:
    """Contract v3.md 1.6, body booleans."""
    assert "must be true or false" in refused(model, {"source": {"all_active_contacts": "true"}, **LISTS})


def test_limits_are_told_with_what_was_given() -> None:
    """Contract v3.md 3.3 and 1.8: over a maximum, empty, several problems in one text."""
    ids = [ID] * 501
    assert refused(AddListMemberships, {"source": {"contact_ids": ids}, "list_ids": []}) == (
        "source.contact_ids has 501 items where at most 500 may be, "
        "list_ids has too few items: at least 1 must be given"
    )
    assert refused(AddTaggings, {"source": {"list_ids": [ID] * 51}}) == (
        "source.list_ids has 51 items where at most 50 may be, tag_ids is missing"
    )


@pytest.mark.parametrize("wrong", ["", "x", "{contact_id_1}", ID.replace("-", ""), f"{{{ID}}}", 5, None, {}, [ID]])
def test_ids_are_uuids_in_their_one_form(wrong: object) -> None:
    """Contract v3.md 1.4 and 3.3."""
    assert refused(AddListMemberships, {"source": {"contact_ids": [ID, wrong]}, "list_ids": [wrong]}) == (
        "source.contact_ids[1] does not have a valid value: it must be a UUID of 36 characters, "
        "list_ids[0] does not have a valid value: it must be a UUID of 36 characters"
    )


@pytest.mark.parametrize("wrong", [True, "7", 7.5, 0, -1, 2**31, 10**40, []])
def test_a_segment_id_is_a_number(wrong: object) -> None:
    """Contract v3.md 1.4: int32, a JSON number in bodies."""
    assert refused(AddListMemberships, {"source": {"segment_id": wrong}, **LISTS}).startswith("source.segment_id ")


@pytest.mark.parametrize("body", ["null", "[]", "3", '"x"'])
def test_a_body_is_an_object(body: str) -> None:
    """Contract v3.md 1.8: wrong type."""
    with pytest.raises(ValidationError) as caught:
        AddListMemberships.model_validate_json(body)
    assert problems.described(caught.value) == "body does not have a valid value: it must be an object"


@pytest.mark.parametrize(
    "body",
    [b"", b"{", b"\xff", b"\xef\xbb\xbf", b'{"name": "\\ud800"}', b'{"name": "\\udc00\\ud800"}', b"[" * 10_000, b"nul"],
)
def test_what_is_no_json_is_told_where(body: bytes) -> None:
    """Contract v3.md 1.8: body is not JSON; half a surrogate pair is none, nor is endless nesting."""
    with pytest.raises(ValidationError) as caught:
        NewList.model_validate_json(body)
    told = problems.described(caught.value)
    assert told.startswith("body is not valid JSON: ")
    assert " at line 1 column " in told


@pytest.mark.parametrize(
    ("name", "problem"),
    [
        ("a\0b", "name does not have a valid value: it must not hold a NUL character"),
        ("", "name is too short: at least 1 characters must be given"),
        (" \t", "name does not have a valid value: it must not be blank"),
        ("\u200b \u2060\ufeff", "name does not have a valid value: it must not be blank"),
        ("x" * 256, "name is too long: at most 255 characters may be given"),
        (5, "name does not have a valid value: it must be text"),
        (None, "name does not have a valid value: it must be text"),
    ],
)
@pytest.mark.parametrize("model", [NewList, NewTag])
def test_names(model: type[BaseModel], name: object, problem: str) -> None:
    """Contract v3.md 2.2 and 2.3."""
    assert refused(model, {"name": name}) == problem


def test_tags_have_no_angle_brackets() -> None:
    """Contract v3.md 2.3."""
    for name in ("<b>", "a>b", "\n<"):
        assert refused(NewTag, {"name": name}) == "name does not have a valid value: it must hold neither < nor >"
    assert read(NewTag, {"name": "line\nbreak &"}).name == "line\nbreak &"


def test_resources_ignore_what_they_do_not_know() -> None:
    """Contract v3.md 1.6: unknown request properties."""
    body = read(NewList, {"name": "L", "list_id": ID, "favourite": True, "description": None, "favorite": None})
    assert (body.name, body.description, body.favorite) == ("L", None, None)


def test_segments_need_criteria_of_at_most_20000_characters() -> None:
    """Contract v3.md 1.9 and 2.5."""
    assert refused(NewSegment, {"name": "S"}) == "segment_criteria is missing"
    assert refused(NewSegment, {"name": "S", "segment_criteria": "x" * 20_001}) == (
        "segment_criteria is too long: at most 20000 characters may be given"
    )
    assert refused(NewSegment, {"name": "S", "segment_criteria": {}}).endswith("it must be text")


def test_json_imports_need_rows_and_lists() -> None:
    """Contract v3.md 3.9: import_data empty, missing members. What rows hold is checked row by row, later."""
    assert refused(JsonImport, {}) == "list_ids is missing, import_data is missing"
    assert refused(JsonImport, {"import_data": [], **LISTS}).startswith("import_data has too few items")
    assert refused(JsonImport, {"import_data": [1], **LISTS}) == (
        "import_data[0] does not have a valid value: it must be an object"
    )
    assert read(JsonImport, {"import_data": [{"email": 5, "x": [None]}], **LISTS}).import_data == [
        {"email": 5, "x": [None]}
    ]


def test_more_problems_than_fit_are_counted() -> None:
    """Contract v3.md 1.8: one element, which is to be read by people."""
    told = refused(AddListMemberships, {"source": {"contact_ids": ["x"] * 30}, **LISTS})
    assert told.count("must be a UUID") == problems.MOST_PROBLEMS
    assert told.endswith(", and 20 more problems")


MANY = 5000


@pytest.mark.parametrize(
    ("model", "body", "told"),
    [
        (AddListMemberships, {"source": {"contact_ids": ["x"] * MANY}, **LISTS}, "source.contact_ids has {} items"),
        (AddListMemberships, {"source": {"tag_ids": [1] * MANY}, **LISTS}, "source.tag_ids has {} items"),
        (AddListMemberships, {"source": SOURCES, "list_ids": [1] * MANY}, "list_ids has {} items"),
        (AddTaggings, {"source": SOURCES, "tag_ids": [{}] * MANY}, "tag_ids has {} items"),
        (DeleteContacts, {"contact_ids": [""] * MANY}, "contact_ids has {} items"),
        (DeleteCustomFields, {"custom_field_ids": [""] * MANY}, "custom_field_ids has {} items"),
        (DeleteLists, {"list_ids": [""] * MANY}, "list_ids has {} items"),
        (DeleteTags, {"tag_ids": [""] * MANY}, "tag_ids has {} items"),
        (ContactExports, {"exclude": {"contact_ids": [""] * MANY}}, "exclude.contact_ids has {} items"),
        (ContactExports, {"fields": ["x"] * MANY}, "fields[0] does not have a valid value"),
        (NewContact, {"create_source": "Account", "notes": [{}] * MANY}, "notes has {} items"),
        (NewContact, {"create_source": "Account", "custom_fields": [{}] * MANY}, "custom_fields has {} items"),
        (NewContact, {"create_source": "Account", "taggings": [{}] * MANY}, "taggings has {} items"),
        (SignUpBody, {"email_address": "a@b.de", "list_memberships": [1] * MANY}, "list_memberships has {} items"),
        (AddListMemberships, {"source": dict.fromkeys(map(str, range(MANY)), 1), **LISTS}, "body has {} problems"),
    ],
)
def test_hostile_bodies_are_refused_before_all_is_looked_at(model: type[BaseModel], body: object, told: str) -> None:
    """Contract v3.md 1.8: a body of 8 MiB can hold millions of things that are wrong."""
    found = refused(model, body)
    assert told.format(MANY) in found
    assert "more problems" not in found


@pytest.mark.parametrize(
    ("model", "body", "told"),
    [
        (
            NewCustomField,
            {"label": "x" * 51, "type": "string"},
            "label is too long: at most 50 characters may be given",
        ),
        (NewCustomField, {"label": "", "type": "string"}, "label is too short: at least 1 characters"),
        (GivenPhone, {"kind": "home", "phone_number": ""}, "phone_number is too short: at least 1 characters"),
        (ListsQuery, {"name": "x" * 256}, "name is too long: at most 255 characters"),
    ],
)
def test_texts_have_characters_and_arrays_have_items(model: type[BaseModel], body: object, told: str) -> None:
    """Contract v3.md 1.8."""
    assert refused(model, body).startswith(told)


JSON_VALUES = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=5) | st.just(ID),
    lambda values: st.lists(values, max_size=3) | st.dictionaries(st.sampled_from([*SOURCES, "x"]), values, max_size=3),
    max_leaves=8,
)


@given(body=st.dictionaries(st.sampled_from(["source", "exclude", "list_ids", "tag_ids", "é\n"]), JSON_VALUES))
def test_whatever_comes_is_read_or_described(body: dict[str, Any]) -> None:
    """Contract v3.md 1.8: no body is beyond words."""
    for model in BULK:
        try:
            read(model, body)
        except ValidationError as error:
            told = problems.described(error)
            assert told
            assert told.isprintable()
