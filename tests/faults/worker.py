"""A `muster work` as a real process, and what a test does to it."""

import json
import os
import signal
import subprocess
import sys
import time
import urllib.request
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any
from urllib.error import URLError

import psutil

from engine.settings import Settings, environment_name

#: Everything that is waited for comes within this time on a busy machine, or the test fails.
PATIENCE = 30.0


def wait_until(condition: Callable[[], object], what: str, seconds: float = PATIENCE) -> None:
    deadline = time.monotonic() + seconds
    while not condition():
        assert time.monotonic() < deadline, f"not within {seconds} seconds: {what}"
        time.sleep(0.02)


def environment(settings: Settings) -> dict[str, str]:
    """The settings as environment variables, and nothing else that could be one."""
    names = {environment_name(field) for field in Settings.model_fields}
    kept = {name: value for name, value in os.environ.items() if name not in names}
    values = {environment_name(field): str(value) for field, value in settings if value is not None}
    return kept | values


class Worker:
    """A worker and its log."""

    def __init__(self, settings: Settings, log: Path, queues: Sequence[str], processes: int) -> None:
        self.log = log
        options = [option for queue in queues for option in ("--queue", queue)]
        with log.open("w") as output:
            self.process = subprocess.Popen(
                [sys.executable, "-P", "-m", "deploy.cli", "work", *options, "--processes", str(processes)],
                env=environment(settings),
                stdout=output,
                stderr=output,
                start_new_session=True,
            )

    def events(self, name: str) -> list[dict[str, Any]]:
        """What was logged under this name so far."""
        lines = [line for line in self.log.read_text().splitlines() if line.startswith("{")]
        return [event for event in map(json.loads, lines) if event["event"] == name]

    def members(self) -> list[psutil.Process]:
        """Its processes that live, by age."""
        children = psutil.Process(self.process.pid).children()
        alive = [child for child in children if child.status() != psutil.STATUS_ZOMBIE]
        return sorted(alive, key=lambda child: child.create_time())

    def get(self, path: str) -> tuple[int, str]:
        """What its port answers: status and text; 0 when it does not."""
        listening = self.events("worker_listening")
        if not listening:
            return 0, ""
        try:
            with urllib.request.urlopen(f"http://{listening[0]['addresses'][0]}{path}", timeout=5) as answer:
                return answer.status, answer.read().decode()
        except urllib.error.HTTPError as refused:
            return refused.code, refused.read().decode()
        except URLError:
            return 0, ""

    def is_ready(self) -> bool:
        assert self.process.poll() is None, self.log.read_text()
        return self.get("/readyz")[0] == 200

    def terminate(self) -> int:
        """Asks it to stop; answers its exit code."""
        self.process.send_signal(signal.SIGTERM)
        return self.process.wait(PATIENCE)

    def destroy(self) -> None:
        """Leaves nothing of it."""
        everybody = [psutil.Process(self.process.pid), *self.members()] if self.process.poll() is None else []
        # Stopped first: otherwise its processes would be started again, or stop in order when they miss it.
        for process in everybody:
            process.suspend()
        for process in reversed(everybody):
            process.kill()
        self.process.wait()
