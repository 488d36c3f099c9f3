"""Interchanges, their messages and findings, and the counters that control references come from.

An inbound control reference is used once per partnership: the database holds the key for interchanges that were
processed. A repeated one (same content) and a conflicting one (other content) keep a row of their own without the
key; so does a rejected one, because the partner may send the mended interchange under the same reference.
"""

from __future__ import annotations

from collections.abc import Collection, Sequence
from datetime import datetime
from enum import StrEnum
from typing import Any

from sqlalchemy import (
    CheckConstraint,
    ColumnElement,
    Executable,
    ForeignKey,
    Index,
    Select,
    String,
    UniqueConstraint,
    bindparam,
    select,
)
from sqlalchemy.dialects import postgresql, sqlite
from sqlalchemy.orm import Mapped, Session, mapped_column

from edi_gateway.edifact.findings import Finding
from edi_gateway.partnership import Direction
from edi_gateway.store.base import Base, JsonText, coded
from edi_gateway.store.payloads import Payload
from edi_gateway.store.transmissions import Transmission, TransmissionState

ANSWERS_MAX = 10
"""How many APERAKs to one message are looked at."""
SENT_DOCUMENTS_MAX = 10
"""How many messages that share a document number are looked at."""


class InterchangeState(StrEnum):
    """What became of an interchange."""

    PROCESSED = "processed"  # in: its messages were judged one by one
    REJECTED = "rejected"  # in: the envelope is at fault (UCI 4); out: the partner's CONTRL says so
    REPEATED = "repeated"  # in: same reference, same content as one that was processed: answered again
    CONFLICTING = "conflicting"  # in: same reference, other content: CONTRL 26
    UNREADABLE = "unreadable"  # in: not EDIFACT
    SENT = "sent"  # out: handed to the transmission
    ACKNOWLEDGED = "acknowledged"  # out: the partner's CONTRL says 7 or 8


class MessageState(StrEnum):
    """Where a message stands; `gateway.message_states` says which may follow which."""

    # in
    READ = "read"  # judged; its record has not been applied yet
    APPLIED = "applied"  # the record took effect
    EXCEPTION = "exception"  # kept for an operator: the findings say why
    WAITING = "waiting"  # for the document named in `awaits`
    REPEATED = "repeated"  # the same document as an earlier one
    # both
    REJECTED = "rejected"  # in: by our CONTRL; out: by theirs
    # out
    SENT = "sent"
    ACKNOWLEDGED = "acknowledged"  # CONTRL 7


class Interchange(Base):
    """One UNB to UNZ, in or out."""

    __tablename__ = "interchange"

    id: Mapped[str] = mapped_column(String(64), primary_key=True)
    direction: Mapped[Direction] = mapped_column(coded(Direction, "direction"))
    state: Mapped[InterchangeState] = mapped_column(coded(InterchangeState, "state"))
    partnership: Mapped[str] = mapped_column(String(80))
    transmission_id: Mapped[str] = mapped_column(ForeignKey(Transmission.id), index=True)
    ordinal: Mapped[int] = mapped_column(default=1)  # within the payload
    payload_sha256: Mapped[str] = mapped_column(ForeignKey(Payload.sha256))
    content_sha256: Mapped[str] = mapped_column(String(64))  # of its segments, however they were written
    sender: Mapped[str] = mapped_column(String(80), default="")  # identifier:qualifier
    recipient: Mapped[str] = mapped_column(String(80), default="")
    control_reference: Mapped[str] = mapped_column(String(40), default="")
    syntax: Mapped[str] = mapped_column(String(20), default="")  # UNOC:3
    test: Mapped[bool] = mapped_column(default=False)
    complete: Mapped[bool] = mapped_column(default=True)  # in: false while its messages are being taken in
    at: Mapped[datetime]
    contrl_asked_at: Mapped[datetime | None] = mapped_column()  # out: if 0031 asks for an acknowledgement
    overdue_at: Mapped[datetime | None] = mapped_column()  # out: when that was seen to be late
    answers_id: Mapped[str | None] = mapped_column(ForeignKey("interchange.id"))  # a CONTRL: of which interchange
    repeats_id: Mapped[str | None] = mapped_column(ForeignKey("interchange.id"))  # repeated, conflicting: of which

    __table_args__ = (
        UniqueConstraint("transmission_id", "ordinal"),
        CheckConstraint(
            "(direction = 'in' AND state IN ('processed', 'rejected', 'repeated', 'conflicting', 'unreadable'))"
            " OR (direction = 'out' AND state IN ('sent', 'acknowledged', 'rejected'))",
            name="state_of_direction",
        ),
        CheckConstraint("state NOT IN ('repeated', 'conflicting') OR repeats_id IS NOT NULL", name="repeats_which"),
        Index(
            "uq_interchange_inbound_control_reference",
            "partnership",
            "control_reference",
            unique=True,
            sqlite_where=(direction == "in") & (state == "processed"),
            postgresql_where=(direction == "in") & (state == "processed"),
        ),
        Index(
            "uq_interchange_outbound_control_reference",
            "partnership",
            "control_reference",
            unique=True,
            sqlite_where=direction == "out",
            postgresql_where=direction == "out",
        ),
        CheckConstraint("overdue_at IS NULL OR contrl_asked_at IS NOT NULL", name="overdue_if_asked"),
        Index(
            "ix_interchange_unacknowledged",
            "contrl_asked_at",
            sqlite_where=(state == "sent") & contrl_asked_at.is_not(None) & overdue_at.is_(None),
            postgresql_where=(state == "sent") & contrl_asked_at.is_not(None) & overdue_at.is_(None),
        ),
        Index(
            "ix_interchange_overdue",
            "overdue_at",
            sqlite_where=(state == "sent") & overdue_at.is_not(None),
            postgresql_where=(state == "sent") & overdue_at.is_not(None),
        ),
        Index("ix_interchange_answers_id", "answers_id"),
        Index("ix_interchange_payload_sha256", "payload_sha256"),
    )

    @property
    def subject(self) -> str:
        return f"interchange:{self.id}"


class Message(Base):
    """One UNH to UNT, in or out, with the record that it carries."""

    __tablename__ = "message"

    id: Mapped[str] = mapped_column(String(64), primary_key=True)
    interchange_id: Mapped[str] = mapped_column(ForeignKey(Interchange.id))
    ordinal: Mapped[int]
    direction: Mapped[Direction] = mapped_column(coded(Direction, "direction"))
    partnership: Mapped[str] = mapped_column(String(80))
    state: Mapped[MessageState] = mapped_column(coded(MessageState, "state"))
    reason: Mapped[str] = mapped_column(default="")
    reference: Mapped[str] = mapped_column(String(40))  # UNH 0062
    type: Mapped[str] = mapped_column(String(20))
    directory: Mapped[str] = mapped_column(String(20))
    association: Mapped[str] = mapped_column(String(20), default="")
    document_number: Mapped[str] = mapped_column(String(80), default="")  # BGM 1004
    business_key: Mapped[str] = mapped_column(String(80), default="")  # the order that it is about
    awaits: Mapped[str] = mapped_column(String(80), default="")  # waiting: the order whose answer it waits for
    answers_id: Mapped[str | None] = mapped_column(ForeignKey("message.id"))  # an APERAK: to which message
    record: Mapped[Any] = mapped_column(JsonText, nullable=True)
    record_sha256: Mapped[str] = mapped_column(String(64), default="")
    unmapped: Mapped[Any] = mapped_column(JsonText, nullable=True)  # in: what of it has no field, with its place
    segments: Mapped[int] = mapped_column(default=0)
    at: Mapped[datetime]
    changed_at: Mapped[datetime]
    masked_at: Mapped[datetime | None]  # when the personal data in its record were

    __table_args__ = (
        UniqueConstraint("interchange_id", "ordinal"),
        CheckConstraint(
            "(direction = 'in' AND state IN ('read', 'applied', 'exception', 'waiting', 'repeated', 'rejected'))"
            " OR (direction = 'out' AND state IN ('sent', 'acknowledged', 'rejected'))",
            name="state_of_direction",
        ),
        CheckConstraint("(state = 'waiting') = (awaits <> '')", name="waits_for_something"),
        CheckConstraint("state NOT IN ('exception', 'rejected') OR reason <> ''", name="reason_given"),
        Index("ix_message_document", "partnership", "type", "document_number"),
        Index("ix_message_business_key", "partnership", "business_key"),
        Index(
            "ix_message_awaits",
            "partnership",
            "awaits",
            sqlite_where=state == "waiting",
            postgresql_where=state == "waiting",
        ),
        Index("ix_message_answers_id", "answers_id"),
        Index("ix_message_at", "at", "id"),
        Index("ix_message_state", "state", "at"),
    )

    @property
    def subject(self) -> str:
        return f"message:{self.id}"


class StoredFinding(Base):
    """A finding as it was told to the partner, in both languages; of a message, or of the interchange's envelope."""

    __tablename__ = "finding"

    id: Mapped[int] = mapped_column(primary_key=True, autoincrement=True)
    interchange_id: Mapped[str] = mapped_column(ForeignKey(Interchange.id), index=True)
    message_id: Mapped[str | None] = mapped_column(ForeignKey(Message.id), index=True)
    code: Mapped[str] = mapped_column(String(8), index=True)
    severity: Mapped[str] = mapped_column(String(10))
    level: Mapped[str] = mapped_column(String(20))
    segment: Mapped[str | None] = mapped_column(String(10))
    position: Mapped[int | None]
    element: Mapped[int | None]
    component: Mapped[int | None]
    offset: Mapped[int | None]
    value: Mapped[str | None]
    expected: Mapped[str | None]
    path: Mapped[str | None]
    contrl: Mapped[str | None] = mapped_column(String(3))
    texts: Mapped[Any] = mapped_column(JsonText)  # {"en": {"text", "hint"}, "fr": {…}}

    def as_json(self, language: str = "en") -> dict[str, object]:
        """As `edi-gateway validate --json` prints a finding."""
        names = ("code", "severity", "level", "segment", "position", "element", "component", "offset", "value")
        shown: dict[str, object] = {name: getattr(self, name) for name in names}
        return {**shown, "expected": self.expected, "path": self.path, **self.texts[language], "contrl": self.contrl}


class Counter(Base):
    """A number that is given once: control references, document numbers."""

    __tablename__ = "counter"

    name: Mapped[str] = mapped_column(String(120), primary_key=True)
    value: Mapped[int]

    __table_args__ = (CheckConstraint("value > 0", name="counts_from_one"),)


def take_number(session: Session, name: str) -> int:
    """The next number of a counter, from 1. Given back if the transaction rolls back, so that none is missing."""
    session.flush()
    connection = session.connection()
    number: int = connection.execute(_TAKE[connection.dialect.name], {"name": name}).scalar_one()
    return number


def count_up_to(session: Session, name: str, value: int) -> bool:
    """Raise a counter to `value`; False where it stands there, or further, already: of several, one gets True."""
    connection = session.connection()
    return connection.execute(_RAISE[connection.dialect.name], {"name": name, "value": value}).scalar() is not None


def _raise(insert: Any) -> Executable:
    first = insert(Counter).values(name=bindparam("name"), value=bindparam("value"))
    raised: Executable = first.on_conflict_do_update(
        index_elements=[Counter.name],
        set_={"value": first.excluded.value},
        where=Counter.value < first.excluded.value,
    ).returning(Counter.value)
    return raised


_RAISE = {"postgresql": _raise(postgresql.insert), "sqlite": _raise(sqlite.insert)}


def _take_number(insert: Any) -> Executable:
    first = insert(Counter).values(name=bindparam("name"), value=1)
    counted: Executable = first.on_conflict_do_update(
        index_elements=[Counter.name], set_={"value": Counter.value + 1}
    ).returning(Counter.value)
    return counted


_TAKE = {"postgresql": _take_number(postgresql.insert), "sqlite": _take_number(sqlite.insert)}


def add_findings(
    session: Session, findings: Sequence[Finding], interchange_id: str, message_id: str | None = None
) -> None:
    session.add_all(_stored(finding, interchange_id, message_id) for finding in findings)


def _stored(finding: Finding, interchange_id: str, message_id: str | None) -> StoredFinding:
    return StoredFinding(
        interchange_id=interchange_id,
        message_id=message_id,
        code=finding.code,
        severity=finding.severity.value,
        level=finding.level.value,
        segment=finding.segment,
        position=finding.position,
        element=finding.element,
        component=finding.component,
        offset=finding.offset,
        value=finding.value,
        expected=finding.expected,
        path=finding.path,
        contrl=finding.contrl,
        texts={
            "en": {"text": finding.text("en"), "hint": finding.hint("en")},
            "fr": {"text": finding.text("fr"), "hint": finding.hint("fr")},
        },
    )


def processed_interchange(session: Session, partnership: str, control_reference: str) -> Interchange | None:
    """The inbound interchange that holds this control reference."""
    return session.scalar(
        select(Interchange).where(
            Interchange.direction == Direction.IN,
            Interchange.state == InterchangeState.PROCESSED,
            Interchange.partnership == partnership,
            Interchange.control_reference == control_reference,
        )
    )


def sent_interchange(session: Session, partnership: str, control_reference: str) -> Interchange | None:
    """What we sent under this control reference."""
    return session.scalar(
        select(Interchange).where(
            Interchange.direction == Direction.OUT,
            Interchange.partnership == partnership,
            Interchange.control_reference == control_reference,
        )
    )


def unacknowledged(partnerships: Collection[str], before: datetime) -> Select[Interchange]:
    """What was delivered to these partners before that time, asks for a CONTRL and has none; oldest first.

    Those that were found to be overdue before are left out.
    """
    return (
        select(Interchange)
        .join(Transmission, Transmission.id == Interchange.transmission_id)
        .where(
            Interchange.state == InterchangeState.SENT,
            Interchange.contrl_asked_at < before,
            Interchange.overdue_at.is_(None),
            Interchange.partnership.in_(partnerships),
            Transmission.state.in_((TransmissionState.SENT, TransmissionState.ACKNOWLEDGED)),
            Transmission.changed_at < before,
        )
        .order_by(Interchange.contrl_asked_at)
    )


def sent_document(session: Session, partnership: str, types: Collection[str], number: str) -> list[Message]:
    """What we sent of these types under this document number, the newest first."""
    return list(
        session.scalars(
            select(Message)
            .where(
                Message.partnership == partnership,
                Message.type.in_(types),
                Message.document_number == number,
                Message.direction == Direction.OUT,
            )
            .order_by(Message.at.desc(), Message.id.desc())
            .limit(SENT_DOCUMENTS_MAX)
        )
    )


def is_overdue() -> ColumnElement[bool]:
    """Of a message of ours: its CONTRL was asked for and did not come in time, and has not come since."""
    late = select(Interchange.id).where(Interchange.state == InterchangeState.SENT, Interchange.overdue_at.is_not(None))
    return Message.interchange_id.in_(late)


def answer_of(session: Session, interchange_id: str) -> Interchange | None:
    """The CONTRL that answered an interchange."""
    return session.scalar(select(Interchange).where(Interchange.answers_id == interchange_id))


def answers_to(session: Session, message_id: str) -> list[Message]:
    """The APERAKs to a message, theirs or ours, the newest first."""
    statement = select(Message).where(Message.answers_id == message_id)
    return list(session.scalars(statement.order_by(Message.at.desc(), Message.id.desc()).limit(ANSWERS_MAX)))


def messages_of(session: Session, interchange_id: str) -> list[Message]:
    return list(
        session.scalars(select(Message).where(Message.interchange_id == interchange_id).order_by(Message.ordinal))
    )


def findings_of(session: Session, message_id: str) -> list[StoredFinding]:
    return list(
        session.scalars(select(StoredFinding).where(StoredFinding.message_id == message_id).order_by(StoredFinding.id))
    )


def envelope_findings_of(session: Session, interchange_id: str) -> list[StoredFinding]:
    return list(
        session.scalars(
            select(StoredFinding)
            .where(StoredFinding.interchange_id == interchange_id, StoredFinding.message_id.is_(None))
            .order_by(StoredFinding.id)
        )
    )


def earlier_document(session: Session, message: Message) -> Message | None:
    """An applied or waiting inbound message of the same type and document number, the newest one."""
    return session.scalar(
        select(Message)
        .where(
            Message.partnership == message.partnership,
            Message.type == message.type,
            Message.document_number == message.document_number,
            Message.direction == Direction.IN,
            Message.state.in_((MessageState.APPLIED, MessageState.WAITING)),
            Message.id != message.id,
        )
        .order_by(Message.at.desc(), Message.id.desc())
        .limit(1)
    )


def waiting_messages(session: Session, partnership: str, order_number: str) -> list[Message]:
    """The messages that wait for the answer to this order, oldest first."""
    return list(
        session.scalars(
            select(Message)
            .where(
                Message.partnership == partnership,
                Message.awaits == order_number,
                Message.state == MessageState.WAITING,
            )
            .order_by(Message.at, Message.id)
        )
    )


def recent_messages(
    session: Session,
    *,
    limit: int,
    partnership: str | None = None,
    direction: Direction | None = None,
    type: str | None = None,
    state: MessageState | None = None,
    business_key: str | None = None,
    overdue: bool = False,
    before: tuple[datetime, str] | None = None,
) -> list[Message]:
    """The newest messages first, at most `limit`; `before` (time and id of the last one seen) pages on.

    `overdue`: only those of ours whose CONTRL was asked for and did not come in time.
    """
    statement = select(Message)
    if overdue:
        statement = statement.where(is_overdue())
    for column, value in (
        (Message.partnership, partnership),
        (Message.direction, direction),
        (Message.type, type),
        (Message.state, state),
        (Message.business_key, business_key),
    ):
        if value is not None:
            statement = statement.where(column == value)
    return list(session.scalars(_before(statement, before).limit(limit)))


def _before(statement: Select[Message], before: tuple[datetime, str] | None) -> Select[Message]:
    if before is not None:
        at, identifier = before
        statement = statement.where((Message.at < at) | ((Message.at == at) & (Message.id < identifier)))
    return statement.order_by(Message.at.desc(), Message.id.desc())
