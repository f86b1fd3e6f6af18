"""How many requests a principal has made today, counted by all processes together."""

from dataclasses import dataclass

from engine.database import Database
from engine.errors import Unauthorized
from engine.principals.model import Principal


@dataclass(frozen=True, slots=True)
class Taken:
    """Requests that a principal may make within so many seconds, until the day ends at 00:00 UTC."""

    requests: int
    seconds: float


async def take_requests(db: Database, principal: Principal, block: int, most: int) -> Taken:
    """The next `block` of the `most` requests of the principal's day, whoever takes them; less when they run out.

    Raises Unauthorized when there is no such principal any more.
    """
    async with db.everywhere() as tx:
        row = await tx.one(
            "take_requests",
            principal_id=principal.principal_id,
            grant_account=principal.account_id,
            block=block,
            most=most,
        )
    if row is None:
        raise Unauthorized("Unauthorized")
    return Taken(row["granted"], row["seconds"])
