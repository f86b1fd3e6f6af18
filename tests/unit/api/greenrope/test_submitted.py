"""What requests say of contacts (contract greenrope.md 3, 5)."""

from datetime import UTC, datetime

import pytest

from api import xml
from api.greenrope.properties import TEXTS
from api.greenrope.refusals import BadEmail
from api.greenrope.requests import items
from api.greenrope.submitted import Birthdate, CompanyLink, FieldValue, Groups, Submitted
from engine.errors import Invalid
from tests.greenrope_examples import examples


def said(inside: str) -> Submitted:
    return Submitted.of(xml.parse(f"<Contact>{inside}</Contact>".encode()))


def company(inside: str) -> str:
    return f"<SecondaryCompanies><SecondaryCompany>{inside}</SecondaryCompany></SecondaryCompanies>"


def of_example(source: str, root: str, nth: int = 0) -> list[Submitted]:
    return [Submitted.of(item.element) for item in items(xml.parse(examples(source, root)[nth].encode()))]


def test_the_seeds_first_example() -> None:
    """Contract 3 and the seed's AddContacts: two contacts with one e-mail."""
    jefferey, sam = of_example("seed", "AddContactsRequest")
    assert set(jefferey.texts) == set(TEXTS)
    assert set(sam.texts) == set(TEXTS) - {"Company"}
    assert jefferey.texts["Email"] == sam.texts["Email"] == "jjohnson@acmewidgetsllc.com"
    assert (jefferey.birthdate, jefferey.company_number, jefferey.workflow) == (Birthdate(1969, 8, 23), None, None)
    assert (sam.birthdate, sam.company_number, sam.workflow) == (Birthdate(1983, 6, 23), 1, 4)
    assert jefferey.fields == (
        FieldValue(123, "", "Dog"),
        FieldValue(None, "Fruits", "Apple"),
        FieldValue(None, "Checkboxes Type Example", "Football,Basketball,Tennis"),
        FieldValue(None, "Date Type Example", "20231023"),
    )
    assert (jefferey.groups, sam.tags) == (Groups(("groupname1", "groupname2"), False), ("Tag Name", "Long Tag Name"))
    assert jefferey.companies == (CompanyLink(3, "", False), CompanyLink(None, "Company DEF", False))


def test_the_seeds_other_examples() -> None:
    """Contract 3.2 to 3.4 and 5.3: replace, guard, a company that is unlinked."""
    assert of_example("seed", "AddContactsRequest", 2)[0].groups == Groups(("groupname1", "groupname2"), True)
    [first, _] = of_example("seed", "EditContactsRequest")
    assert first.companies == (CompanyLink(3, "", True), CompanyLink(None, "Company DEF", False))
    [guarded] = of_example("seed", "EditContactsRequest", 1)
    assert guarded.unless_after == datetime(2012, 8, 30, 12, 12, 33, tzinfo=UTC)
    replaced, appended = of_example("seed", "EditContactsRequest", 2)
    assert (replaced.groups, appended.groups) == (Groups(("Group A", "Group B"), True), Groups(("Group A",), False))


def test_the_contracts_examples() -> None:
    """Contract 5.2 and 5.3."""
    [ada] = of_example("contract", "AddContactsRequest")
    assert ada == Submitted(
        texts={"Firstname": "Ada", "Lastname": "Moss", "Email": "ada@example.org"},
        fields=(FieldValue(None, "Pet", "Dog,Cat"), FieldValue(95, "", "20260115")),
        groups=Groups(("News",), True),
        tags=("Speaker",),
        companies=(CompanyLink(None, "Fern Labs", False),),
        workflow=4,
    )
    assert of_example("contract", "EditContactsRequest")[1] == Submitted(texts={"Lastname": "Beech"})


def test_what_is_not_said_and_what_is_cleared() -> None:
    """Contract 2: absent is unchanged, empty is cleared."""
    assert said("") == said("<Unknown><Firstname>x</Firstname></Unknown>") == Submitted(texts={})
    cleared = said("<Firstname> </Firstname><Birthdate/><Groups replace='1'/><CompanyID/><Email></Email><Height/>")
    assert cleared == Submitted(
        texts={"Firstname": "", "Email": "", "Height": ""}, birthdate=(), groups=Groups((), True)
    )


def test_groups_by_id_are_ignored() -> None:
    """Contract 3.2."""
    assert said("<Groups><Group_id>4</Group_id><Group/></Groups>").groups == Groups((), False)


def test_texts_in_pieces() -> None:
    """Contract 2: trimmed; what is between comments and sections is one text."""
    found = said("<Firstname> A<!-- x -->d<![CDATA[a & <Co>]]> </Firstname>")
    assert found.texts == {"Firstname": "Ada & <Co>"}


def test_as_much_as_may_be() -> None:
    """Contract 10."""
    email = "@".join(("e" * 60, ".".join(["d" * 60] * 3) + ".example.or"))
    longest = {name: email if name == "Email" else "9" * most for name, most in TEXTS.items()}
    assert len(email) == 254
    assert {TEXTS[name] for name in ("Firstname", "Zip", "Website")} == {255}
    assert {TEXTS[name] for name in ("SkillsAndInterests", "Bio", "Notes")} == {65_535}
    assert said("".join(f"<{name}>{text}</{name}>" for name, text in longest.items())).texts == longest


def test_groups_to_leave() -> None:
    """Contract 3: RemoveGroups."""
    found = said("<RemoveGroups><RemoveGroup>A</RemoveGroup><RemoveGroup> B </RemoveGroup></RemoveGroups>")
    assert found.removed_groups == ("A", "B")


@pytest.mark.parametrize("text", ["19720230", "00000101", "20240229"])
def test_birthdates_are_not_checked_against_the_calendar(text: str) -> None:
    """Contract 3 and 12."""
    found = said(f"<Birthdate>{text}</Birthdate>").birthdate
    assert isinstance(found, Birthdate)
    assert f"{found.year:04}{found.month:02}{found.day:02}" == text


@pytest.mark.parametrize(
    "inside",
    [
        "<Birthdate>19721301</Birthdate>",
        "<Birthdate>19721232</Birthdate>",
        "<Birthdate>1972-01-01</Birthdate>",
        f"<Firstname>{'x' * 256}</Firstname>",
        f"<Gender>{'x' * 21}</Gender>",
        f"<Bio>{'x' * 65_536}</Bio>",
        "<Height>six</Height>",
        "<CompanyID>x</CompanyID>",
        "<WorkflowID>x</WorkflowID>",
        "<UpdatedTimeStamp>yesterday</UpdatedTimeStamp>",
        "<UserDefinedFields><UserDefinedField>x</UserDefinedField></UserDefinedFields>",
        "<UserDefinedFields><UserDefinedField fieldnum='x'>x</UserDefinedField></UserDefinedFields>",
        company(""),
        f"<Tags><Tag>{'x' * 256}</Tag></Tags>",
        f"<Groups><Group>{'x' * 256}</Group></Groups>",
        company(f"<CompanyName>{'x' * 256}</CompanyName>"),
    ],
)
def test_what_cannot_be(inside: str) -> None:
    """Contract 3, 5.3 and 10: 1003."""
    with pytest.raises(Invalid) as error:
        said(inside)
    assert error.value.code == "invalid"


@pytest.mark.parametrize("text", ["x", "a@b@c", f"{'x' * 250}@b.org", "a b@c"])
def test_no_e_mail_addresses(text: str) -> None:
    """Contract 3 and 5.2: 1013, or 1003 for its length."""
    with pytest.raises(Invalid) as error:
        said(f"<Email>{text}</Email>")
    assert error.value.code == ("invalid" if len(text) > 254 else BadEmail.code)


def test_a_contact_of_very_many_elements() -> None:
    """Issue 4: it is refused before any of it is read."""
    assert said("<Firstname>Ann</Firstname>" + "<Other/>" * 1998).texts == {"Firstname": "Ann"}
    with pytest.raises(Invalid, match="more than 2,000 elements"):
        said("<Tags>" + "<Tag>x</Tag>" * 1999 + "</Tags>")
