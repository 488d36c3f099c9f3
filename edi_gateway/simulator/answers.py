"""How the simulated vendor answers: an order, the stock and its behaviours in, documents out.

Without other orders the vendor decides by what is on the shelves. A line with stock enough is accepted; a short one is
confirmed as far as the stock goes and the rest put on back order; an article that is unknown, discontinued or sold out
is refused. When every line is refused the whole order is (BGM 27).
"""

from __future__ import annotations

from collections.abc import Collection, Iterator, Sequence
from dataclasses import dataclass, replace
from datetime import date, timedelta
from decimal import ROUND_CEILING, ROUND_HALF_UP, Decimal

from edi_gateway.config import Identity
from edi_gateway.marketplace.confirmation import (
    ConfirmationLine,
    LineAction,
    OrderConfirmation,
    Remainder,
    ResponseCode,
)
from edi_gateway.marketplace.identifiers import with_check_digit
from edi_gateway.marketplace.invoice import BankAccount, Invoice, InvoiceLine, InvoiceTotals, VatSubtotal
from edi_gateway.marketplace.order import Order, OrderLine
from edi_gateway.marketplace.parties import Note, Party, PartyRole, VatRate
from edi_gateway.marketplace.shipment import Package, Shipment, ShipmentLine
from edi_gateway.simulator.behaviours import Behaviour, answering
from edi_gateway.simulator.warehouse import Warehouse

CENT = Decimal("0.01")
DELIVERY = timedelta(days=3)
BACK_ORDER_DELIVERY = timedelta(days=10)
PAYMENT_TERM = timedelta(days=30)
UNKNOWN_ARTICLE = "AUE"
DEARER = Decimal("1.10")
"""What a price is multiplied by that was changed."""

Behaviours = Collection[Behaviour]

# What French law wants on an invoice (Code de commerce L441-9): the flat recovery fee, late payment, discount.
LEGAL_NOTES = (
    Note(subject="PMT", text=("INDEMNITE FORFAITAIRE DE RECOUVREMENT 40 EUR",)),
    Note(subject="PMD", text=("PENALITES DE RETARD: 3 FOIS LE TAUX D'INTERET LEGAL",)),
    Note(subject="AAB", text=("PAS D'ESCOMPTE POUR PAIEMENT ANTICIPE",)),
)


def confirm(
    order: Order, warehouse: Warehouse, *, number: str, today: date, behaviours: Behaviours = ()
) -> OrderConfirmation:
    """The answer to an order; takes what it promises from the warehouse."""
    lines = tuple(_answer(line, warehouse, today, behaviours) for line in order.lines)
    return OrderConfirmation(
        number=number,
        response=_response(lines),
        issued=today,
        order_number=order.number,
        currency=order.currency,
        parties=_roles(order.parties, PartyRole.BUYER, PartyRole.SUPPLIER),
        lines=lines,
    )


def promised(order: Order, confirmation: OrderConfirmation) -> Iterator[tuple[OrderLine, Decimal]]:
    """The order lines that were promised, each with its confirmed quantity."""
    ordered = {line.number: line for line in order.lines}
    for line in confirmation.lines:
        if line.quantity:
            yield ordered[line.order_line], line.quantity


@dataclass(frozen=True, slots=True)
class Part:
    """What one shipment brings of one order line."""

    line: OrderLine
    quantity: Decimal
    difference: Decimal | None = None
    remainder: Remainder | None = None


def consignments(order: Order, confirmation: OrderConfirmation, behaviours: Behaviours = ()) -> list[tuple[Part, ...]]:
    """What is shipped, shipment by shipment; nothing where nothing was promised."""
    answers = {line.order_line: line for line in confirmation.lines}
    first: list[Part] = []
    second: list[Part] = []
    for line, quantity in promised(order, confirmation):
        answer = answers[line.number]
        now = _half(quantity) if Behaviour.SPLIT_SHIPMENT in behaviours else quantity
        extra = Decimal(1) if Behaviour.OVER_SHIP in behaviours and not first else Decimal(0)
        if now < quantity:
            first.append(Part(line, now + extra, now - line.quantity, Remainder.BACK_ORDER))
        else:
            first.append(Part(line, now + extra, answer.difference, answer.remainder))
        later = quantity - now + (back_ordered(answer) if Behaviour.BACK_ORDER in behaviours else Decimal(0))
        if later:
            second.append(Part(line, later))
    return [tuple(parts) for parts in (first, second) if parts]


def back_ordered(answer: ConfirmationLine) -> Decimal:
    """How much of a line was put on back order."""
    if answer.remainder is not Remainder.BACK_ORDER or answer.difference is None:
        return Decimal(0)
    return -answer.difference


def despatch(
    order: Order, parts: Sequence[Part], *, number: str, today: date, sscc_serial: int, sscc_prefix: str
) -> Shipment:
    """What leaves the warehouse: one outer shipment, one carton with its SSCC for each part.

    `sscc_serial` is the first of the serial numbers to use, one a carton; `sscc_prefix` the extension digit and the
    GS1 company prefix, so that prefix and serial have 17 digits together.
    """
    cartons = [
        Package(
            number=str(index + 2),
            parent="1",
            count=1,
            marked="52",
            type="CT",
            ssccs=(_sscc(sscc_prefix, sscc_serial + index),),
            lines=(_ship_line(order, part, index + 1),),
        )
        for index, part in enumerate(parts)
    ]
    outer = Package(number="1", count=len(cartons), type="CT")
    return Shipment(
        number=number,
        issued=today,
        shipped=today,
        estimated_arrival=today + timedelta(days=1),
        order_number=order.number,
        parties=_roles(order.parties, PartyRole.BUYER, PartyRole.SUPPLIER, PartyRole.DELIVERY_PARTY),
        transport_mode="30",
        transport_means="31",
        packages=(outer, *cartons),
        total_quantity=sum((line.quantity for carton in cartons for line in carton.lines), Decimal(0)),
    )


def invoice(
    order: Order,
    confirmation: OrderConfirmation,
    shipment: Shipment,
    seller: Identity,
    *,
    number: str,
    today: date,
    behaviours: Behaviours = (),
) -> Invoice:
    """The invoice for what was shipped and agreed, at the confirmed prices, VAT reckoned on each rate's base."""
    ordered = {line.number: line for line in order.lines}
    answers = {line.order_line: line for line in confirmation.lines}
    lines: list[InvoiceLine] = []
    for position, shipped in enumerate(shipment.lines(), start=1):
        if shipped.order_line is None:
            continue
        answer = answers[shipped.order_line]
        agreed = (answer.quantity or Decimal(0)) + back_ordered(answer)
        extra = Decimal(1) if Behaviour.OVER_INVOICE in behaviours and not lines else Decimal(0)
        billed = _Billed(ordered[shipped.order_line], min(shipped.quantity, agreed) + extra, answer.unit_price)
        lines.append(_invoice_line(position, billed, order.number, shipment.number))
    unreckoned = Invoice(
        number=number,
        issued=today,
        delivered=today,
        due=today + PAYMENT_TERM,
        currency=order.currency,
        parties=_invoice_parties(order, seller),
        order_number=order.number,
        despatch_number=shipment.number,
        notes=LEGAL_NOTES,
        account=BankAccount(iban=seller.iban, holder=seller.name, bic=seller.bic) if seller.iban else None,
        lines=(),
        totals=InvoiceTotals(),
    )
    return reckoned(unreckoned, lines)


def reckoned(invoice: Invoice, lines: Sequence[InvoiceLine]) -> Invoice:
    """The invoice with these lines and the totals that follow from them."""
    breakdown = vat_breakdown(lines)
    net = sum((line.net_amount or Decimal(0) for line in lines), Decimal(0))
    vat = sum((subtotal.amount or Decimal(0) for subtotal in breakdown), Decimal(0))
    totals = InvoiceTotals(lines=net, taxable=net, vat=vat, total=net + vat, due=net + vat)
    return replace(invoice, lines=tuple(lines), vat_breakdown=breakdown, totals=totals)


def conflicting(invoice: Invoice) -> Invoice:
    """Another invoice under the same number: everything is dearer."""
    return reckoned(
        invoice,
        [
            replace(
                line,
                unit_price=_cents((line.unit_price or Decimal(0)) * DEARER),
                net_amount=_cents(line.quantity * _cents((line.unit_price or Decimal(0)) * DEARER) / line.price_basis),
            )
            for line in invoice.lines
        ],
    )


def vat_breakdown(lines: Sequence[InvoiceLine]) -> tuple[VatSubtotal, ...]:
    """The bases and amounts of each rate, in the order of their first line."""
    bases: dict[VatRate, Decimal] = {}
    for line in lines:
        if line.vat is not None:
            bases[line.vat] = bases.get(line.vat, Decimal(0)) + (line.net_amount or Decimal(0))
    return tuple(VatSubtotal(vat=vat, base=base, amount=_cents(base * vat.rate / 100)) for vat, base in bases.items())


def _answer(line: OrderLine, warehouse: Warehouse, today: date, behaviours: Behaviours) -> ConfirmationLine:
    shelf, way = warehouse.shelf(line.item), answering(behaviours)
    price = line.unit_price
    if Behaviour.PRICE_CHANGE in behaviours and price is not None:
        price = _cents(price * DEARER)
    match way:
        case Behaviour.REFUSE:
            return _refused(line, "")
        case Behaviour.BY_STOCK:
            taken, remainder = warehouse.promise(line.item, line.quantity), Remainder.BACK_ORDER
            if taken == 0:
                return _refused(line, UNKNOWN_ARTICLE if shelf is None else "")
        case Behaviour.PARTIAL:
            taken, remainder = _half(line.quantity), Remainder.CANCELLED
        case Behaviour.BACK_ORDER:
            taken, remainder = _half(line.quantity), Remainder.BACK_ORDER
        case _:
            taken, remainder = line.quantity, Remainder.BACK_ORDER
    return _confirmed(line, taken, remainder, price, today)


def _half(quantity: Decimal) -> Decimal:
    """Half of it, in whole units rounded up."""
    return min(quantity, (quantity / 2).to_integral_value(ROUND_CEILING))


def _refused(line: OrderLine, reason: str) -> ConfirmationLine:
    return ConfirmationLine(
        number=line.number,
        action=LineAction.REFUSED,
        item=line.item,
        order_line=line.number,
        unit=line.unit,
        difference=-line.quantity if reason else None,
        remainder=Remainder.CANCELLED if reason else None,
        reason=reason,
    )


def _confirmed(
    line: OrderLine, taken: Decimal, remainder: Remainder, price: Decimal | None, today: date
) -> ConfirmationLine:
    short = line.quantity - taken
    is_back_order = bool(short) and remainder is Remainder.BACK_ORDER
    return ConfirmationLine(
        number=line.number,
        action=LineAction.CHANGED if short or price != line.unit_price else LineAction.ACCEPTED,
        item=line.item,
        order_line=line.number,
        unit=line.unit,
        quantity=taken,
        difference=-short if short else None,
        remainder=remainder if short else None,
        promised_delivery=today + (BACK_ORDER_DELIVERY if is_back_order else DELIVERY),
        unit_price=price,
        price_basis=line.price_basis,
    )


def _response(lines: Sequence[ConfirmationLine]) -> ResponseCode:
    actions = {line.action for line in lines}
    if actions == {LineAction.ACCEPTED}:
        return ResponseCode.ACCEPTED
    if actions == {LineAction.REFUSED}:
        return ResponseCode.REFUSED
    return ResponseCode.CHANGED


def _ship_line(order: Order, part: Part, position: int) -> ShipmentLine:
    return ShipmentLine(
        number=position,
        item=part.line.item,
        quantity=part.quantity,
        unit=part.line.unit,
        order_number=order.number,
        order_line=part.line.number,
        difference=part.difference,
        remainder=part.remainder,
    )


@dataclass(frozen=True, slots=True)
class _Billed:
    """How much of an order line is billed, at which price."""

    line: OrderLine
    quantity: Decimal
    price: Decimal | None


def _invoice_line(position: int, billed: _Billed, order_number: str, despatch_number: str) -> InvoiceLine:
    line, price = billed.line, billed.price if billed.price is not None else Decimal(0)
    return InvoiceLine(
        number=position,
        item=line.item,
        description=line.description,
        quantity=billed.quantity,
        unit=line.unit,
        unit_price=price,
        price_basis=line.price_basis,
        net_amount=_cents(billed.quantity * price / line.price_basis),
        vat=line.vat,
        order_number=order_number,
        order_line=line.number,
        despatch_number=despatch_number,
    )


def _invoice_parties(order: Order, seller: Identity) -> tuple[Party, ...]:
    supplier = Party(
        role=PartyRole.SUPPLIER,
        identifier=seller.gln,
        agency="9",
        name=seller.name,
        street=(seller.street,) if seller.street else (),
        city=seller.city,
        postcode=seller.postcode,
        country=seller.country,
        vat_id=seller.vat_number,
        registration=seller.siren,
    )
    buyers = _roles(order.parties, PartyRole.BUYER, PartyRole.INVOICEE, PartyRole.DELIVERY_PARTY)
    return (supplier, *buyers)


def _roles(parties: Sequence[Party], *roles: PartyRole) -> tuple[Party, ...]:
    return tuple(party for role in roles for party in parties if party.role is role)


def _sscc(prefix: str, serial: int) -> str:
    return with_check_digit(prefix + str(serial).zfill(17 - len(prefix)))


def _cents(amount: Decimal) -> Decimal:
    return amount.quantize(CENT, ROUND_HALF_UP)
