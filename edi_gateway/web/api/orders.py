"""Orders over REST: placed, paid, looked at."""

from __future__ import annotations

from typing import Any

from flask import Response, jsonify, request
from flask_openapi3.models import Tag
from sqlalchemy import select
from sqlalchemy.orm import Session

from edi_gateway.gateway import overview
from edi_gateway.gateway.app import Gateway
from edi_gateway.gateway.compose import ComposeRefused
from edi_gateway.gateway.order_changes import ChangeConflict, ChangeRefused, request_change
from edi_gateway.gateway.orders import (
    ChangedMeanwhile,
    OrderBusy,
    OrderConflict,
    OrderRefused,
    PaymentConflict,
    Placed,
    UnknownPartner,
    decide_payment,
    place_order,
)
from edi_gateway.gateway.tokens import Scope
from edi_gateway.marketplace.changing import ChangeRequest
from edi_gateway.marketplace.fulfilment import PaymentState
from edi_gateway.store.business import (
    ConfirmationRow,
    OrderRow,
    ShipmentLineRow,
    ShipmentRow,
    changes_of,
    orders_numbered,
)
from edi_gateway.web.api import texts
from edi_gateway.web.api.access import caller, visible
from edi_gateway.web.api.answers import ChangeOut, Confirmations, OrderAsPlaced, Orders, OrderWithShipments
from edi_gateway.web.api.errors import (
    ApiRefusal,
    ErrorEntry,
    conflict,
    entry_of,
    fault,
    invalid,
    invalid_record,
    not_found,
)
from edi_gateway.web.api.models import (
    CancelOrder,
    ChangeOrder,
    ConfirmationsQuery,
    DecidePayment,
    OrderHeaders,
    OrderPath,
    OrdersQuery,
    PartnerQuery,
    PlaceOrder,
)
from edi_gateway.web.api.pages import bad_cursor
from edi_gateway.web.api.routes import Routes
from edi_gateway.web.api.texts import Filled, Text
from edi_gateway.web.api.versions import etag_of, require_match

ORDERS = [Tag(name="orders", description="Orders of the shop, and what the vendors made of them")]


_ORDER = Text("order", "commande")
_CONTRADICTS = Text(
    "its number or its Idempotency-Key stands for another order: {why}",
    "son numéro ou son Idempotency-Key désigne une autre commande : {why}",
)
_CONTRADICTS_ANOTHER = Text(
    "its number or its Idempotency-Key stands for another order",
    "son numéro ou son Idempotency-Key désigne une autre commande",
)
_BUSY = Text(
    "the order is being taken in by another request: send it again",
    "la commande est en cours d'enregistrement par une autre requête : renvoyez-la",
)
_NOT_ACTIVE = Text("there is no active trading partner {name}", "il n'y a pas de partenaire actif {name}")
_CHANGE_OPEN = Text("another change is open: {why}", "une autre modification est en cours : {why}")
_PAID_OTHERWISE = Text(
    "the payment was decided otherwise before: {why}", "le paiement a été décidé autrement auparavant : {why}"
)


def add_routes(routes: Routes, gateway: Gateway) -> None:
    """POST and GET /orders, GET /orders/{number}, POST …/payment, …/change, …/cancellation, GET /confirmations."""
    _add_placing(routes.under(*ORDERS), gateway)
    _add_changing(routes.under(*ORDERS), gateway)
    _add_reading(routes.under(*ORDERS), gateway)


def _add_placing(routes: Routes, gateway: Gateway) -> None:
    @routes.post(
        "/orders",
        Scope.ORDERS_PLACE,
        "Place an order for a vendor",
        {200: OrderAsPlaced, 201: OrderAsPlaced},
        refusals=(409, 415),
    )
    def place(body: PlaceOrder, header: OrderHeaders) -> Response:
        """201 where the order is new, 200 where the same order was placed before, 409 where another one was."""
        if not caller().sees(body.partner):
            raise invalid([unknown_partner(body.partner)])
        try:
            placed = place_order(
                gateway,
                body.partner,
                body.order,
                payment=PaymentState(body.payment),
                idempotency_key=header.idempotency_key,
            )
        except UnknownPartner:
            raise invalid([unknown_partner(body.partner)]) from None
        except OrderRefused as refusal:
            raise invalid_record(refusal.findings, "order") from None
        except OrderConflict as refusal:
            raise conflict(_contradicts(refusal)) from None
        except ComposeRefused as refusal:
            raise _not_sendable(refusal) from None
        return _placed(gateway, placed)

    @routes.post(
        "/orders/<number>/payment",
        Scope.ORDERS_PLACE,
        "Say what the payment provider decided",
        {200: OrderAsPlaced},
        refusals=(404, 409, 412, 415),
        is_conditional=True,
    )
    def pay(path: OrderPath, query: PartnerQuery, body: DecidePayment) -> Response:
        """Accepted: ORDERS leaves. Refused: the order is cancelled. The same decision again changes nothing."""
        partner, revision = _checked(gateway, path.number, query.partner)
        try:
            placed = decide_payment(gateway, partner, path.number, PaymentState(body.payment), revision=revision)
        except ChangedMeanwhile:
            raise ApiRefusal(412, texts.CHANGED_NOW) from None
        except PaymentConflict as refusal:
            raise conflict(Filled(_PAID_OTHERWISE, {"why": refusal})) from None
        except UnknownPartner as refusal:
            raise conflict(Filled(_NOT_ACTIVE, {"name": refusal.name})) from None
        except ComposeRefused as refusal:
            raise _not_sendable(refusal) from None
        return _placed(gateway, placed, status=200)


def _contradicts(refusal: OrderConflict) -> Text | Filled:
    """Why an order is refused; not whose order holds the key, where that may be another partner's."""
    if isinstance(refusal, OrderBusy):
        return _BUSY
    if caller().partner is not None:
        return _CONTRADICTS_ANOTHER
    return Filled(_CONTRADICTS, {"why": refusal})


def _add_changing(routes: Routes, gateway: Gateway) -> None:
    @routes.post(
        "/orders/<number>/change",
        Scope.ORDERS_PLACE,
        "Ask for a change of an order: lower quantities, other prices or dates",
        {200: ChangeOut, 201: ChangeOut},
        refusals=(404, 409, 412, 415),
        is_conditional=True,
    )
    def change(path: OrderPath, query: PartnerQuery, body: ChangeOrder) -> Response:
        """201 where it is asked now (of an order that has not left, done now); 200 where the same is open already."""
        return _requested(gateway, path.number, query.partner, body.request())

    @routes.post(
        "/orders/<number>/cancellation",
        Scope.ORDERS_PLACE,
        "Ask for the cancellation of an order",
        {200: ChangeOut, 201: ChangeOut},
        refusals=(404, 409, 412, 415),
        is_conditional=True,
    )
    def cancel(path: OrderPath, query: PartnerQuery, body: CancelOrder) -> Response:
        """It is cancelled when the vendor agrees; at once where it has not left. 200 where this is open already."""
        return _requested(gateway, path.number, query.partner, ChangeRequest(cancel=True, reason=body.reason))


def _requested(gateway: Gateway, number: str, partner: str | None, asked: ChangeRequest) -> Response:
    name, revision = _checked(gateway, number, partner)
    try:
        requested = request_change(gateway, name, number, asked, revision=revision)
    except ChangedMeanwhile:
        raise ApiRefusal(412, texts.CHANGED_NOW) from None
    except ChangeRefused as refusal:
        raise invalid_record(refusal.findings, "") from None
    except ChangeConflict as refusal:
        raise conflict(Filled(_CHANGE_OPEN, {"why": refusal})) from None
    except UnknownPartner as refusal:
        raise conflict(Filled(_NOT_ACTIVE, {"name": refusal.name})) from None
    except ComposeRefused as refusal:
        raise _not_sendable(refusal) from None
    with gateway.database.read() as reading:
        row = next(
            each for each in changes_of(reading.session, requested.order_id) if each.version == requested.version
        )
        response = jsonify(overview.change_json(row))
    response.status_code = 201 if requested.created else 200
    response.headers["Location"] = f"/api/v1/orders/{number}"
    return response


def _add_reading(routes: Routes, gateway: Gateway) -> None:
    @routes.get("/orders", Scope.ORDERS_READ, "List orders, newest first", Orders)
    def list_orders(query: OrdersQuery) -> Response:
        conditions = visible(OrderRow.partnership, query.partner)
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

    @routes.get(
        "/orders/<number>",
        Scope.ORDERS_READ,
        "One order with lines, quantities, answers and shipments",
        OrderWithShipments,
        refusals=(404, 409),
    )
    def show_order(path: OrderPath, query: PartnerQuery) -> Response:
        with gateway.database.read() as reading:
            shown = order_document(reading.session, find_one(reading.session, path.number, query.partner))
        response = jsonify(shown)
        response.set_etag(etag_of(shown))
        return response

    @routes.get("/confirmations", Scope.ORDERS_READ, "List the vendors' answers to orders, newest first", Confirmations)
    def confirmations(query: ConfirmationsQuery) -> Response:
        of_orders = select(OrderRow.id).where(*visible(OrderRow.partnership, query.partner))
        if query.order is not None:
            of_orders = of_orders.where(OrderRow.number == query.order)
        with gateway.database.read() as reading, bad_cursor():
            rows, following = overview.page(
                reading.session,
                ConfirmationRow,
                [ConfirmationRow.order_id.in_(of_orders)],
                (ConfirmationRow.received_at, ConfirmationRow.id),
                limit=query.limit,
                cursor=query.cursor,
            )
            shown = [overview.confirmation_json(reading.session, row) for row in rows]
            return jsonify({"confirmations": shown, "next": following})


def order_document(session: Session, row: OrderRow) -> dict[str, Any]:
    """One order with all that happened: what GET /orders/{number} shows, and what its ETag is of."""
    shown = overview.order_json(session, row)
    shown["shipments"] = [overview.shipment_json(session, shipment) for shipment in _shipments(session, row)]
    shown["changes"] = [overview.change_json(change) for change in changes_of(session, row.id)]
    return shown


def _checked(gateway: Gateway, number: str, partner: str | None) -> tuple[str, int | None]:
    """Whose order this is, and the revision that If-Match stands for; 412 where it names another version of it."""
    with gateway.database.read() as reading:
        row = find_one(reading.session, number, partner)
        if not request.if_match:
            return row.partnership, None
        require_match(etag_of(order_document(reading.session, row)))
        return row.partnership, None if request.if_match.star_tag else row.revision


def _placed(gateway: Gateway, placed: Placed, status: int | None = None) -> Response:
    with gateway.database.read() as reading:
        row = reading.session.get_one(OrderRow, placed.order_id)
        response = jsonify(overview.order_json(reading.session, row))
    response.status_code = status or (201 if placed.created else 200)
    response.headers["Location"] = f"/api/v1/orders/{row.number}"
    return response


def find_one(session: Session, number: str, partner: str | None) -> OrderRow:
    """The order of this number; raises ApiRefusal where there is none, or several and no partner is named."""
    known = [row for row in orders_numbered(session, number) if caller().sees(row.partnership)]
    found = [row for row in known if partner in (None, row.partnership)]
    if not found:
        raise not_found(_ORDER, number)
    if len(found) > 1:
        partners = ", ".join(row.partnership for row in found)
        raise conflict(Filled(texts.SEVERAL_PARTNERS, {"partners": partners}))
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


_UNKNOWN_PARTNER = Text("there is no active trading partner {name}", "il n'y a pas de partenaire actif {name}")
_NOT_SENDABLE = Text("the order cannot be sent: {why}", "la commande ne peut être envoyée : {why}")


def unknown_partner(name: str) -> ErrorEntry:
    """The error of a request that names a partner who is not there, or not for the caller."""
    return fault("partner", "unknown_partner", Filled(_UNKNOWN_PARTNER, {"name": name}))


def _not_sendable(refusal: ComposeRefused) -> ApiRefusal:
    why = fault("order", "not_sendable", Filled(_NOT_SENDABLE, {"why": refusal.why}))
    return invalid([why, *(entry_of(finding, "order") for finding in refusal.findings)])
