"""Which addresses are of the public internet, whichever way they are written, and whether a URL holds another."""

from ipaddress import ip_address

import pytest

from engine.addresses import is_public, names_private


@pytest.mark.parametrize("address", ["8.8.8.8", "192.0.32.10", "2606:4700::1111", "::ffff:8.8.8.8", "64:ff9b::808:808"])
def test_public_addresses(address: str) -> None:
    assert is_public(ip_address(address))


@pytest.mark.parametrize(
    "address",
    [
        "0.0.0.0",
        "10.1.2.3",
        "100.64.0.1",
        "127.0.0.1",
        "127.9.9.9",
        "169.254.169.254",
        "172.16.0.1",
        "192.168.1.1",
        "198.18.0.1",
        "224.0.0.1",
        "239.255.255.250",
        "240.0.0.1",
        "255.255.255.255",
        "::",
        "::1",
        "::ffff:10.0.0.1",
        "::ffff:169.254.169.254",
        "64:ff9b::7f00:1",
        "64:ff9b::a9fe:a9fe",
        "2002:7f00:1::",
        "2001:0:4136:e378:8000:63bf:80ff:fffe",
        "fc00::1",
        "fd00:ec2::254",
        "fe80::1",
        "fe80::1%2",
        "fec0::1",
        "ff02::1",
        "ff0e::1",
    ],
)
def test_all_others(address: str) -> None:
    assert not is_public(ip_address(address))


@pytest.mark.parametrize(
    ("url", "private"),
    [
        ("http://127.0.0.1:9000/hook", True),
        ("https://[::1]/", True),
        ("http://user@10.0.0.1/", True),
        ("https://8.8.8.8/", False),
        ("http://localhost/", False),
        ("https://example.org/10.0.0.1", False),
        ("https://[::1", False),
    ],
)
def test_addresses_in_urls(url: str, private: bool) -> None:
    """A name says nothing yet, nor does what is no URL."""
    assert names_private(url) is private
