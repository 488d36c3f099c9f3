"""Why a transmission failed, said from the bytes alone: each reason is provoked, each switch that is named helps."""

from __future__ import annotations

import io
import string
from base64 import encodebytes
from dataclasses import replace
from datetime import datetime, timedelta
from typing import Any

import pytest

from edi_gateway.as2.algorithms import Cipher, Digest
from edi_gateway.as2.certificates import PrivateKey
from edi_gateway.as2.diagnosis import Case, Code, Diagnosis, Known, SentCase, Standing, explain_message, explain_receipt
from edi_gateway.as2.diagnosis.catalogue import texts
from edi_gateway.as2.disposition import (
    AUTHENTICATION_FAILED,
    DECOMPRESSION_FAILED,
    DECRYPTION_FAILED,
    DUPLICATE_DOCUMENT,
    INSUFFICIENT_MESSAGE_SECURITY,
    INTEGRITY_CHECK_FAILED,
    UNEXPECTED_PROCESSING_ERROR,
    UNKNOWN_TRADING_RELATIONSHIP,
    UNSUPPORTED_MIC_ALGORITHMS,
    Disposition,
)
from edi_gateway.as2.headers import Headers
from edi_gateway.as2.mic import Mic, digests_of
from edi_gateway.as2.mime import canonical_line_ends
from edi_gateway.as2.opened import Opened
from edi_gateway.as2.outbound import Sealed, header_block, payload_headers
from edi_gateway.as2.relationship import DatedKey, Relationship
from edi_gateway.partnership import Compression
from tests.partner import NOW, ORDERS, Posted, SimulatedPartner, key_of, pinned

LF_ORDERS = b"UNB+UNOC:3+1:14+2:14+261122:1200+1'\nUNZ+0+1'\n"


@pytest.fixture(scope="module")
def partner() -> SimulatedPartner:
    return SimulatedPartner()


def case(
    partner: SimulatedPartner, posted: Posted, known: tuple[Known, ...] = (), at: datetime = NOW, **policy: Any
) -> Case:
    """The kept message under this agreement; the partner's and our certificates are known."""
    usual = (Known(partner.key.certificate, Standing.PINNED), Known(partner.gateway_key.certificate, Standing.OURS))
    return Case(
        headers=posted.headers,
        body=lambda: io.BytesIO(posted.body),
        relationship=partner.relationship(**policy),
        known=(*known, *usual),
        spool=io.BytesIO,
        at=at,
    )


def reasons(found: tuple[Diagnosis, ...]) -> list[Code]:
    return [diagnosis.code for diagnosis in found]


def switches(found: tuple[Diagnosis, ...]) -> list[str]:
    return [str(diagnosis.switch) for diagnosis in found if diagnosis.switch and not diagnosis.is_note]


def sent(partner: SimulatedPartner, inner: bytes) -> Posted:
    return partner.post(partner.encrypted(inner))


# --- the catalogue --------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("code", list(Code))
def test_every_reason_is_told_in_both_languages_with_the_same_values(code: Code) -> None:
    text = texts()[code]
    used = [
        {
            field
            for words in (text.words(language).found, text.words(language).expected, text.words(language).advice)
            for _, field, _, _ in string.Formatter().parse(words)
            if field is not None
        }
        for language in ("en", "fr")
    ]
    assert used[0] == used[1]
    assert text.en.found != text.fr.found
    assert all(words.found and words.advice for words in (text.en, text.fr))


def test_what_a_partner_put_into_a_value_stays_on_its_line(partner: SimulatedPartner) -> None:
    posted = sent(partner, partner.signed(partner.entity(), key=key_of("EVIL\x1b[31m\nNAME")))
    (found, *_) = explain_message(case(partner, posted))
    assert found.code is Code.SIGNER_NOT_PINNED
    assert "\x1b" not in found.found("en")
    assert "\n" not in found.found("fr")


# --- signatures -----------------------------------------------------------------------------------------------------


def test_a_message_as_agreed_has_nothing_wrong(partner: SimulatedPartner) -> None:
    assert explain_message(case(partner, sent(partner, partner.signed(partner.entity())))) == ()


def test_signed_with_a_certificate_that_is_not_pinned(partner: SimulatedPartner) -> None:
    new = key_of("VENDOR 2027")
    found = explain_message(case(partner, sent(partner, partner.signed(partner.entity(), key=new))))
    assert reasons(found) == [Code.SIGNER_NOT_PINNED, Code.SWITCHED_ON]
    words = found[0].found("en")
    assert new.certificate.fingerprint in words
    assert "CN=VENDOR 2027" in words
    assert f"valid {new.certificate.not_before:%Y-%m-%d} to {new.certificate.not_after:%Y-%m-%d}" in words
    assert switches(found) == ['signing_certificates = […, { file = "…" }]']
    assert partner.key.certificate.fingerprint in found[0].expected("fr")


def test_signed_with_the_previous_certificate_that_was_removed(partner: SimulatedPartner) -> None:
    old = key_of("VENDOR 2025")
    known = (Known(old.certificate, Standing.FORMER, "vendor", NOW - timedelta(days=9)),)
    found = explain_message(case(partner, sent(partner, partner.signed(partner.entity(), key=old)), known))
    assert reasons(found) == [Code.SIGNER_FORMER, Code.SWITCHED_ON]
    assert "until 2026-11-13" in found[0].found("en")


def test_the_former_certificate_is_named_though_the_message_holds_none(partner: SimulatedPartner) -> None:
    old = key_of("VENDOR 2025")
    known = (Known(old.certificate, Standing.FORMER, "vendor", NOW),)
    posted = sent(partner, partner.signed(partner.entity(), key=old, certificate=False))
    assert reasons(explain_message(case(partner, posted, known)))[0] is Code.SIGNER_FORMER


def test_a_signer_of_whom_nothing_is_known(partner: SimulatedPartner) -> None:
    posted = sent(partner, partner.signed(partner.entity(), key=key_of("WHO"), certificate=False))
    (found,) = explain_message(case(partner, posted))
    assert (found.code, found.switch) == (Code.SIGNER_UNKNOWN, None)
    assert "serial number" in found.found("en")


def test_signed_by_another_partner(partner: SimulatedPartner) -> None:
    other = key_of("OTHER")
    known = (Known(other.certificate, Standing.OTHER, "other-vendor"),)
    found = explain_message(case(partner, sent(partner, partner.signed(partner.entity(), key=other)), known))
    assert found[0].code is Code.SIGNER_OTHER_PARTNER
    assert "other-vendor" in found[0].found("fr")


def test_signed_with_our_own_key_is_never_accepted(partner: SimulatedPartner) -> None:
    found = explain_message(case(partner, sent(partner, partner.signed(partner.entity(), key=partner.gateway_key))))
    assert (reasons(found), switches(found)) == ([Code.SIGNER_IS_US], [])


def test_a_renewed_certificate_of_the_same_name_and_number(partner: SimulatedPartner) -> None:
    """Some tools always give the serial number 1: then name and number are those of the pinned one."""
    posted = sent(partner, partner.signed(partner.entity(), signature=partner.signature(b"other", certificate=False)))
    changed = explain_message(case(partner, posted))
    assert reasons(changed) == [Code.CONTENT_CHANGED]


def test_the_previous_certificate_of_the_set_is_a_note(partner: SimulatedPartner) -> None:
    newer = key_of("VENDOR 2027", start=NOW - timedelta(days=1))
    policy = {"signing_certificates": pinned(partner.key.certificate, newer.certificate)}
    found = explain_message(case(partner, sent(partner, partner.signed(partner.entity())), **policy))
    assert reasons(found) == [Code.SIGNER_PREVIOUS]
    assert found[0].is_note
    assert newer.certificate.fingerprint in found[0].expected("en")


@pytest.mark.parametrize(
    ("start", "days", "code"),
    [
        (NOW - timedelta(days=400), 365, Code.CERTIFICATE_EXPIRED),
        (NOW + timedelta(days=5), 365, Code.CERTIFICATE_NOT_YET_VALID),
    ],
)
def test_a_certificate_outside_of_its_dates(partner: SimulatedPartner, start: datetime, days: int, code: Code) -> None:
    key = key_of("DATED", start=start, days=days)
    posted = sent(partner, partner.signed(partner.entity(), key=key))
    found = explain_message(case(partner, posted, signing_certificates=pinned(key.certificate)))
    assert reasons(found)[:2] == [code, Code.SWITCHED_ON]
    assert switches(found) == ["accept_expired_certificates = true"]
    day = key.certificate.not_after if code is Code.CERTIFICATE_EXPIRED else key.certificate.not_before
    assert f"{day:%Y-%m-%d}" in found[0].found("fr")


def test_a_certificate_that_expires_soon_is_a_note(partner: SimulatedPartner) -> None:
    posted = sent(partner, partner.signed(partner.entity()))
    late = partner.key.certificate.not_after - timedelta(days=3)
    assert reasons(explain_message(case(partner, posted, at=late))) == [Code.CERTIFICATE_EXPIRES]


def test_the_digest_agrees_after_lf_to_crlf(partner: SimulatedPartner) -> None:
    bare = partner.entity(LF_ORDERS)
    canonical = b"".join(canonical_line_ends([bare]))
    posted = sent(partner, partner.signed(bare, signature=partner.signature(canonical)))
    found = explain_message(case(partner, posted))
    assert reasons(found)[:2] == [Code.CONTENT_CANONICAL, Code.SWITCHED_ON]
    assert switches(found) == ["accept_canonicalised = true"]
    assert "LF to CRLF" in found[0].found("en")


def variations(entity: bytes) -> dict[Code, bytes]:
    body = entity.partition(b"\r\n\r\n")[2]
    return {
        Code.CONTENT_BARE_LINE_FEEDS: entity.replace(b"\r\n", b"\n"),
        Code.CONTENT_WITHOUT_LAST_LINE_BREAK: entity.removesuffix(b"\r\n"),
        Code.CONTENT_WITH_LAST_LINE_BREAK: entity + b"\r\n",
        Code.CONTENT_WITHOUT_HEADERS: body,
    }


@pytest.mark.parametrize("code", list(variations(b"")))
@pytest.mark.parametrize("attributes", [True, False])
def test_the_digest_agrees_over_something_else(partner: SimulatedPartner, code: Code, attributes: bool) -> None:
    entity = partner.entity()
    signature = partner.signature(variations(entity)[code], attributes=attributes)
    found = explain_message(case(partner, sent(partner, partner.signed(entity, signature=signature))))
    assert (reasons(found), switches(found)) == ([code], [])


def test_line_feeds_of_the_content_alone(partner: SimulatedPartner) -> None:
    entity = partner.entity()
    head, blank, body = entity.partition(b"\r\n\r\n")
    signature = partner.signature(head + blank + body.replace(b"\r\n", b"\n"))
    found = explain_message(case(partner, sent(partner, partner.signed(entity, signature=signature))))
    assert reasons(found) == [Code.CONTENT_BARE_LINE_FEEDS]


def test_content_that_was_changed(partner: SimulatedPartner) -> None:
    signature = partner.signature(partner.entity(ORDERS))
    posted = sent(partner, partner.signed(partner.entity(ORDERS.replace(b"1200", b"1300")), signature=signature))
    (found,) = explain_message(case(partner, posted))
    assert (found.code, found.switch) == (Code.CONTENT_CHANGED, None)
    assert "CN=VENDOR" in found.found("en")


def test_sha_1_can_be_agreed_and_md5_cannot(partner: SimulatedPartner) -> None:
    old = sent(partner, partner.signed(partner.entity(), digest=Digest.SHA1))
    found = explain_message(case(partner, old))
    assert reasons(found)[:2] == [Code.DIGEST_NOT_ACCEPTED, Code.SWITCHED_ON]
    assert switches(found) == ['accepted_digests = ["sha-1", "sha-256", "sha-384", "sha-512"]']
    broken = sent(partner, partner.signed(partner.entity(), digest=Digest.MD5))
    found = explain_message(case(partner, broken))
    assert (reasons(found), switches(found)) == ([Code.DIGEST_BROKEN], [])
    forbidden = explain_message(case(partner, old, version="1.3"))
    assert (reasons(forbidden), switches(forbidden)) == ([Code.DIGEST_BROKEN], [])


def test_two_reasons_one_after_the_other(partner: SimulatedPartner) -> None:
    """Neither switch alone would have helped."""
    bare = partner.entity(LF_ORDERS)
    canonical = b"".join(canonical_line_ends([bare]))
    new = key_of("VENDOR 2027")
    posted = partner.post(partner.signed(bare, signature=partner.signature(canonical, Digest.SHA1, new)))
    found = explain_message(case(partner, posted))
    assert reasons(found)[:4] == [
        Code.NOT_ENCRYPTED,
        Code.DIGEST_NOT_ACCEPTED,
        Code.SIGNER_NOT_PINNED,
        Code.CONTENT_CANONICAL,
    ]
    policy = partner.policy()
    for diagnosis in found[:4]:
        assert diagnosis.switch is not None
        policy = diagnosis.switch.applied(policy)
    outcome = partner.delivered(posted, **{name: getattr(policy, name) for name in policy.__slots__})
    assert isinstance(outcome, Opened)


def test_an_empty_signature(partner: SimulatedPartner) -> None:
    from edi_gateway.as2.cms import der
    from edi_gateway.as2.cms.content import ContentType, content_info

    empty = content_info(
        ContentType.SIGNED, der.integer(1), der.set_of(), der.sequence(der.oid(ContentType.DATA.value)), der.set_of()
    )
    found = explain_message(case(partner, sent(partner, partner.signed(partner.entity(), signature=empty))))
    assert (reasons(found), switches(found)) == ([Code.SIGNATURE_EMPTY], [])


@pytest.mark.parametrize("sealed", [True, False])
def test_not_signed(partner: SimulatedPartner, sealed: bool) -> None:
    found = explain_message(
        case(partner, sent(partner, partner.entity()) if sealed else partner.post(partner.entity()))
    )
    assert Code.NOT_SIGNED in reasons(found)
    assert "require_signature = false" in switches(found)


def test_opaque_signatures_are_explained_too(partner: SimulatedPartner) -> None:
    stranger = SimulatedPartner(key=key_of("STRANGER"))
    found = explain_message(case(partner, sent(partner, stranger.opaque(partner.entity()))))
    assert reasons(found)[0] is Code.SIGNER_NOT_PINNED


# --- encryption -----------------------------------------------------------------------------------------------------


def encrypted_for(partner: SimulatedPartner, key: PrivateKey) -> Posted:
    return partner.post(partner.encrypted(partner.signed(partner.entity()), recipients=[key.certificate]))


@pytest.mark.parametrize(
    ("standing", "code"),
    [
        (Standing.OURS_FORMER, Code.ENCRYPTED_FOR_FORMER_KEY),
        (Standing.OURS, Code.ENCRYPTED_FOR_OTHER_USE),
        (Standing.OTHER, Code.ENCRYPTED_FOR_OTHER_PARTNER),
        (Standing.FORMER, Code.ENCRYPTED_FOR_SENDER),
        (None, Code.ENCRYPTED_FOR_UNKNOWN),
    ],
)
def test_encrypted_for_a_certificate_that_is_not_ours(
    partner: SimulatedPartner, standing: Standing | None, code: Code
) -> None:
    other = key_of("SOMEBODY")
    known = (Known(other.certificate, standing, "owner"),) if standing else ()
    (found,) = explain_message(case(partner, encrypted_for(partner, other), known))
    assert (found.code, found.switch) == (code, None)
    named = other.certificate.fingerprint if standing else f"{other.certificate.serial:x}"
    assert named in found.found("en")
    assert partner.gateway_key.certificate.fingerprint in found.expected("en")


def test_encrypted_for_the_sender_himself(partner: SimulatedPartner) -> None:
    assert reasons(explain_message(case(partner, encrypted_for(partner, partner.key)))) == [Code.ENCRYPTED_FOR_SENDER]


def test_the_same_name_and_number_but_another_key(partner: SimulatedPartner) -> None:
    ours = partner.gateway_key.certificate
    twin = replace(key_of("TWIN").certificate, issuer_der=ours.issuer_der, serial=ours.serial)
    posted = partner.post(partner.encrypted(partner.signed(partner.entity()), recipients=[twin]))
    (found,) = explain_message(case(partner, posted))
    assert found.code is Code.UNDECIPHERABLE
    assert ours.fingerprint in found.found("fr")


@pytest.mark.parametrize("at", [-40, -5])
def test_an_envelope_that_was_altered(partner: SimulatedPartner, at: int) -> None:
    posted = partner.post(partner.encrypted(partner.signed(partner.entity()), cipher=Cipher.AES_256_GCM))
    body = bytearray(posted.body)
    body[at] ^= 1
    (found,) = explain_message(case(partner, replace(posted, body=bytes(body))))
    assert found.code is Code.UNDECIPHERABLE


def test_gcm_in_a_place_for_cbc_as_libas2_does(partner: SimulatedPartner) -> None:
    posted = partner.post(partner.encrypted(partner.signed(partner.entity()), cipher=Cipher.AES_256_CBC))
    gcm = bytes.fromhex("60864801650304012e")
    body = posted.body.replace(bytes.fromhex("60864801650304012a"), gcm, 1)
    (found,) = explain_message(case(partner, replace(posted, body=body)))
    assert (found.code, found.switch) == (Code.GCM_WITHOUT_TAG, None)
    assert "libas2" in found.found("en")


def test_a_cipher_that_is_not_accepted(partner: SimulatedPartner) -> None:
    posted = partner.post(partner.encrypted(partner.signed(partner.entity()), cipher=Cipher.AES_128_CBC))
    found = explain_message(case(partner, posted, accepted_ciphers=frozenset({"aes-256-gcm"})))
    assert reasons(found) == [Code.CIPHER_NOT_ACCEPTED, Code.SWITCHED_ON]
    assert switches(found) == ['accepted_ciphers = ["aes-128-cbc", "aes-256-gcm"]']


def test_a_cipher_that_nobody_knows(partner: SimulatedPartner) -> None:
    posted = partner.post(partner.encrypted(partner.signed(partner.entity()), cipher=Cipher.AES_256_CBC))
    body = posted.body.replace(bytes.fromhex("60864801650304012a"), bytes.fromhex("608648016503040130"), 1)
    (found,) = explain_message(case(partner, replace(posted, body=body)))
    assert (found.code, found.switch) == (Code.CIPHER_UNKNOWN, None)


@pytest.mark.parametrize(
    ("body", "code"),
    [
        (b"-----BEGIN PKCS7-----\nMIAGCSqGSIb3DQEHA6CAMIACAQAx\n-----END PKCS7-----\n", Code.CMS_IN_PEM),
        (b"<html><body>502 Bad Gateway</body></html>", Code.CMS_MISSING),
        (b"", Code.CMS_MISSING),
    ],
)
def test_what_is_no_cms_structure(partner: SimulatedPartner, body: bytes, code: Code) -> None:
    posted = sent(partner, partner.signed(partner.entity()))
    assert reasons(explain_message(case(partner, replace(posted, body=body)))) == [code]


def test_base64_twice(partner: SimulatedPartner) -> None:
    posted = partner.post(partner.encrypted(partner.signed(partner.entity()), encoding="base64"))
    (found,) = explain_message(case(partner, replace(posted, body=encodebytes(posted.body))))
    assert found.code is Code.CMS_IN_BASE64_TWICE


def test_a_truncated_message(partner: SimulatedPartner) -> None:
    posted = sent(partner, partner.signed(partner.entity(ORDERS * 50)))
    (found,) = explain_message(case(partner, replace(posted, body=posted.body[:-300])))
    assert found.code is Code.CMS_MALFORMED
    assert str(len(posted.body) - 300) in found.advice("en")


def test_base64_that_is_not_declared_is_a_note(partner: SimulatedPartner) -> None:
    posted = partner.post(partner.encrypted(partner.signed(partner.entity()), encoding="base64"))
    found = explain_message(case(partner, posted.with_headers(Content_Transfer_Encoding=None)))
    assert reasons(found) == [Code.BASE64_NOT_DECLARED]
    assert found[0].is_note


# --- compression and size -------------------------------------------------------------------------------------------


def test_the_ratio_that_would_be_needed_is_named(partner: SimulatedPartner) -> None:
    posted = sent(partner, partner.signed(partner.compressed(partner.entity(b"0" * 3_000_000))))
    found = explain_message(case(partner, posted, inflate_ratio_max=10))
    assert reasons(found) == [Code.INFLATE_RATIO, Code.SWITCHED_ON]
    (switch,) = switches(found)
    ratio = int(switch.removeprefix("inflate_ratio_max = "))
    assert 100 < ratio < 2200
    assert isinstance(partner.delivered(posted, inflate_ratio_max=ratio), Opened)


def test_larger_than_agreed(partner: SimulatedPartner) -> None:
    big = partner.entity(b"0" * 5000)
    compressed = sent(partner, partner.signed(partner.compressed(big)))
    assert reasons(explain_message(case(partner, compressed, payload_bytes_max=4000))) == [Code.INFLATE_SIZE]
    plain = sent(partner, partner.signed(big))
    assert reasons(explain_message(case(partner, plain, payload_bytes_max=4000))) == [Code.PAYLOAD_TOO_LARGE]


def test_compression_that_was_damaged(partner: SimulatedPartner) -> None:
    entity = partner.compressed(partner.entity(ORDERS * 30))
    damaged = entity[:-40] + bytes(20) + entity[-20:]
    found = explain_message(case(partner, sent(partner, partner.signed(damaged))))
    assert reasons(found) == [Code.COMPRESSION_DAMAGED]


# --- headers and receipts -------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("changes", "code"),
    [
        ({"Message_ID": "<a b@c>"}, Code.MESSAGE_ID_INVALID),
        ({"AS2_From": "MARKETPLACE"}, Code.SENDER_IS_RECEIVER),
        ({"AS2_From": "x" * 200}, Code.HEADERS_UNREADABLE),
        ({"Receipt_Delivery_Option": "mailto:mdn@vendor.example"}, Code.RECEIPT_BY_MAIL),
        ({"Receipt_Delivery_Option": "http://169.254.169.254/mdn"}, Code.RECEIPT_ADDRESS),
        (
            {"Disposition_Notification_Options": "signed-receipt-protocol=required, pgp-signature"},
            Code.RECEIPT_OPTION,
        ),
        (
            {
                "Disposition_Notification_Options": "signed-receipt-protocol=optional, pkcs7-signature; "
                "signed-receipt-micalg=optional, md5"
            },
            Code.RECEIPT_DIGEST,
        ),
    ],
)
def test_headers_and_the_receipt_that_is_asked_for(
    partner: SimulatedPartner, changes: dict[str, str], code: Code
) -> None:
    posted = sent(partner, partner.signed(partner.entity())).with_headers(**changes)
    assert reasons(explain_message(case(partner, posted)))[0] is code


def test_the_receipt_address_that_would_be_accepted(partner: SimulatedPartner) -> None:
    posted = sent(partner, partner.signed(partner.entity()))
    moved = posted.with_headers(Receipt_Delivery_Option="https://new.vendor.example/mdn")
    found = explain_message(case(partner, moved))
    assert switches(found) == ['mdn_url = "https://new.vendor.example/mdn"']
    assert reasons(found)[-1] is Code.SWITCHED_ON


def test_a_partner_who_expects_the_mic_that_he_asked_for(partner: SimulatedPartner) -> None:
    posted = sent(partner, partner.signed(partner.entity(), digest=Digest.SHA512))
    (note,) = explain_message(case(partner, posted))
    assert (note.code, note.is_note, str(note.switch)) == (Code.MIC_BY_MESSAGE, True, "mic_by_request = true")


# --- the MDN for what we sent ---------------------------------------------------------------------------------------


def sent_case(partner: SimulatedPartner, sealed: Sealed, **policy: Any) -> SentCase:
    raw = sealed.body.read()
    sealed.body.seek(0)
    relationship = partner.relationship(**policy)
    agreed = relationship.policy
    return SentCase(
        sent=sealed.sent,
        relationship=relationship,
        known=(Known(partner.key.certificate, Standing.PINNED),),
        spool=io.BytesIO,
        compression=agreed.compression,
        signed=agreed.sign,
        encrypted=agreed.encrypt,
        signed_by="CN=MARKETPLACE",
        encrypted_for="CN=VENDOR",
        algorithms="sha-256 pkcs1v15, aes-256-cbc pkcs1v15",
        payload=lambda: iter([LF_ORDERS]),
        entity_head=header_block(payload_headers("application/edifact", "binary", "orders.edi")),
        entity_body=lambda: iter([LF_ORDERS]),
        raw=lambda: iter([raw]),
    )


def answered(partner: SimulatedPartner, sealed: Sealed, answer: Posted, **policy: Any) -> tuple[Diagnosis, ...]:
    return explain_receipt(sent_case(partner, sealed, **policy), answer.headers, answer.body, NOW)


def test_an_honest_mdn_has_nothing_wrong(partner: SimulatedPartner) -> None:
    sealed = partner.sealed_by_gateway(LF_ORDERS)
    assert answered(partner, sealed, partner.answer(sealed)) == ()


def mic_over(content: bytes, digest: Digest = Digest.SHA256) -> str:
    return Mic(digest.of(content), digest, digest.value).render()


ENTITY = header_block(payload_headers("application/edifact", "binary", "orders.edi")) + LF_ORDERS


@pytest.mark.parametrize(
    ("policy", "content", "code"),
    [
        ({"compression": Compression.BEFORE_SIGNING}, ENTITY, Code.MIC_OVER_INFLATED),
        ({}, LF_ORDERS, Code.MIC_OVER_PAYLOAD),
        ({"sign": False, "encrypt": False}, ENTITY, Code.MIC_OVER_HEADERS),
        ({}, ENTITY.replace(b"\r\n", b"\n").replace(b"\n", b"\r\n"), Code.MIC_CANONICAL),
        ({}, ENTITY.replace(b"\r\n", b"\n"), Code.MIC_CANONICAL),
        ({}, b"something else", Code.MIC_WRONG),
    ],
)
def test_what_the_mic_was_computed_over(
    partner: SimulatedPartner, policy: dict[str, Any], content: bytes, code: Code
) -> None:
    sealed = partner.sealed_by_gateway(LF_ORDERS, **policy)
    (found,) = answered(partner, sealed, partner.answer(sealed, mic=mic_over(content)), **policy)
    assert (found.code, found.switch) == (code, None)


def test_a_mic_over_what_was_encrypted_or_compressed(partner: SimulatedPartner) -> None:
    sealed = partner.sealed_by_gateway(LF_ORDERS)
    raw = sealed.body.read()
    sealed.body.seek(0)
    (found,) = answered(partner, sealed, partner.answer(sealed, mic=mic_over(raw, Digest.SHA1)))
    assert found.code is Code.MIC_OVER_ENCRYPTED
    policy = {"sign": False, "encrypt": False, "compression": Compression.BEFORE_SIGNING}
    sealed = partner.sealed_by_gateway(LF_ORDERS, **policy)
    raw = sealed.body.read()
    (found,) = answered(partner, sealed, partner.answer(sealed, mic=mic_over(raw)), **policy)
    assert found.code is Code.MIC_OVER_COMPRESSED


def test_a_mic_under_another_name(partner: SimulatedPartner) -> None:
    sealed = partner.sealed_by_gateway(LF_ORDERS)
    misnamed = Mic(sealed.digests[Digest.SHA512], Digest.SHA256, "sha-256").render()
    (found,) = answered(partner, sealed, partner.answer(sealed, mic=misnamed))
    assert found.code is Code.MIC_ALGORITHM_MISNAMED
    assert "sha-512" in found.found("en")
    (found,) = answered(partner, sealed, partner.answer(sealed, mic="AAAA, whirlpool"))
    assert found.code is Code.MIC_ALGORITHM_UNKNOWN
    assert "whirlpool" in found.found("fr")


def test_the_mic_under_another_algorithm_is_no_failure(partner: SimulatedPartner) -> None:
    sealed = partner.sealed_by_gateway(LF_ORDERS)
    other = Mic(sealed.digests[Digest.SHA384], Digest.SHA384, "SHA384").render()
    assert answered(partner, sealed, partner.answer(sealed, mic=other)) == ()


def test_a_missing_mic_and_a_missing_signature_name_their_switches(partner: SimulatedPartner) -> None:
    sealed = partner.sealed_by_gateway(LF_ORDERS)
    (found,) = answered(partner, sealed, partner.answer(sealed, mic=None))
    assert (found.code, str(found.switch)) == (Code.MIC_MISSING, "mdn_mic_required = false")
    (found,) = answered(partner, sealed, partner.answer(sealed, signed=False))
    assert (found.code, str(found.switch)) == (Code.MDN_UNSIGNED, "mdn_signed = false")


def test_an_mdn_signed_by_somebody_else(partner: SimulatedPartner) -> None:
    sealed = partner.sealed_by_gateway(LF_ORDERS)
    (found,) = answered(partner, sealed, partner.answer(sealed, key=key_of("VENDOR 2027")))
    assert found.code is Code.SIGNER_NOT_PINNED


def test_the_mdn_of_libas2_leaves_the_last_line_break_out(partner: SimulatedPartner) -> None:
    sealed = partner.sealed_by_gateway(LF_ORDERS)
    honest = mic_over(b"")
    entity = partner.report(partner.notification(sealed.sent.message_id, mic=honest))
    mdn = partner.mdn(partner.signed(entity, signature=partner.signature(entity.removesuffix(b"\r\n"))))
    (found,) = answered(partner, sealed, mdn)
    assert (found.code, found.switch) == (Code.CONTENT_WITHOUT_LAST_LINE_BREAK, None)
    assert "libas2" in found.found("en")


def test_an_mdn_for_another_transmission_or_none_at_all(partner: SimulatedPartner) -> None:
    sealed = partner.sealed_by_gateway(LF_ORDERS)
    (found,) = answered(partner, sealed, partner.answer(sealed, message_id="<other@gateway.example>"))
    assert found.code is Code.MDN_NOT_OURS
    html = Posted(Headers([("Content-Type", "text/html")]), b"<html>")
    (found,) = answered(partner, sealed, html)
    assert found.code is Code.MDN_UNREADABLE


@pytest.mark.parametrize(
    ("disposition", "code"),
    [
        (AUTHENTICATION_FAILED, Code.THEY_DO_NOT_TRUST_OUR_SIGNATURE),
        (DECRYPTION_FAILED, Code.THEY_CANNOT_DECRYPT),
        (DECOMPRESSION_FAILED, Code.THEY_CANNOT_INFLATE),
        (INTEGRITY_CHECK_FAILED, Code.THEY_FIND_IT_CHANGED),
        (INSUFFICIENT_MESSAGE_SECURITY, Code.THEY_DEMAND_MORE_SECURITY),
        (UNKNOWN_TRADING_RELATIONSHIP, Code.THEY_DO_NOT_KNOW_US),
        (UNSUPPORTED_MIC_ALGORITHMS, Code.THEY_CANNOT_GIVE_RECEIPT),
        (UNEXPECTED_PROCESSING_ERROR, Code.THEY_REFUSE),
    ],
)
def test_what_a_negative_mdn_means(partner: SimulatedPartner, disposition: Disposition, code: Code) -> None:
    sealed = partner.sealed_by_gateway(LF_ORDERS)
    answer = partner.answer(sealed, disposition=disposition, fields={"Error": "ask Anna in EDI"})
    (found,) = answered(partner, sealed, answer)
    assert found.code is code
    for language in ("en", "fr"):
        assert disposition.status in found.found(language) or code is Code.THEY_DO_NOT_KNOW_US


def test_a_warning_is_a_note(partner: SimulatedPartner) -> None:
    sealed = partner.sealed_by_gateway(LF_ORDERS)
    (found,) = answered(partner, sealed, partner.answer(sealed, disposition=DUPLICATE_DOCUMENT))
    assert (found.code, found.is_note) == (Code.MDN_WARNING, True)


# --- nothing that a partner sends trips it --------------------------------------------------------------------------


@pytest.mark.parametrize("seed", range(60))
def test_any_damage_is_explained_without_a_traceback(partner: SimulatedPartner, seed: int) -> None:
    posted = sent(partner, partner.signed(partner.compressed(partner.entity(ORDERS * 4))))
    body = bytearray(posted.body)
    body[(seed * 7919) % len(body)] ^= 1 + seed % 255
    found = explain_message(case(partner, replace(posted, body=bytes(body))))
    for diagnosis in found:
        assert diagnosis.found("fr")
        assert diagnosis.advice("en")


def test_a_key_of_ours_that_is_for_signing_only(partner: SimulatedPartner) -> None:
    from edi_gateway.as2.certificates import KeyUse

    signing = key_of("MARKETPLACE SIGNING")
    posted = partner.post(partner.encrypted(partner.signed(partner.entity()), recipients=[signing.certificate]))
    made = case(partner, posted, (Known(signing.certificate, Standing.OURS),))
    keys = (DatedKey(partner.gateway_key), DatedKey(signing, uses=frozenset({KeyUse.SIGNING})))
    made = replace(made, relationship=Relationship.of(partner.policy(), keys))
    assert reasons(explain_message(made)) == [Code.ENCRYPTED_FOR_OTHER_USE]


def test_digests_of_variations_stream(partner: SimulatedPartner) -> None:
    """A CRLF that is cut by a chunk is one all the same."""
    from edi_gateway.as2.diagnosis.signature import bare_line_feeds, without_last_line_break

    whole = b"a\r\nb\r\n\r\nc\r\n"
    for size in range(1, len(whole) + 1):
        chunks = [whole[i : i + size] for i in range(0, len(whole), size)]
        assert b"".join(bare_line_feeds(chunks)) == whole.replace(b"\r\n", b"\n")
        assert b"".join(without_last_line_break(chunks)) == whole[:-2]
    assert digests_of(bare_line_feeds([b"a\r"]), [Digest.SHA256]) == digests_of([b"a\r"], [Digest.SHA256])
