"""What a partner POSTs: kept, judged, committed, answered. Each refusal names its clause and keeps its bytes."""

from __future__ import annotations

import io
import threading
from pathlib import Path

import pytest
from sqlalchemy.exc import OperationalError

from edi_gateway.as2.algorithms import Digest
from edi_gateway.as2.disposition import Disposition
from edi_gateway.as2.errors import RelationshipFault
from edi_gateway.as2.headers import Headers
from edi_gateway.as2.inbound import open_report
from edi_gateway.as2.mic import Mic
from edi_gateway.as2.opened import OpenedReport, Trust
from edi_gateway.gateway.receive import HttpAnswer, receive, refuse_oversized
from edi_gateway.gateway.sweep import sweep
from edi_gateway.store.partnerships import PartnershipState
from edi_gateway.store.payloads import SMALL_BYTES_MAX
from edi_gateway.store.transmissions import ReceiptMode, Seal, TransmissionKind, TransmissionState
from tests.house import BODY_BYTES_MAX, NAME, Crash, House, status, text, unreachable
from tests.partner import NOW, ORDERS, Posted, SimulatedPartner, key_of

MDN_URL = "http://vendor.example/mdn"


def mdn_in(house: House, answer: HttpAnswer) -> OpenedReport:
    """The receipt as the partner reads it."""
    own = house.partner.own_relationship()
    report = open_report(Headers(answer.headers), io.BytesIO(answer.body), own, io.BytesIO, NOW)
    assert isinstance(report, OpenedReport), report
    return report


def said(house: House, answer: HttpAnswer) -> Disposition:
    return mdn_in(house, answer).report.disposition


# --- accepted -------------------------------------------------------------------------------------------------------


def test_a_message_is_kept_and_acknowledged(house: House) -> None:
    posted = house.message(ORDERS)
    answer = house.post(posted)
    receipt = mdn_in(house, answer)
    assert (answer.status, receipt.trust) == (200, Trust.SIGNED)
    assert receipt.report.disposition.status == "processed"
    row = house.only()
    assert (row.state, row.partnership, row.message_id) == (TransmissionState.RECEIVED, NAME, "<1@vendor.example>")
    assert house.kept(row.raw_sha256) == posted.body
    assert house.kept(row.payload_sha256) == ORDERS
    assert receipt.report.mic is not None
    assert row.mic == receipt.report.mic.render()
    assert ("unpack", row.id, None) in house.woken
    assert house.steps(row.id) == ["received"]


def test_the_receipt_that_was_answered_is_the_one_that_was_committed(house: House) -> None:
    answer = house.post(house.message())
    (kept,) = house.receipts()
    assert (kept.body, tuple((n, v) for n, v in kept.headers)) == (answer.body, answer.headers)


def test_without_a_wish_for_a_receipt_there_is_none(house: House) -> None:
    answer = house.post(house.message(Disposition_Notification_To=None))
    assert (answer.status, answer.body, house.receipts()) == (200, b"", [])
    assert house.only().state is TransmissionState.RECEIVED


def test_unsigned_receipt_where_none_signed_is_asked_for(house: House) -> None:
    answer = house.post(house.message(Disposition_Notification_Options=None))
    assert mdn_in(house, answer).trust is Trust.UNSIGNED


# --- refused --------------------------------------------------------------------------------------------------------


def refused(house: House, posted: Posted) -> HttpAnswer:
    """Post it; what came is visible in the store with the reason, and nothing was unpacked."""
    answer = house.post(posted)
    row = house.rows()[-1]
    assert row.state is TransmissionState.REFUSED
    assert row.reason
    assert house.kept(row.raw_sha256) == posted.body
    assert row.payload_sha256 is None
    assert [task for task, *_ in house.woken] == []
    return answer


def test_021_unknown_as2_name_is_answered_unsigned_rfc4130_6_2(house: House) -> None:
    answer = refused(house, house.message(AS2_From="STRANGER"))
    receipt = mdn_in(house, answer)
    assert (answer.status, receipt.trust) == (200, Trust.UNSIGNED)
    assert receipt.report.disposition.status == "processed/error: unknown-trading-relationship"  # draft bis §8.5.4
    assert "'STRANGER'" in house.only().reason
    assert house.only().partnership is None


def test_as2_names_are_case_sensitive_rfc4130_6_2(house: House) -> None:
    answer = refused(house, house.message(AS2_From="vendor"))
    assert said(house, answer).extension == "unknown-trading-relationship"


def test_a_suspended_partnership_is_unknown_rfc4130_6_2(house: House) -> None:
    house.agree(PartnershipState.SUSPENDED)
    assert said(house, refused(house, house.message())).extension == "unknown-trading-relationship"


def test_006_083_unsigned_where_a_signature_is_agreed_rfc4130_7_5_3(house: House) -> None:
    answer = refused(house, house.partner.post(house.partner.encrypted(house.partner.entity())))
    assert said(house, answer).status == "processed/error: insufficient-message-security"
    assert mdn_in(house, answer).trust is Trust.SIGNED  # signed also for errors


def test_unencrypted_where_encryption_is_agreed_rfc4130_7_5_3(house: House) -> None:
    answer = refused(house, house.partner.post(house.partner.signed(house.partner.entity())))
    assert said(house, answer).status == "processed/error: insufficient-message-security"


def test_signed_with_a_certificate_that_is_not_pinned_rfc4130_7_5_3(house: House) -> None:
    forged = house.partner.signed(house.partner.entity(), key=key_of("SOMEBODY"))
    answer = refused(house, house.partner.post(house.partner.encrypted(forged)))
    assert said(house, answer).status == "processed/error: authentication-failed"


def test_changed_content_rfc4130_7_5_3(house: House) -> None:
    signature = house.partner.signature(house.partner.entity(b"another"))
    forged = house.partner.signed(house.partner.entity(), signature=signature)
    answer = refused(house, house.partner.post(house.partner.encrypted(forged)))
    assert said(house, answer).status == "processed/error: integrity-check-failed"


def test_encrypted_for_somebody_else_rfc4130_7_5_3(house: House) -> None:
    stranger = key_of("SOMEBODY").certificate
    entity = house.partner.encrypted(house.partner.signed(house.partner.entity()), recipients=(stranger,))
    assert said(house, refused(house, house.partner.post(entity))).status == "processed/error: decryption-failed"


def test_broken_cms_rfc4130_7_5_3(house: House) -> None:
    whole = house.message()
    broken = Posted(whole.headers, whole.body[: len(whole.body) // 2])
    assert said(house, refused(house, broken)).status == "processed/error: decryption-failed"


@pytest.mark.parametrize("rubbish", [b"", b"\0" * 500, b"GET / HTTP/1.1\r\n\r\n", bytes(range(256)) * 20])
def test_rubbish_bytes_rfc4130_7_5_3(house: House, rubbish: bytes) -> None:
    answer = refused(house, Posted(house.message().headers, rubbish))
    assert said(house, answer).status == "processed/error: unexpected-processing-error"


def test_plain_rubbish_under_a_plain_type_rfc4130_7_5_3(house: House) -> None:
    answer = refused(house, house.partner.post(house.partner.entity(b"\0\1\2rubbish")))
    assert said(house, answer).status == "processed/error: insufficient-message-security"


def test_sender_equals_receiver_rfc4130_7_5_4(house: House) -> None:
    answer = refused(house, house.message(AS2_From="MARKETPLACE"))
    assert said(house, answer).status == "failed/Failure: sender-equals-receiver"


def test_malformed_message_id_draft_bis_5_3_3(house: House) -> None:
    answer = refused(house, house.message(message_id="<with space@vendor.example>"))
    assert said(house, answer).status == "processed/error: invalid-message-id"


def test_a_message_without_message_id_draft_bis_5_3_3(house: House) -> None:
    answer = refused(house, house.message(Message_ID=None))
    assert answer.status == 200
    assert b"invalid-message-id" in answer.body


def test_receipt_algorithms_that_are_none_of_ours_rfc4130_7_3(house: House) -> None:
    wish = "signed-receipt-protocol=required, pkcs7-signature; signed-receipt-micalg=required, whirlpool"
    answer = refused(house, house.message(Disposition_Notification_Options=wish))
    receipt = mdn_in(house, answer)
    assert receipt.report.disposition.status == "failed/Failure: unsupported MIC-algorithms"
    assert receipt.trust is Trust.UNSIGNED  # draft bis §8.3: an algorithm that is not listed must not be used


def test_as2_headers_that_cannot_be_read_rfc4130_6_2(house: House) -> None:
    answer = refused(house, house.message(AS2_To=None))
    assert (answer.status, house.only().as2_from) == (400, None)


def test_no_as2_at_all_is_not_kept(house: House) -> None:
    answer = receive(house.gateway, [("Host", "x"), ("Content-Type", "text/plain")], io.BytesIO(b"hello"))
    assert (answer.status, house.rows()) == (400, [])
    assert "RFC 4130" in text(answer)


def test_refused_without_a_wish_for_a_receipt_is_a_4xx(house: House) -> None:
    """A bare 2xx would look like success."""
    entity = house.partner.signed(house.partner.entity())
    answer = refused(house, house.partner.post(entity, Disposition_Notification_To=None))
    assert (answer.status, house.receipts()) == (403, [])


# --- the bound of the body ------------------------------------------------------------------------------------------


@pytest.mark.parametrize(("size", "expected"), [(BODY_BYTES_MAX, 200), (BODY_BYTES_MAX + 1, 413)])
def test_a_body_over_the_limit_rfc9110_15_5_14(house: House, size: int, expected: int) -> None:
    answer = house.post(Posted(house.message().headers, b"x" * size))
    row = house.only()
    assert (answer.status, row.state) == (expected, TransmissionState.REFUSED)
    if expected == 413:
        assert row.raw_sha256 is None
        assert "limits.body_bytes_max" in row.reason
        assert row.partnership == NAME


def test_what_the_server_refused_for_its_size_is_recorded(house: House) -> None:
    refuse_oversized(house.gateway, list(house.message().headers), "99999999")
    assert "99999999 bytes were announced" in house.only().reason
    refuse_oversized(house.gateway, [("Host", "scanner")], "99999999")
    assert len(house.rows()) == 1


# --- duplicates -----------------------------------------------------------------------------------------------------


def test_106_the_same_bytes_again_get_the_stored_receipt_byte_for_byte_rfc4130_5_5(house: House) -> None:
    posted = house.message()
    first = house.post(posted)
    house.later(minutes=5)
    again = house.post(posted)
    assert again == first
    assert len(house.rows()) == len(house.receipts()) == 1
    assert [task for task, *_ in house.woken] == ["unpack"]
    assert [event.details["same_bytes"] for event in house.events("transmission.duplicate")] == [True]


def test_106_the_same_content_sealed_anew_is_a_duplicate_rfc4130_5_5(house: House) -> None:
    """Some products sign and encrypt anew on a retry: other bytes, the same MIC."""
    first, sealed_anew = house.message(), house.message()
    assert first.body != sealed_anew.body
    answer = house.post(first)
    assert house.post(sealed_anew) == answer
    assert len(house.rows()) == 1
    assert [event.details["same_bytes"] for event in house.events("transmission.duplicate")] == [False]


def test_108_the_same_message_id_with_other_content_rfc4130_5_5(house: House) -> None:
    house.post(house.message(ORDERS))
    house.woken.clear()
    answer = refused(house, house.message(ORDERS + b"changed"))
    assert said(house, answer).status == "processed/error: unexpected-processing-error"
    assert house.alerts() == ["alert.message-id-reused"]
    assert [row.state for row in house.rows()] == [TransmissionState.RECEIVED, TransmissionState.REFUSED]


def test_the_same_message_id_of_another_partner_is_another(house: House) -> None:
    other = SimulatedPartner(name="OTHER")
    house.post(house.message())
    answer = house.post(house.message(AS2_From=other.name))
    assert answer.status == 200
    assert [row.state for row in house.rows()] == [TransmissionState.RECEIVED, TransmissionState.REFUSED]


def test_109_a_refused_message_may_be_sent_again_under_its_id(house: House) -> None:
    house.agree(signing_certificates=())
    posted = house.message()
    assert said(house, house.post(posted)).extension == "authentication-failed"
    house.agree()  # it was our configuration
    assert said(house, house.post(posted)).status == "processed"
    assert [row.state for row in house.rows()] == [TransmissionState.REFUSED, TransmissionState.RECEIVED]


def test_107_two_at_the_same_time_are_one(house: House) -> None:
    """The unique key decides, whoever is faster; both get the receipt that was kept."""
    posted, answers = house.message(), []
    barrier = threading.Barrier(4)

    def post() -> None:
        barrier.wait()
        answers.append(house.post(posted))

    threads = [threading.Thread(target=post) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len({answer.body for answer in answers}) == 1
    assert len(house.rows()) == len(house.receipts()) == 1


def test_a_duplicate_that_asks_for_a_receipt_for_the_first_time(house: House) -> None:
    posted = house.message(Disposition_Notification_To=None)
    house.post(posted)
    asking = posted.with_headers(Disposition_Notification_To="mdn@vendor.example")
    answer = house.post(asking)
    assert said(house, answer).status == "processed"
    assert house.post(asking) == answer


# --- asynchronous receipts ------------------------------------------------------------------------------------------


@pytest.mark.parametrize(("version", "expected"), [("1.2", 200), ("1.3", 204)])
def test_080_099_an_asynchronous_receipt_is_a_transmission_of_its_own(
    house: House, version: str, expected: int
) -> None:
    house.agree(mdn_url=MDN_URL)
    answer = house.post(house.message(Receipt_Delivery_Option=MDN_URL, AS2_Version=version))
    assert (answer.status, answer.body) == (expected, b"")
    message, receipt = house.rows()
    assert (message.receipt_mode, receipt.kind) == (ReceiptMode.ASYNC, TransmissionKind.RECEIPT)
    assert (receipt.answers_id, receipt.url, receipt.state) == (message.id, MDN_URL, TransmissionState.QUEUED)
    assert ("dispatch", NAME, None) in house.woken

    house.network.answers = [status(204)]
    assert house.dispatch()
    ((request, body),) = house.network.requests
    assert request.url == MDN_URL
    assert said(house, HttpAnswer(200, request.headers, body)).status == "processed"
    assert house.row(receipt.id).state is TransmissionState.SENT


def test_a_duplicate_of_an_asynchronous_one_posts_the_stored_receipt_again(house: House) -> None:
    house.agree(mdn_url=MDN_URL)
    posted = house.message(Receipt_Delivery_Option=MDN_URL)
    house.post(posted)
    house.post(posted)  # before it went out: nothing more to do
    house.network.answers = [status(200)]
    assert [house.dispatch(), house.dispatch()] == [True, False]
    house.post(posted)  # it was lost on the way
    assert [house.dispatch(), house.dispatch()] == [True, False]
    (first, first_body), (second, second_body) = house.network.requests
    assert (first.headers, first_body) == (second.headers, second_body)
    assert len(house.rows()) == 2


def test_a_refusal_is_told_asynchronously_too(house: House) -> None:
    house.agree(mdn_url=MDN_URL)
    unsigned = house.partner.encrypted(house.partner.entity())
    house.post(house.partner.post(unsigned, Receipt_Delivery_Option=MDN_URL))
    house.network.answers = [status(200)]
    house.dispatch()
    ((request, body),) = house.network.requests
    assert said(house, HttpAnswer(200, request.headers, body)).extension == "insufficient-message-security"


@pytest.mark.parametrize(
    "url",
    [
        "http://169.254.169.254/latest/meta-data",
        "http://127.0.0.1:5432/",
        "http://vendor.example@evil.example/mdn",
        "http://evil.example/mdn",
        "https://vendor.example/mdn",
    ],
)
def test_a_receipt_goes_nowhere_but_to_the_agreed_url(house: House, url: str) -> None:
    """The address comes from outside: no connection is opened, and the partner is told by the status."""
    house.agree(mdn_url=MDN_URL)
    answer = refused(house, house.message(Receipt_Delivery_Option=url))
    assert answer.status == 403
    assert not house.dispatch()
    assert house.network.requests == []


@pytest.mark.parametrize("url", ["mailto:mdn@vendor.example", "ftp://vendor.example/mdn"])
def test_082_a_receipt_by_mail_is_refused_in_the_answer(house: House, url: str) -> None:
    """RFC 4130 §7.2 allows mail; our policy does not. The sender reads so in a signed MDN, and nothing is delivered."""
    answer = refused(house, house.message(Receipt_Delivery_Option=url))
    receipt = mdn_in(house, answer)
    assert (answer.status, receipt.trust) == (200, Trust.SIGNED)
    assert receipt.report.disposition.status == "failed/Failure: unsupported format"
    assert house.only().receipt_mode is ReceiptMode.SYNC
    assert "http or https" in house.only().reason
    assert not house.dispatch()


@pytest.mark.parametrize("version", ["1.2", "1.3"])
@pytest.mark.parametrize("agreed", [200, 202, 204])
def test_099_the_status_before_an_asynchronous_receipt_can_be_agreed_draft_bis_8_2(
    house: House, version: str, agreed: int
) -> None:
    house.agree(mdn_url=MDN_URL, async_status=agreed)
    posted = house.message(Receipt_Delivery_Option=MDN_URL, AS2_Version=version)
    assert [house.post(posted).status for _ in range(2)] == [agreed, agreed]  # also for a duplicate
    synchronous = house.message(message_id="<2@vendor.example>", Disposition_Notification_To=None)
    assert house.post(synchronous).status == 200


def test_101_an_http_error_on_an_asynchronous_receipt_is_retried(house: House) -> None:
    """With the same bytes under the same Message-ID, until it is taken."""
    house.agree(mdn_url=MDN_URL)
    house.post(house.message(Receipt_Delivery_Option=MDN_URL))
    receipt = house.rows()[-1]
    house.network.answers = [status(503), unreachable, status(204)]
    for state in (TransmissionState.QUEUED, TransmissionState.QUEUED, TransmissionState.SENT):
        assert house.dispatch()
        assert house.row(receipt.id).state is state
        house.later(hours=1)
    assert len({(request.headers, body) for request, body in house.network.requests}) == 1


def test_101_an_asynchronous_receipt_that_nobody_takes_is_parked_and_seen(house: House) -> None:
    house.agree(mdn_url=MDN_URL, attempts_max=2)
    house.post(house.message(Receipt_Delivery_Option=MDN_URL))
    house.network.answers = [status(500)]
    for _ in range(4):
        house.dispatch()
        house.later(hours=3)
    assert house.rows()[-1].state is TransmissionState.PARKED
    assert house.alerts() == ["alert.transmission-parked"]


def test_a_stranger_gets_no_asynchronous_receipt(house: House) -> None:
    answer = refused(house, house.message(AS2_From="STRANGER", Receipt_Delivery_Option="http://evil.example/"))
    assert answer.status == 403
    assert not house.dispatch()


# --- our own faults -------------------------------------------------------------------------------------------------


def test_if_the_commit_fails_nothing_is_promised(house: House, monkeypatch: pytest.MonkeyPatch) -> None:
    """No answer, no row; the partner sends the same again and all is well."""

    def full(*arguments: object) -> None:
        raise OperationalError("INSERT", {}, Exception("database or disk is full"))

    posted = house.message()
    with monkeypatch.context() as patch:
        patch.setattr("sqlalchemy.Connection.commit", full)
        with pytest.raises(OperationalError):
            house.post(posted)
    assert (house.rows(), house.woken) == ([], [])
    assert said(house, house.post(posted)).status == "processed"
    assert house.only().state is TransmissionState.RECEIVED


def test_if_the_payload_cannot_be_kept_nothing_is_promised(house: House) -> None:
    """A large one; a small one is part of the commit."""
    scratch = Path(house.folder / "payloads" / "incoming")
    scratch.rename(scratch.with_name("gone"))
    with pytest.raises(OSError, match="incoming"):
        house.post(house.message(b"x" * SMALL_BYTES_MAX))
    assert house.rows() == []


def test_without_a_valid_key_of_ours_nothing_is_promised_and_an_operator_hears_of_it(house: House) -> None:
    house.later(days=400)  # our certificate has expired
    with pytest.raises(RelationshipFault, match="key of ours"):
        house.post(house.message())
    assert house.rows() == []
    assert house.alerts() == ["alert.relationship-fault"]


# --- crashes --------------------------------------------------------------------------------------------------------


def die(*arguments: object, **named: object) -> None:
    raise Crash


@pytest.mark.parametrize(
    "edge",
    [
        "edi_gateway.store.payloads.PayloadStore.put",
        "edi_gateway.store.payloads.os.fsync",
        "edi_gateway.gateway.receive.open_transmission",
        "edi_gateway.gateway.receive.compose",
        "edi_gateway.store.database.append",  # in T1, before its commit
        "sqlalchemy.Connection.commit",
    ],
)
def test_111_a_crash_before_the_commit_leaves_nothing_that_was_promised(
    house: House, monkeypatch: pytest.MonkeyPatch, edge: str
) -> None:
    posted = house.message(b"x" * SMALL_BYTES_MAX)  # sealed, it is large enough for a file
    with monkeypatch.context() as patch:
        patch.setattr(edge, die)
        with pytest.raises(Crash):
            house.post(posted)
    house.restart()
    assert house.rows() == []
    assert said(house, house.post(posted)).status == "processed"
    assert house.only().state is TransmissionState.RECEIVED


def test_111_a_crash_after_the_commit_and_before_the_answer(house: House) -> None:
    """The partner has no MDN and sends again: he gets the one that was kept, and nothing is processed twice."""
    posted = house.message()
    waking = house.gateway.database.wake
    house.gateway.database.wake = die  # the first thing after the commit
    with pytest.raises(Crash):
        house.post(posted)
    house.gateway.database.wake = waking
    house.restart()
    (kept,) = house.receipts()
    assert house.post(posted).body == kept.body
    assert house.only().state is TransmissionState.RECEIVED
    house.woken.clear()
    sweep(house.gateway)
    assert house.woken == [("unpack", house.only().id, None)]


@pytest.mark.parametrize(
    "size", [100, SMALL_BYTES_MAX - 1, SMALL_BYTES_MAX, SMALL_BYTES_MAX + 1, SMALL_BYTES_MAX * 3 // 2]
)
def test_the_mic_is_the_same_in_a_row_in_memory_and_in_a_file(house: House, size: int) -> None:
    """RFC 4130 §7.3.1: over the header block and the content that were signed, both ways, whatever keeps the bytes."""
    payload = (ORDERS * (size // len(ORDERS) + 1))[:size]
    house.post(house.message(payload))
    received = house.only()
    assert house.kept(received.payload_sha256) == payload
    assert received.mic == Mic(Digest.SHA256.of(house.partner.entity(payload)), Digest.SHA256, "sha-256").render()
    sent = house.row(house.send(payload))
    house.dispatch()
    with house.gateway.database.read() as view:
        seal = view.session.get(Seal, sent.id)
        assert seal is not None
    mic = Mic(Digest.SHA256.of(seal.head + payload), Digest.SHA256, "sha-256")
    assert house.row(sent.id).mic == mic.render()
    assert house.row(sent.id).state is TransmissionState.ACKNOWLEDGED  # the partner's engine has found the same
