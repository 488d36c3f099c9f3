"""PAC, MEA, HAN, PCI and GIN: packages, their measures, and how they and their contents are marked."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import fields
from decimal import Decimal
from typing import Any

from edi_gateway.edifact.segment import Segment
from edi_gateway.marketplace.identifiers import SsccRangeRefused, expand_sscc_range
from edi_gateway.marketplace.shipment import Packing
from edi_gateway.messages.tree import Group
from edi_gateway.translators import rules
from edi_gateway.translators._machinery import BAD, Claimed, Reading, RecordMapping, Row, Values, Writing, append
from edi_gateway.translators.rows.cells import INTEGER, Cell, Components
from edi_gateway.translators.rows.dates import Dates
from edi_gateway.translators.values import read_number, write_number

SSCCS_MAX = 100_000
"""How many SSCCs the ranges of one message may name; the most of what a message may hold one by one."""

MEASURES: Mapping[str, tuple[str, str]] = {
    "AAB": ("gross_weight_kg", "KGM"),
    "LN": ("length_cm", "CMT"),
    "WD": ("width_cm", "CMT"),
    "HT": ("height_cm", "CMT"),
    "G": ("gross_weight_kg", "KGM"),
}
"""6313 -> field and the unit that it is kept in; the first code of a field is the one that is written."""

UNIT_FACTORS: Mapping[str, tuple[str, Decimal]] = {
    "KGM": ("KGM", Decimal(1)),
    "GRM": ("KGM", Decimal("0.001")),
    "TNE": ("KGM", Decimal(1000)),
    "CMT": ("CMT", Decimal(1)),
    "MMT": ("CMT", Decimal("0.1")),
    "MTR": ("CMT", Decimal(100)),
}
PHYSICAL_DIMENSIONS = "PD"
_MEA: Claimed = frozenset({(1, 1), (2, 1), (3, 1), (3, 2)})


class Measures(Row):
    """MEA+PD: gross weight in kilograms, length, width and height in centimetres. Other measures have no field."""

    tags = ("MEA",)

    def read(self, segment: Segment, values: Values, reading: Reading) -> None:
        name, unit = MEASURES.get(segment.get(2), ("", ""))
        kept_unit, factor = UNIT_FACTORS.get(segment.get(3), ("", Decimal(0)))
        raw = segment.get(3, 2)
        if segment.get(1) != PHYSICAL_DIMENSIONS or not name or not raw or kept_unit != unit or name in values:
            reading.leave(segment)
            return
        number = read_number(raw)
        if number is None:
            values[name] = BAD
            reading.report(rules.QUANTITY_UNREADABLE, segment, 3, 2, value=raw)
        else:
            values[name] = number * factor
            if reading.lineage is not None:
                reading.trace(name, segment, 3, 2)
        reading.leave_beyond(segment, _MEA)

    def write(self, record: Any, writing: Writing) -> None:
        written = {name: (code, unit) for code, (name, unit) in reversed(list(MEASURES.items()))}
        for name, (code, unit) in reversed(list(written.items())):
            value = getattr(record, name)
            if value is not None:
                text = write_number(value, writing.context.decimal)
                writing.add("MEA", PHYSICAL_DIMENSIONS, code, (unit, text))


MARKED_WITH_SSCC = "33E"
SSCC = "BJ"
GIN_NUMBERS_MAX = 5
GIN_PER_PCI_MAX = 99


def _trigger(node: Segment | Group) -> tuple[Segment, Sequence[Any]]:
    """The segment that a node is or begins with, and what follows it in its group: GIN is a group or none."""
    children: list[Any] = node.children if isinstance(node, Group) else [node]
    return children[0], children[1:]


class Marks(Row):
    """PCI and GIN+BJ: the SSCCs of packages, ranges expanded. Other marks have no field."""

    tags = ("PCI",)

    def read(self, segment: Segment, values: Values, reading: Reading) -> None:
        reading.leave_beyond(segment, frozenset({(1, 1)} if segment.get(1) == MARKED_WITH_SSCC else ()))

    def read_group(self, group: Group, values: Values, reading: Reading) -> None:
        children: list[Any] = group.children
        self.read(children[0], values, reading)
        for node in children[1:]:
            gin, rest = _trigger(node)
            if gin.tag == "GIN":
                self._read_gin(gin, values, reading)
                reading.leave_all(rest)
            else:
                reading.leave_all((node,))

    def _read_gin(self, segment: Segment, values: Values, reading: Reading) -> None:
        if segment.get(1) != SSCC:
            reading.leave(segment)
            return
        for element in range(2, len(segment.elements)):
            first, last = segment.get(element, 1), segment.get(element, 2)
            for sscc in self._expanded(first, last, element, segment, reading) if last else (first,):
                if sscc:
                    index = append(values, "ssccs", sscc)
                    if reading.lineage is not None:
                        reading.trace(f"ssccs[{index}]", segment, element, 1)
                        if last:
                            reading.trace_part(f"ssccs[{index}]", segment, element, 2)

    @staticmethod
    def _expanded(first: str, last: str, element: int, segment: Segment, reading: Reading) -> Sequence[str]:
        try:
            numbers = expand_sscc_range(first, last)
        except SsccRangeRefused:
            numbers = ()
        reading.expanded_count += len(numbers)
        if not numbers or reading.expanded_count > SSCCS_MAX:
            reading.report(rules.SSCC_RANGE_REFUSED, segment, element, 2, value=f"{first}:{last}")
            return ()
        return numbers

    def write(self, record: Any, writing: Writing) -> None:
        per_pci = GIN_NUMBERS_MAX * GIN_PER_PCI_MAX
        for start in range(0, len(record.ssccs), per_pci):
            writing.add("PCI", MARKED_WITH_SSCC)
            write_numbers(SSCC, record.ssccs[start : start + per_pci], writing)


def write_numbers(code: str, numbers: Sequence[str], writing: Writing) -> None:
    for start in range(0, len(numbers), GIN_NUMBERS_MAX):
        writing.add("GIN", code, *numbers[start : start + GIN_NUMBERS_MAX])


PACKING = RecordMapping(
    Packing,
    (
        Components(
            "PAC",
            Cell(1, 1, "count", INTEGER),
            Cell(2, 1, "packing_level"),
            Cell(2, 2, "marked"),
            Cell(3, 1, "type"),
        ),
        Measures(),
        Components("HAN", Cell(1, 1, "handling"), optional=True),
        Marks(),
    ),
)
_PACKING_FIELDS = tuple(field.name for field in fields(Packing))
_NOTHING_PACKED = Packing()


class Packings(Row):
    """PAC and its group: the first are fields of the package itself, the others its `further` packings."""

    tags = ("PAC",)

    def read(self, segment: Segment, values: Values, reading: Reading) -> None:
        self.read_group(Group("", segment.tag, 1, [segment]), values, reading)

    def read_group(self, group: Group, values: Values, reading: Reading) -> None:
        present: list[Packing | None] | None = values.get("further")
        if present is None:
            values["further"] = []
            packing = PACKING.read(group, reading)
            values.update({name: getattr(packing, name) for name in _PACKING_FIELDS})
            return
        with reading.within(f"{reading.prefix}further[{len(present)}]/"):
            present.append(PACKING.read(group, reading))

    def write(self, record: Any, writing: Writing) -> None:
        first = Packing(**{name: getattr(record, name) for name in _PACKING_FIELDS})
        if first != _NOTHING_PACKED:
            PACKING.write(first, writing)
        elif record.further:
            raise writing.refuse("further", "the first packing of a package stands in the package's own fields")
        for further in record.further:
            PACKING.write(further, writing)


class PackingOfOneKind(Row):
    """PAC and its group where the package's own fields hold them; packages of a further kind have no field."""

    tags = ("PAC",)

    def __init__(self, packing: Components, marks: Marks) -> None:
        self.packing = packing
        self.marks = marks

    def read(self, segment: Segment, values: Values, reading: Reading) -> None:
        self.packing.read(segment, values, reading)

    def read_group(self, group: Group, values: Values, reading: Reading) -> None:
        children: list[Any] = group.children
        if not self.packing.names.isdisjoint(values):
            reading.leave_all(children)
            return
        self.read(children[0], values, reading)
        for node in children[1:]:
            if isinstance(node, Group) and node.trigger == "PCI":
                self.marks.read_group(node, values, reading)
            else:
                reading.leave_all((node,))

    def write(self, record: Any, writing: Writing) -> None:
        before = len(writing.segments)
        self.packing.write(record, writing)
        if writing.segments[before:] == [] and record.ssccs:
            raise writing.refuse("ssccs", "packages with numbers say their kind or count")
        self.marks.write(record, writing)


BATCH = "BX"
SERIAL = "BN"


class ArticleNumbers(Row):
    """GIN of a line: its batch, and the serial numbers of its articles."""

    tags = ("GIN",)

    def read(self, segment: Segment, values: Values, reading: Reading) -> None:
        kind = segment.get(1)
        claimed = {(1, 1)}
        for element in range(2, len(segment.elements)):
            number = segment.get(element, 1)
            if kind == BATCH and "batch" not in values and number:
                values["batch"] = number
                name = "batch"
            elif kind == SERIAL and number:
                name = f"serials[{append(values, 'serials', number)}]"
            else:
                continue
            claimed.add((element, 1))
            if reading.lineage is not None:
                reading.trace(name, segment, element, 1)
        if len(claimed) == 1:
            reading.leave(segment)
        else:
            reading.leave_beyond(segment, frozenset(claimed))

    def write(self, record: Any, writing: Writing) -> None:
        if record.batch:
            writing.add("GIN", BATCH, record.batch)
        write_numbers(SERIAL, record.serials, writing)


class LineMarks(Row):
    """PCI of a line: its dates and numbers are those of the line. Nothing is written here."""

    tags = ("PCI",)

    def __init__(self, dates: Dates, numbers: ArticleNumbers) -> None:
        self.dates = dates
        self.numbers = numbers

    def read(self, segment: Segment, values: Values, reading: Reading) -> None:
        reading.leave_beyond(segment, frozenset({(1, 1)}))

    def read_group(self, group: Group, values: Values, reading: Reading) -> None:
        children: list[Any] = group.children
        self.read(children[0], values, reading)
        for node in children[1:]:
            first, rest = _trigger(node)
            row = {"DTM": self.dates, "GIN": self.numbers}.get(first.tag)
            if row is not None:
                row.read(first, values, reading)
                reading.leave_all(rest)
            else:
                reading.leave_all((node,))

    def write(self, record: Any, writing: Writing) -> None:
        """The rows of DTM and GIN write all that this one reads."""


_SEL: Claimed = frozenset({(1, 1)})


class Seals(Row):
    """SEL: the numbers of the seals of a transport unit."""

    tags = ("SEL",)

    def read(self, segment: Segment, values: Values, reading: Reading) -> None:
        if not segment.get(1):
            reading.leave(segment)
            return
        index = append(values, "seals", segment.get(1))
        if reading.lineage is not None:
            reading.trace(f"seals[{index}]", segment, 1, 1)
        reading.leave_beyond(segment, _SEL)

    def write(self, record: Any, writing: Writing) -> None:
        for seal in record.seals:
            writing.add("SEL", seal)
