"""What we send: the same bytes each time, until an MDN decides, or attempts or time are used up."""

from __future__ import annotations

from collections.abc import Callable
from datetime import timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from edi_gateway.as2.disposition import DECRYPTION_FAILED, DUPLICATE_DOCUMENT
from edi_gateway.as2.headers import Headers
from edi_gateway.gateway.dispatch import JITTER, CannotResend, pause, resend
from edi_gateway.gateway.settle import UNREADABLE_BYTES_MAX
from edi_gateway.gateway.sweep import sweep
from edi_gateway.partnership import As2Policy, Compression, MdnMode
from edi_gateway.store.partnerships import PartnershipState
from edi_gateway.store.payloads import SMALL_BYTES_MAX
from edi_gateway.store.transmissions import TransmissionState
from edi_gateway.transport.http import Answer, Outgoing
from tests.house import NAME, Crash, House, crash, status, timeout, unreachable
from tests.partner import NOW, ORDERS, key_of, pinned


def test_a_document_travels_and_is_acknowledged(house: House) -> None:
    sent = house.send(ORDERS)
    assert house.row(sent).state is TransmissionState.QUEUED
    assert house.dispatch()
    row = house.row(sent)
    assert (row.state, row.attempts, row.disposition) == (TransmissionState.ACKNOWLEDGED, 1, "processed")
    assert house.steps(sent) == ["queued", "sending", "acknowledged"]
    ((request, body),) = house.network.requests
    assert (request.url, request.length) == (house.policy().url, len(body))
    assert house.kept(row.raw_sha256) == body
    assert ORDERS not in body  # encrypted
    (receipt,) = house.receipts()
    assert (receipt.transmission_id, receipt.outcome) == (sent, "acknowledged")
    assert not house.dispatch()


def test_the_partner_gets_the_payload_to_the_byte(house: House) -> None:
    payload = b"UNB+UNOC:3'\n\nbare LF and \xe9\xff\0 stay" * 50
    house.agree(compression=Compression.AFTER_SIGNING)
    house.send(payload)

    opened = []

    def keep(request: Outgoing, body: bytes) -> Answer:
        opened.append(house.partner.delivered)
        return house.network.honest(request, body)

    house.network.answers = [keep]
    house.dispatch()
    assert house.only().state is TransmissionState.ACKNOWLEDGED
    assert house.kept(house.only().payload_sha256) == payload


def test_a_warning_is_success_rfc4130_7_5_3(house: House) -> None:
    sent = house.send()
    house.network.answers = [lambda request, body: house.network.mdn(request, body, DUPLICATE_DOCUMENT)]
    house.dispatch()
    assert house.row(sent).state is TransmissionState.ACKNOWLEDGED


def test_a_negative_mdn_is_final_rfc4130_7_5_3(house: House) -> None:
    sent = house.send()
    house.network.answers = [lambda request, body: house.network.mdn(request, body, DECRYPTION_FAILED)]
    house.dispatch()
    row = house.row(sent)
    assert (row.state, row.disposition) == (TransmissionState.REFUSED, "processed/error: decryption-failed")
    assert house.alerts() == ["alert.transmission-refused"]
    assert not house.dispatch()


def test_documents_go_in_the_order_in_which_they_were_queued(house: House) -> None:
    sent = [house.send(ORDERS + bytes([number])) for number in range(4)]
    while house.dispatch():
        pass
    ids = [Headers(request.headers).one("Message-ID") for request, _ in house.network.requests]
    assert ids == [house.row(each).message_id for each in sent]


# --- retries --------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "failure",
    [timeout, unreachable, *(status(number) for number in (102, 408, 425, 429, 500, 502, 503, 504))],
    ids=["timeout", "unreachable", "102", "408", "425", "429", "500", "502", "503", "504"],
)
def test_103_104_a_retry_sends_the_same_bytes_under_the_same_headers(
    house: House, failure: Callable[[Outgoing, bytes], Answer]
) -> None:
    """Date included: RFC 4130 §5.5 allows the Message-ID again only for identical content."""
    sent = house.send()
    house.network.answers = [failure, house.network.honest]
    house.dispatch()
    row = house.row(sent)
    assert (row.state, row.attempts) == (TransmissionState.QUEUED, 1)
    assert row.due_at == NOW + house.policy().retry_first
    assert ("dispatch", NAME, row.due_at) in house.woken
    assert not house.dispatch()

    house.later(minutes=5)
    assert house.dispatch()
    (first, first_body), (second, second_body) = house.network.requests
    assert (first.headers, first_body) == (second.headers, second_body)
    assert house.row(sent).state is TransmissionState.ACKNOWLEDGED


@pytest.mark.parametrize("number", [301, 307, 400, 401, 403, 404, 405, 413, 422])
def test_104_a_status_that_will_not_change_parks_at_once(house: House, number: int) -> None:
    sent = house.send()
    house.network.answers = [status(number)]
    house.dispatch()
    row = house.row(sent)
    assert (row.state, row.attempts) == (TransmissionState.PARKED, 1)
    assert str(number) in row.reason
    assert house.alerts() == ["alert.transmission-parked"]


def test_a_2xx_without_the_synchronous_mdn_is_not_success(house: House) -> None:
    sent = house.send()
    house.network.answers = [status(200), house.network.honest]
    house.dispatch()
    assert house.row(sent).state is TransmissionState.QUEUED
    assert "without an MDN" in house.row(sent).reason
    house.later(minutes=5)
    house.dispatch()
    assert house.row(sent).state is TransmissionState.ACKNOWLEDGED


def test_an_mdn_from_somebody_else_decides_nothing(house: House) -> None:
    sent = house.send()

    def forged(request: Outgoing, body: bytes) -> Answer:
        answer = house.partner.answer(
            house.partner.sealed_by_gateway(message_id=Headers(request.headers).one("Message-ID")),
            key=key_of("SOMEBODY"),
        )
        return Answer(200, tuple(answer.headers), answer.body)

    house.network.answers = [forged]
    house.dispatch()
    assert house.row(sent).state is TransmissionState.QUEUED
    assert "signature" in house.row(sent).reason
    assert [receipt.outcome for receipt in house.receipts()] == ["untrusted"]
    assert house.alerts() == ["alert.receipt-rejected"]


def test_an_mdn_with_a_wrong_mic_is_not_success(house: House) -> None:
    sent = house.send()

    def wrong(request: Outgoing, body: bytes) -> Answer:
        sealed = house.partner.sealed_by_gateway(message_id=Headers(request.headers).one("Message-ID"))
        answer = house.partner.answer(sealed, mic="AAAA, sha-256")
        return Answer(200, tuple(answer.headers), answer.body)

    house.network.answers = [wrong]
    house.dispatch()
    assert house.row(sent).state is TransmissionState.REFUSED
    assert "MIC" in house.row(sent).reason


def test_with_nothing_due_the_next_one_is_waited_for(house: House) -> None:
    """The runner keeps one timer for a partner; when it rings, the next has to be set."""
    first = house.send()
    house.later(minutes=1)
    second = house.send()
    house.network.answers = [timeout]
    house.dispatch()
    house.later(minutes=1)
    house.dispatch()
    house.woken.clear()
    assert not house.dispatch()
    assert house.woken == [("dispatch", NAME, house.row(first).due_at)]
    assert house.row(first).due_at < house.row(second).due_at  # type: ignore[operator]  # both are queued


def test_after_the_last_attempt_it_is_parked(house: House) -> None:
    house.agree(attempts_max=3)
    sent = house.send()
    house.network.answers = [timeout]
    for _ in range(5):
        house.dispatch()
        house.later(hours=3)
    row = house.row(sent)
    assert (row.state, row.attempts) == (TransmissionState.PARKED, 3)
    assert len(house.network.requests) == 3
    assert "3 attempts" in row.reason


def test_105_after_the_deadline_it_is_parked(house: House) -> None:
    house.agree(deadline=timedelta(hours=1), attempts_max=100)
    sent = house.send()
    house.network.answers = [timeout]
    for _ in range(100):
        house.dispatch()
        house.later(minutes=5)
    row = house.row(sent)
    assert row.state is TransmissionState.PARKED
    assert 3 < row.attempts < 6  # after 0, 5, 15 and 35 minutes
    assert "deadline" in row.reason


def policy(**changes: timedelta) -> As2Policy:
    return As2Policy(
        their_id="a", our_id="b", url="http://x/", signing_certificates=(), encryption_certificates=(), **changes
    )


def test_105_pauses_double_up_to_the_longest() -> None:
    assert [pause(policy(), attempt, 0.5) for attempt in range(1, 8)] == [
        timedelta(minutes=minutes) for minutes in (5, 10, 20, 40, 80, 120, 120)
    ]
    assert pause(policy(), 10_000, 0.5) == timedelta(hours=2)


@given(st.integers(1, 40), st.floats(0, 1, exclude_max=True))
def test_105_the_jitter_spreads_a_pause_within_its_bounds(attempt: int, chance: float) -> None:
    middle, spread = pause(policy(), attempt, 0.5), pause(policy(), attempt, chance)
    assert (1 - JITTER) * middle <= spread <= (1 + JITTER) * middle


@pytest.mark.parametrize(
    ("headers", "minutes"),
    [
        ({"Retry_After": "900"}, 15),
        ({"Retry_After": "60"}, 5),  # not before our own pause
        ({"Retry_After": "99999"}, 120),  # and not longer than the longest
        ({"Retry_After": "Sun, 22 Nov 2026 12:20:00 GMT", "Date": "Sun, 22 Nov 2026 12:00:00 GMT"}, 20),
        ({"Retry_After": "soon"}, 5),
        ({"Retry_After": "-1"}, 5),
        ({"Retry_After": "9" * 400}, 5),
    ],
)
def test_retry_after_is_heeded_rfc9110_10_2_3(house: House, headers: dict[str, str], minutes: int) -> None:
    sent = house.send()
    house.network.answers = [status(503, **headers)]
    house.dispatch()
    assert house.row(sent).due_at == NOW + timedelta(minutes=minutes)


# --- crashes --------------------------------------------------------------------------------------------------------


def test_111_a_crash_after_the_post_sends_the_same_bytes_again(house: House) -> None:
    """Between T4a and T4b: whether it arrived is unknown; the partner sees one Message-ID."""
    sent = house.send()
    house.network.answers = [crash, house.network.honest]
    with pytest.raises(Crash):
        house.dispatch()
    house.restart()
    assert house.row(sent).state is TransmissionState.SENDING
    sweep(house.gateway)
    assert not house.dispatch()  # its lease is not over: it could still be under way

    house.later(hours=1)
    sweep(house.gateway)
    house.later(hours=1)
    assert house.dispatch()
    (first, first_body), (second, second_body) = house.network.requests
    assert (first.headers, first_body) == (second.headers, second_body)
    assert house.steps(sent) == ["queued", "sending", "queued", "sending", "acknowledged"]


def test_111_a_crash_before_the_sealed_bytes_are_kept(house: House, monkeypatch: pytest.MonkeyPatch) -> None:
    sent = house.send()

    def die(*arguments: object, **named: object) -> None:
        raise Crash

    with monkeypatch.context() as patch:
        patch.setattr("edi_gateway.gateway.dispatch.seal", die)
        with pytest.raises(Crash):
            house.dispatch()
    house.restart()
    assert house.row(sent).raw_sha256 is None
    house.later(hours=1)
    sweep(house.gateway)
    house.later(hours=1)
    house.dispatch()
    assert house.row(sent).state is TransmissionState.ACKNOWLEDGED
    assert len(house.network.requests) == 1


def test_111_a_crash_after_sealing_sends_what_was_kept(house: House) -> None:
    """What another key would seal today does not matter: the kept bytes go."""
    sent = house.send()
    house.network.answers = [crash, house.network.honest]
    with pytest.raises(Crash):
        house.dispatch()
    raw = house.row(sent).raw_sha256
    house.restart()
    house.later(hours=1)
    sweep(house.gateway)
    house.later(hours=1)
    house.dispatch()
    assert house.row(sent).raw_sha256 == raw
    assert [house.kept(raw)] * 2 == [body for _, body in house.network.requests]


def test_an_answer_that_comes_back_after_the_lease_still_counts_if_it_is_an_mdn(house: House) -> None:
    """The slow process was given up, another one took over; then the slow one's MDN arrives."""
    sent = house.send()

    def slow(request: Outgoing, body: bytes) -> Answer:
        house.later(hours=1)
        sweep(house.gateway)
        return house.network.mdn(request, body)

    house.network.answers = [slow]
    house.dispatch()
    assert house.row(sent).state is TransmissionState.ACKNOWLEDGED


def test_a_failure_that_comes_back_after_the_lease_changes_nothing(house: House) -> None:
    sent = house.send()

    def slow(request: Outgoing, body: bytes) -> Answer:
        house.later(hours=1)
        sweep(house.gateway)
        return Answer(404, (), b"")

    house.network.answers = [slow]
    house.dispatch()
    assert house.row(sent).state is TransmissionState.QUEUED
    assert len(house.events("transmission.overtaken")) == 1


# --- what has to be mended ------------------------------------------------------------------------------------------


def test_a_suspended_partnership_waits_until_its_deadline(house: House) -> None:
    sent = house.send()
    house.agree(PartnershipState.SUSPENDED)
    assert not house.dispatch()
    assert house.row(sent).state is TransmissionState.QUEUED
    house.later(days=3)
    sweep(house.gateway)
    assert house.row(sent).state is TransmissionState.PARKED


def test_an_expired_certificate_of_the_partner_parks_with_the_reason(house: House) -> None:
    old = key_of("VENDOR-OLD", start=NOW - timedelta(days=400), days=30)
    house.agree(encryption_certificates=pinned(old.certificate))
    sent = house.send()
    house.dispatch()
    row = house.row(sent)
    assert row.state is TransmissionState.PARKED
    assert "certificate" in row.reason
    assert house.network.requests == []


def test_a_missing_payload_file_parks_with_the_reason(house: House) -> None:
    sent = house.send(b"x" * (SMALL_BYTES_MAX + 1))
    house.gateway.payloads.path(house.row(sent).payload_sha256 or "").unlink()
    house.dispatch()
    assert house.row(sent).state is TransmissionState.PARKED
    assert "not in the store" in house.row(sent).reason


# --- no MDN, and an MDN later ---------------------------------------------------------------------------------------


def test_without_a_receipt_a_2xx_is_the_end(house: House) -> None:
    house.agree(mdn_mode=MdnMode.NONE)
    sent = house.send()
    house.network.answers = [status(202)]
    house.dispatch()
    assert house.row(sent).state is TransmissionState.SENT


def test_with_an_asynchronous_receipt_a_2xx_is_half_way(house: House) -> None:
    house.agree(mdn_mode=MdnMode.ASYNC)
    sent = house.send()
    house.network.answers = [status(204)]
    house.dispatch()
    row = house.row(sent)
    assert (row.state, row.due_at) == (TransmissionState.AWAITING_MDN, NOW + house.policy().mdn_wait)
    ((request, _),) = house.network.requests
    assert Headers(request.headers).one("Receipt-Delivery-Option") == "http://gateway.example/as2"


# --- once more ------------------------------------------------------------------------------------------------------


def test_a_parked_one_is_sent_again_with_the_same_bytes(house: House) -> None:
    sent = house.send()
    house.network.answers = [status(404), house.network.honest]
    house.dispatch()
    assert resend(house.gateway, sent).id == sent
    house.dispatch()
    (first, first_body), (second, second_body) = house.network.requests
    assert (first.headers, first_body) == (second.headers, second_body)
    assert house.row(sent).state is TransmissionState.ACKNOWLEDGED


def test_a_decided_one_is_sent_as_a_new_transmission(house: House) -> None:
    sent = house.send()
    house.dispatch()
    again = resend(house.gateway, sent)
    house.dispatch()
    assert (again.id != sent, house.row(again.id).repeats_id) == (True, sent)
    assert house.row(again.id).message_id != house.row(sent).message_id
    assert house.row(again.id).payload_sha256 == house.row(sent).payload_sha256
    assert house.row(again.id).state is TransmissionState.ACKNOWLEDGED


def test_what_cannot_be_sent_again_says_why(house: House) -> None:
    sent = house.send()
    with pytest.raises(CannotResend, match="on its way already: queued"):
        resend(house.gateway, sent)
    with pytest.raises(CannotResend, match="no outbound transmission 'nothing'"):
        resend(house.gateway, "nothing")
    house.post(house.message())
    with pytest.raises(CannotResend, match="no outbound transmission"):
        resend(house.gateway, house.rows()[-1].id)
    house.dispatch()
    house.agree(PartnershipState.SUSPENDED)
    with pytest.raises(CannotResend, match="suspended"):
        resend(house.gateway, sent)


# --- what is kept of an answer that decides nothing -----------------------------------------------------------------


def test_an_answer_that_is_no_mdn_is_kept_for_who_looks_into_it(house: House) -> None:
    sent = house.send()
    html = (("Content-Type", "text/html"),)
    house.network.answers = [lambda request, body: Answer(200, html, b"<html>proxy</html>" * 10_000)]
    house.dispatch()
    (kept,) = house.receipts()
    assert (kept.outcome, kept.disposition, kept.headers) == ("unreadable", "", [["Content-Type", "text/html"]])
    assert len(kept.body) == UNREADABLE_BYTES_MAX
    assert house.row(sent).state is TransmissionState.QUEUED
    assert house.row(sent).reason == "HTTP 200 without an MDN that counts: The response is no MDN but 'text/html'."
    house.network.answers = [house.network.honest]
    house.later(hours=1)
    house.dispatch()
    assert house.row(sent).state is TransmissionState.ACKNOWLEDGED


def test_of_an_http_error_only_the_status_is_kept(house: House) -> None:
    house.send()
    house.network.answers = [lambda request, body: Answer(500, (), b"<html>oops</html>")]
    house.dispatch()
    assert house.receipts() == []
    assert house.events("transmission.state")[-1].details["http_status"] == 500


def test_what_the_wire_said_stands_in_the_event(house: House) -> None:
    house.send()
    house.network.answers = [unreachable]
    house.dispatch()
    details = house.events("transmission.state")[-1].details
    assert (details["transport"], details["sent"]) == ("connection refused", False)
