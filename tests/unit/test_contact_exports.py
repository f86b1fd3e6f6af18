"""Export requests: which ways to choose contacts go together, and which fields there are (contract v3.md 3.10)."""

from itertools import combinations
from typing import Any
from uuid import uuid4

import pytest
from pydantic import ValidationError

from engine.exports import columns
from engine.exports.columns import COLUMNS
from engine.operations.contact_exports import ContactExports

ID = str(uuid4())
IDS = [str(uuid4()) for _ in range(501)]

WAYS: dict[str, Any] = {
    "contact_ids": [ID],
    "list_ids": [ID],
    "segment_id": 1,
    "tag_ids": [ID],
    "new_subscriber": True,
    "status": "active",
    "exclude": {"contact_ids": [ID]},
}
#: The table's last column, read in either direction.
TOGETHER = [
    {"contact_ids", "status"},
    {"list_ids", "status"},
    {"list_ids", "exclude"},
    {"list_ids", "new_subscriber"},
    {"new_subscriber", "exclude"},
    {"list_ids", "new_subscriber", "exclude"},
]
#: O's 28, then V's 7.
IN_CONTRACT = [
    *("first_name", "last_name", "contact_id", "email_address", "email_lists", "phone_number", "company_name"),
    *(
        "job_title",
        "social_profiles",
        "website",
        "street",
        "city",
        "state",
        "zip",
        "country",
        "anniversary",
        "birthday",
    ),
    *("birthday_day", "birthday_month", "created_at", "updated_at", "email_permission", "email_optin"),
    *("email_optin_source", "email_optin_date", "email_optout_date", "email_optout_source", "email_optout_reason"),
    *("tag", "notes", "street_1", "street_2", "intl_state", "source_name", "email_update_source"),
]


def body(*names: str) -> dict[str, Any]:
    return {name: WAYS[name] for name in names}


def refused(given: dict[str, Any]) -> str:
    with pytest.raises(ValidationError) as caught:
        ContactExports.model_validate(given)
    return str(caught.value)


@pytest.mark.parametrize("way", WAYS)
def test_each_way_may_stand_alone(way: str) -> None:
    """Contract 3.10."""
    ContactExports.model_validate(body(way))


def test_nothing_means_everybody() -> None:
    """Contract 3.10: the body may be {}."""
    ContactExports.model_validate({})


@pytest.mark.parametrize("count", [2, 3, 4, 7])
def test_only_the_combinations_of_the_table_are_accepted(count: int) -> None:
    """Contract 3.10, "May be combined with"; other combinations → 400."""
    for names in combinations(WAYS, count):
        if set(names) in TOGETHER:
            ContactExports.model_validate(body(*names))
        else:
            assert "cannot be combined" in refused(body(*names)), names


@pytest.mark.parametrize("idle", [None, False, []])
def test_what_says_nothing_contradicts_nothing(idle: object) -> None:
    """Contract 3.3: false, null, absent and [] do not count as chosen."""
    name = "new_subscriber" if idle is False else "tag_ids"
    ContactExports.model_validate({**body("segment_id"), name: idle})
    ContactExports.model_validate({**body("segment_id"), "exclude": {"contact_ids": []}, "fields": []})


def test_all_active_contacts_is_the_status_active() -> None:
    """Contract 3.10: G's name for it, with the same companions."""
    ContactExports.model_validate({"all_active_contacts": True, **body("list_ids")})
    ContactExports.model_validate({"all_active_contacts": False, **body("segment_id")})
    assert "cannot be combined" in refused({"all_active_contacts": True, **body("segment_id")})
    assert "cannot be combined" in refused({"all_active_contacts": True, "status": "removed"})


@pytest.mark.parametrize(
    "wrong",
    [
        {"segment_ids": [1]},
        {"contact_id": [ID]},
        {"status": "deleted"},
        {"status": ["active"]},
        {"segment_id": "1"},
        {"segment_id": 2**31},
        {"contact_ids": IDS},
        {"contact_ids": ["x"]},
        {"contact_ids": ID},
        {"list_ids": IDS[:51]},
        {"tag_ids": IDS[:51]},
        {"exclude": {"contact_ids": IDS[:51]}},
        {"exclude": {"list_ids": [ID]}},
        {"new_subscriber": "yes"},
        {"fields": ["shoe_size"]},
        {"fields": ["cf:shirt"]},
        {"fields": "first_name"},
        {"fields": [1]},
        {"source": {"list_ids": [ID]}},
    ],
)
def test_what_the_table_does_not_have_is_refused(wrong: dict[str, Any]) -> None:
    """Contract 3.10 and 3.3: unknown properties, other types, too many ids; G's `segment_ids` as well."""
    refused(wrong)


@pytest.mark.parametrize(
    "full",
    [
        {"contact_ids": IDS[:500]},
        {"list_ids": IDS[:50]},
        {"tag_ids": IDS[:50]},
        {"exclude": {"contact_ids": IDS[:50]}},
    ],
)
def test_limits_may_be_reached(full: dict[str, Any]) -> None:
    """Contract 3.10."""
    ContactExports.model_validate(full)


def test_the_fields_are_those_of_the_contract_in_its_order() -> None:
    """Contract 3.10: 28 fields of O and 7 of V."""
    assert list(COLUMNS) == IN_CONTRACT
    assert len(IN_CONTRACT) == 35
    ContactExports.model_validate({"fields": IN_CONTRACT})


@pytest.mark.parametrize(
    "name",
    ["email_optin_source", "email_optin_date", "email_optout_source", "email_optout_date", "email_optout_reason"],
)
def test_facts_of_an_address_come_with_the_address(name: str) -> None:
    """Contract 3.10: these five need email_address."""
    assert "email_address" in refused({"fields": ["first_name", name]})
    ContactExports.model_validate({"fields": [name, "email_address"]})


def test_names_are_only_looked_up_when_they_are_asked_for() -> None:
    assert columns.needs_names(["first_name", "tag"])
    assert not columns.needs_names(["first_name"])
    assert "$" not in columns.select(1, [2, 3], ["first_name"], [4])


@pytest.mark.parametrize("wrong", ["1}'::bigint[]) or true --", None, 1.5])
def test_only_numbers_get_into_the_statement(wrong: Any) -> None:
    for arguments in ((wrong, [1], [1]), (1, [wrong], [1]), (1, [1, wrong, 9], [1]), (1, [1], [wrong])):
        with pytest.raises((TypeError, ValueError)):
            columns.select(arguments[0], arguments[1], ["first_name"], arguments[2])


@pytest.mark.parametrize(
    ("numbers", "condition"),
    [
        ([7], "between 7 and 7 and c.contact_no <> all('{}'::bigint[])"),
        ([7, 8, 9], "between 7 and 9 and c.contact_no <> all('{}'::bigint[])"),
        ([7, 9, 10], "between 7 and 10 and c.contact_no <> all('{8}'::bigint[])"),
        ([7, 11], "= any('{7,11}'::bigint[])"),
    ],
)
def test_contacts_are_named_in_the_shorter_way(numbers: list[int], condition: str) -> None:
    assert f"c.contact_no {condition}" in columns.select(1, numbers, ["first_name"], [])
