"""What the reader takes at most: with these, any bytes whatever, without end too, take bounded memory and time."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class ReaderLimits:
    """What the reader takes at most."""

    segment_bytes_max: int = 64 * 1024
    message_segments_max: int = 2_000_000
    message_bytes_max: int = 128 * 1024 * 1024
    interchange_messages_max: int = 999_999  # and groups: what UNZ can count, 0036 is n..6
    file_interchanges_max: int = 100_000
    barren_bytes_max: int = (
        16 * 1024 * 1024
    )  # in a row, of which nothing is kept: blanks, junk, the rest of the too long
    barren_segments_max: int = 250_000  # in a row: empty, astray, or left out of a message that is too long


DEFAULT_LIMITS = ReaderLimits()
