"""QTY, MOA, PRI, QVR, CNT and CUX: quantities, amounts and prices, and what checks them."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping, Sequence
from decimal import Decimal
from typing import Any

from edi_gateway.edifact.findings import Finding
from edi_gateway.edifact.segment import Segment
from edi_gateway.translators import rules
from edi_gateway.translators._machinery import (
    BAD,
    TEXT_VALUE,
    Claimed,
    FinishingRow,
    Reading,
    Row,
    Values,
    Writing,
    append,
    first_codes,
)
from edi_gateway.translators._usual import Capture, Usual
from edi_gateway.translators.rows.cells import CodeCodec
from edi_gateway.translators.rows.triples import read_triple, usual_parts, usual_triple
from edi_gateway.translators.values import (
    read_number,
    write_number,
)

PIECE = "PCE"
"""The unit that is meant where none is sent."""


_SECOND: Claimed = frozenset({(1, 2)})
_PAIR: Claimed = frozenset({(1, 1), (1, 2)})


_TENTATIVE = "tentative unit"  # no field: the quantities that told the unit while the main one was not read


class Quantities(Row):
    """QTY: qualifier (6063) -> field; any other goes to `others`.

    The unit (6411) is that of `main`, else of the first quantity that names one; a quantity in another unit
    has no field. A quantity of `unitless` counts something else and says nothing of the unit.
    """

    tags = ("QTY",)

    def __init__(
        self,
        table: Mapping[str, str],
        *,
        main: str,
        others: str = "other_quantities",
        unitless: frozenset[str] = frozenset(),
    ) -> None:
        self.table = table
        self.main = main
        self.others = others
        self.unitless = unitless
        self.places = {name: f"QTY+{code}" for code, name in first_codes(table)}

    def read(self, segment: Segment, values: Values, reading: Reading) -> None:
        qualifier, raw, unit = read_triple(segment, reading)
        name = self.table.get(qualifier)
        if not raw or (name in values if name else not self.others):
            reading.leave(segment)
            return
        if reading.units is not None:
            unit = reading.units.get(unit, unit)
        if unit and not self._takes_unit(qualifier, unit, segment, values, reading):
            reading.leave(segment)
            return
        quantity = read_number(raw)
        if quantity is None:
            reading.report(rules.QUANTITY_UNREADABLE, segment, 1, 2, value=raw)
            if name is not None:
                values[name] = BAD
            return
        if qualifier == self.main:
            values["unit"] = unit or reading.habits.unit
            if _TENTATIVE in values:
                self._settle(values.pop(_TENTATIVE), values, reading)
        if name is not None:
            values[name] = quantity
        else:
            name = f"{self.others}[{append(values, self.others, (qualifier, quantity))}]"
        if reading.lineage is not None:
            reading.trace(name, segment, 1, 2)
            if unit and qualifier == self.main:
                reading.trace("unit", segment, 1, 3)

    def usual(self, segment: Segment, reading: Reading) -> Usual | None:
        return _usual_figure(self.table, segment, has_third=True)

    def _takes_unit(self, qualifier: str, unit: str, segment: Segment, values: Values, reading: Reading) -> bool:
        """Whether a quantity in this unit can be a value of the record."""
        if qualifier in self.unitless:
            reading.leave_component(segment, 1, 3)
        elif qualifier != self.main and "unit" not in values:
            values["unit"] = unit
            values[_TENTATIVE] = [segment]
            if reading.lineage is not None:
                reading.trace("unit", segment, 1, 3)
        elif qualifier != self.main and unit != values["unit"]:
            return False
        elif _TENTATIVE in values:
            values[_TENTATIVE].append(segment)
        return True

    def _settle(self, earlier: Sequence[Segment], values: Values, reading: Reading) -> None:
        """What was read in another unit before the main quantity told the unit has no field after all."""
        for segment in earlier:
            name = self.table.get(segment.get(1, 1))
            unit = segment.get(1, 3)
            if (reading.units or {}).get(unit, unit) == values["unit"] or segment.get(1, 1) == self.main:
                continue
            if name is None:
                reading.leave_component(segment, 1, 3)
                continue
            values.pop(name, None)
            if reading.lineage is not None:
                reading.lineage.pop(reading.prefix + name, None)
            reading.leave(segment)

    def write(self, record: Any, writing: Writing) -> None:
        for code, quantity in _pairs(record, self.table, self.others):
            if quantity is not None:
                self.write_one(code, quantity, record, writing)

    def write_one(self, code: str, quantity: Decimal, record: Any, writing: Writing) -> None:
        unit = "" if code in self.unitless else writing.unit(record.unit)
        writing.add("QTY", (code, write_number(quantity, writing.context.decimal), unit))


def _usual_figure(table: Mapping[str, str], segment: Segment, *, has_third: bool) -> Usual | None:
    """A number that has a field of its own."""
    parts = usual_parts(segment)
    if parts is None or parts[0] not in table or (parts[2] and not has_third):
        return None
    return usual_triple(segment, parts[0], parts[2], Capture(table[parts[0]], read_number))


def _pairs(record: Any, table: Mapping[str, str], others: str) -> list[tuple[str, Decimal | None]]:
    """Code and value of every field of the table, and of what has none."""
    known = [(code, getattr(record, name)) for code, name in first_codes(table)]
    return [*known, *(getattr(record, others) if others else ())]


class Amounts(Row):
    """MOA: qualifier (5025) -> field; any other goes to `others`, or nowhere if that is "".

    An amount in another currency than the document's has no field.
    """

    tags = ("MOA",)

    def __init__(self, table: Mapping[str, str], others: str = "") -> None:
        self.table = table
        self.others = others

    def read(self, segment: Segment, values: Values, reading: Reading) -> None:
        qualifier, raw, currency = read_triple(segment, reading)
        name = self.table.get(qualifier)
        has_no_field = name in values if name else not self.others
        if not raw or has_no_field or (currency and currency != reading.root.get("currency", currency)):
            reading.leave(segment)
            return
        amount = read_number(raw)
        if amount is None:
            reading.report(rules.AMOUNT_UNREADABLE, segment, 1, 2, value=raw)
            if name is not None:
                values[name] = BAD
            return
        if name is not None:
            values[name] = amount
        else:
            name = f"{self.others}[{append(values, self.others, (qualifier, amount))}]"
        if reading.lineage is not None:
            reading.trace(name, segment, 1, 2)

    def usual(self, segment: Segment, reading: Reading) -> Usual | None:
        return _usual_figure(self.table, segment, has_third=False)

    def write(self, record: Any, writing: Writing) -> None:
        for code, amount in _pairs(record, self.table, self.others):
            if amount is not None:
                writing.add("MOA", (code, write_number(amount, writing.context.decimal)))


_PRICE_TEXT = re.compile(f"PRI\\+{TEXT_VALUE}:{TEXT_VALUE}").fullmatch
_PRI: Claimed = frozenset({(1, 1), (1, 2), (1, 5)})
IMPLIED_PRICE_KINDS: Mapping[str, frozenset[str]] = {
    "AAA": frozenset({"CA", "CT", "NTP"}),
    "AAB": frozenset({"CA", "CT"}),
    "AAE": frozenset({"RTP", "SRP"}),
}
"""What 5375 and 5387 may say of a price without adding to what its qualifier says."""


class Prices(Row):
    """PRI: qualifier (5125) -> field, per `price_basis` (5284) units; any other goes to `other_prices`.

    `says_unit`: the unit of the basis is written where it is not implied; not so where QTY follows PRI.
    """

    tags = ("PRI",)

    def __init__(
        self,
        table: Mapping[str, str],
        *,
        basis: str = "price_basis",
        others: str = "other_prices",
        says_unit: bool = True,
    ) -> None:
        self.table = table
        self.says_unit = says_unit
        self.basis = basis
        self.others = others

    def read(self, segment: Segment, values: Values, reading: Reading) -> None:
        match = _PRICE_TEXT(segment.raw) if reading.reads_text else None
        qualifier, raw = match.groups() if match is not None else (segment.get(1, 1), segment.get(1, 2))
        name = self.table.get(qualifier)
        has_no_field = name in values if name else not self.others
        if not raw or has_no_field or (not self.basis and segment.get(1, 5) not in ("", "1")):
            reading.leave(segment)
            return
        if self.basis and (match is None or self.basis in values):
            self._read_basis(segment, values, reading)
        price = read_number(raw)
        if price is None:
            reading.report(rules.AMOUNT_UNREADABLE, segment, 1, 2, value=raw)
            if name is not None:
                values[name] = BAD
            return
        if name is not None:
            values[name] = price
        else:
            name = f"{self.others}[{append(values, self.others, (qualifier, price))}]"
        if reading.lineage is not None:
            reading.trace(name, segment, 1, 2)
        if match is None:
            self._leave_rest(qualifier, segment, values, reading)

    def usual(self, segment: Segment, reading: Reading) -> Usual | None:
        return _usual_figure(self.table, segment, has_third=False)

    def _read_basis(self, segment: Segment, values: Values, reading: Reading) -> None:
        """All prices of a line have one basis: that of the first of them, which is 1 where none is sent."""
        raw = segment.get(1, 5)
        basis = read_number(raw) if raw else Decimal(1)
        if basis is None or basis <= 0:
            reading.report(rules.AMOUNT_UNREADABLE, segment, 1, 5, value=raw)
            values[self.basis] = BAD
            return
        if any(name in values for name in (*self.table.values(), self.others)):
            first = values.get(self.basis, Decimal(1))
            if first is not BAD and first != basis:
                reading.report(rules.PRICE_BASES_DIFFER, segment, 1, 5, value=str(basis), expected=str(first))
        elif raw:
            values[self.basis] = basis
            if reading.lineage is not None:
                reading.trace(self.basis, segment, 1, 5)

    @staticmethod
    def _leave_rest(qualifier: str, segment: Segment, values: Values, reading: Reading) -> None:
        implied = IMPLIED_PRICE_KINDS.get(qualifier, frozenset())
        kinds = {(1, component) for component in (3, 4) if segment.get(1, component) in implied}
        unit = segment.get(1, 6)
        same_unit = {(1, 6)} if (reading.units or {}).get(unit, unit) == values.get("unit", PIECE) else set()
        reading.leave_beyond(segment, _PRI | kinds | same_unit)

    def write(self, record: Any, writing: Writing) -> None:
        basis = getattr(record, self.basis) if self.basis else Decimal(1)
        basis_text = "" if basis == 1 else write_number(basis, writing.context.decimal)
        for code, price in _pairs(record, self.table, self.others):
            if price is not None:
                unit = writing.unit(record.unit) if basis_text and self.says_unit else ""
                text = write_number(price, writing.context.decimal)
                writing.add("PRI", (code, text, "", "", basis_text, unit))


_QVR: Claimed = frozenset({(1, 1), (1, 2), (2, 1), (3, 1)})
ORDERED = "21"


class Variance(Row):
    """QVR: how far the quantity differs (6064, of what is ordered), what becomes of the rest (4221), why (4295)."""

    tags = ("QVR",)

    def __init__(self, remainders: CodeCodec) -> None:
        self.remainders = remainders

    def read(self, segment: Segment, values: Values, reading: Reading) -> None:
        raw = segment.get(1)
        if segment.get(1, 2) not in (ORDERED, "") or "difference" in values or "remainder" in values:
            reading.leave(segment)
            return
        claimed = _QVR
        if raw:
            self._read_difference(raw, segment, values, reading)
        remainder = self.remainders.read(segment.get(2))
        if remainder is not BAD:
            values["remainder"] = remainder
        else:
            claimed = _QVR - {(2, 1)}
        if segment.get(3):
            values["reason"] = segment.get(3)
        if reading.lineage is not None:
            for name, element in (("difference", 1), ("remainder", 2), ("reason", 3)):
                if name in values:
                    reading.trace(name, segment, element, 1)
        reading.leave_beyond(segment, claimed)

    def _read_difference(self, raw: str, segment: Segment, values: Values, reading: Reading) -> None:
        number = read_number(raw)
        values["difference"] = BAD if number is None else number
        if number is None:
            reading.report(rules.QUANTITY_UNREADABLE, segment, 1, 1, value=raw)

    def write(self, record: Any, writing: Writing) -> None:
        if record.difference is None and record.remainder is None and not record.reason:
            return
        difference = record.difference
        composite = "" if difference is None else (write_number(difference, writing.context.decimal), ORDERED)
        writing.add("QVR", composite, self.remainders.write(record.remainder, writing), record.reason)


SUM_OF_QUANTITIES = "1"
NUMBER_OF_LINES = "2"
CONTROLS = frozenset({SUM_OF_QUANTITIES, NUMBER_OF_LINES})


class ControlTotals(Row):
    """CNT: the number of lines (6069 = 2), or the sum of their quantities (1) in the field `total`.

    Whether they agree with the message is judged with its form, before.
    """

    tags = ("CNT",)

    def __init__(self, total: str = "") -> None:
        self.total = total

    def read(self, segment: Segment, values: Values, reading: Reading) -> None:
        qualifier, raw, _ = read_triple(segment, reading)
        if qualifier not in CONTROLS or not raw:
            reading.leave(segment)
            return
        if qualifier != SUM_OF_QUANTITIES or not self.total:
            return
        count = read_number(raw)
        values[self.total] = BAD if count is None else count
        if count is None:
            reading.report(rules.QUANTITY_UNREADABLE, segment, 1, 2, value=raw)
        elif reading.lineage is not None:
            reading.trace(self.total, segment, 1, 2)

    def write(self, record: Any, writing: Writing) -> None:
        total = getattr(record, self.total) if self.total else None
        if total is not None:
            writing.add("CNT", (SUM_OF_QUANTITIES, write_number(total, writing.context.decimal)))
        else:
            lines = sum(segment.tag == "LIN" for segment in writing.segments)
            writing.add("CNT", (NUMBER_OF_LINES, str(lines)))


class Share(Row):
    """PCD or RTE: a percentage or a rate.

    `code` says how it is qualified (5245, 5419) when written; `implied` are the qualifiers that say no more than
    the record does.
    """

    def __init__(self, tag: str, name: str, code: Callable[[Any], str], implied: frozenset[str]) -> None:
        self.tags = (tag,)
        self.name = name
        self.code = code
        self.implied = implied

    def read(self, segment: Segment, values: Values, reading: Reading) -> None:
        raw = segment.get(1, 2)
        if not raw or self.name in values:
            reading.leave(segment)
            return
        number = read_number(raw)
        values[self.name] = BAD if number is None else number
        if number is None:
            reading.report(rules.AMOUNT_UNREADABLE, segment, 1, 2, value=raw)
        elif reading.lineage is not None:
            reading.trace(self.name, segment, 1, 2)
        reading.leave_beyond(segment, _PAIR if segment.get(1) in self.implied else _SECOND)

    def write(self, record: Any, writing: Writing) -> None:
        value = getattr(record, self.name)
        if value is not None:
            writing.add(self.tags[0], (self.code(record), write_number(value, writing.context.decimal)))


class Currency(FinishingRow):
    """CUX: the reference currency (6347 = 2). `usage` is what it is used for (6343).

    Where no CUX is sent, it is the one of the order that the message answers, or, where it `is_needed`, the one that
    was agreed for that; a finding says so.
    """

    tags = ("CUX",)
    places: Mapping[str, str] = {"currency": "CUX 6345"}

    def __init__(self, usage: str, *, is_needed: bool = False) -> None:
        self.usage = usage
        self.is_needed = is_needed

    def finish(self, values: Values, reading: Reading) -> None:
        if "currency" in values:
            return
        ordered, agreed = reading.context.order_currency, reading.habits.currency if self.is_needed else ""
        if ordered:
            values["currency"] = ordered
            reading.note(Finding(rules.CURRENCY_OF_THE_ORDER, "CUX", value=ordered, expected="CUX+2"))
        elif agreed:
            values["currency"] = agreed
            reading.note(Finding(rules.CURRENCY_IMPLIED, "CUX", value=agreed, expected="CUX+2"))

    def read(self, segment: Segment, values: Values, reading: Reading) -> None:
        for element in (1, 2):
            if segment.get(element, 1) == "2" and segment.get(element, 2) and "currency" not in values:
                values["currency"] = segment.get(element, 2)
                if reading.lineage is not None:
                    reading.trace("currency", segment, element, 2)
                reading.leave_beyond(segment, frozenset((element, component) for component in (1, 2, 3)))
                return
        reading.leave(segment)

    def write(self, record: Any, writing: Writing) -> None:
        if record.currency:
            writing.add("CUX", ("2", record.currency, self.usage))
