"""Sheets of what was shipped, of vendors without EDI: a Shipment for each delivery, under the rules of a DESADV.

Rows of the same delivery note, day, carrier and tracking number are one shipment, which may serve several orders;
those of one SSCC are one package. A delivery without a note has a number made of what it says, so that a sheet that
is uploaded twice is a duplicate and ships nothing twice.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterator, Sequence
from typing import Any

from edi_gateway.edifact.findings import Finding
from edi_gateway.gateway import sheet_rules, sheets
from edi_gateway.gateway.app import Gateway
from edi_gateway.gateway.order_book import progress_of
from edi_gateway.gateway.sheet_upload import RESTS, SheetReading, Uploaded, partnership_of, taken
from edi_gateway.gateway.sheets import Column, Row, SheetRefused
from edi_gateway.marketplace import rules
from edi_gateway.marketplace.articles import find_line, same_article
from edi_gateway.marketplace.fulfilment import LineProgress, OrderProgress
from edi_gateway.marketplace.identifiers import is_gtin, is_sscc
from edi_gateway.marketplace.money import ZERO
from edi_gateway.marketplace.parties import ItemIdentity
from edi_gateway.marketplace.shipment import Package, Shipment, ShipmentLine
from edi_gateway.partnership import Partnership
from edi_gateway.store.business import find_order
from edi_gateway.store.database import UnitOfWork

SHIPMENTS = (
    Column("order", ("commande", "numéro de commande", "order number"), required=True),
    Column("line", ("ligne",)),
    Column("gtin", ("ean", "code ean", "gencod")),
    Column("supplier_article", ("sku", "reference", "référence", "article")),
    Column("shipped", ("quantity", "quantité", "qty", "expédié", "quantité expédiée"), required=True),
    Column("rest", ("reste", "reliquat")),
    Column("despatched", ("date", "expédié le", "date d'expédition")),
    Column("carrier", ("transporteur",)),
    Column("tracking", ("suivi", "numéro de suivi", "tracking number")),
    Column("sscc", ("colis",)),
    Column("delivery_note", ("bon de livraison", "bl")),
)
_DELIVERY = ("delivery_note", "despatched", "carrier", "tracking")
"""The columns that rows of one shipment share."""

_MARKED_WITH_SSCC = "52"  # 7233


def upload_shipments(gateway: Gateway, partner: str, data: bytes, content_type: str) -> Uploaded:
    """Take in what was shipped. Raises UnknownPartner and SheetRefused."""
    partnership = partnership_of(gateway, partner)
    rows = [row for row in sheets.read(data, content_type, SHIPMENTS) if row.cells.get("shipped")]
    if not rows:
        raise SheetRefused([Finding(sheet_rules.NOTHING_IN_IT, path="row 2/shipped")])

    def records(uow: UnitOfWork) -> list[tuple[str, Any]]:
        reading = SheetReading([], partnership.edifact.timezone)
        orders = _orders(reading, uow, partnership, rows)
        found = [_shipment(gateway, reading, orders, *delivery) for delivery in _deliveries(rows)]
        reading.settle()
        return [("DESADV", shipment) for shipment in found]

    return taken(gateway, partnership, data, content_type, len(rows), records, "lines")


def _orders(
    reading: SheetReading, uow: UnitOfWork, partnership: Partnership, rows: Sequence[Row]
) -> dict[str, OrderProgress]:
    """The orders that the sheet names, by number."""
    found: dict[str, OrderProgress] = {}
    missing: set[str] = set()
    for row in rows:
        number = row.cells.get("order", "")
        if number in found:
            continue
        order = None if number in missing else find_order(uow.session, partnership.name, number, lock=True)
        if order is None:
            missing.add(number)
            reading.report(rules.UNKNOWN_ORDER, row, "order", number)
        else:
            found[number] = progress_of(order)
    return found


def _deliveries(rows: Sequence[Row]) -> Iterator[tuple[str, list[Row]]]:
    """The rows of each shipment, with its number: the delivery note, /2 where it goes on by another carrier or day."""
    together: dict[tuple[str, ...], list[Row]] = {}
    for row in rows:
        together.setdefault(tuple(row.cells.get(name, "") for name in _DELIVERY), []).append(row)
    parts: dict[str, int] = {}
    for (note, *_), of_delivery in together.items():
        number = parts[note] = parts.get(note, 0) + 1
        if not note:
            yield f"SHEET-{_digest(of_delivery)}", of_delivery
        else:
            yield note if number == 1 else f"{note}/{number}", of_delivery


def _digest(rows: Sequence[Row]) -> str:
    said = [sorted((name, text) for name, text in row.cells.items() if text) for row in rows]
    return hashlib.sha256(repr(said).encode()).hexdigest()[:20]


def _shipment(
    gateway: Gateway, reading: SheetReading, orders: dict[str, OrderProgress], number: str, rows: Sequence[Row]
) -> Shipment:
    first, now = rows[0], gateway.now().replace(microsecond=0)
    packages: dict[str, list[ShipmentLine]] = {}
    for row in rows:
        line = _line(reading, orders, row)
        if line is not None:
            packages.setdefault(_sscc(reading, row), []).append(line)
    return Shipment(
        number=number,
        issued=now,
        shipped=reading.moment(first, "despatched") or now,
        delivery_note=first.cells.get("delivery_note", ""),
        carrier_name=first.cells.get("carrier", ""),
        tracking=first.cells.get("tracking", ""),
        packages=tuple(
            Package(
                number=str(ordinal),
                ssccs=(sscc,) if sscc else (),
                marked=_MARKED_WITH_SSCC if sscc else "",
                lines=tuple(lines),
            )
            for ordinal, (sscc, lines) in enumerate(packages.items(), 1)
        ),
        total_quantity=sum((line.quantity for lines in packages.values() for line in lines), ZERO),
    )


def _sscc(reading: SheetReading, row: Row) -> str:
    sscc = row.cells.get("sscc", "").replace(" ", "")
    if sscc and not is_sscc(sscc):
        reading.report(sheet_rules.SSCC_WRONG, row, "sscc", sscc)
    return sscc


def _line(reading: SheetReading, orders: dict[str, OrderProgress], row: Row) -> ShipmentLine | None:
    """What a row ships of an order line; None, and findings, where that cannot be said."""
    quantity, rest = reading.number(row, "shipped", required=True), reading.one_of(row, "rest", RESTS)
    order = orders.get(row.cells.get("order", ""))
    if order is None:
        return None
    line = _order_line(reading, order, row)
    if line is None or quantity is None:
        return None
    return ShipmentLine(
        number=row.number,
        item=line.item,
        quantity=quantity,
        unit=line.line.unit,
        order_number=order.order.number,
        order_line=line.line.number,
        remainder=rest,
    )


def _order_line(reading: SheetReading, order: OrderProgress, row: Row) -> LineProgress | None:
    """The line that a row names by its number, its article, or both."""
    number, gtin, article = (row.cells.get(name, "") for name in ("line", "gtin", "supplier_article"))
    if not (number or gtin or article):
        reading.report(sheet_rules.CELL_MISSING, row, "line", expected="1, or gtin, or supplier_article")
        return None
    if gtin and not is_gtin(gtin):
        reading.report(rules.GTIN_WRONG, row, "gtin", gtin)
        return None
    lines = [line.line for line in order.lines]
    counted = next((line.number for line in lines if str(line.number) == number), None)
    item = ItemIdentity(gtin=gtin, supplier_article=article)
    found = find_line(lines, counted, item)
    if found is None or (number and counted is None):
        column = "line" if number else "gtin" if gtin else "supplier_article"
        reading.report(rules.UNKNOWN_LINE, row, column, number or gtin or article)
        return None
    if same_article(found.item, item) is False:
        reading.report(
            rules.ARTICLE_DIFFERS, row, "gtin" if gtin else "supplier_article", gtin or article, str(found.number)
        )
        return None
    return order.line(found.number)
