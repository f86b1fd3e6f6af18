"""User-defined fields (contract greenrope.md 6.3, 6.4), with the corrections of issue 4."""

import re
from collections.abc import Sequence

import pytest

from tests.e2e.greenrope.rope import Rope, element, refusal, texts
from tests.e2e.greenrope.test_groups import created
from tests.greenrope_examples import canonical, examples

ADD, EDIT, DELETE = (f"{verb}UserDefinedFieldRequest" for verb in ("Add", "Edit", "Delete"))
TIME = re.compile(r"\d{4}-\d\d-\d\d \d\d:\d\d:\d\d")
PET = {"FieldName": "Pet", "FieldType": "Checkbox", "PossibleValues": "Dog, Cat", "ContactEditable": "Editable"}


async def added(rope: Rope, group_id: object = 0, **said: str) -> str:
    """The number of a new field."""
    return (await rope.done(element(ADD, {"group_id": group_id}, **said))).findtext("UserFieldID") or ""


async def told(rope: Rope, **attributes: str) -> list[dict[str, str]]:
    root = await rope.done(element("GetUserDefinedFieldsRequest", attributes))
    return [texts(each) for each in root.findall("UserDefinedFields/UserDefinedField")]


@pytest.mark.parametrize("source", ["contract", "seed"])
async def test_adding_as_in_the_examples(rope: Rope, source: str) -> None:
    """Contract 6.4 and the seed: requests as they stand, but for the group's number; the answers' form."""
    group_id = await created(rope, "G")
    for example in examples(source, ADD):
        root = await rope.done(example.replace('"9902"', f'"{group_id}"'))
        [shape] = examples(source, "AddUserDefinedFieldResponse")
        for number, mark in ((root.find("UserFieldID"), "\\d+"), (root.find("AccountNumber"), "\\d+")):
            assert number is not None
            assert re.fullmatch(mark, number.text or "")
        assert list(texts(root)) == re.findall(r"<(\w+)>[^<\s]", shape)
        assert root.findtext("AccountNumber") == str(rope.account_id)
        assert TIME.fullmatch(root.findtext("UpdatedTimeStamp") or "")


async def test_all_that_is_told_of_fields(rope: Rope) -> None:
    """Contract 6.3: of all groups and of one, in the seed's order."""
    group_id = await created(rope, "G")
    everybody, of_group = await added(rope, **PET), await added(rope, group_id, FieldName="Fruits", FieldType="Select")
    first, second = await told(rope)
    assert list(first.items())[:-1] == [
        ("Group", "All"),
        ("UserFieldID", everybody),
        ("FieldName", "Pet"),
        ("FieldType", "Checkbox"),
        ("PossibleValues", "Dog,Cat"),
        ("ContactEditable", "Editable"),
    ]
    assert TIME.fullmatch(first["UpdatedTimeStamp"])
    assert (second["Group"], second["UserFieldID"], second["PossibleValues"]) == (group_id, of_group, "")
    assert list(second) == re.findall(r"<(\w+)>[^<\s]", examples("seed", "GetUserDefinedFieldsResponse")[0])[-7:]


async def test_defaults_and_optional_values(rope: Rope) -> None:
    """Contract 6.4: Text and Hidden; PossibleValues is optional (issue 4)."""
    await added(rope, FieldName="Plain")
    await added(rope, FieldName="Chosen", FieldType="Select")
    plain, chosen = await told(rope)
    assert (plain["FieldType"], plain["ContactEditable"], chosen["FieldType"]) == ("Text", "Hidden", "Select")


async def test_text_has_no_possible_values(rope: Rope) -> None:
    """Contract 6.4: a field of another type lets go of those it had."""
    await added(rope, **PET)
    await rope.done(element(EDIT, FieldName="Pet", FieldType="Text"))
    [field] = await told(rope)
    assert (field["FieldType"], field["PossibleValues"]) == ("Text", "")
    assert await rope.refused(element(EDIT, FieldName="Pet", PossibleValues="Dog")) == 1003


async def test_only_those_changed_after_a_time(rope: Rope) -> None:
    """Contract 6.3: in whole seconds."""
    await added(rope, **PET)
    [field] = await told(rope)
    assert await told(rope, updated_timestamp="2012-08-01 12:00:00") == [field]
    assert await told(rope, updated_timestamp=field["UpdatedTimeStamp"]) == []
    assert await rope.refused(element("GetUserDefinedFieldsRequest", {"updated_timestamp": "today"})) == 1003


async def test_one_name_in_two_groups(rope: Rope) -> None:
    """Issue 4: names are unique within a group, not the account; within one it is 1002 (contract 6.4, 8)."""
    one, two = await created(rope, "One"), await created(rope, "Two")
    first, second = await added(rope, one, FieldName="Fruits"), await added(rope, two, FieldName="Fruits")
    await added(rope, 0, FieldName="Fruits")
    root = await rope.ask(element(ADD, {"group_id": two}, FieldName="fruits"))
    assert refusal(root) == 1002
    assert f"already exists (ID {second})" in (root.findtext("ErrorText") or "")
    assert await rope.refused(element(EDIT, FieldName="Fruits", FieldType="ShortText")) == 1003
    root = await rope.done(element(EDIT, {"group_id": one}, FieldName="Fruits", FieldType="ShortText"))
    assert root.findtext("UserFieldID") == first
    assert await rope.refused(element(DELETE, FieldName="Fruits")) == 1003
    await rope.done(element(DELETE, {"group_id": two}, FieldName="Fruits"))
    assert [each["Group"] for each in await told(rope)] == [one, "All"]


async def test_editing(rope: Rope) -> None:
    """Contract 6.4: what is not said stays; group_id moves the field; 0 is all groups."""
    group_id, number = await created(rope, "G"), await added(rope, **PET)
    root = await rope.done(element(EDIT, {"group_id": group_id}, FieldName="pet"))
    assert list(texts(root)) == ["Result", "UserFieldID", "AccountNumber", "UpdatedTimeStamp"]
    assert root.findtext("UserFieldID") == number
    [field] = await told(rope)
    assert {**field, "UpdatedTimeStamp": ""} == {
        **PET, "PossibleValues": "Dog,Cat", "Group": group_id, "UserFieldID": number, "UpdatedTimeStamp": ""
    }  # fmt: skip
    await rope.done(element(EDIT, {"group_id": 0}, FieldName="Pet", PossibleValues="Cat,Bird", FieldType="Select"))
    [field] = await told(rope)
    assert (field["Group"], field["FieldType"], field["PossibleValues"]) == ("All", "Select", "Cat,Bird")


async def test_the_seeds_edits(rope: Rope) -> None:
    """Contract 6.4 and the seed: as they stand, but for the group; the answer but for numbers and the time."""
    group_id = await created(rope, "G")
    await added(rope, FieldName="Favorite Animal"), await added(rope, FieldName="MyUserDefinedField2")
    [shape] = examples("seed", "EditUserDefinedFieldResponse")
    for example in examples("seed", EDIT):
        root = await rope.done(example.replace("9902", group_id))
        assert list(texts(root)) == re.findall(r"<(\w+)>[^<\s]", shape)
    first, second = await told(rope)
    assert (first["Group"], first["FieldType"], first["PossibleValues"]) == (group_id, "Checkbox", "Dog,Cat,Monkey")
    assert (second["Group"], second["FieldType"]) == ("All", "Text")


async def test_deleting(rope: Rope) -> None:
    """Contract 6.4: the answer of contract and seed."""
    await added(rope, FieldName="Favorite Animal")
    [request] = examples("seed", DELETE)
    content = await rope.send(request)
    [answer] = examples("seed", "DeleteUserDefinedFieldResponse")
    assert canonical(content) == canonical(answer)
    assert await told(rope) == []
    assert await rope.refused(request) == 1008


async def test_other_names_of_properties(rope: Rope) -> None:
    """Contract 3.1 and 6.3: they are no user-defined fields, whose values others would not see."""
    group_id = await created(rope, "G")
    [group] = (await rope.front.get("/v3/contact_lists?name=G"))["lists"]
    body = {"label": "E-mail", "property": "email", "list_id": group["list_id"]}
    made = await rope.front.post("/v3/field_definitions", body)
    assert await told(rope) == []
    for attributes in ({"fieldname": "e-mail"}, {"fieldnum": made["field_id"]}):
        value = element("UserDefinedField", attributes)
        said = element("Contact", Firstname="A", Groups="<Group>G</Group>", UserDefinedFields=value)
        [contact] = await rope.each(element("AddContactsRequest", Contacts=said))
        assert refusal(contact) == 1008
    for function in (EDIT, DELETE):
        assert await rope.refused(element(function, {"group_id": group_id}, FieldName="E-mail")) == 1008
    assert await rope.refused(element(ADD, {"group_id": group_id}, FieldName="e-mail")) == 1002


REFUSED: Sequence[tuple[str, int]] = (
    (element(ADD, FieldName="A"), 1003),
    (element(ADD, {"group_id": 0}), 1003),
    (element(ADD, {"group_id": 0}, FieldName="x" * 256), 1003),
    (element(ADD, {"group_id": "x"}, FieldName="A"), 1003),
    (element(ADD, {"group_id": 999}, FieldName="A"), 1004),
    (element(ADD, {"group_id": 0}, FieldName="A", FieldType="Number"), 1003),
    (element(ADD, {"group_id": 0}, FieldName="A", ContactEditable="Maybe"), 1003),
    (element(ADD, {"group_id": 0}, FieldName="A", FieldType="Select", PossibleValues="a,A"), 1003),
    (element(ADD, {"group_id": 0}, FieldName="A", FieldType="Text", PossibleValues="a"), 1003),
    (element(EDIT, FieldName="A"), 1008),
    (element(EDIT, {"group_id": 999}, FieldName="A"), 1004),
    (element(DELETE, FieldName="A"), 1008),
    (element(DELETE), 1003),
)


async def test_what_is_refused(rope: Rope) -> None:
    """Contract 6.4 and 8."""
    for document, code in REFUSED:
        assert await rope.refused(document) == code, document
    assert await told(rope) == []
