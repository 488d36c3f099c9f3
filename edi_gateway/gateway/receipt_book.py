"""Receiving advices: what was taken over of which order line, against what was shipped.

An advice may come from the vendor's own partnership or from a warehouse that is a partner of its own; so its orders
are looked for with the sender first, then with everybody.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Mapping
from dataclasses import replace
from decimal import Decimal

from sqlalchemy import select

from edi_gateway.edifact.findings import Finding
from edi_gateway.gateway import order_book
from edi_gateway.gateway.handling import HandlerContext
from edi_gateway.gateway.invoice_book import match_again
from edi_gateway.gateway.kept_documents import on_receiving_advice
from edi_gateway.gateway.order_book import Booked
from edi_gateway.marketplace import rules
from edi_gateway.marketplace.articles import find_line
from edi_gateway.marketplace.money import ZERO, plain
from edi_gateway.marketplace.receiving import ReceivedLine, ReceivingAdvice
from edi_gateway.store.business import OrderLineRow, OrderRow, ShipmentLineRow, ShipmentRow, find_order, orders_numbered


def on_receipt(context: HandlerContext, advice: ReceivingAdvice) -> list[Finding]:
    """RECADV: count what was taken over; where it is not what was shipped, somebody has to clear it."""
    findings = on_receiving_advice(context, advice)
    if any(finding.is_error for finding in findings):
        return findings
    booked: dict[str, Booked] = {}
    accepted: dict[tuple[str, int], Decimal] = defaultdict(Decimal)
    for line in advice.lines():
        place = _place(context, advice, line, booked)
        if isinstance(place, Finding):
            findings.append(place)
        else:
            accepted[place] += line.quantity_accepted
    for number, order in booked.items():
        lines = {line: quantity for (of, line), quantity in accepted.items() if of == number}
        findings += _differences(context, advice, order, lines)
        _count(context, advice, order, lines)
    return findings


def _place(
    context: HandlerContext, advice: ReceivingAdvice, line: ReceivedLine, booked: dict[str, Booked]
) -> tuple[str, int] | Finding:
    """Which order line it is: of the order that is named, else of those that the despatch advice brought."""
    named = line.order_number or advice.order_number
    numbers = [named] if named else _orders_shipped(context, line.despatch_number or advice.despatch_number)
    path = f"lines[{line.number}]"
    known = False
    for number in numbers:
        order = booked.get(number) or _order(context, number)
        if order is None:
            continue
        known = True
        found = find_line([each.line for each in order.progress.lines], line.order_line, line.item)
        if found is not None:
            booked[number] = order
            return number, found.number
    if known:
        return Finding(rules.UNKNOWN_LINE, value=str(line.number), path=path)
    return (
        Finding(rules.UNKNOWN_ORDER, value=named, path=path)
        if named
        else Finding(rules.MISSING_ORDER_REFERENCE, path=path)
    )


def _orders_shipped(context: HandlerContext, despatch_number: str) -> list[str]:
    """The orders of a despatch advice of the sender, in their order."""
    if not despatch_number:
        return []
    statement = (
        select(OrderRow.number)
        .join(OrderLineRow, OrderLineRow.order_id == OrderRow.id)
        .join(ShipmentLineRow, ShipmentLineRow.order_line_id == OrderLineRow.id)
        .join(ShipmentRow, ShipmentRow.id == ShipmentLineRow.shipment_id)
        .where(ShipmentRow.partnership == context.partnership.name, ShipmentRow.number == despatch_number)
        .order_by(ShipmentLineRow.id)
    )
    return list(dict.fromkeys(context.uow.session.scalars(statement)))


def _order(context: HandlerContext, number: str) -> Booked | None:
    row = find_order(context.uow.session, context.partnership.name, number, lock=True)
    if row is None:
        others = orders_numbered(context.uow.session, number)
        row = others[0] if len(others) == 1 else None
    return None if row is None else Booked(row, order_book.progress_of(row))


def _count(context: HandlerContext, advice: ReceivingAdvice, order: Booked, accepted: Mapping[int, Decimal]) -> None:
    partnership = context.gateway.partnerships.by_name(order.row.partnership) or context.partnership
    lines = [
        replace(line, received=(line.received or ZERO) + accepted[line.number])
        for line in order.progress.lines
        if line.number in accepted
    ]
    order_book.save(
        context.uow,
        partnership,
        order,
        order.progress.with_lines(lines),
        cause=context.message.subject,
        reason=f"RECADV {advice.number}",
        now=context.now,
    )
    match_again(replace(context, partnership=partnership), order.row)


def _differences(
    context: HandlerContext, advice: ReceivingAdvice, order: Booked, accepted: Mapping[int, Decimal]
) -> list[Finding]:
    """Where less, or more, was taken over than the despatch advice says; without one, than was shipped in all."""
    findings = []
    for line in order.row.lines:
        if line.number not in accepted:
            continue
        shipped = _shipped(context, advice, order, line)
        before = ZERO if advice.despatch_number else (line.received or ZERO)
        taken = before + accepted[line.number]
        if taken != shipped:
            path = f"orders[{order.row.number}]/lines[{line.number}]"
            findings.append(Finding(rules.RECEIVED_DIFFERS, value=plain(taken), expected=plain(shipped), path=path))
    return findings


def _shipped(context: HandlerContext, advice: ReceivingAdvice, order: Booked, line: OrderLineRow) -> Decimal:
    if not advice.despatch_number:
        return line.shipped + line.overshipped
    quantities = context.uow.session.scalars(
        select(ShipmentLineRow.quantity)
        .join(ShipmentRow, ShipmentRow.id == ShipmentLineRow.shipment_id)
        .where(
            ShipmentRow.partnership == order.row.partnership,
            ShipmentRow.number == advice.despatch_number,
            ShipmentLineRow.order_line_id == line.id,
        )
    )
    return sum(quantities, ZERO)
