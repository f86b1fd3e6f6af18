"""The lines of a file on disk, one at a time as text, from any position on.

A record is the run of lines that its reader takes for one row: one line, or more when a quoted cell holds
line breaks. No more than a record and a block are held, also when a line or a quote has no end.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import BinaryIO, NoReturn, Self

from engine.imports.problems import Code, Problem, Unreadable

BLOCK_BYTES = 1 << 16
#: A record, and so a line, of more bytes is refused.
RECORD_BYTES = 1 << 20

_ENDINGS = (b"\n", b"\r")


@dataclass(frozen=True, slots=True)
class Position:
    """How far a file has been read. `dataclasses.asdict` makes it JSON, `Position(**…)` reads that again.

    offset: bytes; line: lines before it; rows: rows before it (without header and blank lines);
    damaged_until: before this line no record may go on to the next line, since a stray quote ran over these.
    """

    offset: int = 0
    line: int = 0
    rows: int = 0
    damaged_until: int = 0


class Lines(Iterator[str]):
    """Lines with their endings (LF, CRLF or CR), and the place in the file, exact between two records."""

    def __init__(self, file: BinaryIO, position: Position) -> None:
        file.seek(position.offset)
        self._raw = _raw_lines(file)
        self._again: list[bytes] = []  # to be read once more, the next one last
        self._record: list[bytes] = []
        self._record_bytes = 0
        self._damaged_until = position.damaged_until
        self.offset = position.offset
        self.number = position.line
        #: Rows before this place; whoever makes rows of lines counts them.
        self.rows = position.rows
        #: What is wrong with the characters of this record.
        self.flaw: Problem | None = None

    def begin(self) -> int:
        """Begin a record; the number of its first line."""
        self._record.clear()
        self._record_bytes = 0
        self.flaw = None
        return self.number + 1

    def __iter__(self) -> Self:
        return self

    def __next__(self) -> str:
        """The next line of this record.

        Raises Unreadable when the record goes on past the end of the file, its largest size, or the damage.
        """
        if self._record and self.number < self._damaged_until:
            raise _unclosed_quote()
        raw = self._again.pop() if self._again else next(self._raw, b"")
        if not raw:
            self._end()
        self._record_bytes += len(raw)
        if self._record_bytes > RECORD_BYTES:
            self._refuse(raw)
        self._record.append(raw)
        self.offset += len(raw)
        self.number += 1
        return self._text(raw)

    def keep_first(self) -> None:
        """Give all but the first line of this record back: a stray quote must not swallow the rows after it.

        Of these lines only the last may be followed by others in one record, so that no line is read more
        than three times, however many quotes are astray.
        """
        swallowed = self._record[1:]
        if swallowed:
            self._damaged_until = self.number
            self._again.extend(reversed(swallowed))
            self.offset -= sum(map(len, swallowed))
            self.number -= len(swallowed)

    def is_blank(self) -> bool:
        return not any(map(bytes.strip, self._record))

    def position(self) -> Position:
        return Position(self.offset, self.number, self.rows, self._damaged_until)

    def _text(self, raw: bytes) -> str:
        try:
            text = raw.decode()
        except UnicodeDecodeError:
            self.flaw = Problem(Code.NOT_UTF8, "not all of it is UTF-8; use UTF-8 throughout")
            return raw.decode(errors="replace")
        if "\0" in text:
            self.flaw = Problem(Code.NUL_CHARACTER, "it holds a NUL character; remove it")
        return text

    def _end(self) -> NoReturn:
        if self._record:
            raise _unclosed_quote()
        raise StopIteration

    def _refuse(self, raw: bytes) -> NoReturn:
        if self._record:
            self._again.append(raw)  # it may well be a record of its own
        else:
            self._pass_over(raw)
        raise Unreadable(Code.TOO_LARGE, f"it is larger than {RECORD_BYTES:,} bytes; is a quote or line break missing?")

    def _pass_over(self, raw: bytes) -> None:
        self.number += 1
        self.offset += len(raw)
        while raw and not raw.endswith(_ENDINGS):
            raw = next(self._raw, b"")
            self.offset += len(raw)


def _raw_lines(file: BinaryIO) -> Iterator[bytes]:
    """Lines with their endings; one much longer than a record in pieces, only the last with an ending."""
    held = b""
    while block := file.read(BLOCK_BYTES):
        lines = (held + block).splitlines(keepends=True)
        held = lines.pop()  # unfinished, or its CR may have its LF in the next block
        yield from lines
        if len(held) > RECORD_BYTES and not held.endswith(b"\r"):
            yield held
            held = b""
    if held:
        yield held


def _unclosed_quote() -> Unreadable:
    return Unreadable(Code.UNCLOSED_QUOTE, 'a quote opens a cell and nothing closes it; write "" for a quote in a cell')
