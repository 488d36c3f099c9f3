"""Signatures: what we make verifies, and what is not the partner's does not (RFC 5652 §5)."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from datetime import timedelta
from functools import partial

import pytest
from asn1crypto import algos
from asn1crypto import cms as asn1
from asn1crypto import core as asn1_core
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import padding, rsa
from cryptography.x509.name import _ASN1Type
from cryptography.x509.oid import NameOID

from edi_gateway.as2 import cms
from edi_gateway.as2.algorithms import DEFAULT_DIGESTS, LEGACY_DIGESTS, RSA_ENCRYPTION_OID, Digest, SignatureScheme
from edi_gateway.as2.certificates import Certificate, PrivateKey
from edi_gateway.as2.cms import SignatureRefusal, SignatureRefused, SigningOptions, der, signed
from tests.core.as2_cms.material import NOW, ORDER, key, pieces, verified

SHA256 = Digest.SHA256
OF_ORDER = SHA256.of(ORDER)


def signature(signer: PrivateKey | None = None, digest: Digest = SHA256, **options: bool) -> bytes:
    """A detached signature over the order."""
    return cms.sign(digest.of(ORDER), digest, signer or key(), None, NOW, SigningOptions(**options))


def altered(message: bytes, change: Callable[[asn1.SignedData], None]) -> bytes:
    """The SignedData with something changed in it, by another implementation's reader and writer."""
    info = asn1.ContentInfo.load(message)
    change(info["content"])
    return bytes(info.dump(force=True))


def refusal(message: bytes, *certificates: Certificate, content: bytes = ORDER, **accepted: object) -> SignatureRefusal:
    with pytest.raises(SignatureRefused) as caught:
        verified(message, content, *certificates, **accepted)
    assert str(caught.value) == "The signature could not be verified."
    assert caught.value.diagnosis
    return caught.value.reason


# --- what we make --------------------------------------------------------------------------------

SCHEMES = [
    ("rsa-2048", SignatureScheme.PKCS1V15),
    ("rsa-2048", SignatureScheme.PSS),
    ("p-256", SignatureScheme.ECDSA),
    ("p-384", SignatureScheme.ECDSA),
]
FORMS = [
    {},
    {"attributes": False},
    {"certificate": False},
    {"by_key_identifier": True},
    {"algorithm_protection": True},
    {"by_key_identifier": True, "certificate": False, "attributes": False},
]


@pytest.mark.parametrize("options", FORMS)
@pytest.mark.parametrize(("kind", "scheme"), SCHEMES)
@pytest.mark.parametrize("digest", sorted(DEFAULT_DIGESTS))
def test_what_we_sign_verifies(digest: Digest, kind: str, scheme: SignatureScheme, options: dict[str, bool]) -> None:
    signer = key("us", kind)
    message = cms.sign(digest.of(ORDER), digest, signer, scheme, NOW, SigningOptions(**options))
    (found,) = verified(message, ORDER, signer.certificate)
    assert (found.certificate, found.digest, found.scheme) == (signer.certificate, digest, scheme)
    assert found.signing_time == (NOW if options.get("attributes", True) else None)


@pytest.mark.parametrize("digest", sorted(DEFAULT_DIGESTS))
def test_051_sha_2_signatures(digest: Digest) -> None:
    assert verified(signature(digest=digest), ORDER)[0].digest is digest


def test_052_rsa_pkcs1_v15() -> None:
    assert verified(signature(), ORDER)[0].scheme is SignatureScheme.PKCS1V15


def test_053_rsa_pss() -> None:
    message = cms.sign(OF_ORDER, SHA256, key(), SignatureScheme.PSS, NOW)
    assert verified(message, ORDER)[0].scheme is SignatureScheme.PSS


@pytest.mark.parametrize("kind", ["p-256", "p-384"])
def test_054_ecdsa(kind: str) -> None:
    signer = key("us", kind)
    assert verified(signature(signer), ORDER, signer.certificate)[0].scheme is SignatureScheme.ECDSA


@pytest.mark.parametrize("by_key_identifier", [False, True])
def test_044_a_signer_is_named_either_way(by_key_identifier: bool) -> None:
    message = signature(by_key_identifier=by_key_identifier)
    named = asn1.ContentInfo.load(message)["content"]["signer_infos"][0]["sid"].name
    assert named == ("subject_key_identifier" if by_key_identifier else "issuer_and_serial_number")
    assert verified(message, ORDER)[0].certificate == key().certificate


@pytest.mark.parametrize("attributes", [False, True])
def test_045_signed_attributes_may_be_absent(attributes: bool) -> None:
    assert verified(signature(attributes=attributes), ORDER)


@pytest.mark.parametrize("protection", [False, True])
def test_046_algorithm_protection_is_optional(protection: bool) -> None:
    message = signature(algorithm_protection=protection)
    types = [a["type"].dotted for a in asn1.ContentInfo.load(message)["content"]["signer_infos"][0]["signed_attrs"]]
    assert (signed.ALGORITHM_PROTECTION_OID in types) is protection
    assert verified(message, ORDER)


def test_047_a_signature_without_certificates() -> None:
    message = signature(certificate=False)
    assert cms.read_signed_data(message).embedded_certificates == ()
    assert verified(message, ORDER)


def test_another_implementation_reads_what_we_sign() -> None:
    read = asn1.ContentInfo.load(signature(algorithm_protection=True), strict=True)
    assert read.native["content_type"] == "signed_data"
    info = read["content"]["signer_infos"][0].native
    assert info["digest_algorithm"] == {"algorithm": "sha256", "parameters": None}
    assert info["signed_attrs"][0]["type"] == "content_type"
    assert read.dump(force=True) == signature(algorithm_protection=True)


def test_a_scheme_that_does_not_fit_the_key_is_our_fault() -> None:
    with pytest.raises(cms.UnsuitableKey):
        cms.sign(OF_ORDER, SHA256, key(), SignatureScheme.ECDSA)
    with pytest.raises(cms.UnsuitableKey):
        cms.sign(OF_ORDER, SHA256, key("us", "p-256"), SignatureScheme.PSS)
    with pytest.raises(ValueError, match="has 32 bytes"):
        cms.sign(b"short", SHA256, key())


# --- forgeries -----------------------------------------------------------------------------------


def test_a_signature_without_any_signer_is_refused() -> None:
    empty = altered(signature(), lambda s: s.__setitem__("signer_infos", []))
    assert cms.read_signed_data(empty).signers == ()
    assert refusal(empty) is SignatureRefusal.NO_SIGNER


def test_a_certificate_inside_the_message_is_never_trusted() -> None:
    stranger = key("stranger")
    assert refusal(signature(stranger)) is SignatureRefusal.UNKNOWN_SIGNER
    assert verified(signature(stranger), ORDER, stranger.certificate)


def test_a_certificate_that_imitates_the_pinned_one_is_never_trusted() -> None:
    """Same issuer, serial number, subject and key identifier as the partner's, with the forger's key."""
    forger, pinned = rsa.generate_private_key(65537, 2048), x509.load_der_x509_certificate(key().certificate.der)
    imitation = (
        x509.CertificateBuilder(pinned.issuer, pinned.subject, forger.public_key(), pinned.serial_number)
        .not_valid_before(NOW)
        .not_valid_after(NOW + timedelta(days=9))
        .add_extension(x509.SubjectKeyIdentifier(key().certificate.ski), critical=False)
        .sign(forger, hashes.SHA256())
    )
    certificate = Certificate.from_der(imitation.public_bytes(serialization.Encoding.DER))
    for by_key_identifier in (False, True):
        message = signature(PrivateKey(forger, certificate), by_key_identifier=by_key_identifier)
        assert refusal(message) is SignatureRefusal.BAD_SIGNATURE


def test_every_signer_must_be_pinned() -> None:
    both = with_second_signer(key("stranger"))
    assert refusal(both) is SignatureRefusal.UNKNOWN_SIGNER
    assert len(verified(both, ORDER, key().certificate, key("stranger").certificate)) == 2


def test_every_signature_must_hold() -> None:
    def spoil(content: asn1.SignedData) -> None:
        content["signer_infos"][1]["signature"] = bytes(256)

    both = altered(with_second_signer(key("stranger")), spoil)
    pinned = (key().certificate, key("stranger").certificate)
    assert refusal(both, *pinned) is SignatureRefusal.BAD_SIGNATURE


def with_second_signer(second: PrivateKey) -> bytes:
    other = asn1.ContentInfo.load(signature(second))["content"]["signer_infos"][0]
    return altered(signature(), lambda s: s["signer_infos"].append(other))


def test_an_altered_content_is_told_from_a_forged_signature() -> None:
    assert refusal(signature(), content=ORDER + b" ") is SignatureRefusal.CONTENT_CHANGED
    assert refusal(signature(attributes=False), content=ORDER + b" ") is SignatureRefusal.BAD_SIGNATURE


def test_an_altered_attribute_does_not_hold() -> None:
    def later(content: asn1.SignedData) -> None:
        attribute = content["signer_infos"][0]["signed_attrs"][1]
        assert attribute["type"].native == "signing_time"
        attribute["values"] = [asn1_core.UTCTime(NOW + timedelta(days=1))]

    assert refusal(altered(signature(), later)) is SignatureRefusal.BAD_SIGNATURE


def test_an_attacker_cannot_put_another_digest_into_the_attributes() -> None:
    forged = ORDER.replace(b"4012345", b"4099999")
    attribute = signature().replace(OF_ORDER, SHA256.of(forged))
    assert refusal(attribute, content=forged) is SignatureRefusal.BAD_SIGNATURE


@pytest.mark.parametrize("digest", [Digest.SHA1, Digest.MD5])
def test_a_weak_digest_is_refused_by_default(digest: Digest) -> None:
    assert refusal(weakly_signed(digest)) is SignatureRefusal.WEAK_DIGEST


def test_051_sha_1_is_accepted_where_a_partnership_says_so_and_md5_never() -> None:
    assert verified(weakly_signed(Digest.SHA1), ORDER, accepted=LEGACY_DIGESTS)[0].digest is Digest.SHA1
    everything = frozenset(Digest)
    assert refusal(weakly_signed(Digest.MD5), accepted=everything) is SignatureRefusal.WEAK_DIGEST


def weakly_signed(digest: Digest) -> bytes:
    """Signed by the right key with a weak digest; MD5 by hand, since the primitives refuse to make it."""
    if digest is Digest.SHA1:
        return signature(digest=digest)
    oid = "1.2.840.113549.2.5"
    return altered(signature(attributes=False), partial(_renamed, digest=oid, scheme="1.2.840.113549.1.1.4"))


def _renamed(content: asn1.SignedData, digest: str, scheme: str) -> None:
    info = content["signer_infos"][0]
    info["digest_algorithm"] = algos.DigestAlgorithm({"algorithm": digest})
    info["signature_algorithm"] = algos.SignedDigestAlgorithm({"algorithm": scheme})


def test_a_downgrade_to_sha_1_in_one_field_alone_is_refused() -> None:
    """The signature is over SHA-256; an attacker renames one of the two fields."""
    sha1_rsa, sha256_rsa = "1.2.840.113549.1.1.5", "1.2.840.113549.1.1.11"
    scheme = altered(signature(), partial(_renamed, digest=SHA256.oid, scheme=sha1_rsa))
    assert refusal(scheme) is SignatureRefusal.ALGORITHM_MISMATCH
    digest = altered(signature(), partial(_renamed, digest=Digest.SHA1.oid, scheme=sha256_rsa))
    assert refusal(digest) is SignatureRefusal.WEAK_DIGEST
    assert refusal(digest, accepted=LEGACY_DIGESTS) is SignatureRefusal.ALGORITHM_MISMATCH


def test_algorithm_protection_that_disagrees_is_refused() -> None:
    """The scheme is renamed to one that means the same; the signed attribute shows that somebody did (RFC 6211)."""
    renamed = partial(_renamed, digest=SHA256.oid, scheme=RSA_ENCRYPTION_OID)
    assert verified(altered(signature(), renamed), ORDER)
    assert refusal(altered(signature(algorithm_protection=True), renamed)) is SignatureRefusal.ALGORITHM_MISMATCH


def test_050_rsa_encryption_as_signature_algorithm_takes_the_digest_of_the_signer_info() -> None:
    renamed = partial(_renamed, digest=Digest.SHA512.oid, scheme=RSA_ENCRYPTION_OID)
    assert verified(altered(signature(digest=Digest.SHA512), renamed), ORDER)[0].digest is Digest.SHA512


def test_unknown_algorithms_are_refused_by_name() -> None:
    sha3, ed25519 = "2.16.840.1.101.3.4.2.8", "1.3.101.112"
    digest = altered(signature(), partial(_renamed, digest=sha3, scheme=RSA_ENCRYPTION_OID))
    scheme = altered(signature(), partial(_renamed, digest=SHA256.oid, scheme=ed25519))
    assert {refusal(digest), refusal(scheme)} == {SignatureRefusal.UNKNOWN_ALGORITHM}


def test_a_scheme_of_the_other_kind_of_key_is_refused() -> None:
    renamed = altered(signature(), partial(_renamed, digest=SHA256.oid, scheme="1.2.840.10045.4.3.2"))
    assert refusal(renamed) is SignatureRefusal.ALGORITHM_MISMATCH


def test_063_a_signature_by_a_short_rsa_key_is_refused() -> None:
    short = rsa.generate_private_key(65537, 1024)
    name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "short")])
    built = x509.CertificateBuilder(name, name, short.public_key(), 7).not_valid_before(NOW)
    parsed = built.not_valid_after(NOW + timedelta(days=1)).sign(short, hashes.SHA256())
    signer = PrivateKey(short, Certificate.from_der(parsed.public_bytes(serialization.Encoding.DER)))
    assert refusal(signature(signer), signer.certificate) is SignatureRefusal.WEAK_KEY


# --- signed attributes ---------------------------------------------------------------------------


def hand_signed(
    *attributes: bytes, as_sent: Callable[[list[bytes]], bytes] | None = None, digest: Digest = SHA256
) -> bytes:
    """A SignedData whose attributes are ours to choose; signed over their DER, sent as `as_sent` writes them."""
    message = der.set_of(*attributes)
    made = key().key.sign(message, padding.PKCS1v15(), digest.algorithm)
    return around(as_sent(list(attributes)) if as_sent else b"\xa0" + message[1:], made)


def around(attributes: bytes, made: bytes) -> bytes:
    issuer = der.sequence(key().certificate.issuer_der, der.integer(key().certificate.serial))
    scheme = der.algorithm(RSA_ENCRYPTION_OID, der.NULL)
    info = der.sequence(der.integer(1), issuer, der.algorithm(SHA256.oid), attributes, scheme, der.octet_string(made))
    fields = der.integer(1) + der.set_of(der.algorithm(SHA256.oid)) + der.sequence(der.oid("1.2.840.113549.1.7.1"))
    inner = der.sequence(fields, der.set_of(info))
    return der.sequence(der.oid("1.2.840.113549.1.7.2"), der.element(0xA0, inner))


KIND = der.attribute(signed.CONTENT_TYPE_OID, der.oid("1.2.840.113549.1.7.1"))
DIGEST = der.attribute(signed.MESSAGE_DIGEST_OID, der.octet_string(OF_ORDER))
TIME = der.attribute(signed.SIGNING_TIME_OID, der.time(NOW))
OTHER = der.attribute("1.2.840.113549.1.9.15", der.sequence())


def test_attributes_that_nobody_knows_are_tolerated() -> None:
    assert verified(hand_signed(KIND, DIGEST, OTHER), ORDER)[0].signing_time is None


def test_attributes_in_the_order_they_were_signed_in() -> None:
    """A signer that neither sorted what it signed nor what it sent: the received bytes hold."""
    unsorted = DIGEST + TIME + KIND
    made = key().key.sign(der.element(der.SET, unsorted), padding.PKCS1v15(), hashes.SHA256())
    assert verified(around(der.element(0xA0, unsorted), made), ORDER)


@pytest.mark.parametrize(
    "as_sent",
    [
        lambda attributes: der.element(0xA0, *sorted(attributes, reverse=True)),
        lambda attributes: der.indefinite(0xA0) + b"".join(attributes) + der.END_OF_CONTENTS,
        lambda attributes: b"\xa0\x83" + len(b"".join(attributes)).to_bytes(3, "big") + b"".join(attributes),
    ],
)
def test_043_attributes_sent_in_ber_are_verified_in_der(as_sent: Callable[[list[bytes]], bytes]) -> None:
    assert verified(hand_signed(KIND, DIGEST, TIME, as_sent=as_sent), ORDER)


@pytest.mark.parametrize("attributes", [(KIND,), (DIGEST,), (TIME,), (OTHER,)])
def test_045_content_type_and_message_digest_are_mandatory(attributes: tuple[bytes, ...]) -> None:
    assert refusal(hand_signed(*attributes)) is SignatureRefusal.BAD_ATTRIBUTES


def test_the_content_type_signed_must_be_the_one_sent() -> None:
    other = der.attribute(signed.CONTENT_TYPE_OID, der.oid("1.2.840.113549.1.7.5"))
    assert refusal(hand_signed(other, DIGEST)) is SignatureRefusal.BAD_ATTRIBUTES


@pytest.mark.parametrize(
    "attributes",
    [
        (KIND, DIGEST, DIGEST),
        (KIND, DIGEST, der.attribute(signed.SIGNING_TIME_OID)),
        (KIND, der.attribute(signed.MESSAGE_DIGEST_OID, der.octet_string(OF_ORDER), der.octet_string(b""))),
        (KIND, DIGEST, TIME, der.attribute(signed.SIGNING_TIME_OID, der.time(NOW + timedelta(1)))),
    ],
)
def test_an_attribute_that_must_stand_once_does(attributes: tuple[bytes, ...]) -> None:
    with pytest.raises(cms.Malformed):
        verified(hand_signed(*attributes), ORDER)


def test_an_empty_set_of_attributes_is_not_their_absence() -> None:
    made = key().key.sign(b"\x31\x00", padding.PKCS1v15(), hashes.SHA256())
    assert refusal(around(b"\xa0\x00", made)) is SignatureRefusal.BAD_ATTRIBUTES


# --- PSS -----------------------------------------------------------------------------------------


def pss_signed(digest: str, mask: str, salt: int, used: padding.PSS) -> bytes:
    parameters = algos.RSASSAPSSParams(
        {
            "hash_algorithm": {"algorithm": digest},
            "mask_gen_algorithm": {"algorithm": "mgf1", "parameters": {"algorithm": mask}},
            "salt_length": salt,
        }
    )

    def change(content: asn1.SignedData) -> None:
        info = content["signer_infos"][0]
        info["signature_algorithm"] = {"algorithm": "rsassa_pss", "parameters": parameters}
        info["signature"] = key().key.sign(ORDER, used, hashes.SHA256())

    return altered(signature(attributes=False), change)


@pytest.mark.parametrize("salt", [0, 20, 32, 222])
def test_053_pss_salts_of_any_length(salt: int) -> None:
    used = padding.PSS(padding.MGF1(hashes.SHA256()), salt)
    assert verified(pss_signed("sha256", "sha256", salt, used), ORDER)
    assert refusal(pss_signed("sha256", "sha256", salt + 1, used)) is SignatureRefusal.BAD_SIGNATURE


def test_053_pss_with_another_digest_in_its_mask_generation() -> None:
    used = padding.PSS(padding.MGF1(hashes.SHA1()), 32)
    assert verified(pss_signed("sha256", "sha1", 32, used), ORDER)


def test_pss_parameters_that_name_another_digest_are_refused() -> None:
    used = padding.PSS(padding.MGF1(hashes.SHA256()), 32)
    assert refusal(pss_signed("sha1", "sha256", 32, used)) is SignatureRefusal.ALGORITHM_MISMATCH


def test_a_pss_salt_longer_than_the_key_does_not_hold() -> None:
    used = padding.PSS(padding.MGF1(hashes.SHA256()), 32)
    assert refusal(pss_signed("sha256", "sha256", 1024, used)) is SignatureRefusal.BAD_SIGNATURE
    with pytest.raises(cms.Malformed):
        verified(pss_signed("sha256", "sha256", 1025, used), ORDER)


def test_pss_without_parameters_means_the_digest_of_the_signer_info() -> None:
    """As pyas2lib writes it; RFC 4056 §3 wants them."""

    def change(content: asn1.SignedData) -> None:
        info = content["signer_infos"][0]
        info["signature_algorithm"] = {"algorithm": "rsassa_pss"}
        used = padding.PSS(padding.MGF1(hashes.SHA256()), 32)
        info["signature"] = key().key.sign(ORDER, used, hashes.SHA256())

    message = altered(signature(attributes=False), change)
    bare = message.replace(der.oid("1.2.840.113549.1.1.10") + b"\x30\x00", der.oid("1.2.840.113549.1.1.10") + der.NULL)
    assert verified(bare, ORDER)


@pytest.mark.parametrize(
    ("fields", "why"),
    [
        (der.element(0xA3, der.integer(2)), "trailer field"),
        (der.element(0xA2, der.integer(-1)), "salt"),
        (der.element(0xA0, der.algorithm("1.2.3")), "digest that is not known"),
    ],
)
def test_pss_parameters_that_are_none(fields: bytes, why: str) -> None:
    sha256 = der.algorithm(SHA256.oid)
    scheme = der.algorithm("1.2.840.113549.1.1.10", der.sequence(fields))
    issuer = der.sequence(key().certificate.issuer_der, der.integer(key().certificate.serial))
    info = der.sequence(der.integer(1), issuer, sha256, scheme, der.octet_string(bytes(256)))
    fields = der.integer(1) + der.set_of(sha256) + der.sequence(der.oid("1.2.840.113549.1.7.1")) + der.set_of(info)
    with pytest.raises(cms.Malformed) as caught:
        verified(der.sequence(der.oid("1.2.840.113549.1.7.2"), der.element(0xA0, der.sequence(fields))), ORDER)
    assert why in caught.value.diagnosis


# --- naming the signer ---------------------------------------------------------------------------


def test_an_issuer_written_with_other_string_types_is_recognised() -> None:
    name = x509.Name([x509.NameAttribute(NameOID.ORGANIZATION_NAME, "Old  Mill", _type=_ASN1Type.PrintableString)])
    private = key().key
    built = x509.CertificateBuilder(name, name, private.public_key(), 99).not_valid_before(NOW)
    parsed = built.not_valid_after(NOW + timedelta(days=1)).sign(private, hashes.SHA256())
    certificate = Certificate.from_der(parsed.public_bytes(serialization.Encoding.DER))
    message = signature(PrivateKey(private, certificate), certificate=False)
    for tag, text in ((b"\x0c", b"Old  Mill"), (b"\x16", b"OLD  mill")):
        rewritten = message.replace(b"\x13\x09Old  Mill", tag + b"\x09" + text)
        assert rewritten != message
        assert verified(rewritten, ORDER, certificate)[0].certificate == certificate
    assert refusal(message.replace(b"Old  Mill", b"Old  Hill"), certificate) is SignatureRefusal.UNKNOWN_SIGNER


def test_a_name_that_is_shown_is_printable_and_short() -> None:
    parts = [der.set_of(der.sequence(der.oid("2.5.4.3"), der.element(0x0C, b"a\r\nInjected: line\x1b[2J" * 40)))]
    reference = cms.KeyReference(issuer=der.sequence(*parts), serial=1)
    assert str(reference).isprintable()
    assert len(str(reference)) < 250
    for broken in (b"\x30\x05", der.sequence(der.set_of(der.sequence(der.oid("2.5.4.3"), der.element(0x0C, b"\xff"))))):
        assert "cannot be read" in str(cms.KeyReference(issuer=broken, serial=1))


def test_two_certificates_of_one_key_both_verify_by_key_identifier() -> None:
    private = key().key
    name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "renewed")])
    built = x509.CertificateBuilder(name, name, private.public_key(), 5).not_valid_before(NOW)
    parsed = built.not_valid_after(NOW + timedelta(days=1)).sign(private, hashes.SHA256())
    renewed = Certificate.from_der(parsed.public_bytes(serialization.Encoding.DER))
    message = signature(by_key_identifier=True)
    assert verified(message, ORDER, renewed)[0].certificate == renewed
    assert refusal(signature(), renewed) is SignatureRefusal.UNKNOWN_SIGNER


def test_114_the_second_of_two_pinned_certificates_verifies() -> None:
    assert verified(signature(key("next")), ORDER, key().certificate, key("next").certificate)


# --- opaque --------------------------------------------------------------------------------------


@pytest.mark.parametrize("kind", ["rsa-2048", "p-256"])
@pytest.mark.parametrize("size", [0, 10_000, 1024 * 1024, 1024 * 1024 + 1, 3_000_000])
def test_049_an_opaque_signature_streams_both_ways(size: int, kind: str) -> None:
    signer, content = key("us", kind), (ORDER * (size // len(ORDER) + 1))[:size]
    message = list(cms.sign_opaque(pieces(content, 65536), SHA256, signer, None, NOW))
    opened = cms.open_signed(message)
    assert b"".join(opened.chunks) == content
    assert cms.verify(opened.signed, opened.digest_of, [signer.certificate])[0].signing_time == NOW


def test_049_a_small_opaque_signature_is_der_and_read_in_memory() -> None:
    message = b"".join(cms.sign_opaque([ORDER], SHA256, key()))
    assert asn1.ContentInfo.load(message, strict=True).dump(force=True) == message
    found = cms.read_signed_data(message)
    assert found.content == ORDER
    assert cms.verify(found, lambda d: d.of(found.content or b""), [key().certificate])


def test_the_digest_for_the_mic_is_computed_on_the_way() -> None:
    opened = cms.open_signed(cms.sign_opaque([ORDER], SHA256, key()), digests=[Digest.SHA512])
    with pytest.raises(ValueError, match="read to its end"):
        _ = opened.signed
    assert b"".join(opened.chunks) == ORDER
    assert opened.digest_of(Digest.SHA512) == Digest.SHA512.of(ORDER)


def test_a_digest_that_was_not_announced_is_refused() -> None:
    def announce_another(content: asn1.SignedData) -> None:
        content["digest_algorithms"] = [{"algorithm": "sha512"}]

    message = altered(b"".join(cms.sign_opaque([ORDER], SHA256, key())), announce_another)
    opened = cms.open_signed([message])
    assert b"".join(opened.chunks) == ORDER
    assert opened.signed.digests == (SHA256,)
    with pytest.raises(SignatureRefused):
        cms.verify(opened.signed, opened.digest_of, [key().certificate])


def test_a_detached_signature_is_not_opaque() -> None:
    with pytest.raises(cms.Malformed) as caught:
        cms.open_signed([signature()])
    assert "detached" in caught.value.diagnosis


def test_a_large_opaque_content_is_not_held_in_memory() -> None:
    message = b"".join(cms.sign_opaque([ORDER], SHA256, key()))
    assert cms.read_signed_data(message, content_bytes_max=len(ORDER)).content == ORDER
    with pytest.raises(cms.Malformed):
        cms.read_signed_data(message, content_bytes_max=len(ORDER) - 1)


# --- bounds --------------------------------------------------------------------------------------


@pytest.mark.parametrize("count", [signed.SIGNERS_MAX, signed.SIGNERS_MAX + 1])
def test_the_number_of_signers_is_bounded(count: int) -> None:
    def repeat(content: asn1.SignedData) -> None:
        for _ in range(count - 1):
            content["signer_infos"].append(content["signer_infos"][0].copy())

    message = altered(signature(), repeat)
    if count > signed.SIGNERS_MAX:
        with pytest.raises(cms.Malformed):
            verified(message, ORDER)
    else:
        assert len(verified(message, ORDER)) == count


@pytest.mark.parametrize("count", [signed.ATTRIBUTES_MAX, signed.ATTRIBUTES_MAX + 1])
def test_the_number_of_attributes_is_bounded(count: int) -> None:
    message = hand_signed(KIND, DIGEST, *[OTHER] * (count - 2))
    if count > signed.ATTRIBUTES_MAX:
        with pytest.raises(cms.Malformed):
            verified(message, ORDER)
    else:
        assert verified(message, ORDER)


def test_the_digest_is_asked_for_once_a_signer() -> None:
    asked: list[Digest] = []

    def digest_of(digest: Digest) -> bytes:
        asked.append(digest)
        return digest.of(ORDER)

    cms.verify(cms.read_signed_data(signature()), digest_of, [key().certificate])
    assert asked == [SHA256]


def test_content_is_taken_from_the_generator_lazily() -> None:
    taken = 0

    def content() -> Iterator[bytes]:
        nonlocal taken
        for _ in range(100):
            taken += 1
            yield bytes(100_000)

    stream = cms.sign_opaque(content(), SHA256, key())
    next(stream)
    assert taken < 20
