"""Lead scores over HTTP, an extension: numbers that other dialects show."""

from decimal import Decimal
from typing import Any
from uuid import uuid4

import pytest

from tests.e2e.api.front import Front


async def scores(front: Front) -> list[Any]:
    return [tuple(row[name] for name in ("demographic_score", "activity_score")) for row in await rows(front)]


async def rows(front: Front) -> list[Any]:
    return sorted(await front.desk.rows("contact"), key=lambda row: row["contact_no"])


async def test_scores_are_replaced_and_nothing_else(front: Front) -> None:
    """As exact as they were written; the contact counts as updated when it was before."""
    contact_id, _ = await front.desk.make_contacts(2)
    path = f"/v3/contacts/{contact_id}/lead_scores"
    before = await rows(front)
    given = {"demographic_score": 50, "activity_score": 329.9}
    assert await front.put(path, given) == given
    assert list(map(str, (await scores(front))[0])) == ["50", "329.9"]
    pairs = [(dict(now), dict(then)) for now, then in zip(await rows(front), before, strict=True)]
    changed = {name for now, then in pairs for name in now if now[name] != then[name]}
    assert changed == set(given)
    assert await front.put(path, {"activity_score": -0.1234567, "demographic_score": None}) == {
        "activity_score": -0.123457
    }
    assert await scores(front) == [(None, Decimal("-0.123457")), (None, None)]
    assert await front.put(path, {}) == {}
    assert await scores(front) == [(None, None)] * 2


async def test_another_write_keeps_them(front: Front) -> None:
    [contact_id] = await front.desk.make_contacts(1)
    await front.put(f"/v3/contacts/{contact_id}/lead_scores", {"activity_score": 7})
    await front.put(f"/v3/contacts/{contact_id}", {"update_source": "Account", "first_name": "Kim"})
    assert await scores(front) == [(None, Decimal(7))]


async def test_contacts_that_there_are_not(front: Front) -> None:
    [gone] = await front.desk.make_contacts(1, deleted=True)
    for contact_id in (gone, uuid4()):
        await front.refused("PUT", f"/v3/contacts/{contact_id}/lead_scores", 404, json={"activity_score": 1})


@pytest.mark.parametrize("score", ["5", True, [1], 1e10, -1e300, "NaN"])
async def test_what_is_no_score(score: Any, front: Front) -> None:
    [contact_id] = await front.desk.make_contacts(1)
    await front.refused("PUT", f"/v3/contacts/{contact_id}/lead_scores", 400, json={"demographic_score": score})
    assert await scores(front) == [(None, None)]
