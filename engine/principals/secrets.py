"""Random texts that are shown once, and the hash that is kept of them."""

import hashlib
import secrets

#: Bytes of randomness in a secret.
SECRET_BYTES = 32
#: What every token begins with, so that a leaked one is recognised.
TOKEN_PREFIX = "muster_"  # noqa: S105 (not a secret)


def new_token() -> str:
    """A token that nobody guesses."""
    return TOKEN_PREFIX + new_secret()


def new_secret() -> str:
    """43 characters of those that need no quoting in URLs."""
    return secrets.token_urlsafe(SECRET_BYTES)


def new_key_id() -> str:
    """24 characters, of which people can tell that they are the id of a key."""
    return "MK" + secrets.token_hex(11).upper()


def hash_of(token: str) -> bytes:
    """What is stored of a token. It is random, so a fast hash will do."""
    return hashlib.sha256(token.encode(errors="surrogatepass")).digest()


def hint_of(token: str) -> str:
    """Its last characters, by which people know it."""
    return token[-4:]
