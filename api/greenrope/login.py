"""Logging in, and who has (contract greenrope.md 1.1)."""

from typing import Final

from api.dialects import Services
from api.greenrope import requests
from api.greenrope.answers import SUCCESS, Record
from api.greenrope.forms import Form
from engine import principals
from engine.errors import Unauthorized
from engine.principals import Access, Purpose
from engine.sets.catalog import name_key

#: Seconds that a token is good for.
TOKEN_SECONDS: Final = 2 * 60 * 60


async def log_in(services: Services, form: Form) -> Record:
    """GetAuthTokenRequest. Raises Unauthorized, Busy when too many log in at once, BadXml, Throttled."""
    try:
        access = await principals.log_in(services.db, form.email, form.password)
    except Unauthorized:
        raise Unauthorized("Invalid email or password") from None
    await requests.document(form.xml)
    await services.throttle.admit(access.principal())
    token = await principals.open_session(services.db, access.principal_id, Purpose.PROGRAM, TOKEN_SECONDS)
    return Record((SUCCESS, ("Token", token)))


async def logged_in(services: Services, form: Form) -> Access:
    """Whose token it is, if it was sent with the same e-mail address. Raises Unauthorized, Throttled, QuotaExceeded."""
    try:
        access = await services.authenticator.session(form.auth_token, Purpose.PROGRAM)
    except Unauthorized:
        raise Unauthorized("Invalid or expired auth_token") from None
    if name_key(form.email) != name_key(access.name):
        raise Unauthorized("The auth_token is not of this email")
    await services.admit(access.principal())
    return access
