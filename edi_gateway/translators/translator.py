"""One message type's translation, both ways."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Generic, TypeVar

from edi_gateway.edifact.findings import Finding
from edi_gateway.edifact.segment import Segment
from edi_gateway.messages.tree import Group
from edi_gateway.translators._machinery import Reading, RecordMapping, Writing
from edi_gateway.translators.context import DecodeContext, Decoded, EncodeContext

R = TypeVar("R")

FIRST_BODY_POSITION = 2
"""UNH is segment 1 of a message."""


@dataclass(frozen=True, slots=True)
class Translator(Generic[R]):
    """Reads a message's group tree as a record, and writes a record as the body of a message."""

    message_type: str
    mapping: RecordMapping[R]

    @property
    def record_type(self) -> type[R]:
        return self.mapping.record_type

    def decode(self, tree: Group, context: DecodeContext) -> Decoded[R]:
        """The record that a message holds, with what is wrong and what has no field. Never raises on bad data.

        The tree is that of `messages.check`; groups are told by their trigger, so any directory will do.
        """
        reading = Reading(context)
        record = self.mapping.read(tree, reading, reading.root)
        findings = [_with_path(finding, tree) for finding in reading.findings]
        return Decoded(None if reading.failed else record, findings, reading.unmapped, reading.lineage or {})

    def encode(self, record: R, context: EncodeContext) -> list[Segment]:
        """The segments between UNH and UNT, numbered from 2. Raises NotWritable for what the message cannot carry."""
        writing = Writing(context, record)
        self.mapping.write(record, writing)
        for position, segment in enumerate(writing.segments, start=FIRST_BODY_POSITION):
            segment.position = position
        return writing.segments


def _with_path(finding: Finding, tree: Group) -> Finding:
    path = _path(tree, finding.position, finding.segment or "")
    return finding if path is None else replace(finding, path=path)


def _path(group: Group, position: int | None, tag: str) -> str | None:
    """The place of a segment in the message's groups, such as ``SG25[3]/LIN``."""
    for child in group.children:
        if isinstance(child, Segment):
            if child.position == position:
                return tag
        else:
            inner = _path(child, position, tag)
            if inner is not None:
                return f"{child.name}[{child.occurrence}]/{inner}"
    return None
