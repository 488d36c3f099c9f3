"""How the simulated vendor answers: an order and the stock in, documents out.

The vendor decides by what is on the shelves. A line with stock enough is accepted; a short one is confirmed as far
as the stock goes and the rest put on back order; an article that is unknown, discontinued or sold out is refused. When
every line is refused the whole order is (BGM 27).
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from datetime import date, timedelta
from decimal import ROUND_HALF_UP, Decimal

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
from edi_gateway.simulator.warehouse import Warehouse

CENT = Decimal("0.01")
DELIVERY = timedelta(days=3)
BACK_ORDER_DELIVERY = timedelta(days=10)
PAYMENT_TERM = timedelta(days=30)
UNKNOWN_ARTICLE = "AUE"

# What French law wants on an invoice (Code de commerce L441-9): the flat recovery fee, late payment, discount.
LEGAL_NOTES = (
    Note(subject="PMT", text=("INDEMNITE FORFAITAIRE DE RECOUVREMENT 40 EUR",)),
    Note(subject="PMD", text=("PENALITES DE RETARD: 3 FOIS LE TAUX D'INTERET LEGAL",)),
    Note(subject="AAB", text=("PAS D'ESCOMPTE POUR PAIEMENT ANTICIPE",)),
)


def confirm(order: Order, warehouse: Warehouse, *, number: str, today: date) -> OrderConfirmation:
    """The answer to an order; takes what it promises from the warehouse."""
    lines = tuple(_confirm_line(line, warehouse, today) for line in order.lines)
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


def despatch(
    order: Order, confirmation: OrderConfirmation, *, number: str, today: date, sscc_serial: int, sscc_prefix: str
) -> Shipment:
    """What leaves the warehouse: one outer shipment, one carton with its SSCC for each promised line.

    `sscc_serial` is the first of the serial numbers to use, one a carton; `sscc_prefix` the extension digit and the
    GS1 company prefix, so that prefix and serial have 17 digits together.
    """
    answers = {line.order_line: line for line in confirmation.lines}
    cartons = [
        Package(
            number=str(index + 2),
            parent="1",
            count=1,
            marked="52",
            type="CT",
            ssccs=(_sscc(sscc_prefix, sscc_serial + index),),
            lines=(_ship_line(order, line, quantity, answers[line.number], index + 1),),
        )
        for index, (line, quantity) in enumerate(promised(order, confirmation))
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


def invoice(order: Order, shipment: Shipment, seller: Identity, *, number: str, today: date) -> Invoice:
    """The invoice for what was shipped, at the order's prices, VAT reckoned on each rate's base."""
    ordered = {line.number: line for line in order.lines}
    lines = tuple(
        _invoice_line(position, ordered[line.order_line], line, shipment.number)
        for position, line in enumerate(shipment.lines(), start=1)
        if line.order_line is not None
    )
    breakdown = vat_breakdown(lines)
    net = sum((line.net_amount or Decimal(0) for line in lines), Decimal(0))
    vat = sum((subtotal.amount or Decimal(0) for subtotal in breakdown), Decimal(0))
    return Invoice(
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
        lines=lines,
        vat_breakdown=breakdown,
        totals=InvoiceTotals(lines=net, taxable=net, vat=vat, total=net + vat, due=net + vat),
    )


def vat_breakdown(lines: Sequence[InvoiceLine]) -> tuple[VatSubtotal, ...]:
    """The bases and amounts of each rate, in the order of their first line."""
    bases: dict[VatRate, Decimal] = {}
    for line in lines:
        if line.vat is not None:
            bases[line.vat] = bases.get(line.vat, Decimal(0)) + (line.net_amount or Decimal(0))
    return tuple(VatSubtotal(vat=vat, base=base, amount=_cents(base * vat.rate / 100)) for vat, base in bases.items())


def _confirm_line(line: OrderLine, warehouse: Warehouse, today: date) -> ConfirmationLine:
    shelf = warehouse.shelf(line.item)
    taken = warehouse.promise(line.item, line.quantity)
    if taken == 0:
        reason = UNKNOWN_ARTICLE if shelf is None else ""
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
    short = line.quantity - taken
    return ConfirmationLine(
        number=line.number,
        action=LineAction.CHANGED if short else LineAction.ACCEPTED,
        item=line.item,
        order_line=line.number,
        unit=line.unit,
        quantity=taken,
        difference=-short if short else None,
        remainder=Remainder.BACK_ORDER if short else None,
        promised_delivery=today + (BACK_ORDER_DELIVERY if short else DELIVERY),
        unit_price=line.unit_price,
        price_basis=line.price_basis,
    )


def _response(lines: Sequence[ConfirmationLine]) -> ResponseCode:
    actions = {line.action for line in lines}
    if actions == {LineAction.ACCEPTED}:
        return ResponseCode.ACCEPTED
    if actions == {LineAction.REFUSED}:
        return ResponseCode.REFUSED
    return ResponseCode.CHANGED


def _ship_line(
    order: Order, line: OrderLine, quantity: Decimal, answer: ConfirmationLine, position: int
) -> ShipmentLine:
    return ShipmentLine(
        number=position,
        item=line.item,
        quantity=quantity,
        unit=line.unit,
        order_number=order.number,
        order_line=line.number,
        difference=answer.difference,
        remainder=answer.remainder,
    )


def _invoice_line(position: int, line: OrderLine, shipped: ShipmentLine, despatch_number: str) -> InvoiceLine:
    price = line.unit_price if line.unit_price is not None else Decimal(0)
    return InvoiceLine(
        number=position,
        item=line.item,
        description=line.description,
        quantity=shipped.quantity,
        unit=line.unit,
        unit_price=price,
        price_basis=line.price_basis,
        net_amount=_cents(shipped.quantity * price / line.price_basis),
        vat=line.vat,
        order_number=shipped.order_number,
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
