"""Certificate exchange messages (CEM) through the gateway: proposed, decided by an operator, answered; and ours."""

from __future__ import annotations

import io
from collections.abc import Sequence
from dataclasses import replace
from datetime import datetime, timedelta

import pytest
from sqlalchemy.exc import IntegrityError

from edi_gateway.as2.attachments import Document, pack_related, read_attachments
from edi_gateway.as2.certificates import KeyUse, PrivateKey
from edi_gateway.as2.exchange import (
    CERTIFICATE_TYPE,
    XML_TYPE,
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
from edi_gateway.as2.headers import Headers, read_request
from edi_gateway.as2.inbound import open_transmission
from edi_gateway.as2.opened import Opened
from edi_gateway.as2.outbound import seal
from edi_gateway.gateway.accepted_certificates import CannotJoin, keep
from edi_gateway.gateway.certificate_exchange import CannotDecide, accept, alert_overdue, announce, reject, withdraw
from edi_gateway.gateway.dispatch import dispatch
from edi_gateway.gateway.keys import OwnKey
from edi_gateway.gateway.unpack import unpack
from edi_gateway.partner_file import CERTIFICATES_MAX
from edi_gateway.partnership import AccessPolicy, TlsPolicy, TlsTrust
from edi_gateway.store.certificates import CertificateProposal, ProposalDirection, ProposalState
from edi_gateway.store.transmissions import TransmissionState
from tests.house import NAME, House
from tests.partner import NOW, key_of, pinned

NEXT = key_of("VENDOR next")
OURS_NEXT = key_of("MARKETPLACE next")
UNTIL = NOW + timedelta(days=30)
BOTH = frozenset({Usage.SIGNATURE, Usage.ENCRYPTION})


@pytest.fixture(autouse=True)
def agreed(house: House) -> None:
    house.agree(certificate_exchange=True)


def packed(documents: Sequence[tuple[str, bytes]], request_id: str) -> tuple[str, bytes]:
    made = [Document(content_type=kind, payload=io.BytesIO(data)) for kind, data in documents]
    content_type, payload = pack_related(made, request_id, io.BytesIO)
    return content_type, payload.read()


def request_of_theirs(
    key: PrivateKey = NEXT,
    usages: frozenset[Usage] = BOTH,
    *,
    request_id: str = "r1@vendor",
    sender: str = "VENDOR",
    until: datetime | None = UNTIL,
) -> tuple[str, bytes]:
    asked = TrustRequest(
        certificate=key.certificate, usages=usages, respond_by=until, response_url="http://169.254.169.254/"
    )
    request = ExchangeRequest(request_id=request_id, sender=sender, originated=NOW, requests=(asked,))
    xml = write_request(request, [f"1.{request_id}"])
    return packed([(XML_TYPE, xml), (CERTIFICATE_TYPE, certificate_document(key.certificate))], request_id)


def receive(house: House, message: tuple[str, bytes], number: int = 1, *, signed: bool = True) -> str:
    """The message arrives and is unpacked; gives its transmission."""
    content_type, payload = message
    partner = house.partner
    entity = partner.entity(payload, content_type)
    sealed = partner.encrypted(partner.signed(entity) if signed else entity)
    answer = house.post(partner.post(sealed, f"<{number}@vendor.example>"))
    assert answer.status == 200
    transmission = max(house.rows(), key=lambda row: row.id).id
    unpack(house.gateway, transmission)
    return transmission


def proposals(house: House) -> list[CertificateProposal]:
    with house.gateway.database.read() as view:
        return view.session.query(CertificateProposal).order_by(CertificateProposal.id).all()


def proposed(house: House, *arguments: object, **named: object) -> CertificateProposal:
    receive(house, request_of_theirs(*arguments, **named))  # type: ignore[arg-type]  # named above
    (row,) = proposals(house)
    return row


def sent_to_partner(house: House) -> ExchangeRequest | ExchangeResponse:
    """What the partner finds in the last message that it got."""
    dispatch(house.gateway, NAME)
    request, body = house.network.requests[-1]
    headers = Headers(request.headers)
    assert "CEM" in (headers.get("EDIINT-Features") or "")
    own = house.partner.own_relationship()
    opened = open_transmission(read_request(headers), headers, io.BytesIO(body), own, io.BytesIO, NOW)
    assert isinstance(opened, Opened), opened
    return read_exchange(read_attachments(opened.content_type, opened.payload, io.BytesIO))


# --- theirs ---------------------------------------------------------------------------------------------------------


def test_121_a_request_is_a_proposal_and_changes_nothing(house: House) -> None:
    """Never trusted without an operator's yes: not for a signature, not for an encryption."""
    before = house.partnership
    transmission = receive(house, request_of_theirs())
    (row,) = proposals(house)
    assert (row.direction, row.state, row.partnership) == (ProposalDirection.IN, ProposalState.PENDING, NAME)
    assert (row.fingerprint, row.usages) == (NEXT.certificate.fingerprint, ["digitalSignature", "keyEncipherment"])
    assert (row.respond_by, row.transmission_id) == (UNTIL, transmission)
    assert house.row(transmission).state is TransmissionState.UNPACKED
    assert house.row(transmission).document_types == "CEM"
    assert house.alerts() == ["alert.certificate-proposed"]
    assert house.partnership == before
    forged = house.partner.signed(house.partner.entity(), key=NEXT)
    assert house.post(house.partner.post(house.partner.encrypted(forged), "<2@vendor.example>")).status == 200
    assert house.rows()[-1].state is TransmissionState.REFUSED
    assert [row.state for row in house.rows() if row.direction == "out"] == []


def test_121_accepting_adds_the_certificate_and_answers(house: House) -> None:
    row = proposed(house)
    decision = accept(house.gateway, row.id)
    assert [change.name for change in decision.changes] == [NAME]
    policy = house.policy()
    added = [entry for entry in policy.signing_certificates if entry.pem == NEXT.certificate.pem]
    assert [entry.use_from for entry in added] == [NOW.isoformat()]
    assert len(policy.signing_certificates) == len(policy.encryption_certificates) == 2  # the present ones stay
    relationship = house.gateway.partnerships.relationship(house.partnership)
    assert relationship.encryption_certificates_at(house.now) == (NEXT.certificate,)
    house.partner.key = NEXT  # the partner changes
    response = sent_to_partner(house)
    assert isinstance(response, ExchangeResponse)
    assert (response.request_id, response.sender) == ("r1@vendor", "MARKETPLACE")
    (answer,) = response.responses
    assert (answer.status, answer.serial, answer.issuer) == (
        Status.ACCEPTED,
        NEXT.certificate.serial,
        NEXT.certificate.issuer,
    )
    (row,) = proposals(house)
    assert (row.state, row.decided_at) == (ProposalState.ACCEPTED, house.now)
    assert house.row(row.answer_id or "").state is TransmissionState.ACKNOWLEDGED
    (changed,) = house.events("partnership.changed")
    assert changed.reason == "its certificate exchange message r1@vendor was accepted"
    assert "BEGIN CERTIFICATE" not in str(changed.details)
    later = house.message(message_id="<9@vendor.example>")  # signed with the new key
    house.post(later)
    assert house.rows()[-1].state is TransmissionState.RECEIVED


def test_121_the_answer_goes_to_the_agreed_address_and_not_to_the_one_that_is_named(house: House) -> None:
    reject(house.gateway, proposed(house).id, "no")
    sent_to_partner(house)
    assert [request.url for request, _ in house.network.requests] == ["http://vendor.example/as2"]


def test_121_rejecting_answers_with_the_reason_and_changes_nothing(house: House) -> None:
    before = house.partnership
    reject(house.gateway, proposed(house).id, "the fingerprint is another one")
    response = sent_to_partner(house)
    assert isinstance(response, ExchangeResponse)
    assert [(answer.status, answer.reason) for answer in response.responses] == [
        (Status.REJECTED, "the fingerprint is another one")
    ]
    assert house.partnership == before
    assert [row.state for row in proposals(house)] == [ProposalState.REJECTED]


def test_121_116_the_date_from_which_we_encrypt_can_be_said(house: House) -> None:
    accept(house.gateway, proposed(house).id, NOW + timedelta(days=10))
    relationship = house.gateway.partnerships.relationship(house.partnership)
    assert relationship.encryption_certificates_at(NOW) == (house.partner.key.certificate,)
    assert relationship.encryption_certificates_at(NOW + timedelta(days=10)) == (NEXT.certificate,)
    assert NEXT.certificate in relationship.verifying_certificates()


PINNED = TlsPolicy(trust=TlsTrust.PINNED, certificates=pinned(OURS_NEXT.certificate))


@pytest.mark.parametrize(
    ("usages", "policy", "where"),
    [
        ({Usage.SIGNATURE}, {}, {"signing"}),
        ({Usage.ENCRYPTION}, {}, {"encryption"}),
        (
            {Usage.TLS_SERVER},
            {"tls": TlsPolicy(trust=TlsTrust.PINNED, certificates=pinned(NEXT.certificate)[:0])},
            {"tls"},
        ),
        ({Usage.TLS_SERVER}, {}, set()),
        ({Usage.TLS_CLIENT}, {"access": AccessPolicy(client_certificates=pinned(OURS_NEXT.certificate))}, set()),
        ({Usage.TLS_CLIENT}, {}, set()),
    ],
    ids=["signature", "encryption", "pinned server", "server of an authority", "client", "client nobody asks for"],
)
def test_121_a_certificate_joins_those_of_its_use_alone(
    house: House, usages: set[Usage], policy: dict[str, object], where: set[str]
) -> None:
    row = proposed(house, usages=frozenset(usages))
    house.agree(certificate_exchange=True, **policy)
    accept(house.gateway, row.id)
    as2 = house.policy()
    sets = {
        "signing": as2.signing_certificates,
        "encryption": as2.encryption_certificates,
        "tls": as2.tls.certificates,
    }
    assert {name for name, entries in sets.items() if NEXT.certificate.pem in {e.pem for e in entries}} == where
    in_access = NEXT.certificate.pem in {entry.pem for entry in as2.access.client_certificates}
    assert in_access == ("access" in policy)


def test_what_was_accepted_is_kept_where_it_serves_until_it_ends_and_of_the_same_as2_name(house: House) -> None:
    """The revision that a folder makes, which does not name it."""
    folder = house.partnership
    accept(house.gateway, proposed(house).id)
    present, fingerprints = house.partnership, [NEXT.certificate.fingerprint]
    assert keep(folder, present, fingerprints, NOW) == present
    assert keep(folder, present, [], NOW) == folder  # pinned by a folder before, and no longer named
    assert keep(folder, present, fingerprints, NEXT.certificate.not_after + timedelta(seconds=1)) == folder
    renamed = replace(folder, as2=replace(folder.as2, their_id="SOMEBODY"))
    assert keep(renamed, present, fingerprints, NOW) == renamed
    full = pinned(*(key_of(f"them {n}", "p-256").certificate for n in range(CERTIFICATES_MAX)))
    with pytest.raises(CannotJoin, match="10 certificates are pinned already"):
        keep(replace(folder, as2=replace(folder.as2, signing_certificates=full)), present, fingerprints, NOW)


def test_the_certificate_of_another_kind_of_key_is_not_accepted_for_encryption(house: House) -> None:
    """Content keys could not travel to it as agreed (RFC 5753 against RSA), and every delivery would fail."""
    row = proposed(house, key_of("VENDOR elliptic", "p-256"))
    with pytest.raises(CannotDecide, match=r"key_transport .* does not fit"):
        accept(house.gateway, row.id)


def test_the_only_certificate_for_a_use_is_not_withdrawn(house: House) -> None:
    row = proposed(house)
    accept(house.gateway, row.id)
    house.agree(certificate_exchange=True, signing_certificates=pinned(NEXT.certificate))
    with pytest.raises(CannotDecide, match="the only certificate"):
        withdraw(house.gateway, row.id, "stolen")


def test_121_a_decision_is_taken_once(house: House) -> None:
    row = proposed(house)
    accept(house.gateway, row.id)
    for again in (lambda: accept(house.gateway, row.id), lambda: reject(house.gateway, row.id, "no")):
        with pytest.raises(CannotDecide, match="it was accepted on 2026-11-22"):
            again()
    with pytest.raises(CannotDecide, match="no proposal 'x'"):
        accept(house.gateway, "x")


def test_121_a_request_that_comes_twice_proposes_once(house: House) -> None:
    receive(house, request_of_theirs())
    receive(house, request_of_theirs(), 2)
    assert len(proposals(house)) == 1
    receive(house, request_of_theirs(request_id="r2@vendor"), 3)
    assert [row.request_id for row in proposals(house)] == ["r1@vendor", "r2@vendor"]
    with house.gateway.database.write() as uow:
        row = uow.session.query(CertificateProposal).first()
        assert row is not None
        columns = {column.name: getattr(row, column.name) for column in CertificateProposal.__table__.columns}
        uow.session.add(CertificateProposal(**columns | {"id": "another"}))
        with pytest.raises(IntegrityError):
            uow.session.flush()


def test_121_a_weak_or_expired_certificate_is_not_accepted(house: House) -> None:
    row = proposed(house, key_of("VENDOR old", start=NOW - timedelta(days=20), days=21))
    house.later(days=5)
    with pytest.raises(CannotDecide, match=r"it expired on .*; reject it"):
        accept(house.gateway, row.id)
    assert len(house.policy().signing_certificates) == 1
    reject(house.gateway, row.id, "expired")


def test_121_more_certificates_than_a_file_may_name_are_not_accepted(house: House) -> None:
    row = proposed(house)
    full = pinned(*(key_of(f"them {n}", "p-256").certificate for n in range(CERTIFICATES_MAX - 1)))
    present = pinned(house.partner.key.certificate)
    house.agree(certificate_exchange=True, signing_certificates=(*present, *full))
    with pytest.raises(CannotDecide, match="10 certificates are pinned already"):
        accept(house.gateway, row.id)
    house.agree(certificate_exchange=True, signing_certificates=(*present, *full[1:]))
    accept(house.gateway, row.id)


@pytest.mark.parametrize(
    ("change", "says"),
    [
        ({"certificate_exchange": False}, "certificate_exchange = true agrees it"),
        ({"certificate_exchange": True, "require_signature": False}, "it is not signed"),
    ],
)
def test_121_what_is_not_agreed_or_not_signed_is_parked(house: House, change: dict[str, bool], says: str) -> None:
    house.agree(**change)
    transmission = receive(house, request_of_theirs(), signed="require_signature" not in change)
    assert house.row(transmission).state is TransmissionState.PARKED
    assert says in house.row(transmission).reason
    assert proposals(house) == []
    assert house.alerts() == ["alert.transmission-parked"]


@pytest.mark.parametrize(
    ("message", "says"),
    [
        (lambda: request_of_theirs(sender="SOMEBODY"), "it speaks for 'SOMEBODY', and 'VENDOR' sent it"),
        (lambda: (XML_TYPE, b"<x/>"), "no certificate exchange message"),
        (lambda: (f'multipart/related; type="{XML_TYPE}"; boundary=x', b"--x\r\n"), "closing delimiter"),
        (lambda: packed([(XML_TYPE, b'<!DOCTYPE a [<!ENTITY b "c">]><a>&b;</a>')], "r@v"), "DOCTYPE"),
    ],
)
def test_121_what_cannot_be_read_is_parked_with_the_reason(house: House, message: object, says: str) -> None:
    transmission = receive(house, message())  # type: ignore[operator]
    assert house.row(transmission).state is TransmissionState.PARKED
    assert says in house.row(transmission).reason
    assert proposals(house) == []


# --- ours -----------------------------------------------------------------------------------------------------------


def ours(in_days: int = 20, uses: frozenset[KeyUse] | None = None) -> OwnKey:
    own = OwnKey("ours-next", NOW + timedelta(days=in_days), OURS_NEXT)
    return replace(own, uses=uses) if uses else own


def answer_of_theirs(house: House, status: Status, reason: str = "", number: int = 5, **changes: object) -> str:
    (row,) = [row for row in proposals(house) if row.direction is ProposalDirection.OUT]
    certificate = OURS_NEXT.certificate
    answer = TrustResponse(issuer=certificate.issuer, serial=certificate.serial, status=status, reason=reason)
    response = ExchangeResponse(
        request_id=row.request_id, sender="VENDOR", originated=NOW, responses=(replace(answer, **changes),)
    )
    return receive(house, packed([(XML_TYPE, write_response(response))], f"{number}@vendor"), number)


def test_121_our_next_certificate_is_announced(house: House) -> None:
    (row,) = announce(house.gateway, ours(), [house.partnership])
    request = sent_to_partner(house)
    assert isinstance(request, ExchangeRequest)
    assert (request.request_id, request.sender) == (row.request_id, "MARKETPLACE")
    (asked,) = request.requests
    assert (asked.certificate, asked.usages) == (OURS_NEXT.certificate, BOTH)
    assert asked.respond_by == NOW + timedelta(days=20)  # when the key begins to serve
    assert asked.response_url == "http://gateway.example/as2"
    assert (row.direction, row.state) == (ProposalDirection.OUT, ProposalState.PENDING)
    assert house.row(row.transmission_id or "").state is TransmissionState.ACKNOWLEDGED
    assert announce(house.gateway, ours(), [house.partnership]) == []  # once


@pytest.mark.parametrize(
    ("uses", "expected"),
    [
        ({KeyUse.SIGNING}, {Usage.SIGNATURE}),
        ({KeyUse.ENCRYPTION}, {Usage.ENCRYPTION}),
        ({KeyUse.TLS}, {Usage.TLS_CLIENT}),
    ],
)
def test_121_what_our_key_is_for_is_said(house: House, uses: set[KeyUse], expected: set[Usage]) -> None:
    announce(house.gateway, ours(uses=frozenset(uses)), [house.partnership])
    request = sent_to_partner(house)
    assert isinstance(request, ExchangeRequest)
    assert request.requests[0].usages == expected


def test_121_nobody_is_asked_who_has_not_agreed(house: House) -> None:
    house.agree(certificate_exchange=False)
    assert announce(house.gateway, ours(), [house.partnership]) == []
    assert house.rows() == []


def test_020_121_cem_is_announced_only_where_it_is_agreed(house: House) -> None:
    """RFC 6017 §3: what a feature's name stands for has to be understood by who sends it."""
    for agreed, expected in ((True, "CEM"), (False, "")):
        relationship = house.partner.relationship(certificate_exchange=agreed)
        sealed = seal(io.BytesIO(b"x"), relationship, message_id="<1@us>", now=NOW, filename="", spool=io.BytesIO)
        assert Headers(sealed.headers).get("EDIINT-Features") == expected


def test_121_their_yes_and_their_no_are_kept(house: House) -> None:
    announce(house.gateway, ours(), [house.partnership])
    transmission = answer_of_theirs(house, Status.ACCEPTED)
    (row,) = proposals(house)
    assert (row.state, row.answer_id, row.decided_at) == (ProposalState.ACCEPTED, transmission, house.now)
    assert house.alerts() == []
    answer_of_theirs(house, Status.REJECTED, "changed our minds", number=6)
    assert proposals(house)[0].state is ProposalState.ACCEPTED  # the first answer counts
    assert [event.reason for event in house.events("certificate.answered-again")] == [
        "vendor answers again: Rejected; it was accepted"
    ]


def test_121_a_rejection_is_an_alert_and_may_be_asked_again(house: House) -> None:
    announce(house.gateway, ours(), [house.partnership])
    answer_of_theirs(house, Status.REJECTED, "too short")
    (row,) = proposals(house)
    assert (row.state, row.reason) == (ProposalState.REJECTED, "too short")
    assert house.alerts() == ["alert.certificate-rejected"]
    assert len(announce(house.gateway, ours(), [house.partnership])) == 1


def test_121_an_answer_to_what_was_never_asked_changes_nothing(house: House) -> None:
    announce(house.gateway, ours(), [house.partnership])
    transmission = answer_of_theirs(house, Status.ACCEPTED, serial=4711)
    assert proposals(house)[0].state is ProposalState.PENDING
    assert house.alerts() == ["alert.certificate-answer-unknown"]
    assert house.row(transmission).state is TransmissionState.UNPACKED


# --- dates ----------------------------------------------------------------------------------------------------------


def test_121_an_operator_is_told_in_time_that_an_answer_is_due(house: House) -> None:
    proposed(house)
    house.now = UNTIL - timedelta(days=2, seconds=1)
    assert alert_overdue(house.gateway) == 0
    house.later(seconds=1)
    assert alert_overdue(house.gateway) == 1
    assert alert_overdue(house.gateway) == 0  # once
    assert (
        house.events("alert.certificate-decision-due")[0].reason == "vendor expects an answer by 2026-12-22 12:00 UTC"
    )


def test_121_a_partner_that_does_not_answer_is_an_alert(house: House) -> None:
    announce(house.gateway, ours(), [house.partnership], NOW + timedelta(days=7))
    house.later(days=7)
    assert alert_overdue(house.gateway) == 0
    house.later(seconds=1)
    assert alert_overdue(house.gateway) == 1
    assert "vendor has not answered by 2026-11-29" in house.events("alert.certificate-unanswered")[0].reason


def test_121_what_was_decided_or_has_no_date_is_not_due(house: House) -> None:
    row = proposed(house, until=None)
    house.later(days=400)
    assert alert_overdue(house.gateway) == 0
    assert row.respond_by is None
