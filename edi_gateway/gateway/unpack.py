"""From kept bytes to records (T2): one transmission, all its interchanges.

    payload -> surveyed (outside of any transaction): the verdict of each interchange is known before anything happens
        repeated?     the stored CONTRL goes again, nothing is processed twice
        conflicting?  CONTRL 26 and an alert, nothing is processed
        rejected?     findings, CONTRL 4, nothing is processed
        else          each message: rejected | record -> handler -> applied, exception, waiting, repeated
    the CONTRL is queued in the transaction that books its interchange

Usually that is one transaction. Messages beyond MESSAGES_MAX go into further ones, so that a large payload holds
neither the memory nor the database; one that was interrupted goes on where it stood, by what the tables say.

Bad EDI is a committed result. What is not EDIFACT at all is parked where an operator sees it, with the finding. Run
again, whether a crash came before the commit or a wake-up came twice, it does nothing that was done.
"""

from __future__ import annotations

from collections.abc import Iterator
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
from edi_gateway.gateway.states import INBOUND, InboundEvent, change
from edi_gateway.gateway.survey import KEPT_BYTES_MAX, Place, Survey, Surveyed, read_again, survey
from edi_gateway.gateway.take_in import Intake, take_in
from edi_gateway.messages.policy import JudgingPolicy
from edi_gateway.messages.rules import INTERCHANGE_REPEATED
from edi_gateway.partnership import Direction, Partnership
from edi_gateway.store.database import UnitOfWork
from edi_gateway.store.documents import (
    Interchange,
    InterchangeState,
    Message,
    add_findings,
    answer_of,
    processed_interchange,
)
from edi_gateway.store.payloads import PayloadMissing, Stored
from edi_gateway.store.transmissions import Transmission, TransmissionState, locked, received_before

REASON_CHARACTERS_MAX = 500
BEFORE_MAX = 10_000
"""Transmissions of an ordered partnership that are unpacked before the one that was asked for."""

MESSAGES_MAX = 200
SEGMENTS_MAX = 50_000
"""Messages, and about how many segments, that are taken in within one transaction."""

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

    Where the partnership is ordered, what came before it goes first. Raises only where the storage does not work
    (OSError, OperationalError): then it is tried again later.
    """
    for earlier in _before(gateway, transmission_id):
        _unpack_guarded(gateway, earlier)
    _unpack_guarded(gateway, transmission_id)


def _before(gateway: Gateway, transmission_id: str) -> list[str]:
    """What the partner wants to have taken effect before this one."""
    with gateway.database.read() as reading:
        row = reading.session.get(Transmission, transmission_id)
        if row is None or row.state is not TransmissionState.RECEIVED:
            return []
        partnership = gateway.partnerships.by_name(row.partnership or "")
        if partnership is None or not partnership.as2.ordered:
            return []
        return received_before(reading.session, row, BEFORE_MAX)


def _unpack_guarded(gateway: Gateway, transmission_id: str) -> None:
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
    keep = row.payload_size is not None and row.payload_size <= KEPT_BYTES_MAX
    try:
        _take_all(gateway, transmission_id, partnership, payload, keep=keep)
    except PayloadMissing as missing:
        _park(gateway, transmission_id, str(missing))


def _take_all(gateway: Gateway, transmission_id: str, partnership: Partnership, payload: str, *, keep: bool) -> None:
    """The payload surveyed, then taken in, one transaction after the other."""
    policy = JudgingPolicy.of(partnership)
    seen = survey(gateway.payloads.chunks(payload), policy, keep=keep)
    places = seen.kept() if keep else read_again(gateway.payloads.chunks(payload), policy)
    for batch, is_last in _batches(places):
        if not _take(gateway, transmission_id, partnership, seen, batch, is_last=is_last):
            return


def _batches(places: Iterator[Place]) -> Iterator[tuple[list[Place], bool]]:
    """The messages of one transaction each, and whether they are the last; one batch at least, be it empty."""
    batch: list[Place] = []
    segments = 0
    for place in places:
        if len(batch) >= MESSAGES_MAX or segments >= SEGMENTS_MAX:
            yield batch, False
            batch, segments = [], 0
        batch.append(place)
        segments += len(place.verdict.message.segments)
    yield batch, True


def _take(
    gateway: Gateway, transmission_id: str, partnership: Partnership, seen: Survey, batch: list[Place], *, is_last: bool
) -> bool:
    """One transaction (T2): these messages, and the interchanges that begin with them. Says whether to go on."""
    with gateway.database.write("unpack.take") as uow:
        uow.hold_business(partnership.name)
        transmission = locked(uow.session, transmission_id)
        if transmission is None or transmission.state is not TransmissionState.RECEIVED:
            return False  # another worker was faster
        work = _Unpacking(uow, gateway, partnership, transmission, gateway.now())
        course = _Course(work, seen)
        for place in batch:
            course.take(place)
        course.end() if is_last else course.pause()
        uow.commit()
    return True


def _park(gateway: Gateway, transmission_id: str, reason: str) -> None:
    with gateway.database.write("unpack.park") as uow:
        row = locked(uow.session, transmission_id)
        if row is not None and row.state is TransmissionState.RECEIVED:
            _change_transmission(uow, row, InboundEvent.PARK, reason, gateway.now())
            uow.commit()


def _change_transmission(uow: UnitOfWork, row: Transmission, event: InboundEvent, reason: str, now: datetime) -> None:
    row.reason = reason[:REASON_CHARACTERS_MAX] if event is InboundEvent.PARK else ""
    row.changed_at = now
    change(uow, row, INBOUND, event, reason=reason, now=now)


class _Course:
    """How far the payload has been taken in, by what the tables say, and the way on."""

    def __init__(self, work: _Unpacking, seen: Survey) -> None:
        self._work = work
        self._seen = seen
        session = work.uow.session
        last = session.scalar(
            select(Interchange)
            .where(Interchange.transmission_id == work.transmission.id)
            .order_by(Interchange.ordinal.desc())
            .limit(1)
        )
        self._ordinal = last.ordinal if last is not None else 0  # a replayed payload goes on counting
        self._row: Interchange | None = None
        self._index = -1  # of the interchange in hand, in the payload
        self._done = 0  # of its messages
        if last is not None and not last.complete:
            self._row, self._index = last, (last.ordinal - 1) % len(seen.interchanges)
            ordinals = select(func.max(Message.ordinal)).where(Message.interchange_id == last.id)
            self._done = session.scalar(ordinals) or 0

    def take(self, place: Place) -> None:
        """One message, after everything that stands before it. One that was taken in before is passed over."""
        self._reach(place.interchange)
        row = self._row
        if row is None or place.interchange != self._index or place.ordinal <= self._done:
            return
        if row.state not in _NOT_TAKEN:
            refused = place.verdict.message.group in self._seen.interchanges[self._index].refused_groups
            rejected = refused or row.state is not InterchangeState.PROCESSED
            take_in(_intake(self._work), row, place.verdict, place.ordinal, rejected=rejected)

    def pause(self) -> None:
        """The interchange in hand goes on in another transaction."""
        if self._row is not None:
            self._row.complete = False

    def end(self) -> None:
        """Everything has been taken in."""
        self._reach(len(self._seen.interchanges) - 1)
        self._complete()
        _conclude(self._work, self._seen)

    def _reach(self, index: int) -> None:
        while self._index < index:
            self._complete()
            self._index += 1
            self._ordinal += 1
            self._done = 0
            self._row = _interchange(self._work, self._seen.interchanges[self._index], self._ordinal)

    def _complete(self) -> None:
        if self._row is not None and not self._row.complete:
            self._row.complete = True


_NOT_TAKEN = frozenset({InterchangeState.REPEATED, InterchangeState.UNREADABLE})
"""Interchanges whose messages are not kept: they were before, or there are none."""


def _conclude(work: _Unpacking, seen: Survey) -> None:
    work.transmission.document_types = " ".join(seen.types)
    if seen.is_edifact:
        reason = f"{len(seen.interchanges)} interchanges, {seen.messages} messages"
        _change_transmission(work.uow, work.transmission, InboundEvent.UNPACK, reason, work.now)
        return
    findings = [finding.text() for each in seen.interchanges for finding in each.verdict.findings]
    reason = "; ".join(findings) or "the payload holds no interchange"
    _change_transmission(work.uow, work.transmission, InboundEvent.PARK, reason, work.now)


def _interchange(work: _Unpacking, seen: Surveyed, ordinal: int) -> Interchange:
    """Book one interchange, and answer it; its messages follow."""
    verdict = seen.verdict
    if verdict.header is None:
        row = _add_interchange(work, seen, ordinal, InterchangeState.UNREADABLE)
        add_findings(work.uow.session, verdict.findings, row.id)
        return row
    earlier = processed_interchange(work.uow.session, work.partnership.name, verdict.header.control_reference)
    if earlier is not None:
        return _seen_before(work, seen, ordinal, earlier)
    state = InterchangeState.REJECTED if verdict.rejected else InterchangeState.PROCESSED
    row = _add_interchange(work, seen, ordinal, state)
    add_findings(work.uow.session, [*verdict.findings, *_of_groups(verdict)], row.id)
    _answer(work, row, verdict)  # first in the queue: a handler may answer too, and CONTRL comes before ORDRSP
    return row


def _of_groups(verdict: InterchangeVerdict) -> list[Finding]:
    return [finding for group in verdict.groups for finding in group.findings]


def _intake(work: _Unpacking) -> Intake:
    return Intake(work.uow, work.gateway, work.partnership, work.now)


def _add_interchange(
    work: _Unpacking,
    seen: Surveyed,
    ordinal: int,
    state: InterchangeState,
    repeats: Interchange | None = None,
) -> Interchange:
    verdict = seen.verdict
    header = verdict.header
    row = Interchange(
        id=work.gateway.new_id(),
        direction=Direction.IN,
        state=state,
        partnership=work.partnership.name,
        transmission_id=work.transmission.id,
        ordinal=ordinal,
        payload_sha256=work.transmission.payload_sha256,
        content_sha256=seen.content_sha256,
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


def _seen_before(work: _Unpacking, seen: Surveyed, ordinal: int, earlier: Interchange) -> Interchange:
    """Same content: answer again with the stored CONTRL. Other content: CONTRL 26, and an operator hears of it."""
    if seen.content_sha256 == earlier.content_sha256:
        row = _add_interchange(work, seen, ordinal, InterchangeState.REPEATED, earlier)
        _mark_repeated(work, earlier)
        answer = answer_of(work.uow.session, earlier.id)
        if answer is not None:
            _send_again(work, answer)
        return row
    finding = Finding(INTERCHANGE_REPEATED, segment="UNB", element=6, value=earlier.control_reference)
    conflict = replace(seen.verdict, findings=[*seen.verdict.findings, finding])
    row = _add_interchange(work, replace(seen, verdict=conflict), ordinal, InterchangeState.CONFLICTING, earlier)
    add_findings(work.uow.session, conflict.findings, row.id)
    work.uow.record_event("alert.duplicate", row.subject, None, None, finding.text(), {"earlier": earlier.id}, work.now)
    _answer(work, row, conflict)
    return row


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
