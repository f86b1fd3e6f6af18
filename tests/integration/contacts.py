"""Contacts in any state, written by the owner: the API of this version cannot delete or unsubscribe any."""

from datetime import UTC, datetime, timedelta
from random import Random
from uuid import uuid4

import asyncpg

from engine.sets import system
from engine.sets.chunks import CHUNK_BITS, bits_of
from tests.reference import Model


async def make_contacts(random: Random, database_url: str, account_id: int, model: Model, *, count: int) -> None:
    """Contacts with numbers over three chunks, a fifth deleted and a fifth unsubscribed, told to the model."""
    numbers = sorted(random.sample(range(1, 3 * CHUNK_BITS), count))
    ids = {number: str(uuid4()) for number in numbers}
    for number in numbers:
        state = random.choice(("deleted", "unsubscribed", "old", "recent", "recent"))
        (model.deleted if state == "deleted" else model.existing).add(ids[number])
        if state == "unsubscribed":
            model.unsubscribed.add(ids[number])
        if state in ("old", "recent"):
            model.active.add(ids[number])
        if state != "old":
            model.recent.add(ids[number])
    members = {
        system.EXISTS: model.existing,
        system.ACTIVE: model.active,
        system.UNSUBSCRIBED: model.unsubscribed,
    }
    owner = await asyncpg.connect(database_url)
    try:
        async with owner.transaction():
            await owner.execute(f"SET LOCAL muster.account_id = '{account_id}'")
            await owner.executemany(
                "INSERT INTO contact (account_id, contact_no, contact_id, email, email_key, permission, created_at,"
                " updated_at, deleted_at, opt_in_date) VALUES ($1, $2, $3, $4, $4, $5, now(), now(), $6, $7)",
                [_row(account_id, number, contact_id, model) for number, contact_id in ids.items()],
            )
            for set_no, chosen in members.items():
                for chunk, bits in bits_of(n for n in numbers if ids[n] in chosen).items():
                    await owner.execute(
                        "INSERT INTO set_chunk (account_id, set_no, chunk, bits) VALUES ($1, $2, $3, $4)",
                        account_id,
                        set_no,
                        chunk,
                        bits,
                    )
            await owner.execute(
                "UPDATE account SET last_contact_no = $2 WHERE account_id = $1", account_id, numbers[-1]
            )
    finally:
        await owner.close()


def _row(account_id: int, number: int, contact_id: str, model: Model) -> tuple[object, ...]:
    now = datetime.now(UTC)
    return (
        account_id,
        number,
        contact_id,
        f"contact{number}@example.org",
        "unsubscribed" if contact_id in model.unsubscribed else "implicit",
        now if contact_id in model.deleted else None,
        now - timedelta(days=1 if contact_id in model.recent else 90),
    )
