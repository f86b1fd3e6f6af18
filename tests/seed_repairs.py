"""The examples of the seeds that are broken, each with what makes it right. The one list of them, for all dialects."""

from collections.abc import Sequence
from typing import NamedTuple


class Repair(NamedTuple):
    """A piece of a seed as it stands there, and as its author meant it."""

    seed: str
    why: str
    broken: str
    repaired: str


REPAIRS: Sequence[Repair] = (
    Repair(
        "002 iVvy", "between two members of the third result there is no comma", '"status":true\n', '"status":true,\n'
    ),
    Repair(
        "003 GreenRope",
        "the start tag of a Group is not closed, in both contacts of the answer of GetContacts",
        "<Group\n                    <",
        "<Group>\n                    <",
    ),
    Repair(
        "003 GreenRope",
        "the lead scores of the first contact stand among its groups, those of the second beside its tags",
        """\
                <DemographicLeadScore>50</DemographicLeadScore>
                <ActivityLeadScore>329.9</ActivityLeadScore>
            </Groups>
            <Tags>
                <Tag>
                    <TagID>182746</TagID>
                    <TagName>Chief Operating Officer</TagName>
                    <Abbreviation>COO</Abbreviation>
                </Tag>
                <Tag>
                    <TagID>193802</TagID>
                    <TagName>Twitter User</TagName>
                    <Abbreviation>TW</Abbreviation>
                </Tag>
            </Tags>
""",
        """\
            </Groups>
            <Tags>
                <Tag>
                    <TagID>182746</TagID>
                    <TagName>Chief Operating Officer</TagName>
                    <Abbreviation>COO</Abbreviation>
                </Tag>
                <Tag>
                    <TagID>193802</TagID>
                    <TagName>Twitter User</TagName>
                    <Abbreviation>TW</Abbreviation>
                </Tag>
            </Tags>
            <DemographicLeadScore>50</DemographicLeadScore>
            <ActivityLeadScore>329.9</ActivityLeadScore>
""",
    ),
    *(
        Repair(
            "004 W50",
            "{} stands for any value, which no object is",
            f'"sample string {nth}":{blank}{{}}',
            f'"sample string {nth}":{blank}null',
        )
        for nth in (1, 3)
        for blank in (" ", "")
    ),
    Repair("004 W50", "the name of a member of PUT's body is not quoted", "  values: {", '  "values": {'),
    Repair(
        "004 W50",
        "between two members of PUT's body there is no comma",
        '"pgannon@customerminds.com"\n',
        '"pgannon@customerminds.com",\n',
    ),
    Repair("004 W50", "a comment stands in PUT's body", " // Value to be updated", ""),
)


def repaired(example: str) -> str:
    """The example with all that is wrong with it put right."""
    for repair in REPAIRS:
        example = example.replace(repair.broken, repair.repaired)
    return example
