"""SLSRPT: what was sold, by place and period."""

from __future__ import annotations

from edi_gateway.messages._type import MessageType

TYPE = MessageType(
    type="SLSRPT",
    name_en="Sales report",
    name_fr="Rapport de ventes",
)
