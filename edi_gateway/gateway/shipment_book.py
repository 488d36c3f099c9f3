"""Despatch advices that take an earlier one back (1225 = 1), or stand in its place (4)."""

from __future__ import annotations

from sqlalchemy import select

from edi_gateway.edifact.findings import Finding
from edi_gateway.gateway import order_book, stock_book
from edi_gateway.gateway.handling import HandlerContext
from edi_gateway.gateway.order_book import Booked
from edi_gateway.marketplace import rules
from edi_gateway.marketplace.fulfilment import LineProgress
from edi_gateway.marketplace.shipment import Shipment
from edi_gateway.marketplace.shipping import REPLACEMENT, take_back
from edi_gateway.store.business import OrderLineRow, OrderRow, ShipmentRow


def take_back_shipment(context: HandlerContext, shipment: Shipment) -> Finding | None:
    """Undo what the earlier despatch advice did to its orders and to the stock; the finding where it cannot be.

    The earlier one is that of RFF+AAK, else that of the same number; the newest of the number counts.
    """
    number = shipment.previous or shipment.number
    row = _previous(context, number)
    if row is None:
        return Finding(rules.PREVIOUS_UNKNOWN, value=number, path="previous")
    taken = _taken_back(context, row)
    if taken is None:
        return Finding(rules.SHIPMENT_INVOICED, value=number, path="previous")
    for line in list(row.lines):
        order_line = context.uow.session.get_one(OrderLineRow, line.order_line_id)
        stock_book.give_back(context.uow.session, order_line, line.quantity, line.despatched_at)
        row.lines.remove(line)
        context.uow.session.delete(line)
    row.cancelled_by = context.message.id
    if shipment.function == REPLACEMENT and shipment.number == row.number:
        row.cancelled_by, row.message_id = None, context.message.id
    context.uow.session.flush()
    for booked, lines in taken:
        order_book.save(
            context.uow,
            context.partnership,
            booked,
            booked.progress.with_lines(lines),
            cause=context.message.subject,
            reason=f"DESADV {number} was taken back by {shipment.number}",
            now=context.now,
        )
    return None


def _previous(context: HandlerContext, number: str) -> ShipmentRow | None:
    return context.uow.session.scalar(
        select(ShipmentRow)
        .where(
            ShipmentRow.partnership == context.partnership.name,
            ShipmentRow.number == number,
            ShipmentRow.cancelled_by.is_(None),
        )
        .order_by(ShipmentRow.year.desc())
        .limit(1)
    )


def _taken_back(context: HandlerContext, row: ShipmentRow) -> list[tuple[Booked, list[LineProgress]]] | None:
    """The orders with their lines as they are without the shipment; None where a line has been invoiced."""
    session = context.uow.session
    by_order: dict[int, list[tuple[OrderLineRow, LineProgress]]] = {}
    booked: dict[int, Booked] = {}
    for shipped in row.lines:
        line = session.get_one(OrderLineRow, shipped.order_line_id)
        if line.order_id not in booked:
            order = session.get_one(OrderRow, line.order_id, with_for_update=True)
            booked[line.order_id] = Booked(order, order_book.progress_of(order))
        progress = booked[line.order_id].progress.line(line.number)
        without = take_back(progress, shipped.quantity) if progress is not None else None
        if without is None:
            return None
        by_order.setdefault(line.order_id, []).append((line, without))
    return [(booked[order_id], [line for _, line in lines]) for order_id, lines in by_order.items()]
