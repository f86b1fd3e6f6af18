"""`muster demo`: a million contacts on fifty lists by one request, seen from outside, over HTTP.

The stack is a whole one, of real processes, on a data folder of its own that each run begins anew. Nothing here
touches the database but the making of the account and its token.
"""

import asyncio
import json
import shutil
import time
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from rich.progress import BarColumn, Progress, TaskID, TextColumn, TimeElapsedColumn
from rich.table import Column, Table

from api.client import Activity, Client, ClientError
from deploy.demo_contacts import write_csv
from deploy.folder import DataFolder
from deploy.stack import running_stack
from deploy.surroundings import OUTPUT, TERMINAL, opened, own_access, say
from engine.errors import MusterError, Unusable
from engine.settings import Settings

LISTS = 50

#: Contacts that are left out where there are excludes, and that are named by id (contract v3.md 3.4: at most 500).
EXCLUDED, NAMED = 100, 500

#: Bytes of disk that a contact takes, with the database's log, while it is imported; and the rest.
CONTACT_BYTES, OTHER_BYTES = 2_500, 2**30

#: Who gets a tag, and which engagement level: by segment of the generated contacts.
SEGMENTS: Mapping[str, Mapping[str, Any]] = {
    "Engineers": {"field": "job_title", "op": "contains", "value": "engineer"},
    "Norway": {"field": "country", "op": "eq", "value": "Norway"},
    "Born in spring": {"field": "birthday_month", "op": "contains-any", "value": [3, 4, 5]},
}
TAGS = {"VIP": "Engineers", "Donor": "Norway"}
LEVELS = {"low": "Born in spring", "medium": "Norway", "high": "Engineers"}


class DemoFailed(MusterError):
    """An activity of the demonstration did not complete."""

    code = "demo_failed"


@dataclass(frozen=True, slots=True)
class Cast:
    """What the activities are about: ids of lists, tags, segments and contacts."""

    everyone: str
    lists: tuple[str, ...]
    tags: tuple[str, ...]
    segments: Mapping[str, int]
    contacts: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Step:
    """One activity to show."""

    title: str
    kind: str
    body: Mapping[str, Any]


@dataclass(frozen=True, slots=True)
class Outcome:
    """How a step went; `seconds` from submission until the caller knew that it had completed."""

    title: str
    activity: Activity
    seconds: float


async def run(settings: Settings, folder: DataFolder, lock: int, contacts: int) -> None:
    """Shows everything, then stops. Raises MusterError when something does not go as it should."""
    _check_space(folder, contacts)
    csv = folder.root / "contacts.csv"
    try:
        async with running_stack(settings, folder, lock, say) as stack:
            async with opened(stack.database_app_url) as database:
                access = await own_access(database, folder)
            async with Client.open(stack.address, access.token) as client:
                with _bars() as bars:
                    outcomes = await _show(client, bars, csv, contacts)
            _tell(outcomes, folder)
    except (MusterError, ClientError) as error:
        advice = f"The logs are in {folder.root / 'log'}; run `muster demo` again, it begins anew."
        raise DemoFailed(f"{error}\n{advice}") from error
    finally:
        csv.unlink(missing_ok=True)


def begin_anew(folder: DataFolder) -> None:
    """Empties the folder of an earlier run; the caller holds its lock."""
    for path in folder.root.iterdir():
        if path.is_dir():
            shutil.rmtree(path)
        elif path.name != "lock":
            path.unlink()
    folder.make()


async def _show(client: Client, bars: Progress, csv: Path, contacts: int) -> list[Outcome]:
    cast = await _set_up(client, bars, csv, contacts)
    return [await _take(client, bars, step) for step in _steps(cast)]


async def _set_up(client: Client, bars: Progress, csv: Path, contacts: int) -> Cast:
    await _generate(bars, csv, contacts)
    everyone, *lists = [await _make(client, "/contact_lists", name, "list_id") for name in _list_names()]
    await _import(client, bars, csv, everyone)
    segments = {name: await _make_segment(client, name, rule) for name, rule in SEGMENTS.items()}
    tags = [await _make(client, "/contact_tags", name, "tag_id") for name in TAGS]
    steps = [*_tagging(segments, tags, lists[-1]), *_levels(segments)]
    bar = _begin(bars, "Tags and engagement levels", len(steps))
    for step in steps:
        await _complete(client, step)
        bars.advance(bar)
    page = await client.get("/contacts", limit=NAMED)
    ids = tuple(contact["contact_id"] for contact in page["contacts"])
    return Cast(everyone, tuple(lists), tuple(tags), segments, ids)


def _list_names() -> Iterable[str]:
    return ["Everyone", *(f"Campaign {number:02}" for number in range(1, LISTS + 1))]


async def _generate(bars: Progress, csv: Path, contacts: int) -> None:
    bar = _begin(bars, "Generate contacts", contacts)
    await asyncio.to_thread(write_csv, csv, contacts, lambda rows: bars.advance(bar, rows))


async def _import(client: Client, bars: Progress, csv: Path, list_id: str) -> None:
    size = await asyncio.to_thread(lambda: csv.stat().st_size)
    bar = _begin(bars, "Upload the CSV", size)
    activity = await client.import_csv(csv, [list_id], lambda sent, _: bars.update(bar, completed=sent))
    bar = _begin(bars, "Import them", 100)
    async for latest in client.watch(activity.activity_id):
        bars.update(bar, completed=latest.percent_done)
        activity = latest
    _check(activity, "Import them")


async def _make(client: Client, path: str, name: str, member: str) -> str:
    return str((await client.post(path, {"name": name}))[member])


async def _make_segment(client: Client, name: str, rule: Mapping[str, Any]) -> int:
    criteria = {"version": "1.0.0", "criteria": {"type": "and", "group": [{"source": "contact", **rule}]}}
    body = {"name": name, "segment_criteria": json.dumps(criteria)}
    return int((await client.post("/segments", body))["segment_id"])


def _tagging(segments: Mapping[str, int], tags: list[str], through: str) -> Iterable[Step]:
    """Tags whom a segment holds: taggings know no segments, so each goes through a list that is then as before."""
    for tag, segment in zip(tags, TAGS.values(), strict=True):
        chosen = {"source": {"segment_id": segments[segment]}, "list_ids": [through]}
        yield Step(f"List {segment}", "add_list_memberships", chosen)
        yield Step(f"Tag {segment}", "contacts_taggings_add", {"source": {"list_ids": [through]}, "tag_ids": [tag]})
        again = {"source": {"list_ids": [through]}, "list_ids": [through]}
        yield Step(f"Unlist {segment}", "remove_list_memberships", again)


def _levels(segments: Mapping[str, int]) -> Iterable[Step]:
    for level, segment in LEVELS.items():
        body = {"engagement_level": level, "source": {"segment_id": segments[segment]}}
        yield Step(f"Level {level}", "contacts_engagement_set", body)


def _steps(cast: Cast) -> Iterable[Step]:
    """The eight activities. The second takes back what the first did, so that the others have something to do."""
    groups = [list(cast.lists[first : first + 10]) for first in range(0, LISTS, 10)]
    exclude = {"exclude": {"contact_ids": list(cast.contacts[:EXCLUDED])}}

    def add(title: str, source: Mapping[str, Any], lists: Iterable[str], **more: Any) -> Step:
        return Step(title, "add_list_memberships", {"source": source, "list_ids": list(lists), **more})

    return [
        add(f"One list to {LISTS} lists", {"list_ids": [cast.everyone]}, cast.lists),
        Step(
            f"All active off {LISTS} lists",
            "remove_list_memberships",
            {"source": {"all_active_contacts": True}, "list_ids": list(cast.lists)},
        ),
        add("By tag, with excludes", {"tag_ids": list(cast.tags)}, groups[0], **exclude),
        add("By segment, with excludes", {"segment_id": cast.segments["Born in spring"]}, groups[1], **exclude),
        add("By engagement level", {"engagement_level": "high"}, groups[2]),
        add("All active, with excludes", {"all_active_contacts": True}, groups[3], **exclude),
        add("New subscribers", {"new_subscriber": True}, groups[4]),
        add(f"{len(cast.contacts)} contact ids", {"contact_ids": list(cast.contacts)}, cast.lists),
    ]


async def _take(client: Client, bars: Progress, step: Step) -> Outcome:
    bar = _begin(bars, step.title, 1)
    outcome = await _complete(client, step)
    bars.advance(bar)
    return outcome


async def _complete(client: Client, step: Step) -> Outcome:
    began = time.perf_counter()
    activity = await client.finished((await client.submit(step.kind, step.body)).activity_id)
    seconds = time.perf_counter() - began
    _check(activity, step.title)
    return Outcome(step.title, activity, seconds)


def _check(activity: Activity, title: str) -> None:
    if activity.state != "completed":
        reasons = "; ".join(activity.activity_errors[:5])
        raise DemoFailed(f"{title}: activity {activity.activity_id} is {activity.state}: {reasons}")


def _check_space(folder: DataFolder, contacts: int) -> None:
    needed = contacts * CONTACT_BYTES + OTHER_BYTES
    free = shutil.disk_usage(folder.root).free
    if free < needed:
        raise Unusable(
            f"{contacts:,} contacts take about {needed / 2**30:.1f} GB in {folder.root}, where {free / 2**30:.1f} GB "
            "are free: make room, set MUSTER_DATA to a folder on another disk, or DEMO_CONTACTS to a smaller number"
        )


def _begin(bars: Progress, title: str, total: int) -> TaskID:
    """A bar, or where there is no terminal to show bars a line, so that one sees how far it is."""
    if not bars.console.is_terminal:
        say(title)
    return bars.add_task(title, total=total)


def _bars() -> Progress:
    return Progress(
        TextColumn("{task.description}", table_column=Column(width=28)),
        BarColumn(bar_width=30),
        TextColumn("{task.percentage:>3.0f} %"),
        TimeElapsedColumn(),
        console=TERMINAL,
        disable=not TERMINAL.is_terminal,
    )


def _tell(outcomes: Sequence[Outcome], folder: DataFolder) -> None:
    table = Table(
        "Activity",
        Column("Contacts selected", justify="right", max_width=10),
        Column("Memberships changed", justify="right", max_width=11),
        Column("Errors", justify="right"),
        Column("Submitted to completed", justify="right", max_width=12),
    )
    for outcome in outcomes:
        activity = outcome.activity
        table.add_row(
            outcome.title,
            f"{activity.status.get('items_total_count', 0):,}",
            f"{activity.changed_count or 0:,}",
            f"{activity.error_count or 0:,}",
            f"{outcome.seconds:.3f} s",
        )
    OUTPUT.print(table)
    first = outcomes[0]
    OUTPUT.print(f"One request made {first.activity.changed_count or 0:,} memberships in {first.seconds:.3f} seconds.")
    say(f"To look around, `make up` (or `muster up`) with MUSTER_DATA={folder.root}; or just remove that folder.")
