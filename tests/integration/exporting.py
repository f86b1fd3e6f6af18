"""Exports as the tests ask for them and read their files."""

import csv
import json
from collections.abc import Iterable
from datetime import UTC, datetime
from typing import Any
from uuid import uuid4

from engine.activities.model import Activity, State
from engine.files import exports
from engine.operations.contact_exports import ContactExports
from engine.sets import catalog, system
from engine.sets.catalog import NamedSet, SetKind
from tests.integration.desk import Desk

NOON = datetime(2026, 3, 29, 12, 0, 5, 999_999, tzinfo=UTC)


async def export(desk: Desk, **body: Any) -> Activity:
    submitted = await desk.submit(ContactExports.model_validate(body))
    await desk.deliver(submitted.messages)
    return await desk.find(submitted)


def content(desk: Desk, activity: Activity) -> bytes:
    return (exports(desk.settings, desk.account_id) / f"{activity.activity_id}.csv").read_bytes()


def rows(desk: Desk, activity: Activity) -> list[dict[str, str]]:
    """The file's rows as any reader of CSV finds them, after a check of what must hold for each export."""
    assert activity.state is State.COMPLETED, activity
    text = content(desk, activity).decode()
    assert text.endswith("\r\n")
    headings, *lines = csv.reader(text.splitlines(keepends=True), strict=True)
    assert activity.items_total == activity.items_completed == len(lines)
    return [dict(zip(headings, line, strict=True)) for line in lines]


async def exported(desk: Desk, **body: Any) -> list[dict[str, str]]:
    return rows(desk, await export(desk, **body))


async def put(desk: Desk, set_no: int, numbers: Iterable[int]) -> None:
    await desk._put(set_no, numbers)


async def make_contact(desk: Desk, contact_no: int, **values: Any) -> None:
    """A contact that exists, with any column."""
    row = {
        "account_id": desk.account_id,
        "contact_no": contact_no,
        "contact_id": uuid4(),
        "email_ordinal": 0,
        "permission": "implicit",
        "create_source": "Account",
        "confirm_status": "off",
        "created_at": NOON,
        "updated_at": NOON,
        **values,
    }
    await desk.owner.execute(
        "INSERT INTO contact SELECT * FROM jsonb_populate_record(null::contact, $1)", json.dumps(row, default=str)
    )
    await put(desk, system.EXISTS, [contact_no])


async def new_set(desk: Desk, kind: SetKind, name: str, numbers: Iterable[int]) -> NamedSet:
    async with desk.db.account(desk.account_id) as tx:
        made = await catalog.create(tx, kind, name)
    await put(desk, made.set_no, numbers)
    return made


async def new_field(desk: Desk, number: int, name: str) -> None:
    await desk.owner.execute(
        "INSERT INTO custom_field (account_id, field_no, label, name, name_key, type, created_at, updated_at)"
        " VALUES ($1, $2, $3, $3, lower($3), 'string', now(), now())",
        desk.account_id,
        number,
        name,
    )
