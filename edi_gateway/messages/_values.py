"""Values to which a qualifier gives a form: dates, GLN, GTIN, SSCC, VAT numbers, IBAN.

One row a place: the segment, where the qualifier stands and what it says, where the value stands, and
which check judges it. Positions count as 0098 and 0104 do.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from functools import lru_cache, partial
from typing import NamedTuple

from edi_gateway.edifact.findings import Rule
from edi_gateway.edifact.segment import Segment
from edi_gateway.marketplace import identifiers
from edi_gateway.messages import _dates, rules

_DETAIL_ENDS = "S"  # 0081
_IBAN_LIKE = re.compile(r"[A-Z]{2}[0-9]{2}[0-9A-Z]{11,30}")


class ValueCheck(NamedTuple):
    """A value to judge: where it stands, what judges it (None: right), and what it should be."""

    element: int
    component: int
    judge: Callable[[str], Rule | None]
    expected: str


def _gln(value: str) -> Rule | None:
    return None if identifiers.is_gln(value) else rules.GLN_WRONG


def _gtin(value: str) -> Rule | None:
    return None if identifiers.is_gtin(value) else rules.GTIN_WRONG


def _sscc(value: str) -> Rule | None:
    return None if identifiers.is_sscc(value) else rules.SSCC_WRONG


@lru_cache(maxsize=4096)
def _vat_number(value: str) -> Rule | None:
    return None if identifiers.is_vat_number(value) else rules.VAT_NUMBER_WRONG


@lru_cache(maxsize=4096)
def _iban(value: str) -> Rule | None:
    return rules.IBAN_WRONG if _IBAN_LIKE.fullmatch(value) and not identifiers.is_iban(value) else None


def _section_control(value: str) -> Rule | None:
    return None if value == _DETAIL_ENDS else rules.SECTION_CONTROL


class _Row(NamedTuple):
    """Where a qualifier stands, what it must say, and which values it then gives a form to."""

    qualifier: tuple[int, int]
    says: frozenset[str]
    values: tuple[tuple[int, int], ...]
    judge: Callable[[str], Rule | None]
    expected: str


_ARTICLE_NUMBERS = frozenset({"EN", "SRV", "UP"})  # 7143
_GS1 = frozenset({"9"})  # 3055

ROWS: dict[str, tuple[_Row, ...]] = {
    "NAD": (_Row((3, 3), _GS1, ((3, 1),), _gln, "GLN"),),
    "LOC": (_Row((3, 3), _GS1, ((3, 1),), _gln, "GLN"),),
    "LIN": (_Row((4, 2), _ARTICLE_NUMBERS, ((4, 1),), _gtin, "GTIN"),),
    "PIA": tuple(_Row((e, 2), _ARTICLE_NUMBERS, ((e, 1),), _gtin, "GTIN") for e in range(3, 8)),
    "GIN": (_Row((2, 1), frozenset({"BJ"}), tuple((e, c) for e in range(3, 8) for c in (1, 2)), _sscc, "SSCC"),),
    # The detail ends (S): no message carried here separates header and detail with a UNS+D of its own.
    "UNS": (_Row((1, 1), frozenset({"UNS"}), ((2, 1),), _section_control, _DETAIL_ENDS),),
    "RFF": (_Row((2, 1), frozenset({"VA"}), ((2, 2),), _vat_number, "VAT"),),
    "FII": (_Row((2, 1), frozenset({"BF", "PB", "RB"}), ((3, 1),), _iban, "IBAN"),),
    "DTM": (
        *(
            _Row((2, 3), frozenset({code}), ((2, 2),), partial(_dates.fault, code), layout)
            for code, layout in _dates.FORMATS.items()
        ),
        _Row((2, 3), frozenset({""}), ((2, 2),), _dates.unnamed, "2379"),
    ),
}


def value_checks(segment: Segment) -> list[ValueCheck]:
    """The checks that the qualifiers of this segment call for, on the values that are there."""
    return [
        ValueCheck(element, component, row.judge, row.expected)
        for row in ROWS.get(segment.tag, ())
        if segment.get(row.qualifier[0] - 1, row.qualifier[1]) in row.says
        for element, component in row.values
        if segment.get(element - 1, component)
    ]


class Relation(NamedTuple):
    """Two values that must fit each other: the place of the second, its rule if they do not, and what was expected."""

    element: int
    component: int
    values: tuple[str, str]
    rule: Rule | None
    expected: str


def relations(segment: Segment) -> list[Relation]:
    """The pairs of values of a segment that must fit each other: SSCC ranges, ``GIN+BJ+from:to``."""
    if segment.tag != "GIN" or segment.get(1) != "BJ":
        return []
    pairs = ((element, segment.get(element - 1, 1), segment.get(element - 1, 2)) for element in range(3, 8))
    return [
        Relation(element, 2, (first, last), _range_fault(first, last), f"1..{identifiers.SSCC_RANGE_MAX}")
        for element, first, last in pairs
        if first and last
    ]


def _range_fault(first: str, last: str) -> Rule | None:
    """Ranges count on the number without its check digit. Bounds that are no SSCC have a finding of their own."""
    if not (identifiers.is_sscc(first) and identifiers.is_sscc(last)):
        return None
    numbers = int(last[:-1]) - int(first[:-1]) + 1
    return None if 1 <= numbers <= identifiers.SSCC_RANGE_MAX else rules.SSCC_RANGE_WRONG
