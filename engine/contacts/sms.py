"""Text message channels of contacts: stored and shown, never used (contract v3.md 2.1.7)."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any
from uuid import uuid4

import phonenumbers

from engine.contacts.record import Party, Row
from engine.errors import Invalid

#: Where a number is taken to be that comes without a country code.
DEFAULT_COUNTRY = "US"


@dataclass(frozen=True, slots=True)
class Consent:
    """A consent as it is given: `permission` is pending_confirmation, opt_out or explicit; `at` None is now."""

    permission: str
    type: str = "promotional_sms"
    at: datetime | None = None


def number(text: str) -> Row:
    """The parts of a channel that say which number it is. Raises ValueError for no number."""
    try:
        parsed = phonenumbers.parse(text, DEFAULT_COUNTRY)
    except phonenumbers.NumberParseException as error:
        raise ValueError(str(error)) from None
    country_calling_code = parsed.country_code or 0
    return {
        "sms_address": phonenumbers.national_significant_number(parsed),
        "dial_code": str(country_calling_code),
        "country_code": phonenumbers.region_code_for_number(parsed)
        or phonenumbers.region_code_for_country_code(country_calling_code),
    }


def channel(stored: Mapping[str, Any] | None, text: str, consents: Sequence[Consent], by: Party, now: datetime) -> Row:
    """The channel with this number and these consents, under the id that it has. Raises Invalid for no number."""
    try:
        parts = number(text)
    except ValueError as error:
        raise Invalid(f"full_sms_address does not have a valid value: {error}") from None
    before = stored or {"sms_channel_id": str(uuid4()), "create_source": by}
    return {
        "sms_channel_id": before["sms_channel_id"],
        **parts,
        "create_source": before["create_source"],
        "update_source": by,
        "sms_channel_consents": [_consent(each, now) for each in consents],
    }


def _consent(given: Consent, now: datetime) -> Row:
    times: Row = {"created_at": now, "updated_at": now}
    if given.permission == "explicit":
        times["opt_in_date"] = given.at or now
    if given.permission == "opt_out":
        times["opt_out_date"] = given.at or now
    return {"sms_consent_permission": given.permission, "consent_type": given.type, **times}
