"""A segment and the service characters that it was written with."""

from __future__ import annotations

from dataclasses import dataclass, field


@dataclass(frozen=True, slots=True)
class Separators:
    """The service characters of an interchange (UNA; ISO 9735-1 §6).

    `release` is "" where UNA4 is a space: no release character. `repetition` is "" where repeated
    elements do not exist (syntax 1 to 3, or UNA5 a space). `decimal` is the mark to write;
    `decimal_marks` are those that may be read: UNA3 alone in syntax 1 to 3, both of them without a
    UNA and from syntax 4 on (ISO 9735-1 §10.1).
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
    `raw` is the text as it was read, decoded but not split, its terminator taken off; "" where it was not
    read. It lets a check recognise a segment that it has judged before without putting it together again.
    """

    __slots__ = ("elements", "offset", "position", "raw", "repeats", "tag")

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
        self.elements = elements
        self.position = position
        self.offset = offset
        self.repeats = repeats
        self.raw = raw

    def get(self, element: int, component: int = 1) -> str:
        """The value of a component, "" if absent. The first data element after the tag is 1."""
        if element < len(self.elements):
            components = self.elements[element]
            if component <= len(components):
                return components[component - 1]
        return ""

    def __eq__(self, other: object) -> bool:
        return isinstance(other, Segment) and self.elements == other.elements and self.repeats == other.repeats

    __hash__ = None  # type: ignore[assignment]  # mutable while it is being read

    def __repr__(self) -> str:
        shown = "+".join(":".join(components) for components in self.elements)
        return f"<Segment {self.position} {shown!r} at {self.offset}>"
