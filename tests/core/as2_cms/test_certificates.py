"""Certificates and private keys: read from what partners send, judged, chosen, made."""

from __future__ import annotations

import base64
from datetime import timedelta

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec, ed25519, rsa
from cryptography.hazmat.primitives.serialization import pkcs7, pkcs12
from cryptography.x509.oid import NameOID

from edi_gateway.as2.algorithms import Digest, SignatureScheme
from edi_gateway.as2.certificates import (
    CERTIFICATES_MAX,
    DAYS_MAX,
    FILE_BYTES_MAX,
    KEY_KINDS,
    Certificate,
    CertificateError,
    KeyUse,
    PrivateKey,
    WeaknessKind,
    choose,
    generate,
    leaf_first,
    load_certificates,
    load_private_key,
    weaknesses,
)
from edi_gateway.as2.cms import der
from tests.core.as2_cms.material import NOW, key

PASSWORD = b"correct horse"


def issued(
    subject: str,
    issuer: str,
    signer: rsa.RSAPrivateKey | ec.EllipticCurvePrivateKey,
    public: object = None,
    *extensions: x509.ExtensionType,
    digest: hashes.HashAlgorithm | None = None,
) -> Certificate:
    """A certificate of our own choosing."""
    builder = (
        x509.CertificateBuilder()
        .subject_name(x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, subject)]))
        .issuer_name(x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, issuer)]))
        .public_key(public or signer.public_key())
        .serial_number(4711)
        .not_valid_before(NOW)
        .not_valid_after(NOW + timedelta(days=90))
    )
    for extension in extensions:
        builder = builder.add_extension(extension, critical=True)
    signed = builder.sign(signer, digest or hashes.SHA256())
    return Certificate.from_der(signed.public_bytes(serialization.Encoding.DER))


def as_x509(certificate: Certificate) -> x509.Certificate:
    return x509.load_der_x509_certificate(certificate.der)


# --- reading -------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "form", ["pem", "pem text", "der", "base64", "crlf", "with words around", "x509 label", "one line"]
)
def test_120_a_certificate_is_read_in_every_form(form: str) -> None:
    certificate = key().certificate
    forms: dict[str, bytes | str] = {
        "pem": certificate.pem.encode(),
        "pem text": certificate.pem,
        "der": certificate.der,
        "base64": base64.encodebytes(certificate.der),
        "crlf": certificate.pem.replace("\n", "\r\n").encode(),
        "with words around": b"\xef\xbb\xbfsubject=/CN=us\n" + certificate.pem.encode() + b"\nregards\n",
        "one line": certificate.pem.replace("\n", ""),
        "x509 label": certificate.pem.replace("CERTIFICATE", "X509 CERTIFICATE").encode(),
    }
    assert load_certificates(forms[form]) == (certificate,)


@pytest.mark.parametrize("encoding", [serialization.Encoding.DER, serialization.Encoding.PEM])
def test_120_p7b_gives_its_whole_chain_leaf_first(encoding: serialization.Encoding) -> None:
    root = key("root")
    leaf = issued("leaf", "root", root.key, key("other").key.public_key())
    bundle = pkcs7.serialize_certificates([as_x509(root.certificate), as_x509(leaf)], encoding)
    assert load_certificates(bundle) == (leaf, root.certificate)


def test_120_p7b_in_ber_is_read() -> None:
    start, end = der.indefinite, der.END_OF_CONTENTS
    data = der.oid("1.2.840.113549.1.7.1")
    head = start(0x30) + der.oid("1.2.840.113549.1.7.2") + start(0xA0) + start(0x30) + der.integer(1) + der.set_of()
    bundle = head + start(0x30) + data + end + start(0xA0) + key().certificate.der + end + der.set_of() + end * 3
    assert load_certificates(bundle) == (key().certificate,)


def test_120_p12_gives_key_certificate_and_chain() -> None:
    root = key("root")
    private = key("other").key
    leaf = issued("leaf", "root", root.key, private.public_key())
    store = pkcs12.serialize_key_and_certificates(
        b"us", private, as_x509(leaf), [as_x509(root.certificate)], serialization.BestAvailableEncryption(PASSWORD)
    )
    assert load_certificates(store, PASSWORD) == (leaf, root.certificate)
    assert load_private_key(store, PASSWORD).certificate == leaf
    with pytest.raises(CertificateError, match="password"):
        load_certificates(store, b"wrong")
    with pytest.raises(CertificateError, match="password"):
        load_private_key(store, b"wrong")


@pytest.mark.filterwarnings("ignore:Parsed a serial number")
def test_a_negative_serial_number_is_kept_as_it_is() -> None:
    encoded = bytearray(key("us", "p-256").certificate.der)
    at = encoded.index(b"\xa0\x03\x02\x01\x02\x02") + 7
    encoded[at] |= 0x80
    certificate = Certificate.from_der(bytes(encoded))
    assert certificate.serial < 0
    assert der.integer(certificate.serial) == bytes(encoded[at - 2 : at + encoded[at - 1]])


def test_our_own_p12_is_read_again() -> None:
    assert load_private_key(key().to_p12(PASSWORD, "us"), PASSWORD) == key()


def test_a_p12_without_what_we_need_is_refused() -> None:
    chain = [as_x509(key("root").certificate)]
    keyless = pkcs12.serialize_key_and_certificates(None, None, None, chain, serialization.NoEncryption())
    with pytest.raises(CertificateError, match="no private key"):
        load_private_key(keyless, None)
    assert load_certificates(keyless) == (key("root").certificate,)


def test_a_private_key_of_another_kind_is_refused() -> None:
    private = ed25519.Ed25519PrivateKey.generate()
    pem = private.private_bytes(
        serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
    )
    with pytest.raises(CertificateError, match="neither RSA nor"):
        load_private_key(pem, None, key().certificate)


def test_a_certificate_beyond_the_bound_is_refused() -> None:
    with pytest.raises(CertificateError, match="larger"):
        Certificate.from_der(bytes(FILE_BYTES_MAX + 1))


def test_a_chain_comes_leaf_first_and_each_once() -> None:
    root = key("root")
    leaf = issued("leaf", "root", root.key, key("other").key.public_key())
    assert leaf_first([root.certificate, leaf, root.certificate]) == (leaf, root.certificate)


@pytest.mark.parametrize(
    ("data", "why"),
    [
        (b"", "neither"),
        (b"hello", "neither"),
        (b"\x30\x82\xff\xff", "neither"),
        (b"\xff" * 200, "neither"),
        (b"-----BEGIN CERTIFICATE-----\nAAAA\n-----END CERTIFICATE-----\n", "not a certificate"),
        (b"-----BEGIN CERTIFICATE-----\n!!!!\n-----END CERTIFICATE-----\n", "neither"),
        (b"-----BEGIN PUBLIC KEY-----\nAAAA\n-----END PUBLIC KEY-----\n", "no certificate"),
        (b"x" * (FILE_BYTES_MAX + 1), "larger"),
    ],
)
def test_what_is_no_certificate_is_refused_with_a_reason(data: bytes, why: str) -> None:
    with pytest.raises(CertificateError, match=why):
        load_certificates(data)


def test_a_file_of_too_many_certificates_is_refused() -> None:
    pem = key("p", "p-256").certificate.pem
    assert len(load_certificates(pem * CERTIFICATES_MAX)) == 1
    with pytest.raises(CertificateError, match=f"more than {CERTIFICATES_MAX}"):
        load_certificates(pem * (CERTIFICATES_MAX + 1))


def test_one_certificate_means_one() -> None:
    two = key("p", "p-256").certificate.pem + key("q", "p-256").certificate.pem
    with pytest.raises(CertificateError, match="found 2"):
        Certificate.from_pem(two)
    assert Certificate.from_pem(key().certificate.pem) == key().certificate


def test_a_key_that_cms_cannot_use_is_refused() -> None:
    other = ed25519.Ed25519PrivateKey.generate().public_key()
    with pytest.raises(CertificateError, match="neither RSA nor"):
        issued("ed", "us", key().key, other)


# --- what a certificate says ---------------------------------------------------------------------


def test_the_facts_of_a_certificate() -> None:
    certificate = key().certificate
    parsed = as_x509(certificate)
    assert certificate.fingerprint == parsed.fingerprint(hashes.SHA256()).hex()
    assert certificate.subject == certificate.issuer == "CN=us"
    assert certificate.self_signed
    assert certificate.serial == parsed.serial_number
    assert certificate.issuer_der == parsed.issuer.public_bytes()
    assert certificate.ski == x509.SubjectKeyIdentifier.from_public_key(parsed.public_key()).digest
    assert certificate.not_before == NOW - timedelta(minutes=5)
    assert certificate.not_after == NOW + timedelta(days=365)
    assert certificate.key_description == "RSA-2048"
    assert certificate.signature_digest is Digest.SHA256
    assert certificate.days_left(NOW) == 365
    assert not hasattr(certificate, "__dict__")


def test_a_key_identifier_is_computed_where_the_extension_is_missing() -> None:
    certificate = issued("us", "us", key().key)
    assert certificate.ski == key().certificate.ski


@pytest.mark.parametrize(
    ("kind", "description"),
    [("rsa-2048", "RSA-2048"), ("rsa-3072", "RSA-3072"), ("p-256", "P-256"), ("p-384", "P-384")],
)
def test_generated_keys_sign_and_encrypt(kind: str, description: str) -> None:
    made = key("made", kind)
    assert made.certificate.key_description == description
    assert made.certificate.can_sign
    assert made.certificate.can_encrypt
    assert weaknesses(made.certificate, NOW) == ()
    assert made.default_scheme is (SignatureScheme.PKCS1V15 if "rsa" in kind else SignatureScheme.ECDSA)


@pytest.mark.parametrize(
    ("name", "days", "kind", "why"),
    [
        ("us", 365, "rsa-1024", "not a kind of key"),
        ("us", 365, "dsa", "not a kind of key"),
        ("us", 0, "p-256", "1 to 3650 days"),
        ("us", DAYS_MAX + 1, "p-256", "1 to 3650 days"),
        ("", 1, "p-256", "1 to 64 characters"),
        ("x" * 65, 1, "p-256", "1 to 64 characters"),
    ],
)
def test_what_is_not_made(name: str, days: int, kind: str, why: str) -> None:
    with pytest.raises(CertificateError, match=why):
        generate(name, NOW, days, kind)


def test_bounds_of_making() -> None:
    assert generate("x" * 64, NOW, DAYS_MAX, "p-256").not_after == NOW + timedelta(days=DAYS_MAX)
    assert "rsa-1024" not in KEY_KINDS


# --- private keys --------------------------------------------------------------------------------


@pytest.mark.parametrize("kind", ["rsa-2048", "p-256"])
def test_a_private_key_goes_out_encrypted_and_comes_back(kind: str) -> None:
    ours = key("us", kind)
    pem = ours.to_pem(PASSWORD)
    assert b"BEGIN ENCRYPTED PRIVATE KEY" in pem
    again = load_private_key(pem, PASSWORD)
    assert again == ours
    assert again.key.private_numbers() == ours.key.private_numbers()
    with pytest.raises(CertificateError, match="password"):
        load_private_key(pem, b"wrong")
    with pytest.raises(CertificateError, match="password"):
        load_private_key(pem, None)


def test_a_private_key_never_goes_out_in_the_clear() -> None:
    with pytest.raises(CertificateError, match="password only"):
        key().to_pem(b"")
    with pytest.raises(CertificateError, match="password only"):
        key().to_p12(b"")


def test_a_private_key_does_not_show_in_texts() -> None:
    assert "PrivateKey(certificate=" in repr(key())
    assert "RSAPrivateKey" not in repr(key())


def test_key_and_certificate_must_belong_together() -> None:
    with pytest.raises(CertificateError, match="does not belong"):
        PrivateKey(key().key, key("other").certificate)
    stranger = key().to_pem(PASSWORD).split(b"-----BEGIN CERTIFICATE")[0] + key("other").certificate.pem.encode()
    with pytest.raises(CertificateError, match="no certificate in the file belongs"):
        load_private_key(stranger, PASSWORD)


def test_a_key_without_certificate_takes_the_one_given() -> None:
    alone = key().to_pem(PASSWORD).split(b"-----BEGIN CERTIFICATE")[0]
    assert load_private_key(alone, PASSWORD, key().certificate) == key()
    with pytest.raises(CertificateError, match="no certificate"):
        load_private_key(alone, PASSWORD)


@pytest.mark.parametrize("data", [b"", b"nothing", b"\x30\x03\x02\x01\x00", b"x" * (FILE_BYTES_MAX + 1)])
def test_what_is_no_private_key_is_refused(data: bytes) -> None:
    with pytest.raises(CertificateError):
        load_private_key(data, PASSWORD)


# --- weaknesses ----------------------------------------------------------------------------------


def kinds(certificate: Certificate, when: object = NOW, use: KeyUse | None = None) -> list[WeaknessKind]:
    return [w.kind for w in weaknesses(certificate, when, use)]


def test_063_a_short_rsa_key_is_a_fatal_weakness() -> None:
    short = rsa.generate_private_key(65537, 1024)
    certificate = issued("short", "short", short)
    assert not certificate.strong
    found = weaknesses(certificate, NOW)
    assert [(w.kind, w.fatal) for w in found] == [(WeaknessKind.SHORT_KEY, True)]
    assert "RSA-1024" in found[0].text


def test_an_unusual_curve_is_a_fatal_weakness() -> None:
    certificate = issued("odd", "odd", ec.generate_private_key(ec.SECP256K1()))
    assert kinds(certificate) == [WeaknessKind.UNKNOWN_CURVE]


def test_118_an_expired_certificate_is_a_fatal_weakness_to_the_second() -> None:
    certificate = key().certificate
    assert kinds(certificate, certificate.not_after) == []
    assert kinds(certificate, certificate.not_after + timedelta(seconds=1)) == [WeaknessKind.EXPIRED]
    assert kinds(certificate, certificate.not_before) == []
    assert kinds(certificate, certificate.not_before - timedelta(seconds=1)) == [WeaknessKind.NOT_YET_VALID]


def test_a_certificate_signed_with_sha_1_is_said_but_not_fatal(request: pytest.FixtureRequest) -> None:
    pem = (request.config.rootpath / "tests/core/certificates/signed-with-sha-1.pem").read_bytes()
    certificate = Certificate.from_pem(pem)
    found = [w for w in weaknesses(certificate, certificate.not_before) if w.kind is WeaknessKind.WEAK_SIGNATURE]
    assert [w.fatal for w in found] == [False]


def usage(**allowed: bool) -> x509.KeyUsage:
    names = (
        "digital_signature content_commitment key_encipherment data_encipherment key_agreement key_cert_sign crl_sign "
        "encipher_only decipher_only"
    )
    return x509.KeyUsage(**{name: allowed.get(name, False) for name in names.split()})


def test_119_key_usage_that_forbids_is_said_for_that_use() -> None:
    signs = issued("s", "s", key().key, None, usage(digital_signature=True))
    encrypts = issued("e", "e", key().key, None, usage(key_encipherment=True))
    assert kinds(signs, use=KeyUse.SIGNING) == []
    assert kinds(signs, use=KeyUse.ENCRYPTION) == [WeaknessKind.NO_ENCRYPTION]
    assert kinds(encrypts, use=KeyUse.SIGNING) == [WeaknessKind.NO_SIGNING]
    assert kinds(encrypts, use=KeyUse.ENCRYPTION) == []
    assert kinds(encrypts) == [WeaknessKind.NO_SIGNING]


# --- choosing ------------------------------------------------------------------------------------


def test_116_the_next_certificate_takes_over_at_its_date() -> None:
    old, new = key("old", "p-256").certificate, key("new", "p-256").certificate
    switch = NOW + timedelta(days=10)
    candidates = [(new, switch), (old, None)]
    assert choose(candidates, NOW) == old
    assert choose(candidates, switch - timedelta(seconds=1)) == old
    assert choose(candidates, switch) == new


def test_an_expired_certificate_is_not_chosen() -> None:
    short = generate("short", NOW, 1, "p-256").certificate
    long = key("old", "p-256").certificate
    assert choose([(long, None), (short, NOW)], NOW + timedelta(days=2)) == long
    assert choose([(short, None)], NOW + timedelta(days=2)) is None
    assert choose([], NOW) is None


def test_117_our_own_keys_are_chosen_the_same_way() -> None:
    old, new = key("old", "p-256"), key("new", "p-256")
    assert choose([(old, None), (new, NOW)], NOW) == new
    assert choose([(old, None), (new, NOW + timedelta(days=1))], NOW) == old
