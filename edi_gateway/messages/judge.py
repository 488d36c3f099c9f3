"""Files to verdicts: the reader's events, each message judged by what its sender and we agreed.

`judge` gives whole interchanges with all their messages and trees. `stream` gives one message at a time
and keeps none, for interchanges of any size; its interchange verdicts at the end hold only the messages
at fault and the first of each type, without their segments, which is what an acknowledgement needs.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass, replace

from edi_gateway.edifact.events import (
    Event,
    FileFinding,
    GroupEnded,
    GroupStarted,
    InterchangeEnded,
    InterchangeStarted,
    MessageRead,
)
from edi_gateway.edifact.findings import Finding, Rule
from edi_gateway.edifact.reader import read
from edi_gateway.edifact.segment import Separators
from edi_gateway.edifact.verdict import (
    Address,
    GroupHeader,
    GroupVerdict,
    InterchangeHeader,
    InterchangeVerdict,
    Message,
    MessageHeader,
    MessageVerdict,
)
from edi_gateway.marketplace.identifiers import is_gln
from edi_gateway.messages import rules
from edi_gateway.messages._check import check
from edi_gateway.messages._specification import (
    DIRECTORIES,
    MESSAGE_TYPES,
    MessageSpecification,
    message_type,
    specification,
)
from edi_gateway.messages.policy import ANY_INTERCHANGE, JudgingPolicy

PolicySource = JudgingPolicy | Callable[[InterchangeHeader], JudgingPolicy]
"""One policy for all, or the policy for an interchange, found by what its UNB says."""

TYPES_MAX = 20
"""Message types of an interchange of which the first one is kept."""

CLEAN_GROUPS_MAX = 1_000
"""Groups without a finding of which the verdict of an interchange keeps the header."""

FINDINGS_KEPT_MAX = 20_000
"""How many findings of its messages the verdict of a streamed interchange keeps; beyond, one error a message."""

GLN_QUALIFIER = "14"  # 0007

# Elements of UNB and UNH, as 0098 counts them.
_SENDER, _RECIPIENT, _CONTROL_REFERENCE, _TEST_INDICATOR = 3, 4, 6, 12
_MESSAGE_IDENTIFIER = 3


@dataclass(frozen=True, slots=True)
class InterchangeBegun:
    """UNB was read and judged: from here on it is known who sends and by which policy it is judged."""

    header: InterchangeHeader
    separators: Separators
    policy: JudgingPolicy
    findings: tuple[Finding, ...]


Judgement = InterchangeBegun | MessageVerdict | InterchangeVerdict | FileFinding


def judge(chunks: Iterable[bytes], policy: PolicySource = ANY_INTERCHANGE) -> Iterator[InterchangeVerdict]:
    """Every interchange of a file, judged, with all its messages.

    What is found outside of interchanges is reported with the nearest one; a file without any gives one
    verdict that has no header. Never raises on bad data.
    """
    verdict: InterchangeVerdict | None = None
    messages: list[MessageVerdict] = []
    outside: list[Finding] = []
    for judgement in stream(chunks, policy):
        if isinstance(judgement, MessageVerdict):
            messages.append(judgement)
        elif isinstance(judgement, InterchangeVerdict):
            judgement.messages = messages
            judgement.findings[:0] = outside
            verdict, messages, outside = judgement, [], []
        elif isinstance(judgement, FileFinding):
            (verdict.findings if verdict else outside).append(judgement.finding)
        elif verdict is not None:
            yield verdict
            verdict = None
    if verdict is not None:
        yield verdict
    elif outside:
        yield InterchangeVerdict(None, Separators(), [], outside)


def stream(chunks: Iterable[bytes], policy: PolicySource = ANY_INTERCHANGE) -> Iterator[Judgement]:
    """The same, one message at a time.

    Each interchange gives an `InterchangeBegun`, a `MessageVerdict` for each message and an
    `InterchangeVerdict` that holds only the messages at fault and the first of each type (which say of what
    kind the interchange is), without segments and tree.
    """
    judge_ = _InterchangeJudge(policy)
    for event in read(chunks):
        judgement = judge_.take(event)
        if judgement is not None:
            yield judgement


class _InterchangeJudge:
    """Judges the events of one interchange after the other."""

    def __init__(self, policy: PolicySource) -> None:
        self._source = policy
        self._policy = ANY_INTERCHANGE
        self._started: InterchangeStarted | None = None
        self._findings: list[Finding] = []
        self._groups: list[GroupVerdict] = []
        self._kept: list[MessageVerdict] = []
        self._types: set[str] = set()
        self._findings_kept = 0
        self._findings_left_out = 0

    def take(self, event: Event) -> Judgement | None:
        match event:
            case MessageRead(message):
                return self._judge_message(message)
            case InterchangeStarted():
                return self._start(event)
            case GroupStarted():
                return None
            case GroupEnded(group, findings):
                self._end_group(group, findings)
                return None
            case InterchangeEnded(findings):
                return self._end(findings)
            case FileFinding(finding):
                graded = ANY_INTERCHANGE.grade([finding])
                return FileFinding(graded[0])

    def _start(self, event: InterchangeStarted) -> InterchangeBegun:
        self._started = event
        self._policy = self._source if isinstance(self._source, JudgingPolicy) else self._source(event.header)
        self._findings = self._policy.grade(judge_header(event.header, self._policy, event.segment.offset))
        self._groups, self._kept, self._types = [], [], set()
        self._findings_kept = self._findings_left_out = 0
        return InterchangeBegun(event.header, event.separators, self._policy, tuple(self._findings))

    def _judge_message(self, message: Message) -> MessageVerdict:
        started = self._started
        separators = started.separators if started else Separators()
        syntax_version = started.header.syntax_version if started else ""
        verdict = judge_message(message, self._policy, separators, syntax_version)
        is_new = message.header.type not in self._types and len(self._types) < TYPES_MAX
        if not verdict.valid or is_new:
            self._types.add(message.header.type)
            self._keep(message, verdict)
        return verdict

    def _keep(self, message: Message, verdict: MessageVerdict) -> None:
        """What an acknowledgement needs: every rejected message, and why, as far as there is room for reasons."""
        findings = self._reasons(verdict.findings)
        self._kept.append(MessageVerdict(Message(message.header, [], message.group), findings))

    def _reasons(self, findings: list[Finding]) -> list[Finding]:
        """The findings, or the error that rejects by itself where there is no more room: one of syntax if there is."""
        kept = findings
        if self._findings_kept + len(findings) > FINDINGS_KEPT_MAX:
            errors = (finding for finding in findings if finding.is_error)
            kept = sorted(errors, key=lambda finding: not finding.is_of_syntax)[:1]
            self._findings_left_out += len(findings) - len(kept)
        self._findings_kept += len(kept)
        return kept

    def _end_group(self, header: GroupHeader, findings: Iterable[Finding]) -> None:
        """Groups that nothing is said of need no verdict once there are many; a message at fault names its own."""
        verdict = GroupVerdict(header, self._reasons(self._policy.grade(findings)))
        is_named = bool(self._kept) and self._kept[-1].message.group is header
        if verdict.findings or is_named or len(self._groups) < CLEAN_GROUPS_MAX:
            self._groups.append(verdict)

    def _end(self, findings: Iterable[Finding]) -> InterchangeVerdict:
        started = self._started
        found = [*findings]
        if self._findings_left_out:
            left_out, kept = str(self._findings_left_out), str(FINDINGS_KEPT_MAX)
            found.append(Finding(rules.FINDINGS_NOT_KEPT, "UNB", value=left_out, expected=kept))
        return InterchangeVerdict(
            started.header if started else None,
            started.separators if started else Separators(),
            self._kept,
            [*self._findings, *self._policy.grade(found)],
            self._groups,
        )


def judge_header(header: InterchangeHeader, policy: JudgingPolicy, offset: int | None = None) -> list[Finding]:
    """What UNB says that was not agreed: sender, recipient, test, a reference that was used before."""
    found = []

    def report(rule: Rule, element: int, value: str, expected: str | None = None, component: int | None = None) -> None:
        found.append(Finding(rule, "UNB", None, element, component, offset=offset, value=value, expected=expected))

    sender, recipient = _plain(header.sender), _plain(header.recipient)
    if policy.known_senders is not None and sender not in policy.known_senders:
        report(rules.SENDER_UNKNOWN, _SENDER, _shown(sender))
    if policy.our_addresses is not None and recipient not in policy.our_addresses:
        ours = ", ".join(sorted(map(_shown, policy.our_addresses)))
        report(rules.RECIPIENT_NOT_US, _RECIPIENT, _shown(recipient), ours)
    if policy.is_repeated is not None and policy.is_repeated(header):
        report(rules.INTERCHANGE_REPEATED, _CONTROL_REFERENCE, header.control_reference)
    if header.is_test and not policy.accept_test:
        report(rules.TEST_NOT_AGREED, _TEST_INDICATOR, header.test_indicator)
    for address, element in ((sender, _SENDER), (recipient, _RECIPIENT)):
        if address.qualifier == GLN_QUALIFIER and address.identifier and not is_gln(address.identifier):
            report(rules.INTERCHANGE_GLN_WRONG, element, address.identifier, component=1)
    return found


def judge_message(
    message: Message,
    policy: JudgingPolicy = ANY_INTERCHANGE,
    separators: Separators | None = None,
    syntax_version: str = "3",
) -> MessageVerdict:
    """Judge one message by the directory that its header names. The verdict has no tree if there is none for it."""
    found, refusal = resolve(message.header, policy, syntax_version)
    if refusal is not None:
        unh = message.segments[0] if message.segments else None
        message.findings.insert(0, replace(refusal, offset=unh.offset if unh else None))
    if found is None:
        return MessageVerdict(message, policy.grade(message.findings))
    return check(message, found, policy, separators or Separators())


def resolve(
    header: MessageHeader, policy: JudgingPolicy = ANY_INTERCHANGE, syntax_version: str = "3"
) -> tuple[MessageSpecification | None, Finding | None]:
    """The specification that a message is to be judged by, and what its header says wrong about it.

    The association code (0057) is not asked: it is written wrongly too often.
    """
    type_ = message_type(header.type)
    if not header.type:
        return None, None  # the envelope says so
    if type_ is None:
        return None, _of_unh(rules.MESSAGE_TYPE_UNKNOWN, header.type, ", ".join(MESSAGE_TYPES))
    if policy.agreed_types is not None and header.type not in policy.agreed_types and not type_.acknowledges:
        return None, _of_unh(rules.MESSAGE_TYPE_NOT_AGREED, header.type, ", ".join(sorted(policy.agreed_types)))
    syntax = "4" if syntax_version == "4" else "3"
    found = specification(header.type, header.directory, syntax)
    if found is not None:
        return found, None
    supposed = policy.directories.get(header.type)
    found = specification(header.type, supposed, syntax) if supposed else None
    if found is not None:
        return found, _of_unh(rules.DIRECTORY_SUPPOSED, header.directory, supposed or "")
    return None, _of_unh(rules.DIRECTORY_UNKNOWN, header.directory, ", ".join(DIRECTORIES))


def _of_unh(rule: Rule, value: str, expected: str) -> Finding:
    return Finding(rule, "UNH", 1, _MESSAGE_IDENTIFIER, value=value, expected=expected)


def _plain(address: Address) -> Address:
    return replace(address, routing="")


def _shown(address: Address) -> str:
    return f"{address.identifier}:{address.qualifier}" if address.qualifier else address.identifier
