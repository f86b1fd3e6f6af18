"""The named statements of `sql/queries`, loaded once.

SQL stays in .sql files (aiosql syntax). The few numbers that SQL shares with Python — the chunk size and the numbers
of the system sets — are written there as `${name}` and put in here, so that each is one constant.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from string import Template

import aiosql
from aiosql.adapters.asyncpg import AsyncPGAdapter

from engine.sets import system
from engine.sets.cells import CELLS
from engine.sets.chunks import CHUNK_BITS

SQL_FOLDER = Path(__file__).parent.parent / "sql"
MIGRATIONS_FOLDER = SQL_FOLDER / "migrations"
QUERIES_FOLDER = SQL_FOLDER / "queries"

#: What `${name}` in a .sql file stands for.
CONSTANTS = {
    "chunk_bits": CHUNK_BITS,
    "cells": CELLS,
    "exists": system.EXISTS,
    "active": system.ACTIVE,
    "unsubscribed": system.UNSUBSCRIBED,
    "engagement": ", ".join(map(str, sorted(system.ENGAGEMENT.values()))),
}


@dataclass(frozen=True, slots=True)
class Statement:
    """One statement in asyncpg's form: `sql` with $1, $2, … standing for `parameters` in that order."""

    sql: str
    parameters: tuple[str, ...]


@cache
def statements() -> Mapping[str, Statement]:
    """Every named statement by its name."""
    adapter = AsyncPGAdapter()
    text = "\n".join(path.read_text() for path in sorted(QUERIES_FOLDER.glob("*.sql")))
    sql = Template(text).safe_substitute(CONSTANTS)
    queries = aiosql.from_str(sql, lambda: adapter, mandatory_parameters=False)
    return {
        name: Statement(getattr(queries, name).sql, tuple(adapter.var_sorted[name]))
        for name in queries.available_queries
        if not name.endswith("_cursor")
    }
