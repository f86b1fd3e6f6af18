"""What segments are used for, over HTTP (contract v3.md 2.5, 4.1 and 4.3)."""

import json
from typing import Any

import pytest

from tests.e2e.api.contacts import changed, new_contact
from tests.e2e.api.front import Front
from tests.e2e.api.test_segments import KIM, criteria


async def new_segment(front: Front, text: str, name: str = "S") -> int:
    return int((await front.post("/v3/segments", {"name": name, "segment_criteria": text}))["segment_id"])


async def names_in(front: Front, segment_id: int) -> list[str]:
    found = await front.pages(f"/v3/contacts?segment_id={segment_id}", "contacts")
    return [each["first_name"] for each in found]


async def test_who_is_in_it_is_found_out_at_each_use(front: Front) -> None:
    """Contract 2.5: results are dynamic, wherever a segment is used."""
    segment_id, target = await new_segment(front, criteria(KIM)), await front.new_list("L")
    body = {"source": {"segment_id": segment_id}, "list_ids": [target]}
    assert await names_in(front, segment_id) == []
    assert (await front.finished("add_list_memberships", body))["status"]["items_total_count"] == 0
    contact = await new_contact(front, first_name="Kim")
    assert await names_in(front, segment_id) == ["Kim"]
    assert (await front.finished("add_list_memberships", body))["changed_count"] == 1
    exported = await front.finished("contact_exports", {"segment_id": segment_id})
    assert exported["status"]["items_total_count"] == 1
    await changed(front, contact["contact_id"], first_name="Ada")
    assert await names_in(front, segment_id) == []
    exported = await front.finished("contact_exports", {"segment_id": segment_id})
    assert exported["status"]["items_total_count"] == 0


async def test_a_deleted_one_is_of_no_use(front: Front) -> None:
    """Contract 2.5, 3.1 and 3.3: as unknown as any; 404 where it is documented."""
    segment_id, target = await new_segment(front, criteria(KIM)), await front.new_list("L")
    await front.delete(f"/v3/segments/{segment_id}", 204)
    body = {"source": {"segment_id": segment_id}, "list_ids": [target]}
    await front.refused("POST", "/v3/activities/add_list_memberships", 400, json=body)
    await front.refused("POST", "/v3/activities/contact_exports", 404, json={"segment_id": segment_id})
    await front.refused("GET", f"/v3/contacts?segment_id={segment_id}", 404)


async def test_more_rules_than_fit(front: Front) -> None:
    """Contract 4.1 and 4.3: 20,000 characters hold fewer than 500 rules, whatever they are."""
    rule = {"source": "contact", "field": "cf:x", "op": "is-empty"}

    def text(count: int) -> str:
        return json.dumps(json.loads(criteria(*[rule] * count)), separators=(",", ":"))

    await new_segment(front, text(350))
    body = {"name": "T", "segment_criteria": text(500)}
    message = await front.refused("POST", "/v3/segments", 400, json=body)
    assert message == "segment_criteria is too long: at most 20000 characters may be given"


@pytest.mark.parametrize("field", ["email_address", "job_title", "company_name", "last_name"])
@pytest.mark.parametrize(
    ("op", "value", "expected"),
    [
        ("eq", " ODE@x.org ", ["Kim"]),
        ("not-eq", "ode@x.org", ["Ada"]),
        ("contains", "DE@", ["Kim"]),
        ("not-contains", "de@", ["Ada"]),
        ("starts-with", "ode", ["Kim"]),
        ("ends-with", "X.ORG", ["Kim", "Ada"]),
        ("is-empty", None, []),
        ("is-not-empty", None, ["Kim", "Ada"]),
    ],
)
async def test_text_operators(front: Front, field: str, op: str, value: str | None, expected: list[str]) -> None:
    """Contract 4.3: all eight, without case and trimmed."""
    for name, text in (("Kim", "Ode@x.org"), ("Ada", "berg@x.org")):
        more: dict[str, Any] = {} if field == "email_address" else {field: text}
        await new_contact(front, email=text, first_name=name, **more)
    rule = {"source": "contact", "field": field, "op": op} | ({} if value is None else {"value": value})
    assert await names_in(front, await new_segment(front, criteria(rule))) == expected


async def test_everybody_who_is_not_deleted_is_looked_at(front: Front) -> None:
    """Contract 4.1 and 4.3: without any rule on lists all contacts, whatever their permission; none that is deleted."""
    for name, permission in (("Kim", "implicit"), ("Ada", "unsubscribed"), ("Bo", "temp_hold")):
        email = {"address": f"{name}@example.org", "permission_to_send": permission}
        await new_contact(front, email_address=email, first_name=name)
    gone = await new_contact(front, email="cy@example.org", first_name="Cy")
    await front.request("DELETE", f"/v3/contacts/{gone['contact_id']}")
    rule = KIM | {"op": "not-eq", "value": "nobody"}
    assert await names_in(front, await new_segment(front, criteria(rule))) == ["Kim", "Ada", "Bo"]


async def test_include_and_exclude_rules(front: Front) -> None:
    """Contract 4.1: the guide's example: the birthday is in April, and the state is not Maryland."""
    for name, month, state in (("Kim", 4, "Ohio"), ("Ada", 4, "maryland"), ("Bo", 5, "Ohio"), ("Cy", 4, None)):
        address = [{"kind": "home", "state": state}] if state else []
        birthday = {"birthday_month": month, "birthday_day": 1}
        email = f"{name}@example.org"
        await new_contact(front, email=email, first_name=name, street_addresses=address, **birthday)
    april = {"source": "contact", "field": "birthday_month", "op": "eq", "value": 4}
    elsewhere = {"source": "contact", "field": "state", "op": "not-eq", "value": "Maryland"}
    assert await names_in(front, await new_segment(front, criteria(april, elsewhere))) == ["Kim", "Cy"]


async def test_lists_and_tags_in_groups(front: Front) -> None:
    """Contract 4.1, 4.2 and 4.3: `or` groups hold rules on lists and tags; G's name for the list source as well."""
    first, second, tag = await front.new_list("1"), await front.new_list("2"), await front.new_tag("T")
    await new_contact(front, email="a@x.org", first_name="Kim", list_memberships=[first], taggings=[tag])
    await new_contact(front, email="b@x.org", first_name="Ada", list_memberships=[second])
    await new_contact(front, email="c@x.org", first_name="Bo", taggings=[tag])
    on_first = {"source": "list_membership", "field": "list_id", "op": "contains-any", "value": [first]}
    on_second = {"source": "contact", "field": "list_membership", "op": "contains-any", "value": second}
    tagged = {"source": "tags", "field": "tag_id", "op": "contains-any", "value": [tag]}
    cases: list[tuple[list[Any], list[str]]] = [
        ([{"type": "or", "group": [on_first, on_second]}], ["Kim", "Ada"]),
        ([{"type": "or", "group": [on_first]}, {"type": "or", "group": [tagged]}], ["Kim"]),
        ([{"type": "or", "group": [tagged | {"op": "contains-none"}]}], ["Ada"]),
        ([tagged], ["Kim", "Bo"]),
        ([KIM, {"type": "or", "group": [on_second, tagged]}], ["Kim"]),
    ]
    for place, (rules, expected) in enumerate(cases):
        assert await names_in(front, await new_segment(front, criteria(*rules), f"S{place}")) == expected
    await front.delete(f"/v3/contact_tags/{tag}", 202)
    await front.work()
    assert await names_in(front, 4) == [], "a tag that was deleted later matches nobody"
