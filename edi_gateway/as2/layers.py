"""The layers of a transmission: which there are, in which order they may stand, and how one is told.

RFC 4130 §2.4.2 and RFC 5402 §3 know encryption outside, then a signature, and compression once, on either side of the
signature.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from enum import StrEnum

from edi_gateway.as2.cms import PREFIX_BYTES, ContentType, content_type_of
from edi_gateway.as2.errors import MimeMalformed
from edi_gateway.as2.mime import IDENTITY_ENCODINGS, Entity, Window, decoded, looks_like_base64


class Layer(StrEnum):
    """One wrapping of a MIME entity."""

    ENCRYPTED = "encrypted"
    COMPRESSED = "compressed"
    SIGNED = "signed"
    CONTENT = "content"


# RFC 5402 §3: compression once, before or after signing, never outside of encryption. RFC 4130 §2.4.2 knows no
# encryption inside of a signature.
ORDER: Mapping[tuple[Layer, ...], frozenset[Layer]] = {
    (): frozenset({Layer.ENCRYPTED, Layer.COMPRESSED, Layer.SIGNED}),
    (Layer.ENCRYPTED,): frozenset({Layer.COMPRESSED, Layer.SIGNED}),
    (Layer.COMPRESSED,): frozenset({Layer.SIGNED}),
    (Layer.SIGNED,): frozenset({Layer.COMPRESSED}),
    (Layer.ENCRYPTED, Layer.COMPRESSED): frozenset({Layer.SIGNED}),
    (Layer.ENCRYPTED, Layer.SIGNED): frozenset({Layer.COMPRESSED}),
}

_MULTIPART_SIGNED = "multipart/signed"
_PKCS7_MIME = frozenset({"application/pkcs7-mime", "application/x-pkcs7-mime"})

# The object identifier decides; `smime-type` may be missing or wrong (RFC 8551 §3.2.2 calls it a hint).
_LAYER_OF = {
    ContentType.ENVELOPED: Layer.ENCRYPTED,
    ContentType.AUTH_ENVELOPED: Layer.ENCRYPTED,
    ContentType.COMPRESSED: Layer.COMPRESSED,
    ContentType.SIGNED: Layer.SIGNED,
}

_BASE64_PREFIX_BYTES = 64


def is_wrapping(media_type: str) -> bool:
    """Whether an entity of this type is one of the layers, and no content yet."""
    return media_type == _MULTIPART_SIGNED or media_type in _PKCS7_MIME


def layer_of(entity: Entity) -> tuple[Layer, Window | None, str]:
    """The outermost layer, its bytes if it is a CMS structure, and what had to be tolerated to read it."""
    main = entity.content_type.main
    if main == _MULTIPART_SIGNED:
        return Layer.SIGNED, None, ""
    if main not in _PKCS7_MIME:
        return Layer.CONTENT, None, ""
    content, note = cms_bytes(entity)
    found = content_type_of(content.peek(PREFIX_BYTES))
    layer = _LAYER_OF.get(found) if found else None
    if layer is None:
        announced = entity.content_type.get("smime-type") or "no smime-type"
        raise MimeMalformed(f"{main} ({announced}) that holds no CMS structure of AS2")
    return layer, content, note


def cms_bytes(entity: Entity) -> tuple[Window, str]:
    """The CMS bytes, also where base64 is not declared, or declared for what is binary; and a note of that."""
    encoding, note = entity.transfer_encoding, ""
    in_base64 = looks_like_base64(entity.body.peek(_BASE64_PREFIX_BYTES)[:_BASE64_PREFIX_BYTES])
    if in_base64 and encoding in IDENTITY_ENCODINGS:
        encoding, note = "base64", "base64 without Content-Transfer-Encoding: base64"
    elif encoding == "base64" and not in_base64:
        encoding, note = "binary", "Content-Transfer-Encoding: base64 on binary content"
    return Window(decoded(entity.body.chunks(), encoding)), note


# --- what an honest sender writes -------------------------------------------------------------------------------

# RFC 4130 §1.3, RFC 6362: what a partner may have meant to send, and forgot to sign.
CONTENT_TYPES = frozenset(
    {
        "application/edifact",
        "application/edi-x12",
        "application/edi-consent",
        "application/xml",
        "text/xml",
        "text/plain",
        "application/octet-stream",
        "multipart/related",
    }
)
_HEADER_LINE = re.compile(r"[!-9;-~]+:[^\x00-\x08\x0a-\x1f\x7f]*|[ \t][^\x00-\x08\x0a-\x1f\x7f]*")


def with_honest_headers(entity: Entity) -> Entity:
    """Refuse header lines that no program writes: what a wrong key or an altered block leaves (see `inbound`)."""
    try:
        lines = entity.block.decode("utf-8").replace("\r\n", "\n").split("\n")
    except UnicodeDecodeError:
        raise MimeMalformed("headers that are no text inside of the encryption") from None
    if not all(_HEADER_LINE.fullmatch(line) for line in lines if line):
        raise MimeMalformed("lines that are no headers inside of the encryption")
    return entity


def is_text(data: bytes) -> bool:
    """Whether the bytes are printable ASCII and line breaks."""
    return all(byte in b"\t\r\n" or 0x20 <= byte < 0x7F for byte in data)
