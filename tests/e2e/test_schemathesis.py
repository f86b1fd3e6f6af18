"""Whatever is asked of a running stack is answered as its OpenAPI document says, and never with a fault.

schemathesis makes the requests from the document; they are the same in every run.
"""

import json
from collections.abc import Mapping
from copy import copy
from typing import Any
from uuid import UUID, uuid4

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
#: What is checked of every answer.
CHECKS = [
    schemathesis.checks.not_a_server_error,
    status_code_conformance,
    content_type_conformance,
    response_schema_conformance,
]
CRITERIA = {"type": "and", "group": [{"source": "contact", "field": "first_name", "op": "is-not-empty"}]}

#: Ids of what there is, by the name under which requests give them.
Known = Mapping[str, str | int]

schema = schemathesis.openapi.from_dict(
    document(V3),
    config=SchemathesisConfig(
        projects=ProjectsConfig(default=ProjectConfig(generation=GenerationConfig(deterministic=True, database="none")))
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
        "contact_id": made("/contacts", contact, "contact_id"),
        "activity_id": made("/activities/add_list_memberships", adding, "activity_id"),
    }


def with_known(value: Any, known: Known, name: str = "") -> Any:
    """The value with about half of the ids in it replaced by one that there is."""
    if isinstance(value, dict):
        return {each: with_known(inner, known, each) for each, inner in value.items()}
    if isinstance(value, list):
        return [with_known(each, known, name) for each in value]
    there_is = known.get(name.removesuffix("s"))
    return there_is if there_is is not None and _is_chosen(value) else value


def _is_chosen(value: object) -> bool:
    if isinstance(value, str):
        try:
            return UUID(value).int % 2 == 0
        except ValueError:
            return False
    return isinstance(value, int) and value % 2 == 0


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
    case.body = with_known(case.body, known)
    headers = {"Authorization": f"Bearer {stack.token}"}
    response = case.call(base_url=f"{stack.address}/v3", headers=headers)
    # What has a longer first line is no request at all (tests/e2e/api/test_http.py).
    if len(response.request.path_url or "") < LINE_BYTES:
        case.validate_response(response, checks=CHECKS, headers=headers)
