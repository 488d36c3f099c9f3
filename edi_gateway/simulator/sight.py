"""What can be seen at a gateway, kind by kind, as JSON: the shapes of the REST API, oldest first.

Scenarios compare these rows with what they expect; `docs/scenarios.md` lists the kinds.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from datetime import datetime
from typing import Any

from sqlalchemy import select
from sqlalchemy.orm import Session

from edi_gateway.edifact import contrl
from edi_gateway.edifact.contrl import Acknowledgement, ContrlUnreadable, MessageReport
from edi_gateway.gateway import overview
from edi_gateway.gateway.app import Gateway
from edi_gateway.gateway.overdue_list import overdue_json
from edi_gateway.messages.judge import judge
from edi_gateway.store.business import BusinessEvent, InvoiceRow, OrderRow, ShipmentRow, StockLevelRow
from edi_gateway.store.deadlines import DeadlineRow
from edi_gateway.store.documents import Interchange, Message, StoredFinding
from edi_gateway.store.events import Event
from edi_gateway.store.transmissions import Transmission

Json = dict[str, Any]
Rows = Iterator[Json]

TEXT_BYTES_MAX = 100_000
OVERDUE_ROWS_MAX = 500

_ACKNOWLEDGING = ("CONTRL", "APERAK")


def rows(gateway: Gateway, kind: str) -> list[Json]:
    """Everything of a kind that stands in the gateway's store. Raises KeyError for an unknown kind."""
    look = KINDS[kind]
    with gateway.database.read() as reading:
        return list(look(gateway, reading.session))


def _orders(gateway: Gateway, session: Session) -> Rows:
    for row in session.scalars(select(OrderRow).order_by(OrderRow.id)):
        yield overview.order_json(session, row)


def _stock(gateway: Gateway, session: Session) -> Rows:
    for row in session.scalars(select(StockLevelRow).order_by(StockLevelRow.article, StockLevelRow.location)):
        yield overview.stock_json(row)


def _shipments(gateway: Gateway, session: Session) -> Rows:
    for row in session.scalars(select(ShipmentRow).order_by(ShipmentRow.id)):
        yield overview.shipment_json(session, row)


def _invoices(gateway: Gateway, session: Session) -> Rows:
    for row in session.scalars(select(InvoiceRow).order_by(InvoiceRow.id)):
        yield overview.invoice_json(row)


def _events(gateway: Gateway, session: Session) -> Rows:
    for row in session.scalars(select(BusinessEvent).order_by(BusinessEvent.number)):
        yield overview.business_event_json(row)


def _messages(gateway: Gateway, session: Session) -> Rows:
    for row in session.scalars(select(Message).order_by(Message.at, Message.id)):
        yield overview.message_json(session, row)


def _interchanges(gateway: Gateway, session: Session) -> Rows:
    for row in session.scalars(select(Interchange).order_by(Interchange.at, Interchange.id)):
        yield {
            "partner": row.partnership,
            "direction": row.direction.value,
            "state": row.state.value,
            "control_reference": row.control_reference,
            "sender": row.sender,
            "recipient": row.recipient,
            "overdue_since": _moment(row.overdue_at),
            "text": _text(gateway, row.payload_sha256),
        }


def _text(gateway: Gateway, sha256: str) -> str:
    """The beginning of an interchange as it stands."""
    with gateway.payloads.open(sha256) as payload:
        return payload.read(TEXT_BYTES_MAX).decode("latin-1")


def _findings(gateway: Gateway, session: Session) -> Rows:
    for row in session.scalars(select(StoredFinding).order_by(StoredFinding.id)):
        message = session.get(Message, row.message_id) if row.message_id else None
        interchange = session.get_one(Interchange, row.interchange_id)
        yield {
            **row.as_json(),
            "partner": interchange.partnership,
            "direction": interchange.direction.value,
            "control_reference": interchange.control_reference,
            "type": message.type if message is not None else "",
            "document_number": message.document_number if message is not None else "",
        }


def _transmissions(gateway: Gateway, session: Session) -> Rows:
    for row in session.scalars(select(Transmission).order_by(Transmission.created_at, Transmission.id)):
        yield overview.transmission_json(row)


def _log(gateway: Gateway, session: Session) -> Rows:
    for row in session.scalars(select(Event).order_by(Event.number)):
        yield {
            "kind": row.kind,
            "subject": row.subject,
            "from": row.from_state,
            "to": row.to_state,
            "reason": row.reason,
            "details": row.details,
            "at": _moment(row.at),
        }


def _acknowledgements(gateway: Gateway, session: Session) -> Rows:
    """CONTRL and APERAK, in and out, with what they say."""
    found = select(Message).where(Message.type.in_(_ACKNOWLEDGING)).order_by(Message.at, Message.id)
    for row in session.scalars(found):
        said = _contrl(gateway, session, row) if row.type == contrl.MESSAGE_TYPE else _aperak(session, row)
        yield {
            "type": row.type,
            "partner": row.partnership,
            "direction": row.direction.value,
            "state": row.state.value,
            "at": _moment(row.at),
            **said,
        }


def _contrl(gateway: Gateway, session: Session, row: Message) -> Json:
    interchange = session.get_one(Interchange, row.interchange_id)
    verdict = next(judge(gateway.payloads.chunks(interchange.payload_sha256)))
    said: list[Acknowledgement] = []
    for message in verdict.messages:
        try:
            said.append(contrl.read(message.message))
        except ContrlUnreadable:
            continue  # it stands among the messages, with its finding
    if not said:
        return {"control_reference": "", "action": None, "error": None, "messages": []}
    (one, *_) = said
    return {
        "control_reference": one.control_reference,
        "action": one.action.value if one.action is not None else None,
        "error": one.error.code if one.error is not None else None,
        "messages": [_report(report) for report in one.messages],
    }


def _report(report: MessageReport) -> Json:
    errors = [report.error, *(error for segment in report.segments for error in (segment.error, *segment.elements))]
    return {
        "reference": report.header.reference,
        "type": report.header.type,
        "action": report.action.value if report.action is not None else None,
        "errors": [error.code for error in errors if error is not None and error.code],
    }


def _aperak(session: Session, row: Message) -> Json:
    answered = session.get(Message, row.answers_id) if row.answers_id else None
    record = row.record or {}
    return {
        "document_number": answered.document_number if answered is not None else "",
        "answers": answered.type if answered is not None else "",
        "codes": [error["code"] for error in record.get("errors", ())],
        "record": record,
    }


def _deadlines(gateway: Gateway, session: Session) -> Rows:
    """What is, or was, expected by a certain time."""
    for row in session.scalars(select(DeadlineRow).order_by(DeadlineRow.id)):
        yield {
            "kind": row.kind.value,
            "partner": row.partnership,
            "order_number": row.order_number,
            "subject": row.subject,
            "since": _moment(row.since),
            "due_at": _moment(row.due_at),
            "overdue_at": _moment(row.overdue_at),
            "closed_at": _moment(row.closed_at),
        }


def _overdue(gateway: Gateway, session: Session) -> Rows:
    """The list of what is overdue now, as an operator has it."""
    yield from overdue_json(session, gateway.now(), limit=OVERDUE_ROWS_MAX)


def _moment(at: datetime | None) -> str | None:
    return None if at is None else at.isoformat()


KINDS: Mapping[str, Callable[[Gateway, Session], Rows]] = {
    "orders": _orders,
    "stock": _stock,
    "shipments": _shipments,
    "invoices": _invoices,
    "events": _events,
    "messages": _messages,
    "interchanges": _interchanges,
    "findings": _findings,
    "acknowledgements": _acknowledgements,
    "transmissions": _transmissions,
    "deadlines": _deadlines,
    "overdue": _overdue,
    "log": _log,
}
"""The kinds of things that can be looked at."""
