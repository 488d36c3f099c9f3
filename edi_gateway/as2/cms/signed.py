"""SignedData (RFC 5652 §5): reading it, verifying it against pinned certificates, and signing.

`verify` holds the rules that keep a forgery out: there is at least one SignerInfo, *every* one of them is
verified by a certificate pinned for the partnership, and certificates inside the message count for nothing.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime

from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives.asymmetric import ec, padding, rsa, utils

from edi_gateway.as2.algorithms import (
    DEFAULT_DIGESTS,
    Digest,
    SignatureAlgorithm,
    SignatureScheme,
    signature_of_oid,
    signature_oid,
)
from edi_gateway.as2.certificates import Certificate, PrivateKey
from edi_gateway.as2.cms import ber, der
from edi_gateway.as2.cms.ber import Element
from edi_gateway.as2.cms.content import ContentType, content_info, enter_content, leave_content
from edi_gateway.as2.cms.errors import Malformed, SignatureRefusal, SignatureRefused, UnsuitableKey
from edi_gateway.as2.cms.identifiers import KeyReference, issuer_and_serial, key_identifier, read_reference
from edi_gateway.as2.cms.parameters import AlgorithmIdentifier, pss_algorithm, read_algorithm, read_pss

SIGNERS_MAX = 16
ATTRIBUTES_MAX = 64
CERTIFICATES_MAX = 64
CONTENT_BYTES_MAX = 64 * 1024 * 1024  # of an opaque content that `read_signed_data` holds in memory

CONTENT_TYPE_OID = "1.2.840.113549.1.9.3"
MESSAGE_DIGEST_OID = "1.2.840.113549.1.9.4"
SIGNING_TIME_OID = "1.2.840.113549.1.9.5"
ALGORITHM_PROTECTION_OID = "1.2.840.113549.1.9.52"
_SINGLE = (CONTENT_TYPE_OID, MESSAGE_DIGEST_OID, SIGNING_TIME_OID, ALGORITHM_PROTECTION_OID)


@dataclass(frozen=True, slots=True)
class SignerInfo:
    """One signature, as read."""

    signer: KeyReference
    digest_algorithm: AlgorithmIdentifier
    signature_algorithm: AlgorithmIdentifier
    signature: bytes
    attributes: Element | None  # [0] signedAttrs as received
    values: dict[str, Element]  # the first value of each signed attribute, by type

    @property
    def digest(self) -> Digest | None:
        """The digest that the signature is over; `None` if we do not know it."""
        return Digest.of_oid(self.digest_algorithm.oid)

    @property
    def message_digest(self) -> bytes | None:
        """What the signer says the content's digest is; `None` without signed attributes. Not verified."""
        value = self.values.get(MESSAGE_DIGEST_OID)
        return value.octets() if value else None

    @property
    def signing_time(self) -> datetime | None:
        """When the signer says it signed; believed once the signature is verified, and then still only a claim."""
        value = self.values.get(SIGNING_TIME_OID)
        return value.time() if value else None


@dataclass(frozen=True, slots=True)
class SignedData:
    """A SignedData as read; nothing in it is verified."""

    content_type: str
    content: bytes | None  # of an opaque signature; `None` if it is detached
    signers: tuple[SignerInfo, ...]
    embedded_certificates: tuple[bytes, ...]  # DER, for diagnosis only: never trusted

    @property
    def digests(self) -> tuple[Digest, ...]:
        """The digests that the signatures need, those that we know."""
        return tuple(dict.fromkeys(d for s in self.signers if (d := s.digest) is not None))


@dataclass(frozen=True, slots=True)
class VerifiedSigner:
    """Who signed, with what."""

    certificate: Certificate
    digest: Digest
    scheme: SignatureScheme
    signing_time: datetime | None


# --- reading -------------------------------------------------------------------------------------


def read_signed_data(data: bytes, content_bytes_max: int = CONTENT_BYTES_MAX) -> SignedData:
    """Reads a SignedData that is in memory, DER or BER. `Malformed` for anything else."""
    source = ber.Source([data])
    enter_content(source, ContentType.SIGNED)
    read_head(source)
    source.enter(der.SEQUENCE, "encapContentInfo")
    content_type = source.element("eContentType", der.OBJECT_IDENTIFIER).oid()
    content = _content(source, content_bytes_max)
    source.leave()
    return read_tail(source, content_type, content)


def _content(source: ber.Source, bytes_max: int) -> bytes | None:
    if source.next_tag() is None:
        return None
    source.enter(der.context(0), "eContent")
    pieces, held = [], 0
    for piece in source.octets("eContent"):
        held += len(piece)
        if held > bytes_max:
            raise Malformed(f"a signed content of more than {bytes_max} bytes", source.offset)
        pieces.append(piece)
    source.leave()
    return b"".join(pieces)


def read_head(source: ber.Source) -> tuple[Digest, ...]:
    """version and digestAlgorithms; the digests announced that we know."""
    source.element("version").integer()
    algorithms = source.element("digestAlgorithms", der.SET)
    oids = [read_algorithm(child).oid for child in algorithms.children()]
    return tuple(dict.fromkeys(d for oid in oids if (d := Digest.of_oid(oid)) is not None))


def read_tail(source: ber.Source, content_type: str, content: bytes | None) -> SignedData:
    """certificates, crls and signerInfos, up to the end of the message."""
    certificates = source.optional("certificates", der.context(0))
    source.optional("crls", der.context(1))
    signer_infos = source.element("signerInfos", der.SET)
    leave_content(source)
    signers = tuple(_signer_info(child) for child in _at_most(SIGNERS_MAX, signer_infos, "signers"))
    embedded = tuple(child.raw for child in _at_most(CERTIFICATES_MAX, certificates, "certificates"))
    return SignedData(content_type, content, signers, embedded)


def _at_most(limit: int, container: Element | None, what: str) -> list[Element]:
    if container is None:
        return []
    found: list[Element] = []
    for child in container.children():
        if len(found) == limit:
            raise Malformed(f"more than {limit} {what}", container.offset)
        found.append(child)
    return found


def _signer_info(element: Element) -> SignerInfo:
    fields = element.expect(der.SEQUENCE, "SignerInfo").fields()
    fields.take("version").integer()
    signer = read_reference(fields.take("the signer's identifier"))
    digest_algorithm = read_algorithm(fields.take("digestAlgorithm"))
    attributes = fields.optional(der.context(0))
    signature_algorithm = read_algorithm(fields.take("signatureAlgorithm"))
    signature = fields.take("the signature").octets()
    fields.optional(der.context(1))
    fields.end()
    values = _attribute_values(attributes) if attributes else {}
    return SignerInfo(signer, digest_algorithm, signature_algorithm, signature, attributes, values)


def _attribute_values(attributes: Element) -> dict[str, Element]:
    """The value of each attribute; those that CMS defines must stand once, with one value (RFC 5652 §11)."""
    values: dict[str, Element] = {}
    for attribute in _at_most(ATTRIBUTES_MAX, attributes, "signed attributes"):
        fields = attribute.expect(der.SEQUENCE, "an attribute").fields()
        kind = fields.take("the attribute's type").oid()
        found = list(fields.take("the attribute's values", der.SET).children())
        fields.end()
        if kind in _SINGLE and (kind in values or len(found) != 1):
            raise Malformed(f"the signed attribute {kind} must stand once with one value", attribute.offset)
        if found:
            values[kind] = found[0]
    return values


# --- verifying -----------------------------------------------------------------------------------


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
    if algorithm.scheme is SignatureScheme.PSS:
        return read_pss(signer.signature_algorithm.parameters).digest
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
            key.verify(signer.signature, message, _padding(signer, scheme), algorithm)
        else:
            key.verify(signer.signature, message, ec.ECDSA(algorithm))
    except (InvalidSignature, ValueError):  # ValueError: a PSS salt that does not fit the key
        return False
    return True


def _padding(signer: SignerInfo, scheme: SignatureScheme) -> padding.AsymmetricPadding:
    if scheme is SignatureScheme.PKCS1V15:
        return _PKCS1V15
    found = read_pss(signer.signature_algorithm.parameters)
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


# --- signing -------------------------------------------------------------------------------------

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
    info = signer_info(content_digest, digest, signer, scheme, signing_time, options)
    return content_info(
        ContentType.SIGNED,
        signed_version(options),
        der.set_of(digest_algorithm(digest)),
        der.sequence(_DATA),
        embedded_certificate(signer, options),
        der.set_of(info),
    )


def signed_version(options: SigningOptions) -> bytes:
    """CMSVersion of SignedData: 3 when a signer is named by its key identifier (RFC 5652 §5.1)."""
    return der.integer(3 if options.by_key_identifier else 1)


def digest_algorithm(digest: Digest) -> bytes:
    """The AlgorithmIdentifier of a digest, without parameters (RFC 5754 §2)."""
    return der.algorithm(digest.oid)


def embedded_certificate(signer: PrivateKey, options: SigningOptions) -> bytes:
    """[0] certificates, or nothing."""
    return der.element(der.context(0), signer.certificate.der) if options.certificate else b""


def signer_info(
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
        digest_algorithm(digest),
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
        protection = der.sequence(digest_algorithm(digest), bytes((der.context(1),)) + signature_algorithm[1:])
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
