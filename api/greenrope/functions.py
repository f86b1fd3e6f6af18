"""Every function, by the name that its request and its answer begin with (contract greenrope.md 4 to 6)."""

from collections.abc import Mapping
from types import MappingProxyType

from api.greenrope import accounts, groups, user_fields
from api.greenrope.calling import Function

FUNCTIONS: Mapping[str, Function] = MappingProxyType(
    {
        "GetUserDefinedFields": user_fields.every,
        "AddUserDefinedField": user_fields.add,
        "EditUserDefinedField": user_fields.edit,
        "DeleteUserDefinedField": user_fields.delete,
        "CreateGroup": groups.create,
        "GetGroups": groups.every,
        "EditGroups": groups.edit,
        "DeleteGroups": groups.delete,
        "GetAccountsWithAccess": accounts.every,
    }
)
