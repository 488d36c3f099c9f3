"""What the store knows, as JSON: one shape a thing, the same for the API, the command line and the demo's summary.

Quantities and amounts are strings of digits (no number type loses cents), times ISO 8601 in UTC. Lists are read
newest first, a page at a time: `cursor` names the last one seen.
"""

from __future__ import annotations

import base64
import binascii
from collections.abc import Collection, Sequence
from datetime import date, datetime
from decimal import Decimal
from typing import Any, TypeVar

from sqlalchemy import ColumnElement, Select, and_, func, or_, select
from sqlalchemy.orm import InstrumentedAttribute, Session

from edi_gateway.gateway.order_book import progress_of
from edi_gateway.gateway.stock_book import level_of
from edi_gateway.marketplace.fulfilment import LineProgress
from edi_gateway.marketplace.money import plain
from edi_gateway.marketplace.quantities import LineQuantities
from edi_gateway.store.base import Base
from edi_gateway.store.business import (
    BusinessEvent,
    CommissionCycle,
    ConfirmationRow,
    InvoiceRow,
    OrderChangeRow,
    OrderLineRow,
    OrderRow,
    PackageRow,
    ShipmentLineRow,
    ShipmentRow,
    StockLevelRow,
    confirmations_of,
)
from edi_gateway.store.documents import (
    Interchange,
    Message,
    StoredFinding,
    answers_to,
    envelope_findings_of,
    findings_of,
)
from edi_gateway.store.transmissions import Transmission

PAGE_ROWS_MAX = 500
PAGE_ROWS = 100
KEY_MAX = 2**63 - 1
"""The largest key of any table."""

Row = TypeVar("Row", bound=Base)
Json = dict[str, Any]


class BadCursor(ValueError):
    """A cursor that no page gave."""


def order_json(session: Session, row: OrderRow) -> Json:
    """An order with its lines, quantities and the answers to it."""
    progress = progress_of(row)
    return {
        **order_summary(row),
        "issued": _text(progress.order.issued),
        "message_id": row.message_id,
        "lines": [_line_json(line, row.currency) for line in progress.lines],
        "confirmations": [_confirmation_json(answer) for answer in confirmations_of(session, row.id)],
        "order": row.record,
    }


def order_summary(row: OrderRow) -> Json:
    """An order in a list: its state and the sum of each quantity."""
    names = LineQuantities.__dataclass_fields__
    sums = {name: sum((getattr(line, name) for line in row.lines), Decimal(0)) for name in names}
    return {
        "partner": row.partnership,
        "number": row.number,
        "state": row.state.value,
        "payment": row.payment.value,
        "message": row.message.value,
        "currency": row.currency,
        "quantities": {name: plain(value) for name, value in sums.items()},
        "created_at": _text(row.created_at),
        "changed_at": _text(row.changed_at),
    }


def _line_json(line: LineProgress, currency: str) -> Json:
    quantities = {name: plain(getattr(line.quantities, name)) for name in LineQuantities.__dataclass_fields__}
    return {
        "number": line.number,
        "state": line.state.value,
        "gtin": line.item.gtin,
        "supplier_article": line.item.supplier_article,
        "description": line.line.description,
        "unit": line.line.unit,
        "quantities": {**quantities, "unanswered": plain(line.quantities.unanswered)},
        "unit_price": _number(line.line.unit_price),
        "agreed_price": _number(line.agreed_price),
        "proposed_price": _number(line.proposed_price),
        "net_amount": str(line.amount(line.quantities.ordered, currency)),
        "vat_rate": _number(line.line.vat.rate) if line.line.vat is not None else None,
        "promised_ship": _text(line.promised_ship),
        "promised_delivery": _text(line.promised_delivery),
        "reason": line.reason,
    }


def _confirmation_json(row: ConfirmationRow) -> Json:
    return {
        "revision": row.revision,
        "number": row.number,
        "response": row.response,
        "received_at": _text(row.received_at),
        "message_id": row.message_id,
    }


def change_json(row: OrderChangeRow) -> Json:
    """A change or cancellation that was asked of an order."""
    return {
        "version": row.version,
        "number": row.number,
        "kind": row.kind.value,
        "state": row.state.value,
        "request": row.content,
        "reason": row.reason,
        "message_id": row.message_id,
        "requested_at": _text(row.requested_at),
        "settled_at": _text(row.settled_at),
        "settled_by": row.settled_by,
    }


def confirmation_json(session: Session, row: ConfirmationRow) -> Json:
    """An answer to an order, with the record that the vendor sent."""
    order = session.get_one(OrderRow, row.order_id)
    record = session.get_one(Message, row.message_id).record
    return {**_confirmation_json(row), "partner": order.partnership, "order_number": order.number, "record": record}


def shipment_json(session: Session, row: ShipmentRow) -> Json:
    """A shipment with its packages and what it brought of which order line."""
    return {
        "partner": row.partnership,
        "number": row.number,
        "shipped": _text(row.shipped),
        "estimated_arrival": _text(row.estimated_arrival),
        "carrier": row.carrier,
        "tracking": row.tracking,
        "received_at": _text(row.received_at),
        "message_id": row.message_id,
        "packages": [_package_json(package) for package in row.packages],
        "lines": [_shipment_line_json(session, line) for line in row.lines],
    }


def _package_json(row: PackageRow) -> Json:
    return {
        "number": row.number,
        "parent": row.parent,
        "type": row.type,
        "ssccs": [entry.sscc for entry in row.ssccs],
    }


def _shipment_line_json(session: Session, row: ShipmentLineRow) -> Json:
    line = session.get_one(OrderLineRow, row.order_line_id)
    order = session.get_one(OrderRow, line.order_id)
    return {"order_number": order.number, "order_line": line.number, "quantity": plain(row.quantity)}


def invoice_json(row: InvoiceRow) -> Json:
    """An invoice with what the comparison came to."""
    return {
        "partner": row.partnership,
        "direction": row.direction.value,
        "kind": row.kind.value,
        "number": row.number,
        "type_code": row.type_code,
        "state": row.state.value,
        "issued": _text(row.issued),
        "due": _text(row.due),
        "currency": row.currency,
        "net": str(row.net),
        "vat": str(row.vat),
        "total": str(row.total),
        "at": _text(row.at),
        "message_id": row.message_id,
        "match": {
            "status": row.match_status.value if row.match_status is not None else None,
            "agrees": row.match_status is not None and row.match_status.value != "mismatch_held",
            "discrepancies": [
                {
                    "class": entry.kind.value,
                    "owner": entry.owner.value,
                    "path": entry.path,
                    "found": entry.found,
                    "expected": entry.expected,
                    "within_tolerance": entry.within_tolerance,
                    "since": _text(entry.since),
                }
                for entry in row.discrepancies
            ],
        },
        "lines": [
            {"order_number": line.order_number, "order_line": line.line, "quantity": plain(line.quantity)}
            for line in row.lines
        ],
    }


def cycle_json(session: Session, row: CommissionCycle) -> Json:
    """A cash-out cycle with the invoice of its commission."""
    goods = select(func.count()).select_from(InvoiceRow).where(InvoiceRow.charged_by_id == row.invoice_id)
    return {
        "id": row.id,
        "partner": row.partnership,
        "from": _text(row.start),
        "to": _text(row.end),
        "currency": row.currency,
        "commission": invoice_json(session.get_one(InvoiceRow, row.invoice_id)),
        "goods": session.scalar(goods) or 0,
    }


def stock_json(row: StockLevelRow) -> Json:
    """The stock of an article at a place."""
    return {
        "partner": row.partnership,
        "article": row.article,
        "gtin": row.gtin,
        "supplier_article": row.supplier_article,
        "location": row.location,
        "unit": row.unit,
        "actual": plain(row.actual),
        "committed": plain(row.committed),
        "reserved": plain(row.reserved),
        "despatched": plain(row.despatched),
        "available": plain(level_of(row).available),
        "in_transit": plain(row.in_transit),
        "discontinued": row.discontinued,
        "as_of": _text(row.as_of),
        "message_id": row.message_id,
    }


def message_summary(row: Message) -> Json:
    """A message in a list."""
    return {
        "id": row.id,
        "partner": row.partnership,
        "direction": row.direction.value,
        "type": row.type,
        "directory": row.directory,
        "reference": row.reference,
        "state": row.state.value,
        "reason": row.reason,
        "document_number": row.document_number,
        "business_key": row.business_key,
        "awaits": row.awaits,
        "at": _text(row.at),
        "changed_at": _text(row.changed_at),
    }


def message_json(session: Session, row: Message, language: str = "en") -> Json:
    """A message with its findings, its interchange and its record."""
    interchange = session.get_one(Interchange, row.interchange_id)
    return {
        **message_summary(row),
        "segments": row.segments,
        "findings": _findings(findings_of(session, row.id), language),
        "interchange": {
            "id": interchange.id,
            "control_reference": interchange.control_reference,
            "sender": interchange.sender,
            "recipient": interchange.recipient,
            "syntax": interchange.syntax,
            "state": interchange.state.value,
            "overdue_since": _text(interchange.overdue_at),
            "test": interchange.test,
            "transmission_id": interchange.transmission_id,
            "payload_sha256": interchange.payload_sha256,
            "findings": _findings(envelope_findings_of(session, interchange.id), language),
        },
        "unmapped": row.unmapped or [],
        "answers": row.answers_id,
        "acknowledgements": [_acknowledgement_json(answer) for answer in answers_to(session, row.id)],
        "record": row.record,
    }


def _acknowledgement_json(row: Message) -> Json:
    """An APERAK to a message: who says it, and what stands in it."""
    return {
        "id": row.id,
        "direction": row.direction.value,
        "document_number": row.document_number,
        "state": row.state.value,
        "at": _text(row.at),
        "record": row.record,
    }


def _findings(rows: Sequence[StoredFinding], language: str) -> list[Json]:
    return [row.as_json(language) for row in rows]


def listed_findings(session: Session, rows: Sequence[StoredFinding], language: str) -> list[Json]:
    """Findings with the documents that they were found in."""
    interchanges = _by_id(session, Interchange, {row.interchange_id for row in rows})
    messages = _by_id(session, Message, {row.message_id for row in rows if row.message_id is not None})
    return [
        _listed_finding(row, interchanges[row.interchange_id], messages.get(row.message_id or ""), language)
        for row in rows
    ]


def _listed_finding(row: StoredFinding, interchange: Interchange, message: Message | None, language: str) -> Json:
    return {
        **row.as_json(language),
        "partner": interchange.partnership,
        "interchange_id": interchange.id,
        "message_id": message.id if message is not None else None,
        "type": message.type if message is not None else None,
        "document_number": message.document_number if message is not None else None,
        "at": _text(message.at if message is not None else interchange.at),
    }


_Document = TypeVar("_Document", Interchange, Message)


def _by_id(session: Session, model: type[_Document], ids: Collection[str]) -> dict[str, _Document]:
    return {row.id: row for row in session.scalars(select(model).where(model.id.in_(ids)))}


def transmission_json(row: Transmission) -> Json:
    """A transmission in a list: what travelled, how large, what came of it."""
    settled = row.settled_at or (row.changed_at if row.direction.value == "in" else None)
    return {
        "id": row.id,
        "partner": row.partnership,
        "direction": row.direction.value,
        "kind": row.kind.value,
        "state": row.state.value,
        "reason": row.reason,
        "documents": row.document_types,
        "message_id": row.message_id,
        "size": row.payload_size,
        "wire_size": row.raw_size,
        "disposition": row.disposition,
        "mic": row.mic,
        "signed_with": row.signed_with,
        "encrypted_with": row.encrypted_with,
        "attempts": row.attempts,
        "created_at": _text(row.created_at),
        "settled_at": _text(settled),
        "seconds": round((settled - row.created_at).total_seconds(), 3) if settled is not None else None,
    }


def business_event_json(row: BusinessEvent) -> Json:
    """Something that the shop must hear of."""
    return {
        "number": row.number,
        "id": row.key,
        "kind": row.kind,
        "partner": row.partnership,
        "order_number": row.order_number,
        "at": _text(row.at),
        "body": row.body,
    }


# Pages.


def page(
    session: Session,
    model: type[Row],
    conditions: Sequence[ColumnElement[bool]],
    order: tuple[InstrumentedAttribute[Any], InstrumentedAttribute[Any]],
    *,
    limit: int,
    cursor: str | None,
) -> tuple[list[Row], str | None]:
    """The newest rows first: at most `limit`, after the one that `cursor` names. Gives the next cursor, or None.

    `order` is the time and the key that break ties. Raises BadCursor.
    """
    at, key = order
    statement = select(model).where(*conditions)
    if cursor is not None:
        moment, last = _decode(cursor)
        typed = _number_key(cursor, last) if _is_number(key) else last
        statement = statement.where(or_(at < moment, and_(at == moment, key < typed)))
    rows = list(session.scalars(statement.order_by(at.desc(), key.desc()).limit(limit + 1)))
    if len(rows) <= limit:
        return rows, None
    last_row = rows[limit - 1]
    return rows[:limit], _encode(getattr(last_row, at.key), getattr(last_row, key.key))


def page_by_number(
    session: Session,
    statement: Select[Row],
    key: InstrumentedAttribute[int],
    *,
    limit: int,
    cursor: str | None,
    newest_first: bool = True,
) -> tuple[list[Row], str | None]:
    """A page of rows that are ordered by their number alone; otherwise like `page`. Raises BadCursor."""
    if cursor is not None:
        word, _, text = _opened(cursor).partition(" ")
        if word != _NUMBER:
            raise BadCursor(cursor)
        last = _number_key(cursor, text)
        statement = statement.where(key < last if newest_first else key > last)
    rows = list(session.scalars(statement.order_by(key.desc() if newest_first else key).limit(limit + 1)))
    if len(rows) <= limit:
        return rows, None
    return rows[:limit], _closed(f"{_NUMBER} {getattr(rows[limit - 1], key.key)}")


_NUMBER = "number"


def _is_number(column: InstrumentedAttribute[Any]) -> bool:
    return column.type.python_type is int


def _number_key(cursor: str, text: str) -> int:
    if not text.isascii() or not text.isdigit() or int(text) > KEY_MAX:
        raise BadCursor(cursor)
    return int(text)


def _encode(at: datetime, key: object) -> str:
    return _closed(f"{at.isoformat()} {key}")


def _decode(cursor: str) -> tuple[datetime, str]:
    at, _, key = _opened(cursor).partition(" ")
    try:
        moment = datetime.fromisoformat(at)
    except ValueError:
        raise BadCursor(cursor) from None
    if moment.tzinfo is None or not _FIRST_YEAR < moment.year < _LAST_YEAR or not key or "\0" in key:
        raise BadCursor(cursor)
    return moment, key


_FIRST_YEAR, _LAST_YEAR = 1, 9999
"""In between, a time can be had in UTC whatever its offset."""


def _closed(text: str) -> str:
    return base64.urlsafe_b64encode(text.encode()).decode().rstrip("=")


def _opened(cursor: str) -> str:
    try:
        return base64.urlsafe_b64decode(cursor + "=" * (-len(cursor) % 4)).decode()
    except (ValueError, binascii.Error):
        raise BadCursor(cursor) from None


def _text(moment: date | datetime | None) -> str | None:
    return None if moment is None else moment.isoformat()


def _number(value: Decimal | None) -> str | None:
    return None if value is None else plain(value)
