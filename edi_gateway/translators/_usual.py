"""The short way of translating: a group that was read once is read by one pattern when its like comes again.

The lines of a message differ in their values and in little else. Where a group was read the long way and nothing is to
be said of it (no finding, nothing unmapped, no lineage asked), the rows tell for each of its segments which values they
took as they stand; everything else of its text is kept letter for letter, and the pattern of the whole group
becomes a `_Plan`. What such a group gives beside those values depends on the letters that are kept, so the plan
takes it from the record that was read the long way.

A plan may only be narrower than the rows: what it does not match, or whose value cannot be read, goes the long way.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

from edi_gateway.edifact.segment import Segment
from edi_gateway.messages.tree import Group
from edi_gateway.translators._maker import Maker

USUAL_VALUE = "([^+:?']+)"
"""A component without any release, as it stands in a text written with the service characters of level A."""

USUAL_FREE_TEXT = r"((?:[^+:?']++|\?[+:?'])++)"
"""A component in which service characters may be released; `_machinery.unreleased` takes it."""

SIGHTINGS_BEFORE_COMPILING = 4
"""A pattern costs as much as reading some dozens of groups; a message of a few lines never pays it."""

PLANS_MAX = 8
"""Plans of one record; a partner that writes its lines in more ways than this has them read the long way."""

MISSES_MAX = 4_096
"""So many groups without a new plan, and none is looked for any more."""

JOINED_BY = "'"


@dataclass(frozen=True, slots=True)
class Capture:
    """A value that a row takes as it stands: the field that it goes to, and how it is read (None: it cannot be).

    `path` is a field of the record, or of a record in one of its fields (``item/gtin``). What else the record
    holds may not depend on the value.
    """

    path: str
    read: Callable[[str], Any]


@dataclass(frozen=True, slots=True)
class Usual:
    """A segment of the usual kind: a pattern of its text with a group for each capture, all else letter for letter."""

    pattern: str
    captures: tuple[Capture, ...] = ()


def segments_of(group: Group) -> list[Segment]:
    """The segments of a group whose inner groups are triggers alone; none of any other."""
    found: list[Segment] = []
    for child in group.children:
        if isinstance(child, Segment):
            found.append(child)
        elif len(child.children) == 1 and isinstance(child.children[0], Segment):
            found.append(child.children[0])
        else:
            return []
    return found


class _Plan:
    """How the groups of one pattern become records."""

    def __init__(self, pattern: str, captures: Sequence[Capture], record: Any, makers: dict[str, Maker[Any]]) -> None:
        """`record` is that of one group of the pattern; `makers` are those of the record ("") and of the inner ones."""
        self._match = re.compile(pattern, re.DOTALL).fullmatch
        self._make = makers[""].of
        self._count = len(makers[""].names)
        self._constants = [getattr(record, name) for name in makers[""].names]
        self._inner: list[tuple[int, Callable[..., Any], int, int]] = []
        places = {name: place for place, name in enumerate(makers[""].names)}
        for field in dict.fromkeys(_field(capture) for capture in captures if "/" in capture.path):
            maker, begin = makers[field], len(self._constants)
            places |= {f"{field}/{name}": begin + place for place, name in enumerate(maker.names)}
            self._constants += [getattr(getattr(record, field), name) for name in maker.names]
            self._inner.append((places[field], maker.of, begin, len(self._constants)))
        self._reads = [(places[capture.path], capture.read) for capture in captures]

    def read(self, text: str) -> Any:
        """The record that a text gives; None where it is not of this pattern, or a value of it cannot be read."""
        match = self._match(text)
        if match is None:
            return None
        values = self._constants.copy()
        for (place, read), raw in zip(self._reads, match.groups(), strict=True):
            value = read(raw)
            if value is None:
                return None
            values[place] = value
        for place, make, begin, end in self._inner:
            values[place] = make(*values[begin:end])
        if self._inner:
            del values[self._count :]
        return self._make(*values)


def _field(capture: Capture) -> str:
    return capture.path.partition("/")[0]


class UsualGroups:
    """What was learnt of the groups of one record, under one partner's habits."""

    __slots__ = ("_make", "_misses", "_plans", "_sightings")

    def __init__(self, make: Maker[Any]) -> None:
        self._make = make
        self._plans: list[_Plan] = []
        self._sightings: dict[str, int] = {}
        self._misses = 0

    def read(self, group: Group) -> Any:
        """The record of a group that is like one before; None of any other."""
        if not self._plans:
            return None
        texts = []
        # This loop is the cost of every line that is translated.
        for child in group.children:
            if child.__class__ is Segment:
                texts.append(child.raw)
            else:
                inner: list[Any] = child.children  # type: ignore[union-attr]  # it is a Group
                if len(inner) != 1:
                    return None
                texts.append(inner[0].raw)
        text = JOINED_BY.join(texts)
        for plan in self._plans:
            record = plan.read(text)
            if record is not None:
                if plan is not self._plans[0]:
                    self._plans = [plan, *(other for other in self._plans if other is not plan)]
                return record
        return None

    @property
    def is_learning(self) -> bool:
        return self._misses < MISSES_MAX and len(self._plans) < PLANS_MAX

    def note_miss(self) -> None:
        """A group was met that is not usual, and of which no plan can be made."""
        self._misses += 1

    def learn(self, segments: Sequence[Segment], usual: Sequence[Usual], record: Any) -> None:
        """Take note of a group that was read the long way to this record, and of which nothing is to be said."""
        self.note_miss()
        captures = [capture for each in usual for capture in each.captures]
        paths = {capture.path for capture in captures}
        if len(paths) < len(captures) or not paths.isdisjoint(path.partition("/")[0] for path in paths if "/" in path):
            return
        pattern = JOINED_BY.join(each.pattern for each in usual)
        sightings = self._sightings[pattern] = self._sightings.get(pattern, 0) + 1
        if sightings != SIGHTINGS_BEFORE_COMPILING:
            return
        inner = {_field(capture) for capture in captures if "/" in capture.path}
        makers = {"": self._make, **{name: Maker(type(getattr(record, name))) for name in inner}}
        plan = _Plan(pattern, captures, record, makers)
        if plan.read(JOINED_BY.join(segment.raw for segment in segments)) == record:
            self._plans = [plan, *self._plans]
            self._misses = 0
