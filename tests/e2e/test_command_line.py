"""The commands on a running stack as a newcomer uses them: what is wrong is told before anything is done."""

import json
import os
from pathlib import Path

import pytest

from tests.e2e.stack import Up, muster


def lists_with(shared: Up, word: str) -> set[str]:
    return {name for name in shared.list_names() if word in name}


def test_the_answer_to_a_submission_is_printed_unchanged(shared: Up) -> None:
    submitted = muster(shared.data, "activity", "submit", "contacts_engagement_compute")
    assert submitted.returncode == 0, submitted.stderr
    answer = json.loads(submitted.stdout)
    assert answer["_links"] == {"self": {"href": f"/v3/activities/{answer['activity_id']}"}}


@pytest.mark.parametrize("kind", ["retention", "tracking_events", "contacts_file_import", "no_such_kind"])
def test_only_kinds_that_can_be_submitted_are_offered(shared: Up, kind: str) -> None:
    refused = muster(shared.data, "activity", "submit", kind, "{}")
    complaint, _, offered = refused.stderr.removesuffix("\n").partition("; there are ")
    assert complaint == f"muster: there is no kind '{kind}' to submit as JSON"
    kinds = offered.split(", ")
    assert {"add_list_memberships", "contacts_engagement_compute", "contacts_json_import"} < set(kinds)
    for each in kinds:
        assert shared.request("POST", f"/v3/activities/{each}", {"unknown": 1})[0] in (201, 400), each


def test_a_kind_that_needs_a_body_says_so(shared: Up) -> None:
    refused = muster(shared.data, "activity", "submit", "add_list_memberships")
    assert refused.stderr == "muster: add_list_memberships needs JSON: as an argument, as @FILE or on standard input\n"


def test_an_export_that_cannot_be_written_is_not_asked_for(shared: Up, tmp_path: Path) -> None:
    before = shared.request("GET", "/v3/activities?limit=1")
    nowhere = tmp_path / "nowhere" / "out.csv"
    refused = muster(shared.data, "export", str(nowhere))
    assert refused.returncode == 1
    assert refused.stderr == f"muster: cannot write {nowhere}: {nowhere.parent} is not a folder that may be written\n"
    assert shared.request("GET", "/v3/activities?limit=1") == before


def test_an_export_to_standard_output(shared: Up, tmp_path: Path) -> None:
    people = tmp_path / "people.csv"
    people.write_text("email\nfay@example.org\n")
    assert muster(shared.data, "import", str(people), "--list", "To be shown").returncode == 0
    shown = muster(shared.data, "export", "-", "--list", " to be SHOWN", "--field", "email_address")
    assert shown.returncode == 0, shown.stderr
    assert shown.stdout.split() == ["email_address", "fay@example.org"]
    assert "completed: items_total_count 1, items_completed_count 1, changed_count 0" in shown.stderr


def test_an_unknown_field_is_answered_with_those_there_are(shared: Up) -> None:
    refused = muster(shared.data, "export", "-", "--field", "emial")
    assert refused.returncode == 1
    assert "there is no such field to export; there are first_name" in refused.stderr
    assert " email_address," in refused.stderr


@pytest.mark.parametrize(
    ("name", "content", "complaint"),
    [
        ("people.txt", "email\nada@example.org\n", "people.txt must have a name that ends in .csv"),
        ("people.csv", "mail\nada@example.org\n", "there is no heading `email`"),
        ("people.csv", "", "the file is empty"),
    ],
)
def test_a_file_that_is_no_import_makes_no_list(
    shared: Up, tmp_path: Path, name: str, content: str, complaint: str
) -> None:
    file = tmp_path / name
    file.write_text(content)
    refused = muster(shared.data, "import", str(file), "--list", "Never made")
    assert refused.returncode == 1
    assert complaint in refused.stderr
    assert len(refused.stderr.splitlines()) == 1
    assert not lists_with(shared, "Never made")


def test_a_pipe_is_no_import(shared: Up, tmp_path: Path) -> None:
    pipe = tmp_path / "people.csv"
    os.mkfifo(pipe)
    refused = muster(shared.data, "import", str(pipe), "--list", "Never made")
    assert refused.stderr == f"muster: {pipe} is a pipe or the like: write it to a file that ends in .csv first\n"


def test_lists_are_found_whatever_their_case(shared: Up, tmp_path: Path) -> None:
    """Contract 6.23."""
    people = tmp_path / "people.csv"
    people.write_text("email\ngus@example.org\n")
    for name in ("Whatever its case", " whatever its CASE "):
        imported = muster(shared.data, "import", str(people), "--list", name)
        assert imported.returncode == 0, imported.stderr
    assert lists_with(shared, "hatever its") == {"Whatever its case"}


def test_a_refused_import_tells_of_the_list_that_was_made(shared: Up, tmp_path: Path) -> None:
    people = tmp_path / "people.csv"
    people.write_text("email\nhal@example.org\n")
    account = muster(shared.data, "account", "create", "Lists only").stdout.strip()
    privileges = ("--privilege", "contacts:lists:read", "--privilege", "contacts:lists:write")
    token = muster(shared.data, "token", "create", "--account", account, *privileges).stdout.strip()
    refused = muster(shared.data, "import", str(people), "--list", "Made in vain", MUSTER_TOKEN=token)
    assert refused.returncode == 1
    assert "403" in refused.stderr
    assert refused.stderr.endswith("; made for it, and empty: Made in vain\n")


@pytest.mark.parametrize(
    ("url", "advice"),
    [
        ("127.0.0.1:9", "127.0.0.1:9 has no http:// or https:// before it: is it http://127.0.0.1:9?"),
        ("http://127.0.0.1:9/v3/", "http://127.0.0.1:9/v3/ must end before /v3, which is added: http://127.0.0.1:9"),
    ],
)
def test_an_address_that_is_almost_right(shared: Up, url: str, advice: str) -> None:
    refused = muster(shared.data, "lists", "--url", url)
    assert refused.returncode == 1
    assert refused.stderr == f"muster: {advice}\n"


def test_up_tells_where_the_documentation_is(shared: Up) -> None:
    assert f"its documentation is at {shared.address}/docs\n" in shared.output.read_text()


def test_up_tells_another_terminal_where_it_runs(shared: Up) -> None:
    """Commands that act on the database must find that of this stack, wherever its folder is."""
    named = {"MUSTER_URL": shared.address, "MUSTER_TOKEN": shared.token, "MUSTER_DATA": str(shared.data)}
    assert shared.exported == named


@pytest.mark.parametrize("command", ["lists", "tags", "activity list", "export -"])
def test_without_a_stack_a_command_says_so_first(data: Path, command: str) -> None:
    refused = muster(data, *command.split())
    assert refused.returncode == 1
    assert refused.stderr == (
        f"muster: no stack runs on {data}: start one with `muster up`, "
        "or set MUSTER_URL and MUSTER_TOKEN to use another\n"
    )


@pytest.mark.parametrize("command", ["token list --account 1", "token create --account 1", "account create One"])
def test_administration_makes_no_database(data: Path, command: str) -> None:
    refused = muster(data, *command.split())
    assert refused.returncode == 1
    assert refused.stderr.startswith(f"muster: there is no database in {data}: `muster up` or `muster migrate` makes")
    assert not data.exists()


def test_hooks_are_made_listed_and_deleted(shared: Up) -> None:
    account = muster(shared.data, "account", "create", "Hooks").stdout.strip()
    made = muster(shared.data, "hook", "create", "--account", account, "Welcome", "https://hook.invalid/hook")
    number, secret = made.stdout.split()
    assert secret.startswith("whsec_")
    assert "MUSTER_HOOKS_TO_PRIVATE_ADDRESSES" not in made.stderr
    private = muster(shared.data, "hook", "create", "--account", account, "Here", "http://127.0.0.1:9000/hook")
    assert "is not of the public internet, and MUSTER_HOOKS_TO_PRIVATE_ADDRESSES is off" in private.stderr
    assert private.returncode == 0
    listed = muster(shared.data, "hook", "list", "--account", account).stdout
    assert "https://hook.invalid/hook" in listed
    assert secret not in listed
    assert muster(shared.data, "hook", "delete", "--account", account, number).returncode == 0
    again = muster(shared.data, "hook", "delete", "--account", account, number)
    assert again.stderr == f"muster: there is no hook {number}\n"
    refused = muster(shared.data, "hook", "create", "--account", "999999", "W", "https://example.org/")
    assert refused.stderr == "muster: there is no account 999999\n"
