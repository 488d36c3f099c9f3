"""Segments of one composite: a qualifier, its value, and the value's unit, format or line (DTM, RFF, QTY, MOA, CNT)."""

from __future__ import annotations

import re
from typing import cast

from edi_gateway.edifact.segment import Segment
from edi_gateway.translators._machinery import TEXT_VALUE, Claimed, Reading
from edi_gateway.translators._usual import USUAL_VALUE, Capture, Usual

_USUAL_VALUES = re.compile(f"[A-Z]{{3}}\\+{USUAL_VALUE}:{USUAL_VALUE}(:[^+:?']+)?").fullmatch
TRIPLE: Claimed = frozenset({(1, 1), (1, 2), (1, 3)})
_USUAL = re.compile(f"[A-Z]+\\+{TEXT_VALUE}:{TEXT_VALUE}(?::{TEXT_VALUE})?").fullmatch


Triple = tuple[str, str, str]


def read_triple(segment: Segment, reading: Reading, claimed: Claimed = TRIPLE) -> Triple:
    """The three components, "" where absent; what stands beyond those that are claimed has no field."""
    match = _USUAL(segment.raw) if reading.reads_text else None
    if match is not None:
        return cast(Triple, match.groups(""))
    reading.leave_beyond(segment, claimed)
    return segment.get(1, 1), segment.get(1, 2), segment.get(1, 3)


def usual_parts(segment: Segment) -> Triple | None:
    """The three components of a segment that has two or three and no release."""
    match = _USUAL_VALUES(segment.raw)
    return None if match is None else (match[1], match[2], (match[3] or "")[1:])


def usual_triple(segment: Segment, qualifier: str, third: str, capture: Capture) -> Usual:
    """A segment of a composite whose second component is the value; qualifier and third are kept."""
    end = f":{re.escape(third)}" if third else ""
    return Usual(f"{segment.tag}\\+{re.escape(qualifier)}:{USUAL_VALUE}{end}", (capture,))
