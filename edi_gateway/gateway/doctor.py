"""Why a transmission failed: what is kept of it, given to `as2.diagnosis`, and what only the gateway knows.

    in     refused: the raw body, opened again under the agreement of that time, then under that of today
           accepted: what was tolerated; parked: what its document is
    out    the MDNs and answers that were kept, the status or the words of the wire in the events, our keys

Nothing is changed. What was thrown away (a body over the limit) or purged is said to be so.
"""

from __future__ import annotations

import base64
import binascii
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from difflib import SequenceMatcher

from edi_gateway.as2.certificates import Certificate
from edi_gateway.as2.diagnosis import (
    Case,
    Code,
    Diagnosis,
    SentCase,
    diagnosed,
    explain_headers,
    explain_message,
    explain_receipt,
    named,
)
from edi_gateway.as2.errors import RelationshipFault
from edi_gateway.as2.headers import Headers
from edi_gateway.as2.mime import base64_lines
from edi_gateway.as2.outbound import header_block, payload_headers
from edi_gateway.as2.relationship import Relationship
from edi_gateway.gateway.app import Gateway
from edi_gateway.gateway.known_certificates import known_certificates
from edi_gateway.gateway.settle import NOTHING_SENT, sent_of
from edi_gateway.partnership import Compression, Partnership
from edi_gateway.store.database import Reading
from edi_gateway.store.events import Event, events_of
from edi_gateway.store.partnerships import PartnershipRevision, PartnershipState, in_force, revision_at
from edi_gateway.store.payloads import PayloadMissing
from edi_gateway.store.transmissions import (
    Receipt,
    ReceiptMode,
    Seal,
    Transmission,
    TransmissionDirection,
    TransmissionKind,
    TransmissionState,
    inbound,
    receipts,
)
from edi_gateway.transport.http import ANSWER_BYTES_MAX

SIMILAR_RATIO_MIN = 0.75
PAYLOAD_START_BYTES = 4096
_ARCHIVES = {b"PK\x03\x04": "ZIP", b"\x1f\x8b": "gzip", b"%PDF": "PDF", b"BZh": "bzip2", b"7z\xbc\xaf": "7z"}


@dataclass(frozen=True, slots=True)
class Examination:
    """A transmission and what was found out about it; no diagnosis but notes if nothing failed."""

    row: Transmission
    diagnoses: tuple[Diagnosis, ...]

    @property
    def failed(self) -> bool:
        return any(not diagnosis.is_note for diagnosis in self.diagnoses)


def examine(gateway: Gateway, transmission_id: str) -> Examination | None:
    """What can be said about a transmission; None if there is none of that id."""
    with gateway.database.read() as view:
        row = view.session.get(Transmission, transmission_id)
        if row is None:
            return None
        return Examination(row, tuple(_Examining(gateway, view, row).diagnoses()))


class _Examining:
    """One transmission, with the view that it is read through."""

    def __init__(self, gateway: Gateway, view: Reading, row: Transmission) -> None:
        self._gateway = gateway
        self._view = view
        self._row = row
        self._headers = Headers((name, value) for name, value in row.headers)

    def diagnoses(self) -> Iterator[Diagnosis]:
        try:
            yield from self._by_direction()
        except PayloadMissing as missing:
            yield diagnosed(Code.NOT_KEPT, reason=str(missing), sha256=missing.sha256)
        except RelationshipFault as fault:
            yield diagnosed(Code.NOT_SEALED, reason=str(fault))

    def _by_direction(self) -> Iterable[Diagnosis]:
        if self._row.direction is TransmissionDirection.OUT:
            return self._outbound()
        return self._posted_receipt() if self._row.kind is TransmissionKind.RECEIPT else self._inbound()

    # --- what came in ------------------------------------------------------------------------------

    def _inbound(self) -> Iterator[Diagnosis]:
        row = self._row
        if row.raw_sha256 is None:
            yield diagnosed(Code.BODY_TOO_LARGE, limit=self._gateway.config.limits.body_bytes_max)
            return
        if row.partnership is None:
            yield explain_headers(self._headers) or explain_names(row, in_force(self._view.session))
            return
        found = self._reopened()
        yield from found
        if row.state is TransmissionState.REFUSED:
            yield from self._why_then(found)
        elif row.state is TransmissionState.PARKED:
            yield self._document()
        if row.repeats_id is not None:
            yield diagnosed(Code.SENT_AGAIN, first=row.repeats_id)

    def _reopened(self) -> tuple[Diagnosis, ...]:
        """Opened again as it was agreed when it came."""
        revision = self._agreed()
        return explain_message(self._case(revision.partnership)) if revision else ()

    def _why_then(self, found: Sequence[Diagnosis]) -> Iterator[Diagnosis]:
        """A refused one that opens: its Message-ID was taken, or what was wrong has been mended."""
        row = self._row
        first = inbound(self._view.session, row.as2_from or "", row.as2_to or "", row.message_id or "")
        if not _fails(found) and first is not None and "Message-ID belongs" in row.reason:
            yield diagnosed(Code.MESSAGE_ID_REUSED, message_id=row.message_id, first=first.id)
        elif first is None and self._is_mended(found):
            yield diagnosed(Code.ACCEPTED_MEANWHILE)

    def _is_mended(self, found: Sequence[Diagnosis]) -> bool:
        if not _fails(found):
            return True
        today = self._gateway.partnerships.by_name(self._row.partnership or "")
        if today is None:
            return False
        now = self._gateway.now()
        return not _fails(explain_message(replace(self._case(today), at=now)))

    def _agreed(self) -> PartnershipRevision | None:
        return revision_at(self._view.session, self._row.partnership or "", self._row.created_at)

    def _case(self, partnership: Partnership) -> Case:
        gateway, row = self._gateway, self._row
        return Case(
            headers=self._headers,
            body=lambda: gateway.payloads.open(row.raw_sha256 or ""),
            relationship=Relationship.of(partnership.as2, gateway.keys.dated()),
            known=known_certificates(gateway, self._view, partnership.name, row.created_at),
            spool=gateway.payloads.spool,
            at=row.created_at,
        )

    def _document(self) -> Diagnosis:
        """What a parked document is, by its first bytes."""
        with self._gateway.payloads.open(self._row.payload_sha256 or "") as stream:
            start = stream.read(PAYLOAD_START_BYTES)
        kind = next((name for magic, name in _ARCHIVES.items() if start.startswith(magic)), "")
        if kind:
            return diagnosed(Code.PAYLOAD_IN_ARCHIVE, kind=kind)
        if _is_base64_of_edifact(start):
            return diagnosed(Code.PAYLOAD_IN_BASE64)
        return diagnosed(Code.PAYLOAD_NOT_PROCESSED, reason=self._row.reason)

    # --- an MDN that was posted --------------------------------------------------------------------

    def _posted_receipt(self) -> Iterator[Diagnosis]:
        row = self._row
        about = self._view.session.get(Transmission, row.answers_id) if row.answers_id else None
        if about is None:
            code = Code.MDN_NOT_OURS if row.reason.startswith(NOTHING_SENT) else Code.MDN_UNREADABLE
            yield diagnosed(code, reason=row.reason)
            return
        case = _Examining(self._gateway, self._view, about)._sent_case()
        if case is not None and row.raw_sha256 is not None:
            with self._gateway.payloads.open(row.raw_sha256) as stream:
                body = stream.read(ANSWER_BYTES_MAX)
            yield from explain_receipt(case, self._headers, body, row.created_at)

    # --- what went out -----------------------------------------------------------------------------

    def _outbound(self) -> Iterator[Diagnosis]:
        row = self._row
        kept = [] if row.kind is TransmissionKind.RECEIPT else receipts(self._view.session, row.id)
        said = self._receipts_explained(kept)
        yield from said
        if row.state in (TransmissionState.ACKNOWLEDGED, TransmissionState.SENT):
            return
        if not said:
            yield from self._undelivered()
        if row.state in (TransmissionState.QUEUED, TransmissionState.SENDING, TransmissionState.AWAITING_MDN):
            due = row.due_at.isoformat(timespec="seconds") if row.due_at else "–"
            yield diagnosed(Code.ON_ITS_WAY, state=row.state, attempts=row.attempts, due=due)

    def _receipts_explained(self, kept: Sequence[Receipt]) -> tuple[Diagnosis, ...]:
        """The receipt that decided, or the last that did not."""
        case = self._sent_case() if kept else None
        if case is None:
            return ()
        for receipt in sorted(kept, key=lambda one: (one.disposition == self._row.disposition, one.at), reverse=True):
            headers = Headers((name, value) for name, value in receipt.headers)
            return explain_receipt(case, headers, receipt.body, receipt.at)
        return ()

    def _undelivered(self) -> Iterator[Diagnosis]:
        """What the wire said last, or why nothing could be sent at all."""
        row = self._row
        if row.raw_sha256 is None and row.state is TransmissionState.PARKED:
            yield from self._not_sealed()
            return
        last = next((e for e in reversed(self._events()) if {"http_status", "transport"} & set(e.details)), None)
        if last is not None:
            yield self._by_event(last)
        elif row.state is TransmissionState.PARKED:
            yield diagnosed(Code.NOT_SEALED, reason=row.reason)

    def _events(self) -> list[Event]:
        return events_of(self._view.session, self._row.subject)

    def _by_event(self, event: Event) -> Diagnosis:
        details, row = event.details, self._row
        if "transport" in details:
            code = Code.NO_ANSWER if details.get("sent") else Code.NOT_REACHED
            timeout = self._policy_seconds()
            return diagnosed(code, reason=details["transport"], url=row.url, timeout=timeout)
        status = int(details["http_status"])
        if 200 <= status < 300 and row.receipt_mode is ReceiptMode.ASYNC:
            return self._overdue()
        return diagnosed(_of_status(status), status=status, url=row.url, size=row.raw_size)

    def _overdue(self) -> Diagnosis:
        agreed = self._agreed()
        minutes = int(agreed.partnership.as2.mdn_wait.total_seconds() // 60) if agreed else "?"
        url = self._gateway.mdn_url
        return diagnosed(Code.MDN_OVERDUE, attempts=self._row.attempts, url=url, wait=minutes)

    def _policy_seconds(self) -> object:
        agreed = self._agreed()
        return int(agreed.partnership.as2.timeout.total_seconds()) if agreed else "?"

    def _not_sealed(self) -> Iterator[Diagnosis]:
        """Our key or their certificate, looked for as it was at the time."""
        agreed = self._agreed()
        at = self._row.changed_at
        if agreed is None:
            yield diagnosed(Code.NOT_SEALED, reason=self._row.reason)
            return
        policy = agreed.partnership.as2
        relationship = Relationship.of(policy, self._gateway.keys.dated())
        faults = list(_missing(relationship, at))
        yield from faults or [diagnosed(Code.NOT_SEALED, reason=self._row.reason)]

    def _sent_case(self) -> SentCase | None:
        row, gateway = self._row, self._gateway
        agreed = self._agreed()
        if agreed is None or row.digests is None or row.payload_sha256 is None or row.raw_sha256 is None:
            return None
        payload, raw = row.payload_sha256, row.raw_sha256
        policy = agreed.partnership.as2
        seal = self._view.session.get(Seal, row.id)
        head = _entity_head(row, seal, policy.transfer_encoding)
        is_base64 = b"base64" in head.lower()

        def entity_body() -> Iterator[bytes]:
            chunks = gateway.payloads.chunks(payload)
            return base64_lines(chunks) if is_base64 else chunks

        known = known_certificates(gateway, self._view, row.partnership or "", row.created_at)
        certificates = [entry.certificate for entry in known]
        return SentCase(
            sent=sent_of(row),
            relationship=Relationship.of(policy, gateway.keys.dated()),
            known=known,
            spool=gateway.payloads.spool,
            compression=row.compression,
            signed=row.signed_with is not None,
            encrypted=row.encrypted_with is not None,
            signed_by=_named_by(row.signed_with, certificates),
            encrypted_for=_named_by(row.encrypted_with, certificates),
            algorithms=_algorithms(row),
            payload=lambda: gateway.payloads.chunks(payload),
            entity_head=head,
            entity_body=entity_body,
            raw=lambda: gateway.payloads.chunks(raw),
        )


def _fails(diagnoses: Iterable[Diagnosis]) -> bool:
    return any(not diagnosis.is_note for diagnosis in diagnoses)


def _is_base64_of_edifact(start: bytes) -> bool:
    """Whether the first bytes are base64 of an interchange."""
    text = b"".join(start.split())
    try:
        return base64.b64decode(text[: len(text) // 4 * 4], validate=True).startswith((b"UNA", b"UNB"))
    except (binascii.Error, ValueError):
        return False


# --- names ----------------------------------------------------------------------------------------------------------


def explain_names(row: Transmission, partnerships: Sequence[PartnershipRevision]) -> Diagnosis:
    """Why the AS2 names of a transmission are those of nobody, and whom they may mean."""
    names = row.as2_from or "–", row.as2_to or "–"
    for known in partnerships:
        expected = known.their_as2_id, known.our_as2_id
        code = _alike(names, expected, known.state)
        if code is not None:
            return _of_names(code, names, known)
    similar = max(partnerships, key=lambda known: _similarity(names, known), default=None)
    if similar is not None and _similarity(names, similar) >= SIMILAR_RATIO_MIN:
        return _of_names(Code.NAMES_SIMILAR, names, similar)
    return diagnosed(Code.NAMES_UNKNOWN, as2_from=names[0], as2_to=names[1])


def _alike(names: tuple[str, str], expected: tuple[str, str], state: PartnershipState) -> Code | None:
    if names == expected:
        return Code.PARTNERSHIP_SUSPENDED if state is PartnershipState.SUSPENDED else None
    if _folded(names) == _folded(expected):
        return Code.NAMES_DIFFER_IN_CASE
    return Code.NAMES_SWAPPED if _folded(names) == _folded((expected[1], expected[0])) else None


def _folded(names: tuple[str, str]) -> tuple[str, ...]:
    return tuple("".join(name.split()).casefold() for name in names)


def _similarity(names: tuple[str, str], known: PartnershipRevision) -> float:
    """How alike both names are, 0 to 1: the less alike of the two counts."""
    pairs = zip(names, (known.their_as2_id, known.our_as2_id), strict=True)
    return min(SequenceMatcher(None, one.casefold(), other.casefold()).ratio() for one, other in pairs)


def _of_names(code: Code, names: tuple[str, str], known: PartnershipRevision) -> Diagnosis:
    return diagnosed(
        code,
        as2_from=names[0],
        as2_to=names[1],
        partner=known.name,
        expected_from=known.their_as2_id,
        expected_to=known.our_as2_id,
    )


# --- what we sent ---------------------------------------------------------------------------------------------------

_STATUSES = {
    401: Code.HTTP_UNAUTHORISED,
    403: Code.HTTP_UNAUTHORISED,
    407: Code.HTTP_UNAUTHORISED,
    404: Code.HTTP_NOT_FOUND,
    405: Code.HTTP_NOT_FOUND,
    410: Code.HTTP_NOT_FOUND,
    413: Code.HTTP_TOO_LARGE,
    408: Code.HTTP_UNAVAILABLE,
    425: Code.HTTP_UNAVAILABLE,
    429: Code.HTTP_UNAVAILABLE,
}
_STATUS_CLASSES = {
    2: Code.ANSWER_WITHOUT_MDN,
    3: Code.HTTP_REDIRECT,
    4: Code.HTTP_REFUSED,
    5: Code.HTTP_UNAVAILABLE,
}


def _of_status(status: int) -> Code:
    return _STATUSES.get(status) or _STATUS_CLASSES.get(status // 100, Code.HTTP_UNAVAILABLE)


def _missing(relationship: Relationship, at: datetime) -> Iterator[Diagnosis]:
    """Which of the two keys that sending needs was not there."""
    policy = relationship.policy
    if policy.sign:
        try:
            relationship.signing_key(at)
        except RelationshipFault as fault:
            yield diagnosed(Code.OUR_KEY_MISSING, reason=str(fault))
    if policy.encrypt:
        try:
            relationship.encryption_certificates_at(at)
        except RelationshipFault as fault:
            yield diagnosed(Code.THEIR_CERTIFICATE_MISSING, reason=str(fault))


def _entity_head(row: Transmission, seal: Seal | None, encoding: str) -> bytes:
    """The header block around the document, as it was sealed."""
    if seal is not None and row.compression is not Compression.BEFORE_SIGNING:
        return seal.head
    return header_block(payload_headers(row.content_type or "", encoding, row.filename or ""))


def _named_by(stored: str | None, certificates: Iterable[Certificate]) -> str:
    """The certificate whose fingerprint ends `signed_with` or `encrypted_with`."""
    fingerprint = (stored or "").rpartition(" ")[2]
    found = [certificate for certificate in certificates if certificate.fingerprint == fingerprint]
    return named(found) if found else fingerprint


def _algorithms(row: Transmission) -> str:
    """What it was signed and encrypted with, without the fingerprints."""
    parts = (stored.rpartition(" ")[0] for stored in (row.signed_with, row.encrypted_with) if stored)
    return ", ".join(parts)
