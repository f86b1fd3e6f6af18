"""What can be wrong with a row of an import. A wrong row is counted and reported, and ends nothing."""

from enum import StrEnum
from typing import NamedTuple

#: A message quotes no more characters of a cell than this: an e-mail that fits an import is whole.
QUOTED_CHARACTERS = 50


class Code(StrEnum):
    """The stable codes of row errors."""

    MISSING_EMAIL = "missing_email"
    MISSING_NAME_AND_EMAIL = "missing_name_and_email"
    MALFORMED_EMAIL = "malformed_email"
    MALFORMED_BIRTHDAY = "malformed_birthday"
    MALFORMED_ANNIVERSARY = "malformed_anniversary"
    MALFORMED_DATE = "malformed_date"
    MALFORMED_VALUE = "malformed_value"
    PHONE_TOO_LONG = "phone_too_long"
    MALFORMED_SMS_NUMBER = "malformed_sms_number"
    MALFORMED_SMS_CONSENT_DATE = "malformed_sms_consent_date"
    TOO_LONG = "too_long"
    TOO_MANY_PHONES = "too_many_phones"
    TOO_MANY_CUSTOM_FIELDS = "too_many_custom_fields"
    NOT_TEXT = "not_text"
    NUL_CHARACTER = "nul_character"
    NOT_UTF8 = "not_utf8"
    WRONG_NUMBER_OF_CELLS = "wrong_number_of_cells"
    MALFORMED_QUOTES = "malformed_quotes"
    UNCLOSED_QUOTE = "unclosed_quote"
    TOO_LARGE = "too_large"
    MALFORMED_JSON = "malformed_json"


#: What somebody can correct in the row and import again (contract v3.md 3.2.4, `correctable_count`).
CORRECTABLE = frozenset(
    {
        Code.MISSING_EMAIL,
        Code.MISSING_NAME_AND_EMAIL,
        Code.MALFORMED_EMAIL,
        Code.MALFORMED_BIRTHDAY,
        Code.MALFORMED_ANNIVERSARY,
        Code.MALFORMED_DATE,
        Code.MALFORMED_VALUE,
        Code.PHONE_TOO_LONG,
        Code.MALFORMED_SMS_NUMBER,
        Code.MALFORMED_SMS_CONSENT_DATE,
    }
)


class Problem(NamedTuple):
    """One thing that is wrong with a row; `text` says what would be right."""

    code: Code
    text: str


class Unreadable(Exception):
    """What should be a row cannot be taken apart into cells."""

    def __init__(self, code: Code, text: str) -> None:
        super().__init__(text)
        self.problem = Problem(code, text)


class RowError(NamedTuple):
    """A row that was not imported. `line` is its place in the file, `item` its e-mail or ""."""

    line: int
    code: str
    message: str
    correctable: bool
    item: str


def row_error(line: int, place: str, problems: list[Problem], item: str) -> RowError:
    """One error for all that is wrong with a row; it bears the code of the worst."""
    worst = next((problem for problem in problems if problem.code not in CORRECTABLE), problems[0])
    message = f"{place}: " + "; ".join(problem.text for problem in problems)
    return RowError(line, worst.code.value, message, worst.code in CORRECTABLE, item)


def quoted(cell: str) -> str:
    """A cell as a message may show it: short, and without characters that do not show."""
    shown = cell if len(cell) <= QUOTED_CHARACTERS else cell[:QUOTED_CHARACTERS] + "…"
    return shown if shown.isprintable() else ascii(shown)[1:-1]
