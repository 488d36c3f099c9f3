"""Digests that say whether two documents are the same: of what they say, however their bytes were laid out."""

from __future__ import annotations

import hashlib
from typing import Any

from edi_gateway.edifact.verdict import InterchangeVerdict
from edi_gateway.store.base import canonical_json


def of_interchange(verdict: InterchangeVerdict) -> str:
    """SHA-256 (hex) of the interchange's header and all its segments; service characters and line ends do not count."""
    digest = hashlib.sha256(repr(verdict.header).encode())
    for message in verdict.messages:
        for segment in message.message.segments:
            digest.update(repr((segment.elements, segment.repeats)).encode())
    return digest.hexdigest()


def of_record(record: Any) -> str:
    """SHA-256 (hex) of a record's JSON form."""
    return hashlib.sha256(canonical_json(record).encode()).hexdigest()
