"""One message type's translation, both ways."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from itertools import islice
from typing import Any, Generic, TypeVar

from edi_gateway.edifact.findings import Finding
from edi_gateway.edifact.segment import Segment, Separators
from edi_gateway.edifact.verdict import MessageHeader
from edi_gateway.messages.tree import Group
from edi_gateway.partnership import Habits
from edi_gateway.translators import rules
from edi_gateway.translators._machinery import Reading, RecordMapping, Writing
from edi_gateway.translators._usual import JOINED_BY, UsualGroups
from edi_gateway.translators.context import PLAIN, DecodeContext, Decoded, EncodeContext

R = TypeVar("R")

SOMETHING_MISSING = "13"  # 0085

LEVEL_A = ":", "+", "?"

FIRST_BODY_POSITION = 2
"""UNH is segment 1 of a message."""


ASSOCIATIONS: Mapping[tuple[str, str], str] = {
    ("ORDERS", "D.96A"): "EAN008",
    ("ORDRSP", "D.96A"): "EAN005",
    ("DESADV", "D.96A"): "EAN005",
    ("INVOIC", "D.96A"): "EAN008",
    ("INVRPT", "D.96A"): "EAN004",
    ("ORDCHG", "D.96A"): "EAN005",
    ("RECADV", "D.96A"): "EAN003",
    ("REMADV", "D.96A"): "EAN002",
    ("APERAK", "D.96A"): "EAN001",
    ("ORDERS", "D.01B"): "EAN010",
    ("ORDRSP", "D.01B"): "EAN009",
    ("DESADV", "D.01B"): "EAN007",
    ("INVOIC", "D.01B"): "EAN011",
    ("INVRPT", "D.01B"): "EAN007",
    ("APERAK", "D.01B"): "EAN003",
    ("RECADV", "D.01B"): "EAN008",
    ("SLSRPT", "D.01B"): "EAN007",
    ("PRICAT", "D.01B"): "EAN009",
}
"""The usual association code (0057) of a message type in EANCOM 1997 (D.96A) and 2002 (D.01B)."""


def association(message_type: str, directory: str) -> str:
    """The association code to write in UNH, "" where none is usual."""
    return ASSOCIATIONS.get((message_type, directory), "")


@dataclass(frozen=True, slots=True)
class Translator(Generic[R]):
    """Reads a message's group tree as a record, and writes a record as the body of a message."""

    message_type: str
    mapping: RecordMapping[R]

    @property
    def record_type(self) -> type[R]:
        return self.mapping.record_type

    def decode(self, tree: Group, context: DecodeContext, known: Sequence[Finding] = ()) -> Decoded[R]:
        """The record that a message holds, with what is wrong and what has no field. Never raises on bad data.

        The tree is that of `messages.check`; groups are told by their trigger, so any directory will do.
        What is in the findings that are `known`, those of the check, is not reported again.
        """
        reading = Reading(context)
        separators = next((found for segment in islice(tree.walk(), 3) if (found := segment.separators)), None)
        repeats = [each for each in tree.walk() if each.repeats] if separators is None or separators.repetition else []
        # By its text, a repeated element would be one value.
        reading.reads_text = separators is not None and _is_level_a(separators) and not repeats
        if separators is not None and reading.reads_text and not context.lineage:
            reading.usual = _usual_of(context, separators)
        record = self.mapping.read(tree, reading, reading.root)
        for segment in repeats:
            reading.leave_repeats(segment)
        findings = _with_paths(_unknown(reading.findings, known), tree)
        return Decoded(None if reading.failed else record, findings, reading.unmapped, reading.lineage or {})

    def header(self, reference: str, context: EncodeContext) -> MessageHeader:
        """The UNH for a message of this type, with its reference (0062)."""
        version, release = context.directory.split(".")
        code = context.association or association(self.message_type, context.directory)
        return MessageHeader(reference, self.message_type, version, release, association=code)

    def encode(self, record: R, context: EncodeContext) -> list[Segment]:
        """The segments between UNH and UNT, numbered from 2. Raises NotWritable for what the message cannot carry."""
        writing = Writing(context, record)
        self.mapping.write(record, writing)
        for position, segment in enumerate(writing.segments, start=FIRST_BODY_POSITION):
            segment.position = position
        return writing.segments


def _is_level_a(separators: Separators) -> bool:
    """Whether the text of the segments is written with the service characters of level A."""
    return (separators.component, separators.element, separators.release) == LEVEL_A


CONTEXTS_MAX = 64
"""Contexts of partners with habits of which what was learnt is kept."""

_usual: dict[tuple[int, str], tuple[Habits, dict[Any, UsualGroups]]] = {}


def _usual_of(context: DecodeContext, separators: Separators) -> dict[Any, UsualGroups] | None:
    """What was learnt of groups that are read with these habits; None where groups cannot be told by their text."""
    if separators.terminator != JOINED_BY or separators.repetition:
        return None
    habits = PLAIN if context.habits == PLAIN else context.habits
    key = (
        id(habits),
        context.timezone,
    )  # habits hold mappings, so have no hash; they are kept, so that the id stays theirs
    found = _usual.get(key)
    if found is None:
        if len(_usual) >= CONTEXTS_MAX:
            _usual.clear()
        found = _usual[key] = habits, {}
    return found[1]


def _unknown(findings: list[Finding], known: Sequence[Finding]) -> list[Finding]:
    """The findings that are news. An error is news where only a warning is known: without it nobody hears why."""
    if not findings or not known:
        return findings
    errors, others = _Known([finding for finding in known if finding.is_error]), _Known(known)
    return [each for each in findings if not (errors if each.is_error else others).covers(each)]


class _Known:
    """The places that other findings are about."""

    def __init__(self, findings: Sequence[Finding]) -> None:
        self._missing = {finding.segment for finding in findings if finding.contrl == SOMETHING_MISSING}
        self._components: dict[tuple[str | None, int | None, int | None], set[int | None]] = {}
        for finding in findings:
            place = (finding.segment, finding.position, finding.element)
            self._components.setdefault(place, set()).add(finding.component)

    def covers(self, finding: Finding) -> bool:
        """Whether a known finding is about the same place, or about the segment that a value is missing of."""
        if finding.rule is rules.FIELD_MISSING:
            return finding.segment in self._missing
        components = self._components.get((finding.segment, finding.position, finding.element), ())
        return finding.component in components or None in components


def _with_paths(findings: list[Finding], tree: Group) -> list[Finding]:
    """The findings with their place in the message's groups, such as ``SG25[3]/LIN``."""
    if not findings:
        return findings
    wanted = {finding.position for finding in findings}
    paths = dict(_paths(tree, wanted, ""))
    return [replace(finding, path=paths.get(finding.position)) for finding in findings]


def _paths(group: Group, wanted: set[int | None], outer: str) -> Iterator[tuple[int | None, str]]:
    for child in group.children:
        if isinstance(child, Segment):
            if child.position in wanted:
                yield child.position, outer + child.tag
        else:
            yield from _paths(child, wanted, f"{outer}{child.name}[{child.occurrence}]/")
