"""What texts a database can hold."""


def can_be_stored(text: str) -> bool:
    """Whether PostgreSQL can hold the text: it has no NUL, and no half of a surrogate pair."""
    return "\0" not in text and (text.isascii() or not any("\ud800" <= each <= "\udfff" for each in text))
