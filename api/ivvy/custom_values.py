"""Values of custom fields, as clients send them and as contacts are stored with them (contract ivvy.md 9.1, 9.4)."""

import json
from collections.abc import Callable, Mapping

from api.ivvy.parameters import Unfit, array, json_object, text, whole_number
from engine.errors import Invalid, UnknownField
from engine.fields import COMMA, Field, Type

LONGEST = 2000
PARTS_OF_ADDRESSES = frozenset(
    {"line1", "line2", "line3", "line4", "city", "postalCode", "countryCode", "stateCode", "stateName"}
)


def stored(field: Field | None, field_no: int, value: object) -> str | None:
    """The value as a text, None to clear it; the engine sees whether it fits. Raises UnknownField and Invalid."""
    if field is None:
        raise UnknownField(f"there is no custom field {field_no}")
    if value in (None, "", [], {}):
        return None
    try:
        return _READ.get(field.type, _text)(value) or None
    except Unfit as error:
        raise Invalid(f"{field.label}: {error}") from None


def _text(value: object) -> str:
    if isinstance(value, int) and not isinstance(value, bool):
        return str(value)
    return text(value, LONGEST).strip()


def _whole(value: object) -> str:
    return str(whole_number(value))


def _chosen(value: object) -> str:
    if isinstance(value, list):
        return COMMA.join(_text(each) for each in array(value, LONGEST))
    return _text(value)


def _yes_or_no(value: object) -> str:
    return str(value).lower() if isinstance(value, bool) else _text(value)


def _address(value: object) -> str:
    """As JSON, with the parts that an address has."""
    given = json_object(value)
    if not PARTS_OF_ADDRESSES.issuperset(given):
        raise Unfit(f"An address has {', '.join(sorted(PARTS_OF_ADDRESSES))}")
    return json.dumps({part: text(each, LONGEST) for part, each in given.items() if each is not None})


_READ: Mapping[Type, Callable[[object], str]] = {
    "number": _whole,
    "choices": _chosen,
    "boolean": _yes_or_no,
    "address": _address,
}
