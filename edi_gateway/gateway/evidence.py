"""What proves a transmission to a third party, as a ZIP that `openssl` alone verifies.

    README.txt            what this is, and the commands, in French and English
    transmission.json     names, Message-ID, times, algorithms, MIC, digests
    payload.bin           the document
    raw/                  what travelled: HTTP headers and body
    signed/               the exact bytes that were signed, and the signature over them
    mdn/1/ …              each MDN, ours or theirs: headers, body, its signed part and signature
    certificates/         those that verify the signatures, PEM, named by their SHA-256
    events/               the log of this transmission: for each event the text that its hash is over, and its content

What we received is opened with our key to get at the signed part; what we sent was encrypted for the partner alone, so
its signature was kept when it was made (`store.transmissions.Seal`). Nothing is held in memory but MDNs.
"""

from __future__ import annotations

import base64
import io
import json
import zipfile
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any, BinaryIO

from edi_gateway.as2.algorithms import Digest
from edi_gateway.as2.certificates import Certificate
from edi_gateway.as2.cms import SignatureRefused, SignedData, read_signed_data, verify
from edi_gateway.as2.dissection import Dissection, SignaturePart, dissect
from edi_gateway.as2.headers import Headers
from edi_gateway.as2.mic import Mic, digests_of
from edi_gateway.as2.mime import canonical_line_ends
from edi_gateway.as2.outbound import header_block, payload_headers, signed_chunks
from edi_gateway.gateway.app import Gateway
from edi_gateway.gateway.evidence_readme import Step, readme
from edi_gateway.gateway.known_certificates import embedded_in, known_certificates
from edi_gateway.partnership import Compression
from edi_gateway.store.database import Reading
from edi_gateway.store.events import Event, content_text, events_of, hashed_text
from edi_gateway.store.partnerships import revision_at
from edi_gateway.store.payloads import PayloadMissing
from edi_gateway.store.transmissions import (
    Receipt,
    Seal,
    Transmission,
    TransmissionDirection,
    TransmissionKind,
    answers_to,
    receipts,
)

ANY_DIGEST = frozenset(Digest)
Chunks = Callable[[], Iterator[bytes]]


@dataclass(frozen=True, slots=True)
class Bundle:
    """What was written: the names of the files, and what could not be shown."""

    files: tuple[str, ...]
    missing: tuple[str, ...]


def write_evidence(gateway: Gateway, transmission_id: str, target: BinaryIO) -> Bundle | None:
    """Write the ZIP to `target`; None if there is no such transmission. Raises OSError."""
    with gateway.database.read() as view, zipfile.ZipFile(target, "w", zipfile.ZIP_DEFLATED) as archive:
        row = view.session.get(Transmission, transmission_id)
        if row is None:
            return None
        writing = _Writing(gateway, view, row, archive)
        writing.write()
        return Bundle(tuple(archive.namelist()), tuple(writing.missing))


@dataclass(frozen=True, slots=True)
class _Signed:
    """A signature, what it is over, and the certificate that verifies it."""

    signed: SignedData
    source: Chunks  # the SignedData in DER or BER
    part: Chunks
    is_opaque: bool
    embedded: Sequence[Certificate]


@dataclass(slots=True)
class _Writing:
    """One bundle on its way: files go into the archive, steps into the README."""

    gateway: Gateway
    view: Reading
    row: Transmission
    archive: zipfile.ZipFile
    steps: list[Step] = field(default_factory=list)
    missing: list[str] = field(default_factory=list)
    certificates: dict[str, Certificate] = field(default_factory=dict)
    known: tuple[Certificate, ...] = ()

    def write(self) -> None:
        row = self.row
        found = known_certificates(self.gateway, self.view, row.partnership or "", row.created_at)
        self.known = tuple(dict.fromkeys(entry.certificate for entry in found))
        self._payload()
        self._raw()
        if row.kind is TransmissionKind.MESSAGE:
            self._signature()
        self._receipts()
        self._events()
        for fingerprint, certificate in self.certificates.items():
            self._put(_certificate_name(fingerprint), certificate.pem.encode())
        self._put("transmission.json", _json(_described(row)))
        self._put("README.txt", readme(row, self.steps, self.missing).encode("utf-8"))

    # --- files ------------------------------------------------------------------------------------

    def _put(self, name: str, content: bytes) -> None:
        self._stream(name, iter([content]))

    def _stream(self, name: str, chunks: Iterable[bytes]) -> int:
        """Write a file of any size; gives it."""
        info = zipfile.ZipInfo(name, date_time=_zip_time(self.row.created_at))
        info.compress_type = zipfile.ZIP_DEFLATED
        size = 0
        with self.archive.open(info, "w", force_zip64=True) as file:
            for chunk in chunks:
                size += len(chunk)
                file.write(chunk)
        return size

    def _kept(self, name: str, sha256: str | None, what: str) -> bool:
        """Write kept bytes; if they are gone, say so."""
        if sha256 is None:
            return False
        try:
            self._stream(name, self.gateway.payloads.chunks(sha256))
        except PayloadMissing as missing:
            self.missing.append(f"{what}: {missing}")
            return False
        return True

    # --- what travelled ---------------------------------------------------------------------------

    def _payload(self) -> None:
        row = self.row
        if self._kept("payload.bin", row.payload_sha256, "payload.bin"):
            self.steps.append(Step.payload(row.payload_sha256 or ""))

    def _raw(self) -> None:
        row = self.row
        self._put("raw/headers.txt", _header_text(row.headers))
        self._kept("raw/body.bin", row.raw_sha256, "raw/body.bin")

    def _signature(self) -> None:
        """The signed part and its signature; of an unsigned message what the MIC is over."""
        if self.row.direction is TransmissionDirection.OUT:
            self._sent_signature()
        elif self.row.raw_sha256 is not None:
            self._received_signature(self.row.raw_sha256)

    def _sent_signature(self) -> None:
        row, payloads = self.row, self.gateway.payloads
        seal = self.view.session.get(Seal, row.id)
        if seal is None:
            if row.digests is not None and row.payload_sha256 is not None:
                self._unsigned(self._sent_content(row.payload_sha256))
            return
        sha256, is_payload = seal.body_sha256 or row.payload_sha256 or "", seal.body_sha256 is None

        def part() -> Iterator[bytes]:
            with payloads.open(sha256) as body:
                yield from signed_chunks(seal.head, body, is_payload=is_payload)

        signed = read_signed_data(seal.signature)
        found = _Signed(
            signed, lambda: iter([seal.signature]), part, is_opaque=False, embedded=embedded_in(seal.signature)
        )
        try:
            self._signed_files("signed", found, is_document=is_payload, head=seal.head)
        except PayloadMissing as missing:
            self.missing.append(f"signed/part.bin: {missing}")

    def _sent_content(self, payload: str) -> Chunks:
        """What the MIC of an unsigned message of ours is over."""
        row, payloads = self.row, self.gateway.payloads
        agreed = revision_at(self.view.session, row.partnership or "", row.created_at)
        if row.encrypted_with is None and row.compression is Compression.NONE:
            return lambda: payloads.chunks(payload)
        encoding = agreed.partnership.as2.transfer_encoding if agreed else "binary"
        head = header_block(payload_headers(row.content_type or "", encoding, row.filename or ""))

        def part() -> Iterator[bytes]:
            with payloads.open(payload) as body:
                yield from signed_chunks(head, body, is_payload=True)

        return part

    def _received_signature(self, raw: str) -> None:
        headers = Headers((name, value) for name, value in self.row.headers)
        try:
            with self.gateway.payloads.open(raw) as body, self._dissected(headers, body) as dissection:
                self._dissection(dissection)
        except PayloadMissing as missing:
            self.missing.append(f"signed/part.bin: {missing}")

    def _dissected(self, headers: Headers, body: BinaryIO) -> Dissection:
        keys = [key.key for key in self.gateway.keys.dated()]
        return dissect(headers, body, keys, self.gateway.payloads.spool, self.gateway.config.limits.body_bytes_max)

    def _dissection(self, dissection: Dissection) -> None:
        part, content = dissection.signature, dissection.content
        if part is not None:
            is_document = content is not None and content.block == part.block
            self._signed_files("signed", _of(part), is_document=is_document, head=part.block)
        elif content is not None and self.row.mic is not None:
            self._unsigned(content.chunks if dissection.layers else content.payload_chunks)
        if dissection.fault is not None:
            self.missing.append(f"signed/part.bin: {dissection.fault}")

    def _unsigned(self, content: Chunks) -> None:
        self._stream("content.bin", content())
        self._mic("content.bin", content)

    def _mic(self, name: str, content: Chunks) -> None:
        """The MIC as it was given or sent, under its own algorithm."""
        mic = Mic.parse(self.row.mic) if self.row.mic else None
        if mic is None or mic.digest is None:
            return
        if digests_of(content(), [mic.digest])[mic.digest] == mic.value:
            self.steps.append(Step.mic(name, mic.digest, base64.b64encode(mic.value).decode()))

    # --- signatures -------------------------------------------------------------------------------

    def _signed_files(self, folder: str, found: _Signed, *, is_document: bool, head: bytes) -> None:
        """The signature, what it is over, and the commands that verify both."""
        certificate, part, is_canonical = self._verified(found)
        suffix = "p7m" if found.is_opaque else "p7s"
        self._stream(f"{folder}/signature.{suffix}", found.source())
        size = self._stream(f"{folder}/part.bin", part())
        if certificate is None:
            self.missing.append(f"{folder}/signature.{suffix}: no certificate that is known here verifies it")
            return
        self.certificates[certificate.fingerprint] = certificate
        self.steps.append(
            Step.signature(folder, suffix, _certificate_name(certificate.fingerprint), certificate.subject)
        )
        self.steps.append(Step.certificate(_certificate_name(certificate.fingerprint), certificate.fingerprint))
        if is_canonical:
            self.steps.append(Step.canonical(folder))
        if folder == "signed":
            self._mic("signed/part.bin", part)
            self._document(size - len(head), head, is_document=is_document and not is_canonical)

    def _document(self, body_size: int, head: bytes, *, is_document: bool) -> None:
        """That the signed part ends with the document."""
        encoding = Headers.parse(head).get("Content-Transfer-Encoding").strip().lower()
        sha256 = self.row.payload_sha256
        if not is_document or sha256 is None or encoding == "quoted-printable":
            self.steps.append(Step.packed())
            return
        self.steps.append(Step.document(body_size, sha256, in_base64=encoding == "base64"))

    def _verified(self, found: _Signed) -> tuple[Certificate | None, Chunks, bool]:
        """The certificate that verifies the signature, and over which line ends; None if none that is known does."""

        def canonical() -> Iterator[bytes]:
            return canonical_line_ends(found.part())

        for part, is_canonical in ((found.part, False), (canonical, True)):
            for certificate in self._candidates(found):
                if _holds(found.signed, part, certificate):
                    return certificate, part, is_canonical
        return None, found.part, False

    def _candidates(self, found: _Signed) -> Iterator[Certificate]:
        """Those that are known, then the one inside of the signature if its fingerprint was recorded."""
        yield from (c for signer in found.signed.signers for c in signer.signer.among(self.known))
        recorded = (self.row.signed_with or "").rpartition(" ")[2]
        ours = self.row.direction is TransmissionDirection.OUT
        yield from (c for c in found.embedded if c.fingerprint == recorded and ours)

    # --- receipts and events ----------------------------------------------------------------------

    def _receipts(self) -> None:
        for number, receipt in enumerate(receipts(self.view.session, self.row.id), start=1):
            folder = f"mdn/{number}"
            self._put(f"{folder}/headers.txt", _header_text(receipt.headers))
            self._put(f"{folder}/body.bin", receipt.body)
            self._receipt_signature(folder, receipt)

    def _receipt_signature(self, folder: str, receipt: Receipt) -> None:
        headers = Headers((name, value) for name, value in receipt.headers)
        with self._dissected(headers, io.BytesIO(receipt.body)) as dissection:
            if dissection.signature is not None:
                self._signed_files(folder, _of(dissection.signature), is_document=False, head=b"")
                fields = (receipt.disposition, receipt.mic or "–", self.row.message_id or "–")
                self.steps.append(Step.receipt(folder, *fields))

    def _events(self) -> None:
        subjects = [self.row, *answers_to(self.view.session, self.row.id)]
        events = [event for row in subjects for event in events_of(self.view.session, row.subject)]
        listed: list[tuple[str, str]] = []
        for event in sorted(events, key=lambda one: one.number):
            name = f"events/{event.number:09}"
            self._put(f"{name}.json", hashed_text(event).encode("utf-8"))
            listed.append((f"{name}.json", event.hash))
            if (content := content_text(event)) is not None:
                self._put(f"{name}.content.json", content.encode("utf-8"))
                listed.append((f"{name}.content.json", event.content_sha256))
        self._put("events/events.json", _json([_event(event) for event in events]))
        self.steps.append(Step.events(listed))


def _of(part: SignaturePart) -> _Signed:
    return _Signed(part.signed, part.source_chunks, part.chunks, part.is_opaque, part.embedded)


def _holds(signed: SignedData, part: Chunks, certificate: Certificate) -> bool:
    try:
        verify(signed, lambda digest: digests_of(part(), [digest])[digest], [certificate], ANY_DIGEST)
    except SignatureRefused:
        return False
    return True


def _certificate_name(fingerprint: str) -> str:
    return f"certificates/{fingerprint}.pem"


def _header_text(headers: Sequence[Sequence[str]]) -> bytes:
    return "".join(f"{name}: {value}\r\n" for name, value in headers).encode("utf-8", "replace")


def _zip_time(at: datetime) -> tuple[int, int, int, int, int, int]:
    return at.year, at.month, at.day, at.hour, at.minute, at.second


def _json(value: object) -> bytes:
    return (json.dumps(value, indent=2, ensure_ascii=False) + "\n").encode("utf-8")


def _described(row: Transmission) -> Mapping[str, Any]:
    """The record, without what only concerns our own running."""
    return {
        "id": row.id,
        "direction": row.direction.value,
        "kind": row.kind.value,
        "state": row.state.value,
        "reason": row.reason,
        "created_at": row.created_at.isoformat(),
        "settled_at": row.settled_at.isoformat() if row.settled_at else None,
        "partner": row.partnership,
        "as2_from": row.as2_from,
        "as2_to": row.as2_to,
        "message_id": row.message_id,
        "url": row.url,
        "payload": {"sha256": row.payload_sha256, "size": row.payload_size, "content_type": row.content_type},
        "filename": row.filename,
        "document_types": row.document_types,
        "raw": {"sha256": row.raw_sha256, "size": row.raw_size},
        "mic": row.mic,
        "digests": row.digests,
        "signed_with": row.signed_with,
        "encrypted_with": row.encrypted_with,
        "compression": row.compression.value,
        "disposition": row.disposition,
    }


def _event(event: Event) -> Mapping[str, Any]:
    return {
        "number": event.number,
        "at": event.at.isoformat(),
        "kind": event.kind,
        "subject": event.subject,
        "from": event.from_state,
        "to": event.to_state,
        "content_sha256": event.content_sha256,
        "previous_hash": event.previous_hash,
        "hash": event.hash,
    }
