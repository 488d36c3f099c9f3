"""Valid messages made from the directories' tables, and single mutations with the finding that each must give.

The messages are valid by the tables and mean nothing: texts are random, dates and identifiers are the same
right ones everywhere.
"""

from __future__ import annotations

import string
from collections.abc import Callable, Iterator, Sequence
from copy import deepcopy
from dataclasses import dataclass
from random import Random

from edi_gateway.edifact.segment import Segment
from edi_gateway.messages import MessageSpecification
from edi_gateway.messages._directory import Component, Element, Format, Node
from edi_gateway.messages._elements import SegmentLayout
from edi_gateway.messages._values import value_checks

# What a value must be where a qualifier says so, by what the check expects.
RIGHT_VALUES = {
    "GLN": "3760000000017",
    "GTIN": "3760123450010",
    "SSCC": "340455750695614954",
    "VAT": "FR11123456782",
    "IBAN": "FR1420041010050500013M02606",
    "S": "S",
}
RIGHT_DATE_FIELDS = {"CCYY": "2026", "YY": "26", "MM": "11", "DD": "22", "HH": "09", "mm": "15", "ss": "30", "WW": "47"}

# Control totals that no message type computes: the others would have to be right.
FREE_CONTROL_TOTALS = ("3", "4", "5", "6")

CODED_WITHOUT_CHOICE = {"0081": "S", "6069": FREE_CONTROL_TOTALS[0]}


def right_value(expected: str) -> str:
    """A value that passes the check which expects this."""
    if expected in RIGHT_VALUES:
        return RIGHT_VALUES[expected]
    layout = expected.replace("ZZZ", "UTC")
    for field in ("CCYY", "YY", "MM", "DD", "HH", "mm", "ss", "WW"):
        layout = layout.replace(field, RIGHT_DATE_FIELDS[field])
    return layout


@dataclass(frozen=True)
class Generator:
    """Makes messages of one specification; `optional` is how likely a conditional part is sent."""

    specification: MessageSpecification
    random: Random
    optional: float = 0.25
    repeats_max: int = 2

    def message(self, reference: str = "1") -> list[Segment]:
        """All segments, UNH to UNT, with positions and the right count."""
        segments = [*self._nodes(self.specification.nodes)]
        name = self.specification.message_type
        version, _, release = _directory_in_unh(self.specification)
        segments[0].elements = [["UNH"], [reference], [name, version, release, "UN"]]
        segments[-1].elements = [["UNT"], [str(len(segments))], [reference]]
        return numbered(segments)

    def _nodes(self, nodes: Sequence[Node]) -> Iterator[Segment]:
        for node in nodes:
            for _ in range(self._times(node)):
                if node.children is None:
                    yield self.segment(node.tag)
                else:
                    yield from self._nodes(node.children)

    def _times(self, node: Node) -> int:
        if not node.mandatory and self.random.random() >= self.optional:
            return 0
        return self.random.randint(1, min(node.repeat, self.repeats_max))

    def segment(self, tag: str) -> Segment:
        layout = self.specification.layout(tag)
        assert layout is not None, tag
        segment = Segment(tag, [[tag], *self._elements(layout)])
        for row in self.specification.type.dependencies * 2:  # leaving one out may leave out another
            if row.tag == tag and segment.get(row.element - 1) and not segment.get(row.needs - 1):
                segment.elements[row.element - 1] = [""]
        for check in value_checks(segment):
            segment.elements[check.element - 1][check.component - 1] = right_value(check.expected)
        segment.raw = written(segment)
        return segment

    def _elements(self, layout: SegmentLayout) -> list[list[str]]:
        elements = [self._element(element) for element in layout.positions]
        while elements and elements[-1] == [""]:
            elements.pop()
        return elements

    def _element(self, element: Element) -> list[str]:
        if not element.mandatory and self.random.random() >= self.optional:
            return [""]
        components = [
            self._value(component) if component.mandatory or self.random.random() < self.optional else ""
            for component in element.components
        ]
        while len(components) > 1 and components[-1] == "":
            components.pop()
        if element.mandatory and not any(components):
            components[0] = self._value(element.components[0])
        return components

    def _value(self, component: Component) -> str:
        if component.id in CODED_WITHOUT_CHOICE:
            return CODED_WITHOUT_CHOICE[component.id]
        if component.codes is not None:
            return self.random.choice(sorted(component.codes))
        return self.text(component.format)

    def text(self, format_: Format) -> str:
        """A free value of a format."""
        length = self.random.randint(max(format_.length_min, 1), min(format_.length_max, 12))
        if format_.kind == "n":
            return self.random.choice("123456789") + "".join(self.random.choices(string.digits, k=length - 1))
        letters = string.ascii_uppercase if format_.kind == "a" else string.ascii_letters + string.digits + " é"
        text = "".join(self.random.choices(letters, k=length))
        return text.strip().ljust(max(format_.length_min, 1), "X")


def _directory_in_unh(specification: MessageSpecification) -> tuple[str, str, str]:
    name = {"syntax-3": "D.3", "syntax-4": "4.1"}.get(specification.directory.name, specification.directory.name)
    return name.partition(".")


def numbered(segments: list[Segment]) -> list[Segment]:
    for position, segment in enumerate(segments, 1):
        segment.position = position
    return segments


def written(segment: Segment) -> str:
    """The segment's text with the default separators; generated values hold no service characters."""
    return "+".join(":".join(components) for components in segment.elements)


@dataclass(frozen=True)
class Mutation:
    """A damaged message and the one error that it must give: (0085, segment, position, element, component)."""

    name: str
    segments: list[Segment]
    error: tuple[str, str, int, int | None, int | None]


def mutations(specification: MessageSpecification, segments: list[Segment], random: Random) -> Iterator[Mutation]:
    """One mutation of each kind that the message allows, at random places."""
    for mutate in (*_SEGMENT_MUTATIONS, *_VALUE_MUTATIONS):
        places = list(range(1, len(segments) - 1))
        random.shuffle(places)
        for index in places:
            copy = deepcopy(segments)
            error = mutate(specification, copy, index)
            if error is not None:
                for segment in copy:
                    segment.raw = written(segment)
                yield Mutation(mutate.__name__.lstrip("_"), numbered(copy), error)
                break


_Error = tuple[str, str, int, int | None, int | None]
_Mutate = Callable[[MessageSpecification, list[Segment], int], _Error | None]


def _remove_mandatory_segment(
    specification: MessageSpecification, segments: list[Segment], index: int
) -> _Error | None:
    """Only lines of the message's top level: without a trigger the rest of a group reads otherwise."""
    tag = segments[index].tag
    lines = [node for node in specification.nodes if node.tag == tag and node.mandatory and node.children is None]
    if len(lines) != 1 or [segment.tag for segment in segments].count(tag) != 1:
        return None
    if tag == "UNS" and segments[index + 1].tag not in ("CNT", "UNT"):
        return None  # what follows may as well belong to the last line: where UNS is missing is not certain
    del segments[index]
    return "13", tag, index, None, None


def _insert_unknown_segment(_: MessageSpecification, segments: list[Segment], index: int) -> _Error:
    segments.insert(index, Segment("ZZZ", [["ZZZ"], ["1"]]))
    return "15", "ZZZ", index + 1, None, None


def _repeat_segment_beyond_limit(
    specification: MessageSpecification, segments: list[Segment], index: int
) -> _Error | None:
    tag = segments[index].tag
    if tag != "BGM" or not any(node.tag == tag and node.repeat == 1 for node in specification.nodes):
        return None
    segments.insert(index, deepcopy(segments[index]))
    return "35", tag, index + 2, None, None


def _add_element(specification: MessageSpecification, segments: list[Segment], index: int) -> _Error | None:
    segment = segments[index]
    layout = specification.layout(segment.tag)
    assert layout is not None
    missing = len(layout.positions) - (len(segment.elements) - 1)
    segment.elements += [[""] for _ in range(missing)] + [["X"]]
    return "16", segment.tag, index + 1, None, None


_SEGMENT_MUTATIONS: tuple[_Mutate, ...] = (
    _remove_mandatory_segment,
    _insert_unknown_segment,
    _repeat_segment_beyond_limit,
    _add_element,
)


def _values(specification: MessageSpecification, segment: Segment) -> Iterator[tuple[int, int, Element, Component]]:
    """The values of a segment that may be damaged: element and component as 0098 and 0104 count, and what they are."""
    layout = specification.layout(segment.tag)
    assert layout is not None
    for position, (components, element) in enumerate(zip(segment.elements[1:], layout.positions, strict=False), 2):
        for number, (value, component) in enumerate(zip(components, element.components, strict=False), 1):
            if value:
                yield position, number, element, component


def _damage(
    specification: MessageSpecification,
    segments: list[Segment],
    index: int,
    contrl: str,
    spoil: Callable[[Component, str], str | None],
) -> _Error | None:
    segment = segments[index]
    for position, number, element, component in _values(specification, segment):
        spoilt = spoil(component, segment.get(position - 1, number))
        if spoilt is not None:
            segment.elements[position - 1][number - 1] = spoilt
            return contrl, segment.tag, index + 1, position, number if element.is_composite else None
    return None


def _lengthen(specification: MessageSpecification, segments: list[Segment], index: int) -> _Error | None:
    def spoil(component: Component, value: str) -> str:
        return value.ljust(component.format.length_max + 1, "X" if component.format.kind == "a" else "7")

    return _damage(specification, segments, index, "39", spoil)


def _shorten(specification: MessageSpecification, segments: list[Segment], index: int) -> _Error | None:
    def spoil(component: Component, value: str) -> str | None:
        return value[:-1] if component.format.length_min > 1 else None

    return _damage(specification, segments, index, "40", spoil)


def _letters_in_number(specification: MessageSpecification, segments: list[Segment], index: int) -> _Error | None:
    def spoil(component: Component, value: str) -> str | None:
        return "O" + value[1:] if component.format.kind == "n" else None

    return _damage(specification, segments, index, "37", spoil)


def _unknown_code(specification: MessageSpecification, segments: list[Segment], index: int) -> _Error | None:
    if any(component.codes_are_advisory for *_, component in _values(specification, segments[index])):
        return None  # a composite that names another code list is not judged by the directory's

    def spoil(component: Component, value: str) -> str | None:
        coded = component.codes is not None and not component.codes_are_advisory
        return "?" * len(value) if coded and component.format.kind == "an" else None

    return _damage(specification, segments, index, "12", spoil)


def _add_component(specification: MessageSpecification, segments: list[Segment], index: int) -> _Error | None:
    segment = segments[index]
    for position, _, element, _ in _values(specification, segment):
        components = segment.elements[position - 1]
        components += [""] * (len(element.components) - len(components)) + ["X"]
        return "16", segment.tag, index + 1, position, len(components)
    return None


def _remove_mandatory_component(
    specification: MessageSpecification, segments: list[Segment], index: int
) -> _Error | None:
    segment = segments[index]
    for position, number, element, component in _values(specification, segment):
        others = [value for i, value in enumerate(segment.elements[position - 1], 1) if value and i != number]
        if element.is_composite and component.mandatory and others:
            segment.elements[position - 1][number - 1] = ""
            return "13", segment.tag, index + 1, position, number
    return None


def _remove_mandatory_element(
    specification: MessageSpecification, segments: list[Segment], index: int
) -> _Error | None:
    segment = segments[index]
    layout = specification.layout(segment.tag)
    assert layout is not None
    for position, element in enumerate(layout.positions, 2):
        if element.mandatory and len(segment.elements) > position:
            segment.elements[position - 1] = [""]
            return "13", segment.tag, index + 1, position, None
    return None


_VALUE_MUTATIONS: tuple[_Mutate, ...] = (
    _lengthen,
    _shorten,
    _letters_in_number,
    _unknown_code,
    _add_component,
    _remove_mandatory_component,
    _remove_mandatory_element,
)
