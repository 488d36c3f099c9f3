"""CONTRL, the syntax acknowledgement: made from a verdict, and read from a partner.

CONTRL speaks of syntax only; agreement with the content is the matter of APERAK and of the business
messages. One CONTRL answers one interchange (UCI); it names what it rejects: functional groups (UCF),
messages (UCM), segments (UCS) and data elements (UCD), each level with one error code (0085) at most.
What is not named is acknowledged. Errors of UNA, UNB and UNZ stand in UCI, of UNG and UNE in UCF, of UNH
and UNT in UCM, all others below. The same segments serve CONTRL 2:2, D:3 and 4:1.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from enum import StrEnum
from itertools import groupby

from edi_gateway.edifact.characters import CHARACTER_SETS
from edi_gateway.edifact.envelope import SYNTAX_VERSIONS
from edi_gateway.edifact.findings import Finding
from edi_gateway.edifact.segment import Segment
from edi_gateway.edifact.verdict import (
    Address,
    GroupVerdict,
    InterchangeHeader,
    InterchangeVerdict,
    Message,
    MessageHeader,
    MessageVerdict,
)

MESSAGE_TYPE = "CONTRL"

SEGMENTS_PER_MESSAGE_MAX = 999
"""UCS under one UCM (segment group 2)."""

ELEMENTS_PER_SEGMENT_MAX = 99
"""UCD under one UCS."""

MESSAGES_MAX = 999_999
"""UCM in one CONTRL (segment group 1)."""

UNSPECIFIED = "18"
"""0085 for an error of syntax that has no code of its own."""

ACKNOWLEDGEMENT_ASKED = "1"
"""0031: the sender wants a CONTRL that acknowledges or rejects."""

RECEIPT_ASKED = "2"
"""0031 from syntax 4 on: the sender wants to know that the interchange arrived, no more."""


class Action(StrEnum):
    """Data element 0083. We send 4, 7 and 8; the others were withdrawn in D.01A and are understood."""

    ALL_ACKNOWLEDGED = "1"
    ACKNOWLEDGED_WITH_ERRORS = "2"
    SOME_REJECTED = "3"
    REJECTED = "4"
    ENVELOPE_ACCEPTED = "5"
    ENVELOPE_REJECTED = "6"
    ACKNOWLEDGED = "7"
    RECEIVED = "8"

    @property
    def rejects(self) -> bool:
        """Whether all that stands below is refused."""
        return self in (Action.REJECTED, Action.ENVELOPE_REJECTED)


_ACTIONS = {action.value: action for action in Action}

# The version of CONTRL that a sender of this syntax version reads (0052, 0054), and EANCOM's
# association code for it (0057).
_VERSIONS = {"1": ("2", "2", "EAN002"), "2": ("2", "2", "EAN002"), "3": ("D", "3", "EAN004"), "4": ("4", "1", "")}

# The service segments that each level may name (0013; 0135 in 4:1). Groups mixed with messages are an
# error of the interchange, found at the UNG or UNH that does not fit.
_OF_INTERCHANGE = frozenset({"UNA", "UNB", "UNZ", "UNG", "UNH"})
_OF_GROUP = frozenset({"UNG", "UNE"})
_OF_MESSAGE = frozenset({"UNH", "UNT"})

_NOT_IN_SYNTAX_4 = {"19": "37", "27": "18", "31": "18", "34": "16", "38": "37", "41": "18", "42": "18", "43": "18"}
"""0085: codes that the list of syntax 4 no longer has, and the nearest that it has."""

_CODE_AT = {"UCI": 5, "UCF": 5, "UCM": 4, "UCS": 2, "UCD": 1}
"""Where 0085 stands, the tag being 0."""

FIRST_BEYOND_LATIN_1 = 0x100


# Out


def needs_answer(verdict: InterchangeVerdict, *, agreed: bool = False) -> bool:
    """Whether a CONTRL is to be sent: it is asked for (0031) or agreed.

    Never for a CONTRL, and not if there is no UNB, or none that could be read.
    """
    header = verdict.header
    if header is None or not (header.sender.identifier or header.control_reference):
        return False
    if verdict.messages and all(_is_contrl(message) for message in verdict.messages):
        return False
    return agreed or header.acknowledgement_request in (ACKNOWLEDGEMENT_ASKED, RECEIPT_ASKED)


def contrl_header(verdict: InterchangeVerdict, reference: str) -> MessageHeader:
    """UNH of the answer, in the version that the sender's syntax asks for; `reference` is its 0062."""
    syntax_version = verdict.header.syntax_version if verdict.header else ""
    eancom = [message.header for message in verdict.messages if message.header.association.startswith("EAN")]
    if syntax_version == "3" and any(header.release == "96A" for header in eancom):
        syntax_version = "2"  # EANCOM 1997 has CONTRL 2:2, whatever its UNB declares
    version, release, association = _VERSIONS.get(syntax_version, _VERSIONS["3"])
    return MessageHeader(reference, MESSAGE_TYPE, version, release, "UN", association if eancom else "")


def envelope(verdict: InterchangeVerdict, *, date: str, time: str, control_reference: str) -> InterchangeHeader:
    """UNB of the answer: from the subject's recipient to its sender, and asking for no answer."""
    subject = _header(verdict)
    known = subject.syntax_identifier in CHARACTER_SETS and subject.syntax_version in SYNTAX_VERSIONS
    return InterchangeHeader(
        syntax_identifier=subject.syntax_identifier if known else "UNOC",
        syntax_version=subject.syntax_version if known else "3",
        sender=_sendable(subject.recipient),
        recipient=_sendable(subject.sender),
        date=date,
        time=time,
        control_reference=control_reference,
        test_indicator=_printable(subject.test_indicator),
    )


def answer(verdict: InterchangeVerdict) -> list[Segment]:
    """The body of the CONTRL that answers an interchange: UCI, and what it rejects.

    Raises ValueError if UNB could not be read: there is nobody to answer then (see `needs_answer`).
    """
    body = _answer(verdict, _header(verdict))
    return [_in_syntax_4(segment) for segment in body] if _header(verdict).syntax_version == "4" else body


def _answer(verdict: InterchangeVerdict, header: InterchangeHeader) -> list[Segment]:
    if verdict.rejected:
        return [_uci(header, Action.REJECTED, _first_error(verdict.findings), _OF_INTERCHANGE)]
    rejections = list(_rejections(verdict))
    if not rejections and header.acknowledgement_request == RECEIPT_ASKED:
        return [_uci(header, Action.RECEIVED)]
    return [_uci(header, Action.ACKNOWLEDGED), *rejections]


def receipt(header: InterchangeHeader) -> list[Segment]:
    """The body of the CONTRL that says an interchange has arrived; the acknowledgement or rejection follows."""
    return [_uci(header, Action.RECEIVED)]


def _header(verdict: InterchangeVerdict) -> InterchangeHeader:
    if verdict.header is None:
        raise ValueError("an interchange whose UNB could not be read has no sender to answer")
    return verdict.header


def _is_contrl(message: MessageVerdict) -> bool:
    return message.header.type == MESSAGE_TYPE


def _rejections(verdict: InterchangeVerdict) -> Iterator[Segment]:
    """Segment groups 1 and 3: messages outside of groups, then groups with their messages."""
    members: dict[int, list[MessageVerdict]] = {}  # by the identity of their group: two may have equal headers
    for message in verdict.messages:
        members.setdefault(id(message.message.group), []).append(message)
    yield from _rejected_messages(members.get(id(None), ()))
    for group in verdict.groups:
        if group.rejected:
            yield _ucf(group, Action.REJECTED)
        elif below := list(_rejected_messages(members.get(id(group.header), ()))):
            yield _ucf(group, Action.ACKNOWLEDGED)
            yield from below


def _rejected_messages(messages: Iterable[MessageVerdict]) -> Iterator[Segment]:
    for message in messages:
        errors = [finding for finding in message.findings if finding.is_error and finding.is_of_syntax]
        if errors and not _is_contrl(message):
            yield from _rejected_message(message.header, errors)


def _rejected_message(header: MessageHeader, errors: Sequence[Finding]) -> Iterator[Segment]:
    below = [finding for finding in errors if finding.segment not in _OF_MESSAGE and finding.position is not None]
    of_message = [finding for finding in errors if finding.segment in _OF_MESSAGE or finding.position is None]
    yield _ucm(header, next(iter(of_message), None))
    below.sort(key=lambda finding: finding.position or 0)
    segments = 0
    for position, findings in groupby(below, key=lambda finding: finding.position):
        for segment_errors in _per_segment(list(findings)):
            segments += 1
            if segments > SEGMENTS_PER_MESSAGE_MAX:
                return
            yield from _ucs(position or 0, segment_errors)


def _per_segment(findings: list[Finding]) -> Iterator[list[Finding]]:
    """What stands under one UCS each: it has room for one error of the segment, and for those of its elements."""
    of_segment = [finding for finding in findings if finding.element is None]
    of_elements = [finding for finding in findings if finding.element is not None]
    yield of_segment[:1] + of_elements
    for finding in of_segment[1:]:
        yield [finding]


def _ucs(position: int, findings: Sequence[Finding]) -> Iterator[Segment]:
    of_segment = [finding for finding in findings if finding.element is None]
    of_elements = [finding for finding in findings if finding.element is not None]
    code = [[_code(of_segment[0])]] if of_segment else []
    yield Segment("UCS", [["UCS"], [str(position)], *code])
    for finding in of_elements[:ELEMENTS_PER_SEGMENT_MAX]:
        yield Segment("UCD", [["UCD"], [_code(finding)], _place(finding)])


def _uci(
    header: InterchangeHeader, action: Action, error: Finding | None = None, named: frozenset[str] = frozenset()
) -> Segment:
    subject = [[_repeated(header.control_reference, 14)], _address(header.sender), _address(header.recipient)]
    return Segment("UCI", [["UCI"], *subject, [action.value], *_error(error, named)])


def _ucf(group: GroupVerdict, action: Action) -> Segment:
    header = group.header
    subject = [[_repeated(header.reference, 14)], _address(header.sender)[:2], _address(header.recipient)[:2]]
    error = _first_error(group.findings) if action is Action.REJECTED else None
    return Segment("UCF", [["UCF"], *subject, [action.value], *_error(error, _OF_GROUP)])


def _ucm(header: MessageHeader, error: Finding | None) -> Segment:
    identifier = [
        _repeated(header.type, 6),
        _repeated(header.version, 3),
        _repeated(header.release, 3),
        _repeated(header.agency, 2, needed=False) or "UN",
        _repeated(header.association, 6, needed=False),
    ]
    subject = [[_repeated(header.reference, 14)], identifier]
    return Segment("UCM", [["UCM"], *subject, [Action.REJECTED.value], *_error(error, _OF_MESSAGE)])


def _error(error: Finding | None, named: frozenset[str]) -> list[list[str]]:
    """0085, 0013 and S011: 0013 depends on 0085, S011 on both (CONTRL 4:1, dependency notes)."""
    if error is None:
        return []
    if error.segment not in named:
        return [[_code(error)]]
    return [[_code(error)], [error.segment or ""], *([_place(error)] if error.element is not None else [])]


def _in_syntax_4(segment: Segment) -> Segment:
    """The same with the codes that CONTRL 4:1 has; its list of service segments (0135) is without UNA."""
    place = _CODE_AT[segment.tag]
    elements = segment.elements
    if place < len(elements):
        elements[place] = [_NOT_IN_SYNTAX_4.get(segment.get(place), segment.get(place))]
        if segment.get(place + 1) == "UNA":
            del elements[place + 1 :]
    return segment


def _first_error(findings: Iterable[Finding]) -> Finding | None:
    return next((finding for finding in findings if finding.is_error), None)


def _code(finding: Finding) -> str:
    return finding.contrl or UNSPECIFIED


def _place(finding: Finding) -> list[str]:
    """S011: the element (0098), and the component (0104) if the element is a composite."""
    place = [str(finding.element)]
    return place if finding.component is None else [*place, str(finding.component)]


def _address(address: Address) -> list[str]:
    return [
        _repeated(address.identifier, 35),
        _repeated(address.qualifier, 4, needed=False),
        _repeated(address.routing, 14, needed=False),
    ]


def _sendable(address: Address) -> Address:
    """The address, without characters that no interchange may hold: damaged as it was, it names nobody better."""
    return Address(_printable(address.identifier), _printable(address.qualifier), _printable(address.routing))


def _printable(value: str) -> str:
    return value if value.isprintable() else "".join(c if c.isprintable() else "." for c in value)


def _repeated(value: str, length: int, *, needed: bool = True) -> str:
    """A value of the subject as it was received, as far as a CONTRL can hold it.

    What is too long is cut, a character that not every set of UNOC holds becomes a point, and a mandatory value that
    was not sent is "0": the segments of a CONTRL have no way to say so, and an answer that nobody can read is none.
    """
    said = "".join(c if c.isprintable() and ord(c) < FIRST_BEYOND_LATIN_1 else "." for c in value[:length]).strip()
    return said or ("0" if needed else "")


# In


@dataclass(frozen=True, slots=True)
class ReportedError:
    """An error that a CONTRL reports at one level: 0085, 0013 and S011, "" or None where not given."""

    code: str
    service_segment: str = ""
    element: int | None = None
    component: int | None = None


@dataclass(frozen=True, slots=True)
class SegmentReport:
    """UCS: a segment of our message by its position (0096, UNH = 1), its error, and those of its elements (UCD)."""

    position: int | None
    error: ReportedError | None
    elements: tuple[ReportedError, ...] = ()


@dataclass(frozen=True, slots=True)
class MessageReport:
    """UCM: one of our messages."""

    header: MessageHeader
    action: Action | None
    error: ReportedError | None
    segments: tuple[SegmentReport, ...] = ()

    @property
    def rejected(self) -> bool:
        return self.action is not None and self.action.rejects


@dataclass(frozen=True, slots=True)
class GroupReport:
    """UCF: one of our functional groups."""

    reference: str
    action: Action | None
    error: ReportedError | None
    messages: tuple[MessageReport, ...] = ()

    @property
    def rejected(self) -> bool:
        return self.action is not None and self.action.rejects


@dataclass(frozen=True, slots=True)
class Acknowledgement:
    """What a received CONTRL says about an interchange that we sent.

    `action` is None where the code is unknown; so in the reports below.
    """

    control_reference: str  # 0020 of our interchange
    sender: Address  # as we sent it: ourselves
    recipient: Address
    action: Action | None
    error: ReportedError | None
    messages: tuple[MessageReport, ...] = ()
    groups: tuple[GroupReport, ...] = ()

    @property
    def rejected(self) -> bool:
        """Whether the whole interchange was refused."""
        return self.action is not None and self.action.rejects

    @property
    def is_receipt(self) -> bool:
        """Whether it says only that the interchange arrived; the acknowledgement may follow."""
        return self.action is Action.RECEIVED

    @property
    def positive(self) -> bool:
        """Whether everything was acknowledged."""
        return self.action is not None and not self.rejected and not self.is_receipt and not self._rejects_below()

    def _rejects_below(self) -> bool:
        reports = [*self.messages, *(message for group in self.groups for message in group.messages)]
        return any(report.rejected for report in reports) or any(group.rejected for group in self.groups)

    def report_on(self, message_reference: str, group_reference: str = "") -> MessageReport | None:
        """What is said of one message by its 0062, and of its group by its 0048; None if it is not named."""
        of_groups = [group.messages for group in self.groups if group.reference == group_reference]
        named = self.messages if not group_reference else [report for reports in of_groups for report in reports]
        return next((report for report in named if report.header.reference == message_reference), None)

    def accepts(self, message_reference: str, group_reference: str = "") -> bool:
        """Whether one message of ours was acknowledged, by name or because nothing above or at it was rejected."""
        if self.action is None or self.rejected or self.is_receipt:
            return False
        if any(group.rejected for group in self.groups if group.reference == group_reference):
            return False
        report = self.report_on(message_reference, group_reference)
        return report is None or not report.rejected


class ContrlUnreadable(ValueError):
    """A message that is no CONTRL, or one without UCI: it does not say which interchange it answers."""


def read(message: Message) -> Acknowledgement:
    """What a received CONTRL says; raises `ContrlUnreadable` if it does not name an interchange.

    Tolerant: unknown codes are kept, errors may stand at more levels than the standard has it.
    """
    body = [segment for segment in message.segments if segment.tag in _REPORTING]
    if message.header.type != MESSAGE_TYPE or not body or body[0].tag != "UCI":
        raise ContrlUnreadable(
            f"message {message.header.reference} of type {message.header.type} is no readable CONTRL: "
            "CONTRL begins with UCI, which repeats the control reference of the interchange that it answers"
        )
    uci, *rest = body
    bare, *grouped = _split_before(rest, "UCF")
    return Acknowledgement(
        control_reference=uci.get(1),
        sender=Address(uci.get(2, 1), uci.get(2, 2), uci.get(2, 3)),
        recipient=Address(uci.get(3, 1), uci.get(3, 2), uci.get(3, 3)),
        action=_action(uci.get(4)),
        error=_reported(uci, 5),
        messages=_message_reports(bare),
        groups=tuple(_group_report(segments) for segments in grouped),
    )


_REPORTING = frozenset({"UCI", "UCF", "UCM", "UCS", "UCD"})


def _split_before(segments: Sequence[Segment], tag: str) -> list[list[Segment]]:
    """The segments before the first with this tag, then one list from each of them on."""
    runs: list[list[Segment]] = [[]]
    for segment in segments:
        if segment.tag == tag:
            runs.append([])
        runs[-1].append(segment)
    return runs


def _group_report(segments: list[Segment]) -> GroupReport:
    ucf, *below = segments
    return GroupReport(ucf.get(1), _action(ucf.get(4)), _reported(ucf, 5), _message_reports(below))


def _message_reports(segments: Sequence[Segment]) -> tuple[MessageReport, ...]:
    return tuple(_message_report(run) for run in _split_before(segments, "UCM")[1:])


def _message_report(segments: list[Segment]) -> MessageReport:
    ucm, *below = segments
    header = MessageHeader(ucm.get(1), ucm.get(2, 1), ucm.get(2, 2), ucm.get(2, 3), ucm.get(2, 4), ucm.get(2, 5))
    reports = tuple(_segment_report(run) for run in _split_before(below, "UCS")[1:])
    return MessageReport(header, _action(ucm.get(3)), _reported(ucm, 4), reports)


def _segment_report(segments: list[Segment]) -> SegmentReport:
    ucs, *below = segments
    error = ReportedError(ucs.get(2)) if ucs.get(2) else None
    elements = tuple(ReportedError(ucd.get(1), "", _number(ucd.get(2, 1)), _number(ucd.get(2, 2))) for ucd in below)
    return SegmentReport(_number(ucs.get(1)), error, elements)


def _reported(segment: Segment, element: int) -> ReportedError | None:
    """0085, 0013 and S011, which stand in this order from this element on."""
    code, service_segment = segment.get(element), segment.get(element + 1)
    if not code and not service_segment:
        return None
    place = (_number(segment.get(element + 2, 1)), _number(segment.get(element + 2, 2)))
    return ReportedError(code, service_segment, *place)


def _action(code: str) -> Action | None:
    return _ACTIONS.get(code)


def _number(text: str) -> int | None:
    return int(text) if text.isascii() and text.isdigit() and len(text) <= 9 else None
