"""Asynchronous MDNs: the first that decides wins, nothing else changes anything."""

from __future__ import annotations

import io
import random

import pytest

from edi_gateway.as2.algorithms import Digest
from edi_gateway.as2.disposition import DECRYPTION_FAILED, PROCESSED
from edi_gateway.as2.headers import Headers, read_request
from edi_gateway.as2.inbound import open_transmission
from edi_gateway.as2.mdn import compose
from edi_gateway.as2.mic import TABLE_BYTES_MAX, TABLE_DIGESTS, Mic
from edi_gateway.as2.opened import Opened
from edi_gateway.as2.outbound import seal
from edi_gateway.gateway.settle import RECEIPTS_MAX
from edi_gateway.gateway.sweep import sweep
from edi_gateway.partnership import Compression, MdnMode
from edi_gateway.store.transmissions import Seal, TransmissionKind, TransmissionState
from edi_gateway.transport.http import Answer, Outgoing
from tests.house import NAME, House, status, timeout
from tests.partner import NOW, ORDERS, Posted, key_of

ACKNOWLEDGED, REFUSED = TransmissionState.ACKNOWLEDGED, TransmissionState.REFUSED


@pytest.fixture(autouse=True)
def asynchronous(house: House) -> None:
    house.agree(mdn_mode=MdnMode.ASYNC)
    house.network.answers = [status(204)]


def delivered(house: House) -> str:
    sent = house.send()
    house.dispatch()
    assert house.row(sent).state is TransmissionState.AWAITING_MDN
    return sent


def mdn(house: House, **wishes: object) -> Posted:
    """The partner's MDN for what he received last."""
    request, body = house.network.requests[-1]
    answer = house.network.mdn(request, body, **wishes)  # type: ignore[arg-type]  # a disposition
    return Posted(Headers(answer.headers), answer.body)


def test_a_positive_mdn_decides(house: House) -> None:
    sent = delivered(house)
    house.later(minutes=3)
    answer = house.post(mdn(house))
    row = house.row(sent)
    assert (answer.status, answer.body) == (200, b"")
    assert (row.state, row.settled_at, row.due_at) == (ACKNOWLEDGED, house.now, None)
    came = house.rows()[-1]
    assert (came.kind, came.state, came.answers_id) == (TransmissionKind.RECEIPT, TransmissionState.SETTLED, sent)
    assert house.kept(came.raw_sha256)


def test_a_negative_mdn_decides(house: House) -> None:
    sent = delivered(house)
    house.post(mdn(house, disposition=DECRYPTION_FAILED))
    assert house.row(sent).state is REFUSED
    assert house.row(sent).disposition == "processed/error: decryption-failed"


def test_the_same_mdn_twice_is_one(house: House) -> None:
    sent = delivered(house)
    posted = mdn(house)
    assert house.post(posted).status == house.post(posted).status == 200
    assert len(house.receipts()) == 1
    assert house.row(sent).state is ACKNOWLEDGED


def test_the_first_that_decides_wins_and_a_contradiction_alerts(house: House) -> None:
    sent = delivered(house)
    house.post(mdn(house))
    negative = mdn(house, disposition=DECRYPTION_FAILED)
    house.post(negative.with_headers(Message_ID="<another@vendor.example>"))
    assert house.row(sent).state is ACKNOWLEDGED
    assert house.alerts() == ["alert.receipt-contradicts"]
    assert [receipt.outcome for receipt in house.receipts()] == ["acknowledged", "refused"]


def test_an_agreeing_second_one_is_only_noted(house: House) -> None:
    delivered(house)
    house.post(mdn(house))
    house.post(mdn(house).with_headers(Message_ID="<another@vendor.example>"))
    assert house.alerts() == []
    assert len(house.events("transmission.receipt-repeated")) == 1


def test_098_an_mdn_for_an_unknown_message_id_changes_nothing(house: House) -> None:
    sealed = house.partner.sealed_by_gateway(message_id="<nobody@gateway.example>")
    answer = house.post(house.partner.answer(sealed))
    assert (answer.status, house.only().state) == (200, REFUSED)
    assert "<nobody@gateway.example>" in house.only().reason
    assert house.receipts() == []


def test_an_mdn_signed_by_somebody_else_changes_nothing(house: House) -> None:
    sent = delivered(house)
    sealed = house.partner.sealed_by_gateway(message_id=house.row(sent).message_id or "")
    assert house.post(house.partner.answer(sealed, key=key_of("SOMEBODY"))).status == 200
    assert house.row(sent).state is TransmissionState.AWAITING_MDN
    assert house.alerts() == ["alert.receipt-rejected"]


def test_an_unsigned_mdn_where_a_signed_one_was_asked_for_changes_nothing(house: House) -> None:
    sent = delivered(house)
    sealed = house.partner.sealed_by_gateway(message_id=house.row(sent).message_id or "")
    house.post(house.partner.answer(sealed, signed=False))
    assert house.row(sent).state is TransmissionState.AWAITING_MDN


def test_an_mdn_under_the_names_of_another_partner_is_unknown(house: House) -> None:
    sent = delivered(house)
    house.post(mdn(house).with_headers(AS2_From="OTHER"))
    assert house.row(sent).state is TransmissionState.AWAITING_MDN


def test_a_forged_mdn_does_not_take_the_message_id_of_the_real_one(house: House) -> None:
    sent = delivered(house)
    real = mdn(house)
    sealed = house.partner.sealed_by_gateway(message_id=house.row(sent).message_id or "")
    forged = house.partner.answer(sealed, key=key_of("SOMEBODY"))
    house.post(forged.with_headers(Message_ID=real.headers.one("Message-ID")))
    house.post(real)
    assert house.row(sent).state is ACKNOWLEDGED


def test_an_mdn_without_a_message_id_of_its_own_draft_bis_8_4(house: House) -> None:
    sent = delivered(house)
    house.post(mdn(house).with_headers(Message_ID=None))
    assert house.row(sent).state is ACKNOWLEDGED


def test_an_mdn_that_is_none_is_a_4xx(house: House) -> None:
    report = house.partner.report(b"Content-Type: message/disposition-notification\r\n\r\nnothing\r\n")
    answer = house.post(house.partner.mdn(house.partner.signed(report)))
    assert (answer.status, house.only().state, house.only().kind) == (400, REFUSED, TransmissionKind.RECEIPT)


def test_what_is_kept_of_receipts_is_bounded(house: House) -> None:
    delivered(house)
    for number in range(RECEIPTS_MAX + 3):
        house.post(mdn(house).with_headers(Message_ID=f"<{number}@vendor.example>"))
    assert len(house.receipts()) == RECEIPTS_MAX


def test_an_mdn_that_comes_before_our_post_is_answered(house: House) -> None:
    """Some partners post the MDN while they still hold our connection."""
    sent = house.send()

    def hasty(request: Outgoing, body: bytes) -> Answer:
        answer = house.network.mdn(request, body)
        house.post(Posted(Headers(answer.headers), answer.body))
        return Answer(204, (), b"")

    house.network.answers = [hasty]
    house.dispatch()
    assert house.row(sent).state is ACKNOWLEDGED


def test_an_mdn_between_two_attempts_saves_the_second(house: House) -> None:
    sent = house.send()
    house.network.answers = [timeout]
    house.dispatch()
    house.post(mdn(house))
    assert house.row(sent).state is ACKNOWLEDGED
    house.later(hours=1)
    assert not house.dispatch()


def test_110_an_overdue_mdn_is_asked_for_with_the_same_bytes(house: House) -> None:
    sent = delivered(house)
    house.later(minutes=16)
    sweep(house.gateway)
    assert house.row(sent).state is TransmissionState.QUEUED
    assert house.alerts() == ["alert.mdn-overdue"]
    house.later(minutes=6)
    sweep(house.gateway)
    assert ("dispatch", NAME, None) in house.woken
    house.dispatch()
    (first, first_body), (second, second_body) = house.network.requests
    assert (first.headers, first_body) == (second.headers, second_body)
    house.post(mdn(house))
    assert house.row(sent).state is ACKNOWLEDGED


def test_110_an_mdn_that_never_comes_parks(house: House) -> None:
    house.agree(mdn_mode=MdnMode.ASYNC, attempts_max=2)
    sent = delivered(house)
    for _ in range(10):
        house.later(hours=1)
        sweep(house.gateway)
        house.dispatch()
    assert (house.row(sent).state, house.row(sent).attempts) == (TransmissionState.PARKED, 2)


def test_a_late_mdn_still_decides_what_was_parked(house: House) -> None:
    house.network.answers = [status(404)]
    sent = house.send()
    house.dispatch()
    assert house.row(sent).state is TransmissionState.PARKED
    house.post(mdn(house))
    assert house.row(sent).state is ACKNOWLEDGED


def test_097_an_unsolicited_mdn_is_discarded(house: House) -> None:
    house.agree(mdn_mode=MdnMode.NONE)
    sent = house.send()
    house.dispatch()
    row = house.row(sent)
    sealed = seal(
        io.BytesIO(ORDERS),
        house.partner.relationship(),
        message_id=row.message_id or "",
        now=NOW,
        filename="",
        spool=io.BytesIO,
    )
    house.post(house.partner.answer(sealed))
    assert house.row(sent).state is TransmissionState.SENT


# --- large contents -------------------------------------------------------------------------------------------------

LARGE = random.Random(5).randbytes(TABLE_BYTES_MAX + 1)  # does not shrink


def under(house: House, request: Outgoing, body: bytes, digest: Digest, altered: bytes = b"") -> Answer:
    """The partner's MDN with the MIC under an algorithm of his own choice."""
    headers = Headers(request.headers)
    read, own = read_request(headers), house.partner.own_relationship(mdn_url="http://gateway.example/as2")
    opened = open_transmission(read, headers, io.BytesIO(body), own, io.BytesIO, NOW)
    assert isinstance(opened, Opened)
    with house.gateway.database.read() as view:
        (kept,) = view.session.query(Seal)
        signed = kept.head + house.kept(kept.body_sha256 or house.row(kept.transmission_id).payload_sha256)
    mic = Mic(digest.of(signed + altered), digest, digest.value)
    sealed = compose(read, own, PROCESSED, mic, "", message_id="<mdn-1@vendor.example>", now=NOW)
    return Answer(200, sealed.headers, sealed.body)


@pytest.mark.parametrize("compression", [Compression.NONE, Compression.BEFORE_SIGNING])
@pytest.mark.parametrize("mode", [MdnMode.SYNC, MdnMode.ASYNC])
def test_074_of_a_large_content_the_digest_that_the_mdn_names_is_taken_then(
    house: House, mode: MdnMode, compression: Compression
) -> None:
    house.agree(mdn_mode=mode, compression=compression)
    if mode is MdnMode.SYNC:
        house.network.answers = [lambda request, body: under(house, request, body, Digest.SHA512)]
    sent = house.send(LARGE)
    house.dispatch()
    if mode is MdnMode.ASYNC:
        assert set(house.row(sent).digests) == {"sha-256"}
        answer = under(house, *house.network.requests[-1], Digest.SHA512)
        house.post(Posted(Headers(answer.headers), answer.body))
    assert house.row(sent).state is ACKNOWLEDGED
    assert set(house.row(sent).digests) == {"sha-256", "sha-512"}


def test_074_a_wrong_mic_of_a_large_content_is_found_under_any_algorithm(house: House) -> None:
    sent = house.send(LARGE)
    house.dispatch()
    answer = under(house, *house.network.requests[-1], Digest.SHA384, altered=b"x")
    house.post(Posted(Headers(answer.headers), answer.body))
    assert house.row(sent).state is REFUSED
    assert "MIC" in house.row(sent).reason


def test_a_forged_mdn_makes_nobody_read_a_large_content(house: House) -> None:
    sent = house.send(LARGE)
    house.dispatch()
    request, body = house.network.requests[-1]
    forged = under(house, request, body, Digest.SHA512)
    altered = forged.body.replace(b"automatic-action", b"manual-action", 1)
    assert altered != forged.body
    house.post(Posted(Headers(forged.headers), altered))
    assert set(house.row(sent).digests) == {"sha-256"}
    assert house.row(sent).state is TransmissionState.AWAITING_MDN


def test_the_table_of_a_small_content_is_whole(house: House) -> None:
    sent = house.send(LARGE[: TABLE_BYTES_MAX - 1000])
    house.dispatch()
    assert set(house.row(sent).digests) == {digest.value for digest in TABLE_DIGESTS}
