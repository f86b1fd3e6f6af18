"""Whatever is sent is answered in the contract's form, and nothing of it is a fault of ours (contract greenrope.md 2.1,
8).
"""

from collections.abc import Iterator
from random import Random
from xml.sax.saxutils import escape, quoteattr

import pytest
from lxml import etree

from api.greenrope.functions import FUNCTIONS
from api.greenrope.properties import TEXTS
from tests.e2e.greenrope.people import added_one, contact, request
from tests.e2e.greenrope.rope import Rope
from tests.e2e.greenrope.test_groups import created
from tests.e2e.greenrope.test_user_fields import added

ATTRIBUTES = (
    "contact_id", "account_id", "group_id", "group_name", "firstname", "lastname", "email", "search", "get_all",
    "start_lastname", "end_lastname", "updated_timestamp", "Unsubscribed", "Unsubscribed_startdate", "Bounced",
    "Unsubscribed_enddate", "Bounced_enddate", "do_lead_scoring", "start_chunk_page", "start_chunk_size", "update",
    "request_id", "replace", "remove", "fieldnum", "fieldname", "response",
)  # fmt: skip
ELEMENTS = (
    *TEXTS, "Birthdate", "CompanyID", "UserDefinedFields", "UserDefinedField", "Groups", "Group", "RemoveGroups",
    "RemoveGroup", "Tags", "Tag", "SecondaryCompanies", "SecondaryCompany", "CompanyName", "WorkflowID", "Contacts",
    "UpdatedTimeStamp", "Contact", "FieldName", "FieldType", "PossibleValues", "ContactEditable", "Name", "GroupType",
    "From", "Filter", "Rules", "Rule", "Field", "Operator", "Value", "Range", "Date", "Date2", "Includes", "OrderBy",
    "Unsubscribers", "DuplicateEmails", "OrderDirection", "Page",
)  # fmt: skip
#: Elements inside of which others are looked for.
INSIDE = {
    "Contacts": ("Contact",), "Groups": ("Group",), "Rules": ("Rule",), "Tags": ("Tag",),
    "UserDefinedFields": ("UserDefinedField",), "RemoveGroups": ("RemoveGroup",),
    "SecondaryCompanies": ("SecondaryCompany",), "Rule": ("Field", "Operator", "Value", "Range", "Date", "Date2"),
}  # fmt: skip
VALUES = (
    "", " ", "0", "1", "2", "-1", "9" * 18, "9" * 30, "1.5", "x", "G", "Pet", "Dog", "true", "Y", "all", "any",
    "single", "multiple", "ID", "Tag", "Firstname", "City", "Phone", "contains", "is", "is not", "is empty",
    "greater than", "after", "between", "before", "LastModified", "2026/01/01", "9999/12/31", "0001/01/01", "20260101",
    "00010101",
    "99991231", "2026-01-15 10:00:00", "9999-12-31 23:59:59", "0001-01-01 00:00:00", "a@example.org", "'; --", "%_\\",
    "json", "ü\u0301\U0001f600", "\u200b", "\u00a0", "\ud7ff", "x" * 300, "Select", "Checkbox", "Date", "Hidden",
    "desc",
)  # fmt: skip


def attributes(random: Random) -> str:
    names = random.sample(ATTRIBUTES, random.choice((0, 1, 1, 2, 3)))
    return "".join(f" {name}={quoteattr(random.choice(VALUES))}" for name in names)


def inside(random: Random, names: tuple[str, ...], levels: int) -> Iterator[str]:
    for name in random.choices(names, k=random.choice((0, 1, 2, 4))):
        deeper = INSIDE.get(name, ELEMENTS if name == "Contact" or random.random() < 0.05 else None)
        text = "".join(inside(random, deeper, levels - 1)) if deeper and levels else escape(random.choice(VALUES))
        yield f"<{name}{attributes(random)}>{text}</{name}>"


def document(random: Random) -> str:
    root = f"{random.choice(list(FUNCTIONS))}Request"
    starts = (
        "Contacts",
        "Groups",
        "Rules",
        "FieldName",
        "Name",
        "From",
        "Filter",
        "Page",
        "OrderBy",
        "Includes",
        "FieldType",
    )
    return f"<{root}{attributes(random)}>{''.join(inside(random, starts, 4))}</{root}>"


@pytest.mark.parametrize("seed", range(2))
async def test_whatever_is_sent(rope: Rope, seed: int) -> None:
    """Contract 2.1 and 8: well-formed, of the function's root, and never 1099."""
    await created(rope, "G")
    await added(rope, FieldName="Pet", FieldType="Select", PossibleValues="Dog")
    await added_one(rope, Firstname="x", Email="a@example.org")
    await rope.each(request("AddContacts", *(contact(Firstname=str(n)) for n in range(5))))
    random = Random(seed)
    for _ in range(150):
        asked = document(random)
        content = await rope.send(asked)
        assert b"1099" not in content, asked
        if content.startswith(b"<"):
            assert etree.fromstring(content).tag == asked[1 : asked.index("Request")] + "Response"
