"""What the tests of the reader share: an order, and the reader's events gathered by interchange."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field

from edi_gateway.edifact.findings import Finding
from edi_gateway.edifact.reader import (
    DEFAULT_LIMITS,
    Event,
    FileFinding,
    GroupEnded,
    InterchangeEnded,
    InterchangeReader,
    InterchangeStarted,
    MessageRead,
    ReaderLimits,
    read,
)
from edi_gateway.edifact.segment import Segment
from edi_gateway.edifact.verdict import Message

UNB = "UNB+UNOC:3+3012345000004:14+3098765000001:14+261122:0450+REF1'"
UNH = "UNH+1+ORDERS:D:96A:UN:EAN008'"
BODY = "BGM+220+PO1+9'DTM+137:20261122:102'"
ORDER = f"{UNB}{UNH}{BODY}UNT+4+1'UNZ+1+REF1'"


def order(body: str = BODY, *, una: str = "", unb: str = UNB, segments: int | None = None) -> str:
    """An interchange of one order with this body; `segments` is the count of UNT if it is not to be counted."""
    count = body.count("'") - body.count("?'") + 2 if segments is None else segments
    return f"{una}{unb}{UNH}{body}UNT+{count}+1'UNZ+1+REF1'"


@dataclass
class ReadInterchange:
    """One interchange as the events told it."""

    started: InterchangeStarted
    messages: list[Message] = field(default_factory=list)
    groups: list[GroupEnded] = field(default_factory=list)
    ended: InterchangeEnded | None = None

    @property
    def codes(self) -> list[str]:
        """The findings of the interchange itself."""
        return [finding.code for finding in self.ended.findings] if self.ended else []


@dataclass
class ReadFile:
    """All that was read of a file."""

    interchanges: list[ReadInterchange] = field(default_factory=list)
    findings: list[Finding] = field(default_factory=list)

    @property
    def codes(self) -> list[str]:
        return [finding.code for finding in self.findings]


def read_file(data: bytes | str, limits: ReaderLimits = DEFAULT_LIMITS, *, repetition: bool = True) -> ReadFile:
    """Read a file that comes at once; a text is written as ISO 8859-1."""
    raw = data.encode("latin-1") if isinstance(data, str) else data
    return gather(read([raw], limits, repetition=repetition))


def gather(events: Iterable[Event]) -> ReadFile:
    file = ReadFile()
    for event in events:
        match event:
            case InterchangeStarted():
                file.interchanges.append(ReadInterchange(event))
            case MessageRead(message):
                file.interchanges[-1].messages.append(message)
            case GroupEnded():
                file.interchanges[-1].groups.append(event)
            case InterchangeEnded():
                file.interchanges[-1].ended = event
            case FileFinding(finding):
                file.findings.append(finding)
    return file


def read_order(data: bytes | str) -> Message:
    """The only message of a file."""
    (interchange,) = read_file(data).interchanges
    (message,) = interchange.messages
    return message


def codes(findings: Iterable[Finding]) -> list[str]:
    return [finding.code for finding in findings]


def feed_in_pieces(data: bytes, cuts: Iterable[int], limits: ReaderLimits = DEFAULT_LIMITS) -> list[Event]:
    """The events of a file that is fed in pieces, cut at these places."""
    reader, events, begin = InterchangeReader(limits), list[Event](), 0
    for cut in [*sorted(cuts), len(data)]:
        events += reader.feed(data[begin:cut])
        begin = cut
    return events + reader.close()


def shown(events: Iterable[Event]) -> list[object]:
    """Events as plain values in which every detail counts, offsets and texts of segments too."""
    plain: list[object] = []
    for event in events:
        match event:
            case MessageRead(message):
                segments = [shown_segment(segment) for segment in message.segments]
                plain.append((message.header, message.group, segments, message.findings))
            case InterchangeStarted(header, separators, una, segment):
                plain.append((header, separators, separators.decimal_marks, una, shown_segment(segment)))
            case _:
                plain.append(event)
    return plain


def shown_segment(segment: Segment) -> tuple[object, ...]:
    return segment.tag, segment.raw, segment.elements, segment.repeats, segment.position, segment.offset
