"""Every section of the contract that has rules is named by a test that holds one of them."""

import ast
import re
from collections.abc import Iterator
from pathlib import Path

import pytest

TESTS = Path(__file__).parents[1]

#: The sections of contract v3.md with rules; the others say where its statements come from.
SECTIONS = (
    *(f"1.{number}" for number in range(1, 12)),
    "2.0",
    *(f"2.1.{number}" for number in range(1, 17)),
    *(f"2.{number}" for number in range(2, 6)),
    "3.1",
    "3.2",
    *(f"3.2.{number}" for number in range(1, 5)),
    *(f"3.{number}" for number in range(3, 16)),
    "4.1",
    "4.2",
    "4.3",
)

NUMBER = r"\d+(?:\.\d+)+"
#: "Contract 2.2", "contract v3.md 3.4 to 3.6", "Contract 1.6, 1.7 and 2.1.8".
MENTION = re.compile(rf"[Cc]ontract (?:v3\.md )?({NUMBER}(?:(?:, | and |, and | to |–){NUMBER})*)")


def sections(docstring: str) -> set[str]:
    """The sections that a docstring names; a range names all in it."""
    found = set()
    for mention in MENTION.findall(" ".join(docstring.split())):
        found.update(re.findall(NUMBER, mention))
        for first, last in re.findall(rf"({NUMBER})(?: to |–)({NUMBER})", mention):
            head, _, begin = first.rpartition(".")
            found.update(f"{head}.{number}" for number in range(int(begin), int(last.rpartition(".")[2]) + 1))
    return found


def docstrings() -> Iterator[str]:
    """Those of all test functions and test classes."""
    for path in TESTS.rglob("test_*.py"):
        for node in ast.walk(ast.parse(path.read_bytes())):
            if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef | ast.ClassDef):
                yield (ast.get_docstring(node) or "") if node.name.lower().startswith("test") else ""


NAMED = set().union(*map(sections, docstrings()))


@pytest.mark.parametrize("section", SECTIONS)
def test_every_section_is_named_by_a_test(section: str) -> None:
    assert section in NAMED


@pytest.mark.parametrize(
    ("docstring", "named"),
    [
        ("Contract 2.2: a list.", {"2.2"}),
        ("Contract v3.md 1.6, 1.7 and\n    2.1.8.", {"1.6", "1.7", "2.1.8"}),
        ("As in contract v3.md 3.4 to 3.6.", {"3.4", "3.5", "3.6"}),
        ("Issue 2, section 2; contract v3.md 3.2.1.", {"3.2.1"}),
        ("Python 3.11 or contract 5.", set()),
    ],
)
def test_what_names_a_section(docstring: str, named: set[str]) -> None:
    assert sections(docstring) == named
