"""Bulk requests as the engine takes them: what is refused before anything is looked up."""

from typing import Any
from uuid import uuid4

import pytest
from pydantic import ValidationError

from engine import operations
from engine.activities.model import Queue
from engine.activities.operation import BatchedOperation, MembershipOperation, WholeOperation
from engine.operations.contacts_import import ContactsFileImport, ContactsJsonImport
from engine.operations.custom_fields_delete import DeleteCustomFields
from engine.operations.engagement import SetEngagement
from engine.operations.list_memberships import AddListMemberships, RemoveListMemberships
from engine.operations.lists_delete import DeleteLists
from engine.operations.memberships import MembershipRequest
from engine.operations.taggings import AddTaggings, RemoveTaggings
from engine.operations.tags_delete import DeleteTags

ID = str(uuid4())

TARGETS: dict[type[MembershipRequest], dict[str, Any]] = {
    AddListMemberships: {"list_ids": [ID]},
    RemoveListMemberships: {"list_ids": [ID]},
    AddTaggings: {"tag_ids": [ID]},
    RemoveTaggings: {"tag_ids": [ID]},
    SetEngagement: {"engagement_level": "high"},
}
OTHER_SOURCES: list[dict[str, Any]] = [
    {"list_ids": [ID]},
    {"all_active_contacts": True},
    {"new_subscriber": True},
    {"engagement_level": "low"},
    {"segment_id": 1},
    {"tag_ids": [ID]},
]

any_request = pytest.mark.parametrize("request_type", TARGETS)


@any_request
def test_a_source_and_targets_make_a_request(request_type: type[MembershipRequest]) -> None:
    """Contract v3.md 3.4 to 3.6."""
    made = request_type.model_validate({"source": {"contact_ids": [ID]}, **TARGETS[request_type]})
    assert made.exclude is None
    assert made.queue is Queue.ACTIVITIES


@any_request
def test_source_and_targets_are_needed(request_type: type[MembershipRequest]) -> None:
    """Contract v3.md 3.3: the required members."""
    source = {"source": {"contact_ids": [ID]}}
    [target] = TARGETS[request_type]
    incomplete: list[dict[str, Any]] = [{}, source, TARGETS[request_type], {**source, target: None}]
    for body in [*incomplete, {**source, target: []}]:
        with pytest.raises(ValidationError):
            request_type.model_validate(body)


@pytest.mark.parametrize("request_type", [each for each in TARGETS if each is not SetEngagement])
def test_at_most_fifty_targets(request_type: type[MembershipRequest]) -> None:
    """Contract v3.md 3.4 to 3.6: 50 lists, 50 tags."""
    [target] = TARGETS[request_type]
    body: dict[str, Any] = {"source": {"contact_ids": [ID]}, target: [str(uuid4()) for _ in range(51)]}
    with pytest.raises(ValidationError, match="at most 50 items"):
        request_type.model_validate(body)
    body[target].pop()
    assert len(getattr(request_type.model_validate(body), target)) == 50


@any_request
@pytest.mark.parametrize("source", OTHER_SOURCES)
def test_every_source_but_contact_ids_takes_excludes(
    request_type: type[MembershipRequest], source: dict[str, Any]
) -> None:
    """Contract v3.md 3.4, and issue 2, which goes beyond it: `exclude.contact_ids` with every source except these."""
    body = {"source": source, "exclude": {"contact_ids": [ID]}, **TARGETS[request_type]}
    assert request_type.model_validate(body).exclude


@any_request
def test_contact_ids_take_no_excludes(request_type: type[MembershipRequest]) -> None:
    """Contract v3.md 3.3: `exclude` with a source that does not support it → 400; an empty one excludes nobody."""
    body = {"source": {"contact_ids": [ID]}, **TARGETS[request_type]}
    with pytest.raises(ValidationError, match="exclude does not go with"):
        request_type.model_validate({**body, "exclude": {"contact_ids": [ID]}})
    excludes: list[Any] = [None, {}, {"contact_ids": []}]
    for nobody in excludes:
        request_type.model_validate({**body, "exclude": nobody})


@pytest.mark.parametrize("level", ["", "HIGH", "none", 3, None])
def test_only_the_four_levels_can_be_set(level: object) -> None:
    """Contract v3.md 3.14: unqualified, low, medium, high."""
    with pytest.raises(ValidationError):
        SetEngagement.model_validate({"source": {"contact_ids": [ID]}, "engagement_level": level})


def test_every_kind_has_its_operation() -> None:
    """Design, layers: adding a kind is one module in engine/operations."""
    for membership_kind in TARGETS:
        assert isinstance(operations.named(membership_kind.kind), MembershipOperation)
    for batched_kind in (ContactsFileImport, ContactsJsonImport, DeleteCustomFields):
        assert isinstance(operations.named(batched_kind.kind), BatchedOperation)
        assert batched_kind.queue is Queue.BULK
    for whole_kind in (DeleteLists, DeleteTags):
        assert isinstance(operations.named(whole_kind.kind), WholeOperation)
