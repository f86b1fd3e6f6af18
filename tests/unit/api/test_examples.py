"""The examples of bodies: each is what its schema says, and is on the page."""

import json
from typing import Any

import jsonschema_rs
import pytest

from api.dialects import Route
from api.openapi import document
from api.v3 import V3
from api.v3.vocabulary import EXAMPLE
from engine.segments.grammar import parse
from tests.unit.api.test_docs import PAGE

DOCUMENT = document(V3)
WITH_BODY = [route for route in V3.routes if route.body is not None]


@pytest.mark.parametrize("route", WITH_BODY, ids=lambda route: route.operation)
def test_every_body_has_an_example(route: Route[Any, Any]) -> None:
    operation = DOCUMENT["paths"][route.path][route.method.lower()]
    [content] = operation["requestBody"]["content"].values()
    schema = {"allOf": [content["schema"]], "components": DOCUMENT["components"]}
    jsonschema_rs.Draft202012Validator(schema, validate_formats=True).validate(content["example"])
    assert json.dumps(content["example"], indent=2, ensure_ascii=False) in PAGE.text


def test_the_example_of_criteria_is_in_the_grammar() -> None:
    """Contract v3.md 4.2."""
    assert len(parse(json.dumps(EXAMPLE)).rules) == 3
    assert json.dumps(EXAMPLE, indent=2) in PAGE.text
    assert f'"version": "{EXAMPLE["version"]}"' in PAGE.text
