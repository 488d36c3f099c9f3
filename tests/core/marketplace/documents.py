"""The order of the tests, and what may be said about it: three lines, as in a real small order."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, date, datetime
from decimal import Decimal

from edi_gateway.marketplace.confirmation import ConfirmationLine, LineAction, OrderConfirmation, ResponseCode
from edi_gateway.marketplace.fulfilment import OrderMessageState, OrderProgress, PaymentState, begin
from edi_gateway.marketplace.invoice import Invoice, InvoiceLine, InvoiceTotals, VatSubtotal
from edi_gateway.marketplace.order import Order, OrderLine
from edi_gateway.marketplace.parties import ItemIdentity, Party, PartyRole, Period, VatRate
from edi_gateway.marketplace.shipment import Package, Shipment, ShipmentLine

D = Decimal
NOW = datetime(2026, 11, 22, 12, 0, tzinfo=UTC)
TODAY = date(2026, 11, 22)
ORDER_NUMBER = "MP4K7QX1"
BUYER, SUPPLIER, SHOP = "3760000000017", "3760000001014", "3760000000024"
GTINS = ("3760123450010", "3760123450027", "3760123450034")
VAT = VatRate(rate=D(20))


def item(line: int) -> ItemIdentity:
    return ItemIdentity(gtin=GTINS[line - 1], supplier_article=f"SKU-{line}")


def an_order(number: str = ORDER_NUMBER, **changes) -> Order:
    """10 x 12.50, 8 x 20.00, 4 x 5.00 EUR."""
    rows = ((1, D(10), D("12.50")), (2, D(8), D("20.00")), (3, D(4), D("5.00")))
    order = Order(
        number=number,
        issued=TODAY,
        delivery_window=Period(start=date(2026, 11, 24), end=date(2026, 11, 27)),
        currency="EUR",
        parties=(
            Party(role=PartyRole.BUYER, identifier=BUYER, agency="9"),
            Party(role=PartyRole.SUPPLIER, identifier=SUPPLIER, agency="9"),
            Party(role=PartyRole.DELIVERY_PARTY, identifier=SHOP, agency="9", country="FR"),
        ),
        lines=tuple(
            OrderLine(
                number=line,
                item=item(line),
                quantity=quantity,
                unit_price=price,
                net_amount=quantity * price,
                vat=VAT,
            )
            for line, quantity, price in rows
        ),
        total_net=D("305.00"),
    )
    return replace(order, **changes)


def sent(order: Order | None = None) -> OrderProgress:
    """An order that has been paid and sent."""
    return replace(begin(order or an_order(), PaymentState.ACCEPTED), message=OrderMessageState.SENT)


def a_line(line: int, action: LineAction | None, quantity=None, **more) -> ConfirmationLine:
    fields = {"number": line, "action": action, "item": item(line), "order_line": line, **more}
    return ConfirmationLine(quantity=None if quantity is None else D(quantity), **fields)


def a_confirmation(response: ResponseCode, *lines: ConfirmationLine, **changes) -> OrderConfirmation:
    fields = {"number": "OR-1001", "issued": TODAY, "order_number": ORDER_NUMBER, **changes}
    return OrderConfirmation(response=response, lines=lines, **fields)


def a_shipped_line(line: int, quantity, **more) -> ShipmentLine:
    fields = {"number": line, "item": item(line), "order_number": ORDER_NUMBER, "order_line": line, **more}
    return ShipmentLine(quantity=D(quantity), **fields)


def a_shipment(*lines: ShipmentLine, **changes) -> Shipment:
    carton = Package(number="2", parent="1", type="PK", ssccs=("337601234500000011",), lines=lines)
    fields = {"number": "DA-1001", "issued": TODAY, "packages": (Package(number="1"), carton), **changes}
    return Shipment(**fields)


def an_invoice_line(line: int, quantity, price, **more) -> InvoiceLine:
    quantity, price = D(quantity), D(price)
    fields = {
        "number": line,
        "item": item(line),
        "unit_price": price,
        "net_amount": quantity * price,
        "vat": VAT,
        "order_number": ORDER_NUMBER,
        "order_line": line,
        **more,
    }
    return InvoiceLine(quantity=quantity, **fields)


def an_invoice(*lines: InvoiceLine, **changes) -> Invoice:
    """An invoice whose totals are right."""
    net = sum((line.net_amount for line in lines if line.net_amount is not None), D(0))
    vat = (net * D("0.20")).quantize(D("0.01"))
    fields = {
        "number": "FA-2026-0917",
        "issued": TODAY,
        "currency": "EUR",
        "parties": (Party(role=PartyRole.SUPPLIER, identifier=SUPPLIER, agency="9", vat_id="FR14987654324"),),
        "vat_breakdown": (VatSubtotal(vat=VAT, base=net, amount=vat),),
        "totals": InvoiceTotals(lines=net, taxable=net, vat=vat, total=net + vat, due=net + vat),
        **changes,
    }
    return Invoice(lines=lines, **fields)
