"""What a partnership demands of a document, and how gravely it takes each finding."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING

from edi_gateway.edifact.findings import Finding, Severity
from edi_gateway.edifact.verdict import Address, InterchangeHeader
from edi_gateway.messages.guideline import Guideline, agreed

if TYPE_CHECKING:
    from edi_gateway.partnership import Partnership

OFF = "off"
"""In place of a severity: the finding is not reported at all."""


@dataclass(frozen=True, slots=True, kw_only=True)
class JudgingPolicy:
    """How interchanges are judged. The defaults judge any interchange by the directories alone.

    `severities` grades findings by their code: error, warning, info or off. `open_code_lists` are data
    elements in which any value is accepted. `guidelines` narrow the directories. `directories` are those
    by which a message type is judged whose header names none that is known. `is_repeated` says whether
    the control reference of a header was received before. None in the other fields means: not limited.
    """

    severities: Mapping[str, str] = field(default_factory=dict)
    open_code_lists: frozenset[str] = frozenset()
    guidelines: tuple[Guideline, ...] = ()
    agreed_types: frozenset[str] | None = None
    directories: Mapping[str, str] = field(default_factory=dict)
    accept_test: bool = True
    our_addresses: frozenset[Address] | None = None
    known_senders: frozenset[Address] | None = None
    is_repeated: Callable[[InterchangeHeader], bool] | None = None

    @classmethod
    def of(
        cls,
        partnership: Partnership,
        *,
        guidelines: Iterable[Guideline] = (),
        is_repeated: Callable[[InterchangeHeader], bool] | None = None,
    ) -> JudgingPolicy:
        """What is agreed in a partnership about the interchanges that the partner sends.

        `guidelines` are added to those of the partnership.
        """
        from edi_gateway.partnership import Direction  # what judges a file by the directories alone needs none of it

        edifact = partnership.edifact
        agreements = [agreement for agreement in partnership.messages if agreement.direction is Direction.IN]
        return cls(
            severities=edifact.severities,
            guidelines=(*agreed(partnership), *guidelines),
            agreed_types=frozenset(agreement.type for agreement in agreements),
            directories={agreement.type: agreement.directory for agreement in agreements},
            accept_test=edifact.accept_test,
            our_addresses=frozenset({Address(edifact.our_id, edifact.our_qualifier)}),
            known_senders=frozenset({Address(edifact.their_id, edifact.their_qualifier)}),
            is_repeated=is_repeated,
        )

    def with_grades(self, severities: Mapping[str, str]) -> JudgingPolicy:
        """The same policy with further findings graded."""
        return replace(self, severities={**self.severities, **severities})

    def grade(self, findings: Iterable[Finding]) -> list[Finding]:
        """The findings as this policy takes them."""
        if not self.severities:
            return list(findings)
        return [graded for finding in findings if (graded := self._graded(finding)) is not None]

    def _graded(self, finding: Finding) -> Finding | None:
        severity = self.severities.get(finding.code)
        if severity is None:
            return finding
        return None if severity == OFF else finding.with_severity(Severity(severity))


ANY_INTERCHANGE = JudgingPolicy()
