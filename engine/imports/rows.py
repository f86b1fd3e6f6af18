"""Checking the rows of an import, and gathering them into batches for the database.

A file row ends up as exactly one of: a staged row, a part of a staged row (rows of one batch with one e-mail
are merged), or a row error. A successor that goes on from a batch's position reads what an uninterrupted
reader would.
"""

import json
from collections import defaultdict
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from typing import Any, Final, cast

from engine import fields
from engine.contacts import sms
from engine.contacts.record import CORE
from engine.days import parse_day
from engine.emails import email_key
from engine.errors import Invalid
from engine.fields import Field
from engine.imports.columns import NOWHERE, TEXTS, Columns
from engine.imports.lines import Lines, Position
from engine.imports.problems import Code, Problem, RowError, quoted, row_error
from engine.imports.values import BIRTHDAYS, birthday_fault, is_email

#: A staged row, as COPY takes it. A blank value is None and leaves the stored one alone. JSON texts:
#: custom_values {"<field_no>": value}, phone_numbers [{kind, phone_number}],
#: street_addresses [{kind, street, city, state, postal_code, country}] without the parts that are not given,
#: sms_channel {sms_address, dial_code, country_code, consent_date}, the last of them if it is given.
STAGING_COLUMNS = (
    "line",
    "email",
    "email_key",
    *CORE,
    "custom_values",
    "phone_numbers",
    "street_addresses",
    "sms_channel",
)
LINE: Final = 0
EMAIL: Final = 1
EMAIL_KEY: Final = 2
_FIRST_JSON: Final = -4

TEXT_CHARACTERS = 50
CUSTOM_CHARACTERS = 255
PHONE_CHARACTERS = 25
STREET_CHARACTERS = 255
SMS_CHARACTERS = 16
MOST_PHONES = 3

#: The codes of what is no day, by heading; under others it is a custom field's.
MALFORMED_DAYS = {"anniversary": Code.MALFORMED_ANNIVERSARY, "sms_consent_date": Code.MALFORMED_SMS_CONSENT_DATE}

#: A batch ends with the row that takes it past so many bytes of the file, if not with its size.
BATCH_BYTES = 4 << 20

Text = str | None
StagedRow = tuple[int, str, str, Text, Text, Text, Text, int | None, int | None, date | None, Text, Text, Text, Text]

#: The cells of a row by index; NOWHERE reads blank.
Cells = list[str] | defaultdict[int, str]
#: Line, cells, and what is already known to be wrong. No cells: a blank line, or none that could be read.
Record = tuple[int, Cells | None, list[Problem]]


@dataclass(frozen=True, slots=True)
class Batch:
    """Some rows of a file, in order, and the position after them.

    rows: to be staged, in the order of STAGING_COLUMNS, no two with one email_key.
    accepted: the file rows that `rows` stand for; more than there are `rows` when some were merged.
    errors: a file row each. So the batch read `accepted + len(errors)` file rows.
    merged_lines: by email_key, the lines of earlier rows that were merged into one of `rows`.
    noun: the word that messages have for a line.
    """

    rows: list[StagedRow]
    merged_lines: Mapping[str, Sequence[int]]
    noun: str
    accepted: int
    errors: list[RowError]
    position: Position


@dataclass(frozen=True, slots=True)
class Source:
    """A file being read: its records as they come, and the word that its messages have for a line."""

    lines: Lines
    records: Iterator[Record]
    columns: Columns
    noun: str


def gather(source: Source, size: int) -> Iterator[Batch]:
    """Batches of at most `size` file rows. A small one, even an empty one, need not be the last."""
    while True:
        before = source.lines.offset
        batch = _batch(source, size)
        if source.lines.offset == before:
            return
        yield batch


def merged(earlier: StagedRow, later: StagedRow) -> StagedRow:
    """One row for two of the same e-mail: what the later gives, and else what the earlier gave."""
    row: list[Any] = [old if new is None else new for old, new in zip(earlier, later, strict=True)]
    row[_FIRST_JSON:] = map(_merged_json, earlier[_FIRST_JSON:], later[_FIRST_JSON:])
    return cast("StagedRow", tuple(row))


def stage(columns: Columns, line: int, cells: Cells, problems: list[Problem]) -> StagedRow:
    """The row to be staged, unless something is added to `problems`."""
    email = cells[columns.email].strip()
    texts = [cells[index].strip() for index in columns.texts]
    if not is_email(email):
        problems.append(_email_problem(email, texts))
    if max(map(len, texts)) > TEXT_CHARACTERS:
        problems.extend(_long_texts(texts))
    first_name, last_name, job_title, company_name = texts
    month, day = _birthday(columns, cells, problems)
    return (
        line,
        email,
        email_key(email),
        first_name or None,
        last_name or None,
        job_title or None,
        company_name or None,
        month,
        day,
        _day("anniversary", cells[columns.anniversary].strip(), problems),
        _custom_values(columns, cells, problems) if columns.custom_fields else None,
        _phone_numbers(columns, cells, problems) if columns.phones else None,
        _street_addresses(columns, cells, problems) if columns.address_parts else None,
        _sms_channel(columns, cells, problems) if columns.sms_number != NOWHERE else None,
    )


def _batch(source: Source, size: int) -> Batch:
    lines, columns = source.lines, source.columns
    staged: dict[str, StagedRow] = {}
    merged_lines = defaultdict[str, list[int]](list)
    errors: list[RowError] = []
    accepted = 0
    end = lines.offset + BATCH_BYTES
    for line, cells, problems in source.records:
        row = None if cells is None else stage(columns, line, cells, problems)
        if problems:
            errors.append(_error(source, line, cells, problems))
        elif row is not None:
            accepted += 1
            earlier = staged.setdefault(row[EMAIL_KEY], row)
            if earlier is not row:
                merged_lines[row[EMAIL_KEY]].append(earlier[LINE])
                staged[row[EMAIL_KEY]] = merged(earlier, row)
        if accepted + len(errors) >= size or lines.offset >= end:
            break
    lines.rows += accepted + len(errors)
    return Batch(list(staged.values()), merged_lines, source.noun, accepted, errors, lines.position())


def _error(source: Source, line: int, cells: Cells | None, problems: list[Problem]) -> RowError:
    last = source.lines.number
    place = f"{source.noun} {line}" if last <= line else f"{source.noun}s {line} to {last}"
    item = "" if cells is None else quoted(cells[source.columns.email].strip())
    return row_error(line, place, problems, item)


def _merged_json(earlier: Text, later: Text) -> Text:
    if earlier is None or later is None:
        return earlier if later is None else later
    old, new = json.loads(earlier), json.loads(later)
    return json.dumps(old | new if isinstance(old, dict) else _merged_kinds(old, new))


def _merged_kinds(earlier: list[dict[str, str]], later: list[dict[str, str]]) -> list[dict[str, str]]:
    kinds: dict[str, dict[str, str]] = {}
    for entry in earlier + later:
        kinds[entry["kind"]] = kinds.get(entry["kind"], {}) | entry
    return list(kinds.values())


def _email_problem(email: str, texts: list[str]) -> Problem:
    if email:
        return Problem(Code.MALFORMED_EMAIL, f"email is {quoted(email)}; use an address as kim@example.org")
    if any(texts[:2]):
        return Problem(Code.MISSING_EMAIL, "email is blank; give one")
    return Problem(Code.MISSING_NAME_AND_EMAIL, "there is neither an e-mail nor a name; give an e-mail")


def _birthday(columns: Columns, cells: Cells, problems: list[Problem]) -> tuple[int | None, int | None]:
    month, day = cells[columns.birthday_month].strip(), cells[columns.birthday_day].strip()
    birthday = BIRTHDAYS.get((month, day))
    if birthday is not None:
        return birthday
    if month or day:
        problems.append(Problem(Code.MALFORMED_BIRTHDAY, birthday_fault(month, day)))
    return None, None


def _day(heading: str, text: str, problems: list[Problem]) -> date | None:
    if not text:
        return None
    try:
        return parse_day(text)
    except ValueError:
        fault = f"{heading} is {quoted(text)}; use a date as 2006-11-15 or 11/15/2006"
        problems.append(Problem(MALFORMED_DAYS.get(heading, Code.MALFORMED_DATE), fault))
        return None


def _long_texts(texts: list[str]) -> Iterator[Problem]:
    for heading, text in zip(TEXTS, texts, strict=True):
        yield from _too_long(heading, text, TEXT_CHARACTERS)


def _too_long(heading: str, text: str, most: int) -> Iterator[Problem]:
    if len(text) > most:
        yield Problem(Code.TOO_LONG, f"{heading} has {len(text):,} characters; use {most} at most")


def _custom_values(columns: Columns, cells: Cells, problems: list[Problem]) -> Text:
    values: dict[str, str] = {}
    for index, heading, field in columns.custom_fields:
        if text := cells[index].strip():
            problems.extend(_too_long(heading, text, CUSTOM_CHARACTERS))
            values[str(field.field_no)] = _custom_value(heading, field, text, problems)
    return json.dumps(values) if values else None


def _custom_value(heading: str, field: Field, text: str, problems: list[Problem]) -> str:
    """The value as it is stored; days as they were given (contract v3.md 2.4)."""
    if field.type == "date":
        _day(heading, text, problems)
        return text
    try:
        return fields.fitting(field, text)
    except Invalid as error:
        problems.append(Problem(Code.MALFORMED_VALUE, f"{heading} is {quoted(text)}; {error.message}"))
        return text


def _phone_numbers(columns: Columns, cells: Cells, problems: list[Problem]) -> Text:
    numbers: dict[str, str] = {}
    for index, kind in columns.phones:
        if text := cells[index].strip():
            numbers[kind] = text
    problems.extend(_phone_problems(numbers))
    return json.dumps([{"kind": kind, "phone_number": text} for kind, text in numbers.items()]) if numbers else None


def _phone_problems(numbers: dict[str, str]) -> Iterator[Problem]:
    for kind, text in numbers.items():
        if len(text) > PHONE_CHARACTERS:
            fault = f"the {kind} phone has {len(text):,} characters; use {PHONE_CHARACTERS} at most"
            yield Problem(Code.PHONE_TOO_LONG, fault)
    if len(numbers) > MOST_PHONES:
        yield Problem(Code.TOO_MANY_PHONES, f"there are {len(numbers)} phone numbers; give {MOST_PHONES} at most")


def _street_addresses(columns: Columns, cells: Cells, problems: list[Problem]) -> Text:
    addresses: dict[str, dict[str, str]] = {}
    for index, kind, part in columns.address_parts:
        if text := cells[index].strip():
            addresses.setdefault(kind, {"kind": kind})[part] = text
    for address in addresses.values():
        problems.extend(_finish_address(address))
    return json.dumps(list(addresses.values())) if addresses else None


def _finish_address(address: dict[str, str]) -> Iterator[Problem]:
    """One street of the two lines of it; what is too long for its part."""
    if second := address.pop("street2", ""):
        address["street"] = " ".join(filter(None, (address.get("street"), second)))
    for part, text in address.items():
        most = STREET_CHARACTERS if part == "street" else TEXT_CHARACTERS
        yield from _too_long(f"the {address['kind']} {part}", text, most)


def _sms_channel(columns: Columns, cells: Cells, problems: list[Problem]) -> Text:
    """A date of consent without a number says nothing."""
    text = cells[columns.sms_number].strip()
    consent_date = _day("sms_consent_date", cells[columns.sms_consent_date].strip(), problems)
    if not text:
        return None
    try:
        channel = sms.number(text) if len(text) <= SMS_CHARACTERS else {}
    except ValueError:
        channel = {}
    if not channel:
        fault = f"sms_number is {quoted(text)}; use a number as +15055550100, of {SMS_CHARACTERS} characters at most"
        problems.append(Problem(Code.MALFORMED_SMS_NUMBER, fault))
    if consent_date:
        channel["consent_date"] = consent_date.isoformat()
    return json.dumps(channel)
