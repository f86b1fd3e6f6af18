"""The iVvy dialect (contract ivvy.md): signed calls of actions, by namespaces; batches of them; links of invitations.

A subscription group is a list, an event a set of those who are invited, a batch an activity.
"""

from aiohttp import web

from api import dialects
from api.dialects import Services
from api.ivvy import actions, links
from api.ivvy.batches import Batches
from api.ivvy.callee import Jobs
from api.ivvy.calling import Means
from api.ivvy.front import Front, refuse
from engine.activities.at_once import AtOnce
from engine.activities.inline import BUSY_SECONDS, Inline
from engine.activities.intake import Intake
from engine.activities.model import Send
from engine.callees import Callee
from engine.database import Database
from engine.settings import Settings

#: What all paths of calls begin with, in the metrics, too.
PREFIX = "/api"


def mount(app: web.Application, services: Services) -> None:
    """Adds the paths of calls, and of links that answer invitations."""
    front = Front(services, {**actions.ACTIONS, **Batches(services).actions})
    answer = dialects.observed(services, PREFIX, "POST", front.answer, refuse)
    for path in (PREFIX, PREFIX + "/{rest:(?s:.*)}"):
        app.router.add_route("*", path, answer, expect_handler=dialects.expect)
    links.mount(app, services)


def callee(db: Database, settings: Settings, send: Send) -> Callee:
    """Who does the jobs of batches in a process that has no application.

    Nobody waits for a job, and what a killed worker has begun of it is another's only when its lease has run out.
    """
    patience = settings.lease_seconds + BUSY_SECONDS
    at_once = AtOnce(db, settings, Intake(db, settings), send, patience)
    return Jobs(Means(db, settings, Inline(db), at_once))
