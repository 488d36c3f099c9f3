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

import contextlib
from collections.abc import Iterator, Mapping
from dataclasses import replace
from datetime import datetime
from typing import BinaryIO

from edi_gateway.as2.algorithms import Digest
from edi_gateway.as2.cms import (
    AlgorithmRefused,
    CmsError,
    DecompressionFailed,
    DecryptionFailed,
    Malformed,
    SignatureRefusal,
    SignatureRefused,
    SignedData,
    inflate,
    open_enveloped,
    open_signed,
    read_signed_data,
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
from edi_gateway.as2.layers import (
    CONTENT_TYPES,
    ORDER,
    Layer,
    cms_bytes,
    is_text,
    is_wrapping,
    layer_of,
    with_honest_headers,
)
from edi_gateway.as2.mic import DigestTable, Mic
from edi_gateway.as2.mime import (
    IDENTITY_ENCODINGS,
    Entity,
    Multipart,
    Spool,
    Window,
    chunks_of,
    collected,
    decoded,
    exhausted,
    multipart_boundary,
    read_entity,
)
from edi_gateway.as2.opened import EncryptedWith, Opened, OpenedReport, Outcome, Refused, SignedWith, Trust
from edi_gateway.as2.receipt import ReceiptRequest
from edi_gateway.as2.relationship import Relationship
from edi_gateway.as2.report import REPORT_BYTES_MAX, Report, parse_report
from edi_gateway.as2.verification import SignedContent, verify_content
from edi_gateway.partnership import Compression

SIGNATURE_BYTES_MAX = 1024 * 1024
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
        entity = _outermost(headers, body)
        media_type = entity.content_type.main
        if not (is_wrapping(media_type) or is_report(headers.get("Content-Type"))):
            return _no_mdn(media_type)  # a proxy's page, an empty answer: not a message that lacks security
        names = [_name(headers, header) for header in ("AS2-From", "AS2-To")]
        outcome = opening.open(entity, names[0], names[1], headers.get("Message-ID"))
    except (PartnerError, CmsError, FieldMalformed) as error:
        return replace(opening.refused(error), is_report=True)
    finally:
        opening.close()
    if isinstance(outcome, Opened):
        outcome.payload.close()
        return _no_mdn(outcome.content_type)
    return outcome


def _no_mdn(media_type: str) -> Refused:
    text = f"The response is no MDN but {media_type[:80]!r}."
    return Refused(disposition=UNEXPECTED_PROCESSING_ERROR, explanation=text, diagnosis=text, is_report=True)


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


_MALFORMED_IN = {
    Layer.COMPRESSED: DECOMPRESSION_FAILED,
    Layer.SIGNED: AUTHENTICATION_FAILED,
    Layer.CONTENT: UNEXPECTED_PROCESSING_ERROR,
}

_REFUSED_SIGNATURE = {
    SignatureRefusal.CONTENT_CHANGED: INTEGRITY_CHECK_FAILED,
    SignatureRefusal.WEAK_DIGEST: INSUFFICIENT_MESSAGE_SECURITY,
    SignatureRefusal.WEAK_KEY: INSUFFICIENT_MESSAGE_SECURITY,
}


class _Plaintext:
    """What an encryption gives. Only after its end was reached without an error was its padding or tag checked."""

    def __init__(self, chunks: Iterator[bytes]) -> None:
        self.is_complete = False
        self._chunks = self._passing(chunks)

    def _passing(self, chunks: Iterator[bytes]) -> Iterator[bytes]:
        yield from chunks
        self.is_complete = True

    def __iter__(self) -> Iterator[bytes]:
        return self._chunks


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
        self._plaintext: _Plaintext | None = None
        self._encrypted_with: EncryptedWith | None = None
        self._signed_with: SignedWith | None = None
        self._signed_content: SignedContent | None = None
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

    def _note(self, note: str) -> None:
        if note:
            self._notes.append(note)

    def close(self) -> None:
        for scratch in self._scratch:
            scratch.close()

    def _peeled(self, entity: Entity) -> Entity:
        while True:
            layer, content, note = layer_of(entity)
            self._note(note)
            if layer is Layer.CONTENT:
                return entity
            if layer not in ORDER.get(self._layers, frozenset()):
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

    # --- encryption and compression --------------------------------------------------------------

    def _decrypted(self, content: Window) -> Entity:
        keys = self._relationship.decryption_keys()
        opened = open_enveloped(content.chunks(), keys, self._relationship.accepted_ciphers)
        self._encrypted_with = EncryptedWith(opened.cipher, opened.key_transport, opened.key.certificate.fingerprint)
        self._plaintext = _Plaintext(opened.chunks)
        return with_honest_headers(read_entity(self._plaintext))

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
        signature, note = cms_bytes(read_entity(_next_part(parts)))
        self._note(note)
        der = collected(signature.chunks(), SIGNATURE_BYTES_MAX, "the signature")
        if next(parts, None) is not None:
            raise MimeMalformed("a multipart/signed of more than two parts (RFC 1847 §2.1)")
        self._check_epilogue(multipart.epilogue())
        self._verify(read_signed_data(der), SignedContent(first.block, stored, table.values()))
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
        self._verify(opaque.signed, SignedContent(entity.block, stored, {}))
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
            if self._encrypted_with and (size > EPILOGUE_BYTES_MAX or not is_text(chunk)):
                raise MimeMalformed("bytes that are no text after the end of a multipart inside of an encryption")
        self._finish_plaintext()

    def _finish_plaintext(self) -> None:
        if self._plaintext is not None and (left := exhausted(self._plaintext)):
            raise MimeMalformed(f"{left} bytes after the end of what was encrypted")

    def _verify(self, signed: SignedData, content: SignedContent) -> None:
        try:
            verified = verify_content(signed, content, self._relationship, self._now)
        except (SignatureRefused, As2Refusal) as error:
            if not self._is_report:
                raise
            self._broken = self.refused(error).diagnosis
            return
        self._notes += verified.notes
        self._signed_content = verified.content
        self._signed_with = verified.signed_with

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
        is_known = "Content-Type" in entity.headers and main in {*CONTENT_TYPES, self._policy.content_type.lower()}
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
        digests = self._signed_content.known if self._signed_content else table.values()
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
        if self._stored is not None and entity.transfer_encoding in IDENTITY_ENCODINGS:
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
        value = self._signed_content.digest(digest) if self._signed_content else digests[digest]
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
            cause=error.with_traceback(None),
        )

    def _judged(self, error: Exception) -> tuple[Disposition, str, str]:
        if isinstance(error, As2Refusal):
            return error.disposition, error.explanation, error.diagnosis
        if isinstance(error, SignatureRefused):
            return _REFUSED_SIGNATURE.get(error.reason, AUTHENTICATION_FAILED), error.public, error.diagnosis
        diagnosis = error.diagnosis if isinstance(error, CmsError) else str(error)
        layer = self._layers[-1] if self._layers else Layer.CONTENT
        is_broken_envelope = isinstance(error, Malformed) and layer is Layer.ENCRYPTED
        if isinstance(error, DecryptionFailed) or is_broken_envelope or self._must_not_tell():
            return DECRYPTION_FAILED, DecryptionFailed.public, diagnosis
        if isinstance(error, AlgorithmRefused):
            return INSUFFICIENT_MESSAGE_SECURITY, error.public, error.diagnosis
        if isinstance(error, DecompressionFailed):
            return DECOMPRESSION_FAILED, error.public, diagnosis
        if isinstance(error, Malformed):
            return _MALFORMED_IN[layer], error.public, diagnosis
        return UNEXPECTED_PROCESSING_ERROR, f"The message cannot be read: {diagnosis}.", diagnosis

    def _must_not_tell(self) -> bool:
        """Whether the plaintext is not authenticated, so that nothing about it may be said (rule 2)."""
        if self._encrypted_with is None or self._plaintext is None or self._signed_with is not None:
            return False
        with contextlib.suppress(CmsError):
            exhausted(self._plaintext)
        return not (self._plaintext.is_complete and self._encrypted_with.cipher.authenticated)


def _next_part(parts: Iterator[Iterator[bytes]]) -> Iterator[bytes]:
    part = next(parts, None)
    if part is None:
        raise MimeMalformed("a multipart/signed of less than two parts (RFC 1847 §2.1)")
    return part
