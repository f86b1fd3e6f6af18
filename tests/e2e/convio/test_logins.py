"""Getting tokens over HTTP, and how long they are good for (contract convio.md)."""

import json
import time
from uuid import UUID

import pytest
import pytest_asyncio

from engine import accounts, organizations, principals
from engine.principals import Privilege, Purpose
from tests import convio_examples as examples
from tests.convio_examples import CONTRACT
from tests.e2e.convio.book import Book, refusal
from tests.e2e.convio.conftest import Served
from tests.integration.desk import Desk

PASSWORD = "a good password"


@pytest_asyncio.fixture
async def user(desk: Desk) -> tuple[str, UUID]:
    """The owner of the book: name and principal."""
    name = f"owner-{desk.account_id}"
    return name, await principals.create_user(desk.db, desk.account_id, name, PASSWORD)


@pytest.fixture
def nobody(book: Book) -> Book:
    """The book before anybody has logged in."""
    return book.with_(sso_auth_token=None)


async def logged_in(book: Book, name: str, **parameters: str) -> dict[str, str]:
    answer: dict[str, str] = await book.call(
        "login", servlet="CRConsAPI", user_name=name, password=PASSWORD, **parameters
    )
    return answer


async def refused(book: Book, code: int, method: str, servlet: str, **parameters: str) -> str:
    answer = await book.answer(method, servlet=servlet, **parameters)
    assert answer.status in (403, 405)
    return refusal(answer, code)


async def expire(desk: Desk, minutes: int) -> None:
    """Has all sessions end as many minutes earlier."""
    await desk.owner.execute(
        "UPDATE token SET expires_at = expires_at - make_interval(mins => $2) WHERE purpose <> 'api' AND principal_id"
        " IN (SELECT principal_id FROM principal_grant WHERE account_id = $1)",
        desk.account_id,
        minutes,
    )


async def test_login(nobody: Book, user: tuple[str, UUID]) -> None:
    """Contract 3.1: the members of the contract's example, and a token for single sign-on."""
    result = await logged_in(nobody, user[0].upper(), remember_me="true")
    assert set(result) == set(CONTRACT["3.1"]["loginResponse"])
    assert result["cons_id"] == str(nobody.front.desk.account_id)
    assert abs(int(result["timestamp"]) - time.time()) < 60
    assert [result[name] for name in ("signature", "login_test_url", "nonce", "routing_id")] == [None] * 4
    assert await nobody.with_(sso_auth_token=result["token"]).call("getAddressBookGroups") == {}
    await nobody.with_(auth=result["token"]).refused("getAddressBookGroups", 3)


async def test_logins_that_fail(nobody: Book, user: tuple[str, UUID]) -> None:
    """Contract 3.1, 7: 3 whatever is wrong, 9 for what is missing; passwords are not trimmed."""
    name, _ = user
    for user_name, password in ((name, "wrong"), ("nobody", PASSWORD), (name, f" {PASSWORD}"), ("a\ufffd", PASSWORD)):
        await refused(nobody, 3, "login", "CRConsAPI", user_name=user_name, password=password)
    await refused(nobody, 9, "login", "CRConsAPI", user_name=name)
    await refused(nobody, 9, "login", "CRConsAPI", password=PASSWORD)
    await refused(nobody, 902, "login", "CRConsAPI", send_user_name="true", email="a@example.org")
    answer = await nobody.answer("login", "GET", "CRConsAPI", user_name=name, password=PASSWORD)
    assert answer.status == 405
    refusal(answer, 405)


async def test_a_user_of_another_site(nobody: Book) -> None:
    """Contract 3: has no login here."""
    db = nobody.front.desk.db
    elsewhere = await accounts.create(db, "elsewhere")
    name = f"elsewhere-{elsewhere.account_id}"
    await principals.create_user(db, elsewhere.account_id, name, PASSWORD)
    await refused(nobody, 3, "login", "CRConsAPI", user_name=name, password=PASSWORD)


async def test_the_life_of_a_sign_on(nobody: Book, user: tuple[str, UUID]) -> None:
    """Contract 3: thirty minutes, however it is used."""
    desk = nobody.front.desk
    token = (await logged_in(nobody, user[0]))["token"]
    book = nobody.with_(sso_auth_token=token)
    await expire(desk, 29)
    await book.call("getAddressBookGroups")
    await expire(desk, 1)
    await book.refused("getAddressBookGroups", 7)


async def test_a_session(nobody: Book, user: tuple[str, UUID]) -> None:
    """Contract 3, 3.1: getLoginUrl gives its token, of nobody until there was a login; then it slides."""
    desk = nobody.front.desk
    visitor = await nobody.call("getLoginUrl", "GET", "CRConsAPI")
    assert set(visitor) == {"JSESSIONID", "routing_id", "url", "token"}
    assert visitor["url"].startswith(f"{nobody.front.address}/{nobody.site.name}/site/CRConsAPI;jsessionid=")
    book = nobody.with_(auth=visitor["token"])
    await book.refused("getAddressBookGroups", 3)
    await nobody.with_(sso_auth_token=visitor["token"]).refused("getAddressBookGroups", 7)
    answer = await nobody.send(
        "POST",
        visitor["url"].removeprefix(nobody.front.address),
        {**book.common, "method": "login", "user_name": user[0], "password": PASSWORD, "response_format": "json"},
    )
    assert json.loads(answer.content)["loginResponse"]["JSESSIONID"] == visitor["JSESSIONID"]
    for _ in range(3):
        await book.call("getAddressBookGroups")
        await expire(desk, 29)
    await expire(desk, 1)
    await book.refused("getAddressBookGroups", 3)


async def test_a_token_of_another_dialect(nobody: Book, user: tuple[str, UUID]) -> None:
    """Contract 3: as an unknown one, and nothing that comes with it here ends it."""
    db = nobody.front.desk.db
    token = await principals.open_session(db, user[1], Purpose.PROGRAM, 60)
    await nobody.with_(auth=token).refused("getAddressBookGroups", 3)
    await nobody.with_(sso_auth_token=token).refused("getAddressBookGroups", 7)
    await nobody.call("login", servlet="CRConsAPI", auth=token, sso_auth_token=token, logout="true")
    assert (await principals.session(db, token, Purpose.PROGRAM)).principal_id == user[1]


async def test_where_the_login_is(served: Served) -> None:
    """Contract 3.1: under the address that clients reach the API at, if that is set."""
    book = await served(public_url="https://muster.example.org/")
    visitor = await book.call("getLoginUrl", servlet="CRConsAPI")
    path = f"/{book.site.name}/site/CRConsAPI;jsessionid={visitor['JSESSIONID']}"
    assert visitor["url"] == f"https://muster.example.org{path}"


async def test_sessions_that_cannot_be_logged_in(nobody: Book, user: tuple[str, UUID]) -> None:
    """Contract 3, 7: unknown ones, and those that somebody has logged in to already."""
    visitor = await nobody.call("getLoginUrl", servlet="CRConsAPI")
    login = {"user_name": user[0], "password": PASSWORD}
    await refused(nobody, 3, "login", "CRConsAPI", auth="wrong", **login)
    await logged_in(nobody, user[0], auth=visitor["token"])
    await refused(nobody, 3, "login", "CRConsAPI", auth=visitor["token"], **login)


async def test_both_tokens(nobody: Book, user: tuple[str, UUID]) -> None:
    """Contract 3: that of the single sign-on is used."""
    visitor = await nobody.call("getLoginUrl", servlet="CRConsAPI")
    both = nobody.with_(auth=visitor["token"], sso_auth_token="wrong")
    await logged_in(nobody, user[0], auth=visitor["token"])
    await nobody.with_(auth=visitor["token"]).call("getAddressBookGroups")
    await both.refused("getAddressBookGroups", 7)


async def test_login_test(nobody: Book, user: tuple[str, UUID]) -> None:
    """Contract 3.1: who is logged in; a sign-on does not live longer for it."""
    token = (await logged_in(nobody, user[0]))["token"]
    result = await nobody.with_(sso_auth_token=token).call("loginTest", servlet="CRConsAPI")
    assert (result["cons_id"], result["token"]) == (str(nobody.front.desk.account_id), token)
    visitor = await nobody.call("getLoginUrl", servlet="CRConsAPI")
    await logged_in(nobody, user[0], auth=visitor["token"])
    result = await nobody.with_(auth=visitor["token"]).call("loginTest", servlet="CRConsAPI")
    assert await nobody.with_(sso_auth_token=result["token"]).call("getAddressBookGroups") == {}
    await refused(nobody, 5, "loginTest", "CRConsAPI")
    assert (await nobody.answer("loginTest", "GET", "CRConsAPI")).status == 405


async def test_in_xml(nobody: Book, user: tuple[str, UUID]) -> None:
    """Contract 3.1, 4: what is unset is nil."""
    answer = await nobody.answer("login", servlet="CRConsAPI", user_name=user[0], password=PASSWORD)
    assert b'<signature xsi:nil="true"/>' in answer.content
    assert examples.canonical(answer.content)


async def test_logout(nobody: Book, user: tuple[str, UUID]) -> None:
    """Contract 3.1: its tokens are good for nothing any more."""
    visitor = await nobody.call("getLoginUrl", servlet="CRConsAPI")
    token = (await logged_in(nobody, user[0], auth=visitor["token"]))["token"]
    book = nobody.with_(auth=visitor["token"], sso_auth_token=token)
    result = await book.call("login", servlet="CRConsAPI", logout="true")
    assert (result["cons_id"], result["token"]) == (None, None)
    await book.refused("getAddressBookGroups", 7)
    await book.with_(sso_auth_token=None).refused("getAddressBookGroups", 3)


@pytest_asyncio.fixture
async def administrator(nobody: Book) -> Book:
    """The book for a program with the login of an administrator, whose own account is in no site."""
    db = nobody.front.desk.db
    home = await accounts.create(db, "administration")
    name = f"admin-{home.account_id}"
    user = await principals.create_user(db, home.account_id, name, PASSWORD)
    await organizations.add_administrator(db, nobody.site.organization_id, user)
    return nobody.with_(login_name=name, login_password=PASSWORD)


async def test_single_sign_on(administrator: Book, nobody: Book, user: tuple[str, UUID]) -> None:
    """Contract 3, 3.1: for the constituent of a number, or of a name; for thirty minutes."""
    constituent = str(administrator.front.desk.account_id)
    for parameters in (
        {"cons_id": constituent},
        {"member_id": user[0]},
        {"cons_id": constituent, "member_id": "nobody"},
    ):
        result = await administrator.call("getSingleSignOnToken", servlet="SRConsAPI", **parameters)
        assert set(result) == {"token", "cons_id"}
        assert result["cons_id"] == constituent
        book = nobody.with_(sso_auth_token=result["token"])
        assert await book.call("getAddressBookGroups") == {}
        await expire(book.front.desk, 29)
        await book.call("getAddressBookGroups")
        await expire(book.front.desk, 1)
        await book.refused("getAddressBookGroups", 7)


async def test_single_sign_on_refused(administrator: Book, nobody: Book, user: tuple[str, UUID]) -> None:
    """Contract 3.1, 7: for administrators of the site only, and for its constituents only."""
    constituent = str(administrator.front.desk.account_id)
    sign_on = ("getSingleSignOnToken", "SRConsAPI")
    await refused(nobody, 9, *sign_on, cons_id=constituent)
    owner = nobody.with_(login_name=user[0], login_password=PASSWORD)
    await refused(owner, 3, *sign_on, cons_id=constituent)
    await refused(administrator.with_(login_password="wrong"), 3, *sign_on, cons_id=constituent)
    await refused(administrator, 9, *sign_on)
    elsewhere = await accounts.create(nobody.front.desk.db, "elsewhere")
    for cons_id in (str(elsewhere.account_id), "0", "999999999", "9" * 30):
        await refused(administrator, 7, *sign_on, cons_id=cons_id)
    await refused(administrator, 7, *sign_on, member_id="nobody")
    await refused(administrator, 902, *sign_on, cons_id="x")
    assert (await administrator.answer("getSingleSignOnToken", "GET", "SRConsAPI", cons_id="1")).status == 405


async def test_what_is_no_sign_on(book: Book) -> None:
    """Contract 3: an API token, or a user's whose privileges were taken, opens no address book."""
    await book.with_(sso_auth_token=book.front.token).refused("getAddressBookGroups", 7)
    desk = book.front.desk
    await principals.grant(desk.db, desk.principal.principal_id, desk.account_id, [Privilege.CONTACTS_READ])
    await book.refused("getAddressBookGroups", 904)
