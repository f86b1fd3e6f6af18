"""What a request says of a contact, as the engine's changes (contract greenrope.md 3)."""

from collections.abc import Collection, Iterable, Mapping
from typing import Any

from api.greenrope.properties import ADDRESS, COLUMNS, PHONES, PROFILE
from api.greenrope.resolving import Known
from api.greenrope.submitted import Birthdate, Submitted
from engine.contacts.changes import UNSAID, Changes
from engine.sets.catalog import SetKind
from engine.sets.naming import SetName


def changes(said: Submitted, known: Known, before: Collection[int]) -> Changes:
    """What becomes of a contact who is in the groups `before`.

    Raises UnknownGroup, UnknownCompany, and UnknownField.
    """
    groups, replaced = (said.groups.names, said.groups.replaced) if said.groups else ((), False)
    joined, left = known.groups_named(groups), known.groups_named(said.removed_groups)
    after = (joined if replaced else joined.union(before)) - left
    added, removed = ([link for link in said.companies if link.removed is removed] for removed in (False, True))
    return Changes(
        columns=_columns(said, known),
        email=UNSAID if "Email" not in said.texts else said.texts["Email"] or None,
        profile=_said(said, PROFILE),
        phones=_said(said, PHONES),
        address=_said(said, ADDRESS),
        note=UNSAID if "Notes" not in said.texts else said.texts["Notes"] or None,
        custom_values={known.field(each, after).field_no: each.value or None for each in said.fields},
        joins=(frozenset() if replaced else joined) | known.numbered(added),
        leaves=left | ({link.number for link in removed if link.number is not None} & known.companies.keys()),
        joins_named=(*_named(SetKind.TAG, said.tags), *_named(SetKind.COMPANY, (link.name for link in added))),
        leaves_named=_named(SetKind.COMPANY, (link.name for link in removed)),
        makes=_named(SetKind.COMPANY, [said.texts.get("Company", "")]),
        only={SetKind.LIST: joined} if replaced else {},
    )


def is_unclear(said: Submitted, known: Known) -> bool:
    """Whether it depends on the contact's groups which fields are meant: names are unique within a group only."""
    return any(len(known.candidates(each)) > 1 for each in said.fields)


def _named(kind: SetKind, names: Iterable[str]) -> tuple[SetName, ...]:
    return tuple(SetName(kind, name) for name in names if name)


def _said(said: Submitted, names: Mapping[str, str]) -> dict[str, str | None]:
    return {there: said.texts[name] or None for name, there in names.items() if name in said.texts}


def _columns(said: Submitted, known: Known) -> dict[str, Any]:
    columns: dict[str, Any] = _said(said, COLUMNS)
    if said.company_number is not None:
        columns["company_name"] = known.company(said.company_number).name
    match said.birthdate:
        case Birthdate(year, month, day):
            columns |= {"birthday_year": year, "birthday_month": month, "birthday_day": day}
        case ():
            columns |= {"birthday_year": None, "birthday_month": None, "birthday_day": None}
    return columns
