"""The Makefile: which interpreter .venv is made with."""

import shutil
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[3]


@pytest.fixture
def checkout(tmp_path: Path) -> Path:
    """A checkout whose .venv, of the interpreter that runs this, is made."""
    for name in ("pyproject.toml", "requirements.lock", "Makefile"):
        shutil.copyfile(ROOT / name, tmp_path / name)
    (tmp_path / ".venv" / "bin").mkdir(parents=True)
    (tmp_path / ".venv" / "bin" / "python").symlink_to(sys.executable)
    (tmp_path / ".venv" / ".installed").write_text(f"{tmp_path}\n")
    return tmp_path


def interpreter(path: Path, script: str) -> Path:
    path.write_text(f"#!/bin/sh\n{script}\n")
    path.chmod(0o755)
    return path


def planned(checkout: Path, *arguments: str) -> subprocess.CompletedProcess[str]:
    """What `make up` would do."""
    command = ["make", "-n", *arguments, "up"]
    return subprocess.run(command, cwd=checkout, capture_output=True, text=True, check=False)


def test_a_venv_is_kept(checkout: Path) -> None:
    assert "Installing" not in planned(checkout).stdout


def test_a_venv_of_the_interpreter_that_is_asked_for_is_kept(checkout: Path) -> None:
    same = interpreter(checkout / "same", f'exec "{sys.executable}" "$@"')
    assert "Installing" not in planned(checkout, f"PYTHON={same}").stdout


def test_a_venv_of_another_interpreter_is_made_anew(checkout: Path) -> None:
    other = interpreter(checkout / "other", "echo another version")
    made = planned(checkout, f"PYTHON={other}")
    assert f"{other} -m venv --clear .venv" in made.stdout, made.stderr


def test_an_interpreter_that_does_not_work_is_refused_and_the_venv_kept(checkout: Path) -> None:
    refused = planned(checkout, "PYTHON=/no/such/python")
    assert refused.returncode != 0
    assert "/no/such/python is not usable: Muster needs Python 3.11 to 3.14" in refused.stderr
    assert (checkout / ".venv" / ".installed").exists()
