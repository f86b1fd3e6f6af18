"""Contacts that are added, and what is told of them."""

import re
from typing import Any

from api.xml import Element
from engine.sets import catalog
from engine.sets.catalog import SetKind
from tests.e2e.greenrope.rope import Rope, element, texts
from tests.e2e.greenrope.test_groups import created
from tests.e2e.greenrope.test_user_fields import added

TIME = re.compile(r"\d{4}-\d\d-\d\d \d\d:\d\d:\d\d")


def contact(attributes: dict[str, object] | None = None, /, **said: Any) -> str:
    return element("Contact", attributes, **said)


def listed(name: str, *values: str) -> str:
    """The inside of a container."""
    return "".join(f"<{name}>{value}</{name}>" for value in values)


def request(function: str, *contacts: str, **attributes: object) -> str:
    said = "".join(f' {name}="{value}"' for name, value in attributes.items())
    return f"<{function}Request{said}><Contacts>{''.join(contacts)}</Contacts></{function}Request>"


async def added_one(rope: Rope, attributes: dict[str, object] | None = None, /, **said: Any) -> str:
    """The number of a contact that is added."""
    [told] = await rope.each(request("AddContacts", contact(attributes, **said)))
    assert told.findtext("Result") == "Success", texts(told)
    return told.findtext("Contact_id") or ""


async def everybody(rope: Rope, **attributes: object) -> list[Element]:
    root = await rope.done(element("GetContactsRequest", attributes))
    found = root.findall("Contacts/Contact")
    assert root.findtext("TotalMatchingContacts") == str(len(found)) or "start_chunk_page" in attributes
    return found


async def one(rope: Rope, number: str) -> Element:
    [found] = await everybody(rope, contact_id=number)
    return found


def names(found: Element, path: str) -> list[str]:
    """The texts at a path of a contact, sorted."""
    return sorted(each.text or "" for each in found.findall(path))


async def seeds_world(rope: Rope) -> dict[str, str]:
    """What the seed's examples name; the numbers that stand in them, with the real ones."""
    for name in ("groupname1", "groupname2", "groupname3", "groupname4", "Group A", "Group B"):
        await created(rope, name)
    animal = await added(rope, FieldName="Favorite Animal", FieldType="Select", PossibleValues="Dog,Cat")
    await added(rope, FieldName="Fruits", FieldType="Select", PossibleValues="Orange,Apple,Banana")
    await added(rope, FieldName="Checkboxes Type Example", FieldType="Checkbox")
    await added(rope, FieldName="Date Type Example", FieldType="Date")
    async with rope.front.desk.db.account(rope.account_id) as tx:
        first = (await catalog.create(tx, SetKind.COMPANY, "Acme Widgets, LLC")).set_no
        third = (await catalog.create(tx, SetKind.COMPANY, "Company XYZ")).set_no
    workflow = await rope.front.post("/v3/hooks", {"name": "Welcome", "url": "https://hook.invalid/hook"})
    return {
        'fieldnum="123"': f'fieldnum="{animal}"',
        "<CompanyID>1<": f"<CompanyID>{first}<",
        "<CompanyID>3<": f"<CompanyID>{third}<",
        "<WorkflowID>4<": f"<WorkflowID>{workflow['hook_id']}<",
    }


def placed(example: str, world: dict[str, str]) -> str:
    """An example with the real numbers instead of those that stand in it."""
    for made_up, real in world.items():
        example = example.replace(made_up, real)
    return example


async def tracked(rope: Rope, *events: tuple[str, str, str, str | None]) -> None:
    """Tells of events: address, what happened, when, and the number of the list that it was of."""
    rows: list[dict[str, str]] = []
    async with rope.front.desk.db.account(rope.account_id) as tx:
        for email, event, time, group_id in events:
            row = {"email": email, "event": event, "time": time}
            if group_id is None:
                row["campaign_id"] = "6f1e1d6e-0000-4000-8000-000000000001"
            else:
                row["list_id"] = str((await catalog.find_number(tx, SetKind.LIST, int(group_id))).set_id)
            rows.append(row)
    ended = await rope.front.finished("../tracking_events", {"events": rows})
    assert ended["activity_errors"] == []
