"""How requests come and answers go (contract greenrope.md 1, 2, 7, 8)."""

import json
from collections.abc import AsyncIterator, Mapping

import pytest
from lxml import etree

from engine import principals
from engine.database import Database
from engine.errors import Unauthorized
from engine.principals import Privilege, Purpose
from engine.settings import Settings
from tests.e2e.api.front import Front, open_front
from tests.e2e.greenrope.conftest import NewUser
from tests.e2e.greenrope.rope import JSON, XML, Rope, posted, refusal
from tests.greenrope_examples import canonical, examples
from tests.integration.conftest import NewDesk
from tests.integration.desk import Desk

ACCOUNTS = "<GetAccountsWithAccessRequest></GetAccountsWithAccessRequest>"
LAUGHS = '<!DOCTYPE a [<!ENTITY b "bbbb">]><GetGroupsRequest>&b;</GetGroupsRequest>'


async def unattributed(front: Front, form: Mapping[str, str] | bytes) -> int:
    content_type, content = await posted(front, form)
    root = etree.fromstring(content)
    assert (content_type, root.tag) == (XML, "ErrorResponse")
    return refusal(root)


async def test_logging_in(rope: Rope) -> None:
    """Contract 1.1: the form of the answer, and that the token is good on both paths (contract 1)."""
    assert rope.token
    form = {"email": rope.email.upper(), "auth_token": rope.token, "xml": ACCOUNTS}
    for path in ("/api-xml", "/xml.pl"):
        content_type, content = await posted(rope.front, form, path)
        assert content_type == XML
        assert content.startswith(b'<?xml version="1.0" encoding="UTF-8"?>\n<GetAccountsWithAccessResponse>')
        assert f"<AccountNumber>{rope.account_id}</AccountNumber>" in content.decode()


@pytest.mark.parametrize(("email", "password"), [(None, "wrong"), ("nobody@example.org", "correct horse"), ("", "")])
async def test_who_cannot_log_in(rope: Rope, email: str | None, password: str) -> None:
    """Contract 1.1: the contract's answer."""
    form = {"email": rope.email if email is None else email, "password": password, "xml": "<GetAuthTokenRequest/>"}
    _, content = await posted(rope.front, form)
    assert canonical(content) == canonical(examples("contract", "GetAuthTokenResponse")[1])


async def test_tokens_that_are_not_good(rope: Rope, new_user: NewUser) -> None:
    """Contract 1.1 and 8: unknown, of another, none; told in the function's own answer."""
    another = await new_user(rope.account_id)
    for email, token in ((rope.email, "x"), (another.email, rope.token), (rope.email, ""), ("", rope.token)):
        _, content = await posted(rope.front, {"email": email, "auth_token": token, "xml": ACCOUNTS})
        root = etree.fromstring(content)
        assert (root.tag, refusal(root)) == ("GetAccountsWithAccessResponse", 1001)


@pytest.mark.parametrize("purpose", [Purpose.SESSION, Purpose.SIGN_ON])
async def test_tokens_of_other_dialects(rope: Rope, db: Database, purpose: Purpose) -> None:
    """Contract 1.1: a token is one of GetAuthToken; and that is none of another dialect."""
    token = await principals.open_session(db, rope.principal_id, purpose, 60)
    _, content = await posted(rope.front, {"email": rope.email, "auth_token": token, "xml": ACCOUNTS})
    assert refusal(etree.fromstring(content)) == 1001
    with pytest.raises(Unauthorized):
        await principals.session(db, rope.token, purpose)


async def test_how_long_a_token_is_good(rope: Rope) -> None:
    """Contract 1.1 and 8: two hours, then 1001."""
    fresh, owner, mine = await rope.again(), rope.front.desk.owner, "principal_id = $1 AND purpose = 'program'"
    hours = f"SELECT DISTINCT round(extract(epoch FROM expires_at - created_at) / 3600, 2) FROM token WHERE {mine}"
    assert await owner.fetchval(hours, rope.principal_id) == 2
    await owner.execute(f"UPDATE token SET expires_at = now() - interval '1 second' WHERE {mine}", rope.principal_id)
    assert await fresh.refused(ACCOUNTS) == 1001


async def test_other_methods(front: Front) -> None:
    """Contract 1: 405 with an empty body."""
    for method in ("GET", "PUT", "DELETE", "HEAD"):
        async with front.session.request(method, front.address + "/api-xml") as response:
            assert (response.status, await response.read()) == (405, b"")


async def test_what_cannot_be_attributed(rope: Rope) -> None:
    """Contract 2.1: ErrorResponse; the contract's example but for its words."""
    fields = {"email": rope.email, "auth_token": rope.token}
    for document in ("<GetGroupsRequest", "x", LAUGHS, "<a><GetGroupsRequest/></a>"):
        expected = 1015 if document.startswith("<a") else 1011
        assert await unattributed(rope.front, fields | {"xml": document}) == expected
    for document in ("<Request/>", "<GetWidgetsRequest/>", "<getgroupsrequest/>"):
        assert await unattributed(rope.front, fields | {"xml": document}) == 1015
    assert await unattributed(rope.front, fields) == 1003
    assert await unattributed(rope.front, b"") == 1003


async def test_what_is_wrong_further_on(rope: Rope) -> None:
    """Contract 2.1 and 8: no XML is ErrorResponse, be it that its root could be read before that was seen."""
    fields = {"email": rope.email, "auth_token": rope.token}
    for inside in ("<a>", "&b;", "<a>" * 10_000 + "</a>" * 10_000, "\x00", " " * 2000 + "<a>", " " * 100_000 + "&b;"):
        document = f"<GetGroupsRequest response='json'>{inside}</GetGroupsRequest>"
        assert await unattributed(rope.front, fields | {"xml": document}) == 1011


async def test_badly_encoded_clients(rope: Rope) -> None:
    """Contract 1: xml= without urlencoding takes the rest of the body."""
    document = "<?xml version='1.0'?><CreateGroupRequest><Name>A+%42 &amp; \"ü\"</Name></CreateGroupRequest>"
    _, content = await posted(rope.front, f"email={rope.email}&auth_token={rope.token}&xml={document}".encode())
    assert etree.fromstring(content).findtext("Result") == "Success"
    groups = await rope.done("<GetGroupsRequest/>")
    assert groups.findtext("Groups/Group/Name") == 'A+%42 & "ü"'


async def test_xml_that_is_too_long(rope: Rope) -> None:
    """Contract 10: 4 MiB; refused by the declared length, or when that is passed."""
    fields = {"email": rope.email, "auth_token": rope.token}
    assert await unattributed(rope.front, fields | {"xml": f"<A>{'x' * (4 << 20)}</A>"}) == 1011
    sent = 0

    async def endless() -> AsyncIterator[bytes]:
        nonlocal sent
        while True:
            sent += 1 << 20
            yield b"xml=" + b"x" * (1 << 20)

    async with rope.front.session.post(rope.front.address + "/api-xml", data=endless()) as response:
        assert refusal(etree.fromstring(await response.read())) == 1011
    assert sent < 100 << 20


async def test_json(rope: Rope) -> None:
    """Contract 7: any function, success and failure."""
    content = await rope.send("<GetAccountsWithAccessRequest response='json'/>")
    accounts = {"account": [{"accountnumber": str(rope.account_id)}]}
    assert json.loads(content) == {"getaccountswithaccessresponse": {"result": "Success", "accounts": accounts}}
    content_type, content = await posted(
        rope.front,
        {"email": rope.email, "auth_token": rope.token, "xml": "<GetGroupsRequest response='JSON' group_id='x'/>"},
    )
    assert content_type == JSON
    answer = json.loads(content)["getgroupsresponse"]
    assert (answer["result"], answer["errorcode"], set(answer)) == (
        "Error",
        "1003",
        {"result", "errorcode", "errortext"},
    )


async def test_accounts_with_access(rope: Rope, new_desk: NewDesk, db: Database) -> None:
    """Contract 6.5 and 1.2: the own account and shared ones."""
    other = await new_desk()
    await principals.grant(db, rope.principal_id, other.account_id, [Privilege.CONTACTS_READ])
    fresh = await rope.again()
    root = await fresh.done(ACCOUNTS)
    numbers = [each.text for each in root.findall("Accounts/Account/AccountNumber")]
    assert numbers == sorted([str(rope.account_id), str(other.account_id)], key=int)


async def test_who_asks_too_often(settings: Settings, desk: Desk, token: str, rope: Rope) -> None:
    """Contract 10: 1099 with status 429, in the function's own answer."""
    limited = settings.model_copy(update={"requests_per_day": 1})
    form = {"email": rope.email, "auth_token": rope.token, "xml": ACCOUNTS}
    async with open_front(limited, desk, token) as front:
        await posted(front, form)
        async with front.session.post(front.address + "/api-xml", data=form) as response:
            root = etree.fromstring(await response.read())
            assert (response.status, root.tag, refusal(root)) == (429, "GetAccountsWithAccessResponse", 1099)
