"""PRICAT: articles and their prices."""

from __future__ import annotations

from edi_gateway.messages._type import MessageType

TYPE = MessageType(
    type="PRICAT",
    name_en="Price catalogue",
    name_fr="Catalogue de prix",
)
