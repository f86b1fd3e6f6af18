"""What the OpenAPI document tells of lists, tags, custom fields and segments, beside the contract (v3.md 2.2 to 2.5).

`*` marks what is required, or always there.
"""

import pytest

from tests.unit.api.shapes import DOCUMENT, SHAPES, query, shape

TIMES = {"created_at": "date-time*", "updated_at": "date-time*"}
LINKS = {"_links": "object", "_links.next": "object*", "_links.next.href": "text*"}
#: Of an activity that a DELETE answers with.
ACTIVITY = {
    "activity_id": "uuid*",
    **TIMES,
    "percent_done": "integer*",
    "_links": "object*",
    "_links.self": "object*",
    "_links.self.href": "text*",
    "_links.results": "object",
    "_links.results.href": "text*",
}
STATES = "initialized|processing|completed|cancelled|failed|timed_out"
LIST = {
    "list_id": "uuid*",
    "name": "text*",
    "description": "text",
    "favorite": "boolean*",
    **TIMES,
    "deleted_at": "date-time",
    "membership_count": "integer",
}
#: An abbreviation is an extension.
TAG = {
    "tag_id": "uuid*",
    "name": "text*",
    "tag_source": "text",
    "abbreviation": "text",
    **TIMES,
    "contacts_count": "integer",
}
FIELD = {
    "custom_field_id": "uuid*",
    "label": "text 50*",
    "name": "text 50*",
    "type": "string|date*",
    **TIMES,
}
#: int32 from 1.
SEGMENT = {"segment_id": "integer*", "name": "text*", "created_at": "date-time*", "edited_at": "date-time*"}


def page(name: str, table: dict[str, str], most: str = "") -> dict[str, str]:
    return {name: f"[object]{most}*", **{f"{name}[].{each}": kind for each, kind in table.items()}, **LINKS}


#: What has no stated maximum has one of 10,000 characters in requests: pages of such texts are made in memory.
SHOWN = {
    "NewList": {"name": "text 255*", "description": "text 10000", "favorite": "boolean"},
    "ContactList": LIST,
    "ListPage": page("lists", LIST) | {"lists_count": "integer"},
    "ListXrefs": {"xrefs": "[object] 500*", "xrefs[].sequence_id": "text*", "xrefs[].list_id": "uuid*"},
    "ListDeletion": ACTIVITY | {"state": f"{STATES}*", "activity_errors": "[text]*"},
    "NewTag": {"name": "text 255*", "tag_source": "text 10000", "abbreviation": "text 50"},
    "ChangedTag": {"name": "text 255*", "abbreviation": "text 50"},
    "Tag": TAG,
    "TagPage": page("tags", TAG),
    "NewCustomField": {"label": "text 50*", "type": "string|date*"},
    "CustomField": FIELD,
    "CustomFieldPage": page("custom_fields", FIELD, " 100"),
    "NewSegment": {"name": "text 255*", "segment_criteria": "text 20000*"},
    "SegmentName": {"name": "text 255*"},
    "FullSegment": SEGMENT | {"segment_criteria": "text 20000*"},
    "SegmentPage": page("segments", SEGMENT),
}
PAGE = {"cursor": "text 8192"}
MEMBERSHIP = {"include_membership_count": "all|active"}
QUERIES = {
    "/contact_lists": PAGE
    | MEMBERSHIP
    | {
        "limit": "1-1000",
        "include_count": "boolean",
        "name": "text 255",
        "status": "[all|active|deleted]",
        "channel_type": "email|sms",
        "include_sms_membership_count": "boolean",
    },
    "/contact_lists/{list_id}": MEMBERSHIP,
    "/contact_lists/list_id_xrefs": {"sequence_ids": "[text] 500*"},
    "/contact_tags": PAGE | {"limit": "1-500", "include_count": "boolean"},
    "/contact_tags/{tag_id}": {"include_count": "boolean"},
    "/contact_custom_fields": PAGE | {"limit": "1-100"},
    "/contact_custom_fields/{custom_field_id}": {},
    "/segments": PAGE | {"limit": "1-1000", "sort_by": "name|date"},
    "/segments/{segment_id}": {},
}
#: Which body a route reads, and what it answers.
ROUTES: dict[str, tuple[str | None, dict[int, str | None]]] = {
    "get /contact_lists": (None, {200: "ListPage"}),
    "post /contact_lists": ("NewList", {201: "ContactList"}),
    "get /contact_lists/{list_id}": (None, {200: "ContactList"}),
    "put /contact_lists/{list_id}": ("NewList", {200: "ContactList"}),
    "delete /contact_lists/{list_id}": (None, {202: "ListDeletion"}),
    "get /contact_lists/list_id_xrefs": (None, {200: "ListXrefs"}),
    "get /contact_tags": (None, {200: "TagPage"}),
    "post /contact_tags": ("NewTag", {201: "Tag"}),
    "get /contact_tags/{tag_id}": (None, {200: "Tag"}),
    "put /contact_tags/{tag_id}": ("ChangedTag", {200: "Tag"}),
    "delete /contact_tags/{tag_id}": (None, {202: "TagDeletion"}),
    "get /contact_custom_fields": (None, {200: "CustomFieldPage"}),
    "post /contact_custom_fields": ("NewCustomField", {201: "CustomField"}),
    "get /contact_custom_fields/{custom_field_id}": (None, {200: "CustomField"}),
    "put /contact_custom_fields/{custom_field_id}": ("NewCustomField", {200: "CustomField"}),
    "delete /contact_custom_fields/{custom_field_id}": (None, {204: None}),
    "get /segments": (None, {200: "SegmentPage"}),
    "post /segments": ("NewSegment", {201: "FullSegment"}),
    "get /segments/{segment_id}": (None, {200: "FullSegment"}),
    "put /segments/{segment_id}": ("NewSegment", {200: "FullSegment"}),
    "patch /segments/{segment_id}/name": ("SegmentName", {200: "FullSegment"}),
    "delete /segments/{segment_id}": (None, {204: None}),
}


@pytest.mark.parametrize("name", SHOWN)
def test_bodies_and_answers(name: str) -> None:
    """Contract 2.2 to 2.5; 1.9, 1.10 row 10; 5.14, 5.17, 5.19: every member, its limit, and whether it is required."""
    assert shape(name) == SHOWN[name]


def test_what_delete_of_a_tag_answers() -> None:
    """Contract 2.3, 5.26, 5.27: one state, errors as objects, two figures of the general type."""
    told = {name: kind for name, kind in shape("TagDeletion").items() if not name.startswith("status.")}
    errors = {"activity_errors": "[object]*", "activity_errors[].message": "text*"}
    assert told == ACTIVITY | errors | {"state": "processing*", "status": "object*"}


@pytest.mark.parametrize("path", QUERIES)
def test_queries(path: str) -> None:
    """Contract 2.2 to 2.5; 1.7, 1.9; 5.13, 5.14: every parameter, its limit and its values."""
    assert query(path) == QUERIES[path]


@pytest.mark.parametrize("name", ROUTES)
def test_routes(name: str) -> None:
    """Contract 2.2 to 2.5: what a route reads, and what it answers with which status."""
    method, path = name.split()
    operation, (body, answers) = DOCUMENT["paths"][path][method], ROUTES[name]
    content = operation.get("requestBody", {}).get("content", {})
    assert [told["schema"]["$ref"].rpartition("/")[2] for told in content.values()] == ([body] if body else [])
    told = {int(status): answer for status, answer in operation["responses"].items() if int(status) < 400}
    assert told.keys() == answers.keys()
    for status, answer in answers.items():
        content = told[status].get("content", {})
        assert [each["schema"]["$ref"].rpartition("/")[2] for each in content.values()] == ([answer] if answer else [])


def test_defaults() -> None:
    """Contract 2.2, 2.3, 2.4, 2.5 and 1.7: what counts when nothing is said."""

    def defaults(path: str) -> dict[str, object]:
        asked = DOCUMENT["paths"][path]["get"]["parameters"]
        return {each["name"]: each["schema"]["default"] for each in asked if "default" in each["schema"]}

    flags = dict.fromkeys(("include_count", "include_sms_membership_count"), False)
    assert defaults("/contact_lists") == {"limit": 50, "channel_type": "email", "status": ["active"], **flags}
    assert defaults("/contact_tags") == {"limit": 50, "include_count": False}
    assert defaults("/contact_custom_fields") == {"limit": 50}
    assert defaults("/segments") == {"limit": 1000, "sort_by": "date"}
    assert SHAPES["NewList"]["properties"]["favorite"]["default"] is False


def test_names() -> None:
    """Contract 2.2 to 2.5: 1 character at least; those of tags have neither < nor >."""
    for name, member in (("NewList", "name"), ("NewTag", "name"), ("NewCustomField", "label"), ("NewSegment", "name")):
        assert SHAPES[name]["properties"][member]["minLength"] == 1
    for name in ("NewTag", "ChangedTag"):
        assert SHAPES[name]["properties"]["name"]["pattern"] == "^[^<>]*$"


def test_segment_ids_are_int32() -> None:
    """Contract 1.4 and 2.5."""
    bounds = {"type": "integer", "minimum": 1, "maximum": 2**31 - 1}
    assert SHAPES["NamedSegment"]["properties"]["segment_id"] == bounds
    assert SHAPES["FullSegment"]["properties"]["segment_id"] == bounds
    [parameter] = DOCUMENT["paths"]["/segments/{segment_id}"]["get"]["parameters"]
    assert parameter["schema"] == bounds
