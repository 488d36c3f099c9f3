"""A payload seen as a whole before anything of it takes effect: what its envelopes are worth, message by message.

A wrong UNZ is known only at the end, and then nothing of its interchange may be processed. So a payload is read
twice: once for the verdicts of its interchanges (`survey`), once for its messages (`read_again`), one at a time. A
small one is kept in memory instead of being read again.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field

from edi_gateway.edifact.events import FileFinding
from edi_gateway.edifact.findings import Finding
from edi_gateway.edifact.segment import Separators
from edi_gateway.edifact.verdict import GroupHeader, InterchangeVerdict, MessageVerdict
from edi_gateway.gateway.fingerprints import InterchangeDigest
from edi_gateway.messages.judge import InterchangeBegun, stream
from edi_gateway.messages.policy import JudgingPolicy

KEPT_BYTES_MAX = 512 * 1024
"""A payload up to this is kept as messages: some forty times as much memory."""

TYPES_MAX = 20
"""Message types of a payload that are named."""


@dataclass(slots=True)
class Surveyed:
    """One interchange: its verdict (with all its messages where they are kept), its digest, its number of messages."""

    verdict: InterchangeVerdict
    content_sha256: str
    messages: int

    @property
    def refused_groups(self) -> list[GroupHeader]:
        return [group.header for group in self.verdict.groups if group.rejected]


@dataclass(frozen=True, slots=True)
class Place:
    """A message in its payload: which interchange (from 0), which message of it (from 1)."""

    interchange: int
    ordinal: int
    verdict: MessageVerdict


@dataclass(slots=True)
class Survey:
    """What a payload holds. A payload without any interchange has one without header, for the findings."""

    interchanges: list[Surveyed] = field(default_factory=list)
    types: dict[str, None] = field(default_factory=dict)  # in the order of their first messages

    @property
    def is_edifact(self) -> bool:
        return any(each.verdict.header is not None for each in self.interchanges)

    @property
    def messages(self) -> int:
        return sum(each.messages for each in self.interchanges)

    def kept(self) -> Iterator[Place]:
        """The messages, where the survey kept them."""
        for index, each in enumerate(self.interchanges):
            for ordinal, verdict in enumerate(each.verdict.messages, 1):
                yield Place(index, ordinal, verdict)


def survey(chunks: Iterable[bytes], policy: JudgingPolicy, *, keep: bool) -> Survey:
    """Read a payload to its end. `keep` its messages, or only those that an acknowledgement needs.

    What is found outside of interchanges is reported with the nearest one. Never raises on bad data.
    """
    seen = _Surveyor(keep)
    for judgement in stream(chunks, policy):
        match judgement:
            case InterchangeBegun(header):
                seen.begin(InterchangeDigest(header))
            case MessageVerdict():
                seen.message(judgement)
            case InterchangeVerdict():
                seen.end(judgement)
            case FileFinding(finding):
                seen.outside(finding)
    return seen.survey()


class _Surveyor:
    def __init__(self, keep: bool) -> None:
        self._keep = keep
        self._survey = Survey()
        self._outside: list[Finding] = []
        self._last: InterchangeVerdict | None = None  # until the next one begins
        self.begin(InterchangeDigest(None))

    def begin(self, digest: InterchangeDigest) -> None:
        self._digest, self._last = digest, None
        self._kept: list[MessageVerdict] = []
        self._count = 0

    def message(self, verdict: MessageVerdict) -> None:
        self._digest.add(verdict)
        self._count += 1
        if len(self._survey.types) < TYPES_MAX:
            self._survey.types.setdefault(verdict.header.type)
        if self._keep:
            self._kept.append(verdict)

    def end(self, verdict: InterchangeVerdict) -> None:
        if self._keep:
            verdict.messages = self._kept
        verdict.findings[:0] = self._outside
        self._outside, self._last = [], verdict
        self._survey.interchanges.append(Surveyed(verdict, self._digest.hexdigest(), self._count))

    def outside(self, finding: Finding) -> None:
        (self._outside if self._last is None else self._last.findings).append(finding)

    def survey(self) -> Survey:
        if self._outside and not self._survey.interchanges:
            nothing = InterchangeVerdict(None, Separators(), [], self._outside)
            self._survey.interchanges.append(Surveyed(nothing, InterchangeDigest(None).hexdigest(), 0))
        return self._survey


def read_again(chunks: Iterable[bytes], policy: JudgingPolicy) -> Iterator[Place]:
    """The messages of a payload, each let go when the next one is asked for."""
    interchange, ordinal = 0, 0
    for judgement in stream(chunks, policy):
        match judgement:
            case MessageVerdict():
                ordinal += 1
                yield Place(interchange, ordinal, judgement)
            case InterchangeVerdict():
                interchange, ordinal = interchange + 1, 0
            case _:
                pass
