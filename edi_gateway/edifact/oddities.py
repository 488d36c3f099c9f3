"""What is odd about the text of one segment: characters, releases, the tag. Warnings, most of them."""

from __future__ import annotations

from collections.abc import Callable

from edi_gateway.edifact import characters, rules
from edi_gateway.edifact.characters import CharacterSet
from edi_gateway.edifact.findings import Finding, Rule
from edi_gateway.edifact.segment import Segment, Separators
from edi_gateway.edifact.tokens import Tokens

VALUE_CHARACTERS_MAX = 70
"""How much of a text a finding shows."""


def oddities(
    segment: Segment, split: Tokens, text: str, odd: Rule | None, declared: CharacterSet, separators: Separators
) -> list[Finding]:
    """The findings about a segment's text. `segment.elements[0][0]` still is the tag as written.

    `odd` is what `characters.decode` said of the bytes.
    """
    found = []
    if odd is not None:
        found.append(_at_value(odd, segment, lambda value: not value.isascii(), declared.identifier))
    if "\n" in text or "\r" in text:
        found.append(_at_value(rules.NEWLINE_IN_DATA, segment, lambda value: "\n" in value or "\r" in value))
    if characters.outside(_without(text, separators), declared):
        rule = rules.OUTSIDE_CHARACTER_SET
        found.append(_at_value(rule, segment, lambda value: characters.outside(value, declared), declared.identifier))
    if split.released_data:
        found.append(_about(rules.RELEASE_OF_DATA, segment, split.released_data))
    if split.dangling:
        found.append(_about(rules.RELEASE_DANGLING, segment, separators.release))
    if segment.elements[0][0] != segment.tag:
        found.append(_about(rules.LOWER_CASE_TAG, segment, segment.elements[0][0]))
    return found


def _without(text: str, separators: Separators) -> str:
    """The text without its service characters: those of level B are control characters."""
    for service in (separators.component, separators.element, separators.release, separators.repetition):
        if service:
            text = text.replace(service, "")
    return text


def _about(rule: Rule, segment: Segment, value: str) -> Finding:
    return Finding(
        rule, segment.tag, segment.position or None, offset=segment.offset, value=value[:VALUE_CHARACTERS_MAX]
    )


def _at_value(rule: Rule, segment: Segment, matches: Callable[[str], bool], expected: str = "") -> Finding:
    """A finding at the first value of the segment that matches."""
    for element, components in enumerate(segment.elements, start=1):
        for component, value in enumerate(components, start=1):
            if matches(value):
                shown = value[:VALUE_CHARACTERS_MAX]
                position = segment.position or None
                return Finding(rule, segment.tag, position, element, component, segment.offset, shown, expected or None)
    return _about(rule, segment, "")
