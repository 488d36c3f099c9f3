"""Segments whose components each are a field, and the codecs of single components."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from decimal import Decimal
from typing import Any, Protocol

from edi_gateway.edifact.findings import Rule
from edi_gateway.edifact.segment import Segment
from edi_gateway.translators import rules
from edi_gateway.translators._machinery import (
    BAD,
    Claimed,
    Reading,
    Row,
    Values,
    Writing,
)
from edi_gateway.translators.rows.pieces import join_pieces, split_text
from edi_gateway.translators.values import (
    read_integer,
    read_number,
    write_number,
)


class Codec(Protocol):
    """One component's value, both ways. `read` gives BAD for what it cannot read; `rule` is the finding of that."""

    rule: Rule
    expected: str

    def read(self, raw: str) -> Any: ...

    def write(self, value: Any, writing: Writing) -> str: ...


class TextCodec:
    rule = rules.CODE_NOT_HANDLED
    expected = ""

    def read(self, raw: str) -> str:
        return raw

    def write(self, value: str, writing: Writing) -> str:
        return value


class IntegerCodec:
    rule = rules.NOT_AN_INTEGER
    expected = ""

    def read(self, raw: str) -> Any:
        value = read_integer(raw)
        return BAD if value is None else value

    def write(self, value: int | None, writing: Writing) -> str:
        return "" if value is None else str(value)


class NumberCodec:
    expected = ""

    def __init__(self, rule: Rule) -> None:
        self.rule = rule

    def read(self, raw: str) -> Any:
        value = read_number(raw)
        return BAD if value is None else value

    def write(self, value: Decimal | None, writing: Writing) -> str:
        return "" if value is None else write_number(value, writing.context.decimal)


class CodeCodec:
    """A code that stands for a value; the first code of a value is the one that is written."""

    rule = rules.CODE_NOT_HANDLED

    def __init__(self, table: Mapping[str, Any]) -> None:
        self._values = table
        self._codes = {value: code for code, value in reversed(list(table.items()))}
        self.expected = ", ".join(table)

    def read(self, raw: str) -> Any:
        return self._values.get(raw, BAD)

    def write(self, value: Any, writing: Writing) -> str:
        return "" if value is None else self._codes[value]


TEXT = TextCodec()
INTEGER = IntegerCodec()
QUANTITY = NumberCodec(rules.QUANTITY_UNREADABLE)
AMOUNT = NumberCodec(rules.AMOUNT_UNREADABLE)


@dataclass(frozen=True, slots=True)
class Cell:
    """A component of a segment and its field; `place` names it in findings.

    `parts` is how many components of PART_CHARACTERS each the text may go on in. `habit` names the habit that
    translates the partner's codes.
    """

    element: int
    component: int
    name: str
    codec: Codec = TEXT
    place: str = ""
    parts: int = 1
    habit: str = ""


PART_CHARACTERS = 35


class Components(Row):
    """A segment whose components each are a field.

    `fixed` are components that always say the same. A segment that says otherwise is refused, or, if the row
    only `selects` such segments, has no field. An `optional` one is written only if a field has a value.
    """

    def __init__(
        self,
        tag: str,
        *cells: Cell,
        fixed: Mapping[tuple[int, int], str] | None = None,
        selects: bool = False,
        optional: bool = False,
    ) -> None:
        self.tags = (tag,)
        self.cells = cells
        self.fixed = fixed or {}
        self.selects = selects
        self.optional = optional
        self.names = frozenset(cell.name for cell in cells)
        self.places = {cell.name: cell.place for cell in cells if cell.place}
        own = [(cell.element, cell.component + part) for cell in cells for part in range(cell.parts)]
        self.claimed: Claimed = frozenset([*own, *self.fixed])

    def read(self, segment: Segment, values: Values, reading: Reading) -> None:
        others = [place for place, code in self.fixed.items() if segment.get(*place) not in ("", code)]
        if (others and self.selects) or not self.names.isdisjoint(values):
            reading.leave(segment)
            return
        for place in others:
            value, expected = segment.get(*place), self.fixed[place]
            reading.report(rules.CODE_NOT_HANDLED, segment, *place, value=value, expected=expected)
        for cell in self.cells:
            raw = segment.get(cell.element, cell.component)
            if cell.parts > 1:
                raw = join_pieces([segment.get(cell.element, cell.component + part) for part in range(cell.parts)])
            if raw:
                self._read_cell(cell, raw, segment, values, reading)
        reading.leave_beyond(segment, self.claimed)

    def _read_cell(self, cell: Cell, raw: str, segment: Segment, values: Values, reading: Reading) -> None:
        ours = getattr(reading.habits, cell.habit).get(raw, raw) if cell.habit else raw
        values[cell.name] = value = cell.codec.read(ours)
        if value is BAD:
            codec = cell.codec
            reading.report(codec.rule, segment, cell.element, cell.component, value=raw, expected=codec.expected)
        elif reading.lineage is not None:
            for component in range(cell.component, cell.component + cell.parts):
                if segment.get(cell.element, component):
                    reading.trace_part(cell.name, segment, cell.element, component)

    def write(self, record: Any, writing: Writing) -> None:
        texts = [
            (cell, _theirs(cell, cell.codec.write(getattr(record, cell.name), writing), writing)) for cell in self.cells
        ]
        if self.optional and not any(text for _, text in texts):
            return
        elements: list[list[str]] = []
        for (element, component), code in self.fixed.items():
            _put(elements, element, component, code)
        for cell, text in texts:
            pieces = split_text(text, PART_CHARACTERS) if cell.parts > 1 else [text]
            if len(pieces) > cell.parts:
                raise writing.refuse(cell.name, f"at most {PART_CHARACTERS * cell.parts} characters can be sent")
            for part, piece in enumerate(pieces):
                _put(elements, cell.element, cell.component + part, piece)
        writing.add(self.tags[0], *elements)


def _theirs(cell: Cell, text: str, writing: Writing) -> str:
    """The code as the partner has it."""
    if not cell.habit:
        return text
    codes: Mapping[str, str] = getattr(writing.habits, cell.habit)
    return next((theirs for theirs, ours in codes.items() if ours == text), text)


def _put(elements: list[list[str]], element: int, component: int, value: str) -> None:
    if not value:
        return
    while len(elements) < element:
        elements.append([""])
    parts = elements[element - 1]
    while len(parts) < component:
        parts.append("")
    parts[component - 1] = value


class Service(Row):
    """Segments of the envelope within the tree; nothing of the record."""

    def __init__(self, *tags: str) -> None:
        self.tags = tags

    def read(self, segment: Segment, values: Values, reading: Reading) -> None:
        """The envelope is judged before."""

    def write(self, record: Any, writing: Writing) -> None:
        """The writer of the interchange adds the envelope."""
