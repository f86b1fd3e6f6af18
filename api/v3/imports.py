"""Imports over the wire: a CSV file in a form, or rows as JSON (contract v3.md 3.8 and 3.9).

A refused import leaves no file.
"""

import asyncio
from collections.abc import Sequence
from typing import Any

from aiohttp import web

from api import uploads
from api.dialects import AnyRoute, Call, Route
from api.reading import Query
from api.v3.access import NO_404, WITH_404, WRITE
from api.v3.activities import submitted
from api.v3.bodies import ImportForm, JsonImport
from api.v3.example_ids import LIST
from api.v3.formats import ShownActivity
from engine import files
from engine.imports import json_body, json_lines
from engine.operations.contacts_import import ContactsFileImport, ContactsJsonImport, cut_csv

#: Endings of stored files; that of a CSV file is also what its name must end in.
CSV_ENDING = ".csv"
JSON_ENDING = ".jsonl"
#: What is read of a JSON body.
MEMBERS = frozenset(JsonImport.model_fields)


async def file_import(call: Call[Query, ImportForm]) -> web.Response:
    folder, most_bytes = files.uploads(call.settings, call.account_id), call.settings.upload_max_bytes
    form = await uploads.received(call.request, folder, CSV_ENDING, most_bytes)
    with uploads.kept_unless_refused(form.path):
        fields = call.received(_fields(form))
        cut_at = await asyncio.to_thread(cut_csv, form.path, call.settings.import_max_bytes)
        request = ContactsFileImport(
            file=files.uploaded(call.settings, form.path),
            list_ids=fields.list_ids,
            sms_permission=fields.sms_permission_to_send,
            cut_at=cut_at,
            source_file_name=form.file_name,
        )
        return await submitted(call, request)


async def json_import(call: Call[Query, JsonImport]) -> web.Response:
    folder, most_bytes = files.uploads(call.settings, call.account_id), call.settings.import_max_bytes
    async with uploads.body(call.request, folder, call.settings.upload_max_bytes) as body:
        with body.open("rb") as file:
            survey = await asyncio.to_thread(json_body.survey, file, MEMBERS, most_bytes)
            fields = call.received(survey.members)
            lines = json_lines.to_lines(survey.names, json_body.rows(file, survey.rows))
            path = await uploads.stored(folder, JSON_ENDING, lines)
    with uploads.kept_unless_refused(path):
        request = ContactsJsonImport(
            file=files.uploaded(call.settings, path),
            list_ids=fields.list_ids,
            sms_permission=fields.sms_permission_to_send,
            cut_at=most_bytes if survey.left_out else None,
        )
        return await submitted(call, request)


def _fields(form: uploads.Form) -> dict[str, Any]:
    """`list_ids` in repeated parts, each with one id or several between commas (contract v3.md 3.8)."""
    fields: dict[str, Any] = dict(form.fields)
    if parts := form.values("list_ids"):
        fields["list_ids"] = [text.strip() for part in parts for text in part.split(",")]
    return fields


ROUTES: Sequence[AnyRoute] = (
    Route(
        "POST",
        "/activities/contacts_file_import",
        WRITE,
        file_import,
        WITH_404,
        "contactsCSVImport",
        "Import contacts from a CSV file onto lists",
        body=ImportForm,
        example={"file": "email,first_name,city\nkim@example.org,Kim,Berlin\n", "list_ids": [LIST]},
        answers={201: ShownActivity},
    ),
    Route(
        "POST",
        "/activities/contacts_json_import",
        WRITE,
        json_import,
        NO_404,
        "bulkImportContactsJSON",
        "Import contacts from JSON onto lists",
        body=JsonImport,
        example={
            "import_data": [
                {"email": "kim@example.org", "first_name": "Kim", "birthday_month": 2, "birthday_day": 29},
                {"email": "ada@example.org", "home_city": "Berlin", "mobile_phone": "+49 30 1234567"},
            ],
            "list_ids": [LIST],
        },
        answers={201: ShownActivity},
    ),
)
