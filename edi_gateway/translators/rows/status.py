"""ALI: special conditions of an article's sale."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from edi_gateway.edifact.segment import Segment
from edi_gateway.translators._machinery import Reading, Row, Values, Writing


class Status(Row):
    """ALI: special conditions (4183) of the article's sale."""

    tags = ("ALI",)
    table: Mapping[str, str] = {"130": "discontinued", "X14": "suspended", "X15": "no_reorder"}
    first_element = 3
    elements_max = 5

    def read(self, segment: Segment, values: Values, reading: Reading) -> None:
        claimed = set()
        for element in range(self.first_element, self.first_element + self.elements_max):
            name = self.table.get(segment.get(element))
            if name is not None:
                values[name] = True
                claimed.add((element, 1))
                if reading.lineage is not None:
                    reading.trace(name, segment, element, 1)
        reading.leave_beyond(segment, frozenset(claimed))

    def write(self, record: Any, writing: Writing) -> None:
        conditions = [code for code, name in self.table.items() if getattr(record, name)]
        if conditions:
            writing.add("ALI", "", "", *conditions)
