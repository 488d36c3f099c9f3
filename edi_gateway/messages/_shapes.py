"""The fast path of judging elements: what was judged clean once is clean again with other values.

A *shape* is a segment with its codes and its separators kept and every free value replaced by the
format it must have: ``QTY+21:<n..15>``. Once a shape has been seen clean a few times, it becomes part of
a compiled pattern of its tag; a segment whose text matches needs no further look, except at values that
a qualifier gives a form to (a GTIN, a date), which the pattern captures for the same checks as ever.

A pattern may only be narrower than the exact judgement, never wider: whatever does not match is judged
the exact way. So a shape leaves out all that is legal but rare (numbers of unusual length, released
characters of unusual kind).
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Sequence

from edi_gateway.edifact.findings import Rule
from edi_gateway.edifact.segment import Segment, Separators
from edi_gateway.messages._directory import Component, Format
from edi_gateway.messages._elements import SegmentLayout
from edi_gateway.messages._values import ValueCheck, relations, value_checks

SIGHTINGS_BEFORE_COMPILING = 8
"""Compiling a pattern costs as much as judging some dozens of segments exactly; small files never pay it."""

SHAPES_MAX = 48
"""Shapes compiled for one tag; beyond that its segments vary too much for patterns to pay."""

SHAPES_REMEMBERED_MAX = 4096
TEXTS_REMEMBERED_MAX = 20_000

FRACTION_DIGITS = 4
FRACTIONS_FROM_LENGTH = 8

_RELEASED = "\x00"  # stands for a released character: any value may hold it, no code and no number does

_Judge = Callable[[str], Rule | None]


class _TagShapes:
    """The compiled shapes of one tag."""

    __slots__ = ("captures", "checks", "match", "texts")

    def __init__(self) -> None:
        self.texts: list[str] = []
        self.captures = 0
        # number of a shape's last capture -> (number, check) of each of its captures; None of shapes without any
        self.checks: dict[int | None, tuple[tuple[int, _Judge], ...]] = {}
        self.match: Callable[[str], re.Match[str] | None] = re.compile("(?!)").fullmatch

    def add(self, text: str, checks: list[_Judge]) -> None:
        numbers = range(self.captures + 1, self.captures + 1 + len(checks))
        if checks:
            self.checks[numbers[-1]] = tuple(zip(numbers, checks, strict=True))
        self.captures += len(checks)
        self.texts.append(text)
        self.match = re.compile("|".join(self.texts), re.DOTALL).fullmatch


class Shapes:
    """The shapes learnt for one specification under one set of separators."""

    def __init__(self, separators: Separators) -> None:
        self._separators = separators
        service = separators.component + separators.element + separators.release + separators.repetition
        self._free = f"[^{re.escape(service + separators.terminator)}]"
        self._sightings: dict[tuple[str, str], int] = {}
        self._tags: dict[str, _TagShapes] = {}
        self._texts: set[str] = set()

    def suspects(self, segments: Sequence[Segment]) -> Iterator[Segment]:
        """The segments that are not known to be clean: judge them the exact way, and let us `learn` the clean ones.

        What is learnt holds for the rest of the same run, so a long message pays for its first lines only.
        """
        texts, tags, release = self._texts, self._tags, self._separators.release
        # Every segment of every message passes here: locals, and no calls but the pattern's.
        for segment in segments:
            raw = segment.raw
            if raw in texts:
                continue
            shapes = tags.get(segment.tag)
            if shapes is not None:
                match = shapes.match(self._mask(raw) if release and release in raw else raw)
                if match is not None and not segment.repeats:
                    for number, judge in shapes.checks.get(match.lastindex, ()):
                        if judge(match[number]) is not None:
                            break
                    else:
                        continue
            yield segment

    def learn(self, segment: Segment, layout: SegmentLayout) -> None:
        """Take note of a segment that was judged and has no finding."""
        if not segment.raw or segment.repeats:
            return
        if len(self._texts) >= TEXTS_REMEMBERED_MAX:
            self._texts.clear()
        self._texts.add(segment.raw)
        if relations(segment):
            return  # a pattern cannot tell whether two values fit each other
        text, checks = self._shape(segment, layout)
        key = segment.tag, text
        if len(self._sightings) >= SHAPES_REMEMBERED_MAX:
            self._sightings.clear()
        sightings = self._sightings[key] = self._sightings.get(key, 0) + 1
        if sightings == SIGHTINGS_BEFORE_COMPILING:
            shapes = self._tags.setdefault(segment.tag, _TagShapes())
            if len(shapes.texts) < SHAPES_MAX and text not in shapes.texts:
                shapes.add(text, checks)

    def _mask(self, raw: str) -> str:
        separators = self._separators
        release = separators.release
        raw = raw.replace(release + release, _RELEASED)
        for service in (separators.element, separators.component, separators.terminator):
            raw = raw.replace(release + service, _RELEASED)
        return raw

    def _shape(self, segment: Segment, layout: SegmentLayout) -> tuple[str, list[_Judge]]:
        checks = {(check.element, check.component): check for check in value_checks(segment)}
        ordered: list[_Judge] = []
        elements = [re.escape(":".join(segment.elements[0]))]
        for position, values in enumerate(segment.elements[1:], 2):
            components = layout.positions[position - 2].components if position - 2 < len(layout.positions) else ()
            parts = [
                self._value(value, components[number - 1], checks.get((position, number)), ordered) if value else ""
                for number, value in enumerate(values, 1)
            ]
            elements.append(re.escape(self._separators.component).join(parts))
        return re.escape(self._separators.element).join(elements), ordered

    def _value(self, value: str, component: Component, check: ValueCheck | None, ordered: list[_Judge]) -> str:
        if component.codes is not None:
            return re.escape(value)
        pattern = self._format(component.format)
        if check is None:
            return pattern
        ordered.append(check.judge)
        return f"({pattern})"

    def _format(self, format_: Format) -> str:
        least, most = max(format_.length_min, 1), format_.length_max
        if format_.kind == "an":
            return f"{self._free}{{{least},{most}}}"
        if format_.kind == "a":
            return f"[A-Za-z ]{{{least},{most}}}"
        if format_.length_min:
            return f"[0-9]{{{most}}}"
        return self._number(most)

    def _number(self, most: int) -> str:
        """Short numbers are mostly counts, without a fraction; in long ones there is room for one."""
        if most < FRACTIONS_FROM_LENGTH:
            return f"-?(?:0|[1-9][0-9]{{0,{most - 1}}})"
        marks = re.escape(self._separators.decimal_marks)
        whole = most - 1 - FRACTION_DIGITS
        return f"-?(?:0|[1-9][0-9]{{0,{whole}}})(?:[{marks}][0-9]{{1,{FRACTION_DIGITS}}})?"
