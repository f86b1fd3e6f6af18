"""An imitation of the client that is generated from the vendor's description (contract v3.md, client C and 1.10).

It knows no engine and no API of ours: only how such a client writes requests, and what it insists on while it reads
answers. What would be fatal to it, or to the stricter clients beside it, raises Broken.
"""

import json
import re
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from tests.e2e.api.front import Answer, Front

#: By type its properties: scalars with their largest length, `[Type]` with its largest count, other types by name. What
#: an answer has beside them is not looked at (1.10, 13).
TYPES: Mapping[str, Mapping[str, str]] = {
    "Contact": {
        "contact_id": "string 36",
        "email_address": "EmailAddress",
        **dict.fromkeys(("first_name", "last_name", "job_title", "company_name"), "string 50"),
        "birthday_month": "integer",
        "birthday_day": "integer",
        "anniversary": "string 10",
        "update_source": "string",
        "create_source": "string",
        "created_at": "datetime",
        "updated_at": "datetime",
        "deleted_at": "string",
        "custom_fields": "[CustomFieldValue] 25",
        "phone_numbers": "[Phone] 3",
        "street_addresses": "[Address] 3",
        "list_memberships": "[string 36] 50",
        "taggings": "[string 36] 50",
        "notes": "[Note] 150",
        "sms_channel": "SmsChannel",
    },
    "EmailAddress": {
        "address": "string 80",
        "permission_to_send": "string",
        **dict.fromkeys(("created_at", "updated_at", "opt_in_date", "opt_out_date"), "datetime"),
        "opt_in_source": "string",
        "opt_out_source": "string",
        "opt_out_reason": "string 255",
        "confirm_status": "string",
    },
    "CustomFieldValue": {"custom_field_id": "string 36", "value": "string 255"},
    "Phone": {
        "phone_number_id": "string 36",
        "phone_number": "string 25",
        "kind": "string",
        "created_at": "datetime",
        "updated_at": "datetime",
        "create_source": "string",
        "update_source": "string",
    },
    "Address": {
        "street_address_id": "string 36",
        "kind": "string",
        "street": "string 255",
        **dict.fromkeys(("city", "state", "postal_code", "country"), "string 50"),
        "created_at": "datetime",
        "updated_at": "datetime",
    },
    "Note": {"note_id": "string 36", "created_at": "datetime", "content": "string 2000"},
    "SmsChannel": {
        "sms_channel_id": "string",
        "sms_address": "string",
        "dial_code": "string",
        "country_code": "string",
        "sms_channel_consents": "[SmsConsent]",
    },
    "SmsConsent": {"sms_consent_permission": "string", "opt_in_date": "datetime", "opt_out_date": "datetime"},
    "Contacts": {"contacts": "[Contact]", "contacts_count": "integer", "_links": "PageLinks", "status": "string"},
    "ContactAction": {"contact_id": "string 36", "action": "string"},
    "ContactXrefs": {"xrefs": "[ContactXref] 500"},
    "ContactXref": {"sequence_id": "string", "contact_id": "string 36"},
    "Counts": dict.fromkeys(("total", "explicit", "implicit", "pending", "unsubscribed", "new_subscriber"), "integer"),
    "List": {
        "list_id": "string 36",
        "name": "string 255",
        "description": "string",
        "favorite": "boolean",
        **dict.fromkeys(("created_at", "updated_at", "deleted_at"), "datetime"),
        "membership_count": "integer",
    },
    "Lists": {"lists": "[List] 1000", "lists_count": "integer", "_links": "PageLinks"},
    "ListXrefs": {"xrefs": "[ListXref] 500"},
    "ListXref": {"sequence_id": "string", "list_id": "string 36"},
    "Tag": {
        "tag_id": "string 36",
        "name": "string 255",
        "tag_source": "string",
        "created_at": "datetime",
        "updated_at": "datetime",
        "contacts_count": "integer",
    },
    "Tags": {"tags": "[Tag] 500", "_links": "PageLinks"},
    "CustomField": {
        "custom_field_id": "string 36",
        "label": "string 50",
        "name": "string 50",
        "type": "string",
        "created_at": "datetime",
        "updated_at": "datetime",
    },
    "CustomFields": {"custom_fields": "[CustomField] 100", "_links": "PageLinks"},
    "Segment": {
        "segment_id": "integer",
        "name": "string",
        "segment_criteria": "string 20000",
        "created_at": "datetime",
        "edited_at": "datetime",
    },
    "Segments": {"segments": "[Segment] 1000", "_links": "PageLinks"},
    "PageLinks": {"next": "Link"},
    "Link": {"href": "string"},
    "SmsEvent": {"contact_id": "string 36"},
    # 3.13: what is read of the answer of each POST.
    "Activity": {
        "activity_id": "string 36",
        "state": "string",
        "percent_done": "integer",
        **dict.fromkeys(("started_at", "completed_at", "created_at", "updated_at"), "datetime"),
        "activity_errors": "[string]",
        "source_file_name": "string",
        "status": "ActivityStatus",
        "_links": "ActivityLinks",
    },
    "TagActivity": {
        "activity_id": "string 36",
        "state": "string",
        "created_at": "datetime",
        "updated_at": "datetime",
        "percent_done": "integer",
        "activity_errors": "[ActivityError]",
        "status": "ActivityStatus",
        "_links": "ActivityLinks",
    },
    "ActivityError": {"message": "string"},
    "ActivityStatus": dict.fromkeys(
        (
            "items_total_count",
            "items_completed_count",
            "list_count",
            "person_count",
            "error_count",
            "correctable_count",
            "cannot_add_to_list_count",
        ),
        "integer",
    ),
    "ActivityLinks": {"self": "Link", "results": "Link"},
    "Activities": {"activities": "[Activity] 500", "_links": "PageLinks"},
}

_ARRAY = re.compile(r"\[(.+)\](?: (\d+))?")
_FRACTION = re.compile(r"(\.\d{6})\d+")


class Broken(AssertionError):
    """The client throws, or would lose something."""


@dataclass(frozen=True)
class GeneratedClient:
    """Calls operations as the generated code does."""

    front: Front

    async def call(
        self,
        method: str,
        path: str,
        answer: str = "",
        *,
        body: Mapping[str, Any] | None = None,
        status: int | None = None,
        **query: Any,
    ) -> Any:
        """Calls one operation; `answer` is the type that it reads, none where the answer is not looked at."""
        headers = {"Content-Type": "application/json", **({"Accept": "application/json"} if answer else {})}
        data = None if body is None else json.dumps(written(body))
        url = "/v3" + path + (f"?{asked(query)}" if query else "")
        got = await self.front.request(method, url, data=data, headers=headers, allow_redirects=False)
        return self.read(got, answer, status)

    @staticmethod
    def read(got: Answer, answer: str, status: int | None = None) -> Any:
        """Every status outside of 200 to 299 is an exception with the raw body (1.8)."""
        if not 200 <= got.status < 300 or (status and got.status != status):
            raise Broken(f"{got.status}: {got.content!r}")
        if not answer:
            return None
        return read(json.loads(got.content), answer)

    async def next_page(self, page: Mapping[str, Any], answer: str) -> Any:
        """It has no `cursor`: pages are asked for by their links (1.10, 6)."""
        got = await self.front.request("GET", page["_links"]["next"]["href"])
        return self.read(got, answer)


def asked(query: Mapping[str, Any]) -> str:
    """A query: booleans are 1 and 0 (1.10, 1), arrays comma separated, nulls left out."""
    values = {name: value for name, value in query.items() if value is not None}
    return "&".join(f"{name}={_asked(value)}" for name, value in values.items())


def _asked(value: Any) -> str:
    if isinstance(value, bool):
        return str(int(value))
    return ",".join(map(str, value)) if isinstance(value, list) else str(value)


def written(value: Any) -> Any:
    """A body: nulls are left out."""
    if isinstance(value, Mapping):
        return {name: written(inner) for name, inner in value.items() if inner is not None}
    return [written(inner) for inner in value] if isinstance(value, list) else value


def read(value: Any, kind: str) -> Any:
    """A value of an answer, as the type says."""
    if value is None:
        raise Broken(f"null for {kind}: the typed clients fail")
    if array := _ARRAY.fullmatch(kind):
        items = _insisted(value, list, kind)
        if array[2] and len(items) > int(array[2]):
            raise Broken(f"{len(items)} of {kind}")
        return [read(item, array[1]) for item in items]
    if kind in TYPES:
        members = _insisted(value, dict, kind)
        return {name: read(inner, TYPES[kind][name]) for name, inner in members.items() if name in TYPES[kind]}
    return _scalar(value, kind)


def _scalar(value: Any, kind: str) -> Any:
    name, _, most = kind.partition(" ")
    match name:
        case "integer":
            return _insisted(value, int, kind)
        case "boolean":
            return _insisted(value, bool, kind)
        case "datetime":
            # Fractions beyond microseconds are cut; "" would become null and then throw (1.6; 1.10, 15).
            return datetime.fromisoformat(_FRACTION.sub(r"\1", _insisted(value, str, kind)))
    if most and len(_insisted(value, str, kind)) > int(most):
        raise Broken(f"{len(value)} characters of {kind}")
    return _insisted(value, str, kind)


def _insisted(value: Any, kind: type, told: str) -> Any:
    if type(value) is not kind:
        raise Broken(f"{value!r} for {told}")
    return value
