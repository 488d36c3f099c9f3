"""Digests that say whether two documents are the same: of what they say, however their bytes were laid out."""

from __future__ import annotations

import hashlib
from typing import Any

from edi_gateway.edifact.verdict import InterchangeHeader, InterchangeVerdict, MessageVerdict
from edi_gateway.store.base import canonical_json


class InterchangeDigest:
    """The digest of an interchange that is read one message at a time: of its header and all its segments.

    Service characters and line ends do not count.
    """

    def __init__(self, header: InterchangeHeader | None) -> None:
        self._digest = hashlib.sha256(repr(header).encode())

    def add(self, message: MessageVerdict) -> None:
        for segment in message.message.segments:
            self._digest.update(repr((segment.elements, segment.repeats)).encode())

    def hexdigest(self) -> str:
        return self._digest.hexdigest()


def of_interchange(verdict: InterchangeVerdict) -> str:
    """SHA-256 (hex) of an interchange with all its messages; see `InterchangeDigest`."""
    digest = InterchangeDigest(verdict.header)
    for message in verdict.messages:
        digest.add(message)
    return digest.hexdigest()


def of_record(record: Any) -> str:
    """SHA-256 (hex) of a record's JSON form."""
    return hashlib.sha256(canonical_json(record).encode()).hexdigest()
