"""What an order from the shop must hold before it may be sent."""

from __future__ import annotations

from dataclasses import replace
from datetime import date, datetime
from decimal import Decimal

import pytest

from edi_gateway.marketplace.ordering import LINE_NUMBER_MAX, LINES_MAX, PRICE_MAX, QUANTITY_MAX, order_findings
from edi_gateway.marketplace.parties import ItemIdentity, Party, PartyRole, Period

from .documents import BUYER, SUPPLIER, an_order

D = Decimal


def findings(order, vendor=SUPPLIER, buyer=BUYER):
    return [(finding.code, finding.path) for finding in order_findings(order, vendor_gln=vendor, buyer_gln=buyer)]


def with_line(**changes):
    order = an_order(total_net=None)
    return replace(order, lines=(replace(order.lines[0], net_amount=None, **changes), *order.lines[1:]))


def with_window(end):
    return with_line(delivery_window=Period(end=end))


def test_a_good_order_has_no_findings():
    assert findings(an_order()) == []


@pytest.mark.parametrize(
    ("order", "expected"),
    [
        (an_order(number=""), ("B630", "number")),
        (an_order(number="A" * 36), ("B630", "number")),
        (an_order(number="A/1"), ("B630", "number")),
        (an_order(number="A\n1"), ("B630", "number")),
        (with_line(number=LINE_NUMBER_MAX + 1), ("B637", "lines[0]/number")),
        (with_line(quantity=QUANTITY_MAX, unit="KGM"), ("Q712", "lines[0]/quantity")),
        (with_line(quantity=D("1.00001"), unit="KGM"), ("Q712", "lines[0]/quantity")),
        (with_line(unit_price=D("1E+300")), ("Q712", "lines[0]/unit_price")),
        (with_line(unit_price=D("1E-7")), ("Q712", "lines[0]/unit_price")),
        (an_order(currency="euro"), ("B631", "currency")),
        (
            an_order(delivery_window=Period(start=date(2026, 12, 2), end=date(2026, 12, 1))),
            ("B632", "delivery_window/end"),
        ),
        (an_order(delivery_window=Period(end=date(2026, 11, 1))), ("B632", "delivery_window/end")),
        (an_order(cancel_after=date(2026, 11, 26)), ("B632", "cancel_after")),
        (an_order(issued=datetime(2026, 11, 22, 6, 0)), ("B639", "issued")),  # noqa: DTZ001 - what must not be
        (with_window(datetime(2026, 11, 25, 6, 0)), ("B639", "lines[0]/delivery_window/end")),  # noqa: DTZ001
        (an_order(parties=an_order().parties[:2]), ("B635", "parties")),
        (an_order(parties=an_order().parties[1:]), ("B635", "parties")),
        (an_order(lines=(), total_net=None), ("B637", "lines")),
        (an_order(total_net=D("305.01")), ("F803", "total_net")),
        (with_line(number=2), ("B638", "lines")),
        (with_line(number=0), ("B637", "lines[0]/number")),
        (with_line(item=ItemIdentity()), ("Q707", "lines[0]/item")),
        (with_line(item=ItemIdentity(gtin="3760123450011")), ("B634", "lines[0]/item/gtin")),
        (with_line(quantity=D(0)), ("Q702", "lines[0]/quantity")),
        (with_line(quantity=D("1.5")), ("Q711", "lines[0]/quantity")),
        (with_line(unit_price=D(0)), ("B611", "lines[0]/unit_price")),
        (with_line(price_basis=D(0)), ("B611", "lines[0]/price_basis")),
    ],
)
def test_each_fault_is_found_at_its_place(order, expected):
    assert findings(order) == [expected]


def test_a_fraction_of_a_kilogram_is_whole_enough():
    assert findings(with_line(quantity=D("1.5"), unit="KGM")) == []


def test_a_line_amount_is_quantity_times_price():
    order = an_order(total_net=None)
    wrong = replace(order, lines=(replace(order.lines[0], net_amount=D("125.02")), *order.lines[1:]))
    assert findings(wrong) == [("F803", "lines[0]/net_amount")]


def test_the_parties_are_this_vendor_and_us():
    assert findings(an_order(), vendor="3760000001021") == [("B636", "parties")]
    assert findings(an_order(), buyer="3760000001021") == [("B636", "parties")]
    wrong = replace(an_order().parties[2], identifier="3760000000025")
    assert findings(an_order(parties=(*an_order().parties[:2], wrong))) == [("B633", "parties[2]/identifier")]


def test_a_delivery_party_without_gln_will_do():
    home = Party(role=PartyRole.SHIP_TO, name="Jean Dupont", city="Lyon", country="FR")
    assert findings(an_order(parties=(*an_order().parties[:2], home))) == []


def test_the_bounds_themselves_are_allowed():
    assert findings(with_line(quantity=QUANTITY_MAX - D("0.0001"), unit="KGM", unit_price=D("0.000001"))) == []
    assert findings(with_line(unit_price=PRICE_MAX - D("0.000001"), number=LINE_NUMBER_MAX)) == []
    assert findings(an_order(number="A" * 35)) == []


def test_the_bound_of_lines_on_both_sides():
    line = an_order().lines[0]
    lines = tuple(replace(line, number=number) for number in range(1, LINES_MAX + 2))
    assert findings(an_order(lines=lines[:LINES_MAX], total_net=None)) == []
    assert findings(an_order(lines=lines, total_net=None)) == [("B637", "lines")]
