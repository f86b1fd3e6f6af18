"""What the processes of a worker and the worker tell each other, a line of JSON at a time.

The worker writes an order to a process' standard input and keeps it open: its end tells the process that the worker is
gone. A process writes how it is to its standard output, which therefore nobody else may use.
"""

from pydantic import BaseModel, ConfigDict

from engine.activities.model import Queue
from engine.settings import Settings

#: Seconds between two lines of a process.
STATUS_SECONDS = 2.0
#: Exit code of a process that could not start.
CANNOT_START = 3


class Order(BaseModel):
    """What a process is for."""

    model_config = ConfigDict(frozen=True)

    settings: Settings
    queue: Queue
    threads: int


class Status(BaseModel):
    """How a process is; `problem` says what keeps it from working."""

    model_config = ConfigDict(frozen=True)

    database: bool = False
    broker: bool = False
    problem: str = ""

    @property
    def is_ready(self) -> bool:
        return self.database and self.broker
