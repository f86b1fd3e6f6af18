"""In which order contacts are told, and the statements that put them in it.

The one table that says what contacts are sorted by. A page and a stream go by the same: texts by code points without
the case of ASCII letters, a missing one as an empty one, an address by what makes it one with another
(engine/emails.py).
"""

from collections.abc import Mapping, Sequence
from enum import StrEnum
from types import MappingProxyType
from typing import NamedTuple

from engine.sets.chunks import CHUNK_BITS
from engine.sets.predicates import in_order


class SortKey(StrEnum):
    """What contacts can be sorted by."""

    LAST_NAME = "last_name"
    FIRST_NAME = "first_name"
    EMAIL = "email"
    COMPANY_NAME = "company_name"
    JOB_TITLE = "job_title"
    OTHER_PHONE = "other"
    MOBILE = "mobile"
    CITY = "city"
    STATE = "state"
    POSTAL_CODE = "postal_code"
    COUNTRY = "country"
    CONTACT_NO = "contact_no"
    CREATED_AT = "created_at"
    UPDATED_AT = "updated_at"


class By(NamedTuple):
    """One thing to sort by."""

    key: SortKey
    descending: bool = False


#: What is the same by the first is sorted by the second, and so on; by the contact's number, ascending, in the end.
Order = Sequence[By]


def _text(value: str) -> str:
    return in_order(f"coalesce({value}, '')")


def _phone(kind: str) -> str:
    """The first number of a kind."""
    of_kind = f"""'$[*] ? (@.kind == "{kind}").phone_number'"""
    return _text(f"jsonb_path_query_first(c.phone_numbers, {of_kind}) #>> '{{}}'")


def _address(part: str) -> str:
    """Of the first street address."""
    return _text(f"c.street_addresses -> 0 ->> '{part}'")


#: As SQL, of the contact `c`.
_KEYS: Mapping[SortKey, str] = MappingProxyType(
    {
        SortKey.LAST_NAME: _text("c.last_name"),
        SortKey.FIRST_NAME: _text("c.first_name"),
        SortKey.EMAIL: """coalesce(c.email_key, '') collate "C\"""",
        SortKey.COMPANY_NAME: _text("c.company_name"),
        SortKey.JOB_TITLE: _text("c.job_title"),
        **{key: _phone(key) for key in (SortKey.OTHER_PHONE, SortKey.MOBILE)},
        **{key: _address(key) for key in (SortKey.CITY, SortKey.STATE, SortKey.POSTAL_CODE, SortKey.COUNTRY)},
        SortKey.CONTACT_NO: "c.contact_no",
        SortKey.CREATED_AT: "c.created_at",
        SortKey.UPDATED_AT: "c.updated_at",
    }
)


def is_by_number(order: Order) -> bool:
    """Whether it is that of the contacts' numbers, ascending."""
    return not order or order[0] == By(SortKey.CONTACT_NO)


def turned(order: Order) -> Order:
    """The same from its end on."""
    return [*(By(key, not descending) for key, descending in order), By(SortKey.CONTACT_NO, descending=True)]


def of_numbers(order: Order) -> str:
    """The statement that sorts the contact numbers $2, some of them only: $3 after the first $4."""
    found = "unnest($2::bigint[]) n(contact_no) cross join lateral (select * from contact"
    looked_up = f"{found} where account_id = $1 and contact_no = n.contact_no offset 0) c"
    return f"{_sorted(looked_up, order)} limit $3 offset $4"


def of_chunks(order: Order) -> str:
    """The statement that sorts the contacts of the chunks $2 with the bits $3, some of them only: $4 after $5."""
    return f"{of_rows('select * from unnest($2::int[], $3::bit varying[])', order)} limit $4 offset $5"


def of_rows(rows: str, order: Order) -> str:
    """The statement of the contact numbers in rows of (chunk, bits) of the account $1, sorted.

    Chunk by chunk, whatever the planner thinks of the account: each is a stretch of the contacts' key.
    """
    first = f"s.chunk * {CHUNK_BITS}::bigint"
    stretch = (
        "select * from contact where account_id = $1"
        f" and contact_no >= {first} and contact_no < {first} + {CHUNK_BITS}"
        f" and get_bit(s.bits, (contact_no % {CHUNK_BITS})::int) = 1 offset 0"
    )
    # Stored bits are compressed; a result is not, and need not be unpacked for each contact, which took as long again.
    unpacked = f"(select chunk, bits & bits from ({rows}) packed(chunk, bits) offset 0) s(chunk, bits)"
    return _sorted(f"{unpacked} cross join lateral ({stretch}) c", order)


def _sorted(tables: str, order: Order) -> str:
    keys = [f"{_KEYS[key]} {'desc' if descending else 'asc'}" for key, descending in order]
    return f"select c.contact_no from {tables} order by {', '.join([*keys, 'c.contact_no'])}"
