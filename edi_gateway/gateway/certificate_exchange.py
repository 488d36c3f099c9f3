"""Certificates that travel as messages (CEM): proposed by one side, trusted only when an operator of the other says so.

    theirs   request received -> proposal pending, alert -> accept: a new revision of the partnership, response queued
                                                        -> reject: response queued
             accepted -> withdraw: a new revision without it, and no message: the protocol has none for that
    ours     announce: request queued, proposal pending -> response received: accepted or rejected

A request that is taken in changes nothing but the list of proposals. The answer goes to the partnership's address, not
to the one that the request names. What nobody decides, or answers, by the date that the request sets is alerted once.
"""

from __future__ import annotations

import io
from collections.abc import Iterable, Mapping, Sequence
from contextlib import ExitStack
from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import StrEnum
from urllib.parse import urlsplit

from sqlalchemy import or_, select
from sqlalchemy.orm import Session

from edi_gateway.as2.attachments import Attachment, Document, is_related, pack_related, read_attachments
from edi_gateway.as2.certificates import KeyUse, load_certificates
from edi_gateway.as2.errors import MimeMalformed
from edi_gateway.as2.exchange import (
    CERTIFICATE_TYPE,
    XML_TYPE,
    ExchangeMalformed,
    ExchangeRequest,
    ExchangeResponse,
    Status,
    TrustRequest,
    TrustResponse,
    Usage,
    certificate_document,
    read_exchange,
    write_request,
    write_response,
)
from edi_gateway.as2.fields import FieldMalformed
from edi_gateway.gateway import onboarding
from edi_gateway.gateway.accepted_certificates import CannotJoin, check, keep, with_certificate, without
from edi_gateway.gateway.app import Gateway
from edi_gateway.gateway.dispatch import enqueue
from edi_gateway.gateway.keys import OwnKey
from edi_gateway.gateway.onboarding import Change
from edi_gateway.gateway.states import INBOUND, InboundEvent, change
from edi_gateway.partnership import Partnership
from edi_gateway.store import partnerships as store
from edi_gateway.store.certificates import CertificateProposal, ProposalDirection, ProposalState, proposals
from edi_gateway.store.database import UnitOfWork
from edi_gateway.store.partnerships import PartnershipRevision
from edi_gateway.store.payloads import Stored
from edi_gateway.store.transmissions import Transmission, TransmissionState, locked
from edi_gateway.strict_toml import Problem

DOCUMENT_TYPE = "CEM"
RESPONSE_DAYS = 14  # that a partner has for the answer, where the key is in use already
DECISION_NOTICE = timedelta(days=2)  # so long before an answer is due, an operator who has not decided is told
REASON_CHARACTERS_MAX = 500

_USAGES: Mapping[KeyUse, Usage] = {
    KeyUse.SIGNING: Usage.SIGNATURE,
    KeyUse.ENCRYPTION: Usage.ENCRYPTION,
    KeyUse.TLS: Usage.TLS_CLIENT,
}


class ProposalEvent(StrEnum):
    """What happens to a proposal."""

    ACCEPT = "accept"
    REJECT = "reject"
    WITHDRAW = "withdraw"


_S, _E = ProposalState, ProposalEvent
PROPOSAL: Mapping[tuple[ProposalState, ProposalEvent], ProposalState] = {
    (_S.PENDING, _E.ACCEPT): _S.ACCEPTED,
    (_S.PENDING, _E.REJECT): _S.REJECTED,
    (_S.ACCEPTED, _E.WITHDRAW): _S.REJECTED,
}


class CannotDecide(Exception):
    """A proposal cannot be accepted or rejected; the text says why and what to do."""


@dataclass(frozen=True, slots=True)
class Decision:
    """A proposal that was decided, and what that changed in the partnership."""

    proposal: CertificateProposal
    changes: tuple[Change, ...] = ()


# --- ours -----------------------------------------------------------------------------------------------------------


def announce(
    gateway: Gateway, own: OwnKey, partnerships: Iterable[Partnership], respond_by: datetime | None = None
) -> list[CertificateProposal]:
    """Queue a request to trust the certificate of `own` for each partner that it was not proposed to before.

    Only where certificate_exchange is agreed. `respond_by` is when an answer is expected: by default when the key
    begins to serve.
    """
    now = gateway.now()
    until = respond_by or (own.use_from if own.use_from > now else now + timedelta(days=RESPONSE_DAYS))
    made = (_announce(gateway, own, partnership, until) for partnership in partnerships)
    return [proposal for proposal in made if proposal is not None]


def _announce(gateway: Gateway, own: OwnKey, partnership: Partnership, until: datetime) -> CertificateProposal | None:
    if not partnership.as2.certificate_exchange or _announced(gateway, own, partnership):
        return None
    now = gateway.now()
    request_id = f"{gateway.new_id()}@{urlsplit(gateway.config.public_url).hostname or 'localhost'}"
    usages = frozenset(_USAGES[use] for use in own.uses)
    asked = TrustRequest(certificate=own.certificate, usages=usages, respond_by=until, response_url=gateway.mdn_url)
    request = ExchangeRequest(request_id=request_id, sender=partnership.as2.our_id, originated=now, requests=(asked,))
    file = io.BytesIO(certificate_document(own.certificate))
    xml = io.BytesIO(write_request(request, [f"1.{request_id}"]))
    documents = (Document(content_type=XML_TYPE, payload=xml), Document(content_type=CERTIFICATE_TYPE, payload=file))
    content_type, stored = _packed(gateway, documents, request_id)
    with gateway.database.write() as uow:
        sent = enqueue(uow, gateway, partnership, stored, content_type, "", document_types=DOCUMENT_TYPE)
        uow.session.flush()
        row = _proposal(gateway, ProposalDirection.OUT, partnership, request_id, asked, sent.id)
        uow.session.add(row)
        details = {"fingerprint": row.fingerprint, "usages": row.usages, "respond_by": until.isoformat()}
        uow.record_event("certificate.announced", row.subject, None, row.state, partnership.name, details, now)
        uow.commit()
    return row


def _announced(gateway: Gateway, own: OwnKey, partnership: Partnership) -> bool:
    """Whether the partner has this certificate, or decides on it."""
    with gateway.database.read() as view:
        known = proposals(view.session, partnership=partnership.name, direction=ProposalDirection.OUT)
    return any(
        row.fingerprint == own.certificate.fingerprint and row.state is not ProposalState.REJECTED for row in known
    )


def _packed(gateway: Gateway, documents: Sequence[Document], request_id: str) -> tuple[str, Stored]:
    content_type, payload = pack_related(documents, request_id, gateway.payloads.spool)
    with payload:
        return content_type, gateway.payloads.put(payload)


def _proposal(
    gateway: Gateway,
    direction: ProposalDirection,
    partnership: Partnership,
    request_id: str,
    asked: TrustRequest,
    transmission_id: str,
) -> CertificateProposal:
    return CertificateProposal(
        id=gateway.new_id(),
        direction=direction,
        state=ProposalState.PENDING,
        partnership=partnership.name,
        request_id=request_id,
        fingerprint=asked.certificate.fingerprint,
        pem=asked.certificate.pem,
        usages=sorted(usage.value for usage in asked.usages),
        respond_by=asked.respond_by,
        created_at=gateway.now(),
        reason="",
        transmission_id=transmission_id,
    )


# --- what is received -----------------------------------------------------------------------------------------------


def take_in(gateway: Gateway, transmission: Transmission, partnership: Partnership) -> None:
    """Act on a received certificate exchange message (T2). One that cannot be acted upon is parked with the reason."""
    found: ExchangeRequest | ExchangeResponse | str
    try:
        found = _read(gateway, transmission, partnership)
    except (ExchangeMalformed, MimeMalformed, FieldMalformed) as error:
        found = f"no certificate exchange message that can be acted upon: {error}"
    with gateway.database.write() as uow:
        row = locked(uow.session, transmission.id)
        if row is None or row.state is not TransmissionState.RECEIVED:
            return  # another worker was faster
        row.document_types = DOCUMENT_TYPE
        match found:
            case ExchangeRequest():
                _propose(gateway, uow, row, partnership, found)
            case ExchangeResponse():
                _settle(gateway, uow, row, partnership, found)
            case reason:
                _park(uow, row, reason, gateway.now())
        uow.commit()


def _read(gateway: Gateway, transmission: Transmission, partnership: Partnership) -> ExchangeRequest | ExchangeResponse:
    if not partnership.as2.certificate_exchange:
        raise ExchangeMalformed("it is not agreed; certificate_exchange = true agrees it, then replay")
    if transmission.signed_with is None:
        raise ExchangeMalformed("it is not signed, so that anybody may have proposed it")
    content_type = transmission.content_type or ""
    with ExitStack() as opened:
        payload = opened.enter_context(gateway.payloads.open(transmission.payload_sha256 or ""))
        if is_related(content_type):
            parts = read_attachments(content_type, payload, gateway.payloads.spool)
            for part in parts:
                opened.enter_context(part.payload)
        else:
            alone = Attachment(
                content_type=content_type, payload=payload, size=0, filename="", filename_received="", content_id=""
            )
            parts = (alone,)
        found = read_exchange(parts)
    if found.sender != partnership.as2.their_id:
        raise ExchangeMalformed(f"it speaks for {found.sender[:128]!r}, and {partnership.as2.their_id!r} sent it")
    return found


def _propose(
    gateway: Gateway, uow: UnitOfWork, row: Transmission, partnership: Partnership, request: ExchangeRequest
) -> None:
    now = gateway.now()
    known = {
        proposal.fingerprint
        for proposal in proposals(uow.session, partnership=partnership.name, direction=ProposalDirection.IN)
        if proposal.request_id == request.request_id
    }
    for asked in request.requests:
        if asked.certificate.fingerprint in known:
            continue
        known.add(asked.certificate.fingerprint)
        proposal = _proposal(gateway, ProposalDirection.IN, partnership, request.request_id, asked, row.id)
        uow.session.add(proposal)
        details = {
            "fingerprint": proposal.fingerprint,
            "usages": proposal.usages,
            "respond_by": asked.respond_by.isoformat() if asked.respond_by else None,
        }
        reason = f"{partnership.name} proposes {asked.certificate.subject}; edi-gateway partners certificates accept"
        uow.record_event("alert.certificate-proposed", proposal.subject, None, proposal.state, reason, details, now)
    _unpacked(uow, row, f"{len(request.requests)} certificates proposed", now)


def _settle(
    gateway: Gateway, uow: UnitOfWork, row: Transmission, partnership: Partnership, response: ExchangeResponse
) -> None:
    now = gateway.now()
    ours = {
        load_certificates(proposal.pem)[0].serial: proposal
        for proposal in proposals(uow.session, partnership=partnership.name, direction=ProposalDirection.OUT)
        if proposal.request_id == response.request_id
    }
    for answer in response.responses:
        proposal = ours.get(answer.serial)
        if proposal is None:
            reason = f"{partnership.name} answers for serial number {answer.serial}, which we did not propose"
            uow.record_event("alert.certificate-answer-unknown", row.subject, None, None, reason, {}, now)
        elif proposal.state is ProposalState.PENDING:
            _answered(uow, row, proposal, answer, now)
        else:
            reason = f"{partnership.name} answers again: {answer.status}; it was {proposal.state}"
            uow.record_event("certificate.answered-again", proposal.subject, None, None, reason, {}, now)
    _unpacked(uow, row, f"{len(response.responses)} answers", now)


def _answered(
    uow: UnitOfWork, row: Transmission, proposal: CertificateProposal, answer: TrustResponse, now: datetime
) -> None:
    accepted = answer.status is Status.ACCEPTED
    reason = f"{proposal.partnership}: {answer.status}" + (f", {answer.reason}" if answer.reason else "")
    event = ProposalEvent.ACCEPT if accepted else ProposalEvent.REJECT
    change(uow, proposal, PROPOSAL, event, reason=reason[:REASON_CHARACTERS_MAX], now=now)
    proposal.decided_at, proposal.answer_id = now, row.id
    proposal.reason = "" if accepted else answer.reason[:REASON_CHARACTERS_MAX]
    if not accepted:
        uow.record_event("alert.certificate-rejected", proposal.subject, None, None, reason, {}, now)


def _unpacked(uow: UnitOfWork, row: Transmission, reason: str, now: datetime) -> None:
    row.reason, row.changed_at = "", now
    change(uow, row, INBOUND, InboundEvent.UNPACK, reason=reason, now=now)


def _park(uow: UnitOfWork, row: Transmission, reason: str, now: datetime) -> None:
    row.reason, row.changed_at = reason[:REASON_CHARACTERS_MAX], now
    change(uow, row, INBOUND, InboundEvent.PARK, reason=row.reason, now=now)
    uow.record_event("alert.transmission-parked", row.subject, None, None, row.reason, {}, now)


# --- the operator's yes or no ---------------------------------------------------------------------------------------


def accept(gateway: Gateway, proposal_id: str, use_from: datetime | None = None) -> Decision:
    """Trust a proposed certificate: it joins those of the partnership for good, and the response is queued.

    It stays in every later revision (`keep_accepted`) until it ends, or is withdrawn. It verifies at once, and we
    encrypt for it from `use_from` on (now, unless given), where it is for encryption. Raises CannotDecide.
    """
    now = gateway.now()
    stored, content_type, proposal, partnership = _response(gateway, proposal_id, Status.ACCEPTED, "")
    certificate = load_certificates(proposal.pem)[0]
    usages = [Usage(usage) for usage in proposal.usages]
    try:
        check(certificate, usages, partnership, now)
        wanted = with_certificate(partnership, certificate, usages, use_from or now)
    except CannotJoin as error:
        raise CannotDecide(str(error)) from None
    with gateway.database.write() as uow:
        reason = f"its certificate exchange message {proposal.request_id} was accepted"
        changes = _put_in_force(uow, partnership, wanted, reason, now)
        row = _decide(gateway, uow, proposal_id, ProposalEvent.ACCEPT, "accepted by an operator", partnership)
        row.answer_id = _send(gateway, uow, wanted, stored, content_type)
        uow.commit()
    gateway.partnerships.refresh()
    return Decision(row, changes)


def _put_in_force(
    uow: UnitOfWork, present: Partnership, wanted: Partnership, reason: str, now: datetime
) -> tuple[Change, ...]:
    rows = [row for row in store.in_force(uow.session) if row.name == present.name]
    if [row.partnership for row in rows] != [present]:
        raise CannotDecide(f"{present.name} was changed meanwhile; try again")
    changes = onboarding.plan([wanted], rows, only=[present.name])
    onboarding.apply(uow, changes, now, reason=reason)
    return tuple(changes)


def withdraw(gateway: Gateway, proposal_id: str, reason: str) -> Decision:
    """No longer trust a certificate that was accepted: it leaves the partnership, and nobody is told.

    Raises CannotDecide, also where no other certificate is left for its use.
    """
    proposal = _of_a_partner(gateway, proposal_id)
    if proposal.state is not ProposalState.ACCEPTED:
        raise CannotDecide(f"it is {proposal.state}; only what was accepted is withdrawn")
    present = _in_force(gateway, proposal)
    try:
        wanted = without(present, load_certificates(proposal.pem)[0])
    except CannotJoin as error:
        raise CannotDecide(str(error)) from None
    now, text = gateway.now(), f"withdrawn: {reason}"[:REASON_CHARACTERS_MAX]
    with gateway.database.write() as uow:
        changes = _put_in_force(uow, present, wanted, f"the certificate of {proposal.request_id} was {text}", now)
        row = _decide(gateway, uow, proposal_id, ProposalEvent.WITHDRAW, text, present)
        row.reason = text
        uow.commit()
    gateway.partnerships.refresh()
    return Decision(row, changes)


def keep_accepted(
    session: Session, wanted: Iterable[Partnership], rows: Iterable[PartnershipRevision], now: datetime
) -> tuple[tuple[Partnership, ...], tuple[Problem, ...]]:
    """What folders describe, with the certificates of `rows`, those in force, that were accepted by message.

    And the problems of those where they find no place.
    """
    present = {row.name: row.partnership for row in rows}
    accepted: dict[str, list[str]] = {}
    for row in proposals(session, state=ProposalState.ACCEPTED, direction=ProposalDirection.IN):
        accepted.setdefault(row.partnership, []).append(row.fingerprint)
    kept: list[Partnership] = []
    problems: list[Problem] = []
    for each in wanted:
        before, theirs = present.get(each.name), accepted.get(each.name)
        try:
            kept.append(keep(each, before, theirs, now) if before and theirs else each)
        except CannotJoin as error:
            text = f"a certificate that was accepted by message finds no place: {error}"
            problems.append(Problem(each.name, "as2", text, "or `edi-gateway partners certificates withdraw ID`"))
    return tuple(kept), tuple(problems)


def reject(gateway: Gateway, proposal_id: str, reason: str) -> Decision:
    """Refuse a proposed certificate: the response is queued with the reason. Raises CannotDecide."""
    stored, content_type, _, partnership = _response(gateway, proposal_id, Status.REJECTED, reason)
    with gateway.database.write() as uow:
        row = _decide(gateway, uow, proposal_id, ProposalEvent.REJECT, reason, partnership)
        row.reason = reason[:REASON_CHARACTERS_MAX]
        row.answer_id = _send(gateway, uow, partnership, stored, content_type)
        uow.commit()
    return Decision(row)


def _response(
    gateway: Gateway, proposal_id: str, status: Status, reason: str
) -> tuple[Stored, str, CertificateProposal, Partnership]:
    """The response to one proposal, kept in the payload store."""
    proposal = _of_a_partner(gateway, proposal_id)
    if proposal.state is not ProposalState.PENDING:
        raise CannotDecide(f"it was {proposal.state} on {proposal.decided_at:%Y-%m-%d}")
    partnership = _in_force(gateway, proposal)
    if not partnership.as2.certificate_exchange:
        raise CannotDecide(f"{partnership.name} has certificate_exchange = false now: nothing can be answered")
    certificate = load_certificates(proposal.pem)[0]
    answer = TrustResponse(issuer=certificate.issuer, serial=certificate.serial, status=status, reason=reason)
    response = ExchangeResponse(
        request_id=proposal.request_id, sender=partnership.as2.our_id, originated=gateway.now(), responses=(answer,)
    )
    document = Document(content_type=XML_TYPE, payload=io.BytesIO(write_response(response)))
    content_type, stored = _packed(gateway, [document], f"{proposal.id}@{proposal.partnership}")
    return stored, content_type, proposal, partnership


def _of_a_partner(gateway: Gateway, proposal_id: str) -> CertificateProposal:
    with gateway.database.read() as view:
        proposal = view.session.get(CertificateProposal, proposal_id)
    if proposal is None or proposal.direction is not ProposalDirection.IN:
        raise CannotDecide(f"no proposal {proposal_id!r} of a partner; see `edi-gateway partners certificates list`")
    return proposal


def _in_force(gateway: Gateway, proposal: CertificateProposal) -> Partnership:
    partnership = gateway.partnerships.by_name(proposal.partnership)
    if partnership is None:
        raise CannotDecide(f"the partnership {proposal.partnership} is suspended or gone; apply it first")
    return partnership


def _decide(
    gateway: Gateway, uow: UnitOfWork, proposal_id: str, event: ProposalEvent, reason: str, partnership: Partnership
) -> CertificateProposal:
    row = uow.session.get_one(CertificateProposal, proposal_id, with_for_update=True, populate_existing=True)
    if (row.state, event) not in PROPOSAL:
        raise CannotDecide(f"somebody else has decided meanwhile: {row.state}")
    details = {"fingerprint": row.fingerprint, "partnership": partnership.name}
    change(uow, row, PROPOSAL, event, reason=reason[:REASON_CHARACTERS_MAX], now=gateway.now(), details=details)
    row.decided_at = gateway.now()
    return row


def _send(gateway: Gateway, uow: UnitOfWork, partnership: Partnership, stored: Stored, content_type: str) -> str:
    sent = enqueue(uow, gateway, partnership, stored, content_type, "", document_types=DOCUMENT_TYPE)
    uow.session.flush()
    return sent.id


# --- dates ----------------------------------------------------------------------------------------------------------


def alert_overdue(gateway: Gateway) -> int:
    """Say once of each proposal that an answer is due: to the operator in time, of a partner's afterwards."""
    now = gateway.now()
    theirs = (CertificateProposal.direction == ProposalDirection.IN) & (
        CertificateProposal.respond_by <= now + DECISION_NOTICE
    )
    ours = (CertificateProposal.direction == ProposalDirection.OUT) & (CertificateProposal.respond_by < now)
    waiting = select(CertificateProposal).where(
        CertificateProposal.state == ProposalState.PENDING,
        CertificateProposal.overdue_at.is_(None),
        or_(theirs, ours),
    )
    with gateway.database.write() as uow:
        rows = list(uow.session.scalars(waiting.with_for_update(skip_locked=True)))
        for row in rows:
            row.overdue_at = now
            kind, reason = _overdue(row)
            uow.record_event(kind, row.subject, row.state, row.state, reason, {"fingerprint": row.fingerprint}, now)
        if rows:
            uow.commit()
    return len(rows)


def _overdue(row: CertificateProposal) -> tuple[str, str]:
    until = f"{row.respond_by:%Y-%m-%d %H:%M} UTC" if row.respond_by else ""
    if row.direction is ProposalDirection.IN:
        return "alert.certificate-decision-due", f"{row.partnership} expects an answer by {until}"
    return "alert.certificate-unanswered", f"{row.partnership} has not answered by {until}; ask before the key is used"
