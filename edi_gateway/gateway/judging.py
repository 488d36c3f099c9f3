"""How the documents of a partner are judged: by what is agreed with it."""

from __future__ import annotations

from dataclasses import replace

from edi_gateway.messages.policy import JudgingPolicy
from edi_gateway.partnership import Partnership

ALWAYS_TAKEN = frozenset({"CONTRL"})
"""Acknowledgements need no agreement: who sends us nothing else still answers what we send."""


def policy_of(partnership: Partnership) -> JudgingPolicy:
    """The policy for what this partner sends. Repetitions are told by `gateway.unpack`, which knows the content."""
    policy = JudgingPolicy.of(partnership)
    return replace(policy, agreed_types=(policy.agreed_types or frozenset()) | ALWAYS_TAKEN)
