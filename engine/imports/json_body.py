"""The body of a JSON import (contract v3.md 3.9) as it lies on the disk: its rows one by one, and its other members.

The body is never held as a whole, nor are its rows. It is read twice: `survey` finds what is wrong with it and how many
rows count, `rows` gives these.
"""

import codecs
import json
import re
from collections.abc import Iterator
from dataclasses import dataclass
from itertools import islice
from typing import Any, BinaryIO, NoReturn

from engine.errors import InvalidImport
from engine.imports.columns import heading_key
from engine.imports.lines import BLOCK_BYTES, RECORD_BYTES

#: The member that holds the rows.
ROWS = "import_data"
#: What goes wrong nearer to the end than this may only be cut: a literal, an escape, a number's exponent.
LONGEST_MARK = 16

_NUMBER = frozenset("-0123456789")
_BLANKS = re.compile(r"[ \t\n\r]*")


@dataclass(frozen=True, slots=True)
class Survey:
    """What a body holds: the members that are wanted, how many rows count, and the names that these use.

    members: of the rows, if they are an array, only whether any counts. left_out: whether there is more than counts.
    """

    members: dict[str, Any]
    rows: int
    names: tuple[str, ...]
    left_out: bool


class Malformed(Exception):
    """It is no JSON from this byte on."""

    def __init__(self, byte: int, problem: str) -> None:
        super().__init__(f"body is not valid JSON: {problem} at byte {byte:,}")
        self.byte = byte


def survey(file: BinaryIO, wanted: frozenset[str], most_bytes: int | None = None) -> Survey:
    """Reads the body through. Rows that end after the first `most_bytes` do not count; the members after them do.

    Raises InvalidImport when it is no JSON object within them, or a row that counts is no object.
    """
    found = _Found(wanted, most_bytes)
    text = _Text(file)
    try:
        for name in text.members():
            found.read(name, text)
    except Malformed as error:
        if found.counts(error.byte):
            raise InvalidImport(str(error)) from None
        found.left_out = True
    return Survey(found.members, found.rows, tuple(found.names.values()), found.left_out)


def rows(file: BinaryIO, count: int) -> Iterator[dict[str, Any]]:
    """The first rows of a body that was surveyed."""
    text = _Text(file)
    for name in text.members():
        if name == ROWS:
            yield from islice(text.items(), count)
            return
        text.value()


class _Found:
    """What a survey has found so far."""

    def __init__(self, wanted: frozenset[str], most_bytes: int | None) -> None:
        self._wanted = wanted
        self._most_bytes = most_bytes
        self.members: dict[str, Any] = {}
        self.rows = 0
        #: By the key that columns are compared by.
        self.names: dict[str, str] = {}
        self._name_bytes = 0
        self.left_out = False

    def counts(self, byte: int) -> bool:
        return self._most_bytes is None or byte <= self._most_bytes

    def read(self, name: str, text: "_Text") -> None:
        """Takes the value of a member. Of one that is given twice the last counts, but rows are given once."""
        if name != ROWS or text.next() != "[":
            value = text.value()
            if name in self._wanted:
                self.members[name] = value
            return
        if ROWS in self.members:
            raise InvalidImport(f"{ROWS} is given twice")
        self.members[ROWS] = []
        for row in text.items():
            self._take(row, text.offset)

    def _take(self, row: object, end: int) -> None:
        if not self.counts(end):
            self.left_out = True
            return
        if not isinstance(row, dict):
            raise InvalidImport(f"{ROWS}[{self.rows}] does not have a valid value: it must be an object")
        self.members[ROWS] = [{}]
        self.rows += 1
        for name in row:
            self._name(name)

    def _name(self, name: str) -> None:
        key = heading_key(name)
        if key not in self.names:
            self._name_bytes += len(name)
            if self._name_bytes > RECORD_BYTES:
                raise InvalidImport(f"the rows of {ROWS} use {len(self.names):,} different names and more")
            self.names[key] = name


class _Text:
    """JSON text read block by block: no more of it is held than a value and a block."""

    def __init__(self, file: BinaryIO) -> None:
        file.seek(0)
        self._file = file
        self._decoder = codecs.getincrementaldecoder("utf-8")()
        # Whole numbers stay as they are written: they become text anyway, and reading a very long one takes long.
        self._read = json.JSONDecoder(parse_int=str).raw_decode
        self._text = ""
        self._at = 0
        self._ended = False
        #: Why it ends before the file does.
        self._flaw: Malformed | None = None
        #: Bytes of the file before the place that was read up to.
        self.offset = 0

    def members(self) -> Iterator[str]:
        """The names of the object that is all of the text; the value of each is read before the next is asked for."""
        self._expect("{")
        if self.next() != "}":
            yield self._name()
            while self.next() == ",":
                self._pass(1)
                yield self._name()
        self._expect("}")
        if self.next() or self._flaw:
            self._refuse("there is more after its end")

    def items(self) -> Iterator[Any]:
        """The items of an array."""
        self._expect("[")
        if self.next() != "]":
            yield self.value()
            while self.next() == ",":
                self._pass(1)
                yield self.value()
        self._expect("]")

    def value(self) -> Any:
        """Any value."""
        self.next()
        while True:
            try:
                value, end = self._read(self._text, self._at)
            except json.JSONDecodeError as error:
                self._want_more(error)
                continue
            except RecursionError:
                self._refuse("it is nested too deeply")
            if self._ended or self._text[self._at] not in _NUMBER or len(self._text) - end >= LONGEST_MARK:
                self._pass(end - self._at)
                return value
            self._more()  # the number may go on

    def next(self) -> str:
        """The next character that is no blank, "" at the end."""
        while True:
            blanks = _BLANKS.match(self._text, self._at)
            assert blanks is not None
            self._pass(blanks.end() - self._at)
            if self._at < len(self._text) or self._ended:
                return self._text[self._at : self._at + 1]
            self._more()

    def _name(self) -> str:
        if self.next() != '"':
            self._refuse("a name in quotes is expected")
        name = self.value()
        self._expect(":")
        return str(name)

    def _expect(self, mark: str) -> None:
        if self.next() != mark:
            self._refuse(f"{mark} is expected")
        self._pass(1)

    def _pass(self, characters: int) -> None:
        passed = self._text[self._at : self._at + characters]
        self.offset += len(passed) if passed.isascii() else len(passed.encode(errors="surrogatepass"))
        self._at += characters

    def _want_more(self, error: json.JSONDecodeError) -> None:
        """What cannot be read may only not be there yet: then it goes wrong at the end, or in a string without one."""
        at_end = len(self._text) - error.pos < LONGEST_MARK or error.msg.startswith("Unterminated string")
        if self._ended or not at_end:
            self._pass(error.pos - self._at)
            self._refuse(error.msg)
        if len(self._text) - self._at > RECORD_BYTES:
            raise InvalidImport(f"body has a value of more than {RECORD_BYTES:,} bytes at byte {self.offset:,}")
        self._more()

    def _more(self) -> None:
        """Reads a block, or as much again as is held, so that a value is not looked at too often."""
        block = self._file.read(max(BLOCK_BYTES, len(self._text) - self._at))
        self._ended = not block
        self._text = self._text[self._at :] + self._decoded(block)
        self._at = 0

    def _decoded(self, block: bytes) -> str:
        kept, _ = self._decoder.getstate()
        try:
            return self._decoder.decode(block, final=self._ended)
        except UnicodeDecodeError as error:
            self._ended = True
            self._flaw = Malformed(self._file.tell() - len(block) - len(kept) + error.start, "it is not UTF-8")
            return (kept + block)[: error.start].decode()

    def _refuse(self, problem: str) -> NoReturn:
        raise self._flaw or Malformed(self.offset, problem)
