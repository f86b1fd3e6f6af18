"""One process of a worker, with what wire formats bring to it: whom activities call, of which workers know nothing."""

import sys

from api import ivvy
from api.ivvy.batches import CALLEE
from engine.activities.model import Send
from engine.callees import Callees
from engine.database import Database
from engine.settings import Settings
from workers.process import main


def open_callees(db: Database, settings: Settings, send: Send) -> Callees:
    """Those of every wire format that has some."""
    return {CALLEE: ivvy.callee(db, settings, send)}


if __name__ == "__main__":
    sys.exit(main(open_callees))
