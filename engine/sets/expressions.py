"""Set expressions: which contacts are meant, as a value that compiles to one SQL statement.

Every value is bound, and every table in the statement is filtered by the account in $1 (Citus then routes it
to one shard). Names are resolved to set numbers before, and what is selected is masked after, not here.
"""

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from engine.sets.chunks import CHUNK_BITS, LARGEST_NUMBER, bits_of
from engine.sets.predicates import AllOf, AnyOf, Predicate
from engine.sets.system import EXISTS, FIELDS, TRACKING

#: Bits of a bigint: a scan makes words of so many contacts first.
WORD_BITS = 64
#: Words are joined to parts of so many bits, parts to chunks. Measured on PostgreSQL 18.4 with the words of
#: 1 M contacts in 62 chunks, 6,000 in 600 and 10 M in 600: in one step 18, 6.5 and 170 ms; by way of 512 bits
#: 5.8, 7.2 and 56, of 1,024 4.4, 6.3 and 45, of 2,048 4.9, 5.2 and 48. string_agg of hex took 9, 17 and 69.
PART_BITS = 1024


@dataclass(frozen=True, slots=True)
class Members:
    """Everybody in at least one of the stored sets."""

    set_nos: tuple[int, ...]


@dataclass(frozen=True, slots=True)
class Contacts:
    """The contacts with these ids; unknown ids mean nobody."""

    contact_ids: tuple[UUID, ...]


@dataclass(frozen=True, slots=True)
class Numbers:
    """The contacts with these numbers, be there such contacts or not: intersect with EXISTS. Nothing is scanned."""

    contact_nos: tuple[int, ...]


@dataclass(frozen=True, slots=True)
class Matching:
    """The contacts whose fields meet a predicate, deleted ones included: intersect with EXISTS."""

    predicate: Predicate


@dataclass(frozen=True, slots=True)
class Marked:
    """The contacts with a mark (engine/marks.py) of a time not before `since` and before `until`; None sets no bound.

    kind: what the mark says; set_no: the list that it is of, 0 for the account as a whole. Deleted contacts included.
    """

    kind: str
    set_no: int
    since: datetime | None = None
    until: datetime | None = None


@dataclass(frozen=True, slots=True)
class Answered:
    """The contacts that have answered one of the events so (engine/invitations.py), be they invited still or not."""

    set_nos: tuple[int, ...]
    answer: str


@dataclass(frozen=True, slots=True)
class Repeats:
    """Those of the contacts whose e-mail address one of them with a lower number has, too."""

    among: "Expression"


@dataclass(frozen=True, slots=True)
class Union:
    """Everybody in any part; of no parts, nobody."""

    parts: tuple["Expression", ...]


@dataclass(frozen=True, slots=True)
class Intersection:
    """Everybody in all parts, of which there must be one."""

    parts: tuple["Expression", ...]

    def __post_init__(self) -> None:
        if not self.parts:
            raise ValueError("an intersection of nothing would be everybody")


@dataclass(frozen=True, slots=True)
class Difference:
    """Everybody in the minuend who is not in the subtrahend."""

    minuend: "Expression"
    subtrahend: "Expression"


Expression = Members | Contacts | Numbers | Matching | Marked | Answered | Repeats | Union | Intersection | Difference

NOBODY = Members(())
#: Who is not deleted.
EVERYBODY = Members((EXISTS,))

#: After every chunk that there can be.
LAST_CHUNK = 2**31 - 1


@dataclass(frozen=True, slots=True)
class Chunks:
    """A run of chunks: from the first on, and before the end if there is one."""

    first: int = 0
    end: int | None = None


#: All contacts.
EVERYWHERE = Chunks()


@dataclass(frozen=True, slots=True)
class Query:
    """A statement of rows (chunk int, bits bit varying), the bits CHUNK_BITS long and never all zero."""

    sql: str
    args: tuple[object, ...]


def reads(expression: Expression) -> frozenset[int]:
    """The numbers of the sets that the expression depends on; FIELDS stands for the contact fields."""
    match expression:
        case Members(set_nos) | Answered(set_nos):
            return frozenset(set_nos)
        case Contacts() | Numbers():
            return frozenset()
        case Matching():
            return frozenset({FIELDS})
        case Marked():
            return frozenset({TRACKING})
        case Repeats(among):
            return reads(among) | {FIELDS}
        case Union(parts) | Intersection(parts):
            return frozenset().union(*map(reads, parts))
        case Difference(minuend, subtrahend):
            return reads(minuend) | reads(subtrahend)


def compile(  # noqa: A001 (it is what it does)
    expression: Expression, account_id: int, chunks: Chunks = EVERYWHERE
) -> Query:
    """The statement that selects the contacts of the expression in the account, those of some chunks only."""
    statement = _Statement(account_id, chunks)
    rows = statement.rows(simplify(expression))
    selected = f"select chunk, bits from ({rows}) as selected where bit_count(bits) > 0"
    return Query(statement.head() + selected, tuple(statement.args))


def simplify(expression: Expression) -> Expression:
    """The same contacts with less work: sets read together, fields tested in one scan, nobody left out."""
    match expression:
        case Members(set_nos):
            return Members(tuple(sorted(set(set_nos))))
        case Contacts(()) | Numbers(()):
            return NOBODY
        case Repeats(among):
            return _simple_repeats(simplify(among))
        case Union(parts):
            return _simple_union(list(_flat(Union, map(simplify, parts))))
        case Intersection(parts):
            return _simple_intersection(list(_flat(Intersection, map(simplify, parts))))
        case Difference(minuend, subtrahend):
            return _simple_difference(simplify(minuend), simplify(subtrahend))
        case _:
            return expression


def _flat(kind: type[Union] | type[Intersection], parts: Iterable[Expression]) -> Iterator[Expression]:
    """The parts in order, those of a part of the same kind instead of itself, each once."""
    seen: dict[Expression, None] = {}
    for part in parts:
        seen.update(dict.fromkeys(part.parts if isinstance(part, kind) else (part,)))
    return iter(seen)


def _simple_union(parts: Sequence[Expression]) -> Expression:
    set_nos = {set_no for part in parts if isinstance(part, Members) for set_no in part.set_nos}
    rest = _in_one_scan([part for part in parts if not isinstance(part, Members)], AnyOf)
    merged = [Members(tuple(sorted(set_nos))), *rest] if set_nos else rest
    if not merged:
        return NOBODY
    return merged[0] if len(merged) == 1 else Union(tuple(merged))


def _simple_intersection(parts: Sequence[Expression]) -> Expression:
    if NOBODY in parts:
        return NOBODY
    merged = _in_one_scan(parts, AllOf)
    return merged[0] if len(merged) == 1 else Intersection(tuple(merged))


def _in_one_scan(parts: Sequence[Expression], combined: type[AllOf] | type[AnyOf]) -> list[Expression]:
    """The parts with all that match a predicate made one, which comes last."""
    conditions = tuple(part.predicate for part in parts if isinstance(part, Matching))
    if len(conditions) < 2:
        return list(parts)
    return [*(part for part in parts if not isinstance(part, Matching)), Matching(combined(conditions))]


def _simple_difference(minuend: Expression, subtrahend: Expression) -> Expression:
    if NOBODY in (minuend, subtrahend):
        return minuend
    return Difference(minuend, subtrahend)


def _simple_repeats(among: Expression) -> Expression:
    return NOBODY if among == NOBODY else Repeats(among)


class _Statement:
    """A statement as it is being composed: its arguments, and the parts that have a name in it.

    Whatever takes more than reading sets is a part that is worked out once, however often it occurs and however the
    planner joins it: of an account that it knows nothing of it expects one row, and would work a part out again for
    each row of another. Twenty-five differences of two segments of 1 M contacts took minutes so; 8 s with parts.
    """

    def __init__(self, account_id: int, chunks: Chunks) -> None:
        self.args: list[object] = [account_id]
        self._chunks, self._contacts = ("", "") if chunks == EVERYWHERE else self._bounds(chunks)
        #: By expression, and the chunks that are read, its name and its query.
        self._parts: dict[tuple[Expression, str], tuple[str, str]] = {}

    def head(self) -> str:
        """The parts, each after those that it is made of."""
        parts = ", ".join(f"{name} as materialized ({rows})" for name, rows in self._parts.values())
        return f"with {parts} " if parts else ""

    def rows(self, expression: Expression) -> str:
        """A query of (chunk, bits), a row a chunk at most; the bits may be all zero."""
        match expression:
            case Members(set_nos):
                return self._members(set_nos)
            case Numbers(contact_nos):
                return self._bits(contact_nos)
            case Repeats(among):
                return self._repeats(among)
            case Union(parts):
                rows = " union all ".join(f"select chunk, bits from {self._part(part)} as part" for part in parts)
                return f"select chunk, bit_or(bits)::bit varying as bits from ({rows}) as part group by chunk"
            case Intersection(parts):
                return self._joined(parts)
            case Difference(minuend, subtrahend):
                tables = f"{self._part(minuend)} as m left join {self._part(subtrahend)} as s using (chunk)"
                return f"select chunk, coalesce(m.bits & ~s.bits, m.bits)::bit varying as bits from {tables}"
            case _:
                return self._scan(expression)

    def _members(self, set_nos: tuple[int, ...]) -> str:
        if len(set_nos) == 1:
            condition = f"set_no = {self._bind(set_nos[0])}::int{self._chunks}"
            return f"select chunk, bits from set_chunk where account_id = $1 and {condition}"
        condition = f"set_no = any({self._bind(set_nos)}::int[]){self._chunks}"
        return (
            "select chunk, bit_or(bits)::bit varying as bits from set_chunk"
            f" where account_id = $1 and {condition} group by chunk"
        )

    def _joined(self, parts: Sequence[Expression]) -> str:
        names = [f"p{number}" for number in range(len(parts))]
        bits = " & ".join(f"{name}.bits" for name in names)
        tables = [f"{self._part(part)} as {name}" for part, name in zip(parts, names, strict=True)]
        rows = f"{tables[0]} {' '.join(f'join {table} using (chunk)' for table in tables[1:])}"
        return f"select chunk, ({bits})::bit varying as bits from {rows}"

    def _bits(self, contact_nos: Iterable[int]) -> str:
        """The bits of these numbers, of which some may be those of no contact."""
        chunks = bits_of(number for number in contact_nos if 0 < number <= LARGEST_NUMBER)
        places, bits = self._bind(list(chunks)), self._bind(list(chunks.values()))
        rows = f"select unnest({places}::int[]) as chunk, unnest({bits}::bit varying[]) as bits"
        # No table, but $1 must have a type.
        return f"select chunk, bits from ({rows}) as numbers where $1::bigint is not null{self._chunks}"

    def _part(self, expression: Expression) -> str:
        """What to select from for a part of another expression."""
        if isinstance(expression, Members):
            return f"({self.rows(expression)})"
        key = expression, self._chunks
        if key not in self._parts:
            rows = self.rows(expression)
            self._parts[key] = f"part{len(self._parts)}", rows
        return self._parts[key][0]

    def _whole(self, expression: Expression) -> str:
        """The same for a part of which all chunks are needed, whichever are asked for."""
        chunks, self._chunks, contacts, self._contacts = self._chunks, "", self._contacts, ""
        part = self._part(expression)
        self._chunks, self._contacts = chunks, contacts
        return part

    def _repeats(self, among: Expression) -> str:
        """An address that is not the only one is rare: those are looked for first."""
        shared = "select email_key from contact where account_id = $1 and email_ordinal > 0"
        holders = (
            "select email_key, contact_no, row_number() over (partition by email_key order by contact_no) as place from"
            f" (select email_key, contact_no from contact where account_id = $1 and email_key in ({shared})) as holder"
            f" join {self._whole(among)} as part on part.chunk = contact_no / {CHUNK_BITS}"
            f" and get_bit(part.bits, (contact_no % {CHUNK_BITS})::int) = 1"
        )
        return self._chunks_of(f"from ({holders}) as holder where place > 1{self._contacts}")

    def _scan(self, expression: Contacts | Matching | Marked | Answered) -> str:
        """The contacts whose rows meet a condition."""
        table, condition = self._condition(expression)
        return self._chunks_of(f"from {table} where account_id = $1{self._contacts} and ({condition})")

    def _condition(self, expression: Contacts | Matching | Marked | Answered) -> tuple[str, str]:
        """The table to scan, and for what."""
        match expression:
            case Contacts(contact_ids):
                return "contact", f"contact.contact_id = any({self._bind(contact_ids)}::uuid[])"
            case Matching(predicate):
                return "contact", predicate.sql(self._bind)
            case Marked(kind, set_no, since, until):
                times = (
                    f"marked_at >= coalesce({self._bind(since)}::timestamptz, '-infinity')"
                    f" and marked_at < coalesce({self._bind(until)}::timestamptz, 'infinity')"
                )
                marks = f"kind = {self._bind(kind)}::text and set_no = {self._bind(set_no)}::int"
                return "mark", f"{marks} and {times}"
            case Answered(set_nos, answer):
                return "response", f"set_no = any({self._bind(set_nos)}::int[]) and answer = {self._bind(answer)}::text"

    @staticmethod
    def _chunks_of(rows: str) -> str:
        """The contacts of rows: one cheap step a row makes words, which are joined."""
        words = (
            f"select contact_no / {WORD_BITS} as place,"
            f" bit_or(1::bigint << ({WORD_BITS - 1} - contact_no % {WORD_BITS})::int)::bit({WORD_BITS}) as bits"
            f" {rows} group by 1"
        )
        chunks = _joined_bits(_joined_bits(words, WORD_BITS, PART_BITS), PART_BITS, CHUNK_BITS)
        return f"select place::int as chunk, bits::bit varying from ({chunks}) as chunks"

    def _bounds(self, chunks: Chunks) -> tuple[str, str]:
        """The conditions on which chunks and which contacts are read at all."""
        first, end = self._bind(chunks.first), self._bind(LAST_CHUNK if chunks.end is None else chunks.end)
        numbers = f"contact_no >= {first}::bigint * {CHUNK_BITS} and contact_no < {end}::bigint * {CHUNK_BITS}"
        return f" and chunk >= {first}::int and chunk < {end}::int", f" and {numbers}"

    def _bind(self, value: object) -> str:
        self.args.append(value)
        return f"${len(self.args)}"


def _joined_bits(pieces: str, narrow: int, wide: int) -> str:
    """Joins pieces (place, bits) of `narrow` bits, missing where they would be zero, to `wide` ones."""
    ratio = wide // narrow
    bits = f"bit_or(bits::bit({wide}) >> (place % {ratio} * {narrow})::int)"
    return f"select place / {ratio} as place, {bits} as bits from ({pieces}) as pieces group by 1"
