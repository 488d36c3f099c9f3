"""Who may use the API, and who hears of events by webhook.

A token is kept as the SHA-256 of its text alone: it is 256 random bits, so that no slow hash is needed, and the store
gives nobody access. An endpoint's row is its queue too: `position` is the last event that it has taken (or that was not
for it), and events go to it one after the other.
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from enum import StrEnum
from typing import Any

from sqlalchemy import BigInteger, CheckConstraint, Index, Integer, Select, String, exists, or_, select
from sqlalchemy.orm import Mapped, Session, mapped_column

from edi_gateway.store.base import Base, JsonText, coded
from edi_gateway.store.business import BusinessEvent


class TokenRole(StrEnum):
    """What a token is for; `edi_gateway.gateway.tokens` says what each may do."""

    ADMIN = "admin"
    MARKETPLACE = "marketplace"
    OPERATOR = "operator"
    FINANCE = "finance"
    VENDOR = "vendor"
    READ_ONLY = "read-only"
    MONITOR = "monitor"


class ApiToken(Base):
    """One token, known by its digest."""

    __tablename__ = "api_token"

    id: Mapped[int] = mapped_column(BigInteger().with_variant(Integer, "sqlite"), primary_key=True, autoincrement=True)
    name: Mapped[str] = mapped_column(String(80), unique=True)
    role: Mapped[TokenRole] = mapped_column(coded(TokenRole, "role"))
    partnership: Mapped[str | None] = mapped_column(String(80))  # None: every partner's things
    sha256: Mapped[str] = mapped_column(String(64), unique=True)
    created_at: Mapped[datetime]
    expires_at: Mapped[datetime | None]
    revoked_at: Mapped[datetime | None]
    last_used_at: Mapped[datetime | None]

    __table_args__ = (
        CheckConstraint("role <> 'vendor' OR partnership IS NOT NULL", name="vendor_of_which"),
        CheckConstraint("role <> 'admin' OR partnership IS NULL", name="admin_of_all"),
    )

    @property
    def subject(self) -> str:
        return f"token:{self.name}"


class EndpointState(StrEnum):
    """Where a webhook endpoint stands; `edi_gateway.gateway.states` says which may follow which."""

    ACTIVE = "active"  # what happens is sent to it
    PARKED = "parked"  # it did not take an event before the deadline; the events wait for an operator
    REMOVED = "removed"


class WebhookEndpoint(Base):
    """A URL that hears of events, signed with a secret that the two of us share."""

    __tablename__ = "webhook_endpoint"

    id: Mapped[str] = mapped_column(String(64), primary_key=True)
    url: Mapped[str]
    state: Mapped[EndpointState] = mapped_column(coded(EndpointState, "state"))
    kinds: Mapped[Any] = mapped_column(JsonText)  # of events; an empty list: all
    partnership: Mapped[str | None] = mapped_column(String(80))  # None: every partner's
    secret: Mapped[str]  # sealed with the passphrase of our keys
    position: Mapped[int] = mapped_column(BigInteger)
    attempts: Mapped[int] = mapped_column(default=0)  # on the event that is next
    first_attempt_at: Mapped[datetime | None]
    due_at: Mapped[datetime | None]  # not before, after a failure
    lease_until: Mapped[datetime | None]  # somebody is sending
    reason: Mapped[str] = mapped_column(default="")  # of the last failure
    created_at: Mapped[datetime]
    delivered_at: Mapped[datetime | None]

    __table_args__ = (
        CheckConstraint("state <> 'parked' OR reason <> ''", name="reason_given"),
        CheckConstraint("attempts >= 0 AND position >= 0", name="counted"),
        Index("ix_webhook_endpoint_state", "state"),
    )

    @property
    def subject(self) -> str:
        return f"webhook:{self.id}"


def token_of(session: Session, sha256: str) -> ApiToken | None:
    """The token with this digest."""
    return session.scalar(select(ApiToken).where(ApiToken.sha256 == sha256))


def token_named(session: Session, name: str) -> ApiToken | None:
    return session.scalar(select(ApiToken).where(ApiToken.name == name))


def tokens(session: Session) -> Sequence[ApiToken]:
    """Every token, by name."""
    return list(session.scalars(select(ApiToken).order_by(ApiToken.name)))


def any_token(session: Session) -> bool:
    return bool(session.scalar(select(exists().where(ApiToken.revoked_at.is_(None)))))


def endpoints(session: Session, *, limit: int, partnership: str | None = None) -> Sequence[WebhookEndpoint]:
    """The endpoints that were not removed, oldest first; of one partner, or all."""
    statement = select(WebhookEndpoint).where(WebhookEndpoint.state != EndpointState.REMOVED)
    if partnership is not None:
        statement = statement.where(WebhookEndpoint.partnership == partnership)
    return list(session.scalars(statement.order_by(WebhookEndpoint.created_at, WebhookEndpoint.id).limit(limit)))


def events_after(number: int, *, kinds: Sequence[str] = (), partnership: str | None = None) -> Select[BusinessEvent]:
    """The events after this number, oldest first; of these kinds (`alert.*`: all that begin so), of one partner."""
    statement = select(BusinessEvent).where(BusinessEvent.number > number).order_by(BusinessEvent.number)
    if kinds:
        begin = [kind.removesuffix("*") for kind in kinds if kind.endswith(".*")]
        named = BusinessEvent.kind.in_(kinds)
        statement = statement.where(
            or_(named, *(BusinessEvent.kind.startswith(each, autoescape=True) for each in begin))
        )
    return statement if partnership is None else statement.where(BusinessEvent.partnership == partnership)
