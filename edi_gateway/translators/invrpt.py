"""INVRPT: what a vendor has in stock, as an `InventoryReport`.

D.96A begins the stock group with QTY and lets INV follow; D.01B begins it with INV. Both are read whatever
the directory. A LIN whose stock groups name several places becomes one item a place.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any

from edi_gateway.edifact.segment import Segment
from edi_gateway.marketplace.inventory import InventoryItem, InventoryReport
from edi_gateway.messages.tree import Group
from edi_gateway.translators import rules
from edi_gateway.translators._machinery import (
    BAD,
    Claimed,
    Nested,
    Reading,
    RecordMapping,
    Row,
    Values,
    Writing,
)
from edi_gateway.translators.context import Source
from edi_gateway.translators.rows.articles import Articles, Line
from edi_gateway.translators.rows.cells import Cell, Components, Service
from edi_gateway.translators.rows.dates import Dates
from edi_gateway.translators.rows.figures import Currency, Prices, Quantities
from edi_gateway.translators.rows.parties import Parties
from edi_gateway.translators.rows.references import References
from edi_gateway.translators.rows.status import Status
from edi_gateway.translators.rows.texts import Description
from edi_gateway.translators.translator import Translator

PRICING_CURRENCY = "10"
QUANTITIES: Mapping[str, str] = {
    "145": "actual",
    "66": "committed",
    "198": "in_transit",
    "124": "damaged",
    "89": "quality_held",
    "97": "minimum",
    "98": "maximum",
    "197": "reorder_level",
}
MAIN_FIELD = "actual"
TAGS: Mapping[str, str] = {"as_of": "DTM", "unit_price": "PRI"}
"""The segment of a value that two stock groups of one place may say differently; the first of them counts."""

Place = tuple[str | None, str | None]
EVERYWHERE: Place = (None, None)
PLACE_FIELDS = ("location", "location_agency")
_PLACES = "places"  # no field: what the stock groups say by place, until each becomes an item


@dataclass(slots=True)
class _Found:
    """What was read of an item, or of its stock in one group."""

    group: Group
    values: Values = field(default_factory=dict)
    lineage: dict[str, Source] = field(default_factory=dict)


PLACES_OF_GOODS = ("18", "14", "7", "198")
"""3227, in words: warehouse, location of goods, place of delivery, original location; the first is written."""

_LOC: Claimed = frozenset({(1, 1), (2, 1), (2, 3)})


class Location(Row):
    """LOC: where the stock is, by code (3225) or, without one, by name (3224)."""

    tags = ("LOC",)

    def read(self, segment: Segment, values: Values, reading: Reading) -> None:
        component = 1 if segment.get(2, 1) else 4
        place = segment.get(2, component)
        if segment.get(1) not in PLACES_OF_GOODS or not place or "location" in values:
            reading.leave(segment)
            return
        values["location"] = place
        values["location_agency"] = segment.get(2, 3)
        if reading.lineage is not None:
            reading.trace("location", segment, 2, component)
            if values["location_agency"]:
                reading.trace("location_agency", segment, 2, 3)
        reading.leave_beyond(segment, _LOC | {(2, component)})

    def write(self, record: InventoryItem, writing: Writing) -> None:
        if record.location:
            writing.add("LOC", PLACES_OF_GOODS[0], (record.location, "", record.location_agency))


BY_THE_BOOKS = "1"
STOCK_STATUSES = frozenset({BY_THE_BOOKS, "2"})
_STATUS: Claimed = frozenset({(4, 1)})
_NOTHING: Claimed = frozenset()


class Movement(Row):
    """INV: whether the stock is by the books (4503 = 1) or counted (2); a movement (4501) has no field."""

    tags = ("INV",)

    def read(self, segment: Segment, values: Values, reading: Reading) -> None:
        reading.leave_beyond(segment, _STATUS if segment.get(4) in STOCK_STATUSES else _NOTHING)

    def write(self, record: InventoryItem, writing: Writing) -> None:
        """Written by the stock row, before each quantity."""


_AS_OF = Dates({"366": "as_of"}, others="dates")
_LOCATION = Location()
_QUANTITIES = Quantities(QUANTITIES, main="145", others="others")
_PRICE = Prices({"AAA": "unit_price"}, basis="", others="")

_STOCK = RecordMapping(InventoryItem, (_QUANTITIES, Movement(), _LOCATION, _AS_OF, _PRICE))


class Stock(Row):
    """The group of QTY (D.96A) or INV (D.01B): a quantity of the article, of one kind, at one place."""

    tags = ("QTY", "INV")

    def read(self, segment: Segment, values: Values, reading: Reading) -> None:
        self.read_group(Group("", segment.tag, 1, [segment]), values, reading)

    def read_group(self, group: Group, values: Values, reading: Reading) -> None:
        found = _collected(_STOCK, group, reading)
        place: Place = (found.values.get("location"), found.values.get("location_agency"))
        values.setdefault(_PLACES, {}).setdefault(place, []).append(found)

    def write(self, record: InventoryItem, writing: Writing) -> None:
        pairs = [(code, getattr(record, name)) for code, name in QUANTITIES.items()]
        quantities = [(code, value) for code, value in [*pairs, *record.others] if value is not None]
        if record.unit_price is not None and not quantities:
            raise writing.refuse("unit_price", "a price stands under a quantity; there is none")
        for index, (code, quantity) in enumerate(quantities):
            if writing.form.stock_begins_with_inv:
                writing.add("INV", "", "", "", BY_THE_BOOKS)
            _QUANTITIES.write_one(code, quantity, record, writing)
            if index == 0:
                _PRICE.write(record, writing)


ITEM = RecordMapping(
    InventoryItem,
    (Line(), Articles(), Description(), Status(), _LOCATION, _AS_OF, References({}), Stock()),
)


class Items(Nested):
    """LIN and its group: an item, or one for each place that its stock groups name."""

    def read_group(self, group: Group, values: Values, reading: Reading) -> None:
        items: list[InventoryItem | None] = values.setdefault(self.name, [])
        common = _collected(self.mapping, group, reading)
        places: dict[Place, list[_Found]] = common.values.pop(_PLACES, {})
        if places and EVERYWHERE not in places and "location" in common.values:
            _leave_own(common, "LOC", reading)  # each stock group names another place
        for place, stock in (places or {EVERYWHERE: []}).items():
            about = common if place == EVERYWHERE else _without_place(common)
            item = _merged([about, *sorted(stock, key=_has_no_actual)], reading)
            if reading.lineage is not None:
                prefix = f"{reading.prefix}{self.name}[{len(items)}]/"
                reading.lineage.update({prefix + name: source for name, source in item.lineage.items()})
            items.append(self.mapping.build(group, item.values, reading))


def _collected(mapping: RecordMapping[Any], group: Group, reading: Reading) -> _Found:
    """The values of a group, with sources of their own: it is not known yet which item they belong to."""
    found = _Found(group)
    outer, reading.lineage = reading.lineage, found.lineage if reading.lineage is not None else None
    with reading.within(""):
        mapping.collect(group, found.values, reading)
    reading.lineage = outer
    return found


def _without_place(common: _Found) -> _Found:
    """What is said of the article at a place that its stock group names."""
    values = {name: value for name, value in common.values.items() if name not in PLACE_FIELDS}
    lineage = {path: source for path, source in common.lineage.items() if path not in PLACE_FIELDS}
    return _Found(common.group, values, lineage)


def _has_no_actual(found: _Found) -> bool:
    return MAIN_FIELD not in found.values


def _merged(parts: Sequence[_Found], reading: Reading) -> _Found:
    """One item of what is said of the article, and of its stock at a place; the actual stock tells the unit."""
    item = _Found(parts[0].group)
    for part in parts:
        if part.values.get("unit", "") not in ("", item.values.get("unit", part.values.get("unit"))):
            _leave(part, "QTY", reading)
            continue
        for name, value in part.values.items():
            _merge(name, value, part, item, reading)
    return item


def _merge(name: str, value: Any, part: _Found, item: _Found, reading: Reading) -> None:
    before = item.values.get(name)
    sources = {path: source for path, source in part.lineage.items() if path.partition("[")[0].split("/")[0] == name}
    if isinstance(before, list):
        sources = {_moved(path, len(before)): source for path, source in sources.items()}
        item.values[name] = [*before, *value]
    elif before is None or before is BAD:
        item.values[name] = value
    elif name in QUANTITIES.values():
        if value is not BAD:
            item.values[name] = before + value
            quantity = next(segment for segment in part.group.walk() if segment.tag == "QTY")
            reading.report(rules.QUANTITY_TWICE, quantity, 1, 2, value=str(value))
    elif before != value:
        _leave(part, TAGS[name], reading)
        return
    for path, source in sources.items():
        first = item.lineage.get(path)  # two stock groups may say the same, or parts of one sum
        item.lineage[path] = source if first is None else replace(first, parts=(*first.parts, source))


def _leave(part: _Found, tag: str, reading: Reading) -> None:
    reading.leave_all([segment for segment in part.group.walk() if segment.tag == tag])


def _leave_own(part: _Found, tag: str, reading: Reading) -> None:
    reading.leave_all(part.group.segments(tag))


def _moved(path: str, by: int) -> str:
    """``others[0]/x`` as ``others[2]/x``."""
    name, _, rest = path.partition("[")
    index, _, rest = rest.partition("]")
    return f"{name}[{int(index) + by}]{rest}"


REPORT = RecordMapping(
    InventoryReport,
    (
        Service("UNH", "UNT"),
        Components("BGM", Cell(1, 1, "type"), Cell(2, 1, "number", place="BGM 1004"), Cell(3, 1, "function")),
        Dates({"137": "issued", "366": "reported"}, others="dates"),
        References({}),
        Parties(),
        Currency(PRICING_CURRENCY),
        Items("LIN", "items", ITEM),
    ),
)

TRANSLATOR = Translator("INVRPT", REPORT)
