"""Whether an invoice agrees with order, shipment and itself."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta
from decimal import Decimal

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from edi_gateway.marketplace.confirmation import ResponseCode
from edi_gateway.marketplace.confirming import apply_confirmation
from edi_gateway.marketplace.invoice import Allowance, InvoiceTotals, VatSubtotal
from edi_gateway.marketplace.matching import OWNERS, DiscrepancyClass, MatchContext, MatchStatus, match_invoice
from edi_gateway.marketplace.parties import ItemIdentity, Reference, VatRate
from edi_gateway.marketplace.shipping import apply_shipment
from edi_gateway.partnership import Tolerances

from .documents import NOW, ORDER_NUMBER, TODAY, VAT, a_confirmation, a_shipment, a_shipped_line, an_invoice, sent
from .documents import an_invoice_line as billed

D = Decimal
STRICT = Tolerances()
K = DiscrepancyClass


def shipped(one=10, two=6):
    order = apply_confirmation(sent(), a_confirmation(ResponseCode.ACCEPTED), STRICT, NOW).order
    lines = [a_shipped_line(number, quantity) for number, quantity in ((1, one), (2, two)) if quantity]
    return apply_shipment({ORDER_NUMBER: order}, a_shipment(*lines), STRICT).orders[ORDER_NUMBER]


def match(invoice, order=None, tolerances=STRICT, vat_number="FR14987654324"):
    context = MatchContext(
        orders={ORDER_NUMBER: order or shipped()}, tolerances=tolerances, vendor_vat_number=vat_number
    )
    return match_invoice(invoice, context)


def kinds(result):
    return [discrepancy.kind for discrepancy in result.discrepancies]


def good():
    return an_invoice(billed(1, 10, "12.50"), billed(2, 6, "20.00"))


def test_an_invoice_that_agrees():
    result = match(good())
    assert result.status is MatchStatus.MATCHED
    assert kinds(result) == []
    assert [(line.line, line.quantity) for line in result.billed] == [(1, 10), (2, 6)]


def test_every_class_has_an_owner():
    assert set(OWNERS) == set(DiscrepancyClass)


@pytest.mark.parametrize(
    ("line", "kind"),
    [
        (billed(1, 10, "12.51"), K.PRICE_HIGHER),
        (billed(1, 10, "12.49"), K.PRICE_LOWER),
        (billed(1, 11, "12.50"), K.QTY_OVER),
        (billed(2, 8, "20.00"), K.SHORT_SHIPPED),
        (billed(1, 10, "12.50", net_amount=D("125.02")), K.TOTALS),
        (billed(1, 0, "12.50"), K.TOTALS),
        (billed(1, 10, "12.50", order_number=""), K.MISSING_ORDER_REF),
        (billed(1, 10, "12.50", order_number="NOBODY"), K.UNKNOWN_LINE),
        (billed(1, 10, "12.50", order_line=9, item=ItemIdentity(gtin="96385074")), K.UNKNOWN_LINE),
    ],
)
def test_a_line_that_disagrees_holds_the_invoice(line, kind):
    result = match(an_invoice(line))
    assert result.status is MatchStatus.MISMATCH_HELD
    assert kinds(result) == [kind]


def test_a_vat_rate_that_was_not_ordered():
    ten = VatRate(rate=D(10))
    line = billed(1, 10, "12.50", vat=ten)
    invoice = an_invoice(
        line,
        vat_breakdown=(VatSubtotal(vat=ten, base=D(125), amount=D("12.50")),),
        totals=InvoiceTotals(total=D("137.50")),
    )
    assert kinds(match(invoice)) == [K.VAT_RATE]


def test_nothing_is_invoiced_twice():
    order = shipped()
    line = order.lines[0]
    order = order.with_lines([line.moved(line.quantities.with_invoiced(D(10)))])
    assert kinds(match(an_invoice(billed(1, 1, "12.50")), order)) == [K.QTY_OVER]


def test_two_lines_of_one_order_line_are_added_up():
    assert kinds(match(an_invoice(billed(1, 6, "12.50"), billed(1, 5, "12.50", number=2)))) == [K.QTY_OVER]


def test_an_invoice_before_the_goods_would_agree_later():
    """G10: INVOIC before DESADV."""
    confirmed = apply_confirmation(sent(), a_confirmation(ResponseCode.ACCEPTED), STRICT, NOW).order
    assert match(good(), confirmed).only_too_early
    assert match(good(), sent()).only_too_early
    assert match(good(), shipped()).agrees


def test_over_shipped_goods_are_paid_only_within_the_tolerance():
    order = shipped(one=11)
    invoice = an_invoice(billed(1, 11, "12.50"))
    strict, tolerant = match(invoice, order), match(invoice, order, Tolerances(quantity_percent=D(10)))
    assert (strict.status, kinds(strict)) == (MatchStatus.MISMATCH_HELD, [K.OVER_SHIPPED])
    assert (tolerant.status, kinds(tolerant)) == (MatchStatus.MATCHED_WITHIN_TOLERANCE, [K.OVER_SHIPPED])


def test_a_price_within_the_tolerance_is_noted():
    result = match(an_invoice(billed(1, 10, "12.60")), tolerances=Tolerances(price_percent=D(1)))
    assert (result.status, kinds(result)) == (MatchStatus.MATCHED_WITHIN_TOLERANCE, [K.PRICE_HIGHER])


def test_a_price_per_hundred():
    line = billed(1, 10, "1250.00", price_basis=D(100), net_amount=D("125.00"))
    assert match(an_invoice(line)).status is MatchStatus.MATCHED


def test_a_line_without_a_price_is_compared_by_its_amount():
    good_line = billed(1, 10, "12.50", unit_price=None, net_amount=D("125.00"))
    bad_line = billed(1, 10, "12.50", unit_price=None, net_amount=D("130.00"))
    assert match(an_invoice(good_line)).agrees
    assert kinds(match(an_invoice(bad_line))) == [K.PRICE_HIGHER]


# The totals: any consistent subset.


@pytest.mark.parametrize(
    "totals",
    [
        InvoiceTotals(total=D("294.00")),
        InvoiceTotals(total_alternative=D("294.00")),
        InvoiceTotals(due=D("294.00")),
        InvoiceTotals(total=D("294.00"), prepaid=D("94.00"), due=D("200.00")),
        InvoiceTotals(lines=D("245.00"), taxable=D("245.00"), vat=D("49.00"), total=D("294.00"), due=D("294.00")),
    ],
)
def test_any_consistent_subset_of_totals_will_do(totals):
    assert kinds(match(replace(good(), totals=totals))) == []


@pytest.mark.parametrize(
    ("totals", "kind"),
    [
        (InvoiceTotals(), K.TOTALS),
        (InvoiceTotals(total=D("294.03")), K.TOTALS),
        (InvoiceTotals(total=D("294.00"), lines=D("245.03")), K.TOTALS),
        (InvoiceTotals(total=D("294.00"), prepaid=D("94.00"), due=D("294.00")), K.TOTALS),
        (InvoiceTotals(total=D("294.00"), total_alternative=D("300.00")), K.TOTALS),
    ],
)
def test_totals_that_do_not_add_up(totals, kind):
    assert set(kinds(match(replace(good(), totals=totals)))) == {kind}


def test_rounding_a_cent_a_line_is_within_tolerance():
    off = replace(good(), totals=replace(good().totals, total=D("294.02"), due=None))
    assert match(off).status is MatchStatus.MATCHED_WITHIN_TOLERANCE


def test_a_vat_breakdown_is_demanded():
    assert K.VAT_MATH in kinds(match(replace(good(), vat_breakdown=(), totals=InvoiceTotals(total=D("294.00")))))


@pytest.mark.parametrize(
    ("base", "amount"),
    [("245.00", "49.03"), ("240.00", "48.00")],
)
def test_vat_that_does_not_follow_from_the_lines(base, amount):
    invoice = replace(good(), vat_breakdown=(VatSubtotal(vat=VAT, base=D(base), amount=D(amount)),))
    assert K.VAT_MATH in kinds(match(invoice))


def test_the_amazon_like_sample():
    """Only MOA 77, 124 and 125: 51.00 at 20 % is 10.20."""
    order = shipped()
    line = billed(1, 4, "12.50", net_amount=None)
    invoice = an_invoice(
        line,
        vat_breakdown=(VatSubtotal(vat=VAT, base=D("50.00"), amount=D("10.00")),),
        totals=InvoiceTotals(total_alternative=D("60.00")),
    )
    assert match(invoice, order).status is MatchStatus.MATCHED


def test_the_official_example_with_two_rates_and_freight():
    """G13: 4690 / 120 / 4810 / 957.10 / 5767.10; freight is taxed at 19 % with the 2530 line."""
    low, high = VatRate(rate=D(19)), VatRate(rate=D(21))
    invoice = an_invoice(
        billed(1, 1, "2160", vat=high),
        billed(2, 1, "2530", vat=low),
        allowances=(Allowance(is_charge=True, service="FC", amount=D(120), vat=low),),
        vat_breakdown=(
            VatSubtotal(vat=low, base=D(2650), amount=D("503.50")),
            VatSubtotal(vat=high, base=D(2160), amount=D("453.60")),
        ),
        totals=InvoiceTotals(lines=D(4690), allowances=D(120), taxable=D(4810), vat=D("957.10"), total=D("5767.10")),
    )
    found = set(kinds(match(invoice)))
    assert found.isdisjoint({K.TOTALS, K.VAT_MATH})
    assert K.CHARGE_UNEXPECTED in found  # nobody agreed on freight


@pytest.mark.parametrize("sign", [1, -1])
def test_the_sign_of_an_allowance_total_may_be_either(sign):
    totals = InvoiceTotals(
        lines=D("245.00"), allowances=D(5) * sign, taxable=D("240.00"), vat=D("48.00"), total=D("288.00")
    )
    vat = (VatSubtotal(vat=VAT, base=None, amount=D("48.00")),)
    assert kinds(match(replace(good(), totals=totals, vat_breakdown=vat))) == []


# The header.


def test_currency_tax_id_and_due_date():
    wrong = replace(good(), currency="USD", due=TODAY - timedelta(days=1))
    assert kinds(match(wrong, vat_number="FR11123456782")) == [K.CURRENCY, K.TAX_ID, K.DUE_DATE]


@pytest.mark.parametrize("type_code", ["381", "384"])
def test_a_corrective_document_names_the_invoice(type_code):
    """G14."""
    without = replace(good(), type_code=type_code)
    with_reference = replace(without, corrected_invoice=Reference(qualifier="IV", number="FA-1"))
    assert K.CREDIT_NOTE_NO_REF in kinds(match(without))
    assert K.CREDIT_NOTE_NO_REF not in kinds(match(with_reference))


def test_a_credit_note_credits_what_was_invoiced():
    order = shipped()
    line = order.lines[0]
    order = order.with_lines([line.moved(line.quantities.with_invoiced(D(4)))])
    note = {"type_code": "381", "corrected_invoice": Reference(qualifier="IV", number="FA-1")}
    assert kinds(match(an_invoice(billed(1, 4, "12.50"), **note), order)) == []
    assert kinds(match(an_invoice(billed(1, 5, "12.50"), **note), order)) == [K.QTY_OVER]


@settings(deadline=None, max_examples=80)
@given(
    st.decimals(min_value=D("0.01"), max_value=D(1000), places=2),
    st.integers(1, 10),
    st.decimals(min_value=D("-0.5"), max_value=D("0.5"), places=2),
)
def test_only_an_exact_invoice_is_matched(price, quantity, error):
    """An invoice made of the agreed price and shipped quantity agrees; any other total beyond the tolerance is held."""
    order = shipped()
    line = order.lines[0]
    order = order.with_lines([replace(line, confirmed_price=price)])
    invoice = an_invoice(billed(1, quantity, price))
    assert match(invoice, order).status is MatchStatus.MATCHED
    total = invoice.totals.total + error
    wrong = match(replace(invoice, totals=replace(invoice.totals, total=total, due=None)), order)
    assert wrong.agrees is (abs(error) <= D("0.01"))
