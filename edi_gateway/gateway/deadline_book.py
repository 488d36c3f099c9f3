"""Deadlines in the store: opened, moved and closed as what they wait for changes. `gateway.overdue` looks at them.

`follow` is called whenever an order was saved: what the order now makes us expect is compared with what stands open.
"""

from __future__ import annotations

from collections.abc import Mapping
from datetime import UTC, datetime
from decimal import Decimal

from sqlalchemy import select

from edi_gateway.marketplace.calendars import calendar_of, due
from edi_gateway.marketplace.expectations import Clocks, agreed, expected
from edi_gateway.marketplace.fulfilment import OrderProgress
from edi_gateway.marketplace.moments import instant
from edi_gateway.partnership import DeadlineKind, Direction, Partnership
from edi_gateway.store.business import (
    InvoiceKind,
    InvoiceLineRow,
    InvoiceRow,
    InvoiceState,
    OrderRow,
    ShipmentLineRow,
    ShipmentRow,
    open_change,
    put_into_feed,
)
from edi_gateway.store.database import UnitOfWork
from edi_gateway.store.deadlines import DeadlineRow, find_deadline, open_for_order
from edi_gateway.store.documents import Message

_ZERO = Decimal(0)


def follow(uow: UnitOfWork, partnership: Partnership, row: OrderRow, progress: OrderProgress, now: datetime) -> None:
    """Make the deadlines of an order what the order as it stands expects."""
    terms = agreed(partnership, calendar_of(partnership))
    wanted = expected(progress, _clocks(uow, row), terms)
    open_rows = {each.kind: each for each in open_for_order(uow.session, row.partnership, row.number)}
    for kind, due_at in wanted.items():
        _expect(uow, open_rows.get(kind), kind, row, due_at, now)
    for kind, each in open_rows.items():
        if kind not in wanted and each.subject == row.subject:
            close(uow, each, now)


def _clocks(uow: UnitOfWork, row: OrderRow) -> Clocks:
    change = open_change(uow.session, row.id)
    return Clocks(
        emitted=row.emitted_at,
        answered=row.answered_at,
        delivered=_not_invoiced_since(uow, row),
        changed=change.requested_at if change is not None else None,
    )


def _not_invoiced_since(uow: UnitOfWork, row: OrderRow) -> datetime | None:
    """When the oldest shipment arrived of which a part stands on no invoice, agreed or held."""
    if not any(line.shipped for line in row.lines):
        return None
    billed = _billed(uow, [line.id for line in row.lines])
    shipped = uow.session.execute(
        select(ShipmentLineRow.order_line_id, ShipmentLineRow.quantity, ShipmentRow)
        .join(ShipmentRow, ShipmentRow.id == ShipmentLineRow.shipment_id)
        .where(ShipmentLineRow.order_line_id.in_([line.id for line in row.lines]))
        .order_by(ShipmentRow.id)
    )
    for line_id, quantity, shipment in shipped:
        billed[line_id] = billed.get(line_id, _ZERO) - quantity
        if billed[line_id] < 0:
            return _arrival(shipment)
    return None


def _billed(uow: UnitOfWork, line_ids: list[int]) -> dict[int, Decimal]:
    found: dict[int, Decimal] = {}
    rows = uow.session.execute(
        select(InvoiceLineRow.order_line_id, InvoiceLineRow.quantity)
        .join(InvoiceRow, InvoiceRow.id == InvoiceLineRow.invoice_id)
        .where(
            InvoiceLineRow.order_line_id.in_(line_ids),
            InvoiceRow.kind == InvoiceKind.GOODS,
            InvoiceRow.state != InvoiceState.DUPLICATE,
        )
    )
    for line_id, quantity in rows:
        found[line_id] = found.get(line_id, _ZERO) + quantity
    return found


def _arrival(shipment: ShipmentRow) -> datetime:
    return instant(shipment.estimated_arrival or shipment.shipped or shipment.received_at)


def _expect(
    uow: UnitOfWork, row: DeadlineRow | None, kind: DeadlineKind, order: OrderRow, due_at: datetime, now: datetime
) -> None:
    """Open the deadline, or move it where it has changed."""
    if row is not None and row.due_at == due_at:
        return
    expect(uow, kind, order.subject, order.partnership, due_at, now, order_number=order.number)


def expect(
    uow: UnitOfWork,
    kind: DeadlineKind,
    subject: str,
    partnership: str,
    due_at: datetime,
    now: datetime,
    *,
    order_number: str = "",
) -> DeadlineRow:
    """Open a deadline, or set it anew: it will be told again when it is overdue again."""
    row = find_deadline(uow.session, kind, subject)
    if row is None:
        row = DeadlineRow(kind=kind, subject=subject, partnership=partnership, order_number=order_number)
        uow.session.add(row)
    elif row.closed_at is None and row.overdue_at is not None:
        _late(uow, row, "it is expected later", now)
    row.since, row.due_at, row.overdue_at, row.closed_at = now, due_at.astimezone(UTC), None, None
    uow.session.flush()
    return row


def await_document(uow: UnitOfWork, partnership: Partnership, message: Message, now: datetime) -> None:
    """A message waits for another document: that is to come within the time agreed."""
    due_at = due(calendar_of(partnership), partnership.deadlines.waiting, message.at)
    known = find_deadline(uow.session, DeadlineKind.WAITING, message.subject)
    if known is None or known.closed_at is not None:
        number = message.awaits or message.business_key
        expect(uow, DeadlineKind.WAITING, message.subject, partnership.name, due_at, now, order_number=number)


def met(uow: UnitOfWork, kind: DeadlineKind, subject: str, now: datetime) -> None:
    """What was expected has come, or is expected no longer."""
    row = find_deadline(uow.session, kind, subject)
    if row is not None and row.closed_at is None:
        close(uow, row, now)


def close(uow: UnitOfWork, row: DeadlineRow, now: datetime) -> None:
    """Nobody has to look for it any more."""
    row.closed_at = now
    uow.session.flush()
    if row.overdue_at is not None:
        _late(uow, row, "it came, or is expected no longer", now)


def report_came(uow: UnitOfWork, partnership: Partnership, now: datetime) -> None:
    """A stock report came: the next one is due after the time agreed."""
    due_at = due(calendar_of(partnership), partnership.deadlines.invrpt, now)
    expect(uow, DeadlineKind.INVRPT, f"partner:{partnership.name}", partnership.name, due_at, now)


def sends(partnership: Partnership, message_type: str) -> bool:
    return partnership.agreement(message_type, Direction.IN) is not None


def _late(uow: UnitOfWork, row: DeadlineRow, why: str, now: datetime) -> None:
    reason = f"{row.kind.value} was overdue since {row.due_at:%Y-%m-%d %H:%M}Z: {why}"
    uow.record_event("deadline.cleared", row.subject, None, None, reason, _details(row), now)
    tell_deadline(uow, row, "deadline.cleared", now)


def _details(row: DeadlineRow) -> Mapping[str, str]:
    return {"deadline": row.kind.value, "partner": row.partnership, "due_at": row.due_at.isoformat()}


def tell_deadline(uow: UnitOfWork, row: DeadlineRow, kind: str, now: datetime) -> None:
    """Put it into the feed, once for each time that the deadline was set."""
    put_into_feed(
        uow,
        {
            "key": f"{kind}/{row.kind.value}/{row.id}/{row.due_at:%Y%m%dT%H%M%SZ}",
            "kind": kind,
            "partnership": row.partnership,
            "order_number": row.order_number,
            "at": now,
            "body": {**_details(row), "subject": row.subject},
        },
    )
