"""Every setting of Muster, read once from the environment and passed down from there.

Nothing else may read the environment, and a `Settings` never changes. Each field says what it does: the
README's table is checked against these descriptions.
"""

import hashlib
import hmac
from pathlib import Path
from typing import Any, Literal
from urllib.parse import parse_qsl, quote, unquote, urlencode, urlsplit

from pydantic import Field, NonNegativeInt, PositiveFloat, PositiveInt
from pydantic_settings import BaseSettings, SettingsConfigDict

#: The role that API and workers connect as unless DATABASE_APP_URL says otherwise.
APPLICATION_ROLE = "muster_app"

PREFIX = "MUSTER_"


def application_url(owner_url: str) -> str:
    """The URL of the application role on the owner's server and database.

    Its password is HMAC-SHA256(owner's password, role name) in hex, so that it needs no second secret; a
    role whose owner has no password has none either.
    """
    parts = urlsplit(owner_url)
    query = [(key, value) for key, value in parse_qsl(parts.query) if key not in ("user", "password")]
    login, _, servers = parts.netloc.rpartition("@")
    password = unquote(login.partition(":")[2]) or dict(parse_qsl(parts.query)).get("password", "")
    secret = f":{_derived_password(password)}" if password else ""
    # Put together by hand: with no host, urlunsplit would drop the slashes that a socket's URL needs.
    tail = f"?{urlencode(query, quote_via=quote)}" if query else ""
    return f"{parts.scheme}://{APPLICATION_ROLE}{secret}@{servers}{parts.path}{tail}"


def environment_name(field: str) -> str:
    """The environment variable of a field of Settings."""
    alias = Settings.model_fields[field].validation_alias
    return alias if isinstance(alias, str) else PREFIX + field.upper()


def _derived_password(owner_password: str) -> str:
    return hmac.new(owner_password.encode(), APPLICATION_ROLE.encode(), hashlib.sha256).hexdigest()


def _default_app_url(values: dict[str, Any]) -> str | None:
    owner_url = values.get("database_url")
    return application_url(owner_url) if owner_url else None


def _default_uploads(values: dict[str, Any]) -> Path:
    return Path(values.get("data", ".muster")) / "uploads"


def _default_exports(values: dict[str, Any]) -> Path:
    return Path(values.get("data", ".muster")) / "exports"


class Settings(BaseSettings):
    """What can be set, by environment variable: MUSTER_ and the field's name unless it names another."""

    model_config = SettingsConfigDict(
        env_prefix=PREFIX, env_ignore_empty=True, extra="ignore", frozen=True, populate_by_name=True
    )

    # Servers
    database_url: str | None = Field(
        None,
        validation_alias="DATABASE_URL",
        description="PostgreSQL 15 to 18, as the owner of the tables: migrates and makes the application "
        "role. Without it the embedded PostgreSQL is started",
    )
    database_app_url: str | None = Field(
        default_factory=_default_app_url,
        validation_alias="DATABASE_APP_URL",
        description="What API and workers connect as: a role that row-level security binds. By default role "
        "`muster_app` of the same database, with a password derived from the owner's",
    )
    redis_url: str | None = Field(
        None,
        validation_alias="REDIS_URL",
        description="Redis or Valkey. Without it the embedded Valkey is started",
    )
    data: Path = Field(Path(".muster"), description="Folder of the embedded servers' data, logs, uploads and exports")
    uploads: Path = Field(
        default_factory=_default_uploads,
        description="Folder of uploaded files, of API and workers; `uploads` in MUSTER_DATA by default",
    )
    exports: Path = Field(
        default_factory=_default_exports,
        description="Folder of exported files, of API and workers; `exports` in MUSTER_DATA by default",
    )

    # Processes
    host: str = Field("127.0.0.1", description="Address that the API and the workers' health port listen on")
    port: int = Field(8080, ge=0, le=65535, description="Port of the API; 0 lets `muster up` choose one")
    public_url: str | None = Field(
        None,
        description="Where clients reach the API, as https://muster.example.org, for links in its answers; by default "
        "where the request came to",
    )
    metrics_port: int = Field(9191, ge=0, le=65535, description="Port of a worker's health and metrics")
    worker_processes: PositiveInt = Field(2, description="Processes that `muster work` runs for each queue")
    # Bar d with 4, 8, 16: 1,000, 880, 860 activities a second; but whoever waits for a lock holds a thread.
    worker_threads: PositiveInt = Field(8, description="Activities that one worker process runs at once")
    # Bar e (3 contacts to 3 lists, 50 accounts) with 3, 5, 10: 2,200, 3,100, 2,300 submissions a second on two cores.
    pool_connections: PositiveInt = Field(
        5, description="Most database connections of a process; a worker's has four more than threads at least"
    )
    log_level: Literal["debug", "info", "warning", "error"] = Field("info", description="Least level to log")
    log_format: Literal["json", "text"] = Field("json", description="One JSON object a line, or text for people")

    # Activities
    max_unfinished: PositiveInt = Field(1000, description="Unfinished activities an account may have")
    window: PositiveInt = Field(4, description="Activities of one account in the queue at once")
    lease_seconds: PositiveInt = Field(30, description="Seconds without heartbeat until a worker counts as dead")
    sweep_seconds: PositiveFloat = Field(5.0, description="Seconds between sweeps for what got lost")
    max_attempts: PositiveInt = Field(5, description="Attempts without progress until an activity has failed")
    activity_time_limit: PositiveInt = Field(
        3600, description="Seconds from an activity's first claim after which it has timed out"
    )
    retention_days: PositiveInt = Field(
        10,
        description="Days that activities are listed, and that their errors and files are kept",
    )
    result_days: PositiveInt = Field(2, description="Days that what came of the calls of a batch is kept")
    pruning_hours: PositiveInt = Field(24, description="Hours between two prunings of what is past that time")
    engagement_days: PositiveInt = Field(
        7, description="Days between two computations of engagement levels, once there are tracking events"
    )
    engagement_by_hand_wins: bool = Field(
        default=True, description="Whether a level that was set by hand stays when levels are computed"
    )
    # Bar g with 2,000, 5,000, 10,000, 20,000, 50,000: 35, 42, 48, 52, 50 thousand rows a second. A kill costs a batch.
    import_batch_rows: PositiveInt = Field(10_000, description="Rows an import writes in one transaction")

    # Limits
    # Reading one takes 45 times its size in memory, and holds the API process up: 0.13 s a MiB.
    json_max_bytes: PositiveInt = Field(8 * 2**20, description="Largest JSON body, but of JSON imports")
    upload_max_bytes: PositiveInt = Field(
        16 * 2**30, description="Largest uploaded file, or body of a JSON import: a larger one is refused"
    )
    import_max_bytes: PositiveInt | None = Field(
        None,
        description="Bytes of an import that count: rows that are not complete within them are left out. "
        "The vendor's: 4194304",
    )
    import_max_rows: PositiveInt | None = Field(
        None,
        description="Lines of an import that are processed, that of a CSV file's headings included. "
        "The vendor's: 40000",
    )
    requests_per_second: PositiveInt | None = Field(
        None,
        description="Requests of a token a second that an API process answers; each process counts for itself. "
        "The vendor's: 4",
    )
    requests_per_day: PositiveInt | None = Field(
        None,
        description="Requests of a token a day, which ends at 00:00 UTC, that all API processes together answer. "
        "Each reserves a thousandth of them at a time. The vendor's: 10000",
    )
    max_lists: PositiveInt | None = Field(None, description="Lists an account may have")
    max_tags: PositiveInt | None = Field(None, description="Tags an account may have")
    max_custom_fields: PositiveInt = Field(100, description="Custom fields an account may have")
    max_hooks: PositiveInt = Field(1000, description="Hooks an account may have")
    hooks_to_private_addresses: bool = Field(
        default=False,
        description="Whether hooks and callbacks may go to private, loopback and link-local addresses",
    )
    max_segments: PositiveInt = Field(1000, description="Segments an account may have")
    confirmed_opt_in: bool = Field(
        default=False, description="Whether who signs up has to confirm by mail, and is pending_confirmation until then"
    )
    token_cache_seconds: NonNegativeInt = Field(
        5,
        description="Seconds an API process remembers who showed a token, password or key: what was revoked works for "
        "at most as long",
    )
