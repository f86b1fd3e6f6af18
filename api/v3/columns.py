"""The columns of imports as the documentation tells them, from the engine's table (contract v3.md 3.8 and 3.9)."""

from api.dialects import Chapter
from api.docs.schemas import words
from api.v3.bodies import member
from engine.imports.columns import MOST_CUSTOM_FIELDS, documented
from engine.imports.rows import PHONE_CHARACTERS

WORDS = (
    "A CSV file begins with a line of headings; a row of JSON has members of the same names. They come in any order "
    "and any case. One that is not known is ignored, with a line in `activity_errors`. A blank value leaves what is "
    f"stored. A file, or a row of JSON, may name {MOST_CUSTOM_FIELDS} custom fields. A phone number of more than "
    f"{PHONE_CHARACTERS} characters is an error of its row."
)


def chapter() -> Chapter:
    """Headings that mean the same, and hold the same, share a row."""
    alike: dict[tuple[str, str], list[str]] = {}
    for heading, meaning in documented().items():
        alike.setdefault((meaning, words(member(heading))), []).append(f"`{heading}`")
    rows = [(", ".join(headings), holds, meaning) for (meaning, holds), headings in alike.items()]
    return Chapter("Import columns", WORDS, ("heading", "holds", "meaning"), rows)
