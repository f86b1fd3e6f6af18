"""Servlets: one path with many methods. Here is the order in which a request is checked (contract convio.md 3)."""

import asyncio
from collections.abc import Sequence
from contextlib import suppress

from aiohttp import web

from api import dialects
from api.convio import manners, results
from api.convio.calling import Method, Visit
from api.convio.manners import Manners
from api.convio.parameters import MOST_URL_BYTES, Parameters
from api.convio.refusals import NoSuchMethod, WrongApiKey
from api.convio.sites import Sites
from api.dialects import Answer, Services
from api.errors import MethodNotAllowed
from engine.errors import Invalid, NotFound, Unauthorized
from engine.organizations import Organization

#: A result of more members, those within others included, is written beside the event loop.
LONG_MEMBERS = 1000


class Servlet:
    """The methods of one servlet."""

    def __init__(self, services: Services, sites: Sites, methods: Sequence[Method]) -> None:
        self._services = services
        self._sites = sites
        self._methods = {method.name: method for method in methods}

    def answering(self, path: str, verb: str) -> Answer:
        """What answers requests to a path, whose metrics it goes into."""

        async def answer(request: web.Request) -> web.StreamResponse:
            asked = Parameters()
            try:
                asked = Parameters.of_query(request)
                _insist_on_length(request)
                asked = await asked.with_form(request)
                site = await self._site(request, asked)
            except Exception as error:  # noqa: BLE001 (whatever it is, the caller gets the dialect's words for it)
                return Manners.of(asked).refusal_of(dialects.told(error, path))
            return await self._answer(request, asked, site, path)

        return dialects.observed(self._services, path, verb, answer, Manners().refusal_of)

    async def _answer(self, request: web.Request, asked: Parameters, site: Organization, path: str) -> web.Response:
        manner = Manners.at(site, asked)
        try:
            method = self._method(request, asked, site)
            manners.insist_on(site, asked)
            members = await method.answer(Visit(request, self._services, self._sites, site, asked))
        except MethodNotAllowed as error:
            response = manner.refusal_of(error)
            response.headers["Allow"] = ", ".join(sorted(self._methods[asked.given("method")].verbs))
            return response
        except Exception as error:  # noqa: BLE001 (as above)
            return manner.refusal_of(dialects.told(error, path))
        if results.has_more(members, LONG_MEMBERS):
            return await asyncio.to_thread(manner.success_of, method.root, members)
        return manner.success_of(method.root, members)

    async def _site(self, request: web.Request, asked: Parameters) -> Organization:
        """The site of the path, or whose key it is."""
        name, key = request.match_info.get("organization"), asked.given("api_key")
        with suppress(NotFound, Unauthorized):
            if name is not None:
                return await self._sites.named(name)
            return await self._sites.of_key(key)
        raise WrongApiKey("The api_key is missing or wrong.")

    def _method(self, request: web.Request, asked: Parameters, site: Organization) -> Method:
        if asked.given("api_key") not in site.api_keys:
            raise WrongApiKey("The api_key is missing or wrong.")
        method = self._methods.get(asked.given("method"))
        if method is None:
            raise NoSuchMethod("There is no such method.")
        if request.method not in method.verbs:
            raise MethodNotAllowed(f"{method.name} takes {' or '.join(sorted(method.verbs))} only.")
        return method


def _insist_on_length(request: web.Request) -> None:
    if len(request.raw_path) > MOST_URL_BYTES:
        raise Invalid(f"A URL may have {MOST_URL_BYTES:,} bytes at most; send more by POST.")
