"""The quantities of an order line: the invariants hold through every movement."""

from __future__ import annotations

from decimal import Decimal

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from edi_gateway.marketplace.quantities import LineQuantities, LineState, QuantitiesBroken

D = Decimal


@pytest.mark.parametrize(
    ("quantities", "state"),
    [
        ({}, LineState.OPEN),
        ({"confirmed": 10}, LineState.CONFIRMED),
        ({"confirmed": 6}, LineState.PARTIAL),
        ({"confirmed": 6, "backordered": 4}, LineState.PARTIAL),
        ({"backordered": 10}, LineState.BACKORDERED),
        ({"rejected": 10}, LineState.REJECTED),
        ({"cancelled": 10}, LineState.CANCELLED),
        ({"rejected": 4}, LineState.OPEN),
        ({"confirmed": 10, "shipped": 6}, LineState.SHIPPED_PART),
        ({"confirmed": 6, "backordered": 4, "shipped": 6}, LineState.SHIPPED_PART),
        ({"confirmed": 6, "cancelled": 4, "shipped": 6}, LineState.SHIPPED),
        ({"confirmed": 10, "shipped": 10}, LineState.SHIPPED),
    ],
)
def test_the_state_follows_from_the_quantities(quantities, state):
    line = LineQuantities(ordered=D(10), **{name: D(value) for name, value in quantities.items()})
    assert line.state is state


@pytest.mark.parametrize(
    ("quantities", "why"),
    [
        ({"confirmed": -1}, "confirmed is below zero"),
        ({"confirmed": 6, "rejected": 5}, "more is answered than was ordered"),
        ({"shipped": 1}, "more is shipped than was confirmed"),
        ({"confirmed": 1, "shipped": 1, "invoiced": 2}, "more is invoiced than was shipped"),
        ({"confirmed": 1, "shipped": 1, "invoiced": 1, "credited": 2}, "more is credited than was invoiced"),
    ],
)
def test_no_value_breaks_an_invariant(quantities, why):
    with pytest.raises(QuantitiesBroken, match=why):
        LineQuantities(ordered=D(10), **{name: D(value) for name, value in quantities.items()})


def test_an_answer_after_shipping_is_a_fault_of_the_caller():
    shipped = LineQuantities(ordered=D(10)).answered(confirmed=D(10)).with_shipment(D(4))
    with pytest.raises(QuantitiesBroken, match="after the goods were shipped"):
        shipped.answered(confirmed=D(4))


def test_a_shipment_fills_a_back_order_and_confirms_it_thereby():
    line = LineQuantities(ordered=D(10)).answered(confirmed=D(6), backordered=D(4)).with_shipment(D(8))
    assert (line.confirmed, line.backordered, line.shipped, line.overshipped) == (8, 2, 8, 0)


def test_what_is_shipped_beyond_the_agreement_stands_apart():
    line = LineQuantities(ordered=D(10)).answered(confirmed=D(6), cancelled=D(4)).with_shipment(D(8))
    assert (line.shipped, line.overshipped) == (6, 2)


_quantity = st.decimals(min_value=0, max_value=100, places=2)
_movements = st.lists(
    st.tuples(st.sampled_from(["answer", "ship", "backorder", "cancel", "close", "invoice", "credit"]), _quantity)
)


@settings(deadline=None, max_examples=150)
@given(st.decimals(min_value=0, max_value=100, places=2), _movements)
def test_the_invariants_hold_through_any_story(ordered, movements):
    """domain: unanswered + confirmed + rejected + cancelled + back order = ordered; shipped <= confirmed; and so on."""
    line = LineQuantities(ordered=ordered)
    for movement, quantity in movements:
        line = _move(line, movement, quantity)
        answered = line.confirmed + line.backordered + line.rejected + line.cancelled
        assert line.unanswered + answered == line.ordered
        assert line.shipped <= line.confirmed
        assert line.invoiced <= line.shipped + line.overshipped
        assert line.credited <= line.invoiced
        assert line.state in LineState


def _move(line, movement, quantity):
    if movement == "answer" and not line.shipped and not line.overshipped:
        confirmed = min(quantity, line.wanted)
        return line.answered(confirmed=confirmed, backordered=line.wanted - confirmed)
    if movement == "ship":
        return line.with_shipment(quantity)
    if movement == "backorder":
        return line.with_rest_backordered()
    if movement == "cancel":
        return line.with_rest_cancelled()
    if movement == "close":
        return line.with_open_cancelled()
    if movement == "invoice":
        return line.with_invoiced(min(quantity, line.shipped + line.overshipped - line.invoiced))
    if movement == "credit":
        return line.with_credited(min(quantity, line.invoiced - line.credited))
    return line
