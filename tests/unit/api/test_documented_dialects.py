"""The tables of api/README.md on the dialects beside v3, against what these have."""

import re
from collections.abc import Iterator, Sequence
from pathlib import Path
from unittest.mock import Mock

import pytest

from api.convio import SERVLETS
from api.convio.calling import Restricted
from api.greenrope.functions import FUNCTIONS
from api.ivvy.actions import ACTIONS
from api.ivvy.batches import Batches
from api.w50.front import ROUTES
from engine.principals import Privilege

API = Path(__file__).parents[3] / "api"
#: What the names of a route's parts are called in the README.
PARTS = {"{list}": "{contactListId}", "{job}": "{importJobId}", "{contact}": "{contactId}"}


def section(title: str) -> str:
    [_, after] = (API / "README.md").read_text().split(f"\n## {title}\n")
    return after.split("\n## ")[0]


def rows(title: str) -> Iterator[list[str]]:
    """The cells of the rows of a dialect's table, without its head; an empty first cell is that of the row before."""
    first = ""
    for row in re.findall(r"^\|(?! ---)(.*)\|$", section(title), re.MULTILINE)[1:]:
        cells = [cell.strip() for cell in row.split("|")]
        first = cells[0] = cells[0] or first
        yield cells


def names(cell: str) -> list[str]:
    return re.findall("`([^`]+)`", cell)


def worded(privileges: Sequence[Privilege]) -> str:
    """As a cell has them; whoever has any may do what each of them allows."""
    return "" if len(privileges) == len(Privilege) else " or ".join(privileges)


def test_convio() -> None:
    """Contract convio.md 3 and 6.1 to 6.9."""
    documented = {(servlet, name): cells[0] for servlet, methods, *cells in rows("Convio") for name in names(methods)}
    assert documented == {
        (f"`{servlet}`", method.name): worded(method.privileges) if isinstance(method, Restricted) else ""
        for servlet, methods in SERVLETS.items()
        for method in methods
    }


def test_ivvy() -> None:
    """Contract ivvy.md 5 to 10.3."""
    documented = {(of, name): cells[0] for of, actions, *cells in rows("iVvy") for name in names(actions)}
    actions = {**ACTIONS, **Batches(Mock()).actions}
    assert documented == {(f"`{of}`", name): worded(action.privileges) for (of, name), action in actions.items()}


def test_greenrope() -> None:
    """Contract greenrope.md 4 to 6.5."""
    assert {name for functions, *_ in rows("GreenRope") for name in names(functions)} == FUNCTIONS.keys()


def test_w50() -> None:
    """Contract w50.md 3 to 8."""
    documented = dict[tuple[str, str], str]()
    for routes, privilege, _ in rows("W50"):
        verbs = re.findall("[A-Z]{3,}", routes)
        paths = [path.split(" ")[-1] for path in names(routes) if not path.isupper()]
        documented |= {(verb, path): privilege for verb in verbs for path in paths}
    assert documented == {(each.method, _path(each.path)): each.privilege for each in ROUTES}


def _path(path: str) -> str:
    for ours, told in PARTS.items():
        path = path.replace(ours, told)
    return path


@pytest.mark.parametrize(("title", "package"), [("Convio", "convio"), ("iVvy", "ivvy"), ("GreenRope", "greenrope")])
def test_parameters_that_are_told_are_read(title: str, package: str) -> None:
    sources = "".join(path.read_text() for path in (API / package).glob("*.py"))
    told = {name.strip("…_") for *_, cell in rows(title) for name in names(cell) if not name.startswith("/")}
    unread = [name for name in told if not re.search(rf"(?<![a-z]){name}(?![a-z])", sources, re.IGNORECASE)]
    assert unread == []


@pytest.mark.parametrize(
    ("title", "package"), [("Convio", "convio"), ("iVvy", "ivvy"), ("GreenRope", "greenrope"), ("W50", "w50")]
)
def test_where_codes_of_errors_come_from(title: str, package: str) -> None:
    [(table, module)] = re.findall(
        r"`([A-Z_]+)`[^`]*(?:`specificCode`[^`]*)?`(api/\w+/refusals.py)`", " ".join(section(title).split())
    )
    assert module == f"api/{package}/refusals.py"
    assert f"\n{table}: Mapping" in (API / package / "refusals.py").read_text()
