"""The commission of a cycle, to the cent."""

from __future__ import annotations

from datetime import date
from decimal import Decimal

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from edi_gateway.marketplace.commission import CommissionTerms, InvoicedGoods, commission_invoice
from edi_gateway.marketplace.parties import Party, PartyRole

D = Decimal
CYCLE = (date(2026, 11, 11), date(2026, 11, 20))
OPERATOR = Party(role=PartyRole.SUPPLIER, identifier="3760000000017", agency="9", country="FR", vat_id="FR11123456782")


def vendor(country="FR"):
    return Party(role=PartyRole.BUYER, identifier="3760000001014", agency="9", country=country)


def issue(goods, rate="0.12", country="FR"):
    terms = CommissionTerms(rate=D(rate), vat_rate=D(20), currency="EUR")
    return commission_invoice(
        "COM-2026-11-000123",
        [InvoicedGoods(f"FA-{index}", CYCLE[0], D(net)) for index, net in enumerate(goods, 1)],
        terms,
        operator=OPERATOR,
        vendor=vendor(country),
        period=CYCLE,
        issued=date(2026, 11, 21),
    )


def test_twelve_percent_of_two_invoices_with_vat():
    """The worked cash-out: 14.40 + 7.20 = 21.60, VAT 4.32."""
    invoice = issue(["120.00", "60.00"])
    assert [line.net_amount for line in invoice.lines] == [D("14.40"), D("7.20")]
    assert invoice.totals.taxable == D("21.60")
    assert invoice.totals.vat == D("4.32")
    assert invoice.totals.total == D("25.92")
    assert invoice.type_code == "380"
    assert [party.role for party in invoice.parties] == [PartyRole.SUPPLIER, PartyRole.BUYER, PartyRole.INVOICEE]
    assert {note.subject for note in invoice.notes} == {"PMT", "PMD", "AAB"}


def test_each_line_is_rounded_half_up():
    assert [line.net_amount for line in issue(["0.04", "0.05", "0.12"], rate="0.125").lines] == [
        D("0.01"),
        D("0.01"),
        D("0.02"),
    ]


@pytest.mark.parametrize(
    ("country", "rate", "category", "note"),
    [("FR", 20, "S", False), ("DE", 0, "AE", True), ("CH", 0, "O", False)],
)
def test_vat_follows_the_vendors_place(country, rate, category, note):
    """CGI 283-2: reverse charge within the Union; outside of it no VAT."""
    invoice = issue(["100.00"], country=country)
    assert (invoice.vat_breakdown[0].vat.rate, invoice.vat_breakdown[0].vat.category) == (rate, category)
    assert any("AUTOLIQUIDATION" in entry.text for entry in invoice.notes) is note
    assert invoice.totals.total == (D("14.40") if rate else D("12.00"))


def test_a_cycle_without_sales_has_no_invoice():
    with pytest.raises(ValueError, match="no goods"):
        issue([])


@settings(deadline=None, max_examples=100)
@given(st.lists(st.decimals(min_value=D("0.01"), max_value=D(100000), places=2), min_size=1, max_size=20))
def test_the_totals_are_the_sum_of_the_lines_to_the_cent(goods):
    invoice = issue(goods)
    net = sum(line.net_amount for line in invoice.lines)
    assert invoice.totals.lines == invoice.totals.taxable == net
    assert invoice.totals.total == net + invoice.totals.vat
    assert abs(net - sum(goods) * D("0.12")) <= D("0.005") * len(goods)
    assert all(amount.as_tuple().exponent == -2 for amount in (net, invoice.totals.vat, invoice.totals.total))
