"""What a translation is told, and what it gives."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict, dataclass, field
from typing import Any, Generic, TypeVar

from edi_gateway.edifact.findings import Finding
from edi_gateway.partnership import Habits

R = TypeVar("R")

PLAIN = Habits()
"""The habits of a partner that follows EANCOM."""


@dataclass(frozen=True, slots=True, kw_only=True)
class DecodeContext:
    """How a partner's messages are to be read.

    Times without a zone are local to `timezone` (an IANA name). `lineage` asks for the source of each value;
    `codec` is what the interchange was written with, of which the byte offsets of sources are told.
    """

    directory: str = "D.96A"
    timezone: str = "Europe/Paris"
    lineage: bool = False
    codec: str = "latin-1"
    habits: Habits = PLAIN
    order_currency: str = ""  # of the order that the message answers, where it is known


@dataclass(frozen=True, slots=True, kw_only=True)
class EncodeContext:
    """How a partner wants messages written: the directory, the decimal mark in force, the zone of local times."""

    directory: str = "D.96A"
    association: str = ""  # 0057 where it is not the usual one of the directory
    decimal: str = "."
    timezone: str = "Europe/Paris"
    habits: Habits = PLAIN


@dataclass(frozen=True, slots=True)
class Unmapped:
    """A part of a message that has no field in the record: a whole segment, or one component of it.

    `element` and `component` count as in a finding (the tag is element 1) and are None for a whole segment;
    `text` is the raw text, of the segment or of the component. `repetition` counts from 1 where the element is repeated
    (syntax 4) and this is not the first of it.
    """

    segment: str
    position: int
    text: str
    element: int | None = None
    component: int | None = None
    repetition: int | None = None

    def as_json(self) -> dict[str, str | int]:
        """What is told of it, for the store, the API and the command line."""
        return {name: value for name, value in asdict(self).items() if value is not None}


@dataclass(frozen=True, slots=True)
class Source:
    """Where a value of a record came from; counted as in a finding.

    `offset` is that of the component's first byte in the file. `parts` are the further components of a value that was
    put together of several, such as a long name.
    """

    segment: str
    position: int
    element: int
    component: int
    offset: int = 0
    parts: tuple[Source, ...] = ()

    def as_json(self) -> dict[str, Any]:
        """What is told of it, for the API and the command line."""
        own = {name: getattr(self, name) for name in ("segment", "position", "element", "component", "offset")}
        return {**own, "parts": [part.as_json() for part in self.parts]} if self.parts else own


@dataclass(frozen=True, slots=True)
class Decoded(Generic[R]):
    """What a message says.

    `findings` are those of the translation alone, less what the check of the message had found already.
    `record` is None where something that it cannot do without is missing or unreadable; the findings say
    what. A record may stand beside findings: an optional value that cannot be read is left out of it, and
    whether to book such a record is for the caller to decide (`valid`).
    `lineage` tells the source of each value by its path in the record, such as ``lines[0]/quantity``; it is
    empty unless the context asks for it.
    """

    record: R | None
    findings: list[Finding]
    unmapped: list[Unmapped]
    lineage: Mapping[str, Source] = field(default_factory=dict)

    @property
    def valid(self) -> bool:
        """Whether the record is whole: there is one, and the translation found no error."""
        return self.record is not None and not any(finding.is_error for finding in self.findings)

    def path_of(self, finding: Finding) -> str | None:
        """The value of the record that a finding about the message is about, by its path; None if it has no field.

        Needs the lineage. A finding that names no component is about the first value of its segment.
        """
        places = (
            (path, source)
            for path, source in self.lineage.items()
            if source.position == finding.position and finding.element in (source.element, None)
        )
        return next((path for path, source in places if finding.component in (source.component, None)), None)


class NotWritable(ValueError):
    """A record that the message cannot carry: what, where in the record, and what to do."""

    def __init__(self, path: str, why: str) -> None:
        super().__init__(f"{path}: {why}")
        self.path = path
        self.why = why
