"""QVR where a line may have several, each kept whole."""

from __future__ import annotations

from edi_gateway.marketplace.discrepancy import Discrepancy
from edi_gateway.translators._machinery import Nested, RecordMapping
from edi_gateway.translators.rows.cells import QUANTITY, Cell, Components

DISCREPANCIES = Nested(
    "QVR",
    "discrepancies",
    RecordMapping(
        Discrepancy,
        (
            Components(
                "QVR",
                Cell(1, 1, "quantity", QUANTITY),
                Cell(1, 2, "qualifier"),
                Cell(2, 1, "treatment"),
                Cell(3, 1, "reason"),
            ),
        ),
    ),
)
