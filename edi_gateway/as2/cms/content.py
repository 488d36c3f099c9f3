"""What a ContentInfo holds, told by its first bytes (RFC 5652 §3)."""

from __future__ import annotations

from enum import Enum

from edi_gateway.as2.cms import ber, der
from edi_gateway.as2.cms.errors import Malformed

PREFIX_BYTES = 32  # enough of a message for `content_type_of`


class ContentType(Enum):
    """The content types of AS2, by object identifier."""

    DATA = "1.2.840.113549.1.7.1"
    SIGNED = "1.2.840.113549.1.7.2"
    ENVELOPED = "1.2.840.113549.1.7.3"
    AUTH_ENVELOPED = "1.2.840.113549.1.9.16.1.23"
    COMPRESSED = "1.2.840.113549.1.9.16.1.9"

    @property
    def encrypted(self) -> bool:
        return self in (ContentType.ENVELOPED, ContentType.AUTH_ENVELOPED)


_OF_OID = {kind.value: kind for kind in ContentType}


def content_type_of(prefix: bytes) -> ContentType | None:
    """What the structure is whose first `PREFIX_BYTES` bytes are given; `None` if no ContentInfo we know.

    The `smime-type` parameter of the MIME header is only a hint and often missing; this is what counts.
    """
    source = ber.Source([prefix])
    try:
        source.enter(der.SEQUENCE, "ContentInfo")
        return _OF_OID.get(source.element("contentType", der.OBJECT_IDENTIFIER, PREFIX_BYTES).oid())
    except Malformed:
        return None


def enter_content(source: ber.Source, *expected: ContentType) -> ContentType:
    """Opens ContentInfo and its content, which must be of one of the expected types; gives that type."""
    source.enter(der.SEQUENCE, "ContentInfo")
    dotted = source.element("contentType", der.OBJECT_IDENTIFIER).oid()
    found = _OF_OID.get(dotted)
    if found not in expected or found is None:
        wanted = " or ".join(kind.name for kind in expected)
        raise Malformed(f"{wanted} expected, the content type is {dotted if found is None else found.name}")
    source.enter(der.context(0), "content")
    source.enter(der.SEQUENCE, found.name)
    return found


def leave_content(source: ber.Source) -> None:
    """Closes what `enter_content` opened and makes sure that nothing follows."""
    for _ in range(3):
        source.leave()
    source.finish()


def content_info(kind: ContentType, *fields: bytes) -> bytes:
    """A whole ContentInfo around the fields of its content."""
    return der.sequence(der.oid(kind.value), der.element(der.context(0), der.sequence(*fields)))
