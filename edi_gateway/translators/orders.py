"""ORDERS: what the marketplace orders of a vendor, as an `Order`.

BGM 1001 tells the type, DTM 64 and 63 the delivery window, PRI AAA the net price. D.96A and D.01B differ in
the group numbers (lines in SG25 and SG28) and in the code of a GTIN.
"""

from __future__ import annotations

from edi_gateway.marketplace.order import Order, OrderLine, OrderType, ResponseRequired
from edi_gateway.translators._machinery import Nested, RecordMapping, Section
from edi_gateway.translators.rows.articles import Articles, Line
from edi_gateway.translators.rows.cells import Cell, CodeCodec, Components, Service
from edi_gateway.translators.rows.dates import Dates, Ends, Starts
from edi_gateway.translators.rows.figures import Amounts, ControlTotals, Currency, Prices, Quantities
from edi_gateway.translators.rows.parties import Parties
from edi_gateway.translators.rows.references import References
from edi_gateway.translators.rows.taxes import Vat
from edi_gateway.translators.rows.texts import Description, Notes
from edi_gateway.translators.translator import Translator

ORDER_TYPES = CodeCodec(
    {"220": OrderType.STANDARD, "224": OrderType.RUSH, "227": OrderType.CONSIGNMENT, "221": OrderType.BLANKET}
)
RESPONSES = CodeCodec({response.value: response for response in ResponseRequired})
ORDER_CURRENCY = "9"

LINE = RecordMapping(
    OrderLine,
    (
        Line(parent="parent"),
        Articles(),
        Description(),
        Quantities(
            {"21": "quantity", "192": "free_quantity", "59": "pack_size"}, main="21", unitless=frozenset({"59"})
        ),
        Dates({"64": Starts("delivery_window"), "63": Ends("delivery_window")}, others="dates"),
        Amounts({"203": "net_amount"}, others="other_amounts"),
        Notes(),
        Prices({"AAA": "unit_price", "AAB": "list_price", "AAE": "retail_price"}),
        References({}),
        Vat(),
    ),
)

ORDER = RecordMapping(
    Order,
    (
        Service("UNH", "UNT"),
        Components(
            "BGM",
            Cell(1, 1, "type", ORDER_TYPES, habit="order_types"),
            Cell(2, 1, "number", place="BGM 1004"),
            Cell(3, 1, "function"),
            Cell(4, 1, "response_required", RESPONSES),
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
        References({}),
        Parties(),
        Currency(ORDER_CURRENCY, is_needed=True),
        Nested("LIN", "lines", LINE),
    ),
    Section(
        "UNS",
        "S",
        (
            Service("UNT"),
            Amounts({"79": "total_net", "86": "total"}),
            ControlTotals(),
        ),
    ),
)

TRANSLATOR = Translator("ORDERS", ORDER)
