"""What a stack makes of the settings: ports, folders, and the environment of API and workers."""

import socket
from collections.abc import Iterator
from pathlib import Path

import pytest

from deploy import stack
from deploy.folder import data_folder
from engine.errors import Unusable
from engine.settings import Settings, environment_name


@pytest.fixture(autouse=True)
def no_settings(monkeypatch: pytest.MonkeyPatch) -> None:
    for field in Settings.model_fields:
        monkeypatch.delenv(environment_name(field), raising=False)


def no_news(message: str) -> None:
    """Nothing is worth telling."""
    raise AssertionError(message)


@pytest.fixture
def taken() -> Iterator[int]:
    """A port that somebody listens on."""
    with socket.create_server(("127.0.0.1", 0)) as server:
        yield server.getsockname()[1]


def test_a_port_that_was_asked_for_is_taken_or_refused(monkeypatch: pytest.MonkeyPatch, taken: int) -> None:
    monkeypatch.setenv("MUSTER_PORT", str(taken))
    with pytest.raises(Unusable, match=f"port {taken} of 127.0.0.1 is taken: set MUSTER_PORT"):
        stack._with_ports(Settings(), no_news)


def test_without_a_wish_the_next_free_port_is_taken_and_told(taken: int) -> None:
    settings = Settings().model_copy(update={"port": taken})
    settings.model_fields_set.discard("port")
    told: list[str] = []
    port = stack._with_ports(settings, told.append).port
    assert taken < port <= taken + stack.PORTS_TRIED
    assert told == [f"Port {taken} is taken; the API gets {port} (MUSTER_PORT chooses another)"]


def test_port_0_is_any_port(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("MUSTER_PORT", "0")
    assert stack._with_ports(Settings(), no_news).port > 1024


def test_every_worker_has_a_port_of_its_own(taken: int) -> None:
    ports = stack._free_ports("127.0.0.1", taken, count=2)
    assert len({*ports, taken}) == 3
    assert len(set(stack._free_ports("127.0.0.1", 0, count=3))) == 3


@pytest.mark.parametrize(
    ("host", "address"),
    [
        ("127.0.0.1", "http://127.0.0.1:8080"),
        ("0.0.0.0", "http://127.0.0.1:8080"),
        ("::", "http://[::1]:8080"),
        ("muster.example.org", "http://muster.example.org:8080"),
    ],
)
def test_the_address_is_one_that_can_be_reached(host: str, address: str) -> None:
    assert stack.local_address(Settings(host=host)) == address


def test_api_and_workers_get_every_setting_but_the_owners_url(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("DATABASE_URL", "postgresql://owner:secret@h/db")
    settings = Settings(redis_url="redis://h", data=Path("/srv"), window=7)
    environment = stack._environment(settings)
    assert "secret" not in "".join(environment.values())
    for name, value in environment.items():
        monkeypatch.setenv(name, value)
    monkeypatch.delenv("DATABASE_URL")
    assert Settings() == settings.model_copy(update={"database_url": None})


def test_folders_are_absolute_in_every_part(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    settings = stack._with_folders(Settings(), data_folder(Path(".muster")))
    assert settings.data == tmp_path / ".muster"
    assert settings.uploads == tmp_path / ".muster" / "uploads"
    assert settings.uploads.stat().st_mode & 0o777 == 0o700
