"""INVRPT: what a vendor has in stock."""

from __future__ import annotations

from edi_gateway.messages._type import MessageType

TYPE = MessageType(
    type="INVRPT",
    name_en="Inventory report",
    name_fr="État des stocks",
)
