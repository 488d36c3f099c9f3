"""The marketplace's handlers: what ORDRSP, DESADV, INVOIC, INVRPT and CONTRL do to its orders, stock and invoices.

The rules are pure and live in `edi_gateway.marketplace`; here they meet the rows. Each handler runs within the
transaction of its message.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping
from dataclasses import replace

from sqlalchemy import func, select

from edi_gateway.edifact.findings import Finding
from edi_gateway.gateway import deadline_book, order_book, order_changes, stock_book
from edi_gateway.gateway.handling import SETTLEMENT, HandlerContext, RecordHandler, Settled
from edi_gateway.gateway.invoice_book import book_invoice, match_again
from edi_gateway.gateway.kept_documents import KEPT_HANDLERS
from edi_gateway.gateway.order_book import Booked
from edi_gateway.gateway.receipt_book import on_receipt
from edi_gateway.gateway.shipment_book import take_back_shipment
from edi_gateway.marketplace import rules
from edi_gateway.marketplace.confirmation import OrderConfirmation
from edi_gateway.marketplace.confirming import apply_confirmation
from edi_gateway.marketplace.fulfilment import OrderMessageState
from edi_gateway.marketplace.inventory import InventoryReport
from edi_gateway.marketplace.moments import day, latest
from edi_gateway.marketplace.shipment import Package, Shipment
from edi_gateway.marketplace.shipping import (
    CANCELLATION,
    REPLACEMENT,
    ShipmentApplied,
    apply_shipment,
    awaited_orders,
    order_numbers,
    sscc_list,
)
from edi_gateway.store.business import (
    ConfirmationRow,
    OrderRow,
    PackageRow,
    ShipmentLineRow,
    ShipmentRow,
    SsccRow,
)


def on_confirmation(context: HandlerContext, confirmation: OrderConfirmation) -> list[Finding]:
    """ORDRSP: the vendor's answer changes the order's lines; a further revision of the answer is kept."""
    context.message.business_key = confirmation.order_number
    booked = order_book.load(context.uow, context.partnership.name, confirmation.order_number)
    if booked is None:
        return [Finding(rules.UNKNOWN_ORDER, value=confirmation.order_number, path="order_number")]
    _keep_confirmation(context, booked.row, confirmation)
    if order_changes.answered(context.uow, context.partnership, booked, confirmation, context.now):
        context.has_answered(confirmation.order_number)
        return []
    applied = apply_confirmation(booked.progress, confirmation, context.partnership.tolerances, context.now)
    booked.row.answered_at = context.now
    order_book.save(
        context.uow,
        context.partnership,
        booked,
        applied.order,
        cause=context.message.subject,
        reason=f"ORDRSP {confirmation.number}: {confirmation.response.name.lower()}",
        now=context.now,
    )
    booked = Booked(booked.row, applied.order)
    why = f"ORDRSP {confirmation.number}"
    order_changes.agreed_by_lines(context.uow, context.partnership, booked, why, context.now)
    if any(not line.quantities.is_unanswered for line in applied.order.lines):
        context.has_answered(confirmation.order_number)
    return list(applied.findings)


def _keep_confirmation(context: HandlerContext, row: OrderRow, confirmation: OrderConfirmation) -> None:
    session = context.uow.session
    revisions = session.scalar(
        select(func.count()).select_from(ConfirmationRow).where(ConfirmationRow.order_id == row.id)
    )
    session.add(
        ConfirmationRow(
            order_id=row.id,
            revision=(revisions or 0) + 1,
            number=confirmation.number,
            response=confirmation.response.value,
            message_id=context.message.id,
            received_at=context.now,
        )
    )
    session.flush()


def on_shipment(context: HandlerContext, shipment: Shipment) -> list[Finding]:
    """DESADV: what left the vendor advances every order that it names; it waits where an order has no answer yet."""
    numbers = order_numbers(shipment)
    context.message.business_key = numbers[0] if numbers else ""
    if shipment.function == rules.COPY:
        return [Finding(rules.COPY_IGNORED, value=shipment.number, path="function")]
    orders = order_book.load_all(context.uow, context.partnership.name, numbers)
    progress = {number: booked.progress for number, booked in orders.items()}
    if awaited := awaited_orders(progress, shipment):
        context.wait_for(awaited[0])
        return [Finding(rules.NOT_YET_ANSWERED, value=awaited[0])]
    if shipment.function in (CANCELLATION, REPLACEMENT):
        refusal = take_back_shipment(context, shipment)
        if refusal is not None or shipment.function == CANCELLATION:
            return [] if refusal is None else [refusal]
        orders = order_book.load_all(context.uow, context.partnership.name, numbers)
        progress = {number: booked.progress for number, booked in orders.items()}
    row = _of_this_number(context, shipment)
    if row is not None and row.message_id != context.message.id:
        rule = rules.REPEATED_DOCUMENT if shipment.function == rules.DUPLICATE else rules.DUPLICATE_DOCUMENT
        return [Finding(rule, value=shipment.number, path="number")]
    done = {line.order_line_id for line in row.lines} if row is not None else set()
    applied = apply_shipment(progress, shipment, context.partnership.tolerances, _places(orders, done))
    if not applied.shipped:
        return list(applied.findings)
    findings = [*applied.findings, *(_reused_ssccs(context, shipment) if row is None else ())]
    _keep_shipment(context, row or _row(context, shipment), shipment, applied, orders)
    for number, after in applied.orders.items():
        order_book.save(
            context.uow,
            context.partnership,
            orders[number],
            after,
            cause=context.message.subject,
            reason=f"DESADV {shipment.number}",
            now=context.now,
        )
        shipped = Booked(orders[number].row, after)
        if order_changes.overtaken(context.uow, context.partnership, shipped, f"DESADV {shipment.number}", context.now):
            findings.append(Finding(rules.CHANGE_CROSSED, value=number))
        match_again(context, orders[number].row)
    return findings


def _of_this_number(context: HandlerContext, shipment: Shipment) -> ShipmentRow | None:
    """The shipment that holds the number: a vendor may use it again in another year."""
    return context.uow.session.scalar(
        select(ShipmentRow).where(
            ShipmentRow.partnership == context.partnership.name,
            ShipmentRow.number == shipment.number,
            ShipmentRow.year == day(shipment.issued).year,
        )
    )


def _places(orders: Mapping[str, Booked], line_ids: Collection[int]) -> set[tuple[str, int]]:
    return {
        (number, line.number) for number, booked in orders.items() for line in booked.row.lines if line.id in line_ids
    }


def _reused_ssccs(context: HandlerContext, shipment: Shipment) -> list[Finding]:
    ssccs = sscc_list(shipment)
    if not ssccs:
        return []
    used = context.uow.session.scalars(
        select(SsccRow.sscc)
        .join(PackageRow)
        .join(ShipmentRow)
        .where(ShipmentRow.partnership == context.partnership.name, SsccRow.sscc.in_(ssccs))
        .distinct()
    )
    return [Finding(rules.SSCC_REUSED, value=sscc, path="packages") for sscc in used]


def _row(context: HandlerContext, shipment: Shipment) -> ShipmentRow:
    row = ShipmentRow(
        partnership=context.partnership.name,
        number=shipment.number,
        year=day(shipment.issued).year,
        shipped=shipment.shipped,
        estimated_arrival=shipment.estimated_arrival,
        carrier=shipment.carrier_name or shipment.carrier,
        tracking=shipment.tracking,
        message_id=context.message.id,
        received_at=context.now,
        packages=[_package(package) for package in _once(shipment)],
    )
    context.uow.session.add(row)
    return row


def _keep_shipment(
    context: HandlerContext,
    row: ShipmentRow,
    shipment: Shipment,
    applied: ShipmentApplied,
    orders: Mapping[str, Booked],
) -> None:
    """What the shipment brought of which order line, and what that takes from the stock."""
    # A date may be any time of its day. Taken late, goods that a stock report of that day had left out already are
    # counted off twice until the next report; taken early, they would be sold twice.
    despatched_at = latest(shipment.shipped or shipment.issued, context.now)
    for shipped in applied.shipped:
        order = orders[shipped.order_number].row
        line = next(line for line in order.lines if line.number == shipped.line.number)
        row.lines.append(
            ShipmentLineRow(
                order_line_id=line.id,
                article=line.article,
                quantity=shipped.quantity,
                despatched_at=despatched_at,
            )
        )
        stock_book.draw_down(context.uow.session, line, shipped.quantity, despatched_at)
    context.uow.session.flush()


def _once(shipment: Shipment) -> list[Package]:
    """The packages, each number once: the first one stands where a number is used again."""
    return list({package.number: package for package in reversed(shipment.packages)}.values())[::-1]


def _package(package: Package) -> PackageRow:
    return PackageRow(
        number=package.number,
        parent=package.parent,
        type=package.type,
        ssccs=[SsccRow(sscc=sscc) for sscc in package.ssccs if len(sscc) <= SSCC_CHARACTERS_MAX],
    )


SSCC_CHARACTERS_MAX = 18


def on_inventory(context: HandlerContext, report: InventoryReport) -> list[Finding]:
    """INVRPT: the newest report of each article counts."""
    deadline_book.report_came(context.uow, context.partnership, context.now)
    return stock_book.book_report(context.uow, context.partnership.name, context.message.id, report, context.now)


def on_settled(context: HandlerContext, settled: Settled) -> list[Finding]:
    """CONTRL or APERAK: the vendor accepted or refused our ORDERS, and the order says so."""
    why = "" if settled.accepted else f"refused by {settled.by}, error {settled.code}"
    if why:
        order_changes.refused_by_partner(context.uow, context.partnership, context.message.id, why, context.now)
    row = context.uow.session.scalar(select(OrderRow).where(OrderRow.message_id == context.message.id))
    if row is None:
        return []
    booked = Booked(row, order_book.progress_of(row))
    if booked.progress.message not in _UNSETTLED[settled.by]:
        return []  # the answer was faster than the acknowledgement
    message = OrderMessageState.ACKNOWLEDGED if settled.accepted else OrderMessageState.REFUSED
    order_book.save(
        context.uow,
        context.partnership,
        booked,
        replace(booked.progress, message=message),
        cause=context.message.subject,
        reason=why or f"acknowledged by {settled.by}",
        now=context.now,
    )
    return []


_UNSETTLED = {
    "CONTRL": frozenset({OrderMessageState.SENT}),
    "APERAK": frozenset({OrderMessageState.SENT, OrderMessageState.ACKNOWLEDGED}),
}
"""How an order's message may stand that an acknowledgement still settles."""

HANDLERS: Mapping[str, RecordHandler] = {
    "ORDRSP": on_confirmation,
    "DESADV": on_shipment,
    "INVRPT": on_inventory,
    "INVOIC": book_invoice,
    **KEPT_HANDLERS,
    "RECADV": on_receipt,
    SETTLEMENT: on_settled,
}
"""The marketplace's role: message type -> what it does."""
