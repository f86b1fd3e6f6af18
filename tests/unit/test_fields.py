"""The name of a custom field, which follows from its label (contract v3.md 2.4)."""

from hypothesis import given
from hypothesis import strategies as st

from engine.fields import name_of

LABELS = st.text(min_size=1, max_size=50).filter(str.strip)


@given(LABELS)
def test_a_name_has_no_blanks_and_is_no_longer_than_its_label(label: str) -> None:
    name = name_of(label)
    assert name
    assert not any(character.isspace() for character in name)
    assert len(name) <= len(label)
    assert name_of(name) == name


@given(LABELS.map(str.strip))
def test_all_but_the_blanks_stays_as_it_is(label: str) -> None:
    for given_character, kept in zip(label, name_of(label), strict=True):
        assert kept == ("_" if given_character.isspace() else given_character)
