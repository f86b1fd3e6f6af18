"""The route table (contract v3.md 2.0 and 3.1)."""

import re
from collections import Counter
from pathlib import Path

from api.v3.routes import ROUTES

README = Path(__file__).parents[3] / "api" / "README.md"
#: Any of these privileges will do. What is not in the contract is an extension.
PRIVILEGES = {
    ("POST", "/activities/add_list_memberships"): {"contacts:write"},
    ("POST", "/activities/remove_list_memberships"): {"contacts:write"},
    ("POST", "/activities/contacts_taggings_add"): {"contacts:write"},
    ("POST", "/activities/contacts_taggings_remove"): {"contacts:write"},
    ("POST", "/activities/contacts_engagement_set"): {"contacts:write"},
    ("POST", "/activities/list_delete"): {"contacts:write"},
    ("POST", "/activities/contacts_tags_delete"): {"contacts:write"},
    ("POST", "/activities/contact_delete"): {"contacts:write"},
    ("POST", "/activities/custom_fields_delete"): {"contacts:write"},
    ("POST", "/activities/contacts_engagement_compute"): {"contacts:write"},
    ("POST", "/activities/contact_exports"): {"contacts:write"},
    ("GET", "/contact_exports/{file_export_id}"): {"contacts:write"},
    ("POST", "/activities/contacts_file_import"): {"contacts:write"},
    ("POST", "/activities/contacts_json_import"): {"contacts:write"},
    ("GET", "/activities"): {"contacts:write"},
    ("GET", "/activities/{activity_id}"): {"contacts:write"},
    ("GET", "/activities/{activity_id}/errors"): {"contacts:write"},
    ("POST", "/activities/{activity_id}/cancel"): {"contacts:write"},
    ("POST", "/activities/{activity_id}/retry"): {"contacts:write"},
    ("GET", "/contacts"): {"contacts:read"},
    ("POST", "/contacts"): {"contacts:write"},
    ("GET", "/contacts/{contact_id}"): {"contacts:read"},
    ("PUT", "/contacts/{contact_id}"): {"contacts:write"},
    ("DELETE", "/contacts/{contact_id}"): {"contacts:write"},
    ("POST", "/contacts/sign_up_form"): {"contacts:write"},
    ("GET", "/contacts/contact_id_xrefs"): {"contacts:read"},
    ("GET", "/contacts/counts"): {"contacts:read"},
    ("GET", "/contacts/sms_engagement_history/{contact_id}"): {"contacts:read"},
    ("PUT", "/contacts/resubscribe/{contact_id}"): {"contacts:write"},
    ("PUT", "/contacts/{contact_id}/lead_scores"): {"contacts:write"},
    ("GET", "/contact_lists"): {"contacts:lists:read"},
    ("POST", "/contact_lists"): {"contacts:lists:write"},
    ("GET", "/contact_lists/{list_id}"): {"contacts:lists:read"},
    ("PUT", "/contact_lists/{list_id}"): {"contacts:lists:write"},
    ("DELETE", "/contact_lists/{list_id}"): {"contacts:lists:write"},
    ("GET", "/contact_lists/list_id_xrefs"): {"contacts:lists:read"},
    ("GET", "/contact_tags"): {"contacts:read", "contacts:lists:read"},
    ("POST", "/contact_tags"): {"contacts:write"},
    ("GET", "/contact_tags/{tag_id}"): {"contacts:read", "contacts:lists:read"},
    ("PUT", "/contact_tags/{tag_id}"): {"contacts:write"},
    ("DELETE", "/contact_tags/{tag_id}"): {"contacts:write"},
    ("GET", "/contact_custom_fields"): {"contacts:read"},
    ("POST", "/contact_custom_fields"): {"contacts:write"},
    ("GET", "/contact_custom_fields/{custom_field_id}"): {"contacts:read"},
    ("PUT", "/contact_custom_fields/{custom_field_id}"): {"contacts:write"},
    ("DELETE", "/contact_custom_fields/{custom_field_id}"): {"contacts:write"},
    ("POST", "/tracking_events"): {"contacts:write"},
    ("GET", "/segments"): {"contacts:lists:read"},
    ("POST", "/segments"): {"contacts:lists:write"},
    ("GET", "/segments/{segment_id}"): {"contacts:lists:read"},
    ("PUT", "/segments/{segment_id}"): {"contacts:lists:write"},
    ("PATCH", "/segments/{segment_id}/name"): {"contacts:lists:write"},
    ("DELETE", "/segments/{segment_id}"): {"contacts:lists:write"},
    ("GET", "/field_definitions"): {"contacts:read"},
    ("POST", "/field_definitions"): {"contacts:write"},
    ("GET", "/field_definitions/{field_id}"): {"contacts:read"},
    ("PUT", "/field_definitions/{field_id}"): {"contacts:write"},
    ("DELETE", "/field_definitions/{field_id}"): {"contacts:write"},
    ("GET", "/companies"): {"contacts:read"},
    ("POST", "/companies"): {"contacts:write"},
    ("GET", "/companies/{company_id}"): {"contacts:read"},
    ("PUT", "/companies/{company_id}"): {"contacts:write"},
    ("DELETE", "/companies/{company_id}"): {"contacts:write"},
    ("GET", "/events"): {"contacts:read"},
    ("POST", "/events"): {"contacts:write"},
    ("GET", "/events/{event_id}"): {"contacts:read"},
    ("PUT", "/events/{event_id}"): {"contacts:write"},
    ("DELETE", "/events/{event_id}"): {"contacts:write"},
    ("POST", "/events/{event_id}/cancel"): {"contacts:write"},
    ("GET", "/hooks"): {"account:administer"},
    ("POST", "/hooks"): {"account:administer"},
    ("GET", "/hooks/{hook_id}"): {"account:administer"},
    ("PUT", "/hooks/{hook_id}"): {"account:administer"},
    ("DELETE", "/hooks/{hook_id}"): {"account:administer"},
    ("GET", "/hooks/{hook_id}/calls"): {"account:administer"},
    ("GET", "/users"): {"account:administer"},
    ("POST", "/users"): {"account:administer"},
    ("PUT", "/users/{user_id}/privileges"): {"account:administer"},
    ("PUT", "/users/{user_id}/password"): {"account:administer"},
    ("DELETE", "/users/{user_id}"): {"account:administer"},
    ("POST", "/user_grants"): {"account:administer"},
    ("DELETE", "/user_grants/{user_id}"): {"account:administer"},
    ("GET", "/keys"): {"account:administer"},
    ("POST", "/keys"): {"account:administer"},
    ("DELETE", "/keys/{key_id}"): {"account:administer"},
}


def test_every_route_has_the_contracts_privilege() -> None:
    """Contract v3.md 1.2, 2.0, 3.1 and 5.16: one of four."""
    assert {(route.method, route.path): set(route.privileges) for route in ROUTES} == PRIVILEGES


def test_no_route_is_there_twice() -> None:
    assert max(Counter((route.method, route.path) for route in ROUTES).values()) == 1


def test_every_route_tells_its_clients_what_it_is() -> None:
    assert max(Counter(route.operation for route in ROUTES).values()) == 1
    for route in ROUTES:
        assert route.operation, route.path
        assert route.summary, route.path
        assert route.answers, route.path


def test_every_route_is_in_the_apis_readme() -> None:
    documented = re.findall(r"^\| `([A-Z]+) (/\S+)` \| ([^|]*) \|", README.read_text(), re.MULTILINE)
    assert documented == [(route.method, route.path, " or ".join(route.privileges)) for route in ROUTES]
