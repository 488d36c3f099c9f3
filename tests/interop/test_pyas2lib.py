"""pyas2lib 1.4.4 as peer, both directions: its messages opened by us, ours by it, and the receipts of both.

What it cannot do (GCM, OAEP, ECDSA, compression after signing, a MIC of unsigned messages) is no case here;
`test_openssl_as2` covers the algorithms.
"""

import io
import logging
from itertools import product

import pytest
from cryptography.hazmat.primitives import serialization

from edi_gateway.as2.algorithms import Cipher, Digest
from edi_gateway.as2.certificates import PrivateKey
from edi_gateway.as2.disposition import DECRYPTION_FAILED
from edi_gateway.as2.headers import Headers, read_request
from edi_gateway.as2.inbound import open_report, open_transmission
from edi_gateway.as2.mdn import compose
from edi_gateway.as2.opened import Opened, OpenedReport
from edi_gateway.as2.outbound import Sealed, seal
from edi_gateway.as2.settlement import Outcome, Sent, judge
from edi_gateway.partnership import Compression
from tests.interop.oscrypto_shim import pyas2lib
from tests.partner import NOW, ORDERS, SimulatedPartner

# It calls datetime.utcnow.
pytestmark = [pytest.mark.interop, pytest.mark.filterwarnings("ignore::DeprecationWarning")]

DIGESTS = ["sha256", "sha384", "sha512"]
CIPHERS = {"aes_128_cbc": Cipher.AES_128_CBC, "aes_192_cbc": Cipher.AES_192_CBC, "aes_256_cbc": Cipher.AES_256_CBC}
SCHEMES = {"rsassa_pkcs1v15": "pkcs1v15", "rsassa_pss": "pss"}


@pytest.fixture(autouse=True)
def _quiet():
    logging.getLogger("pyas2lib").setLevel(logging.CRITICAL)


@pytest.fixture(scope="module")
def partner():
    return SimulatedPartner()


def pem_of(key: PrivateKey) -> bytes:
    plain = key.key.private_bytes(
        serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
    )
    return plain + key.certificate.pem.encode()


def organization(partner: SimulatedPartner) -> pyas2lib.Organization:
    """The partner, run by pyas2lib."""
    pem = pem_of(partner.key)
    return pyas2lib.Organization(
        as2_name=partner.name, sign_key=pem, sign_key_pass=None, decrypt_key=pem, decrypt_key_pass=None,
        domain="vendor.example",
    )  # fmt: skip


def gateway_as_seen_by_it(partner: SimulatedPartner, **agreed) -> pyas2lib.Partner:
    certificate = partner.gateway_key.certificate.pem.encode()
    return pyas2lib.Partner(
        as2_name=partner.gateway_name,
        verify_cert=certificate,
        encrypt_cert=certificate,
        validate_certs=False,
        **agreed,
    )


def raw(headers: tuple[tuple[str, str], ...], body: bytes) -> bytes:
    return "".join(f"{name}: {value}\r\n" for name, value in headers).encode() + b"\r\n" + body


# --- it sends, we receive ----------------------------------------------------------------------------


def built_by_it(partner: SimulatedPartner, payload: bytes = ORDERS, **agreed) -> pyas2lib.Message:
    usual = {"sign": True, "digest_alg": "sha256", "encrypt": True, "enc_alg": "aes_256_cbc", "mdn_mode": "SYNC"}
    agreed = usual | {"mdn_digest_alg": "sha256"} | agreed
    message = pyas2lib.Message(organization(partner), gateway_as_seen_by_it(partner, **agreed))
    message.build(payload, filename="orders.edi", subject="orders", content_type="application/edifact")
    return message


def opened_by_us(partner: SimulatedPartner, message: pyas2lib.Message, **policy) -> Opened:
    headers = Headers(message.headers.items())
    outcome = open_transmission(
        read_request(headers), headers, io.BytesIO(message.content), partner.relationship(**policy), io.BytesIO, NOW
    )
    assert isinstance(outcome, Opened), outcome
    return outcome


@pytest.mark.parametrize(
    ("digest", "cipher", "scheme", "compress"),
    [(*combination, number % 3 == 0) for number, combination in enumerate(product(DIGESTS, CIPHERS, SCHEMES))],
)
def test_030_its_signed_and_encrypted_messages(partner, digest, cipher, scheme, compress):
    message = built_by_it(partner, digest_alg=digest, enc_alg=cipher, sign_alg=scheme, compress=compress)
    opened = opened_by_us(partner, message)
    assert opened.payload.read() == ORDERS
    assert opened.filename == "orders.edi"
    assert opened.signed_with.digest is Digest.parse(digest)
    assert opened.signed_with.scheme == SCHEMES[scheme]
    assert opened.encrypted_with.cipher is CIPHERS[cipher]
    assert opened.compressed is (Compression.BEFORE_SIGNING if compress else Compression.NONE)
    assert opened.mic.render().split(",")[0] == message.mic.decode()


def test_028_its_signed_messages(partner):
    opened = opened_by_us(partner, built_by_it(partner, encrypt=False), require_encryption=False)
    assert opened.payload.read() == ORDERS


def test_037_its_compressed_and_encrypted_messages(partner):
    message = built_by_it(partner, sign=False, digest_alg=None, compress=True)
    assert opened_by_us(partner, message, require_signature=False).payload.read() == ORDERS


def test_051_its_sha_1_where_the_partnership_says_legacy(partner):
    message = built_by_it(partner, digest_alg="sha1", mdn_digest_alg="sha1")
    opened = opened_by_us(partner, message, accepted_digests=frozenset({"sha-1"}))
    assert opened.mic.render() == f"{message.mic.decode()}, sha1"


def test_057_its_triple_des_where_the_partnership_says_so(partner):
    message = built_by_it(partner, enc_alg="tripledes_192_cbc")
    opened = opened_by_us(partner, message, accepted_ciphers=frozenset({"3des-cbc"}))
    assert opened.encrypted_with.cipher is Cipher.TRIPLE_DES_CBC


@pytest.mark.parametrize("payload", [b"UNB+1'\nUNZ+0+1'\n", b"UNB+1'\r\nUNZ+0+1'\r\n", b"UNB+1'UNZ+0+1'"])
def test_077_its_payload_of_any_line_ends(partner, payload):
    """It canonicalises what it signs and sends the same, so the digests agree."""
    opened = opened_by_us(partner, built_by_it(partner, payload))
    assert opened.payload.read().replace(b"\r\n", b"\n") == payload.replace(b"\r\n", b"\n")


@pytest.mark.parametrize("digest", DIGESTS)
def test_079_it_accepts_our_signed_receipt(partner, digest):
    message = built_by_it(partner, digest_alg=digest, mdn_digest_alg=digest)
    opened = opened_by_us(partner, message)
    request = read_request(Headers(message.headers.items()))
    mdn = compose(request, partner.relationship(), opened.disposition, opened.mic, "", message_id="<m@gw>", now=NOW)
    found = pyas2lib.Mdn().parse(raw(mdn.headers, mdn.body), lambda message_id, recipient: message)
    assert found == ("processed", None)


def test_083_it_reads_our_negative_receipt(partner):
    message = built_by_it(partner)
    request = read_request(Headers(message.headers.items()))
    mdn = compose(request, partner.relationship(), DECRYPTION_FAILED, None, "Sorry.", message_id="<m@gw>", now=NOW)
    found = pyas2lib.Mdn().parse(raw(mdn.headers, mdn.body), lambda message_id, recipient: message)
    assert found == ("processed/error", "decryption-failed")


# --- we send, it receives ----------------------------------------------------------------------------


def sealed_by_us(partner: SimulatedPartner, payload: bytes = ORDERS, **policy) -> Sealed:
    return seal(
        io.BytesIO(payload),
        partner.relationship(**policy),
        message_id="<9@gateway.example>",
        now=NOW,
        filename="orders.edi",
        spool=io.BytesIO,
    )


def opened_by_it(partner: SimulatedPartner, sealed: Sealed, **agreed) -> tuple[pyas2lib.Message, pyas2lib.Mdn]:
    usual = {"sign": True, "digest_alg": "sha256", "encrypt": True, "enc_alg": "aes_256_cbc", "mdn_mode": "SYNC"}
    gateway = gateway_as_seen_by_it(partner, **(usual | agreed))
    message = pyas2lib.Message()
    status, problem, mdn = message.parse(
        raw(sealed.headers, sealed.body.read()),
        lambda name: organization(partner) if name == partner.name else None,
        lambda name: gateway if name == partner.gateway_name else None,
        lambda message_id, name: False,
    )
    assert status == "processed", problem
    return message, mdn


@pytest.mark.parametrize(
    ("digest", "cipher", "scheme", "compression"),
    [
        (digest, cipher, scheme, compression)
        for (digest, cipher, scheme), compression in zip(
            product(DIGESTS, CIPHERS.values(), SCHEMES.values()),
            [Compression.NONE, Compression.BEFORE_SIGNING, Compression.AFTER_SIGNING] * 6,
            strict=True,
        )
    ],
)
def test_030_our_signed_and_encrypted_messages_and_its_receipt(partner, digest, cipher, scheme, compression):
    policy = {"digest": digest, "cipher": cipher, "signature_scheme": scheme, "compression": compression}
    sealed = sealed_by_us(partner, **policy)
    message, mdn = opened_by_it(partner, sealed)
    assert message.content.replace(b"\r\n", b"\n") == ORDERS.replace(b"\r\n", b"\n")
    assert message.mic.decode() == sealed.mic.render().split(",")[0]
    receipt = open_report(
        Headers(mdn.headers.items()), io.BytesIO(mdn.content), partner.relationship(), io.BytesIO, NOW
    )
    assert isinstance(receipt, OpenedReport), receipt
    assert judge(receipt, sealed.sent).outcome is Outcome.ACKNOWLEDGED


@pytest.mark.parametrize("encoding", ["binary", "base64"])
def test_028_our_signed_messages(partner, encoding):
    message, _ = opened_by_it(partner, sealed_by_us(partner, encrypt=False, transfer_encoding=encoding), encrypt=False)
    assert message.content.replace(b"\r\n", b"\n") == ORDERS.replace(b"\r\n", b"\n")


@pytest.mark.parametrize("encoding", ["binary", "base64"])
def test_029_our_encrypted_messages(partner, encoding):
    sealed = sealed_by_us(partner, sign=False, transfer_encoding=encoding)
    message, _ = opened_by_it(partner, sealed, sign=False)
    assert message.content.replace(b"\r\n", b"\n") == ORDERS.replace(b"\r\n", b"\n")


def test_078_its_unsigned_receipt(partner):
    """Without a MIC: success only where the partnership does not demand one."""
    sealed = sealed_by_us(partner, sign=False, encrypt=False, mdn_signed=False)
    _, mdn = opened_by_it(partner, sealed, sign=False, encrypt=False)
    headers, body = Headers(mdn.headers.items()), io.BytesIO(mdn.content)
    receipt = open_report(headers, body, partner.relationship(), io.BytesIO, NOW)
    assert isinstance(receipt, OpenedReport), receipt
    assert judge(receipt, sealed.sent).outcome is Outcome.MIC_MISSING
    without = Sent(
        message_id=sealed.sent.message_id,
        as2_from=sealed.sent.as2_from,
        as2_to=sealed.sent.as2_to,
        digests=sealed.digests,
        receipt_signed=False,
        mic_required=False,
    )
    assert judge(receipt, without).outcome is Outcome.ACKNOWLEDGED


def test_its_negative_receipt_is_a_refusal(partner):
    """It demands a signature that we do not give."""
    sealed = sealed_by_us(partner, sign=False)
    gateway = gateway_as_seen_by_it(partner, sign=True, digest_alg="sha256", encrypt=True)
    _, _, mdn = pyas2lib.Message().parse(
        raw(sealed.headers, sealed.body.read()),
        lambda name: organization(partner),
        lambda name: gateway,
        lambda message_id, name: False,
    )
    receipt = open_report(
        Headers(mdn.headers.items()), io.BytesIO(mdn.content), partner.relationship(), io.BytesIO, NOW
    )
    assert isinstance(receipt, OpenedReport), receipt
    settlement = judge(receipt, sealed.sent)
    assert settlement.outcome is Outcome.REFUSED
    assert "insufficient-message-security" in settlement.explanation
