"""Message <-> record, one file a message type; each table is read in both directions.

`translator("ORDERS")` gives the translator of a message type. Reading order: `context` (what goes in and
comes out), `orders` (a table to look at), `rows` (what tables are made of), `_machinery`.
"""

from __future__ import annotations

from functools import cache
from importlib import import_module
from typing import Any

from edi_gateway.translators.context import DecodeContext, Decoded, EncodeContext, NotWritable, Source, Unmapped
from edi_gateway.translators.translator import ASSOCIATIONS, Translator, association

__all__ = [
    "ASSOCIATIONS",
    "MESSAGE_TYPES",
    "DecodeContext",
    "Decoded",
    "EncodeContext",
    "NotWritable",
    "Source",
    "Translator",
    "Unmapped",
    "association",
    "translator",
]

MESSAGE_TYPES = (
    "ORDERS",
    "ORDCHG",
    "ORDRSP",
    "DESADV",
    "RECADV",
    "INVOIC",
    "REMADV",
    "INVRPT",
    "SLSRPT",
    "PRICAT",
    "APERAK",
)
"""Each has a module of its name, imported when first asked for."""


@cache
def translator(message_type: str) -> Translator[Any] | None:
    """The translator of a message type, None if there is none."""
    if message_type not in MESSAGE_TYPES:
        return None
    found = import_module(f"edi_gateway.translators.{message_type.lower()}").TRANSLATOR
    assert isinstance(found, Translator)  # noqa: S101 - a listed module without a translator is our own fault
    return found
