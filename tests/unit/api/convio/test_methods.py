"""Which methods there are, and by which verbs (contract convio.md 3.1, 5)."""

from api.convio import SERVLETS

POST = frozenset({"POST"})
EITHER = frozenset({"GET", "POST"})

CONTRACT = {
    "CRAddressBookAPI": {
        "addContactsToGroup": EITHER,
        "addAddressBookGroup": EITHER,
        "updateAddressBookGroup": POST,
        "deleteAddressBookGroups": POST,
        "getAddressBookGroups": EITHER,
        "removeContactFromGroup": POST,
        "addAddressBookContact": EITHER,
        "addAddressBookContacts": EITHER,
        "updateAddressBookContact": POST,
        "deleteAddressBookContacts": EITHER,
        "getAddressBookContacts": EITHER,
        "importAddressBookContacts": EITHER,
    },
    "SRAddressBookAPI": {"addAddressBookContact": EITHER},
    "CRConsAPI": {"login": POST, "loginTest": POST, "getLoginUrl": EITHER},
    "SRConsAPI": {"getSingleSignOnToken": POST},
}


def test_the_table_of_methods() -> None:
    """Contract 3.1, 5: all that are required, and of the others those that need no upload and no other site."""
    there = {servlet: {method.name: method.verbs for method in methods} for servlet, methods in SERVLETS.items()}
    assert there == CONTRACT
