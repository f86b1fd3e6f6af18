"""Dialects are packages of the API of which none knows another (CONTRIBUTING, where a thing goes)."""

import tomllib
from pathlib import Path

ROOT = Path(__file__).parents[3]


def test_every_dialect_is_checked() -> None:
    linter = tomllib.loads((ROOT / "pyproject.toml").read_text())["tool"]["importlinter"]
    [independence] = [each for each in linter["contracts"] if each["type"] == "independence"]
    packages = {f"api.{path.parent.name}" for path in (ROOT / "api").glob("*/__init__.py")} - {"api.docs"}
    assert set(independence["modules"]) == packages
