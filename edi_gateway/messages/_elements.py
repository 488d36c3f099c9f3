"""Judging the elements of one segment against its definition: the exact way, which finds every defect.

Positions are CONTRL's: the segment tag is element 1 (0098), the first component is 1 (0104). Before
syntax 4 a repeatable element takes successive positions; from syntax 4 its repetitions share one.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from edi_gateway.edifact.findings import Finding, Rule
from edi_gateway.edifact.segment import Segment
from edi_gateway.messages import _numbers, rules
from edi_gateway.messages._directory import Component, Element, SegmentDefinition
from edi_gateway.messages._values import relations, value_checks

VALUE_SHOWN_MAX = 70
"""A finding shows at most this much of a value."""

CODE_LIST, AGENCY = "1131", "3055"
UNITED_NATIONS = "6"  # 3055

CODES_SHOWN_MAX = 12
"""A finding names the allowed codes where there are no more than these."""


@dataclass(frozen=True, slots=True)
class SegmentLayout:
    """A segment's elements by position: `positions[0]` is the element after the tag (0098 = 2)."""

    tag: str
    positions: tuple[Element, ...]
    repeats: bool  # whether an element may repeat within its position (syntax 4)

    @classmethod
    def of(cls, definition: SegmentDefinition, syntax_version: str) -> SegmentLayout:
        repeats = syntax_version == "4"
        return cls(definition.tag, definition.elements if repeats else definition.expanded, repeats)


def judge_segment(segment: Segment, layout: SegmentLayout, decimal_marks: str) -> list[Finding]:
    """Every defect of a segment's elements, in the order of the segment."""
    return list(_SegmentJudge(segment, layout, decimal_marks).findings())


class _SegmentJudge:
    def __init__(self, segment: Segment, layout: SegmentLayout, decimal_marks: str) -> None:
        self._segment = segment
        self._layout = layout
        self._decimal_marks = decimal_marks
        self._faulty: set[tuple[int, int]] = set()  # values whose representation is wrong already

    def findings(self) -> Iterator[Finding]:
        tag, *elements = self._segment.elements
        if any(tag[1:]):
            yield self._finding(rules.NESTING_INDICATOR, 1, value=":".join(tag[1:]))
        repeats = self._segment.repeats or {}
        for index, element in enumerate(self._layout.positions):
            components = elements[index] if index < len(elements) else ()
            yield from self._judge_element(element, index + 2, components)
            further = repeats.get(index + 1, ())
            for repetition in further:
                yield from self._judge_element(element, index + 2, repetition)
            if len(further) >= element.repeat:
                yield self._finding(
                    rules.ELEMENT_TOO_OFTEN, index + 2, value=str(len(further) + 1), expected=str(element.repeat)
                )
        yield from self._judge_surplus(elements)
        yield from self._judge_values()

    def _judge_surplus(self, elements: Sequence[Sequence[str]]) -> Iterator[Finding]:
        """Elements beyond the last one of the definition; empty ones do no harm."""
        known = len(self._layout.positions)
        if len(elements) <= known:
            return
        used = [index for index, components in enumerate(elements[known:], known) if any(components)]
        if used:
            value = ":".join(elements[used[0]])
            yield self._finding(rules.TOO_MANY_ELEMENTS, None, value=value, expected=str(known))
        else:
            yield self._finding(rules.EMPTY_ELEMENTS_AT_END, None, expected=str(known))

    def _judge_element(self, element: Element, position: int, components: Sequence[str]) -> Iterator[Finding]:
        if not any(components):
            if element.mandatory:
                yield self._finding(rules.ELEMENT_MISSING, position, expected=element.id)
            return
        foreign = _names_another_list(element, components)
        for number, component in enumerate(element.components, 1):
            value = components[number - 1] if number <= len(components) else ""
            place = number if element.is_composite else None
            if value:
                yield from self._judge_value(component, position, place, value, foreign=foreign)
            elif component.mandatory:
                yield self._finding(rules.COMPONENT_MISSING, position, place, expected=component.id)
        known = len(element.components)
        for number, value in enumerate(components[known:], known + 1):
            if value:
                yield self._finding(rules.TOO_MANY_COMPONENTS, position, number, value=value, expected=str(known))
                break

    def _judge_value(
        self, component: Component, position: int, place: int | None, value: str, *, foreign: bool
    ) -> Iterator[Finding]:
        faults = self._character_faults(component, value)
        if rules.WRONG_CHARACTER_TYPE not in faults:
            faults += _length_faults(component, value)
        for rule in faults:
            yield self._finding(rule, position, place, value=value, expected=str(component.format))
        if faults:
            self._faulty.add((position, place or 1))
        elif component.codes is not None and value not in component.codes:
            rule = rules.PARTNER_CODE if foreign or component.codes_are_advisory else rules.CODE_UNKNOWN
            yield self._finding(rule, position, place, value=value, expected=_codes_shown(component))

    def _character_faults(self, component: Component, value: str) -> list[Rule]:
        kind = component.format.kind
        if kind == "n":
            fixed = component.format.length_min > 0
            return _numbers.faults(value, self._decimal_marks, leading_zeros_wanted=fixed)
        if kind == "a" and any(character.isdigit() for character in value):
            return [rules.WRONG_CHARACTER_TYPE]
        return []

    def _judge_values(self) -> Iterator[Finding]:
        """Values that a qualifier gives a form to: dates, GLN, GTIN, SSCC, and their like."""
        for check in value_checks(self._segment):
            if (check.element, check.component) in self._faulty:
                continue
            value = self._segment.get(check.element - 1, check.component)
            rule = check.judge(value)
            if rule is not None:
                yield self._finding(rule, check.element, check.component, value=value, expected=check.expected)
        for pair in relations(self._segment):
            if pair.rule is not None:
                value = ":".join(pair.values)
                yield self._finding(pair.rule, pair.element, pair.component, value=value, expected=pair.expected)

    def _finding(
        self,
        rule: Rule,
        element: int | None,
        component: int | None = None,
        *,
        value: str | None = None,
        expected: str | None = None,
    ) -> Finding:
        segment = self._segment
        if value is not None and len(value) > VALUE_SHOWN_MAX:
            value = f"{value[:VALUE_SHOWN_MAX]}… ({len(value)})"
        return Finding(
            rule,
            segment.tag,
            segment.position,
            element,
            component,
            offset=segment.offset,
            value=value,
            expected=expected,
        )


def _names_another_list(element: Element, components: Sequence[str]) -> bool:
    """Whether a composite says that its code is of another list (1131) or agency (3055) than the United Nations'."""
    return any(
        value and (component.id == CODE_LIST or (component.id == AGENCY and value != UNITED_NATIONS))
        for component, value in zip(element.components, components, strict=False)
    )


def _length_faults(component: Component, value: str) -> list[Rule]:
    length = _numbers.length(value) if component.format.kind == "n" else len(value)
    if length > component.format.length_max:
        return [rules.TOO_LONG]
    if length < component.format.length_min:
        return [rules.TOO_SHORT]
    return []


def _codes_shown(component: Component) -> str:
    codes = component.codes or frozenset()
    if len(codes) <= CODES_SHOWN_MAX:
        return ", ".join(sorted(codes))
    return component.id
