"""Hypothesis strategies for the records of the shorter messages: order changes, receiving, payment, sales, prices."""

from __future__ import annotations

from dataclasses import replace
from decimal import Decimal
from typing import Any

from hypothesis import strategies as st

from edi_gateway.marketplace.discrepancy import Discrepancy
from edi_gateway.marketplace.invoice import Allowance, BankAccount
from edi_gateway.marketplace.order import ResponseRequired
from edi_gateway.marketplace.order_change import ChangeFunction, LineChange, OrderChange, OrderChangeLine
from edi_gateway.marketplace.parties import PartyRole
from edi_gateway.marketplace.price_catalogue import Offer, OfferAction, OfferPrice, PriceCatalogue, PriceGroup
from edi_gateway.marketplace.receiving import ReceivedLine, ReceivedPackage, ReceivingAdvice
from edi_gateway.marketplace.remittance import Adjustment, RemittanceAdvice, SettledDocument
from edi_gateway.marketplace.sales_report import SalesPlace, SalesReport, SoldLine

from .strategies import (
    ORDER_ROLES,
    amounts,
    bases,
    codes,
    items,
    moments,
    notes,
    or_empty,
    or_none,
    others,
    parties,
    prices,
    qualified_dates,
    quantities,
    references,
    several,
    spans,
    ssccs,
    texts,
    units,
    vat_rates,
    windows,
)

TRADERS = (PartyRole.BUYER, PartyRole.SUPPLIER, PartyRole.DELIVERY_PARTY)
line_numbers = st.integers(1, 999999)


def some_parties(most: int = 2) -> st.SearchStrategy[tuple[Any, ...]]:
    return st.lists(parties(TRADERS), min_size=1, max_size=most).map(tuple)


def discrepancies(most: int) -> st.SearchStrategy[tuple[Discrepancy, ...]]:
    one = st.builds(
        Discrepancy,
        quantity=amounts,
        qualifier=or_empty(st.sampled_from(("12", "21", "124", "195", "196"))),
        treatment=or_empty(st.sampled_from(("BP", "CP", "AC", "AF"))),
        reason=or_empty(st.sampled_from(("PC", "AUE"))),
    )
    return several(one, most)


def priced(draw: st.DrawFn, *names: str) -> dict[str, Any]:
    values: dict[str, Any] = {name: draw(or_none(prices)) for name in names}
    has_price = any(value is not None for value in values.values())
    return {**values, "price_basis": draw(bases) if has_price else Decimal(1)}


@st.composite
def order_change_lines(draw: st.DrawFn) -> OrderChangeLine:
    quantity = draw(or_none(quantities))
    return OrderChangeLine(
        number=draw(line_numbers),
        action=draw(or_none(st.sampled_from(LineChange))),
        item=draw(items()),
        quantity=quantity,
        unit="PCE" if quantity is None else draw(units),
        free_quantity=draw(or_none(quantities)),
        pack_size=draw(or_none(quantities)),
        cancelled=draw(or_none(quantities)),
        description=draw(or_empty(texts(80))),
        discrepancies=draw(discrepancies(1)),
        requested_delivery=draw(or_none(moments)),
        delivery_window=draw(or_none(windows)),
        dates=draw(several(qualified_dates(("10", "200")))),
        net_amount=draw(or_none(amounts)),
        notes=draw(several(notes())),
        references=draw(several(references(("CT", "PD")))),
        vat=draw(or_none(vat_rates)),
        other_quantities=draw(others(("83",), quantities)),
        other_prices=draw(others(("AAF",), prices)),
        other_amounts=draw(others(("128",), amounts)),
        **priced(draw, "unit_price", "list_price", "retail_price"),
    )


@st.composite
def order_changes(draw: st.DrawFn) -> OrderChange:
    return OrderChange(
        number=draw(codes()),
        function=draw(st.sampled_from([each for each in ChangeFunction if each.value not in ("27", "29")])),
        response_required=draw(or_none(st.sampled_from(ResponseRequired))),
        issued=draw(moments),
        order_number=draw(codes()),
        order_version=draw(or_empty(st.integers(1, 99).map(str))),
        order_date=draw(or_none(moments)),
        requested_delivery=draw(or_none(moments)),
        delivery_window=draw(or_none(windows)),
        cancel_after=draw(or_none(moments)),
        dates=draw(several(qualified_dates(("10", "37")))),
        currency=draw(st.sampled_from(("", "EUR"))),
        parties=draw(several(parties(ORDER_ROLES))),
        references=draw(several(references(("CT", "PL")))),
        notes=draw(several(notes())),
        lines=draw(several(order_change_lines(), 3)),
        total_net=draw(or_none(amounts)),
        total=draw(or_none(amounts)),
    )


@st.composite
def received_lines(draw: st.DrawFn) -> ReceivedLine:
    received = draw(or_none(quantities))
    order_number, despatch_number = draw(or_empty(codes())), draw(or_empty(codes()))
    return ReceivedLine(
        number=draw(line_numbers),
        item=draw(items()),
        received=received,
        unit="PCE" if received is None else draw(units),
        accepted=draw(or_none(quantities)),
        despatched=draw(or_none(quantities)),
        ordered=draw(or_none(quantities)),
        delivered=draw(or_none(quantities)),
        free_quantity=draw(or_none(quantities)),
        pack_size=draw(or_none(quantities)),
        description=draw(or_empty(texts(80))),
        discrepancies=draw(discrepancies(3)),
        dates=draw(several(qualified_dates(("361",)))),
        order_number=order_number,
        order_line=draw(or_none(line_numbers)) if order_number else None,
        despatch_number=despatch_number,
        despatch_line=draw(or_none(line_numbers)) if despatch_number else None,
        references=draw(several(references(("CT", "VN")))),
        batch=draw(or_empty(codes())),
        serials=draw(several(codes(), 3)),
        other_quantities=draw(others(("66",), quantities)),
    )


@st.composite
def received_packages(draw: st.DrawFn, number: str) -> ReceivedPackage:
    return ReceivedPackage(
        number=number,
        parent=draw(or_empty(st.just("1"))),
        level=draw(or_empty(st.sampled_from(("1", "3")))),
        count=draw(st.integers(1, 999)),
        packing_level=draw(or_empty(st.sampled_from(("1", "3")))),
        marked=draw(or_empty(st.just("52"))),
        type=draw(st.sampled_from(("", "201", "PK"))),
        ssccs=draw(several(ssccs, 7)),
        lines=draw(several(received_lines())),
    )


@st.composite
def receiving_advices(draw: st.DrawFn) -> ReceivingAdvice:
    despatch_number, order_number = draw(or_empty(codes())), draw(or_empty(codes()))
    packages = tuple(draw(received_packages(str(number))) for number in range(1, draw(st.integers(0, 2)) + 1))
    came = sum((line.received or Decimal(0) for each in packages for line in each.lines), Decimal(0))
    return ReceivingAdvice(
        number=draw(codes()),
        issued=draw(moments),
        received=draw(or_none(moments)),
        dates=draw(several(qualified_dates(("35",)))),
        despatch_number=despatch_number,
        despatch_date=draw(or_none(moments)) if despatch_number else None,
        order_number=order_number,
        order_date=draw(or_none(moments)) if order_number else None,
        delivery_note=draw(or_empty(codes())),
        references=draw(several(references(("VN",)))),
        parties=draw(some_parties()),
        packages=packages,
        total_quantity=draw(or_none(st.just(came))),
    )


accounts = st.builds(
    BankAccount,
    iban=st.just("FR7630006000011234567890189"),
    holder=or_empty(texts(60)),
    bic=or_empty(st.just("AGRIFRPP")),
)

adjustments = st.builds(
    Adjustment,
    reason=st.sampled_from(("1", "4", "5", "ZZZ")),
    line=or_none(line_numbers),
    amount=or_none(amounts),
    references=several(references(("ALO",)).map(lambda reference: replace(reference, date=None)), 1),
    notes=several(notes()),
)


@st.composite
def settled_documents(draw: st.DrawFn) -> SettledDocument:
    issuer = parties((PartyRole.INVOICE_ISSUER,)).map(
        lambda party: replace(party, vat_id="", registration="", references=(), contacts=())
    )
    return SettledDocument(
        type=draw(st.sampled_from(("380", "381"))),
        number=draw(codes()),
        issued=draw(or_none(moments)),
        due=draw(or_none(amounts)),
        paid=draw(amounts),
        discount=draw(or_none(amounts)),
        other_amounts=draw(others(("79", "86"), amounts)),
        dates=draw(several(qualified_dates(("13",)))),
        references=draw(several(references(("ON",)).map(lambda reference: replace(reference, date=None)))),
        parties=draw(several(issuer, 1)),
        adjustments=draw(several(adjustments)),
    )


@st.composite
def remittance_advices(draw: st.DrawFn) -> RemittanceAdvice:
    return RemittanceAdvice(
        number=draw(codes()),
        issued=draw(moments),
        payment_date=draw(or_none(moments)),
        value_date=draw(or_none(moments)),
        dates=draw(several(qualified_dates(("203",)), 1)),
        references=draw(several(references(("PQ",)).map(lambda reference: replace(reference, date=None)))),
        payer_account=draw(or_none(accounts)),
        payee_account=draw(or_none(accounts)),
        payment_means=draw(or_empty(st.sampled_from(("42", "31")))),
        notes=draw(several(notes())),
        parties=draw(
            several(
                parties((*TRADERS, PartyRole.PAYER, PartyRole.PAYEE)).map(
                    lambda party: replace(party, vat_id="", registration="", references=())
                )
            )
        ),
        currency=draw(st.sampled_from(("EUR", "USD"))),
        documents=draw(several(settled_documents(), 3)),
        due=draw(or_none(amounts)),
        paid=draw(amounts),
        other_amounts=draw(others(("8", "86"), amounts)),
    )


@st.composite
def sold_lines(draw: st.DrawFn) -> SoldLine:
    quantity = draw(or_none(quantities))
    return SoldLine(
        number=draw(line_numbers),
        item=draw(items()),
        quantity=quantity,
        unit="PCE" if quantity is None else draw(units),
        returned=draw(or_none(quantities)),
        description=draw(or_empty(texts(80))),
        references=draw(several(references(("PD",)).map(lambda reference: replace(reference, date=None)))),
        value=draw(or_none(amounts)),
        other_quantities=draw(others(("47",), quantities)),
        other_prices=draw(others(("AAF",), prices)),
        other_amounts=draw(others(("128",), amounts)),
        **priced(draw, "unit_price", "list_price", "retail_price"),
    )


@st.composite
def sales_places(draw: st.DrawFn) -> SalesPlace:
    location, agency = draw(st.sampled_from((("3760000000024", "9"), ("LYON", "92"), ("", ""))))
    return SalesPlace(
        kind=draw(st.sampled_from(("162", "18"))),
        location=location,
        location_agency=agency,
        name=draw(or_empty(texts(17))),
        period=draw(or_none(spans())),
        dates=draw(several(qualified_dates(("366",)))),
        references=draw(several(references(("CR",)))),
        lines=draw(several(sold_lines(), 3)),
    )


@st.composite
def sales_reports(draw: st.DrawFn) -> SalesReport:
    bare = parties(TRADERS).map(lambda party: replace(party, vat_id="", registration="", references=()))
    return SalesReport(
        number=draw(codes()),
        issued=draw(moments),
        period=draw(or_none(windows)),
        dates=draw(several(qualified_dates(("356",)), 1)),
        parties=tuple(draw(st.lists(bare, min_size=1, max_size=2))),
        references=draw(several(references(("CT",)))),
        currency=draw(st.sampled_from(("", "EUR"))),
        places=tuple(draw(st.lists(sales_places(), min_size=1, max_size=2))),
    )


@st.composite
def offer_prices(draw: st.DrawFn) -> OfferPrice:
    return OfferPrice(
        qualifier=draw(st.sampled_from(("AAA", "AAB", "AAE"))),
        amount=draw(prices),
        type=draw(or_empty(st.just("CA"))),
        specification=draw(or_empty(st.sampled_from(("NTP", "RTP")))),
        basis=draw(bases),
        unit=draw(or_empty(st.just("KGM"))),
        currency=draw(or_empty(st.just("USD"))),
        minimum=draw(or_none(quantities)),
        maximum=draw(or_none(quantities)),
        validity=draw(or_none(windows)),
        dates=draw(several(qualified_dates(("44",)))),
    )


@st.composite
def offers(draw: st.DrawFn) -> Offer:
    minimum = draw(or_none(quantities))
    allowance = st.builds(
        Allowance,
        is_charge=st.booleans(),
        service=or_empty(st.just("TD")),
        sequence=or_empty(st.just("1")),
        percent=or_none(prices),
        amount=or_none(amounts),
        vat=or_none(vat_rates),
    )
    return Offer(
        number=draw(line_numbers),
        action=draw(or_none(st.sampled_from(OfferAction))),
        item=draw(items()),
        description=draw(or_empty(texts(80))),
        minimum_order=minimum,
        maximum_order=draw(or_none(quantities)),
        pack_size=draw(or_none(quantities)),
        unit="PCE" if minimum is None else draw(units),
        discontinued=draw(st.booleans()),
        suspended=draw(st.booleans()),
        no_reorder=draw(st.booleans()),
        validity=draw(or_none(windows)),
        dates=draw(several(qualified_dates(("44",)))),
        references=draw(several(references(("PL",)).map(lambda reference: replace(reference, date=None)), 1)),
        notes=draw(several(notes())),
        vat=draw(or_none(vat_rates)),
        prices=draw(several(offer_prices(), 3)),
        allowances=draw(several(allowance)),
        other_quantities=draw(others(("52",), quantities)),
    )


@st.composite
def price_catalogues(draw: st.DrawFn) -> PriceCatalogue:
    group = st.builds(
        PriceGroup,
        type=st.sampled_from(("11", "2")),
        code=or_empty(st.just("ACR")),
        name=or_empty(texts(35)),
        lines=several(offers(), 3),
    )
    return PriceCatalogue(
        number=draw(codes()),
        issued=draw(moments),
        validity=draw(or_none(windows)),
        dates=draw(several(qualified_dates(("44",)))),
        notes=draw(several(notes())),
        references=draw(several(references(("CT",)))),
        parties=draw(some_parties()),
        currency=draw(st.sampled_from(("", "EUR"))),
        groups=draw(several(group)),
    )
