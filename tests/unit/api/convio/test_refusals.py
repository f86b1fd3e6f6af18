"""What errors are on the wire (contract convio.md 7, 10)."""

import pytest

from api.convio import refusals
from api.convio.refusals import code_of, status_of, words_of
from engine import errors
from engine.errors import MusterError
from tests.unit.api import every_error

#: By the code of the error: of the front, the engine and the dialect; all others are 1.
CONTRACT = {
    "wrong_api_key": 2,
    "not_logged_in": 3,
    "unauthorized": 3,
    "wrong_network": 4,
    "token_needed": 5,
    "no_such_method": 6,
    "wrong_token": 7,
    "parameter_missing": 9,
    "invalid_listing": 50,
    "method_not_allowed": 405,
    "email_taken": 901,
    "invalid": 902,
    "body_too_long": 902,
    "constituent_needed": 903,
    "forbidden": 904,
    "name_taken": 905,
    "not_found": 906,
    "unknown_target": 906,
}
KNOWN = every_error.of_dialect(refusals)


@pytest.mark.parametrize("error", KNOWN, ids=lambda error: error.__name__)
def test_every_error_has_its_code(error: type[MusterError]) -> None:
    """Contract 7, 10: whatever has no code of its own is 1, and nothing is 500."""
    code = code_of(error("words"))
    assert code == CONTRACT.get(error.code, 1)
    assert status_of(code) == (405 if code == 405 else 403)


def test_only_what_there_is_has_a_code() -> None:
    """Contract 7."""
    assert set(CONTRACT) == set(refusals.CODES) == {error.code for error in KNOWN} & set(CONTRACT)


def test_words() -> None:
    """Contract 7, 10: nobody is told of lists or public ids."""
    assert words_of(errors.NameTaken("another list of this account is named 'x'")) == (
        "There is a group with this name already."
    )
    assert words_of(errors.EmailTaken("contact 7 has the e-mail address already")) == (
        "The e-mail address is already in use."
    )
    assert words_of(errors.UnknownTarget("there is no list 7")) == "The group was not found."
    assert words_of(errors.Invalid("group_id is required.")) == "group_id is required."
