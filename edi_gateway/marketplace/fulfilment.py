"""An order on its way: its lines with their quantities, and the state that follows from them.

The state of an order is never stored by itself: it is derived, here, from the payment, from what
happened to the ORDERS message, and from the lines.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from decimal import Decimal
from enum import StrEnum

from edi_gateway.marketplace.money import ZERO, line_amount
from edi_gateway.marketplace.order import Order, OrderLine
from edi_gateway.marketplace.parties import ItemIdentity, Moment
from edi_gateway.marketplace.quantities import LineQuantities, LineState


class PaymentState(StrEnum):
    """What the payment provider said. ORDERS leaves only once the payment is accepted."""

    PENDING = "pending"
    ACCEPTED = "accepted"
    REFUSED = "refused"


class OrderMessageState(StrEnum):
    """What happened to the ORDERS message that carries the order."""

    NOT_SENT = "not_sent"
    SENT = "sent"
    ACKNOWLEDGED = "acknowledged"  # CONTRL 7
    REFUSED = "refused"  # CONTRL 4
    NOT_PROCESSED_YET = "not_processed_yet"  # ORDRSP 12
    EXPIRED = "expired"  # no ORDRSP by its deadline


class OrderState(StrEnum):
    """What an order has come to."""

    PAYMENT_PENDING = "payment_pending"
    PAYMENT_ACCEPTED = "payment_accepted"
    EMITTED = "emitted"
    ACKNOWLEDGED = "acknowledged"
    ACK_PENDING = "ack_pending"
    EXPIRED_NO_RESPONSE = "expired_no_response"
    PARTIALLY_CONFIRMED = "partially_confirmed"
    CONFIRMED = "confirmed"
    BACKORDERED = "backordered"
    REJECTED = "rejected"
    CANCELLED = "cancelled"
    PARTIALLY_SHIPPED = "partially_shipped"
    SHIPPED = "shipped"
    INVOICED = "invoiced"
    CHANGE_PENDING = "change_pending"
    CANCEL_REQUESTED = "cancel_requested"
    INCIDENT = "incident"


_UNANSWERED_STATES = {
    OrderMessageState.NOT_SENT: OrderState.PAYMENT_ACCEPTED,
    OrderMessageState.SENT: OrderState.EMITTED,
    OrderMessageState.ACKNOWLEDGED: OrderState.ACKNOWLEDGED,
    OrderMessageState.REFUSED: OrderState.INCIDENT,
    OrderMessageState.NOT_PROCESSED_YET: OrderState.ACK_PENDING,
    OrderMessageState.EXPIRED: OrderState.EXPIRED_NO_RESPONSE,
}

_SETTLED_STATES = frozenset({OrderState.REJECTED, OrderState.CANCELLED, OrderState.SHIPPED, OrderState.INVOICED})

CLOSED_STATES = frozenset({OrderState.REJECTED, OrderState.CANCELLED})
"""Nothing more is expected of such an order."""


@dataclass(frozen=True, slots=True, kw_only=True)
class LineProgress:
    """One order line and what has happened to it."""

    line: OrderLine
    quantities: LineQuantities
    confirmed_price: Decimal | None = None  # per price_basis; None where the ordered price stands
    proposed_price: Decimal | None = None  # what the vendor asks instead, not accepted
    promised_ship: Moment | None = None
    promised_delivery: Moment | None = None
    reason: str = ""
    received: Decimal | None = None  # what the receiving advices say was taken over; None until there is one

    @property
    def number(self) -> int:
        return self.line.number

    @property
    def item(self) -> ItemIdentity:
        return self.line.item

    @property
    def state(self) -> LineState:
        return self.quantities.state

    @property
    def agreed_price(self) -> Decimal | None:
        """The net price, per `line.price_basis` units, at which the line may be invoiced."""
        return self.confirmed_price if self.confirmed_price is not None else self.line.unit_price

    def amount(self, quantity: Decimal, currency: str) -> Decimal:
        """What a quantity of this line is worth net at the agreed price; zero where no price is known."""
        if self.agreed_price is None:
            return ZERO
        return line_amount(quantity, self.agreed_price, self.line.price_basis, currency)

    def moved(self, quantities: LineQuantities) -> LineProgress:
        return replace(self, quantities=quantities)


@dataclass(frozen=True, slots=True, kw_only=True)
class OrderProgress:
    """An order and what has happened to it."""

    order: Order
    lines: tuple[LineProgress, ...]
    payment: PaymentState = PaymentState.PENDING
    message: OrderMessageState = OrderMessageState.NOT_SENT
    held: str = ""  # why an operator has to look at it; what the vendor sends takes effect all the same
    asked: OrderState | None = None  # CHANGE_PENDING or CANCEL_REQUESTED: what we asked for and is not answered

    @property
    def state(self) -> OrderState:
        if self.payment is PaymentState.REFUSED:
            return OrderState.CANCELLED
        if self.payment is PaymentState.PENDING and any(line.quantities.is_open for line in self.lines):
            return OrderState.PAYMENT_PENDING
        found = _state_of_lines([line.quantities for line in self.lines]) or _UNANSWERED_STATES[self.message]
        if found in _SETTLED_STATES:
            return found
        return self.asked or (OrderState.INCIDENT if self.held else found)

    def line(self, number: int) -> LineProgress | None:
        return next((line for line in self.lines if line.number == number), None)

    def with_lines(self, changed: Sequence[LineProgress]) -> OrderProgress:
        """The order with these lines in place of those of the same number."""
        by_number = {line.number: line for line in changed}
        return replace(self, lines=tuple(by_number.get(line.number, line) for line in self.lines))


def begin(order: Order, payment: PaymentState) -> OrderProgress:
    """A new order: nothing answered, nothing sent."""
    lines = tuple(LineProgress(line=line, quantities=LineQuantities(ordered=line.quantity)) for line in order.lines)
    return OrderProgress(order=order, lines=lines, payment=payment)


def _state_of_lines(lines: Sequence[LineQuantities]) -> OrderState | None:
    """What the lines say, None where no line has been answered yet."""
    states = {line.state for line in lines if line.wanted > 0} or {line.state for line in lines}
    if states & {LineState.SHIPPED, LineState.SHIPPED_PART}:
        return _shipped_state(lines, states)
    if states == {LineState.OPEN} or not states:
        return None
    if states == {LineState.CONFIRMED}:
        return OrderState.CONFIRMED
    if states == {LineState.REJECTED}:
        return OrderState.REJECTED
    if states <= {LineState.REJECTED, LineState.CANCELLED}:
        return OrderState.CANCELLED
    if states == {LineState.BACKORDERED}:
        return OrderState.BACKORDERED
    return OrderState.PARTIALLY_CONFIRMED


def _shipped_state(lines: Sequence[LineQuantities], states: set[LineState]) -> OrderState:
    if not states <= {LineState.SHIPPED, LineState.REJECTED, LineState.CANCELLED}:
        return OrderState.PARTIALLY_SHIPPED
    if all(line.invoiced >= line.shipped for line in lines):
        return OrderState.INVOICED
    return OrderState.SHIPPED
