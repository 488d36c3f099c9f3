"""What the payment of an order has to give back, and what of it may be collected, to the cent.

The customer paid for the order as it was placed, so everything is worth what the order says, and a price that is agreed
later concerns the vendor's invoice only. What is collected counts from the first unit of a line, what is given back
from the last one, and VAT is computed once a rate over the whole order: so whatever happens, in whatever steps, all
that was collected and given back together never exceeds the order, and equals it once nothing is open.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from decimal import Decimal
from enum import StrEnum

from edi_gateway.marketplace.fulfilment import CLOSED_STATES, LineProgress, OrderProgress, PaymentState
from edi_gateway.marketplace.money import ZERO, line_amount, percentage
from edi_gateway.marketplace.quantities import LineQuantities

Quantities = Mapping[int, Decimal]


class PaymentEvent(StrEnum):
    """What the shop must have its payment provider do."""

    CANCEL = "payment.cancel_requested"  # nothing of the order will come: give back what is left
    REFUND = "payment.refund_requested"  # a part will not come
    REFUND_WITHDRAWN = "payment.refund_withdrawn"  # a later answer confirms what an earlier one did not
    CAPTURABLE = "payment.capturable"  # has been shipped: may be collected
    CAPTURE_WITHDRAWN = "payment.capture_withdrawn"  # has not been shipped after all: give back if it was collected


@dataclass(frozen=True, slots=True)
class Worth:
    """An amount without VAT, and its VAT."""

    net: Decimal
    vat: Decimal

    @property
    def total(self) -> Decimal:
        return self.net + self.vat

    def less(self, other: Worth) -> Worth:
        return Worth(self.net - other.net, self.vat - other.vat)


@dataclass(frozen=True, slots=True)
class PaymentMove:
    """One step of the payment: how much, and for how many of which lines."""

    event: PaymentEvent
    worth: Worth
    lines: Quantities


def given_up(quantities: LineQuantities) -> Decimal:
    """What will never be shipped."""
    return quantities.rejected + quantities.cancelled


def worth(order: OrderProgress, quantities: Quantities) -> Worth:
    """What these quantities of its lines are worth at the prices of the order."""
    bases: dict[Decimal, Decimal] = defaultdict(Decimal)
    for line in order.lines:
        rate = line.line.vat.rate if line.line.vat is not None else ZERO
        bases[rate] += _net(line, quantities.get(line.number, ZERO), order.order.currency)
    vat = sum((percentage(base, rate, order.order.currency) for rate, base in bases.items()), ZERO)
    return Worth(sum(bases.values(), ZERO), vat)


def collected(order: OrderProgress) -> Worth:
    """All that may be collected by now."""
    return worth(order, _each(order, _shipped))


def given_back(order: OrderProgress, lost: Quantities | None = None) -> Worth:
    """All that was, or is, to be given back by now; for these quantities in place of what is given up."""
    ordered = _each(order, lambda quantities: quantities.ordered)
    lost = _each(order, given_up) if lost is None else lost
    kept = {number: quantity - lost.get(number, ZERO) for number, quantity in ordered.items()}
    return worth(order, ordered).less(worth(order, kept))


def payment_moves(before: OrderProgress, after: OrderProgress) -> tuple[PaymentMove, ...]:
    """What a change of the order asks of its payment; nothing where no payment stands."""
    if after.payment is PaymentState.REFUSED:
        return ()
    moves = [*_losses(before, after)]
    shipped, unshipped = _grown(before, after, _shipped), _grown(after, before, _shipped)
    if shipped:
        moves.append(PaymentMove(PaymentEvent.CAPTURABLE, collected(after).less(collected(before)), shipped))
    if unshipped:
        moves.append(PaymentMove(PaymentEvent.CAPTURE_WITHDRAWN, collected(before).less(collected(after)), unshipped))
    return tuple(moves)


def _shipped(quantities: LineQuantities) -> Decimal:
    return quantities.shipped


def _losses(before: OrderProgress, after: OrderProgress) -> list[PaymentMove]:
    """First what is lost now, then what was lost before and is not after all."""
    moves = []
    earlier, later = _each(before, given_up), _each(after, given_up)
    between = {number: max(quantity, earlier.get(number, ZERO)) for number, quantity in later.items()}
    lost, regained = _grown(before, after, given_up), _grown(after, before, given_up)
    if lost:
        closed = after.state in CLOSED_STATES and before.state not in CLOSED_STATES
        event = PaymentEvent.CANCEL if closed else PaymentEvent.REFUND
        moves.append(PaymentMove(event, given_back(after, between).less(given_back(after, earlier)), lost))
    if regained:
        back = given_back(after, between).less(given_back(after, later))
        moves.append(PaymentMove(PaymentEvent.REFUND_WITHDRAWN, back, regained))
    return moves


def _net(line: LineProgress, quantity: Decimal, currency: str) -> Decimal:
    price = line.line.unit_price if line.line.unit_price is not None else line.agreed_price
    stated = line.line.net_amount
    if stated is not None and (quantity == line.quantities.ordered or price is None):
        return stated if quantity == line.quantities.ordered else ZERO
    amount = ZERO if price is None else line_amount(quantity, price, line.line.price_basis, currency)
    return amount if stated is None else min(amount, stated)


_Quantity = Callable[[LineQuantities], Decimal]


def _each(order: OrderProgress, quantity: _Quantity) -> Quantities:
    return {line.number: quantity(line.quantities) for line in order.lines}


def _grown(before: OrderProgress, after: OrderProgress, quantity: _Quantity) -> Quantities:
    earlier = _each(before, quantity)
    growth = {number: value - earlier.get(number, ZERO) for number, value in _each(after, quantity).items()}
    return {number: value for number, value in growth.items() if value > 0}
