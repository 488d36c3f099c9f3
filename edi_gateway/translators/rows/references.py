"""RFF and its group: references, with their dates."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from edi_gateway.edifact.segment import Segment
from edi_gateway.marketplace.parties import (
    Moment,
    Reference,
)
from edi_gateway.messages.tree import Group
from edi_gateway.translators import rules
from edi_gateway.translators._machinery import (
    BAD,
    Claimed,
    Reading,
    Row,
    Values,
    Writing,
    append,
)
from edi_gateway.translators.rows.dates import one_day, read_dtm, write_dtm
from edi_gateway.translators.rows.triples import TRIPLE, Triple, read_triple
from edi_gateway.translators.values import (
    read_integer,
)


@dataclass(frozen=True, slots=True)
class Ref:
    """Where a reference goes: its number (1154), line (1156), version (4000, later 1056) and date (DTM 171).

    `whole` keeps all of it as one `Reference`; `written` is false for a qualifier that is only understood.
    """

    number: str
    line: str = ""
    date: str = ""
    whole: bool = False
    written: bool = True
    version: str = ""


_REFERENCE_DATE = "171"
_DTM: Claimed = frozenset({(1, 1), (1, 2), (1, 3)})
_WITH_VERSION: Claimed = TRIPLE | {(1, 4)}


class References(Row):
    """RFF and its group: qualifier (1153) -> fields. Any other goes to `others`."""

    tags = ("RFF",)

    def __init__(self, table: Mapping[str, Ref], others: str = "references") -> None:
        self.table = table
        self.others = others
        self.places = {ref.number: f"RFF+{code}" for code, ref in table.items() if ref.written}
        self._has_versions = any(ref.version for ref in table.values())

    def read(self, segment: Segment, values: Values, reading: Reading) -> None:
        self._read(segment, (), values, reading)

    def read_group(self, group: Group, values: Values, reading: Reading) -> None:
        children: list[Any] = group.children
        self._read(children[0], children[1:], values, reading)

    def _read(self, segment: Segment, rest: Sequence[Any], values: Values, reading: Reading) -> None:
        ref = self.table.get(segment.get(1, 1)) if self._has_versions else None
        claimed = _WITH_VERSION if ref is not None and ref.version else TRIPLE
        qualifier, number, line = triple = read_triple(segment, reading, claimed)
        ref = self.table.get(qualifier)
        if not number and not (ref and ref.line and line):
            reading.leave_all((segment, *rest))
            return
        if ref is not None and ref.number not in values:
            self._read_known(ref, triple, segment, rest, values, reading)
            return
        index = len(values.get(self.others, ()))
        append(values, self.others, self._whole(f"{self.others}[{index}]", triple, segment, rest, reading))

    @staticmethod
    def _whole(name: str, triple: Triple, segment: Segment, rest: Sequence[Any], reading: Reading) -> Reference:
        """All that an RFF says as one value; `name` is its place in the record."""
        qualifier, number, line = triple
        if reading.lineage is not None:
            for part, component in (("qualifier", 1), ("number", 2), ("line", 3)):
                if segment.get(1, component):
                    reading.trace(f"{name}/{part}", segment, 1, component)
        return Reference(
            qualifier=qualifier,
            number=number,
            line=line,
            date=_reference_date(rest, f"{name}/date", reading) if rest else None,
        )

    def _read_known(
        self, ref: Ref, triple: Triple, segment: Segment, rest: Sequence[Any], values: Values, reading: Reading
    ) -> None:
        if ref.whole:
            values[ref.number] = self._whole(ref.number, triple, segment, rest, reading)
            return
        _, number, line = triple
        if number:
            values[ref.number] = number
            if reading.lineage is not None:
                reading.trace(ref.number, segment, 1, 2)
        if ref.date:
            values[ref.date] = _reference_date(rest, ref.date, reading)
        else:
            reading.leave_all(rest)
        if ref.version and segment.get(1, 4):
            values[ref.version] = segment.get(1, 4)
            if reading.lineage is not None:
                reading.trace(ref.version, segment, 1, 4)
        if line and ref.line:
            self._read_line(ref.line, line, segment, values, reading)
        elif line:
            reading.leave_component(segment, 1, 3)

    def _read_line(self, name: str, raw: str, segment: Segment, values: Values, reading: Reading) -> None:
        line = read_integer(raw)
        values[name] = BAD if line is None else line
        if line is None:
            reading.report(rules.NOT_AN_INTEGER, segment, 1, 3, value=raw)
        elif reading.lineage is not None:
            reading.trace(name, segment, 1, 3)

    def write(self, record: Any, writing: Writing) -> None:
        for qualifier, ref in self.table.items():
            if ref.written:
                self._write_known(qualifier, ref, record, writing)
        if self.others:
            for reference in getattr(record, self.others):
                write_reference(reference, writing)

    def _write_known(self, qualifier: str, ref: Ref, record: Any, writing: Writing) -> None:
        number = getattr(record, ref.number)
        if ref.whole:
            if number is not None:
                write_reference(number, writing)
            return
        line = getattr(record, ref.line) if ref.line else None
        if number or line is not None:
            version = getattr(record, ref.version) if ref.version else ""
            writing.add("RFF", (qualifier, number, "" if line is None else str(line), version))
            date = getattr(record, ref.date) if ref.date else None
            if date is not None:
                write_dtm(_REFERENCE_DATE, date, writing)


class OrderReference(References):
    """RFF of a line: ON says which line of which order it is about, unless that is `implied`."""

    def __init__(
        self,
        table: Mapping[str, Ref] | None = None,
        *,
        implied: Callable[[Any], bool] = lambda line: not line.order_number and line.order_line is None,
    ) -> None:
        super().__init__({"ON": Ref("order_number", line="order_line"), **(table or {})})
        self.implied = implied

    def _write_known(self, qualifier: str, ref: Ref, record: Any, writing: Writing) -> None:
        if ref.number != "order_number":
            super()._write_known(qualifier, ref, record, writing)
        elif not self.implied(record):
            # A line number alone would leave the order to be guessed: the header's is meant.
            number = record.order_number or writing.root.order_number
            line = record.order_line
            writing.add("RFF", (qualifier, number, "" if line is None else str(line)))


def _reference_date(rest: Sequence[Any], name: str, reading: Reading) -> Moment | None:
    """The DTM 171 among what follows an RFF in its group; everything else there has no field."""
    date: Moment | None = None
    for node in rest:
        if node.__class__ is Segment and node.tag == "DTM" and node.get(1, 1) == _REFERENCE_DATE and date is None:
            moment = read_dtm(node.get(1, 2), node.get(1, 3), node, reading)
            date = one_day(moment, node, reading) if moment else None
            reading.leave_beyond(node, _DTM)
            if reading.lineage is not None:
                reading.trace(name, node, 1, 2)
        else:
            reading.leave_all((node,))
    return date


def write_reference(reference: Reference, writing: Writing) -> None:
    writing.add("RFF", (reference.qualifier, reference.number, reference.line))
    if reference.date is not None:
        write_dtm(_REFERENCE_DATE, reference.date, writing)
