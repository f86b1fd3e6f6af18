"""Imports over the wire: a CSV file in a form, or rows as JSON (contract v3.md 3.8 and 3.9).

A refused import leaves no file.
"""

import asyncio
from collections.abc import Callable
from pathlib import Path

from aiohttp import web

from api import reading, uploads
from api.dialects import Call
from api.v3.activities import submitted
from api.v3.bodies import ImportTargets, JsonImport
from engine.errors import MusterError
from engine.imports import json_lines
from engine.operations import contacts_import
from engine.operations.contacts_import import ContactsFileImport, ContactsImport, ContactsJsonImport

#: Endings of stored files; that of a CSV file is also what its name must end in.
CSV_ENDING = ".csv"
JSON_ENDING = ".jsonl"

Check = Callable[[Path], None]


async def file_import(call: Call) -> web.Response:
    folder, most_bytes = call.settings.uploads, call.settings.upload_max_bytes
    form = await uploads.received(call.request, folder, CSV_ENDING, most_bytes)

    def request() -> ContactsImport:
        targets = reading.checked(ImportTargets, _list_ids(form))
        return ContactsFileImport(file=form.path.name, list_ids=targets.list_ids, source_file_name=form.file_name)

    return await _submitted(call, form.path, request, contacts_import.check_csv)


async def json_import(call: Call) -> web.Response:
    body = await reading.body(call.request, JsonImport)
    lines = json_lines.to_lines(body.import_data)
    path = await uploads.stored(call.settings.uploads, JSON_ENDING, lines)

    def request() -> ContactsImport:
        return ContactsJsonImport(file=path.name, list_ids=body.list_ids)

    return await _submitted(call, path, request, _check_json)


async def _submitted(call: Call, path: Path, request: Callable[[], ContactsImport], check: Check) -> web.Response:
    try:
        wanted = request()
        await asyncio.to_thread(check, path)
        return await submitted(call, wanted)
    except MusterError:
        # Only what was refused: after any other error the activity may be committed, and needs its file.
        uploads.discard(path)
        raise


def _list_ids(form: uploads.Form) -> dict[str, list[str]]:
    """Repeated parts, each with one id or several between commas (contract v3.md 3.8)."""
    parts = form.values("list_ids")
    return {"list_ids": [text.strip() for part in parts for text in part.split(",")]} if parts else {}


def _check_json(path: Path) -> None:
    """Raises InvalidImport when no row has an e-mail."""
    with path.open("rb") as file:
        json_lines.read_header(file, {})
