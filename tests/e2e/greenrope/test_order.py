"""Many contacts in one request end as one request after the other does (contract greenrope.md 5.1, 5.2)."""

from collections.abc import Sequence
from random import Random

import pytest

from engine import principals
from engine.database import Database
from engine.principals import Privilege
from tests.e2e.greenrope.people import contact, request
from tests.e2e.greenrope.rope import Rope, element, texts
from tests.integration.conftest import NewDesk

#: Few, so that contacts of a request meet each other.
NAMES, ADDRESSES = ("A", "a", "B", ""), ("x@example.org", "X@example.org", "y@example.org", "")
NOBODY: dict[str, object] = {}
COMPARED = ("Firstname", "Lastname", "Email", "Title")


def said(random: Random, title: str) -> dict[str, str]:
    """Some of what may be said of a contact, which is never nothing."""
    values = {
        "Firstname": random.choice(NAMES),
        "Lastname": random.choice(NAMES),
        "Email": random.choice(ADDRESSES),
    }
    return {name: value for name, value in values.items() if random.random() < 0.7} | {"Title": title}


def criteria(random: Random) -> dict[str, object]:
    values: dict[str, object] = {
        "contact_id": random.randrange(1, 9),
        "firstname": random.choice("AB"),
        "lastname": random.choice("AB"),
        "email": random.choice(ADDRESSES[:3]),
    }
    return {name: value for name, value in values.items() if random.random() < 0.4} or {"email": "x@example.org"}


def requests(random: Random) -> list[tuple[str, list[tuple[dict[str, object], dict[str, str]]]]]:
    """Functions with what each of their contacts says: by attributes, and by elements."""
    adds = [(NOBODY, said(random, f"add {nth}")) for nth in range(12)]
    updates = [(NOBODY, said(random, f"update {nth}")) for nth in range(25)]
    edits = [(criteria(random), said(random, f"edit {nth}")) for nth in range(40)]
    deletes = [(criteria(random), dict[str, str]()) for _ in range(15)]
    return [
        ("AddContacts", adds),
        ("AddContacts update", updates),
        ("EditContacts", edits),
        ("DeleteContacts", deletes),
    ]


async def sent(
    rope: Rope, function: str, contacts: Sequence[str], account_id: int
) -> list[tuple[str | None, str | None]]:
    """What came of each contact."""
    name, _, update = function.partition(" ")
    attributes = {"account_id": account_id} | ({"update": "true"} if update else {})
    told = await rope.each(request(name, *contacts, **attributes))
    return [(each.findtext("Contact_id"), each.findtext("ErrorCode")) for each in told]


@pytest.mark.parametrize("seed", range(3))
async def test_one_request_or_many(rope: Rope, new_desk: NewDesk, db: Database, seed: int) -> None:
    """Contract 5.1 and 5.2: each contact finds what those before it have made, changed and deleted."""
    together, apart = (await new_desk()).account_id, (await new_desk()).account_id
    for account_id in (together, apart):
        await principals.grant(db, rope.principal_id, account_id, list(Privilege))
    shared = await rope.again()
    for function, each in requests(Random(seed)):
        contacts = [contact(attributes, **elements) for attributes, elements in each]
        at_once = await sent(shared, function, contacts, together)
        one_by_one = [outcome for one in contacts for outcome in await sent(shared, function, [one], apart)]
        assert at_once == one_by_one
        found = []
        for account_id in (together, apart):
            root = await shared.done(element("GetContactsRequest", {"account_id": account_id}))
            found.append([[texts(contact)[name] for name in COMPARED] for contact in root.iter("Contact")])
        assert found[0] == found[1]
