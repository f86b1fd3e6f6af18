"""Every function, by the name that its request and its answer begin with (contract greenrope.md 4 to 6)."""

from collections.abc import Mapping
from types import MappingProxyType

from api.greenrope import accounts, contact_writes, get_contacts, groups, memberships, search_contacts, user_fields
from api.greenrope.calling import Function

FUNCTIONS: Mapping[str, Function] = MappingProxyType(
    {
        "GetContacts": get_contacts.answer,
        "AddContacts": contact_writes.add,
        "EditContacts": contact_writes.edit,
        "DeleteContacts": contact_writes.delete,
        "UnsubscribeContacts": contact_writes.unsubscribe,
        "SearchContacts": search_contacts.answer,
        "GetContactGroups": memberships.of_contact,
        "GetUserDefinedFields": user_fields.every,
        "AddUserDefinedField": user_fields.add,
        "EditUserDefinedField": user_fields.edit,
        "DeleteUserDefinedField": user_fields.delete,
        "CreateGroup": groups.create,
        "GetGroups": groups.every,
        "EditGroups": groups.edit,
        "DeleteGroups": groups.delete,
        "AddContactsToGroup": memberships.add,
        "DeleteContactsFromGroup": memberships.remove,
        "GetAccountsWithAccess": accounts.every,
    }
)
