"""A CONTRL from a partner settles what we sent: accepted or refused, message by message.

The first settlement counts; a later one that says otherwise raises an alert and changes nothing. A receipt (UCI 8)
settles nothing. A refusal raises an alert: somebody has to mend the document and send it anew.
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime

from edi_gateway.edifact import contrl
from edi_gateway.edifact.contrl import Acknowledgement, ContrlUnreadable
from edi_gateway.edifact.findings import Finding
from edi_gateway.edifact.verdict import Message as ReadMessage
from edi_gateway.gateway import rules
from edi_gateway.gateway.document_states import INTERCHANGES, MESSAGES, InterchangeEvent, MessageEvent
from edi_gateway.gateway.handling import SETTLEMENT, HandlerContext, Settled
from edi_gateway.gateway.states import change
from edi_gateway.marketplace.rules import UNMAPPED_RECORD
from edi_gateway.store.documents import (
    Interchange,
    InterchangeState,
    Message,
    MessageState,
    messages_of,
    sent_interchange,
)

REFERENCE_CHARACTERS_MAX = 80


def settle(context: HandlerContext, message: ReadMessage) -> list[Finding]:
    """Settle what the CONTRL speaks of. Its findings: an unknown subject, and each refusal."""
    try:
        said = contrl.read(message)
    except ContrlUnreadable as refusal:
        return [Finding(UNMAPPED_RECORD, value=str(refusal))]
    context.message.document_number = said.control_reference[:REFERENCE_CHARACTERS_MAX]
    subject = sent_interchange(context.uow.session, context.partnership.name, said.control_reference)
    if subject is None:
        return [Finding(rules.UNKNOWN_SUBJECT, segment="UCI", element=2, value=said.control_reference)]
    findings = []
    verdicts = []
    for sent in messages_of(context.uow.session, subject.id):
        context.message.business_key = sent.business_key
        settled = _verdict(said, sent)
        if settled is not None:
            findings += _settle_message(context, subject, sent, settled)
            verdicts.append(settled)
    if verdicts:
        _settle_interchange(context, subject, verdicts)
    return findings


def _verdict(said: Acknowledgement, sent: Message) -> Settled | None:
    """What the CONTRL says of one message; None for a receipt or an unknown code, which settle nothing."""
    if said.action is None or said.is_receipt:
        return None
    if said.accepts(sent.reference):
        return Settled(accepted=True)
    return Settled(accepted=False, code=_code(said, sent.reference))


def _code(said: Acknowledgement, reference: str) -> str:
    """The first 0085 that the refusal gives: of the message, of its segments and elements, of the interchange."""
    report = said.report_on(reference)
    errors = [said.error]
    if report is not None:
        below = [error for segment in report.segments for error in (segment.error, *segment.elements)]
        errors = [report.error, *below, said.error]
    return next((error.code for error in errors if error is not None and error.code), contrl.UNSPECIFIED)


def _settle_message(context: HandlerContext, subject: Interchange, sent: Message, settled: Settled) -> list[Finding]:
    """Move one message of ours, tell the role's handler, and say what was refused."""
    state = MessageState.ACKNOWLEDGED if settled.accepted else MessageState.REJECTED
    if sent.state is not MessageState.SENT:
        # Before the first CONTRL an APERAK may have refused it, which is no contradiction: CONTRL speaks of syntax.
        if sent.state is not state and subject.state is not InterchangeState.SENT:
            why = f"a later CONTRL says {state.value}; {sent.state.value} stands"
            _alert(context, "alert.contradiction", sent, why)
        return []
    sent.reason = "" if settled.accepted else f"refused by the partner's CONTRL, error {settled.code}"
    sent.changed_at = context.now
    change(
        context.uow,
        sent,
        MESSAGES,
        MessageEvent.ACKNOWLEDGE if settled.accepted else MessageEvent.REJECT,
        reason=sent.reason or "accepted by the partner's CONTRL",
        now=context.now,
        details={"contrl": context.message.id},
    )
    findings = _tell_handler(context, sent, settled)
    if settled.accepted:
        return findings
    _alert(context, "alert.refused", sent, sent.reason)
    what = f"{sent.type} {sent.document_number}"
    return [*findings, Finding(rules.REFUSED_BY_PARTNER, segment="UCM", value=what, expected=settled.code)]


def _tell_handler(context: HandlerContext, sent: Message, settled: Settled) -> list[Finding]:
    handler = context.gateway.handlers.get(SETTLEMENT)
    if handler is None:
        return []
    about = HandlerContext(context.uow, context.gateway, context.partnership, sent, context.now)
    findings: list[Finding] = handler(about, settled)
    return findings


def _settle_interchange(context: HandlerContext, subject: Interchange, verdicts: Sequence[Settled]) -> None:
    """The interchange follows its messages: acknowledged if any was, rejected if all were."""
    if subject.state is not InterchangeState.SENT:
        return
    accepted = any(settled.accepted for settled in verdicts)
    event = InterchangeEvent.ACKNOWLEDGE if accepted else InterchangeEvent.REJECT
    change(context.uow, subject, INTERCHANGES, event, reason=f"CONTRL {context.message.id}", now=context.now)
    if subject.overdue_at is not None:
        _clear(context, subject, subject.overdue_at)


def _clear(context: HandlerContext, subject: Interchange, overdue_at: datetime) -> None:
    """The CONTRL came after all: nobody has to look for it any more."""
    subject.overdue_at = None
    reason = f"the CONTRL for interchange {subject.control_reference} came, overdue since {overdue_at:%Y-%m-%d %H:%M}Z"
    details = {"contrl": context.message.id, "overdue_at": overdue_at.isoformat()}
    context.uow.record_event("acknowledgement.late", subject.subject, None, None, reason, details, context.now)


def _alert(context: HandlerContext, kind: str, sent: Message, why: str) -> None:
    context.uow.record_event(kind, sent.subject, None, None, why, {"contrl": context.message.id}, context.now)
