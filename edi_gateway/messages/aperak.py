"""APERAK: an application refuses, or takes note of, what a document says."""

from __future__ import annotations

from edi_gateway.messages._type import MessageType

TYPE = MessageType(
    type="APERAK",
    name_en="Application acknowledgement",
    name_fr="Accusé applicatif",
    acknowledges=True,
)
