"""Every section of a contract that has rules is named by a test that holds one of them.

Which contract is meant, a docstring says itself ("contract convio.md 6.1"), or its module's does; else it is v3.md.
"""

import ast
import re
from collections.abc import Iterator
from pathlib import Path

import pytest

TESTS = Path(__file__).parents[1]

#: The sections with rules, by contract; the others say where its statements come from.
SECTIONS = {
    "v3.md": (
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
    ),
    "convio.md": ("1", "2", "3", "3.1", "4", "5", *(f"6.{number}" for number in range(1, 10)), "7", "8", "9", "10"),
    "greenrope.md": (
        "1",
        "1.1",
        "1.2",
        "2",
        "2.1",
        "3",
        *(f"3.{number}" for number in range(1, 5)),
        "4",
        *(f"5.{number}" for number in range(1, 6)),
        *(f"6.{number}" for number in range(1, 6)),
        *(f"6.1.{number}" for number in range(1, 4)),
        "7",
        "8",
        "10",
        "12",
    ),
    "ivvy.md": (
        *("1", "2", "2.1", "2.2", "3", "4", "5", "6", "7", "8.1", "8.2"),
        *(f"9.{number}" for number in range(1, 5)),
        *(f"10.{number}" for number in range(1, 4)),
        *("11", "12"),
    ),
    "w50.md": ("1", "2.1", "2.2", "2.3", *(str(number) for number in range(3, 11))),
}

TESTED = ast.FunctionDef | ast.AsyncFunctionDef | ast.ClassDef
CONTRACT = r"(?:v3|convio|ivvy|greenrope|w50)\.md"
NUMBER = r"\d+(?:\.\d+)*"
#: "Contract 2.2", "contract v3.md 3.4 to 3.6", "Contract 1.6, 1.7 and 2.1.8".
MENTION = re.compile(rf"[Cc]ontract (?:({CONTRACT}) )?({NUMBER}(?:(?:, | and |, and | to |–){NUMBER})*)")


def sections(docstring: str, contract: str = "v3.md") -> set[tuple[str, str]]:
    """The contracts and sections that a docstring names; a range names all in it."""
    found = set[tuple[str, str]]()
    for named, mention in MENTION.findall(" ".join(docstring.split())):
        numbers = set(re.findall(NUMBER, mention))
        for first, last in re.findall(rf"({NUMBER})(?: to |–)({NUMBER})", mention):
            head, dot, begin = first.rpartition(".")
            numbers.update(f"{head}{dot}{number}" for number in range(int(begin), int(last.rpartition(".")[2]) + 1))
        found.update((named or contract, number) for number in numbers)
    return found


def named() -> Iterator[set[tuple[str, str]]]:
    """What the docstrings of all test functions and test classes name."""
    for path in TESTS.rglob("test_*.py"):
        module = ast.parse(path.read_bytes())
        said = re.search(CONTRACT, ast.get_docstring(module) or "")
        for node in ast.walk(module):
            if isinstance(node, TESTED) and node.name.lower().startswith("test"):
                yield sections(ast.get_docstring(node) or "", said.group() if said else "v3.md")


NAMED = set[tuple[str, str]]().union(*named())


@pytest.mark.parametrize(
    ("contract", "section"), [(contract, each) for contract, every in SECTIONS.items() for each in every]
)
def test_every_section_is_named_by_a_test(contract: str, section: str) -> None:
    assert (contract, section) in NAMED


@pytest.mark.parametrize(
    ("docstring", "named"),
    [
        ("Contract 2.2: a list.", {("v3.md", "2.2")}),
        ("Contract v3.md 1.6, 1.7 and\n    2.1.8.", {("v3.md", "1.6"), ("v3.md", "1.7"), ("v3.md", "2.1.8")}),
        ("As in contract v3.md 3.4 to 3.6.", {("v3.md", "3.4"), ("v3.md", "3.5"), ("v3.md", "3.6")}),
        ("Issue 2, section 2; contract v3.md 3.2.1.", {("v3.md", "3.2.1")}),
        ("Contract convio.md 7 to 9.", {("convio.md", "7"), ("convio.md", "8"), ("convio.md", "9")}),
        ("Python 3.11, or a contract.", set()),
    ],
)
def test_what_names_a_section(docstring: str, named: set[tuple[str, str]]) -> None:
    assert sections(docstring) == named


def test_whose_section_it_is() -> None:
    assert sections("Contract 2, and contract v3.md 3.1", "w50.md") == {("w50.md", "2"), ("v3.md", "3.1")}
