"""Several documents in one transmission: multipart/related (RFC 6362, RFC 2387).

The whole multipart is what is signed and what the MIC is over; here it is taken apart after it was opened, and put
together before it is sealed.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import BinaryIO

from edi_gateway.as2.errors import MimeMalformed
from edi_gateway.as2.fields import (
    FieldMalformed,
    Parameterised,
    has_control_character,
    quoted,
    received_filename,
    render_filename,
    safe_filename,
)
from edi_gateway.as2.mdn import boundary_for
from edi_gateway.as2.mime import Entity, Multipart, Spool, chunks_of, multipart_boundary, read_entity

ATTACHMENTS_MAX = 100


@dataclass(frozen=True, slots=True, kw_only=True)
class Attachment:
    """One document of several. The caller closes `payload`."""

    content_type: str
    payload: BinaryIO  # at its start
    size: int
    filename: str  # safe to show; "" if there is none
    filename_received: str
    content_id: str  # without brackets


@dataclass(frozen=True, slots=True, kw_only=True)
class Document:
    """One document to be sent with others."""

    content_type: str
    payload: BinaryIO
    filename: str = ""


def is_related(content_type: str) -> bool:
    """Whether a payload of this type holds several documents."""
    return Parameterised.parse(content_type).main == "multipart/related"


def read_attachments(content_type: str, payload: BinaryIO, spool: Spool) -> tuple[Attachment, ...]:
    """The documents of an opened payload, the root first (RFC 2387 §3.2), each in scratch space of its own.

    MimeMalformed if it is no multipart/related, has none or more than ATTACHMENTS_MAX parts, or a multipart inside.
    """
    parsed = Parameterised.parse(content_type)
    if parsed.main != "multipart/related":
        raise MimeMalformed(f"multipart/related expected, not {parsed.main[:80]!r}")
    payload.seek(0)
    found: list[Attachment] = []
    try:
        for part in Multipart(chunks_of(payload), multipart_boundary(parsed)).parts():
            if len(found) == ATTACHMENTS_MAX:
                raise MimeMalformed(f"more than {ATTACHMENTS_MAX} attachments")
            found.append(_attachment(read_entity(part), spool))
        if not found:
            raise MimeMalformed("a multipart/related without any part")
    except MimeMalformed:
        for attachment in found:
            attachment.payload.close()
        raise
    root = parsed.get("start").strip("<>")
    return tuple(sorted(found, key=lambda attachment: not (root and attachment.content_id == root)))


def _attachment(entity: Entity, spool: Spool) -> Attachment:
    if entity.content_type.main.startswith("multipart/"):
        raise MimeMalformed("a multipart inside of a multipart/related")
    name = received_filename(entity.headers.get("Content-Disposition"), entity.headers.get("Content-Type"))
    stored = spool()
    try:
        for chunk in entity.decoded():
            stored.write(chunk)
    except MimeMalformed:
        stored.close()
        raise
    size = stored.tell()
    stored.seek(0)
    return Attachment(
        content_type=entity.headers.get("Content-Type") or "application/octet-stream",
        payload=stored,
        size=size,
        filename=safe_filename(name),
        filename_received=name,
        content_id=entity.headers.get("Content-ID").strip().strip("<>"),
    )


def pack_related(documents: Sequence[Document], message_id: str, spool: Spool) -> tuple[str, BinaryIO]:
    """The Content-Type and the payload that `outbound.seal` takes, the first document being the root.

    FieldMalformed for no or too many documents, and for a content type that is no header value.
    """
    if not 1 <= len(documents) <= ATTACHMENTS_MAX:
        raise FieldMalformed(f"{len(documents)} documents in one transmission; 1 to {ATTACHMENTS_MAX} can be sent")
    boundary = boundary_for(message_id, "related")
    stored = spool()
    for number, document in enumerate(documents):
        for chunk in _part(document, boundary, f"{number}.{message_id.strip('<>')}"):
            stored.write(chunk)
    stored.write(f"--{boundary}--\r\n".encode("ascii"))
    stored.seek(0)
    root = Parameterised.parse(documents[0].content_type).main
    return f'multipart/related; type={quoted(root)}; boundary="{boundary}"', stored


def _part(document: Document, boundary: str, content_id: str) -> Iterator[bytes]:
    if has_control_character(document.content_type) or not document.content_type.isascii():
        raise FieldMalformed(f"not a content type that can be sent: {document.content_type[:100]!r}")
    name = safe_filename(document.filename)
    lines = [
        f"--{boundary}",
        f"Content-Type: {document.content_type}",
        "Content-Transfer-Encoding: binary",
        f"Content-ID: <{content_id}>",
        *([f"Content-Disposition: attachment; {render_filename(name)}"] if name else []),
    ]
    yield "".join(f"{line}\r\n" for line in lines).encode("ascii") + b"\r\n"
    document.payload.seek(0)
    yield from chunks_of(document.payload)
    yield b"\r\n"
