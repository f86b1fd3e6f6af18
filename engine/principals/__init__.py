"""Who may ask: principals, their grants, and what they show to be believed: tokens, passwords, sessions, signed keys.

These tables have no wall, because they are needed before an account is known.
"""

from engine.principals.grants import grant, revoke_grant
from engine.principals.keys import Key, SigningKey, create_key, list_keys, revoke_key, signing_key
from engine.principals.model import MUSTER, Access, Principal, Privilege, muster
from engine.principals.requests import take_requests
from engine.principals.sessions import Purpose, close_session, open_session, prune_sessions, session
from engine.principals.tokens import api_token, authenticate, create_token, list_tokens, revoke_token
from engine.principals.users import (
    User,
    access_of_user,
    create_user,
    find_user,
    list_users,
    log_in,
    own_user,
    remove_user,
    set_password,
    user_of,
)

__all__ = [
    "MUSTER",
    "Access",
    "Key",
    "Principal",
    "Privilege",
    "Purpose",
    "SigningKey",
    "User",
    "access_of_user",
    "api_token",
    "authenticate",
    "close_session",
    "create_key",
    "create_token",
    "create_user",
    "find_user",
    "grant",
    "list_keys",
    "list_tokens",
    "list_users",
    "log_in",
    "muster",
    "open_session",
    "own_user",
    "prune_sessions",
    "remove_user",
    "revoke_grant",
    "revoke_key",
    "revoke_token",
    "session",
    "set_password",
    "signing_key",
    "take_requests",
    "user_of",
]
