"""Signing: SignedData, detached or with its content inside (RFC 5652 §5)."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from datetime import datetime

from cryptography.hazmat.primitives.asymmetric import ec, padding, rsa, utils

from edi_gateway.as2.algorithms import Digest, Hash, SignatureScheme, signature_oid
from edi_gateway.as2.certificates import PrivateKey
from edi_gateway.as2.cms import der
from edi_gateway.as2.cms.chunks import Frame, closing, measured, opening, segments
from edi_gateway.as2.cms.content import ContentType, content_info
from edi_gateway.as2.cms.errors import UnsuitableKey
from edi_gateway.as2.cms.identifiers import issuer_and_serial, key_identifier
from edi_gateway.as2.cms.parameters import pss_algorithm
from edi_gateway.as2.cms.signed import (
    ALGORITHM_PROTECTION_OID,
    CONTENT_TYPE_OID,
    MESSAGE_DIGEST_OID,
    SIGNING_TIME_OID,
)

_PKCS1V15 = padding.PKCS1v15()
_DATA = der.oid(ContentType.DATA.value)
_CONTENT_TYPE_ATTRIBUTE = der.attribute(CONTENT_TYPE_OID, _DATA)


@dataclass(frozen=True, slots=True, kw_only=True)
class SigningOptions:
    """What a partner's software may need otherwise. The defaults are what every known product reads."""

    attributes: bool = True  # signed attributes; without them the signature is over the content itself
    certificate: bool = True  # our certificate inside, for partners that look for it
    by_key_identifier: bool = False  # name our key by SKI instead of issuer and serial number
    algorithm_protection: bool = False  # RFC 6211; some products cannot read it


DEFAULT_SIGNING = SigningOptions()


def sign(
    content_digest: bytes,
    digest: Digest,
    signer: PrivateKey,
    scheme: SignatureScheme | None = None,
    signing_time: datetime | None = None,
    options: SigningOptions = DEFAULT_SIGNING,
) -> bytes:
    """A detached SignedData in DER over the content that has this digest.

    `scheme` defaults to what fits the key; `UnsuitableKey` if the one given does not. The MIME part for it
    is `application/pkcs7-signature`.
    """
    info = _signer_info(content_digest, digest, signer, scheme, signing_time, options)
    return _signed_data(digest, signer, options, _DATA, info)


def sign_opaque(
    content: Iterable[bytes],
    digest: Digest,
    signer: PrivateKey,
    scheme: SignatureScheme | None = None,
    signing_time: datetime | None = None,
    options: SigningOptions = DEFAULT_SIGNING,
) -> Iterator[bytes]:
    """The content inside of a SignedData: DER if it is at most `WHOLE_BYTES_MAX`, else BER of indefinite length."""
    chunks, size = measured(content, None)
    if size is not None:
        whole = b"".join(chunks)
        inside = der.element(der.context(0), der.octet_string(whole))
        info = _signer_info(digest.of(whole), digest, signer, scheme, signing_time, options)
        yield _signed_data(digest, signer, options, _DATA + inside, info)
        return
    running = digest.new()
    frames = _opaque_frames(digest, options)
    yield opening(frames, der.OCTET_STRING, None)
    yield from segments(_digested(chunks, running), None)
    info = _signer_info(running.digest(), digest, signer, scheme, signing_time, options)
    behind = _embedded_certificate(signer, options) + der.set_of(info)
    yield closing(frames, {_SIGNED_FRAME: behind}, None)


def _digested(chunks: Iterable[bytes], running: Hash) -> Iterator[bytes]:
    for chunk in chunks:
        running.update(chunk)
        yield chunk


_SIGNED_FRAME = 2  # the frame, counted from the outermost, behind whose content the signatures stand


def _opaque_frames(digest: Digest, options: SigningOptions) -> tuple[Frame, ...]:
    return (
        Frame(der.SEQUENCE, der.oid(ContentType.SIGNED.value)),
        Frame(der.context(0)),
        Frame(der.SEQUENCE, _version(options) + der.set_of(_digest_algorithm(digest))),
        Frame(der.SEQUENCE, _DATA),
        Frame(der.context(0)),
    )


def _signed_data(
    digest: Digest, signer: PrivateKey, options: SigningOptions, content_fields: bytes, info: bytes
) -> bytes:
    return content_info(
        ContentType.SIGNED,
        _version(options),
        der.set_of(_digest_algorithm(digest)),
        der.sequence(content_fields),
        _embedded_certificate(signer, options),
        der.set_of(info),
    )


def _version(options: SigningOptions) -> bytes:
    """CMSVersion of SignedData: 3 when a signer is named by its key identifier (RFC 5652 §5.1)."""
    return der.integer(3 if options.by_key_identifier else 1)


def _digest_algorithm(digest: Digest) -> bytes:
    """The AlgorithmIdentifier of a digest, without parameters (RFC 5754 §2)."""
    return der.algorithm(digest.oid)


def _embedded_certificate(signer: PrivateKey, options: SigningOptions) -> bytes:
    """[0] certificates, or nothing."""
    return der.element(der.context(0), signer.certificate.der) if options.certificate else b""


def _signer_info(
    content_digest: bytes,
    digest: Digest,
    signer: PrivateKey,
    scheme: SignatureScheme | None,
    signing_time: datetime | None,
    options: SigningOptions,
) -> bytes:
    """One SignerInfo (RFC 5652 §5.3)."""
    if len(content_digest) != digest.size:
        raise ValueError(f"a {digest} has {digest.size} bytes, not {len(content_digest)}")
    scheme = scheme or signer.default_scheme
    signature_algorithm = _signature_algorithm(scheme, digest)
    attributes = _signed_attributes(content_digest, digest, signature_algorithm, signing_time, options)
    by_key = options.by_key_identifier
    return der.sequence(
        der.integer(3 if by_key else 1),
        key_identifier(signer.certificate) if by_key else issuer_and_serial(signer.certificate),
        _digest_algorithm(digest),
        bytes((der.context(0),)) + attributes[1:] if attributes else b"",
        signature_algorithm,
        der.octet_string(_signature(signer, scheme, digest, attributes or content_digest, hashed=not attributes)),
    )


def _signature_algorithm(scheme: SignatureScheme, digest: Digest) -> bytes:
    if scheme is SignatureScheme.PSS:
        return pss_algorithm(digest)
    parameters = der.NULL if scheme is SignatureScheme.PKCS1V15 else b""
    return der.algorithm(signature_oid(scheme, digest), parameters)


def _signed_attributes(
    content_digest: bytes,
    digest: Digest,
    signature_algorithm: bytes,
    signing_time: datetime | None,
    options: SigningOptions,
) -> bytes:
    """The SET OF that is signed; empty if there are to be none."""
    if not options.attributes:
        return b""
    attributes = [
        _CONTENT_TYPE_ATTRIBUTE,
        der.attribute(MESSAGE_DIGEST_OID, der.octet_string(content_digest)),
    ]
    if signing_time is not None:
        attributes.append(der.attribute(SIGNING_TIME_OID, der.time(signing_time)))
    if options.algorithm_protection:
        protection = der.sequence(_digest_algorithm(digest), bytes((der.context(1),)) + signature_algorithm[1:])
        attributes.append(der.attribute(ALGORITHM_PROTECTION_OID, protection))
    return der.set_of(*attributes)


def _signature(signer: PrivateKey, scheme: SignatureScheme, digest: Digest, message: bytes, hashed: bool) -> bytes:
    key = signer.key
    algorithm = utils.Prehashed(digest.algorithm) if hashed else digest.algorithm
    if isinstance(key, rsa.RSAPrivateKey) is (scheme is SignatureScheme.ECDSA):
        raise UnsuitableKey(f"{scheme} cannot be made with {signer.certificate.key_description}")
    if isinstance(key, rsa.RSAPrivateKey):
        if scheme is SignatureScheme.PKCS1V15:
            return key.sign(message, _PKCS1V15, algorithm)
        pss = padding.PSS(padding.MGF1(digest.algorithm), digest.size)
        return key.sign(message, pss, algorithm)
    return key.sign(message, ec.ECDSA(algorithm))
