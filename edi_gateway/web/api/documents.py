"""What came and went, over REST: stock, invoices, shipments, messages, findings, transmissions, events."""

from __future__ import annotations

from flask import Response, jsonify
from flask_openapi3.models import Tag
from sqlalchemy import ColumnElement, or_, select

from edi_gateway.gateway import overview
from edi_gateway.gateway.app import Gateway
from edi_gateway.gateway.availability import availability
from edi_gateway.gateway.tokens import Scope
from edi_gateway.marketplace.articles import article_key
from edi_gateway.marketplace.parties import ItemIdentity
from edi_gateway.store.api import events_after
from edi_gateway.store.business import (
    BusinessEvent,
    InvoiceRow,
    OrderLineRow,
    OrderRow,
    ShipmentLineRow,
    ShipmentRow,
    StockLevelRow,
)
from edi_gateway.store.documents import Interchange, Message, StoredFinding, is_overdue
from edi_gateway.store.transmissions import Transmission
from edi_gateway.web.api.access import caller, visible
from edi_gateway.web.api.answers import (
    Availability,
    Events,
    Findings,
    Inventory,
    Invoices,
    InvoicesFound,
    MessageOut,
    Messages,
    Shipments,
    ShipmentsFound,
    TransmissionOut,
    Transmissions,
)
from edi_gateway.web.api.errors import not_found
from edi_gateway.web.api.models import (
    AvailabilityQuery,
    EventsQuery,
    FindingsQuery,
    InventoryQuery,
    InvoicePath,
    InvoicesQuery,
    MessagePath,
    MessageQuery,
    MessagesQuery,
    PartnerQuery,
    ShipmentPath,
    ShipmentsQuery,
    TransmissionPath,
    TransmissionsQuery,
)
from edi_gateway.web.api.pages import bad_cursor
from edi_gateway.web.api.routes import Routes
from edi_gateway.web.api.texts import Text, language

STOCK = Tag(name="inventory", description="What can be sold")
INVOICES = Tag(name="invoices", description="Vendors' invoices and how they match; commission invoices")
SHIPMENTS = Tag(name="shipments", description="What vendors have despatched")
TRAFFIC = Tag(name="traffic", description="Messages with their findings, and transmissions")
EVENTS = Tag(name="events", description="What the shop must hear of: payments, stock")

_INVOICE, _SHIPMENT = Text("invoice", "facture"), Text("shipment", "expédition")
_MESSAGE, _TRANSMISSION = Text("message", "message"), Text("transmission", "transmission")


def add_routes(routes: Routes, gateway: Gateway) -> None:
    """All of the reading routes."""
    _add_inventory(routes.under(STOCK), gateway)
    _add_invoices(routes.under(INVOICES), gateway)
    _add_shipments(routes.under(SHIPMENTS), gateway)
    _add_messages(routes.under(TRAFFIC), gateway)
    _add_findings(routes.under(TRAFFIC), gateway)
    _add_transmissions(routes.under(TRAFFIC), gateway)
    _add_events(routes.under(EVENTS), gateway)


def _add_inventory(routes: Routes, gateway: Gateway) -> None:
    @routes.get("/inventory", Scope.INVENTORY_READ, "Stock by article and place, and what can be sold", Inventory)
    def inventory(query: InventoryQuery) -> Response:
        statement = select(StockLevelRow).where(*visible(StockLevelRow.partnership, query.partner))
        if query.gtin is not None:
            statement = statement.where(StockLevelRow.article == article_key(ItemIdentity(gtin=query.gtin)))
        with gateway.database.read() as reading, bad_cursor():
            rows, following = overview.page_by_number(
                reading.session,
                statement,
                StockLevelRow.id,
                limit=query.limit,
                cursor=query.cursor,
                newest_first=False,
            )
        return jsonify({"inventory": [overview.stock_json(row) for row in rows], "next": following})

    @routes.get("/availability", Scope.INVENTORY_READ, "What can be sold of these articles now", Availability)
    def what_can_be_sold(query: AvailabilityQuery) -> Response:
        partner = query.partner if query.partner is not None else caller().partner
        if partner is not None and not caller().sees(partner):
            return jsonify({"availability": [_unknown(gtin) for gtin in dict.fromkeys(query.gtin)]})
        with gateway.database.read() as reading:
            return jsonify({"availability": availability(reading.session, query.gtin, partner)})


def _unknown(gtin: str) -> dict[str, object]:
    return {"gtin": gtin, "known": False, "available": "0", "offers": []}


def _add_invoices(routes: Routes, gateway: Gateway) -> None:
    @routes.get("/invoices", Scope.INVOICES_READ, "List invoices, newest first", Invoices)
    def invoices(query: InvoicesQuery) -> Response:
        wanted = {
            InvoiceRow.state: query.state,
            InvoiceRow.kind: query.kind,
            InvoiceRow.direction: query.direction,
        }
        conditions = visible(InvoiceRow.partnership, query.partner)
        conditions += [column == value for column, value in wanted.items() if value is not None]
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

    @routes.get(
        "/invoices/<path:number>",
        Scope.INVOICES_READ,
        "The invoices of this number, with match and discrepancies",
        InvoicesFound,
        refusals=(404,),
    )
    def invoice(path: InvoicePath, query: PartnerQuery) -> Response:
        statement = (
            select(InvoiceRow)
            .where(InvoiceRow.number == path.number, *visible(InvoiceRow.partnership, query.partner))
            .order_by(InvoiceRow.id)
        )
        with gateway.database.read() as reading:
            rows = list(reading.session.scalars(statement.limit(overview.PAGE_ROWS_MAX)))
        if not rows:
            raise not_found(_INVOICE, path.number)
        return jsonify({"invoices": [overview.invoice_json(row) for row in rows]})


def _add_shipments(routes: Routes, gateway: Gateway) -> None:
    @routes.get("/shipments", Scope.SHIPMENTS_READ, "List shipments, newest first", Shipments)
    def shipments(query: ShipmentsQuery) -> Response:
        conditions = visible(ShipmentRow.partnership, query.partner)
        if query.order is not None:
            conditions.append(ShipmentRow.id.in_(_of_order(query.order)))
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

    @routes.get(
        "/shipments/<path:number>",
        Scope.SHIPMENTS_READ,
        "The shipments of this number",
        ShipmentsFound,
        refusals=(404,),
    )
    def shipment(path: ShipmentPath, query: PartnerQuery) -> Response:
        statement = (
            select(ShipmentRow)
            .where(ShipmentRow.number == path.number, *visible(ShipmentRow.partnership, query.partner))
            .order_by(ShipmentRow.id)
        )
        with gateway.database.read() as reading:
            rows = list(reading.session.scalars(statement.limit(overview.PAGE_ROWS_MAX)))
            if not rows:
                raise not_found(_SHIPMENT, path.number)
            return jsonify({"shipments": [overview.shipment_json(reading.session, row) for row in rows]})


def _of_order(number: str) -> ColumnElement[int]:
    """The ids of the shipments that brought anything of an order of this number."""
    return (
        select(ShipmentLineRow.shipment_id)
        .join(OrderLineRow, OrderLineRow.id == ShipmentLineRow.order_line_id)
        .join(OrderRow, OrderRow.id == OrderLineRow.order_id)
        .where(OrderRow.number == number)
        .scalar_subquery()
    )


def _add_messages(routes: Routes, gateway: Gateway) -> None:
    @routes.get("/messages", Scope.TRAFFIC_READ, "List messages, newest first", Messages)
    def messages(query: MessagesQuery) -> Response:
        wanted = {
            Message.direction: query.direction,
            Message.type: query.type,
            Message.state: query.state,
        }
        conditions = visible(Message.partnership, query.partner)
        conditions += [column == value for column, value in wanted.items() if value is not None]
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

    @routes.get(
        "/messages/<id>",
        Scope.TRAFFIC_READ,
        "One message with its findings, its envelope and its record",
        MessageOut,
        refusals=(404,),
    )
    def message(path: MessagePath, query: MessageQuery) -> Response:
        with gateway.database.read() as reading:
            row = reading.session.get(Message, path.id)
            if row is None or not caller().sees(row.partnership):
                raise not_found(_MESSAGE, path.id)
            return jsonify(overview.message_json(reading.session, row, query.language or language()))


def _add_findings(routes: Routes, gateway: Gateway) -> None:
    @routes.get("/findings", Scope.TRAFFIC_READ, "List what was wrong with documents, newest first", Findings)
    def findings(query: FindingsQuery) -> Response:
        statement = select(StoredFinding)
        if partner := visible(Interchange.partnership, query.partner):
            statement = statement.join(Interchange, Interchange.id == StoredFinding.interchange_id).where(*partner)
        wanted = {
            StoredFinding.code: query.code,
            StoredFinding.severity: query.severity,
            StoredFinding.message_id: query.message,
        }
        statement = statement.where(*(column == value for column, value in wanted.items() if value is not None))
        with gateway.database.read() as reading, bad_cursor():
            rows, following = overview.page_by_number(
                reading.session, statement, StoredFinding.id, limit=query.limit, cursor=query.cursor
            )
            shown = overview.listed_findings(reading.session, rows, query.language or language())
            return jsonify({"findings": shown, "next": following})


def _add_transmissions(routes: Routes, gateway: Gateway) -> None:
    @routes.get("/transmissions", Scope.TRAFFIC_READ, "List transmissions, newest first", Transmissions)
    def transmissions(query: TransmissionsQuery) -> Response:
        conditions = visible(Transmission.partnership, query.partner)
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

    @routes.get("/transmissions/<id>", Scope.TRAFFIC_READ, "One transmission", TransmissionOut, refusals=(404,))
    def transmission(path: TransmissionPath) -> Response:
        with gateway.database.read() as reading:
            row = reading.session.get(Transmission, path.id)
            if row is None or not caller().sees(row.partnership or ""):
                raise not_found(_TRANSMISSION, path.id)
            return jsonify(overview.transmission_json(row))


def _add_events(routes: Routes, gateway: Gateway) -> None:
    @routes.get("/events", Scope.EVENTS_READ, "What happened after an event, oldest first", Events)
    def events(query: EventsQuery) -> Response:
        statement = events_after(query.after, kinds=query.kind).where(
            *visible(BusinessEvent.partnership, query.partner)
        )
        with gateway.database.read() as reading:
            rows = list(reading.session.scalars(statement.limit(query.limit)))
        last = rows[-1].number if rows else query.after
        return jsonify({"events": [overview.business_event_json(row) for row in rows], "after": last})
