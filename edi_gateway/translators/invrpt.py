"""INVRPT: what a vendor has in stock, as an `InventoryReport`.

D.96A begins the stock group with QTY and lets INV follow; D.01B begins it with INV. Both are read whatever
the directory. A LIN whose stock groups name several places becomes one item a place.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from decimal import Decimal
from typing import Any

from edi_gateway.edifact.segment import Segment
from edi_gateway.marketplace.inventory import InventoryItem, InventoryReport
from edi_gateway.messages.tree import Group
from edi_gateway.translators import rules
from edi_gateway.translators._machinery import (
    Claimed,
    Nested,
    Reading,
    RecordMapping,
    Row,
    Values,
    Writing,
    drop_bad,
)
from edi_gateway.translators.context import Source
from edi_gateway.translators.rows.articles import Articles, Line
from edi_gateway.translators.rows.cells import Cell, Components, Service
from edi_gateway.translators.rows.dates import Dates
from edi_gateway.translators.rows.figures import Currency, Prices, Quantities
from edi_gateway.translators.rows.parties import Parties
from edi_gateway.translators.rows.references import References
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
_PLACES = "places"  # where the values of an item keep those of its places until they are parted


@dataclass(slots=True)
class _Place:
    """What was read of the stock at one place."""

    values: Values = field(default_factory=dict)
    lineage: dict[str, Source] = field(default_factory=dict)
    unit_from: Segment | None = None  # the quantity that told the unit


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

    def write(self, record: InventoryItem, writing: Writing) -> None:
        conditions = [code for code, name in self.table.items() if getattr(record, name)]
        if conditions:
            writing.add("ALI", "", "", *conditions)


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
        found = _Place()
        outer, reading.lineage = reading.lineage, found.lineage if reading.lineage is not None else None
        with reading.within(""):
            _STOCK.collect(group, found.values, reading)
        reading.lineage = outer
        location = found.values.get("location"), found.values.get("location_agency")
        place: _Place = values.setdefault(_PLACES, {}).setdefault(location, _Place())
        self._merge(found, place, group, reading)

    def _merge(self, found: _Place, place: _Place, group: Group, reading: Reading) -> None:
        for name, value in found.values.items():
            before = place.values.get(name)
            if isinstance(before, list) and isinstance(value, list):
                before.extend(value)
            elif isinstance(before, Decimal) and isinstance(value, Decimal) and name in QUANTITIES.values():
                place.values[name] = before + value
                first = next(group.walk())
                reading.report(rules.QUANTITY_TWICE, first, value=str(value))
            elif name == "unit" and before is not None:
                self._merge_unit(found, place, group, reading)
            else:
                place.values[name] = value
                if name == "unit":
                    place.unit_from = next(segment for segment in group.walk() if segment.tag == "QTY")
        place.lineage |= found.lineage

    @staticmethod
    def _merge_unit(found: _Place, place: _Place, group: Group, reading: Reading) -> None:
        """The unit of the actual stock counts, else the first; one that differs has no field."""
        quantity = next(segment for segment in group.walk() if segment.tag == "QTY")
        unit = found.values["unit"]
        if unit == place.values["unit"]:
            return
        if "actual" not in found.values:
            found.lineage.pop("unit", None)
            reading.leave_component(quantity, 1, 3)
            return
        if place.unit_from is not None:
            reading.leave_component(place.unit_from, 1, 3)
        place.values["unit"], place.unit_from = unit, quantity

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
        common = _Place()
        outer, reading.lineage = reading.lineage, common.lineage if reading.lineage is not None else None
        with reading.within(""):
            self.mapping.collect(group, common.values, reading)
        reading.lineage = outer
        places: dict[Any, _Place] = common.values.pop(_PLACES, {})
        elsewhere = places.pop((None, None), _Place())
        unplaced = _joined(common, elsewhere)
        for place in [unplaced] if not places or elsewhere.values else []:
            self._add(place, group, items, reading)
        for place in places.values():
            self._add(_joined(common, place), group, items, reading)

    def _add(self, place: _Place, group: Group, items: list[InventoryItem | None], reading: Reading) -> None:
        if reading.lineage is not None:
            prefix = f"{reading.prefix}{self.name}[{len(items)}]/"
            reading.lineage.update({prefix + name: source for name, source in place.lineage.items()})
        drop_bad(place.values)
        items.append(self.mapping.build(group, place.values, reading))


def _joined(common: _Place, place: _Place) -> _Place:
    """What is said of the article everywhere, and what at this place."""
    values = common.values | place.values
    for name in common.values.keys() & place.values.keys():
        if isinstance(values[name], list):
            values[name] = [*common.values[name], *place.values[name]]
    return _Place(values, common.lineage | place.lineage)


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
