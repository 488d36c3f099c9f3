"""CONTRL: what we answer to an interchange's syntax, and what a partner's CONTRL says about ours.

Theory of operation
-------------------
An answer is a rendering of findings, never a second judgement. Each error goes to the level where it stands
(CONTRL D.3, and the rules for its use in ISO 9735-1, part 4 of the directory):

    UNA, UNB, UNZ     UCI   the interchange; action 4 refuses all of it, and nothing more is said
    UNG, UNE          UCF   the group
    UNH, UNT          UCM   the message
    any other         UCS   the segment, by its position (UNH = 1); a missing one is told at the last one before it
                      UCD   below it, the element (0098, the tag being 1) and component (0104) at fault

Each of UCI, UCF and UCM carries one code. In an interchange that is accepted (UCI 7) only what is refused is named.
The header version follows the sender: syntax 4 has its own CONTRL, EANCOM 1997 speaks of ``2:2``, all else of ``D:3``.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from enum import StrEnum
from itertools import groupby, islice

from edi_gateway.edifact.findings import Finding
from edi_gateway.edifact.segment import Segment
from edi_gateway.edifact.verdict import (
    Address,
    InterchangeVerdict,
    Message,
    MessageHeader,
    MessageVerdict,
)

CONTRL = "CONTRL"
SEGMENTS_MAX = 999  # UCS in one message (SG2)
ELEMENTS_MAX = 99  # UCD in one segment
MESSAGES_MAX = 999_999  # UCM, UCF (SG1, SG3)

UNSPECIFIED = "18"
_PLACEHOLDER = "0"
"""For what must be repeated and was not sent: the segments of a CONTRL have no way to say so."""

_MESSAGE_ENVELOPE = frozenset({"UNH", "UNT"})
_GROUP_ENVELOPE = frozenset({"UNG", "UNE"})
_INTERCHANGE_ENVELOPE = frozenset({"UNA", "UNB", "UNZ"})

# 0085: codes that only the other syntax knows, and what is said instead.
_NOT_IN_SYNTAX_4 = {"19": "12", "27": "47", "31": "15", "34": "15", "38": "12", "41": "18", "42": "18", "43": "18"}
_NOT_IN_SYNTAX_3 = {"45": "16", "46": "2", "47": "27", "48": "12"}


class Action(StrEnum):
    """0083. What a partner sends besides is read as one of these (EANCOM's 6; 1, 2, 3, 5 before D.01A)."""

    REJECTED = "4"
    ACKNOWLEDGED = "7"
    RECEIVED = "8"


# --- out -----------------------------------------------------------------------------------------


def needs_answer(verdict: InterchangeVerdict) -> bool:
    """Whether a CONTRL may be sent: there is an interchange to speak of, and it is no acknowledgement itself."""
    if verdict.header is None:
        return False
    return not verdict.messages or any(message.header.type != CONTRL for message in verdict.messages)


def contrl_header(verdict: InterchangeVerdict, reference: str) -> MessageHeader:
    """UNH of the answer, in the version that the sender uses."""
    syntax = verdict.header.syntax_version if verdict.header is not None else "3"
    if syntax == "4":
        return MessageHeader(reference, CONTRL, "4", "1")
    identified = [message.header for message in verdict.messages]
    if syntax in ("1", "2") or any(h.release == "96A" and h.association.startswith("EAN") for h in identified):
        return MessageHeader(reference, CONTRL, "2", "2", association="EAN002")
    eancom = any(header.association.startswith("EAN") for header in identified)
    return MessageHeader(reference, CONTRL, "D", "3", association="EAN004" if eancom else "")


def answer(verdict: InterchangeVerdict) -> list[Segment]:
    """The body of the CONTRL (UCI and what follows), without UNH and UNT. `verdict.header` must be there."""
    if verdict.header is None:
        raise ValueError("an interchange without UNB cannot be acknowledged")
    codes = _Codes(verdict.header.syntax_version)
    subject = [
        [_bounded(verdict.header.control_reference, 14)],
        _address(verdict.header.sender),
        _address(verdict.header.recipient),
    ]
    if verdict.rejected:
        return [codes.verdict("UCI", subject, _first(verdict.findings, _INTERCHANGE_ENVELOPE), _INTERCHANGE_ENVELOPE)]
    body = [_segment("UCI", *subject, [Action.ACKNOWLEDGED.value])]
    if verdict.groups:
        body += _groups(verdict, codes)
    else:
        body += _messages(verdict.messages, codes)
    return body


def _groups(verdict: InterchangeVerdict, codes: _Codes) -> Iterator[Segment]:
    """SG3: each group that is refused, or that holds a refused message."""
    for group in islice(verdict.groups, MESSAGES_MAX):
        messages = [message for message in verdict.messages if message.message.group is group.header]
        subject = [
            [_bounded(group.header.reference, 14)],
            _address(group.header.sender),
            _address(group.header.recipient),
        ]
        if group.rejected:
            yield codes.verdict("UCF", subject, _first(group.findings, _GROUP_ENVELOPE), _GROUP_ENVELOPE)
        elif not all(message.valid for message in messages):
            yield _segment("UCF", *subject, [Action.ACKNOWLEDGED.value])
            yield from _messages(messages, codes)


def _messages(messages: Iterable[MessageVerdict], codes: _Codes) -> Iterator[Segment]:
    """SG1 or SG4: each refused message, and in it each segment and element at fault."""
    for verdict in islice((message for message in messages if not message.valid), MESSAGES_MAX):
        errors = [finding for finding in verdict.findings if finding.is_error]
        inner = [finding for finding in errors if finding.contrl and finding.segment not in _MESSAGE_ENVELOPE]
        envelope = _first([finding for finding in errors if finding not in inner], _MESSAGE_ENVELOPE)
        subject = [[_bounded(verdict.header.reference, 14)], _identifier(verdict.header)]
        if envelope is None and inner:
            yield _segment("UCM", *subject, [Action.REJECTED.value])
        else:
            yield codes.verdict("UCM", subject, envelope, _MESSAGE_ENVELOPE)
        yield from islice(_segments(inner, codes), SEGMENTS_MAX * (1 + ELEMENTS_MAX))


def _segments(findings: Sequence[Finding], codes: _Codes) -> Iterator[Segment]:
    """UCS and UCD, in the order of the message. A segment with two errors of its own is named twice."""
    ordered = sorted(findings, key=lambda finding: finding.position or 1)
    segments = 0
    for position, group in groupby(ordered, key=lambda finding: finding.position or 1):
        of_segment: list[Finding] = []
        of_elements: list[Finding] = []
        for finding in group:
            (of_segment if finding.element is None else of_elements).append(finding)
        for own in of_segment[:-1]:
            segments += 1
            yield _segment("UCS", [str(position)], [codes.of(own)])
        segments += 1
        if segments > SEGMENTS_MAX:
            return
        yield _segment("UCS", [str(position)], [codes.of(of_segment[-1])] if of_segment else [])
        for finding in of_elements[:ELEMENTS_MAX]:
            yield _segment("UCD", [codes.of(finding)], _place(finding))


class _Codes:
    """The error codes of one syntax."""

    def __init__(self, syntax_version: str) -> None:
        self._instead = _NOT_IN_SYNTAX_4 if syntax_version == "4" else _NOT_IN_SYNTAX_3

    def of(self, finding: Finding) -> str:
        code = finding.contrl or UNSPECIFIED
        return self._instead.get(code, code)

    def verdict(self, tag: str, subject: list[list[str]], finding: Finding | None, places: frozenset[str]) -> Segment:
        """UCI, UCF or UCM with action 4, the code, and the place in the envelope's own segment."""
        rejected = [*subject, [Action.REJECTED.value]]
        if finding is None:
            return _segment(tag, *rejected, [UNSPECIFIED])
        if finding.segment not in places or finding.segment == "UNA":
            return _segment(tag, *rejected, [self.of(finding)])
        return _segment(tag, *rejected, [self.of(finding)], [finding.segment], _place(finding))


def _first(findings: Iterable[Finding], places: frozenset[str]) -> Finding | None:
    """The error that the one code of a level tells: one with a code and a place of its own first."""
    errors = [finding for finding in findings if finding.is_error]
    return min(errors, key=lambda f: (f.contrl is None, f.segment not in places), default=None)


def _place(finding: Finding) -> list[str]:
    """S011: 0098 and, within a composite, 0104."""
    if finding.element is None:
        return []
    return [str(finding.element)] + ([str(finding.component)] if finding.component is not None else [])


def _segment(tag: str, *elements: list[str]) -> Segment:
    return Segment(tag, [[tag], *elements])


def _address(address: Address) -> list[str]:
    parts = [_bounded(address.identifier, 35), _optional(address.qualifier, 4), _optional(address.routing, 14)]
    return _trimmed(parts)


def _identifier(header: MessageHeader) -> list[str]:
    """S009 as received."""
    return _trimmed(
        [
            _bounded(header.type, 6),
            _bounded(header.version, 3),
            _bounded(header.release, 3),
            _bounded(header.agency, 2),
            _optional(header.association, 6),
        ]
    )


def _bounded(value: str, length: int) -> str:
    """A mandatory value as it was received, as far as a CONTRL can hold it."""
    return _optional(value, length) or _PLACEHOLDER


def _optional(value: str, length: int) -> str:
    return "".join(c if c.isprintable() and ord(c) < 256 else "." for c in value[:length]).strip()


def _trimmed(parts: list[str]) -> list[str]:
    while parts and not parts[-1]:
        parts.pop()
    return parts


# --- in ------------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class SegmentError:
    """UCS, or UCD below it: where in our message, and what (0085; "" where only its elements are at fault)."""

    position: int | None
    code: str
    element: int | None = None
    component: int | None = None


@dataclass(frozen=True, slots=True)
class SubjectError:
    """The one code of UCI, UCF or UCM, and the place that it names."""

    code: str = ""
    segment: str = ""
    element: int | None = None
    component: int | None = None


@dataclass(frozen=True, slots=True)
class MessageAcknowledgement:
    """UCM: what became of one message of ours. `action` is None where 0083 is unknown."""

    reference: str  # 0062
    type: str  # 0065
    action: Action | None
    error: SubjectError
    errors: tuple[SegmentError, ...] = ()
    group: str = ""  # 0048 of the UCF it stands under

    @property
    def code(self) -> str:
        """The code that tells most: the message's own, else the first below it."""
        return self.error.code or next((error.code for error in self.errors if error.code), "")


@dataclass(frozen=True, slots=True)
class GroupAcknowledgement:
    """UCF: what became of one group of ours."""

    reference: str  # 0048
    action: Action | None
    error: SubjectError


@dataclass(frozen=True, slots=True)
class Acknowledgement:
    """What a CONTRL says about one interchange of ours."""

    reference: str  # 0020
    sender: Address  # S002: who sent the interchange, so we
    recipient: Address  # S003
    action: Action | None
    error: SubjectError
    messages: tuple[MessageAcknowledgement, ...] = ()
    groups: tuple[GroupAcknowledgement, ...] = ()

    def of(self, message_reference: str, group_reference: str = "") -> MessageAcknowledgement | None:
        """What is said of one message by name."""
        for message in self.messages:
            if message.reference == message_reference and message.group == group_reference:
                return message
        return None

    def accepts(self, message_reference: str, group_reference: str = "") -> bool | None:
        """Whether one message is accepted; None while nothing decides it (a receipt, an unknown action).

        What is not named shares the fate of the level above.
        """
        if self.action is Action.REJECTED:
            return False
        levels: list[Action | None] = [self.action]
        levels += [group.action for group in self.groups if group.reference == group_reference]
        named = self.of(message_reference, group_reference)
        if named is not None:
            levels.append(named.action)
        if Action.REJECTED in levels:
            return False
        return True if levels[-1] is Action.ACKNOWLEDGED else None

    def code_of(self, message_reference: str, group_reference: str = "") -> str:
        """The 0085 code that explains a refusal; "" where none was given."""
        named = self.of(message_reference, group_reference)
        groups = [group.error.code for group in self.groups if group.reference == group_reference]
        codes = [named.code if named is not None else "", *groups, self.error.code]
        return next((code for code in codes if code), "")


_ACTIONS = {"4": Action.REJECTED, "6": Action.REJECTED, "7": Action.ACKNOWLEDGED, "8": Action.RECEIVED}


@dataclass(slots=True)
class _Reading:
    group: str = ""
    messages: list[MessageAcknowledgement] = field(default_factory=list)
    groups: list[GroupAcknowledgement] = field(default_factory=list)
    errors: list[SegmentError] = field(default_factory=list)

    def close_message(self) -> None:
        if self.messages and self.errors:
            last = self.messages[-1]
            self.messages[-1] = MessageAcknowledgement(
                last.reference, last.type, last.action, last.error, tuple(self.errors), last.group
            )
        self.errors = []


def read(message: Message) -> Acknowledgement:
    """What a CONTRL says. Never raises: what is missing is "" or None."""
    subject = next((segment for segment in message.segments if segment.tag == "UCI"), Segment("UCI", [["UCI"]]))
    reading = _Reading()
    for segment in message.segments:
        match segment.tag:
            case "UCF":
                reading.close_message()
                reading.group = segment.get(1)
                reading.groups.append(GroupAcknowledgement(segment.get(1), _action(segment, 4), _error(segment, 5)))
            case "UCM":
                reading.close_message()
                reading.messages.append(
                    MessageAcknowledgement(
                        segment.get(1), segment.get(2), _action(segment, 3), _error(segment, 4), (), reading.group
                    )
                )
            case "UCS":
                reading.errors.append(SegmentError(_number(segment.get(1)), segment.get(2)))
            case "UCD":
                position = reading.errors[-1].position if reading.errors else None
                place = (_number(segment.get(2)), _number(segment.get(2, 2)))
                reading.errors.append(SegmentError(position, segment.get(1), *place))
            case _:
                pass
    reading.close_message()
    return Acknowledgement(
        reference=subject.get(1),
        sender=_party(subject, 2),
        recipient=_party(subject, 3),
        action=_action(subject, 4),
        error=_error(subject, 5),
        messages=tuple(reading.messages),
        groups=tuple(reading.groups),
    )


def _action(segment: Segment, element: int) -> Action | None:
    return _ACTIONS.get(segment.get(element))


def _error(segment: Segment, element: int) -> SubjectError:
    """0085, 0013 (0135) and S011 from `element` on."""
    place = (_number(segment.get(element + 2)), _number(segment.get(element + 2, 2)))
    return SubjectError(segment.get(element), segment.get(element + 1), *place)


def _party(segment: Segment, element: int) -> Address:
    return Address(segment.get(element), segment.get(element, 2), segment.get(element, 3))


def _number(text: str) -> int | None:
    return int(text) if text.isascii() and text.isdigit() and len(text) <= 9 else None
