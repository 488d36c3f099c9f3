"""ORDCHG: what changes of an order that was sent, as an `OrderChange`.

The header names the order and its version (RFF+ON); BGM 1225 says whether the order is changed, held or cancelled,
LIN 1229 the same of each line.
"""

from __future__ import annotations

from edi_gateway.marketplace.order import ResponseRequired
from edi_gateway.marketplace.order_change import ChangeFunction, LineChange, OrderChange, OrderChangeLine
from edi_gateway.translators._machinery import Nested, RecordMapping, Section
from edi_gateway.translators.rows.articles import Articles, Line
from edi_gateway.translators.rows.cells import Cell, CodeCodec, Components, Service
from edi_gateway.translators.rows.dates import Dates, Ends, Starts
from edi_gateway.translators.rows.discrepancies import DISCREPANCIES
from edi_gateway.translators.rows.figures import Amounts, ControlTotals, Currency, Prices, Quantities
from edi_gateway.translators.rows.parties import Parties
from edi_gateway.translators.rows.references import Ref, References
from edi_gateway.translators.rows.taxes import Vat
from edi_gateway.translators.rows.texts import Description, Notes
from edi_gateway.translators.translator import Translator

FUNCTIONS = CodeCodec({function.value: function for function in ChangeFunction})
ACTIONS = CodeCodec({action.value: action for action in LineChange})
RESPONSES = CodeCodec({response.value: response for response in ResponseRequired})
ORDER_CURRENCY = "9"
CHANGE = "230"

LINE = RecordMapping(
    OrderChangeLine,
    (
        Line(action="action", actions=ACTIONS),
        Articles(),
        Description(),
        Quantities(
            {"21": "quantity", "192": "free_quantity", "182": "cancelled", "59": "pack_size"},
            main="21",
            unitless=frozenset({"59"}),
        ),
        Dates(
            {"2": "requested_delivery", "64": Starts("delivery_window"), "63": Ends("delivery_window")},
            others="dates",
        ),
        Amounts({"203": "net_amount"}, others="other_amounts"),
        DISCREPANCIES,
        Notes(),
        Prices({"AAA": "unit_price", "AAB": "list_price", "AAE": "retail_price"}),
        References({}),
        Vat(),
    ),
)

ORDER_CHANGE = RecordMapping(
    OrderChange,
    (
        Service("UNH", "UNT"),
        Components(
            "BGM",
            Cell(2, 1, "number", place="BGM 1004"),
            Cell(3, 1, "function", FUNCTIONS),
            Cell(4, 1, "response_required", RESPONSES),
            fixed={(1, 1): CHANGE},
        ),
        Dates(
            {
                "137": "issued",
                "2": "requested_delivery",
                "64": Starts("delivery_window"),
                "63": Ends("delivery_window"),
                "61": "cancel_after",
            },
            others="dates",
        ),
        Notes(),
        References({"ON": Ref("order_number", version="order_version", date="order_date")}),
        Parties(),
        Currency(ORDER_CURRENCY),
        Nested("LIN", "lines", LINE),
    ),
    Section("UNS", "S", (Service("UNT"), Amounts({"79": "total_net", "86": "total"}), ControlTotals())),
)

TRANSLATOR = Translator("ORDCHG", ORDER_CHANGE)
