"""RECADV: what was received of a shipment, as a `ReceivingAdvice` of packages.

Each CPS is a package of the despatch advice that RFF+AAK names; below it stand its marks and its lines. Quantities
tell what came (48) and what was taken over (194), QVR why the two differ.
"""

from __future__ import annotations

from typing import Any

from edi_gateway.marketplace.receiving import ReceivedLine, ReceivedPackage, ReceivingAdvice
from edi_gateway.translators._machinery import Nested, RecordMapping, Writing
from edi_gateway.translators.rows.articles import Articles, Line
from edi_gateway.translators.rows.cells import INTEGER, Cell, Components, Service
from edi_gateway.translators.rows.dates import Dates
from edi_gateway.translators.rows.discrepancies import DISCREPANCIES
from edi_gateway.translators.rows.figures import ControlTotals, Quantities
from edi_gateway.translators.rows.packing import ArticleNumbers, Marks, PackingOfOneKind
from edi_gateway.translators.rows.parties import Parties
from edi_gateway.translators.rows.references import Ref, References
from edi_gateway.translators.rows.texts import Description, Notes
from edi_gateway.translators.translator import Translator

LINE = RecordMapping(
    ReceivedLine,
    (
        Line(),
        Articles(),
        Description(),
        Quantities(
            {
                "48": "received",
                "194": "accepted",
                "12": "despatched",
                "21": "ordered",
                "46": "delivered",
                "192": "free_quantity",
                "59": "pack_size",
            },
            main="48",
            unitless=frozenset({"59"}),
        ),
        DISCREPANCIES,
        Dates({}, others="dates"),
        ArticleNumbers(),
        References(
            {
                "ON": Ref("order_number", line="order_line"),
                "AAK": Ref("despatch_number", line="despatch_line"),
            }
        ),
    ),
)

PACKAGE = RecordMapping(
    ReceivedPackage,
    (
        Components("CPS", Cell(1, 1, "number", place="CPS 7164"), Cell(2, 1, "parent"), Cell(3, 1, "level")),
        PackingOfOneKind(
            Components(
                "PAC",
                Cell(1, 1, "count", INTEGER),
                Cell(2, 1, "packing_level"),
                Cell(2, 2, "marked"),
                Cell(3, 1, "type"),
                optional=True,
            ),
            Marks(),
        ),
        Nested("LIN", "lines", LINE),
    ),
)


class HeaderNotes(Notes):
    """FTX of the header, which D.96A has not."""

    def write(self, record: Any, writing: Writing) -> None:
        if record.notes and writing.context.directory == "D.96A":
            raise writing.refuse("notes", "RECADV of D.96A has no FTX; say it with a code of QVR")
        super().write(record, writing)


RECEIVING_ADVICE = RecordMapping(
    ReceivingAdvice,
    (
        Service("UNH", "UNT"),
        Components("BGM", Cell(1, 1, "type"), Cell(2, 1, "number", place="BGM 1004"), Cell(3, 1, "function")),
        Dates({"137": "issued", "50": "received"}, others="dates"),
        HeaderNotes(),
        References(
            {
                "AAK": Ref("despatch_number", date="despatch_date"),
                "ON": Ref("order_number", date="order_date"),
                "DQ": Ref("delivery_note"),
            }
        ),
        Parties(),
        Nested("CPS", "packages", PACKAGE),
        ControlTotals("total_quantity"),
    ),
)

TRANSLATOR = Translator("RECADV", RECEIVING_ADVICE)
