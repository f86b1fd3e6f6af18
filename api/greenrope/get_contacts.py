"""GetContacts: who is asked for, a page of them or all while they are read (contract greenrope.md 4)."""

from collections.abc import AsyncGenerator, Iterable, Iterator, Sequence
from contextlib import aclosing
from dataclasses import dataclass

from api.greenrope import contact_records
from api.greenrope.answers import SUCCESS, Members, Record
from api.greenrope.calling import Call, Long
from api.greenrope.choice import Choice
from api.greenrope.contact_records import Shape
from api.greenrope.refusals import UnknownGroup
from engine.contacts import search, visibility
from engine.contacts.reading import Contact
from engine.errors import Forbidden
from engine.principals import Principal, Privilege
from engine.sets import catalog, reading
from engine.sets.catalog import SetKind
from engine.sets.expressions import Expression, Intersection
from engine.sets.ordering import By, SortKey

#: Contacts that are put into words before others have their turn, and sets that these are in: 8 ms. A thousand in a
#: thousand groups each would be half a minute, and gigabytes, in one piece.
TOLD_AT_ONCE, SETS_AT_ONCE = 100, 1000
#: Within an account; accounts come by their numbers.
ORDER = (By(SortKey.LAST_NAME), By(SortKey.FIRST_NAME), By(SortKey.EMAIL))


@dataclass(frozen=True, slots=True)
class Place:
    """Whom is meant in an account, and how they are told."""

    account_id: int
    meant: Expression
    shape: Shape


async def answer(call: Call) -> Long:
    """A page, if one is asked for; else everybody, while they are read."""
    choice = Choice.of(call.attributes, call.written)
    places = await _places(call, choice)
    if choice.page is not None:
        return await _page(call, places, choice.page.size, choice.page.offset)
    everybody = _Everybody(call, places)
    return Long((SUCCESS,), "Contacts", "Contact", everybody.runs(), everybody.tail)


async def _places(call: Call, choice: Choice) -> list[Place]:
    """The accounts that are asked for, by number. Raises Forbidden, and UnknownGroup when none has the group."""
    principals = _everywhere(call) if choice.everywhere else [call.principal(Privilege.CONTACTS_READ)]
    places = [place for principal in principals for place in await _with_group(call, principal, choice)]
    if not places:
        raise UnknownGroup(f"Group {choice.group_no} does not exist")
    return places


def _everywhere(call: Call) -> list[Principal]:
    """Who asks, in each account that it may read. Raises Forbidden when there is none."""
    principals = [call.access.principal(account_id) for account_id in sorted(call.access.grants)]
    reading_in = [each for each in principals if Privilege.CONTACTS_READ in each.privileges]
    if not reading_in:
        raise Forbidden("No contacts permission in any account")
    return reading_in


async def _with_group(call: Call, principal: Principal, choice: Choice) -> list[Place]:
    """The place in an account, if it has the group that is asked for."""
    async with call.db.account(principal.account_id) as tx:
        if choice.group_no is not None and not await catalog.by_numbers(tx, SetKind.LIST, [choice.group_no]):
            return []
        visible = await visibility.visible_to(tx, principal)
        shape = await Shape.of(tx, with_scores=choice.with_scores)
    return [Place(principal.account_id, Intersection((visible, choice.expression())), shape)]


async def _page(call: Call, places: Sequence[Place], size: int, offset: int) -> Long:
    """The contacts of all accounts are one row of them, of which the page is a piece."""
    before, left, found = 0, size, list[tuple[Place, Sequence[Contact]]]()
    for place in places:
        async with call.db.account(place.account_id) as tx:
            if not left:
                before += await reading.count(tx, place.meant)
                continue
            skipped = max(0, offset - before)
            total, contacts = await search.page(tx, place.meant, ORDER, limit=left, offset=skipped)
        before, left = before + total, left - len(contacts)
        found.append((place, contacts))
    return Long((SUCCESS,), "Contacts", "Contact", _told(found), lambda: (_total(before),))


async def _told(found: Iterable[tuple[Place, Sequence[Contact]]]) -> AsyncGenerator[Sequence[Record], None]:
    for place, contacts in found:
        for run in _runs(place, contacts):
            yield run


def _runs(place: Place, contacts: Iterable[Contact]) -> Iterator[Sequence[Record]]:
    """The contacts as they are told, some at a time."""
    few, sets = list[Contact](), 0
    for contact in contacts:
        if len(few) == TOLD_AT_ONCE or (few and sets + len(contact.member_of) > SETS_AT_ONCE):
            yield [contact_records.in_full(each, place.shape) for each in few]
            few, sets = [], 0
        few.append(contact)
        sets += len(contact.member_of)
    yield [contact_records.in_full(each, place.shape) for each in few]


class _Everybody:
    """All contacts of some accounts, read while they are sent.

    Measured with 200,000 contacts: 152 MB of XML in 40 s, the first after 0.5 s, with 10 MB more memory than before,
    as for a tenth of them.
    """

    def __init__(self, call: Call, places: Sequence[Place]) -> None:
        self._call = call
        self._places = places
        self._count = 0

    async def runs(self) -> AsyncGenerator[Sequence[Record], None]:
        for place in self._places:
            async with aclosing(search.stream(self._call.db, place.account_id, place.meant, ORDER)) as batches:
                async for contacts in batches:
                    self._count += len(contacts)
                    for run in _runs(place, contacts):
                        yield run

    def tail(self) -> Members:
        return (_total(self._count),)


def _total(count: int) -> tuple[str, str]:
    return "TotalMatchingContacts", str(count)
