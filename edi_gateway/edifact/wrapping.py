"""Line breaks inside segments: a file that was broken into lines of one width, or a text with a line break.

Some mailers and mainframes break an interchange every 80 characters, wherever that falls. A text that
holds a line break looks the same at first; what tells them apart is that a wrapped file's lines are all
as wide as the first, and none is wider.
"""

from __future__ import annotations

import re

LINE_END = re.compile(rb"\r\n|\n|\r")

LINES_MIN = 2
"""So many breaks at one column make a wrapped file: one alone may be chance."""

USUAL_COLUMN = 80
"""At this column, the width of a punched card, one break is enough."""


def wrap_column(first_width: int, ahead: bytes, terminator: bytes) -> int | None:
    """The width that the file was wrapped at, None if its breaks are data.

    `first_width` is the width of the line that ends in the first break inside a segment; `ahead` begins
    with that break and goes as far as the reader looks.
    """
    first_break = LINE_END.match(ahead)
    rest = ahead[first_break.end() :] if first_break else ahead
    breaks, inside = 1, 1
    previous = 0
    for found in LINE_END.finditer(rest):
        width = found.start() - previous
        if width > first_width:
            return None
        line = rest[previous : found.start()].rstrip(b" ")
        if line:  # an empty line says nothing: files end in them
            breaks += 1
            inside += width == first_width and not line.endswith(terminator)
        previous = found.end()
    if len(rest) - previous > first_width:
        return None
    enough = inside >= LINES_MIN or first_width == USUAL_COLUMN
    return first_width if enough and 2 * inside > breaks else None
