"""What a request says of a contact that is there (contract convio.md 6.7, `updateAddressBookContact`)."""

from collections.abc import Mapping

from api.convio.parameters import Parameters
from api.convio.submitted import MOST_NAME, Submitted
from engine.contacts.changes import Changes
from engine.contacts.record import PLAIN_PHONE
from engine.errors import Invalid

#: Characters of a street and of a phone number (contract v3.md 2.1.4, 2.1.5); other parts have as many as a name.
MOST_STREET = 255
MOST_PHONE = 25
#: Parts of the address by the parameter that says them.
PLACES: Mapping[str, str] = {"city": "city", "state": "state", "zip": "postal_code", "country": "country"}


def changes(asked: Parameters) -> Changes:
    """What is to become of the contact: what is absent stays, what is empty is cleared. Raises Invalid."""
    names = {name: asked.required(name) for name in ("first_name", "last_name")}
    email = asked.required("email")
    if problem := Submitted(email=email, **names).problem:
        raise Invalid(problem)
    return Changes(columns=names, email=email, phones=_phones(asked), address=_street(asked) | _places(asked))


def _phones(asked: Parameters) -> Mapping[str, str | None]:
    return {} if asked.text("phone") is None else {PLAIN_PHONE: _part(asked, "phone", MOST_PHONE)}


def _street(asked: Parameters) -> dict[str, str | None]:
    """One street of both lines: which line is which cannot be told of a stored one."""
    if asked.text("street1") is None:
        if asked.given("street2"):
            raise Invalid("street2 needs street1.")
        return {}
    lines = (_part(asked, name, MOST_STREET) for name in ("street1", "street2"))
    street = ", ".join(line for line in lines if line)
    if len(street) > MOST_STREET:
        raise Invalid(f"street1 and street2 may have {MOST_STREET} characters at most.")
    return {"street": street or None}


def _places(asked: Parameters) -> dict[str, str | None]:
    return {part: _part(asked, name, MOST_NAME) for name, part in PLACES.items() if asked.text(name) is not None}


def _part(asked: Parameters, name: str, most: int) -> str | None:
    text = asked.given(name)
    if len(text) > most:
        raise Invalid(f"{name} may have {most} characters at most.")
    return text or None
