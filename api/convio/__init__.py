"""The Convio dialect (contract convio.md): address books of constituents, each an account; its groups are lists."""

from collections.abc import Mapping, Sequence

from aiohttp import web

from api import dialects
from api.convio.calling import Method
from api.convio.contacts import CONTACTS, CONTACTS_OF_ADMINISTRATORS
from api.convio.groups import GROUPS
from api.convio.importing import IMPORTS
from api.convio.logins import CONSTITUENTS, CONSTITUENTS_OF_ADMINISTRATORS
from api.convio.servlets import Servlet
from api.convio.sites import Sites
from api.dialects import Services

SERVLETS: Mapping[str, Sequence[Method]] = {
    "CRAddressBookAPI": (*GROUPS, *CONTACTS, *IMPORTS),
    "SRAddressBookAPI": CONTACTS_OF_ADMINISTRATORS,
    "CRConsAPI": CONSTITUENTS,
    "SRConsAPI": CONSTITUENTS_OF_ADMINISTRATORS,
}


def mount(app: web.Application, services: Services) -> None:
    """Serves each servlet under the path of a site, and under its own; a suffix such as ;jsessionid=… is ignored."""
    sites = Sites(services.db, services.settings.token_cache_seconds)
    for name, methods in SERVLETS.items():
        servlet = Servlet(services, sites, methods)
        for path in (f"/site/{name}", f"/{{organization}}/site/{name}"):
            resource = app.router.add_resource(f"{path}{{suffix:(?:;[^/]*)?}}")
            for verb in ("GET", "POST", "*"):
                answer = servlet.answering(path, verb)
                resource.add_route(verb, answer, expect_handler=dialects.expect)
