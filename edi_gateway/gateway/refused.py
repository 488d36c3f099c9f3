"""An APERAK from a partner: its application took in what we sent, or refuses it.

The message it speaks of is found by the number of the document (RFF, DOC), else by our control reference (ACW). What
the partner says stands with both messages as findings; a refusal rejects ours and raises an alert, since somebody has
to mend the document and send it anew. It is no CONTRL: one that was asked for is still waited for.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping

from edi_gateway.edifact.findings import Finding
from edi_gateway.gateway import rules
from edi_gateway.gateway.document_states import MESSAGES, MessageEvent
from edi_gateway.gateway.handling import SETTLEMENT, HandlerContext, Settled
from edi_gateway.gateway.states import change
from edi_gateway.marketplace.acknowledgement import PREVIOUS_MESSAGE, ApplicationAcknowledgement, ApplicationError
from edi_gateway.store.documents import Message, MessageState, messages_of, sent_document, sent_interchange

TYPES_NAMED: Mapping[str, tuple[str, ...]] = {
    "IV": ("INVOIC",),
    "AAK": ("DESADV",),
    "DQ": ("DESADV",),
    "ACE": ("ORDRSP", "INVRPT", "INVOIC", "DESADV", "ORDERS"),
    "ON": ("ORDERS",),
}
"""1153 -> the messages whose number it names. An order stands last: it is also named beside another document."""

ERRORS_KEPT_MAX = 100
"""Errors of one APERAK that become findings; its record has them all."""

REASON_CHARACTERS_MAX = 500
CODE_CHARACTERS_MAX = 8  # ERC 9321


def on_acknowledgement(context: HandlerContext, said: ApplicationAcknowledgement) -> list[Finding]:
    """What the partner's application says of a message of ours. Its findings: an unknown subject, or each error."""
    sent = next(_subjects(context, said), None)
    if sent is None:
        named = ", ".join(f"{each.qualifier} {each.number}" for each in said.references) or "nothing"
        return [Finding(rules.UNKNOWN_DOCUMENT, segment="RFF", value=named)]
    context.message.business_key = sent.business_key
    context.message.answers_id = sent.id
    findings = _findings(sent, said)
    context.annotate(sent, findings)
    if said.negative:
        _reject(context, sent, said)
    else:
        _event(context, "message.taken-in", sent, f"the partner's APERAK {said.number} says so")
    return findings


def _subjects(context: HandlerContext, said: ApplicationAcknowledgement) -> Iterator[Message]:
    """The messages of ours that it names, the surest first."""
    session, partner = context.uow.session, context.partnership.name
    for qualifier, types in TYPES_NAMED.items():
        for reference in said.references:
            if reference.qualifier == qualifier:
                yield from sent_document(session, partner, types, reference.number)
    for document in said.documents:
        yield from sent_document(session, partner, TYPES_NAMED["ACE"], document.number)
    for reference in said.references:
        interchange = None
        if reference.qualifier == PREVIOUS_MESSAGE:
            interchange = sent_interchange(session, partner, reference.number)
        if interchange is not None:
            yield from messages_of(session, interchange.id)


def _findings(sent: Message, said: ApplicationAcknowledgement) -> list[Finding]:
    what = f"{sent.type} {sent.document_number}"
    if not said.errors:
        rule = rules.REFUSED_BY_APPLICATION if said.negative else rules.TAKEN_IN
        text = " ".join(line for note in said.notes for line in note.text)
        return [Finding(rule, segment="BGM", value=what, expected=text)]
    rule = rules.REFUSED_BY_APPLICATION if said.negative else rules.REMARKED
    return [
        Finding(rule, segment="ERC", value=what, expected=f"{error.code} {error.text}".strip(), path=_line(error))
        for error in said.errors[:ERRORS_KEPT_MAX]
    ]


def _line(error: ApplicationError) -> str | None:
    """The line that an error is about, in the partner's words."""
    if not error.references:
        return None
    first = error.references[0]
    return f"RFF+{first.qualifier}:{first.number}" + (f":{first.line}" if first.line else "")


def _reject(context: HandlerContext, sent: Message, said: ApplicationAcknowledgement) -> None:
    errors = "; ".join(f"{error.code} {error.text}".strip() for error in said.errors[:ERRORS_KEPT_MAX])
    why = f"refused by the partner's APERAK {said.number}: {errors}"[:REASON_CHARACTERS_MAX]
    if sent.state in (MessageState.SENT, MessageState.ACKNOWLEDGED):
        sent.reason, sent.changed_at = why, context.now
        details = {"aperak": context.message.id}
        change(context.uow, sent, MESSAGES, MessageEvent.REFUSE, reason=why, now=context.now, details=details)
        _tell_handler(context, sent, said)
    _event(context, "alert.refused", sent, why)


def _tell_handler(context: HandlerContext, sent: Message, said: ApplicationAcknowledgement) -> None:
    handler = context.gateway.handlers.get(SETTLEMENT)
    if handler is not None:
        code = said.errors[0].code[:CODE_CHARACTERS_MAX] if said.errors else ""
        about = HandlerContext(context.uow, context.gateway, context.partnership, sent, context.now)
        context.annotate(sent, handler(about, Settled(accepted=False, code=code, by="APERAK")))


def _event(context: HandlerContext, kind: str, sent: Message, why: str) -> None:
    context.uow.record_event(kind, sent.subject, None, None, why, {"aperak": context.message.id}, context.now)
