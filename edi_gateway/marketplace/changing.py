"""Changes of an order that the shop asks for: whether they can be asked, what ORDCHG says, what they do once agreed.

A quantity may be lowered (the difference is cancelled), a price agreed anew, a delivery window moved, a line or the
whole order cancelled; never what has been shipped. Nothing takes effect before the vendor has agreed.
"""

from __future__ import annotations

import textwrap
from collections.abc import Iterator
from dataclasses import dataclass, replace
from datetime import datetime
from decimal import Decimal

from edi_gateway.edifact.findings import Finding
from edi_gateway.marketplace import rules
from edi_gateway.marketplace.confirmation import OrderConfirmation, ResponseCode
from edi_gateway.marketplace.fulfilment import CLOSED_STATES, LineProgress, OrderProgress
from edi_gateway.marketplace.moments import day
from edi_gateway.marketplace.money import plain
from edi_gateway.marketplace.order import Order, OrderLine
from edi_gateway.marketplace.order_change import ChangeFunction, LineChange, OrderChange, OrderChangeLine
from edi_gateway.marketplace.parties import Note, Period

PURCHASING = "PUR"  # FTX 4451
TEXT_LINES_MAX, TEXT_LINE_CHARACTERS = 5, 70
"""FTX C108 in D.96A: five times 4440, an..70."""


@dataclass(frozen=True, slots=True, kw_only=True)
class LineRequest:
    """What is asked of one line; None where it stays. A quantity is all that is to come of the line; 0 cancels it."""

    number: int
    quantity: Decimal | None = None
    unit_price: Decimal | None = None
    delivery_window: Period | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class ChangeRequest:
    """What is asked of an order; `cancel`: all of it."""

    cancel: bool = False
    lines: tuple[LineRequest, ...] = ()
    delivery_window: Period | None = None
    reason: str = ""


def request_findings(order: OrderProgress, request: ChangeRequest) -> list[Finding]:
    """Why the change cannot be asked; `path` is the place in the request."""
    if order.state in CLOSED_STATES or not any(line.quantities.is_open for line in order.lines):
        state = order.state.value
        return [Finding(rules.ORDER_CLOSED, value=order.order.number, expected=state, path="order_number")]
    if request.cancel:
        shipped = [line.number for line in order.lines if line.quantities.shipped or line.quantities.overshipped]
        return [Finding(rules.CHANGE_AFTER_SHIPMENT, value=str(number), path="cancel") for number in shipped]
    findings = [*_window_findings(order, request.delivery_window, "delivery_window")]
    for index, asked in enumerate(request.lines):
        findings += _line_findings(order, request, asked, f"lines[{index}]")
    if not findings and agreed(order, request) == order:
        findings.append(Finding(rules.NOTHING_TO_CHANGE, path="lines"))
    return findings


def _line_findings(order: OrderProgress, request: ChangeRequest, asked: LineRequest, path: str) -> Iterator[Finding]:
    line = order.line(asked.number)
    if line is None:
        yield Finding(rules.UNKNOWN_LINE, value=str(asked.number), path=f"{path}/number")
        return
    if sum(each.number == asked.number for each in request.lines) > 1:
        yield Finding(rules.LINE_NUMBER_REPEATED, value=str(asked.number), path=f"{path}/number")
    if asked.quantity is not None:
        yield from _quantity_findings(line, asked.quantity, f"{path}/quantity")
    if asked.unit_price is not None and asked.unit_price <= 0:
        yield Finding(rules.PRICE_NOT_POSITIVE, value=plain(asked.unit_price), path=f"{path}/unit_price")
    if asked.unit_price is not None and line.quantities.shipped:
        yield Finding(rules.CHANGE_AFTER_SHIPMENT, value=str(line.number), path=f"{path}/unit_price")
    yield from _window_findings(order, asked.delivery_window, f"{path}/delivery_window")


def _quantity_findings(line: LineProgress, quantity: Decimal, path: str) -> Iterator[Finding]:
    shipped = line.quantities.shipped + line.quantities.overshipped
    if quantity < 0:
        yield Finding(rules.QUANTITY_NEGATIVE, value=plain(quantity), path=path)
    elif quantity < shipped:
        rule = rules.QUANTITY_BELOW_SHIPPED if quantity else rules.CHANGE_AFTER_SHIPMENT
        value = plain(quantity) if quantity else str(line.number)
        yield Finding(rule, value=value, expected=plain(shipped), path=path)
    elif quantity >= still_ordered(line):
        yield Finding(rules.QUANTITY_RAISED, value=plain(quantity), expected=plain(still_ordered(line)), path=path)


def _window_findings(order: OrderProgress, window: Period | None, path: str) -> Iterator[Finding]:
    if window is None:
        return
    for name, moment in (("start", window.start), ("end", window.end)):
        if isinstance(moment, datetime) and moment.tzinfo is None:
            yield Finding(rules.TIME_WITHOUT_ZONE, value=moment.isoformat(), path=f"{path}/{name}")
            return
    first = day(window.start) if window.start is not None else day(order.order.issued)
    if window.end is not None and day(window.end) < first:
        yield Finding(rules.DATE_BEFORE, value=day(window.end).isoformat(), expected=first.isoformat(), path=path)


def still_ordered(line: LineProgress) -> Decimal:
    """What is to come of a line in all: as ordered, less what was refused or cancelled."""
    return line.quantities.ordered - line.quantities.rejected - line.quantities.cancelled


def agreed(order: OrderProgress, request: ChangeRequest) -> OrderProgress:
    """The order once the change is agreed. What has been shipped meanwhile stays as it is."""
    if request.cancel:
        return order.with_lines([line.moved(line.quantities.with_open_cancelled()) for line in order.lines])
    by_number = {asked.number: asked for asked in request.lines}
    lines = [_agreed_line(line, by_number[line.number]) for line in order.lines if line.number in by_number]
    return _with_windows(order.with_lines(lines), request)


def _agreed_line(line: LineProgress, asked: LineRequest) -> LineProgress:
    quantities = line.quantities
    if asked.quantity is not None:
        surplus = still_ordered(line) - asked.quantity
        free = quantities.unanswered + quantities.backordered + quantities.to_ship
        line = line.moved(quantities.reduced_by(max(Decimal(0), min(surplus, free))))
    if asked.unit_price is not None:
        line = replace(line, confirmed_price=asked.unit_price, proposed_price=None)
    return line


def _with_windows(order: OrderProgress, request: ChangeRequest) -> OrderProgress:
    windows = {asked.number: asked.delivery_window for asked in request.lines if asked.delivery_window is not None}
    if request.delivery_window is None and not windows:
        return order
    moved = replace(
        order.order,
        delivery_window=request.delivery_window or order.order.delivery_window,
        lines=tuple(_moved(line, windows.get(line.number)) for line in order.order.lines),
    )
    by_number = {line.number: line for line in moved.lines}
    lines = tuple(replace(line, line=by_number[line.number]) for line in order.lines)
    return replace(order, order=moved, lines=lines)


def _moved(line: OrderLine, window: Period | None) -> OrderLine:
    return line if window is None else replace(line, delivery_window=window)


def order_change(order: Order, request: ChangeRequest, *, number: str, version: int, issued: datetime) -> OrderChange:
    """The ORDCHG that asks the vendor for it."""
    by_number = {line.number: line for line in order.lines}
    asked = [LineRequest(number=each, quantity=Decimal(0)) for each in by_number] if request.cancel else request.lines
    return OrderChange(
        number=number,
        function=ChangeFunction.CANCEL if request.cancel else ChangeFunction.CHANGE,
        response_required=order.response_required,
        issued=issued,
        order_number=order.number,
        order_version=str(version),
        order_date=day(order.issued),
        delivery_window=request.delivery_window,
        currency=order.currency,
        parties=order.parties,
        notes=(Note(subject=PURCHASING, text=tuple(_text(request.reason))),) if request.reason else (),
        lines=tuple(_change_line(by_number[each.number], each) for each in asked),
    )


def _text(reason: str) -> list[str]:
    return textwrap.wrap(reason, TEXT_LINE_CHARACTERS)[:TEXT_LINES_MAX]


def _change_line(line: OrderLine, asked: LineRequest) -> OrderChangeLine:
    deleted = asked.quantity == 0
    return OrderChangeLine(
        number=line.number,
        action=LineChange.DELETED if deleted else LineChange.CHANGED,
        item=line.item,
        quantity=None if deleted else asked.quantity,
        unit=line.unit,
        delivery_window=asked.delivery_window,
        unit_price=asked.unit_price,
        price_basis=line.price_basis if asked.unit_price is not None else Decimal(1),
    )


# --- the vendor's answer --------------------------------------------------------------------------------------------

_YES = frozenset({ResponseCode.ACCEPTED, ResponseCode.ACCEPTED_AMENDED, ResponseCode.ACCEPTED_HEADER_AMENDED})


def answer_to(confirmation: OrderConfirmation, number: str, *, cancels: bool, answered_before: bool) -> bool | None:
    """Whether the ORDRSP accepts (True) or refuses (False) the change of this number; None where it says nothing of it.

    It answers the change if it names its number, or if the order itself had been answered before the change was asked
    for. A vendor who refuses the whole order while we ask to cancel it agrees with us.
    """
    named = any(reference.number == number for reference in confirmation.references)
    if confirmation.response is ResponseCode.REFUSED:
        if named:
            return False
        return True if cancels else (False if answered_before else None)
    if not named and not answered_before:
        return None
    return True if confirmation.response in _YES else None
