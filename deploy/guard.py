"""Runs one command so that it can never outlive the process that started it.

    python -I -S guard.py [--stop INT] [--kill QUIT] [--grace 30] [--user UID:GID] -- command argument…

Standard input is a pipe from the parent. When it ends (the parent is gone, even by kill -9) or on SIGTERM the
command gets the stop signal, after `grace` seconds the kill signal, and at last SIGKILL for its whole process
group. SIGQUIT skips the grace. SIGINT and SIGHUP are ignored: the terminal's Ctrl-C is the parent's to judge.
Should the guard itself be killed, Linux sends the stop signal in its place. The exit code is the command's,
or 128 + n if signal n ended it.

This file is run by its path: it must import nothing but the standard library, and little of that.
"""

import argparse
import ctypes
import os
import select
import signal
import sys
import time
from collections.abc import Sequence
from pathlib import Path

#: Seconds between the kill signal and SIGKILL.
KILL_SECONDS = 6.0

#: What the parent asks for, and the news of the command's end.
HEEDED = (signal.SIGTERM, signal.SIGQUIT, signal.SIGCHLD)

#: What the terminal sends to everybody in it.
IGNORED = (signal.SIGINT, signal.SIGHUP)

#: What the command must find as if no guard, and no Python, had been there.
RESTORED = (*HEEDED, *IGNORED, signal.SIGPIPE, signal.SIGXFSZ)

#: File descriptor of the pipe from the parent.
PARENT = 0

#: prctl(2): have the kernel send a signal when the parent ends.
PR_SET_PDEATHSIG = 1


def guarded(
    command: Sequence[str],
    *,
    stop: signal.Signals = signal.SIGTERM,
    kill: signal.Signals = signal.SIGKILL,
    grace: float = 10,
    user: str | None = None,
) -> list[str]:
    """The command line that runs the command under a guard; `user` is "uid:gid"."""
    options = [f"--stop={stop.name}", f"--kill={kill.name}", f"--grace={grace}"]
    if user is not None:
        options.append(f"--user={user}")
    return [sys.executable, "-I", "-S", str(Path(__file__).resolve()), *options, "--", *command]


class Ending:
    """How far the command has been asked to end: not yet, stop, kill, SIGKILL for the group."""

    def __init__(self, pid: int, stop: signal.Signals, kill: signal.Signals, grace: float) -> None:
        self._pid = pid
        self._steps = ((stop, grace), (kill, KILL_SECONDS), (signal.SIGKILL, None))
        self._reached = -1
        self._deadline: float | None = None

    def stop(self) -> None:
        self._reach(0)

    def kill(self) -> None:
        self._reach(1)

    def seconds_left(self) -> float | None:
        return None if self._deadline is None else max(0.0, self._deadline - time.monotonic())

    def insist(self) -> None:
        """Takes the next step when the time of the last one is up."""
        if self.seconds_left() == 0:
            self._reach(self._reached + 1)

    def _reach(self, step: int) -> None:
        if step <= self._reached:
            return
        self._reached = step
        number, seconds = self._steps[step]
        self._deadline = None if seconds is None else time.monotonic() + seconds
        _send(self._pid, number)


def main(arguments: Sequence[str]) -> int:
    order = _parse(arguments)
    signals = _listen()
    pid = _start(order)
    ending = Ending(pid, signal.Signals[order.stop], signal.Signals[order.kill], order.grace)
    try:
        return _watch(pid, ending, signals)
    finally:
        _send(pid, signal.SIGKILL)  # whatever the command left behind in its group


def _parse(arguments: Sequence[str]) -> argparse.Namespace:
    parser = argparse.ArgumentParser(description="Runs a command that ends with its parent.")
    parser.add_argument("--stop", default="SIGTERM", help="signal that asks the command to end")
    parser.add_argument("--kill", default="SIGKILL", help="signal that follows after the grace")
    parser.add_argument("--grace", type=float, default=10.0, help="seconds between the two")
    parser.add_argument("--user", help="uid:gid to run the command as")
    parser.add_argument("command", nargs="+")
    return parser.parse_args(arguments)


def _listen() -> int:
    """Has signals written to a pipe; answers the end to read from."""
    reading, writing = os.pipe()
    os.set_blocking(writing, False)
    os.set_blocking(reading, False)
    signal.set_wakeup_fd(writing)
    for number in HEEDED:
        signal.signal(number, lambda _number, _frame: None)
    for number in IGNORED:
        signal.signal(number, signal.SIG_IGN)
    return reading


def _start(order: argparse.Namespace) -> int:
    guard = os.getpid()
    # A signal must not be lost to the guard's handlers between fork and exec.
    mask = signal.pthread_sigmask(signal.SIG_BLOCK, HEEDED)
    pid = os.fork()
    if pid == 0:
        try:
            _become(order, guard, mask)
        except OSError as error:
            print(f"cannot run {order.command[0]}: {error}", file=sys.stderr, flush=True)  # noqa: T201
        finally:
            os._exit(127)
    signal.pthread_sigmask(signal.SIG_SETMASK, mask)
    return pid


def _become(order: argparse.Namespace, guard: int, mask: set[int | signal.Signals]) -> None:
    os.setsid()
    signal.set_wakeup_fd(-1)
    for number in RESTORED:
        signal.signal(number, signal.SIG_DFL)
    signal.pthread_sigmask(signal.SIG_SETMASK, mask)
    if order.user is not None:
        _drop_to(order.user)
    # After the change of user, which would clear it.
    _die_with_parent(guard, signal.Signals[order.stop])
    os.dup2(os.open(os.devnull, os.O_RDONLY), PARENT)
    os.execvp(order.command[0], order.command)  # noqa: S606


def _drop_to(user: str) -> None:
    uid, _, gid = user.partition(":")
    os.setgroups([])
    os.setgid(int(gid))
    os.setuid(int(uid))


def _die_with_parent(guard: int, number: signal.Signals) -> None:
    if sys.platform == "linux":
        ctypes.CDLL(None, use_errno=True).prctl(PR_SET_PDEATHSIG, number.value)
        if os.getppid() != guard:
            os._exit(127)


def _watch(pid: int, ending: Ending, signals: int) -> int:
    """Waits for the command's end, and brings it about when the parent asks for it or is gone."""
    sources = {PARENT, signals}
    while True:
        ready, _, _ = select.select(sources, [], [], ending.seconds_left())
        if (code := _ended(pid)) is not None:
            return code
        if signals in ready:
            _obey(os.read(signals, 64), ending)
        if PARENT in ready and not os.read(PARENT, 64):
            sources.remove(PARENT)
            ending.stop()
        ending.insist()


def _obey(numbers: bytes, ending: Ending) -> None:
    if signal.SIGQUIT in numbers:
        ending.kill()
    elif signal.SIGTERM in numbers:
        ending.stop()


def _ended(pid: int) -> int | None:
    ended, status = os.waitpid(pid, os.WNOHANG)
    if ended == 0:
        return None
    code = os.waitstatus_to_exitcode(status)
    return code if code >= 0 else 128 - code


def _send(pid: int, number: signal.Signals) -> None:
    """SIGKILL goes to the whole group; any other signal to the command, which knows its children best."""
    try:
        if number == signal.SIGKILL:
            os.killpg(pid, number)
        else:
            os.kill(pid, number)
    except (ProcessLookupError, PermissionError):
        pass  # it has ended; macOS says "not permitted" of a group of zombies


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
