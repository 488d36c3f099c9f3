"""The envelopes of one interchange while it is being read: what is open, what was counted, what is wrong.

ISO 9735 §6.1: UNB (UNG (UNH .. UNT)+ UNE)+ UNZ, or UNB (UNH .. UNT)+ UNZ. Each header has a trailer that
repeats its reference and counts what stands between: `ENVELOPES` is that, one row an envelope.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from edi_gateway.edifact import rules
from edi_gateway.edifact.characters import CHARACTER_SETS
from edi_gateway.edifact.envelope import (
    SYNTAX_VERSIONS,
    check_service_segment,
    group_header,
    interchange_header,
    message_header,
)
from edi_gateway.edifact.events import (
    Event,
    Findings,
    GroupEnded,
    GroupStarted,
    InterchangeEnded,
    InterchangeStarted,
    MessageRead,
)
from edi_gateway.edifact.findings import Finding, Rule
from edi_gateway.edifact.limits import ReaderLimits
from edi_gateway.edifact.segment import Segment, Separators
from edi_gateway.edifact.verdict import GroupHeader, Message

INTERCHANGE_HEADER = "UNB"


@dataclass(frozen=True, slots=True)
class Envelope:
    """A trailer: its count is element 2, its reference element 3; `counts` is as 0098 counts."""

    trailer: str
    missing: Rule
    count: Rule
    reference: Rule


ENVELOPES = {
    "UNH": Envelope("UNT", rules.UNT_MISSING, rules.UNT_COUNT, rules.UNT_REFERENCE),
    "UNG": Envelope("UNE", rules.UNE_MISSING, rules.UNE_COUNT, rules.UNE_REFERENCE),
    "UNB": Envelope("UNZ", rules.UNZ_MISSING, rules.UNZ_COUNT, rules.UNZ_REFERENCE),
}
COUNT_ELEMENT = 2
REFERENCE_ELEMENT = 3


class OpenInterchange:
    """One interchange, from its UNB to its UNZ or to where it breaks off.

    `message` is the open message, None outside of one; the reader adds plain segments to it itself and hands
    everything else to `take`. `ended` says that the interchange is over.
    """

    def __init__(self, unb: Segment, separators: Separators, una: str, limits: ReaderLimits) -> None:
        self.header = interchange_header(unb)
        self.separators = separators
        self.message: Message | None = None
        self.ended = False
        self.is_endless = False  # whether a limit is passed beyond which nothing more is to be read
        self.barren_from: int | None = None  # the offset from which nothing was kept, if that is why
        self._una = una
        self._unb = unb
        self._has_header = len(unb.elements) > 1  # not where messages stand in no interchange
        self._limits = limits
        self._findings = Findings()
        self._message_findings = Findings()
        self._group: GroupHeader | None = None
        self._group_findings = Findings()
        self._group_messages = 0
        self._groups = 0
        self._messages = 0
        self._messages_outside_groups = 0
        self._references: set[str] = set()
        self._group_references: set[str] = set()
        self._left_out = 0  # segments of the open message beyond the limit
        self._left_out_from = 0  # the offset of the first of them
        self._astray_from: int | None = None  # where a run of segments outside of any message begins
        self._astray = 0  # how many they are

    def start(self, findings: list[Finding]) -> list[Event]:
        """The event of UNB, with what is wrong with it and with UNA."""
        self._findings.extend(findings)
        if self._has_header:
            self._findings.extend(check_service_segment(self._unb, self.header.syntax_version))
            self._findings.extend(self._syntax_findings())
        return [InterchangeStarted(self.header, self.separators, self._una, self._unb)]

    def _syntax_findings(self) -> list[Finding]:
        header, found = self.header, []
        if header.syntax_identifier and header.syntax_identifier not in CHARACTER_SETS:
            known = ", ".join(CHARACTER_SETS)
            found.append(self._at(rules.SYNTAX_IDENTIFIER_UNKNOWN, self._unb, 2, header.syntax_identifier, known))
        if header.syntax_version and header.syntax_version not in SYNTAX_VERSIONS:
            known = ", ".join(SYNTAX_VERSIONS)
            found.append(self._at(rules.SYNTAX_VERSION_UNKNOWN, self._unb, 2, header.syntax_version, known))
        return found

    @staticmethod
    def _at(rule: Rule, segment: Segment, element: int | None, value: str, expected: str = "") -> Finding:
        return Finding(
            rule, segment.tag, segment.position or None, element, None, segment.offset, value or None, expected or None
        )

    def next_position(self, tag: str) -> int:
        """The position (0096) of a segment with this tag if it comes next; 0 outside of a message."""
        if tag == "UNH":
            return 1
        return self.message.count + self._left_out + 1 if self.message else 0

    def take(self, segment: Segment, findings: list[Finding]) -> list[Event]:
        """One more segment, with what was odd about its text."""
        handle = _HANDLERS.get(segment.tag)
        if handle is None:
            self._take_data(segment)
            self._innermost().extend(findings)
            return []
        return handle(self, segment, findings)

    def _innermost(self) -> Findings:
        if self.message is not None:
            return self._message_findings
        return self._group_findings if self._group is not None else self._findings

    def _take_data(self, segment: Segment) -> None:
        message, limits = self.message, self._limits
        if message is None:
            self._report_stray(segment)
            return
        too_many = message.count >= limits.message_segments_max
        if not too_many and segment.offset + len(segment.raw) - message.first.offset <= limits.message_bytes_max:
            message.add(segment)
            return
        if not self._left_out:
            rule, limit = (
                (rules.MESSAGE_TOO_LONG, limits.message_segments_max)
                if too_many
                else (rules.MESSAGE_TOO_LARGE, limits.message_bytes_max)
            )
            self._message_findings.add(self._at(rule, segment, None, "", str(limit)))
            self._left_out_from = segment.offset
        self._left_out += 1
        self._bound(segment, self._left_out_from, self._left_out)

    def _report_stray(self, segment: Segment) -> None:
        """0085 = 33 is reported one level above: by the group, or by the interchange. One finding a run of them."""
        if self._astray_from is None:
            self._innermost().add(self._at(rules.STRAY_SEGMENTS, segment, None, ""))
            self._astray_from, self._astray = segment.offset, 0
        self._astray += 1
        self._bound(segment, self._astray_from, self._astray)

    def _bound(self, segment: Segment, barren_from: int, count: int) -> None:
        """Segments of which none is kept may go on, but not without end."""
        limits = self._limits
        if segment.offset - barren_from > limits.barren_bytes_max or count > limits.barren_segments_max:
            self.is_endless, self.barren_from = True, barren_from

    def _bound_count(self, count: int, segment: Segment) -> None:
        """There may be no more messages or groups than UNZ can count."""
        if count > self._limits.interchange_messages_max:
            limit = str(self._limits.interchange_messages_max)
            self._findings.add(self._at(rules.TOO_MANY_MESSAGES, segment, None, "", limit))
            self.is_endless = True

    def _take_ung(self, segment: Segment, findings: list[Finding]) -> list[Event]:
        self._astray_from = None
        events = [*self._end_message(None), *self._end_group(None)]
        if self._messages_outside_groups:
            self._findings.add(self._at(rules.GROUPS_AND_MESSAGES_MIXED, segment, None, ""))
        self._group = group_header(segment)
        self._group_findings = Findings()
        self._group_messages = 0
        self._groups += 1
        self._bound_count(self._groups, segment)
        self._group_findings.extend(findings)
        self._group_findings.extend(check_service_segment(segment, self.header.syntax_version))
        if self._group.reference and self._group.reference in self._group_references:
            self._group_findings.add(self._at(rules.GROUP_REFERENCE_REPEATED, segment, 6, self._group.reference))
        self._group_references.add(self._group.reference)
        return [*events, GroupStarted(self._group, segment)]

    def _take_unh(self, segment: Segment, findings: list[Finding]) -> list[Event]:
        self._astray_from = None
        events = self._end_message(None)
        self._messages += 1
        self._bound_count(self._messages, segment)
        if self._group is not None:
            self._group_messages += 1
        else:
            self._messages_outside_groups += 1
            if self._groups:
                self._findings.add(self._at(rules.GROUPS_AND_MESSAGES_MIXED, segment, None, ""))
        self._message_findings = Findings()
        self._left_out = 0
        header = message_header(segment)
        self.message = Message(header, [segment], self._group, self._message_findings.listed)
        self._message_findings.extend(findings)
        self._message_findings.extend(check_service_segment(segment, self.header.syntax_version))
        self._check_reference(segment, header.reference)
        if self._group is not None and self._group.identification not in ("", header.type):
            self._group_findings.add(
                self._at(rules.GROUP_MIXED_TYPES, segment, 3, header.type, self._group.identification)
            )
        return events

    def _check_reference(self, segment: Segment, reference: str) -> None:
        if reference in self._references:
            self._message_findings.add(self._at(rules.REFERENCE_REPEATED, segment, 2, reference))
        elif reference:
            self._references.add(reference)

    def _take_unt(self, segment: Segment, findings: list[Finding]) -> list[Event]:
        if self.message is None:
            self._report_stray(segment)
            return []
        segment.position = self.next_position(segment.tag)
        self._message_findings.extend(findings)
        self.message.add(segment)
        return self._end_message(segment)

    def _take_une(self, segment: Segment, findings: list[Finding]) -> list[Event]:
        events = self._end_message(None)
        if self._group is None:
            self._report_stray(segment)
            return events
        self._astray_from = None
        self._group_findings.extend(findings)
        return [*events, *self._end_group(segment)]

    def _take_unz(self, segment: Segment, findings: list[Finding]) -> list[Event]:
        events = [*self._end_message(None), *self._end_group(None)]
        self._findings.extend(findings)
        return [*events, *self._end(segment)]

    def _end_message(self, unt: Segment | None) -> list[Event]:
        message = self.message
        if message is None:
            return []
        count = message.count + self._left_out
        faults = self._trailer_findings(message.first, unt, count, message.header.reference)
        self._message_findings.extend(faults)
        self.message = None
        return [MessageRead(message)]

    def _end_group(self, une: Segment | None) -> list[Event]:
        group = self._group
        if group is None:
            return []
        faults = self._trailer_findings(_named("UNG"), une, self._group_messages, group.reference)
        self._group_findings.extend(faults)
        if not self._group_messages:
            self._group_findings.add(Finding(rules.GROUP_EMPTY, "UNG", value=group.reference))
        self._group = None
        return [GroupEnded(group, tuple(self._group_findings.listed), une)]

    def _end(self, unz: Segment | None) -> list[Event]:
        count = self._groups or self._messages
        if self._has_header:
            self._findings.extend(self._trailer_findings(self._unb, unz, count, self.header.control_reference))
        if not count and unz is not None:
            self._findings.add(Finding(rules.INTERCHANGE_EMPTY, "UNB", value=self.header.control_reference))
        self.ended = True
        return [InterchangeEnded(tuple(self._findings.listed), unz)]

    def break_off(self) -> list[Event]:
        """The events of an interchange that ends without UNZ."""
        return [*self._end_message(None), *self._end_group(None), *self._end(None)]

    def note_empty_segment(self, offset: int) -> None:
        """There may be millions of them: none is made into a finding that would not be listed."""
        scope = self._innermost()
        if not scope.is_full(rules.EMPTY_SEGMENT):
            scope.add(Finding(rules.EMPTY_SEGMENT, offset=offset))

    def has_said(self, rule: Rule) -> bool:
        """Whether the open message has a finding of this rule, one that is said once."""
        return self.message is not None and self._message_findings.has(rule)

    def note_envelope(self, finding: Finding) -> None:
        """A finding about the interchange as a whole."""
        self._findings.add(finding)

    def _trailer_findings(self, header: Segment, trailer: Segment | None, count: int, reference: str) -> list[Finding]:
        envelope = ENVELOPES[header.tag]
        if trailer is None:
            last = count if header.tag == "UNH" else None
            return [Finding(envelope.missing, envelope.trailer, last, value=reference or None)]
        found = check_service_segment(trailer, self.header.syntax_version)
        stated, repeated = trailer.get(COUNT_ELEMENT - 1), trailer.get(REFERENCE_ELEMENT - 1)
        if stated and _number(stated) != count:
            found.append(self._at(envelope.count, trailer, COUNT_ELEMENT, stated, str(count)))
        if repeated and repeated != reference:
            found.append(self._at(envelope.reference, trailer, REFERENCE_ELEMENT, repeated, reference))
        return found


def _named(tag: str) -> Segment:
    return Segment(tag, [[tag]])


def _number(text: str) -> int | None:
    """A control count as a number; leading zeros are tolerated. Longer ones than any count are None."""
    return int(text) if len(text) <= 18 and text.isascii() and text.isdigit() else None


_HANDLERS: dict[str, Callable[[OpenInterchange, Segment, list[Finding]], list[Event]]] = {
    "UNG": OpenInterchange._take_ung,
    "UNH": OpenInterchange._take_unh,
    "UNT": OpenInterchange._take_unt,
    "UNE": OpenInterchange._take_une,
    "UNZ": OpenInterchange._take_unz,
}
SERVICE_TAGS = frozenset(_HANDLERS) | {INTERCHANGE_HEADER}
