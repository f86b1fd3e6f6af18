"""What the OpenAPI document tells of the values of contacts, beside what the contract's tables do (v3.md 1.7, 2.1)."""

import pytest

from tests.unit.api.shapes import DOCUMENT, SHAPES, query, shape

PARTY = "Account|Contact"
PERMISSION = "implicit|explicit|pending_confirmation|unsubscribed|temp_hold|not_set"
INCLUDE = "custom_fields|list_memberships|phone_numbers|street_addresses|taggings|notes|sms_channel"
CONSENT = "pending_confirmation|opt_out|explicit"
MOMENT = "date or date-time"


PROPERTIES = {
    **dict.fromkeys(("first_name", "last_name", "job_title", "company_name"), "text 50"),
    "birthday_month": "1-12",
    "birthday_day": "1-31",
    "anniversary": "text 10",
}
VALUE = {"custom_field_id": "uuid*", "value": "text 255*"}
PLACE = {
    "kind": "home|work|other*",
    "street": "text 255",
    **dict.fromkeys(("city", "state", "postal_code", "country"), "text 50"),
}


def inside(place: str, table: dict[str, str]) -> dict[str, str]:
    return {f"{place}.{name}": kind for name, kind in table.items()}


def required(table: dict[str, str]) -> dict[str, str]:
    return {name: f"{kind}*" for name, kind in table.items()}


#: 2.1.9 and 2.1.11. A phone number's kind may be left out, its number may not (2.1.4 says neither); 2.1.7, V's form.
CONTACT = {
    **PROPERTIES,
    "email_address": "object",
    "email_address.address": "text 80*",
    "email_address.permission_to_send": PERMISSION,
    "custom_fields": "[object] 25",
    **inside("custom_fields[]", VALUE),
    "phone_numbers": "[object] 3",
    "phone_numbers[].phone_number": "text 25*",
    "phone_numbers[].kind": "home|work|mobile|other",
    "street_addresses": "[object] 3",
    **inside("street_addresses[]", PLACE),
    "list_memberships": "[uuid] 50",
    "taggings": "[uuid] 50",
    "notes": "[object] 150",
    "notes[].note_id": "uuid",
    "notes[].content": "text 2000*",
    "sms_channel": "object",
    "sms_channel.full_sms_address": "text 25*",
    "sms_channel.sms_channel_consents": "[object] 10*",
    "sms_channel.sms_channel_consents[].sms_consent_permission": f"{CONSENT}*",
    "sms_channel.sms_channel_consents[].consent_type": "promotional_sms*",
    "sms_channel.sms_channel_consents[].opt_in_date": MOMENT,
    "sms_channel.sms_channel_consents[].opt_out_date": MOMENT,
}
BODIES = {
    "NewContact": CONTACT | {"create_source": f"{PARTY}*"},
    "ChangedContact": CONTACT | {"update_source": f"{PARTY}*", "email_address.opt_out_reason": "text 255"},
    "SignUpBody": {
        **PROPERTIES,
        "email_address": "text 50*",
        "list_memberships": "[uuid] 50*",
        "phone_number": "text 25",
        "custom_fields": "[object] 50",
        **inside("custom_fields[]", VALUE),
        "street_address": "object",
        **inside("street_address", PLACE),
    },
    "ResubscribeBody": {"list_ids": "[uuid] 50*"},
}
STAMPS = dict.fromkeys(("created_at", "updated_at"), "date-time")
PARTIES = dict.fromkeys(("create_source", "update_source"), PARTY)
#: 2.1.1 to 2.1.7. Lists and tags are all told, also more than 50 (issue 2).
SHOWN = {
    "contact_id": "uuid*",
    **PROPERTIES,
    "anniversary": "date",
    **PARTIES,
    "created_at": "date-time*",
    "updated_at": "date-time*",
    "deleted_at": "date",
    "email_address": "object",
    **inside("email_address", STAMPS),
    "email_address.address": "text 80*",
    "email_address.permission_to_send": f"{PERMISSION}*",
    "email_address.opt_in_source": PARTY,
    "email_address.opt_in_date": "date-time",
    "email_address.opt_out_source": PARTY,
    "email_address.opt_out_date": "date-time",
    "email_address.opt_out_reason": "text 255",
    "email_address.confirm_status": "pending|confirmed|off",
    "custom_fields": "[object] 25",
    **inside("custom_fields[]", VALUE),
    "phone_numbers": "[object] 3",
    **inside("phone_numbers[]", required({"phone_number_id": "uuid", "phone_number": "text 25"} | STAMPS | PARTIES)),
    "phone_numbers[].kind": "home|work|mobile|other*",
    "street_addresses": "[object] 3",
    **inside("street_addresses[]", PLACE | required({"street_address_id": "uuid"} | STAMPS)),
    "list_memberships": "[uuid]",
    "taggings": "[uuid]",
    "notes": "[object] 150",
    "notes[].note_id": "uuid*",
    "notes[].created_at": "date-time*",
    "notes[].content": "text 2000*",
    "sms_channel": "object",
    "sms_channel.sms_channel_id": "uuid*",
    **inside("sms_channel", dict.fromkeys(("sms_address", "dial_code", "country_code"), "text*") | required(PARTIES)),
    "sms_channel.sms_channel_consents": "[object]*",
    "sms_channel.sms_channel_consents[].sms_consent_permission": f"{CONSENT}*",
    "sms_channel.sms_channel_consents[].consent_type": "promotional_sms*",
    **inside("sms_channel.sms_channel_consents[]", required(STAMPS)),
    "sms_channel.sms_channel_consents[].opt_in_date": "date-time",
    "sms_channel.sms_channel_consents[].opt_out_date": "date-time",
    "sms_channel.sms_channel_consents[].advertised_frequency": "text",
    "sms_channel.sms_channel_consents[].advertised_interval": "daily|weekly|monthly",
}
#: 2.1.16.
HISTORY = {
    **dict.fromkeys(("contact_id", "sms_channel_id", "sms_channel_history_id"), "uuid*"),
    "insert_time": "date-time*",
    "history_details": "object*",
    "history_details.state": "E|O",
    "history_details.source": "A|C|S",
    "history_details.consent_type": "promotional_sms|transactional_sms",
    "history_details.consent_action_time": "date-time",
    "history_details.consent_action_type": "opt_out|re_opt_in|delete|confirmed_opt_in|deactivate|suspend|resubscribe",
    "history_details.consent_medium_type": "MD|LF|CD|FI|SY",
    "history_details.source_consent_timestamp": "date-time",
    "history_details.source_ip": "text",
    "history_details.source_sms_number": "text",
    "history_details.advertised_frequency": "integer",
    "history_details.advertised_interval": "M|D|W",
}
#: 2.1.8, 2.1.10, 2.1.14, 2.1.15.
QUERIES = {
    "/contacts": {
        "status": "[all|active|deleted|not_set|pending_confirmation|temp_hold|unsubscribed]",
        "email": "text 254",
        "lists": "[uuid] 25",
        "tags": "[uuid] 50",
        "segment_id": "integer",
        **{f"{what}_{when}": MOMENT for what in ("updated", "created", "optout") for when in ("after", "before")},
        "sms_status": "[all|explicit|unsubscribed|pending_confirmation|not_set]",
        "include": f"[{INCLUDE}]",
        "include_count": "boolean",
        "limit": "1-500",
        "cursor": "text 8192",
    },
    "/contacts/{contact_id}": {"include": f"[{INCLUDE}]"},
    "/contacts/contact_id_xrefs": {"sequence_ids": "[text] 500*"},
    "/contacts/counts": {"include": "new_subscriber|new_subscribers"},
    "/contacts/sms_engagement_history/{contact_id}": {},
}


@pytest.mark.parametrize("name", BODIES)
def test_bodies(name: str) -> None:
    """Contract 2.1.2 to 2.1.7, 2.1.9, 2.1.11, 2.1.13, 2.1.16; 1.9; 5.8, 5.9, 5.34, 5.35, 5.36, 5.42: every limit."""
    assert shape(name) == BODIES[name]


def test_who_a_new_contact_is() -> None:
    """Contract 2.1.9: at least one of these; and 1.5, both of a birthday."""
    names = [{"required": [name]} for name in ("email_address", "first_name", "last_name", "sms_channel")]
    assert SHAPES["NewContact"]["anyOf"] == names
    assert "anyOf" not in SHAPES["ChangedContact"]
    for name in ("NewContact", "ChangedContact", "SignUpBody"):
        both = {"birthday_month": ["birthday_day"], "birthday_day": ["birthday_month"]}
        assert SHAPES[name]["dependentRequired"] == both


def test_contacts() -> None:
    """Contract 2.1.1 to 2.1.7; 1.10, row 10; 1.11: engagement is no property. Every e2e answer is held against it."""
    assert shape("ShownContact") == SHOWN


def test_other_answers() -> None:
    """Contract 2.1.8, 2.1.13 to 2.1.16."""
    page = {name: kind for name, kind in shape("ContactPage").items() if "[]" not in name}
    links = {"_links": "object", "_links.next": "object*", "_links.next.href": "text*"}
    assert page == {"contacts": "[object]*", "contacts_count": "integer", **links}
    assert shape("CreatedOrUpdated") == {"contact_id": "uuid*", "action": "created|updated*"}
    xref = {"xrefs[].sequence_id": "text*", "xrefs[].contact_id": "uuid*"}
    assert shape("ContactXrefs") == {"xrefs": "[object] 500*", **xref}
    counts = dict.fromkeys(("total", "explicit", "implicit", "pending", "unsubscribed"), "integer*")
    assert shape("ContactCounts") == {**counts, "new_subscriber": "integer"}
    assert shape("SmsHistory") == HISTORY
    [answer] = DOCUMENT["paths"]["/contacts/sms_engagement_history/{contact_id}"]["get"]["responses"]["200"][
        "content"
    ].values()
    assert answer["schema"] == {"type": "array", "items": {"$ref": "#/components/schemas/SmsHistory"}}


@pytest.mark.parametrize("path", QUERIES)
def test_queries(path: str) -> None:
    """Contract 2.1.8, 2.1.10, 2.1.14 to 2.1.16; 1.4, 1.9; 5.10, 5.11, 5.12, 5.37: every parameter, limit and enum."""
    assert query(path) == QUERIES[path]


@pytest.mark.parametrize(
    ("path", "most", "default"),
    [
        ("/activities", 500, 50),
        ("/contacts", 500, 50),
        ("/contact_lists", 1000, 50),
        ("/contact_tags", 500, 50),
        ("/contact_custom_fields", 100, 50),
        ("/segments", 1000, 1000),
    ],
)
def test_pages(path: str, most: int, default: int) -> None:
    """Contract 1.7: each collection's `limit`."""
    [limit] = [each for each in DOCUMENT["paths"][path]["get"]["parameters"] if each["name"] == "limit"]
    assert limit["schema"] == {"type": "integer", "minimum": 1, "maximum": most, "default": default}
