"""Segments to bytes, canonically: no empty element or component at an end, nothing released in vain.

ISO 9735 §7, compressing. Control counts and references are made here, from what is written. Every
character must be in the set that UNB declares: one that is not is a `CharacterRefused`, which names
the segment, the element and the value; nothing is replaced in silence. Line ends and other control
characters are in no set.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence

from edi_gateway.edifact.characters import (
    CharacterRefused,
    CharacterSet,
    character_set,
    first_uncodable,
    first_unwritable,
)
from edi_gateway.edifact.envelope import group_segment, interchange_segment, message_segment, trailer
from edi_gateway.edifact.events import (
    Event,
    FileFinding,
    GroupEnded,
    GroupStarted,
    InterchangeEnded,
    InterchangeStarted,
    MessageRead,
)
from edi_gateway.edifact.segment import Segment, Separators
from edi_gateway.edifact.separators import in_force
from edi_gateway.edifact.separators import una as service_string_advice
from edi_gateway.edifact.verdict import GroupHeader, InterchangeHeader, MessageHeader

_DEFAULT = Separators()


class ServiceCharacterRefused(ValueError):
    """A value holds a service character, and the separators in force have no release character."""

    def __init__(self, segment: str, element: int, value: str, character: str) -> None:
        self.segment = segment
        self.element = element
        self.value = value
        self.character = character
        super().__init__(
            f"{segment}, element {element}: {value!r} holds the service character {character!r}, and these separators "
            "have no release character; declare one in UNA"
        )


def write_segment(segment: Segment, separators: Separators = _DEFAULT) -> str:
    """One segment as text, its terminator included."""
    texts = [_element(segment, index, separators) for index in range(len(segment.elements))]
    return separators.element.join(_trimmed(texts)) + separators.terminator


def _trimmed(texts: Sequence[str]) -> Sequence[str]:
    """Without the empty ones at the end (ISO 9735 §7.3, §7.5)."""
    filled = len(texts)
    while filled and not texts[filled - 1]:
        filled -= 1
    return texts[:filled]


def _element(segment: Segment, index: int, separators: Separators) -> str:
    occurrences = [segment.elements[index]]
    if segment.repeats and index in segment.repeats:
        occurrences += segment.repeats[index]
    texts = _trimmed([_composite(segment, index, components, separators) for components in occurrences])
    if len(texts) > 1 and not separators.repetition:
        raise ServiceCharacterRefused(segment.tag, index + 1, "", "repetition")
    return separators.repetition.join(texts)


def _composite(segment: Segment, index: int, components: Sequence[str], separators: Separators) -> str:
    return separators.component.join([_released(segment, index, value, separators) for value in _trimmed(components)])


def _released(segment: Segment, index: int, value: str, separators: Separators) -> str:
    """The value with a release before each service character in force, the release itself first."""
    release = separators.release
    if release and release in value:
        value = value.replace(release, release + release)
    for service in (separators.component, separators.element, separators.terminator, separators.repetition):
        if service and service in value:
            if not release:
                raise ServiceCharacterRefused(segment.tag, index + 1, value, service)
            value = value.replace(service, release + service)
    return value


def write_interchange(
    header: InterchangeHeader,
    messages: Sequence[tuple[MessageHeader, Sequence[Segment]]],
    separators: Separators = _DEFAULT,
    una: bool = True,
    group: GroupHeader | None = None,
) -> bytes:
    """One interchange of these messages, whose bodies stand without UNH and UNT.

    Makes UNB, UNH, UNT, UNZ, and UNG and UNE if a group is given. Raises `CharacterRefused` and
    `ServiceCharacterRefused`. `una` False leaves the service string advice out: only for separators
    that hold without one.
    """
    separators = in_force(separators, header.syntax_version, una=una)
    declared = character_set(header.syntax_identifier)
    advice = service_string_advice(separators).encode("ascii") if una else b""
    written = [advice]
    for segment in interchange_segments(header, messages, group):
        check_characters(segment, declared)
        written.append(write_segment(segment, separators).encode(declared.codec))
    return b"".join(written)


def interchange_segments(
    header: InterchangeHeader,
    messages: Sequence[tuple[MessageHeader, Sequence[Segment]]],
    group: GroupHeader | None = None,
) -> Iterator[Segment]:
    """The segments of an interchange from UNB to UNZ, trailers made from what stands between."""
    yield interchange_segment(header)
    if group is not None:
        yield group_segment(group)
    for message_header, body in messages:
        yield message_segment(message_header)
        yield from body
        yield trailer("UNT", len(body) + 2, message_header.reference)
    if group is not None:
        yield trailer("UNE", len(messages), group.reference)
    yield trailer("UNZ", len(messages) if group is None else 1, header.control_reference)


def rewrite(events: Iterable[Event]) -> Iterator[bytes]:
    """The interchanges that were read, written again: canonically, but with every segment kept.

    Canonical input comes out byte for byte. UNA stands where it stood; what the reader skipped (blanks,
    line ends, empty segments, bytes around the interchanges) is gone, and so is a missing trailer.
    Raises `CharacterRefused`, as when UTF-8 was found under a narrower declaration.
    """
    separators, declared = _DEFAULT, character_set("")
    for event in events:
        if isinstance(event, InterchangeStarted):
            separators = event.separators
            declared = character_set(event.header.syntax_identifier, event.segment.get(1, 4))
            yield event.una.encode("latin-1")
        for segment in _segments_of(event):
            check_characters(segment, declared, strict=False)
            yield write_segment(segment, separators).encode(declared.codec)


def _segments_of(event: Event) -> Sequence[Segment]:
    match event:
        case MessageRead(message):
            return message.segments
        case InterchangeStarted(segment=unb):
            return [unb] if len(unb.elements) > 1 else []  # there was none
        case GroupStarted():
            return [event.segment]
        case GroupEnded() | InterchangeEnded():
            return [event.segment] if event.segment else []
        case FileFinding():
            return []


def check_characters(segment: Segment, declared: CharacterSet, *, strict: bool = True) -> None:
    """Raise `CharacterRefused` at the first character that must not be sent under this declaration.

    Not strict: at the first that cannot be coded in it.
    """
    for index, components in enumerate(segment.elements):
        later = segment.repeats.get(index, []) if segment.repeats else []
        for value in (value for occurrence in (components, *later) for value in occurrence):
            character = first_unwritable(value, declared) if strict else first_uncodable(value, declared)
            if character is not None:
                raise CharacterRefused(segment.tag, index + 1, value, character, declared.identifier)
