"""What is remembered of certificates: which alerts were given for which of them."""

from __future__ import annotations

from datetime import datetime

from sqlalchemy import CheckConstraint, String
from sqlalchemy.orm import Mapped, mapped_column

from edi_gateway.store.base import Base


class CertificateAlert(Base):
    """An alert that was given: the key decides that each is given once, whoever of several processes looks first."""

    __tablename__ = "certificate_alert"
    __table_args__ = (CheckConstraint("days >= 0", name="days_left"),)

    subject: Mapped[str] = mapped_column(String(200), primary_key=True)  # key:<name> or partnership:<name>
    fingerprint: Mapped[str] = mapped_column(String(64), primary_key=True)  # SHA-256, hex
    days: Mapped[int] = mapped_column(primary_key=True, autoincrement=False)  # of `ALERT_DAYS`; 0: it has expired
    at: Mapped[datetime]
