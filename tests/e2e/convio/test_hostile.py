"""Whatever comes in, by whatever method: an answer of its form, never a fault (contract convio.md)."""

import json
from collections.abc import Mapping
from urllib.parse import quote

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from lxml import etree

from api.convio import SERVLETS
from tests.e2e.api.front import Answer
from tests.e2e.convio.book import NAMESPACE, Book

FAST = settings(
    max_examples=15,
    deadline=None,
    suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow, HealthCheck.filter_too_much],
)
METHODS = [(servlet, method.name) for servlet, methods in SERVLETS.items() for method in methods]
NAMES = st.sampled_from(
    [
        *("group_id", "group_ids", "group_name", "contact_id", "contact_ids", "count_contacts", "contacts_to_add"),
        *("email", "first_name", "last_name", "street1", "street2", "city", "state", "zip", "phone", "country"),
        *("list_page_size", "list_page_offset", "list_record_offset", "list_sort_column", "list_ascending"),
        *("list_filter_column", "list_filter_text", "user_name", "password", "logout", "cons_id", "member_id"),
        *("login_name", "login_password", "auth", "response_format", "center_id", "v", "suppress_response_codes"),
        *("redirect", "success_redirect", "error_redirect", "sign_redirects", "send_user_name"),
    ]
)
VALUES = st.one_of(
    st.text(max_size=12),
    st.sampled_from(["1", "2", "1,2", "true", "false", "id", "email", "json", "xml", "a@b.c", '"A B" <a@b.c>', "/x"]),
    st.sampled_from(["", "\0", "\ud800", "\U0001f4a9" * 300, "x" * 5000, "'; --", "%", "\r\nX: y", "-1", "9" * 40]),
    st.sampled_from(['"A","B","c@d.e"', "https://evil.example/", "//evil.example", "<", "]]>", "&lol;", "\x01"]),
)


def encoded(parameters: Mapping[str, str]) -> str:
    return "&".join(
        f"{quote(name, errors='surrogatepass')}={quote(text, errors='surrogatepass')}"
        for name, text in parameters.items()
    )


def holds(answer: Answer) -> None:
    """The answer is a redirect to the site itself, or one of the contract's documents."""
    assert answer.status in (200, 302, 403, 405), answer.content
    if answer.status == 302:
        assert answer.headers["Location"].startswith("/x")
    elif answer.headers["Content-Type"] == "application/json;charset=UTF-8":
        [(name, told)] = json.loads(answer.content).items()
        assert name.endswith("Response")
        assert answer.status == 200 or set(told) == {"code", "message"}
        assert told is None or told.get("message") != "Muster failed to answer; the fault is in its log"
    else:
        assert answer.headers["Content-Type"] == "text/xml;charset=UTF-8"
        root = etree.fromstring(answer.content)
        assert str(root.tag).startswith(NAMESPACE)
        assert "fault" not in str(root.findtext(f"{NAMESPACE}message"))


@pytest.mark.parametrize(("servlet", "method"), METHODS)
@FAST
@given(parameters=st.dictionaries(NAMES, VALUES, max_size=5), in_query=st.booleans())
async def test_any_parameters(
    book: Book, servlet: str, method: str, parameters: dict[str, str], in_query: bool
) -> None:
    """Contract 1 to 9."""
    text = encoded({**book.common, "method": method, **parameters})
    path, front = f"/{book.site.name}/site/{servlet}", book.front.as_(None)
    if in_query:
        holds(await front.request("GET", f"{path}?{text[:9000]}", allow_redirects=False))
    else:
        headers = {"Content-Type": "application/x-www-form-urlencoded"}
        holds(await front.request("POST", path, data=text.encode(), headers=headers, allow_redirects=False))


@FAST
@given(body=st.binary(max_size=200), query=st.binary(max_size=80))
async def test_any_bytes(book: Book, body: bytes, query: bytes) -> None:
    """Contract 1."""
    headers = {"Content-Type": "application/x-www-form-urlencoded"}
    path = f"{book.path}?{quote(query, safe='&=%;+')}"
    holds(await book.front.as_(None).request("POST", path, data=body, headers=headers, allow_redirects=False))


async def test_any_site(book: Book) -> None:
    """Contract 1, 3."""
    query = encoded({**book.common, "method": "getAddressBookGroups"})
    for name in ("%00", "%ff", "a%2Fb", "x" * 3000, "%F0%9F%92%A9", "%20", "*"):
        answer = await book.front.as_(None).request("GET", f"/{name}/site/CRAddressBookAPI?{query}")
        assert answer.status in (403, 404)


async def test_any_host(book: Book) -> None:
    """Contract 3.1: the URL of the login is under the name that was asked."""
    path = f"/{book.site.name}/site/CRConsAPI?{encoded({**book.common, 'method': 'getLoginUrl'})}"
    for host in ("[::1", "a b", "x:y:z", "<script>", "évil"):
        holds(await book.front.as_(None).request("GET", path, headers={"Host": host}))
