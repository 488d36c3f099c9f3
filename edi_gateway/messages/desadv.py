"""DESADV: what was shipped, package by package."""

from __future__ import annotations

from edi_gateway.messages._type import LINES, MessageType, quantities

TYPE = MessageType(
    type="DESADV",
    name_en="Despatch advice",
    name_fr="Avis d'expédition",
    control_totals={"1": quantities("12"), "2": LINES},
)
