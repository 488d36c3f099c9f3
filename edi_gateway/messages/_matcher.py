"""Matching a message's segments to its segment table, and the group tree that comes of it.

The clean case is one dictionary look-up a segment. Where there is no single clean move (a segment is
missing, repeated, misplaced, or the table is ambiguous at that point) the matcher weighs every reading
of the next segments and takes the one with the fewest defects; ambiguity is thus resolved by what
follows, and a defect costs its own finding and no other. Each decision looks at a bounded number of
segments and readings, so the time stays linear in the length of the message.

Segments left over (unknown or out of place) stay in the tree where they stood, so that walking the tree
gives back the whole message.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from edi_gateway.edifact.findings import Finding, Rule
from edi_gateway.edifact.segment import Segment
from edi_gateway.messages import rules
from edi_gateway.messages._grammar import Grammar, Line, Move, Place
from edi_gateway.messages.tree import Group

LOOKAHEAD_SEGMENTS = 24
"""How far ahead a reading is judged."""

DEFECTS_MAX = 10_000
"""A message with so many defects is not weighed any further: its segments are taken as they come, without findings."""

READINGS_MAX = 8
"""How many readings are kept while looking ahead."""


@dataclass(frozen=True, slots=True)
class _Reading:
    """A way to read the next segments: where it stands, its cost in findings, and the first move that led there.

    `occurrences` are those of the open groups, outermost first; `missing` the tags reported missing on the way.
    """

    first: Move | None
    place: Place
    count: int
    occurrences: tuple[int, ...]
    cost: int
    missing: frozenset[str]


class Matcher:
    """Matches one message; `tree` and `findings` hold the result after `run`."""

    def __init__(self, grammar: Grammar) -> None:
        self._grammar = grammar
        self._place = grammar.start
        self._count = 0  # repetitions of the place so far
        self._open: list[Group] = [Group("", "UNH", 1, [])]
        self._last: Segment | None = None  # the last segment that found its place, at a defect
        self._left_over_at = -1  # index of the latest segment that did not
        self._missing: dict[str, int] = {}  # tag reported missing -> index of its finding
        self.findings: list[Finding] = []

    @property
    def tree(self) -> Group:
        return self._open[0]

    def run(self, segments: Sequence[Segment]) -> None:
        """Match all segments, UNH to UNT."""
        place, count, opened = self._place, self._count, self._open
        moves, children = place.moves, opened[-1].children
        # This loop is the cost of every clean message: locals, one look-up, no calls but the group's constructor.
        for index, segment in enumerate(segments):
            move = moves.get(segment.tag)
            if move is not None:
                closes, opens, again, target, _ = move
                if opens is None:
                    if target is not place:
                        if closes:
                            del opened[-closes:]
                            children = opened[-1].children
                        children.append(segment)
                        place, moves, count = target, target.moves, 1
                        continue
                    if count != place.limit:  # beyond the limit too: that was reported where it was passed
                        count += 1
                        children.append(segment)
                        continue
                else:
                    occurrence = opened[-closes].occurrence + 1 if again else 1
                    if occurrence != opens.repeat + 1:
                        if closes:
                            del opened[-closes:]
                        children = [segment]
                        group = Group(opens.name, opens.tag, occurrence, children)
                        opened[-1].children.append(group)
                        opened.append(group)
                        place, moves, count = target, target.moves, 1
                        continue
            self._place, self._count = place, count
            self._decide(segments, index)
            place, count = self._place, self._count
            moves, children = place.moves, opened[-1].children
        self._place, self._count = place, count
        self._finish(segments)

    def _decide(self, segments: Sequence[Segment], index: int) -> None:
        """Place a segment that has no single clean move."""
        if index and index - 1 != self._left_over_at:
            self._last = segments[index - 1]
        segment = segments[index]
        move = self._best_move(segments, index) if segment.tag in self._grammar.tags else None
        if move is None:
            self._left_over_at = index
            self._leave_over(segment)
        else:
            self._take(move, segment)

    def _leave_over(self, segment: Segment) -> None:
        self._open[-1].children.append(segment)
        if segment.tag in self._missing:
            index = self._missing.pop(segment.tag)
            missing = self.findings[index]
            self.findings[index] = Finding(
                rules.SEGMENT_TOO_LATE,
                segment.tag,
                missing.position,
                offset=missing.offset,
                value=str(segment.position),
                path=missing.path,
            )
            return
        if len(self.findings) >= DEFECTS_MAX:
            return
        rule = rules.SEGMENT_OUT_OF_PLACE if segment.tag in self._grammar.tags else rules.SEGMENT_UNKNOWN
        expected = ", ".join(self._expected_tags())
        self._report(rule, segment, expected=expected)

    def _expected_tags(self) -> list[str]:
        """The tags that may come next, nearest first."""
        return [
            tag
            for tag, options in self._place.options.items()
            if any(not move.missing and (move.place is not self._place or self._place.limit > 1) for move in options)
        ]

    def _take(self, move: Move, segment: Segment) -> None:
        for line in move.missing:
            self._report_missing(line)
        closes, opens, again, target, _ = move
        if opens is None:
            stays = target is self._place
            if stays and self._count == target.limit:
                self._report(rules.SEGMENT_TOO_OFTEN, segment, expected=str(target.limit))
            del self._open[len(self._open) - closes :]
            self._open[-1].children.append(segment)
            self._count = self._count + 1 if stays else 1
        else:
            occurrence = self._open[-closes].occurrence + 1 if again else 1
            del self._open[len(self._open) - closes :]
            group = Group(opens.name, opens.tag, occurrence, [segment])
            self._open[-1].children.append(group)
            self._open.append(group)
            self._count = 1
            if occurrence == opens.repeat + 1:
                self._report(rules.GROUP_TOO_OFTEN, segment, value=opens.name, expected=str(opens.repeat))
        self._place = target

    def _finish(self, segments: Sequence[Segment]) -> None:
        """Report the mandatory lines that the end of the message leaves unfilled; UNT itself is the envelope's."""
        if segments and len(segments) - 1 != self._left_over_at:
            self._last = segments[-1]
        for line in self._place.unfilled_at_end:
            if line.tag != "UNT":
                self._report_missing(line)

    # Weighing readings

    def _best_move(self, segments: Sequence[Segment], index: int) -> Move | None:
        """The first move of the reading with the fewest defects; None if the segment had better be left over."""
        if len(self.findings) >= DEFECTS_MAX:
            return next(iter(self._place.options.get(segments[index].tag, ())), None)
        occurrences = tuple(group.occurrence for group in self._open[1:])
        now = _Reading(
            None, self._place, min(self._count, self._place.limit + 1), occurrences, 0, frozenset(self._missing)
        )
        readings = _next_readings(now, segments[index].tag, is_first=True)
        end = index + 1 + LOOKAHEAD_SEGMENTS
        for segment in segments[index + 1 : end]:
            if len({id(reading.first) for reading in readings}) == 1:
                return readings[0].first
            if segment.tag in self._grammar.tags:
                readings = _fewest([following for r in readings for following in _next_readings(r, segment.tag)])
        if end < len(segments):
            return min(readings, key=lambda reading: reading.cost).first
        # The message ends in sight: what a reading leaves unfilled until then is a defect of it as well.
        return min(readings, key=lambda reading: reading.cost + len(reading.place.unfilled_at_end)).first

    # Findings

    def _report(self, rule: Rule, segment: Segment, *, value: str | None = None, expected: str | None = None) -> None:
        if len(self.findings) >= DEFECTS_MAX:
            return
        self.findings.append(
            Finding(
                rule,
                segment.tag,
                segment.position,
                offset=segment.offset,
                value=value,
                expected=expected,
                path=self._path(self._open, segment.tag),
            )
        )

    def _report_missing(self, line: Line) -> None:
        """A missing segment is reported at the last segment processed before its place (0096)."""
        if len(self.findings) >= DEFECTS_MAX:
            return
        parent_depth = line.depth - 1
        path = self._path(self._open[: parent_depth + 1], line.name)
        rule = rules.GROUP_MISSING if line.children else rules.SEGMENT_MISSING
        self._missing[line.tag] = len(self.findings)
        last = self._last
        self.findings.append(
            Finding(
                rule,
                line.tag,
                last.position if last else 1,
                offset=last.offset if last else None,
                expected=line.name,
                path=path,
            )
        )

    @staticmethod
    def _path(opened: Sequence[Group], name: str) -> str:
        return "/".join([f"{group.name}[{group.occurrence}]" for group in opened[1:]] + [name])


def _next_readings(reading: _Reading, tag: str, *, is_first: bool = False) -> list[_Reading]:
    """Every way to read a segment with this tag from here, the likelier first, leaving it over last."""
    following = []
    for move in reading.place.options.get(tag, ()):
        closes, opens, again, target, missing = move
        cost, count = reading.cost + len(missing), 1
        outer = reading.occurrences[: len(reading.occurrences) - closes]
        if opens is None:
            occurrences = outer
            if target is reading.place:
                # How far beyond the limit does not matter, and readings that differ in that only are one.
                cost += reading.count == target.limit
                count = min(reading.count + 1, target.limit + 1)
        else:
            occurrence = reading.occurrences[-closes] + 1 if again else 1
            cost += occurrence == opens.repeat + 1
            occurrences = (*outer, occurrence)
        tags = reading.missing.union(line.tag for line in missing) if missing else reading.missing
        following.append(_Reading(move if is_first else reading.first, target, count, occurrences, cost, tags))
    # A segment already reported missing, which turns up late, is that same defect.
    late = tag in reading.missing
    tags = reading.missing - {tag} if late else reading.missing
    first = None if is_first else reading.first
    cost = reading.cost if late else reading.cost + 1
    following.append(_Reading(first, reading.place, reading.count, reading.occurrences, cost, tags))
    return following


def _fewest(readings: list[_Reading]) -> list[_Reading]:
    """The best readings, one for each place; the order of equals is kept."""
    best: dict[tuple[Place, int, tuple[int, ...]], _Reading] = {}
    for reading in sorted(readings, key=lambda reading: reading.cost):
        best.setdefault((reading.place, reading.count, reading.occurrences), reading)
        if len(best) == READINGS_MAX:
            break
    return list(best.values())
