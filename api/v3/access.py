"""Who may use a route, and which refusals the contract documents for it (v3.md 2.0 and 3.1)."""

from http import HTTPStatus

from engine.principals import Privilege

READ = (Privilege.CONTACTS_READ,)
WRITE = (Privilege.CONTACTS_WRITE,)
READ_LISTS = (Privilege.LISTS_READ,)
WRITE_LISTS = (Privilege.LISTS_WRITE,)
ADMINISTER = (Privilege.ADMINISTER,)
#: The contract's sources differ on tags (v3.md 5, 16): either will do.
READ_TAGS = (Privilege.CONTACTS_READ, Privilege.LISTS_READ)

NO_404 = frozenset({HTTPStatus.BAD_REQUEST})
NOT_FOUND = frozenset({HTTPStatus.NOT_FOUND})
WITH_404 = NO_404 | NOT_FOUND
NO_404_409 = NO_404 | {HTTPStatus.CONFLICT}
WITH_404_409 = WITH_404 | {HTTPStatus.CONFLICT}
