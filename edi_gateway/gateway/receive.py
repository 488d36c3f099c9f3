"""One POST of a partner: kept durably, judged, committed, then answered (T1).

    raw body -> payload store       a large one is durable before anything else happens, a small one with T1
    as2                             headers, decrypt, verify, inflate: payload and MIC, or a refusal
    T1 { transmission, payloads, receipt, event }   COMMIT, then the receipt is answered

If T1 fails nothing was promised: the caller answers 5xx without an MDN and the partner sends again.

**Duplicates.** The unique key of `store.transmissions` decides. The same Message-ID with the same content gets the
stored receipt byte for byte and causes nothing else; "the same content" is the same raw body or, because some products
sign and encrypt anew on a retry, the same MIC. The same Message-ID with other content is refused and raises an alert.
A refused transmission does not hold its Message-ID: the partner may send it again under it, and it is judged anew
(what was wrong may have been our configuration). Each try leaves a row of its own.

**Answers.** HTTP 2xx carries every receipt, also a negative one (RFC 4130 §5). Where no receipt can be given, a refusal
is a 4xx: 400 for headers that are no AS2, 413 for the size, 403 for what would otherwise look accepted.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Any, BinaryIO

import structlog

from edi_gateway.as2.disposition import (
    PROCESSED,
    UNEXPECTED_PROCESSING_ERROR,
    UNKNOWN_TRADING_RELATIONSHIP,
    Disposition,
)
from edi_gateway.as2.errors import As2Refusal, RelationshipFault
from edi_gateway.as2.headers import Headers, Request, read_request
from edi_gateway.as2.inbound import open_transmission
from edi_gateway.as2.mdn import SealedMdn, compose
from edi_gateway.as2.mic import Mic
from edi_gateway.as2.opened import Opened, OpenedReport, Refused
from edi_gateway.as2.relationship import Relationship
from edi_gateway.gateway.app import Gateway
from edi_gateway.gateway.connections import NOBODY, Caller, ConnectionFault
from edi_gateway.gateway.dispatch import enqueue_receipt, restart
from edi_gateway.gateway.settle import ReceivedMdn, apply, complete_digests, judge_posted
from edi_gateway.partnership import Partnership
from edi_gateway.store.database import Reading, UnitOfWork
from edi_gateway.store.payloads import PayloadTooLarge, Stored, keep_all
from edi_gateway.store.transmissions import (
    Receipt,
    ReceiptMode,
    Transmission,
    TransmissionDirection,
    TransmissionKind,
    TransmissionState,
    encryption_text,
    inbound,
    inbound_raw,
    locked,
    receipt_transmission,
    receipts,
    signature_text,
    subject_of,
)
from edi_gateway.transport.http import ANSWER_BYTES_MAX

MESSAGE_ID_CHARACTERS_MAX = 998  # RFC 2822 §2.1.1; a longer one is refused and not kept as a key
CONTENT_TYPE_CHARACTERS_MAX = 255
REASON_CHARACTERS_MAX = 1000

_log = structlog.get_logger(__name__)


@dataclass(frozen=True, slots=True)
class HttpAnswer:
    """What the web shell answers."""

    status: int
    headers: tuple[tuple[str, str], ...] = ()
    body: bytes = b""


@dataclass(frozen=True, slots=True, kw_only=True)
class Arrival:
    """One POST on its way through: what is known of it so far."""

    id: str
    at: datetime
    headers: Headers
    request: Request | None = None  # None: the headers cannot be read as AS2
    raw: Stored | None = None  # None: the body was over the limit
    partnership: Partnership | None = None
    relationship: Relationship | None = None

    @property
    def subject(self) -> str:
        """How the event log names what came of it."""
        return subject_of(self.id)

    @property
    def receipt_mode(self) -> ReceiptMode:
        """The receipt that the sender asks for."""
        if self.request is None or self.request.receipt is None:
            return ReceiptMode.NONE
        return ReceiptMode.ASYNC if self.delivery_url else ReceiptMode.SYNC

    @property
    def delivery_url(self) -> str | None:
        """Where the receipt is to be POSTed; None: it stands in the answer, also where mail was asked for (RFC 4130
        §7.2): that wish is refused, and the refusal itself needs no mail."""
        receipt = self.request.receipt if self.request else None
        return receipt.delivery_url if receipt and receipt.is_asynchronous else None


@dataclass(frozen=True, slots=True, kw_only=True)
class FromPartner(Arrival):
    """A POST whose AS2 names are those of a partnership."""

    request: Request
    raw: Stored
    partnership: Partnership
    relationship: Relationship


@dataclass(frozen=True, slots=True, kw_only=True)
class Refusal:
    """Why a POST is not accepted. `explanation` goes to the partner, `diagnosis` to the operator."""

    disposition: Disposition
    explanation: str
    diagnosis: str = ""
    mic: Mic | None = None
    status: int = 403  # of the answer, where no receipt is asked for or can be given
    alert: str = ""  # the kind of an alert event, if an operator has to know at once
    is_report: bool = False  # what is refused is an MDN: no receipt is due


def receive(
    gateway: Gateway, headers: Iterable[tuple[str, str]], body: BinaryIO, caller: Caller = NOBODY
) -> HttpAnswer:
    """Take one POST and say what to answer.

    Raises OSError, SQLAlchemyError or RelationshipFault where the fault is ours: then nothing was promised, answer 5xx
    and the partner sends again.
    """
    arrival = Arrival(id=gateway.new_id(), at=gateway.now(), headers=Headers(headers))
    try:
        return _receive(gateway, arrival, body, caller)
    except (RelationshipFault, ConnectionFault) as fault:
        _alert(gateway, arrival, str(fault))
        raise


def _alert(gateway: Gateway, arrival: Arrival, fault: str) -> None:
    """No key of ours is valid, or the partnership contradicts itself: nothing comes in until somebody mends it."""
    subject = f"partnership:{arrival.headers.get('AS2-From')[:128]}"
    with gateway.database.write() as uow:
        uow.record_event("alert.relationship-fault", subject, None, None, fault, {}, arrival.at)
        uow.commit()


def _receive(gateway: Gateway, arrival: Arrival, body: BinaryIO, caller: Caller) -> HttpAnswer:
    request, refusal = _read(arrival.headers)
    if request is None and not _means_as2(arrival.headers):
        _log.info("not AS2", id=arrival.id)
        return _text(400, "No AS2 headers: AS2-From, AS2-To and Message-ID are needed (RFC 4130 §6).")
    if request is not None and (denied := _denied(gateway, request, caller, arrival.at)):
        return denied
    arrival = replace(arrival, request=request)
    try:
        arrival = replace(arrival, raw=gateway.payloads.put(body, gateway.config.limits.body_bytes_max))
    except PayloadTooLarge as error:
        return _refuse(gateway, _identified(gateway, arrival), _too_large(error.bytes_max))
    arrival = _identified(gateway, arrival)
    if refusal is not None and not _may_be_report(request):
        return _refuse(gateway, arrival, refusal)
    if not isinstance(arrival, FromPartner):
        return _refuse(gateway, arrival, refusal or _unknown(arrival))
    is_large = arrival.raw.content is None  # opening it to learn that it is here already would take long
    return (_answer_again(gateway, arrival) if is_large else None) or _judge(gateway, arrival, refusal)


def _denied(gateway: Gateway, request: Request, caller: Caller, now: datetime) -> HttpAnswer | None:
    """The answer to a caller who does not show what the partnership asks for: nothing is kept, nothing is promised."""
    partnership = gateway.partnerships.by_as2(request.as2_from, request.as2_to)
    denied = gateway.connections.denial(partnership, caller) if partnership else None
    if partnership is None or denied is None:
        return None
    if denied.was_tried:  # without, it may be the first step of a client that waits to be asked (RFC 9110 §11.6.1)
        details = {"message_id": request.message_id[:MESSAGE_ID_CHARACTERS_MAX]}
        with gateway.database.write() as uow:
            subject = f"partnership:{partnership.name}"
            uow.record_event("partnership.access-denied", subject, None, None, denied.reason, details, now)
            uow.commit()
    answer = _text(denied.status, "This partnership asks for authentication beyond the signature.")
    return replace(answer, headers=answer.headers + denied.headers)


def refuse_oversized(gateway: Gateway, headers: Iterable[tuple[str, str]], length: str) -> None:
    """Record a POST that the server answered with 413 by itself; `length` is its Content-Length, if it had one."""
    arrival = Arrival(id=gateway.new_id(), at=gateway.now(), headers=Headers(headers))
    request, _ = _read(arrival.headers)
    if request is not None or _means_as2(arrival.headers):
        arrival = _identified(gateway, replace(arrival, request=request))
        _refuse(gateway, arrival, _too_large(gateway.config.limits.body_bytes_max, length))


def _read(headers: Headers) -> tuple[Request | None, Refusal | None]:
    try:
        return read_request(headers), None
    except As2Refusal as refused:
        status = 400 if refused.request is None else 403
        return refused.request, Refusal(
            disposition=refused.disposition,
            explanation=refused.explanation,
            diagnosis=refused.diagnosis,
            status=status,
        )


def _means_as2(headers: Headers) -> bool:
    """Whether the sender meant AS2, so that what he sent is kept. A scanner's request is not."""
    return any(name.lower().startswith("as2-") for name, _ in headers)


def _may_be_report(request: Request | None) -> bool:
    """An MDN need not have a Message-ID of its own (draft rfc4130bis §8.4); only opening it tells what it is."""
    return request is not None and request.receipt is None and not request.message_id


def _identified(gateway: Gateway, arrival: Arrival) -> Arrival:
    """The arrival with its partnership, if the AS2 names are those of one."""
    request = arrival.request
    partnership = gateway.partnerships.by_as2(request.as2_from, request.as2_to) if request else None
    if request is None or partnership is None:
        return arrival
    relationship = gateway.partnerships.relationship(partnership)
    if arrival.raw is None:
        return replace(arrival, partnership=partnership, relationship=relationship)
    return FromPartner(
        id=arrival.id,
        at=arrival.at,
        headers=arrival.headers,
        request=request,
        raw=arrival.raw,
        partnership=partnership,
        relationship=relationship,
    )


def _judge(gateway: Gateway, arrival: FromPartner, refusal: Refusal | None) -> HttpAnswer:
    """Open what came and act on it. `refusal` is what is wrong with the headers unless it turns out to be a report.

    Whether it is a repetition, `_accept` finds out in its own transaction. Only what would not be accepted is looked up
    before: what was accepted once is answered as it was then, also when its key or certificate has run out since.
    """
    with gateway.payloads.open(arrival.raw) as body:
        outcome = open_transmission(
            arrival.request, arrival.headers, body, arrival.relationship, gateway.payloads.spool, arrival.at
        )
    match outcome:
        case OpenedReport():
            return _answer_again(gateway, arrival) or _settle(gateway, arrival, outcome)
        case Refused():
            return _answer_again(gateway, arrival) or _refuse(gateway, arrival, refusal or _refusal_of(outcome))
        case Opened():
            with outcome.payload:
                return _refuse(gateway, arrival, refusal) if refusal else _accept(gateway, arrival, outcome)


def _too_large(bytes_max: int, length: str = "") -> Refusal:
    announced = f"; {length[:20]} bytes were announced" if length else ""
    return Refusal(
        disposition=UNEXPECTED_PROCESSING_ERROR,
        explanation=f"The body is longer than {bytes_max} bytes.",
        diagnosis=f"the body is longer than limits.body_bytes_max = {bytes_max}{announced}; nothing of it was kept",
        status=413,
    )


def _unknown(arrival: Arrival) -> Refusal:
    request = arrival.request
    names = f"from {request.as2_from!r} to {request.as2_to!r}" if request else "in the headers"
    return Refusal(
        disposition=UNKNOWN_TRADING_RELATIONSHIP,
        explanation="There is no partnership between these AS2 names; they are case-sensitive.",
        diagnosis=f"no active partnership has the AS2 names {names}",
    )


def _refusal_of(refused: Refused) -> Refusal:
    return Refusal(
        disposition=refused.disposition,
        explanation=refused.explanation,
        diagnosis=refused.diagnosis,
        mic=refused.mic,
        status=400 if refused.is_report else 403,
        is_report=refused.is_report,
    )


# --- accepted -------------------------------------------------------------------------------------------------------


def _accept(gateway: Gateway, arrival: FromPartner, opened: Opened) -> HttpAnswer:
    """T1: everything in one commit, then the answer."""
    payload = gateway.payloads.put(opened.payload)
    receipt = _receipt(gateway, arrival, opened.disposition, opened.mic, "")
    values = _accepted(arrival, opened, payload)
    details = {"payload": payload.sha256, "notes": list(opened.notes)}

    def accept(uow: UnitOfWork) -> HttpAnswer | None:
        if _holder_raw(uow, arrival) is not None:
            return None
        _keep_payloads(uow, arrival, payload)
        if not uow.insert_once(Transmission, values):
            return None
        _record(uow, arrival, values, _words(opened), details)
        uow.wake("unpack", arrival.id)
        return _give(gateway, uow, arrival, values, receipt)

    answer = gateway.database.write_together("receive.accept", accept)
    return answer or _again_or_reused(gateway, arrival, opened, payload)


def _again_or_reused(gateway: Gateway, arrival: FromPartner, opened: Opened, payload: Stored) -> HttpAnswer:
    """Somebody was faster, or the partner repeats himself: the unique key has another row."""
    with gateway.database.write("receive.repeat") as uow:
        first = _known(uow, arrival)
        if first is not None and _is_repetition(first, arrival, opened.mic):
            _keep_payloads(uow, arrival, payload)
            return _repeat(gateway, uow, arrival, first)
    return _refuse(gateway, arrival, _reused(first, opened.mic))


def _accepted(arrival: FromPartner, opened: Opened, payload: Stored) -> dict[str, Any]:
    return _row(arrival, TransmissionState.RECEIVED) | {
        "payload_sha256": payload.sha256,
        "payload_size": payload.size,
        "content_type": opened.content_type[:CONTENT_TYPE_CHARACTERS_MAX],
        "filename": opened.filename,
        "mic": opened.mic.render(),
        "signed_with": signature_text(opened.signed_with),
        "encrypted_with": encryption_text(opened.encrypted_with),
        "compression": opened.compressed,
        "disposition": opened.disposition.status,
    }


def _words(opened: Opened) -> str:
    signed = f"signed by {opened.signed_with.subject}" if opened.signed_with else "not signed"
    encrypted = f"encrypted with {opened.encrypted_with.cipher}" if opened.encrypted_with else "not encrypted"
    return f"{signed}, {encrypted}"


def _give(
    gateway: Gateway, uow: UnitOfWork, arrival: Arrival, answered: Mapping[str, Any], receipt: SealedMdn | None
) -> HttpAnswer:
    """Keep the receipt of the transmission that has these columns, and hand it over the way it was asked for."""
    if receipt is None:
        return _nothing_more(arrival)
    values = {
        "id": gateway.new_id(),
        "transmission_id": answered["id"],
        "at": arrival.at,
        "message_id": receipt.message_id,
        "disposition": answered["disposition"] or "",
        "mic": answered["mic"],
        "signed_with": str(receipt.signed_with) if receipt.signed_with else None,
        "outcome": "given",
        "headers": [list(header) for header in receipt.headers],
        "body": receipt.body,
    }
    uow.insert_once(Receipt, values)
    if arrival.receipt_mode is ReceiptMode.ASYNC:
        return _hand_over(gateway, uow, arrival, Transmission(**answered), Receipt(**values))
    return HttpAnswer(200, receipt.headers, receipt.body)


def _hand_over(gateway: Gateway, uow: UnitOfWork, arrival: Arrival, row: Transmission, receipt: Receipt) -> HttpAnswer:
    url = arrival.delivery_url
    if url and arrival.partnership:
        enqueue_receipt(uow, gateway, arrival.partnership, row, receipt, url)
        return _nothing_more(arrival)
    return HttpAnswer(200, tuple((name, value) for name, value in receipt.headers), receipt.body)


def _nothing_more(arrival: Arrival) -> HttpAnswer:
    """An empty 2xx: 204 is what the draft prefers (rfc4130bis §8.2), but products before 1.3 may not know it."""
    agreed = arrival.partnership.as2.async_status if arrival.partnership and arrival.delivery_url else 0
    usual = 204 if arrival.request and arrival.request.version_number >= (1, 3) else 200
    return HttpAnswer(agreed or usual)


def _receipt(
    gateway: Gateway, arrival: Arrival, disposition: Disposition, mic: Mic | None, explanation: str
) -> SealedMdn | None:
    """The receipt that is due, signed if asked for, also when it is negative; None if none is asked for, or if it
    would have to be posted to an address that was not agreed."""
    request, relationship = arrival.request, arrival.relationship
    if request is None or request.receipt is None:
        return None
    url = arrival.delivery_url
    if url and not (relationship and relationship.allows_delivery_to(url)):
        return None
    message_id = gateway.message_id()
    return compose(request, relationship, disposition, mic, explanation, message_id=message_id, now=arrival.at)


# --- again ----------------------------------------------------------------------------------------------------------


def _answer_again(gateway: Gateway, arrival: FromPartner) -> HttpAnswer | None:
    """The stored answer if exactly these bytes are here already."""
    with gateway.database.read() as view:
        if _holder_raw(view, arrival) != arrival.raw.sha256:
            return None
        known = _known(view, arrival)
    if known is None:
        return None
    if known.kind is TransmissionKind.RECEIPT:
        return HttpAnswer(200)
    with gateway.database.write("receive.repeat") as uow:
        return _repeat(gateway, uow, arrival, known)


def _holder_raw(view: Reading, arrival: FromPartner) -> str | None:
    """The digest of what came under this Message-ID and was not refused."""
    request = arrival.request
    return inbound_raw(view, request.as2_from, request.as2_to, request.message_id)


def _known(view: Reading, arrival: FromPartner) -> Transmission | None:
    request = arrival.request
    return inbound(view.session, request.as2_from, request.as2_to, request.message_id)


def _is_repetition(first: Transmission, arrival: FromPartner, mic: Mic) -> bool:
    if first.raw_sha256 == arrival.raw.sha256:
        return True
    known = Mic.parse(first.mic) if first.mic else None
    return known is not None and known.digest is not None and (known.digest, known.value) == (mic.digest, mic.value)


def _reused(first: Transmission | None, mic: Mic) -> Refusal:
    return Refusal(
        disposition=UNEXPECTED_PROCESSING_ERROR,
        explanation="This Message-ID was used before for other content; use a new one (RFC 4130 §5.5).",
        diagnosis=f"the Message-ID belongs to transmission {first.id if first else '?'}, which has other content",
        mic=mic,
        alert="alert.message-id-reused",
    )


def _repeat(gateway: Gateway, uow: UnitOfWork, arrival: FromPartner, first: Transmission) -> HttpAnswer:
    """Answer a duplicate with the stored receipt; all that it leaves is an event."""
    row = locked(uow.session, first.id) or first
    raw = arrival.raw.sha256
    reason = "the same Message-ID with the same content came again"
    details = {"raw": raw, "same_bytes": raw == row.raw_sha256}
    uow.record_event("transmission.duplicate", row.subject, row.state, row.state, reason, details, arrival.at)
    answer = _give_again(gateway, uow, arrival, row)
    uow.commit()
    return answer


def _give_again(gateway: Gateway, uow: UnitOfWork, arrival: FromPartner, row: Transmission) -> HttpAnswer:
    stored = next((receipt for receipt in receipts(uow.session, row.id) if receipt.purged_at is None), None)
    if arrival.receipt_mode is ReceiptMode.NONE:
        return _nothing_more(arrival)
    if stored is None:  # the first time no receipt was asked for, or its term is over
        mic = Mic.parse(row.mic) if row.mic else None
        names = ("id", "as2_from", "as2_to", "message_id", "disposition", "mic")
        answered = {name: getattr(row, name) for name in names}
        return _give(gateway, uow, arrival, answered, _receipt(gateway, arrival, PROCESSED, mic, ""))
    posted = receipt_transmission(uow.session, row.id)
    if arrival.receipt_mode is ReceiptMode.ASYNC and posted is not None:
        _post_again(uow, arrival, posted)
        return _nothing_more(arrival)
    return _hand_over(gateway, uow, arrival, row, stored)


def _post_again(uow: UnitOfWork, arrival: FromPartner, posted: Transmission) -> None:
    """The stored asynchronous receipt goes out once more, unless it is on its way anyhow."""
    if posted.state in (TransmissionState.SENT, TransmissionState.PARKED):
        reason = "the partner sent his message again: he has not had the receipt"
        restart(uow, posted, arrival.partnership, reason, arrival.at)


# --- refused --------------------------------------------------------------------------------------------------------


def _refuse(gateway: Gateway, arrival: Arrival, refusal: Refusal) -> HttpAnswer:
    """T1 of what is not accepted: kept and visible all the same, with the reason."""
    receipt = None
    if refusal.status != 413 and not refusal.is_report:
        receipt = _receipt(gateway, arrival, refusal.disposition, refusal.mic, refusal.explanation)
    reason = f"{refusal.disposition.status}: {refusal.diagnosis or refusal.explanation}"[:REASON_CHARACTERS_MAX]
    with gateway.database.write("receive.refuse") as uow:
        _keep_payloads(uow, arrival)
        values = _row(arrival, TransmissionState.REFUSED, reason, is_report=refusal.is_report) | {
            "disposition": refusal.disposition.status,
            "mic": refusal.mic.render() if refusal.mic else None,
        }
        uow.insert_once(Transmission, values)
        _record(uow, arrival, values, reason, {})
        if refusal.alert:
            uow.record_event(refusal.alert, arrival.subject, None, None, reason, {}, arrival.at)
        answer = (
            _give(gateway, uow, arrival, values, receipt) if receipt else _text(refusal.status, refusal.explanation)
        )
        uow.commit()
    return answer


# --- a receipt of the partner ---------------------------------------------------------------------------------------


def _settle(gateway: Gateway, arrival: FromPartner, report: OpenedReport) -> HttpAnswer:
    """An asynchronous MDN, on the message URL or the MDN URL: always 200, whatever it says."""
    with gateway.payloads.open(arrival.raw) as stream:
        mdn = ReceivedMdn(report, tuple(arrival.headers), stream.read(ANSWER_BYTES_MAX))
    complete_digests(gateway, report)
    with gateway.database.write("receive.settle") as uow:
        _keep_payloads(uow, arrival)
        judged = judge_posted(uow, mdn)
        state = TransmissionState.SETTLED if judged.counts else TransmissionState.REFUSED
        values = _row(arrival, state, judged.reason, is_report=True)
        values |= {"answers_id": judged.row.id if judged.row else None}
        values |= {"disposition": report.report.disposition.status, "signed_with": signature_text(report.signer)}
        if uow.insert_once(Transmission, values):
            details = {"original_message_id": report.report.original_message_id}
            _record(uow, arrival, values, judged.reason, details)
            apply(uow, gateway, judged, arrival.at)
            uow.commit()
    return HttpAnswer(200)


# --- rows -----------------------------------------------------------------------------------------------------------


def _row(arrival: Arrival, state: TransmissionState, reason: str = "", *, is_report: bool = False) -> dict[str, Any]:
    """The columns that every POST fills."""
    request, raw = arrival.request, arrival.raw
    message_id = request.message_id if request else ""
    return {
        "id": arrival.id,
        "direction": TransmissionDirection.IN,
        "kind": TransmissionKind.RECEIPT if is_report else TransmissionKind.MESSAGE,
        "state": state,
        "reason": reason,
        "created_at": arrival.at,
        "changed_at": arrival.at,
        "partnership": arrival.partnership.name if arrival.partnership else None,
        "as2_from": request.as2_from if request else None,
        "as2_to": request.as2_to if request else None,
        "message_id": message_id if 0 < len(message_id) <= MESSAGE_ID_CHARACTERS_MAX else None,
        "headers": [list(header) for header in arrival.headers],
        "receipt_mode": arrival.receipt_mode,
        "raw_sha256": raw.sha256 if raw else None,
        "raw_size": raw.size if raw else None,
    }


def _keep_payloads(uow: UnitOfWork, arrival: Arrival, payload: Stored | None = None) -> None:
    keep_all(uow, [stored for stored in (arrival.raw, payload) if stored is not None], arrival.at)


def _record(
    uow: UnitOfWork, arrival: Arrival, values: Mapping[str, Any], reason: str, details: Mapping[str, Any]
) -> None:
    """The first event of the row with these columns."""
    known = {"message_id": values["message_id"], "raw": values["raw_sha256"], "size": values["raw_size"]}
    state = values["state"]
    uow.record_event("transmission.state", arrival.subject, None, state, reason, known | dict(details), arrival.at)


def _text(status: int, text: str) -> HttpAnswer:
    return HttpAnswer(status, (("Content-Type", "text/plain; charset=utf-8"),), f"{text}\n".encode())
