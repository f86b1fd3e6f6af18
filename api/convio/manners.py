"""How a caller wants to be answered: the common parameters (contract convio.md 2, 8), and the answers."""

from collections.abc import Mapping
from dataclasses import dataclass, replace
from http import HTTPStatus
from time import time
from typing import Self

from aiohttp import web

from api.convio import redirects, results
from api.convio.parameters import Parameters
from api.convio.refusals import WrongVersion, code_of, status_of, words_of
from api.convio.results import CONTENT_TYPES, Format, Members
from engine.errors import Invalid, MusterError
from engine.organizations import Organization

FORMATS: Mapping[str, Format] = {"": "xml", "xml": "xml", "json": "json"}
VERSION = "1.0"
REDIRECTS = ("redirect", "success_redirect", "error_redirect")
HEADERS: Mapping[str, str] = {"Cache-Control": "no-store"}


@dataclass(frozen=True, slots=True)
class Manners:
    """How to answer, as far as that can be understood.

    suppressed: every answer has status 200. success, failure: where the browser is sent then, if anywhere. signer: the
    site whose secret signs that, if it is to be signed.
    """

    format: Format = "xml"
    suppressed: bool = False
    success: str | None = None
    failure: str | None = None
    signer: Organization | None = None

    @classmethod
    def of(cls, asked: Parameters) -> Self:
        """For a request of no known site: it can send nobody anywhere."""
        return cls(FORMATS.get(asked.given("response_format"), "xml"), _is_set(asked, "suppress_response_codes"))

    @classmethod
    def at(cls, site: Organization, asked: Parameters) -> Self:
        """For a request to a site."""
        either = asked.given("redirect")
        return replace(
            cls.of(asked),
            success=_allowed(asked.given("success_redirect") or either, site),
            failure=_allowed(asked.given("error_redirect") or either, site),
            signer=site if _is_set(asked, "sign_redirects") else None,
        )

    def success_of(self, root: str, members: Members) -> web.Response:
        """The answer with a result."""
        if self.success:
            return self._redirect(self.success)
        return self._answer(root, members, HTTPStatus.OK)

    def refusal_of(self, error: MusterError) -> web.Response:
        """The answer with an error."""
        if self.failure:
            return self._redirect(self.failure)
        code = code_of(error)
        status = HTTPStatus.OK if self.suppressed else status_of(code)
        return self._answer("errorResponse", [("code", code), ("message", words_of(error))], status)

    def _answer(self, root: str, members: Members, status: HTTPStatus) -> web.Response:
        return web.Response(
            body=results.written(root, members, self.format),
            status=status,
            headers={**HEADERS, "Content-Type": CONTENT_TYPES[self.format]},
        )

    def _redirect(self, url: str) -> web.Response:
        if self.signer:
            secret, digest = self.signer.redirect_secret, self.signer.redirect_digest
            url = redirects.signed(url, secret, digest, int(time()))
        return web.Response(status=HTTPStatus.FOUND, headers={**HEADERS, "Location": url})


def insist_on(site: Organization, asked: Parameters) -> None:
    """Checks the common parameters. Raises WrongVersion and Invalid."""
    asked.insist_on_text()
    if asked.given("v") != VERSION:
        raise WrongVersion(f"There is no version {asked.given('v') or '(none given)'} of the API; v must be {VERSION}.")
    if asked.given("response_format") not in FORMATS:
        raise Invalid("response_format must be xml or json.")
    for name in ("suppress_response_codes", "sign_redirects"):
        asked.boolean(name)
    if asked.given("center_id"):
        asked.number("center_id")
    for name in REDIRECTS:
        if url := asked.given(name):
            redirects.insist_on(name, url, site.redirects_to)


def _is_set(asked: Parameters, name: str) -> bool:
    try:
        return asked.boolean(name) or False
    except Invalid:
        return False


def _allowed(url: str, site: Organization) -> str | None:
    return url if url and redirects.is_allowed(url, site.redirects_to) else None
