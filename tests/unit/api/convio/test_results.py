"""Results as XML and JSON (contract convio.md 4), and the examples of the seed and the contract."""

import json

import pytest
from hypothesis import given
from hypothesis import strategies as st
from lxml import etree

from api import xml
from api.convio import results
from api.convio.results import Members
from tests import convio_examples as examples
from tests.convio_examples import CONTRACT, canonical

SEED: Members = [
    ("addressBookGroup", [("id", 123), ("name", "Sample Group Name")]),
    *(("contactId", number) for number in range(100, 105)),
]
TEAM: Members = [("id", 123), ("name", "Walk Team")]
ANN: Members = [("id", 100), ("firstName", "Ann"), ("lastName", "Ash"), ("email", "ann@example.org")]
BO: Members = [("id", 101), ("firstName", "Bo"), ("lastName", "Birch"), ("email", "bo@example.org")]
GROUPS: Members = [
    ("group", [*TEAM, ("contactsCount", 3)]),
    ("group", [("id", 124), ("name", "Donors"), ("contactsCount", 0)]),
]
REMOVED: Members = [("group_id", 123), ("contact_id", 100)]
REFUSED: Members = [("code", 906), ("message", "Group 999 was not found.")]

#: By section: the members of the example.
OF_CONTRACT: dict[str, Members] = {
    "3.1": [
        ("cons_id", 1001172),
        ("timestamp", 1767600000),
        ("signature", None),
        ("token", "k3Yq8vT0wZ1nB7"),
        ("login_test_url", None),
        ("nonce", None),
        ("JSESSIONID", "5B1E0C.app1"),
        ("routing_id", None),
    ],
    "6.1": [("addressBookGroup", TEAM), ("contactId", 100), ("contactId", 101), ("contactId", 104)],
    "6.1 one": [("addressBookGroup", TEAM), ("contactId", 100)],
    "6.1 error": REFUSED,
    "6.4": [("groupId", 124), ("groupId", 125), ("errors", False)],
    "6.5": GROUPS,
    "6.5 none": [],
    "6.6": REMOVED,
    "6.8": [
        ("addressBookContact", [*ANN, ("group", TEAM)]),
        ("addressBookContact", BO),
        ("totalNumberResults", 2),
    ],
}


def test_the_seed_in_xml() -> None:
    """Contract 4, 6.1, and the seed."""
    document = results.written("addContactsToGroupResponse", SEED, "xml")
    assert canonical(document) == canonical(examples.SEED_XML)
    declaration = b'<?xml version="1.0" encoding="UTF-8"?>\n'
    assert document.startswith(declaration)
    assert examples.SEED_XML.startswith(declaration)


def test_the_seed_in_json() -> None:
    """Contract 4, 6.1, and the seed."""
    assert json.loads(results.written("addContactsToGroupResponse", SEED, "json")) == examples.SEED_JSON


@pytest.mark.parametrize("section", OF_CONTRACT)
def test_the_contracts_json(section: str) -> None:
    """Contract 3.1, 4, 6.1, 6.4, 6.5, 6.6 and 6.8: scalars are texts, one of a kind is no array."""
    [root] = CONTRACT[section]
    assert json.loads(results.as_json(root, OF_CONTRACT[section])) == CONTRACT[section]


@pytest.mark.parametrize(
    ("name", "root", "members"),
    [
        ("added", "addContactsToGroupResponse", OF_CONTRACT["6.1"]),
        ("groups", "getAddressBookGroupsResponse", GROUPS),
        ("removed", "removeContactFromGroupResponse", REMOVED),
        ("error", "errorResponse", REFUSED),
    ],
)
def test_the_contracts_xml(name: str, root: str, members: Members) -> None:
    """Contract 4, 6.1, 6.5 and 6.6."""
    assert canonical(results.as_xml(root, members)) == canonical(examples.xml(name))


@pytest.mark.parametrize("empty", [None, ""])
def test_what_is_empty(empty: str | None) -> None:
    """Contract 4: xsi:nil in XML, null in JSON."""
    [element] = etree.fromstring(results.as_xml("r", [("name", empty)]))
    assert (element.text, dict(element.attrib)) == (None, {f"{{{results.INSTANCE}}}nil": "true"})
    assert results.as_json("r", [("name", empty)]) == b'{"r":{"name":null}}'


TEXTS = st.text(st.characters(exclude_categories=["Cs"]), min_size=1, max_size=20)


@given(texts=st.lists(TEXTS, min_size=2, max_size=4))
def test_any_text(texts: list[str]) -> None:
    """Contract 4: what XML cannot hold is replaced there; JSON has all of it."""
    members: Members = [("name", text) for text in texts]
    assert json.loads(results.as_json("r", members)) == {"r": {"name": texts}}
    root = etree.fromstring(results.as_xml("r", members))
    assert [child.text for child in root] == [xml.speakable(text) for text in texts]
