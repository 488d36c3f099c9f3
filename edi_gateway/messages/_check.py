"""Judging one message: structure, elements, code lists, control totals; the whole message, always."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import replace

from edi_gateway.edifact.findings import Finding
from edi_gateway.edifact.segment import Segment, Separators
from edi_gateway.edifact.verdict import Message, MessageVerdict
from edi_gateway.messages import rules
from edi_gateway.messages._elements import judge_segment
from edi_gateway.messages._matcher import Matcher
from edi_gateway.messages._specification import MessageSpecification
from edi_gateway.messages._totals import check_dependencies, check_totals
from edi_gateway.messages.guideline import check_guideline
from edi_gateway.messages.policy import ANY_INTERCHANGE, JudgingPolicy
from edi_gateway.messages.tree import Group

FINDINGS_MAX = 5_000
"""The most findings listed of one message; a last one says that there are more."""

_OF_THE_ENVELOPE = frozenset({"UNH", "UNT"})  # judged by the reader

_DEFAULT_SEPARATORS = Separators()


def check(
    message: Message,
    specification: MessageSpecification,
    policy: JudgingPolicy = ANY_INTERCHANGE,
    separators: Separators = _DEFAULT_SEPARATORS,
) -> MessageVerdict:
    """Judge a message against its specification. Bad data never raises.

    The verdict holds the reader's findings and ours in the order of the message, graded by the policy,
    and the group tree with every segment of the message. `separators` are those of the interchange:
    which decimal marks it may use, and how `Segment.raw` is written.
    """
    segments = message.segments
    matcher = Matcher(specification.grammar)
    matcher.run(segments)
    found = [*matcher.findings, *_judge_elements(segments, specification, policy, separators)]
    found += check_totals(specification.type, segments, matcher.tree)
    if specification.type.dependencies:
        found += check_dependencies(specification.type.dependencies, segments, specification.layout)
    for guideline in policy.guidelines:
        if guideline.covers(specification):
            found += check_guideline(guideline, specification.message_type, matcher.tree, specification.layout)
    findings = message.findings
    if found:
        found = _with_paths(_not_yet_said(found, findings), matcher.tree)
        findings = sorted([*findings, *found], key=lambda finding: finding.position or 0)
    return MessageVerdict(message, policy.grade(_bounded(findings)), matcher.tree)


def _judge_elements(
    segments: Sequence[Segment], specification: MessageSpecification, policy: JudgingPolicy, separators: Separators
) -> list[Finding]:
    shapes = specification.shapes(separators)
    found: list[Finding] = []
    for segment in shapes.suspects(segments):
        if segment.tag in _OF_THE_ENVELOPE:
            continue
        layout = specification.layout(segment.tag)
        if layout is None:
            continue
        findings = judge_segment(segment, layout, separators.decimal_marks)
        if not findings:
            shapes.learn(segment, layout)
        elif len(found) <= FINDINGS_MAX:
            found += [finding for finding in findings if not _is_open(finding, specification, policy)]
    return found


def _is_open(finding: Finding, specification: MessageSpecification, policy: JudgingPolicy) -> bool:
    """Whether the finding is about a code list that the partnership left open."""
    if (
        not policy.open_code_lists
        or finding.rule not in (rules.CODE_UNKNOWN, rules.PARTNER_CODE)
        or finding.element is None
    ):
        return False
    layout = specification.layout(finding.segment or "")
    element = layout.positions[finding.element - 2] if layout else None
    if element is None:
        return False
    return element.components[(finding.component or 1) - 1].id in policy.open_code_lists


def _not_yet_said(found: list[Finding], said: Sequence[Finding]) -> list[Finding]:
    """What the reader has not reported already, with the same 0085 code at the same place."""
    places = {(f.contrl, f.position, f.element, f.component) for f in said if f.contrl and f.element}
    return [f for f in found if (f.contrl, f.position, f.element, f.component) not in places] if places else found


def _with_paths(findings: Sequence[Finding], tree: Group) -> list[Finding]:
    wanted = {finding.position for finding in findings if finding.path is None}
    if not wanted:
        return list(findings)
    paths = {segment.position: path for segment, path in _walk(tree, "") if segment.position in wanted}
    return [
        finding if finding.path else replace(finding, path=paths.get(finding.position or 0)) for finding in findings
    ]


def _walk(group: Group, path: str) -> Iterator[tuple[Segment, str]]:
    for child in group.children:
        if isinstance(child, Group):
            yield from _walk(child, f"{path}{child.name}[{child.occurrence}]/")
        else:
            yield child, f"{path}{child.tag}"


def _bounded(findings: list[Finding]) -> list[Finding]:
    if len(findings) <= FINDINGS_MAX:
        return findings
    return [*findings[:FINDINGS_MAX], Finding(rules.FINDINGS_OMITTED, expected=str(FINDINGS_MAX))]
