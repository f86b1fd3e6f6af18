"""Long results hold nobody up (contract convio.md 9)."""

import threading
from collections.abc import Iterator
from typing import Any, cast

import pytest
from aiohttp.test_utils import make_mocked_request

from api.convio.calling import GET_OR_POST, Open, Visit
from api.convio.parameters import Parameters
from api.convio.results import Members
from api.convio.servlets import LONG_MEMBERS, Servlet
from api.dialects import Services
from engine.organizations import Digest, Organization

SITE = Organization(1, "site", ("K",), frozenset(), "secret", Digest.MD5, ())


class Noting(list[Any]):
    """Members that note which threads go through all of them."""

    readers: set[threading.Thread]

    def __iter__(self) -> Iterator[Any]:
        yield from super().__iter__()
        self.readers.add(threading.current_thread())


@pytest.mark.parametrize("format_", ["xml", "json"])
@pytest.mark.parametrize(("length", "beside"), [(LONG_MEMBERS, False), (LONG_MEMBERS + 1, True)])
@pytest.mark.parametrize("within", [False, True])
async def test_long_results_are_written_beside_the_event_loop(
    format_: str, length: int, beside: bool, within: bool
) -> None:
    members = Noting([("contactId", number) for number in range(length - within)])
    members.readers = set()

    async def handler(_visit: Visit) -> Members:
        return [("contact", members)] if within else members

    servlet = Servlet(cast(Services, None), cast(Any, None), [Open("getContacts", GET_OR_POST, handler)])
    asked = Parameters({"api_key": "K", "v": "1.0", "method": "getContacts", "response_format": format_})
    response = await servlet._answer(make_mocked_request("GET", "/"), asked, SITE, "/")
    assert response.status == 200
    assert (threading.current_thread() not in members.readers) is beside
    assert members.readers
