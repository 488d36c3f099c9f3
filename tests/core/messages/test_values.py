"""Dates, identifiers, control totals and dependencies."""

from __future__ import annotations

import pytest

from edi_gateway.edifact.findings import Level
from edi_gateway.messages import rules
from edi_gateway.messages._dates import FORMATS, fault, fits
from edi_gateway.messages._elements import judge_segment
from edi_gateway.messages._specification import specification
from tests.core.messages.generator import right_value
from tests.core.messages.texts import ORDER, codes, errors, judged, segment

D96A = specification("ORDERS", "D.96A")


@pytest.mark.parametrize(
    "format_code, value, rule",
    [
        ("102", "20261122", None),
        ("102", "20260229", rules.DATE_IMPOSSIBLE),
        ("102", "20240229", None),
        ("102", "99999999", rules.DATE_IMPOSSIBLE),
        ("102", "20261322", rules.DATE_IMPOSSIBLE),
        ("102", "202611221530", rules.DATE_OF_OTHER_FORMAT),
        ("102", "261122", rules.DATE_OF_OTHER_FORMAT),
        ("102", "00000000", rules.DATE_OF_OTHER_FORMAT),
        ("102", "22.11.26", rules.DATE_IMPOSSIBLE),
        ("102", "²0261122", rules.DATE_IMPOSSIBLE),
        ("203", "202611220915", None),
        ("203", "202611222560", rules.DATE_IMPOSSIBLE),
        ("203", "20261122", rules.DATE_OF_OTHER_FORMAT),
        ("101", "261122", None),
        ("201", "2611220915", None),
        ("204", "20261122091530", None),
        ("303", "202611220915UTC", None),
        ("303", "202611220915", rules.DATE_OF_OTHER_FORMAT),
        ("616", "202653", None),
        ("616", "202654", rules.DATE_OF_OTHER_FORMAT),
        ("718", "2026112220261201", None),
        ("718", "20261122-20261201", rules.DATE_OF_OTHER_FORMAT),
        ("711", "2026112220261201", None),
        ("713", "26112209152611221015", None),
        ("401", "2460", rules.DATE_OF_OTHER_FORMAT),
        ("804", "14", None),  # a number of days: not a date
    ],
)
def test_dates(format_code: str, value: str, rule: object) -> None:
    assert fault(format_code, value) is rule


@pytest.mark.parametrize("layout", FORMATS.values())
def test_every_layout_fits_a_date_of_its_own(layout: str) -> None:
    value = right_value(layout)
    assert fits(value, layout)
    assert not fits(value[:-1], layout) or layout.endswith("ZZZ")
    assert not fits(value + "0000", layout)


@pytest.mark.parametrize(
    "text, code, element, component",
    [
        ("NAD+BY+3760000000018::9", "I501", 3, 1),
        ("LOC+7+3760000000018::9", "I501", 3, 1),
        ("LIN+1++3760123450011:EN", "I502", 4, 1),
        ("LIN+1++376012345001:UP", "I502", 4, 1),
        ("PIA+5+SKU:SA+3760123450011:EN", "I502", 4, 1),
        ("GIN+BJ+340455750695614955", "I503", 3, 1),
        ("GIN+BJ+354123450000000014:354123450000000107", "I503", 3, 2),
        ("GIN+BJ+354123450000000106:354123450000000014", "I504", 3, 2),
        ("GIN+BJ+354123450000000014:354129450000000018", "I504", 3, 2),
        ("RFF+VA:FR12123456782", "I505", 2, 2),
        ("FII+BF+FR1420041010050500013M02607", "I506", 3, 1),
    ],
)
def test_identifiers(text: str, code: str, element: int, component: int) -> None:
    read = segment(text)
    (finding,) = judge_segment(read, D96A.layout(read.tag), ".")
    assert (finding.code, finding.element, finding.component) == (code, element, component)
    assert finding.level is Level.IDENTIFIER
    assert finding.contrl is None  # answered by APERAK: the syntax is right


@pytest.mark.parametrize(
    "text",
    [
        "NAD+BY+3760000000017::9",
        "NAD+BY+ANY::92",
        "LIN+1++3760123450010:EN",
        "LIN+1++96385074:EN",
        "LIN+1++:EN",
        "GIN+BJ+354123450000000014:354123450000000106",
        "GIN+BN+1:2",
        "RFF+VA:FR11123456782",
        "FII+BF+FR1420041010050500013M02606",
        "FII+BF+00012345678",
    ],
)
def test_right_identifiers_and_those_of_other_kinds(text: str) -> None:
    read = segment(text)
    assert judge_segment(read, D96A.layout(read.tag), ".") == []


@pytest.mark.parametrize(
    "total, expected",
    [("2:2", []), ("2:3", ["D341"]), ("1:18", []), ("1:18.0", []), ("1:17", ["D341"]), ("3:99", [])],
)
def test_control_totals(total: str, expected: list[str]) -> None:
    """CNT 2 counts the lines, 1 adds their quantities; a wrong one is a warning, answered by APERAK."""
    verdict = judged(ORDER.replace("CNT+2:2", f"CNT+{total}"))
    assert codes(verdict) == expected
    assert verdict.valid
    assert all(finding.contrl is None for finding in verdict.findings)


def test_a_total_of_what_is_no_number_is_not_judged() -> None:
    assert codes(judged(ORDER.replace("CNT+2:2", "CNT+1:18").replace("QTY+21:8", "QTY+21:X"))) == ["D321"]


def test_quantities_of_split_deliveries_are_not_added() -> None:
    text = ORDER.replace("PRI+AAA:20'", "PRI+AAA:20'LOC+7+W'QTY+21:8'").replace("CNT+2:2", "CNT+1:18")
    assert codes(judged(text)) == []


def test_uns_ends_the_detail() -> None:
    assert codes(judged(ORDER.replace("UNS+S", "UNS+D"))) == ["D333"]


@pytest.mark.parametrize(
    "directory, uci, expected",
    [
        ("D:3", "UCI+1+A:14+B:14+4+29+UNZ+2", []),
        ("D:3", "UCI+1+A:14+B:14+4++UNZ", [("12", "UCI", 2, 7, None)]),
        ("D:3", "UCI+1+A:14+B:14+4+29++2", [("12", "UCI", 2, 8, None)]),
        ("4:1", "UCI+1+A:14+B:14+4+29+UNZ+2", []),
        ("4:1", "UCI+1+A:14+B:14+4++UNZ", [("12", "UCI", 2, 7, None)]),
    ],
)
def test_contrl_names_a_segment_only_with_an_error(directory: str, uci: str, expected: list[object]) -> None:
    assert errors(judged(f"UNH+1+CONTRL:{directory}:UN'{uci}'UNT+3+1'")) == expected


@pytest.mark.parametrize("version", ["2:2", "D:3", "D:93A", "D:96A", "4:1", "1:1"])
def test_contrl_of_any_version_is_read(version: str) -> None:
    """0052 = 4 means the table of syntax 4, all else that of syntax 3."""
    verdict = judged(f"UNH+1+CONTRL:{version}:UN:EAN002'UCI+1+A:14+B:14+7'UNT+3+1'")
    assert verdict.findings == []
