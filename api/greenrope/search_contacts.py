"""SearchContacts: rules, filters, who is included, an order and a page (contract greenrope.md 6.1)."""

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from types import MappingProxyType
from typing import Final

from api.greenrope import contact_records, groups, rules, values
from api.greenrope.answers import SUCCESS, Listed, Record
from api.greenrope.calling import Call
from api.greenrope.rules import Vocabulary
from api.greenrope.values import child_text, shown, text_of
from api.xml import Element
from engine import fields
from engine.contacts import search, visibility
from engine.database import Transaction
from engine.errors import Invalid
from engine.marks import WHOLE_ACCOUNT, MarkKind
from engine.principals import Privilege
from engine.sets import catalog
from engine.sets.catalog import SetKind
from engine.sets.expressions import (
    EVERYBODY,
    NOBODY,
    Difference,
    Expression,
    Intersection,
    Marked,
    Members,
    Repeats,
    Union,
)
from engine.sets.ordering import By, SortKey
from engine.sets.system import UNSUBSCRIBED

#: Contacts on a page.
PAGE: Final = 100
#: Rules in a request, of which each may be a scan.
MOST_RULES: Final = 100

#: What can be sorted by: what rules speak of, but tags and user-defined fields.
SORT_KEYS: Mapping[str, SortKey] = MappingProxyType(
    {
        "ID": SortKey.CONTACT_NO,
        "Firstname": SortKey.FIRST_NAME,
        "Lastname": SortKey.LAST_NAME,
        "Email": SortKey.EMAIL,
        "Company": SortKey.COMPANY_NAME,
        "Title": SortKey.JOB_TITLE,
        "Phone": SortKey.OTHER_PHONE,
        "Mobile": SortKey.MOBILE,
        "City": SortKey.CITY,
        "State": SortKey.STATE,
        "Zip": SortKey.POSTAL_CODE,
        "Country": SortKey.COUNTRY,
        "ContactCreated": SortKey.CREATED_AT,
        "LastModified": SortKey.UPDATED_AT,
    }
)
DESCENDING: Mapping[str, bool] = MappingProxyType({"asc": False, "desc": True})
#: What becomes of several rules.
FILTERS: Mapping[str, Callable[[tuple[Expression, ...]], Expression]] = MappingProxyType(
    {"any": Union, "all": Intersection}
)


@dataclass(frozen=True, slots=True)
class Includes:
    """Which special contacts are kept (contract 6.1.2). Every member is an active one: there are no other states."""

    unsubscribers: bool
    bounced: bool
    complaints: bool
    duplicates: bool
    active: bool

    @classmethod
    def of(cls, element: Element | None) -> "Includes":
        return cls(
            _flag(element, "Unsubscribers", "N"),
            _flag(element, "BouncedContacts", "N"),
            _flag(element, "SpamComplaints", "N"),
            _flag(element, "DuplicateEmails", "N"),
            _flag(element, "ActiveMembers", "Y"),
        )

    def among(self, found: Expression, group_no: int | None) -> Expression:
        """Those of the contacts who are kept; group_no: the one group that is searched, whose marks count, too."""
        if not self.active:
            return NOBODY
        kept = Difference(found, Union(tuple(self._dropped(group_no))))
        return kept if self.duplicates else Difference(kept, Repeats(kept))

    def _dropped(self, group_no: int | None) -> Iterator[Expression]:
        if not self.unsubscribers:
            yield Members((UNSUBSCRIBED,))
        kinds = {
            MarkKind.UNSUBSCRIBED: self.unsubscribers,
            MarkKind.BOUNCED: self.bounced,
            MarkKind.COMPLAINED: self.complaints,
        }
        for set_no in (WHOLE_ACCOUNT, *(() if group_no is None else (group_no,))):
            yield from (Marked(kind, set_no) for kind, is_kept in kinds.items() if not is_kept)


@dataclass(frozen=True, slots=True)
class Scope:
    """Where it is looked: in these groups, or everywhere. Only one group has marks that count."""

    group_nos: tuple[int, ...] | None

    @property
    def one(self) -> int | None:
        return self.group_nos[0] if self.group_nos is not None and len(self.group_nos) == 1 else None

    def expression(self) -> Expression:
        return EVERYBODY if self.group_nos is None else Members(self.group_nos)


async def answer(call: Call) -> Record:
    """One page of those who are found, and how many they are."""
    principal, number = call.principal(Privilege.CONTACTS_READ), _page(call)
    scope, order = _scope(call), _order(call)
    async with call.db.account(principal.account_id) as tx:
        for group_no in scope.group_nos or ():
            await groups.numbered(tx, group_no)
        visible = await visibility.visible_to(tx, principal)
        found = Intersection((visible, scope.expression(), await _filtered(tx, call)))
        kept = Includes.of(call.root.find("Includes")).among(found, scope.one)
        total, contacts = await search.page(tx, kept, order, limit=PAGE, offset=(number - 1) * PAGE)
    told = [contact_records.found(each) for each in contacts]
    return Record((SUCCESS, ("TotalMatchingContacts", str(total)), ("Contacts", Listed("Contact", told))))


async def _filtered(tx: Transaction, call: Call) -> Expression:
    """Whom the rules mean; without any, everybody. Raises Invalid."""
    asked = call.root.findall("Rules/Rule")
    combined = values.one_of("Filter", (call.text("Filter") or "all").lower(), FILTERS)
    if len(asked) > MOST_RULES:
        raise Invalid(f"a request has at most {MOST_RULES} rules")
    if not asked:
        return EVERYBODY
    tags = await catalog.everyone_of(tx, SetKind.TAG) if any(map(rules.is_of_tags, asked)) else ()
    vocabulary = Vocabulary(await fields.with_values(tx), tags)
    return combined(tuple(rules.expression(rule, vocabulary) for rule in asked))


def _scope(call: Call) -> Scope:
    """Raises Invalid."""
    group_no = call.attributes.number("group_id")
    listed = [values.number("Group", text_of(each)) for each in call.root.iterfind("Groups/Group")]
    match (call.text("From") or "").lower() or _implied(group_no, listed):
        case "all":
            return Scope(None)
        case "multiple":
            return Scope(tuple(dict.fromkeys(listed or _one(group_no))))
        case "single":
            return Scope(_only(group_no, listed))
        case other:
            raise Invalid(f"From must be single, multiple or all: {shown(other)}")


def _implied(group_no: int | None, listed: Sequence[int]) -> str:
    if group_no is not None:
        return "single"
    return "multiple" if listed else "all"


def _one(group_no: int | None) -> tuple[int, ...]:
    if group_no is None:
        raise Invalid("it is not said which group is to be searched")
    return (group_no,)


def _only(group_no: int | None, listed: Sequence[int]) -> tuple[int, ...]:
    """The one group: the attribute, which Groups must not contradict, or else the one of Groups."""
    meant = set(listed) | ({group_no} if group_no is not None else set())
    if len(meant) != 1:
        raise Invalid("From single needs exactly one group")
    return tuple(meant)


def _order(call: Call) -> tuple[By, ...]:
    key = values.one_of("OrderBy", call.text("OrderBy") or "ID", SORT_KEYS)
    direction = (call.text("OrderDirection") or "asc").lower()
    return (By(key, values.one_of("OrderDirection", direction, DESCENDING)),)


def _page(call: Call) -> int:
    number = values.number("Page", call.text("Page") or "1")
    if number < 1:
        raise Invalid("Page must be 1 or more")
    return number


def _flag(element: Element | None, name: str, default: str) -> bool:
    said = (child_text(element, name) if element is not None else None) or default
    return said.upper() == "Y" or values.is_true(said)
