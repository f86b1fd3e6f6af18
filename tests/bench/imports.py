"""Bars g and h: importing new contacts from a CSV file, its rate and the memory of the worker that does it."""

import time
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import psutil

from engine.errors import Unusable
from engine.settings import Settings
from tests.bench import servers as at
from tests.bench.report import Bar, Finding
from tests.bench.servers import Servers

#: Rows of the small import that the memory of the large one is compared with: a tenth.
FRACTION = 10

HEADING = "email,first_name,last_name,job_title,company_name,birthday_month,birthday_day,anniversary\n"
STAGED = (
    "email text, first_name text, last_name text, job_title text, company_name text, birthday_month smallint,"
    " birthday_day smallint, anniversary date"
)

#: The copy of the contact table, with all its indexes, checks and the wall.
COPY_OF_CONTACT = "LIKE contact INCLUDING ALL"

#: One statement that does to the copy what an import does to contacts.
UPSERT = """
INSERT INTO bench_contact AS c (
    account_id, contact_no, email, email_key, first_name, last_name, job_title, company_name, birthday_month,
    birthday_day, anniversary, permission, create_source, created_at, updated_at, email_created_at, email_updated_at,
    opt_in_source, opt_in_date
)
SELECT
    $1, row_number() OVER (), email, lower(btrim(email)), first_name, last_name, job_title, company_name,
    birthday_month, birthday_day, anniversary, 'implicit', 'Account', now(), now(), now(), now(), 'Account', now()
FROM bench_staging
ON CONFLICT (account_id, email_key, email_ordinal) DO UPDATE SET
    first_name = coalesce(excluded.first_name, c.first_name), last_name = coalesce(excluded.last_name, c.last_name),
    job_title = coalesce(excluded.job_title, c.job_title),
    company_name = coalesce(excluded.company_name, c.company_name),
    birthday_month = coalesce(excluded.birthday_month, c.birthday_month),
    birthday_day = coalesce(excluded.birthday_day, c.birthday_day),
    anniversary = coalesce(excluded.anniversary, c.anniversary),
    update_source = 'Account', updated_at = excluded.updated_at
"""


@dataclass(frozen=True, slots=True)
class Imported:
    """Seconds of one import: until the upload was answered, and until it had completed."""

    upload: float
    total: float


async def rate(settings: Settings, contacts: int, rounds: int) -> list[Finding]:
    """Bar g."""
    async with at.with_workers(settings) as servers:
        csv = _write_csv(servers, contacts)
        await _make_tables(servers)
        details = {"load": await at.settle(servers), "batch_rows": settings.import_batch_rows}
        ours, bare = [], []
        for _ in range(rounds):
            ours.append(await _import(servers, csv, contacts))
            bare.append(await _bare(servers, csv, contacts))
    rates = [contacts / each.total for each in ours]
    bare_rates = [contacts / seconds for seconds in bare]
    bar = Bar("at least 0.5", at_least=0.5, of_ratio=True)
    work = f"CSV import of {contacts:,} new contacts, rows"
    uploads, totals = [each.upload for each in ours], [each.total for each in ours]
    return [
        Finding("g", f"{work}, upload counted", "/s", rates, bare_rates, bar, details),
        Finding("g", "… seconds in all", "s", totals, bare),
        Finding("g", "… seconds of the upload", "s", uploads),
    ]


async def memory(settings: Settings, contacts: int) -> list[Finding]:
    """Bar h: each import by a fresh worker."""
    small = await _peak_megabytes(settings, contacts // FRACTION)
    large = await _peak_megabytes(settings, contacts)
    work = f"peak memory of a worker, {contacts:,} rows, beside {contacts // FRACTION:,}"
    return [
        Finding("h", work, "MB", [large], [small], Bar("equal within 20 %", at_most=1.2, of_ratio=True)),
        Finding("h", "…", "MB", [large], bar=Bar("below 300 MB", at_most=300)),
    ]


async def _peak_megabytes(settings: Settings, contacts: int) -> float:
    async with at.with_workers(settings) as servers:
        await _import(servers, _write_csv(servers, contacts), contacts)
        return sum(map(_peak_bytes, _bulk_worker())) / 2**20


def _bulk_worker() -> list[psutil.Process]:
    """The worker of the queue `bulk` and the process that does the work for it."""
    for process in psutil.Process().children(recursive=True):
        if process.cmdline()[1:] == ["-P", "-m", "deploy.cli", "work", "--queue", "bulk"]:
            return [process, *process.children(recursive=True)]
    raise Unusable("no worker of the queue `bulk` runs")


def _peak_bytes(process: psutil.Process) -> int:
    """The most resident memory that the process ever had, memory it shares included."""
    try:
        lines = Path(f"/proc/{process.pid}/status").read_text().splitlines()
    except FileNotFoundError:
        raise Unusable("bar h needs /proc, which tells the peak memory of a process") from None
    [kilobytes] = (line.split()[1] for line in lines if line.startswith("VmHWM:"))
    return int(kilobytes) * 1024


async def _import(servers: Servers, csv: Path, contacts: int) -> Imported:
    """Imports the file into a new account, whose contacts are all there are."""
    await servers.owner.execute("TRUNCATE contact")
    await at.settle(servers)
    tenant = await at.new_tenant(servers)
    [list_id] = await at.new_lists(servers, tenant, ["imported"])
    async with at.client(servers, tenant) as client:
        begun = time.perf_counter()
        submitted = await client.import_csv(csv, [str(list_id)], lambda *_: None)
        uploaded = time.perf_counter()
        activity = await client.finished(submitted.activity_id)
        ended = time.perf_counter()
    assert activity.state == "completed", activity
    assert activity.status["person_count"] == contacts, activity
    return Imported(uploaded - begun, ended - begun)


async def _make_tables(servers: Servers) -> None:
    await at.make_table(servers, "bench_contact", COPY_OF_CONTACT)
    # COPY refuses row-level security; ours stages into such a table too.
    await at.make_table(servers, "bench_staging", STAGED, walled=False)


async def _bare(servers: Servers, csv: Path, contacts: int) -> float:
    await servers.owner.execute("TRUNCATE bench_contact, bench_staging")
    await at.settle(servers)
    tenant = await at.new_tenant(servers)
    begun = time.perf_counter()
    async with servers.db.account(tenant.account_id) as tx:
        await tx._connection.copy_to_table("bench_staging", source=csv, format="csv", header=True)
        await tx.select(UPSERT, (tenant.account_id,))
    seconds = time.perf_counter() - begun
    assert await servers.owner.fetchval("SELECT count(*) FROM bench_contact") == contacts
    return seconds


def _write_csv(servers: Servers, contacts: int) -> Path:
    path = servers.settings.data / "contacts.csv"
    with path.open("w", encoding="utf-8", newline="") as file:
        file.write(HEADING)
        file.writelines(map(_row, range(contacts)))
    return path


def _row(number: int) -> str:
    """A contact that depends on its number alone; a fifth of the optional cells are blank."""
    mixed = (number * 0x9E3779B97F4A7C15 & 0xFFFFFFFFFFFFFFFF) >> 20
    month, day = mixed % 12 + 1, mixed % 28 + 1
    cells: Sequence[object] = (
        f"contact{mixed % 10_000_000}.{number}@example.org",
        f"First{mixed % 997}",
        f"Last{mixed % 9973}",
        f"Job title {mixed % 101}" if mixed % 5 else "",
        f"Company {mixed % 50021}" if mixed % 7 else "",
        *((month, day) if mixed % 3 else ("", "")),
        f"{1980 + mixed % 40}-{month:02}-{day:02}" if mixed % 4 else "",
    )
    return ",".join(map(str, cells)) + "\n"
