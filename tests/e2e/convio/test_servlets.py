"""What all methods have in common: where, how and in which order a request is checked (contract convio.md)."""

import asyncio
import json
import re
from hashlib import md5, sha1
from urllib.parse import urlencode

import pytest

from engine import organizations, principals
from engine.database import Database
from engine.organizations import Details, Digest
from tests.e2e.convio.book import Book, refusal
from tests.e2e.convio.conftest import Served
from tests.integration.conftest import NewDesk

THANKS = "https://www.example.org/thanks?group=123#top"
SORRY = "https://www.example.org/sorry"


@pytest.mark.parametrize("verb", ["GET", "POST"])
async def test_where_the_servlet_is(book: Book, verb: str) -> None:
    """Contract 1: under the site's path whatever its case, and under none, where the key says which site it is."""
    parameters = {**book.common, "method": "getAddressBookGroups"}
    for path in (book.path, book.path.replace("site-", "SITE-"), "/site/CRAddressBookAPI"):
        for suffix in ("", ";jsessionid=5B1E0C.app1", ";app1", ";"):
            answer = await book.send(verb, path + suffix, parameters)
            assert answer.status == 200, answer.content


async def test_query_and_form(book: Book) -> None:
    """Contract 1: both are read, and the body wins; names are case-sensitive, unknown ones are ignored."""
    group = await book.group()
    query = {"method": "getAddressBookGroups", "response_format": "json", "timestamp": "1", "METHOD": "x"}
    form = {**book.common, "method": "addContactsToGroup", "group_id": str(group), "Group_Id": "999"}
    answer = await book.send("POST", f"{book.path}?{urlencode(query)}", form)
    assert list(json.loads(answer.content)) == ["addContactsToGroupResponse"]


async def test_other_bodies_hold_no_parameters(book: Book) -> None:
    """Contract 1."""
    parameters = {**book.common, "method": "getAddressBookGroups"}
    front = book.front.as_(None)
    refusal(await front.request("POST", book.path, json=parameters), 2)
    answer = await front.request("POST", f"{book.path}?{urlencode(parameters)}", json={"method": "x"})
    assert answer.status == 200


async def test_the_order_of_checks(book: Book) -> None:
    """Contract 3: key, method, verb, token; each is told only if those before are right."""
    every = {"api_key": "wrong", "method": "wrong", "v": "2.0"}
    for path in (book.path, "/site/CRAddressBookAPI", "/nowhere/site/CRAddressBookAPI"):
        refusal(await book.send("GET", path, every), 2)
        refusal(await book.send("PUT", path, every), 2)
    every["api_key"] = book.common["api_key"]
    refusal(await book.send("PUT", f"{book.path}?{urlencode(every)}", {}), 6)
    every["method"] = "updateAddressBookGroup"
    answer = await book.send("GET", book.path, every)
    refusal(answer, 405)
    assert (answer.status, answer.headers["Allow"]) == (405, "POST")
    answer = await book.send("POST", book.path, every)
    assert "2.0" in refusal(answer, 1)
    every["v"] = "1.0"
    refusal(await book.send("POST", book.path, every), 5)
    every["auth"] = "wrong"
    refusal(await book.send("POST", book.path, every), 3)
    every["sso_auth_token"] = "wrong"
    refusal(await book.send("POST", book.path, every), 7)
    every["sso_auth_token"] = book.common["sso_auth_token"]
    refusal(await book.send("POST", book.path, every), 902)


async def test_unknown_methods(book: Book) -> None:
    """Contract 3, 5: also those that are not done here, and those of other servlets."""
    for method in ("", "getaddressbookgroups", "parseCsvContacts", "startOnlineAddressBookImport", "login", "x" * 3000):
        await book.refused(method, 6)


async def test_other_verbs(book: Book) -> None:
    """Contract 3: 405, with the verbs that there are."""
    query = urlencode({**book.common, "method": "addContactsToGroup"})
    for verb in ("PUT", "DELETE", "PATCH", "OPTIONS"):
        answer = await book.send(verb, f"{book.path}?{query}", {})
        refusal(answer, 405)
        assert (answer.status, answer.headers["Allow"]) == (405, "GET, POST")


async def test_the_rotation_key(book: Book) -> None:
    """Contract 2: a site may have a second key, and no key is good for another site."""
    await book.with_(api_key=book.site.api_keys[1]).call("getAddressBookGroups")
    other = await organizations.create(book.front.desk.db, f"other-{book.site.organization_id}")
    await book.with_(api_key=other.api_keys[0]).refused("getAddressBookGroups", 2)
    parameters = {**book.common, "method": "getAddressBookGroups"}
    refusal(await book.send("GET", "/nowhere/site/CRAddressBookAPI", parameters), 2)


async def test_a_token_of_another_site(book: Book, new_desk: NewDesk) -> None:
    """Contract 3: whose account is in no site, or in another, has no address book here."""
    desk = book.front.desk
    other = await organizations.create(desk.db, f"other-{desk.account_id}")
    await organizations.add_account(desk.db, other.organization_id, desk.account_id)
    await book.refused("getAddressBookGroups", 7)


async def test_where_requests_come_from(book: Book) -> None:
    """Contract 3, 7: 4, once it is known who asks; also where nobody need be known."""
    desk, number = book.front.desk, book.site.organization_id
    await organizations.change(desk.db, number, Details(networks=("192.0.2.0/24",)))
    await book.refused("getAddressBookGroups", 4)
    await book.with_(sso_auth_token="wrong").refused("getAddressBookGroups", 7)
    refusal(await book.answer("getLoginUrl", servlet="CRConsAPI"), 4)
    await organizations.change(desk.db, number, Details(networks=("192.0.2.0/24", "127.0.0.0/8", "::1/128")))
    await book.call("getAddressBookGroups")


async def test_versions(book: Book) -> None:
    """Contract 2: 1, naming the version."""
    for v in ("2.0", "1", "", "1.0.0"):
        assert v in await book.with_(v=v).refused("getAddressBookGroups", 1)
    await book.with_(v=None).refused("getAddressBookGroups", 1)


async def test_common_parameters_that_are_wrong(book: Book) -> None:
    """Contract 2; in XML if it is the format."""
    for name, value in (
        ("suppress_response_codes", "maybe"),
        ("sign_redirects", "maybe"),
        ("center_id", "-1"),
        ("center_id", "x"),
    ):
        await book.refused("getAddressBookGroups", 902, **{name: value})
    refusal(await book.answer("getAddressBookGroups", response_format="yaml"), 902)


async def test_common_parameters_that_change_nothing(book: Book) -> None:
    """Contract 2."""
    ignored = {"center_id": "1001", "source": "PC2", "sub_source": "x", "JSESSIONID": "5B1E0C.app1", "remember_me": "x"}
    assert await book.call("getAddressBookGroups", suppress_response_codes="", **ignored) == {}


async def test_response_codes_suppressed(book: Book) -> None:
    """Contract 2, 7: every answer is 200, whatever is wrong."""
    for code, verb, value, changes in (
        (2, "POST", "true", {"api_key": "wrong"}),
        (6, "POST", "TRUE", {"method": "wrong"}),
        (405, "GET", "1", {"method": "updateAddressBookGroup"}),
        (906, "POST", "true", {"group_id": "999", "response_format": "json"}),
    ):
        common = {**book.common, "suppress_response_codes": value}
        asked = {**common, "method": "addContactsToGroup", **changes}
        answer = await book.send(verb, book.path, asked)
        assert answer.status == 200
        refusal(answer, code)


async def test_redirects(book: Book) -> None:
    """Contract 8: success_redirect and error_redirect go before redirect; the body is empty."""
    for parameters, expected in (
        ({"redirect": THANKS}, (THANKS, THANKS)),
        ({"success_redirect": THANKS}, (THANKS, None)),
        ({"error_redirect": SORRY}, (None, SORRY)),
        ({"redirect": "/site/Page", "success_redirect": THANKS}, (THANKS, "/site/Page")),
        ({"redirect": THANKS, "error_redirect": SORRY, "suppress_response_codes": "true"}, (THANKS, SORRY)),
        ({"redirect": "", "success_redirect": " "}, (None, None)),
    ):
        for method, location in zip(("getAddressBookGroups", "wrong"), expected, strict=True):
            answer = await book.answer(method, **parameters)
            assert answer.headers.get("Location") == location
            if location:
                assert (answer.status, answer.content) == (302, b"")
                assert answer.headers["Cache-Control"] == "no-store"
            else:
                assert (answer.status == 200) is (method != "wrong")


async def test_redirects_after_every_refusal(book: Book) -> None:
    """Contract 8: also where the key or the token is wrong; a site that is unknown sends nobody anywhere."""
    for changes in ({"api_key": "wrong"}, {"sso_auth_token": "wrong"}, {"v": "2.0"}):
        asked = {**book.common, "method": "getAddressBookGroups", "error_redirect": SORRY, **changes}
        assert (await book.send("GET", book.path, asked)).headers["Location"] == SORRY
    asked = {**book.common, "method": "getAddressBookGroups", "error_redirect": SORRY, "api_key": "wrong"}
    refusal(await book.send("GET", "/site/CRAddressBookAPI", asked), 2)


@pytest.mark.parametrize("name", ["redirect", "success_redirect", "error_redirect"])
async def test_redirects_elsewhere(book: Book, name: str) -> None:
    """Contract 8: 902, nothing is done, and nobody is sent there."""
    for url in ("https://evil.example/", "//evil.example", "javascript:alert(1)", "thanks"):
        answer = await book.answer("addAddressBookGroup", group_name="X", **{name: url})
        assert "Location" not in answer.headers
        assert answer.status == 403
        refusal(answer, 902)
    assert await book.call("getAddressBookGroups") == {}


async def test_who_asks_too_often(book: Book, served: Served) -> None:
    """Contract 9: 403 and 1, with a token or a password; who has neither is not counted."""
    desk, name = book.front.desk, f"often-{book.front.desk.account_id}"
    await principals.create_user(desk.db, desk.account_id, name, "a good password")
    login = {"servlet": "CRConsAPI", "user_name": name, "password": "a good password"}
    for limit in ("requests_per_second", "requests_per_day"):
        limited = await served(**{limit: 1})
        for method, parameters in (("getAddressBookGroups", {}), ("login", login)):
            answers = await asyncio.gather(*(limited.answer(method, **parameters) for _ in range(4)))
            refusal(next(answer for answer in answers if answer.status == 403), 1)
        await limited.with_(sso_auth_token="wrong").refused("getAddressBookGroups", 7)


async def test_faults(book: Book, monkeypatch: pytest.MonkeyPatch) -> None:
    """Contract 7: never 500, in the caller's format; a redirect is done all the same."""
    monkeypatch.setattr(Database, "account", _faulty)
    await book.refused("getAddressBookGroups", 1)
    assert (await book.answer("getAddressBookGroups", error_redirect=SORRY)).headers["Location"] == SORRY


def _faulty(_: Database, _account_id: int) -> None:
    raise RuntimeError


@pytest.mark.parametrize(("digest", "hashed"), [(Digest.MD5, md5), (Digest.SHA1, sha1)])
async def test_signed_redirects(book: Book, digest: Digest, hashed: type) -> None:
    """Contract 8: the query with its time, and the site's secret; after a success and after an error."""
    details = Details(redirect_secret="SITE_SECRET", redirect_digest=digest)
    await organizations.change(book.front.desk.db, book.site.organization_id, details)
    signed = re.compile(r"([^?]+)\?(group=123&timestamp=\d+)&signature=([0-9a-f]+)#top")
    for method in ("getAddressBookGroups", "wrong"):
        answer = await book.answer(method, redirect=THANKS, sign_redirects="true")
        location = signed.fullmatch(answer.headers["Location"])
        assert location
        assert location[1] == "https://www.example.org/thanks"
        assert location[3] == hashed(f"{location[2]}SITE_SECRET".encode()).hexdigest()


async def test_limits(book: Book) -> None:
    """Contract 9: 8 KiB of URL, 1 MiB of body, told by its length or as soon as it is passed."""
    parameters = {**book.common, "method": "getAddressBookGroups", "response_format": "json"}
    query = urlencode(parameters)
    longest = f"{book.path}?{query}&x="
    longest += "x" * (8192 - len(longest))
    assert (await book.send("GET", longest, {})).status == 200
    refusal(await book.send("GET", longest + "x", {}), 902)
    form = urlencode({**parameters, "x": ""}).encode()
    headers = {"Content-Type": "application/x-www-form-urlencoded"}
    front = book.front.as_(None)
    full = form + b"x" * (2**20 - len(form))
    assert (await front.request("POST", book.path, data=full, headers=headers)).status == 200

    async def endless() -> object:
        for _ in range(40):
            yield b"x" * 2**16

    for too_long in (full + b"x", endless()):
        answer = await front.request("POST", f"{book.path}?response_format=json", data=too_long, headers=headers)
        refusal(answer, 902)


async def test_what_is_not_there(book: Book) -> None:
    """Contract 1."""
    for path in ("/site/CRTeamraiserAPI", "/a/b/site/CRAddressBookAPI", "/site/craddressbookapi"):
        assert (await book.send("GET", path, dict(book.common))).status == 404


async def test_a_hundred_megabytes(book: Book) -> None:
    """Issue 4: refused by its declared length."""
    headers = {"Content-Type": "application/x-www-form-urlencoded", "Content-Length": str(100 * 2**20)}
    answer = await book.front.as_(None).request("POST", book.path, data=b"x" * 2**21, headers=headers)
    refusal(answer, 902)
