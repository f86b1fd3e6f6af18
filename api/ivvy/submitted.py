"""What addOrUpdateContact is given, read into a value (contract ivvy.md 9.1).

What is absent or null is not said, but for externalUrls; an empty text says that there is none.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any, Self

from api.ivvy.parameters import Parameters, Unfit, array, json_object, text, whole_number
from engine.contacts.changes import UNSAID
from engine.emails import is_email
from engine.sets.catalog import LARGEST_SET_NO

#: Characters of what is said, and elements of arrays.
LONGEST_TEXT, LONGEST_URL = 255, 2048
MOST_ELEMENTS = 1000
#: External URLs of a contact (contract ivvy.md 11).
MOST_URLS = 3
#: What can be set; 4, "registering", cannot.
STATUSES = (1, 2, 3, 5)
SMS_STATUSES = (1, 2, 3, 4)

#: An external URL by its ref; None removes it.
Urls = Mapping[str, Mapping[str, Any] | None]


@dataclass(frozen=True, slots=True)
class Submitted:
    """What is said of a contact, None what is not; an empty text says that there is none.

    contact_no: whom it means, None for a new one; values: of custom fields, as they came; urls: None removes all.
    """

    contact_no: int | None
    first_name: str | None
    last_name: str | None
    email: str | None
    phone: str | None
    external_id: str | None
    groups: frozenset[int] | None
    companies: frozenset[int] | None
    values: Mapping[int, Any]
    status: int | None
    sms_status: int | None
    urls: Any
    consent: bool | None
    update_if_exists: bool

    @classmethod
    def of(cls, params: Parameters) -> Self:
        """What the parameters of a call say. Raises Refused."""
        given = _with_last_name(params)
        contact_no = None if params.given.get("id") == "" else given.integer("id")
        if contact_no is None:
            _require(given, "firstName", "lastName", "email")
        return cls(
            contact_no=contact_no,
            first_name=given.text("firstName", LONGEST_TEXT),
            last_name=given.text("lastName", LONGEST_TEXT),
            email=given.read("email", _email),
            phone=given.text("phone", LONGEST_TEXT),
            external_id=given.text("externalId", LONGEST_TEXT),
            groups=given.read("groups", _groups),
            companies=given.read("companies", _numbers),
            values=given.read("customFields", _values) or {},
            status=given.read("status", _one_of(STATUSES)),
            sms_status=given.read("smsStatus", _one_of(SMS_STATUSES)),
            urls=given.read("externalUrls", _urls) if given.has("externalUrls") else UNSAID,
            consent=given.boolean("privacyConsent"),
            update_if_exists=given.boolean("updateIfExists") or False,
        )


def _with_last_name(params: Parameters) -> Parameters:
    """`LastName` is the same as `lastName`."""
    return Parameters({"lastName": params.given.get("LastName"), **params.given})


def _require(params: Parameters, *names: str) -> None:
    """A blank text is none."""
    blank = [name for name in names if isinstance(said := params.given.get(name), str) and not said.strip()]
    Parameters({**params.given, **dict.fromkeys(blank)}).require(*names)


def _email(value: object) -> str:
    email = text(value, LONGEST_TEXT).strip()
    if email and not is_email(email):
        raise Unfit("Value must be an e-mail address")
    return email


def _numbers(value: object) -> frozenset[int]:
    return frozenset(map(_number, array(value, MOST_ELEMENTS)))


def _groups(value: object) -> frozenset[int]:
    return frozenset(_number(json_object(each).get("groupId")) for each in array(value, MOST_ELEMENTS))


def _number(value: object) -> int:
    """A number of a set; of one that no set can have any other one that none has."""
    number = whole_number(value)
    return number if 0 < number <= LARGEST_SET_NO else LARGEST_SET_NO


def _values(value: object) -> Mapping[int, Any]:
    fields = map(json_object, array(value, MOST_ELEMENTS))
    return {_number(each.get("fieldId")): each.get("value") for each in fields}


def _one_of(codes: tuple[int, ...]) -> Callable[[object], int]:
    def read(value: object) -> int:
        code = whole_number(value)
        if code not in codes:
            raise Unfit(f"Value must be one of {', '.join(map(str, codes))}")
        return code

    return read


def _urls(value: object) -> Urls:
    return dict(_url(json_object(each)) for each in array(value, MOST_URLS))


def _url(given: Mapping[str, Any]) -> tuple[str, Mapping[str, Any] | None]:
    ref, url, label = given.get("ref"), given.get("url"), given.get("label")
    if not ref:
        raise Unfit("'ref' is required")
    ref = text(ref, LONGEST_TEXT)
    if url is None:
        return ref, None
    if not text(url, LONGEST_URL).lower().startswith("https://"):
        raise Unfit("'url' must begin with https://")
    return ref, {"ref": ref, "url": url, "label": None if label is None else text(label, LONGEST_TEXT)}
