"""Which contacts are meant, for many contacts of a request at once (contract greenrope.md 5.1, 5.2)."""

from collections.abc import Hashable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import TypeAlias

from api.greenrope.refusals import SeveralContacts, UnknownContact
from api.greenrope.values import shown
from engine.contacts import search, visibility
from engine.contacts.search import Criteria, FullName
from engine.database import Transaction
from engine.emails import email_key
from engine.principals import Principal
from engine.sets.catalog import name_key
from engine.sets.expressions import Intersection, Numbers

#: Contacts that are looked for of each that is meant: more than one is too many, but some may be none of the caller's.
MOST = 20


@dataclass(frozen=True, slots=True)
class Match:
    """The contact that is to be updated, if there is one: with the address, else with the first and last name."""

    email: str
    names: FullName | None


#: Whom a contact of a request means; None is a new one.
Meant: TypeAlias = Criteria | Match | None


@dataclass(frozen=True, slots=True)
class Tokens:
    """What decides whether it matters to a contact of a request that one before it has been written.

    asks: values by which its contact is looked for; says: those that it gives its contact; same: what two of them have
    in common that look for the same contact.
    """

    asks: frozenset[Hashable]
    says: frozenset[Hashable]
    same: frozenset[Hashable]


def tokens(meant: Meant, email: str | None, first_name: str | None, last_name: str | None) -> Tokens:
    """Those of who is meant and is given these values; None is not said."""
    return Tokens(frozenset(_asked(meant)), frozenset(_said(email, first_name, last_name)), frozenset(_same(meant)))


async def found(tx: Transaction, principal: Principal, meant: Sequence[Meant]) -> list[list[int]]:
    """For each that is meant the numbers of the contacts that may be it, of those whom the principal sees."""
    emails = {key for each in meant if (key := _email(each))}
    by_email = dict(zip(emails, await search.addressed(tx, list(emails), most=MOST), strict=True))
    names = {name for each in meant if (name := _names(each, by_email))}
    by_name = dict(zip(names, await search.named(tx, list(names), most=MOST), strict=True))
    return await _seen(tx, principal, [await _candidates(tx, each, by_email, by_name) for each in meant])


def the_one(criteria: Criteria, numbers: Sequence[int]) -> int:
    """The contact that criteria select. Raises UnknownContact, and SeveralContacts."""
    if not numbers:
        raise UnknownContact(f"No contact has {_worded(criteria)}")
    if len(numbers) > 1:
        raise SeveralContacts(f"More than one contact has {_worded(criteria)}")
    return numbers[0]


def the_matching(numbers: Sequence[int]) -> int | None:
    """The contact that is to be updated; None when it is a new one. Raises SeveralContacts."""
    if len(numbers) > 1:
        raise SeveralContacts("More than one contact has this email or this first and last name")
    return numbers[0] if numbers else None


async def _candidates(
    tx: Transaction, meant: Meant, by_email: Mapping[str, list[int]], by_name: Mapping[FullName, list[int]]
) -> list[int]:
    match meant:
        case None:
            return []
        case Match(email, names):
            return _matching(by_email.get(email_key(email), []), by_name.get(names, []) if names else [])
        case Criteria(int(contact_no), None, None, None):
            return [contact_no]
        case Criteria(None, None, None, str(email)):
            return by_email[email_key(email)]
        case Criteria(None, str(first_name), str(last_name), None):
            return by_name[FullName(first_name, last_name)]
        case _:
            return await search.numbers(tx, meant.expression(), limit=MOST)


def _matching(by_email: list[int], by_name: list[int]) -> list[int]:
    """Those with the address, else those with the names; of several with the address the one who has the names, too."""
    both = [number for number in by_email if number in by_name]
    return both if len(both) == 1 else by_email or by_name


async def _seen(tx: Transaction, principal: Principal, candidates: Sequence[list[int]]) -> list[list[int]]:
    """Of the candidates those whom the principal sees."""
    numbers = {number for each in candidates for number in each}
    if not numbers:
        return [[] for _ in candidates]
    visible = await visibility.visible_to(tx, principal)
    among = Intersection((visible, Numbers(tuple(sorted(numbers)))))
    seen = frozenset(await search.numbers(tx, among, limit=len(numbers)))
    return [[number for number in each if number in seen] for each in candidates]


def _email(meant: Meant) -> str | None:
    """The key of the address by which it is looked for among all that are."""
    match meant:
        case Match(email, _) if email:
            return email_key(email)
        case Criteria(None, None, None, str(email)):
            return email_key(email)
        case _:
            return None


def _names(meant: Meant, by_email: Mapping[str, list[int]]) -> FullName | None:
    """The names by which it is looked for, if the address does not say who it is."""
    match meant:
        case Match(email, names) if len(by_email.get(email_key(email), ())) != 1:
            return names
        case Criteria(None, str(first_name), str(last_name), None):
            return FullName(first_name, last_name)
        case _:
            return None


def _asked(meant: Meant) -> Iterator[Hashable]:
    match meant:
        case Match(email, names):
            yield from _values(email, *(names or (None, None)))
        case Criteria(_, first_name, last_name, email):
            yield from _values(email, first_name, last_name)


def _values(email: str | None, first_name: str | None, last_name: str | None) -> Iterator[Hashable]:
    """Both names together are what another says of both, or of one and leaves the other as it is."""
    if email:
        yield "email", email_key(email)
    if first_name and last_name:
        yield "names", name_key(first_name), name_key(last_name)
        yield "only first", name_key(first_name)
        yield "only last", name_key(last_name)
    elif first_name:
        yield "first", name_key(first_name)
    elif last_name:
        yield "last", name_key(last_name)


def _said(email: str | None, first_name: str | None, last_name: str | None) -> Iterator[Hashable]:
    if email:
        yield "email", email_key(email)
    if first_name:
        yield "first", name_key(first_name)
    if last_name:
        yield "last", name_key(last_name)
    if first_name is not None and last_name is not None:
        yield "names", name_key(first_name), name_key(last_name)
    elif first_name:
        yield "only first", name_key(first_name)
    elif last_name:
        yield "only last", name_key(last_name)


def _same(meant: Meant) -> Iterator[Hashable]:
    match meant:
        case Match(email, names):
            yield from (each for each in (email_key(email), names) if each)
        case Criteria():
            yield meant


def _worded(criteria: Criteria) -> str:
    said = {
        "contact_id": criteria.contact_no,
        "firstname": criteria.first_name,
        "lastname": criteria.last_name,
        "email": criteria.email,
    }
    return " and ".join(f"{name} {shown(str(value))}" for name, value in said.items() if value is not None)
