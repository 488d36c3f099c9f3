"""One message that came in: judged, read as a record, handed to its handler, put into its state.

All of it happens within a transaction of the caller (`gateway.unpack`), or of `replay`, with which an operator tries an
exception again after its cause was mended.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import delete

from edi_gateway.edifact.contrl import MESSAGE_TYPE
from edi_gateway.edifact.findings import Finding
from edi_gateway.edifact.segment import Segment
from edi_gateway.edifact.verdict import MessageVerdict
from edi_gateway.gateway import deadline_book, rules
from edi_gateway.gateway.acknowledge import settle
from edi_gateway.gateway.app import Gateway
from edi_gateway.gateway.document_states import MESSAGES, MessageEvent
from edi_gateway.gateway.fingerprints import of_record
from edi_gateway.gateway.handling import HandlerContext, RecordHandler
from edi_gateway.gateway.refuse import refuse
from edi_gateway.gateway.refused import on_acknowledgement
from edi_gateway.gateway.states import change
from edi_gateway.marketplace.rules import REPEATED_DOCUMENT, UNMAPPED_RECORD
from edi_gateway.messages.judge import InterchangeBegun, stream
from edi_gateway.messages.policy import JudgingPolicy
from edi_gateway.messages.tree import Group
from edi_gateway.partnership import DeadlineKind, Direction, Partnership
from edi_gateway.store.business import order_currencies
from edi_gateway.store.database import UnitOfWork
from edi_gateway.store.documents import (
    Interchange,
    Message,
    MessageState,
    StoredFinding,
    add_findings,
    earlier_document,
    waiting_messages,
)
from edi_gateway.translators import DecodeContext, translator
from edi_gateway.translators.json_form import from_json, to_json

REASON_CHARACTERS_MAX = 500
DOCUMENT_NUMBER_CHARACTERS_MAX = 80
ORDERS_NAMED_MAX = 100
"""Of how many orders that a document names the currency is looked up."""

REPLAYABLE = frozenset({MessageState.EXCEPTION, MessageState.WAITING})


class NotReplayable(Exception):
    """A message that cannot be tried again, and why."""


@dataclass(frozen=True, slots=True)
class Intake:
    """Where messages are taken in: the transaction, the partnership, the time."""

    uow: UnitOfWork
    gateway: Gateway
    partnership: Partnership
    now: datetime

    def context(self, message: Message) -> HandlerContext:
        return HandlerContext(self.uow, self.gateway, self.partnership, message, self.now)


def take_in(intake: Intake, interchange: Interchange, verdict: MessageVerdict, ordinal: int, *, rejected: bool) -> None:
    """Keep one message and let it take effect. `rejected`: its whole interchange is refused."""
    row = Message(
        id=intake.gateway.new_id(),
        interchange_id=interchange.id,
        ordinal=ordinal,
        direction=Direction.IN,
        partnership=intake.partnership.name,
        state=MessageState.READ,
        reference=verdict.header.reference[:40],
        type=verdict.header.type[:20],
        directory=verdict.header.directory[:20],
        association=verdict.header.association[:20],
        document_number=_document_number(verdict),
        segments=len(verdict.message.segments),
        at=intake.now,
        changed_at=intake.now,
    )
    intake.uow.session.add(row)
    intake.uow.session.flush()
    context = intake.context(row)
    _note(context, verdict.findings)
    if rejected:
        _change(context, MessageEvent.REJECT, "its interchange or group is rejected")
    else:
        _judged(context, verdict)


def take_in_record(
    intake: Intake, interchange: Interchange, message_type: str, record: Any, ordinal: int
) -> tuple[Message, list[Finding]]:
    """Keep a record that came in another form than EDIFACT, and let it take effect by the same rules.

    Gives its message and what was found; it is the caller who decides whether errors among that undo it all.
    """
    row = Message(
        id=intake.gateway.new_id(),
        interchange_id=interchange.id,
        ordinal=ordinal,
        direction=Direction.IN,
        partnership=intake.partnership.name,
        state=MessageState.READ,
        reference=str(ordinal),
        type=message_type,
        directory="",
        at=intake.now,
        changed_at=intake.now,
    )
    intake.uow.session.add(row)
    intake.uow.session.flush()
    context = intake.context(row)
    _keep(row, record)
    handler = _handler(context)
    found = [Finding(rules.NO_HANDLER, value=message_type)] if handler is None else handler(context, record)
    _finish(context, found)
    return row, _graded(context, found)


def replay(gateway: Gateway, message_id: str) -> MessageState:
    """Read a message again from its payload and try it again. Gives its new state; raises NotReplayable."""
    with gateway.database.read() as reading:
        message = reading.session.get(Message, message_id)
        if message is None:
            raise NotReplayable(f"there is no message {message_id}")
        interchange = reading.session.get_one(Interchange, message.interchange_id)
    partnership = gateway.partnerships.by_name(message.partnership)
    if partnership is None:
        raise NotReplayable(f"the partnership {message.partnership} is not active")
    verdict = _read_again(gateway, partnership, interchange, message)
    with gateway.database.write() as uow:
        uow.hold_business(partnership.name)
        row = uow.session.get_one(Message, message_id, with_for_update=True)
        if row.direction is not Direction.IN or row.state not in REPLAYABLE:
            raise NotReplayable(f"message {message_id} is {row.state.value}: only exceptions are tried again")
        context = Intake(uow, gateway, partnership, gateway.now()).context(row)
        uow.session.execute(delete(StoredFinding).where(StoredFinding.message_id == row.id))
        _note(context, verdict.findings)
        _begin_again(context, "an operator asked for it")
        _judged(context, verdict)
        uow.commit()
        return row.state


def _read_again(
    gateway: Gateway, partnership: Partnership, interchange: Interchange, message: Message
) -> MessageVerdict:
    reference, ordinal = "", 0
    for judgement in stream(gateway.payloads.chunks(interchange.payload_sha256), JudgingPolicy.of(partnership)):
        if isinstance(judgement, InterchangeBegun):
            reference, ordinal = judgement.header.control_reference, 0
        elif isinstance(judgement, MessageVerdict):
            ordinal += 1
            if reference == interchange.control_reference and ordinal == message.ordinal:
                return judgement
    raise NotReplayable(f"message {message.id} is not found in payload {interchange.payload_sha256}")


def _judged(context: HandlerContext, verdict: MessageVerdict) -> None:
    """Reject what the CONTRL rejects; what else is wrong makes an exception, such as a guideline; process the rest."""
    syntax = [finding for finding in verdict.findings if finding.is_of_syntax]
    if _errors(syntax):
        _change(context, MessageEvent.REJECT, _errors(syntax))
    elif not verdict.valid:
        _except(context, verdict.findings, verdict)
    else:
        _process(context, verdict)


def _process(context: HandlerContext, verdict: MessageVerdict) -> None:
    """A message that is right in form: settle it if it is a CONTRL, else read its record and hand it on."""
    message_type = verdict.header.type
    if message_type == MESSAGE_TYPE:
        _finish(context, settle(context, verdict.message))
        return
    translate = translator(message_type)
    if _handler(context) is None or translate is None or not isinstance(verdict.tree, Group):
        _finish(context, [Finding(rules.NO_HANDLER, value=message_type)])
        return
    agreed = context.partnership
    decode = DecodeContext(
        directory=verdict.header.directory,
        timezone=agreed.edifact.timezone,
        habits=agreed.habits,
        order_currency=_order_currency(context, verdict.message.segments),
    )
    decoded = translate.decode(verdict.tree, decode, verdict.findings)
    findings = _graded(context, decoded.findings)
    context.message.unmapped = [unmapped.as_json() for unmapped in decoded.unmapped] or None
    if decoded.record is None or _errors(findings):
        if not _errors(findings):
            findings = [*findings, Finding(UNMAPPED_RECORD, value=message_type)]
        _finish(context, findings, verdict)
        return
    _note(context, findings)
    _keep(context.message, decoded.record)
    if not _is_repeated(context):
        _handle(context, decoded.record)


def _order_currency(context: HandlerContext, segments: Sequence[Segment]) -> str:
    """The currency of the known orders that a message names (RFF+ON), where it has prices or amounts and no CUX.

    "" where nothing has to be implied, no order is known, or they differ.
    """
    tags = {segment.tag for segment in segments}
    if "CUX" in tags or "RFF" not in tags or not tags & {"PRI", "MOA"}:
        return ""
    numbers = {segment.get(1, 2) for segment in segments if segment.tag == "RFF" and segment.get(1, 1) == "ON"}
    named = sorted(numbers - {""})[:ORDERS_NAMED_MAX]
    found = order_currencies(context.uow.session, context.partnership.name, named)
    return found.pop() if len(found) == 1 else ""


ACKNOWLEDGING: Mapping[str, RecordHandler] = {"APERAK": on_acknowledgement}
"""What every role does alike."""


def _handler(context: HandlerContext) -> RecordHandler | None:
    return ACKNOWLEDGING.get(context.message.type) or context.gateway.handlers.get(context.message.type)


def _handle(context: HandlerContext, record: Any) -> None:
    handler = _handler(context)
    _finish(
        context,
        [Finding(rules.NO_HANDLER, value=context.message.type)] if handler is None else handler(context, record),
    )


def _keep(message: Message, record: Any) -> None:
    message.record = to_json(record)
    message.record_sha256 = of_record(message.record)
    message.document_number = record.number[:DOCUMENT_NUMBER_CHARACTERS_MAX]


def _document_number(verdict: MessageVerdict) -> str:
    """BGM 1004, also of a message that cannot be read as a record."""
    bgm = next((segment for segment in verdict.message.segments[:3] if segment.tag == "BGM"), None)
    return bgm.get(2)[:DOCUMENT_NUMBER_CHARACTERS_MAX] if bgm is not None else ""


def _is_repeated(context: HandlerContext) -> bool:
    """The same document in another interchange: it is kept, and nothing is done twice."""
    earlier = earlier_document(context.uow.session, context.message)
    if earlier is None or earlier.record_sha256 != context.message.record_sha256:
        return False
    _note(context, [Finding(REPEATED_DOCUMENT, value=context.message.document_number)])
    _change(context, MessageEvent.REPEAT, f"the same as message {earlier.id}")
    return True


def _finish(context: HandlerContext, findings: Sequence[Finding], verdict: MessageVerdict | None = None) -> None:
    """Put down what was found, move the message to its state, and apply what waited for it."""
    findings = _graded(context, findings)
    _note(context, findings)
    errors = _errors(findings)
    if context.awaits:
        context.message.awaits = context.awaits
        _change(context, MessageEvent.WAIT, f"for the answer to order {context.awaits}")
        deadline_book.await_document(context.uow, context.partnership, context.message, context.now)
    elif errors:
        _except(context, findings, verdict)
    else:
        _change(context, MessageEvent.APPLY, "applied")
        refuse(context, findings)  # an invoice is booked, and held
    for order_number in context.answered:
        _resume(context, order_number)


def _except(context: HandlerContext, findings: Sequence[Finding], verdict: MessageVerdict | None) -> None:
    """Leave the message for an operator, and say so; the partner hears of it too, where that is agreed."""
    why = _errors(findings)
    _change(context, MessageEvent.EXCEPT, why)
    context.uow.record_event(
        "alert.exception", context.message.subject, None, None, why, {"type": context.message.type}, context.now
    )
    refuse(context, findings, verdict.tree if verdict is not None else None)


def _resume(context: HandlerContext, order_number: str) -> None:
    """Apply the messages that waited for the answer to this order, in the order in which they came."""
    for message in waiting_messages(context.uow.session, context.partnership.name, order_number):
        resumed = HandlerContext(context.uow, context.gateway, context.partnership, message, context.now)
        _begin_again(resumed, f"order {order_number} has been answered")
        translate = translator(message.type)
        assert translate is not None  # noqa: S101 - its record was read by this translator
        _handle(resumed, from_json(translate.record_type, message.record))


def _begin_again(context: HandlerContext, reason: str) -> None:
    deadline_book.met(context.uow, DeadlineKind.WAITING, context.message.subject, context.now)
    context.message.awaits = ""
    _change(context, MessageEvent.REPLAY, reason)


def _graded(context: HandlerContext, findings: Sequence[Finding]) -> list[Finding]:
    """The findings of translators and handlers as the partnership takes them, like those of the judge."""
    return JudgingPolicy.of(context.partnership).grade(findings)


def _note(context: HandlerContext, findings: Sequence[Finding]) -> None:
    add_findings(context.uow.session, findings, context.message.interchange_id, context.message.id)


def _errors(findings: Sequence[Finding]) -> str:
    return "; ".join(f"{finding.code} {finding.text()}" for finding in findings if finding.is_error)


def _change(context: HandlerContext, event: MessageEvent, reason: str) -> None:
    row = context.message
    row.reason = reason[:REASON_CHARACTERS_MAX]
    row.changed_at = context.now
    change(context.uow, row, MESSAGES, event, reason=row.reason, now=context.now)
    context.uow.session.flush()
