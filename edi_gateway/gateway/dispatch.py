"""Sending: one attempt at a time, the same bytes each time.

    enqueue          T3: a transmission `queued` under its Message-ID, in the caller's transaction
    dispatch         T4a {queued -> sending, attempt n, lease} COMMIT
                     sealed once: bytes, headers (Date, Message-ID) and digest table kept, COMMIT
                     POST, with no transaction open
                     T4b {what came of it} COMMIT

After a timeout the outcome is unknown, not failed: the sealed bytes go again under their Message-ID, after a growing
pause, until attempts or time are used up; then the transmission is parked where an operator sees it. A process that
dies between T4a and T4b leaves `sending` with a lease; `gateway.sweep` puts it back.
"""

from __future__ import annotations

import io
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta
from email.utils import parsedate_to_datetime

from sqlalchemy import ColumnElement
from sqlalchemy.orm import Session

from edi_gateway.as2.errors import RelationshipFault
from edi_gateway.as2.fields import FieldMalformed
from edi_gateway.as2.mic import digests_to_text
from edi_gateway.as2.outbound import Sealed, SignedPart, seal
from edi_gateway.as2.relationship import Relationship
from edi_gateway.gateway.app import Gateway
from edi_gateway.gateway.connections import ConnectionFault
from edi_gateway.gateway.settle import Judged, NoReceipt, apply, judge_answer, keep_unreadable
from edi_gateway.gateway.states import OUTBOUND, OutboundEvent, change
from edi_gateway.partnership import As2Policy, MdnMode, Partnership
from edi_gateway.store.database import UnitOfWork
from edi_gateway.store.payloads import PayloadMissing, Stored, keep
from edi_gateway.store.transmissions import (
    ACKNOWLEDGEMENTS,
    IN_TURN,
    Receipt,
    ReceiptMode,
    Seal,
    Transmission,
    TransmissionDirection,
    TransmissionKind,
    TransmissionState,
    acknowledgements_first,
    encryption_text,
    locked,
    signature_text,
    under_way,
    waiting,
)
from edi_gateway.transport.http import UPLOAD_BYTES_PER_SECOND_MIN, Answer, Outgoing, TransportError

DOUBLINGS_MAX = 30
JITTER = 0.25  # a pause is up to this fraction shorter or longer
REASON_CHARACTERS_MAX = 1000
_RECEIPT_MODES = {MdnMode.SYNC: ReceiptMode.SYNC, MdnMode.ASYNC: ReceiptMode.ASYNC, MdnMode.NONE: ReceiptMode.NONE}
# Statuses of 400 to 499 that say "later": request timeout, too early, too many requests (rfc4130bis §5.4).
_LATER = frozenset({408, 425, 429})


def enqueue(
    uow: UnitOfWork,
    gateway: Gateway,
    partnership: Partnership,
    payload: Stored,
    content_type: str,
    filename: str,
    *,
    document_types: str = "",
    repeats_id: str | None = None,
) -> Transmission:
    """Queue `payload` (already in the payload store) for the partner, in the caller's unit of work (T3).

    The Message-ID is fixed here. `document_types` is what a list shows: "ORDERS", "CONTRL". The wake-up goes out with
    the caller's commit.
    """
    now = gateway.now()
    keep(uow, payload, now)
    row = _queued(gateway, partnership, TransmissionKind.MESSAGE, now)
    row.message_id = gateway.message_id()
    row.as2_from, row.as2_to = partnership.as2.our_id, partnership.as2.their_id
    row.url, row.headers = partnership.as2.url, []
    row.receipt_mode = _RECEIPT_MODES[partnership.as2.mdn_mode]
    row.payload_sha256, row.payload_size = payload.sha256, payload.size
    row.content_type, row.filename = content_type, filename
    row.document_types, row.repeats_id = document_types, repeats_id
    details = {"message_id": row.message_id, "payload": payload.sha256, "size": payload.size}
    _begin(uow, row, f"{document_types or content_type} for {partnership.name}", details, now)
    return row


def enqueue_receipt(
    uow: UnitOfWork, gateway: Gateway, partnership: Partnership, answered: Transmission, receipt: Receipt, url: str
) -> Transmission:
    """Queue the stored MDN of `answered` as a POST of its own to `url`, which was checked against the partnership."""
    now = gateway.now()
    body = gateway.payloads.put(io.BytesIO(receipt.body))
    keep(uow, body, now)
    row = _queued(gateway, partnership, TransmissionKind.RECEIPT, now)
    row.message_id, row.as2_from, row.as2_to = receipt.message_id, answered.as2_to, answered.as2_from
    row.url, row.headers, row.receipt_mode = url, receipt.headers, ReceiptMode.NONE
    row.raw_sha256, row.raw_size = body.sha256, body.size
    row.document_types, row.disposition, row.answers_id = "MDN", receipt.disposition, answered.id
    _begin(uow, row, f"asynchronous receipt for {answered.message_id}", {"raw": body.sha256}, now)
    return row


def _queued(gateway: Gateway, partnership: Partnership, kind: TransmissionKind, now: datetime) -> Transmission:
    return Transmission(
        id=gateway.new_id(),
        direction=TransmissionDirection.OUT,
        kind=kind,
        state=TransmissionState.QUEUED,
        partnership=partnership.name,
        created_at=now,
        changed_at=now,
        due_at=now,
        deadline_at=now + partnership.as2.deadline,
    )


def _begin(uow: UnitOfWork, row: Transmission, reason: str, details: Mapping[str, object], now: datetime) -> None:
    uow.session.add(row)
    uow.record_event("transmission.state", row.subject, None, row.state, reason, details, now)
    uow.wake("dispatch", row.partnership or "")


# --- one attempt ----------------------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class Outcome:
    """What an attempt came to. `answered` is what stood in the answer: an MDN, which may decide, or what is none."""

    event: OutboundEvent
    reason: str
    retry_after: timedelta | None = None
    answered: Judged | NoReceipt | None = None
    details: Mapping[str, object] = field(default_factory=dict)  # for the event

    @property
    def is_decided(self) -> bool:
        return isinstance(self.answered, Judged) and self.answered.counts


def dispatch(gateway: Gateway, key: str) -> bool:
    """Send what is due first for a partner; say whether there was anything. Wakes itself for the next one.

    `key` is the name of the partnership, or, for the second and every further attempt at the same time, the name, a
    slash and its number. How many there may be is counted in the table, over all machines.
    """
    name, _, number = key.partition("/")
    partnership = gateway.partnerships.by_name(name)
    if partnership is None:
        return False  # suspended: it waits, and the sweep parks it after its deadline
    row = _take(gateway, partnership, int(number or 1))
    if row is None:
        _wait_for_next(gateway, name)
        return False
    try:
        outcome = _attempt(gateway, row, partnership)
    except (RelationshipFault, ConnectionFault, FieldMalformed, PayloadMissing) as fault:
        outcome = Outcome(OutboundEvent.PARK, str(fault))
    _conclude(gateway, row, partnership, outcome, key)
    return True


def _take(gateway: Gateway, partnership: Partnership, number: int) -> Transmission | None:
    """T4a: the transmission that is due first becomes `sending`; nobody else takes it until its lease is over.

    It need not be on the disk: a first attempt is sealed before it leaves, and that commit makes both last. Of a later
    one a loss of power may take away the count, and the same bytes go once more.
    """
    now, spare = gateway.now(), timedelta(seconds=gateway.config.work.lease_seconds)
    with gateway.database.write("dispatch.take", is_lasting=False) as uow:
        uow.hold(f"dispatch:{partnership.name}")
        ordered, limit = partnership.as2.ordered, partnership.as2.connections_max
        if under_way(uow.session, partnership.name, None if ordered else now) >= (1 if ordered else limit):
            return None
        found = _next_in_order(uow.session, partnership.name, now) if ordered else _next(uow, partnership.name, now)
        if not found:
            return None
        row = found[0]
        change(uow, row, OUTBOUND, OutboundEvent.TAKE, reason=f"attempt {row.attempts + 1}", now=now)
        row.attempts += 1
        row.changed_at, row.due_at = now, None
        row.lease_until = now + _lease(row, partnership, spare)
        if len(found) > 1 and number < limit:
            uow.wake("dispatch", f"{partnership.name}/{number + 1}")
        uow.commit()
    return row


def _next(uow: UnitOfWork, name: str, now: datetime) -> Sequence[Transmission]:
    """What is due first, and one more if there is: acknowledgements before everything else."""
    due = waiting(TransmissionState.QUEUED, name).where(Transmission.due_at <= now, _in_time(now))
    by_urgency = due.order_by(None).order_by(acknowledgements_first(), *IN_TURN)
    return list(uow.session.scalars(by_urgency.limit(2).with_for_update(skip_locked=True)))


def _next_in_order(session: Session, name: str, now: datetime) -> Sequence[Transmission]:
    """An acknowledgement that is due; else the oldest document, if it is due: those behind it wait for it."""
    queued = waiting(TransmissionState.QUEUED, name).where(_in_time(now)).limit(1).with_for_update()
    urgent = Transmission.document_types.in_(ACKNOWLEDGEMENTS)
    found = session.scalars(queued.where(urgent, Transmission.due_at <= now)).all()
    if found:
        return found
    oldest = queued.where(~urgent).order_by(None).order_by(Transmission.created_at, Transmission.id)
    return [row for row in session.scalars(oldest) if row.due_at is not None and row.due_at <= now]


def _in_time(now: datetime) -> ColumnElement[bool]:
    return Transmission.deadline_at.is_(None) | (Transmission.deadline_at >= now)


def _wait_for_next(gateway: Gateway, name: str) -> None:
    """A wake-up for the attempt that is due next: a runner keeps only the earliest of those that it was told."""
    with gateway.database.read() as view:
        row = view.session.scalar(waiting(TransmissionState.QUEUED, name).limit(1))
    if row is not None and row.due_at is not None and row.due_at > gateway.now():
        gateway.database.wake("dispatch", name, row.due_at)


def _lease(row: Transmission, partnership: Partnership, spare: timedelta) -> timedelta:
    """Longer than any attempt can take: connect, upload at the least rate, answer, and (`spare`) both ends of it."""
    size = max(row.payload_size or 0, row.raw_size or 0)
    upload = timedelta(seconds=2 * size / UPLOAD_BYTES_PER_SECOND_MIN)
    return 3 * partnership.as2.timeout + upload + spare


def _attempt(gateway: Gateway, row: Transmission, partnership: Partnership) -> Outcome:
    """Seal if this is the first attempt, POST, and say what came of it. No transaction is open meanwhile."""
    relationship = gateway.partnerships.relationship(partnership)
    url = _url(row, partnership, relationship)
    route = gateway.connections.route(partnership, gateway.now())
    if row.raw_sha256 is None:
        row = _seal(gateway, row, partnership, relationship)
    with gateway.payloads.open(row.raw_sha256 or "") as body:
        request = Outgoing(
            url=url,
            headers=tuple((name, value) for name, value in row.headers),
            body=body,
            length=row.raw_size or 0,
            timeout_seconds=partnership.as2.timeout.total_seconds(),
            trusted=True,  # `_url` gives only what an operator configured
            route=route,
        )
        try:
            answer = gateway.send(request)
        except TransportError as error:
            known = "it may have arrived" if error.sent else "it did not leave"
            details = {"transport": str(error)[:REASON_CHARACTERS_MAX], "sent": error.sent}
            return Outcome(OutboundEvent.RETRY, f"{error} ({known})"[:REASON_CHARACTERS_MAX], details=details)
    return _outcome(gateway, row, relationship, answer)


def _url(row: Transmission, partnership: Partnership, relationship: Relationship) -> str:
    """Where it goes today: the partnership's message URL, or the agreed place for an asynchronous MDN."""
    if row.kind is TransmissionKind.MESSAGE:
        return partnership.as2.url
    if row.url is None or not relationship.allows_delivery_to(row.url):
        raise RelationshipFault(f"asynchronous receipts are no longer delivered to {row.url}: not what was agreed")
    return row.url


def _seal(gateway: Gateway, row: Transmission, partnership: Partnership, relationship: Relationship) -> Transmission:
    """Sign and encrypt, once. What is sent is what was committed here, also after a crash."""
    now = gateway.now()
    with gateway.payloads.open(row.payload_sha256 or "") as payload:
        sealed = seal(
            payload,
            relationship,
            message_id=row.message_id or "",
            now=now,
            filename=row.filename or "",
            spool=gateway.payloads.spool,
            async_mdn_url=gateway.mdn_url if partnership.as2.mdn_mode is MdnMode.ASYNC else None,
            content_type=row.content_type or "",
        )
    with sealed.body:
        raw = gateway.payloads.put(sealed.body)
    signed_body = _kept(gateway, sealed.signed)
    with gateway.database.write("dispatch.seal") as uow:
        kept = locked(uow.session, row.id) or row
        if kept.raw_sha256 is None:
            keep(uow, raw, now)
            _fill(kept, sealed, raw, partnership)
            _keep_signature(uow, kept, sealed.signed, signed_body)
            details = {"raw": raw.sha256, "size": raw.size, "mic": sealed.mic.render()}
            uow.record_event("transmission.sealed", kept.subject, None, None, "signed and encrypted", details, now)
            uow.commit()
    return kept


def _kept(gateway: Gateway, signed: SignedPart | None) -> Stored | None:
    """The signed body, where the payload does not give it back."""
    if signed is None or signed.body is None:
        return None
    with signed.body:
        return gateway.payloads.put(signed.body)


def _keep_signature(uow: UnitOfWork, row: Transmission, signed: SignedPart | None, body: Stored | None) -> None:
    """What `gateway.evidence` needs, because nobody but the partner can open what is sent."""
    if signed is None:
        return
    if body is not None:
        keep(uow, body, row.changed_at)
    values = {"transmission_id": row.id, "head": signed.head, "signature": signed.signature}
    uow.insert_once(Seal, values | {"body_sha256": body.sha256 if body else None})


def _fill(row: Transmission, sealed: Sealed, raw: Stored, partnership: Partnership) -> None:
    row.raw_sha256, row.raw_size = raw.sha256, raw.size
    row.headers = [list(header) for header in sealed.headers]
    row.digests = digests_to_text(sealed.digests)
    row.mic = sealed.mic.render()
    row.signed_with = signature_text(sealed.signed_with)
    row.encrypted_with = encryption_text(sealed.encrypted_with)
    row.compression = sealed.compressed
    row.receipt_mode = _RECEIPT_MODES[partnership.as2.mdn_mode]
    row.receipt_signed, row.receipt_mic = sealed.sent.receipt_signed, sealed.sent.mic_required


# --- what came of it ------------------------------------------------------------------------------------------------

# After a 2xx without an MDN that counts. Where one was due in the answer the outcome is unknown: the same bytes again
# are answered with the stored MDN.
_DELIVERED: Mapping[ReceiptMode, tuple[OutboundEvent, str]] = {
    ReceiptMode.SYNC: (OutboundEvent.RETRY, "HTTP {status} without an MDN that counts: {receipt}"),
    ReceiptMode.ASYNC: (OutboundEvent.AWAIT, "HTTP {status}; the MDN comes later"),
    ReceiptMode.NONE: (OutboundEvent.DELIVER, "HTTP {status}; no receipt was asked for"),
}


def _outcome(gateway: Gateway, row: Transmission, relationship: Relationship, answer: Answer) -> Outcome:
    """A verified MDN decides, under whatever status it comes; otherwise the status does."""
    if row.kind is TransmissionKind.RECEIPT or not answer.body:
        return _by_status(row, answer, "the answer is empty")
    answered = judge_answer(row, relationship, answer, gateway)
    if isinstance(answered, Judged) and answered.counts:
        event = OutboundEvent.ACKNOWLEDGE if answered.is_positive else OutboundEvent.REFUSE
        return Outcome(event, answered.reason, answered=answered)
    return replace(_by_status(row, answer, answered.reason), answered=answered)


def _by_status(row: Transmission, answer: Answer, receipt: str) -> Outcome:
    status = answer.status
    details = {"http_status": status}
    if 200 <= status < 300:
        event, reason = _DELIVERED[row.receipt_mode]
        reason = reason.format(status=status, receipt=receipt)[:REASON_CHARACTERS_MAX]
        return Outcome(event, reason, details=details)
    if status < 200 or status >= 500 or status in _LATER:
        reason = f"HTTP {status}: the partner cannot take it now"
        return Outcome(OutboundEvent.RETRY, reason, _retry_after(answer), details=details)
    if status < 400:
        reason = f"HTTP {status}: redirects are not followed; correct the partnership's url"
        return Outcome(OutboundEvent.PARK, reason, details=details)
    reason = f"HTTP {status}: the partner does not take it; ask him, then resend"
    return Outcome(OutboundEvent.PARK, reason, details=details)


def _retry_after(answer: Answer) -> timedelta | None:
    """What Retry-After says (RFC 9110 §10.2.3): seconds, or a date, which counts from the answer's own Date."""
    headers = {name.lower(): value.strip() for name, value in answer.headers}
    value = headers.get("retry-after", "")
    if value.isascii() and value.isdecimal() and len(value) < 9:
        return timedelta(seconds=int(value))
    try:
        return parsedate_to_datetime(value) - parsedate_to_datetime(headers.get("date", ""))
    except (ValueError, TypeError):
        return None


def _conclude(gateway: Gateway, taken: Transmission, partnership: Partnership, outcome: Outcome, key: str) -> None:
    """T4b. A verdict counts whenever it comes; anything else only for the attempt that is under way."""
    with gateway.database.write("dispatch.conclude") as uow:
        row = locked(uow.session, taken.id) or taken
        turn = Turn(uow, row, partnership, gateway.now(), gateway.jitter())
        _keep_answer(turn, gateway, outcome.answered)
        if outcome.is_decided:
            pass  # the MDN has moved it
        elif row.state is TransmissionState.SENDING and row.attempts == taken.attempts:
            _leave(turn, outcome)
        else:
            reason = f"attempt {taken.attempts} came back late: {outcome.reason}"
            uow.record_event("transmission.overtaken", row.subject, row.state, row.state, reason, {}, turn.now)
        uow.wake("dispatch", key)
        uow.commit()


def _keep_answer(turn: Turn, gateway: Gateway, answered: Judged | NoReceipt | None) -> None:
    """The MDN acts; an answer that is none, or that decides nothing, is kept for who looks into it."""
    match answered:
        case Judged():
            apply(turn.uow, gateway, answered.about(turn.row), turn.now)
        case NoReceipt():
            keep_unreadable(turn.uow, gateway, turn.row, answered, turn.now)


@dataclass(frozen=True, slots=True)
class Turn:
    """A transmission held in a unit of work, on its way into another state."""

    uow: UnitOfWork
    row: Transmission
    partnership: Partnership | None  # None: suspended or gone
    now: datetime
    chance: float  # 0 <= chance < 1, spreads retries

    def move(
        self,
        event: OutboundEvent,
        reason: str,
        *,
        due_at: datetime | None = None,
        details: Mapping[str, object] | None = None,
    ) -> None:
        """Along the table; nobody holds it any more."""
        known = {**(details or {}), **({"due": due_at.isoformat()} if due_at else {})}
        change(self.uow, self.row, OUTBOUND, event, reason=reason, now=self.now, details=known)
        self.row.reason, self.row.changed_at = reason, self.now
        self.row.due_at, self.row.lease_until = due_at, None

    def park(self, reason: str, details: Mapping[str, object] | None = None) -> None:
        """Out of the way, where an operator sees it."""
        self.move(OutboundEvent.PARK, reason, details=details)
        self.uow.record_event("alert.transmission-parked", self.row.subject, None, None, reason, {}, self.now)

    def again(
        self,
        event: OutboundEvent,
        reason: str,
        retry_after: timedelta | None = None,
        details: Mapping[str, object] | None = None,
    ) -> None:
        """Queue it for its next attempt, or park it when attempts or time are used up."""
        row, policy = self.row, self.partnership.as2 if self.partnership else None
        next_at = self.now + (pause(policy, row.attempts, self.chance, retry_after) if policy else timedelta())
        if policy is not None and row.attempts >= policy.attempts_max:
            self.park(f"{row.attempts} attempts, the last: {reason}", details)
        elif row.deadline_at is not None and next_at > row.deadline_at:
            self.park(f"its deadline comes before the next attempt; the last of {row.attempts}: {reason}", details)
        else:
            self.move(event, reason, due_at=next_at, details=details)
            self.uow.wake("dispatch", row.partnership or "", next_at)


def _leave(turn: Turn, outcome: Outcome) -> None:
    match outcome.event:
        case OutboundEvent.RETRY:
            turn.again(outcome.event, outcome.reason, outcome.retry_after, outcome.details)
        case OutboundEvent.PARK:
            turn.park(outcome.reason, outcome.details)
        case OutboundEvent.AWAIT if turn.partnership is not None:
            due_at = turn.now + turn.partnership.as2.mdn_wait
            turn.move(outcome.event, outcome.reason, due_at=due_at, details=outcome.details)
        case _:
            turn.move(outcome.event, outcome.reason, details=outcome.details)
            turn.row.settled_at = turn.now


def pause(policy: As2Policy, attempts: int, chance: float, retry_after: timedelta | None = None) -> timedelta:
    """How long to wait after attempt number `attempts`: `retry_first`, doubled with each attempt up to
    `retry_longest`, spread by the jitter; at least what the partner asked for, within `retry_longest`."""
    doubled = policy.retry_first * (1 << min(max(attempts - 1, 0), DOUBLINGS_MAX))
    spread = min(doubled, policy.retry_longest) * (1 - JITTER + 2 * JITTER * chance)
    return max(spread, min(retry_after, policy.retry_longest)) if retry_after else spread


# --- once more ------------------------------------------------------------------------------------------------------


class CannotResend(Exception):
    """The transmission cannot be sent again; the text says why and what to do."""


_ON_ITS_WAY = (TransmissionState.QUEUED, TransmissionState.SENDING, TransmissionState.AWAITING_MDN)


def resend(gateway: Gateway, transmission_id: str) -> Transmission:
    """Send it once more; gives the transmission that goes out.

    A parked one goes with the same bytes under its Message-ID, because nobody knows whether the partner has it. One
    that was decided goes as a new transmission under a new Message-ID. Raises CannotResend.
    """
    with gateway.database.write() as uow:
        row = locked(uow.session, transmission_id)
        if row is None or row.direction is not TransmissionDirection.OUT:
            raise CannotResend(f"no outbound transmission {transmission_id!r}; see `transmissions list`")
        partnership = gateway.partnerships.by_name(row.partnership or "")
        if partnership is None:
            raise CannotResend(f"the partnership {row.partnership} is suspended or gone; apply it first")
        if row.state in _ON_ITS_WAY:
            raise CannotResend(f"it is on its way already: {row.state}")
        if row.state is TransmissionState.PARKED or row.kind is TransmissionKind.RECEIPT:
            restart(uow, row, partnership, "an operator sends it again", gateway.now())
        else:
            row = _anew(uow, gateway, row, partnership)
        uow.commit()
    return row


def restart(uow: UnitOfWork, row: Transmission, partnership: Partnership, reason: str, now: datetime) -> None:
    """The same bytes under the same Message-ID, with attempts and deadline counted anew."""
    change(uow, row, OUTBOUND, OutboundEvent.RESEND, reason=reason, now=now)
    row.reason, row.changed_at, row.due_at, row.attempts = reason, now, now, 0
    row.deadline_at, row.settled_at = now + partnership.as2.deadline, None
    uow.wake("dispatch", partnership.name)


def _anew(uow: UnitOfWork, gateway: Gateway, row: Transmission, partnership: Partnership) -> Transmission:
    payload = Stored(row.payload_sha256 or "", row.payload_size or 0)
    return enqueue(
        uow,
        gateway,
        partnership,
        payload,
        row.content_type or "",
        row.filename or "",
        document_types=row.document_types,
        repeats_id=row.id,
    )
