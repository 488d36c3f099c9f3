"""The group tree of a message: what `messages` matched, and what the translators walk."""

from __future__ import annotations

from collections.abc import Iterator

from edi_gateway.edifact.segment import Segment


class Group:
    """One occurrence of a segment group; the root, named "", is the message itself.

    `trigger` is the tag of its first segment, which names the group independently of the directory:
    the line group of ORDERS is SG25 in D.96A and SG28 in D.01B, and triggered by LIN in both.
    `children` are its segments and groups in the order of the message.
    """

    __slots__ = ("children", "name", "occurrence", "trigger")

    def __init__(self, name: str, trigger: str, occurrence: int, children: list[Segment | Group]) -> None:
        self.name = name
        self.trigger = trigger
        self.occurrence = occurrence
        self.children = children

    def segments(self, tag: str) -> list[Segment]:
        """The group's own segments with this tag, those of nested groups left out."""
        return [child for child in self.children if isinstance(child, Segment) and child.tag == tag]

    def first(self, tag: str) -> Segment | None:
        for child in self.children:
            if isinstance(child, Segment) and child.tag == tag:
                return child
        return None

    def groups(self, trigger: str) -> list[Group]:
        """The directly nested groups that this tag triggers."""
        return [child for child in self.children if isinstance(child, Group) and child.trigger == trigger]

    def walk(self) -> Iterator[Segment]:
        """Every segment of the tree, in the order of the message."""
        for child in self.children:
            if isinstance(child, Segment):
                yield child
            else:
                yield from child.walk()
