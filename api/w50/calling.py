"""One request of a principal, as the calls get it."""

from dataclasses import dataclass

from aiohttp import web

from api import reading
from api.dialects import Services
from api.w50 import media
from api.w50.media import Media
from engine.database import Database
from engine.errors import Invalid, NotFound
from engine.principals import Principal
from engine.sets.catalog import NamedSet

#: The largest number that any list or job can have.
LARGEST = 2**31 - 1


@dataclass(frozen=True, slots=True)
class Call:
    """A request. contact_list: the list that its path names, if it names one."""

    request: web.Request
    principal: Principal
    services: Services
    names: dict[str, str]
    contact_list: NamedSet | None = None

    @property
    def db(self) -> Database:
        return self.services.db

    @property
    def account_id(self) -> int:
        return self.principal.account_id

    @property
    def list_of_path(self) -> NamedSet:
        assert self.contact_list is not None, "the path names no list"
        return self.contact_list

    async def body(self, most: int) -> tuple[Media, bytes]:
        """The body and what it is written in. Raises Invalid, and BodyTooLong for more than `most` bytes."""
        written_in = media.of_body(self.request)
        return written_in, await reading.at_most(self.request, most)

    def listed(self, name: str) -> list[str]:
        """The items of a query's comma list, whatever the case of its name; each once (contract w50.md 4)."""
        given = (value for key, value in self.request.query.items() if key.lower() == name)
        items = (item.strip() for value in given for item in value.split(","))
        return list({item.lower(): item for item in items if item}.values())


def number(text: str, what: str) -> int:
    """A number in the path. Raises Invalid when it is none, and NotFound for one that nothing has (contract 9)."""
    digits = text.removeprefix("-").removeprefix("+")
    if not (digits.isascii() and digits.isdigit()):
        raise Invalid(f"{what} must be an integer.")
    if text.startswith("-") or len(digits) > len(str(LARGEST)) or not 0 < int(digits) <= LARGEST:
        raise NotFound(f"There is no such {what}.")
    return int(digits)
