"""What the OpenAPI document promises of answers, held against every answer that the tests get."""

import json
import re
from dataclasses import dataclass
from functools import cache
from typing import Any

import jsonschema_rs

from api.openapi import document
from api.v3 import V3


@dataclass(frozen=True)
class Promise:
    """One operation: by status, the type of what is sent and a validator of it; neither where no body is."""

    operation: str
    answers: dict[int, tuple[str, jsonschema_rs.Draft202012Validator | None] | None]

    def check(self, status: int, content_type: str, content: bytes) -> None:
        assert status in self.answers, f"{self.operation} documents no {status}: {content!r}"
        promised = self.answers[status]
        if promised is None:
            assert content == b"", f"{self.operation} documents no body with {status}"
            return
        media, validator = promised
        assert content_type.partition(";")[0] == media, self.operation
        if validator is not None:
            validator.validate(json.loads(content))


class Promises:
    """All operations, found by method and path."""

    def __init__(self) -> None:
        told = document(V3)
        self._components = _strict(told["components"])
        prefix = told["servers"][0]["url"]
        # Literal parts of a path win over ids.
        paths = sorted(told["paths"], key=lambda path: path.count("{"))
        self._paths = {
            re.compile(prefix + re.sub(r"\{\w+\}", "[^/]*", path)): {
                method: self._promise(operation) for method, operation in told["paths"][path].items()
            }
            for path in paths
        }

    def of(self, method: str, path: str) -> Promise | None:
        for pattern, promises in self._paths.items():
            if pattern.fullmatch(path):
                return promises.get(method.lower())
        return None

    def _promise(self, operation: Any) -> Promise:
        answers = {int(status): self._answer(answer) for status, answer in operation["responses"].items()}
        return Promise(operation["operationId"], answers)

    def _answer(self, answer: Any) -> tuple[str, jsonschema_rs.Draft202012Validator | None] | None:
        if "$ref" in answer:
            answer = self._components["responses"][answer["$ref"].rpartition("/")[2]]
        if "content" not in answer:
            return None
        [(media, content)] = answer["content"].items()
        schema = {"allOf": [content["schema"]], "components": self._components}
        is_json = media == "application/json"
        return media, jsonschema_rs.Draft202012Validator(schema, validate_formats=True) if is_json else None


def _strict(schema: Any) -> Any:
    """The same where objects have no other properties than are promised: what is sent must be told."""
    if isinstance(schema, list):
        return [_strict(each) for each in schema]
    if not isinstance(schema, dict):
        return schema
    stricter = {name: _strict(each) for name, each in schema.items()}
    return {"additionalProperties": False} | stricter if isinstance(schema.get("properties"), dict) else stricter


@cache
def promises() -> Promises:
    return Promises()
