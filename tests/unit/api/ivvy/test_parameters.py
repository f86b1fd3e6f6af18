"""Parameters, pages and refusals (contract ivvy.md 3 and 4)."""

from collections.abc import Callable

import pytest

import api.errors  # noqa: F401 (its errors are part of the tree)
from api.ivvy.paging import Page, page_of
from api.ivvy.parameters import Parameters, parameters_of
from api.ivvy.refusals import ERROR_CODES, Refused, error_object
from engine.errors import MusterError
from tests.unit.api import every_error


def refusal(call: Callable[[], object]) -> dict[str, object]:
    with pytest.raises(Refused) as refused:
        call()
    return error_object(refused.value)


def test_the_first_parameter_that_is_missing_is_told() -> None:
    """Contract ivvy.md 4: 23017."""
    params = Parameters({"event": None})
    told = refusal(lambda: params.require("event", "contacts"))
    assert told == {"errorCode": 400, "message": "'event' is required", "specificCode": 23017}


def test_a_parameter_that_does_not_validate() -> None:
    """Contract ivvy.md 4: the error object of its example."""
    assert refusal(lambda: Parameters({"event": "x"}).integer("event")) == {
        "errorCode": 400,
        "message": "'event' does not validate",
        "specificCode": 23016,
        "additionalMessages": ["Value must be a whole number"],
    }


@pytest.mark.parametrize("value", ["x", "", "1.5", 1.5, 1.0, True, {}, [], "٣", "1" * 20, 2**63, -(2**63)])
def test_what_is_no_whole_number(value: object) -> None:
    """Contract ivvy.md 3, ids."""
    told = refusal(lambda: Parameters({"contacts": [1, value]}).integers("contacts", 1000))
    assert told["specificCode"] == 23016


def test_digits_are_whole_numbers_too() -> None:
    """Contract ivvy.md 3: ids come as strings from the SDK; 6: id ≤ 0 is a valid integer."""
    assert Parameters({"contacts": ["3", 2, "-1", 0]}).integers("contacts", 4) == (3, 2, -1, 0)


def test_more_elements_than_may_be() -> None:
    """Contract ivvy.md 6: an additional message tells the limit."""
    told = refusal(lambda: Parameters({"contacts": [1] * 1001}).integers("contacts", 1000))
    assert told["additionalMessages"] == ["Value must have at most 1,000 elements"]


@pytest.mark.parametrize("value", [1, "a\0b", ["a"], "x" * 81])
def test_what_is_no_text(value: object) -> None:
    """Contract ivvy.md 4: 23016."""
    assert refusal(lambda: Parameters({"phone": value}).text("phone", 80))["specificCode"] == 23016


def test_an_object_without_members_as_php_writes_it() -> None:
    """Contract ivvy.md 3, Filter: an object."""
    assert Parameters({"filter": []}).object("filter") == {}
    assert refusal(lambda: Parameters({"filter": [1]}).object("filter"))["specificCode"] == 23016


@pytest.mark.parametrize("body", [b"", b"{}"])
def test_a_body_may_be_empty(body: bytes) -> None:
    """Contract ivvy.md 1."""
    assert parameters_of(body).given == {}


@pytest.mark.parametrize(
    "body",
    [b"[]", b"1", b"null", b"{", b'{"a":NaN}', b"[" * 100_000, b'{"a":"\\ud800"}', b"\xff", b"1" * 5000, b"{'a':1}"],
)
def test_a_body_that_is_no_object(body: bytes) -> None:
    """Contract ivvy.md 2.2, 10."""
    assert refusal(lambda: parameters_of(body))["errorCode"] == 400


@pytest.mark.parametrize(
    ("given", "page"),
    [
        ({}, Page(0, 50)),
        ({"start": 7, "perPage": "20"}, Page(7, 20)),
        ({"perPage": 0}, Page(0, 0)),
        ({"perPage": 500}, Page(0, 500)),
        ({"perPage": 501}, Page(0, 500)),
        ({"perPage": 2**62, "start": "0"}, Page(0, 500)),
    ],
)
def test_pages(given: dict[str, object], page: Page) -> None:
    """Contract ivvy.md 3: paging, its defaults and its cap."""
    assert page_of(Parameters(given)) == page


@pytest.mark.parametrize("name", ["start", "perPage"])
@pytest.mark.parametrize("value", [-1, 1.5, "x", [], True])
def test_bad_pages(name: str, value: object) -> None:
    """Contract ivvy.md 3: bad paging."""
    told = refusal(lambda: page_of(Parameters({name: value})))
    assert (told["message"], told["specificCode"]) == (f"'{name}' does not validate", 23016)


def test_a_collection() -> None:
    """Contract ivvy.md 3."""
    meta = {"totalResults": 9, "start": 7, "perPage": 20, "count": 2}
    assert Page(7, 20).collection(9, [1, 2]) == {"meta": meta, "results": [1, 2]}


#: Faults of Muster's own, and what no call of this dialect can raise.
INTERNAL = {"error", "lease_lost", "unexpected", "unusable", "database_unusable"}
NEVER = {"invalid_segment", "invalid_import", "already_final", "not_final", "range_not_satisfiable"}


@pytest.mark.parametrize("kind", list(every_error.errors()), ids=lambda kind: kind.__name__)
def test_every_error_has_its_code(kind: type[MusterError]) -> None:
    """Contract ivvy.md 4: errorCode; members that say nothing are left out."""
    assert (kind.code in ERROR_CODES) != (kind.code in INTERNAL | NEVER), "say in refusals.py what it is on the wire"
    expected = ERROR_CODES.get(kind.code, 500)
    assert error_object(kind("the message")) == {"errorCode": expected, "message": "the message"}
