"""The columns of imports and exports as documented, from the engine's tables (contract v3.md 3.8 to 3.10, 3.15)."""

from api.dialects import Chapter
from api.docs.schemas import words
from api.v3.bodies import member
from engine.exports.columns import COLUMNS
from engine.imports.columns import ANY_CUSTOM_FIELD, MOST_CUSTOM_FIELDS, documented
from engine.imports.rows import PHONE_CHARACTERS

WORDS = (
    "A CSV file begins with a line of headings; a row of JSON has members of the same names. They come in any order "
    "and any case. One that is not known is ignored, with a line in `activity_errors`. A blank value leaves what is "
    f"stored. A file, or a row of JSON, may name {MOST_CUSTOM_FIELDS} custom fields. A phone number of more than "
    f"{PHONE_CHARACTERS} characters is an error of its row. `items_total_count` of a CSV file counts its line of "
    "headings, too."
)


EXPORTED = (
    "What is in the columns of an exported file, by the name of the field, which is the heading too. After all fields "
    f"comes `{ANY_CUSTOM_FIELD}` for each custom field. What says something of an e-mail address is empty without one."
)


def imports() -> Chapter:
    """Headings that mean the same, and hold the same, share a row."""
    alike: dict[tuple[str, str], list[str]] = {}
    for heading, meaning in documented().items():
        alike.setdefault((meaning, words(member(heading))), []).append(f"`{heading}`")
    rows = [(", ".join(headings), holds, meaning) for (meaning, holds), headings in alike.items()]
    return Chapter("Import columns", WORDS, ("heading", "holds", "meaning"), rows)


def exports() -> Chapter:
    """Fields that mean the same share a row."""
    alike: dict[str, list[str]] = {}
    for field, column in COLUMNS.items():
        alike.setdefault(column.meaning, []).append(f"`{field}`")
    return Chapter("Export columns", EXPORTED, ("field", "holds"), [(", ".join(f), m) for m, f in alike.items()])
