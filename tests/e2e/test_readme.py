"""What the README promises holds: its shell lines run as pasted, its tables tell what there is."""

import json
import os
import re
import subprocess
import sys
from pathlib import Path
from urllib.request import urlopen
from uuid import UUID

import pytest

from engine.settings import Settings, environment_name
from tests.e2e.stack import Up, muster

ROOT = Path(__file__).parents[2]
README = (ROOT / "README.md").read_text()
SEED_ANSWER = {
    "state": "initialized",
    "percent_done": 1,
    "activity_errors": [],
    "status": {},
}


def section(title: str) -> str:
    """What the README tells under a heading, until the next one."""
    _, told = README.split(f"# {title}\n", 1)
    return re.split(r"^##+ ", told, maxsplit=1, flags=re.MULTILINE)[0]


def fenced(language: str, text: str = README) -> list[str]:
    """The blocks in a language."""
    return re.findall(rf"^```{language}\n(.*?)^```$", text, re.DOTALL | re.MULTILINE)


@pytest.fixture(scope="module")
def pasted(shared: Up, tmp_path_factory: pytest.TempPathFactory) -> str:
    """What the README's shell lines print, pasted one block after the other."""
    folder = tmp_path_factory.mktemp("pasted")
    (folder / ".venv").symlink_to(ROOT / ".venv")
    ended = subprocess.run(
        ["/bin/sh", "-euc", "\n".join(fenced("sh"))],
        cwd=folder,
        env=os.environ | shared.exported,
        capture_output=True,
        text=True,
        check=False,
    )
    assert ended.returncode == 0, ended.stdout + ended.stderr
    return ended.stdout


def test_the_seeds_example_request_gets_the_seeds_answer(pasted: str, shared: Up) -> None:
    """The seed: POST /activities/add_list_memberships; contract v3.md 3.2 and 3.4."""
    answer, _ = json.JSONDecoder().raw_decode(pasted[pasted.rindex('{"activity_id"') :])
    [promised] = map(json.loads, fenced("json", section("A request to paste")))
    assert list(answer) == list(promised)
    assert {name: answer[name] for name in SEED_ANSWER} == SEED_ANSWER
    assert str(UUID(answer["activity_id"])) == answer["activity_id"]
    assert answer["created_at"] == answer["updated_at"]
    assert re.fullmatch(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d[+-]\d\d:\d\d", answer["created_at"])
    assert answer["_links"] == {"self": {"href": f"/v3/activities/{answer['activity_id']}"}}
    _, ended = shared.request("GET", f"{answer['_links']['self']['href']}?wait=30")
    assert (ended["state"], ended["changed_count"], ended["status"]) == (
        "completed",
        6,
        {"items_total_count": 2, "items_completed_count": 2, "list_count": 3},
    )


def test_the_ivvy_example_works(pasted: str, shared: Up) -> None:
    """The seed: inviteContacts; contract ivvy.md 6."""
    answer, _ = json.JSONDecoder().raw_decode(pasted[pasted.rindex('{"results":[{"contact"') :])
    [promised] = map(json.loads, fenced("json", section("iVvy")))
    links = re.compile(r"http://[\d.:]+/i/[^/]+/")
    assert links.sub("", json.dumps(answer)) == links.sub("", json.dumps(promised))
    with urlopen(answer["results"][0]["inviteLinkYes"]) as opened:
        assert b"yes" in opened.read()


def test_the_greenrope_example_works(pasted: str) -> None:
    """The seed: AddContacts; contract greenrope.md 5.2."""
    answers = re.findall(r"<AddContactsResponse>.*?</AddContactsResponse>", pasted)
    [promised] = fenced("xml", section("GreenRope"))
    varying = re.compile(r">[\d :-]+<")
    assert [varying.sub("><", answer) for answer in answers] == [varying.sub("><", promised.strip())]


def test_the_convio_example_works(pasted: str) -> None:
    """The seed: addContactsToGroup; contract convio.md 6.1."""
    answer, _ = json.JSONDecoder().raw_decode(pasted[pasted.rindex('{"addContactsToGroupResponse"') :])
    [promised] = map(json.loads, fenced("json", section("Convio")))
    ids = re.compile(r'"\d+"')
    assert ids.sub('""', json.dumps(answer)) == ids.sub('""', json.dumps(promised))


def test_the_w50_example_works(pasted: str) -> None:
    """The seed: PUT …/contact?match=…; contract w50.md 4."""
    answer, _ = json.JSONDecoder().raw_decode(pasted[pasted.rindex('{"EncContactId"') :])
    [promised] = map(json.loads, fenced("json", section("W50")))
    assert list(answer) == list(promised)
    assert answer["Values"] == promised["Values"]
    assert re.fullmatch("[0-9a-f]{32}", answer["EncContactId"])


def test_the_python_example_works(shared: Up, tmp_path: Path) -> None:
    people = tmp_path / "people.csv"
    people.write_text("email\nzoe@example.org\n")
    assert muster(shared.data, "import", str(people), "--list", "Everyone").returncode == 0
    [example] = fenced("python")
    tools = {"MUSTER_URL": shared.address, "MUSTER_TOKEN": shared.token, "PYTHONPATH": str(ROOT)}
    ended = subprocess.run(
        [sys.executable, "-c", example],
        cwd=tmp_path,
        env=os.environ | tools,
        capture_output=True,
        text=True,
        check=True,
    )
    assert "completed 100\n" in ended.stdout
    size = (tmp_path / "readers.csv").stat().st_size
    assert ended.stdout.endswith(f"{size} of {size}\n")
    assert "zoe@example.org" in (tmp_path / "readers.csv").read_text()


def test_pasted_comments_are_harmless() -> None:
    """zsh, which macOS has, runs what is pasted after a #: a quote there would swallow the lines that follow."""
    comments = re.findall(r"(?:^| )#.*", "\n".join(fenced("sh")), re.MULTILINE)
    assert comments
    assert not [comment for comment in comments if re.search(r"""['"`$&|;<>()\[\]{}*?!~\\]""", comment)]


def test_every_setting_is_in_the_table() -> None:
    rows = dict(re.findall(r"^\| `([A-Z_]+)` \| .*? \| (.*) \|$", README, re.MULTILINE))
    assert rows == {environment_name(name): field.description for name, field in Settings.model_fields.items()}


def test_every_file_that_it_names_exists() -> None:
    for name in re.findall(r"\]\(([\w./]+)\)", README):
        assert (ROOT / name).exists(), name


def test_every_make_target_that_it_names_exists() -> None:
    targets = re.findall(r"^([a-z-]+):", (ROOT / "Makefile").read_text(), re.MULTILINE)
    assert set(re.findall(r"(?:^|`)make ([a-z-]+)", README, re.MULTILINE)) <= set(targets)
