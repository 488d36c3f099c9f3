"""Orders over REST: placed, paid, looked at."""

from __future__ import annotations

from flask import Response, jsonify
from flask_openapi3.blueprint import APIBlueprint
from flask_openapi3.models import Tag
from sqlalchemy import select
from sqlalchemy.orm import Session

from edi_gateway.gateway import overview
from edi_gateway.gateway.app import Gateway
from edi_gateway.gateway.compose import ComposeRefused
from edi_gateway.gateway.orders import (
    OrderConflict,
    OrderRefused,
    PaymentConflict,
    Placed,
    UnknownPartner,
    decide_payment,
    place_order,
)
from edi_gateway.marketplace.fulfilment import PaymentState
from edi_gateway.store.business import OrderRow, ShipmentLineRow, ShipmentRow, orders_numbered
from edi_gateway.web.api.bodies import reads
from edi_gateway.web.api.errors import (
    ApiRefusal,
    ErrorEntry,
    conflict,
    invalid,
    invalid_record,
    not_found,
)
from edi_gateway.web.api.models import (
    Answer,
    DecidePayment,
    OrderHeaders,
    OrderPath,
    OrdersQuery,
    PartnerQuery,
    PlaceOrder,
)
from edi_gateway.web.api.pages import bad_cursor

ORDERS = [Tag(name="orders", description="Orders of the shop, and what the vendors made of them")]


def add_routes(api: APIBlueprint, gateway: Gateway) -> None:
    """POST /orders, GET /orders, GET /orders/{number}, POST /orders/{number}/payment."""

    @api.post("/orders", tags=ORDERS, summary="Place an order for a vendor", responses={201: Answer})
    @reads
    def place(body: PlaceOrder, header: OrderHeaders) -> Response:
        """201 where the order is new, 200 where the same order was placed before, 409 where another one was."""
        try:
            placed = place_order(
                gateway,
                body.partner,
                body.order,
                payment=PaymentState(body.payment),
                idempotency_key=header.idempotency_key,
            )
        except UnknownPartner as refusal:
            raise invalid([unknown_partner(refusal)]) from None
        except OrderRefused as refusal:
            raise invalid_record(refusal.findings, "order") from None
        except OrderConflict as refusal:
            raise conflict(str(refusal)) from None
        except ComposeRefused as refusal:
            raise _not_sendable(refusal) from None
        return _placed(gateway, placed)

    @api.get("/orders", tags=ORDERS, summary="List orders, newest first")
    @reads
    def list_orders(query: OrdersQuery) -> Response:
        conditions = []
        if query.partner is not None:
            conditions.append(OrderRow.partnership == query.partner)
        if query.state is not None:
            conditions.append(OrderRow.state == query.state)
        with gateway.database.read() as reading, bad_cursor():
            rows, following = overview.page(
                reading.session,
                OrderRow,
                conditions,
                (OrderRow.created_at, OrderRow.id),
                limit=query.limit,
                cursor=query.cursor,
            )
            return jsonify({"orders": [overview.order_summary(row) for row in rows], "next": following})

    @api.get("/orders/<number>", tags=ORDERS, summary="One order with lines, quantities, answers and shipments")
    @reads
    def show(path: OrderPath, query: PartnerQuery) -> Response:
        with gateway.database.read() as reading:
            row = find_one(reading.session, path.number, query.partner)
            shown = overview.order_json(reading.session, row)
            shown["shipments"] = [
                overview.shipment_json(reading.session, shipment) for shipment in _shipments(reading.session, row)
            ]
            return jsonify(shown)

    @api.post("/orders/<number>/payment", tags=ORDERS, summary="Say what the payment provider decided")
    @reads
    def pay(path: OrderPath, query: PartnerQuery, body: DecidePayment) -> Response:
        """Accepted: ORDERS leaves. Refused: the order is cancelled. The same decision again changes nothing."""
        with gateway.database.read() as reading:
            partner = find_one(reading.session, path.number, query.partner).partnership
        try:
            placed = decide_payment(gateway, partner, path.number, PaymentState(body.payment))
        except (PaymentConflict, UnknownPartner) as refusal:
            raise conflict(str(refusal)) from None
        except ComposeRefused as refusal:
            raise _not_sendable(refusal) from None
        return _placed(gateway, placed, status=200)


def _placed(gateway: Gateway, placed: Placed, status: int | None = None) -> Response:
    with gateway.database.read() as reading:
        row = reading.session.get_one(OrderRow, placed.order_id)
        response = jsonify(overview.order_json(reading.session, row))
    response.status_code = status or (201 if placed.created else 200)
    response.headers["Location"] = f"/api/v1/orders/{row.number}"
    return response


def find_one(session: Session, number: str, partner: str | None) -> OrderRow:
    """The order of this number; raises ApiRefusal where there is none, or several and no partner is named."""
    found = [row for row in orders_numbered(session, number) if partner in (None, row.partnership)]
    if not found:
        raise not_found(f"there is no order {number}" + (f" for {partner}" if partner else ""))
    if len(found) > 1:
        partners = ", ".join(row.partnership for row in found)
        raise conflict(f"several partners have an order {number}: add ?partner= with one of {partners}")
    return found[0]


def _shipments(session: Session, order: OrderRow) -> list[ShipmentRow]:
    lines = [line.id for line in order.lines]
    return list(
        session.scalars(
            select(ShipmentRow)
            .where(
                ShipmentRow.id.in_(select(ShipmentLineRow.shipment_id).where(ShipmentLineRow.order_line_id.in_(lines)))
            )
            .order_by(ShipmentRow.id)
        )
    )


def unknown_partner(refusal: UnknownPartner) -> ErrorEntry:
    return ErrorEntry(
        path="partner", code="unknown_partner", message=str(refusal), hint="see `edi-gateway partners list`"
    )


def _not_sendable(refusal: ComposeRefused) -> ApiRefusal:
    errors = [
        ErrorEntry(path="order", code=finding.code, message=finding.text(), hint=finding.hint())
        for finding in refusal.findings
    ]
    return invalid([ErrorEntry(path="order", code="not_sendable", message=refusal.why), *errors])
