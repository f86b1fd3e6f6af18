"""Settings come from the environment, and what follows from them is derived in one place."""

from pathlib import Path

import pytest
from pydantic import ValidationError

from engine.settings import Settings, application_url, environment_name

DERIVED = "4712af1a6c9faa165cc5d76b94c457c39b0bbdf1c5e61ad6bf7512b17d15cdc6"


@pytest.fixture(autouse=True)
def no_settings(monkeypatch: pytest.MonkeyPatch) -> None:
    for field in Settings.model_fields:
        monkeypatch.delenv(environment_name(field), raising=False)


@pytest.mark.parametrize(
    ("owner", "application"),
    [
        (
            "postgresql://o:p%40w@h:5432/db?sslmode=require",
            f"postgresql://muster_app:{DERIVED}@h:5432/db?sslmode=require",
        ),
        ("postgresql://h/db?user=o&password=p%40w", f"postgresql://muster_app:{DERIVED}@h/db"),
        ("postgres://o:p%40w@h1:1,h2:2/db", f"postgres://muster_app:{DERIVED}@h1:1,h2:2/db"),
        ("postgresql://o@h/db", "postgresql://muster_app@h/db"),
        ("postgresql:///db", "postgresql://muster_app@/db"),
        ("postgresql://o@/db?host=%2Fa%20b&port=5432", "postgresql://muster_app@/db?host=%2Fa%20b&port=5432"),
    ],
)
def test_the_application_role_is_on_the_owners_server_and_database(owner: str, application: str) -> None:
    assert application_url(owner) == application
    assert Settings(database_url=owner).database_app_url == application


def test_an_application_url_that_is_given_is_taken(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("DATABASE_URL", "postgresql://o:p@h/db")
    monkeypatch.setenv("DATABASE_APP_URL", "postgresql://x:y@other/db")
    assert Settings().database_app_url == "postgresql://x:y@other/db"


def test_without_urls_nothing_is_derived() -> None:
    settings = Settings()
    assert (settings.database_url, settings.database_app_url, settings.redis_url) == (None, None, None)


def test_uploads_lie_in_the_data_folder_unless_put_elsewhere(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("MUSTER_DATA", "/srv/muster")
    assert Settings().uploads == Path("/srv/muster/uploads")
    monkeypatch.setenv("MUSTER_UPLOADS", "/mnt/uploads")
    assert Settings().uploads == Path("/mnt/uploads")


def test_an_empty_variable_counts_as_not_set(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("MUSTER_PORT", "")
    monkeypatch.setenv("DATABASE_URL", "")
    assert Settings().port == 8080
    assert Settings().database_url is None


@pytest.mark.parametrize(
    ("variable", "value"), [("MUSTER_PORT", "x"), ("MUSTER_WINDOW", "0"), ("MUSTER_LOG_LEVEL", "loud")]
)
def test_nonsense_is_refused(monkeypatch: pytest.MonkeyPatch, variable: str, value: str) -> None:
    monkeypatch.setenv(variable, value)
    with pytest.raises(ValidationError):
        Settings()


def test_settings_never_change() -> None:
    with pytest.raises(ValidationError):
        Settings().port = 1  # type: ignore[misc]


def test_every_setting_says_what_it_does() -> None:
    assert [name for name, field in Settings.model_fields.items() if not field.description] == []
    names = [environment_name(field) for field in Settings.model_fields]
    assert len(set(names)) == len(names)
    assert {name for name in names if not name.startswith("MUSTER_")} == {
        "DATABASE_URL",
        "DATABASE_APP_URL",
        "REDIS_URL",
    }
