"""RecipientInfos (RFC 5652 §6.2): how the content key reaches each recipient, written and read.

RSA transport (PKCS #1 v1.5, OAEP) and elliptic-curve agreement (RFC 5753). When our key does not recover a
content key, for whatever reason, `recover` gives a random one of the right size: the content then fails to
decrypt in the same way and the same time as with a wrong key, so that a sender learns nothing about the
padding (RFC 3218 §2.3.2, implicit rejection).
"""

from __future__ import annotations

import secrets
from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from cryptography.exceptions import UnsupportedAlgorithm
from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric import ec, padding, rsa
from cryptography.hazmat.primitives.kdf.x963kdf import X963KDF
from cryptography.hazmat.primitives.keywrap import InvalidUnwrap, aes_key_unwrap, aes_key_wrap

from edi_gateway.as2.algorithms import (
    EC_PUBLIC_KEY_OID,
    KEY_AGREEMENTS,
    KEY_WRAP_OIDS,
    KEY_WRAPS,
    OAEP_OID,
    RSA_ENCRYPTION_OID,
    STANDARD_AGREEMENTS,
    Digest,
    KeyTransport,
)
from edi_gateway.as2.certificates import Certificate, PrivateKey
from edi_gateway.as2.cms import der
from edi_gateway.as2.cms.ber import Element
from edi_gateway.as2.cms.errors import AlgorithmRefused, DecryptionFailed, Malformed, UnsuitableKey
from edi_gateway.as2.cms.identifiers import (
    KeyReference,
    issuer_and_serial,
    key_identifier,
    read_issuer_and_serial,
    read_key_identifier,
    read_reference,
)
from edi_gateway.as2.cms.parameters import AlgorithmIdentifier, oaep_algorithm, read_algorithm, read_oaep

RECIPIENTS_MAX = 64
WRAPPED_BYTES_MAX = 2048  # of one encrypted content key
POINT_BYTES_MAX = 256
UKM_BYTES_MAX = 1024

_PKCS1V15 = padding.PKCS1v15()
_RSA_ENCRYPTION = der.algorithm(RSA_ENCRYPTION_OID, der.NULL)


@dataclass(frozen=True, slots=True)
class KeyTransportInfo:
    """KeyTransRecipientInfo: the content key encrypted for an RSA key."""

    recipient: KeyReference
    algorithm: AlgorithmIdentifier
    encrypted_key: bytes


@dataclass(frozen=True, slots=True)
class KeyAgreementInfo:
    """KeyAgreeRecipientInfo for one of its recipients: an ephemeral point, and the key that wraps with it."""

    recipient: KeyReference
    algorithm: AlgorithmIdentifier
    point: bytes
    ukm: bytes  # OCTET STRING as encoded; empty if there is none
    encrypted_key: bytes


RecipientInfo = KeyTransportInfo | KeyAgreementInfo


# --- reading -------------------------------------------------------------------------------------


def read_recipients(container: Element) -> tuple[RecipientInfo, ...]:
    """Every recipient of the SET, in order; kinds that we do not know (passwords, shared keys) are left out."""
    found: list[RecipientInfo] = []
    for child in container.children():
        if child.tag == der.SEQUENCE:
            found.append(_key_transport(child))
        elif child.tag == der.context(1):
            found.extend(_key_agreement(child))
        if len(found) > RECIPIENTS_MAX:
            raise Malformed(f"more than {RECIPIENTS_MAX} recipients", container.offset)
    return tuple(found)


def _key_transport(element: Element) -> KeyTransportInfo:
    fields = element.fields()
    fields.take("version").integer()
    recipient = read_reference(fields.take("the recipient's identifier"))
    algorithm = read_algorithm(fields.take("keyEncryptionAlgorithm"))
    encrypted_key = _wrapped(fields.take("the encrypted key"))
    fields.end()
    return KeyTransportInfo(recipient, algorithm, encrypted_key)


def _key_agreement(element: Element) -> Iterable[KeyAgreementInfo]:
    fields = element.fields()
    fields.take("version").integer()
    originator = fields.take("the originator", der.context(0)).only_child()
    ukm = fields.optional(der.context(1))
    material = ukm.only_child().to_der() if ukm else b""
    if len(material) > UKM_BYTES_MAX:
        raise Malformed(f"keying material of more than {UKM_BYTES_MAX} bytes", element.offset)
    algorithm = read_algorithm(fields.take("keyEncryptionAlgorithm"))
    keys = fields.take("recipientEncryptedKeys", der.SEQUENCE)
    fields.end()
    if originator.tag != der.context(1):
        return  # agreement with a static key of the sender, which no AS2 product uses
    point = _originator_point(originator)
    for key in keys.children():
        parts = key.expect(der.SEQUENCE, "RecipientEncryptedKey").fields()
        recipient = _agreement_recipient(parts.take("the recipient's identifier"))
        yield KeyAgreementInfo(recipient, algorithm, point, material, _wrapped(parts.take("the encrypted key")))
        parts.end()


def _agreement_recipient(element: Element) -> KeyReference:
    """KeyAgreeRecipientIdentifier: issuer and serial number, or [0] RecipientKeyIdentifier."""
    if element.tag == der.SEQUENCE:
        return read_issuer_and_serial(element)
    fields = element.expect(der.context(0), "a recipient's identifier").fields()
    return read_key_identifier(fields.take("the key identifier"), der.OCTET_STRING)


def _originator_point(originator: Element) -> bytes:
    """OriginatorPublicKey: the ephemeral point (RFC 5753 §3.1.1)."""
    fields = originator.fields()
    algorithm = read_algorithm(fields.take("the originator's algorithm"))
    point = fields.take("the originator's public key").bits()
    fields.end()
    if algorithm.oid != EC_PUBLIC_KEY_OID or len(point) > POINT_BYTES_MAX:
        raise Malformed("the originator's key is no point of an elliptic curve", originator.offset)
    return point


def _wrapped(element: Element) -> bytes:
    encrypted_key = element.octets()
    if len(encrypted_key) > WRAPPED_BYTES_MAX:
        raise Malformed(f"an encrypted key of {len(encrypted_key)} bytes", element.offset)
    return encrypted_key


# --- recovering the content key ------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class Recovered:
    """A content key, which may be a random one; by which transport and for which of our keys it came."""

    content_key: bytes
    transport: KeyTransport
    key: PrivateKey


def recover(
    infos: Sequence[RecipientInfo],
    keys: Sequence[PrivateKey],
    key_bytes: int,
    accepted: frozenset[KeyTransport],
) -> Recovered:
    """The content key of `key_bytes` bytes from the first recipient that is one of our keys.

    `DecryptionFailed` only when none of the recipients is ours; `AlgorithmRefused` for a transport that is
    unknown or not accepted. Both can be seen from outside. Everything else gives a random key.
    """
    for key in keys:
        for info in infos:
            if info.recipient.means(key.certificate):
                transport = _transport(info)
                if transport not in accepted:
                    raise AlgorithmRefused(transport, f"the content key is transported with {transport}")
                return Recovered(_content_key(info, key, key_bytes), transport, key)
    named = ", ".join(str(info.recipient) for info in infos) or "nobody that can be read"
    raise DecryptionFailed(f"encrypted for {named}; none of it is a key of ours")


def _transport(info: RecipientInfo) -> KeyTransport:
    oid = info.algorithm.oid
    if isinstance(info, KeyAgreementInfo):
        if oid in KEY_AGREEMENTS:
            return KeyTransport.ECDH
    elif oid == RSA_ENCRYPTION_OID:
        return KeyTransport.PKCS1V15
    elif oid == OAEP_OID:
        transport = KeyTransport.oaep(read_oaep(info.algorithm.parameters).digest)
        if transport is not None:
            return transport
    raise AlgorithmRefused(oid, f"the key transport {oid} is not known")


def _content_key(info: RecipientInfo, key: PrivateKey, key_bytes: int) -> bytes:
    """The content key, or random bytes in its place; drawn beforehand, so that both cost the same."""
    random_key = secrets.token_bytes(key_bytes)
    try:
        found = _agreed(info, key) if isinstance(info, KeyAgreementInfo) else _decrypted(info, key)
    except (ValueError, InvalidUnwrap, UnsupportedAlgorithm):
        return random_key
    return found if len(found) == key_bytes else random_key


def _decrypted(info: KeyTransportInfo, key: PrivateKey) -> bytes:
    if not isinstance(key.key, rsa.RSAPrivateKey):
        raise Malformed("RSA key transport to a certificate of an elliptic curve")
    if info.algorithm.oid == RSA_ENCRYPTION_OID:
        return key.key.decrypt(info.encrypted_key, _PKCS1V15)
    oaep = read_oaep(info.algorithm.parameters)
    mask = padding.MGF1(oaep.mask_digest.algorithm)
    return key.key.decrypt(info.encrypted_key, padding.OAEP(mask, oaep.digest.algorithm, oaep.label or None))


def _agreed(info: KeyAgreementInfo, key: PrivateKey) -> bytes:
    if not isinstance(key.key, ec.EllipticCurvePrivateKey):
        raise Malformed("key agreement with an RSA certificate")
    wrap = read_algorithm(info.algorithm.required())
    if wrap.oid not in KEY_WRAPS:
        raise AlgorithmRefused(wrap.oid, f"the key wrap {wrap.oid} is not known")
    point = ec.EllipticCurvePublicKey.from_encoded_point(key.key.curve, info.point)
    secret = key.key.exchange(ec.ECDH(), point)
    wrapping_key = _derived(secret, KEY_AGREEMENTS[info.algorithm.oid], wrap.raw, KEY_WRAPS[wrap.oid], info.ukm)
    return aes_key_unwrap(wrapping_key, info.encrypted_key)


def _derived(secret: bytes, digest: Digest, wrap_algorithm: bytes, size: int, ukm: bytes) -> bytes:
    """The X9.63 derivation over ECC-CMS-SharedInfo (RFC 5753 §7.2)."""
    entity = der.element(der.context(0), ukm) if ukm else b""
    length = der.element(der.context(2), der.octet_string((size * 8).to_bytes(4, "big")))
    return X963KDF(digest.algorithm, size, der.sequence(wrap_algorithm, entity, length)).derive(secret)


# --- writing -------------------------------------------------------------------------------------


def write_recipients(
    content_key: bytes, recipients: Sequence[Certificate], transport: KeyTransport, by_key_identifier: bool
) -> bytes:
    """The SET of RecipientInfos. A certificate of an elliptic curve is reached by ECDH whatever `transport` is."""
    return der.set_of(*(_recipient(content_key, c, transport, by_key_identifier) for c in recipients))


def _recipient(content_key: bytes, certificate: Certificate, transport: KeyTransport, by_key: bool) -> bytes:
    if not certificate.strong:
        raise UnsuitableKey(f"{certificate.subject} has a key of {certificate.key_description}, which is too weak")
    public = certificate.public_key
    if isinstance(public, ec.EllipticCurvePublicKey):
        return _agreement_for(content_key, certificate, public, by_key)
    if transport is KeyTransport.ECDH:
        raise UnsuitableKey(f"ecdh needs a certificate of an elliptic curve; {certificate.subject} has RSA")
    digest = transport.digest
    return der.sequence(
        der.integer(2 if by_key else 0),
        key_identifier(certificate) if by_key else issuer_and_serial(certificate),
        oaep_algorithm(digest) if digest else _RSA_ENCRYPTION,
        der.octet_string(public.encrypt(content_key, _rsa_padding(digest))),
    )


def _rsa_padding(digest: Digest | None) -> padding.AsymmetricPadding:
    if digest is None:
        return _PKCS1V15
    return padding.OAEP(padding.MGF1(digest.algorithm), digest.algorithm, None)


def _agreement_for(
    content_key: bytes, certificate: Certificate, public: ec.EllipticCurvePublicKey, by_key: bool
) -> bytes:
    """KeyAgreeRecipientInfo with an ephemeral key on the recipient's curve, digest and wrap to match (RFC 5753)."""
    ephemeral = ec.generate_private_key(public.curve)
    digest = Digest.SHA256 if public.curve.key_size <= 256 else Digest.SHA384
    wrap_algorithm = der.algorithm(KEY_WRAP_OIDS[len(content_key)])
    secret = ephemeral.exchange(ec.ECDH(), public)
    wrapped = aes_key_wrap(_derived(secret, digest, wrap_algorithm, len(content_key), b""), content_key)
    point = ephemeral.public_key().public_bytes(
        serialization.Encoding.X962, serialization.PublicFormat.UncompressedPoint
    )
    originator = der.element(der.context(1), der.algorithm(EC_PUBLIC_KEY_OID), der.bit_string(point))
    by_ski = der.element(der.context(0), der.octet_string(certificate.ski))
    return der.element(
        der.context(1),
        der.integer(3),
        der.element(der.context(0), originator),
        der.algorithm(STANDARD_AGREEMENTS[digest], wrap_algorithm),
        der.sequence(
            der.sequence(by_ski if by_key else issuer_and_serial(certificate), der.octet_string(wrapped)),
        ),
    )


def recipients_version(by_key_identifier: bool, recipients: Sequence[Certificate]) -> int:
    """CMSVersion of EnvelopedData: 0 when every recipient is an RSA key named by issuer and serial (RFC 5652 §6.1)."""
    agreement = any(isinstance(c.public_key, ec.EllipticCurvePublicKey) for c in recipients)
    return 2 if by_key_identifier or agreement else 0
