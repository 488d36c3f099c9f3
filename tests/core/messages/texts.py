"""Messages written as text, judged, and findings as the short tuples that tests compare."""

from __future__ import annotations

from collections.abc import Sequence

from edi_gateway.edifact.segment import Segment
from edi_gateway.edifact.verdict import Message, MessageHeader, MessageVerdict
from edi_gateway.messages import ANY_INTERCHANGE, JudgingPolicy, check, specification

ORDER = """
UNH+1+ORDERS:D:96A:UN:EAN008'
BGM+220+PO1+9'
DTM+137:20261122:102'
NAD+BY+3760000000017::9'
NAD+SU+3760000001014::9'
CUX+2:EUR:9'
LIN+1++3760123450010:EN'
QTY+21:10'
PRI+AAA:12.50'
LIN+2++3760123450027:EN'
QTY+21:8'
PRI+AAA:20'
UNS+S'
CNT+2:2'
UNT+15+1'
"""


def segment(text: str, position: int = 1) -> Segment:
    """One segment, without release characters or terminator."""
    return Segment(text[:3], [part.split(":") for part in text.split("+")], position, 0, None, text)


def message(text: str) -> Message:
    """A message written with the default separators and no release characters."""
    lines = [line.strip() for line in text.replace("\n", "").split("'") if line.strip()]
    segments = [segment(line, position) for position, line in enumerate(lines, 1)]
    return of(segments)


def of(segments: Sequence[Segment]) -> Message:
    unh = segments[0]
    header = MessageHeader(unh.get(1), *(unh.get(2, component) for component in range(1, 6)))
    return Message(header, list(segments))


def judged(text: str | Message, policy: JudgingPolicy = ANY_INTERCHANGE, syntax_version: str = "3") -> MessageVerdict:
    """The verdict on a message by the directory that its header names."""
    read = message(text) if isinstance(text, str) else text
    found = specification(read.header.type, read.header.directory, syntax_version)
    assert found is not None, read.header
    return check(read, found, policy)


def errors(verdict: MessageVerdict) -> list[tuple[str | None, str | None, int | None, int | None, int | None]]:
    """(0085, segment, position, element, component) of each error."""
    return [(f.contrl, f.segment, f.position, f.element, f.component) for f in verdict.findings if f.is_error]


def codes(verdict: MessageVerdict) -> list[str]:
    return [finding.code for finding in verdict.findings]
