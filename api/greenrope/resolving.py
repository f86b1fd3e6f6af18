"""What the names and numbers in contacts of a request stand for, looked up for all contacts of an account at once
(contract greenrope.md 3.1 to 3.4).
"""

from collections.abc import Collection, Iterable, Mapping, Sequence
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
    """What there is in an account of all that its contacts name. groups, tags and companies are by their name keys."""

    groups: Mapping[str, NamedSet]
    tags: Mapping[str, NamedSet]
    companies: Mapping[str, NamedSet]
    numbered_companies: Mapping[int, NamedSet]
    fields: Sequence[Field]
    workflows: Collection[int]

    def groups_named(self, names: Iterable[str]) -> frozenset[int]:
        """Raises UnknownGroup."""
        for name in names:
            if name_key(name) not in self.groups:
                raise UnknownGroup(f"Group {shown(name)} does not exist")
        return frozenset(self.groups[name_key(name)].set_no for name in names)

    def tags_named(self, names: Iterable[str]) -> frozenset[int]:
        """Those that were not there have been made. Raises Invalid when the account may not have so many."""
        for name in names:
            if name_key(name) not in self.tags:
                raise Invalid(f"Tag {shown(name)} does not exist, and the account has as many as it may have")
        return frozenset(self.tags[name_key(name)].set_no for name in names)

    def company(self, number: int) -> NamedSet:
        """Raises UnknownCompany."""
        if number not in self.numbered_companies:
            raise UnknownCompany(f"Company {number} does not exist")
        return self.numbered_companies[number]

    def linked(self, links: Iterable[CompanyLink]) -> frozenset[int]:
        """The companies that are to be linked; those of unknown names have been made. Raises UnknownCompany."""
        added = [link for link in links if not link.removed]
        by_number = {self.company(link.number).set_no for link in added if link.number is not None}
        return frozenset(by_number | {self.companies[name_key(link.name)].set_no for link in added if link.name})

    def unlinked(self, links: Iterable[CompanyLink]) -> frozenset[int]:
        """The companies that are to be unlinked; a link to one that is not there is not there."""
        removed = [link for link in links if link.removed]
        keys = {name_key(link.name) for link in removed} & self.companies.keys()
        by_name = {self.companies[key].set_no for key in keys}
        by_number = {link.number for link in removed if link.number is not None} & self.numbered_companies.keys()
        return frozenset(by_name | by_number)

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
    """Looks up all that contacts name. Tags and companies that are named and are not there are made, but no tags if the
    account would have more than `most_tags`.
    """
    said_companies = {contact.texts["Company"] for contact in contacts if contact.texts.get("Company")}
    linked = [link for contact in contacts for link in contact.companies if link.number is None]
    async with db.account(account_id) as tx:
        groups = await catalog.by_names(tx, SetKind.LIST, _groups(contacts))
        companies = await catalog.by_names(tx, SetKind.COMPANY, [link.name for link in linked if link.removed])
        numbered = await catalog.by_numbers(tx, SetKind.COMPANY, _companies(contacts))
        known_fields = await fields.with_values(tx) if any(contact.fields for contact in contacts) else ()
        workflows = await _workflows(tx, contacts)
    tags = await _made(db, account_id, SetKind.TAG, {tag for contact in contacts for tag in contact.tags}, most_tags)
    joined = {link.name for link in linked if not link.removed}
    companies |= await _made(db, account_id, SetKind.COMPANY, said_companies | joined)
    return Known(groups, tags, companies, numbered, known_fields, workflows)


def _groups(contacts: Sequence[Submitted]) -> set[str]:
    names = {name for contact in contacts if contact.groups for name in contact.groups.names}
    return names.union(*(contact.removed_groups for contact in contacts))


def _companies(contacts: Sequence[Submitted]) -> set[int]:
    linked = {link.number for contact in contacts for link in contact.companies if link.number is not None}
    return linked | {contact.company_number for contact in contacts if contact.company_number is not None}


async def _workflows(tx: Transaction, contacts: Sequence[Submitted]) -> Collection[int]:
    asked = {contact.workflow for contact in contacts if contact.workflow is not None}
    possible = {number for number in asked if number <= LARGEST_SET_NO}
    return (await hooks.by_numbers(tx, possible)).keys() if possible else ()


async def _made(
    db: Database, account_id: int, kind: SetKind, names: Collection[str], most: int | None = None
) -> dict[str, NamedSet]:
    """Those that there are now."""
    if not names:
        return {}
    if len(names) > MOST_NAMES:
        raise Invalid(f"a request has at most {MOST_NAMES:,} different tags, and as many companies")
    try:
        async with db.account(account_id) as tx:
            return await catalog.find_or_create(tx, kind, sorted(names), most=most)
    except Invalid:
        async with db.account(account_id) as tx:
            return await catalog.by_names(tx, kind, names)
