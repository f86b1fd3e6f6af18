"""Exported files over the wire (contract v3.md 3.15). An export is submitted as every activity is."""

from collections.abc import Sequence
from http import HTTPStatus

from aiohttp import web

from api import downloads, reading
from api.dialects import CSV, AnyRoute, Call, Route
from api.errors import RangeNotSatisfiable
from api.v3.access import WITH_404, WRITE
from api.v3.refusals import refuse
from engine.operations import contact_exports


async def download(call: Call) -> web.StreamResponse:
    """The file of a completed export, whole or in part; its id is that of its activity."""
    activity_id = reading.path_uuid(call.request, "file_export_id")
    path = await contact_exports.finished_file(call.db, call.settings, call.account_id, activity_id)
    try:
        return await downloads.sent(call.request, path, CSV.content_type)
    except RangeNotSatisfiable as error:
        refusal = refuse(error, call.route)
        refusal.headers["Content-Range"] = f"bytes */{error.size}"
        return refusal


ROUTES: Sequence[AnyRoute] = (
    Route(
        "GET",
        "/contact_exports/{file_export_id}",
        WRITE,
        download,
        WITH_404 | {HTTPStatus.REQUESTED_RANGE_NOT_SATISFIABLE},
        "getContactsExport",
        "The file of a completed export, whole or a range of its bytes",
        answers={200: CSV, 206: CSV},
    ),
)
