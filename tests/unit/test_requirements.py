"""requirements.lock installs the same files from any index, on any supported platform."""

import re
import tomllib
from pathlib import Path

ROOT = Path(__file__).parents[2]
LOCK = (ROOT / "requirements.lock").read_text()
PYPROJECT = tomllib.loads((ROOT / "pyproject.toml").read_text())


def locked_names() -> set[str]:
    return set(re.findall(r"^([a-z0-9-]+)(?:\[\S+\])?==", LOCK, re.MULTILINE))


def wanted_names() -> set[str]:
    project = PYPROJECT["project"]
    extras = [requirement for extra in project["optional-dependencies"].values() for requirement in extra]
    wanted = [*project["dependencies"], *extras, *PYPROJECT["build-system"]["requires"]]
    return {re.split(r"[\[<>=~! ;]", requirement, maxsplit=1)[0] for requirement in wanted}


def test_the_lock_names_no_address() -> None:
    suspicious = re.compile(r"://|^\s*-(?!-hash=)|\bindex\b|\.(org|com|net|io)\b", re.MULTILINE)
    assert not suspicious.search(LOCK)


def test_every_locked_package_has_hashes() -> None:
    entries = re.split(r"^(?=[a-z0-9])", LOCK, flags=re.MULTILINE)[1:]
    assert entries
    assert [entry for entry in entries if "--hash=sha256:" not in entry] == []


def test_everything_asked_for_is_locked() -> None:
    assert wanted_names() - locked_names() == set()
