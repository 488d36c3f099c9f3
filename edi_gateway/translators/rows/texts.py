"""Free text: FTX and IMD."""

from __future__ import annotations

import re
from typing import Any

from edi_gateway.edifact.segment import Segment
from edi_gateway.marketplace.parties import (
    Note,
)
from edi_gateway.translators._machinery import (
    FREE_TEXT_VALUE,
    Claimed,
    Reading,
    Row,
    Values,
    Writing,
    append,
    unreleased,
)
from edi_gateway.translators._usual import USUAL_FREE_TEXT, Capture, Usual
from edi_gateway.translators.rows.pieces import join_text, split_text, without_empty_end

_EMPTY = [""]
_FTX: Claimed = frozenset([(1, 1), *((4, component) for component in range(1, 6))])
NOTE_LINES_MAX = 5


class Notes(Row):
    """FTX: the free text of each subject (4451)."""

    tags = ("FTX",)

    def __init__(self, name: str = "notes") -> None:
        self.name = name

    def read(self, segment: Segment, values: Values, reading: Reading) -> None:
        elements = segment.elements
        lines = without_empty_end(elements[4]) if len(elements) > 4 else []
        if not lines:
            reading.leave(segment)
            return
        if len(elements) > 5 or len(lines) > NOTE_LINES_MAX or elements[2] != _EMPTY or elements[3] != _EMPTY:
            reading.leave_beyond(segment, _FTX)
        note = Note(subject=elements[1][0], text=tuple(lines[:NOTE_LINES_MAX]))
        index = append(values, self.name, note)
        if reading.lineage is not None:
            reading.trace(f"{self.name}[{index}]/subject", segment, 1, 1)
            for line in range(len(note.text)):
                reading.trace(f"{self.name}[{index}]/text[{line}]", segment, 4, line + 1)

    def write(self, record: Any, writing: Writing) -> None:
        for note in getattr(record, self.name):
            write_note(note, writing)


def write_note(note: Note, writing: Writing) -> None:
    """One FTX, or more where the text needs them: a line that is too long goes on in the next part."""
    width = writing.form.note_characters
    lines = [piece for line in note.text for piece in split_text(line, width)]
    for start in range(0, len(lines), NOTE_LINES_MAX):
        writing.add("FTX", note.subject, "", "", lines[start : start + NOTE_LINES_MAX])


DESCRIBING = frozenset({"", "ANM", "DSC"})
"""The characteristics (7081) that describe the article as a whole."""

FREE_TEXT = frozenset({"", "F", "A", "E"})
_IMD_TEXT = re.compile(f"IMD\\+[FAE]\\+\\+:::{FREE_TEXT_VALUE}").fullmatch
_USUAL_IMD = re.compile(f"(IMD\\+[FAE]\\+(?:ANM|DSC)?\\+:::){USUAL_FREE_TEXT}", re.DOTALL).fullmatch
_IMD: Claimed = frozenset({(1, 1), (2, 1), (3, 4), (3, 5)})


class Description(Row):
    """IMD: the description as free text. A coded one, or that of a single characteristic, has no field."""

    tags = ("IMD",)

    def __init__(self, name: str = "description") -> None:
        self.name = name

    def read(self, segment: Segment, values: Values, reading: Reading) -> None:
        match = _IMD_TEXT(segment.raw) if reading.reads_text and reading.lineage is None else None
        if match is not None and self.name not in values:
            values[self.name] = text = unreleased(match[1])
            reading.last_piece_length = len(text)
            return
        elements = segment.elements
        parts = elements[3] if len(elements) > 3 else ()
        if len(parts) < 4 or elements[1][0] not in FREE_TEXT or elements[2][0] not in DESCRIBING:
            reading.leave(segment)
            return
        so_far: str | None = values.get(self.name)
        for component, piece in enumerate(parts[3:5], start=4):
            if piece:
                if reading.lineage is not None:
                    reading.trace_part(self.name, segment, 3, component)
                so_far = piece if so_far is None else join_text(so_far, reading.last_piece_length, piece)
                reading.last_piece_length = len(piece)
        if so_far is not None:
            values[self.name] = so_far
        if len(elements) > 4 or len(parts) > 5 or parts[0] or parts[1] or parts[2]:
            reading.leave_beyond(segment, _IMD)

    def usual(self, segment: Segment, reading: Reading) -> Usual | None:
        match = _USUAL_IMD(segment.raw)
        if match is None:
            return None
        return Usual(re.escape(match[1]) + USUAL_FREE_TEXT, (Capture(self.name, unreleased),))

    def write(self, record: Any, writing: Writing) -> None:
        text = getattr(record, self.name)
        if not text:
            return
        pieces = split_text(text, writing.form.description_characters)
        for start in range(0, len(pieces), 2):
            writing.add("IMD", "F", "", ("", "", "", *pieces[start : start + 2]))
