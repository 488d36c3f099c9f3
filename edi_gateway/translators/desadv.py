"""DESADV: what the vendor despatched, as a `Shipment` of packages.

Each CPS is a package; its contents are the LIN below it. The message has no UNS, and no FTX in its header:
notes stand in the first CPS.
"""

from __future__ import annotations

from typing import Any

from edi_gateway.edifact.segment import Segment
from edi_gateway.marketplace.confirmation import Remainder
from edi_gateway.marketplace.shipment import Equipment, Package, Shipment, ShipmentLine
from edi_gateway.translators._machinery import Nested, Reading, RecordMapping, Values, Writing
from edi_gateway.translators.context import Source
from edi_gateway.translators.rows.articles import Articles, Line
from edi_gateway.translators.rows.cells import Cell, CodeCodec, Components, Service
from edi_gateway.translators.rows.dates import Dates
from edi_gateway.translators.rows.figures import ControlTotals, Quantities, Variance
from edi_gateway.translators.rows.packing import ArticleNumbers, LineMarks, Measures, Packings, Seals
from edi_gateway.translators.rows.parties import Parties
from edi_gateway.translators.rows.references import OrderReference, Ref, References
from edi_gateway.translators.rows.texts import Description, Notes
from edi_gateway.translators.translator import Translator

REMAINDERS = CodeCodec({remainder.value: remainder for remainder in Remainder})
MAIN_CARRIAGE = "20"
ESTIMATED_DELIVERY = "17"


class ShipmentNotes(Notes):
    """FTX of the first CPS: the notes of the whole shipment. Those of later ones have no field."""

    def read(self, segment: Segment, values: Values, reading: Reading) -> None:
        if reading.root.get("packages"):
            reading.leave(segment)
            return
        with reading.within(""):
            super().read(segment, reading.root, reading)

    def write(self, record: Any, writing: Writing) -> None:
        if writing.path == "packages[0]/":
            super().write(writing.root, writing)


class Packages(Nested):
    """CPS and its group."""

    def write(self, record: Shipment, writing: Writing) -> None:
        if record.notes and not record.packages:
            raise writing.refuse("notes", "notes of a shipment stand in its first package; it has none")
        super().write(record, writing)


def _finish_shipment(values: Values, reading: Reading) -> None:
    """An estimated delivery stands in for the estimated arrival."""
    dates = values.get("dates", ())
    if "estimated_arrival" in values:
        return
    for index, other in enumerate(dates):
        if other.qualifier == ESTIMATED_DELIVERY and other.until is None:
            values["estimated_arrival"] = other.date
            values["dates"] = [*dates[:index], *dates[index + 1 :]]
            if reading.lineage is not None:
                _move_source(index, len(dates), reading.lineage)
            return


def _move_source(index: int, count: int, lineage: dict[str, Source]) -> None:
    lineage["estimated_arrival"] = lineage.pop(f"dates[{index}]")
    for later in range(index + 1, count):
        lineage[f"dates[{later - 1}]"] = lineage.pop(f"dates[{later}]")


_LINE_DATES = Dates({"361": "best_before", "36": "expiry"}, others="dates")
_LINE_NUMBERS = ArticleNumbers()

LINE = RecordMapping(
    ShipmentLine,
    (
        Line(),
        Articles(),
        Description(),
        Quantities(
            {"12": "quantity", "21": "ordered", "192": "free_quantity", "59": "pack_size"},
            main="12",
            unitless=frozenset({"59"}),
        ),
        _LINE_NUMBERS,
        _LINE_DATES,
        Notes(),
        OrderReference(),
        LineMarks(_LINE_DATES, _LINE_NUMBERS),
        Variance(REMAINDERS),
    ),
)

PACKAGE = RecordMapping(
    Package,
    (
        Components("CPS", Cell(1, 1, "number", place="CPS 7164"), Cell(2, 1, "parent"), Cell(3, 1, "level")),
        ShipmentNotes(),
        Packings(),
        Nested("LIN", "lines", LINE),
    ),
)

EQUIPMENT = RecordMapping(
    Equipment,
    (
        Components("EQD", Cell(1, 1, "type", place="EQD 8053"), Cell(2, 1, "identifier"), Cell(3, 1, "size")),
        Measures(),
        Seals(),
    ),
)

SHIPMENT = RecordMapping(
    Shipment,
    (
        Service("UNH", "UNT"),
        Components("BGM", Cell(1, 1, "type"), Cell(2, 1, "number", place="BGM 1004"), Cell(3, 1, "function")),
        Dates({"137": "issued", "11": "shipped", "132": "estimated_arrival"}, others="dates"),
        References(
            {
                "ON": Ref("order_number", date="order_date"),
                "DQ": Ref("delivery_note"),
                "BM": Ref("bill_of_lading"),
                "CN": Ref("tracking"),
                "AAK": Ref("previous", date="previous_date"),
            }
        ),
        Parties(),
        Components(
            "TDT",
            Cell(2, 1, "conveyance"),
            Cell(3, 1, "transport_mode"),
            Cell(4, 1, "transport_means"),
            Cell(5, 1, "carrier"),
            Cell(5, 3, "carrier_agency"),
            Cell(5, 4, "carrier_name"),
            Cell(8, 1, "vehicle"),
            fixed={(1, 1): MAIN_CARRIAGE},
            selects=True,
            optional=True,
        ),
        Nested("EQD", "equipment", EQUIPMENT),
        Packages("CPS", "packages", PACKAGE),
        ControlTotals("total_quantity"),
    ),
    finish=_finish_shipment,
)

TRANSLATOR = Translator("DESADV", SHIPMENT)
