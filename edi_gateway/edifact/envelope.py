"""The service segments UNB, UNG, UNH, UNT, UNE, UNZ: read into headers, built from headers, checked.

The layouts are tables (ISO 9735 annex B, and its successor for syntax version 4), one row a component: its
place, its id, whether it is mandatory, its format. Places count as 0098 and 0104 do: the tag is
element 1.
"""

from __future__ import annotations

from dataclasses import dataclass

from edi_gateway.edifact.findings import Finding, Rule
from edi_gateway.edifact.rules import (
    SERVICE_ELEMENT_MISSING,
    SERVICE_ELEMENT_NOT_NUMERIC,
    SERVICE_ELEMENT_TOO_LONG,
    SERVICE_ELEMENT_TOO_SHORT,
)
from edi_gateway.edifact.segment import Segment
from edi_gateway.edifact.verdict import Address, GroupHeader, InterchangeHeader, MessageHeader

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
        return ServiceElement(element, component, identifier, status == "M", kind == "n", 1, int(longest))
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
# UNH: what reading needs. 0054 may be empty (ORDERS:D::), the resolution of the directory judges it.
_UNH = _layout(
    (2, None, "0062", "M", "an..14"),
    (3, 1, "0065", "M", "an..6"),
)
_UNT = _layout((2, None, "0074", "M", "n..10"), (3, None, "0062", "M", "an..14"))
_UNE = _layout((2, None, "0060", "M", "n..6"), (3, None, "0048", "M", "an..14"))
_UNZ = _layout((2, None, "0036", "M", "n..6"), (3, None, "0020", "M", "an..14"))

_LAYOUTS_3 = {"UNB": _UNB_3, "UNG": _UNG_3, "UNH": _UNH, "UNT": _UNT, "UNE": _UNE, "UNZ": _UNZ}
_LAYOUTS_4 = _LAYOUTS_3 | {"UNB": _UNB_4, "UNG": _UNG_4}


def check_service_segment(segment: Segment, syntax_version: str) -> list[Finding]:
    """What is missing, too long, too short or not numeric in a service segment."""
    layouts = _LAYOUTS_4 if syntax_version == "4" else _LAYOUTS_3
    position = segment.position or None
    findings = []
    for row in layouts[segment.tag]:
        value = segment.get(row.element - 1, row.component or 1)
        if row.length_min <= len(value) <= row.length_max and (not row.numeric or value.isdecimal()):
            continue
        rule = _fault(value, row)
        if rule is not None:
            expected = row.identifier if rule is SERVICE_ELEMENT_MISSING else row.format
            findings.append(
                Finding(
                    rule, segment.tag, position, row.element, row.component, segment.offset, value or None, expected
                )
            )
    return findings


def _fault(value: str, row: ServiceElement) -> Rule | None:
    if not value:
        return SERVICE_ELEMENT_MISSING if row.mandatory else None
    if len(value) > row.length_max:
        return SERVICE_ELEMENT_TOO_LONG
    return SERVICE_ELEMENT_TOO_SHORT if len(value) < row.length_min else SERVICE_ELEMENT_NOT_NUMERIC


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
