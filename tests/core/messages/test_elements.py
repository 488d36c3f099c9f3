"""Elements and components: missing, too many, too long, of the wrong kind; numbers; code lists; repetition."""

from __future__ import annotations

import pytest

from edi_gateway.edifact.findings import Severity
from edi_gateway.edifact.segment import Segment, Separators
from edi_gateway.messages import JudgingPolicy, check, specification
from edi_gateway.messages._elements import VALUE_SHOWN_MAX, judge_segment
from tests.core.messages.texts import ORDER, codes, errors, judged, message, segment

D96A = specification("ORDERS", "D.96A")
D01B = specification("ORDERS", "D.01B")
SYNTAX_4 = specification("ORDERS", "D.01B", "4")


def found(text: str, specified=D96A, marks: str = ".", repeats=None) -> list[tuple[str, int | None, int | None]]:
    """(code, element, component) of each finding of a segment."""
    read = segment(text)
    read.repeats = repeats
    findings = judge_segment(read, specified.layout(read.tag), marks)
    return [(finding.code, finding.element, finding.component) for finding in findings]


@pytest.mark.parametrize(
    "text, expected",
    [
        # Missing: UCD 13
        ("DTM+:20261122:102", [("D312", 2, 1)]),
        ("DTM", [("D311", 2, None)]),
        ("DTM+", [("D311", 2, None)]),
        ("NAD", [("D311", 2, None)]),
        ("NAD++1", [("D311", 2, None)]),
        ("MOA+:5", [("D312", 2, 1)]),
        # Too many: UCS 16, UCD 16
        ("BGM+220+1+9+AC+X", [("D313", None, None)]),
        ("DTM+137:20261122:102:X", [("D314", 2, 4)]),
        ("BGM+220+1:X", [("D314", 3, 2)]),
        ("BGM+220+1+9+AC++", [("D315", None, None)]),
        ("DTM+137:20261122:102::", []),
        ("BGM+220+1+++", [("D315", None, None)]),
        # Length: UCD 39, 40
        ("BGM+220+" + "1" * 35, []),
        ("BGM+220+" + "1" * 36, [("D322", 3, None)]),
        ("BGM+2200", [("D322", 2, 1)]),
        # Character type: UCD 37
        ("LIN+A1", [("D321", 2, None)]),
        ("QTY+21:1.234,50-", [("D321", 2, 2)]),
        # Codes: UCD 12
        ("DTM+QQQ:20261122:102", [("C401", 2, 1)]),
        ("NAD+BY+1::QQ", [("C402", 3, 3)]),
        # A code of another list (1131) or agency (3055): the directory's list cannot judge it
        ("IMD+C+QQQ+CU::9", [("C401", 3, None)]),
        ("BGM+QQ1", [("C401", 2, 1)]),
        ("BGM+QQ1::9", [("C402", 2, 1)]),
        ("BGM+QQ1::6", [("C401", 2, 1)]),
        # Explicit nesting: 34
        ("RFF:1+ON:1", [("D308", 1, None)]),
    ],
)
def test_what_is_wrong_and_where(text: str, expected: list[tuple[str, int | None, int | None]]) -> None:
    assert found(text) == expected


@pytest.mark.parametrize(
    "number, expected",
    [
        ("0", []),
        ("12.50", []),
        ("-12.50", []),
        ("0.5", []),
        ("123456789012345", []),
        ("12345678901234.5", []),  # neither the mark nor the sign counts towards the length
        ("-123456789012345", []),
        ("1234567890123456", ["D322"]),
        ("12,5", ["D326"]),
        (".5", ["D324"]),
        (",5", ["D324"]),
        ("5.", ["D325"]),
        ("5-", ["D321"]),
        ("1.2.3", ["D321"]),
        ("1,234.50", ["D321"]),
        ("1E3", ["D321"]),
        ("٣", ["D321"]),
        ("-", ["D321"]),
        ("007", ["D327"]),
        ("+7", ["D328"]),
        (" 7 ", ["D328"]),
        ("+07", ["D328", "D327"]),
    ],
)
def test_numbers(number: str, expected: list[str]) -> None:
    """ISO 9735-1 §10: a digit on each side of the mark, the minus in front, no thousands separator."""
    quantity = Segment("QTY", [["QTY"], ["21", number]])
    assert [finding.code for finding in judge_segment(quantity, D96A.layout("QTY"), ".")] == expected


def test_without_una_both_decimal_marks_are_right() -> None:
    assert found("QTY+21:12,5", marks=".,") == []
    assert found("QTY+21:12.5", marks=",") == [("D326", 2, 2)]


def test_d01b_repeats_an_element_by_position_before_syntax_4() -> None:
    """COM C076 three times: successive positions, which 0098 counts."""
    assert found("COM+1:TE+2:EM+3:FX", D01B) == []
    assert found("COM+1:TE+2:EM+3:FX+4:TE", D01B) == [("D313", None, None)]
    assert found("COM+1:TE+2:QQQ", D01B) == [("C401", 3, 2)]


def test_d01b_repeats_an_element_in_its_position_in_syntax_4() -> None:
    """COM+1:TE*2:EM: one position."""
    more = {1: [["2", "EM"], ["3", "FX"]]}
    assert found("COM+1:TE", SYNTAX_4, repeats=more) == []
    assert found("COM+1:TE", SYNTAX_4, repeats={1: [*more[1], ["4", "TE"]]}) == [("D316", 2, None)]
    assert found("COM+1:TE+2:EM", SYNTAX_4) == [("D313", None, None)]
    assert found("COM+1:TE", SYNTAX_4, repeats={1: [["2", "QQQ"]]}) == [("C401", 2, 2)]


def test_what_the_directories_changed_is_felt() -> None:
    long_text = "FTX+AAI+++" + "x" * 71
    assert found(long_text) == [("D322", 5, 1)]
    assert found(long_text, D01B) == []
    assert found("LIN+A1", D01B) == []
    assert found("IMD+F+8+:::x") == []


def test_a_misplaced_segment_is_judged_too() -> None:
    verdict = judged(ORDER.replace("NAD+BY", "QTY+21:1O'NAD+BY"))
    assert errors(verdict) == [("15", "QTY", 4, None, None), ("37", "QTY", 4, 2, 2)]


def test_trade_practice_adds_to_the_code_lists() -> None:
    for text in ("PCI+33E", "LIN+1++3760123450010:SRV", "RFF+XA:1", "GIN+EU+1", "DTM+X14:202647:616"):
        assert found(text) == [], text
    assert found("TAX+7+VAT+++:::20+AE") == []


def test_a_value_shown_is_bounded() -> None:
    read = segment("FTX+AAI+++" + "x" * 100_000)
    (finding,) = judge_segment(read, D96A.layout("FTX"), ".")
    assert finding.value == "x" * VALUE_SHOWN_MAX + "… (100000)"


def test_the_policy_opens_code_lists_and_grades_findings() -> None:
    text = ORDER.replace("BGM+220+PO1+9", "BGM+ZZ9+PO1+9").replace("QTY+21:10'", "QTY+21:010'")
    assert codes(judged(text)) == ["C401", "D327"]
    assert codes(judged(text, JudgingPolicy(open_code_lists=frozenset({"1001"})))) == ["D327"]
    graded = judged(text, JudgingPolicy(severities={"C401": "warning", "D327": "off"}))
    assert graded.valid
    assert [finding.severity for finding in graded.findings] == [Severity.WARNING]
    assert not judged(ORDER.replace(":10'", ":010'"), JudgingPolicy(severities={"D327": "error"})).valid


def test_other_separators_change_nothing() -> None:
    plain = message(ORDER)
    for read in plain.segments:
        read.raw = read.raw.replace(":", "!").replace("+", "*")
    separators = Separators(component="!", element="*", decimal_marks=".")
    for _ in range(20):
        verdict = check(plain, D96A, separators=separators)
        assert verdict.findings == []
