"""What the names and numbers in contacts of a request stand for, looked up for all contacts of an account at once
(contract greenrope.md 3.1 to 3.4).
"""

from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass

from api.greenrope.refusals import UnknownCompany, UnknownGroup, UnknownWorkflow
from api.greenrope.submitted import CompanyLink, FieldValue, Submitted
from api.greenrope.values import shown
from engine import fields, hooks
from engine.database import Database, Transaction
from engine.errors import Invalid, UnknownField
from engine.fields import Field
from engine.sets import catalog
from engine.sets.catalog import LARGEST_SET_NO, NamedSet, SetKind, name_key

#: Tags, and companies, that may be named in a request: those that are not there are made, 2,500 a second.
MOST_NAMES = 5000


@dataclass(frozen=True, slots=True)
class Known:
    """What there is in an account of what its contacts name, but tags and companies by name, which are made with them.

    groups: by their name keys; most: how many sets of a kind the account may have.
    """

    groups: Mapping[str, NamedSet]
    companies: Mapping[int, NamedSet]
    fields: Sequence[Field]
    workflows: Collection[int]
    most: Mapping[SetKind, int]

    def groups_named(self, names: Iterable[str]) -> frozenset[int]:
        """Raises UnknownGroup."""
        for name in names:
            if name_key(name) not in self.groups:
                raise UnknownGroup(f"Group {shown(name)} does not exist")
        return frozenset(self.groups[name_key(name)].set_no for name in names)

    def company(self, number: int) -> NamedSet:
        """Raises UnknownCompany."""
        if number not in self.companies:
            raise UnknownCompany(f"Company {number} does not exist")
        return self.companies[number]

    def numbered(self, links: Iterable[CompanyLink]) -> frozenset[int]:
        """The companies that links mean by number. Raises UnknownCompany."""
        return frozenset(self.company(link.number).set_no for link in links if link.number is not None)

    def workflow(self, number: int) -> int:
        """Raises UnknownWorkflow."""
        if number not in self.workflows:
            raise UnknownWorkflow(f"Workflow {number} does not exist")
        return number

    def candidates(self, value: FieldValue) -> Sequence[Field]:
        """The fields that may be meant, those of everybody last."""
        if value.number is not None:
            return [field for field in self.fields if field.field_no == value.number]
        key = fields.key_of(value.name)
        found = [field for field in self.fields if fields.key_of(field.label) == key]
        return sorted(found, key=lambda field: (field.set_no is None, field.field_no))

    def field(self, value: FieldValue, groups: Collection[int]) -> Field:
        """Of those that may be meant that of the contact's groups, else that of everybody, else any, which then is
        refused. Raises UnknownField.
        """
        found = self.candidates(value)
        if not found:
            which = shown(value.name) if value.number is None else value.number
            raise UnknownField(f"User-defined field {which} does not exist")
        return next((field for field in found if field.set_no is None or field.set_no in groups), found[0])


async def known(db: Database, account_id: int, contacts: Sequence[Submitted], *, most_tags: int | None) -> Known:
    """Looks up all that contacts name, but what is made with them. Raises Invalid when that is too much."""
    for names in ({tag for contact in contacts for tag in contact.tags}, set(_companies_by_name(contacts))):
        if len(names) > MOST_NAMES:
            raise Invalid(f"a request has at most {MOST_NAMES:,} different tags, and as many companies")
    async with db.account(account_id) as tx:
        groups = await catalog.by_names(tx, SetKind.LIST, _groups(contacts))
        companies = await catalog.by_numbers(tx, SetKind.COMPANY, _companies(contacts))
        known_fields = await fields.with_values(tx) if any(contact.fields for contact in contacts) else ()
        workflows = await _workflows(tx, contacts)
    most = {} if most_tags is None else {SetKind.TAG: most_tags}
    return Known(groups, companies, known_fields, workflows, most)


def _groups(contacts: Sequence[Submitted]) -> set[str]:
    names = {name for contact in contacts if contact.groups for name in contact.groups.names}
    return names.union(*(contact.removed_groups for contact in contacts))


def _companies(contacts: Sequence[Submitted]) -> set[int]:
    linked = {link.number for contact in contacts for link in contact.companies if link.number is not None}
    return linked | {contact.company_number for contact in contacts if contact.company_number is not None}


def _companies_by_name(contacts: Sequence[Submitted]) -> Iterator[str]:
    for contact in contacts:
        yield from filter(None, [contact.texts.get("Company")])
        yield from (link.name for link in contact.companies if not link.removed)


async def _workflows(tx: Transaction, contacts: Sequence[Submitted]) -> Collection[int]:
    asked = {contact.workflow for contact in contacts if contact.workflow is not None}
    possible = {number for number in asked if number <= LARGEST_SET_NO}
    return (await hooks.by_numbers(tx, possible)).keys() if possible else ()
