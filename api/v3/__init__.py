"""The v3 dialect (contract v3.md): its routes, its words for refusals, its way to say who asks."""

from api.auth import Authenticator
from api.dialects import Dialect
from api.v3.refusals import refuse
from api.v3.routes import ROUTES

V3 = Dialect("/v3", ROUTES, Authenticator.bearer, refuse)
