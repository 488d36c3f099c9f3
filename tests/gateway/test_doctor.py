"""What the doctor says of transmissions as a gateway keeps them; `core/as2/test_diagnosis.py` has every reason."""

from __future__ import annotations

from base64 import encodebytes
from datetime import timedelta
from typing import Any

import pytest

from edi_gateway.as2.algorithms import Digest
from edi_gateway.as2.diagnosis import Code
from edi_gateway.as2.disposition import DECRYPTION_FAILED
from edi_gateway.as2.headers import Headers
from edi_gateway.as2.mic import Mic
from edi_gateway.as2.mime import canonical_line_ends
from edi_gateway.as2.outbound import header_block, payload_headers
from edi_gateway.gateway.doctor import Examination, examine
from edi_gateway.gateway.sweep import sweep
from edi_gateway.gateway.unpack import unpack
from edi_gateway.partnership import Compression, MdnMode
from edi_gateway.store.partnerships import PartnershipState
from edi_gateway.store.transmissions import Transmission, TransmissionDirection, TransmissionState
from edi_gateway.transport.http import Answer, Outgoing
from tests.house import BODY_BYTES_MAX, House, status, timeout, unreachable
from tests.partner import NOW, ORDERS, key_of, pinned


def examined(house: House, row: Transmission | str) -> Examination:
    found = examine(house.gateway, row if isinstance(row, str) else row.id)
    assert found is not None
    for diagnosis in found.diagnoses:
        for language in ("en", "fr"):
            words = (diagnosis.found(language), diagnosis.expected(language), diagnosis.advice(language))
            assert "{" not in "".join(words)
    return found


def codes(house: House, row: Transmission | str) -> list[Code]:
    return [diagnosis.code for diagnosis in examined(house, row).diagnoses]


def test_nobody_knows_it(house: House) -> None:
    assert examine(house.gateway, "nothing") is None


# --- in -------------------------------------------------------------------------------------------------------------


def test_an_accepted_one_has_nothing_wrong(house: House) -> None:
    house.post(house.message())
    found = examined(house, house.only())
    assert (found.failed, found.diagnoses) == (False, ())


def test_the_previous_certificate_after_it_was_removed(house: House) -> None:
    """Pinned, then replaced: the partner still signs with the old one."""
    new = key_of("VENDOR 2027")
    house.later(days=1)
    house.agree(signing_certificates=pinned(new.certificate))
    house.later(hours=1)
    house.post(house.message())
    found = examined(house, house.only())
    assert [d.code for d in found.diagnoses] == [Code.SIGNER_FORMER, Code.SWITCHED_ON]
    assert "until 2026-11-23" in found.diagnoses[0].found("en")
    assert found.failed


def test_what_was_mended_since_is_said(house: House) -> None:
    new = key_of("VENDOR 2027")
    posted = house.partner.encrypted(house.partner.signed(house.partner.entity(), key=new))
    house.post(house.partner.post(posted))
    assert codes(house, house.only())[-1] is Code.SWITCHED_ON
    house.later(days=1)
    house.agree(signing_certificates=pinned(house.partner.key.certificate, new.certificate))
    assert codes(house, house.only())[-1] is Code.ACCEPTED_MEANWHILE


def test_bare_line_feeds_and_the_switch(house: House) -> None:
    entity = house.partner.entity(b"UNB+UNOC:3'\nUNZ'\n")
    signature = house.partner.signature(b"".join(canonical_line_ends([entity])))
    house.post(house.partner.post(house.partner.encrypted(house.partner.signed(entity, signature=signature))))
    found = examined(house, house.only())
    assert str(found.diagnoses[0].switch) == "accept_canonicalised = true"
    house.agree(accept_canonicalised=True)
    house.post(house.partner.post(house.partner.encrypted(house.partner.signed(entity, signature=signature))))
    assert house.rows()[-1].state is TransmissionState.RECEIVED


def test_encrypted_for_a_key_of_ours_that_was_removed(house: House) -> None:
    """What we signed with it is kept with its certificate, so that it can still be named."""
    house.send()
    house.dispatch()
    message = house.message()
    house.partner.gateway_key = key_of("MARKETPLACE 2027")
    house.restart()
    house.post(message)
    (found,) = examined(house, house.rows()[-1]).diagnoses
    assert found.code is Code.ENCRYPTED_FOR_FORMER_KEY
    assert key_of("MARKETPLACE").certificate.fingerprint in found.found("en")


@pytest.mark.parametrize(
    ("names", "code"),
    [
        ({"AS2_From": "vendor"}, Code.NAMES_DIFFER_IN_CASE),
        ({"AS2_From": "VEND OR"}, Code.NAMES_DIFFER_IN_CASE),
        ({"AS2_From": "MARKETPLACE", "AS2_To": "VENDOR"}, Code.NAMES_SWAPPED),
        ({"AS2_From": "VENDORS"}, Code.NAMES_SIMILAR),
        ({"AS2_From": "SOMEBODY-ELSE"}, Code.NAMES_UNKNOWN),
    ],
)
def test_names_of_nobody(house: House, names: dict[str, str], code: Code) -> None:
    house.post(house.message(**names))
    (found,) = examined(house, house.only()).diagnoses
    assert found.code is code
    assert ("vendor" in found.found("en")) is (code is not Code.NAMES_UNKNOWN)


def test_a_suspended_partnership(house: House) -> None:
    house.agree(PartnershipState.SUSPENDED)
    house.post(house.message())
    assert codes(house, house.only()) == [Code.PARTNERSHIP_SUSPENDED]


def test_a_message_id_that_was_used_before(house: House) -> None:
    house.post(house.message())
    house.post(house.message(ORDERS + b"other"))
    first, second = house.rows()
    (found,) = examined(house, second).diagnoses
    assert found.code is Code.MESSAGE_ID_REUSED
    assert first.id in found.found("fr")


def test_a_body_over_the_limit(house: House) -> None:
    house.post(house.message(b"0" * BODY_BYTES_MAX))
    (found,) = examined(house, house.only()).diagnoses
    assert found.code is Code.BODY_TOO_LARGE
    assert str(BODY_BYTES_MAX) in found.found("en")


def test_headers_that_are_none(house: House) -> None:
    house.post(house.message(Message_ID="<a b@c>"))
    assert codes(house, house.only()) == [Code.MESSAGE_ID_INVALID]


def test_bytes_that_are_gone(house: House) -> None:
    house.post(house.message(b"0" * (BODY_BYTES_MAX - 5000), message_id="<2@vendor.example>"))
    row = house.only()
    assert row.raw_sha256 is not None
    house.gateway.payloads.path(row.raw_sha256).unlink()
    assert codes(house, row) == [Code.NOT_KEPT]


@pytest.mark.parametrize(
    ("payload", "code"),
    [
        (b"VU5CK1VOT0M6MysxOjE0KzI6MTQrMjYxMTIyOjEyMDArMSc=", Code.PAYLOAD_IN_BASE64),
        (b"PK\x03\x04rest", Code.PAYLOAD_IN_ARCHIVE),
        (b"hello", Code.PAYLOAD_NOT_PROCESSED),
    ],
)
def test_a_document_that_could_not_be_processed(house: House, payload: bytes, code: Code) -> None:
    house.post(house.message(payload))
    unpack(house.gateway, house.only().id)
    assert house.only().state is TransmissionState.PARKED
    assert codes(house, house.only()) == [code]


def test_a_retry_under_a_new_message_id_is_caught_by_the_interchange(house: House) -> None:
    """OpenAS2 does it by default: sender, control reference (0020) and content are the second key."""
    interchange = b"UNB+UNOC:3+3012345000004:14+3098765000002:14+261122:1200+1'UNH+1+XYZABC:D:96A:UN'BGM+1+1+9'"
    interchange += b"UNT+3+1'UNZ+1+1'"
    house.post(house.message(interchange, "<1@vendor.example>"))
    house.post(house.message(interchange, "<2@vendor.example>"))
    first, second = [row for row in house.rows() if row.direction is TransmissionDirection.IN]
    for row in (first, second):
        unpack(house.gateway, row.id)
    assert house.row(second.id).repeats_id == first.id
    assert [event.details["first"] for event in house.events("transmission.repeated")] == [first.id]
    (note,) = examined(house, second).diagnoses
    assert (note.code, note.is_note) == (Code.SENT_AGAIN, True)
    assert codes(house, first) == []


# --- out ------------------------------------------------------------------------------------------------------------


def sent(house: House, *answers: Any) -> str:
    transmission = house.send()
    house.network.answers = list(answers)
    house.dispatch()
    return transmission


def test_an_acknowledged_one_has_nothing_wrong(house: House) -> None:
    assert codes(house, sent(house, house.network.honest)) == []


def test_a_negative_mdn(house: House) -> None:
    row = sent(house, lambda request, body: house.network.mdn(request, body, DECRYPTION_FAILED))
    (found,) = examined(house, row).diagnoses
    assert found.code is Code.THEY_CANNOT_DECRYPT
    assert house.partner.key.certificate.fingerprint in found.found("en")
    assert "aes-256-cbc pkcs1v15" in found.found("en")


@pytest.mark.parametrize("compression", list(Compression))
@pytest.mark.parametrize("encoding", ["binary", "base64"])
def test_the_mic_over_the_inflated_content(house: House, compression: Compression, encoding: str) -> None:
    """The entity around the document is rebuilt from what is kept."""
    house.agree(compression=compression, transfer_encoding=encoding)

    def wrong(request: Outgoing, body: bytes) -> Answer:
        content = encodebytes(ORDERS).replace(b"\n", b"\r\n") if encoding == "base64" else ORDERS
        entity = header_block(payload_headers("application/edifact", encoding, "orders.edi")) + content
        mic = Mic(Digest.SHA256.of(entity), Digest.SHA256).render()
        sealed = house.partner.sealed_by_gateway(message_id=Headers(request.headers).one("Message-ID"))
        answer = house.partner.answer(sealed, mic=mic)
        return Answer(200, tuple(answer.headers), answer.body)

    wanted = [Code.MIC_OVER_INFLATED] if compression is Compression.BEFORE_SIGNING else []
    assert codes(house, sent(house, wrong)) == wanted


def test_a_synchronous_mdn_that_decided_nothing_is_explained(house: House) -> None:
    def unsigned(request: Outgoing, body: bytes) -> Answer:
        sealed = house.partner.sealed_by_gateway(message_id=Headers(request.headers).one("Message-ID"))
        answer = house.partner.answer(sealed, signed=False)
        return Answer(200, tuple(answer.headers), answer.body)

    assert codes(house, sent(house, unsigned)) == [Code.MDN_UNSIGNED, Code.ON_ITS_WAY]


def test_a_page_of_a_proxy_in_place_of_an_mdn(house: House) -> None:
    page = Answer(200, (("Content-Type", "text/html"),), b"<html>")
    assert codes(house, sent(house, lambda request, body: page)) == [Code.MDN_UNREADABLE, Code.ON_ITS_WAY]


@pytest.mark.parametrize(
    ("answer", "code"),
    [
        (status(200), Code.ANSWER_WITHOUT_MDN),
        (status(301), Code.HTTP_REDIRECT),
        (status(401), Code.HTTP_UNAUTHORISED),
        (status(404), Code.HTTP_NOT_FOUND),
        (status(413), Code.HTTP_TOO_LARGE),
        (status(422), Code.HTTP_REFUSED),
        (status(429), Code.HTTP_UNAVAILABLE),
        (status(503), Code.HTTP_UNAVAILABLE),
        (timeout, Code.NO_ANSWER),
        (unreachable, Code.NOT_REACHED),
    ],
)
def test_what_the_wire_said(house: House, answer: Any, code: Code) -> None:
    assert codes(house, sent(house, answer))[0] is code


def test_an_asynchronous_mdn_that_never_came(house: House) -> None:
    house.agree(mdn_mode=MdnMode.ASYNC, attempts_max=1)
    row = sent(house, status(200))
    assert codes(house, row) == [Code.MDN_OVERDUE, Code.ON_ITS_WAY]
    house.later(hours=1)
    sweep(house.gateway)
    assert house.row(row).state is TransmissionState.PARKED
    assert codes(house, row) == [Code.MDN_OVERDUE]


def test_a_forged_asynchronous_mdn(house: House) -> None:
    house.agree(mdn_mode=MdnMode.ASYNC)
    row = sent(house, status(200))
    sealed = house.partner.sealed_by_gateway(message_id=house.row(row).message_id or "")
    house.post(house.partner.answer(sealed, key=key_of("STRANGER")))
    assert codes(house, house.rows()[-1]) == [Code.SIGNER_NOT_PINNED]
    assert codes(house, row) == [Code.SIGNER_NOT_PINNED, Code.ON_ITS_WAY]


def test_an_mdn_for_nothing_that_was_sent(house: House) -> None:
    sealed = house.partner.sealed_by_gateway()
    house.post(house.partner.answer(sealed))
    assert codes(house, house.only()) == [Code.MDN_NOT_OURS]


def test_their_certificate_has_expired(house: House) -> None:
    old = key_of("OLD", start=NOW - timedelta(days=400), days=30)
    house.agree(encryption_certificates=pinned(old.certificate))
    row = sent(house, house.network.honest)
    (found,) = examined(house, row).diagnoses
    assert found.code is Code.THEIR_CERTIFICATE_MISSING
    assert "CN=OLD" in found.found("en")


def test_our_own_key_is_not_valid(house: House) -> None:
    house.later(days=400)
    later = key_of("VENDOR LATER", start=house.now - timedelta(days=1))
    house.agree(encryption_certificates=pinned(later.certificate))
    assert codes(house, sent(house, house.network.honest)) == [Code.OUR_KEY_MISSING]


def test_what_waits_says_until_when(house: House) -> None:
    (found,) = examined(house, house.send()).diagnoses
    assert (found.code, found.is_note) == (Code.ON_ITS_WAY, True)


def test_our_own_receipt_that_nobody_takes(house: House) -> None:
    house.agree(mdn_url="http://vendor.example/mdn")
    house.post(house.message(Receipt_Delivery_Option="http://vendor.example/mdn"))
    house.network.answers = [status(404)]
    house.dispatch()
    assert codes(house, house.rows()[-1]) == [Code.HTTP_NOT_FOUND]
