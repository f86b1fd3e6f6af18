"""Import jobs over HTTP: made, filled, run as activities (contract w50.md)."""

import json
from typing import Any
from unittest.mock import patch

from lxml import etree

from engine import fields, hooks
from engine.activities.model import Activity
from engine.activities.operation import Progress
from engine.database import Transaction
from engine.imports import staged
from engine.operations import staged_import
from engine.operations.staged_import import SavingBatch
from tests.e2e.w50.client import Client
from tests.unit.api.w50.examples import JOB


async def made(client: Client, *names: str) -> str:
    """The path of a new job for values of these fields."""
    job = await client.done("POST", f"{client.path}/import", {"FieldNames": names})
    assert list(job) == list(json.loads(JOB))
    assert (job["ContactListId"], job["CurrentStatus"], job["StartDate"]) == (
        client.contact_list.set_no,
        "Created",
        None,
    )
    return f"{client.path}/import/{job['Id']}"


async def added(client: Client, path: str, *values: object) -> Any:
    return await client.done("POST", path, [{"Values": each} for each in values])


async def finished(client: Client, path: str, query: str = "") -> Any:
    """The job after it ran."""
    queued = await client.done("POST", f"{path}/run{query}")
    assert queued["CurrentStatus"] == "Queued"
    await client.front.work()
    return await client.done("GET", path)


def counted(job: Any) -> dict[str, int]:
    names = ("InsertedContacts", "UpdatedContacts", "NotUpdatedContacts", "DroppedContacts", "TotalContacts")
    return {name.removesuffix("Contacts"): job[name] for name in names if job[name]}


async def test_a_job_from_its_making_to_its_end(client: Client) -> None:
    """Contract 8: the list's new contacts, with the defaults of its fields."""
    path = await made(client, "email", "FirstName", "Age")
    accepted = await added(
        client, path, {"Email": "ada@example.org", "FirstName": "Ada", "Age": 36}, {"Email": "b@example.org"}
    )
    assert accepted == [
        {
            "EncContactId": None,
            "ListId": client.contact_list.set_no,
            "Values": {"Email": "ada@example.org", "FirstName": "Ada", "Age": "36"},
        },
        {"EncContactId": None, "ListId": client.contact_list.set_no, "Values": {"Email": "b@example.org"}},
    ]
    await added(client, path, {"Email": "b@example.org"})
    job = await finished(client, path)
    assert (job["CurrentStatus"], job["ProgressPercent"], counted(job)) == (
        "Complete",
        100,
        {"Inserted": 3, "Total": 3},
    )
    assert job["StartDate"] <= job["FinishDate"]
    assert job["StartDate"].endswith("Z")
    rows = sorted(await client.desk.rows("contact"), key=lambda row: row["contact_no"])
    assert [row["email"] for row in rows] == ["ada@example.org", "b@example.org", "b@example.org"]
    assert all("None" in json.loads(row["custom_values"]).values() for row in rows)
    assert await client.desk.members(client.contact_list) == {1, 2, 3}
    activity = (await client.front.get("/v3/activities"))["activities"][0]
    assert (activity["state"], activity["status"]["items_completed_count"]) == ("completed", 3)


async def test_what_is_wrong_is_left_out_and_warned_about(client: Client) -> None:
    """Contract 2.1 and 8: the rest is imported; what has nothing left is dropped."""
    path = await made(client, "Email", "Second Email", "Mobile", "Age")
    accepted = await added(
        client,
        path,
        {"Email": "nobody", "Age": 1},
        {"Second_Email": "no", "Mobile": "call", "Age": 2},
        {"Age": "old"},
        {"FirstName": "Ada", "Foo": 1, "Age": 3},
        {},
        {"Age": 4, **{f"Foo{number}": 1 for number in range(1, 31)}},
    )
    assert [each["Values"] for each in accepted] == [{"Age": "1"}, {"Age": "2"}, {}, {"Age": "3"}, {}, {"Age": "4"}]
    assert [len(each["ValidationWarnings"]) for each in accepted] == [1, 2, 1, 2, 1, 11]
    assert accepted[-1]["ValidationWarnings"][9:] == [
        "Field 'Foo10' was not announced, and is left out.",
        "20 more fields were not announced, and are left out.",
    ]
    job = await finished(client, path)
    assert (job["InvalidEmailCount"], job["InvalidSmsCount"]) == (2, 1)
    assert counted(job) == {"Inserted": 4, "Dropped": 2, "Total": 6}
    errors = await client.desk.rows("activity_error")
    assert sorted(error["item"] for error in errors) == ["part 1, contact 3", "part 1, contact 5"]


async def test_match_updates_all_and_else_inserts(client: Client) -> None:
    """Contract 4 and 8: whichever batch they come in; who is changed in nothing is counted as not updated."""
    for number in range(3):
        await client.post({"AccountRef": "x" if number else "y", "Age": 7})
    path = await made(client, "AccountRef", "Age", "Email")
    await added(
        client,
        path,
        {"AccountRef": "x", "Age": 8},
        {"AccountRef": "y", "Age": 7},
        {"AccountRef": "z", "Age": 1},
        {"AccountRef": "z", "Age": 2},
        {"AccountRef": "Z", "Age": 3},
        {"AccountRef": "x", "Email": "one@example.org"},
        {"Age": 9},
    )
    with patch.object(staged_import, "SIZE", 3):
        job = await finished(client, path, "?match=accountref")
    assert counted(job) == {"Inserted": 2, "Updated": 5, "NotUpdated": 1, "Dropped": 1, "Total": 7}
    rows = sorted(await client.desk.rows("contact"), key=lambda row: row["contact_no"])
    numbers = {row["name"]: str(row["field_no"]) for row in await client.desk.rows("custom_field")}
    values = [json.loads(row["custom_values"]) for row in rows]
    assert [(each[numbers["AccountRef"]], each[numbers["Age"]]) for each in values] == [
        ("y", "7"),
        ("x", "8"),
        ("x", "8"),
        ("z", "2"),
        ("Z", "3"),
    ]
    assert [row["email"] for row in rows] == [None, "one@example.org", "one@example.org", None, None]


async def test_match_by_address(client: Client) -> None:
    """Contract 4: whatever its case; of the list's fields, too."""
    await client.post({"Email": "ada@example.org", "Second Email": "A@example.org"})
    for number, field in enumerate(("Email", "Second Email")):
        path = await made(client, "Email", "Second Email", "Age")
        value = {"Email": "ADA@example.org", "Second Email": "a@EXAMPLE.org"}[field]
        await added(client, path, {field: value, "Age": number})
        job = await finished(client, path, f"?match={field.replace(' ', '%20')}")
        assert counted(job) == {"Updated": 1, "Total": 1}


async def test_contacts_by_their_ids(client: Client) -> None:
    """Contract 4 and 8: one that is not of the list is nobody; a default is for new ones only."""
    contact = await client.post({"Age": 1, "Diet": None})
    other = await client.post({"Age": 1})
    [gone] = [row["contact_id"] for row in await client.desk.rows("contact") if row["contact_no"] == 2]
    await client.desk.remove([gone], client.contact_list)
    await client.desk.finish_everything()
    path = await made(client, "Age")
    ids = (contact["EncContactId"], other["EncContactId"], "x")
    body = [{"EncContactId": enc_id, "Values": {"Age": 2}} for enc_id in ids]
    accepted = await client.done("POST", path, body)
    assert [each["EncContactId"] for each in accepted] == list(ids)
    assert ["ValidationWarnings" in each for each in accepted] == [False, True, True]
    assert counted(await finished(client, path)) == {"Updated": 1, "Dropped": 2, "Total": 3}
    assert await client.get(contact["EncContactId"]) == {"Age": "2"}
    assert {row["code"] for row in await client.desk.rows("activity_error")} == {"not_saved"}


async def test_custom_events_run_for_what_was_written(client: Client) -> None:
    """Contract 6 and 8."""
    async with client.desk.db.account(client.desk.account_id) as tx:
        hook = await hooks.create(tx, "Welcome", "https://hook.invalid/")
    path = await made(client, "Age")
    await added(client, path, {"Age": 1}, {"Age": "x"}, {"Age": 3})
    await client.refused(417, "POST", f"{path}/run?customevents=Unknown")
    await finished(client, path, "?customevents=welcome")
    [call] = await client.desk.rows("hook_call")
    assert (call["hook_no"], call["contact_nos"]) == (hook.hook_no, [1, 2])


async def test_a_job_that_runs_takes_no_more(client: Client) -> None:
    """Contract 8: 417."""
    path = await made(client, "Age")
    await added(client, path, {"Age": 1})
    await client.done("POST", f"{path}/run")
    await client.refused(417, "POST", path, [{"Values": {"Age": 2}}])
    await client.refused(417, "POST", f"{path}/run")
    await client.front.work()
    assert counted(await client.done("GET", path)) == {"Inserted": 1, "Total": 1}


async def test_states(client: Client) -> None:
    """Contract 8: running while it is being done, and failed when it cannot go on."""
    path, seen = await made(client, "Age"), []
    await added(client, path, {"Age": 1})
    write = SavingBatch.write

    async def seeing(batch: SavingBatch, tx: Transaction, activity: Activity) -> Progress:
        seen.append(await client.done("GET", path))
        return await write(batch, tx, activity)

    with patch.object(SavingBatch, "write", seeing):
        await finished(client, path)
    [job] = seen
    assert (job["CurrentStatus"], job["FinishDate"]) == ("Running", None)
    assert job["StartDate"]
    assert job["ProgressPercent"] < 100

    path = await made(client, "Age")
    await added(client, path, {"Age": 1})
    await client.done("POST", f"{path}/run?match=Age")
    [age] = [row["field_no"] for row in await client.desk.rows("custom_field") if row["name"] == "Age"]
    async with client.desk.db.account(client.desk.account_id) as tx:
        await fields.delete(tx, [age])
    await client.front.work()
    job = await client.done("GET", path)
    assert (job["CurrentStatus"], counted(job)) == ("Failed", {"Total": 1})
    assert job["FinishDate"]


async def test_long_bodies(client: Client) -> None:
    """Contract 10: 32 MiB of contacts, and 1 MiB of all else."""
    path = await made(client, "Age")
    assert await client.done("POST", path, b"[" + b" " * 2**20 + b"]") == []
    await client.refused(417, "POST", f"{client.path}/import", b" " * 2**20 + b'{"FieldNames":["Age"]}')
    await client.refused(417, "POST", path, b" " * 32 * 2**20 + b"[]")


async def test_wrong_requests(client: Client) -> None:
    """Contract 8, 9 and 10: 404 for a job that is not the list's, 417 for all else."""
    path = await made(client, "Age")
    other = Client(client.front, await client.desk.new_list())
    number = path.rpartition("/")[2]
    for method, wrong in (("GET", ""), ("POST", ""), ("POST", "/run")):
        await client.refused(404, method, f"{other.path}/import/{number}{wrong}", [] if method == "POST" else None)
        await client.refused(404, method, f"{client.path}/import/999{wrong}", b"nonsense" if method == "POST" else None)
        await client.refused(417, method, f"{client.path}/import/x{wrong}", [] if method == "POST" else None)
    wrong_jobs: list[object] = [{"FieldNames": ["Foo"]}, {"FieldNames": []}, {}, [], "x", {"FieldNames": ["a\0"]}]
    for body in wrong_jobs:
        await client.refused(417, "POST", f"{client.path}/import", body)
    wrong_contacts: list[object] = [{}, [1], [{"Values": {"Age": []}}], [{}] * 10_001]
    for body in wrong_contacts:
        await client.refused(417, "POST", path, body)
    for query in ("match=Foo", "match=Email"):
        await client.refused(417, "POST", f"{path}/run?{query}")
    with patch.object(staged, "MOST", 1):
        await client.refused(417, "POST", path, [{"Values": {"Age": 1}}] * 2)
    assert counted(await finished(client, path)) == {}


async def test_xml(client: Client) -> None:
    """Contract 2.3 and 8: jobs and contacts."""
    media = {"Content-Type": "text/xml", "Accept": "application/xml"}
    arrays = "http://schemas.microsoft.com/2003/10/Serialization/Arrays"
    request = (
        '<ImportJobCreateRequest xmlns="http://schemas.datacontract.org/2004/07/W50API.Controllers">'
        f'<FieldNames xmlns:a="{arrays}"><a:string>Age</a:string></FieldNames></ImportJobCreateRequest>'
    )
    answer = await client.ask("POST", f"{client.path}/import", request.encode(), **media)
    members = {etree.QName(each).localname: each.text for each in etree.fromstring(answer.content)}
    assert members["CurrentStatus"] == "Created"
    models = "http://schemas.datacontract.org/2004/07/W50API.Models.DTO"
    common = "http://schemas.datacontract.org/2004/07/W50Common.Model.DTO"
    contacts = (
        f'<ArrayOfContact xmlns="{models}"><Contact><Values xmlns="{common}" xmlns:a="{arrays}">'
        "<a:KeyValueOfstringanyType><a:Key>Age</a:Key><a:Value>7</a:Value></a:KeyValueOfstringanyType>"
        "</Values></Contact></ArrayOfContact>"
    )
    path = f"{client.path}/import/{members['Id']}"
    accepted = etree.fromstring((await client.ask("POST", path, contacts.encode(), **media)).content)
    assert accepted.tag == f"{{{models}}}ArrayOfContact"
    assert counted(await finished(client, path)) == {"Inserted": 1, "Total": 1}
