"""Whom a principal sees: contacts that are on no list only with a privilege of its own (contract greenrope.md 1.2)."""

from engine.database import Transaction
from engine.principals import Principal, Privilege
from engine.sets import catalog
from engine.sets.catalog import SetKind
from engine.sets.expressions import EVERYBODY, Expression, Intersection, Members


async def visible_to(tx: Transaction, principal: Principal) -> Expression:
    """The contacts that there are for the principal: without the privilege, those on lists."""
    if Privilege.CONTACTS_UNLISTED in principal.privileges:
        return EVERYBODY
    lists = await catalog.everyone_of(tx, SetKind.LIST)
    return Intersection((EVERYBODY, Members(tuple(each.set_no for each in lists))))
