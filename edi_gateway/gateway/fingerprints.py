"""Digests that say whether two documents are the same: of what they say, however their bytes were laid out."""

from __future__ import annotations

import hashlib
from typing import Any

from edi_gateway.edifact.segment import Segment
from edi_gateway.edifact.verdict import InterchangeHeader, InterchangeVerdict, MessageVerdict
from edi_gateway.store.base import canonical_json

_TO_RELEASE = str.maketrans({character: "?" + character for character in "?+:'"})


def _text(segment: Segment) -> str:
    """The segment with the usual service characters: as it was read, where it was written with these."""
    written = segment.separators
    if (
        written is not None
        and (written.component, written.element, written.release, written.terminator) == (":", "+", "?", "'")
        and not written.repetition
    ):
        return segment.raw
    text = "+".join(":".join(value.translate(_TO_RELEASE) for value in element) for element in segment.elements)
    return f"{text}*{segment.repeats!r}" if segment.repeats else text


class InterchangeDigest:
    """The digest of an interchange that is read one message at a time: of its header and all its segments.

    Service characters and line ends do not count.
    """

    def __init__(self, header: InterchangeHeader | None) -> None:
        self._digest = hashlib.sha256(repr(header).encode())

    def add(self, message: MessageVerdict) -> None:
        texts = [_text(segment) for segment in message.message.segments]
        self._digest.update("'".join([*texts, ""]).encode("utf-8", "surrogatepass"))

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
