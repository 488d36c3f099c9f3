"""What a despatch advice (DESADV) does to orders; the scenarios G7 and G8 among it."""

from __future__ import annotations

from dataclasses import replace
from decimal import Decimal

from edi_gateway.marketplace.confirmation import LineAction, Remainder, ResponseCode
from edi_gateway.marketplace.confirming import apply_confirmation
from edi_gateway.marketplace.fulfilment import OrderState
from edi_gateway.marketplace.order import ResponseRequired
from edi_gateway.marketplace.parties import ItemIdentity
from edi_gateway.marketplace.quantities import LineState
from edi_gateway.marketplace.shipment import Package
from edi_gateway.marketplace.shipping import (
    apply_shipment,
    awaited_orders,
    order_numbers,
    package_findings,
    sscc_list,
)
from edi_gateway.partnership import Tolerances

from .documents import NOW, ORDER_NUMBER, a_confirmation, a_line, a_shipment, a_shipped_line, an_order, item, sent

D = Decimal
STRICT = Tolerances()


def confirmed(number=ORDER_NUMBER):
    answer = a_confirmation(ResponseCode.ACCEPTED, order_number=number)
    return apply_confirmation(sent(an_order(number)), answer, STRICT, NOW).order


def ship(order, shipment, tolerances=STRICT):
    return apply_shipment({order.order.number: order}, shipment, tolerances)


def codes(applied):
    return [finding.code for finding in applied.findings]


def test_everything_shipped():
    shipment = a_shipment(a_shipped_line(1, 10), a_shipped_line(2, 8), a_shipped_line(3, 4))
    applied = ship(confirmed(), shipment)
    assert applied.orders[ORDER_NUMBER].state is OrderState.SHIPPED
    assert [shipped.quantity for shipped in applied.shipped] == [10, 8, 4]
    assert codes(applied) == []


def test_two_shipments_of_one_line():
    """G7: 10 ordered; 6 with QVR+-4:21+BP, then 4."""
    first = ship(confirmed(), a_shipment(a_shipped_line(1, 6, remainder=Remainder.BACK_ORDER, difference=D(-4))))
    order = first.orders[ORDER_NUMBER]
    assert order.lines[0].state is LineState.SHIPPED_PART
    assert (order.lines[0].quantities.backordered, order.lines[0].quantities.cancelled) == (4, 0)
    second = ship(order, a_shipment(a_shipped_line(1, 4), number="DA-1002"))
    assert second.orders[ORDER_NUMBER].lines[0].state is LineState.SHIPPED
    assert second.orders[ORDER_NUMBER].lines[0].quantities.confirmed == 10


def test_one_shipment_for_three_orders():
    """G8: RFF+ON under each line, none in the header; a line for an order that is not this vendor's is a finding."""
    orders = {number: confirmed(number) for number in ("A1", "A2", "A3")}
    lines = [a_shipped_line(1, 10, order_number=number) for number in ("A1", "A2", "A3", "OTHER")]
    shipment = a_shipment(*lines)
    assert order_numbers(shipment) == ("A1", "A2", "A3", "OTHER")
    applied = apply_shipment(orders, shipment, STRICT)
    assert sorted(applied.orders) == ["A1", "A2", "A3"]
    assert codes(applied) == ["B601"]


def test_a_line_in_several_packages_is_added_up():
    first = Package(number="1", type="CT", lines=(a_shipped_line(1, 6),))
    second = Package(number="2", type="CT", lines=(a_shipped_line(1, 4),))
    applied = ship(confirmed(), replace(a_shipment(), packages=(first, second)))
    assert applied.orders[ORDER_NUMBER].lines[0].quantities.shipped == 10
    assert len(applied.shipped) == 1


def test_the_order_of_the_header_counts_where_the_line_names_none():
    line = a_shipped_line(1, 10, order_number="", order_line=None)
    applied = ship(confirmed(), a_shipment(line, order_number=ORDER_NUMBER))
    assert applied.orders[ORDER_NUMBER].lines[0].state is LineState.SHIPPED


def test_a_line_without_an_order_is_a_finding():
    applied = ship(confirmed(), a_shipment(a_shipped_line(1, 10, order_number="")))
    assert (codes(applied), applied.shipped) == (["B602"], ())


def test_an_article_that_was_not_ordered_is_a_finding():
    stray = a_shipped_line(1, 10, order_line=None)
    stray = replace(stray, item=ItemIdentity(gtin="96385074"))
    assert codes(ship(confirmed(), a_shipment(stray))) == ["B603"]


def test_the_agreement_says_what_silence_about_a_short_line_means():
    shipment = a_shipment(a_shipped_line(1, 6))
    kept = ship(confirmed(), shipment, Tolerances(short_shipment="backorder"))
    dropped = ship(confirmed(), shipment, Tolerances(short_shipment="cancel"))
    assert kept.orders[ORDER_NUMBER].lines[0].quantities.backordered == 4
    assert dropped.orders[ORDER_NUMBER].lines[0].quantities.cancelled == 4
    assert dropped.orders[ORDER_NUMBER].lines[0].state is LineState.SHIPPED


def test_cp_ends_the_line_and_its_back_order():
    answer = a_confirmation(ResponseCode.CHANGED, a_line(1, LineAction.CHANGED, 6, remainder=Remainder.BACK_ORDER))
    order = apply_confirmation(sent(), answer, STRICT, NOW).order
    applied = ship(order, a_shipment(a_shipped_line(1, 6, remainder=Remainder.CANCELLED)))
    quantities = applied.orders[ORDER_NUMBER].lines[0].quantities
    assert (quantities.shipped, quantities.backordered, quantities.cancelled) == (6, 0, 4)


def test_over_shipping_is_flagged_beyond_the_tolerance():
    shipment = a_shipment(a_shipped_line(1, 11))
    strict = ship(confirmed(), shipment)
    tolerant = ship(confirmed(), shipment, Tolerances(quantity_percent=D(10)))
    assert (codes(strict), codes(tolerant)) == (["Q701"], [])
    assert strict.orders[ORDER_NUMBER].lines[0].quantities.overshipped == 1


def test_a_quantity_of_zero_is_a_finding_unless_a_remainder_explains_it():
    assert codes(ship(confirmed(), a_shipment(a_shipped_line(1, 0)))) == ["Q702"]
    ended = ship(confirmed(), a_shipment(a_shipped_line(1, 0, remainder=Remainder.CANCELLED)))
    assert ended.orders[ORDER_NUMBER].lines[0].state is LineState.CANCELLED
    assert codes(ended) == []


def test_a_refused_order_is_not_shipped():
    refused = apply_confirmation(sent(), a_confirmation(ResponseCode.REFUSED), STRICT, NOW).order
    applied = ship(refused, a_shipment(a_shipped_line(1, 10)))
    assert (codes(applied), applied.orders) == (["B614"], {})


def test_a_shipment_before_the_answer_waits():
    """G10: DESADV before ORDRSP."""
    shipment = a_shipment(a_shipped_line(1, 10))
    assert awaited_orders({ORDER_NUMBER: sent()}, shipment) == (ORDER_NUMBER,)
    assert awaited_orders({ORDER_NUMBER: confirmed()}, shipment) == ()
    assert awaited_orders({}, shipment) == ()


def test_an_order_that_asks_for_no_answer_is_shipped_as_ordered():
    """BGM 4343 NA: nobody waits for an ORDRSP."""
    order = sent(an_order(response_required=ResponseRequired.NONE))
    shipment = a_shipment(a_shipped_line(1, 10))
    assert awaited_orders({ORDER_NUMBER: order}, shipment) == ()
    applied = ship(order, shipment)
    assert applied.orders[ORDER_NUMBER].lines[0].state is LineState.SHIPPED


def test_a_cancellation_is_left_to_an_operator():
    assert codes(ship(confirmed(), a_shipment(a_shipped_line(1, 10), function="5"))) == ["B619"]


def test_packages_nest_in_packages_that_exist():
    def findings(*pairs):
        packages = tuple(Package(number=number, parent=parent) for number, parent in pairs)
        return [finding.value for finding in package_findings(replace(a_shipment(), packages=packages))]

    assert findings(("1", ""), ("2", "1"), ("3", "2")) == []
    assert findings(("1", ""), ("2", "9")) == ["2"]
    assert findings(("1", "2"), ("2", "1")) == ["1", "2"]
    assert findings(("1", "1")) == ["1"]


def test_the_ssccs_of_a_shipment():
    assert sscc_list(a_shipment()) == ("337601234500000011",)
    assert item(1).gtin
