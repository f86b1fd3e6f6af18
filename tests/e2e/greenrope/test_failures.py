"""What fails in the middle: of answers that are sent while they are read, and of many contacts (contract greenrope.md
2.1, 4, 5.1; issue 4).
"""

import asyncio
import json
from urllib.parse import urlencode

import aiohttp
from lxml import etree

from tests.e2e.greenrope.people import contact, everybody, request
from tests.e2e.greenrope.rope import Rope, texts
from tests.integration.desk import WAITING

#: More than the server reads before the client has the first.
CONTACTS = 4000
#: Ends the connections whose statements wait for a lock.
LOST = f"SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE pid IN ({WAITING.replace('count(*)', 'pid')})"


def asked(rope: Rope, document: str) -> aiohttp.client._RequestContextManager:
    form = urlencode({"email": rope.email, "auth_token": rope.token, "xml": document})
    headers = {"Content-Type": "application/x-www-form-urlencoded"}
    return rope.front.session.post(rope.front.address + "/api-xml", data=form, headers=headers)


async def cut_in_the_middle(rope: Rope, document: str) -> bytes:
    """An answer for which the database is lost after its first piece: its statement waits, and then is ended."""
    desk = rope.front.desk
    async with asked(rope, document) as response:
        begun = await response.content.readany()
        async with desk.owner.transaction():
            await desk.owner.execute("LOCK TABLE contact IN ACCESS EXCLUSIVE MODE")
            rest = asyncio.create_task(response.read())
            await desk.someone_waits()
            await desk.owner.execute(LOST)
            return begun + await rest


async def test_an_answer_that_fails_in_the_middle(rope: Rope) -> None:
    """Contract 2.1 and issue 4: well-formed all the same; the error comes instead of the total."""
    await rope.front.desk.make_contacts(CONTACTS)
    root = etree.fromstring(await cut_in_the_middle(rope, "<GetContactsRequest/>"))
    assert [child.tag for child in root] == ["Result", "Contacts", "Result", "ErrorCode", "ErrorText"]
    assert (root[2].text, root.findtext("ErrorCode")) == ("Error", "1099")
    assert 0 < len(root[1]) < CONTACTS
    answer = json.loads(await cut_in_the_middle(rope, "<GetContactsRequest response='json'/>"))["getcontactsresponse"]
    assert (answer["result"], answer["errorcode"]) == ("Error", "1099")
    assert "totalmatchingcontacts" not in answer
    root = await rope.done("<GetContactsRequest/>")
    assert len(root.findall("Contacts/Contact")) == CONTACTS
    assert root.findtext("TotalMatchingContacts") == str(CONTACTS)


async def test_who_does_not_wait_for_the_end(rope: Rope) -> None:
    """Issue 4: an answer whose client has gone holds nobody up."""
    await rope.front.desk.make_contacts(CONTACTS)
    for _ in range(3):
        async with asked(rope, "<GetContactsRequest/>") as response:
            await response.content.readany()
            response.close()
    root = await rope.done("<GetContactsRequest contact_id='1'/>")
    assert texts(root)["TotalMatchingContacts"] == "1"


async def test_contacts_that_fail_in_the_middle(rope: Rope) -> None:
    """Contract 2.1 and 5.1: what was done is told all the same."""
    await rope.front.desk.make_contacts(120)
    edits = (contact({"contact_id": number}, Title="CEO") for number in range(1, 121))
    locking = "SELECT FROM contact WHERE account_id = $1 AND contact_no = 80 FOR UPDATE"
    async with rope.front.desk.holding(locking, rope.account_id):
        told = asyncio.create_task(rope.each(request("EditContacts", *edits)))
        await rope.front.desk.someone_waits()
        await rope.front.desk.owner.execute(LOST)
        results = [each.findtext("ErrorCode") for each in await told]
    assert results == [None] * 50 + ["1099"] * 70
    titles = [each.findtext("Title") for each in (await everybody(rope))]
    assert titles.count("CEO") == 50
