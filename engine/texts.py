"""What texts a database can hold."""


def can_be_stored(text: str) -> bool:
    """Whether PostgreSQL can hold the text: it has no NUL, and no half of a surrogate pair."""
    try:
        return b"\0" not in text.encode()
    except UnicodeEncodeError:
        return False
