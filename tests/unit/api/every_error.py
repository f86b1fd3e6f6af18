"""Every error that a dialect may have to word: the engine's, the front's and its own."""

from collections.abc import Iterator
from types import ModuleType

import api.errors  # noqa: F401 (its errors are part of the tree)
from engine.errors import MusterError

MODULES = ("engine.errors", "api.errors")


def errors(kind: type[MusterError] = MusterError) -> Iterator[type[MusterError]]:
    yield kind
    for narrower in kind.__subclasses__():
        if narrower.__module__ in MODULES:
            yield from errors(narrower)


def of_dialect(refusals: ModuleType) -> list[type[MusterError]]:
    """The engine's and the front's, then those of the dialect's module."""
    kinds = [each for each in vars(refusals).values() if isinstance(each, type) and issubclass(each, MusterError)]
    return [*errors(), *(kind for kind in kinds if kind.__module__ == refusals.__name__)]
