"""Sheets that vendors without EDI upload and download: the same records, the same rules, the same tables.

A sheet of stock becomes an InventoryReport, answered order lines an OrderConfirmation for each order. They are taken in
like the messages of a partner (a transmission, an interchange, messages with their findings), and the file itself is
kept. A sheet counts whole or not at all: an error in one row, also one of the trade, and nothing of it is kept.
"""

from __future__ import annotations

import io
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import date, datetime
from decimal import Decimal
from typing import Any
from zoneinfo import ZoneInfo

from sqlalchemy import select

from edi_gateway.edifact.findings import Finding, Rule
from edi_gateway.gateway import sheet_rules, sheets
from edi_gateway.gateway.app import Gateway
from edi_gateway.gateway.order_book import progress_of
from edi_gateway.gateway.orders import UnknownPartner
from edi_gateway.gateway.overview import stock_json
from edi_gateway.gateway.sheets import CSV_TYPE, XLSX_TYPE, Column, Row, SheetRefused, date_of, number_of
from edi_gateway.gateway.take_in import Intake, take_in_record
from edi_gateway.marketplace import rules
from edi_gateway.marketplace.articles import article_key
from edi_gateway.marketplace.confirmation import (
    ConfirmationLine,
    LineAction,
    OrderConfirmation,
    Remainder,
    ResponseCode,
)
from edi_gateway.marketplace.fulfilment import CLOSED_STATES, LineProgress, OrderProgress, PaymentState
from edi_gateway.marketplace.identifiers import is_gtin
from edi_gateway.marketplace.inventory import InventoryItem, InventoryReport
from edi_gateway.marketplace.money import plain
from edi_gateway.marketplace.parties import ItemIdentity, Moment, PartyRole
from edi_gateway.partnership import Direction, Partnership
from edi_gateway.store.business import OrderRow, StockLevelRow, find_order
from edi_gateway.store.database import UnitOfWork
from edi_gateway.store.documents import Interchange, InterchangeState, Message
from edi_gateway.store.payloads import keep
from edi_gateway.store.transmissions import (
    ReceiptMode,
    Transmission,
    TransmissionDirection,
    TransmissionKind,
    TransmissionState,
)

__all__ = ["CSV_TYPE", "XLSX_TYPE", "SheetRefused"]

INVENTORY = (
    Column("gtin", ("ean", "code ean", "gencod")),
    Column("supplier_article", ("sku", "reference", "référence", "article")),
    Column("description", ("désignation", "libellé")),
    Column("unit", ("unité",)),
    Column("actual", ("stock", "quantity", "quantité", "qty"), required=True),
    Column("committed", ("réservé", "engagé")),
    Column("in_transit", ("en transit", "en cours")),
    Column("location", ("lieu", "entrepôt", "dépôt", "warehouse")),
    Column("discontinued", ("arrêté", "supprimé")),
    Column("as_of", ("date", "au", "situation au")),
)
_STOCK_SHOWN = ("reserved", "available")
"""Columns of a download that an upload may bring back, and that say nothing then."""

ORDERS = (
    Column("order", ("commande", "numéro de commande", "order number"), required=True),
    Column("line", ("ligne",), required=True),
    Column("answer", ("réponse",), required=True),
    Column("confirmed", ("confirmé", "quantité confirmée")),
    Column("rest", ("reste", "reliquat")),
    Column("promised_ship", ("expédition le", "expédition prévue")),
    Column("promised_delivery", ("livraison le", "livraison prévue")),
    Column("price", ("prix",)),
    Column("reason", ("motif",)),
)
_ORDERS_SHOWN = (
    "issued",
    "deliver_from",
    "deliver_until",
    "gtin",
    "supplier_article",
    "description",
    "ordered",
    "unit",
    "unit_price",
    "currency",
    "deliver_to",
    "street",
    "postcode",
    "city",
    "country",
    "state",
)

_ANSWERS: Mapping[str, LineAction] = {
    **dict.fromkeys(("accept", "accepted", "accepter", "accepté", "oui", "yes", "ok"), LineAction.ACCEPTED),
    **dict.fromkeys(("change", "changed", "modifier", "modifié", "partiel", "partial"), LineAction.CHANGED),
    **dict.fromkeys(("refuse", "refused", "refuser", "refusé", "reject", "non", "no"), LineAction.REFUSED),
}
RESTS: Mapping[str, Remainder] = {
    **dict.fromkeys(("back order", "backorder", "reliquat", "bp"), Remainder.BACK_ORDER),
    **dict.fromkeys(("cancel", "cancelled", "annuler", "annulé", "cp"), Remainder.CANCELLED),
}
_YES_NO: Mapping[str, bool] = {
    **dict.fromkeys(("yes", "oui", "o", "y", "true", "vrai", "1", "x"), True),
    **dict.fromkeys(("no", "non", "n", "false", "faux", "0"), False),
}

ORDERS_SHOWN_MAX = 2_000
"""Open orders in one download, the oldest first."""


@dataclass(frozen=True, slots=True)
class Uploaded:
    """What a sheet did: how many rows said something, and the messages that they became."""

    rows: int
    message_ids: tuple[str, ...]


@dataclass(slots=True)
class SheetReading:
    """A sheet being read: what is wrong is collected, and nothing stops at the first error."""

    findings: list[Finding]
    timezone: str

    def report(self, rule: Rule, row: Row, column: str, value: str = "", expected: str = "") -> None:
        self.findings.append(Finding(rule, value=value[:80], expected=expected, path=row.path(column)))

    def number(self, row: Row, column: str, *, required: bool = False) -> Decimal | None:
        text = row.cells.get(column, "")
        if not text:
            if required:
                self.report(sheet_rules.CELL_MISSING, row, column, expected="12")
            return None
        found = number_of(text)
        if found is None:
            self.report(sheet_rules.NOT_A_NUMBER, row, column, text)
        elif found < 0:
            self.report(rules.QUANTITY_NEGATIVE, row, column, plain(found))
        return found

    def moment(self, row: Row, column: str) -> Moment | None:
        text = row.cells.get(column, "")
        if not text:
            return None
        found = date_of(text)
        if found is None:
            self.report(sheet_rules.NOT_A_DATE, row, column, text)
        if isinstance(found, datetime) and found.tzinfo is None:
            return found.replace(tzinfo=ZoneInfo(self.timezone))
        return found

    def one_of(self, row: Row, column: str, words: Mapping[str, Any]) -> Any:
        text = row.cells.get(column, "")
        if text and text.casefold() not in words:
            self.report(sheet_rules.NOT_ONE_OF, row, column, text, ", ".join(words))
        return words.get(text.casefold())

    def settle(self) -> None:
        """Raises SheetRefused if anything was wrong."""
        if self.findings:
            raise SheetRefused(sorted(self.findings, key=_row_number))


def _row_number(finding: Finding) -> int:
    digits = (finding.path or "").removeprefix("row ").partition("/")[0]
    return int(digits) if digits.isdigit() else 0


# Up.


def upload_inventory(gateway: Gateway, partner: str, data: bytes, content_type: str) -> Uploaded:
    """Take in a sheet of stock. Raises UnknownPartner and SheetRefused."""
    partnership = partnership_of(gateway, partner)
    shown = tuple(Column(name) for name in _STOCK_SHOWN)
    rows = sheets.read(data, content_type, (*INVENTORY, *shown))
    reading, now = SheetReading([], partnership.edifact.timezone), gateway.now()
    items = tuple(_stock_item(reading, row) for row in rows)
    _report_twice(reading, rows, items)
    reading.settle()
    report = InventoryReport(number=f"SHEET-{gateway.new_id()[:20]}", issued=now.replace(microsecond=0), items=items)
    return taken(gateway, partnership, data, content_type, len(rows), lambda uow: [("INVRPT", report)], "items")


def _stock_item(reading: SheetReading, row: Row) -> InventoryItem:
    gtin, article = row.cells.get("gtin", ""), row.cells.get("supplier_article", "")
    if not gtin and not article:
        reading.report(sheet_rules.CELL_MISSING, row, "gtin", expected="3760123450010")
    elif gtin and not is_gtin(gtin):
        reading.report(rules.GTIN_WRONG, row, "gtin", gtin)
    return InventoryItem(
        number=row.number,
        item=ItemIdentity(gtin=gtin, supplier_article=article),
        description=row.cells.get("description", ""),
        unit=row.cells.get("unit", "") or "PCE",
        actual=reading.number(row, "actual", required=True),
        committed=reading.number(row, "committed"),
        in_transit=reading.number(row, "in_transit"),
        location=row.cells.get("location", ""),
        discontinued=bool(reading.one_of(row, "discontinued", _YES_NO)),
        as_of=reading.moment(row, "as_of"),
    )


def _report_twice(reading: SheetReading, rows: Sequence[Row], items: Sequence[InventoryItem]) -> None:
    seen: dict[tuple[str, str], int] = {}
    for row, item in zip(rows, items, strict=True):
        key = article_key(item.item), item.location
        if key[0] and seen.setdefault(key, row.number) != row.number:
            reading.report(sheet_rules.ROW_TWICE, row, "gtin", expected=str(seen[key]))


def upload_answers(gateway: Gateway, partner: str, data: bytes, content_type: str) -> Uploaded:
    """Take in answered order lines. Raises UnknownPartner and SheetRefused."""
    partnership = partnership_of(gateway, partner)
    shown = tuple(Column(name) for name in _ORDERS_SHOWN)
    rows = [row for row in sheets.read(data, content_type, (*ORDERS, *shown)) if row.cells.get("answer")]
    if not rows:
        raise SheetRefused([Finding(sheet_rules.NOTHING_IN_IT, path="row 2/answer")])

    def records(uow: UnitOfWork) -> list[tuple[str, Any]]:
        reading = SheetReading([], partnership.edifact.timezone)
        by_order: dict[str, list[Row]] = {}
        for row in rows:
            by_order.setdefault(row.cells.get("order", ""), []).append(row)
        found = [_confirmation(gateway, reading, uow, partnership, *entry) for entry in by_order.items()]
        reading.settle()
        return [("ORDRSP", confirmation) for confirmation in found if confirmation is not None]

    return taken(gateway, partnership, data, content_type, len(rows), records, "lines")


def _confirmation(
    gateway: Gateway,
    reading: SheetReading,
    uow: UnitOfWork,
    partnership: Partnership,
    number: str,
    rows: Sequence[Row],
) -> OrderConfirmation | None:
    """The answer to one order; None, and findings, where the sheet cannot be that."""
    order = find_order(uow.session, partnership.name, number, lock=True)
    if order is None:
        reading.report(rules.UNKNOWN_ORDER, rows[0], "order", number)
        return None
    lines = {str(line.line.number): line for line in progress_of(order).lines}
    answered: dict[str, int] = {}
    entries = []
    for row in rows:
        line = lines.get(row.cells.get("line", ""))
        if line is None:
            reading.report(rules.UNKNOWN_LINE, row, "line", row.cells.get("line", ""))
        elif (first := answered.setdefault(row.cells["line"], row.number)) != row.number:
            reading.report(sheet_rules.ROW_TWICE, row, "line", expected=str(first))
        else:
            entries.append(_answer(reading, row, line))
    for left_out in lines.keys() - answered.keys():
        reading.report(sheet_rules.LINE_LEFT_OUT, rows[-1], "line", left_out)
    return OrderConfirmation(
        number=f"SHEET-{gateway.new_id()[:20]}",
        response=ResponseCode.CHANGED,
        issued=gateway.now().replace(microsecond=0),
        order_number=number,
        currency=order.currency,
        lines=tuple(entries),
    )


def _answer(reading: SheetReading, row: Row, line: LineProgress) -> ConfirmationLine:
    action = reading.one_of(row, "answer", _ANSWERS)
    quantity = reading.number(row, "confirmed", required=action is LineAction.CHANGED)
    ordered = line.quantities.ordered
    fits = {LineAction.ACCEPTED: ordered, LineAction.REFUSED: Decimal(0)}
    if action in fits and quantity is not None and quantity != fits[action]:
        reading.report(sheet_rules.QUANTITY_CONTRADICTS, row, "confirmed", plain(quantity), plain(ordered))
    rest = reading.one_of(row, "rest", RESTS)
    if action is LineAction.CHANGED and rest is None and quantity is not None and quantity < ordered:
        reading.report(sheet_rules.CELL_MISSING, row, "rest", expected="back order, cancel (reliquat, annuler)")
    return ConfirmationLine(
        number=row.number,
        action=action,
        item=line.item,
        order_line=line.line.number,
        quantity=ordered if action is LineAction.ACCEPTED else None if action is LineAction.REFUSED else quantity,
        remainder=rest if action is LineAction.CHANGED else None,
        promised_ship=reading.moment(row, "promised_ship"),
        promised_delivery=reading.moment(row, "promised_delivery"),
        unit_price=reading.number(row, "price"),
        reason=row.cells.get("reason", ""),
        unit=line.line.unit,
    )


Records = Callable[[UnitOfWork], Sequence[tuple[str, Any]]]


def taken(
    gateway: Gateway,
    partnership: Partnership,
    data: bytes,
    content_type: str,
    rows: int,
    records: Records,
    lines: str,
) -> Uploaded:
    """Keep the file, make the records and apply them, all in one transaction. Raises SheetRefused."""
    payload = gateway.payloads.put(io.BytesIO(data))
    with gateway.database.write() as uow:
        keep(uow, payload, gateway.now())
        interchange = _interchange(gateway, uow, partnership, payload.sha256, payload.size, content_type)
        intake = Intake(uow, gateway, partnership, gateway.now())
        ids, errors = [], []
        for ordinal, (message_type, record) in enumerate(records(uow), 1):
            message, findings = take_in_record(intake, interchange, message_type, record, ordinal)
            ids.append(message.id)
            errors += [_of_row(finding, lines) for finding in findings if finding.is_error]
        if errors:
            raise SheetRefused(sorted(errors, key=_row_number))
        uow.commit()
        return Uploaded(rows, tuple(ids))


def _of_row(finding: Finding, lines: str) -> Finding:
    """``lines[7]/unit_price`` as ``row 7/unit_price``: the records' lines are numbered by the rows of the sheet."""
    path = (finding.path or "").removeprefix(f"{lines}[").replace("]", "", 1)
    return replace(finding, path=f"row {path}" if path[:1].isdigit() else path)


def _interchange(
    gateway: Gateway, uow: UnitOfWork, partnership: Partnership, sha256: str, size: int, content_type: str
) -> Interchange:
    """What stands for the file: a transmission that came by the API, and an interchange without an envelope."""
    now, identifier = gateway.now(), gateway.new_id()
    transmission = Transmission(
        id=identifier,
        direction=TransmissionDirection.IN,
        kind=TransmissionKind.MESSAGE,
        state=TransmissionState.UNPACKED,
        reason="an uploaded sheet",
        created_at=now,
        changed_at=now,
        partnership=partnership.name,
        headers=[],
        receipt_mode=ReceiptMode.NONE,
        payload_sha256=sha256,
        payload_size=size,
        content_type=content_type,
        document_types="sheet",
    )
    interchange = Interchange(
        id=gateway.new_id(),
        direction=Direction.IN,
        state=InterchangeState.PROCESSED,
        partnership=partnership.name,
        transmission_id=identifier,
        payload_sha256=sha256,
        content_sha256=sha256,
        sender=partnership.partner.gln,
        control_reference=identifier[:40],
        syntax="sheet",
        at=now,
    )
    uow.session.add(transmission)
    uow.session.flush()
    uow.session.add(interchange)
    uow.session.flush()
    details = {"control_reference": interchange.control_reference, "transmission": identifier}
    uow.record_event("interchange.state", interchange.subject, None, interchange.state, "a sheet", details, now)
    return interchange


def partnership_of(gateway: Gateway, partner: str) -> Partnership:
    partnership = gateway.partnerships.by_name(partner)
    if partnership is None:
        raise UnknownPartner(partner)
    return partnership


# Down.


def download_inventory(gateway: Gateway, partner: str, content_type: str) -> bytes:
    """The partner's stock as a sheet that can be uploaded again. Raises UnknownPartner."""
    partnership_of(gateway, partner)
    names = (*(column.name for column in INVENTORY), *_STOCK_SHOWN)
    statement = select(StockLevelRow).where(StockLevelRow.partnership == partner).order_by(StockLevelRow.id)
    with gateway.database.read() as view:
        shown = [stock_json(row) for row in view.session.scalars(statement.limit(sheets.ROWS_MAX))]
    rows = [[_shown(row.get(name, "")) for name in names] for row in shown]
    return sheets.write(names, rows, content_type)


def download_orders(gateway: Gateway, partner: str, content_type: str) -> bytes:
    """The partner's orders that wait for an answer, a row a line, with the columns to be filled in. UnknownPartner."""
    partnership_of(gateway, partner)
    names = (*(column.name for column in ORDERS), *_ORDERS_SHOWN)
    statement = (
        select(OrderRow)
        .where(
            OrderRow.partnership == partner,
            OrderRow.payment == PaymentState.ACCEPTED,
            OrderRow.state.not_in([*CLOSED_STATES]),
        )
        .order_by(OrderRow.created_at, OrderRow.id)
    )
    with gateway.database.read() as view:
        orders = [progress_of(row) for row in view.session.scalars(statement.limit(ORDERS_SHOWN_MAX))]
    rows = [
        [_shown(cells.get(name, "")) for name in names]
        for order in orders
        if any(line.quantities.unanswered for line in order.lines)
        for cells in (_order_cells(order, line) for line in order.lines)
    ]
    return sheets.write(names, rows[: sheets.ROWS_MAX], content_type)


def _order_cells(order: OrderProgress, line: LineProgress) -> dict[str, Any]:
    placed, ordered = order.order, line.line
    window = ordered.delivery_window or placed.delivery_window
    to = placed.party(PartyRole.SHIP_TO) or placed.party(PartyRole.DELIVERY_PARTY)
    return {
        "order": placed.number,
        "line": ordered.number,
        "issued": placed.issued,
        "deliver_from": window.start if window is not None else None,
        "deliver_until": window.end if window is not None else None,
        "gtin": line.item.gtin,
        "supplier_article": line.item.supplier_article,
        "description": ordered.description,
        "ordered": ordered.quantity,
        "unit": ordered.unit,
        "unit_price": ordered.unit_price,
        "currency": placed.currency,
        "deliver_to": (to.name or to.identifier) if to is not None else "",
        "street": " ".join(to.street) if to is not None else "",
        "postcode": to.postcode if to is not None else "",
        "city": to.city if to is not None else "",
        "country": to.country if to is not None else "",
        "state": line.state.value,
    }


def _shown(value: Any) -> str:
    if value is None:
        return ""
    if isinstance(value, bool):
        return "yes" if value else "no"
    if isinstance(value, Decimal):
        return plain(value)
    return value.isoformat() if isinstance(value, date) else str(value)


def messages_of(gateway: Gateway, uploaded: Uploaded) -> list[Message]:
    """The messages that a sheet became."""
    with gateway.database.read() as view:
        return [view.session.get_one(Message, each) for each in uploaded.message_ids]
