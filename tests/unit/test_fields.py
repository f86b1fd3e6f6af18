"""Custom fields without a database: names, which follow from labels (contract v3.md 2.4), and values by their type."""

from datetime import UTC, datetime
from uuid import UUID

import pytest
from hypothesis import given
from hypothesis import strategies as st

from engine.errors import Invalid
from engine.fields import Choice, Definition, Field, Type, _numbered, fitting, key_of, name_of

LABELS = st.text(min_size=1, max_size=50).filter(str.strip)
NOW = datetime(2026, 1, 15, tzinfo=UTC)
PETS = (Choice(1, "Dog"), Choice(2, "Cat"), Choice(3, "Newt", in_use=False), Choice(4, "Größe 4"))


def field(type_: Type, *choices: Choice) -> Field:
    return Field(7, UUID(int=7), "Pet", "Pet", type_, NOW, NOW, choices=choices)


@given(LABELS)
def test_a_name_has_no_blanks_and_is_no_longer_than_its_label(label: str) -> None:
    name = name_of(label)
    assert name
    assert not any(character.isspace() for character in name)
    assert len(name) <= len(label)
    assert name_of(name) == name
    assert key_of(label) == key_of(name) == name.lower()


@given(LABELS.map(str.strip))
def test_all_but_the_blanks_stays_as_it_is(label: str) -> None:
    for given_character, kept in zip(label, name_of(label), strict=True):
        assert kept == ("_" if given_character.isspace() else given_character)


@pytest.mark.parametrize(
    ("type_", "value", "stored"),
    [
        ("string", " as it is ", " as it is "),
        ("text", "<b>&", "<b>&"),
        ("date", " 2026-01-15 ", "2026-01-15"),
        ("date", "1/15/2026", "2026-01-15"),
        ("date", "20260115", "2026-01-15"),
        ("number", " 123456 ", "123456"),
        ("number", "+1.50", "1.50"),
        ("number", "-0", "-0"),
        ("boolean", "TRUE", "true"),
        ("boolean", "no", "false"),
        ("boolean", "1", "true"),
        ("choice", " dOG", "Dog"),
        ("choice", "GRÖßE 4", "Größe 4"),
        ("choices", "cat, dog,,Cat", "Cat,Dog"),
        ("choices", "Dog", "Dog"),
        ("choices", ",", ""),
        ("email", " kim@example.org ", "kim@example.org"),
        ("mobile", "+1 (555) 010-0001", "+1 (555) 010-0001"),
        ("address", '{"city": "Cork"}', '{"city": "Cork"}'),
        ("file", "report.pdf", "report.pdf"),
    ],
)
def test_values_that_fit(type_: Type, value: str, stored: str) -> None:
    """Contracts greenrope.md 3.1 and w50.md 2.2: typed fields check their values."""
    fitted = fitting(field(type_, *PETS), value)
    assert fitted == stored
    if stored:
        assert fitting(field(type_, *PETS), fitted) == fitted


@pytest.mark.parametrize(
    ("type_", "value"),
    [
        ("date", "2026-02-30"),
        ("date", "20260230"),
        ("date", "\u0662\u0660260115"),
        ("date", "tomorrow"),
        ("number", "1e999999"),
        ("number", "NaN"),
        ("number", "1,5"),
        ("number", "9" * 31),
        ("number", "\u0663"),
        ("boolean", "maybe"),
        ("choice", "Newt"),
        ("choice", "Dog,Cat"),
        ("choices", "Dog,Horse"),
        ("email", "kim"),
        ("email", "kim@example.org, ash@example.org"),
        ("mobile", "call me"),
        ("mobile", "+"),
        ("mobile", "1" * 50),
        ("static", "anything"),
    ],
)
def test_values_that_do_not_fit(type_: Type, value: str) -> None:
    with pytest.raises(Invalid, match=r"^Pet: it "):
        fitting(field(type_, *PETS), value)


@pytest.mark.parametrize("type_", ["choice", "choices"])
def test_without_possible_values_everything_is_possible(type_: Type) -> None:
    """Issue 4, corrections: `PossibleValues` is optional."""
    assert fitting(field(type_), "Horse") == "Horse"
    assert fitting(field(type_, Choice(1, "Dog", in_use=False)), "Horse") == "Horse"


@given(st.sampled_from(["date", "number", "boolean", "choice", "choices", "email", "mobile"]), st.text(max_size=50))
def test_any_text_fits_or_is_refused(type_: Type, value: str) -> None:
    try:
        fitted = fitting(field(type_, *PETS), value)
    except Invalid:
        return
    assert not fitted or fitting(field(type_, *PETS), fitted) == fitted


def test_choices_keep_their_numbers() -> None:
    """Contract greenrope.md 6.4: stored values stay; a number is never another value's."""
    kept = _numbered(("Cat", "Horse", "dog"), PETS)
    assert [choice for choice in kept if choice.in_use] == [Choice(2, "Cat"), Choice(5, "Horse"), Choice(1, "dog")]
    assert [choice for choice in kept if not choice.in_use] == [Choice(3, "Newt", False), Choice(4, "Größe 4", False)]
    assert _numbered(("newt",), kept)[0] == Choice(3, "newt")
    assert _numbered((), ()) == []


def test_a_definition_is_what_was_said() -> None:
    said = field("choice", *PETS).definition()
    assert said == Definition("Pet", "choice", choices=("Dog", "Cat", "Größe 4"))
