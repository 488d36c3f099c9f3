"""What came and went, over REST: stock, invoices, shipments, messages, transmissions, events."""

from __future__ import annotations

from flask import Response, jsonify
from flask_openapi3.blueprint import APIBlueprint
from flask_openapi3.models import Tag
from sqlalchemy import or_, select

from edi_gateway.gateway import overview
from edi_gateway.gateway.app import Gateway
from edi_gateway.store.business import (
    BusinessEvent,
    InvoiceRow,
    OrderLineRow,
    OrderRow,
    ShipmentLineRow,
    ShipmentRow,
    StockLevelRow,
)
from edi_gateway.store.documents import Message, is_overdue
from edi_gateway.store.transmissions import Transmission
from edi_gateway.web.api.bodies import reads
from edi_gateway.web.api.errors import not_found
from edi_gateway.web.api.models import (
    EventsQuery,
    InventoryQuery,
    InvoicePath,
    InvoicesQuery,
    MessagePath,
    MessageQuery,
    MessagesQuery,
    PartnerQuery,
    ShipmentPath,
    ShipmentsQuery,
    TransmissionsQuery,
)
from edi_gateway.web.api.pages import bad_cursor

STOCK = [Tag(name="inventory", description="What can be sold")]
INVOICES = [Tag(name="invoices", description="Vendors' invoices and how they match; commission invoices")]
SHIPMENTS = [Tag(name="shipments", description="What vendors have despatched")]
TRAFFIC = [Tag(name="traffic", description="Messages with their findings, and transmissions")]
EVENTS = [Tag(name="events", description="What the shop must hear of: payments, stock")]


def add_routes(api: APIBlueprint, gateway: Gateway) -> None:
    """All of the reading routes."""
    _add_inventory(api, gateway)
    _add_invoices(api, gateway)
    _add_shipments(api, gateway)
    _add_messages(api, gateway)
    _add_transmissions(api, gateway)
    _add_events(api, gateway)


def _add_inventory(api: APIBlueprint, gateway: Gateway) -> None:
    @api.get("/inventory", tags=STOCK, summary="Stock by article and place, with what can be sold of it")
    @reads
    def inventory(query: InventoryQuery) -> Response:
        statement = select(StockLevelRow).where(StockLevelRow.id > query.after)
        if query.partner is not None:
            statement = statement.where(StockLevelRow.partnership == query.partner)
        if query.gtin is not None:
            statement = statement.where(StockLevelRow.gtin == query.gtin)
        with gateway.database.read() as reading:
            rows = list(reading.session.scalars(statement.order_by(StockLevelRow.id).limit(query.limit + 1)))
        shown = rows[: query.limit]
        following = shown[-1].id if len(rows) > query.limit else None
        return jsonify({"inventory": [overview.stock_json(row) for row in shown], "next": following})


def _add_invoices(api: APIBlueprint, gateway: Gateway) -> None:
    @api.get("/invoices", tags=INVOICES, summary="List invoices, newest first")
    @reads
    def invoices(query: InvoicesQuery) -> Response:
        wanted = {
            InvoiceRow.partnership: query.partner,
            InvoiceRow.state: query.state,
            InvoiceRow.kind: query.kind,
            InvoiceRow.direction: query.direction,
        }
        conditions = [column == value for column, value in wanted.items() if value is not None]
        with gateway.database.read() as reading, bad_cursor():
            rows, following = overview.page(
                reading.session,
                InvoiceRow,
                conditions,
                (InvoiceRow.at, InvoiceRow.id),
                limit=query.limit,
                cursor=query.cursor,
            )
            return jsonify({"invoices": [overview.invoice_json(row) for row in rows], "next": following})

    @api.get(
        "/invoices/<path:number>", tags=INVOICES, summary="The invoices of this number, with match and discrepancies"
    )
    @reads
    def invoice(path: InvoicePath, query: PartnerQuery) -> Response:
        statement = select(InvoiceRow).where(InvoiceRow.number == path.number).order_by(InvoiceRow.id)
        if query.partner is not None:
            statement = statement.where(InvoiceRow.partnership == query.partner)
        with gateway.database.read() as reading:
            rows = list(reading.session.scalars(statement.limit(overview.PAGE_ROWS_MAX)))
        if not rows:
            raise not_found(f"there is no invoice {path.number}")
        return jsonify({"invoices": [overview.invoice_json(row) for row in rows]})


def _add_shipments(api: APIBlueprint, gateway: Gateway) -> None:
    @api.get("/shipments", tags=SHIPMENTS, summary="List shipments, newest first")
    @reads
    def shipments(query: ShipmentsQuery) -> Response:
        conditions = []
        if query.partner is not None:
            conditions.append(ShipmentRow.partnership == query.partner)
        if query.order is not None:
            of_order = (
                select(ShipmentLineRow.shipment_id)
                .join(OrderLineRow, OrderLineRow.id == ShipmentLineRow.order_line_id)
                .join(OrderRow, OrderRow.id == OrderLineRow.order_id)
                .where(OrderRow.number == query.order)
            )
            conditions.append(ShipmentRow.id.in_(of_order))
        with gateway.database.read() as reading, bad_cursor():
            rows, following = overview.page(
                reading.session,
                ShipmentRow,
                conditions,
                (ShipmentRow.received_at, ShipmentRow.id),
                limit=query.limit,
                cursor=query.cursor,
            )
            shown = [overview.shipment_json(reading.session, row) for row in rows]
            return jsonify({"shipments": shown, "next": following})

    @api.get("/shipments/<path:number>", tags=SHIPMENTS, summary="The shipments of this number")
    @reads
    def shipment(path: ShipmentPath, query: PartnerQuery) -> Response:
        statement = select(ShipmentRow).where(ShipmentRow.number == path.number).order_by(ShipmentRow.id)
        if query.partner is not None:
            statement = statement.where(ShipmentRow.partnership == query.partner)
        with gateway.database.read() as reading:
            rows = list(reading.session.scalars(statement.limit(overview.PAGE_ROWS_MAX)))
            if not rows:
                raise not_found(f"there is no shipment {path.number}")
            return jsonify({"shipments": [overview.shipment_json(reading.session, row) for row in rows]})


def _add_messages(api: APIBlueprint, gateway: Gateway) -> None:
    @api.get("/messages", tags=TRAFFIC, summary="List messages, newest first")
    @reads
    def messages(query: MessagesQuery) -> Response:
        wanted = {
            Message.partnership: query.partner,
            Message.direction: query.direction,
            Message.type: query.type,
            Message.state: query.state,
        }
        conditions = [column == value for column, value in wanted.items() if value is not None]
        if query.document is not None:
            conditions.append(or_(Message.document_number == query.document, Message.business_key == query.document))
        if query.overdue:
            conditions.append(is_overdue())
        with gateway.database.read() as reading, bad_cursor():
            rows, following = overview.page(
                reading.session,
                Message,
                conditions,
                (Message.at, Message.id),
                limit=query.limit,
                cursor=query.cursor,
            )
        return jsonify({"messages": [overview.message_summary(row) for row in rows], "next": following})

    @api.get("/messages/<id>", tags=TRAFFIC, summary="One message with its findings, its envelope and its record")
    @reads
    def message(path: MessagePath, query: MessageQuery) -> Response:
        with gateway.database.read() as reading:
            row = reading.session.get(Message, path.id)
            if row is None:
                raise not_found(f"there is no message {path.id}")
            return jsonify(overview.message_json(reading.session, row, query.language))


def _add_transmissions(api: APIBlueprint, gateway: Gateway) -> None:
    @api.get("/transmissions", tags=TRAFFIC, summary="List transmissions, newest first")
    @reads
    def transmissions(query: TransmissionsQuery) -> Response:
        conditions = []
        if query.partner is not None:
            conditions.append(Transmission.partnership == query.partner)
        if query.direction is not None:
            conditions.append(Transmission.direction == query.direction.value)
        if query.state is not None:
            conditions.append(Transmission.state == query.state)
        with gateway.database.read() as reading, bad_cursor():
            rows, following = overview.page(
                reading.session,
                Transmission,
                conditions,
                (Transmission.created_at, Transmission.id),
                limit=query.limit,
                cursor=query.cursor,
            )
        return jsonify({"transmissions": [overview.transmission_json(row) for row in rows], "next": following})


def _add_events(api: APIBlueprint, gateway: Gateway) -> None:
    @api.get("/events", tags=EVENTS, summary="What happened after an event, oldest first")
    @reads
    def events(query: EventsQuery) -> Response:
        statement = select(BusinessEvent).where(BusinessEvent.number > query.after).order_by(BusinessEvent.number)
        with gateway.database.read() as reading:
            rows = list(reading.session.scalars(statement.limit(query.limit)))
        last = rows[-1].number if rows else query.after
        return jsonify({"events": [overview.business_event_json(row) for row in rows], "after": last})
