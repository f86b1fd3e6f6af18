"""The stack as real processes: it starts, keeps its data, and never leaves anything behind, however it ends."""

import json
import os
import re
import shutil
import signal
import subprocess
import time
from contextlib import suppress
from pathlib import Path

import psutil
import pytest

from tests.e2e.stack import MUSTER, Up, environment, left_of, muster, up


def test_what_up_prints_can_be_pasted(shared: Up) -> None:
    command = shared.output.read_text().partition("Try it:\n")[2]
    ended = subprocess.run(["/bin/sh", "-c", command], capture_output=True, text=True, check=True)
    assert json.loads(ended.stdout)["name"] == "Friends"


def test_the_parts_listen_on_loopback_and_sockets_only(shared: Up) -> None:
    listening = [
        connection.laddr.ip
        for process in shared.processes()
        for connection in process.net_connections("inet")
        if connection.status == psutil.CONN_LISTEN
    ]
    assert set(listening) == {"127.0.0.1"}


def test_api_and_workers_do_not_get_the_owners_url(shared: Up) -> None:
    for part in ("serve", "work"):
        environ = shared.of_part(part).environ()
        assert "DATABASE_URL" not in environ
        assert "muster_app@" in environ["DATABASE_APP_URL"]


def test_secrets_are_private(shared: Up) -> None:
    for name in ("stack.json", "access.json", "log/api.log"):
        assert (shared.data / name).stat().st_mode & 0o077 == 0, name


def test_other_commands_find_the_running_stack(shared: Up) -> None:
    account = muster(shared.data, "account", "create", "Acme")
    assert account.returncode == 0, account.stderr
    number = account.stdout.strip()
    token = muster(shared.data, "token", "create", "--account", number, "--name", "ci", "--privilege", "contacts:read")
    assert token.stdout.startswith("muster_")
    listed = muster(shared.data, "token", "list", "--account", number)
    assert "ci" in listed.stdout
    token_id = next(iter(re.findall(r"[0-9a-f]{8}-[0-9a-f-]{27}", listed.stdout)))
    assert muster(shared.data, "token", "revoke", token_id).returncode == 0
    assert "no" in muster(shared.data, "token", "list", "--account", number).stdout
    assert muster(shared.data, "migrate").returncode == 0


def test_a_second_stack_on_the_folder_is_refused(shared: Up) -> None:
    refused = muster(shared.data, "up")
    assert refused.returncode == 1
    assert f"in use by a running stack (process {shared.process.pid})" in refused.stderr
    assert len(refused.stderr.splitlines()) == 1


def test_a_stack_on_given_servers_starts_none(shared: Up, data: Path) -> None:
    urls = json.loads((shared.data / "stack.json").read_text())
    with up(data, DATABASE_URL=urls["database_url"], REDIS_URL=urls["redis_url"]) as other:
        assert other.address != shared.address
        assert not (data / "postgres").exists()
        assert not (data / "valkey").exists()
        assert other.request("POST", "/v3/contact_lists", {"name": "Elsewhere"})[0] == 201


def test_activities_from_the_command_line(shared: Up, tmp_path: Path) -> None:
    csv = tmp_path / "people.csv"
    csv.write_text("email,first_name\nada@example.org,Ada\nbad-address,Bo\ncy@example.org,Cy\n")
    imported = muster(shared.data, "import", str(csv), "--list", "People")
    assert imported.returncode == 0, imported.stderr
    assert "completed" in imported.stderr
    (people,) = shared.request("GET", "/v3/contact_lists?name=People&include_membership_count=all")[1]["lists"]
    assert people["membership_count"] == 2
    target = shared.request("POST", "/v3/contact_lists", {"name": "Chosen"})[1]["list_id"]
    body = json.dumps({"source": {"list_ids": [people["list_id"]]}, "list_ids": [target]})
    submitted = muster(shared.data, "activity", "submit", "add_list_memberships", "--watch", stdin=body)
    assert submitted.returncode == 0, submitted.stderr
    activity_id = json.loads(submitted.stdout)["activity_id"]
    assert muster(shared.data, "activity", "watch", activity_id).returncode == 0
    assert activity_id in muster(shared.data, "activity", "list").stdout
    cancelled = muster(shared.data, "activity", "cancel", activity_id)
    assert cancelled.returncode == 1
    assert "409" in cancelled.stderr
    retried = muster(shared.data, "activity", "retry", activity_id)
    assert retried.returncode == 0, retried.stderr


def test_lists_tags_and_exports_from_the_command_line(shared: Up, tmp_path: Path) -> None:
    people, exported = tmp_path / "people.csv", tmp_path / "exported.csv"
    people.write_text("email,first_name\ndee@example.org,Dee\neli@example.org,Eli\n")
    assert muster(shared.data, "import", str(people), "--list", "To [export]").returncode == 0
    tag = shared.request("POST", "/v3/contact_tags", {"name": "Told"})[1]["tag_id"]
    assert re.search(r" 2  To \[export\]", muster(shared.data, "lists").stdout)
    assert re.search(rf"{tag} +0  Told", muster(shared.data, "tags").stdout)
    written = muster(
        shared.data, "export", str(exported), "--list", "To [export]", "--status", "active", "--field", "email_address"
    )
    assert written.returncode == 0, written.stderr
    assert set(exported.read_text().split()) == {"email_address", "dee@example.org", "eli@example.org"}
    refused = muster(shared.data, "export", str(tmp_path / "none.csv"), "--list", "No such list")
    assert refused.returncode == 1
    assert refused.stderr == "muster: there is no list named 'No such list'\n"
    assert not (tmp_path / "none.csv").exists()


@pytest.mark.parametrize(
    ("arguments", "stdin", "complaint"),
    [
        (("activity", "submit", "add_list_memberships"), "{", "the body is not JSON"),
        (("activity", "submit", "add_list_memberships", "@no-such-file"), "", "cannot read no-such-file"),
        (("activity", "submit", "add_list_memberships"), "{}", "400"),
        (("activity", "watch", "no-such-activity"), "", "404"),
        (("activity", "list", "--url", "http://127.0.0.1:9"), "", "no API answers at http://127.0.0.1:9"),
        (("token", "create", "--account", "999999"), "", "there is no account 999999"),
    ],
)
def test_a_refusal_is_one_line(shared: Up, arguments: tuple[str, ...], stdin: str, complaint: str) -> None:
    refused = muster(shared.data, *arguments, stdin=stdin)
    assert refused.returncode == 1
    assert refused.stderr.startswith("muster: ")
    assert complaint in refused.stderr
    assert len(refused.stderr.splitlines()) == 1


def test_ctrl_c_stops_everything_and_the_data_stay(data: Path) -> None:
    with up(data) as first:
        assert first.request("POST", "/v3/contact_lists", {"name": "Kept"})[0] == 201
        processes = first.processes()
        first.interrupt()
        assert first.process.wait(60) == 0
        assert left_of(processes, within=0) == []
        assert not (data / "stack.json").exists()
        assert list((data / "run").iterdir() if (data / "run").exists() else []) == []
    with up(data) as second:
        assert second.token == first.token
        assert second.list_names() == {"Kept"}


def test_ctrl_c_twice_leaves_no_orphan(data: Path) -> None:
    with up(data) as stack:
        processes = stack.processes()
        stack.interrupt()
        time.sleep(0.05)
        stack.interrupt()
        stack.process.wait(15)
        assert left_of(processes, within=5) == []


def test_ctrl_c_while_starting_leaves_no_orphan(data: Path) -> None:
    process = subprocess.Popen(
        [*MUSTER, "up"], env=environment(data), stdout=subprocess.PIPE, stderr=subprocess.PIPE, start_new_session=True
    )
    while not (data / "postgres").exists():
        time.sleep(0.01)
    processes = psutil.Process(process.pid).children(recursive=True)
    os.killpg(process.pid, signal.SIGINT)
    process.communicate(timeout=60)
    assert left_of(processes, within=0) == []


def test_a_killed_stack_leaves_no_orphan_and_starts_again(data: Path) -> None:
    with up(data) as stack:
        assert stack.request("POST", "/v3/contact_lists", {"name": "Kept"})[0] == 201
        processes = stack.processes()
        stack.process.kill()
        # At once: the next one waits for what is left of this one.
        with up(data) as again:
            assert left_of(processes, within=0) == []
            assert again.list_names() == {"Kept"}


def test_a_hard_crash_of_everything_loses_nothing_that_was_answered(data: Path) -> None:
    with up(data) as stack:
        assert stack.request("POST", "/v3/contact_lists", {"name": "Kept"})[0] == 201
        processes = stack.processes()
        for process in (psutil.Process(stack.process.pid), *processes):
            with suppress(psutil.NoSuchProcess):
                process.kill()
        assert left_of(processes, within=10) == []
    with up(data) as again:
        assert again.list_names() == {"Kept"}


def test_a_part_that_crashes_is_started_again(data: Path) -> None:
    with up(data) as stack:
        for part in ("serve", "bulk", "valkey-server", "bin/postgres"):
            crashed = stack.of_part(part)
            crashed.kill()
            stack.await_restart(part, crashed.pid)
        assert stack.output.read_text().count("it starts again") >= 4
        assert stack.request("POST", "/v3/contact_lists", {"name": "Still there"})[0] == 201


def test_stacks_with_folders_of_their_own_run_side_by_side(shared: Up, data: Path) -> None:
    with up(data) as other:
        assert other.address != shared.address
        assert other.request("POST", "/v3/contact_lists", {"name": "Mine"})[0] == 201
        assert "Mine" not in shared.list_names()


def test_a_folder_too_deep_for_sockets_works(data: Path) -> None:
    with up(data / ("deep" * 25) / "data with a blank") as stack:
        assert stack.request("GET", "/readyz")[0] == 200
        assert stack.request("GET", "/readyz")[1]["broker"] == "up"


def test_a_part_that_does_not_start_tells_why(data: Path) -> None:
    with up(data):
        pass
    (data / "valkey" / "appendonlydir" / "appendonly.aof.manifest").write_text("nonsense\n")
    failed = muster(data, "up")
    assert failed.returncode == 1
    assert "valkey ended with code 1 while it started" in failed.stderr
    assert str(data / "log" / "valkey.log") in failed.stderr
    assert f"if {data / 'valkey'} is damaged, remove it" in failed.stderr
    assert "Traceback" not in failed.stderr
    shutil.rmtree(data / "valkey")
    with up(data):
        pass


def test_a_database_of_another_version_is_refused(data: Path) -> None:
    (data / "postgres").mkdir(parents=True)
    (data / "postgres" / "PG_VERSION").write_text("17\n")
    refused = muster(data, "up")
    assert refused.returncode == 1
    assert "made by PostgreSQL 17, and this is 18" in refused.stderr


def test_a_port_that_is_taken_is_refused(shared: Up, data: Path) -> None:
    port = shared.address.rpartition(":")[2]
    refused = muster(data, "up", MUSTER_PORT=port)
    assert refused.returncode == 1
    assert f"port {port} of 127.0.0.1 is taken: set MUSTER_PORT" in refused.stderr


def test_a_setting_that_makes_no_sense_is_named(data: Path) -> None:
    refused = muster(data, "up", MUSTER_WINDOW="none")
    assert refused.returncode == 1
    assert refused.stderr.startswith("muster: MUSTER_WINDOW: ")


@pytest.mark.parametrize("command", ["serve", "work"])
def test_without_servers_and_stack_api_and_workers_say_what_they_need(data: Path, command: str) -> None:
    refused = muster(data, command)
    assert refused.returncode == 1
    assert "`muster up`" in refused.stderr


def test_administration_works_without_a_stack(data: Path) -> None:
    assert muster(data, "migrate").returncode == 0
    assert muster(data, "account", "create", "One").stdout == "1\n"
    assert muster(data, "account", "create", "Two").stdout == "2\n"


@pytest.mark.timeout(300)
def test_the_demonstration(data: Path) -> None:
    shown = muster(data, "demo", DEMO_CONTACTS="3000", COLUMNS="200")
    assert shown.returncode == 0, shown.stderr
    assert re.search(r"One list to 50 lists\s+│\s+3,000 │\s+150,000 │\s+0 │", shown.stdout), shown.stdout
    assert shown.stdout.count(" s │") == 8
    assert not (data / "demo" / "contacts.csv").exists()
    # Without a terminal a line tells of each step as it begins.
    told = shown.stderr.splitlines()
    assert [told.count(step) for step in ("Generate contacts", "Import them", "One list to 50 lists")] == [1, 1, 1]
