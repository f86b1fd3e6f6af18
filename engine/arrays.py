"""Arrays in requests: how many items they may have."""

from dataclasses import dataclass
from typing import Any

from pydantic import GetCoreSchemaHandler
from pydantic_core import core_schema


@dataclass(frozen=True, slots=True)
class Sized:
    """How many items a tuple may have: nothing behind the last of them is looked at.

    Pydantic counts so when it reads a list. The items of a tuple it counts in the end, when it has a problem for each
    wrong one: 8 MiB of wrong items are millions, for which an API process stood still for half a minute.
    """

    most: int
    least: int = 0

    def __get_pydantic_core_schema__(self, source: Any, handler: GetCoreSchemaHandler) -> core_schema.CoreSchema:
        array = handler(source)
        assert array["type"] == "tuple", "only tuples can be sized"
        [items] = array["items_schema"]
        counted = core_schema.list_schema(items, min_length=self.least or None, max_length=self.most)
        return core_schema.no_info_after_validator_function(tuple, counted)
