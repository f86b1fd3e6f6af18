"""Where a browser is sent after a call, and how that is signed (contract convio.md 8).

Only to hosts that the site has allowed, or to a path of its own: whoever makes a link to us chooses the address.
"""

import hashlib
import re
from collections.abc import Callable

from engine.errors import Invalid

#: Whether browsers may be sent to a host.
Allows = Callable[[str], bool]

#: A URL of a host without anything that readers of URLs disagree about, or a path.
_ABSOLUTE = re.compile(r"https?://(?P<host>[A-Za-z0-9.-]+)(?::[0-9]{1,5})?(?:[/?#].*)?", re.IGNORECASE)
_PATH = re.compile(r"/(?!/).*")
_PLAIN = re.compile(r"[!-\[\]-~]+")


def insist_on(name: str, url: str, allows: Allows) -> None:
    """Raises Invalid unless the browser may be sent there."""
    if not is_allowed(url, allows):
        raise Invalid(f"{name} must be a path of this site, or an http or https URL of a host that it allows.")


def is_allowed(url: str, allows: Allows) -> bool:
    """Whether it is a path, or of a host that is allowed, on any port."""
    if not _PLAIN.fullmatch(url):
        return False
    absolute = _ABSOLUTE.fullmatch(url)
    return allows(absolute["host"]) if absolute else bool(_PATH.fullmatch(url))


def signed(url: str, secret: str, digest: str, now: int) -> str:
    """The URL with its time, in Unix seconds, and a hex digest of its query and the site's secret."""
    address, mark, fragment = url.partition("#")
    address, _, query = address.partition("?")
    query = f"{query}&timestamp={now}" if query else f"timestamp={now}"
    # What the vendor's clients check; it is no stronger than that.
    signature = hashlib.new(digest, (query + secret).encode(), usedforsecurity=False).hexdigest()
    return f"{address}?{query}&signature={signature}{mark}{fragment}"
