"""What the OpenAPI document tells of bulk requests and activities, beside the contract's tables (v3.md 3.2 to 3.15).

`*` marks what is required, or always there. `expression` and what is said of it, and what a final activity tells of its
counts, are extensions.
"""

import pytest

from tests.unit.api.shapes import DOCUMENT, SHAPES, members, query, shape

CONTACTS, SETS, FLAG = "[uuid] 500", "[uuid] 50", "True"
LEVEL = "unqualified|low|medium|high"
#: The ways of each kind's source.
SOURCES = {
    "Source": {
        "contact_ids": CONTACTS,
        "list_ids": SETS,
        "all_active_contacts": FLAG,
        "new_subscriber": FLAG,
        "engagement_level": LEVEL,
        "segment_id": "integer",
        "tag_ids": SETS,
    },
    "RemovalSource": {
        "contact_ids": CONTACTS,
        "list_ids": SETS,
        "all_active_contacts": FLAG,
        "engagement_level": LEVEL,
        "tag_ids": SETS,
    },
    "TaggingSource": {
        "contact_ids": CONTACTS,
        "list_ids": SETS,
        "all_active_contacts": FLAG,
        "new_subscriber": FLAG,
        "tag_ids": SETS,
    },
}
#: By the request: its source, and its targets.
MEMBERSHIPS = {
    "AddListMemberships": ("Source", "list_ids"),
    "RemoveListMemberships": ("RemovalSource", "list_ids"),
    "AddTaggings": ("TaggingSource", "tag_ids"),
    "RemoveTaggings": ("TaggingSource", "tag_ids"),
}
DELETIONS = {
    "DeleteTags": {"tag_ids": "[uuid] 500*"},
    "DeleteLists": {"list_ids": "[uuid] 100*"},
    "DeleteCustomFields": {"custom_field_ids": "[uuid] 100*"},
    "DeleteContacts": {"contact_ids": CONTACTS, "list_ids": SETS},
}
FIELDS = (
    "first_name|last_name|contact_id|email_address|email_lists|phone_number|company_name|job_title|social_profiles|"
    "website|street|city|state|zip|country|anniversary|birthday|birthday_day|birthday_month|created_at|updated_at|"
    "email_permission|email_optin|email_optin_source|email_optin_date|email_optout_date|email_optout_source|"
    "email_optout_reason|tag|notes|street_1|street_2|intl_state|source_name|email_update_source"
)
EXPORT = {
    "contact_ids": CONTACTS,
    "list_ids": SETS,
    "segment_id": "integer",
    "tag_ids": SETS,
    "new_subscriber": "boolean",
    "status": "active|unsubscribed|removed",
    "all_active_contacts": "boolean",
    "exclude": "object",
    "exclude.contact_ids": SETS,
    "fields": f"[{FIELDS}]",
}
STATES = "initialized|processing|completed|cancelled|failed|timed_out"
FIGURES = (
    "items_total_count",
    "items_completed_count",
    "list_count",
    "person_count",
    "error_count",
    "correctable_count",
    "cannot_add_to_list_count",
)
ACTIVITY = {
    "activity_id": "uuid*",
    "state": f"{STATES}*",
    "created_at": "date-time*",
    "updated_at": "date-time*",
    "started_at": "date-time",
    "completed_at": "date-time",
    "percent_done": "1-100*",
    "activity_errors": "[text] 1000*",
    "status": "object*",
    **{f"status.{name}": "integer" for name in FIGURES},
    "source_file_name": "text",
    "_links": "object*",
    "_links.self": "object*",
    "_links.self.href": "text*",
    "_links.results": "object",
    "_links.results.href": "text*",
    "retry_of": "uuid",
    "changed_count": "integer",
    "error_count": "integer",
}
POSTS = {
    "add_list_memberships": "AddListMemberships",
    "remove_list_memberships": "RemoveListMemberships",
    "contacts_taggings_add": "AddTaggings",
    "contacts_taggings_remove": "RemoveTaggings",
    "contacts_tags_delete": "DeleteTags",
    "list_delete": "DeleteLists",
    "custom_fields_delete": "DeleteCustomFields",
    "contact_delete": "DeleteContacts",
    "contact_exports": "ContactExports",
    "contacts_json_import": "JsonImport",
}
NAMES = dict.fromkeys(("first_name", "last_name", "job_title", "company_name"), 50)
PHONES = dict.fromkeys(("phone", "home_phone", "work_phone", "mobile_phone", "other_phone"), 50)
ADDRESS = {"street": 255, "street2": 255, "city": 50, "state": 50, "zip": 50, "country": 50}
ADDRESSES = {prefix + part: most for prefix in ("", "home_", "work_", "other_") for part, most in ADDRESS.items()}
#: Characters that a member of an imported row may have.
ROW = {"email": 50, **NAMES, **PHONES, **ADDRESSES, "home country": 50, "anniversary": 10}
ROW |= {"sms_number": 16, "sms_consent_date": 16}


@pytest.mark.parametrize("name", MEMBERSHIPS)
def test_membership_requests(name: str) -> None:
    """Contract 3.4, 3.5, 3.6 and 3.3; 5.1, 5.2, 5.3, 5.6, 5.7: every property, its maximum, what is required."""
    source, targets = MEMBERSHIPS[name]
    assert members(name) == {"source": "object*", targets: "[uuid] 50*", "exclude": "object"}
    assert shape("Exclude") == {"contact_ids": CONTACTS}
    assert SHAPES[name]["properties"]["source"]["$ref"].endswith(f"/{source}")
    assert SHAPES[name]["properties"][targets]["minItems"] == 1
    assert SHAPES[name]["additionalProperties"] is SHAPES["Exclude"]["additionalProperties"] is False


@pytest.mark.parametrize("name", SOURCES)
def test_sources(name: str) -> None:
    """Contract 3.3, 3.4, 3.5 and 3.6: the ways of each kind, of which one is taken; nothing unknown (1.6)."""
    assert members(name) == {**SOURCES[name], "expression": "object"}
    assert SHAPES[name]["properties"]["expression"] == {"$ref": "#/components/schemas/Node"}
    assert (SHAPES[name]["minProperties"], SHAPES[name]["maxProperties"]) == (1, 1)
    assert SHAPES[name]["additionalProperties"] is False


@pytest.mark.parametrize("name", DELETIONS)
def test_deletions(name: str) -> None:
    """Contract 3.7 and 5.24: each array's maximum; of contacts and their lists exactly one."""
    assert shape(name) == DELETIONS[name]
    assert all(each["minItems"] == 1 for each in SHAPES[name]["properties"].values())
    assert (SHAPES[name].get("maxProperties") == 1) is (name == "DeleteContacts")


def test_exports() -> None:
    """Contract 3.10; 5.20, 5.21: every property and all 35 fields; nothing is required."""
    assert shape("ContactExports") == EXPORT


def test_imports() -> None:
    """Contract 3.8, 3.9; 5.29 to 5.31, 5.35: a file, 1 to 50 lists, and what rows may have."""
    forms = DOCUMENT["paths"]["/activities/contacts_file_import"]["post"]["requestBody"]["content"]
    assert list(forms) == ["multipart/form-data"]
    form, json = forms["multipart/form-data"]["schema"], SHAPES["JsonImport"]
    assert (set(form["required"]), set(json["required"])) == ({"file", "list_ids"}, {"import_data", "list_ids"})
    assert set(form["properties"]) - {"file"} == set(json["properties"]) - {"import_data"}
    for each in (form, json):
        lists = {"type": "array", "items": {"type": "string", "format": "uuid"}, "minItems": 1, "maxItems": 50}
        assert each["properties"]["list_ids"] == lists
        assert set(each["properties"]["sms_permission_to_send"]["enum"]) == {"explicit", "not_set"}


def test_rows_of_imports() -> None:
    """Contract 3.9; 5.29, 5.30, 5.35: every member and its maximum."""
    rows = SHAPES["JsonImport"]["properties"]["import_data"]
    assert rows["minItems"] == 1
    row = rows["items"]
    assert row["properties"] == {
        **{name: {"type": "string", "maxLength": most} for name, most in ROW.items()},
        "birthday_month": {"type": "integer", "minimum": 1, "maximum": 12},
        "birthday_day": {"type": "integer", "minimum": 1, "maximum": 31},
    }
    assert row["patternProperties"] == {"^cf:": {"type": "string", "maxLength": 255}}
    assert row["required"] == ["email"]


def test_activities() -> None:
    """Contract 3.2, 3.2.1, 3.2.2, 3.2.3, 3.2.4, 3.13; 5.27, 5.28: the general type, with the union of all figures."""
    assert shape("ShownActivity") == ACTIVITY
    page = {name: kind for name, kind in shape("ActivityPage").items() if "[]" not in name}
    links = {"_links": "object", "_links.next": "object*", "_links.next.href": "text*"}
    assert page == {"activities": "[object]*", **links}


def test_what_is_asked_of_the_history() -> None:
    """Contract 3.11 and 3.12: every state but `initialized` is a filter."""
    states = "processing|completed|cancelled|failed|timed_out"
    assert query("/activities") == {"limit": "1-500", "state": states, "cursor": "text 8192"}
    [wait] = query("/activities/{activity_id}")
    assert wait == "wait", "an extension"


@pytest.mark.parametrize("kind", POSTS)
def test_every_post_answers_201_with_an_activity(kind: str) -> None:
    """Contract 3.1 and 5.25: a body of its own, and never 202."""
    operation = DOCUMENT["paths"][f"/activities/{kind}"]["post"]
    [body] = operation["requestBody"]["content"].values()
    assert body["schema"] == {"$ref": f"#/components/schemas/{POSTS[kind]}"}
    assert operation["requestBody"]["required"] is True
    [status] = [status for status in operation["responses"] if int(status) < 400]
    [answer] = operation["responses"][status]["content"].values()
    assert (status, answer["schema"]) == ("201", {"$ref": "#/components/schemas/ShownActivity"})


def test_downloads_are_csv_and_their_refusals_json() -> None:
    """Contract 3.15: `text/csv`; errors are JSON. A part of the file (206) is an extension."""
    responses = DOCUMENT["paths"]["/contact_exports/{file_export_id}"]["get"]["responses"]
    for status in ("200", "206"):
        assert responses[status]["content"] == {"text/csv": {"schema": {"type": "string"}}}
    refusals = DOCUMENT["components"]["responses"]
    for status, told in responses.items():
        if int(status) >= 400:
            assert list(refusals[told["$ref"].rpartition("/")[2]]["content"]) == ["application/json"]
