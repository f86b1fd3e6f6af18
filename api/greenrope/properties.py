"""The elements of a contact: how long their texts may be, and what they are called where contacts are stored (contract
greenrope.md 3).
"""

from collections.abc import Mapping
from types import MappingProxyType

from api.greenrope.values import LONG_TEXT, TEXT
from engine.contacts.record import PLAIN_PHONE

#: Elements that are a column of the contact.
COLUMNS: Mapping[str, str] = MappingProxyType(
    {"Firstname": "first_name", "Lastname": "last_name", "Title": "job_title", "Company": "company_name"}
)
#: Elements that are a part of the first street address.
ADDRESS: Mapping[str, str] = MappingProxyType(
    {"Address1": "street", "City": "city", "State": "state", "Zip": "postal_code", "Country": "country"}
)
#: Elements that are a phone number of a kind.
PHONES: Mapping[str, str] = MappingProxyType({"Phone": PLAIN_PHONE, "Mobile": "mobile"})
#: Elements that are a further property.
PROFILE: Mapping[str, str] = MappingProxyType(
    {
        "Address2": "address_2",
        "Fax": "fax",
        "Website": "website",
        "Gender": "gender",
        "Hometown": "hometown",
        "Height": "height",
        "Weight": "weight",
        "SkillsAndInterests": "skills_and_interests",
        "Bio": "bio",
    }
)

#: The elements that are one text each, in the order of answers, with the characters they may have: those before the
#: contact's state and times, and those after its birthdate.
FIRST_TEXTS: Mapping[str, int] = MappingProxyType(
    {
        "Firstname": TEXT,
        "Lastname": TEXT,
        "Title": TEXT,
        "Company": TEXT,
        "Address1": TEXT,
        "Address2": TEXT,
        "City": TEXT,
        "State": TEXT,
        "Zip": TEXT,
        "Country": TEXT,
        "Phone": TEXT,
        "Mobile": TEXT,
        "Fax": TEXT,
        "Website": TEXT,
        "Email": 254,
    }
)
LAST_TEXTS: Mapping[str, int] = MappingProxyType(
    {
        "Gender": 20,
        "Hometown": TEXT,
        "Height": 9,
        "Weight": 9,
        "SkillsAndInterests": LONG_TEXT,
        "Bio": LONG_TEXT,
        "Notes": LONG_TEXT,
    }
)
TEXTS: Mapping[str, int] = MappingProxyType({**FIRST_TEXTS, **LAST_TEXTS})
