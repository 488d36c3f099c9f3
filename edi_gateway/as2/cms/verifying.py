"""Verifying SignedData against the certificates that are pinned for a partnership (RFC 5652 §5.4, §5.6).

The rules that keep a forgery out: there is at least one SignerInfo; *every* one of them is verified by a
pinned certificate; certificates inside the message count for nothing; every field that names an algorithm
names the same one; the signed attributes are about this content.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime

from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives.asymmetric import ec, padding, rsa, utils

from edi_gateway.as2.algorithms import DEFAULT_DIGESTS, Digest, SignatureAlgorithm, SignatureScheme, signature_of_oid
from edi_gateway.as2.certificates import Certificate
from edi_gateway.as2.cms import der
from edi_gateway.as2.cms.ber import Element
from edi_gateway.as2.cms.errors import SignatureRefusal, SignatureRefused
from edi_gateway.as2.cms.parameters import read_algorithm, read_pss
from edi_gateway.as2.cms.signed import ALGORITHM_PROTECTION_OID, CONTENT_TYPE_OID, SignedData, SignerInfo

PKCS1V15 = padding.PKCS1v15()


@dataclass(frozen=True, slots=True)
class VerifiedSigner:
    """Who signed, with what."""

    certificate: Certificate
    digest: Digest
    scheme: SignatureScheme
    signing_time: datetime | None


def verify(
    signed: SignedData,
    digest_of: Callable[[Digest], bytes],
    certificates: Sequence[Certificate],
    accepted: frozenset[Digest] = DEFAULT_DIGESTS,
) -> tuple[VerifiedSigner, ...]:
    """Who signed this content; raises `SignatureRefused` unless every signature is by a pinned certificate.

    `digest_of` gives the digest of the content for each of `signed.digests` (for an opaque signature: of
    `signed.content`). Certificates inside the message are not looked at. RFC 5652 §5.4, §5.6.
    """
    if not signed.signers:
        raise SignatureRefused(SignatureRefusal.NO_SIGNER, "the SignedData holds no SignerInfo")
    return tuple(_verify_one(signed, signer, digest_of, certificates, accepted) for signer in signed.signers)


def _verify_one(
    signed: SignedData,
    signer: SignerInfo,
    digest_of: Callable[[Digest], bytes],
    certificates: Sequence[Certificate],
    accepted: frozenset[Digest],
) -> VerifiedSigner:
    digest = _accepted_digest(signer, accepted)
    scheme = _scheme(signer, digest)
    candidates = signer.signer.among(certificates)
    if not candidates:
        raise SignatureRefused(
            SignatureRefusal.UNKNOWN_SIGNER, f"signed by {signer.signer}, which is no certificate pinned here"
        )
    content_digest = digest_of(digest)
    certificate = _verified_by(candidates, signer, digest, scheme, content_digest)
    if signer.attributes is not None:
        _check_attributes(signed, signer, content_digest)
    return VerifiedSigner(certificate, digest, scheme, signer.signing_time)


def _accepted_digest(signer: SignerInfo, accepted: frozenset[Digest]) -> Digest:
    digest = signer.digest
    if digest is None:
        oid = signer.digest_algorithm.oid
        raise SignatureRefused(SignatureRefusal.UNKNOWN_ALGORITHM, f"the digest {oid} is not known")
    if digest not in accepted or digest is Digest.MD5:
        names = ", ".join(sorted(accepted))
        raise SignatureRefused(SignatureRefusal.WEAK_DIGEST, f"signed with {digest}; accepted are {names}")
    return digest


def _scheme(signer: SignerInfo, digest: Digest) -> SignatureScheme:
    """The scheme, once every field that names a digest names the same one (RFC 8933 §3, RFC 4056 §3)."""
    algorithm = signature_of_oid(signer.signature_algorithm.oid)
    if algorithm is None:
        oid = signer.signature_algorithm.oid
        raise SignatureRefused(SignatureRefusal.UNKNOWN_ALGORITHM, f"the signature algorithm {oid} is not known")
    named = _named_digest(algorithm, signer)
    if named not in (None, digest):
        raise SignatureRefused(
            SignatureRefusal.ALGORITHM_MISMATCH, f"the signature algorithm names {named}, the SignerInfo {digest}"
        )
    return algorithm.scheme


def _named_digest(algorithm: SignatureAlgorithm, signer: SignerInfo) -> Digest | None:
    parameters = signer.signature_algorithm.parameters
    if algorithm.scheme is SignatureScheme.PSS:
        return read_pss(parameters).digest if parameters else None
    return algorithm.digest


def _verified_by(
    candidates: Iterable[Certificate],
    signer: SignerInfo,
    digest: Digest,
    scheme: SignatureScheme,
    content_digest: bytes,
) -> Certificate:
    """The candidate whose key made the signature."""
    for certificate in candidates:
        _check_key(certificate, scheme)
        if any(
            _holds(certificate, signer, digest, scheme, message, hashed)
            for message, hashed in _signed_messages(signer, content_digest)
        ):
            return certificate
    raise SignatureRefused(
        SignatureRefusal.BAD_SIGNATURE,
        f"the signature by {signer.signer} does not hold"
        + ("" if signer.attributes else "; without signed attributes this also happens when the content was changed"),
    )


def _check_key(certificate: Certificate, scheme: SignatureScheme) -> None:
    if isinstance(certificate.public_key, rsa.RSAPublicKey) is (scheme is SignatureScheme.ECDSA):
        raise SignatureRefused(
            SignatureRefusal.ALGORITHM_MISMATCH,
            f"signed with {scheme}, the pinned certificate is {certificate.key_description}",
        )
    if not certificate.strong:
        raise SignatureRefused(SignatureRefusal.WEAK_KEY, f"the signer's key is {certificate.key_description}")


def _signed_messages(signer: SignerInfo, content_digest: bytes) -> Iterable[tuple[bytes, bool]]:
    """What may have been signed: bytes, and whether they are a digest already.

    Signed attributes are signed as a SET OF in DER (RFC 5652 §5.4). The bytes received are tried first,
    under their other tag; a signer that sent them in BER signed the DER that they stand for.
    """
    if signer.attributes is None:
        yield content_digest, True
        return
    received = der.element(der.SET, signer.attributes.content)
    yield received, False
    distinguished = signer.attributes.to_der(der.SET)
    if distinguished != received:
        yield distinguished, False


def _holds(
    certificate: Certificate,
    signer: SignerInfo,
    digest: Digest,
    scheme: SignatureScheme,
    message: bytes,
    hashed: bool,
) -> bool:
    algorithm = utils.Prehashed(digest.algorithm) if hashed else digest.algorithm
    key = certificate.public_key
    try:
        if isinstance(key, rsa.RSAPublicKey):
            key.verify(signer.signature, message, _padding(signer, scheme, digest), algorithm)
        else:
            key.verify(signer.signature, message, ec.ECDSA(algorithm))
    except (InvalidSignature, ValueError):  # ValueError: a PSS salt that does not fit the key
        return False
    return True


def _padding(signer: SignerInfo, scheme: SignatureScheme, digest: Digest) -> padding.AsymmetricPadding:
    if scheme is SignatureScheme.PKCS1V15:
        return PKCS1V15
    parameters = signer.signature_algorithm.parameters
    if not parameters:
        # They must be there (RFC 4056 §3), but pyas2lib leaves them out and means the message's digest throughout,
        # with a salt of any length. The digest was accepted before, so nothing weaker can be meant.
        return padding.PSS(padding.MGF1(digest.algorithm), padding.PSS.AUTO)
    found = read_pss(parameters)
    return padding.PSS(padding.MGF1(found.mask_digest.algorithm), found.salt_bytes)


def _check_attributes(signed: SignedData, signer: SignerInfo, content_digest: bytes) -> None:
    """The attributes, already verified, must be about this content (RFC 5652 §11.1, §11.2, RFC 6211)."""
    kind, claimed = signer.values.get(CONTENT_TYPE_OID), signer.message_digest
    if kind is None or claimed is None:
        raise SignatureRefused(
            SignatureRefusal.BAD_ATTRIBUTES, "the signed attributes lack contentType or messageDigest"
        )
    if kind.oid() != signed.content_type:
        raise SignatureRefused(
            SignatureRefusal.BAD_ATTRIBUTES, f"signed as {kind.oid()}, the content is {signed.content_type}"
        )
    protection = signer.values.get(ALGORITHM_PROTECTION_OID)
    if protection is not None:
        _check_protection(protection, signer)
    if claimed != content_digest:
        raise SignatureRefused(
            SignatureRefusal.CONTENT_CHANGED,
            f"the {signer.digest} signed is {claimed.hex()}, that of the content received {content_digest.hex()}",
        )


def _check_protection(protection: Element, signer: SignerInfo) -> None:
    """CMSAlgorithmProtection repeats both algorithms under the signature (RFC 6211 §2)."""
    fields = protection.expect(der.SEQUENCE, "CMSAlgorithmProtection").fields()
    digest = read_algorithm(fields.take("digestAlgorithm"))
    signature = fields.optional(der.context(1))
    named = read_algorithm(signature, der.context(1)) if signature else None
    if named is None or not named.same(signer.signature_algorithm) or not digest.same(signer.digest_algorithm):
        raise SignatureRefused(
            SignatureRefusal.ALGORITHM_MISMATCH, "CMSAlgorithmProtection names other algorithms than the SignerInfo"
        )
