"""Whole imports from memory, in a form that is easy to compare."""

import io
import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any
from uuid import UUID

from engine.fields import Field, Type
from engine.imports import csv_file, json_body, json_lines
from engine.imports.columns import Header
from engine.imports.problems import RowError
from engine.imports.rows import STAGING_COLUMNS, Batch, StagedRow

NOW = datetime(2026, 1, 15, tzinfo=UTC)


def field(number: int, name: str, type: Type = "string") -> Field:  # noqa: A002 (as it is called)
    return Field(number, UUID(int=number), name, name, type, NOW, NOW)


FIELDS = {"shirt_size": field(7, "shirt_size"), "Vehicle": field(8, "Vehicle")}


@dataclass(frozen=True)
class Import:
    header: Header
    batches: list[Batch]

    @property
    def rows(self) -> list[dict[str, Any]]:
        """The staged rows, without what they leave alone."""
        return [shown(row) for batch in self.batches for row in batch.rows]

    @property
    def errors(self) -> list[RowError]:
        return [error for batch in self.batches for error in batch.errors]

    @property
    def codes(self) -> list[tuple[int, str]]:
        return [(error.line, error.code) for error in self.errors]

    @property
    def emails(self) -> list[str]:
        return [row["email"] for row in self.rows]

    @property
    def accepted(self) -> int:
        return sum(batch.accepted for batch in self.batches)


def shown(row: StagedRow) -> dict[str, Any]:
    values: dict[str, Any] = dict(zip(STAGING_COLUMNS, row, strict=True))
    for name in ("custom_values", "phone_numbers", "street_addresses", "sms_channel"):
        values[name] = values[name] and json.loads(values[name])
    return {name: value for name, value in values.items() if value is not None}


def read_csv(content: str | bytes, size: int = 1000, fields: Mapping[str, Field] = FIELDS) -> Import:
    file = io.BytesIO(content.encode() if isinstance(content, str) else content)
    header = csv_file.read_header(file, fields)
    return Import(header, list(csv_file.batches(file, header, header.start, size)))


def stored_lines(rows: Sequence[Mapping[str, Any]]) -> bytes:
    """The rows of `import_data` as they are stored."""
    body = io.BytesIO(json.dumps({"import_data": rows}).encode())
    survey = json_body.survey(body, frozenset())
    assert survey.rows == len(rows)
    return b"".join(json_lines.to_lines(survey.names, json_body.rows(body, survey.rows)))


def read_json(rows: Sequence[Mapping[str, Any]], size: int = 1000) -> Import:
    file = io.BytesIO(stored_lines(rows))
    header = json_lines.read_header(file, FIELDS)
    return Import(header, list(json_lines.batches(file, header, header.start, size)))
