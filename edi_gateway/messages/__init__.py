"""What each message may contain, and the judgement of a message against it.

`directory` and `specification` give the tables, `check` judges one message.
"""

from __future__ import annotations

from edi_gateway.edifact.verdict import Message, MessageVerdict
from edi_gateway.messages._directory import Directory, UnknownDirectoryError, directory
from edi_gateway.messages._matcher import Matcher
from edi_gateway.messages._specification import MessageSpecification, specification

__all__ = ["Directory", "MessageSpecification", "UnknownDirectoryError", "check", "directory", "specification"]


def check(message: Message, specification: MessageSpecification) -> MessageVerdict:
    """Judge a message: its findings, and its group tree with every segment. Never raises on bad data."""
    matcher = Matcher(specification.grammar)
    matcher.run(message.segments)
    findings = [*message.findings, *matcher.findings]
    findings.sort(key=lambda finding: finding.position or 0)
    return MessageVerdict(message, findings, matcher.tree)
