"""The fields of a list as requests name them, and their values (contract w50.md 2.2, 4)."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass

from api.w50.calling import Call
from api.w50.refusals import insist_on_none
from api.w50.values import Scalar, day_of, text_of
from engine import fields, hooks
from engine.contacts import field_values
from engine.contacts.changes import Changes
from engine.contacts.record import Row
from engine.database import Transaction
from engine.errors import Invalid
from engine.fields import Field
from engine.sets.catalog import NamedSet, name_key

#: Custom events of one call (contract 10).
MOST_EVENTS = 20


@dataclass(frozen=True, slots=True)
class Schema:
    """The fields of a list."""

    contact_list: NamedSet
    fields: Sequence[Field]
    by_key: Mapping[str, Field]

    def find(self, name: str) -> Field | None:
        """The field with this name, whatever its case."""
        return self.by_key.get(fields.key_of(name))

    def unknown(self, name: str) -> str:
        """What is said of a name that no field has."""
        return f"Field '{name[:100]}' does not exist in contact list {self.contact_list.set_no}."

    def named(self, names: Iterable[str]) -> list[Field]:
        """The fields with these names, each once. Raises Invalid."""
        found = {name: self.find(name) for name in names}
        insist_on_none([self.unknown(name) for name, field in found.items() if field is None])
        return list(dict.fromkeys(field for field in found.values() if field is not None))

    def checked(self, values: Mapping[str, Scalar]) -> dict[Field, str | None]:
        """The values of fields as they are stored; None clears. Raises Invalid with all that is wrong."""
        checked, problems = dict[Field, str | None](), list[str]()
        for name, value in values.items():
            field = self.find(name)
            if field is None:
                problems.append(self.unknown(name))
                continue
            try:
                checked[field] = fitting(field, value)
            except Invalid as error:
                problems.append(error.message)
        insist_on_none(problems)
        return checked

    def new(self, values: Mapping[Field, str | None]) -> Changes:
        """What these values say of a new contact, which joins the list."""
        return field_values.of_new_member(self.contact_list.set_no, self.fields, values)

    def shown(self, row: Row) -> dict[str, Scalar]:
        """The contact's values of all fields that are set."""
        values = {field.label: field_values.stored(row, field) for field in self.fields}
        return {name: value for name, value in values.items() if value is not None}


async def read(tx: Transaction, contact_list: NamedSet) -> Schema:
    """The schema of a list."""
    found = await fields.of_list(tx, contact_list.set_no)
    return Schema(contact_list, found, {fields.key_of(field.label): field for field in found})


async def events(tx: Transaction, call: Call) -> tuple[int, ...]:
    """The hooks of the custom events that are asked for, in their order. Raises Invalid (contract 6)."""
    names = call.listed("customevents")
    if len(names) > MOST_EVENTS:
        raise Invalid(f"At most {MOST_EVENTS} custom events can be run.")
    found = await hooks.by_names(tx, [name for name in names if "\0" not in name]) if names else {}
    insist_on_none([f"Custom event '{name[:100]}' does not exist." for name in names if name_key(name) not in found])
    return tuple(found[name_key(name)].hook_no for name in names)


def fitting(field: Field, value: Scalar) -> str | None:
    """The value as it is stored; blanks, and commas without choices, clear a field as nothing does. Raises Invalid."""
    text = text_of(value)
    if text is None or not text.strip():
        return None
    return field_values.fitting(field, day_of(text) if field_values.type_of(field) == "date" else text) or None
