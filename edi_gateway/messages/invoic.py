"""INVOIC: an invoice, credit note or commission invoice."""

from __future__ import annotations

from edi_gateway.messages._type import LINES, MessageType, quantities

TYPE = MessageType(
    type="INVOIC",
    name_en="Invoice",
    name_fr="Facture",
    control_totals={"1": quantities("47"), "2": LINES},
)
