"""What arrived, opened: decrypted, inflated, verified, and judged against what was agreed (RFC 4130, RFC 5402).

Layers are taken off one by one, each at most once and in an order that the standards know. Everything streams:
the signed bytes are digested on their way to scratch space, and what is compressed inside of a signature is
inflated only after the signature was verified.

Rules for this file:
1. Only bytes that a verified signature covers are handed on as signed. A report is read from them alone.
2. What fails inside of an encryption that nothing authenticates is answered with `decryption-failed`, whatever it
   was, and only after the whole ciphertext was read: a partner (or whoever plays one) learns nothing about the
   plaintext from the answer. The diagnosis for the operator tells the truth.
3. An unencrypted message where encryption is demanded is refused before anything is inflated or stored.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Mapping
from dataclasses import replace
from datetime import datetime
from enum import StrEnum
from typing import BinaryIO

from edi_gateway.as2.algorithms import Digest
from edi_gateway.as2.cms import (
    AlgorithmRefused,
    CmsError,
    ContentType,
    DecompressionFailed,
    DecryptionFailed,
    Malformed,
    SignatureRefusal,
    SignatureRefused,
    SignedData,
    VerifiedSigner,
    content_type_of,
    inflate,
    open_enveloped,
    open_signed,
    read_signed_data,
    verify,
)
from edi_gateway.as2.disposition import (
    AUTHENTICATION_FAILED,
    DECOMPRESSION_FAILED,
    DECRYPTION_FAILED,
    INSUFFICIENT_MESSAGE_SECURITY,
    INTEGRITY_CHECK_FAILED,
    UNEXPECTED_PROCESSING_ERROR,
    UNSUPPORTED_FORMAT,
    Disposition,
)
from edi_gateway.as2.errors import As2Refusal, MimeMalformed, PartnerError
from edi_gateway.as2.fields import FieldMalformed, parse_as2_name, received_filename, safe_filename
from edi_gateway.as2.headers import Headers, Request, is_report
from edi_gateway.as2.mic import DigestTable, Mic, digests_of
from edi_gateway.as2.mime import (
    Entity,
    Multipart,
    Spool,
    Window,
    canonical_line_ends,
    chunks_of,
    collected,
    decoded,
    exhausted,
    looks_like_base64,
    multipart_boundary,
    read_entity,
)
from edi_gateway.as2.opened import EncryptedWith, Opened, OpenedReport, Outcome, Refused, SignedWith, Trust
from edi_gateway.as2.receipt import ReceiptRequest
from edi_gateway.as2.relationship import Relationship
from edi_gateway.as2.report import REPORT_BYTES_MAX, Report, parse_report
from edi_gateway.partnership import Compression

SIGNATURE_BYTES_MAX = 1024 * 1024
PREFIX_BYTES = 64
EPILOGUE_BYTES_MAX = 64 * 1024


def open_transmission(
    request: Request, headers: Headers, body: BinaryIO, relationship: Relationship, spool: Spool, now: datetime
) -> Outcome:
    """Open what a partner posted: a message, or an asynchronous MDN.

    `body` is read from where it stands. Never raises for what the partner sent.
    """
    opening = _Opening(relationship, spool, now, request.receipt)
    try:
        if request.receipt is not None:
            _check_receipt(request.receipt, relationship)
        return opening.open(_outermost(headers, body), request.as2_from, request.as2_to, request.message_id)
    except (PartnerError, CmsError, FieldMalformed) as error:
        return opening.refused(error)
    finally:
        opening.close()


def open_report(
    headers: Headers, body: BinaryIO, relationship: Relationship, spool: Spool, now: datetime
) -> OpenedReport | Refused:
    """Open the synchronous MDN that stands in the response to a transmission of ours."""
    opening = _Opening(relationship, spool, now, None)
    try:
        names = [_name(headers, header) for header in ("AS2-From", "AS2-To")]
        outcome = opening.open(_outermost(headers, body), names[0], names[1], headers.get("Message-ID"))
    except (PartnerError, CmsError, FieldMalformed) as error:
        return replace(opening.refused(error), is_report=True)
    finally:
        opening.close()
    if isinstance(outcome, Opened):
        outcome.payload.close()
        text = f"The response is no MDN but {outcome.content_type[:80]!r}."
        return Refused(disposition=UNEXPECTED_PROCESSING_ERROR, explanation=text, diagnosis=text, is_report=True)
    return outcome


def _outermost(headers: Headers, body: BinaryIO) -> Entity:
    return Entity(headers, b"", Window(chunks_of(body)))


def _name(headers: Headers, header: str) -> str:
    value = headers.one(header)
    return parse_as2_name(value) if value else ""


def _check_receipt(receipt: ReceiptRequest, relationship: Relationship) -> None:
    """A receipt that we cannot give is said at once, before the message counts as received (RFC 4130 §7.5.3)."""
    if refusal := receipt.refusal(relationship.accepted_digests):
        raise As2Refusal(refusal.disposition, refusal.explanation)
    if receipt.is_asynchronous and not relationship.allows_delivery_to(receipt.delivery_url or ""):
        raise As2Refusal(
            UNSUPPORTED_FORMAT,
            "Asynchronous receipts are delivered to the agreed address only.",
            f"Receipt-Delivery-Option names {(receipt.delivery_url or '')[:200]!r}, which is not where mdn_url of this "
            "partnership points; set mdn_url if the partner moved",
        )


# --- the layers --------------------------------------------------------------------------------------------------


class Layer(StrEnum):
    """One wrapping of a MIME entity."""

    ENCRYPTED = "encrypted"
    COMPRESSED = "compressed"
    SIGNED = "signed"
    CONTENT = "content"


# RFC 5402 §3: compression once, before or after signing, never outside of encryption. RFC 4130 §2.4.2 knows no
# encryption inside of a signature.
_NEXT: Mapping[tuple[Layer, ...], frozenset[Layer]] = {
    (): frozenset({Layer.ENCRYPTED, Layer.COMPRESSED, Layer.SIGNED}),
    (Layer.ENCRYPTED,): frozenset({Layer.COMPRESSED, Layer.SIGNED}),
    (Layer.COMPRESSED,): frozenset({Layer.SIGNED}),
    (Layer.SIGNED,): frozenset({Layer.COMPRESSED}),
    (Layer.ENCRYPTED, Layer.COMPRESSED): frozenset({Layer.SIGNED}),
    (Layer.ENCRYPTED, Layer.SIGNED): frozenset({Layer.COMPRESSED}),
}

_PKCS7_MIME = frozenset({"application/pkcs7-mime", "application/x-pkcs7-mime"})

# The object identifier decides; `smime-type` may be missing or wrong (RFC 8551 §3.2.2 calls it a hint).
_LAYER_OF = {
    ContentType.ENVELOPED: Layer.ENCRYPTED,
    ContentType.AUTH_ENVELOPED: Layer.ENCRYPTED,
    ContentType.COMPRESSED: Layer.COMPRESSED,
    ContentType.SIGNED: Layer.SIGNED,
}

_MALFORMED_IN = {
    Layer.ENCRYPTED: DECRYPTION_FAILED,
    Layer.COMPRESSED: DECOMPRESSION_FAILED,
    Layer.SIGNED: AUTHENTICATION_FAILED,
    Layer.CONTENT: UNEXPECTED_PROCESSING_ERROR,
}

_REFUSED_SIGNATURE = {
    SignatureRefusal.CONTENT_CHANGED: INTEGRITY_CHECK_FAILED,
    SignatureRefusal.WEAK_DIGEST: INSUFFICIENT_MESSAGE_SECURITY,
    SignatureRefusal.WEAK_KEY: INSUFFICIENT_MESSAGE_SECURITY,
}


class _SignedBytes:
    """What a signature covers: the header block, and the body in scratch space."""

    def __init__(self, block: bytes, body: BinaryIO, known: Mapping[Digest, bytes]) -> None:
        self._block = block
        self._body = body
        self._known = dict(known)
        self._line_ends: Callable[[Iterator[bytes]], Iterator[bytes]] = iter

    def digest(self, digest: Digest) -> bytes:
        if digest not in self._known:
            self._known |= digests_of(self._line_ends(self._chunks()), [digest])
        return self._known[digest]

    def canonical(self) -> _SignedBytes:
        """The same with bare LF as CRLF."""
        other = _SignedBytes(self._block, self._body, {})
        other._line_ends = canonical_line_ends
        return other

    @property
    def known(self) -> Mapping[Digest, bytes]:
        return self._known

    def _chunks(self) -> Iterator[bytes]:
        yield self._block
        self._body.seek(0)
        yield from chunks_of(self._body)


class _Opening:
    """The state of one opening: which layers came off, and what was seen on the way."""

    def __init__(self, relationship: Relationship, spool: Spool, now: datetime, receipt: ReceiptRequest | None) -> None:
        self._relationship = relationship
        self._policy = relationship.policy
        self._spool = spool
        self._now = now
        self._receipt = receipt
        self._layers: tuple[Layer, ...] = ()
        self._scratch: list[BinaryIO] = []
        self._plaintext: Iterator[bytes] | None = None
        self._encrypted_with: EncryptedWith | None = None
        self._signed_with: SignedWith | None = None
        self._signed_bytes: _SignedBytes | None = None
        self._stored: BinaryIO | None = None  # the body of the entity at hand, where it is in scratch space as it is
        self._is_report = False
        self._broken: str | None = None  # why the signature of a report does not hold
        self._notes: list[str] = []

    # --- the walk --------------------------------------------------------------------------------

    def open(self, entity: Entity, as2_from: str, as2_to: str, message_id: str) -> Opened | OpenedReport:
        """Take the layers off, and make a value of what is inside."""
        entity = self._peeled(entity)
        if is_report(entity.headers.get("Content-Type")):
            self._is_report = True
            entity = Entity(entity.headers, entity.block, Window([self._small(entity)]))
            report = parse_report(entity, as2_from=as2_from, as2_to=as2_to, message_id=message_id)
            return self._opened_report(report)
        self._demand_encryption()
        self._demand_signature(entity)
        return self._opened(entity)

    def close(self) -> None:
        for scratch in self._scratch:
            scratch.close()

    def _peeled(self, entity: Entity) -> Entity:
        while True:
            layer, content = self._layer_of(entity)
            if layer is Layer.CONTENT:
                return entity
            if layer not in _NEXT.get(self._layers, frozenset()):
                raise MimeMalformed(
                    f"{layer.value} inside of {' and '.join(self._layers)}: RFC 5402 §3 has no such order"
                )
            self._layers += (layer,)
            self._stored = None
            entity = self._without(layer, entity, content)

    def _without(self, layer: Layer, entity: Entity, content: Window | None) -> Entity:
        if content is None:
            return self._without_signature(entity)
        if layer is Layer.ENCRYPTED:
            return self._decrypted(content)
        if layer is Layer.COMPRESSED:
            return self._inflated(content)
        return self._without_opaque_signature(content)

    def _layer_of(self, entity: Entity) -> tuple[Layer, Window | None]:
        """The outermost layer, and for a CMS structure its bytes."""
        main = entity.content_type.main
        if main == "multipart/signed":
            return Layer.SIGNED, None
        if main not in _PKCS7_MIME:
            return Layer.CONTENT, None
        content = self._cms_bytes(entity)
        found = content_type_of(content.peek(PREFIX_BYTES))
        layer = _LAYER_OF.get(found) if found else None
        if layer is None:
            announced = entity.content_type.get("smime-type") or "no smime-type"
            raise MimeMalformed(f"{main} ({announced}) that holds no CMS structure of AS2")
        return layer, content

    def _cms_bytes(self, entity: Entity) -> Window:
        """The CMS bytes, also where base64 is not declared, or declared for what is binary."""
        encoding = entity.transfer_encoding
        in_base64 = looks_like_base64(entity.body.peek(PREFIX_BYTES)[:PREFIX_BYTES])
        if in_base64 and encoding in ("", "7bit", "8bit", "binary"):
            self._notes.append("base64 without Content-Transfer-Encoding: base64")
            encoding = "base64"
        elif encoding == "base64" and not in_base64:
            self._notes.append("Content-Transfer-Encoding: base64 on binary content")
            encoding = "binary"
        return Window(decoded(entity.body.chunks(), encoding))

    # --- encryption and compression --------------------------------------------------------------

    def _decrypted(self, content: Window) -> Entity:
        keys = self._relationship.decryption_keys()
        opened = open_enveloped(content.chunks(), keys, self._relationship.accepted_ciphers)
        self._encrypted_with = EncryptedWith(opened.cipher, opened.key_transport, opened.key.certificate.fingerprint)
        self._plaintext = iter(opened.chunks)
        return _with_honest_headers(read_entity(self._plaintext))

    def _inflated(self, content: Window) -> Entity:
        self._demand_encryption()
        plain = inflate(content.chunks(), self._policy.payload_bytes_max, self._policy.inflate_ratio_max)
        return read_entity(plain)

    # --- signatures ------------------------------------------------------------------------------

    def _without_signature(self, entity: Entity) -> Entity:
        """Verify a multipart/signed and go on with its first part (RFC 1847 §2.1)."""
        multipart = Multipart(entity.decoded(), multipart_boundary(entity.content_type))
        parts = multipart.parts()
        # A hint of which digest to take on the way; which one it is, only the signature says.
        table = DigestTable([Digest.parse(entity.content_type.get("micalg")) or Digest.SHA256])
        first = read_entity(table.passing(_next_part(parts)))
        self._is_report = is_report(first.headers.get("Content-Type"))
        self._demand_encryption()
        stored = self._store(first.body.chunks())
        signature = self._cms_bytes(read_entity(_next_part(parts)))
        der = collected(signature.chunks(), SIGNATURE_BYTES_MAX, "the signature")
        if next(parts, None) is not None:
            raise MimeMalformed("a multipart/signed of more than two parts (RFC 1847 §2.1)")
        self._check_epilogue(multipart.epilogue())
        self._verify(read_signed_data(der), _SignedBytes(first.block, stored, table.values()))
        stored.seek(0)
        self._stored = stored
        return Entity(first.headers, first.block, Window(chunks_of(stored)))

    def _without_opaque_signature(self, content: Window) -> Entity:
        """Verify a signed-data with its content inside and go on with that (RFC 8551 §3.5.2)."""
        opaque = open_signed(content.chunks())
        entity = read_entity(opaque.chunks)
        self._is_report = is_report(entity.headers.get("Content-Type"))
        self._demand_encryption()
        stored = self._store(entity.body.chunks())
        self._finish_plaintext()
        self._verify(opaque.signed, _SignedBytes(entity.block, stored, {}))
        stored.seek(0)
        self._stored = stored
        return Entity(entity.headers, entity.block, Window(chunks_of(stored)))

    def _check_epilogue(self, epilogue: Iterator[bytes]) -> None:
        """Read to the end, which checks the padding or tag of an encryption around it.

        Inside of an encryption the text after the last delimiter has to be text: it is the one place where
        altered blocks would pass unnoticed, and whether their padding is right would be told by the answer.
        """
        size = 0
        for chunk in epilogue:
            size += len(chunk)
            if self._encrypted_with and (size > EPILOGUE_BYTES_MAX or not _is_text(chunk)):
                raise MimeMalformed("bytes that are no text after the end of a multipart inside of an encryption")
        self._finish_plaintext()

    def _finish_plaintext(self) -> None:
        if self._plaintext is not None and (left := exhausted(self._plaintext)):
            raise MimeMalformed(f"{left} bytes after the end of what was encrypted")

    def _verify(self, signed: SignedData, content: _SignedBytes) -> None:
        try:
            signers, content = self._verified(signed, content)
            self._check_dates(signers)
        except (SignatureRefused, As2Refusal) as error:
            if not self._is_report:
                raise
            self._broken = self.refused(error).diagnosis
            return
        self._signed_bytes = content
        self._signed_with = _signed_with(signers[0])

    def _verified(self, signed: SignedData, content: _SignedBytes) -> tuple[tuple[VerifiedSigner, ...], _SignedBytes]:
        certificates = self._relationship.verifying_certificates()
        accepted = self._relationship.accepted_digests
        try:
            return verify(signed, content.digest, certificates, accepted), content
        except SignatureRefused as error:
            if error.reason is not SignatureRefusal.CONTENT_CHANGED:
                raise
            refusal = error
        canonical = content.canonical()
        try:
            signers = verify(signed, canonical.digest, certificates, accepted)
        except SignatureRefused:
            raise refusal from None
        if not self._policy.accept_canonicalised:
            raise As2Refusal(
                INTEGRITY_CHECK_FAILED,
                refusal.public,
                "the digest agrees after LF to CRLF: the partner signs canonical text but sends bare LF; "
                "accept_canonicalised would accept it",
            )
        self._notes.append("the signature covers the content with bare LF as CRLF")
        return signers, canonical

    def _check_dates(self, signers: tuple[VerifiedSigner, ...]) -> None:
        for certificate in (signer.certificate for signer in signers):
            if certificate.valid_at(self._now):
                continue
            span = f"{certificate.not_before:%Y-%m-%d} to {certificate.not_after:%Y-%m-%d}"
            text = f"signed with the certificate {certificate.subject} ({certificate.fingerprint}), valid {span}"
            if not self._policy.accept_expired_certificates:
                raise As2Refusal(
                    AUTHENTICATION_FAILED,
                    "The signature was made with a certificate that is not valid at this date.",
                    f"{text}; accept_expired_certificates would accept it",
                )
            self._notes.append(text)

    # --- policy ----------------------------------------------------------------------------------

    def _demand_encryption(self) -> None:
        """What was agreed for messages. A report is judged when it is settled."""
        if self._is_report:
            return
        if self._policy.require_encryption and self._encrypted_with is None:
            raise As2Refusal(
                INSUFFICIENT_MESSAGE_SECURITY,
                "The message is not encrypted, which this partnership demands.",
                "not encrypted; require_encryption = false would accept it",
            )

    def _demand_signature(self, entity: Entity) -> None:
        """Said as soon as the headers of the content are known, so that the answer does not depend on what follows
        them; and only of headers that a partner would write, so that it tells nothing about altered ones (rule 2)."""
        if not self._policy.require_signature or self._signed_with is not None:
            return
        main = entity.content_type.main
        is_known = "Content-Type" in entity.headers and main in {*_CONTENT_TYPES, self._policy.content_type.lower()}
        if self._encrypted_with is not None and not is_known:
            raise MimeMalformed(f"content of the type {main[:80]!r}, without signature, inside of the encryption")
        raise As2Refusal(
            INSUFFICIENT_MESSAGE_SECURITY,
            "The message is not signed, which this partnership demands.",
            "not signed; require_signature = false would accept it",
        )

    # --- what comes out --------------------------------------------------------------------------

    def _opened(self, entity: Entity) -> Opened:
        table = DigestTable([self._unsigned_digest()] if self._signed_with is None else [])
        if self._layers:
            # The MIC is over the entity with its headers and in its encoding (RFC 5402 §4.2, §4.3).
            table.update(entity.block)
            content = decoded(table.passing(entity.body.chunks()), entity.transfer_encoding)
        else:
            # Of a plain message only the content counts (RFC 4130 §7.3.1).
            content = table.passing(entity.decoded())
        payload, size = self._payload(entity, content)
        self._finish_plaintext()
        name = self._filename(entity)
        digests = self._signed_bytes.known if self._signed_bytes else table.values()
        return Opened(
            payload=payload,
            size=size,
            content_type=entity.headers.get("Content-Type") or "application/octet-stream",
            filename=safe_filename(name),
            filename_received=name,
            mic=self._mic(digests),
            digests=dict(digests),
            signed_with=self._signed_with,
            encrypted_with=self._encrypted_with,
            compressed=self._compression(),
            notes=tuple(self._notes),
        )

    def _opened_report(self, report: Report) -> OpenedReport:
        self._finish_plaintext()
        trust = Trust.BROKEN if self._broken else Trust.SIGNED if self._signed_with else Trust.UNSIGNED
        return OpenedReport(
            report=report,
            trust=trust,
            signer=self._signed_with,
            diagnosis=self._broken or "",
            notes=tuple(self._notes),
        )

    def _small(self, entity: Entity) -> bytes:
        return collected(entity.body.chunks(), REPORT_BYTES_MAX, "the MDN")

    def _payload(self, entity: Entity, content: Iterator[bytes]) -> tuple[BinaryIO, int]:
        if self._stored is not None and entity.transfer_encoding in ("", "7bit", "8bit", "binary"):
            payload = self._stored
            size = payload.seek(0, 2)
        else:
            payload = self._store(content)
            size = payload.tell()
        self._scratch.remove(payload)
        payload.seek(0)
        return payload, size

    def _store(self, chunks: Iterator[bytes]) -> BinaryIO:
        """Write to scratch space; what passes the bound of the partnership is refused."""
        scratch = self._spool()
        self._scratch.append(scratch)
        size = 0
        for chunk in chunks:
            size += len(chunk)
            if size > self._policy.payload_bytes_max:
                raise As2Refusal(
                    UNEXPECTED_PROCESSING_ERROR,
                    f"The content is larger than the agreed {self._policy.payload_bytes_max} bytes.",
                    f"larger than payload_bytes_max = {self._policy.payload_bytes_max}",
                )
            scratch.write(chunk)
        return scratch

    def _unsigned_digest(self) -> Digest:
        requested = self._receipt.digest(self._relationship.accepted_digests) if self._receipt else None
        return requested or self._relationship.digest

    def _mic(self, digests: Mapping[Digest, bytes]) -> Mic:
        """The MIC under the message's digest, or the one asked for (RFC 4130 §7.4.3), in the partner's spelling."""
        digest = self._signed_with.digest if self._signed_with else self._unsigned_digest()
        if self._policy.mic_by_request:
            digest = self._unsigned_digest()
        value = self._signed_bytes.digest(digest) if self._signed_bytes else digests[digest]
        spelling = self._receipt.spelling_of(digest) if self._receipt else ""
        return Mic(value, digest, spelling or digest.value)

    def _compression(self) -> Compression:
        if Layer.COMPRESSED not in self._layers:
            return Compression.NONE
        signed, compressed = (
            self._layers.index(x) if x in self._layers else -1 for x in (Layer.SIGNED, Layer.COMPRESSED)
        )
        return Compression.BEFORE_SIGNING if signed < compressed else Compression.AFTER_SIGNING

    def _filename(self, entity: Entity) -> str:
        return received_filename(entity.headers.get("Content-Disposition"), entity.headers.get("Content-Type"))

    # --- refusals --------------------------------------------------------------------------------

    def refused(self, error: Exception) -> Refused:
        """The one place where an error becomes a disposition."""
        disposition, explanation, diagnosis = self._judged(error)
        return Refused(
            disposition=disposition,
            explanation=explanation,
            diagnosis=diagnosis,
            is_report=self._is_report,
            signed_with=self._signed_with,
            encrypted_with=self._encrypted_with,
            notes=tuple(self._notes),
        )

    def _judged(self, error: Exception) -> tuple[Disposition, str, str]:
        if isinstance(error, As2Refusal):
            return error.disposition, error.explanation, error.diagnosis
        if isinstance(error, SignatureRefused):
            return _REFUSED_SIGNATURE.get(error.reason, AUTHENTICATION_FAILED), error.public, error.diagnosis
        diagnosis = error.diagnosis if isinstance(error, CmsError) else str(error)
        if isinstance(error, DecryptionFailed) or self._must_not_tell():
            return DECRYPTION_FAILED, DecryptionFailed.public, diagnosis
        if isinstance(error, AlgorithmRefused):
            return INSUFFICIENT_MESSAGE_SECURITY, error.public, error.diagnosis
        if isinstance(error, DecompressionFailed):
            return DECOMPRESSION_FAILED, error.public, diagnosis
        if isinstance(error, Malformed):
            return _MALFORMED_IN[self._layers[-1] if self._layers else Layer.CONTENT], error.public, diagnosis
        return UNEXPECTED_PROCESSING_ERROR, f"The message cannot be read: {diagnosis}.", diagnosis

    def _must_not_tell(self) -> bool:
        """Whether the plaintext is not authenticated, so that nothing about it may be said (rule 2)."""
        if self._encrypted_with is None or self._plaintext is None or self._signed_with is not None:
            return False
        try:
            exhausted(self._plaintext)
        except CmsError:
            return True
        return not self._encrypted_with.cipher.authenticated


def _next_part(parts: Iterator[Iterator[bytes]]) -> Iterator[bytes]:
    part = next(parts, None)
    if part is None:
        raise MimeMalformed("a multipart/signed of less than two parts (RFC 1847 §2.1)")
    return part


def _signed_with(signer: VerifiedSigner) -> SignedWith:
    return SignedWith(signer.digest, signer.scheme, signer.certificate.fingerprint, signer.certificate.subject)


def _is_text(data: bytes) -> bool:
    return all(byte in b"\t\r\n" or 0x20 <= byte < 0x7F for byte in data)


# RFC 4130 §1.3, RFC 6362: what a partner may have meant to send, and forgot to sign.
_CONTENT_TYPES = frozenset(
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


def _with_honest_headers(entity: Entity) -> Entity:
    """Refuse header lines that no program writes: what a wrong key or an altered block leaves (rule 2)."""
    try:
        lines = entity.block.decode("utf-8").replace("\r\n", "\n").split("\n")
    except UnicodeDecodeError:
        raise MimeMalformed("headers that are no text inside of the encryption") from None
    if not all(_HEADER_LINE.fullmatch(line) for line in lines if line):
        raise MimeMalformed("lines that are no headers inside of the encryption")
    return entity
