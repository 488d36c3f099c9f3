"""Invoices in the store: matched when they come, matched again when the goods they bill have shipped."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import date, datetime

from sqlalchemy import select

from edi_gateway.edifact.findings import Finding
from edi_gateway.gateway import deadline_book, order_book
from edi_gateway.gateway.handling import HandlerContext
from edi_gateway.gateway.order_book import Booked
from edi_gateway.marketplace import matching, rules
from edi_gateway.marketplace.fulfilment import LineProgress
from edi_gateway.marketplace.invoice import Invoice
from edi_gateway.marketplace.matching import Discrepancy, DiscrepancyClass, MatchContext, MatchResult, match_invoice
from edi_gateway.marketplace.moments import day
from edi_gateway.marketplace.money import ZERO
from edi_gateway.partnership import DeadlineKind, Direction, Partnership
from edi_gateway.store.business import (
    DiscrepancyRow,
    InvoiceKind,
    InvoiceLineRow,
    InvoiceRow,
    InvoiceState,
    OrderRow,
    find_order,
    held_invoices,
)
from edi_gateway.store.database import UnitOfWork
from edi_gateway.store.documents import Message
from edi_gateway.translators.json_form import from_json


def book_invoice(context: HandlerContext, invoice: Invoice) -> list[Finding]:
    """Keep a vendor's invoice with what the comparison came to."""
    numbers = matching.order_numbers(invoice)
    context.message.business_key = numbers[0] if numbers else ""
    if invoice.function == rules.COPY:
        return [Finding(rules.COPY_IGNORED, value=invoice.number, path="function")]
    referenced = matching.reference_findings(invoice, context.partnership.partner.country)
    if any(finding.is_error for finding in referenced):
        return referenced  # refused, so that its number is free for the mended one
    known = _of_this_number(context, invoice)
    if known is not None and known.message_id != context.message.id:
        if invoice.function == rules.DUPLICATE:
            return [Finding(rules.REPEATED_DOCUMENT, value=invoice.number, path="number")]
        return _book_duplicate(context, invoice)
    row = known or _row(context.partnership.name, context.message.id, invoice, context.now)
    if row.state is InvoiceState.MATCHED:
        return []  # tried again by an operator, and nothing is left to do
    result = _match(context, row, invoice)
    unknown = [
        number for number in numbers if find_order(context.uow.session, context.partnership.name, number) is None
    ]
    findings = [*referenced, *(Finding(rules.UNKNOWN_ORDER, value=number, path="order_number") for number in unknown)]
    if result.only_too_early:
        return [*findings, Finding(rules.INVOICE_TOO_EARLY, value=context.message.business_key)]
    return [*findings, *(entry.as_finding() for entry in result.discrepancies if entry.holds)]


def match_again(context: HandlerContext, order: OrderRow) -> None:
    """Compare the held invoices of an order anew: more of it has shipped."""
    for row in held_invoices(context.uow.session, [line.id for line in order.lines]):
        _match(context, row, from_json(Invoice, _message(context, row).record))


def _match(context: HandlerContext, row: InvoiceRow, invoice: Invoice) -> MatchResult:
    """Compare, keep the result on the row, and count an invoice that agrees."""
    orders = order_book.load_all(context.uow, context.partnership.name, matching.order_numbers(invoice))
    result = match_invoice(invoice, _match_context(context.partnership, orders))
    before: InvoiceState | None = row.state
    row.state = InvoiceState.MATCHED if result.agrees else InvoiceState.MISMATCH
    row.match_status = result.status
    row.discrepancies = _discrepancies(result.discrepancies, context.now)
    if before is None:
        context.uow.session.add(row)
    _write_lines(row, result, orders)
    context.uow.session.flush()
    if row.state is not before:
        _record(context.uow, row, before, "; ".join(_holding(result)) or "agrees", context.now)
    if result.only_too_early:
        deadline_book.await_document(context.uow, context.partnership, _message(context, row), context.now)
    else:
        deadline_book.met(context.uow, DeadlineKind.WAITING, _message(context, row).subject, context.now)
    if result.agrees:
        _count(context, invoice, result, orders)
    else:
        for booked in orders.values():
            deadline_book.follow(context.uow, context.partnership, booked.row, booked.progress, context.now)
    return result


def _message(context: HandlerContext, row: InvoiceRow) -> Message:
    return context.uow.session.get_one(Message, row.message_id)


def _match_context(partnership: Partnership, orders: Mapping[str, Booked]) -> MatchContext:
    return MatchContext(
        orders={number: booked.progress for number, booked in orders.items()},
        tolerances=partnership.tolerances,
        vendor_vat_number=partnership.partner.vat_number,
        vendor_country=partnership.partner.country,
    )


def _of_this_number(context: HandlerContext, invoice: Invoice) -> InvoiceRow | None:
    """The invoice that holds the number: it is unique for its issuer and year (French rule)."""
    return context.uow.session.scalar(
        select(InvoiceRow).where(
            InvoiceRow.direction == Direction.IN,
            InvoiceRow.partnership == context.partnership.name,
            InvoiceRow.number == invoice.number,
            InvoiceRow.year == day(invoice.issued).year,
            InvoiceRow.state != InvoiceState.DUPLICATE,
        )
    )


def _book_duplicate(context: HandlerContext, invoice: Invoice) -> list[Finding]:
    duplicate = Discrepancy(
        DiscrepancyClass.DUPLICATE_INVOICE, "number", invoice.number, f"a number not used in {day(invoice.issued).year}"
    )
    row = _row(context.partnership.name, context.message.id, invoice, context.now)
    row.state = InvoiceState.DUPLICATE
    row.discrepancies = _discrepancies((duplicate,), context.now)
    context.uow.session.add(row)
    context.uow.session.flush()
    _record(context.uow, row, None, "its number was used before", context.now)
    return [Finding(rules.DUPLICATE_DOCUMENT, value=invoice.number, path="number")]


def _row(partnership: str, message_id: str, invoice: Invoice, now: datetime) -> InvoiceRow:
    net = matching.net_amount(invoice)
    vat = matching.vat_amount(invoice)
    return InvoiceRow(
        direction=Direction.IN,
        partnership=partnership,
        kind=InvoiceKind.CREDIT_NOTE if matching.is_credit(invoice) else InvoiceKind.GOODS,
        number=invoice.number,
        year=day(invoice.issued).year,
        type_code=invoice.type_code,
        currency=invoice.currency,
        issued=day(invoice.issued),
        due=_day_or_none(invoice),
        net=net,
        vat=vat,
        total=invoice.totals.grand_total if invoice.totals.grand_total is not None else net + vat,
        message_id=message_id,
        at=now,
    )


def _day_or_none(invoice: Invoice) -> date | None:
    return None if invoice.due is None else day(invoice.due)


def _write_lines(row: InvoiceRow, result: MatchResult, orders: Mapping[str, Booked]) -> None:
    """Which order lines the invoice bills; a line that was known stays."""
    ids = {(number, line.number): line.id for number, booked in orders.items() for line in booked.row.lines}
    known = {line.order_line_id for line in row.lines}
    for billed in result.billed:
        order_line_id = ids[billed.order_number, billed.line]
        if order_line_id not in known:
            row.lines.append(
                InvoiceLineRow(
                    order_line_id=order_line_id,
                    order_number=billed.order_number,
                    line=billed.line,
                    quantity=billed.quantity,
                )
            )


def _discrepancies(discrepancies: tuple[Discrepancy, ...], now: datetime) -> list[DiscrepancyRow]:
    return [
        DiscrepancyRow(
            kind=discrepancy.kind,
            owner=discrepancy.owner,
            path=discrepancy.path,
            found=discrepancy.found,
            expected=discrepancy.expected,
            within_tolerance=discrepancy.within_tolerance,
            since=now,
        )
        for discrepancy in discrepancies
    ]


def _holding(result: MatchResult) -> list[str]:
    return [f"{entry.kind.value} at {entry.path}" for entry in result.discrepancies if entry.holds]


def _count(context: HandlerContext, invoice: Invoice, result: MatchResult, orders: Mapping[str, Booked]) -> None:
    """An invoice that agrees counts on the order lines that it bills."""
    credit = matching.is_credit(invoice)
    changed: dict[str, list[LineProgress]] = {}
    for billed in result.billed:
        line = orders[billed.order_number].progress.line(billed.line)
        if line is not None and billed.quantity > ZERO:
            quantities = line.quantities
            moved = quantities.with_credited(billed.quantity) if credit else quantities.with_invoiced(billed.quantity)
            changed.setdefault(billed.order_number, []).append(line.moved(moved))
    for number, lines in changed.items():
        order_book.save(
            context.uow,
            context.partnership,
            orders[number],
            orders[number].progress.with_lines(lines),
            cause=f"invoice:{context.partnership.name}/{invoice.number}",
            reason=f"INVOIC {invoice.number}",
            now=context.now,
        )


def _record(uow: UnitOfWork, row: InvoiceRow, before: InvoiceState | None, reason: str, now: datetime) -> None:
    uow.record_event("invoice.state", row.subject, before, row.state, reason[:500], {"total": str(row.total)}, now)
