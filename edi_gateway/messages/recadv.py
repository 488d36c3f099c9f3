"""RECADV: what was received of a shipment."""

from __future__ import annotations

from edi_gateway.messages._type import LINES, MessageType, quantities

TYPE = MessageType(
    type="RECADV",
    name_en="Receiving advice",
    name_fr="Avis de réception",
    control_totals={"1": quantities("48"), "2": LINES},
)
