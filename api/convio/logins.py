"""Getting tokens, with a password or for a constituent: CRConsAPI, SRConsAPI (contract convio.md 3.1)."""

from time import time

from api.convio import visitors
from api.convio.calling import GET_OR_POST, POST, Call, Open, Restricted, Visit
from api.convio.refusals import NotLoggedIn, ParameterMissing, WrongToken
from api.convio.results import Members
from engine import organizations, principals
from engine.errors import Conflict, Forbidden, Invalid, NotFound, Unauthorized
from engine.principals import Principal, Privilege, Purpose

#: Seconds that tokens live: those of a session from their last use on, those of a single sign-on at all.
SECONDS = 1800


async def login(visit: Visit) -> Members:
    """With `logout` it ends what the tokens that come with it are for; it sends no mail."""
    asked = visit.asked
    if asked.boolean("logout"):
        await principals.close_session(visit.db, asked.given("auth"), Purpose.SESSION)
        await principals.close_session(visit.db, asked.given("sso_auth_token"), Purpose.SIGN_ON)
        return _logged_in(None, None, None)
    if asked.boolean("send_user_name"):
        raise Invalid("This server sends no mail.")
    session_id = _session(visit)
    principal = await _user(visit, "user_name", "password")
    if not await visit.sites.holds(visit.site, principal.account_id):
        raise NotLoggedIn("The user name or password is wrong.")
    if session_id:
        await _fill_session(visit, principal)
    return _logged_in(principal.account_id, await _sign_on(visit, principal), session_id)


async def login_test(call: Call) -> Members:
    """Whoever comes with a token for single sign-on keeps it: it shall not live on for ever."""
    token = call.asked.given("sso_auth_token") or await _sign_on(call, call.principal)
    return _logged_in(call.account_id, token, None)


async def login_url(visit: Visit) -> Members:
    visitor = visitors.new(visit.site, int(time()))
    address = f"{visit.services.address(visit.request)}/{visit.site.name}/site/CRConsAPI"
    return [
        ("JSESSIONID", visitor.session_id),
        ("routing_id", None),
        ("url", f"{address};jsessionid={visitor.session_id}"),
        ("token", visitor.token),
    ]


async def single_sign_on(visit: Visit) -> Members:
    await administrator(visit)
    account_id = await _constituent(visit)
    owner = await organizations.owner(visit.db, account_id)
    token = await principals.open_session(visit.db, owner, Purpose.SIGN_ON, SECONDS, account_id=account_id)
    return [("token", token), ("cons_id", account_id)]


async def administrator(visit: Visit) -> Principal:
    """The administrator of the site whose name and password come with the request. Raises NotLoggedIn."""
    principal = await _user(visit, "login_name", "login_password")
    try:
        await organizations.require_administrator(visit.db, visit.site.organization_id, principal.principal_id)
    except Forbidden:
        raise NotLoggedIn("The login is no administrator's of this site.") from None
    return principal


async def _user(visit: Visit, name_of_name: str, name_of_password: str) -> Principal:
    """Who logs in with a name and a password."""
    name, password = visit.asked.given(name_of_name), visit.asked.values.get(name_of_password)
    if not (name and password):
        raise ParameterMissing(f"{name_of_name} and {name_of_password} are required.")
    try:
        principal = (await principals.log_in(visit.db, name, password)).principal()
    except Unauthorized:
        raise NotLoggedIn("The user name or password is wrong.") from None
    await visit.services.admit(principal)
    return principal


def _session(visit: Visit) -> str | None:
    """The id of the session that is to be logged in, if one is."""
    token = visit.asked.given("auth")
    if not token:
        return None
    if session_id := visitors.session_of(visit.site, token, int(time())):
        return session_id
    raise NotLoggedIn("The session is unknown or has ended.")


async def _fill_session(visit: Visit, principal: Principal) -> None:
    token, account_id = visit.asked.given("auth"), principal.account_id
    try:
        await principals.open_session(
            visit.db,
            principal.principal_id,
            Purpose.SESSION,
            SECONDS,
            slides=True,
            account_id=account_id,
            token=token,
        )
    except Conflict:
        raise NotLoggedIn("Somebody has logged in to this session already.") from None


async def _sign_on(visit: Visit, principal: Principal) -> str:
    return await principals.open_session(
        visit.db, principal.principal_id, Purpose.SIGN_ON, SECONDS, account_id=principal.account_id
    )


async def _constituent(visit: Visit) -> int:
    """The account of `cons_id`, or else of the user whose name is `member_id`; of this site."""
    try:
        if visit.asked.given("cons_id"):
            account_id = visit.asked.number("cons_id")
        elif member_id := visit.asked.given("member_id"):
            account_id = (await principals.access_of_user(visit.db, member_id)).home
        else:
            raise ParameterMissing("cons_id or member_id is required.")
    except NotFound:
        raise WrongToken("There is no such constituent.") from None
    if not await visit.sites.holds(visit.site, account_id):
        raise WrongToken("There is no such constituent.")
    return account_id


def _logged_in(cons_id: int | None, token: str | None, session_id: str | None) -> Members:
    return [
        ("cons_id", cons_id),
        ("timestamp", int(time())),
        ("signature", None),
        ("token", token),
        ("login_test_url", None),
        ("nonce", None),
        ("JSESSIONID", session_id),
        ("routing_id", None),
    ]


CONSTITUENTS = (
    Open("login", POST, login),
    Restricted("loginTest", POST, tuple(Privilege), login_test, of="login"),
    Open("getLoginUrl", GET_OR_POST, login_url),
)
CONSTITUENTS_OF_ADMINISTRATORS = (Open("getSingleSignOnToken", POST, single_sign_on),)
