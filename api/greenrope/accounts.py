"""The accounts that the caller can reach (contract greenrope.md 6.5)."""

from api.greenrope.answers import SUCCESS, Listed, Record
from api.greenrope.calling import Call


async def every(call: Call) -> Record:
    """GetAccountsWithAccess: by number, the own one included."""
    numbers = [Record((("AccountNumber", str(account_id)),)) for account_id in sorted(call.access.grants)]
    return Record((SUCCESS, ("Accounts", Listed("Account", numbers))))
