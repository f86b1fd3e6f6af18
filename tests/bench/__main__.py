"""Measures Muster beside baselines: `make bench`, or `python -m tests.bench --help`.

A missed bar is a result, not an error: the exit code is 1 only when something breaks.
"""

import asyncio
from collections.abc import Awaitable, Callable, Iterable, Mapping
from functools import partial
from typing import Annotated

import typer
from rich.console import Console

from engine.errors import MusterError
from engine.settings import Settings
from tests.bench import api, dialects, engagement, exports, imports, memberships, report, segments, small
from tests.bench import contacts as single
from tests.bench.report import Finding

INTERRUPTED = 130

Bench = Callable[[], Awaitable[list[Finding]]]

progress = Console(stderr=True, highlight=False, width=160)
output = Console(highlight=False, width=160)


app = typer.Typer(add_completion=False, pretty_exceptions_enable=False)


@app.command()
def bench(
    only: Annotated[str, typer.Option(help="Which bars, by letter: a,c,e.", show_default="all but i")] = "",
    contacts: Annotated[int, typer.Option(min=1000, help="Contacts of a, b, g, h, j; i has ten times as many.")] = 10
    ** 6,
    rounds: Annotated[int, typer.Option(min=1, help="Rounds, of which the median counts.")] = 5,
    large: Annotated[bool, typer.Option("--large", help="Only bar i: ten million contacts.")] = False,
) -> None:
    """Measure Muster's speed, ours beside the baselines in the same run on the same servers.

    Each bar gets a stack of its own, started as `muster up` starts it on a
    fresh folder in MUSTER_DATA, and stopped after it. Settings such as
    MUSTER_POOL_CONNECTIONS apply; DATABASE_URL and REDIS_URL do not.
    Prints a table and keeps all samples in tests/bench/results.
    """
    benches = _benches(Settings(), contacts, rounds)
    chosen = only.split(",") if only else ["i"] if large else [name for name in benches if name != "i"]
    if unknown := set(chosen) - set(benches):
        raise typer.BadParameter(f"there is no {', '.join(sorted(unknown))}; there are {', '.join(benches)}")
    try:
        findings = asyncio.run(_measure(benches, chosen))
    except MusterError as error:
        progress.print(f"bench: {error.message}", style="red", markup=False)
        raise typer.Exit(1) from None
    except asyncio.CancelledError:
        raise typer.Exit(INTERRUPTED) from None
    output.print(report.table(findings))
    path = report.write_json(findings, {"only": chosen, "contacts": contacts, "rounds": rounds})
    progress.print(f"All samples are in {path}", markup=False, soft_wrap=True)


def _benches(settings: Settings, contacts: int, rounds: int) -> Mapping[str, Bench]:
    return {
        "a": partial(memberships.everybody, settings, contacts, rounds),
        "b": partial(memberships.random_half, settings, contacts, rounds),
        "c": partial(small.latency, settings, rounds),
        "d": partial(small.burst, settings, rounds),
        "e": partial(api.submissions, settings, rounds),
        "f": partial(api.polls, settings, rounds),
        "g": partial(imports.rate, settings, contacts, rounds),
        "h": partial(imports.memory, settings, contacts),
        "j": partial(exports.rate, settings, contacts, rounds),
        "k": partial(engagement.computation, settings, contacts, rounds),
        "l": partial(single.deletions, settings, contacts, rounds),
        "m": partial(single.sign_ups, settings, rounds),
        "n": partial(single.pages, settings, rounds),
        "o": partial(segments.evaluation, settings, contacts, rounds),
        "p": partial(dialects.comparison, settings, rounds),
        "i": partial(memberships.ten_times, settings, contacts, rounds),
    }


async def _measure(benches: Mapping[str, Bench], chosen: Iterable[str]) -> list[Finding]:
    findings: list[Finding] = []
    for name in chosen:
        with progress.status(f"Measuring {name}"):
            found = await benches[name]()
        progress.print(report.table(found))
        findings += found
    return findings


if __name__ == "__main__":
    app()
