"""A run of plain segments, as it was cut from the bytes: texts, and what makes segments of them when one is asked for.

Most readers want each segment's elements once, or nothing of a message but its header. An object a segment is the
dearest part of reading, so a message keeps its texts and makes the objects when they are asked for, all at once.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import accumulate
from typing import Any

from edi_gateway.edifact.segment import Segment
from edi_gateway.edifact.tokens import Splitter


@dataclass(frozen=True, slots=True)
class Run:
    """Segments that follow each other in the file, with `gap` bytes between them.

    `tags`, `texts` and `sizes` (in bytes) are of one length; `position` and `offset` are those of the first.
    """

    tags: Sequence[str]
    texts: Sequence[str]
    sizes: Sequence[int]
    gap: int
    position: int
    offset: int
    splitter: Splitter

    def offsets(self) -> Iterator[int]:
        """Where each segment begins in the file, and where one more would."""
        return accumulate([size + self.gap for size in self.sizes], initial=self.offset)

    def segments(self) -> list[Segment]:
        """This loop is the cost of each segment that is judged: no call but the constructor's."""
        new, splitter, made = Segment.__new__, self.splitter, list[Segment]()
        append, position = made.append, self.position
        for tag, text, offset in zip(self.tags, self.texts, self.offsets(), strict=False):
            append(segment := new(Segment))
            segment.tag = tag
            segment.raw = text
            segment.position = position
            segment.offset = offset
            segment.repeats = segment._parts = None
            segment._splitter = splitter
            position += 1
        return made

    def elements(self) -> Iterator[tuple[int, list[Any]]]:
        """The offset and the elements of each segment, as `Splitter.split` gives them."""
        splitter = self.splitter
        release, element, split = splitter.release, splitter.element, splitter.split
        for text, offset in zip(self.texts, self.offsets(), strict=False):
            yield offset, (split(text) if release in text else text.split(element))

    def components(self) -> Iterator[tuple[int, list[list[str]]]]:
        """The offset of each segment and its elements as lists of components."""
        splitter = self.splitter
        release, element, component = splitter.release, splitter.element, splitter.component
        for text, offset in zip(self.texts, self.offsets(), strict=False):
            if release in text:
                yield offset, splitter.split_fully(text)
            elif component in text:
                yield offset, [part.split(component) for part in text.split(element)]
            else:
                yield offset, [[part] for part in text.split(element)]
