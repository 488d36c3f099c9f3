"""What the documents did: orders and their quantities, answers, shipments, stock, invoices; events for the shop.

The invariants of an order line (`edi_gateway.marketplace.quantities`) are CHECK constraints too. Quantities are exact
text, so the constraints cast them; SQLite compares the casts as floats, hence the slack of a millionth.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import date, datetime
from decimal import Decimal
from enum import StrEnum
from typing import Any

from sqlalchemy import (
    BigInteger,
    CheckConstraint,
    ForeignKey,
    Index,
    Integer,
    String,
    UniqueConstraint,
    select,
    text,
)
from sqlalchemy.engine import Dialect
from sqlalchemy.orm import Mapped, Session, mapped_column, relationship
from sqlalchemy.types import Text, TypeDecorator

from edi_gateway.marketplace.fulfilment import OrderMessageState, OrderState, PaymentState
from edi_gateway.marketplace.matching import DiscrepancyClass, MatchStatus, Owner
from edi_gateway.marketplace.parties import Moment
from edi_gateway.marketplace.quantities import LineState
from edi_gateway.partnership import Direction
from edi_gateway.store.base import Base, JsonText, coded
from edi_gateway.store.database import UnitOfWork
from edi_gateway.store.documents import Message

_SLACK = "0.000001"
_ZERO = Decimal(0)
_Key = BigInteger().with_variant(Integer, "sqlite")


class MomentText(TypeDecorator[Moment]):
    """A date or an aware datetime of a document, as ISO 8601 text: `2026-11-24`, `2026-11-24T06:00:00+00:00`."""

    impl = Text
    cache_ok = True

    def process_bind_param(self, value: Moment | None, dialect: Dialect) -> str | None:
        return None if value is None else value.isoformat()

    def process_result_value(self, value: str | None, dialect: Dialect) -> Moment | None:
        if value is None:
            return None
        return datetime.fromisoformat(value) if "T" in value else date.fromisoformat(value)


def _number(column: str) -> str:
    return f"CAST({column} AS NUMERIC)"


def _at_most(left: Sequence[str], right: Sequence[str]) -> str:
    """SQL: the sum of `left` is at most the sum of `right`."""
    return f"{' + '.join(map(_number, left))} <= {' + '.join(map(_number, right))} + {_SLACK}"


class OrderRow(Base):
    """An order. `state` is what `OrderProgress.state` derived when it was last saved, kept for lists."""

    __tablename__ = "purchase_order"

    id: Mapped[int] = mapped_column(_Key, primary_key=True, autoincrement=True)
    partnership: Mapped[str] = mapped_column(String(80))
    number: Mapped[str] = mapped_column(String(80))
    currency: Mapped[str] = mapped_column(String(3))
    state: Mapped[OrderState] = mapped_column(coded(OrderState, "state"))
    payment: Mapped[PaymentState] = mapped_column(coded(PaymentState, "payment"))
    message: Mapped[OrderMessageState] = mapped_column(coded(OrderMessageState, "message"))
    message_id: Mapped[str | None] = mapped_column(ForeignKey(Message.id))  # the ORDERS
    record: Mapped[Any] = mapped_column(JsonText)
    record_sha256: Mapped[str] = mapped_column(String(64))
    idempotency_key: Mapped[str | None] = mapped_column(String(200), unique=True)
    held: Mapped[str] = mapped_column(default="")  # why it waits for an operator
    asked: Mapped[OrderState | None] = mapped_column(coded(OrderState, "asked"))  # of the vendor, and not answered
    revision: Mapped[int] = mapped_column(default=1)  # counts the changes, so that each event has a key of its own
    created_at: Mapped[datetime]
    emitted_at: Mapped[datetime | None]  # ORDERS was queued
    answered_at: Mapped[datetime | None]  # the newest ORDRSP
    changed_at: Mapped[datetime]
    masked_at: Mapped[datetime | None]  # when the personal data in its record were
    lines: Mapped[list[OrderLineRow]] = relationship(order_by="OrderLineRow.number", lazy="selectin")

    __table_args__ = (
        UniqueConstraint("partnership", "number"),
        CheckConstraint("message = 'not_sent' OR payment = 'accepted'", name="paid_before_sent"),
        CheckConstraint("revision > 0", name="revisions_from_one"),
        Index("ix_purchase_order_number", "number"),
        Index("ix_purchase_order_created", "created_at", "id"),
        Index("ix_purchase_order_state", "state", "created_at"),
        Index("ix_purchase_order_message_id", "message_id"),
        Index("ix_purchase_order_held", "changed_at", sqlite_where=held != "", postgresql_where=held != ""),
    )

    @property
    def subject(self) -> str:
        return f"order:{self.partnership}/{self.number}"


_QUANTITIES = (
    "ordered",
    "confirmed",
    "backordered",
    "rejected",
    "cancelled",
    "shipped",
    "overshipped",
    "invoiced",
    "credited",
    "withdrawn",
)


PROPOSED = "proposed_price IS NOT NULL"
EXCESS = f"{_number('overshipped')} > 0"
UNCLEAR = f"received IS NOT NULL AND {_number('received')} <> {_number('shipped')} + {_number('overshipped')}"
"""SQL: the lines that an operator has to look at; spelled alike in the partial indexes and in the questions."""


class OrderLineRow(Base):
    """One line of an order and its quantities."""

    __tablename__ = "order_line"

    id: Mapped[int] = mapped_column(_Key, primary_key=True, autoincrement=True)
    order_id: Mapped[int] = mapped_column(ForeignKey(OrderRow.id))
    number: Mapped[int]
    article: Mapped[str] = mapped_column(String(120))
    state: Mapped[LineState] = mapped_column(coded(LineState, "state"))
    ordered: Mapped[Decimal]
    confirmed: Mapped[Decimal] = mapped_column(default=_ZERO)
    backordered: Mapped[Decimal] = mapped_column(default=_ZERO)
    rejected: Mapped[Decimal] = mapped_column(default=_ZERO)
    cancelled: Mapped[Decimal] = mapped_column(default=_ZERO)
    shipped: Mapped[Decimal] = mapped_column(default=_ZERO)
    overshipped: Mapped[Decimal] = mapped_column(default=_ZERO)
    invoiced: Mapped[Decimal] = mapped_column(default=_ZERO)
    credited: Mapped[Decimal] = mapped_column(default=_ZERO)
    withdrawn: Mapped[Decimal] = mapped_column(default=_ZERO)
    received: Mapped[Decimal | None]  # RECADV: taken over
    confirmed_price: Mapped[Decimal | None]
    proposed_price: Mapped[Decimal | None]
    promised_ship: Mapped[Any] = mapped_column(MomentText, nullable=True)
    promised_delivery: Mapped[Any] = mapped_column(MomentText, nullable=True)
    reason: Mapped[str] = mapped_column(default="")

    __table_args__ = (
        UniqueConstraint("order_id", "number"),
        *(CheckConstraint(f"{_number(name)} >= 0", name=f"{name}_not_negative") for name in _QUANTITIES),
        CheckConstraint(
            _at_most(("confirmed", "backordered", "rejected", "cancelled"), ("ordered",)), name="answered_at_most_once"
        ),
        CheckConstraint(_at_most(("shipped",), ("confirmed",)), name="shipped_as_confirmed"),
        CheckConstraint(_at_most(("invoiced",), ("shipped", "overshipped")), name="invoiced_as_shipped"),
        CheckConstraint(_at_most(("credited",), ("invoiced",)), name="credited_as_invoiced"),
        CheckConstraint(_at_most(("withdrawn",), ("cancelled",)), name="withdrawn_as_cancelled"),
        CheckConstraint(f"received IS NULL OR {_number('received')} >= 0", name="received_not_negative"),
        Index("ix_order_line_proposed", "order_id", sqlite_where=text(PROPOSED), postgresql_where=text(PROPOSED)),
        Index("ix_order_line_unclear", "order_id", sqlite_where=text(UNCLEAR), postgresql_where=text(UNCLEAR)),
        Index("ix_order_line_over_shipped", "order_id", sqlite_where=text(EXCESS), postgresql_where=text(EXCESS)),
    )


class ConfirmationRow(Base):
    """One answer to an order; a newer one replaces it, none is edited."""

    __tablename__ = "confirmation"

    id: Mapped[int] = mapped_column(_Key, primary_key=True, autoincrement=True)
    order_id: Mapped[int] = mapped_column(ForeignKey(OrderRow.id))
    revision: Mapped[int]
    number: Mapped[str] = mapped_column(String(80))
    response: Mapped[str] = mapped_column(String(3))
    message_id: Mapped[str] = mapped_column(ForeignKey(Message.id), index=True)
    received_at: Mapped[datetime]

    __table_args__ = (
        UniqueConstraint("order_id", "revision"),
        CheckConstraint("revision > 0", name="revisions_from_one"),
        Index("ix_confirmation_received", "received_at", "id"),
    )


class ChangeKind(StrEnum):
    """What the shop asks of an order that has left."""

    CHANGE = "change"
    CANCEL = "cancel"


class ChangeState(StrEnum):
    """Where a change stands."""

    REQUESTED = "requested"  # ORDCHG is on its way, the vendor has not answered
    ACCEPTED = "accepted"  # it has taken effect
    REFUSED = "refused"  # by the vendor, or because the goods had left


class OrderChangeRow(Base):
    """One change, or cancellation, of an order; numbered, never edited. Of one order only one is open."""

    __tablename__ = "order_change"

    id: Mapped[int] = mapped_column(_Key, primary_key=True, autoincrement=True)
    order_id: Mapped[int] = mapped_column(ForeignKey(OrderRow.id))
    version: Mapped[int]
    number: Mapped[str] = mapped_column(String(80))  # BGM 1004 of the ORDCHG
    kind: Mapped[ChangeKind] = mapped_column(coded(ChangeKind, "kind"))
    state: Mapped[ChangeState] = mapped_column(coded(ChangeState, "state"))
    content: Mapped[Any] = mapped_column(JsonText)  # the lines and what is asked of them
    reason: Mapped[str] = mapped_column(default="")
    message_id: Mapped[str | None] = mapped_column(ForeignKey(Message.id))  # the ORDCHG
    requested_at: Mapped[datetime]
    settled_at: Mapped[datetime | None]
    settled_by: Mapped[str] = mapped_column(default="")  # why it stands as it stands

    __table_args__ = (
        UniqueConstraint("order_id", "version"),
        CheckConstraint("version > 0", name="versions_from_one"),
        CheckConstraint("(state = 'requested') = (settled_at IS NULL)", name="settled_when"),
        Index(
            "uq_order_change_open",
            "order_id",
            unique=True,
            sqlite_where=state == "requested",
            postgresql_where=state == "requested",
        ),
    )


class ShipmentRow(Base):
    """One despatch advice."""

    __tablename__ = "shipment"

    id: Mapped[int] = mapped_column(_Key, primary_key=True, autoincrement=True)
    partnership: Mapped[str] = mapped_column(String(80))
    number: Mapped[str] = mapped_column(String(80))
    year: Mapped[int]  # a supplier may use a number again in another year
    shipped: Mapped[Any] = mapped_column(MomentText, nullable=True)
    estimated_arrival: Mapped[Any] = mapped_column(MomentText, nullable=True)
    carrier: Mapped[str] = mapped_column(default="")
    tracking: Mapped[str] = mapped_column(default="")
    cancelled_by: Mapped[str | None] = mapped_column(ForeignKey(Message.id))  # the DESADV with 1225 = 1 or 4
    message_id: Mapped[str] = mapped_column(ForeignKey(Message.id), index=True)
    received_at: Mapped[datetime]
    packages: Mapped[list[PackageRow]] = relationship(order_by="PackageRow.id", lazy="selectin")
    lines: Mapped[list[ShipmentLineRow]] = relationship(order_by="ShipmentLineRow.id", lazy="selectin")

    __table_args__ = (
        UniqueConstraint("partnership", "number", "year"),
        Index("ix_shipment_received", "received_at", "id"),
    )


class PackageRow(Base):
    """One package of a shipment."""

    __tablename__ = "package"

    id: Mapped[int] = mapped_column(_Key, primary_key=True, autoincrement=True)
    shipment_id: Mapped[int] = mapped_column(ForeignKey(ShipmentRow.id))
    number: Mapped[str] = mapped_column(String(20))  # CPS 7164
    parent: Mapped[str] = mapped_column(String(20), default="")
    type: Mapped[str] = mapped_column(String(20), default="")
    ssccs: Mapped[list[SsccRow]] = relationship(order_by="SsccRow.id", lazy="selectin")

    __table_args__ = (UniqueConstraint("shipment_id", "number"),)


class SsccRow(Base):
    """One SSCC on a package. Not unique: a vendor who uses one again is warned, not stopped."""

    __tablename__ = "sscc"

    id: Mapped[int] = mapped_column(_Key, primary_key=True, autoincrement=True)
    package_id: Mapped[int] = mapped_column(ForeignKey(PackageRow.id), index=True)
    sscc: Mapped[str] = mapped_column(String(18), index=True)


class ShipmentLineRow(Base):
    """What a shipment brought of one order line, over all its packages."""

    __tablename__ = "shipment_line"

    id: Mapped[int] = mapped_column(_Key, primary_key=True, autoincrement=True)
    shipment_id: Mapped[int] = mapped_column(ForeignKey(ShipmentRow.id))
    order_line_id: Mapped[int] = mapped_column(ForeignKey(OrderLineRow.id), index=True)
    article: Mapped[str] = mapped_column(String(120))
    quantity: Mapped[Decimal]
    despatched_at: Mapped[datetime]

    __table_args__ = (
        UniqueConstraint("shipment_id", "order_line_id"),
        CheckConstraint(f"{_number('quantity')} >= 0", name="quantity_not_negative"),
        Index("ix_shipment_line_article", "article", "despatched_at"),
    )


class StockLevelRow(Base):
    """The stock of an article of a vendor at a place, and what we did since its report."""

    __tablename__ = "stock_level"

    id: Mapped[int] = mapped_column(_Key, primary_key=True, autoincrement=True)
    partnership: Mapped[str] = mapped_column(String(80))
    article: Mapped[str] = mapped_column(String(120))
    location: Mapped[str] = mapped_column(String(80), default="")
    gtin: Mapped[str] = mapped_column(String(14), default="")
    supplier_article: Mapped[str] = mapped_column(String(80), default="")
    unit: Mapped[str] = mapped_column(String(8), default="PCE")
    actual: Mapped[Decimal]
    committed: Mapped[Decimal] = mapped_column(default=_ZERO)
    in_transit: Mapped[Decimal] = mapped_column(default=_ZERO)
    reserved: Mapped[Decimal] = mapped_column(default=_ZERO)
    despatched: Mapped[Decimal] = mapped_column(default=_ZERO)
    discontinued: Mapped[bool] = mapped_column(default=False)
    as_of: Mapped[datetime]
    message_id: Mapped[str] = mapped_column(ForeignKey(Message.id))  # the INVRPT

    __table_args__ = (
        UniqueConstraint("partnership", "article", "location"),
        *(
            CheckConstraint(f"{_number(name)} >= 0", name=f"{name}_not_negative")
            for name in ("actual", "committed", "in_transit", "reserved", "despatched")
        ),
        Index("ix_stock_level_article", "article", "partnership", "location"),
    )


class ReservationRow(Base):
    """The stock that is set aside for an order line: confirmed and not yet shipped."""

    __tablename__ = "stock_reservation"

    order_line_id: Mapped[int] = mapped_column(ForeignKey(OrderLineRow.id), primary_key=True, autoincrement=False)
    partnership: Mapped[str] = mapped_column(String(80))
    article: Mapped[str] = mapped_column(String(120))
    level_id: Mapped[int | None] = mapped_column(ForeignKey(StockLevelRow.id))  # None until stock is reported
    quantity: Mapped[Decimal]

    __table_args__ = (
        CheckConstraint(f"{_number('quantity')} >= 0", name="quantity_not_negative"),
        Index("ix_stock_reservation_article", "partnership", "article"),
    )


class InvoiceKind(StrEnum):
    """What an invoice is for."""

    GOODS = "goods"
    CREDIT_NOTE = "credit_note"
    COMMISSION = "commission"


class InvoiceState(StrEnum):
    """Where an invoice stands."""

    MATCHED = "matched"
    MISMATCH = "mismatch"  # held; the discrepancies say why
    DUPLICATE = "duplicate"  # the number was used before in the year
    ISSUED = "issued"  # ours, sent to the vendor


class InvoiceRow(Base):
    """One invoice, from a vendor (in) or to it (out)."""

    __tablename__ = "invoice"

    id: Mapped[int] = mapped_column(_Key, primary_key=True, autoincrement=True)
    direction: Mapped[Direction] = mapped_column(coded(Direction, "direction"))
    partnership: Mapped[str] = mapped_column(String(80))
    kind: Mapped[InvoiceKind] = mapped_column(coded(InvoiceKind, "kind"))
    number: Mapped[str] = mapped_column(String(80))
    year: Mapped[int]  # French uniqueness: number, year and issuer
    type_code: Mapped[str] = mapped_column(String(3))
    state: Mapped[InvoiceState] = mapped_column(coded(InvoiceState, "state"))
    match_status: Mapped[MatchStatus | None] = mapped_column(coded(MatchStatus, "match_status"))
    currency: Mapped[str] = mapped_column(String(3))
    issued: Mapped[date]
    due: Mapped[date | None]
    net: Mapped[Decimal]
    vat: Mapped[Decimal]
    total: Mapped[Decimal]
    message_id: Mapped[str] = mapped_column(ForeignKey(Message.id), index=True)
    charged_by_id: Mapped[int | None] = mapped_column(ForeignKey("invoice.id"))  # goods: the commission invoice
    at: Mapped[datetime]
    lines: Mapped[list[InvoiceLineRow]] = relationship(order_by="InvoiceLineRow.id", lazy="selectin")
    discrepancies: Mapped[list[DiscrepancyRow]] = relationship(
        order_by="DiscrepancyRow.id", lazy="selectin", cascade="all, delete-orphan"
    )

    __table_args__ = (
        CheckConstraint("(kind = 'commission') = (state = 'issued')", name="only_ours_are_issued"),
        CheckConstraint("state <> 'mismatch' OR match_status = 'mismatch_held'", name="held_says_so"),
        Index(
            "uq_invoice_number",
            "direction",
            "partnership",
            "number",
            "year",
            unique=True,
            sqlite_where=state != "duplicate",
            postgresql_where=state != "duplicate",
        ),
        Index("ix_invoice_at", "at", "id"),
        Index("ix_invoice_held", "at", "id", sqlite_where=state == "mismatch", postgresql_where=state == "mismatch"),
        Index("ix_invoice_cycle", "partnership", "issued"),
        Index("ix_invoice_charged_by_id", "charged_by_id"),
    )

    @property
    def subject(self) -> str:
        return f"invoice:{self.partnership}/{self.number}"


class InvoiceLineRow(Base):
    """How much of which order line an invoice bills."""

    __tablename__ = "invoice_line"

    id: Mapped[int] = mapped_column(_Key, primary_key=True, autoincrement=True)
    invoice_id: Mapped[int] = mapped_column(ForeignKey(InvoiceRow.id))
    order_line_id: Mapped[int] = mapped_column(ForeignKey(OrderLineRow.id), index=True)
    order_number: Mapped[str] = mapped_column(String(80))
    line: Mapped[int]
    quantity: Mapped[Decimal]

    __table_args__ = (UniqueConstraint("invoice_id", "order_line_id"),)


class DiscrepancyRow(Base):
    """One disagreement of an invoice."""

    __tablename__ = "discrepancy"

    id: Mapped[int] = mapped_column(_Key, primary_key=True, autoincrement=True)
    invoice_id: Mapped[int] = mapped_column(ForeignKey(InvoiceRow.id), index=True)
    kind: Mapped[DiscrepancyClass] = mapped_column(coded(DiscrepancyClass, "kind"))
    owner: Mapped[Owner] = mapped_column(coded(Owner, "owner"))
    path: Mapped[str]
    found: Mapped[str]
    expected: Mapped[str]
    within_tolerance: Mapped[bool]
    since: Mapped[datetime]


class CommissionCycle(Base):
    """A cycle whose commission was invoiced: once."""

    __tablename__ = "commission_cycle"

    id: Mapped[int] = mapped_column(_Key, primary_key=True, autoincrement=True)
    partnership: Mapped[str] = mapped_column(String(80))
    start: Mapped[date]
    end: Mapped[date]
    currency: Mapped[str] = mapped_column(String(3))
    invoice_id: Mapped[int] = mapped_column(ForeignKey(InvoiceRow.id), unique=True)

    __table_args__ = (
        UniqueConstraint("partnership", "start", "end", "currency"),
        CheckConstraint('"start" <= "end"', name="start_before_end"),
    )


class BusinessEvent(Base):
    """Something the shop must hear of (payment, stock), in the order in which it happened. `key` says it only once."""

    __tablename__ = "business_event"

    number: Mapped[int] = mapped_column(_Key, primary_key=True, autoincrement=True)
    key: Mapped[str] = mapped_column(String(200), unique=True)
    kind: Mapped[str] = mapped_column(String(60))
    partnership: Mapped[str] = mapped_column(String(80))
    order_number: Mapped[str] = mapped_column(String(80))
    at: Mapped[datetime]
    body: Mapped[Any] = mapped_column(JsonText)

    __table_args__ = (
        Index("ix_business_event_order", "partnership", "order_number"),
        Index("ix_business_event_partnership", "partnership", "number"),
        Index("ix_business_event_kind", "kind", "number"),
    )


WEBHOOKS = "webhooks"
"""The task that sends the feed on; its key "" is a look at every endpoint."""


def put_into_feed(uow: UnitOfWork, values: Mapping[str, Any]) -> None:
    """Tell the shop of something, once for its `key`, when this commits; the numbers rise in the order of commits."""
    uow.insert_in_turn(BusinessEvent, values)
    uow.wake(WEBHOOKS, "")


def find_order(session: Session, partnership: str, number: str, *, lock: bool = False) -> OrderRow | None:
    """One order; `lock` holds it until the transaction ends (PostgreSQL; SQLite has one writer anyhow)."""
    statement = select(OrderRow).where(OrderRow.partnership == partnership, OrderRow.number == number)
    return session.scalar(statement.with_for_update() if lock else statement)


def order_currencies(session: Session, partnership: str, numbers: Sequence[str]) -> set[str]:
    """The currencies of those of a partner's orders that are known."""
    if not numbers:
        return set()
    ours = (OrderRow.partnership == partnership) & OrderRow.number.in_(numbers)
    return set(session.scalars(select(OrderRow.currency).where(ours).distinct()))


def order_by_key(session: Session, idempotency_key: str) -> OrderRow | None:
    """The order that was taken in under this key."""
    return session.scalar(select(OrderRow).where(OrderRow.idempotency_key == idempotency_key))


def orders_numbered(session: Session, number: str) -> list[OrderRow]:
    """Every partner's order of this number."""
    return list(session.scalars(select(OrderRow).where(OrderRow.number == number).order_by(OrderRow.id)))


def changes_of(session: Session, order_id: int) -> list[OrderChangeRow]:
    """What the shop asked of the order after it had left, oldest first."""
    statement = select(OrderChangeRow).where(OrderChangeRow.order_id == order_id)
    return list(session.scalars(statement.order_by(OrderChangeRow.version)))


def open_change(session: Session, order_id: int) -> OrderChangeRow | None:
    """The change that the vendor has not answered."""
    return session.scalar(
        select(OrderChangeRow).where(OrderChangeRow.order_id == order_id, OrderChangeRow.state == ChangeState.REQUESTED)
    )


def confirmations_of(session: Session, order_id: int) -> list[ConfirmationRow]:
    return list(
        session.scalars(
            select(ConfirmationRow).where(ConfirmationRow.order_id == order_id).order_by(ConfirmationRow.revision)
        )
    )


def levels_of(session: Session, partnership: str, article: str) -> list[StockLevelRow]:
    """The article's stock, place by place."""
    return list(
        session.scalars(
            select(StockLevelRow)
            .where(StockLevelRow.partnership == partnership, StockLevelRow.article == article)
            .order_by(StockLevelRow.location)
        )
    )


def held_invoices(session: Session, order_line_ids: Sequence[int]) -> list[InvoiceRow]:
    """The held invoices that bill any of these order lines, oldest first."""
    return list(
        session.scalars(
            select(InvoiceRow)
            .join(InvoiceLineRow)
            .where(InvoiceRow.state == InvoiceState.MISMATCH, InvoiceLineRow.order_line_id.in_(order_line_ids))
            .order_by(InvoiceRow.at, InvoiceRow.id)
            .distinct()
        )
    )
