"""Webhooks over REST: added, listed, tried, gone on with, removed."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

from flask import Response, jsonify
from flask_openapi3.models import Tag

from edi_gateway.gateway import webhooks as service
from edi_gateway.gateway.app import Gateway
from edi_gateway.gateway.orders import UnknownPartner
from edi_gateway.gateway.tokens import Scope
from edi_gateway.store.api import WebhookEndpoint, endpoints
from edi_gateway.web.api.access import caller
from edi_gateway.web.api.answers import EndpointOut, Endpoints, NewEndpoint, TestOfEndpoint
from edi_gateway.web.api.errors import fault, invalid, not_found
from edi_gateway.web.api.models import AddEndpoint, EndpointPath
from edi_gateway.web.api.orders import unknown_partner
from edi_gateway.web.api.routes import Routes
from edi_gateway.web.api.texts import Filled, Text

WEBHOOKS = Tag(name="webhooks", description="URLs that hear of events")
_WEBHOOK = Text("webhook", "webhook")
_REFUSED = Text("this URL cannot be added: {why}", "cette URL ne peut être ajoutée : {why}")


def add_routes(routes: Routes, gateway: Gateway) -> None:
    """POST and GET /webhooks, GET and DELETE /webhooks/{id}, POST /webhooks/{id}/test and /retry."""
    routes = routes.under(WEBHOOKS)
    _add_endpoints(routes, gateway)
    _add_steps(routes, gateway)


def _add_endpoints(routes: Routes, gateway: Gateway) -> None:
    @routes.post(
        "/webhooks",
        Scope.WEBHOOKS,
        "Add a URL; only this answer has its secret",
        {201: NewEndpoint},
        refusals=(415,),
    )
    def add_webhook(body: AddEndpoint) -> Response:
        """A token that is bound to a partner adds URLs that hear of this partner's events."""
        partner = body.partner if body.partner is not None else caller().partner
        if partner is not None and not caller().sees(partner):
            raise invalid([unknown_partner(partner)])
        try:
            row, secret = service.add(gateway, body.url, kinds=body.kinds, partner=partner, after=body.after)
        except UnknownPartner:
            raise invalid([unknown_partner(partner or "")]) from None
        except service.WebhookRefused as refusal:
            raise invalid([fault("url", "url_refused", Filled(_REFUSED, {"why": refusal}))]) from None
        response = jsonify({**_shown(gateway, row), "secret": secret})
        response.status_code = 201
        response.headers["Location"] = f"/api/v1/webhooks/{row.id}"
        return response

    @routes.get("/webhooks", Scope.WEBHOOKS, "List the webhooks with what waits for them", Endpoints)
    def list_webhooks() -> Response:
        with gateway.database.read() as view:
            rows = endpoints(view.session, limit=service.ENDPOINTS_MAX, partnership=caller().partner)
            return jsonify({"webhooks": [service.endpoint_json(view.session, row) for row in rows]})

    @routes.get("/webhooks/<id>", Scope.WEBHOOKS, "One webhook", EndpointOut, refusals=(404,))
    def show_webhook(path: EndpointPath) -> Response:
        with _found(path.id), gateway.database.read() as view:
            row = service.find(view.session, path.id, caller().partner)
            return jsonify(service.endpoint_json(view.session, row))

    @routes.delete("/webhooks/<id>", Scope.WEBHOOKS, "Send nothing more to a webhook", refusals=(404,))
    def remove_webhook(path: EndpointPath) -> Response:
        with _found(path.id):
            service.remove(gateway, path.id, caller().partner)
        return Response(status=204)


def _add_steps(routes: Routes, gateway: Gateway) -> None:
    @routes.post("/webhooks/<id>/test", Scope.WEBHOOKS, "Send it a test now", {200: TestOfEndpoint}, refusals=(404,))
    def test_webhook(path: EndpointPath) -> Response:
        with _found(path.id):
            outcome = service.trial(gateway, path.id, caller().partner)
        return jsonify({"delivered": outcome.delivered, "status": outcome.status, "reason": outcome.reason})

    @routes.post("/webhooks/<id>/retry", Scope.WEBHOOKS, "Go on with a parked one", {200: EndpointOut}, refusals=(404,))
    def retry_webhook(path: EndpointPath) -> Response:
        with _found(path.id):
            row = service.retry(gateway, path.id, caller().partner)
        return jsonify(_shown(gateway, row))


def _shown(gateway: Gateway, row: WebhookEndpoint) -> dict[str, object]:
    with gateway.database.read() as view:
        return service.endpoint_json(view.session, row)


@contextmanager
def _found(endpoint_id: str) -> Iterator[None]:
    try:
        yield
    except service.UnknownEndpoint:
        raise not_found(_WEBHOOK, endpoint_id) from None
