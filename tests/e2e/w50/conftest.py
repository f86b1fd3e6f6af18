"""A contact list with fields of its own, in an account of this test's own."""

from dataclasses import replace

import pytest_asyncio

from engine import fields
from engine.fields import Definition
from tests.e2e.api.front import Front
from tests.e2e.w50.client import Client

#: The fields of the list: four are other names of properties, the rest are its own.
FIELDS = (
    Definition("Email", property="email"),
    Definition("FirstName", property="first_name"),
    Definition("Surname", property="last_name"),
    Definition("Mobile", property="mobile"),
    Definition("AccountRef"),
    Definition("Address1"),
    Definition("Second Email", type="email"),
    Definition("Age", type="number"),
    Definition("Born", type="date"),
    Definition("Member", type="boolean"),
    Definition("Diet", type="choice", choices=("None", "Vegan"), default_value="None"),
)


@pytest_asyncio.fixture
async def client(front: Front) -> Client:
    contact_list = await front.desk.new_list()
    async with front.desk.db.account(front.desk.account_id) as tx:
        for place, said in enumerate(FIELDS, 1):
            await fields.create(tx, replace(said, set_no=contact_list.set_no, position=place))
    return Client(front, contact_list)
