"""Receipts that we give (RFC 4130 §7, RFC 3798)."""

import io
from dataclasses import replace

import pytest

from edi_gateway.as2 import disposition as d
from edi_gateway.as2.algorithms import Digest
from edi_gateway.as2.errors import RelationshipFault
from edi_gateway.as2.fields import Parameterised
from edi_gateway.as2.headers import PRODUCT, Headers, Request, read_request
from edi_gateway.as2.inbound import open_report
from edi_gateway.as2.mdn import SealedMdn, compose
from edi_gateway.as2.mic import Mic
from edi_gateway.as2.opened import OpenedReport, Trust
from edi_gateway.as2.relationship import Relationship
from tests.partner import NOW, ORDERS, SimulatedPartner, key_of

MIC = Mic(Digest.SHA256.of(ORDERS), Digest.SHA256, "sha256")
UNSIGNED = {"Disposition_Notification_Options": None}


def asked(partner: SimulatedPartner, **changes: str | None) -> Request:
    return read_request(partner.post(partner.entity(), **changes).headers)


def receipt(
    partner: SimulatedPartner,
    request: Request,
    relationship: Relationship | None,
    disposition: d.Disposition = d.PROCESSED,
    explanation: str = "",
) -> SealedMdn:
    return compose(request, relationship, disposition, MIC, explanation, message_id="<mdn-1@gateway.example>", now=NOW)


def read_by(partner: SimulatedPartner, mdn: SealedMdn) -> OpenedReport:
    own = partner.own_relationship()
    outcome = open_report(Headers(mdn.headers), io.BytesIO(mdn.body), own, io.BytesIO, NOW)
    assert isinstance(outcome, OpenedReport), outcome
    return outcome


def test_078_unsigned_when_no_signed_one_is_asked_for(partner):
    mdn = receipt(partner, asked(partner, **UNSIGNED), partner.relationship())
    assert mdn.signed_with is None
    assert Headers(mdn.headers).get("Content-Type").startswith("multipart/report; report-type=disposition-notification")
    assert read_by(partner, mdn).trust is Trust.UNSIGNED


def test_079_signed_when_asked_for(partner):
    mdn = receipt(partner, asked(partner), partner.relationship())
    read = read_by(partner, mdn)
    assert (mdn.signed_with, read.trust) == (Digest.SHA256, Trust.SIGNED)
    assert read.signer
    assert read.signer.fingerprint == partner.gateway_key.certificate.fingerprint
    assert read.report.disposition == d.PROCESSED
    assert read.report.mic == MIC


@pytest.mark.parametrize("disposition", d.CATALOGUE, ids=[value.status for value in d.CATALOGUE])
def test_083_signed_also_for_errors(partner, disposition):
    mdn = receipt(partner, asked(partner), partner.relationship(), disposition, "What to do about it.")
    read = read_by(partner, mdn)
    assert read.trust is Trust.SIGNED
    assert read.report.disposition == disposition
    assert "What to do about it." in read.report.text


def test_085_signed_under_the_first_supported_algorithm(partner):
    options = "signed-receipt-protocol=optional,pkcs7-signature; signed-receipt-micalg=optional,md5,SHA512,sha256"
    mdn = receipt(partner, asked(partner, Disposition_Notification_Options=options), partner.relationship())
    assert mdn.signed_with is Digest.SHA512
    assert Parameterised.parse(Headers(mdn.headers).get("Content-Type")).get("micalg") == "sha-512"


def test_086_not_signed_when_no_listed_algorithm_is_accepted(partner):
    """Draft rfc4130bis §8.3: an algorithm that is not listed must not be used; an unsigned MDN is allowed."""
    options = "signed-receipt-protocol=required,pkcs7-signature; signed-receipt-micalg=required,md5"
    request = asked(partner, Disposition_Notification_Options=options)
    mdn = receipt(partner, request, partner.relationship(), d.UNSUPPORTED_MIC_ALGORITHMS)
    assert mdn.signed_with is None
    assert read_by(partner, mdn).report.disposition == d.UNSUPPORTED_MIC_ALGORITHMS


def test_021_an_unknown_partner_gets_an_unsigned_receipt(partner):
    mdn = receipt(partner, asked(partner, AS2_From="NOBODY"), None, d.UNKNOWN_TRADING_RELATIONSHIP)
    assert mdn.signed_with is None
    assert Headers(mdn.headers).get("AS2-To") == "NOBODY"
    assert read_by(partner, mdn).report.disposition == d.UNKNOWN_TRADING_RELATIONSHIP


def test_010_the_names_are_swapped(partner):
    headers = Headers(receipt(partner, asked(partner, AS2_From='"The \\"Vendor\\""'), None).headers)
    assert headers.get("AS2-From") == partner.gateway_name
    assert headers.get("AS2-To") == '"The \\"Vendor\\""'


@pytest.mark.parametrize("message_id", ["<1@vendor.example>", "1@vendor.example", "<<odd>>", "<CaSe+%=/@x>"])
def test_016_the_message_id_is_repeated_to_the_byte(partner, message_id):
    """Draft rfc4130bis §5.3.3: brackets included or not."""
    mdn = receipt(partner, asked(partner, Message_ID=message_id), partner.relationship())
    assert f"\r\nOriginal-Message-ID: {message_id}\r\n".encode() in mdn.body


def test_089_the_report_has_a_text_and_a_notification(partner):
    mdn = receipt(partner, asked(partner, **UNSIGNED), partner.relationship())
    assert mdn.body.count(b"Content-Type:") == 2
    assert mdn.body.index(b"text/plain") < mdn.body.index(b"message/disposition-notification")


def test_090_final_recipient_is_the_name_it_was_sent_to(partner):
    """Draft rfc4130bis §8.4.4."""
    report = read_by(partner, receipt(partner, asked(partner), partner.relationship())).report
    assert report.final_recipient == f"rfc822; {partner.gateway_name}"
    assert report.original_recipient == report.final_recipient


def test_096_the_mdn_has_an_id_of_its_own_and_asks_for_nothing(partner):
    headers = Headers(receipt(partner, asked(partner), partner.relationship()).headers)
    assert headers.get("Message-ID") == "<mdn-1@gateway.example>"
    assert "Disposition-Notification-To" not in headers
    assert "Disposition-Notification-Options" not in headers
    assert headers.get("Date") == "Sun, 22 Nov 2026 12:00:00 +0000"


def test_019_the_product_is_named_from_1_3_on(partner):
    assert "AS2-Product" not in Headers(receipt(partner, asked(partner), partner.relationship()).headers)
    headers = Headers(receipt(partner, asked(partner), partner.relationship(version="1.3")).headers)
    assert headers.get("AS2-Product") == PRODUCT
    assert headers.get("AS2-Version") == "1.3"


def test_the_same_receipt_twice_is_the_same_bytes(partner):
    """Signing with PKCS #1 v1.5 is deterministic, and nothing else is random."""
    first, second = (receipt(partner, asked(partner), partner.relationship()) for _ in range(2))
    assert first == second


def test_nothing_echoed_from_the_partner_becomes_a_line(partner):
    request = replace(asked(partner, **UNSIGNED), as2_from="A B")
    mdn = receipt(partner, request, partner.relationship(), d.DECRYPTION_FAILED, "one\r\nX-Injected: yes\r\n\r\ntwo")
    assert b"\r\nX-Injected" not in mdn.body


def test_an_explanation_in_any_language_is_carried(partner):
    mdn = receipt(partner, asked(partner), partner.relationship(), d.DECRYPTION_FAILED, "D\u00e9chiffrement impossible")
    assert mdn.body.isascii()
    assert "D\u00e9chiffrement impossible" in read_by(partner, mdn).report.text


def test_without_a_valid_key_no_receipt_is_made():
    """118: our own certificate has expired; the partner gets a 5xx and resends."""
    partner = SimulatedPartner(gateway_key=key_of("EXPIRED", start=NOW.replace(year=2020), days=10))
    with pytest.raises(RelationshipFault, match="2020"):
        receipt(partner, asked(partner), partner.relationship())
