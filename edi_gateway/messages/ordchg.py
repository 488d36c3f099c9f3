"""ORDCHG: an order that was sent is changed or cancelled."""

from __future__ import annotations

from edi_gateway.messages._type import LINES, MessageType, quantities

TYPE = MessageType(
    type="ORDCHG",
    name_en="Change of a purchase order",
    name_fr="Modification de commande",
    control_totals={"1": quantities("21"), "2": LINES},
)
