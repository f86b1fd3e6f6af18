"""A running `muster up`, its command line and its folder, as the end-to-end tests use them."""

import asyncio
import os
import re
import shlex
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import aiohttp
import psutil

from engine.settings import Settings, environment_name

MUSTER = (sys.executable, "-P", "-m", "deploy.cli")
START_SECONDS = 60


def environment(data: Path, **more: str) -> dict[str, str]:
    """The test's environment without any setting but these; every port is a free one."""
    names = {environment_name(field) for field in Settings.model_fields} | {"MUSTER_URL", "MUSTER_TOKEN"}
    kept = {name: value for name, value in os.environ.items() if name not in names}
    ports = {"MUSTER_PORT": "0", "MUSTER_METRICS_PORT": "0", "MUSTER_WORKER_PROCESSES": "1"}
    return kept | ports | {"MUSTER_DATA": str(data)} | more


def muster(data: Path, *arguments: str, stdin: str = "", **more: str) -> subprocess.CompletedProcess[str]:
    """One run of the command to its end."""
    return subprocess.run(
        [*MUSTER, *arguments],
        env=environment(data, **more),
        input=stdin,
        capture_output=True,
        text=True,
        timeout=120,
        check=False,
    )


class Up:
    """A running `muster up`."""

    def __init__(self, data: Path, **more: str) -> None:
        self.data = data
        data.parent.mkdir(parents=True, exist_ok=True)
        self.output = data.with_name(f"{data.name}.out")
        with self.output.open("w") as output:
            self.process = subprocess.Popen(
                [*MUSTER, "up"], env=environment(data, **more), stdout=output, stderr=output, start_new_session=True
            )
        self._await_curl()
        self.address = self._told(r"answers at (\S+)")
        self.token = self._told(r"token (\S+)")
        #: What its line for another terminal sets there.
        self.exported = dict(pair.split("=", 1) for pair in shlex.split(self._told(r"\nexport (.*)")))

    def _await_curl(self) -> None:
        deadline = time.monotonic() + START_SECONDS
        while "curl" not in self.output.read_text():
            assert self.process.poll() is None, self.output.read_text()
            assert time.monotonic() < deadline, self.output.read_text()
            time.sleep(0.05)

    def _told(self, pattern: str) -> str:
        found = re.search(pattern, self.output.read_text())
        assert found is not None
        return found[1]

    def processes(self) -> list[psutil.Process]:
        """All that the stack consists of, beside its head."""
        return psutil.Process(self.process.pid).children(recursive=True)

    def of_part(self, word: str) -> psutil.Process:
        """The process of the part with this word in its command; its guard is its parent."""
        for guard in psutil.Process(self.process.pid).children():
            if any(argument.endswith(word) for argument in guard.cmdline()):
                (process,) = guard.children()
                return process
        raise AssertionError(f"no part has {word} in its command")

    def await_restart(self, part: str, crashed: int) -> None:
        """Waits until the part runs in another process, and database and broker can be used."""
        deadline = time.monotonic() + 30
        while True:
            with suppress(AssertionError, ValueError, psutil.NoSuchProcess, aiohttp.ClientError):
                if self.of_part(part).pid != crashed and self.request("GET", "/readyz")[1]["status"] == "ok":
                    return
            assert time.monotonic() < deadline, self.output.read_text()
            time.sleep(0.1)

    def new_token(self) -> str:
        """A token of a new account."""
        account = muster(self.data, "account", "create", "test")
        created = muster(self.data, "token", "create", "--account", account.stdout.strip())
        return created.stdout.strip()

    def interrupt(self) -> None:
        """Ctrl-C: every process of the terminal's group gets the signal."""
        os.killpg(self.process.pid, signal.SIGINT)

    def request(self, method: str, path: str, body: object = None) -> tuple[int, Any]:
        return asyncio.run(self._request(method, path, body))

    async def _request(self, method: str, path: str, body: object) -> tuple[int, Any]:
        headers = {"Authorization": f"Bearer {self.token}"}
        async with (
            aiohttp.ClientSession(headers=headers) as session,
            session.request(method, self.address + path, json=body) as response,
        ):
            return response.status, await response.json()

    def list_names(self) -> set[str]:
        return {each["name"] for each in self.request("GET", "/v3/contact_lists")[1]["lists"]}


@contextmanager
def up(data: Path, **more: str) -> Iterator[Up]:
    """A stack that is gone at the end, however the test leaves it."""
    stack = Up(data, **more)
    processes = stack.processes()
    try:
        yield stack
    finally:
        with suppress(ProcessLookupError):
            stack.process.send_signal(signal.SIGINT)
        with suppress(subprocess.TimeoutExpired):
            stack.process.wait(60)
        for process in processes:
            with suppress(psutil.NoSuchProcess):
                process.kill()
        stack.process.kill()
        stack.process.wait()


def left_of(processes: list[psutil.Process], within: float) -> list[psutil.Process]:
    """Which of them still run after that many seconds."""
    _, alive = psutil.wait_procs(processes, timeout=within)
    return [process for process in alive if process.status() != psutil.STATUS_ZOMBIE]


@contextmanager
def fresh_folder() -> Iterator[Path]:
    """Not pytest's: each run of it closes the folder of all its runs anew, while servers of root's may be starting."""
    with TemporaryDirectory(prefix="muster-e2e-", dir="/tmp") as folder:
        yield Path(folder) / "data"
