"""Receipts for what we sent: which transmission, what it says, and what that changes.

A receipt decides only if it is verified and bound to the transmission (`as2.settlement.judge`). The first one that
decides wins: a later one that says the same is noted, one that says otherwise raises an alert and changes nothing.
One that could be forged changes nothing either, and raises an alert.
"""

from __future__ import annotations

import io
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace
from datetime import datetime

from sqlalchemy.orm import Session

from edi_gateway.as2.headers import Headers
from edi_gateway.as2.inbound import open_report
from edi_gateway.as2.mic import TABLE_DIGESTS, digests_from_text, digests_of, digests_to_text
from edi_gateway.as2.opened import OpenedReport, Refused, Trust
from edi_gateway.as2.outbound import signed_chunks
from edi_gateway.as2.relationship import Relationship
from edi_gateway.as2.settlement import Sent, Settlement, judge
from edi_gateway.gateway.app import Gateway
from edi_gateway.gateway.states import OUTBOUND, OutboundEvent, change
from edi_gateway.store.database import UnitOfWork
from edi_gateway.store.payloads import PayloadMissing
from edi_gateway.store.transmissions import (
    Receipt,
    Seal,
    Transmission,
    TransmissionKind,
    TransmissionState,
    count_receipts,
    locked,
    outbound,
)
from edi_gateway.transport.http import Answer

RECEIPTS_MAX = 20  # kept for one transmission; what comes beyond them leaves only an event
REASON_CHARACTERS_MAX = 1000
NOTHING_SENT = "no message of ours has the Message-ID"
UNREADABLE = "unreadable"  # the outcome of a kept answer that is no MDN
UNREADABLE_BYTES_MAX = 64 * 1024  # of such an answer

_DECIDED: Mapping[TransmissionState, bool] = {TransmissionState.ACKNOWLEDGED: True, TransmissionState.REFUSED: False}


@dataclass(frozen=True, slots=True)
class ReceivedMdn:
    """An MDN that could be read, with the bytes that carried it."""

    opened: OpenedReport
    headers: tuple[tuple[str, str], ...]
    body: bytes


@dataclass(frozen=True, slots=True)
class Judged:
    """What an MDN means. `row` is the transmission that it is about, None if there is none of ours."""

    mdn: ReceivedMdn
    row: Transmission | None
    settlement: Settlement | None
    reason: str

    @property
    def counts(self) -> bool:
        """Whether it is verified, about a transmission of ours, and so may decide it."""
        return self.settlement is not None and self.settlement.outcome.is_terminal

    @property
    def is_positive(self) -> bool:
        return self.settlement is not None and self.settlement.outcome.is_positive

    def about(self, row: Transmission) -> Judged:
        """The same judgement for the row as another transaction holds it."""
        return replace(self, row=row)


@dataclass(frozen=True, slots=True)
class NoReceipt:
    """An answer that holds no MDN that could be read."""

    reason: str
    answer: Answer


def judge_posted(uow: UnitOfWork, mdn: ReceivedMdn) -> Judged:
    """Judge an asynchronous MDN. One for an unknown Original-Message-ID, or for an MDN, changes nothing.

    The transmission that it is about is held from here on: of two MDNs at the same moment one is the first.
    """
    wanted = mdn.opened.report.original_message_id
    row = _sent_under(uow.session, wanted, hold=True)
    if row is None:
        return Judged(mdn, None, None, f"{NOTHING_SENT} {wanted[:200]!r}")
    return _judged(row, mdn)


def judge_answer(row: Transmission, relationship: Relationship, answer: Answer, gateway: Gateway) -> Judged | NoReceipt:
    """Judge the MDN in the response to our own POST."""
    body = io.BytesIO(answer.body)
    opened = open_report(Headers(answer.headers), body, relationship, gateway.payloads.spool, gateway.now())
    if isinstance(opened, Refused):
        return NoReceipt(opened.diagnosis, answer)
    row.digests = complete_digests(gateway, opened) or row.digests
    return _judged(row, ReceivedMdn(opened, answer.headers, answer.body))


def _judged(row: Transmission, mdn: ReceivedMdn) -> Judged:
    settlement = judge(mdn.opened, sent_of(row))
    return Judged(mdn, row, settlement, settlement.explanation[:REASON_CHARACTERS_MAX])


def _sent_under(session: Session, message_id: str, *, hold: bool = False) -> Transmission | None:
    """Ours of that Message-ID; some products strip the brackets, ours are always there."""
    for spelling in (message_id, f"<{message_id.strip('<>')}>"):
        row = outbound(session, spelling, hold=hold)
        if row is not None:
            return row if row.kind is TransmissionKind.MESSAGE and row.digests is not None else None
    return None


# --- a digest that was not taken when it was sealed -----------------------------------------------------------------


def complete_digests(gateway: Gateway, opened: OpenedReport) -> dict[str, str] | None:
    """Take and keep the digest that an MDN names, where the content was too large for all of them when it was sealed;
    gives the table then. Reads the whole content, so call it while no transaction is open.

    Only for an MDN that could decide the transmission: a forged one makes nobody read a gigabyte.
    """
    digest = opened.report.mic.digest if opened.report.mic else None
    if digest not in TABLE_DIGESTS:
        return None
    with gateway.database.read() as view:
        row = _sent_under(view.session, opened.report.original_message_id)
        seal = view.session.get(Seal, row.id) if row else None
    if row is None or seal is None or digest.value in row.digests or not _may_decide(opened, row):
        return None
    try:
        found = digests_to_text(digests_of(_signed(gateway, row, seal), [digest]))
    except PayloadMissing:
        return None
    with gateway.database.write() as uow:
        held = locked(uow.session, row.id)
        if held is not None:
            held.digests = {**held.digests, **found}
        uow.commit()
    return {**row.digests, **found}


def _may_decide(opened: OpenedReport, row: Transmission) -> bool:
    is_partner = opened.report.as2_from in ("", row.as2_to)  # nameless only in the answer to our own POST
    return is_partner and (opened.trust is Trust.SIGNED or not row.receipt_signed)


def _signed(gateway: Gateway, row: Transmission, seal: Seal) -> Iterator[bytes]:
    with gateway.payloads.open(seal.body_sha256 or row.payload_sha256 or "") as body:
        yield from signed_chunks(seal.head, body, is_payload=seal.body_sha256 is None)


def sent_of(row: Transmission) -> Sent:
    """What has to be known of a transmission of ours to judge its MDN."""
    return Sent(
        message_id=row.message_id or "",
        as2_from=row.as2_from or "",
        as2_to=row.as2_to or "",
        digests=digests_from_text(row.digests),
        receipt_signed=row.receipt_signed,
        mic_required=row.receipt_mic,
    )


def apply(uow: UnitOfWork, gateway: Gateway, judged: Judged, now: datetime) -> None:
    """Let the MDN act on its transmission, whose row the caller holds in `uow`."""
    row, settlement = judged.row, judged.settlement
    if row is None or settlement is None:
        return
    _keep(uow, gateway, row, settlement, judged.mdn, now)
    details = {"outcome": settlement.outcome, "disposition": settlement.disposition.status}
    if not settlement.outcome.is_terminal:
        uow.record_event("alert.receipt-rejected", row.subject, None, None, judged.reason, details, now)
    elif row.state in _DECIDED:
        agrees = _DECIDED[row.state] is settlement.outcome.is_positive
        kind = "transmission.receipt-repeated" if agrees else "alert.receipt-contradicts"
        uow.record_event(kind, row.subject, row.state, row.state, judged.reason, details, now)
    elif row.state is TransmissionState.SENT:
        uow.record_event("transmission.receipt-unsolicited", row.subject, None, None, judged.reason, details, now)
    else:
        _decide(uow, row, settlement, judged.reason, details, now)


def _decide(
    uow: UnitOfWork, row: Transmission, settlement: Settlement, reason: str, details: Mapping[str, str], now: datetime
) -> None:
    positive = settlement.outcome.is_positive
    event = OutboundEvent.ACKNOWLEDGE if positive else OutboundEvent.REFUSE
    change(uow, row, OUTBOUND, event, reason=reason, now=now, details=details)
    row.reason = reason
    row.disposition = settlement.disposition.status
    row.changed_at = row.settled_at = now
    row.due_at = row.lease_until = None
    if not positive:
        uow.record_event("alert.transmission-refused", row.subject, None, None, reason, details, now)


def _keep(
    uow: UnitOfWork, gateway: Gateway, row: Transmission, settlement: Settlement, mdn: ReceivedMdn, now: datetime
) -> None:
    if count_receipts(uow.session, row.id) >= RECEIPTS_MAX:
        return
    report = mdn.opened.report
    uow.session.add(
        Receipt(
            id=gateway.new_id(),
            transmission_id=row.id,
            at=now,
            message_id=report.message_id[:998] or None,
            disposition=settlement.disposition.status,
            mic=settlement.mic.render() if settlement.mic else None,
            signed_with=settlement.signer.fingerprint if settlement.signer else None,
            outcome=settlement.outcome,
            headers=[list(header) for header in mdn.headers],
            body=mdn.body,
        )
    )


def keep_unreadable(uow: UnitOfWork, gateway: Gateway, row: Transmission, found: NoReceipt, now: datetime) -> None:
    """Keep what a partner answered with 2xx in place of an MDN, for the diagnosis; of an error its status is enough."""
    if not 200 <= found.answer.status < 300 or count_receipts(uow.session, row.id) >= RECEIPTS_MAX:
        return
    uow.session.add(
        Receipt(
            id=gateway.new_id(),
            transmission_id=row.id,
            at=now,
            disposition="",
            outcome=UNREADABLE,
            headers=[list(header) for header in found.answer.headers],
            body=found.answer.body[:UNREADABLE_BYTES_MAX],
        )
    )
