"""How long a stream is, and the frame around it: DER when the length is known, else BER of indefinite length.

A content of at most `WHOLE_BYTES_MAX` is read ahead, so that small messages are always DER, which every
product reads; a large one is DER if its writer is told the length.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from itertools import chain

from edi_gateway.as2.cms import der

WHOLE_BYTES_MAX = 1024 * 1024


def measured(chunks: Iterable[bytes], length: int | None) -> tuple[Iterator[bytes], int | None]:
    """The same chunks, and their length in bytes where it is told or small enough to be found out."""
    source = iter(chunks)
    if length is not None:
        return source, length
    ahead: list[bytes] = []
    held = 0
    for chunk in source:
        ahead.append(chunk)
        held += len(chunk)
        if held > WHOLE_BYTES_MAX:
            return chain(ahead, source), None
    return iter(ahead), held


@dataclass(frozen=True, slots=True)
class Frame:
    """One container around the content: its tag, the fields before it, and the size of those behind it."""

    tag: int
    before: bytes = b""
    bytes_after: int = 0


def opening(frames: Sequence[Frame], string_tag: int, size: int | None) -> bytes:
    """Everything up to the content; frames from the outermost in. `string_tag`: of the primitive OCTET STRING."""
    if size is None:
        starts = [der.indefinite(frame.tag) + frame.before for frame in frames]
        return b"".join((*starts, der.indefinite(string_tag | der.CONSTRUCTED)))
    start = der.header(string_tag, size)
    inside = len(start) + size  # of the frame at hand, before its own fields
    for frame in reversed(frames):
        inside += len(frame.before) + frame.bytes_after
        head = der.header(frame.tag, inside)
        start = head + frame.before + start
        inside += len(head)
    return start


def closing(frames: Sequence[Frame], after: dict[int, bytes], size: int | None) -> bytes:
    """Everything behind the content; `after` holds the fields behind it by index of their frame."""
    if size is None:
        ends = [after.get(n, b"") + der.END_OF_CONTENTS for n in reversed(range(len(frames)))]
        return b"".join((der.END_OF_CONTENTS, *ends))
    return b"".join(after.get(n, b"") for n in reversed(range(len(frames))))


def segments(content: Iterable[bytes], size: int | None) -> Iterator[bytes]:
    """The content as it stands in its OCTET STRING: as it is, or each piece as a segment.

    `ValueError` if it is not as long as was told, which would make the structure unreadable.
    """
    if size is None:
        for piece in content:
            if piece:
                yield der.header(der.OCTET_STRING, len(piece))
                yield piece
        return
    given = 0
    for piece in content:
        given += len(piece)
        yield piece
    if given != size:
        raise ValueError(f"the content has {given} bytes where {size} were told")
