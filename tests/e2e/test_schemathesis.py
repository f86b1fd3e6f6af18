"""Whatever is asked of a running stack is answered as its OpenAPI document says, and never with a fault.

schemathesis makes the requests from the document; they are the same in every run.
"""

import json
from collections.abc import Mapping
from copy import copy
from typing import Any
from uuid import uuid4
from zlib import crc32

import hypothesis
import pytest
import schemathesis
from hypothesis import HealthCheck, Phase
from schemathesis import Case
from schemathesis.config import GenerationConfig, ProjectConfig, ProjectsConfig, SchemathesisConfig
from schemathesis.specs.openapi.checks import (
    content_type_conformance,
    response_schema_conformance,
    status_code_conformance,
)

from api.app import LINE_BYTES
from api.openapi import document
from api.v3 import V3
from tests.e2e.stack import Up

#: Random requests of each operation, beside those that the limits in the document suggest.
EXAMPLES = 15
#: Seconds that an answer may take: longer than `wait` may ask for.
PATIENCE = 90
#: What is checked of every answer.
CHECKS = [
    schemathesis.checks.not_a_server_error,
    status_code_conformance,
    content_type_conformance,
    response_schema_conformance,
]
CRITERIA = {"type": "and", "group": [{"source": "contact", "field": "first_name", "op": "is-not-empty"}]}

#: What bodies call arrays of ids.
NAMES = {f"{kind}_ids": f"{kind}_id" for kind in ("list", "tag", "contact", "custom_field")} | {
    "list_memberships": "list_id",
    "taggings": "tag_id",
}

#: What there is, by the name under which requests give it.
Known = Mapping[str, str | int]

schema = schemathesis.openapi.from_dict(
    document(V3),
    config=SchemathesisConfig(
        projects=ProjectsConfig(
            default=ProjectConfig(generation=GenerationConfig(deterministic=True, database="none", allow_x00=False))
        )
    ),
)


@pytest.fixture(scope="module")
def stack(shared: Up) -> Up:
    """The running stack, in an account of this module's own."""
    stack = copy(shared)
    stack.token = shared.new_token()
    return stack


@pytest.fixture
def known(stack: Up) -> Known:
    """One of everything, for each operation: some delete it."""

    name = f"known {uuid4()}"

    def made(path: str, body: object, member: str) -> Any:
        status, answer = stack.request("POST", f"/v3{path}", body)
        assert status == 201, answer
        return answer[member]

    list_id = made("/contact_lists", {"name": name}, "list_id")
    contact = {"create_source": "Account", "first_name": "Kim", "list_memberships": [list_id]}
    adding = {"source": {"all_active_contacts": True}, "list_ids": [list_id]}
    criteria = json.dumps({"version": "1.0.0", "criteria": CRITERIA})
    return {
        "list_id": list_id,
        "tag_id": made("/contact_tags", {"name": name}, "tag_id"),
        "custom_field_id": made("/contact_custom_fields", {"label": name, "type": "string"}, "custom_field_id"),
        "segment_id": made("/segments", {"name": name, "segment_criteria": criteria}, "segment_id"),
        "field_id": made("/field_definitions", {"label": name, "list_id": list_id}, "field_id"),
        "company_id": made("/companies", {"name": name}, "company_id"),
        "event_id": made("/events", {"name": name}, "event_id"),
        "hook_id": made("/hooks", {"name": name, "url": "https://hook.invalid/"}, "hook_id"),
        "user_id": made("/users", {"name": name, "password": "a password"}, "user_id"),
        "key_id": made("/keys", {"name": name}, "key_id"),
        "contact_id": made("/contacts", contact, "contact_id"),
        "activity_id": made("/activities/add_list_memberships", adding, "activity_id"),
        "file_export_id": made("/activities/contact_exports", {}, "activity_id"),
        "segment_criteria": criteria,
    }


def with_known(value: Any, known: Known, name: str = "") -> Any:
    """The value with about half of what it names replaced by what there is."""
    match value:
        case dict():
            return {each: with_known(inner, known, each) for each, inner in value.items()}
        case [_, *_] if (one := NAMES.get(name)) and _is_chosen(value):
            return [known[one]]
        case list():
            return [with_known(each, known) for each in value]
        case str() | int() if name in known and _is_chosen(value):
            return known[name]
        case _:
            return value


def _is_chosen(value: object) -> bool:
    return crc32(repr(value).encode(errors="replace")) % 2 == 0


@schema.parametrize()
@hypothesis.settings(
    max_examples=EXAMPLES,
    derandomize=True,
    database=None,
    phases=[Phase.explicit, Phase.generate],
    suppress_health_check=list(HealthCheck),
)
def test_every_answer_is_as_documented(case: Case, stack: Up, known: Known) -> None:
    """Contract v3.md 1.8, and every endpoint of 2.0 and 3.1."""
    case.path_parameters = with_known(case.path_parameters, known)
    if _is_chosen(case.query):
        case.query.pop("cursor", None)
    case.body = with_known(case.body, known)
    headers = {"Authorization": f"Bearer {stack.token}"}
    response = case.call(base_url=f"{stack.address}/v3", headers=headers, timeout=PATIENCE)
    # What has a longer first line is no request at all (tests/e2e/api/test_http.py).
    if len(response.request.path_url or "") < LINE_BYTES:
        case.validate_response(response, checks=CHECKS, headers=headers)
