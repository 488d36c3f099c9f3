"""TAX: the rate of VAT, and the amounts at that rate."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from decimal import Decimal
from typing import Any

from edi_gateway.edifact.segment import Segment
from edi_gateway.marketplace.parties import (
    VatRate,
)
from edi_gateway.messages.tree import Group
from edi_gateway.translators import rules
from edi_gateway.translators._machinery import (
    BAD,
    TEXT_VALUE,
    Claimed,
    Reading,
    Row,
    Values,
    Writing,
)
from edi_gateway.translators._usual import Capture, Usual
from edi_gateway.translators.rows.figures import Amounts
from edi_gateway.translators.values import read_number, remember, write_number

WITHOUT_RATE = frozenset({"Z", "E", "AE", "K", "G", "O"})
"""Categories (5305) whose rate is zero where none is sent."""

_TAX_TEXT = re.compile(f"TAX\\+7\\+VAT\\+\\+\\+:::{TEXT_VALUE}\\+{TEXT_VALUE}").fullmatch
_USUAL_TAX = "(TAX\\+7\\+VAT\\+\\+\\+:::[^+:?']+\\+[^+:?']+)"
_TAX: Claimed = frozenset({(1, 1), (2, 1), (5, 4), (6, 1)})


_usual_rates: dict[str, VatRate] = {}
TAX_CHARACTERS_MAX = 64


def read_vat_rate(rate: str, category: str) -> VatRate | None:
    """The rate in percent (5278) and category (5305); a rate alone is standard, or zero-rated where it is 0."""
    if not rate:
        return VatRate(rate=Decimal(0), category=category) if category in WITHOUT_RATE else None
    percent = read_number(rate)
    if percent is None:
        return None
    return VatRate(rate=percent, category=category or ("S" if percent else "Z"))


def _usual_rate(text: str) -> VatRate | None:
    """The rate that the text of a usual TAX says, None for any other; the few that there are, are remembered."""
    rate = _usual_rates.get(text)
    if rate is None and len(text) <= TAX_CHARACTERS_MAX and (match := _TAX_TEXT(text)) is not None:
        rate = read_vat_rate(match[1], match[2])
        if rate is not None:
            remember(_usual_rates, text, rate)
    return rate


DUTY_TAX_FEE = "7"
VAT_TYPES = frozenset({"VAT", ""})


def is_vat(segment: Segment) -> bool:
    """Whether a TAX is about VAT: another tax (5153) has no field in any record."""
    return segment.get(1) == DUTY_TAX_FEE and segment.get(2) in VAT_TYPES


class Vat(Row):
    """TAX+7+VAT and the amounts (5025 -> field) of its group. Any other tax has no field."""

    tags = ("TAX",)

    def __init__(self, name: str = "vat", amounts: Mapping[str, str] | None = None) -> None:
        self.name = name
        self.amounts = Amounts(amounts) if amounts else None
        self.places = {name: "TAX+7+VAT"}

    def read(self, segment: Segment, values: Values, reading: Reading) -> None:
        self._read(segment, (), values, reading)

    def read_group(self, group: Group, values: Values, reading: Reading) -> None:
        children: list[Any] = group.children
        self._read(children[0], children[1:] if len(children) > 1 else (), values, reading)

    def usual(self, segment: Segment, reading: Reading) -> Usual | None:
        if _usual_rate(segment.raw) is None:
            return None
        return Usual(_USUAL_TAX, (Capture(self.name, _usual_rate),))

    def _read(self, segment: Segment, rest: Sequence[Any], values: Values, reading: Reading) -> None:
        usual = _usual_rate(segment.raw) if reading.reads_text and reading.lineage is None else None
        if self.name in values or not (usual or is_vat(segment)):
            reading.leave_all((segment, *rest))
            return
        values[self.name] = usual or self._read_rate(segment, reading)
        if rest:
            self._read_amounts(rest, values, reading)

    def _read_rate(self, segment: Segment, reading: Reading) -> Any:
        raw, category = segment.get(5, 4), segment.get(6)
        reading.leave_beyond(segment, _TAX)
        rate = read_vat_rate(raw, category)
        if rate is None:
            rule = rules.AMOUNT_UNREADABLE if raw else rules.VAT_RATE_MISSING
            reading.report(rule, segment, 5, 4, value=raw or None)
            return BAD
        if reading.lineage is not None:
            reading.trace(f"{self.name}/rate", segment, *((5, 4) if raw else (6, 1)))
            if category:
                reading.trace(f"{self.name}/category", segment, 6, 1)
        return rate

    def _read_amounts(self, rest: Sequence[Any], values: Values, reading: Reading) -> None:
        for node in rest:
            if self.amounts is not None and node.__class__ is Segment and node.tag == "MOA":
                self.amounts.read(node, values, reading)
            else:
                reading.leave_all((node,))

    def write(self, record: Any, writing: Writing) -> None:
        vat: VatRate | None = getattr(record, self.name)
        if vat is None:
            return
        write_vat(vat, writing)
        if self.amounts is not None:
            self.amounts.write(record, writing)


def write_vat(vat: VatRate, writing: Writing) -> None:
    rate = write_number(vat.rate, writing.context.decimal)
    writing.add("TAX", DUTY_TAX_FEE, "VAT", "", "", ("", "", "", rate), vat.category)
