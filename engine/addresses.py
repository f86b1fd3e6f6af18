"""Which addresses hooks and callbacks may go to: by default those of the public internet only."""

from ipaddress import IPv4Address, IPv6Address, IPv6Network, ip_address
from urllib.parse import urlsplit

from engine.settings import environment_name

#: Where IPv6 addresses stand for IPv4 ones (RFC 6052).
NAT64 = IPv6Network("64:ff9b::/96")
#: What is said of an address that is not called.
NOT_PUBLIC = f"the address is not of the public internet, and {environment_name('hooks_to_private_addresses')} is off"


def is_public(address: IPv4Address | IPv6Address) -> bool:
    """Whether it is an address of one host on the public internet, whichever way it is written."""
    if isinstance(address, IPv6Address) and (inner := _inner(address)) is not None:
        return is_public(inner)
    site_local = isinstance(address, IPv6Address) and address.is_site_local
    return address.is_global and not (address.is_multicast or address.is_reserved or site_local)


def names_private(url: str) -> bool:
    """Whether the URL itself holds an address that is not public; what a name stands for is seen at the call."""
    try:
        return not is_public(ip_address(urlsplit(url).hostname or ""))
    except ValueError:
        return False


def _inner(address: IPv6Address) -> IPv4Address | None:
    """The IPv4 address that an IPv6 one leads to."""
    if address in NAT64:
        return IPv4Address(int(address) & 0xFFFFFFFF)
    teredo = address.teredo
    return address.ipv4_mapped or address.sixtofour or (teredo[1] if teredo else None)
