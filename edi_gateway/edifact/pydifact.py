"""Our segments, messages and interchanges as pydifact's objects, and back, for programs that are written against it.

pydifact is imported only when a function here is called; the gateway does without it (ADR 0002). Its
objects hold less than ours: no repeated elements, no explicit nesting in a tag, no functional groups, no
place in the file. What cannot be said there is a `NotInPydifact`; nothing is dropped in silence.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import TYPE_CHECKING

from edi_gateway.edifact.envelope import interchange_header, interchange_segment, message_header, trailer
from edi_gateway.edifact.segment import Segment, Separators
from edi_gateway.edifact.separators import in_force, read_una
from edi_gateway.edifact.separators import una as service_string_advice
from edi_gateway.edifact.verdict import InterchangeHeader, Message

if TYPE_CHECKING:
    from pydifact.segmentcollection import Interchange as PydifactInterchange
    from pydifact.segmentcollection import Message as PydifactMessage
    from pydifact.segments import Segment as PydifactSegment


class NotInPydifact(ValueError):
    """Something that pydifact's objects cannot hold."""


def to_segment(segment: Segment) -> PydifactSegment:
    """A segment of ours as pydifact's: an element of one component is a string, others are lists."""
    from pydifact.segments import Segment as PydifactSegment

    if segment.repeats:
        raise NotInPydifact(f"{segment.tag}: pydifact does not know repeated elements")
    if len(segment.elements[0]) > 1:
        raise NotInPydifact(f"{segment.tag}: pydifact does not know explicit nesting in a segment tag")
    made = PydifactSegment(segment.tag, "")
    made.elements = [components[0] if len(components) == 1 else list(components) for components in segment.elements[1:]]
    return made


def from_segment(segment: PydifactSegment) -> Segment:
    """A segment of pydifact's as ours; `position` and `offset` are 0, pydifact does not tell them."""
    elements = [
        [element] if isinstance(element, str) else [str(value) for value in element] for element in segment.elements
    ]
    return Segment(segment.tag, [[segment.tag], *elements])


def to_message(message: Message) -> PydifactMessage:
    """A message of ours, UNH to UNT, as pydifact's, which keeps its header apart and makes its trailer anew."""
    from pydifact.segmentcollection import Message as PydifactMessage

    unh = to_segment(message.segments[0])
    reference, identifier, *others = [*unh.elements, "", ""]
    made = PydifactMessage(str(reference), [identifier] if isinstance(identifier, str) else list(identifier))
    made.extra_header_elements = list(others[:-2])
    made.add_segments(to_segment(segment) for segment in message.segments[1:] if segment.tag != "UNT")
    return made


def from_message(message: PydifactMessage) -> Message:
    """A message of pydifact's as ours, with UNH and UNT and with positions; offsets are 0."""
    unh = from_segment(message.get_header_segment())
    header = message_header(unh)
    body = [from_segment(segment) for segment in message.segments]
    segments = [unh, *body, trailer("UNT", len(body) + 2, header.reference)]
    for position, segment in enumerate(segments, start=1):
        segment.position = position
    return Message(header, segments)


def to_interchange(
    header: InterchangeHeader, messages: Sequence[Message], separators: Separators | None = None, *, una: bool = True
) -> PydifactInterchange:
    """Messages of ours in an interchange of pydifact's. `separators` defaults to the usual ones."""
    from pydifact.control.characters import Characters
    from pydifact.segmentcollection import Interchange as PydifactInterchange

    if any(message.group is not None for message in messages):
        raise NotInPydifact("pydifact does not know functional groups")
    made: PydifactInterchange = PydifactInterchange.from_segments(
        [to_segment(interchange_segment(header))],
        characters=Characters.from_str(service_string_advice(separators or Separators())),
    )
    made.has_una_segment = una
    made.add_segments(to_segment(segment) for message in messages for segment in message.segments)
    return made


def from_interchange(interchange: PydifactInterchange) -> tuple[InterchangeHeader, Separators, list[Message]]:
    """An interchange of pydifact's: its header, its separators, its messages."""
    header = interchange_header(from_segment(interchange.get_header_segment()))
    declared, _ = read_una(str(interchange.characters))
    messages = [from_message(message) for message in interchange.get_messages()]
    return header, in_force(declared, header.syntax_version, una=interchange.has_una_segment), messages


def from_segments(segments: Iterable[PydifactSegment]) -> list[Segment]:
    """Any run of pydifact's segments, as `RawSegmentCollection` and its parser give them."""
    return [from_segment(segment) for segment in segments]
