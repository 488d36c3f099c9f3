"""What the reader reports, in the order of the file.

    FileFinding*  ( InterchangeStarted  ( GroupStarted MessageRead* GroupEnded | MessageRead )*  InterchangeEnded )*

A `FileFinding` may stand between interchanges too. Whatever was started is ended, also when the file
was cut: the findings of the end then say what is missing.
"""

from __future__ import annotations

from dataclasses import dataclass, field

from edi_gateway.edifact.findings import Finding, Rule
from edi_gateway.edifact.rules import (
    FINDINGS_OMITTED,
    NEWLINE_IN_DATA,
    OUTSIDE_CHARACTER_SET,
    RELEASE_OF_DATA,
    UNDECODABLE,
    UTF_8_UNDECLARED,
    WINDOWS_1252_UNDECLARED,
)
from edi_gateway.edifact.segment import Segment, Separators
from edi_gateway.edifact.verdict import GroupHeader, InterchangeHeader, Message

FINDINGS_PER_RULE_MAX = 100
"""How many findings of one rule a message, group or interchange lists; one more says that there are more."""

SAID_ONCE = frozenset(
    {NEWLINE_IN_DATA, UTF_8_UNDECLARED, WINDOWS_1252_UNDECLARED, OUTSIDE_CHARACTER_SET, UNDECODABLE, RELEASE_OF_DATA}
)
"""Habits of a sender, which show in every text: the first one in a message stands for all."""


@dataclass(frozen=True, slots=True)
class InterchangeStarted:
    """UNB was read. `una` is the service string advice as received, "" if there was none."""

    header: InterchangeHeader
    separators: Separators
    una: str
    segment: Segment


@dataclass(frozen=True, slots=True)
class GroupStarted:
    """UNG was read."""

    group: GroupHeader
    segment: Segment


@dataclass(frozen=True, slots=True)
class MessageRead:
    """UNT was read, or what stands instead of it: `message.findings` says which."""

    message: Message


@dataclass(frozen=True, slots=True)
class GroupEnded:
    """UNE was read (`segment`), or the group ended without one (None)."""

    group: GroupHeader
    findings: tuple[Finding, ...]
    segment: Segment | None


@dataclass(frozen=True, slots=True)
class InterchangeEnded:
    """UNZ was read (`segment`), or the interchange ended without one (None). The findings are of UNA, UNB, UNZ."""

    findings: tuple[Finding, ...]
    segment: Segment | None


@dataclass(frozen=True, slots=True)
class FileFinding:
    """Something about the file outside of any interchange."""

    finding: Finding


Event = InterchangeStarted | GroupStarted | MessageRead | GroupEnded | InterchangeEnded | FileFinding


@dataclass(slots=True)
class Findings:
    """A list of findings that stays short: `FINDINGS_PER_RULE_MAX` of each rule, one of those `SAID_ONCE`."""

    listed: list[Finding] = field(default_factory=list)
    _counts: dict[Rule, int] = field(default_factory=dict)

    def add(self, finding: Finding) -> None:
        count = self._counts.get(finding.rule, 0) + 1
        self._counts[finding.rule] = count
        if finding.rule in SAID_ONCE:
            self.listed.extend([finding] if count == 1 else [])
        elif count <= FINDINGS_PER_RULE_MAX:
            self.listed.append(finding)
        elif count == FINDINGS_PER_RULE_MAX + 1:
            omitted = Finding(FINDINGS_OMITTED, value=finding.code, expected=str(FINDINGS_PER_RULE_MAX))
            self.listed.append(omitted)

    def has(self, rule: Rule) -> bool:
        """Whether a finding of this rule was added."""
        return rule in self._counts

    def is_full(self, rule: Rule) -> bool:
        """Whether further findings of this rule would not be listed."""
        return self._counts.get(rule, 0) > FINDINGS_PER_RULE_MAX

    def extend(self, findings: list[Finding]) -> None:
        for finding in findings:
            self.add(finding)
