"""ORDRSP: the vendor accepts or refuses an order, line by line."""

from __future__ import annotations

from edi_gateway.messages._type import LINES, MessageType, quantities

TYPE = MessageType(
    type="ORDRSP",
    name_en="Answer to a purchase order",
    name_fr="Réponse à une commande",
    # Confirmed quantities travel as ordered (21) or as to be despatched (12).
    control_totals={"1": quantities("12", "21"), "2": LINES},
)
