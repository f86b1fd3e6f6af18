"""Bodies of JSON imports (contract v3.md 3.9): read piece by piece, as if they had been read at once."""

import io
import json
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from engine.errors import InvalidImport
from engine.imports import json_body
from engine.imports.json_body import Survey, rows, survey
from engine.imports.lines import RECORD_BYTES

WANTED = frozenset({"import_data", "list_ids"})


@pytest.fixture(autouse=True, params=[1, 7, 1 << 16])
def _block_bytes(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> None:
    """Wherever a block ends, it is the same."""
    monkeypatch.setattr(json_body, "BLOCK_BYTES", request.param)
    monkeypatch.setattr(json_body, "RECORD_BYTES", RECORD_BYTES // 100)


def surveyed(body: bytes | str, most_bytes: int | None = None) -> Survey:
    return survey(io.BytesIO(body if isinstance(body, bytes) else body.encode()), WANTED, most_bytes)


def refused(body: bytes | str, most_bytes: int | None = None) -> str:
    with pytest.raises(InvalidImport) as caught:
        surveyed(body, most_bytes)
    return caught.value.message


def test_members_in_any_order() -> None:
    row: dict[str, Any] = {"email": "kim@example.org", "First_name": "Kïm 🙂", "x": [{}, None, -1.5e3, True]}
    for names in (("import_data", "list_ids", "other"), ("other", "list_ids", "import_data")):
        members = {"import_data": [row, {"first_name": 0}], "list_ids": ["x"], "other": {"import_data": [[]]}}
        body = json.dumps({name: members[name] for name in names}, ensure_ascii=False, indent=1).encode()
        body = body.replace(b": 0", b": 1" + b"0" * 5000)
        found = surveyed(body)
        assert (found.members, found.rows) == ({"import_data": [{}], "list_ids": ["x"]}, 2)
        assert (found.names, found.left_out) == (("email", "First_name", "x"), False)
        assert list(rows(io.BytesIO(body), 2)) == [row, {"first_name": "1" + "0" * 5000}]
        assert list(rows(io.BytesIO(body), 1)) == [row]


@pytest.mark.parametrize(
    ("body", "members"),
    [
        ("{}", {}),
        (' {"import_data" : [ ] } \n', {"import_data": []}),
        ('{"import_data": null}', {"import_data": None}),
        ('{"import_data": "[{}]"}', {"import_data": "[{}]"}),
        ('{"import_data": {"0": {}}}', {"import_data": {"0": {}}}),
        ('{"list_ids": 12, "list_ids": 13}', {"list_ids": "13"}),
    ],
)
def test_what_is_no_array_of_rows_is_left_to_the_model(body: str, members: dict[str, Any]) -> None:
    assert surveyed(body) == Survey(members, 0, (), left_out=False)


@pytest.mark.parametrize(
    ("body", "problem"),
    [
        ("", "{ is expected at byte 0"),
        ("[]", "{ is expected at byte 0"),
        ("null", "{ is expected at byte 0"),
        ("\ufeff{}", "{ is expected at byte 0"),
        ("{", "a name in quotes is expected at byte 1"),
        ("{a: 1}", "a name in quotes is expected at byte 1"),
        ('{"a"', ": is expected at byte 4"),
        ('{"a": }', "Expecting value at byte 6"),
        ('{"a": 1', "} is expected at byte 7"),
        ('{"a": 1,}', "a name in quotes is expected at byte 8"),
        ('{"a": 1} x', "there is more after its end at byte 9"),
        ('{"é": tru}', "Expecting value at byte 7"),
        ('{"a": "x', "Unterminated string starting at at byte 6"),
        ('{"a": "\\u12"}', "Invalid \\uXXXX escape at byte"),
        ('{"a": "\n"}', "Invalid control character at at byte 7"),
        ('{"import_data": [{}', "] is expected at byte 19"),
        ('{"import_data": [{},]}', "Expecting value at byte 20"),
        ('{"import_data": [{"a" 1}]}', "Expecting ':' delimiter at byte 22"),
        (b'{"import_data": [{"email": "\xff"}]}', "it is not UTF-8 at byte 28"),
        (b'{"a": 1} \xc3', "it is not UTF-8 at byte 9"),
    ],
)
def test_what_is_no_json_is_told_where(body: bytes | str, problem: str) -> None:
    """Contract v3.md 3.9 and 1.8: 400."""
    assert refused(body).startswith(f"body is not valid JSON: {problem}")
    assert refused(body, 1000) == refused(body)


@pytest.mark.parametrize("row", ["1", "null", "[]", '"x"', "true"])
def test_a_row_is_an_object(row: str) -> None:
    message = "import_data[1] does not have a valid value: it must be an object"
    assert refused('{"import_data": [{}, ' + row + "]}") == message


def test_hostile_bodies() -> None:
    """No value is without end, nesting is no trouble, and rows come once."""
    assert "nested too deeply" in refused('{"a": ' + "[" * 9_000)
    assert "has a value of more than" in refused('{"a": "' + "x" * 5_000_000)
    assert "has a value of more than" in refused('{"import_data": [{"a": [' + "0," * 2_000_000)
    assert "different names" in refused('{"import_data": [' + ",".join(f'{{"{n}": 1}}' for n in range(9_000)))
    assert refused('{"import_data": [], "import_data": [{}]}') == "import_data is given twice"


class TestCut:
    """Contract v3.md 3.9: rows complete within the first bytes are imported, the rest is dropped."""

    BODY = '{"import_data": [{"n": "é"}, {"n": 2}, {"n": 3}], "list_ids": ["x"]}'

    @pytest.mark.parametrize(("most_bytes", "count"), [(27, 0), (28, 1), (37, 1), (38, 2), (47, 2), (48, 3), (1000, 3)])
    def test_rows_that_are_not_complete_do_not_count(self, most_bytes: int, count: int) -> None:
        found = surveyed(self.BODY, most_bytes)
        assert (found.rows, found.left_out) == (count, count < 3)
        assert found.members == {"import_data": [{}] if count else [], "list_ids": ["x"]}

    def test_what_comes_after_is_not_looked_at(self) -> None:
        for rest in ("{", '{"n": }', "]]", "", '{"n": "\n"}'):
            found = surveyed(self.BODY[:37] + "," + rest, 38)
            assert (found.rows, found.left_out, found.members) == (2, True, {"import_data": [{}]})

    def test_names_of_rows_that_do_not_count_are_none(self) -> None:
        assert surveyed('{"import_data": [{"a": 1}, {"b": 1}]}', 30).names == ("a",)


values = st.recursive(
    st.none() | st.booleans() | st.floats(allow_nan=False, allow_infinity=False) | st.text(max_size=9),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=4), inner, max_size=3),
    max_leaves=6,
)


@given(
    given_rows=st.lists(st.dictionaries(st.text(max_size=5), values, max_size=4), max_size=6),
    list_ids=values,
    indent=st.sampled_from([None, 1]),
    ascii_=st.booleans(),
)
def test_random_bodies_are_read_as_if_at_once(
    given_rows: list[dict[str, Any]], list_ids: Any, indent: int | None, ascii_: bool
) -> None:
    text = json.dumps({"import_data": given_rows, "list_ids": list_ids}, indent=indent, ensure_ascii=ascii_)
    body = text.encode()
    found = surveyed(body)
    assert found.rows == len(given_rows)
    assert found.members == {"import_data": [{}] if given_rows else [], "list_ids": list_ids}
    assert list(rows(io.BytesIO(body), found.rows)) == given_rows


@given(body=st.binary(max_size=60) | st.text('{}[]",:01ntx \\', max_size=40).map(str.encode))
def test_any_bytes_are_read_or_refused(body: bytes) -> None:
    try:
        found = surveyed(body)
    except InvalidImport:
        return
    assert isinstance(json.loads(body), dict)
    assert found.rows == len(list(rows(io.BytesIO(body), found.rows)))
