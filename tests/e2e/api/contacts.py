"""Single contacts as the tests make, change and read them over HTTP."""

from typing import Any

from tests.e2e.api.front import Front

SUBS = "custom_fields,list_memberships,phone_numbers,street_addresses,taggings,notes,sms_channel"
PROPERTIES = {
    "first_name": "Kim",
    "last_name": "Ode",
    "job_title": "Baker",
    "company_name": "Bread & Sons",
    "birthday_month": 2,
    "birthday_day": 29,
    "anniversary": "2006-11-15",
}
LONG_AGO = "2020-01-01T00:00:00+00:00"
SIGN_UP = "/v3/contacts/sign_up_form"
KIM = "kim@example.org"


async def new_contact(front: Front, **properties: Any) -> Any:
    email = properties.pop("email", "kim@example.org")
    body = {"create_source": "Account", "email_address": {"address": email}, **properties}
    return await front.post("/v3/contacts", body)


async def changed(front: Front, contact_id: str, status: int = 200, **properties: Any) -> Any:
    body = {"update_source": "Account", **properties}
    answer = await front.request("PUT", f"/v3/contacts/{contact_id}", json=body)
    assert answer.status == status, answer.content
    return answer.body


async def everything(front: Front, contact_id: str) -> Any:
    return await front.get(f"/v3/contacts/{contact_id}?include={SUBS}")


async def delete(front: Front, contact_id: str) -> None:
    answer = await front.request("DELETE", f"/v3/contacts/{contact_id}")
    assert (answer.status, answer.content) == (204, b"")


async def number_of(front: Front, contact_id: str) -> int:
    return int(await front.desk.owner.fetchval("SELECT contact_no FROM contact WHERE contact_id = $1", contact_id))


async def is_in(front: Front, contact_id: str, set_no: int) -> bool:
    return await number_of(front, contact_id) in await front.desk.members(set_no)


async def sign_up(front: Front, *list_ids: str, status: int = 200, **properties: Any) -> Any:
    body = {"email_address": KIM, "list_memberships": list_ids, **properties}
    return await front.post(SIGN_UP, body, status)


async def permitted(front: Front, contact_id: str, permission: str, by: str = "Account", status: int = 200) -> Any:
    """The e-mail's part of the contact after a PUT with this permission."""
    email = {"address": KIM, "permission_to_send": permission}
    return (await changed(front, contact_id, status, update_source=by, email_address=email, first_name="Kim"))[
        "email_address" if status == 200 else 0
    ]


async def make_old(front: Front, contact_id: str) -> None:
    """As if all had been done long ago."""
    await front.desk.owner.execute(
        "UPDATE contact SET created_at = $2::text::timestamptz, updated_at = $2::text::timestamptz,"
        " email_created_at = $2::text::timestamptz, email_updated_at = $2::text::timestamptz,"
        " opt_in_date = $2::text::timestamptz WHERE contact_id = $1",
        contact_id,
        LONG_AGO,
    )
