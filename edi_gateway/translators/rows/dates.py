"""DTM: dates, times and periods."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from edi_gateway.edifact.segment import Segment
from edi_gateway.marketplace.parties import (
    Moment,
    Period,
    QualifiedDate,
)
from edi_gateway.translators import rules
from edi_gateway.translators._machinery import (
    BAD,
    Reading,
    Row,
    Values,
    Writing,
    append,
)
from edi_gateway.translators._usual import Capture, Usual
from edi_gateway.translators.rows.triples import read_triple, usual_parts, usual_triple
from edi_gateway.translators.values import (
    ReadMoment,
    read_moment,
    write_moment,
    write_period,
)


@dataclass(frozen=True, slots=True)
class Starts:
    """The qualifier dates the start of this period."""

    name: str


@dataclass(frozen=True, slots=True)
class Ends:
    """The qualifier dates the end of this period."""

    name: str


@dataclass(frozen=True, slots=True)
class Spans:
    """The qualifier gives this period, start and end."""

    name: str


_HALVES: Mapping[type[object], str] = {Starts: "start", Ends: "end"}

Dating = str | Starts | Ends | Spans


class Dates(Row):
    """DTM: qualifier (2005) -> field; a plain name is a moment. Any other goes to the field `others`.

    Qualifiers of `understood` mean the same as one of the table, which is the one that is written.
    """

    tags = ("DTM",)

    def __init__(
        self, table: Mapping[str, Dating], others: str = "", *, understood: Mapping[str, Dating] | None = None
    ) -> None:
        self.table = {**table, **(understood or {})}
        self.others = others
        self._written = table
        self.places = {target: f"DTM+{code}" for code, target in table.items() if isinstance(target, str)}

    def read(self, segment: Segment, values: Values, reading: Reading) -> None:
        qualifier, raw, code = read_triple(segment, reading)
        target = self.table.get(qualifier)
        if not raw or (target is None and not self.others) or _is_taken(target, values):
            reading.leave(segment)
            return
        name = self.others if target is None else target if isinstance(target, str) else target.name
        moment = read_dtm(raw, code, segment, reading)
        if moment is None:
            if target is not None:
                values[name] = BAD
        elif target is None:
            end = moment.end if moment.is_period else None
            index = append(values, name, QualifiedDate(qualifier=qualifier, date=moment.start, until=end))
            name = f"{name}[{index}]"
            if reading.lineage is not None:
                reading.trace(f"{name}/qualifier", segment, 1, 1)
        else:
            self._store(target, moment, segment, values, reading)
        if moment is not None and reading.lineage is not None:
            half = _HALVES.get(type(target))
            reading.trace(f"{name}/{half}" if half else name, segment, 1, 2)

    def usual(self, segment: Segment, reading: Reading) -> Usual | None:
        parts = usual_parts(segment)
        target = self.table.get(parts[0]) if parts is not None else None
        if parts is None or target is None or isinstance(target, Spans):
            return None
        qualifier, _, code = parts
        timezone = reading.timezone

        def read(raw: str) -> Moment | None:
            moment = read_moment(raw, code, timezone)
            return None if moment is None or moment.by_length or moment.is_period else moment.end

        path = target if isinstance(target, str) else f"{target.name}/{_HALVES[type(target)]}"
        return usual_triple(segment, qualifier, code, Capture(path, read))

    def _store(self, target: Dating, moment: ReadMoment, segment: Segment, values: Values, reading: Reading) -> None:
        if isinstance(target, str):
            values[target] = one_day(moment, segment, reading)
            return
        period: Any = values.get(target.name) or Period()
        if period is BAD:
            return
        start = period.start if isinstance(target, Ends) else moment.start
        end = period.end if isinstance(target, Starts) else moment.end
        values[target.name] = Period(start=start, end=end)

    def write(self, record: Any, writing: Writing) -> None:
        for qualifier, target in self._written.items():
            self._write_one(qualifier, target, record, writing)
        if self.others:
            for other in getattr(record, self.others):
                write_dtm(other.qualifier, other.date, writing, until=other.until)

    def _write_one(self, qualifier: str, target: Dating, record: Any, writing: Writing) -> None:
        value = getattr(record, target if isinstance(target, str) else target.name)
        if isinstance(target, Starts):
            value = value and value.start
        elif isinstance(target, Ends):
            value = value and value.end
        elif isinstance(target, Spans) and value is not None:
            if value.start is None or value.end is None:
                raise writing.refuse(target.name, f"a period in DTM+{qualifier} needs its start and its end")
            write_dtm(qualifier, value.start, writing, until=value.end)
            return
        if value is not None:
            write_dtm(qualifier, value, writing)


def _is_taken(target: Dating | None, values: Values) -> bool:
    if target is None:
        return False
    if isinstance(target, str | Spans):
        return (target if isinstance(target, str) else target.name) in values
    period = values.get(target.name)
    if period is None or period is BAD:
        return False
    return (period.start if isinstance(target, Starts) else period.end) is not None


def read_dtm(raw: str, code: str, segment: Segment, reading: Reading) -> ReadMoment | None:
    """What a DTM says by its value and format; None, with a finding, if it is no date."""
    moment = read_moment(raw, code, reading.timezone)
    if moment is None:
        reading.report(rules.DATE_UNREADABLE, segment, 1, 2, value=raw, expected=code or "102")
    elif moment.by_length:
        reading.report(rules.DATE_BY_LENGTH, segment, 1, 2, value=raw, expected=code or "2379")
    return moment


def one_day(moment: ReadMoment, segment: Segment, reading: Reading) -> Moment:
    """The moment where one is expected: of a period its end, for a promise holds until then."""
    if moment.is_period:
        value = segment.get(1, 2)
        reading.report(rules.PERIOD_FOR_DAY, segment, 1, 2, value=value, expected=moment.end.isoformat())
    return moment.end


def write_dtm(qualifier: str, value: Moment, writing: Writing, *, until: Moment | None = None) -> None:
    zone = writing.context.timezone
    text, code = write_moment(value, zone) if until is None else write_period(value, until, zone)
    writing.add("DTM", (qualifier, text, code))
