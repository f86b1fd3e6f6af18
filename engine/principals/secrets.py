"""Random texts that are shown once, and the hash that is kept of them."""

import hashlib
import secrets

#: Bytes of randomness in a secret.
SECRET_BYTES = 32
#: What every token begins with, so that a leaked one is recognised.
TOKEN_PREFIX = "muster_"  # noqa: S105 (not a secret)
#: What an id of a key looks like, as a regular expression.
KEY_ID = "MK[0-9A-F]{22}"


def new_token() -> str:
    """A token that nobody guesses."""
    return TOKEN_PREFIX + new_secret()


def new_secret() -> str:
    """43 characters of those that need no quoting in URLs."""
    return secrets.token_urlsafe(SECRET_BYTES)


def new_key_id() -> str:
    """24 characters, of which people can tell what they are."""
    return "MK" + secrets.token_hex(11).upper()


def hash_of(token: str) -> bytes:
    """What is stored of a token. It is random, so a fast hash will do."""
    return hashlib.sha256(token.encode(errors="surrogatepass")).digest()


def hint_of(token: str) -> str:
    """Its last characters, by which people know it."""
    return token[-4:]
