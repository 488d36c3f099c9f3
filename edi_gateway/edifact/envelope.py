"""The service segments UNB, UNG, UNH, UNT, UNE, UNZ: read into headers, built from headers, checked.

The layouts are tables (ISO 9735 annex B, and its successor for syntax version 4), one row a component: its
place, its id, whether it is mandatory, its format. Places count as 0098 and 0104 do: the tag is
element 1.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import date
from functools import lru_cache

from edi_gateway.edifact.findings import Finding, Rule
from edi_gateway.edifact.rules import (
    HEADER_INCOMPLETE,
    SERVICE_CODE_UNKNOWN,
    SERVICE_DATE_IMPOSSIBLE,
    SERVICE_ELEMENT_MISSING,
    SERVICE_ELEMENT_NOT_NUMERIC,
    SERVICE_ELEMENT_TOO_LONG,
    SERVICE_ELEMENT_TOO_MANY,
    SERVICE_ELEMENT_TOO_SHORT,
)
from edi_gateway.edifact.segment import Segment
from edi_gateway.edifact.verdict import Address, GroupHeader, InterchangeHeader, MessageHeader

VALUE_SHOWN_MAX = 70
"""A finding shows at most this much of a value."""

CODES_SHOWN_MAX = 12
"""A finding names the allowed codes where there are no more than these."""

SYNTAX_VERSIONS = ("1", "2", "3", "4")


@dataclass(frozen=True, slots=True)
class ServiceElement:
    """One component of a service segment. `length_min` equals `length_max` where the length is fixed."""

    element: int
    component: int | None  # None: the element is no composite
    identifier: str
    mandatory: bool
    numeric: bool
    length_min: int
    length_max: int
    advised: bool = False  # mandatory too, but without it the message can still be read

    @property
    def format(self) -> str:
        """Such as an..14 or n6."""
        length = f"{self.length_max}" if self.length_min == self.length_max else f"..{self.length_max}"
        return f"{'n' if self.numeric else 'an'}{length}"


def _layout(*rows: tuple[int, int | None, str, str, str]) -> tuple[ServiceElement, ...]:
    return tuple(_service_element(*row) for row in rows)


def _service_element(element: int, component: int | None, identifier: str, status: str, form: str) -> ServiceElement:
    kind, _, longest = form.partition("..")
    if longest:
        return ServiceElement(
            element, component, identifier, status == "M", kind == "n", 1, int(longest), advised=status == "A"
        )
    letters = kind.rstrip("0123456789")
    fixed = int(kind[len(letters) :])
    return ServiceElement(element, component, identifier, status == "M", letters == "n", fixed, fixed)


_UNB_3 = _layout(
    (2, 1, "0001", "M", "an4"),
    (2, 2, "0002", "M", "n1"),
    (3, 1, "0004", "M", "an..35"),
    (3, 2, "0007", "C", "an..4"),
    (3, 3, "0008", "C", "an..14"),
    (4, 1, "0010", "M", "an..35"),
    (4, 2, "0007", "C", "an..4"),
    (4, 3, "0014", "C", "an..14"),
    (5, 1, "0017", "M", "n6"),
    (5, 2, "0019", "M", "n4"),
    (6, None, "0020", "M", "an..14"),
    (7, 1, "0022", "C", "an..14"),
    (7, 2, "0025", "C", "an2"),
    (8, None, "0026", "C", "an..14"),
    (9, None, "0029", "C", "an1"),
    (10, None, "0031", "C", "n1"),
    (11, None, "0032", "C", "an..35"),
    (12, None, "0035", "C", "n1"),
)
_UNB_4 = _layout(
    (2, 1, "0001", "M", "an4"),
    (2, 2, "0002", "M", "an1"),
    (2, 3, "0080", "C", "an..6"),
    (2, 4, "0133", "C", "an..3"),
    (2, 5, "0076", "C", "an2"),
    (3, 1, "0004", "M", "an..35"),
    (3, 2, "0007", "C", "an..4"),
    (3, 3, "0008", "C", "an..35"),
    (3, 4, "0042", "C", "an..35"),
    (4, 1, "0010", "M", "an..35"),
    (4, 2, "0007", "C", "an..4"),
    (4, 3, "0014", "C", "an..35"),
    (4, 4, "0046", "C", "an..35"),
    (5, 1, "0017", "M", "n8"),
    (5, 2, "0019", "M", "n4"),
    (6, None, "0020", "M", "an..14"),
    (7, 1, "0022", "C", "an..14"),
    (7, 2, "0025", "C", "an2"),
    (8, None, "0026", "C", "an..14"),
    (9, None, "0029", "C", "an1"),
    (10, None, "0031", "C", "n1"),
    (11, None, "0032", "C", "an..35"),
    (12, None, "0035", "C", "n1"),
)
_UNG_3 = _layout(
    (2, None, "0038", "M", "an..6"),
    (3, 1, "0040", "M", "an..35"),
    (3, 2, "0007", "C", "an..4"),
    (4, 1, "0044", "M", "an..35"),
    (4, 2, "0007", "C", "an..4"),
    (5, 1, "0017", "M", "n6"),
    (5, 2, "0019", "M", "n4"),
    (6, None, "0048", "M", "an..14"),
    (7, None, "0051", "M", "an..2"),
    (8, 1, "0052", "M", "an..3"),
    (8, 2, "0054", "M", "an..3"),
    (8, 3, "0057", "C", "an..6"),
    (9, None, "0058", "C", "an..14"),
)
_UNG_4 = _layout(
    (2, None, "0038", "C", "an..6"),
    (3, 1, "0040", "C", "an..35"),
    (3, 2, "0007", "C", "an..4"),
    (4, 1, "0044", "C", "an..35"),
    (4, 2, "0007", "C", "an..4"),
    (5, 1, "0017", "C", "n8"),
    (5, 2, "0019", "C", "n4"),
    (6, None, "0048", "M", "an..14"),
    (7, None, "0051", "C", "an..3"),
    (8, 1, "0052", "C", "an..3"),
    (8, 2, "0054", "C", "an..3"),
    (8, 3, "0057", "C", "an..6"),
    (9, None, "0058", "C", "an..14"),
)
# 0054 may be empty (ORDERS:D::): the resolution of the directory judges it.
_UNH_3 = _layout(
    (2, None, "0062", "M", "an..14"),
    (3, 1, "0065", "M", "an..6"),
    (3, 2, "0052", "A", "an..3"),
    (3, 3, "0054", "C", "an..3"),
    (3, 4, "0051", "A", "an..2"),
    (3, 5, "0057", "C", "an..6"),
    (4, None, "0068", "C", "an..35"),
    (5, 1, "0070", "C", "n..2"),
    (5, 2, "0073", "C", "an1"),
)
_UNH_4 = (
    *(row for row in _UNH_3 if row.identifier != "0051"),
    *_layout(
        (3, 4, "0051", "A", "an..3"),
        (3, 6, "0110", "C", "an..6"),
        (3, 7, "0113", "C", "an..6"),
        (6, 1, "0115", "C", "an..14"),
        (6, 2, "0116", "C", "an..3"),
        (6, 3, "0118", "C", "an..3"),
        (6, 4, "0051", "C", "an..3"),
        (7, 1, "0121", "C", "an..14"),
        (7, 2, "0122", "C", "an..3"),
        (7, 3, "0124", "C", "an..3"),
        (7, 4, "0051", "C", "an..3"),
        (8, 1, "0127", "C", "an..14"),
        (8, 2, "0128", "C", "an..3"),
        (8, 3, "0130", "C", "an..3"),
        (8, 4, "0051", "C", "an..3"),
    ),
)
_UNT_3 = _layout((2, None, "0074", "M", "n..6"), (3, None, "0062", "M", "an..14"))
_UNT_4 = _layout((2, None, "0074", "M", "n..10"), (3, None, "0062", "M", "an..14"))
_UNE = _layout((2, None, "0060", "M", "n..6"), (3, None, "0048", "M", "an..14"))
_UNZ = _layout((2, None, "0036", "M", "n..6"), (3, None, "0020", "M", "an..14"))

_LAYOUTS_3 = {"UNB": _UNB_3, "UNG": _UNG_3, "UNH": _UNH_3, "UNT": _UNT_3, "UNE": _UNE, "UNZ": _UNZ}
_LAYOUTS_4 = _LAYOUTS_3 | {"UNB": _UNB_4, "UNG": _UNG_4, "UNH": _UNH_4, "UNT": _UNT_4}


def _widths(layout: tuple[ServiceElement, ...]) -> Mapping[int, int]:
    """Element -> how many components it has."""
    return {row.element: max(r.component or 1 for r in layout if r.element == row.element) for row in layout}


_WIDTHS_3 = {tag: _widths(layout) for tag, layout in _LAYOUTS_3.items()}
_WIDTHS_4 = {tag: _widths(layout) for tag, layout in _LAYOUTS_4.items()}

_AGENCIES = "AA AB AC AD AE AF AG AH AI CC CE EC ED EE EN ER EU EW EX IA KE LI OD RI RT UN"
_CODES = {
    "0025": frozenset({"AA", "BB"}),
    "0029": frozenset({"A"}),
    "0031": frozenset({"0", "1", "2"}),  # 0 is written for none
    "0035": frozenset({"0", "1", "2", "3", "4", "5"}),
    "0051": frozenset(_AGENCIES.split()),
    "0073": frozenset({"C", "F"}),
}
"""Code lists of service segments. Those of 0001 and 0002 decide on more than a finding; 0007 is agreed between two."""

_DATE, _TIME = "0017", "0019"

HEADERS_REMEMBERED_MAX = 1024
IDENTIFIER_CHARACTERS_MAX = 60


def check_service_segment(segment: Segment, syntax_version: str) -> list[Finding]:
    """What is missing, too long, too short, not numeric, no code, or too much in a service segment."""
    if segment.tag == "UNH" and _is_usual_header(segment, syntax_version):
        return []
    layouts = _LAYOUTS_4 if syntax_version == "4" else _LAYOUTS_3
    layout = layouts[segment.tag]
    found = [
        _finding(segment, rule, row, value)
        for row in layout
        for value in (segment.get(row.element - 1, row.component or 1),)
        for rule in (_fault(value, row, syntax_version),)
        if rule is not None
    ]
    widths = (_WIDTHS_4 if syntax_version == "4" else _WIDTHS_3)[segment.tag]
    if all(len(values) <= widths.get(element, 0) for element, values in enumerate(segment.elements[1:], 2)):
        return found
    return [*found, *_surplus(segment, widths)]


def _is_usual_header(unh: Segment, syntax_version: str) -> bool:
    """Whether nothing is wrong with a UNH: the messages of an interchange mostly say of themselves the same."""
    elements = unh.elements
    if len(elements) != 3 or len(elements[1]) != 1 or not 0 < len(elements[1][0]) <= _UNH_3[0].length_max:
        return False
    identifier = tuple(elements[2])
    return sum(map(len, identifier)) <= IDENTIFIER_CHARACTERS_MAX and _is_clean(identifier, syntax_version)


@lru_cache(maxsize=HEADERS_REMEMBERED_MAX)
def _is_clean(identifier: tuple[str, ...], syntax_version: str) -> bool:
    layout = _UNH_4 if syntax_version == "4" else _UNH_3
    rows = [row for row in layout if row.element == 3]
    values = [*identifier, *("" for _ in rows)]
    faults = [_fault(values[(row.component or 1) - 1], row, syntax_version) for row in rows]
    return not any(faults) and not any(identifier[len(rows) :])


def _finding(segment: Segment, rule: Rule, row: ServiceElement, value: str) -> Finding:
    expected = row.identifier if rule in (SERVICE_ELEMENT_MISSING, HEADER_INCOMPLETE) else row.format
    if rule is SERVICE_CODE_UNKNOWN:
        codes = _CODES[row.identifier]
        expected = ", ".join(sorted(codes)) if len(codes) <= CODES_SHOWN_MAX else row.identifier
    if rule is SERVICE_DATE_IMPOSSIBLE:
        expected = _LAYOUT_OF_DATES[len(value)]
    position = segment.position or None
    return Finding(
        rule,
        segment.tag,
        position,
        row.element,
        row.component,
        segment.offset,
        value[:VALUE_SHOWN_MAX] or None,
        expected,
    )


def _surplus(segment: Segment, widths: Mapping[int, int]) -> Iterator[Finding]:
    """Elements and components beyond the definition; empty ones do no harm."""
    for element, values in enumerate(segment.elements[1:], 2):
        known = widths.get(element, 0)
        surplus = next((number for number, value in enumerate(values, 1) if number > known and value), None)
        if surplus is None:
            continue
        at = (element, surplus) if known else None
        value, position = values[surplus - 1][:VALUE_SHOWN_MAX], segment.position or None
        expected = str(known or max(widths) - 1)
        yield Finding(
            SERVICE_ELEMENT_TOO_MANY,
            segment.tag,
            position,
            at[0] if at else None,
            at[1] if at else None,
            segment.offset,
            value,
            expected,
        )
        if not known:
            return


def _fault(value: str, row: ServiceElement, syntax_version: str) -> Rule | None:
    if not value:
        if row.advised:  # from syntax 2 on they are mandatory, and are left out too often
            return HEADER_INCOMPLETE if syntax_version != "1" else None
        return SERVICE_ELEMENT_MISSING if row.mandatory else None
    if len(value) > row.length_max:
        return SERVICE_ELEMENT_TOO_LONG
    if len(value) < row.length_min:
        return SERVICE_ELEMENT_TOO_SHORT
    if row.numeric and not value.isdecimal():
        return SERVICE_ELEMENT_NOT_NUMERIC
    codes = _CODES.get(row.identifier)
    if codes is not None and value not in codes:
        return SERVICE_CODE_UNKNOWN
    is_moment = row.identifier in (_DATE, _TIME)
    return SERVICE_DATE_IMPOSSIBLE if is_moment and not _exists(value) else None


_LAYOUT_OF_DATES = {4: "HHMM", 6: "YYMMDD", 8: "CCYYMMDD"}


def _exists(digits: str) -> bool:
    """Whether there is such a date (YYMMDD, CCYYMMDD) or time (HHMM, to 2400)."""
    if len(digits) == len("HHMM"):
        return digits <= "2400" and digits[2:] < "60"
    year = int(digits[:-4] if len(digits) == len("CCYYMMDD") else f"20{digits[:-4]}")
    try:
        date(year, int(digits[-4:-2]), int(digits[-2:]))
    except ValueError:
        return False
    return True


def _address(segment: Segment, element: int) -> Address:
    return Address(segment.get(element, 1), segment.get(element, 2), segment.get(element, 3))


def interchange_header(unb: Segment) -> InterchangeHeader:
    """UNB read; whatever is absent is ""."""
    return InterchangeHeader(
        syntax_identifier=unb.get(1, 1),
        syntax_version=unb.get(1, 2),
        sender=_address(unb, 2),
        recipient=_address(unb, 3),
        date=unb.get(4, 1),
        time=unb.get(4, 2),
        control_reference=unb.get(5),
        application_reference=unb.get(7),
        priority=unb.get(8),
        acknowledgement_request=unb.get(9),
        agreement=unb.get(10),
        test_indicator=unb.get(11),
    )


def group_header(ung: Segment) -> GroupHeader:
    """UNG read; whatever is absent is ""."""
    return GroupHeader(
        identification=ung.get(1),
        sender=_address(ung, 2),
        recipient=_address(ung, 3),
        reference=ung.get(5),
        date=ung.get(4, 1),
        time=ung.get(4, 2),
        agency=ung.get(6),
        version=ung.get(7, 1),
        release=ung.get(7, 2),
        association=ung.get(7, 3),
    )


def message_header(unh: Segment) -> MessageHeader:
    """UNH read; whatever is absent is ""."""
    return MessageHeader(
        reference=unh.get(1),
        type=unh.get(2, 1),
        version=unh.get(2, 2),
        release=unh.get(2, 3),
        agency=unh.get(2, 4),
        association=unh.get(2, 5),
    )


def interchange_segment(header: InterchangeHeader) -> Segment:
    """UNB as the header says."""
    return Segment(
        "UNB",
        [
            ["UNB"],
            [header.syntax_identifier, header.syntax_version],
            _components(header.sender),
            _components(header.recipient),
            [header.date, header.time],
            [header.control_reference],
            [""],
            [header.application_reference],
            [header.priority],
            [header.acknowledgement_request],
            [header.agreement],
            [header.test_indicator],
        ],
    )


def group_segment(header: GroupHeader) -> Segment:
    """UNG as the header says."""
    return Segment(
        "UNG",
        [
            ["UNG"],
            [header.identification],
            _components(header.sender),
            _components(header.recipient),
            [header.date, header.time],
            [header.reference],
            [header.agency],
            [header.version, header.release, header.association],
        ],
    )


def message_segment(header: MessageHeader) -> Segment:
    """UNH as the header says."""
    identifier = [header.type, header.version, header.release, header.agency, header.association]
    return Segment("UNH", [["UNH"], [header.reference], identifier], position=1)


def trailer(tag: str, count: int, reference: str) -> Segment:
    """UNT, UNE or UNZ: a control count and the reference of the header."""
    return Segment(tag, [[tag], [str(count)], [reference]])


def _components(address: Address) -> list[str]:
    return [address.identifier, address.qualifier, address.routing]
