"""The reading for the business: what is wrong with a message that a CONTRL accepts.

A message that is right in form is read as a record; what cannot be read, and what the record says wrong of itself, are
findings of the business. They are answered by APERAK (313; 312 where the document is applied and held), never by
CONTRL.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from typing import Any

from edi_gateway.edifact.findings import Finding, Severity
from edi_gateway.edifact.verdict import MessageVerdict
from edi_gateway.marketplace.acknowledgement import AcknowledgementType
from edi_gateway.marketplace.consistency import findings_of_its_own
from edi_gateway.marketplace.rules import HELD
from edi_gateway.messages.tree import Group
from edi_gateway.translators import DecodeContext, translator

Grade = Callable[[Iterable[Finding]], list[Finding]]


@dataclass(frozen=True, slots=True)
class BusinessReading:
    """The record that a message holds, None if it cannot be read as one, and what is wrong with it."""

    record: Any | None
    findings: tuple[Finding, ...]

    @property
    def valid(self) -> bool:
        return self.record is not None and not any(finding.is_error for finding in self.findings)


def read_for_business(verdict: MessageVerdict, context: DecodeContext, grade: Grade = list) -> BusinessReading | None:
    """The business reading of a judged message; None where there is no translator, or an error of form.

    `grade` says how gravely a partnership takes each finding. What the judge has found already is not found again.
    """
    found = translator(verdict.header.type)
    if found is None or not verdict.valid or not isinstance(verdict.tree, Group):
        return None
    decoded = found.decode(verdict.tree, context, verdict.findings)
    inner = findings_of_its_own(decoded.record) if decoded.record is not None and decoded.valid else []
    return BusinessReading(decoded.record, tuple(grade([*decoded.findings, *inner])))


def aperak_for(findings: Sequence[Finding]) -> AcknowledgementType | None:
    """The APERAK that answers these findings of one message, where one is agreed; None if CONTRL says it all."""
    spoken = [finding for finding in findings if not finding.is_of_syntax]
    if any(finding.is_error for finding in findings if finding.is_of_syntax):
        return None
    if any(finding.is_error for finding in spoken):
        return AcknowledgementType.ERROR
    held = any(finding.rule in HELD and finding.severity is Severity.WARNING for finding in spoken)
    return AcknowledgementType.TAKEN_IN if held else None
