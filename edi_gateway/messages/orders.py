"""ORDERS: the marketplace orders from a vendor."""

from __future__ import annotations

from edi_gateway.messages._type import LINES, MessageType, quantities

TYPE = MessageType(
    type="ORDERS",
    name_en="Purchase order",
    name_fr="Commande",
    control_totals={"1": quantities("21"), "2": LINES},
)
