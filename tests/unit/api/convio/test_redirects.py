"""Where browsers are sent, and what signs that (contract convio.md 8)."""

import hashlib

import pytest

from api.convio import redirects

HOSTS = {"www.example.org", "localhost"}


def allows(host: str) -> bool:
    return host.lower() in HOSTS


@pytest.mark.parametrize(
    "url",
    [
        "http://www.example.org",
        "https://www.example.org/thanks?a=1#b",
        "HTTPS://WWW.Example.org/",
        "https://www.example.org:8443/x",
        "https://www.example.org?x",
        "http://localhost:3000/",
        "/",
        "/site/PageServer?pagename=thanks",
        "/a//b",
    ],
)
def test_where_browsers_may_be_sent(url: str) -> None:
    """Contract 8: hosts that the site has allowed, and its own paths."""
    assert redirects.is_allowed(url, allows)


@pytest.mark.parametrize(
    "url",
    [
        "",
        "https://evil.example",
        "https://www.example.org.evil.example/",
        "https://evil.example/www.example.org",
        "https://evil.example#www.example.org",
        "https://evil.example?www.example.org",
        "https://www.example.org@evil.example/",
        "https://www.example.org:x@evil.example/",
        "https://www.example.org:443@evil.example/",
        "https://evil.example\\@www.example.org/",
        "https:\\\\www.example.org",
        "https:///www.example.org",
        "https:/www.example.org",
        "https:www.example.org",
        "//evil.example/",
        "/\\evil.example",
        "\\\\evil.example",
        "///evil.example",
        "/\t/evil.example",
        "javascript:alert(1)",
        "data:text/html,x",
        "ftp://www.example.org/",
        "www.example.org",
        "thanks.html",
        "?x",
        "/x\r\nSet-Cookie: a=b",
        "/x y",
        "https://www.example.org/ä",
        "https://www.example.org\u3002evil.example/",
        "https://www.example.org:999999/",
        "https://[::1]/",
    ],
)
def test_where_browsers_are_not_sent(url: str) -> None:
    """Contract 8: anything that some reader of URLs might take for another host is refused."""
    assert not redirects.is_allowed(url, allows)


def test_the_worked_digest() -> None:
    """Contract 8: its worked digest."""
    signed = redirects.signed("https://www.example.org/x?group=123", "SITE_SECRET", "md5", 1454341434)
    assert signed == (
        "https://www.example.org/x?group=123&timestamp=1454341434&signature=3858bf4b45144067991f81cfb5d05a17"
    )


@pytest.mark.parametrize(
    ("url", "query", "signed"),
    [
        ("/x", "timestamp=5", "/x?timestamp=5&signature={}"),
        ("/x?", "timestamp=5", "/x?timestamp=5&signature={}"),
        ("/x?a=1?b#c?d", "a=1?b&timestamp=5", "/x?a=1?b&timestamp=5&signature={}#c?d"),
    ],
)
def test_what_is_signed(url: str, query: str, signed: str) -> None:
    """Contract 8: the query and the secret, by SHA-1 if the site is set so; a fragment stays at the end."""
    digest = hashlib.sha1(f"{query}S".encode()).hexdigest()
    assert redirects.signed(url, "S", "sha1", 5) == signed.format(digest)
