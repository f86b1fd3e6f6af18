"""Bodies of requests on single contacts (contract v3.md 2.1). What is not known in them is ignored (1.6)."""

from collections.abc import Callable, Iterable, Mapping
from dataclasses import replace
from datetime import date
from typing import Annotated, Any, Literal, Self, TypeVar
from uuid import UUID

from pydantic import (
    AfterValidator,
    BeforeValidator,
    ConfigDict,
    Field,
    StrictInt,
    StringConstraints,
    WithJsonSchema,
    model_validator,
)
from pydantic.config import JsonDict

from api.v3.bodies import Resource
from api.v3.values import Moment, storable
from engine.arrays import Sized
from engine.contacts.details import Details
from engine.contacts.record import CORE, Address, Note, Party, Permission, Phone
from engine.contacts.sms import Consent
from engine.days import is_birthday, parse_day
from engine.emails import is_email
from engine.identifiers import Id

Given = TypeVar("Given")
Made = TypeVar("Made")


def _email(text: str) -> str:
    if not is_email(text):
        raise ValueError("it must be an e-mail address")
    return text


def _filled(text: str) -> str | None:
    """Blank is the same as left out (contract 2.1.11)."""
    return text.strip() or None


def _day(value: object) -> object:
    if not isinstance(value, str):
        raise ValueError("it must be text such as 2006-11-15")  # noqa: TRY004 (pydantic wants ValueErrors)
    try:
        return parse_day(value.strip()) if value.strip() else None
    except ValueError:
        raise ValueError("it must be a date such as 2006-11-15") from None


Text25 = Annotated[str, Field(max_length=25), AfterValidator(storable)]
FilledText25 = Annotated[str, Field(min_length=1, max_length=25), AfterValidator(storable)]
Text50 = Annotated[str, Field(max_length=50), AfterValidator(storable)]
Text255 = Annotated[str, Field(max_length=255), AfterValidator(storable)]
Property = Annotated[Text50, AfterValidator(_filled)]
#: What JSON Schema says of texts and numbers beside their limits.
EMAIL = Field(json_schema_extra={"format": "email"})
DAY = WithJsonSchema(
    {
        "type": "string",
        "maxLength": 10,
        "pattern": r"^([0-9]{1,4}[-/][0-9]{1,2}[-/][0-9]{1,4})?$",
        "description": "Such as 2006-11-15 or 11/15/2006.",
    }
)
WHOLE_BIRTHDAY: JsonDict = {
    "dependentRequired": {"birthday_month": ["birthday_day"], "birthday_day": ["birthday_month"]}
}

#: One of these tells who a new contact is (contract 2.1.9).
NAMED: JsonDict = {
    "anyOf": [{"required": [name]} for name in ("email_address", "first_name", "last_name", "sms_channel")]
}

Email80 = Annotated[str, StringConstraints(strip_whitespace=True, max_length=80), AfterValidator(_email), EMAIL]
Email50 = Annotated[str, StringConstraints(strip_whitespace=True, max_length=50), AfterValidator(_email), EMAIL]
Anniversary = Annotated[date | None, BeforeValidator(_day), DAY]
Ids = Annotated[tuple[Id, ...], Sized(50)]
FilledIds = Annotated[tuple[Id, ...], Sized(50, least=1)]


class GivenEmail(Resource):
    """The e-mail address of a new contact (contract 2.1.2)."""

    address: Email80
    permission_to_send: Permission | None = None


class ChangedEmail(GivenEmail):
    """The e-mail address of a stored contact; what is read-only in it is ignored (contract 2.1.2)."""

    opt_out_reason: Text255 | None = None


class GivenValue(Resource):
    """Contract 2.1.3."""

    custom_field_id: Id
    value: Text255


class GivenPhone(Resource):
    """Contract 2.1.4."""

    phone_number: FilledText25
    kind: Literal["home", "work", "mobile", "other"] | None = None

    def phone(self) -> Phone:
        return Phone(self.kind or "other", self.phone_number)


class GivenAddress(Resource):
    """Contract 2.1.5."""

    kind: Literal["home", "work", "other"]
    street: Annotated[Text255, AfterValidator(_filled)] | None = None
    city: Property | None = None
    state: Property | None = None
    postal_code: Property | None = None
    country: Property | None = None

    def address(self) -> Address:
        return Address(self.kind, self.street, self.city, self.state, self.postal_code, self.country)


class GivenNote(Resource):
    """Contract 2.1.6."""

    note_id: Id | None = None
    content: Annotated[str, Field(max_length=2000), AfterValidator(storable)]


class GivenConsent(Resource):
    """A consent to text messages, or its end (contract 2.1.7, the vendor's newer form)."""

    sms_consent_permission: Literal["pending_confirmation", "opt_out", "explicit"]
    consent_type: Literal["promotional_sms"]
    opt_in_date: Moment | None = None
    opt_out_date: Moment | None = None

    def consent(self) -> Consent:
        at = {"explicit": self.opt_in_date, "opt_out": self.opt_out_date}.get(self.sms_consent_permission)
        return Consent(self.sms_consent_permission, self.consent_type, at)


class GivenChannel(Resource):
    """The number for text messages, and the consents to them (contract 2.1.7, the vendor's newer form)."""

    full_sms_address: FilledText25
    sms_channel_consents: Annotated[tuple[GivenConsent, ...], Sized(10, least=1)]

    def given(self) -> tuple[str, list[Consent]]:
        return self.full_sms_address, [each.consent() for each in self.sms_channel_consents]


class Properties(Resource):
    """What is said of a contact in one word each."""

    model_config = ConfigDict(json_schema_extra=WHOLE_BIRTHDAY)

    first_name: Property | None = None
    last_name: Property | None = None
    job_title: Property | None = None
    company_name: Property | None = None
    birthday_month: Annotated[StrictInt, Field(ge=1, le=12)] | None = None
    birthday_day: Annotated[StrictInt, Field(ge=1, le=31)] | None = None
    anniversary: Anniversary | None = None

    @model_validator(mode="after")
    def _has_a_whole_birthday(self) -> Self:
        month, day = self.birthday_month, self.birthday_day
        if (month is None) != (day is None):
            missing = "birthday_day" if day is None else "birthday_month"
            raise ValueError(f"{missing} is missing: a birthday has both month and day")
        if month is not None and day is not None and not is_birthday(month, day):
            raise ValueError(f"birthday_day does not have a valid value: month {month} has no day {day}")
        return self

    def core(self) -> dict[str, Any]:
        """Those that are given."""
        return {name: getattr(self, name) for name in CORE if name in self.model_fields_set}


class ContactBody(Properties):
    """What new and stored contacts have in common."""

    email_address: GivenEmail | None = None
    custom_fields: Annotated[tuple[GivenValue, ...], Sized(25)] | None = None
    phone_numbers: Annotated[tuple[GivenPhone, ...], Sized(3)] | None = None
    street_addresses: Annotated[tuple[GivenAddress, ...], Sized(3)] | None = None
    list_memberships: Ids | None = None
    taggings: Ids | None = None
    notes: Annotated[tuple[GivenNote, ...], Sized(150)] | None = None
    sms_channel: GivenChannel | None = None

    def details(self) -> Details:
        """What the engine is told."""
        email, sms = self.email_address, self.sms_channel
        return Details(
            core=self.core(),
            email=email.address if email else None,
            permission=email.permission_to_send if email else None,
            opt_out_reason=email.opt_out_reason if isinstance(email, ChangedEmail) else None,
            custom_values=_values(self.custom_fields),
            phones=_each(self.phone_numbers, GivenPhone.phone),
            addresses=_each(self.street_addresses, GivenAddress.address),
            notes=_each(self.notes, lambda given: Note(given.content, given.note_id)),
            sms_channel=sms.given() if sms else None,
            list_ids=_once(self.list_memberships),
            tag_ids=_once(self.taggings),
        )


class NewContact(ContactBody):
    """At least one of its e-mail address, first name, last name and text message channel is given (contract 2.1.9)."""

    model_config = ConfigDict(json_schema_extra=WHOLE_BIRTHDAY | NAMED)

    create_source: Party

    def details(self) -> Details:
        """Mailable with implicit permission, unless another is given (contract 6, 12)."""
        details = super().details()
        permission = details.permission or ("implicit" if details.email else None)
        return replace(details, permission=permission)


class ChangedContact(ContactBody):
    """Contract 2.1.11."""

    update_source: Party
    email_address: ChangedEmail | None = None


class SignUpBody(Properties):
    """Contract 2.1.13."""

    email_address: Email50
    list_memberships: FilledIds
    phone_number: Annotated[Text25, AfterValidator(_filled)] | None = None
    custom_fields: Annotated[tuple[GivenValue, ...], Sized(50)] | None = None
    street_address: GivenAddress | None = None

    def details(self) -> Details:
        """Only what is said; a blank property says nothing. The phone number's kind is `other` (contract 6, 20)."""
        return Details(
            core={name: value for name, value in self.core().items() if value is not None},
            email=self.email_address,
            custom_values=_values(self.custom_fields),
            phones=[Phone("other", self.phone_number)] if self.phone_number else None,
            addresses=[self.street_address.address()] if self.street_address else None,
            list_ids=_once(self.list_memberships),
        )


class ResubscribeBody(Resource):
    """Contract 2.1.16."""

    list_ids: FilledIds


def _each(given: Iterable[Given] | None, made: Callable[[Given], Made]) -> list[Made] | None:
    return None if given is None else [made(each) for each in given]


def _once(ids: tuple[UUID, ...] | None) -> tuple[UUID, ...] | None:
    """Duplicates are one (contract 1.6)."""
    return None if ids is None else tuple(dict.fromkeys(ids))


def _values(given: tuple[GivenValue, ...] | None) -> Mapping[UUID, str] | None:
    """Of a field that is given twice, the last value."""
    return None if given is None else {each.custom_field_id: each.value for each in given}
