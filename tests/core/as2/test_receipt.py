"""What a sender asks for by way of a receipt (RFC 4130 §7.3)."""

import pytest

from edi_gateway.as2.algorithms import DEFAULT_DIGESTS, LEGACY_DIGESTS, Digest
from edi_gateway.as2.disposition import UNSUPPORTED_FORMAT, UNSUPPORTED_MIC_ALGORITHMS
from edi_gateway.as2.receipt import Importance, ReceiptOption, ReceiptRequest, parse_options, render_options

USUAL = "signed-receipt-protocol=optional, pkcs7-signature; signed-receipt-micalg=optional, sha-256"


def asked(options: str = USUAL, url: str | None = None) -> ReceiptRequest:
    return ReceiptRequest(notify="mdn@partner.example", options=parse_options(options), delivery_url=url)


CASES = [
    (
        (
            ReceiptOption("signed-receipt-protocol", Importance.OPTIONAL, ("pkcs7-signature",)),
            ReceiptOption("signed-receipt-micalg", Importance.OPTIONAL, ("sha-256",)),
        ),
        USUAL,
    ),
    (
        (ReceiptOption("signed-receipt-micalg", Importance.REQUIRED, ("SHA-512", "sha1")),),
        "signed-receipt-micalg=required, SHA-512, sha1",
    ),
    ((), ""),
]


@pytest.mark.parametrize(("options", "text"), CASES)
def test_084_options_are_written_and_read(options, text):
    assert render_options(options) == text
    assert parse_options(text) == options


@pytest.mark.parametrize(
    "text",
    [
        "signed-receipt-protocol=optional,pkcs7-signature;signed-receipt-micalg=optional,sha256",
        "signed-receipt-micalg=optional,sha256; signed-receipt-protocol=optional,pkcs7-signature",
        "  Signed-Receipt-Protocol = Optional , PKCS7-Signature ;; SIGNED-RECEIPT-MICALG = OPTIONAL , SHA-256 ;",
        'signed-receipt-protocol=required,"pkcs7-signature"; signed-receipt-micalg=required,"sha-256"',
        "x-new=optional,x; signed-receipt-protocol=optional,pkcs7-signature; signed-receipt-micalg=optional,sha256",
        "signed-receipt-protocol=pkcs7-signature; signed-receipt-micalg=sha256",
        "signed-receipt-micalg=optional,sha-256",
    ],
)
def test_084_options_are_found_by_name_in_any_order_case_and_spacing(text):
    """OpenAS2 #60 read them by position; pyas2lib answers 500 to another order."""
    request = asked(text)
    assert request.is_signed
    assert request.digest(DEFAULT_DIGESTS) is Digest.SHA256
    assert request.refusal(DEFAULT_DIGESTS) is None


@pytest.mark.parametrize("text", ["", ";;;", "=,=;", "signed-receipt-protocol", "a=b=c", "x" * 10_000])
def test_084_nonsense_means_an_unsigned_receipt(text):
    request = asked(text)
    assert not request.is_signed
    assert request.refusal(DEFAULT_DIGESTS) is None


@pytest.mark.parametrize(
    ("listed", "accepted", "taken"),
    [
        ("sha512, sha256", DEFAULT_DIGESTS, Digest.SHA512),
        ("sha256, sha512", DEFAULT_DIGESTS, Digest.SHA256),
        ("md5, sha1, sha-384", DEFAULT_DIGESTS, Digest.SHA384),
        ("sha1, sha256", LEGACY_DIGESTS, Digest.SHA1),
        ("whirlpool, sha-256", DEFAULT_DIGESTS, Digest.SHA256),
        ("md5", DEFAULT_DIGESTS, None),
    ],
)
def test_085_the_first_supported_algorithm_is_taken(listed, accepted, taken):
    """Draft rfc4130bis §8.3; pyas2lib takes the last."""
    assert asked(f"signed-receipt-micalg=optional, {listed}").digest(accepted) is taken


def test_072_the_algorithm_is_answered_as_the_sender_spells_it():
    request = asked("signed-receipt-micalg=optional, SHA256, sha1")
    assert request.spelling_of(Digest.SHA256) == "SHA256"
    assert request.spelling_of(Digest.SHA1) == "sha1"
    assert request.spelling_of(Digest.SHA512) == ""


@pytest.mark.parametrize("importance", ["required", "optional"])
def test_086_without_a_supported_algorithm_the_request_fails(importance):
    """RFC 4130 §7.5.3; draft §8.3: an algorithm that is not listed must not be used, whatever the importance."""
    request = asked(
        f"signed-receipt-protocol={importance},pkcs7-signature; signed-receipt-micalg={importance},md5,sha1"
    )
    refusal = request.refusal(DEFAULT_DIGESTS)
    assert refusal is not None
    assert refusal.disposition == UNSUPPORTED_MIC_ALGORITHMS
    assert "sha-256" in refusal.explanation


def test_087_an_unknown_required_protocol_fails():
    """RFC 4130 §7.5.3."""
    refusal = asked("signed-receipt-protocol=required,pgp-signature").refusal(DEFAULT_DIGESTS)
    assert refusal is not None
    assert refusal.disposition == UNSUPPORTED_FORMAT


@pytest.mark.parametrize(
    ("text", "refused"),
    [
        ("signed-receipt-protocol=optional,pgp-signature; signed-receipt-micalg=optional,sha256", False),
        ("signed-receipt-protocol=required,pgp-signature; signed-receipt-micalg=required,sha256", True),
        ("x-receipt-colour=optional,blue", False),
        ("x-receipt-colour=required,blue", True),
    ],
)
def test_088_only_what_is_required_makes_the_request_fail(text, refused):
    """RFC 3798 §2.2: a receipt may be given that leaves out what is optional; here, an unsigned one."""
    request = asked(text)
    assert not request.is_signed
    assert (request.refusal(DEFAULT_DIGESTS) is not None) is refused


@pytest.mark.parametrize("notify", ["mdn@partner.example", "", "no address at all", "http://x/?a=b", '"<>;,'])
def test_095_disposition_notification_to_counts_by_its_presence(notify):
    """Draft rfc4130bis §8.3."""
    request = ReceiptRequest(notify=notify, options=parse_options(USUAL))
    assert request.refusal(DEFAULT_DIGESTS) is None


@pytest.mark.parametrize(
    ("url", "asynchronous"),
    [(None, False), ("http://partner.example/mdn", True), ("HTTPS://partner.example/mdn", True), ("mailto:a@b", False)],
)
def test_an_address_makes_the_receipt_asynchronous(url, asynchronous):
    assert asked(url=url).is_asynchronous is asynchronous


@pytest.mark.parametrize("url", ["mailto:mdn@partner.example", "ftp://partner.example/", "javascript:alert(1)"])
def test_082_receipts_by_mail_are_refused(url):
    refusal = asked(url=url).refusal(DEFAULT_DIGESTS)
    assert refusal is not None
    assert refusal.disposition == UNSUPPORTED_FORMAT
    assert "http" in refusal.explanation
