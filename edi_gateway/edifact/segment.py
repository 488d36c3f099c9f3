"""A segment and the service characters that it was written with."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from edi_gateway.edifact.tokens import Splitter


@dataclass(frozen=True, slots=True)
class Separators:
    """The service characters of an interchange (UNA; ISO 9735 annex B).

    `release` is "" where UNA4 is a space: no release character. `repetition` is "" where repeated
    elements do not exist (syntax 1 to 3, or UNA5 a space). `decimal` is the mark to write;
    `decimal_marks` are those that may be read: UNA3 alone in syntax 1 to 3, both of them without a
    UNA and from syntax 4 on (ISO 9735 §10.1, ISO 9735-1 §10).
    """

    component: str = ":"
    element: str = "+"
    decimal: str = "."
    release: str = "?"
    repetition: str = ""
    terminator: str = "'"
    decimal_marks: str = field(default=".,", compare=False)


class Segment:
    """One segment: its tag, its data elements, and where it stood.

    `elements[0]` holds the components of the tag (one, unless explicit nesting is used); `elements[i]`
    the components of the i-th data element, so the index is data element position 0098 less one.
    Trailing empty elements and components may be absent. `repeats` holds, by element index, the
    second and later repetitions of a repeated element (syntax 4).
    `position` counts within the message, UNH = 1; `offset` is the byte offset of the tag in the file.
    `raw` is the text that was read, without its terminator and with its releases; "" in a segment that
    was not read or was given other elements since.

    A segment that was read is split when an element is first asked for, and a composite when it is:
    most of what is read is judged by its text, and lists cost more to make and to collect than reading.
    """

    __slots__ = ("_parts", "_splitter", "offset", "position", "raw", "repeats", "tag")

    _parts: list[Any] | None  # lists of components, and strings whose components are not split yet
    _splitter: Splitter

    def __init__(
        self,
        tag: str,
        elements: list[list[str]],
        position: int = 0,
        offset: int = 0,
        repeats: dict[int, list[list[str]]] | None = None,
        raw: str = "",
    ) -> None:
        self.tag = tag
        self._parts = elements
        self.position = position
        self.offset = offset
        self.repeats = repeats
        self.raw = raw

    @classmethod
    def of_text(cls, tag: str, raw: str, splitter: Splitter, position: int = 0, offset: int = 0) -> Segment:
        """A segment that splits its text when it is asked for an element."""
        segment = cls.__new__(cls)
        segment.tag = tag
        segment.raw = raw
        segment.position = position
        segment.offset = offset
        segment.repeats = None
        segment._parts = None
        segment._splitter = splitter
        return segment

    @property
    def separators(self) -> Separators | None:
        """What `raw` is written with; None where the segment was not read, or did not keep it."""
        splitter: Splitter | None = getattr(self, "_splitter", None)
        return splitter.separators if splitter is not None and self.raw else None

    @property
    def elements(self) -> list[list[str]]:
        parts = self._parts
        if parts is None:
            elements = self._splitter.split_fully(self.raw)
            self._parts = elements
            return elements
        for index, part in enumerate(parts):
            if part.__class__ is str:
                parts[index] = part.split(self._splitter.component)
        return parts

    @elements.setter
    def elements(self, elements: list[list[str]]) -> None:
        self._parts = elements
        self.raw = ""

    def get(self, element: int, component: int = 1) -> str:
        """The value of a component, "" if absent. The first data element after the tag is 1."""
        parts = self._parts
        if parts is None:
            raw, splitter = self.raw, self._splitter
            # The usual case of `Splitter.split` without the call.
            fresh: list[Any] = splitter.split(raw) if splitter.release in raw else raw.split(splitter.element)
            self._parts = parts = fresh
        if element >= len(parts):
            return ""
        part = parts[element]
        if part.__class__ is str:
            separator = self._splitter.component
            if separator not in part:
                return part if component == 1 else ""
            part = parts[element] = part.split(separator)
        return part[component - 1] if component <= len(part) else ""

    def __eq__(self, other: object) -> bool:
        return isinstance(other, Segment) and self.elements == other.elements and self.repeats == other.repeats

    __hash__ = None  # type: ignore[assignment]  # a segment equals another by its lists, which have no hash

    def __repr__(self) -> str:
        shown = "+".join(":".join(components) for components in self.elements)
        return f"<Segment {self.position} {shown!r} at {self.offset}>"
