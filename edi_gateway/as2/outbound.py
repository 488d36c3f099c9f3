"""What we send, sealed: compressed, signed and encrypted as agreed (RFC 4130 §5, RFC 5402 §3).

Contents are lists of pieces, bytes and streams, that can be read more than once: once for the digests, once on
their way into the encryption. Nothing is held in memory but a chunk, and the length of every layer is known
before it is written, so that everything is DER and the request has a Content-Length.

The digest table is taken over the bytes that the partner's MIC will be over, under all algorithms, because partners
answer under another one than ours. Of a large signed content it holds the agreed one alone; what was signed is kept, so
that another one can be taken when an MDN names it.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from datetime import datetime
from email.utils import format_datetime
from typing import BinaryIO, Final

from edi_gateway.as2.algorithms import Digest
from edi_gateway.as2.attachments import is_related
from edi_gateway.as2.cms import compress, encrypt, sign
from edi_gateway.as2.errors import RelationshipFault
from edi_gateway.as2.exchange import is_exchange
from edi_gateway.as2.fields import (
    FieldMalformed,
    check_message_id,
    has_control_character,
    render_as2_name,
    render_filename,
    safe_filename,
)
from edi_gateway.as2.headers import PRODUCT, Feature, Headers
from edi_gateway.as2.mdn import boundary_for
from edi_gateway.as2.mic import TABLE_BYTES_MAX, TABLE_DIGESTS, Mic, digests_of
from edi_gateway.as2.mime import CHUNK_BYTES, Spool, base64_lines, chunks_of
from edi_gateway.as2.opened import EncryptedWith, SignedWith
from edi_gateway.as2.receipt import Importance, ReceiptOption, render_options
from edi_gateway.as2.relationship import Relationship
from edi_gateway.as2.settlement import Sent
from edi_gateway.partnership import Compression, MdnMode

SUBJECT: Final = "EDI message"


@dataclass(frozen=True, slots=True, kw_only=True)
class SignedPart:
    """What was signed, and the signature over it: what proves later what we sent, though it left encrypted for the
    partner alone. `body` is None where it is the payload in its transfer encoding (see `signed_chunks`); the
    caller closes it where it is there."""

    head: bytes  # the header block of the part, blank line included
    signature: bytes  # SignedData, DER
    body: BinaryIO | None = None  # at its start; what compression made of the payload


def signed_chunks(head: bytes, body: BinaryIO, *, is_payload: bool) -> Iterator[bytes]:
    """The exact bytes that were signed, from what a `SignedPart` kept and the body (the payload, or what was kept)."""
    yield head
    is_base64 = Headers.parse(head).get("Content-Transfer-Encoding").strip().lower() == "base64"
    yield from base64_lines(chunks_of(body)) if is_payload and is_base64 else chunks_of(body)


@dataclass(frozen=True, slots=True, kw_only=True)
class Sealed:
    """A transmission ready to be posted. The caller closes `body`, and `signed.body` where there is one."""

    headers: tuple[tuple[str, str], ...]  # Content-Length included
    body: BinaryIO  # at its start
    length: int
    digests: Mapping[Digest, bytes]
    mic: Mic
    sent: Sent
    signed_with: SignedWith | None = None
    encrypted_with: EncryptedWith | None = None
    compressed: Compression = Compression.NONE
    signed: SignedPart | None = None


def seal(
    payload: BinaryIO,
    relationship: Relationship,
    *,
    message_id: str,
    now: datetime,
    filename: str,
    spool: Spool,
    async_mdn_url: str | None = None,
    content_type: str = "",
    subject: str = SUBJECT,
    features: frozenset[Feature] = frozenset(),
) -> Sealed:
    """Seal a payload (a seekable stream, read from its start, up to twice) as the partnership's policy says.

    `async_mdn_url` is where we take asynchronous receipts; it has to be given where the policy's mode is async.
    RelationshipFault if there is no valid key or certificate at `now`, or the content is a multipart/related that
    was not agreed (RFC 6362 §3); FieldMalformed for a Message-ID or a header value that cannot be sent.
    """
    check_message_id(message_id)
    content_type = content_type or relationship.policy.content_type
    if is_exchange(content_type):
        if not (relationship.policy.certificate_exchange and relationship.policy.sign):
            raise RelationshipFault(
                "certificates travel in signed messages where it is agreed: certificate_exchange = true, sign = true"
            )
    elif is_related(content_type) and not relationship.policy.attachments:
        raise RelationshipFault("several documents in one transmission are not agreed; attachments = true agrees them")
    headers = _headers(relationship, message_id, now, subject, async_mdn_url, features)
    sealing = _Sealing(relationship, spool, message_id, now)
    try:
        entity, body = sealing.seal(payload, content_type, filename)
        return sealing.sealed(headers, entity, body)
    finally:
        sealing.close()


# --- contents that can be read twice -------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class _Slice:
    """A stream from its start, `size` bytes of it."""

    stream: BinaryIO
    size: int

    def chunks(self) -> Iterator[bytes]:
        self.stream.seek(0)
        left = self.size
        while left and (chunk := self.stream.read(min(CHUNK_BYTES, left))):
            left -= len(chunk)
            yield chunk
        if left:
            raise ValueError(f"the payload ended {left} bytes short of its size; it must not change while it is sealed")


@dataclass(frozen=True, slots=True)
class _Entity:
    """A MIME entity to be written: headers and the pieces of its body."""

    headers: tuple[tuple[str, str], ...]
    body: tuple[bytes | _Slice, ...]

    @property
    def block(self) -> bytes:
        return header_block(self.headers)

    @property
    def body_length(self) -> int:
        return sum(len(piece) if isinstance(piece, bytes) else piece.size for piece in self.body)

    @property
    def length(self) -> int:
        return len(self.block) + self.body_length

    def chunks(self) -> Iterator[bytes]:
        yield self.block
        yield from self.body_chunks()

    def body_chunks(self) -> Iterator[bytes]:
        for piece in self.body:
            if isinstance(piece, bytes):
                yield piece
            else:
                yield from piece.chunks()


class _Sealing:
    """The state of one sealing: the layers put on so far."""

    def __init__(self, relationship: Relationship, spool: Spool, message_id: str, now: datetime) -> None:
        self._relationship = relationship
        self._policy = relationship.policy
        self._spool = spool
        self._message_id = message_id
        self._now = now
        self._scratch: list[BinaryIO] = []
        self._digests: dict[Digest, bytes] = {}
        self._signed_with: SignedWith | None = None
        self._signed_part: SignedPart | None = None
        self._encrypted_with: EncryptedWith | None = None

    def close(self) -> None:
        for scratch in self._scratch:
            scratch.close()

    # --- layers -----------------------------------------------------------------------

    def seal(self, payload: BinaryIO, content_type: str, filename: str) -> tuple[_Entity, BinaryIO]:
        """The outermost entity, and its body alone; digests and what was used are remembered."""
        policy = self._policy
        content = _Slice(payload, payload.seek(0, 2))
        entity = self._payload_entity(content, content_type, filename)
        if not policy.sign:
            is_plain = not policy.encrypt and policy.compression is Compression.NONE
            # RFC 4130 §7.3.1: of a plain message the content alone; else RFC 5402 §4: with its headers.
            self._digests = digests_of(content.chunks() if is_plain else entity.chunks(), TABLE_DIGESTS)
        if policy.compression is Compression.BEFORE_SIGNING:
            entity = self._compressed(entity)
        if policy.sign:
            entity = self._signed(entity)
        if policy.compression is Compression.AFTER_SIGNING:
            entity = self._compressed(entity)
        if policy.encrypt:
            entity = self._encrypted(entity)
        return entity, self._body(entity)

    def _payload_entity(self, content: _Slice, content_type: str, filename: str) -> _Entity:
        """The innermost entity. In base64 where the partnership cannot take binary."""
        return _Entity(payload_headers(content_type, self._encoding, filename), (self._encoded(content),))

    def _compressed(self, entity: _Entity) -> _Entity:
        return self._cms_entity("compressed-data", "smime.p7z", compress(entity.chunks()))

    def _signed(self, entity: _Entity) -> _Entity:
        key, digest = self._relationship.signing_key(self._now), self._relationship.digest
        self._digests = digests_of(entity.chunks(), TABLE_DIGESTS if entity.length <= TABLE_BYTES_MAX else [digest])
        scheme = self._relationship.scheme_for(key)
        signature = sign(self._digests[digest], digest, key, scheme, self._now)
        self._signed_with = SignedWith(digest, scheme, key.certificate.fingerprint, key.certificate.subject)
        self._signed_part = SignedPart(head=entity.block, signature=signature, body=self._kept_of(entity))
        encoded = b"".join(base64_lines([signature])) if self._encoding == "base64" else signature + b"\r\n"
        boundary = boundary_for(self._message_id, "signed")
        mark = boundary.encode()
        closing = b"\r\n--%s\r\n%s%s--%s--\r\n" % (mark, _signature_head(self._encoding), encoded, mark)
        content_type = (
            f'multipart/signed; protocol="application/pkcs7-signature"; micalg={digest.value}; boundary="{boundary}"'
        )
        opening = b"--%s\r\n%s" % (mark, entity.block)
        return _Entity((("Content-Type", content_type),), (opening, *entity.body, closing))

    def _encrypted(self, entity: _Entity) -> _Entity:
        certificates = self._relationship.encryption_certificates_at(self._now)
        cipher, transport = self._relationship.cipher, self._relationship.key_transport
        self._encrypted_with = EncryptedWith(cipher, transport, certificates[0].fingerprint)
        kind = "authEnveloped-data" if cipher.authenticated else "enveloped-data"
        chunks = encrypt(entity.chunks(), certificates, cipher, transport, length=entity.length)
        return self._cms_entity(kind, "smime.p7m", chunks)

    def _cms_entity(self, kind: str, name: str, content: Iterable[bytes]) -> _Entity:
        """An application/pkcs7-mime entity (RFC 8551 §3.2)."""
        headers = (
            ("Content-Type", f"application/pkcs7-mime; smime-type={kind}; name={name}"),
            ("Content-Transfer-Encoding", self._encoding),
            ("Content-Disposition", f"attachment; filename={name}"),
        )
        if self._encoding == "base64":
            content = base64_lines(content)
        return _Entity(headers, (self._stored(content),))

    # --- scratch space -----------------------------------------------------------------

    @property
    def _encoding(self) -> str:
        return self._policy.transfer_encoding

    def _encoded(self, content: _Slice) -> _Slice:
        return self._stored(base64_lines(content.chunks())) if self._encoding == "base64" else content

    def _stored(self, chunks: Iterable[bytes]) -> _Slice:
        scratch = self._spool()
        self._scratch.append(scratch)
        for chunk in chunks:
            scratch.write(chunk)
        return _Slice(scratch, scratch.tell())

    def _kept_of(self, entity: _Entity) -> BinaryIO | None:
        """The signed body where the payload alone does not give it back: another zlib compresses to other bytes. It is
        the scratch space that the next layer reads too, given away when all is sealed."""
        piece = entity.body[0]
        is_compressed = self._policy.compression is Compression.BEFORE_SIGNING
        return piece.stream if is_compressed and isinstance(piece, _Slice) else None

    def _body(self, entity: _Entity) -> BinaryIO:
        """The body in scratch space of its own, which from here on belongs to the caller."""
        piece = entity.body[0]
        is_stored = len(entity.body) == 1 and isinstance(piece, _Slice) and piece.stream in self._scratch
        body = piece.stream if is_stored and isinstance(piece, _Slice) else self._stored(entity.body_chunks()).stream
        self._scratch.remove(body)
        body.seek(0)
        return body

    # --- what came of it ---------------------------------------------------------------

    def _released(self) -> SignedPart | None:
        """What was signed, for the caller, who closes it from here on."""
        signed = self._signed_part
        if signed is not None and signed.body is not None:
            self._scratch.remove(signed.body)
            signed.body.seek(0)
        return signed

    def sealed(self, headers: tuple[tuple[str, str], ...], entity: _Entity, body: BinaryIO) -> Sealed:
        length, digest = entity.body_length, self._relationship.digest
        return Sealed(
            headers=(*headers, *entity.headers, ("Content-Length", str(length))),
            body=body,
            length=length,
            digests=self._digests,
            mic=Mic(self._digests[digest], digest, digest.value),
            sent=Sent(
                message_id=self._message_id,
                as2_from=self._policy.our_id,
                as2_to=self._policy.their_id,
                digests=self._digests,
                receipt_signed=self._policy.mdn_signed,
                mic_required=self._policy.mdn_mic_required,
            ),
            signed_with=self._signed_with,
            encrypted_with=self._encrypted_with,
            compressed=self._policy.compression,
            signed=self._released(),
        )


def payload_headers(content_type: str, encoding: str, filename: str) -> tuple[tuple[str, str], ...]:
    """The headers of the innermost entity, around the payload itself."""
    headers = [("Content-Type", _header_value(content_type)), ("Content-Transfer-Encoding", encoding)]
    if name := safe_filename(filename):
        headers.append(("Content-Disposition", f"attachment; {render_filename(name)}"))
    return tuple(headers)


def header_block(headers: Iterable[tuple[str, str]]) -> bytes:
    """The headers of an entity as they are written, blank line included."""
    return "".join(f"{name}: {value}\r\n" for name, value in headers).encode("ascii") + b"\r\n"


def _signature_head(encoding: str) -> bytes:
    return (
        f"Content-Type: application/pkcs7-signature; name=smime.p7s\r\nContent-Transfer-Encoding: {encoding}\r\n"
        f"Content-Disposition: attachment; filename=smime.p7s\r\n\r\n"
    ).encode("ascii")


# --- HTTP headers ---------------------------------------------------------------------------------------------------


def _headers(
    relationship: Relationship,
    message_id: str,
    now: datetime,
    subject: str,
    async_mdn_url: str | None,
    features: frozenset[Feature],
) -> tuple[tuple[str, str], ...]:
    """The headers of the request; those of the entity follow. None is ever folded (draft §5.3)."""
    policy = relationship.policy
    headers = [
        ("AS2-Version", policy.version),
        ("AS2-From", render_as2_name(policy.our_id)),
        ("AS2-To", render_as2_name(policy.their_id)),
        ("Message-ID", message_id),
        ("Date", format_datetime(now)),
        ("Subject", subject),
        ("MIME-Version", "1.0"),
    ]
    if policy.version >= "1.3":
        headers.append(("AS2-Product", PRODUCT))
    if policy.attachments:
        features |= {Feature.MULTIPLE_ATTACHMENTS}
    if policy.certificate_exchange:
        features |= {Feature.CEM}
    if features:
        headers.append(("EDIINT-Features", ", ".join(sorted(features))))
    headers += _receipt_headers(relationship, message_id, async_mdn_url)
    return tuple((name, _header_value(value)) for name, value in headers)


def _receipt_headers(relationship: Relationship, message_id: str, async_mdn_url: str | None) -> list[tuple[str, str]]:
    """What we ask for by way of a receipt: exactly one algorithm, that of our signature, so that partners who take
    it for the MIC and partners who take it for their signature come to the same."""
    policy = relationship.policy
    if policy.mdn_mode is MdnMode.NONE:
        return []
    headers = [("Disposition-Notification-To", f"mdn@{message_id.strip('<>').rpartition('@')[2]}")]
    if policy.mdn_signed:
        options = (
            ReceiptOption("signed-receipt-protocol", Importance.OPTIONAL, ("pkcs7-signature",)),
            ReceiptOption("signed-receipt-micalg", Importance.OPTIONAL, (relationship.digest.value,)),
        )
        headers.append(("Disposition-Notification-Options", render_options(options)))
    if policy.mdn_mode is MdnMode.ASYNC:
        if not async_mdn_url:
            raise FieldMalformed("an asynchronous receipt needs the address to which it is to be posted")
        headers.append(("Receipt-Delivery-Option", async_mdn_url))
    return headers


def _header_value(value: str) -> str:
    """The value, which must stay one line of printable ASCII on the wire."""
    if has_control_character(value) or not value.isascii():
        raise FieldMalformed(f"not a header value that can be sent: {value[:100]!r}")
    return value
