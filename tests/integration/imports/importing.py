"""Asking for imports, and what came of them."""

import json
from collections.abc import Mapping
from typing import Any
from uuid import uuid4

from engine.activities.model import Activity
from engine.activities.submission import Submitted
from engine.operations.contacts_import import ContactsFileImport, SmsPermission
from engine.sets import system
from engine.sets.catalog import NamedSet
from tests.integration.desk import Desk
from tests.integration.imports.model import Person, person_from

KIND = ContactsFileImport.kind
#: The rows of a batch.
BATCH = 3


async def submit(
    desk: Desk, text: str | bytes, *lists: NamedSet, sms_permission: SmsPermission | None = None
) -> Submitted:
    """Uploads a CSV file and asks for its import."""
    name = f"{uuid4()}.csv"
    (desk.settings.uploads / name).write_bytes(text if isinstance(text, bytes) else text.encode())
    list_ids = tuple(each.set_id for each in lists)
    request = ContactsFileImport(
        file=name, list_ids=list_ids, source_file_name="people.csv", sms_permission=sms_permission
    )
    return await desk.submit(request)


async def run(desk: Desk, text: str | bytes, *lists: NamedSet, sms_permission: SmsPermission | None = None) -> Activity:
    submitted = await submit(desk, text, *lists, sms_permission=sms_permission)
    await desk.deliver(submitted.messages)
    return await desk.find(submitted)


async def contacts(desk: Desk) -> dict[str, Any]:
    """The rows of all contacts by e-mail."""
    return {row["email_key"]: row for row in await desk.rows("contact")}


async def people(desk: Desk) -> dict[str, Person]:
    """All contacts by e-mail, as the model knows them."""
    return {key: person_from(row, loaded(row)) for key, row in (await contacts(desk)).items()}


async def channels(desk: Desk) -> dict[str, Any]:
    """The text message channels by e-mail."""
    return {key: loaded(row)["sms_channel"] for key, row in (await contacts(desk)).items()}


def loaded(row: Any) -> Mapping[str, Any]:
    names = ("phone_numbers", "street_addresses", "custom_values", "sms_channel")
    return {name: row[name] and json.loads(row[name]) for name in names}


async def numbered(desk: Desk, keys: set[str]) -> set[int]:
    rows = await contacts(desk)
    return {rows[key]["contact_no"] for key in keys}


async def assert_sets_agree(desk: Desk) -> None:
    """The sets of those who exist, are active and have unsubscribed say what the contacts' rows say."""
    rows = await desk.rows("contact")
    existing = {row["contact_no"] for row in rows if row["deleted_at"] is None}
    active = {row["contact_no"] for row in rows if row["permission"] in ("implicit", "explicit")} & existing
    unsubscribed = {row["contact_no"] for row in rows if row["permission"] == "unsubscribed"}
    assert await desk.members(system.EXISTS) == existing
    assert await desk.members(system.ACTIVE) == active
    assert await desk.members(system.UNSUBSCRIBED) == unsubscribed


async def make_custom_fields(desk: Desk) -> None:
    for number, name in enumerate(("color", "size"), start=1):
        await desk.owner.execute(
            "INSERT INTO custom_field VALUES ($1, $2, gen_random_uuid(), $3, $3, $3, 'string', now(), now())",
            desk.account_id,
            number,
            name,
        )
