"""Which certificate a SignerInfo or RecipientInfo means: issuer and serial number, or key identifier.

The choice only says which of *our pinned* certificates to try; it proves nothing by itself.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from functools import lru_cache

from edi_gateway.as2.certificates import Certificate
from edi_gateway.as2.cms import der
from edi_gateway.as2.cms.ber import Element
from edi_gateway.as2.cms.errors import Malformed

KEY_IDENTIFIER_BYTES_MAX = 64
ISSUER_BYTES_MAX = 4096


@dataclass(frozen=True, slots=True)
class KeyReference:
    """`issuer` (the encoded name) and `serial`, or else `ski`."""

    issuer: bytes = b""
    serial: int = 0
    ski: bytes = b""

    def means(self, certificate: Certificate) -> bool:
        """Whether it names that certificate."""
        if self.ski:
            return self.ski == certificate.ski
        if self.serial != certificate.serial:
            return False
        # Some products write the issuer anew, with other string types than the certificate has.
        return self.issuer == certificate.issuer_der or _folded(self.issuer) == _folded(certificate.issuer_der)

    def among(self, certificates: Iterable[Certificate]) -> tuple[Certificate, ...]:
        return tuple(c for c in certificates if self.means(c))

    def __str__(self) -> str:
        """For the operator: printable, bounded, whatever the sender put into the name."""
        if self.ski:
            return f"key identifier {self.ski.hex()}"
        return f"serial number {self.serial:x} (hex) of {_readable(self.issuer)}"


def read_issuer_and_serial(element: Element) -> KeyReference:
    """IssuerAndSerialNumber (RFC 5652 §10.2.4)."""
    fields = element.expect(der.SEQUENCE, "issuer and serial number").fields()
    issuer = fields.take("the issuer", der.SEQUENCE).raw
    if len(issuer) > ISSUER_BYTES_MAX:
        raise Malformed(f"an issuer's name of {len(issuer)} bytes", element.offset)
    serial = fields.take("the serial number").integer()
    fields.end()
    return KeyReference(issuer=issuer, serial=serial)


def read_key_identifier(element: Element, tag: int = der.implicit(0)) -> KeyReference:
    """SubjectKeyIdentifier, by default with the tag [0] that it has in SignerInfo and RecipientInfo."""
    ski = element.octets(tag)
    if not 1 <= len(ski) <= KEY_IDENTIFIER_BYTES_MAX:
        raise Malformed(f"a key identifier of {len(ski)} bytes", element.offset)
    return KeyReference(ski=ski)


def read_reference(element: Element) -> KeyReference:
    """SignerIdentifier or RecipientIdentifier: whichever of the two it is."""
    return read_issuer_and_serial(element) if element.tag == der.SEQUENCE else read_key_identifier(element)


@lru_cache(maxsize=256)
def issuer_and_serial(certificate: Certificate) -> bytes:
    """IssuerAndSerialNumber of the certificate."""
    return der.sequence(certificate.issuer_der, der.integer(certificate.serial))


@lru_cache(maxsize=256)
def key_identifier(certificate: Certificate) -> bytes:
    """[0] SubjectKeyIdentifier of the certificate."""
    return der.element(der.implicit(0), certificate.ski)


_ENCODINGS = {0x0C: "utf-8", 0x13: "ascii", 0x14: "latin-1", 0x16: "ascii", 0x1E: "utf-16-be", 0x1C: "utf-32-be"}
_SHORT_NAMES = {"2.5.4.3": "CN", "2.5.4.6": "C", "2.5.4.7": "L", "2.5.4.8": "ST", "2.5.4.10": "O", "2.5.4.11": "OU"}
_READABLE_MAX = 200


@lru_cache(maxsize=256)
def _folded(name: bytes) -> tuple[tuple[tuple[str, str], ...], ...] | bytes:
    """A name for comparison: string types, case and repeated spaces do not count (RFC 5280 §7.1)."""
    try:
        return tuple(
            tuple(sorted((kind, " ".join(text.split()).casefold()) for kind, text in _attributes(rdn)))
            for rdn in Element.only(name).children()
        )
    except (Malformed, UnicodeDecodeError):
        return name


def _readable(name: bytes) -> str:
    """A name for people, most specific part first, as RFC 4514 writes it."""
    try:
        rdns = [list(_attributes(rdn)) for rdn in Element.only(name).children()]
    except (Malformed, UnicodeDecodeError):
        return "an issuer whose name cannot be read"
    text = ",".join("+".join(f"{_SHORT_NAMES.get(k, k)}={v}" for k, v in rdn) for rdn in reversed(rdns))
    return "".join(c if c.isprintable() else "?" for c in text[:_READABLE_MAX])


def _attributes(rdn: Element) -> Iterable[tuple[str, str]]:
    for attribute in rdn.children():
        fields = attribute.fields()
        kind = fields.take("the type").oid()
        value = fields.take("the value")
        yield kind, value.content.decode(_ENCODINGS.get(value.tag, "latin-1"))
