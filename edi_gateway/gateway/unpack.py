"""From kept bytes to records (T2): one transmission, all its interchanges, one commit.

    payload -> judged (outside of any transaction) -> for each interchange
        repeated?     the stored CONTRL goes again, nothing is processed twice
        conflicting?  CONTRL 26 and an alert, nothing is processed
        rejected?     findings, CONTRL 4, nothing is processed
        else          each message: rejected | record -> handler -> applied, exception, waiting, repeated
    the CONTRL is queued in the same transaction

Bad EDI is a committed result. What is not EDIFACT at all is parked where an operator sees it, with the finding. Run
again, whether a crash came before the commit or a wake-up came twice, it does nothing that was done.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Any

import structlog
from sqlalchemy import func, select
from sqlalchemy.exc import IntegrityError, OperationalError

from edi_gateway.as2.exchange import is_exchange
from edi_gateway.edifact import contrl
from edi_gateway.edifact.findings import Finding
from edi_gateway.edifact.verdict import InterchangeHeader, InterchangeVerdict
from edi_gateway.gateway import certificate_exchange
from edi_gateway.gateway.app import Gateway
from edi_gateway.gateway.compose import ComposeRefused, queue_answer
from edi_gateway.gateway.dispatch import enqueue
from edi_gateway.gateway.fingerprints import of_interchange
from edi_gateway.gateway.states import INBOUND, InboundEvent, change
from edi_gateway.gateway.take_in import Intake, take_in
from edi_gateway.messages.judge import judge
from edi_gateway.messages.policy import JudgingPolicy
from edi_gateway.messages.rules import INTERCHANGE_REPEATED
from edi_gateway.partnership import Direction, Partnership
from edi_gateway.store.database import UnitOfWork
from edi_gateway.store.documents import (
    Interchange,
    InterchangeState,
    add_findings,
    answer_of,
    processed_interchange,
)
from edi_gateway.store.payloads import PayloadMissing, Stored
from edi_gateway.store.transmissions import Transmission, TransmissionState, locked

REASON_CHARACTERS_MAX = 500

_log = structlog.get_logger(__name__)


@dataclass(frozen=True, slots=True)
class _Unpacking:
    """What every step of one transmission needs."""

    uow: UnitOfWork
    gateway: Gateway
    partnership: Partnership
    transmission: Transmission
    now: datetime


def unpack(gateway: Gateway, transmission_id: str) -> None:
    """Process what a received transmission carries. Does nothing for one that does not wait for it.

    Raises only where the storage does not work (OSError, OperationalError): then it is tried again later.
    """
    try:
        _unpack(gateway, transmission_id)
    except IntegrityError:
        # Another worker wrote what we were about to write, such as the same control reference: it is seen now.
        _unpack_or_park(gateway, transmission_id)
    except (OSError, OperationalError):
        raise
    except Exception as fault:  # noqa: BLE001 - the boundary: what trips us is kept and seen, not tried for ever
        _park_fault(gateway, transmission_id, fault)


def _unpack_or_park(gateway: Gateway, transmission_id: str) -> None:
    try:
        _unpack(gateway, transmission_id)
    except IntegrityError as fault:
        _park_fault(gateway, transmission_id, fault)


def _park_fault(gateway: Gateway, transmission_id: str, fault: Exception) -> None:
    _log.error("unpack failed", transmission=transmission_id, exc_info=fault)
    _park(gateway, transmission_id, f"a fault of the gateway ({type(fault).__name__}); its log says more")


def _unpack(gateway: Gateway, transmission_id: str) -> None:
    with gateway.database.read() as reading:
        row = reading.session.get(Transmission, transmission_id)
        if row is None or row.state is not TransmissionState.RECEIVED:
            return
        partnership_name, payload, content_type = row.partnership, row.payload_sha256, row.content_type
    partnership = gateway.partnerships.by_name(partnership_name or "")
    if partnership is None or payload is None:
        _park(gateway, transmission_id, f"the partnership {partnership_name!r} is not active any more")
        return
    if is_exchange(content_type or ""):
        certificate_exchange.take_in(gateway, row, partnership)
        return
    try:
        verdicts = list(judge(gateway.payloads.chunks(payload), JudgingPolicy.of(partnership)))
    except PayloadMissing as missing:
        _park(gateway, transmission_id, str(missing))
        return
    with gateway.database.write() as uow:
        transmission = locked(uow.session, transmission_id)
        if transmission is None or transmission.state is not TransmissionState.RECEIVED:
            return  # another worker was faster
        _book(_Unpacking(uow, gateway, partnership, transmission, gateway.now()), verdicts)
        uow.commit()


def _park(gateway: Gateway, transmission_id: str, reason: str) -> None:
    with gateway.database.write() as uow:
        row = locked(uow.session, transmission_id)
        if row is not None and row.state is TransmissionState.RECEIVED:
            _change_transmission(uow, row, InboundEvent.PARK, reason, gateway.now())
            uow.commit()


def _change_transmission(uow: UnitOfWork, row: Transmission, event: InboundEvent, reason: str, now: datetime) -> None:
    row.reason = reason[:REASON_CHARACTERS_MAX] if event is InboundEvent.PARK else ""
    row.changed_at = now
    change(uow, row, INBOUND, event, reason=reason, now=now)


def _book(work: _Unpacking, verdicts: Sequence[InterchangeVerdict]) -> None:
    """Everything that T2 commits for one transmission."""
    first = 1 + (
        work.uow.session.scalar(
            select(func.count()).select_from(Interchange).where(Interchange.transmission_id == work.transmission.id)
        )
        or 0
    )
    for ordinal, verdict in enumerate(verdicts, first):
        _interchange(work, verdict, ordinal)
    types = {message.header.type: None for verdict in verdicts for message in verdict.messages}
    work.transmission.document_types = " ".join(types)
    if any(verdict.header is not None for verdict in verdicts):
        reason = f"{len(verdicts)} interchanges, {sum(len(verdict.messages) for verdict in verdicts)} messages"
        _change_transmission(work.uow, work.transmission, InboundEvent.UNPACK, reason, work.now)
        return
    findings = [finding.text() for verdict in verdicts for finding in verdict.findings]
    reason = "; ".join(findings) or "the payload holds no interchange"
    _change_transmission(work.uow, work.transmission, InboundEvent.PARK, reason, work.now)


def _interchange(work: _Unpacking, verdict: InterchangeVerdict, ordinal: int) -> None:
    if verdict.header is None:
        row = _add_interchange(work, verdict, ordinal, InterchangeState.UNREADABLE)
        add_findings(work.uow.session, verdict.findings, row.id)
        return
    earlier = processed_interchange(work.uow.session, work.partnership.name, verdict.header.control_reference)
    if earlier is not None:
        _seen_before(work, verdict, ordinal, earlier)
        return
    state = InterchangeState.REJECTED if verdict.rejected else InterchangeState.PROCESSED
    row = _add_interchange(work, verdict, ordinal, state)
    add_findings(work.uow.session, [*verdict.findings, *_of_groups(verdict)], row.id)
    _answer(work, row, verdict)  # first in the queue: a handler may answer too, and CONTRL comes before ORDRSP
    refused_groups = [group.header for group in verdict.groups if group.rejected]
    for number, message in enumerate(verdict.messages, 1):
        rejected = verdict.rejected or message.message.group in refused_groups
        take_in(_intake(work), row, message, number, rejected=rejected)


def _of_groups(verdict: InterchangeVerdict) -> list[Finding]:
    return [finding for group in verdict.groups for finding in group.findings]


def _intake(work: _Unpacking) -> Intake:
    return Intake(work.uow, work.gateway, work.partnership, work.now)


def _add_interchange(
    work: _Unpacking,
    verdict: InterchangeVerdict,
    ordinal: int,
    state: InterchangeState,
    repeats: Interchange | None = None,
) -> Interchange:
    header = verdict.header
    row = Interchange(
        id=work.gateway.new_id(),
        direction=Direction.IN,
        state=state,
        partnership=work.partnership.name,
        transmission_id=work.transmission.id,
        ordinal=ordinal,
        payload_sha256=work.transmission.payload_sha256,
        content_sha256=of_interchange(verdict),
        at=work.now,
        repeats_id=repeats.id if repeats is not None else None,
        **(_envelope(header) if header is not None else {}),
    )
    work.uow.session.add(row)
    work.uow.session.flush()
    work.uow.record_event(
        "interchange.state",
        row.subject,
        None,
        state,
        "; ".join(finding.text() for finding in verdict.findings if finding.is_error),
        {"control_reference": row.control_reference, "transmission": work.transmission.id},
        work.now,
    )
    return row


def _envelope(header: InterchangeHeader) -> dict[str, Any]:
    # Longer values are findings of the envelope; what is kept here is for lists and look-ups.
    return {
        "sender": f"{header.sender.identifier}:{header.sender.qualifier}"[:80],
        "recipient": f"{header.recipient.identifier}:{header.recipient.qualifier}"[:80],
        "control_reference": header.control_reference[:40],
        "syntax": f"{header.syntax_identifier}:{header.syntax_version}"[:20],
        "test": header.is_test,
    }


# The same control reference again.


def _mark_repeated(work: _Unpacking, earlier: Interchange) -> None:
    """Some products retry under a new Message-ID. The transmission then says which one it repeats."""
    row, first = work.transmission, earlier.transmission_id
    if first is None or first == row.id:
        return
    row.repeats_id = first
    reason = f"the interchange {earlier.control_reference} came before, in transmission {first}; nothing is done twice"
    work.uow.record_event("transmission.repeated", row.subject, None, None, reason, {"first": first}, work.now)


def _seen_before(work: _Unpacking, verdict: InterchangeVerdict, ordinal: int, earlier: Interchange) -> None:
    """Same content: answer again with the stored CONTRL. Other content: CONTRL 26, and an operator hears of it."""
    if of_interchange(verdict) == earlier.content_sha256:
        _add_interchange(work, verdict, ordinal, InterchangeState.REPEATED, earlier)
        _mark_repeated(work, earlier)
        answer = answer_of(work.uow.session, earlier.id)
        if answer is not None:
            _send_again(work, answer)
        return
    finding = Finding(INTERCHANGE_REPEATED, segment="UNB", element=6, value=earlier.control_reference)
    conflict = replace(verdict, findings=[*verdict.findings, finding])
    row = _add_interchange(work, conflict, ordinal, InterchangeState.CONFLICTING, earlier)
    add_findings(work.uow.session, conflict.findings, row.id)
    for number, message in enumerate(conflict.messages, 1):
        take_in(_intake(work), row, message, number, rejected=True)
    work.uow.record_event("alert.duplicate", row.subject, None, None, finding.text(), {"earlier": earlier.id}, work.now)
    _answer(work, row, conflict)


def _send_again(work: _Unpacking, answer: Interchange) -> None:
    sent = work.uow.session.get_one(Transmission, answer.transmission_id)
    enqueue(
        work.uow,
        work.gateway,
        work.partnership,
        Stored(answer.payload_sha256, sent.payload_size or 0),
        sent.content_type or work.partnership.as2.content_type,
        sent.filename or "",
        document_types=sent.document_types,
    )


def _answer(work: _Unpacking, row: Interchange, verdict: InterchangeVerdict) -> None:
    """Queue the CONTRL, where it is asked for or agreed. A CONTRL is never answered by one."""
    if not contrl.needs_answer(verdict, agreed=work.partnership.edifact.answer_contrl):
        return
    try:
        queue_answer(work.uow, work.gateway, work.partnership, verdict, row)
    except ComposeRefused as refusal:
        # UCI repeats the partner's own values, which may hold what cannot be written; the rest still stands.
        work.uow.record_event("alert.unanswered", row.subject, None, None, refusal.why, {}, work.now)
