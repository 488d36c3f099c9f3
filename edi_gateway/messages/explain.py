"""A message in words: each segment and each value with its name, its place and what its code means."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from edi_gateway.edifact.findings import Language
from edi_gateway.edifact.segment import Segment
from edi_gateway.edifact.verdict import MessageVerdict
from edi_gateway.messages._dates import readable
from edi_gateway.messages._directory import Element, directory, has_directory
from edi_gateway.messages._elements import SegmentLayout
from edi_gateway.messages._specification import DIRECTORIES, specification
from edi_gateway.messages.names import code_meaning, element_name, segment_name
from edi_gateway.messages.tree import Group

_DATE, _DATE_FORMAT = "2380", "2379"


@dataclass(frozen=True, slots=True)
class ExplainedValue:
    """One value: its place as 0098 and 0104 count (no component in a simple element), its data element, its meaning.

    `identifier` and `name` are "" where the definition has no such place, `meaning` where none is carried.
    """

    element: int
    component: int | None
    identifier: str
    name: str
    value: str
    meaning: str


@dataclass(frozen=True, slots=True)
class ExplainedSegment:
    """One segment; `groups` are the segment groups it stands in, outermost first, such as ``SG25[3]``."""

    segment: Segment
    name: str
    groups: tuple[str, ...]
    values: tuple[ExplainedValue, ...]
    begins_group: bool = False


def explain_message(
    verdict: MessageVerdict, language: Language, syntax_version: str = "3"
) -> Iterator[ExplainedSegment]:
    """Every segment of a message in order, also where the message could not be judged."""
    header = verdict.header
    syntax = "4" if syntax_version == "4" else "3"
    found = specification(header.type, header.directory, syntax)
    if isinstance(verdict.tree, Group):
        placed = _walk(verdict.tree, ())
    else:
        placed = ((segment, (), False) for segment in verdict.message.segments)
    for segment, groups, begins_group in placed:
        layout = found.layout(segment.tag) if found else layout_of(segment.tag, header.directory, syntax)
        values = tuple(explain_segment(segment, layout, language))
        yield ExplainedSegment(segment, segment_name(segment.tag, language), groups, values, begins_group)


def layout_of(tag: str, directory_name: str, syntax_version: str) -> SegmentLayout | None:
    """A segment's elements by the directory named, or by the newest one that is carried."""
    name = directory_name if has_directory(directory_name) else DIRECTORIES[-1]
    service = directory("syntax-4" if syntax_version == "4" else "syntax-3")
    definition = service.segment(tag) or directory(name).segment(tag)
    return None if definition is None else SegmentLayout.of(definition, syntax_version)


def explain_segment(segment: Segment, layout: SegmentLayout | None, language: Language) -> Iterator[ExplainedValue]:
    """The values of a segment that are not empty, repetitions after the value they repeat."""
    positions = layout.positions if layout else ()
    for index, components in enumerate(segment.elements[1:]):
        definition = positions[index] if index < len(positions) else None
        for occurrence in (components, *(segment.repeats or {}).get(index + 1, ())):
            yield from _explain_element(definition, index + 2, occurrence, language)


def _explain_element(
    definition: Element | None, position: int, components: Sequence[str], language: Language
) -> Iterator[ExplainedValue]:
    identifiers = [component.id for component in definition.components] if definition else []
    values = dict(zip(identifiers, components, strict=False))
    simple = len(components) == 1 and not (definition and definition.is_composite)
    for number, value in enumerate(components, 1):
        if value:
            identifier = identifiers[number - 1] if number <= len(identifiers) else ""
            meaning = code_meaning(identifier, value, language)
            if identifier == _DATE:
                meaning = readable(values.get(_DATE_FORMAT, ""), value)
            yield ExplainedValue(
                position, None if simple else number, identifier, element_name(identifier, language), value, meaning
            )


def _walk(group: Group, groups: tuple[str, ...]) -> Iterator[tuple[Segment, tuple[str, ...], bool]]:
    """Each segment, the groups it stands in, and whether it begins the innermost of them."""
    for number, child in enumerate(group.children):
        if isinstance(child, Group):
            yield from _walk(child, (*groups, f"{child.name}[{child.occurrence}]"))
        else:
            yield child, groups, number == 0 and bool(groups)
