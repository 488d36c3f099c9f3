"""Partnerships as they were applied: one row a revision, never changed except for the time at which it ended.

The row without an end is the one in force. Its number grows over all partnerships, so that the highest number says
whether anything changed. The document is the whole `Partnership` as JSON, certificates included: what was agreed at
the time of an old transmission can always be read.
"""

from __future__ import annotations

from collections.abc import Iterable
from datetime import datetime
from enum import StrEnum
from typing import Any

from pydantic import TypeAdapter
from sqlalchemy import BigInteger, Index, Integer, String, func, select, text
from sqlalchemy.orm import Mapped, Session, mapped_column

from edi_gateway.as2.certificates import load_certificates
from edi_gateway.partnership import DatedCertificate, Partnership
from edi_gateway.store.base import Base, JsonText, coded
from edi_gateway.store.database import hold


class PartnershipState(StrEnum):
    """Whether documents flow. A suspended partnership keeps its history and its names."""

    ACTIVE = "active"
    SUSPENDED = "suspended"


_IN_FORCE = text("valid_to IS NULL")


class PartnershipRevision(Base):
    """A partnership between two moments."""

    __tablename__ = "partnership_revision"
    __table_args__ = (
        # One revision of a name is in force, and a pair of AS2 names belongs to one partnership.
        Index(
            "uq_partnership_revision_in_force", "name", unique=True, sqlite_where=_IN_FORCE, postgresql_where=_IN_FORCE
        ),
        Index(
            "uq_partnership_revision_as2_names",
            "their_as2_id",
            "our_as2_id",
            unique=True,
            sqlite_where=_IN_FORCE,
            postgresql_where=_IN_FORCE,
        ),
        {"sqlite_autoincrement": True},
    )

    revision: Mapped[int] = mapped_column(BigInteger().with_variant(Integer, "sqlite"), primary_key=True)
    name: Mapped[str] = mapped_column(String(63))
    state: Mapped[PartnershipState] = mapped_column(coded(PartnershipState, "state"))
    their_as2_id: Mapped[str] = mapped_column(String(128))
    our_as2_id: Mapped[str] = mapped_column(String(128))
    document: Mapped[dict[str, Any]] = mapped_column(JsonText)
    fingerprints: Mapped[list[str]] = mapped_column(JsonText)  # SHA-256 of every certificate in the document, hex
    valid_from: Mapped[datetime]
    valid_to: Mapped[datetime | None]

    @property
    def partnership(self) -> Partnership:
        return from_document(self.document)


def latest_revision(session: Session) -> int:
    """The highest number given so far; 0 before the first. It grows with every change to any partnership."""
    return session.scalar(select(func.max(PartnershipRevision.revision))) or 0


def in_force(session: Session) -> list[PartnershipRevision]:
    """The revision in force of every partnership, by name, suspended ones too."""
    statement = select(PartnershipRevision).where(PartnershipRevision.valid_to.is_(None))
    return list(session.scalars(statement.order_by(PartnershipRevision.name)))


def history(session: Session, name: str) -> list[PartnershipRevision]:
    """Every revision of a partnership, the newest first."""
    statement = select(PartnershipRevision).where(PartnershipRevision.name == name)
    return list(session.scalars(statement.order_by(PartnershipRevision.revision.desc())))


def revision_at(session: Session, name: str, at: datetime) -> PartnershipRevision | None:
    """The revision of a partnership that was in force at that time; None if there was none."""
    return next((row for row in history(session, name) if row.valid_from <= at), None)


def put_in_force(
    session: Session, revisions: Iterable[tuple[Partnership, PartnershipState]], now: datetime
) -> list[PartnershipRevision]:
    """End the revisions of these partnerships that are in force, and begin new ones.

    All end before the first begins, so that two partnerships may swap their AS2 names.
    """
    hold(session.connection(), "partnerships")  # who sees a number has seen every smaller one
    wanted = list(revisions)
    names = {partnership.name for partnership, _ in wanted}
    for row in in_force(session):
        if row.name in names:
            row.valid_to = now
    session.flush()
    rows = [_row(partnership, state, now) for partnership, state in wanted]
    session.add_all(rows)
    session.flush()
    return rows


def to_document(partnership: Partnership) -> dict[str, Any]:
    """The partnership as JSON; equal partnerships give equal documents."""
    document: dict[str, Any] = _ADAPTER.dump_python(partnership, mode="json")
    for unordered in ("accepted_digests", "accepted_ciphers"):
        document["as2"][unordered].sort()
    return document


def from_document(document: dict[str, Any]) -> Partnership:
    """The partnership in a stored document. A field that is newer than the document has its default."""
    return _ADAPTER.validate_python(document)


def fingerprints(partnership: Partnership) -> list[str]:
    """The SHA-256 of its certificates, hex, sorted, each once."""
    as2 = partnership.as2
    connection = (*as2.tls.certificates, *as2.access.client_certificates)
    return sorted({_fingerprint(e) for e in (*as2.signing_certificates, *as2.encryption_certificates, *connection)})


def _row(partnership: Partnership, state: PartnershipState, now: datetime) -> PartnershipRevision:
    return PartnershipRevision(
        name=partnership.name,
        state=state,
        their_as2_id=partnership.as2.their_id,
        our_as2_id=partnership.as2.our_id,
        document=to_document(partnership),
        fingerprints=fingerprints(partnership),
        valid_from=now,
        valid_to=None,
    )


def _fingerprint(entry: DatedCertificate) -> str:
    return load_certificates(entry.pem)[0].fingerprint


_ADAPTER = TypeAdapter(Partnership)
