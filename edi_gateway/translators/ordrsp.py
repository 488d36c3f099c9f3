"""ORDRSP: the vendor's answer to an order, as an `OrderConfirmation`.

The header's code (BGM 1225) is a summary; the lines carry their own (LIN 1229). The confirmed quantity is
QTY 21, or QTY 12 from partners who send no 21.
"""

from __future__ import annotations

from typing import Any

from edi_gateway.edifact.segment import Segment
from edi_gateway.marketplace.confirmation import (
    ConfirmationLine,
    LineAction,
    OrderConfirmation,
    Remainder,
    ResponseCode,
)
from edi_gateway.partnership import Habits
from edi_gateway.translators._machinery import Nested, Reading, RecordMapping, Row, Section, Values, Writing
from edi_gateway.translators.rows.articles import Articles, Line
from edi_gateway.translators.rows.cells import Cell, CodeCodec, Components, Service
from edi_gateway.translators.rows.dates import Dates
from edi_gateway.translators.rows.figures import (
    Amounts,
    ControlTotals,
    Currency,
    Prices,
    Quantities,
    Variance,
)
from edi_gateway.translators.rows.parties import Parties
from edi_gateway.translators.rows.references import OrderReference, Ref, References
from edi_gateway.translators.rows.texts import Description, Notes
from edi_gateway.translators.translator import Translator

RESPONSES = CodeCodec({code.value: code for code in ResponseCode})
ACTIONS = CodeCodec({action.value: action for action in LineAction})
REMAINDERS = CodeCodec({remainder.value: remainder for remainder in Remainder})
ORDER_CURRENCY = "9"


def _is_same_line(line: Any) -> bool:
    """Whether the answered line is told by its own number and the header's order."""
    return not line.order_number and line.order_line == line.number


def _finish_line(values: Values, reading: Reading) -> None:
    values.setdefault("action", None)
    second = "despatched" if reading.habits.confirmed_quantity[0] == "21" else "ordered"
    if "quantity" not in values and second in values and len(reading.habits.confirmed_quantity) > 1:
        values["quantity"] = values.pop(second)
        if reading.lineage is not None and reading.prefix + second in reading.lineage:
            reading.lineage[reading.prefix + "quantity"] = reading.lineage.pop(reading.prefix + second)
    if "order_line" not in values and "number" in values:
        values["order_line"] = values["number"]
        if reading.lineage is not None and reading.prefix + "number" in reading.lineage:
            reading.lineage[reading.prefix + "order_line"] = reading.lineage[reading.prefix + "number"]
    if values.get("order_number") == reading.root.get("order_number"):
        values.pop("order_number", None)  # the lineage keeps where it stood: the line said it too


_SHORT = {"83": "backordered", "182": "cancelled", "185": "rejected"}
_ORDERED_IS_CONFIRMED = Quantities({"21": "quantity", "12": "despatched", **_SHORT}, main="21")
_DESPATCHED_IS_CONFIRMED = Quantities({"12": "quantity", "21": "ordered", **_SHORT}, main="12")


class ConfirmedQuantities(Row):
    """QTY: which of 21 and 12 confirms is a habit of the partner."""

    tags = ("QTY",)
    places = _ORDERED_IS_CONFIRMED.places

    def read(self, segment: Segment, values: Values, reading: Reading) -> None:
        _quantities(reading.habits).read(segment, values, reading)

    def write(self, record: ConfirmationLine, writing: Writing) -> None:
        rows = _quantities(writing.habits)
        lost = "ordered" if rows is _ORDERED_IS_CONFIRMED else "despatched"
        if getattr(record, lost) is not None:
            raise writing.refuse(lost, f"with this partner QTY+{writing.habits.confirmed_quantity[0]} confirms")
        rows.write(record, writing)


def _quantities(habits: Habits) -> Quantities:
    return _ORDERED_IS_CONFIRMED if habits.confirmed_quantity[0] == "21" else _DESPATCHED_IS_CONFIRMED


LINE = RecordMapping(
    ConfirmationLine,
    (
        Line(action="action", actions=ACTIONS),
        Articles(),
        Description(),
        ConfirmedQuantities(),
        Dates({"69": "promised_delivery", "11": "promised_ship"}, others="dates"),
        Amounts({}, others="other_amounts"),
        Variance(REMAINDERS),
        Notes(),
        Prices({"AAA": "unit_price", "AAE": "retail_price"}),
        OrderReference(implied=_is_same_line),
    ),
    finish=_finish_line,
)

CONFIRMATION = RecordMapping(
    OrderConfirmation,
    (
        Service("UNH", "UNT"),
        Components(
            "BGM",
            Cell(2, 1, "number", place="BGM 1004"),
            Cell(3, 1, "response", RESPONSES, place="BGM 1225"),
            fixed={(1, 1): "231"},
        ),
        Dates({"137": "issued", "69": "promised_delivery", "11": "promised_ship"}, others="dates"),
        Notes(),
        References({"ON": Ref("order_number", date="order_date")}),
        Parties(),
        Currency(ORDER_CURRENCY),
        Nested("LIN", "lines", LINE),
    ),
    Section(
        "UNS",
        "S",
        (Service("UNT"), Amounts({}, others="other_amounts"), ControlTotals()),
    ),
)

TRANSLATOR = Translator("ORDRSP", CONFIRMATION)
