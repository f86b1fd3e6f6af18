"""A guarded command never outlives its parent, whatever happens to either. Real processes throughout."""

import os
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

import psutil
import pytest

from deploy.guard import guarded

#: Tells its pid, then sleeps; SIGTERM ends it with code 5. In naps: a signal that comes just before a sleep begins does
#: not end it.
POLITE = (
    "import os,signal,sys,time;signal.signal(15,lambda *_:sys.exit(5));print(os.getpid(),flush=True);"
    "[time.sleep(0.05) for _ in range(1200)]"
)
#: Tells its pid, then sleeps whatever is asked of it.
STUBBORN = "import os,signal,time;signal.signal(15,signal.SIG_IGN);print(os.getpid(),flush=True);time.sleep(60)"
#: Tells the pid of a child of its own, then sleeps.
FRUITFUL = "import os,time;pid=os.fork();pid and print(pid,flush=True);time.sleep(60)"


def python(code: str) -> list[str]:
    return [sys.executable, "-c", code]


@contextmanager
def running(command: list[str]) -> Iterator[tuple[subprocess.Popen[str], psutil.Process]]:
    """A guard, and the process whose pid its command tells."""
    with subprocess.Popen(
        command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True, start_new_session=True
    ) as guard:
        assert guard.stdout is not None
        child = psutil.Process(int(guard.stdout.readline()))
        try:
            yield guard, child
        finally:
            guard.kill()
            with suppress(psutil.NoSuchProcess):
                child.kill()


def ends(process: psutil.Process, within: float = 5) -> bool:
    deadline = time.monotonic() + within
    with suppress(psutil.NoSuchProcess):  # it may end between two questions
        while process.is_running() and process.status() != psutil.STATUS_ZOMBIE:
            if time.monotonic() > deadline:
                return False
            time.sleep(0.01)
    return True


@pytest.mark.parametrize(
    ("code", "exit_code"),
    [("raise SystemExit(7)", 7), ("pass", 0), ("import os;os.kill(os.getpid(),9)", 137)],
)
def test_the_exit_code_is_the_commands(code: str, exit_code: int) -> None:
    with subprocess.Popen(guarded(python(code)), stdin=subprocess.PIPE) as guard:
        assert guard.wait(10) == exit_code


def test_a_command_that_does_not_exist_says_so(tmp_path: Path) -> None:
    missing = str(tmp_path / "no-such-command")
    with subprocess.Popen(guarded([missing]), stdin=subprocess.PIPE, stderr=subprocess.PIPE, text=True) as guard:
        assert guard.wait(10) == 127
        assert guard.stderr is not None
        assert guard.stderr.read().startswith(f"cannot run {missing}: ")


def test_the_command_reads_no_standard_input() -> None:
    with subprocess.Popen(
        guarded(python("import sys;sys.exit(len(sys.stdin.read()))")), stdin=subprocess.PIPE
    ) as guard:
        assert guard.wait(10) == 0


def test_sigterm_stops_the_command() -> None:
    with running(guarded(python(POLITE))) as (guard, child):
        guard.terminate()
        assert guard.wait(10) == 5
        assert ends(child)


def test_another_stop_signal_can_be_given() -> None:
    with running(guarded(python(STUBBORN), stop=signal.SIGINT)) as (guard, child):
        guard.terminate()
        assert guard.wait(10) == 128 + signal.SIGINT
        assert ends(child)


def test_the_end_of_the_pipe_stops_the_command() -> None:
    with running(guarded(python(POLITE))) as (guard, child):
        assert guard.stdin is not None
        guard.stdin.close()
        assert guard.wait(10) == 5
        assert ends(child)


def test_what_ignores_the_stop_signal_is_killed_after_the_grace() -> None:
    with running(guarded(python(STUBBORN), grace=0.3)) as (guard, child):
        began = time.monotonic()
        guard.terminate()
        assert guard.wait(10) == 128 + signal.SIGKILL
        assert 0.3 <= time.monotonic() - began < 5
        assert ends(child)


def test_sigquit_skips_the_grace() -> None:
    with running(guarded(python(STUBBORN), grace=60)) as (guard, child):
        guard.terminate()
        guard.send_signal(signal.SIGQUIT)
        assert guard.wait(5) == 128 + signal.SIGKILL
        assert ends(child)


def test_the_terminals_signals_do_not_reach_the_command() -> None:
    with running(guarded(python(POLITE))) as (guard, child):
        os.killpg(guard.pid, signal.SIGINT)
        os.killpg(guard.pid, signal.SIGHUP)
        time.sleep(0.2)
        assert guard.poll() is None
        assert child.is_running()


def test_nothing_of_the_commands_group_is_left() -> None:
    with running(guarded(python(FRUITFUL))) as (guard, grandchild):
        guard.terminate()
        assert guard.wait(10) == 128 + signal.SIGTERM
        assert ends(grandchild)


@pytest.mark.skipif(sys.platform != "linux", reason="only Linux tells a process of its parent's end")
def test_a_killed_guard_takes_its_command_along() -> None:
    with running(guarded(python(POLITE))) as (guard, child):
        guard.kill()
        assert ends(child)


def test_a_killed_parent_takes_guard_and_command_along() -> None:
    parent = (
        "import subprocess,sys,time;"
        f"subprocess.Popen({guarded(python(STUBBORN), grace=0.2)!r},stdin=-1,start_new_session=True);"
        "time.sleep(60)"
    )
    with running(python(parent)) as (process, child):
        guard = psutil.Process(child.ppid())
        process.kill()
        assert ends(child)
        assert ends(guard)
