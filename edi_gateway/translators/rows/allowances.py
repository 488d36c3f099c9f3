"""ALC and its group: allowances and charges."""

from __future__ import annotations

from edi_gateway.marketplace.invoice import Allowance
from edi_gateway.translators._machinery import RecordMapping
from edi_gateway.translators.rows.cells import Cell, CodeCodec, Components
from edi_gateway.translators.rows.figures import Amounts, Quantities, Share
from edi_gateway.translators.rows.taxes import Vat


def _allowance_or_charge(allowance: Allowance) -> str:
    """5245 and 5419 have the same codes for the two."""
    return "2" if allowance.is_charge else "1"


ALLOWANCE = RecordMapping(
    Allowance,
    (
        Components(
            "ALC",
            Cell(1, 1, "is_charge", CodeCodec({"C": True, "A": False}), place="ALC 5463"),
            Cell(3, 1, "settlement"),
            Cell(4, 1, "sequence"),
            Cell(5, 1, "service"),
            Cell(5, 4, "description", parts=2),
        ),
        Quantities({"1": "quantity"}, main="1", others=""),
        Share("PCD", "percent", _allowance_or_charge, frozenset({"1", "2", "3"})),
        Amounts({"8": "amount", "23": "amount", "204": "amount", "25": "base"}),
        Share("RTE", "rate", _allowance_or_charge, frozenset({"1", "2"})),
        Vat(),
    ),
)
