"""A message's segment table, compiled to places and moves.

A *place* is one segment line of the table. From a place, each tag that may come next has its *moves*,
nearest first, as ISO 9735-1 processes a segment table: the same line again, the lines after it in the
group, the group again, then the same outside the group. The table is static, so a place also knows
the groups that are open there, and a move is a small tuple: how many groups to close, which to open,
and which mandatory lines it leaves unfilled.

Most steps of most messages are a single possible move that leaves nothing out; those are in `moves`,
which the matcher reads with one dictionary look-up. All others are in `options` and are weighed by
looking ahead.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import NamedTuple

from edi_gateway.messages._directory import Node

MISSING_MAX = 8
"""A move that would leave more mandatory lines than this unfilled is no move: the segment is out of place."""


class Line:
    """A node with its parent and place among its siblings."""

    __slots__ = ("children", "depth", "index", "mandatory", "name", "parent", "repeat", "tag")

    def __init__(self, node: Node, parent: Line | None, index: int) -> None:
        self.name = node.name
        self.tag = node.tag
        self.mandatory = node.mandatory
        self.repeat = node.repeat
        self.parent = parent
        self.index = index
        self.depth: int = 0 if parent is None else parent.depth + 1
        self.children: list[Line] = [Line(child, self, i) for i, child in enumerate(node.children or ())]

    @property
    def is_trigger(self) -> bool:
        return self.index == 0 and self.depth > 1

    @property
    def first(self) -> Line:
        """The segment line that begins this node: itself, or a group's trigger."""
        return self.children[0] if self.children else self


class Move(NamedTuple):
    """One step: close `closes` groups, open `opens` (again: its next occurrence), and stand at `place`."""

    closes: int
    opens: Line | None
    again: bool
    place: Place
    missing: tuple[Line, ...] = ()


class Place:
    """A segment line and where one can go from it."""

    __slots__ = ("limit", "line", "moves", "options", "tag", "unfilled_at_end")

    def __init__(self, line: Line | None) -> None:
        self.line = line
        self.tag = line.tag if line else ""
        self.limit = line.repeat if line else 0
        self.moves: dict[str, Move] = {}
        self.options: dict[str, tuple[Move, ...]] = {}
        self.unfilled_at_end: tuple[Line, ...] = ()


@dataclass(frozen=True, slots=True)
class Grammar:
    """`start` is the place before the first segment; `tags` are all tags of the table."""

    start: Place
    tags: frozenset[str]


def compile_grammar(message_type: str, nodes: tuple[Node, ...]) -> Grammar:
    """Compile a segment table; the work is linear in the number of moves, a few thousand for the largest table."""
    root = Line(Node(message_type, message_type, True, 1, nodes), None, 0)
    leaves = list(_leaves(root))
    places = {id(leaf): Place(leaf) for leaf in leaves}
    for leaf in leaves:
        _fill(places[id(leaf)], _moves_from(leaf, places))
    start = Place(None)
    _fill(start, [Move(0, None, False, places[id(leaves[0])])])
    return Grammar(start, frozenset(leaf.tag for leaf in leaves))


def _leaves(line: Line) -> list[Line]:
    if not line.children:
        return [line]
    return [leaf for child in line.children for leaf in _leaves(child)]


def _moves_from(leaf: Line, places: dict[int, Place]) -> list[Move]:
    """Every move from a line, nearest first; the one to the end of the message has no place and is left out."""
    # A trigger does not repeat in its place: a second one begins the group again.
    moves = [] if leaf.is_trigger else [Move(0, None, False, places[id(leaf)])]
    missing: list[Line] = []
    closes, line = 0, leaf
    while line.parent is not None:
        parent = line.parent
        for sibling in parent.children[line.index + 1 :]:
            opens = sibling if sibling.children else None
            moves.append(Move(closes, opens, False, places[id(sibling.first)], tuple(missing)))
            if sibling.mandatory:
                missing.append(sibling)
        closes += 1
        if parent.parent is not None:
            moves.append(Move(closes, parent, True, places[id(parent.first)], tuple(missing)))
        line = parent
    places[id(leaf)].unfilled_at_end = tuple(missing)
    return moves


def _fill(place: Place, moves: list[Move]) -> None:
    options: dict[str, list[Move]] = {}
    for move in moves:
        if len(move.missing) <= MISSING_MAX:
            options.setdefault(move.place.tag, []).append(move)
    place.options = {tag: tuple(choices) for tag, choices in options.items()}
    for tag, choices in place.options.items():
        clean = [move for move in choices if not move.missing and _may_repeat(place, move)]
        if len(clean) == 1:
            place.moves[tag] = clean[0]


def _may_repeat(place: Place, move: Move) -> bool:
    if move.place is place and move.opens is None:
        return place.limit > 1
    return not move.again or move.opens is None or move.opens.repeat > 1
