"""The v3 dialect (contract v3.md): its routes, its words for refusals, its way to say who asks."""

from typing import Annotated
from uuid import UUID

from pydantic import Field

from api.auth import Authenticator
from api.dialects import Dialect
from api.v3 import columns, vocabulary, webhooks
from api.v3.companies import CompanyId
from api.v3.events import EventId
from api.v3.field_definitions import FieldId
from api.v3.hooks import HookId
from api.v3.keys import KeyId
from api.v3.refusals import SHAPES, refuse
from api.v3.routes import NOWHERE, ROUTES
from api.v3.segments import LARGEST_SEGMENT_ID

#: Ids in paths (contract v3.md 1.4).
IDS = {
    "activity_id": UUID,
    "contact_id": UUID,
    "custom_field_id": UUID,
    "file_export_id": UUID,
    "list_id": UUID,
    "tag_id": UUID,
    "company_id": CompanyId,
    "event_id": EventId,
    "field_id": FieldId,
    "hook_id": HookId,
    "key_id": KeyId,
    "user_id": UUID,
    "segment_id": Annotated[int, Field(ge=1, le=LARGEST_SEGMENT_ID)],
}

V3 = Dialect(
    "/v3",
    ROUTES,
    Authenticator.bearer,
    refuse,
    SHAPES,
    IDS,
    (columns.imports(), columns.exports(), vocabulary.chapter(), webhooks.chapter()),
    NOWHERE,
    webhooks.WEBHOOKS,
)
