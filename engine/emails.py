"""What e-mail addresses may look like, and what makes two of them one.

How long they may be differs from place to place (contract v3.md 5, 35).
"""

import re

# Possessive throughout: a character is never looked at twice. What does not print is refused beside it.
_NAME = r'[^@\s<>()\[\],;:"\\]++'
_LABEL = r'[^@\s<>()\[\],;:"\\.]++'
_EMAIL = re.compile(rf"{_NAME}@{_LABEL}(?:\.{_LABEL})*+")


def is_email(text: str) -> bool:
    """Whether mail could be sent to the address: one @, a name and a domain without blanks or empty labels.

    Letters of any script are fine, and so is a domain of one label.
    """
    return _EMAIL.fullmatch(text) is not None and text.isprintable()


def email_key(email: str) -> str:
    """What makes two addresses one: trimmed, lower case. The one rule for it."""
    return email.strip().lower()
