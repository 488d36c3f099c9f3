"""Whatever a vendor and a shop send, in whatever order: the invariants of an order hold, and its money adds up."""

from __future__ import annotations

from dataclasses import replace
from decimal import Decimal

from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, rule

from edi_gateway.marketplace.changing import ChangeRequest, LineRequest, agreed, request_findings
from edi_gateway.marketplace.confirmation import LineAction, Remainder, ResponseCode
from edi_gateway.marketplace.confirming import apply_confirmation
from edi_gateway.marketplace.fulfilment import CLOSED_STATES, OrderProgress, OrderState
from edi_gateway.marketplace.matching import MatchContext, match_invoice
from edi_gateway.marketplace.money import ZERO
from edi_gateway.marketplace.order import OrderLine
from edi_gateway.marketplace.parties import VatRate
from edi_gateway.marketplace.payments import PaymentEvent, given_back, payment_moves, worth
from edi_gateway.marketplace.shipping import apply_shipment, take_back
from edi_gateway.partnership import Tolerances
from tests.core.marketplace.documents import (
    NOW,
    ORDER_NUMBER,
    a_confirmation,
    a_line,
    a_shipment,
    a_shipped_line,
    an_invoice,
    an_invoice_line,
    an_order,
    item,
    sent,
)

D = Decimal
LINES = (1, 2, 3)
numbers = st.sampled_from(LINES)
amounts = st.integers(0, 9).map(D)
prices = st.sampled_from([D("0.005"), D("0.335"), D("1.99"), D("12.50"), D("33.333")])
rates = st.sampled_from([D(20), D("5.5"), D("2.1"), None])
tolerances = Tolerances(quantity_percent=D(10))

SIGN = {
    PaymentEvent.CANCEL: ("back", 1),
    PaymentEvent.REFUND: ("back", 1),
    PaymentEvent.REFUND_WITHDRAWN: ("back", -1),
    PaymentEvent.CAPTURABLE: ("collected", 1),
    PaymentEvent.CAPTURE_WITHDRAWN: ("collected", -1),
}


class OrderMachine(RuleBasedStateMachine):
    """One order of three lines, and everything that may be said about it."""

    @initialize(prices=st.tuples(prices, prices, prices), rates=st.tuples(rates, rates, rates))
    def place(self, prices, rates) -> None:
        lines = tuple(
            OrderLine(
                number=number,
                item=item(number),
                quantity=D(7),
                unit_price=price,
                vat=None if rate is None else VatRate(rate=rate),
            )
            for number, price, rate in zip(LINES, prices, rates, strict=True)
        )
        self.order: OrderProgress = sent(an_order(lines=lines, total_net=None))
        self.paid = {"back": ZERO, "collected": ZERO}
        self.left: list[tuple[int, Decimal]] = []  # what each shipment brought of a line

    def become(self, after: OrderProgress) -> None:
        for move in payment_moves(self.order, after):
            pot, sign = SIGN[move.event]
            assert move.worth.total >= 0
            assert move.lines
            self.paid[pot] += sign * move.worth.total
        self.order = after

    @rule(
        response=st.sampled_from(list(ResponseCode)),
        entries=st.lists(
            st.tuples(
                numbers,
                st.sampled_from(list(LineAction)),
                amounts,
                amounts,
                st.sampled_from([None, Remainder.BACK_ORDER, Remainder.CANCELLED]),
            ),
            max_size=4,
        ),
    )
    def answer(self, response, entries) -> None:
        """An ORDRSP, right or wrong, first or again: lines may stand twice, add up to too much, or be missing."""
        lines = [
            a_line(number, action, quantity, cancelled=cancelled or None, remainder=remainder)
            for number, action, quantity, cancelled, remainder in entries
        ]
        answered = apply_confirmation(self.order, a_confirmation(response, *lines), tolerances, NOW)
        self.become(answered.order)

    @rule(shipped=st.lists(st.tuples(numbers, amounts), min_size=1, max_size=3, unique_by=lambda line: line[0]))
    def ship(self, shipped) -> None:
        entries = [a_shipped_line(number, quantity) for number, quantity in shipped]
        applied = apply_shipment({ORDER_NUMBER: self.order}, a_shipment(*entries), tolerances)
        self.left += [(each.line.number, each.quantity) for each in applied.shipped]
        self.become(applied.orders.get(ORDER_NUMBER, self.order))

    @rule()
    def take_back_the_last(self) -> None:
        """A DESADV with 1225 = 1."""
        if not self.left:
            return
        number, quantity = self.left[-1]
        line = self.order.line(number)
        assert line is not None
        without = take_back(line, quantity)
        if without is not None:
            self.left.pop()
            self.become(self.order.with_lines([without]))

    @rule(number=numbers, quantity=amounts)
    def lower(self, number, quantity) -> None:
        request = ChangeRequest(lines=(LineRequest(number=number, quantity=quantity),))
        if not request_findings(self.order, request):
            self.become(agreed(self.order, request))

    @rule()
    def cancel(self) -> None:
        request = ChangeRequest(cancel=True)
        if not request_findings(self.order, request):
            self.become(agreed(self.order, request))
            assert self.order.state in CLOSED_STATES

    @rule()
    def lapse(self) -> None:
        """The cancel date has passed: what is open is cancelled, whatever has been shipped."""
        lines = [line.moved(line.quantities.with_open_cancelled()) for line in self.order.lines]
        self.become(self.order.with_lines(lines))

    @rule(number=numbers, quantity=amounts, credit=st.booleans())
    def invoice(self, number, quantity, credit) -> None:
        """What the matching lets through counts; the rest is held and counts for nothing."""
        line = self.order.line(number)
        assert line is not None
        billed = an_invoice_line(number, quantity, line.agreed_price, vat=None, net_amount=None)
        kind = {"type_code": "381"} if credit else {}
        invoice = an_invoice(billed, **kind)
        result = match_invoice(invoice, MatchContext(orders={ORDER_NUMBER: self.order}, tolerances=tolerances))
        if any(entry.path.startswith("orders[") and entry.holds for entry in result.discrepancies) or quantity == 0:
            return
        quantities = line.quantities
        moved = quantities.with_credited(quantity) if credit else quantities.with_invoiced(quantity)
        self.become(self.order.with_lines([line.moved(moved)]))

    @invariant()
    def quantities_are_accounted_for(self) -> None:
        for line in self.order.lines:
            each = line.quantities
            answered = each.confirmed + each.backordered + each.rejected + each.cancelled
            assert each.unanswered + answered == each.ordered
            assert ZERO <= each.shipped <= each.confirmed
            assert each.credited <= each.invoiced <= each.shipped + each.overshipped
            assert each.withdrawn <= each.cancelled
            assert each.shipped + each.overshipped == sum(q for number, q in self.left if number == line.number)

    @invariant()
    def the_money_adds_up(self) -> None:
        """Collected and given back never exceed the order together, and are all of it once nothing is open."""
        whole = worth(self.order, {line.number: line.quantities.ordered for line in self.order.lines}).total
        assert self.paid["back"] == given_back(self.order).total
        assert min(self.paid.values()) >= 0
        assert self.paid["back"] + self.paid["collected"] <= whole
        if not any(line.quantities.is_open for line in self.order.lines):
            assert self.paid["back"] + self.paid["collected"] == whole

    @invariant()
    def the_state_follows_from_the_lines(self) -> None:
        state = self.order.state
        still_open = any(line.quantities.is_open for line in self.order.lines)
        if state in CLOSED_STATES | {OrderState.SHIPPED, OrderState.INVOICED}:
            assert not still_open
        assert replace(self.order).state is state


OrderMachine.TestCase.settings = settings(max_examples=60, stateful_step_count=25, deadline=None)
TestOrder = OrderMachine.TestCase
