"""Hypothesis strategies for the records, each such that its message can carry it whole.

Texts hold service characters, the release character and accents; times are to the second, outside the hour
that autumn repeats.
"""

from __future__ import annotations

from dataclasses import fields, replace
from datetime import UTC, date, datetime, timedelta
from decimal import Decimal
from typing import Any
from zoneinfo import ZoneInfo

from hypothesis import strategies as st

from edi_gateway.marketplace.acknowledgement import ApplicationAcknowledgement, ApplicationError, Document
from edi_gateway.marketplace.confirmation import (
    ConfirmationLine,
    LineAction,
    OrderConfirmation,
    Remainder,
    ResponseCode,
)
from edi_gateway.marketplace.identifiers import with_check_digit
from edi_gateway.marketplace.inventory import InventoryItem, InventoryReport
from edi_gateway.marketplace.invoice import (
    Allowance,
    BankAccount,
    Invoice,
    InvoiceLine,
    InvoiceTotals,
    PaymentTerms,
    VatSubtotal,
)
from edi_gateway.marketplace.order import Order, OrderLine, OrderType, ResponseRequired
from edi_gateway.marketplace.parties import (
    Contact,
    ItemIdentity,
    Moment,
    Note,
    Party,
    PartyRole,
    Period,
    QualifiedDate,
    Reference,
    VatRate,
)
from edi_gateway.marketplace.shipment import Equipment, Package, Packing, Shipment, ShipmentLine

PARIS = ZoneInfo("Europe/Paris")
LETTERS = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789"
CHARACTERS = LETTERS + "?'+:.,-/() " + "àâçéèêëîïôùûüÉÈÇñß°"


def texts(longest: int, shortest: int = 1) -> st.SearchStrategy[str]:
    """Free text without blanks at its ends, or more than two in a row."""
    return st.text(CHARACTERS, min_size=shortest, max_size=longest).filter(
        lambda text: text == text.strip() and "   " not in text
    )


def codes(longest: int = 35) -> st.SearchStrategy[str]:
    """Identifiers as they are given in practice, service characters included."""
    return st.text(LETTERS + "-/?+:'", min_size=1, max_size=longest)


def or_empty(of: st.SearchStrategy[str]) -> st.SearchStrategy[str]:
    return st.one_of(st.just(""), of)


def _is_repeated_hour(instant: datetime) -> bool:
    local = instant.astimezone(PARIS)
    return local.replace(fold=0).utcoffset() != local.replace(fold=1).utcoffset()


dates = st.dates(date(1980, 1, 1), date(2069, 12, 31))
instants = (
    st.datetimes(datetime(1980, 1, 2), datetime(2069, 12, 30), timezones=st.just(UTC))  # noqa: DTZ001 - bounds must be naive
    .map(lambda instant: instant.replace(microsecond=0))
    .filter(lambda instant: not _is_repeated_hour(instant))
)
moments: st.SearchStrategy[Moment] = st.one_of(dates, instants)
quantities = st.decimals(min_value=0, max_value=Decimal("99999999"), places=3)
amounts = st.decimals(min_value=Decimal("-9999999"), max_value=Decimal("9999999"), places=2)
prices = st.decimals(min_value=0, max_value=Decimal("99999"), places=4)
bases = st.sampled_from((Decimal(1), Decimal(10), Decimal("1000")))
units = st.sampled_from(("PCE", "KGM", "CT"))


def or_none(of: st.SearchStrategy[Any]) -> st.SearchStrategy[Any]:
    return st.one_of(st.none(), of)


def several(of: st.SearchStrategy[Any], most: int = 2) -> st.SearchStrategy[tuple[Any, ...]]:
    return st.lists(of, max_size=most).map(tuple)


@st.composite
def spans(draw: st.DrawFn) -> Period:
    """A period of whole days with both ends."""
    start = draw(dates.filter(lambda day: day < date(2069, 1, 1)))
    return Period(start=start, end=start + timedelta(days=draw(st.integers(1, 40))))


windows = st.one_of(
    spans(),
    st.builds(Period, start=moments, end=st.none()),
    st.builds(Period, start=st.none(), end=moments),
    st.builds(Period, start=moments, end=moments),
)


def qualified_dates(qualifiers: tuple[str, ...]) -> st.SearchStrategy[QualifiedDate]:
    single = st.builds(QualifiedDate, qualifier=st.sampled_from(qualifiers), date=moments)
    period = st.builds(
        lambda qualifier, span: QualifiedDate(qualifier=qualifier, date=span.start, until=span.end),
        st.sampled_from(qualifiers),
        spans(),
    )
    return st.one_of(single, period)


def references(qualifiers: tuple[str, ...]) -> st.SearchStrategy[Reference]:
    return st.builds(
        Reference,
        qualifier=st.sampled_from(qualifiers),
        number=codes(),
        line=or_empty(st.integers(1, 999999).map(str)),
        date=or_none(moments),
    )


def notes(subjects: tuple[str, ...] = ("AAI", "PUR", "DEL")) -> st.SearchStrategy[Note]:
    lines = st.lists(texts(70), min_size=1, max_size=5).map(tuple)
    return st.builds(Note, subject=st.sampled_from(subjects), text=lines)


contacts = st.builds(
    Contact,
    function=st.sampled_from(("IC", "OC", "PD")),
    name=or_empty(texts(35)),
    phone=or_empty(texts(30)),
    email=or_empty(texts(60)),
)


def parties(roles: tuple[PartyRole, ...]) -> st.SearchStrategy[Party]:
    return st.builds(
        Party,
        role=st.sampled_from(roles),
        identifier=st.sampled_from(("3760000000017", "3760000001014", "4012345500004")),
        agency=st.sampled_from(("9", "91", "92")),
        name=or_empty(texts(150)),
        street=st.lists(texts(35), max_size=4).map(tuple),
        city=or_empty(texts(35)),
        region=or_empty(texts(9)),
        postcode=or_empty(texts(9)),
        country=or_empty(st.sampled_from(("FR", "DE", "ES"))),
        vat_id=or_empty(codes(20)),
        registration=or_empty(codes(20)),
        contacts=several(contacts),
        references=several(st.builds(Reference, qualifier=st.just("AHP"), number=codes()), 1),
    )


ORDER_ROLES = (
    PartyRole.BUYER,
    PartyRole.SUPPLIER,
    PartyRole.DELIVERY_PARTY,
    PartyRole.SHIP_TO,
    PartyRole.INVOICEE,
    PartyRole.ULTIMATE_CUSTOMER,
)

vat_rates = st.one_of(
    st.builds(VatRate, rate=st.sampled_from((Decimal("20"), Decimal("5.5"), Decimal("2.10"))), category=st.just("S")),
    st.builds(VatRate, rate=st.just(Decimal(0)), category=st.sampled_from(("Z", "E"))),
)

_OTHER_KINDS = ("MF", "SN", "CC")


@st.composite
def items(draw: st.DrawFn) -> ItemIdentity:
    return ItemIdentity(
        gtin=draw(st.sampled_from(("", "3760123450010", "3760123450027", "96385074"))),
        supplier_article=draw(or_empty(codes())),
        buyer_article=draw(or_empty(codes())),
        isbn=draw(or_empty(codes())),
        others=draw(st.lists(st.tuples(st.sampled_from(_OTHER_KINDS), codes()), max_size=7).map(tuple)),
    )


def others(qualifiers: tuple[str, ...], of: st.SearchStrategy[Decimal]) -> st.SearchStrategy[tuple[Any, ...]]:
    """Values of qualifiers that have no field of their own."""
    return several(st.tuples(st.sampled_from(qualifiers), of))


PRICES: dict[type, tuple[str, ...]] = {
    OrderLine: ("unit_price", "list_price", "retail_price"),
    ConfirmationLine: ("unit_price", "retail_price"),
    InvoiceLine: ("unit_price", "list_price"),
}


@st.composite
def order_lines(draw: st.DrawFn) -> OrderLine:
    priced = {name: draw(or_none(prices)) for name in PRICES[OrderLine]}
    return OrderLine(
        **priced,
        price_basis=draw(bases) if any(price is not None for price in priced.values()) else Decimal(1),
        number=draw(st.integers(1, 999999)),
        item=draw(items()),
        quantity=draw(quantities),
        unit=draw(units),
        free_quantity=draw(or_none(quantities)),
        pack_size=draw(or_none(quantities)),
        description=draw(or_empty(texts(200))),
        net_amount=draw(or_none(amounts)),
        vat=draw(or_none(vat_rates)),
        delivery_window=draw(or_none(windows)),
        notes=draw(several(notes())),
        references=draw(several(references(("CT", "PL", "PD")))),
        parent=draw(or_none(st.integers(1, 999999))),
        dates=draw(several(qualified_dates(("69", "200")))),
        other_quantities=draw(others(("1",), quantities)),
        other_prices=draw(others(("AAF",), prices)),
        other_amounts=draw(others(("128", "146"), amounts)),
    )


@st.composite
def orders(draw: st.DrawFn) -> Order:
    return Order(
        number=draw(codes()),
        type=draw(st.sampled_from([OrderType.STANDARD, OrderType.RUSH, OrderType.BLANKET])),
        function=draw(st.sampled_from(("9", "7", "31"))),
        response_required=draw(or_none(st.sampled_from(ResponseRequired))),
        issued=draw(moments),
        requested_delivery=draw(or_none(moments)),
        delivery_window=draw(or_none(windows)),
        cancel_after=draw(or_none(moments)),
        currency=draw(st.sampled_from(("EUR", "USD"))),
        parties=tuple(draw(st.lists(parties(ORDER_ROLES), min_size=1, max_size=3))),
        references=draw(several(references(("CT", "PL", "VN")))),
        notes=draw(several(notes())),
        lines=tuple(draw(st.lists(order_lines(), min_size=1, max_size=3))),
        total_net=draw(or_none(amounts)),
        total=draw(or_none(amounts)),
        dates=draw(several(qualified_dates(("10", "37", "38")))),
    )


# ORDRSP


@st.composite
def confirmation_lines(draw: st.DrawFn) -> ConfirmationLine:
    number = draw(st.integers(1, 999999))
    other_order = draw(or_empty(codes()))
    quantity = draw(or_none(quantities))
    priced = {name: draw(or_none(prices)) for name in PRICES[ConfirmationLine]}
    return ConfirmationLine(
        **priced,
        price_basis=draw(bases) if any(price is not None for price in priced.values()) else Decimal(1),
        number=number,
        action=draw(or_none(st.sampled_from(LineAction))),
        item=draw(items()),
        order_line=draw(st.one_of(st.just(number), st.integers(1, 999999))) if not other_order else number,
        order_number=other_order,
        description=draw(or_empty(texts(80))),
        quantity=quantity,
        despatched=None if quantity is None else draw(or_none(quantities)),
        backordered=draw(or_none(quantities)),
        cancelled=draw(or_none(quantities)),
        rejected=draw(or_none(quantities)),
        difference=draw(or_none(amounts)),
        remainder=draw(or_none(st.sampled_from(Remainder))),
        reason=draw(or_empty(st.sampled_from(("PC", "AV")))),
        unit="PCE" if quantity is None else draw(units),
        promised_delivery=draw(or_none(moments)),
        promised_ship=draw(or_none(moments)),
        notes=draw(several(notes())),
        references=draw(several(references(("VN", "CT")))),
        dates=draw(several(qualified_dates(("67", "76")))),
        other_quantities=draw(others(("59",), quantities)),
        other_prices=draw(others(("AAF",), prices)),
        other_amounts=draw(others(("203",), amounts)),
    )


@st.composite
def confirmations(draw: st.DrawFn) -> OrderConfirmation:
    return OrderConfirmation(
        number=draw(codes()),
        response=draw(st.sampled_from(ResponseCode)),
        issued=draw(moments),
        promised_delivery=draw(or_none(moments)),
        promised_ship=draw(or_none(moments)),
        order_number="PO-" + draw(codes(20)),
        order_date=draw(or_none(moments)),
        currency=draw(st.sampled_from(("", "EUR"))),
        parties=draw(several(parties(ORDER_ROLES))),
        references=draw(several(references(("VN", "CT")))),
        notes=draw(several(notes())),
        lines=draw(several(confirmation_lines(), 3)),
        dates=draw(several(qualified_dates(("67", "223")))),
        other_amounts=draw(others(("79",), amounts)),
    )


# DESADV


def _sizes(draw: st.DrawFn) -> dict[str, Decimal | None]:
    names = ("gross_weight_kg", "length_cm", "width_cm", "height_cm")
    return {name: draw(or_none(quantities)) for name in names}


def sscc(number: int) -> str:
    return with_check_digit(f"3376012345{number:07d}")


ssccs = st.integers(0, 9_999_999).map(sscc)


@st.composite
def shipment_lines(draw: st.DrawFn) -> ShipmentLine:
    order_number = draw(or_empty(codes()))
    return ShipmentLine(
        number=draw(st.integers(1, 999999)),
        item=draw(items()),
        quantity=draw(quantities),
        unit=draw(units),
        ordered=draw(or_none(quantities)),
        free_quantity=draw(or_none(quantities)),
        pack_size=draw(or_none(quantities)),
        order_number=order_number,
        order_line=draw(or_none(st.integers(1, 999999))) if order_number else None,
        difference=draw(or_none(amounts)),
        remainder=draw(or_none(st.sampled_from(Remainder))),
        reason=draw(or_empty(st.sampled_from(("PC", "AV")))),
        batch=draw(or_empty(codes())),
        serials=draw(several(codes(), 7)),
        best_before=draw(or_none(moments)),
        expiry=draw(or_none(moments)),
        references=draw(several(references(("CT", "VN")))),
        description=draw(or_empty(texts(80))),
        notes=draw(several(notes())),
        dates=draw(several(qualified_dates(("94",)))),
        other_quantities=draw(others(("61", "121"), quantities)),
    )


@st.composite
def packings(draw: st.DrawFn) -> Packing:
    return Packing(
        count=draw(st.integers(1, 999)),
        packing_level=draw(or_empty(st.sampled_from(("1", "2", "3")))),
        type=draw(st.sampled_from(("201", "PK", "CT"))),
        marked=draw(or_empty(st.just("52"))),
        handling=draw(or_empty(st.just("1"))),
        ssccs=draw(several(ssccs, 7)),
        **_sizes(draw),
    )


@st.composite
def packages(draw: st.DrawFn, number: str) -> Package:
    first = draw(packings())
    return Package(
        number=number,
        parent=draw(or_empty(st.just("1"))),
        level=draw(or_empty(st.sampled_from(("1", "2", "3")))),
        further=draw(several(packings())),
        lines=draw(several(shipment_lines())),
        **{field.name: getattr(first, field.name) for field in fields(Packing)},
    )


@st.composite
def equipment(draw: st.DrawFn) -> Equipment:
    return Equipment(
        type=draw(st.sampled_from(("CN", "TE"))),
        identifier=draw(or_empty(codes(17))),
        size=draw(or_empty(st.sampled_from(("2", "10")))),
        seals=draw(several(codes(10))),
        **_sizes(draw),
    )


@st.composite
def shipments(draw: st.DrawFn) -> Shipment:
    contents = tuple(draw(packages(str(number))) for number in range(1, draw(st.integers(0, 3)) + 1))
    order_number, previous = draw(or_empty(codes())), draw(or_empty(codes()))
    quantity = sum((line.quantity for package in contents for line in package.lines), Decimal(0))
    return Shipment(
        number=draw(codes()),
        type=draw(st.sampled_from(("351", "345"))),
        function=draw(st.sampled_from(("9", "1", "4"))),
        issued=draw(moments),
        shipped=draw(or_none(moments)),
        estimated_arrival=draw(or_none(moments)),
        order_number=order_number,
        order_date=draw(or_none(moments)) if order_number else None,
        delivery_note=draw(or_empty(codes())),
        bill_of_lading=draw(or_empty(codes())),
        tracking=draw(or_empty(codes())),
        previous=previous,
        previous_date=draw(or_none(moments)) if previous else None,
        parties=draw(several(parties((PartyRole.SHIP_FROM, PartyRole.CARRIER, PartyRole.SUPPLIER)))),
        references=draw(several(references(("VN", "AAS")))),
        notes=draw(several(notes())) if contents else (),
        transport_mode=draw(or_empty(st.sampled_from(("30", "20")))),
        transport_means=draw(or_empty(st.just("31"))),
        conveyance=draw(or_empty(codes(17))),
        carrier=draw(or_empty(codes(17))),
        carrier_agency=draw(or_empty(st.just("9"))),
        carrier_name=draw(or_empty(texts(35))),
        vehicle=draw(or_empty(codes(9))),
        equipment=draw(several(equipment())),
        packages=contents,
        total_quantity=draw(or_none(st.just(quantity))),
        dates=draw(several(qualified_dates(("2", "358")))),
    )


# INVRPT


@st.composite
def inventory_items(draw: st.DrawFn) -> InventoryItem:
    location, location_agency = draw(
        st.sampled_from((("", ""), ("3760000000024", "9"), ("QUAI 7", "91"), ("L'A+B", "")))
    )
    actual = draw(or_none(quantities))
    return InventoryItem(
        number=draw(st.integers(1, 999999)),
        item=draw(items()),
        description=draw(or_empty(texts(80))),
        unit="PCE" if actual is None else draw(units),
        actual=actual,
        committed=draw(or_none(quantities)),
        in_transit=draw(or_none(quantities)),
        damaged=draw(or_none(quantities)),
        quality_held=draw(or_none(quantities)),
        minimum=draw(or_none(quantities)),
        maximum=draw(or_none(quantities)),
        reorder_level=draw(or_none(quantities)),
        others=draw(st.lists(st.tuples(st.sampled_from(("96", "146")), quantities), max_size=2).map(tuple)),
        location=location,
        location_agency=location_agency,
        as_of=draw(or_none(moments)),
        discontinued=draw(st.booleans()),
        suspended=draw(st.booleans()),
        no_reorder=draw(st.booleans()),
        unit_price=None if actual is None else draw(or_none(prices)),
        references=draw(several(references(("AAJ", "CT")))),
        dates=draw(several(qualified_dates(("179",)))),
    )


@st.composite
def inventory_reports(draw: st.DrawFn) -> InventoryReport:
    return InventoryReport(
        number=draw(codes()),
        type=draw(st.sampled_from(("35", "78"))),
        issued=draw(moments),
        reported=draw(or_none(moments)),
        parties=draw(several(parties((PartyRole.SUPPLIER, PartyRole.INVENTORY_REPORTER, PartyRole.WAREHOUSE)))),
        references=draw(several(references(("AAJ", "CT")))),
        currency=draw(st.sampled_from(("", "EUR"))),
        items=draw(several(inventory_items(), 3)),
        dates=draw(several(qualified_dates(("91", "179")))),
    )


# INVOIC


@st.composite
def allowances(draw: st.DrawFn) -> Allowance:
    quantity = draw(or_none(quantities))
    return Allowance(
        is_charge=draw(st.booleans()),
        service=draw(or_empty(st.sampled_from(("FC", "TD")))),
        description=draw(or_empty(texts(60))),
        settlement=draw(or_empty(st.sampled_from(("2", "5")))),
        sequence=draw(or_empty(st.sampled_from(("1", "2")))),
        percent=draw(or_none(prices)),
        amount=draw(or_none(amounts)),
        vat=draw(or_none(vat_rates)),
        quantity=quantity,
        unit="PCE" if quantity is None else draw(units),
        rate=draw(or_none(prices)),
        base=draw(or_none(amounts)),
    )


@st.composite
def invoice_lines(draw: st.DrawFn) -> InvoiceLine:
    vat = draw(or_none(vat_rates))
    order_number = draw(or_empty(codes()))
    priced = {name: draw(or_none(prices)) for name in PRICES[InvoiceLine]}
    return InvoiceLine(
        **priced,
        price_basis=draw(bases) if any(price is not None for price in priced.values()) else Decimal(1),
        number=draw(st.integers(1, 999999)),
        item=draw(items()),
        description=draw(or_empty(texts(200))),
        quantity=draw(quantities),
        unit=draw(units),
        delivered=draw(or_none(quantities)),
        free_quantity=draw(or_none(quantities)),
        net_amount=draw(or_none(amounts)),
        vat=vat,
        vat_amount=None if vat is None else draw(or_none(amounts)),
        order_number=order_number,
        order_line=draw(or_none(st.integers(1, 999999))) if order_number else None,
        despatch_number=draw(or_empty(codes())),
        references=draw(several(references(("VN", "DQ")))),
        notes=draw(several(notes())),
        allowances=draw(several(allowances())),
        parent=draw(or_none(st.integers(1, 999999))),
        difference=draw(or_none(amounts)),
        remainder=draw(or_none(st.sampled_from(Remainder))),
        reason=draw(or_empty(st.sampled_from(("PC", "AV")))),
        dates=draw(several(qualified_dates(("35", "11")))),
        other_quantities=draw(others(("61",), quantities)),
        other_prices=draw(others(("AAE", "AAF"), prices)),
        other_amounts=draw(others(("66", "131"), amounts)),
    )


@st.composite
def payment_terms(draw: st.DrawFn) -> PaymentTerms:
    return PaymentTerms(
        type=draw(st.sampled_from(("1", "22"))),
        reference="5",
        relation=draw(or_empty(st.just("7"))),
        period_type=draw(or_empty(st.sampled_from(("D", "M")))),
        periods=draw(or_none(st.integers(1, 120))),
        discount_until=draw(or_none(moments)),
        percent=draw(or_none(prices)),
        amount=draw(or_none(amounts)),
        dates=draw(several(qualified_dates(("171", "209")))),
    )


@st.composite
def invoice_totals(draw: st.DrawFn) -> InvoiceTotals:
    return InvoiceTotals(
        lines=draw(or_none(amounts)),
        allowances=draw(or_none(amounts)),
        taxable=draw(or_none(amounts)),
        vat=draw(or_none(amounts)),
        total=draw(amounts),
        total_alternative=draw(or_none(amounts)),
        prepaid=draw(or_none(amounts)),
        due=draw(or_none(amounts)),
        others=draw(others(("53", "129"), amounts)),
    )


INVOICE_ROLES = (PartyRole.SUPPLIER, PartyRole.BUYER, PartyRole.INVOICEE, PartyRole.PAYEE, PartyRole.SELLER)

accounts = st.builds(
    BankAccount,
    iban=st.just("FR7630006000011234567890189"),
    holder=or_empty(texts(60)),
    bic=or_empty(st.just("AGRIFRPP")),
)


@st.composite
def invoices(draw: st.DrawFn) -> Invoice:
    order_number, despatch_number = draw(or_empty(codes())), draw(or_empty(codes()))
    return Invoice(
        number=draw(codes()),
        type_code=draw(st.sampled_from(("380", "381", "389"))),
        function=draw(st.sampled_from(("9", "7"))),
        issued=draw(moments),
        delivered=draw(or_none(moments)),
        despatched=draw(or_none(moments)),
        period=draw(or_none(spans())),
        due=draw(or_none(moments)),
        currency=draw(st.sampled_from(("EUR", "USD"))),
        parties=tuple(draw(st.lists(parties(INVOICE_ROLES), min_size=1, max_size=3))),
        order_number=order_number,
        order_date=draw(or_none(moments)) if order_number else None,
        despatch_number=despatch_number,
        despatch_date=draw(or_none(moments)) if despatch_number else None,
        corrected_invoice=draw(or_none(references(("IV",)))),
        references=draw(several(references(("CT", "VN")))),
        notes=draw(several(notes(("PMT", "PMD", "AAB", "REG")))),
        account=draw(or_none(accounts)),
        lines=tuple(draw(st.lists(invoice_lines(), min_size=1, max_size=3))),
        allowances=draw(several(allowances())),
        terms=draw(several(payment_terms())),
        vat_breakdown=draw(
            several(st.builds(VatSubtotal, vat=vat_rates, base=or_none(amounts), amount=or_none(amounts)), 3)
        ),
        totals=draw(invoice_totals()),
        dates=draw(several(qualified_dates(("50", "325")))),
    )


# APERAK


@st.composite
def application_errors(draw: st.DrawFn) -> ApplicationError:
    return ApplicationError(
        code=draw(st.text("ABCI0123456789", min_size=1, max_size=8)),
        list_code=draw(or_empty(st.just("ZZZ"))),
        agency=draw(or_empty(st.sampled_from(("91", "92")))),
        notes=draw(several(notes(("AAO",)), 1)),
        references=draw(several(references(("LI", "ON")).map(lambda reference: replace(reference, date=None)), 1)),
    )


@st.composite
def acknowledgements(draw: st.DrawFn, documents: bool = False) -> ApplicationAcknowledgement:
    named = st.builds(Document, type=st.sampled_from(("220", "380")), number=or_empty(codes()))
    plain = parties((PartyRole.BUYER, PartyRole.SUPPLIER)).map(
        lambda party: replace(party, vat_id="", registration="", references=(), contacts=())
    )
    return ApplicationAcknowledgement(
        type=draw(st.sampled_from(("312", "313"))),
        number=draw(or_empty(codes())),
        function=draw(or_empty(st.sampled_from(("9", "27")))),
        issued=draw(or_none(moments)),
        documents=draw(several(named)) if documents else (),
        references=draw(several(references(("ON", "ACW", "IV")))),
        parties=draw(several(plain)),
        notes=draw(several(notes(("AAO",)))),
        errors=draw(several(application_errors(), 3)),
    )
