"""AlgorithmIdentifiers and the parameters that some of them carry: PSS, OAEP, GCM.

Reading is cached by bytes: a partner sends the same few for years.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import cache, lru_cache

from edi_gateway.as2.algorithms import MGF1_OID, OAEP_OID, P_SPECIFIED_OID, PSS_OID, Digest
from edi_gateway.as2.cms import der
from edi_gateway.as2.cms.ber import Element, Fields
from edi_gateway.as2.cms.errors import Malformed

ALGORITHM_BYTES_MAX = 4096
SALT_BYTES_MAX = 1024


@dataclass(frozen=True, slots=True)
class AlgorithmIdentifier:
    """An object identifier and its parameters as encoded; empty if absent or NULL, which mean the same here."""

    oid: str
    parameters: bytes = b""
    raw: bytes = b""

    def required(self) -> Element:
        """The parameters, which this algorithm must have."""
        if not self.parameters:
            raise Malformed(f"the algorithm {self.oid} lacks its parameters")
        return Element.only(self.parameters)

    def same(self, other: AlgorithmIdentifier) -> bool:
        """Whether both mean the same algorithm, absent and NULL parameters being equal."""
        return (self.oid, self.parameters) == (other.oid, other.parameters)


def read_algorithm(element: Element, tag: int = der.SEQUENCE) -> AlgorithmIdentifier:
    """The AlgorithmIdentifier in that element."""
    if len(element.raw) > ALGORITHM_BYTES_MAX:
        raise Malformed(f"an algorithm identifier of more than {ALGORITHM_BYTES_MAX} bytes", element.offset)
    fields = element.expect(tag, "an algorithm identifier").fields()
    oid = fields.take("the algorithm").oid()
    rest = list(fields.rest())
    if len(rest) > 1:
        raise Malformed("an unexpected field in an algorithm identifier", element.offset)
    parameters = rest[0].raw if rest and rest[0].raw != der.NULL else b""
    return AlgorithmIdentifier(oid, parameters, element.raw)


# --- RSASSA-PSS (RFC 4055 §3.1) and RSAES-OAEP (§4.1) -----------------------------------------------


@dataclass(frozen=True, slots=True)
class PssParameters:
    """Digest, digest of the mask generation, salt in bytes."""

    digest: Digest
    mask_digest: Digest
    salt_bytes: int


@dataclass(frozen=True, slots=True)
class OaepParameters:
    """Digest, digest of the mask generation, label."""

    digest: Digest
    mask_digest: Digest
    label: bytes = b""


@lru_cache(maxsize=64)
def read_pss(parameters: bytes) -> PssParameters:
    """RSASSA-PSS-params; each field has the default of RFC 4055: SHA-1, MGF1 with SHA-1, 20."""
    fields = Element.only(parameters).expect(der.SEQUENCE, "PSS parameters").fields() if parameters else None
    digest, mask_digest = _hash_and_mask(fields)
    salt = fields.optional(der.context(2)) if fields else None
    trailer = fields.optional(der.context(3)) if fields else None
    if fields:
        fields.end()
    salt_bytes = salt.only_child().integer() if salt else 20
    if not 0 <= salt_bytes <= SALT_BYTES_MAX:
        raise Malformed(f"a PSS salt of {salt_bytes} bytes")
    if trailer and trailer.only_child().integer() != 1:
        raise Malformed("a PSS trailer field other than 1 (RFC 4055 §3.1)")
    return PssParameters(digest, mask_digest, salt_bytes)


@lru_cache(maxsize=64)
def read_oaep(parameters: bytes) -> OaepParameters:
    """RSAES-OAEP-params; each field has the default of RFC 4055: SHA-1, MGF1 with SHA-1, an empty label."""
    fields = Element.only(parameters).expect(der.SEQUENCE, "OAEP parameters").fields() if parameters else None
    digest, mask_digest = _hash_and_mask(fields)
    source = fields.optional(der.context(2)) if fields else None
    if fields:
        fields.end()
    return OaepParameters(digest, mask_digest, _label(source) if source else b"")


def _hash_and_mask(fields: Fields | None) -> tuple[Digest, Digest]:
    first = fields.optional(der.context(0)) if fields else None
    second = fields.optional(der.context(1)) if fields else None
    digest = _digest(read_algorithm(first.only_child())) if first else Digest.SHA1
    if second is None:
        return digest, Digest.SHA1
    mask = read_algorithm(second.only_child())
    if mask.oid != MGF1_OID:
        raise Malformed(f"a mask generation other than MGF1: {mask.oid}")
    return digest, _digest(read_algorithm(mask.required()))


def _digest(algorithm: AlgorithmIdentifier) -> Digest:
    digest = Digest.of_oid(algorithm.oid)
    if digest is None or digest is Digest.MD5:
        raise Malformed(f"a digest that is not known in this place: {algorithm.oid}")
    return digest


def _label(source: Element) -> bytes:
    """PSourceAlgorithm: the label of OAEP, which is empty in practice."""
    algorithm = read_algorithm(source.only_child())
    if algorithm.oid != P_SPECIFIED_OID:
        raise Malformed(f"an OAEP label source that is not known: {algorithm.oid}")
    return algorithm.required().octets()


@cache
def pss_algorithm(digest: Digest) -> bytes:
    """id-RSASSA-PSS with the salt as long as the digest (RFC 4056 §3), MGF1 with the same digest."""
    salt = b"" if digest.size == 20 else der.element(der.context(2), der.integer(digest.size))
    return der.algorithm(PSS_OID, der.sequence(*_written_hash_and_mask(digest), salt))


@cache
def oaep_algorithm(digest: Digest) -> bytes:
    """id-RSAES-OAEP with that digest, MGF1 with the same, and no label; defaults are left out as DER asks."""
    return der.algorithm(OAEP_OID, der.sequence(*_written_hash_and_mask(digest)))


def _written_hash_and_mask(digest: Digest) -> tuple[bytes, ...]:
    if digest is Digest.SHA1:
        return ()
    hash_algorithm = der.algorithm(digest.oid, der.NULL)  # RFC 4055 §2.1 writes NULL here
    mask = der.algorithm(MGF1_OID, hash_algorithm)
    return der.element(der.context(0), hash_algorithm), der.element(der.context(1), mask)


# --- AES-GCM (RFC 5084 §3.2) -----------------------------------------------------------------------

GCM_NONCE_BYTES = 12
GCM_NONCE_MIN, GCM_NONCE_MAX = 8, 64
GCM_TAG_BYTES = 16
GCM_TAG_DEFAULT, GCM_TAG_MIN, GCM_TAG_MAX = 12, 12, 16


@dataclass(frozen=True, slots=True)
class GcmParameters:
    """Nonce, and length of the tag in bytes."""

    nonce: bytes
    tag_bytes: int


def read_gcm(parameters: Element) -> GcmParameters:
    """GCMParameters; where the tag length is absent it is 12."""
    fields = parameters.expect(der.SEQUENCE, "GCM parameters").fields()
    nonce = fields.take("the nonce").octets()
    length = fields.optional(der.INTEGER)
    fields.end()
    tag_bytes = length.integer() if length else GCM_TAG_DEFAULT
    if not GCM_NONCE_MIN <= len(nonce) <= GCM_NONCE_MAX:
        raise Malformed(f"a GCM nonce of {len(nonce)} bytes")
    if not GCM_TAG_MIN <= tag_bytes <= GCM_TAG_MAX:
        raise Malformed(f"a GCM tag of {tag_bytes} bytes")
    return GcmParameters(nonce, tag_bytes)


def gcm_parameters(nonce: bytes) -> bytes:
    """GCMParameters with a tag of 16 bytes, which is not the default and so must be written."""
    return der.sequence(der.octet_string(nonce), der.integer(GCM_TAG_BYTES))
