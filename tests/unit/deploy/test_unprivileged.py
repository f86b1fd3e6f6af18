"""Root's servers run as somebody else, who is let through just the folders that lead to them."""

import os
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from tempfile import TemporaryDirectory

import pytest

from deploy.unprivileged import CANDIDATES, SystemUser, let_through, open_to_all, server_user
from engine.errors import Unusable

as_root = pytest.mark.skipif(os.geteuid() != 0, reason="only root can run something as somebody else")

NOBODY = SystemUser("nobody", 65534, 65534)
SOMEBODY_ELSE = SystemUser("4321", 4321, 4321)


def succeeds(user: SystemUser, *command: str) -> bool:
    ended = subprocess.run(
        command, user=user.uid, group=user.gid, extra_groups=[], cwd="/", capture_output=True, check=False
    )
    return ended.returncode == 0


def can_read(user: SystemUser, path: Path) -> bool:
    return succeeds(user, "/bin/cat", str(path))


def can_list(user: SystemUser, folder: Path) -> bool:
    return succeeds(user, "/bin/ls", str(folder))


@pytest.fixture
def secret() -> Iterator[Path]:
    """A file that all may read, in a folder that nobody else may enter."""
    with TemporaryDirectory(dir="/tmp") as root:
        Path(root).chmod(0o711)
        home = Path(root) / "home"
        home.mkdir(mode=0o700)
        (home / "file").write_text("text")
        (home / "file").chmod(0o644)
        yield home / "file"


@pytest.mark.skipif(os.geteuid() == 0, reason="not for root")
def test_nobody_else_is_needed_without_root(tmp_path: Path) -> None:
    assert server_user(tmp_path) is None


@as_root
def test_root_uses_an_account_that_is_there(tmp_path: Path) -> None:
    user = server_user(tmp_path / "new")
    assert user is not None
    assert user.name in CANDIDATES
    assert user.uid != 0


@as_root
def test_data_stay_with_their_owner(tmp_path: Path) -> None:
    os.chown(tmp_path, 4321, 4321)
    assert server_user(tmp_path) == SOMEBODY_ELSE


def test_somebody_elses_data_are_refused(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(os, "geteuid", lambda: 4321)
    with pytest.raises(Unusable, match="belongs to user"):
        server_user(tmp_path)


def test_a_system_without_an_account_to_use_is_told_so(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(os, "geteuid", lambda: 0)
    monkeypatch.setattr("deploy.unprivileged.CANDIDATES", ("no-such-user",))
    with pytest.raises(Unusable, match="DATABASE_URL"):
        server_user(tmp_path / "new")


@as_root
@pytest.mark.skipif(sys.platform != "linux", reason="access control lists of Linux")
def test_a_user_is_let_through_and_only_that_one(secret: Path) -> None:
    assert not can_read(NOBODY, secret)
    let_through(NOBODY, secret)
    assert can_read(NOBODY, secret)
    assert not can_read(SOMEBODY_ELSE, secret)
    let_through(SOMEBODY_ELSE, secret)
    let_through(NOBODY, secret)
    assert can_read(NOBODY, secret)
    assert can_read(SOMEBODY_ELSE, secret)


@as_root
@pytest.mark.skipif(sys.platform != "linux", reason="access control lists of Linux")
def test_being_let_through_is_not_being_let_in(secret: Path) -> None:
    let_through(NOBODY, secret)
    assert not can_list(NOBODY, secret.parent)


@as_root
@pytest.mark.skipif(sys.platform != "linux", reason="access control lists of Linux")
def test_the_groups_own_rights_stay(secret: Path) -> None:
    secret.parent.chmod(0o750)
    let_through(NOBODY, secret)
    assert can_list(SystemUser("4321", 4321, secret.parent.stat().st_gid), secret.parent)


def test_where_nobody_can_be_let_through_the_refusal_says_what_to_do(
    secret: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def refuse(*_: object) -> None:
        raise OSError("not supported")

    monkeypatch.setattr("deploy.unprivileged._set_access_list", refuse)
    with pytest.raises(Unusable, match=f"chmod o\\+x {secret.parent}"):
        let_through(SOMEBODY_ELSE, secret)


def test_programs_installed_under_a_strict_umask_are_opened(tmp_path: Path) -> None:
    (tmp_path / "bin").mkdir(mode=0o700)
    program, data = tmp_path / "bin" / "program", tmp_path / "data"
    program.touch(0o700)
    data.touch(0o600)
    open_to_all(tmp_path)
    assert [path.stat().st_mode & 0o777 for path in (tmp_path / "bin", program, data)] == [0o755, 0o755, 0o644]
