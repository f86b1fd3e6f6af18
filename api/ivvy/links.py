"""The links of invitations (contract ivvy.md 6): whoever opens one says yes or no, and sees that it was heard.

Opening is a GET, and may be repeated; the last one counts. Who only looks, by HEAD or by a browser that fetches pages
ahead, says nothing. A scanner of mail that opens every link does say something, as the contract has it: so the page
tells what was heard, and the other answer is one link away.
"""

from html import escape

from aiohttp import web

from api import dialects
from api.dialects import Services
from engine import invitations
from engine.database import Database
from engine.errors import EventClosed, MusterError, NotFound
from engine.invitations import Answer

PATH = "/i/{token}/{answer:yes|no}"

#: Nobody keeps such a page, or learns the link from whoever opens another one from it.
HEADERS = {
    "Cache-Control": "no-store",
    "Referrer-Policy": "no-referrer",
    "X-Robots-Tag": "noindex, nofollow",
    "Content-Security-Policy": "default-src 'none'; style-src 'unsafe-inline'; frame-ancestors 'none'",
}
#: Headers of browsers that fetch what nobody has opened, and what they say then.
AHEAD = ("Sec-Purpose", "Purpose", "X-Purpose", "X-Moz")
NOBODY_LOOKS = ("prefetch", "preview")

PAGE = """<!doctype html>
<html lang="en"><head><meta charset="utf-8"><meta name="viewport" content="width=device-width">
<title>{title}</title><style>body {{ font: 1.1rem/1.6 sans-serif; margin: 15vh auto; max-width: 32rem; padding: 1rem }}
</style></head><body><h1>{title}</h1><p>{words}</p></body></html>
"""


def of(address: str, token: str) -> dict[str, str]:
    """Where an invited contact says yes and no."""
    return {"inviteLinkYes": f"{address}/i/{token}/yes", "inviteLinkNo": f"{address}/i/{token}/no"}


def mount(app: web.Application, services: Services) -> None:
    """Adds the links' paths."""

    async def answer(request: web.Request) -> web.StreamResponse:
        return await _answer(services.db, request)

    for method in ("GET", "HEAD"):
        observed = dialects.observed(services, PATH, method, answer, _refuse)
        app.router.add_route(method, PATH, observed, expect_handler=dialects.expect)


async def _answer(db: Database, request: web.Request) -> web.Response:
    invitation = await invitations.read(db, request.match_info["token"])
    said: Answer = "yes" if request.match_info["answer"] == "yes" else "no"
    if request.method == "HEAD" or _fetches_ahead(request):
        return _page(200, "Invitation", "Open this link to answer.")
    async with db.account(invitation.account_id) as tx:
        event = await invitations.answer(tx, invitation, said)
    other = "no" if said == "yes" else "yes"
    words = f'You have answered <strong>{said}</strong>. Was that a mistake? <a href="{other}">Answer {other}</a>.'
    return _page(200, event.name, words)


def _fetches_ahead(request: web.Request) -> bool:
    said = " ".join(request.headers.get(name, "").lower() for name in AHEAD)
    return any(word in said for word in NOBODY_LOOKS)


def _refuse(error: MusterError) -> web.Response:
    match error:
        case NotFound():
            return _page(404, "There is no such invitation", "The link is not complete, or the invitation is gone.")
        case EventClosed():
            return _page(410, "It is too late to answer", "The event is over, or it was cancelled.")
        case _:
            return _page(503, "That did not work", "Please try again in a moment.")


def _page(status: int, title: str, words: str) -> web.Response:
    """A page; its words are HTML, its title is not."""
    text = PAGE.format(title=escape(title), words=words)
    return web.Response(status=status, text=text, content_type="text/html", headers=HEADERS)
