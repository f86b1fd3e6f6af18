"""What errors are on the wire (contract greenrope.md 8)."""

import pytest

from api.greenrope import refusals
from api.greenrope.refusals import refusal
from api.xml import BadXml
from engine.errors import MusterError
from tests.unit.api import every_error

#: By the number of the contract the codes of errors; all others are 1099.
CONTRACT = {
    1001: {"unauthorized"},
    1002: {"already_there", "name_taken", "email_taken"},
    1003: {"invalid"},
    1004: {"unknown_group", "unknown_target"},
    1005: {"unknown_company"},
    1006: {"unknown_contact", "not_found"},
    1007: {"forbidden"},
    1008: {"unknown_field"},
    1009: {"value_not_allowed"},
    1010: {"unknown_workflow"},
    1011: {"bad_xml", "body_too_long"},
    1012: {"several_contacts"},
    1013: {"bad_email"},
    1014: {"stale_write"},
    1015: {"unknown_function"},
}


@pytest.mark.parametrize("error", [*every_error.of_dialect(refusals), BadXml], ids=lambda error: error.__name__)
def test_every_error_has_its_number(error: type[MusterError]) -> None:
    """Contract 2.1, 8."""
    number = next((number for number, codes in CONTRACT.items() if error.code in codes), 1099)
    assert refusal(error("words")) == (("Result", "Error"), ("ErrorCode", str(number)), ("ErrorText", "words"))
