"""Hypothesis strategies for the records, each such that its message can carry it whole.

Texts hold service characters, the release character and accents; times are to the second, outside the hour
that autumn repeats.
"""

from __future__ import annotations

from datetime import UTC, date, datetime, timedelta
from decimal import Decimal
from typing import Any
from zoneinfo import ZoneInfo

from hypothesis import strategies as st

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


@st.composite
def order_lines(draw: st.DrawFn) -> OrderLine:
    return OrderLine(
        number=draw(st.integers(1, 999999)),
        item=draw(items()),
        quantity=draw(quantities),
        unit=draw(units),
        free_quantity=draw(or_none(quantities)),
        pack_size=draw(or_none(quantities)),
        description=draw(or_empty(texts(200))),
        unit_price=draw(or_none(prices)),
        list_price=draw(or_none(prices)),
        retail_price=draw(or_none(prices)),
        price_basis=draw(st.just(Decimal(1))),
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
