"""What is expected of a partner by a certain time: a row a thing, kept when it came, late or in time.

The open ones stand in partial indexes, so what is overdue is found at once, however many have been met.
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime

from sqlalchemy import (
    BigInteger,
    CheckConstraint,
    ColumnElement,
    Index,
    Integer,
    Select,
    String,
    UniqueConstraint,
    select,
)
from sqlalchemy.orm import Mapped, Session, mapped_column

from edi_gateway.partnership import DeadlineKind
from edi_gateway.store.base import Base, coded


def _while(name: str, where: ColumnElement[bool], *columns: str) -> Index:
    """An index of those rows only."""
    return Index(name, *columns, sqlite_where=where, postgresql_where=where)


class DeadlineRow(Base):
    """One thing that is expected: for an order, a message, a transmission or a partner (`subject`)."""

    __tablename__ = "deadline"

    id: Mapped[int] = mapped_column(BigInteger().with_variant(Integer, "sqlite"), primary_key=True, autoincrement=True)
    kind: Mapped[DeadlineKind] = mapped_column(coded(DeadlineKind, "kind"))
    partnership: Mapped[str] = mapped_column(String(80))
    order_number: Mapped[str] = mapped_column(String(80), default="")
    subject: Mapped[str] = mapped_column(String(200))
    since: Mapped[datetime]
    due_at: Mapped[datetime]
    overdue_at: Mapped[datetime | None] = mapped_column()  # when that was seen, and said
    closed_at: Mapped[datetime | None] = mapped_column()  # it came, or is expected no longer

    __table_args__ = (
        UniqueConstraint("kind", "subject"),
        CheckConstraint("overdue_at IS NULL OR overdue_at >= due_at", name="overdue_after_due"),
        _while("ix_deadline_open", closed_at.is_(None), "due_at", "id"),
        _while("ix_deadline_open_partnership", closed_at.is_(None), "partnership", "due_at", "id"),
        _while("ix_deadline_open_order", closed_at.is_(None), "partnership", "order_number"),
        _while("ix_deadline_unseen", closed_at.is_(None) & overdue_at.is_(None), "due_at", "id"),
    )


def overdue(
    session: Session, now: datetime, *, partnership: str | None = None, kind: DeadlineKind | None = None, limit: int
) -> list[DeadlineRow]:
    """What should have come before `now`, the longest overdue first, at most `limit`."""
    statement = _open().where(DeadlineRow.due_at < now)
    if partnership is not None:
        statement = statement.where(DeadlineRow.partnership == partnership)
    if kind is not None:
        statement = statement.where(DeadlineRow.kind == kind)
    return list(session.scalars(statement.order_by(DeadlineRow.due_at, DeadlineRow.id).limit(limit)))


def unseen(session: Session, now: datetime, limit: int) -> Sequence[int]:
    """The ids of what is overdue and was not told yet."""
    statement = select(DeadlineRow.id).where(
        DeadlineRow.closed_at.is_(None), DeadlineRow.overdue_at.is_(None), DeadlineRow.due_at < now
    )
    return session.scalars(statement.order_by(DeadlineRow.due_at, DeadlineRow.id).limit(limit)).all()


def open_for_order(session: Session, partnership: str, order_number: str) -> list[DeadlineRow]:
    """What is expected about an order."""
    statement = _open().where(DeadlineRow.partnership == partnership, DeadlineRow.order_number == order_number)
    return list(session.scalars(statement))


def find_deadline(session: Session, kind: DeadlineKind, subject: str) -> DeadlineRow | None:
    """The row of this kind and subject, open or not."""
    return session.scalar(select(DeadlineRow).where(DeadlineRow.kind == kind, DeadlineRow.subject == subject))


def _open() -> Select[DeadlineRow]:
    return select(DeadlineRow).where(DeadlineRow.closed_at.is_(None))
