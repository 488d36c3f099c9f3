"""Transmissions: one AS2 POST each, in or out, and the receipts (MDNs) that belong to them.

`raw_*` is what travels on the wire (signed, encrypted), `payload_*` the business bytes inside; both are in the payload
store. The database itself decides what a duplicate is: two transmissions that are not refused cannot share direction,
AS2 names and Message-ID. A refused one keeps its row but not the key, so that its partner may send it again
under the same Message-ID (RFC 4130 §5.5 asks for the same id on a retry).
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from enum import StrEnum
from typing import Any

from sqlalchemy import (
    CheckConstraint,
    ColumnElement,
    ForeignKey,
    Index,
    LargeBinary,
    Select,
    String,
    bindparam,
    case,
    func,
    literal_column,
    select,
    tuple_,
)
from sqlalchemy.orm import Mapped, Session, mapped_column

from edi_gateway.as2.opened import EncryptedWith, SignedWith
from edi_gateway.partnership import Compression
from edi_gateway.store.base import Base, JsonText, coded
from edi_gateway.store.database import Reading
from edi_gateway.store.payloads import Payload
from edi_gateway.store.prepared import Prepared


class TransmissionDirection(StrEnum):
    """Seen from us."""

    IN = "in"
    OUT = "out"


class TransmissionKind(StrEnum):
    """A message carries a document; a receipt is an MDN in a POST of its own (asynchronous)."""

    MESSAGE = "message"
    RECEIPT = "receipt"


class TransmissionState(StrEnum):
    """Where a transmission stands; `gateway.states` says which may follow which."""

    # in
    RECEIVED = "received"  # kept, acknowledged; waits for unpack
    UNPACKED = "unpacked"  # its documents stand in the store
    SETTLED = "settled"  # a receipt that was matched with what we sent
    # out
    QUEUED = "queued"  # waits for its (next) attempt
    SENDING = "sending"  # an attempt is under way, until `lease_until`
    AWAITING_MDN = "awaiting_mdn"  # delivered; the asynchronous MDN is due at `due_at`
    ACKNOWLEDGED = "acknowledged"  # a positive MDN with the right MIC
    SENT = "sent"  # delivered, and no receipt is expected
    # both
    REFUSED = "refused"  # in: by us, `reason` says why; out: by the partner's negative MDN
    PARKED = "parked"  # waits for an operator, `reason` says why


INBOUND_STATES = (
    TransmissionState.RECEIVED,
    TransmissionState.UNPACKED,
    TransmissionState.SETTLED,
    TransmissionState.REFUSED,
    TransmissionState.PARKED,
)
OUTBOUND_STATES = (
    TransmissionState.QUEUED,
    TransmissionState.SENDING,
    TransmissionState.AWAITING_MDN,
    TransmissionState.ACKNOWLEDGED,
    TransmissionState.SENT,
    TransmissionState.REFUSED,
    TransmissionState.PARKED,
)


class ReceiptMode(StrEnum):
    """How the sender wants his receipt."""

    NONE = "none"
    SYNC = "sync"
    ASYNC = "async"


def _among(states: Sequence[TransmissionState]) -> str:
    return ", ".join(f"'{state.value}'" for state in states)


class Transmission(Base):
    """One POST."""

    __tablename__ = "transmission"

    id: Mapped[str] = mapped_column(String(64), primary_key=True)
    direction: Mapped[TransmissionDirection] = mapped_column(coded(TransmissionDirection, "direction"))
    kind: Mapped[TransmissionKind] = mapped_column(coded(TransmissionKind, "kind"))
    state: Mapped[TransmissionState] = mapped_column(coded(TransmissionState, "state"))
    reason: Mapped[str] = mapped_column(default="")  # why it stands there, for the operator
    created_at: Mapped[datetime]
    changed_at: Mapped[datetime]
    partnership: Mapped[str | None] = mapped_column(String(80))  # its name; None for unknown AS2 names

    # The AS2 headers. All three are None where a header was missing or unreadable (then it is refused).
    as2_from: Mapped[str | None] = mapped_column(String(128))
    as2_to: Mapped[str | None] = mapped_column(String(128))
    message_id: Mapped[str | None] = mapped_column(String(998))  # with its brackets, as on the wire
    headers: Mapped[Any] = mapped_column(JsonText)  # [[name, value], …] of the request, as received or as sealed
    receipt_mode: Mapped[ReceiptMode] = mapped_column(coded(ReceiptMode, "receipt_mode"))

    raw_sha256: Mapped[str | None] = mapped_column(ForeignKey(Payload.sha256))
    raw_size: Mapped[int | None]
    payload_sha256: Mapped[str | None] = mapped_column(ForeignKey(Payload.sha256))
    payload_size: Mapped[int | None]
    content_type: Mapped[str | None] = mapped_column(String(255))
    filename: Mapped[str | None] = mapped_column(String(255))  # data, never a path
    document_types: Mapped[str] = mapped_column(default="")  # ORDERS, or "CONTRL ORDRSP"; filled by compose and unpack

    # What the cryptography was: algorithms and fingerprints; `digests` {name: base64} judges the MDN.
    mic: Mapped[str | None] = mapped_column(String(200))
    signed_with: Mapped[str | None] = mapped_column(String(200))
    encrypted_with: Mapped[str | None] = mapped_column(String(200))
    compression: Mapped[Compression] = mapped_column(coded(Compression, "compression"), default=Compression.NONE)
    digests: Mapped[Any] = mapped_column(JsonText, nullable=True)
    receipt_signed: Mapped[bool] = mapped_column(default=False)  # out: only a signed receipt decides
    receipt_mic: Mapped[bool] = mapped_column(default=True)  # out: only a receipt with a MIC is positive
    disposition: Mapped[str | None] = mapped_column(String(600))  # of the receipt that decided

    # Sending.
    url: Mapped[str | None]
    answers_id: Mapped[str | None] = mapped_column(ForeignKey("transmission.id"))  # receipt: of which transmission
    # Of which it carries the same under another Message-ID: sent anew by us, or by a partner who retries in that way.
    repeats_id: Mapped[str | None] = mapped_column(ForeignKey("transmission.id"))
    attempts: Mapped[int] = mapped_column(default=0)
    due_at: Mapped[datetime | None]  # queued: next attempt; awaiting_mdn: the MDN
    lease_until: Mapped[datetime | None]  # sending: afterwards the attempt is taken for dead
    deadline_at: Mapped[datetime | None]  # no attempt after this
    settled_at: Mapped[datetime | None]  # when the receipt decided it
    # Retention: when the bytes were removed, and when the records of its documents were.
    payloads_purged_at: Mapped[datetime | None]
    records_purged_at: Mapped[datetime | None]

    __table_args__ = (
        CheckConstraint(
            f"(direction = 'in' AND state IN ({_among(INBOUND_STATES)}))"
            f" OR (direction = 'out' AND state IN ({_among(OUTBOUND_STATES)}))",
            name="state_of_direction",
        ),
        CheckConstraint("state NOT IN ('refused', 'parked') OR reason <> ''", name="reason_given"),
        CheckConstraint("state <> 'sending' OR lease_until IS NOT NULL", name="sending_has_lease"),
        CheckConstraint("state NOT IN ('queued', 'awaiting_mdn') OR due_at IS NOT NULL", name="waiting_has_due"),
        CheckConstraint("direction = 'in' OR (partnership IS NOT NULL AND url IS NOT NULL)", name="out_has_url"),
        CheckConstraint("direction = 'in' OR message_id IS NOT NULL", name="out_has_message_id"),
        CheckConstraint("attempts >= 0", name="attempts_counted"),
        # What decides a duplicate. NULLs (a receipt without a Message-ID) never collide.
        Index(
            "uq_transmission_inbound_message_id",
            "as2_from",
            "as2_to",
            "message_id",
            unique=True,
            sqlite_where=(direction == "in") & (state != "refused"),
            postgresql_where=(direction == "in") & (state != "refused"),
        ),
        Index(
            "uq_transmission_outbound_message_id",
            "message_id",
            unique=True,
            sqlite_where=direction == "out",
            postgresql_where=direction == "out",
        ),
        Index("ix_transmission_created", "created_at", "id"),
        Index("ix_transmission_partnership_created", "partnership", "created_at"),
        Index("ix_transmission_state_created", "state", "created_at"),
        Index("ix_transmission_waiting", "state", "partnership", "due_at"),
        Index("ix_transmission_answers_id", "answers_id"),
        Index("ix_transmission_payload_sha256", "payload_sha256"),
        Index("ix_transmission_raw_sha256", "raw_sha256"),
    )

    @property
    def subject(self) -> str:
        """How the event log names it."""
        return subject_of(self.id)


class Seal(Base):
    """What we signed of a transmission, kept apart: it left encrypted for the partner, so its bytes prove nothing to a
    third party. The head, the body and the signature give back exactly the part that was signed."""

    __tablename__ = "seal"

    transmission_id: Mapped[str] = mapped_column(ForeignKey("transmission.id"), primary_key=True)
    head: Mapped[bytes] = mapped_column(LargeBinary)  # the header block of the signed part
    signature: Mapped[bytes] = mapped_column(LargeBinary)  # detached SignedData, DER
    # The body of the signed part; None: the payload, in the transfer encoding that the head names.
    body_sha256: Mapped[str | None] = mapped_column(ForeignKey(Payload.sha256), index=True)


def subject_of(transmission_id: str) -> str:
    """How the event log names a transmission."""
    return f"transmission:{transmission_id}"


class Receipt(Base):
    """An MDN, byte for byte: the one we gave for what came in, or one that came back for what we sent."""

    __tablename__ = "receipt"

    id: Mapped[str] = mapped_column(String(64), primary_key=True)
    transmission_id: Mapped[str] = mapped_column(ForeignKey("transmission.id"), index=True)
    at: Mapped[datetime]
    message_id: Mapped[str | None] = mapped_column(String(998))
    disposition: Mapped[str] = mapped_column(String(600))
    mic: Mapped[str | None] = mapped_column(String(200))
    signed_with: Mapped[str | None] = mapped_column(String(200))  # fingerprint of the certificate that verified it
    outcome: Mapped[str] = mapped_column(String(40))  # `given`, or what `as2.mdn.judge` said
    headers: Mapped[Any] = mapped_column(JsonText)
    body: Mapped[bytes] = mapped_column(LargeBinary)  # empty once purged
    purged_at: Mapped[datetime | None]


def signature_text(signed: SignedWith | None) -> str | None:
    """How `signed_with` is written: digest, scheme, fingerprint of the certificate."""
    return f"{signed.digest} {signed.scheme} {signed.fingerprint}" if signed else None


def encryption_text(encrypted: EncryptedWith | None) -> str | None:
    """How `encrypted_with` is written: cipher, key transport, fingerprint of the certificate."""
    return f"{encrypted.cipher} {encrypted.key_transport} {encrypted.fingerprint}" if encrypted else None


def locked(session: Session, transmission_id: str) -> Transmission | None:
    """The row, held until the transaction ends: who changes a state reads it so."""
    return session.get(Transmission, transmission_id, with_for_update=True, populate_existing=True)


def inbound(session: Session, as2_from: str, as2_to: str, message_id: str) -> Transmission | None:
    """The transmission that holds this Message-ID: the accepted one, never a refused one."""
    return session.scalar(_INBOUND, {"from_": as2_from, "to": as2_to, "id_": message_id})


def inbound_raw(reading: Reading, as2_from: str, as2_to: str, message_id: str) -> str | None:
    """The digest of what came in as that transmission. Asked for each POST, so it costs no more than it must."""
    found = _INBOUND_RAW.first(reading.connection, {"from_": as2_from, "to": as2_to, "id_": message_id})
    return None if found is None else str(found[0])


# Direction and state as text: they are those of the partial index, and for a bound value SQLite would have to find out
# at each run whether the index covers it, which takes ten times as long as looking it up.
_HOLDS_THE_ID = (
    Transmission.direction == literal_column(f"'{TransmissionDirection.IN.value}'"),
    Transmission.state != literal_column(f"'{TransmissionState.REFUSED.value}'"),
    Transmission.as2_from == bindparam("from_"),
    Transmission.as2_to == bindparam("to"),
    Transmission.message_id == bindparam("id_"),
)
_INBOUND = select(Transmission).where(*_HOLDS_THE_ID)
_INBOUND_RAW = Prepared(select(Transmission.raw_sha256).where(*_HOLDS_THE_ID))


def outbound(session: Session, message_id: str, *, hold: bool = False) -> Transmission | None:
    """What we sent under `message_id`; `hold`: until the transaction ends, as who changes its state reads it."""
    statement = select(Transmission).where(
        Transmission.direction == TransmissionDirection.OUT, Transmission.message_id == message_id
    )
    return session.scalar(statement.with_for_update() if hold else statement)


def receipts(session: Session, transmission_id: str) -> list[Receipt]:
    """The MDNs of a transmission, oldest first."""
    return list(
        session.scalars(
            select(Receipt).where(Receipt.transmission_id == transmission_id).order_by(Receipt.at, Receipt.id)
        )
    )


def former_signatures(session: Session, partnership: str) -> list[Seal]:
    """The newest signature of each key that we ever signed with for a partner."""
    newest = (
        select(func.max(Transmission.id))
        .join(Seal, Seal.transmission_id == Transmission.id)
        .where(Transmission.partnership == partnership, Transmission.direction == TransmissionDirection.OUT)
        .group_by(Transmission.signed_with)
    )
    return list(session.scalars(select(Seal).where(Seal.transmission_id.in_(newest))))


def count_receipts(session: Session, transmission_id: str) -> int:
    """How many MDNs of a transmission are kept."""
    statement = select(func.count()).select_from(Receipt).where(Receipt.transmission_id == transmission_id)
    return session.scalar(statement) or 0


def receipt_transmission(session: Session, transmission_id: str) -> Transmission | None:
    """The outbound POST that carries the asynchronous MDN of an inbound transmission."""
    return session.scalar(
        select(Transmission).where(
            Transmission.answers_id == transmission_id, Transmission.direction == TransmissionDirection.OUT
        )
    )


def answers_to(session: Session, transmission_id: str) -> list[Transmission]:
    """The POSTs that carried MDNs of a transmission: ours for what came in, theirs for what went out."""
    statement = select(Transmission).where(Transmission.answers_id == transmission_id)
    return list(session.scalars(statement.order_by(Transmission.created_at, Transmission.id)))


IN_TURN = (Transmission.due_at, Transmission.created_at, Transmission.id)
ACKNOWLEDGEMENTS = ("CONTRL", "APERAK", "MDN")
"""The documents that go before all others: somebody waits for them to know where he stands."""


def acknowledgements_first() -> ColumnElement[int]:
    """To order by."""
    return case((Transmission.document_types.in_(ACKNOWLEDGEMENTS), 0), else_=1)


def under_way(session: Session, partnership: str, now: datetime | None) -> int:
    """How many attempts of a partnership are being made, on whatever machine; with None also those that are lost."""
    statement = select(func.count()).where(
        Transmission.state == TransmissionState.SENDING, Transmission.partnership == partnership
    )
    if now is not None:
        statement = statement.where(Transmission.lease_until > now)
    return session.scalar(statement) or 0


def received_before(session: Session, row: Transmission, limit: int) -> list[str]:
    """What came in from the same partner before `row` and waits to be unpacked, oldest first."""
    statement = select(Transmission.id).where(
        Transmission.state == TransmissionState.RECEIVED,
        Transmission.partnership == row.partnership,
        tuple_(Transmission.created_at, Transmission.id) < (row.created_at, row.id),
    )
    return list(session.scalars(statement.order_by(Transmission.created_at, Transmission.id).limit(limit)))


def waiting(state: TransmissionState, partnership: str | None = None) -> Select[Transmission]:
    """The transmissions in `state`, the one due first in front."""
    statement = select(Transmission).where(Transmission.state == state)
    if partnership is not None:
        statement = statement.where(Transmission.partnership == partnership)
    return statement.order_by(*IN_TURN)


def recent(
    session: Session,
    *,
    limit: int,
    direction: TransmissionDirection | None = None,
    state: TransmissionState | None = None,
    partnership: str | None = None,
    before: datetime | None = None,
) -> list[Transmission]:
    """The newest transmissions first, at most `limit`; `before` pages on."""
    statement = select(Transmission)
    for column, value in (
        (Transmission.direction, direction),
        (Transmission.state, state),
        (Transmission.partnership, partnership),
    ):
        if value is not None:
            statement = statement.where(column == value)
    if before is not None:
        statement = statement.where(Transmission.created_at < before)
    newest_first = (Transmission.created_at.desc(), Transmission.id.desc())
    return list(session.scalars(statement.order_by(*newest_first).limit(limit)))
