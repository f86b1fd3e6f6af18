"""The file of an export under way: line ends, and going on after an earlier claim."""

import csv
import io
import zlib
from pathlib import Path
from uuid import UUID, uuid4

import pytest
from hypothesis import given
from hypothesis import strategies as st

from engine.exports import part
from engine.exports.part import NOTHING, Written

ID = UUID("5bfc5dc9-efa3-497d-b36b-378d88797ebb")
CELLS = st.lists(
    st.lists(st.text(alphabet='ab",\r\n é😀'), min_size=2, max_size=2).filter(any), min_size=1, max_size=20
)


async def made(folder: Path, fence: int, *pieces: bytes) -> Written:
    """What one claim leaves when it writes these pieces, each a batch."""
    async with part.opened(folder, ID, fence) as file:
        for piece in pieces:
            await file.write(piece)
            await file.written()
        return await file.written()


def names(folder: Path) -> set[str]:
    return {path.name for path in folder.iterdir()}


async def finished(folder: Path, written: Written) -> bytes:
    """The export when a claim takes over from `written` and has nothing to add."""
    async with part.opened(folder, ID, 9) as file:
        copied = file.copy(folder, written)
        assert (copied.size, copied.checksum) == (written.size, written.checksum)
        file.finish(folder, ID)
    return part.path_of(folder, ID).read_bytes()


@given(rows=CELLS, cut=st.integers(1, 40))
async def test_line_ends_are_those_of_the_rfc_and_cells_stay_as_they_are(
    tmp_path_factory: pytest.TempPathFactory, rows: list[list[str]], cut: int
) -> None:
    """Contract 3.15: RFC 4180, whatever pieces the rows come in."""
    text = io.StringIO()
    csv.writer(text, lineterminator="\n", quoting=csv.QUOTE_ALL).writerows(rows)
    data, folder = text.getvalue().encode(), tmp_path_factory.mktemp("exports")
    async with part.opened(folder, ID, 1) as file:
        for start in range(0, len(data), cut):
            await file.write(data[start : start + cut])
            await file.written()
    expected = io.StringIO()
    csv.writer(expected, lineterminator="\r\n", quoting=csv.QUOTE_ALL).writerows(rows)
    assert (folder / f"{ID}.1.part").read_bytes() == expected.getvalue().encode()


async def test_what_is_written_is_told_with_its_checksum(tmp_path: Path) -> None:
    written = await made(tmp_path, 1, b"a\n", b"b\n")
    assert written == Written(f"{ID}.1.part", 6, zlib.crc32(b"a\r\nb\r\n"))


async def test_a_successor_goes_on_after_what_is_committed(tmp_path: Path) -> None:
    """What came after it, and was not committed, is not taken over."""
    written = await made(tmp_path, 1, b"a\n")
    with (tmp_path / written.file).open("ab") as predecessor:
        predecessor.write(b"never committed")
    async with part.opened(tmp_path, ID, 2) as file:
        copied = file.copy(tmp_path, written)
        assert copied == Written(f"{ID}.2.part", written.size, written.checksum)
        await file.write(b"b\n")
        await file.written()
        file.finish(tmp_path, ID)
    assert part.path_of(tmp_path, ID).read_bytes() == b"a\r\nb\r\n"
    assert names(tmp_path) == {f"{ID}.csv"}


async def test_a_predecessor_that_wakes_up_damages_nothing(tmp_path: Path) -> None:
    """It still has its own file open, which has gone, and writes on."""
    async with part.opened(tmp_path, ID, 1) as predecessor:
        await predecessor.write(b"a\n")
        committed = await predecessor.written()
        assert await finished(tmp_path, committed) == b"a\r\n"
        await predecessor.write(b"too late\n")
        await predecessor.written()
    assert part.path_of(tmp_path, ID).read_bytes() == b"a\r\n"


async def test_the_file_of_one_that_died_after_renaming_it_is_found(tmp_path: Path) -> None:
    written = await made(tmp_path, 1, b"a\n")
    (tmp_path / written.file).rename(part.path_of(tmp_path, ID))
    assert await finished(tmp_path, written) == b"a\r\n"


@pytest.mark.parametrize("damage", ["gone", "short", "zeros"])
async def test_what_a_crash_has_damaged_is_made_anew(tmp_path: Path, damage: str) -> None:
    """A machine that fails loses what was not made sure of: the file is missing, too short, or holds zeros."""
    written = await made(tmp_path, 1, b"row one\n", b"row two\n")
    path = tmp_path / written.file
    if damage == "gone":
        path.unlink()
    else:
        path.write_bytes(path.read_bytes()[:-4] + (b"" if damage == "short" else bytes(4)))
    async with part.opened(tmp_path, ID, 2) as file:
        assert file.copy(tmp_path, written) == NOTHING
        await file.write(b"anew\n")
        assert (await file.written()).size == 6
    assert (tmp_path / f"{ID}.2.part").read_bytes() == b"anew\r\n"


def test_parts_of_other_claims_go_and_other_activities_stay(tmp_path: Path) -> None:
    other = uuid4()
    for name in (f"{ID}.1.part", f"{ID}.2.part", f"{ID}.3.part", f"{other}.1.part"):
        (tmp_path / name).touch()
    part.discard_parts(tmp_path, ID, kept=(f"{ID}.2.part", f"{ID}.3.part"))
    assert names(tmp_path) == {f"{ID}.2.part", f"{ID}.3.part", f"{other}.1.part"}
