"""Contacts with any properties, written by the owner, for tests that only look for them."""

import json
from collections.abc import Mapping, Sequence
from typing import Any

from engine.sets.system import EXISTS
from tests.integration.desk import Desk


async def make_people(desk: Desk, people: Sequence[Mapping[str, Any]]) -> None:
    """Contacts that are not deleted, with these columns, numbered from 1 where they do not say it."""
    numbers = [person.get("contact_no", place) for place, person in enumerate(people, 1)]
    for number, person in zip(numbers, people, strict=True):
        row = {"created_at": "2026-01-01T00:00:00Z", "updated_at": "2026-01-01T00:00:00Z", "email_ordinal": 0}
        row |= {"email_key": person["email"].strip().lower()} if person.get("email") else {}
        row |= {**person, "contact_no": number, "account_id": desk.account_id}
        columns = ", ".join(row)
        await desk.owner.execute(
            f"INSERT INTO contact ({columns}) SELECT {columns} FROM jsonb_populate_record(null::contact, $1)",
            json.dumps(row, default=str),
        )
    await desk._put(EXISTS, numbers)
    await desk.owner.execute(
        "UPDATE account SET last_contact_no = $2 WHERE account_id = $1", desk.account_id, max(numbers)
    )
