"""Bodies of v3 requests: the engine's requests where they are the same, narrowed where this dialect offers less."""

from typing import Annotated, Any, ClassVar

from pydantic import AfterValidator, BaseModel, ConfigDict, Field, JsonValue, StrictBool, WithJsonSchema

from api.reading import Form
from api.v3.formats import FieldType
from api.v3.values import Label, Name, SpelledOut, Text, storable
from engine.arrays import Sized
from engine.identifiers import Id
from engine.imports.columns import ANY_CUSTOM_FIELD, CUSTOM, HEADINGS
from engine.operations import list_memberships, taggings
from engine.operations.contacts_import import SmsPermission
from engine.sources import Source


class RemovalSource(Source):
    """Contract v3.md 3.5."""

    ways: ClassVar = ("contact_ids", "list_ids", "all_active_contacts", "engagement_level", "tag_ids", "expression")


class TaggingSource(Source):
    """Contract v3.md 3.6."""

    ways: ClassVar = ("contact_ids", "list_ids", "all_active_contacts", "new_subscriber", "tag_ids", "expression")

    all_active_contacts: SpelledOut | None = None
    new_subscriber: SpelledOut | None = None


class RemoveListMemberships(list_memberships.RemoveListMemberships):
    source: RemovalSource


class AddTaggings(taggings.AddTaggings):
    source: TaggingSource


class RemoveTaggings(taggings.RemoveTaggings):
    source: TaggingSource


class Resource(BaseModel):
    """The body of a resource; what is not known in it is ignored (contract v3.md 1.6)."""

    model_config = ConfigDict(frozen=True, extra="ignore")


class NewList(Resource):
    """Contract v3.md 2.2."""

    name: Name
    description: Text | None = None
    favorite: Annotated[StrictBool | None, Field(json_schema_extra={"default": False})] = None


def _without_angles(name: str) -> str:
    if "<" in name or ">" in name:
        raise ValueError("it must hold neither < nor >")
    return name


TagName = Annotated[Name, AfterValidator(_without_angles), Field(json_schema_extra={"pattern": "^[^<>]*$"})]


Abbreviation = Annotated[str, Field(max_length=50), AfterValidator(storable)]


class NewTag(Resource):
    """Contract v3.md 2.3; `abbreviation` is an extension."""

    name: TagName
    tag_source: Text | None = None
    abbreviation: Abbreviation | None = None


class ChangedTag(Resource):
    """Contract v3.md 2.3: `tag_source` cannot be changed. An extension: `abbreviation`, which stays when left out."""

    name: TagName
    abbreviation: Abbreviation | None = None


class NewCustomField(Resource):
    """Contract v3.md 2.4."""

    label: Label
    type: FieldType


class SegmentName(Resource):
    """The new name of a segment; all else of it stays (contract v3.md 2.5)."""

    name: Name


class NewSegment(Resource):
    """Contract v3.md 2.5: the criteria are a text that holds JSON, kept as they are."""

    name: Name
    segment_criteria: Annotated[str, Field(max_length=20_000), AfterValidator(storable)]


#: The lists that an import puts its contacts on.
ImportLists = Annotated[tuple[Id, ...], Sized(50, least=1)]


class ImportForm(Form):
    """Contract v3.md 3.8: a CSV file whose name ends in `.csv`, and ids of lists between commas or in several parts.

    The file's headings are the members that a row of `JsonImport` may have.
    """

    list_ids: ImportLists
    sms_permission_to_send: SmsPermission | None = None


def member(heading: str) -> dict[str, JsonValue]:
    """What a row has under a heading (contract v3.md 3.9)."""
    if heading == ANY_CUSTOM_FIELD:
        return {"type": "string", "maxLength": 255}
    match heading.rpartition("_"):
        case ("birthday", _, part):
            return {"type": "integer", "minimum": 1, "maximum": 12 if part == "month" else 31}
        case ("sms" | "sms_consent", _, _):
            return {"type": "string", "maxLength": 16}
        case (_, _, "street" | "street2"):
            return {"type": "string", "maxLength": 255}
        case _:
            return {"type": "string", "maxLength": 10 if heading == "anniversary" else 50}


#: What is documented of a row.
ROW: dict[str, JsonValue] = {
    "type": "object",
    "properties": {heading: member(heading) for heading in HEADINGS},
    "patternProperties": {f"^{CUSTOM}": member(ANY_CUSTOM_FIELD)},
    "required": ["email"],
}
Row = Annotated[dict[str, Any], WithJsonSchema(ROW)]


class JsonImport(Resource):
    """Contract v3.md 3.9. What is in the rows is the import's to check, row by row."""

    list_ids: ImportLists
    import_data: Annotated[
        list[Row],
        Field(
            min_length=1,
            description="Objects with what a CSV file has in columns: `email` and any of "
            + ", ".join(f"`{heading}`" for heading in HEADINGS[1:])
            + f", and `{ANY_CUSTOM_FIELD}` for custom fields. What is wrong with one is an error of the activity",
        ),
    ]
    sms_permission_to_send: SmsPermission | None = None
