"""SignedData (RFC 5652 §5) as it is read: in memory, or streaming where it holds its content (opaque).

Nothing that is read here is verified; that is `verifying.verify`.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from datetime import datetime

from edi_gateway.as2.algorithms import Digest, Hash
from edi_gateway.as2.cms import ber, der
from edi_gateway.as2.cms.ber import Element
from edi_gateway.as2.cms.content import ContentType, enter_content, leave_content
from edi_gateway.as2.cms.errors import Malformed, SignatureRefusal, SignatureRefused
from edi_gateway.as2.cms.identifiers import KeyReference, read_reference
from edi_gateway.as2.cms.parameters import AlgorithmIdentifier, read_algorithm

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


def read_signed_data(data: bytes, content_bytes_max: int = CONTENT_BYTES_MAX) -> SignedData:
    """Reads a SignedData that is in memory, DER or BER. `Malformed` for anything else."""
    source = ber.Source([data])
    _read_head(source)
    content_type = _enter_content_info(source)
    content = None
    if source.next_tag() is not None:
        source.enter(der.context(0), "eContent")
        content = _gathered(source, content_bytes_max)
        source.leave()
    source.leave()
    return _read_tail(source, content_type, content)


def _gathered(source: ber.Source, bytes_max: int) -> bytes:
    pieces, held = [], 0
    for piece in source.octets("eContent"):
        held += len(piece)
        if held > bytes_max:
            raise Malformed(f"a signed content of more than {bytes_max} bytes", source.offset)
        pieces.append(piece)
    return b"".join(pieces)


class OpaqueSigned:
    """A SignedData with its content inside, which passes through once and is digested on the way.

    `chunks` must be taken to its end; then `signed` and `digest_of` are what `verify` needs. Nothing of the
    content may be believed before that. `signed.content` stays `None`: the content is not held.
    """

    def __init__(self, chunks: Iterable[bytes], digests: Iterable[Digest] = ()) -> None:
        self._source = ber.Source(chunks)
        announced = _read_head(self._source)
        self.content_type = _enter_content_info(self._source)
        if self._source.next_tag() is None:
            raise Malformed("the signature holds no content; it is detached", self._source.offset)
        self._source.enter(der.context(0), "eContent")
        # MD5 is refused whatever is signed with it, so it is not worth computing.
        wanted = {*announced, *digests} - {Digest.MD5}
        self._running: dict[Digest, Hash] = {digest: digest.new() for digest in wanted}
        self._signed: SignedData | None = None
        self.chunks: Iterator[bytes] = self._pass_through()

    def _pass_through(self) -> Iterator[bytes]:
        for piece in self._source.octets("eContent"):
            for running in self._running.values():
                running.update(piece)
            yield bytes(piece)
        self._source.leave()
        self._source.leave()
        self._signed = _read_tail(self._source, self.content_type, None)

    @property
    def signed(self) -> SignedData:
        """The signatures, which stand behind the content."""
        if self._signed is None:
            raise ValueError("the content must be read to its end before its signatures can be")
        return self._signed

    def digest_of(self, digest: Digest) -> bytes:
        """The digest of the content; `SignatureRefused` for one that digestAlgorithms did not announce."""
        running = self._running.get(digest)
        if running is None:
            raise SignatureRefused(
                SignatureRefusal.ALGORITHM_MISMATCH, f"{digest} is used but not announced (RFC 5652 §5.1)"
            )
        return running.copy().digest()


def open_signed(chunks: Iterable[bytes], digests: Iterable[Digest] = ()) -> OpaqueSigned:
    """Opens an opaque SignedData; `digests` are computed besides those that it announces (for the MIC)."""
    return OpaqueSigned(chunks, digests)


def _enter_content_info(source: ber.Source) -> str:
    source.enter(der.SEQUENCE, "encapContentInfo")
    return source.element("eContentType", der.OBJECT_IDENTIFIER).oid()


def _read_head(source: ber.Source) -> tuple[Digest, ...]:
    """Up to digestAlgorithms: the digests announced that we know."""
    enter_content(source, ContentType.SIGNED)
    source.element("version").integer()
    algorithms = source.element("digestAlgorithms", der.SET)
    oids = [read_algorithm(child).oid for child in algorithms.children()]
    return tuple(dict.fromkeys(d for oid in oids if (d := Digest.of_oid(oid)) is not None))


def _read_tail(source: ber.Source, content_type: str, content: bytes | None) -> SignedData:
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
