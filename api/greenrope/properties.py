"""What the elements of a contact are called where contacts are stored (contract greenrope.md 3)."""

from collections.abc import Mapping
from types import MappingProxyType

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

#: The elements of an answer that are one text each: those before the contact's state and times, and those after its
#: birthdate.
FIRST_TEXTS = (
    "Firstname",
    "Lastname",
    "Title",
    "Company",
    "Address1",
    "Address2",
    "City",
    "State",
    "Zip",
    "Country",
    "Phone",
    "Mobile",
    "Fax",
    "Website",
    "Email",
)
LAST_TEXTS = ("Gender", "Hometown", "Height", "Weight", "SkillsAndInterests", "Bio", "Notes")
