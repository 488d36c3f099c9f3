"""What was read and what was judged of it: headers, messages, interchanges with their findings."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from itertools import chain
from typing import Any

from edi_gateway.edifact.findings import Finding
from edi_gateway.edifact.run import Run
from edi_gateway.edifact.segment import Segment, Separators


@dataclass(frozen=True, slots=True)
class Address:
    """S002 or S003: who sends, who receives. `qualifier` (0007) is "" where absent."""

    identifier: str
    qualifier: str = ""
    routing: str = ""


@dataclass(frozen=True, slots=True)
class InterchangeHeader:
    """UNB, element by element; every value as it was received, "" where absent."""

    syntax_identifier: str  # S001/0001, such as UNOC
    syntax_version: str  # S001/0002
    sender: Address
    recipient: Address
    date: str  # S004/0017, YYMMDD or CCYYMMDD
    time: str  # S004/0019, HHMM
    control_reference: str  # 0020
    application_reference: str = ""  # 0026
    priority: str = ""  # 0029
    acknowledgement_request: str = ""  # 0031
    agreement: str = ""  # 0032
    test_indicator: str = ""  # 0035

    @property
    def is_test(self) -> bool:
        return self.test_indicator not in ("", "0")


@dataclass(frozen=True, slots=True)
class GroupHeader:
    """UNG: message group identification and its reference (0048); "" where absent."""

    identification: str  # 0038, the message type
    sender: Address
    recipient: Address
    reference: str  # 0048
    date: str = ""  # S004/0017
    time: str = ""  # S004/0019
    agency: str = ""  # 0051
    version: str = ""  # S008/0052
    release: str = ""  # S008/0054
    association: str = ""  # S008/0057


@dataclass(frozen=True, slots=True)
class MessageHeader:
    """UNH: message reference (0062) and identifier (S009)."""

    reference: str
    type: str  # 0065, such as ORDERS
    version: str  # 0052, D
    release: str  # 0054, 96A
    agency: str = "UN"  # 0051
    association: str = ""  # 0057

    @property
    def directory(self) -> str:
        """Such as ``D.96A``."""
        return f"{self.version}.{self.release}"


class Message:
    """One message as read: all its segments, UNH to UNT, and what the envelope says about it.

    The segments are made when they are first asked for; until then most of them are texts in runs.
    """

    __slots__ = ("_later", "_later_count", "_segments", "findings", "group", "header")

    def __init__(
        self,
        header: MessageHeader,
        segments: list[Segment],
        group: GroupHeader | None = None,
        findings: list[Finding] | None = None,
    ) -> None:
        self.header = header
        self.group = group
        self.findings = [] if findings is None else findings
        self._segments = segments
        self._later: list[Run | Segment] = []
        self._later_count = 0

    def __eq__(self, other: object) -> bool:
        """The same header, group, findings and segments, however they were read."""
        if not isinstance(other, Message):
            return NotImplemented
        mine = (self.header, self.group, self.findings, self.segments)
        return mine == (other.header, other.group, other.findings, other.segments)

    __hash__ = None  # type: ignore[assignment]  # it can be changed

    @property
    def segments(self) -> list[Segment]:
        if self._later:
            for later in self._later:
                self._segments += later.segments() if isinstance(later, Run) else (later,)
            self._later, self._later_count = [], 0
        return self._segments

    @property
    def first(self) -> Segment:
        """The UNH."""
        return self._segments[0]

    @property
    def count(self) -> int:
        """How many segments there are."""
        return len(self._segments) + self._later_count

    def add(self, segment: Segment) -> None:
        """One more segment."""
        if self._later:
            self._later.append(segment)
            self._later_count += 1
        else:
            self._segments.append(segment)

    def add_run(self, run: Run) -> None:
        """Segments that are still texts."""
        self._later.append(run)
        self._later_count += len(run.texts)

    def elements(self) -> Iterator[tuple[int, list[Any]]]:
        """Of each segment its byte offset and its elements, the tag first.

        An element is a text whose components are not split, or a list of its components. Repetitions of syntax 4
        are in `Segment.repeats`. No object is made for a segment, so this is the way to go over a message once.
        """
        return chain.from_iterable(
            part.elements() if isinstance(part, Run) else ((part.offset, part.elements),) for part in self._parts()
        )

    def components(self) -> Iterator[tuple[int, list[list[str]]]]:
        """The same, with every element as a list of its components."""
        return chain.from_iterable(
            part.components() if isinstance(part, Run) else ((part.offset, part.elements),) for part in self._parts()
        )

    def _parts(self) -> Iterator[Run | Segment]:
        return chain(self._segments, self._later)


@dataclass(slots=True)
class MessageVerdict:
    """One message, judged: `tree` is the message's group tree (messages.tree.Group), None if unreadable."""

    message: Message
    findings: list[Finding]
    tree: object | None = None

    @property
    def header(self) -> MessageHeader:
        return self.message.header

    @property
    def valid(self) -> bool:
        return not any(finding.is_error for finding in self.findings)


@dataclass(slots=True)
class GroupVerdict:
    """One functional group, judged. `findings` are those of its envelope (UNG, UNE)."""

    header: GroupHeader
    findings: list[Finding]

    @property
    def rejected(self) -> bool:
        """Whether the whole group is refused (UCF 4): none of its messages may be processed."""
        return any(finding.is_error for finding in self.findings)


@dataclass(slots=True)
class InterchangeVerdict:
    """One interchange, judged. `findings` are those of its own envelope (UNA, UNB, UNZ)."""

    header: InterchangeHeader | None
    separators: Separators
    messages: list[MessageVerdict]
    findings: list[Finding]
    groups: list[GroupVerdict] = field(default_factory=list)

    @property
    def rejected(self) -> bool:
        """Whether the whole interchange is refused (UCI 4): nothing in it may be processed."""
        return self.header is None or any(finding.is_error for finding in self.findings)

    @property
    def valid(self) -> bool:
        return (
            not self.rejected
            and not any(group.rejected for group in self.groups)
            and all(message.valid for message in self.messages)
        )

    def accepts(self, message: MessageVerdict) -> bool:
        """Whether this message may be processed: it, its group and the interchange are all in order."""
        return message.valid and not self.rejected and not self._group_rejected(message.message.group)

    def _group_rejected(self, header: GroupHeader | None) -> bool:
        return header is not None and any(group.rejected for group in self.groups if group.header is header)

    def all_findings(self) -> Iterable[Finding]:
        yield from self.findings
        for group in self.groups:
            yield from group.findings
        for message in self.messages:
            yield from message.findings
