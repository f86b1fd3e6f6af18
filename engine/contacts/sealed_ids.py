"""Ids of contacts that tell nothing and cannot be guessed: the public id, enciphered with the account's secret.

The same contact always has the same one, and nothing is stored. Any 32 digits decipher to some id, so whoever opens one
looks whether there is such a contact.
"""

import hashlib
import hmac
import re
from uuid import UUID

from cryptography.hazmat.primitives.ciphers import Cipher
from cryptography.hazmat.primitives.ciphers.algorithms import AES
from cryptography.hazmat.primitives.ciphers.modes import ECB

from engine.accounts import Secret

#: What the key is for, so that no other one made with the secret is the same.
PURPOSE = b"ids of contacts\0"

_SEALED = re.compile(r"[0-9a-f]{32}", re.IGNORECASE | re.ASCII)


def sealed(secret: Secret, contact_id: UUID) -> str:
    """32 lower-case hexadecimal digits."""
    encryptor = _cipher(secret).encryptor()
    return (encryptor.update(contact_id.bytes) + encryptor.finalize()).hex()


def opened(secret: Secret, text: str) -> UUID | None:
    """The public id that `sealed` made this of; None when it did not."""
    if not _SEALED.fullmatch(text):
        return None
    decryptor = _cipher(secret).decryptor()
    return UUID(bytes=decryptor.update(bytes.fromhex(text)) + decryptor.finalize())


def _cipher(secret: Secret) -> Cipher[ECB]:
    """An id is exactly one block, and no two are the same: nothing would be gained by a mode that chains blocks."""
    return Cipher(AES(hmac.digest(secret.key, PURPOSE, hashlib.sha256)), ECB())  # noqa: S305
