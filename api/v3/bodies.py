"""Bodies of v3 requests: the engine's requests where they are the same, narrowed where this dialect offers less."""

from typing import Annotated, Any, ClassVar

from pydantic import AfterValidator, BaseModel, ConfigDict, Field, StrictBool

from api.reading import Form
from api.v3.values import Name, SpelledOut, Text, storable
from engine import fields
from engine.identifiers import Id
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
    favorite: StrictBool | None = None


def _without_angles(name: str) -> str:
    if "<" in name or ">" in name:
        raise ValueError("it must hold neither < nor >")
    return name


TagName = Annotated[Name, AfterValidator(_without_angles)]


class NewTag(Resource):
    """Contract v3.md 2.3."""

    name: TagName
    tag_source: Text | None = None


class ChangedTag(Resource):
    """Contract v3.md 2.3: `tag_source` cannot be changed."""

    name: TagName


class NewCustomField(Resource):
    """Contract v3.md 2.4."""

    label: Annotated[Name, Field(max_length=50)]
    type: fields.Type


class SegmentName(Resource):
    """Contract v3.md 2.5, PATCH."""

    name: Name


class NewSegment(Resource):
    """Contract v3.md 2.5: the criteria are a text that holds JSON, kept as they are."""

    name: Name
    segment_criteria: Annotated[str, Field(max_length=20_000), AfterValidator(storable)]


#: The lists that an import puts its contacts on.
ImportLists = Annotated[tuple[Id, ...], Field(min_length=1, max_length=50)]


class ImportForm(Form):
    """Contract v3.md 3.8: a CSV file, and the ids of lists between commas, in one part or in several."""

    list_ids: ImportLists
    sms_permission_to_send: SmsPermission | None = None


class JsonImport(Resource):
    """Contract v3.md 3.9. What is in the rows is the import's to check, row by row."""

    list_ids: ImportLists
    import_data: Annotated[list[dict[str, Any]], Field(min_length=1)]
    sms_permission_to_send: SmsPermission | None = None
