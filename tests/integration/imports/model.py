"""The truth of imports in plain Python: what rows do to contacts (contract v3.md 3.8 and 3.9).

Rows are read as they stand in the file. A batch is so many rows of the file; within one, rows of the same e-mail count
as one contact, and what the later row says wins.
"""

import csv
import io
from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any

TEXTS = ("first_name", "last_name", "job_title", "company_name")
PHONES = {"phone": "other", "home_phone": "home", "work_phone": "work", "mobile_phone": "mobile"}
ADDRESSES = {"street": ("home", "street"), "city": ("home", "city"), "work_city": ("work", "city")}
CUSTOM = {"cf:color": "1", "cf:size": "2"}
HEADINGS = ("email", *TEXTS, "birthday_month", "birthday_day", *PHONES, *ADDRESSES, *CUSTOM)

Row = Mapping[str, str]


@dataclass(frozen=True)
class Person:
    """A contact as it can be compared: without numbers, ids and times."""

    email: str
    permission: str = "implicit"
    deleted: bool = False
    texts: Mapping[str, str] = field(default_factory=dict)
    birthday: tuple[int, int] | None = None
    phones: Mapping[str, str] = field(default_factory=dict)
    addresses: Mapping[str, Mapping[str, str]] = field(default_factory=dict)
    custom: Mapping[str, str] = field(default_factory=dict)

    @property
    def is_active(self) -> bool:
        return not self.deleted and self.permission in ("implicit", "explicit")


@dataclass
class Model:
    """The contacts of an account by e-mail, and those on the lists that are imported to."""

    people: dict[str, Person] = field(default_factory=dict)
    members: set[str] = field(default_factory=set)
    #: E-mails of contacts that were there before and that an import changed.
    changed: set[str] = field(default_factory=set)
    counts: Counter[str] = field(default_factory=Counter)
    joined: int = 0
    error_count: int = 0
    #: E-mails that the import spoke of.
    imported: set[str] = field(default_factory=set)

    def run(self, rows: Sequence[Row], batch_rows: int) -> None:
        """Imports the rows."""
        known = set(self.people)
        for first in range(0, len(rows), batch_rows):
            self._run_batch(rows[first : first + batch_rows])
        self.changed &= known
        self.counts["person_count"] = len(self.imported)

    def _run_batch(self, rows: Sequence[Row]) -> None:
        given: dict[str, Person] = {}
        rows_of = Counter[str]()
        for row in rows:
            if problem := problem_of(row):
                self.counts[problem] += 1
                self.error_count += 1
            else:
                person = person_of(row)
                key = person.email.lower()
                given[key] = merged(given[key], person) if key in given else person
                rows_of[key] += 1
        for key, person in given.items():
            self._import(key, person, rows_of[key])

    def _import(self, key: str, given: Person, rows: int) -> None:
        before = self.people.get(key)
        self.imported.add(key)
        if before is None:
            after = replace(given, phones=dict(list(given.phones.items())[:3]))
        else:
            after = imported(before, given)
            if after != before:
                self.changed.add(key)
        self.error_count += len({**(before.phones if before else {}), **given.phones}) > 3
        self.people[key] = after
        if after.permission == "unsubscribed":
            self.counts["cannot_add_to_list_count"] += rows
            self.error_count += rows
        else:
            self.joined += key not in self.members
            self.members.add(key)


def imported(before: Person, given: Person) -> Person:
    """A known contact after a row: only what is given changes; a deleted one is revived."""
    after = merged(before, given)
    after = replace(after, phones=dict(list(after.phones.items())[:3]))
    return replace(after, deleted=False, permission="implicit") if before.deleted else after


def merged(before: Person, given: Person) -> Person:
    kinds = {**before.addresses, **given.addresses}
    return replace(
        before,
        texts={**before.texts, **given.texts},
        birthday=given.birthday or before.birthday,
        phones={**before.phones, **given.phones},
        addresses={kind: {**before.addresses.get(kind, {}), **given.addresses.get(kind, {})} for kind in kinds},
        custom={**before.custom, **given.custom},
    )


def person_of(row: Row) -> Person:
    addresses: dict[str, dict[str, str]] = {}
    for heading, (kind, part) in ADDRESSES.items():
        if row.get(heading):
            addresses.setdefault(kind, {})[part] = row[heading]
    month, day = row.get("birthday_month"), row.get("birthday_day")
    return Person(
        email=row["email"].strip(),
        texts={name: row[name] for name in TEXTS if row.get(name)},
        birthday=(int(month), int(day)) if month and day else None,
        phones={kind: row[heading] for heading, kind in PHONES.items() if row.get(heading)},
        addresses=addresses,
        custom={number: row[heading] for heading, number in CUSTOM.items() if row.get(heading)},
    )


def problem_of(row: Row) -> str:
    """The counter of the row's error, if it has one. Knows only what the tests put into rows."""
    if any(len(row.get(name, "")) > 50 for name in TEXTS) or all(row.get(heading) for heading in PHONES):
        return "error_count"
    birthday = (row.get("birthday_month", ""), row.get("birthday_day", ""))
    is_birthday = birthday == ("", "") or (all(birthday) and int(birthday[0]) <= 12)
    return "" if "@" in row["email"] and is_birthday else "correctable_count"


def csv_text(rows: Iterable[Row]) -> str:
    text = io.StringIO()
    writer = csv.DictWriter(text, HEADINGS, restval="")
    writer.writeheader()
    writer.writerows(rows)
    return text.getvalue()


def person_from(row: Mapping[str, Any], loaded: Mapping[str, Any]) -> Person:
    """A stored contact. loaded: its JSON columns, read."""
    return Person(
        email=row["email"],
        permission=row["permission"],
        deleted=row["deleted_at"] is not None,
        texts={name: row[name] for name in TEXTS if row[name] is not None},
        birthday=row["birthday_month"] and (row["birthday_month"], row["birthday_day"]),
        phones={entry["kind"]: entry["phone_number"] for entry in loaded["phone_numbers"] or ()},
        addresses={
            entry["kind"]: {
                part: value
                for part, value in entry.items()
                if part in ("street", "city", "state", "postal_code", "country")
            }
            for entry in loaded["street_addresses"] or ()
        },
        custom=loaded["custom_values"] or {},
    )
