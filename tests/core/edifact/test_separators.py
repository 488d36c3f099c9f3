"""UNA, the defaults without it, and what the syntax version changes (ISO 9735 §5, annex B)."""

from __future__ import annotations

import pytest
from hypothesis import given

from edi_gateway.edifact.segment import Separators
from edi_gateway.edifact.separators import LEVEL_A, LEVEL_B, default_separators, in_force, read_una, una
from tests.core.edifact.strategies import separators


@given(separators(version="4"))
def test_una_says_what_it_was_made_of(service: Separators) -> None:
    declared, findings = read_una(una(service)[3:])
    assert findings == []
    assert declared == service


@pytest.mark.parametrize(
    "characters", [":+.? '", ":+,? '", ":+.  '", ":+.?*'", "*@.? #", ":+./*'", ":+.? \n", ":+.?+'"]
)
def test_una_that_can_be_honoured(characters: str) -> None:
    """UNA5 is reserved before syntax 4: it may even repeat another character."""
    assert read_una(characters)[1] == []


@pytest.mark.parametrize(
    ("characters", "code"),
    [
        (":A.? '", "S211"),
        ("1+.? '", "S211"),
        (":+.? X", "S211"),
        ("é+.? '", "S211"),
        ("::.? '", "S212"),
        (":+.: '", "S212"),
        (":++? '", "S212"),
        (":+.? +", "S212"),
        (": .? '", "S213"),
        (":+.?  ", "S213"),
        ("\n+.? '", "S213"),
        (":+.? \x00", "S213"),
        (":+.? \x92", "S213"),
    ],
)
def test_una_that_cannot_be_honoured(characters: str, code: str) -> None:
    _, findings = read_una(characters)
    assert [finding.code for finding in findings] == [code]


@pytest.mark.parametrize(("byte", "expected"), [("+", LEVEL_A), ("\x1d", LEVEL_B), (";", LEVEL_A)])
def test_without_una_the_byte_behind_unb_decides(byte: str, expected: Separators) -> None:
    assert default_separators(byte) == expected


@pytest.mark.parametrize(
    ("declared", "version", "has_una", "repetition", "marks"),
    [
        (Separators(repetition="*", decimal_marks="."), "3", True, "", "."),
        (Separators(repetition="*", decimal_marks="."), "4", True, "*", ".,"),
        (Separators(repetition="", decimal_marks="."), "4", True, "", ".,"),
        (LEVEL_A, "4", False, "*", ".,"),
        (LEVEL_A, "3", False, "", ".,"),
        (LEVEL_B, "4", False, "", ".,"),
        (LEVEL_A, "", False, "", ".,"),
        (LEVEL_A, "44", False, "", ".,"),
    ],
)
def test_the_syntax_version_decides_on_repetition_and_decimal_marks(
    declared: Separators, version: str, *, has_una: bool, repetition: str, marks: str
) -> None:
    service = in_force(declared, version, una=has_una)
    assert (service.repetition, service.decimal_marks) == (repetition, marks)
