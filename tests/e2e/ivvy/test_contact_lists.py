"""Lists of contacts: pages, and filters with every suffix (contract ivvy.md 3 and 9.3)."""

from typing import Any

import pytest

from engine.sets import catalog
from engine.sets.catalog import SetKind
from tests.e2e.ivvy.client import Ivvy

CONTACTS = [
    {"firstName": "Ann", "lastName": "Ash", "email": "ann@example.org", "phone": "0400 1", "externalId": "X1"},
    {"firstName": "Bo", "lastName": "Birch", "email": "bo@example.org", "smsStatus": 1},
    {"firstName": "Cy", "lastName": "ash-Cole", "email": "cy@other.example", "status": 2},
]


async def make(client: Ivvy) -> list[int]:
    return [(await client.call("contact", "addOrUpdateContact", each))["id"] for each in CONTACTS]


async def page(client: Ivvy, **params: object) -> Any:
    return await client.call("contact", "getContactList", params)


async def test_pages(ivvy_client: Ivvy) -> None:
    """Contract ivvy.md 3 and 9.3: defaults, the cap, past the end; members, by id."""
    client = ivvy_client
    assert await page(client) == {"meta": {"totalResults": 0, "start": 0, "perPage": 50, "count": 0}, "results": []}
    numbers = await make(client)
    await client.desk.make_contacts(1, first=900, deleted=True)
    everybody = await page(client, perPage=9999)
    assert everybody["meta"] == {"totalResults": 3, "start": 0, "perPage": 500, "count": 3}
    assert [each["id"] for each in everybody["results"]] == numbers
    assert everybody["results"][0].keys() == {
        *("id", "firstName", "lastName", "email", "phone", "privacyConsentData", "customFields", "groups", "companies"),
        *("companiesData", "externalId", "modifiedDate", "createdDate", "isAnonymised"),
    }
    second = await page(client, start="1", perPage=1)
    assert second["meta"] == {"totalResults": 3, "start": 1, "perPage": 1, "count": 1}
    assert second["results"] == everybody["results"][1:2]
    assert (await page(client, start=2**40))["meta"] == {"totalResults": 3, "start": 2**40, "perPage": 50, "count": 0}
    assert await page(client, perPage=0) == {
        "meta": {"totalResults": 3, "start": 0, "perPage": 0, "count": 0},
        "results": [],
    }
    for bad in ({"start": -1}, {"perPage": -1}, {"perPage": "x"}, {"start": 1.5}):
        assert (await client.refused("contact", "getContactList", bad))["specificCode"] == 23016


#: A filter, and whom of the three it chooses.
FILTERS: list[tuple[dict[str, object], str]] = [
    ({}, "123"),
    ({"firstName": "ann"}, "1"),
    ({"firstName": "Ann", "lastName": "Birch"}, ""),
    ({"lastName__CONTAINS": "ASH"}, "13"),
    ({"lastName__NOTCONTAINS": "ash"}, "2"),
    ({"lastName__BEGINS": "Bi"}, "2"),
    ({"lastName__ENDS": "cole"}, "3"),
    ({"lastName__LESSTHAN": "ash"}, "1"),
    ({"lastName__GREATERTHAN": "birch"}, "2"),
    ({"lastName__NOT": "Ash"}, "23"),
    ({"lastName__CONTAINS": ""}, "123"),
    ({"lastName": ""}, ""),
    ({"phone__EMPTY": True}, "23"),
    ({"phone__EMPTY": False}, "1"),
    ({"phone": "__ISNULL__"}, "23"),
    ({"phone": "ISNULL"}, "23"),
    ({"phone__NOT": "__ISNULL__"}, "1"),
    ({"phone__CONTAINS": "400"}, "1"),
    ({"email": "ANN@example.org"}, "1"),
    ({"email__ENDS": "example.org"}, "12"),
    ({"externalId": "x1"}, "1"),
    ({"status": 1}, "12"),
    ({"status": "2"}, "3"),
    ({"status__NOT": 2}, "12"),
    ({"status": 4}, ""),
    ({"status": 77}, ""),
    ({"smsStatus": 1}, "2"),
    ({"smsStatus": 4}, "13"),
    ({"isAnonymised": False}, "123"),
    ({"isAnonymised": True}, ""),
    ({"venueId": 1}, ""),
    ({"venueGroupId": 1}, ""),
    ({"venueId__NOT": 1}, "123"),
    ({"venueGroupId__EMPTY": True}, "123"),
    ({"status__EMPTY": True}, ""),
    ({"status__EMPTY": False}, "123"),
    ({"status": "ISNULL"}, ""),
    ({"id__EMPTY": False}, "123"),
    ({"id": "__ISNULL__"}, ""),
    ({"modifiedDate__EMPTY": True}, ""),
    ({"createdDate__EMPTY": False}, "123"),
    ({"firstName__BEGINS": "aN"}, "1"),
    ({"firstName__ENDS": "N"}, "1"),
    ({"firstName__NOT": "ANN"}, "23"),
    ({"email__NOT": "ANN@EXAMPLE.ORG"}, "23"),
    ({"externalId__EMPTY": True}, "23"),
    ({"externalId__NOT": "X1"}, "23"),
    ({"companyId": 999}, ""),
    ({"modifiedDate__GREATERTHAN": "2000-01-01 00:00:00"}, "123"),
    ({"modifiedDate__LESSTHAN": "2000-01-01 00:00:00 UTC"}, ""),
    ({"fromModifiedDate": "2000-01-01 00:00:00", "toModifiedDate": "2999-01-01 00:00:00"}, "123"),
    ({"toModifiedDate": "2000-01-01 00:00:00"}, ""),
    ({"createdDate__NOT": "2000-01-01 00:00:00"}, "123"),
]


async def test_filters(ivvy_client: Ivvy) -> None:
    """Contract ivvy.md 3, every suffix, and 9.3, every key; all of several hold."""
    numbers = await make(ivvy_client)
    for given, chosen in FILTERS:
        found = await page(ivvy_client, filter=given)
        assert [each["id"] for each in found["results"]] == [numbers[int(nth) - 1] for nth in chosen], given
        assert found["meta"]["totalResults"] == len(chosen)


async def test_filters_of_numbers_times_and_companies(ivvy_client: Ivvy) -> None:
    """Contract ivvy.md 3: ≤ and ≥; a time is compared by its seconds, which is how it is told. 9.3: companyId."""
    client = ivvy_client
    first, second, third = await make(client)
    async with client.desk.db.account(client.desk.account_id) as tx:
        company = (await catalog.create(tx, SetKind.COMPANY, "Acorn")).set_no
        group = (await catalog.create(tx, SetKind.LIST, "a group")).set_no
    await client.call("contact", "addOrUpdateContact", {"id": second, "companies": [company]})
    at = (await page(client))["results"][1]["modifiedDate"]
    for given, chosen in (
        ({"id": second}, [second]),
        ({"id__GREATERTHAN": str(second)}, [second, third]),
        ({"id__LESSTHAN": second}, [first, second]),
        ({"id__NOT": second}, [first, third]),
        ({"id": 2**62}, []),
        ({"companyId": company}, [second]),
        ({"companyId__NOT": company}, [first, third]),
        ({"companyId": group}, []),
        ({"modifiedDate": at, "id": second}, [second]),
        ({"fromModifiedDate": at, "toModifiedDate": at, "id": second}, [second]),
    ):
        assert [each["id"] for each in (await page(client, filter=given))["results"]] == chosen, given


@pytest.mark.parametrize(
    "given",
    [
        {"nothing": 1},
        {"firstName__LIKE": "a"},
        {"firstName__": "a"},
        {"firstName_CONTAINS": "a"},
        {"__CONTAINS": "a"},
        {"": "a"},
        {"firstName": ["a"]},
        {"firstName": None},
        {"firstName": "a\0b"},
        {"firstName__CONTAINS": "x" * 1001},
        {"id": "x"},
        {"id__CONTAINS": 1},
        {"modifiedDate": "yesterday"},
        {"modifiedDate__BEGINS": "2026"},
        {"fromModifiedDate__NOT": "2026-01-01 00:00:00"},
        {"modifiedDate": "9999-12-31 23:59:59"},
        {"status__CONTAINS": 1},
        {"status": {}},
        {"companyId": "x"},
        ["firstName"],
        "firstName",
    ],
)
async def test_filters_that_are_none(ivvy_client: Ivvy, given: object) -> None:
    """Contract ivvy.md 3: unknown property or suffix, 400 and 23016."""
    told = await ivvy_client.refused("contact", "getContactList", {"filter": given})
    assert (told["errorCode"], told["specificCode"]) == (400, 23016)
    assert told["message"] == "'filter' does not validate"
