"""Imports over the wire: a CSV file in a form, or rows as JSON (contract v3.md 3.8 and 3.9).

A refused import leaves no file.
"""

import asyncio

from aiohttp import web

from api import uploads
from api.dialects import Call
from api.reading import Query
from api.v3.activities import submitted
from api.v3.bodies import ImportForm, JsonImport
from engine.imports import json_lines
from engine.operations.contacts_import import ContactsFileImport, ContactsJsonImport, check_csv

#: Endings of stored files; that of a CSV file is also what its name must end in.
CSV_ENDING = ".csv"
JSON_ENDING = ".jsonl"


async def file_import(call: Call[Query, ImportForm]) -> web.Response:
    folder, most_bytes = call.settings.uploads, call.settings.upload_max_bytes
    form = await uploads.received(call.request, folder, CSV_ENDING, most_bytes)
    with uploads.kept_unless_refused(form.path):
        targets = call.form(_list_ids(form))
        await asyncio.to_thread(check_csv, form.path)
        name, list_ids = form.path.name, targets.list_ids
        return await submitted(call, ContactsFileImport(file=name, list_ids=list_ids, source_file_name=form.file_name))


async def json_import(call: Call[Query, JsonImport]) -> web.Response:
    body = await call.body()
    path = await uploads.stored(call.settings.uploads, JSON_ENDING, json_lines.to_lines(body.import_data))
    with uploads.kept_unless_refused(path):
        return await submitted(call, ContactsJsonImport(file=path.name, list_ids=body.list_ids))


def _list_ids(form: uploads.Form) -> dict[str, list[str]]:
    """Repeated parts, each with one id or several between commas (contract v3.md 3.8)."""
    parts = form.values("list_ids")
    return {"list_ids": [text.strip() for part in parts for text in part.split(",")]} if parts else {}
