"""The data folder: one stack at a time, sockets that fit, secrets that stay private."""

import os
import subprocess
import sys
from pathlib import Path

import pytest

from deploy.folder import (
    LONGEST_SOCKET,
    SOCKET_PATH_BYTES,
    DataFolder,
    data_folder,
    is_in_use,
    locked,
    make_private,
    write_private,
)
from engine.errors import Unusable


def test_a_folder_has_one_stack_at_a_time(tmp_path: Path) -> None:
    folder = data_folder(tmp_path / "data")
    assert not is_in_use(folder)
    with locked(folder):
        assert is_in_use(folder)
        with pytest.raises(Unusable, match=rf"in use by a running stack \(process {os.getpid()}\)"), locked(folder):
            pass
    assert not is_in_use(folder)


def test_two_folders_do_not_meet(tmp_path: Path) -> None:
    with locked(data_folder(tmp_path / "a")), locked(data_folder(tmp_path / "b")):
        assert is_in_use(data_folder(tmp_path / "a"))


def test_the_folder_stays_taken_until_the_last_process_of_a_stack_has_ended(tmp_path: Path) -> None:
    folder = data_folder(tmp_path)
    with locked(folder) as lock:
        command = [sys.executable, "-c", "input()"]
        leftover = subprocess.Popen(command, stdin=subprocess.PIPE, pass_fds=(lock,))
    assert is_in_use(folder)
    leftover.communicate(b"\n")
    assert not is_in_use(folder)


def test_a_stack_waits_for_what_a_crashed_one_left(tmp_path: Path) -> None:
    folder = data_folder(tmp_path)
    ended = subprocess.Popen([sys.executable, "-c", ""])
    ended.wait()
    with locked(folder) as lock:
        leftover = subprocess.Popen([sys.executable, "-c", "import time; time.sleep(0.3)"], pass_fds=(lock,))
        os.pwrite(lock, f"{ended.pid}\0".encode().ljust(20, b"\0"), 0)
        os.ftruncate(lock, len(str(ended.pid)))
    with locked(folder):
        assert leftover.wait(10) == 0


def test_a_folder_that_cannot_be_made_is_refused(tmp_path: Path) -> None:
    (tmp_path / "file").touch()
    with (
        pytest.raises(Unusable, match=r"cannot use the data folder .* set MUSTER_DATA"),
        locked(data_folder(tmp_path / "file" / "x")),
    ):
        pass


@pytest.mark.parametrize("name", ["short", "long" * 30, "two,hosts"])
def test_a_socket_always_fits(tmp_path: Path, name: str) -> None:
    sockets = data_folder(tmp_path / name).sockets
    assert len(os.fsencode(sockets / LONGEST_SOCKET)) <= SOCKET_PATH_BYTES
    assert "," not in str(sockets)


def test_folders_have_sockets_of_their_own() -> None:
    deep = Path("/", *["deep"] * 30)
    assert DataFolder(deep / "a").sockets != DataFolder(deep / "b").sockets


def test_secrets_are_readable_for_their_owner_only(tmp_path: Path) -> None:
    path = tmp_path / "secret.json"
    path.write_text("old")
    path.chmod(0o644)
    write_private(path, "new")
    assert path.read_text() == "new"
    assert path.stat().st_mode & 0o777 == 0o600


def test_a_private_folder_is_closed_to_others(tmp_path: Path) -> None:
    (tmp_path / "run").mkdir(mode=0o777)
    make_private(tmp_path / "run", None)
    assert (tmp_path / "run").stat().st_mode & 0o777 == 0o700


def test_a_link_is_no_private_folder(tmp_path: Path) -> None:
    (tmp_path / "run").symlink_to(tmp_path)
    with pytest.raises(Unusable, match="remove it"):
        make_private(tmp_path / "run", None)


def test_a_long_log_is_put_aside(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("deploy.folder.LOG_BYTES", 10)
    folder = data_folder(tmp_path)
    folder.make()
    folder.log("api").write_text("more than ten\n")
    os.close(folder.open_log("api"))
    assert folder.log("api").read_text() == ""
    assert folder.log("api").with_suffix(".log.1").read_text() == "more than ten\n"


def test_the_end_of_a_log(tmp_path: Path) -> None:
    folder = data_folder(tmp_path)
    folder.make()
    assert folder.log_end("api") == ""
    folder.log("api").write_text("".join(f"line {number}\n" for number in range(100)))
    assert folder.log_end("api", lines=2) == "line 98\nline 99"
