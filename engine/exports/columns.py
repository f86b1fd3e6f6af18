"""The columns of an export: every field of the contract and custom fields, each as SQL (contract v3.md 3.10, 3.15).

The one table that says what is in a cell. What the contract does not say is chosen so: of several phone numbers and
addresses the first is given; times are in the house's style (`2026-01-15T10:00:00+00:00`), days as `2026-01-15`, a
birthday as `05/17`; what says something of an e-mail address is empty without one. Muster knows neither social profiles
nor web sites, and a street has one line: those columns stay empty.
"""

from collections.abc import Iterable, Mapping, Sequence
from types import MappingProxyType
from typing import NamedTuple


class Column(NamedTuple):
    """What is in the cells, as SQL and in words."""

    sql: str
    meaning: str = "the property of the same name"


def _time(column: str) -> str:
    return f"""to_char(c.{column} at time zone 'UTC', 'YYYY-MM-DD"T"HH24:MI:SS"+00:00"')"""


def _address(part: str) -> str:
    return f"a.address ->> '{part}'"


def _of_email(value: str) -> str:
    return f"case when c.email is not null then {value} end"


#: Newest first.
_NOTES = (
    "case when c.notes is not null then "
    "(select string_agg(note ->> 'content', ', ' order by note ->> 'created_at' desc)"
    " from jsonb_array_elements(c.notes) note) end"
)
_BIRTHDAY = "lpad(c.birthday_month::text, 2, '0') || '/' || lpad(c.birthday_day::text, 2, '0')"
_MAY_BE_MAILED = "case when c.permission in ('implicit', 'explicit') then 'true' else 'false' end"

#: By the name of the field, in the contract's order: a value of the contact `c`, of its first address `a`, or of the
#: names `n` of its lists and tags.
COLUMNS: Mapping[str, Column] = MappingProxyType(
    {
        "first_name": Column("c.first_name"),
        "last_name": Column("c.last_name"),
        "contact_id": Column("c.contact_id"),
        "email_address": Column("c.email", "the e-mail address"),
        "email_lists": Column("n.lists", "the names of the contact's lists"),
        "phone_number": Column("c.phone_numbers -> 0 ->> 'phone_number'", "the first phone number"),
        "company_name": Column("c.company_name"),
        "job_title": Column("c.job_title"),
        "social_profiles": Column("null", "always empty"),
        "website": Column("null", "always empty"),
        "street": Column(_address("street"), "of the first address"),
        "city": Column(_address("city"), "of the first address"),
        "state": Column(_address("state"), "of the first address"),
        "zip": Column(_address("postal_code"), "`postal_code` of the first address"),
        "country": Column(_address("country"), "of the first address"),
        "anniversary": Column("c.anniversary", "a day such as `2006-11-15`"),
        "birthday": Column(_BIRTHDAY, "such as `05/17`"),
        "birthday_day": Column("c.birthday_day"),
        "birthday_month": Column("c.birthday_month"),
        "created_at": Column(_time("created_at"), "a time such as `2026-01-15T10:00:00+00:00`"),
        "updated_at": Column(_time("updated_at"), "a time such as `2026-01-15T10:00:00+00:00`"),
        "email_permission": Column(_of_email("c.permission"), "`permission_to_send`"),
        "email_optin": Column(_of_email(_MAY_BE_MAILED), "`true` with implicit or explicit permission, else `false`"),
        "email_optin_source": Column(_of_email("c.opt_in_source"), "`opt_in_source`"),
        "email_optin_date": Column(_of_email(_time("opt_in_date")), "`opt_in_date`, a time"),
        "email_optout_date": Column(_of_email(_time("opt_out_date")), "`opt_out_date`, a time"),
        "email_optout_source": Column(_of_email("c.opt_out_source"), "`opt_out_source`"),
        "email_optout_reason": Column(_of_email("c.opt_out_reason"), "`opt_out_reason`"),
        "tag": Column("n.tags", "the names of the contact's tags"),
        "notes": Column(_NOTES, "the notes, newest first"),
        "street_1": Column(_address("street"), "the same as `street`"),
        "street_2": Column("null", "always empty"),
        "intl_state": Column("null", "always empty"),
        "source_name": Column("c.create_source", "`create_source`"),
        "email_update_source": Column(_of_email("c.update_source"), "`update_source`"),
    }
)
#: Which names a field needs.
NAMES: Mapping[str, str] = MappingProxyType({"email_lists": "list", "tag": "tag"})

_SELECT = """
select {columns} from contact c
cross join lateral (select c.street_addresses -> 0 as address offset 0) a
{names} where c.account_id = {account_id:d} and {chosen}
order by c.contact_no
"""
#: $1 and $2 are the names of the lists and tags of each contact, $3 is between two contacts'. As two arrays they would
#: take 90 ms for 16,384 contacts, so 15.
_WITH_NAMES = """left join rows from (
    unnest({contact_nos}), string_to_table($1::text, $3::text, ''), string_to_table($2::text, $3::text, '')
) n(contact_no, lists, tags) using (contact_no)
"""


def select(account_id: int, contact_nos: Sequence[int], fields: Sequence[str], custom_fields: Sequence[int]) -> str:
    """The statement of the rows of contacts, by number: these fields, then the values of custom fields by number.

    contact_nos: ascending, at least one.
    Numbers are written into it, and nothing but numbers: COPY binds no values, and to have the server quote them takes
    a tenth of the export's time.
    """
    columns = [COLUMNS[name].sql for name in fields] + [f"c.custom_values ->> '{number:d}'" for number in custom_fields]
    if len(columns) == 1:
        # A row of one cell without a value would be an empty line, which readers take for no row.
        columns = [f"coalesce(({columns[0]})::text, '')"]
    return _SELECT.format(
        columns=", ".join(columns),
        names=_WITH_NAMES.format(contact_nos=_array(contact_nos)) if needs_names(fields) else "",
        account_id=account_id,
        chosen=_chosen(contact_nos),
    )


def _chosen(contact_nos: Sequence[int]) -> str:
    """The condition that a contact is one of these: by a range where that leaves out fewer than it would name."""
    first, last = contact_nos[0], contact_nos[-1]
    if last - first >= 2 * len(contact_nos):
        return f"c.contact_no = any({_array(contact_nos)})"
    others = sorted(set(range(first, last + 1)).difference(contact_nos))
    return f"c.contact_no between {first:d} and {last:d} and c.contact_no <> all({_array(others)})"


def _array(numbers: Iterable[int]) -> str:
    return "'{" + ",".join(map(int.__repr__, numbers)) + "}'::bigint[]"


def needs_names(fields: Sequence[str]) -> bool:
    """Whether names of lists or tags are among the fields."""
    return not NAMES.keys().isdisjoint(fields)
