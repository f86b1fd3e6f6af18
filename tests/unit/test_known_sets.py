"""What a process remembers of sets."""

from uuid import uuid4

from engine.sets.known import KnownSets


def test_one_set_is_forgotten_and_the_others_are_not() -> None:
    known, (gone, kept) = KnownSets(), (uuid4(), uuid4())
    known.remember(1, "list", gone, 7)
    known.remember(1, "list", kept, 8)
    known.drop(1, "list", gone)
    known.drop(1, "list", uuid4())
    known.drop(2, "list", kept)
    assert (known.number(1, "list", gone), known.set_id(1, 7)) == (None, None)
    assert (known.number(1, "list", kept), known.set_id(1, 8)) == (8, kept)
    known.forget()
    assert (known.number(1, "list", kept), known.set_id(1, 8)) == (None, None)
