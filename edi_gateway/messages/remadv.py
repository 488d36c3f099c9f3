"""REMADV: which invoices a payment settles."""

from __future__ import annotations

from edi_gateway.messages._type import MessageType

TYPE = MessageType(
    type="REMADV",
    name_en="Remittance advice",
    name_fr="Avis de paiement",
)
