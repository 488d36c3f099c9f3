"""What is remembered of certificates: which alerts were given for which, and which were proposed by messages."""

from __future__ import annotations

from datetime import datetime
from enum import StrEnum

from sqlalchemy import CheckConstraint, ForeignKey, Index, String, UniqueConstraint, select
from sqlalchemy.orm import Mapped, Session, mapped_column

from edi_gateway.store.base import Base, JsonText, coded


class CertificateAlert(Base):
    """An alert that was given: the key decides that each is given once, whoever of several processes looks first."""

    __tablename__ = "certificate_alert"
    __table_args__ = (CheckConstraint("days >= 0", name="days_left"),)

    subject: Mapped[str] = mapped_column(String(200), primary_key=True)  # key:<name> or partnership:<name>
    fingerprint: Mapped[str] = mapped_column(String(64), primary_key=True)  # SHA-256, hex
    days: Mapped[int] = mapped_column(primary_key=True, autoincrement=False)  # of `ALERT_DAYS`; 0: it has expired
    at: Mapped[datetime]


class ProposalDirection(StrEnum):
    """Seen from us."""

    IN = "in"  # theirs: an operator decides whether we trust it
    OUT = "out"  # ours: the partner decides


class ProposalState(StrEnum):
    """Where a certificate stands that was proposed by a message."""

    PENDING = "pending"
    ACCEPTED = "accepted"
    REJECTED = "rejected"


class CertificateProposal(Base):
    """A certificate that one side proposed to the other by a certificate exchange message (CEM)."""

    __tablename__ = "certificate_proposal"
    __table_args__ = (
        # A request that is taken in twice proposes nothing twice.
        UniqueConstraint("direction", "partnership", "request_id", "fingerprint", name="uq_certificate_proposal_once"),
        CheckConstraint("state = 'pending' OR decided_at IS NOT NULL", name="decision_dated"),
        Index("ix_certificate_proposal_state", "state", "partnership"),
    )

    id: Mapped[str] = mapped_column(String(64), primary_key=True)
    direction: Mapped[ProposalDirection] = mapped_column(coded(ProposalDirection, "direction"))
    state: Mapped[ProposalState] = mapped_column(coded(ProposalState, "state"))
    partnership: Mapped[str] = mapped_column(String(80))
    request_id: Mapped[str] = mapped_column(String(255))
    fingerprint: Mapped[str] = mapped_column(String(64))  # SHA-256, hex
    pem: Mapped[str]
    usages: Mapped[list[str]] = mapped_column(JsonText)  # CertUsage values
    respond_by: Mapped[datetime | None]
    created_at: Mapped[datetime]
    decided_at: Mapped[datetime | None]
    reason: Mapped[str] = mapped_column(default="")  # of a rejection
    overdue_at: Mapped[datetime | None]  # when the alert was given that nobody has answered in time
    transmission_id: Mapped[str | None] = mapped_column(ForeignKey("transmission.id"))  # that carried the request
    answer_id: Mapped[str | None] = mapped_column(ForeignKey("transmission.id"))  # that carried the response

    @property
    def subject(self) -> str:
        """How the event log names it."""
        return f"{self.__tablename__}:{self.id}"


def proposals(
    session: Session,
    *,
    state: ProposalState | None = None,
    partnership: str = "",
    direction: ProposalDirection | None = None,
) -> list[CertificateProposal]:
    """The proposals, the oldest first."""
    statement = select(CertificateProposal)
    if state is not None:
        statement = statement.where(CertificateProposal.state == state)
    if partnership:
        statement = statement.where(CertificateProposal.partnership == partnership)
    if direction is not None:
        statement = statement.where(CertificateProposal.direction == direction)
    return list(session.scalars(statement.order_by(CertificateProposal.created_at, CertificateProposal.id)))
