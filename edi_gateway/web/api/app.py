"""The API put together: its routes, its guard, its errors, its description."""

from __future__ import annotations

from typing import Any

import structlog
from flask import Response, jsonify, request
from flask_openapi3.blueprint import APIBlueprint
from werkzeug.exceptions import HTTPException

from edi_gateway.gateway.app import Gateway
from edi_gateway.web.api import cycles, documents, orders, sheets, texts, webhooks
from edi_gateway.web.api.access import authenticate
from edi_gateway.web.api.description import SCHEME, describe
from edi_gateway.web.api.errors import ApiRefusal, refusal_response
from edi_gateway.web.api.routes import Routes
from edi_gateway.web.api.versions import conditional

PREFIX = "/api/v1"
DESCRIPTION = "/openapi.json"
SECURITY: list[dict[str, list[str]]] = [{SCHEME: []}]
RETRY_AFTER_SECONDS = 60


_log = structlog.get_logger(__name__)


def blueprint(gateway: Gateway) -> APIBlueprint:
    """The API of one gateway, to be registered on its Flask application."""
    api = APIBlueprint("api", __name__, url_prefix=PREFIX, abp_security=SECURITY, doc_ui=True)
    routes = Routes(api)
    for module in (orders, documents, cycles, webhooks, sheets):
        module.add_routes(routes, gateway)
    described: dict[str, Any] = describe(api, PREFIX, routes.operations)
    api.add_url_rule(DESCRIPTION, "description", lambda: jsonify(described))

    @api.before_request
    def guard() -> None:
        request.max_content_length = gateway.config.limits.api_body_bytes_max
        if request.endpoint != "api.description":
            authenticate(gateway)

    api.after_request(conditional)
    api.register_error_handler(ApiRefusal, refusal_response)
    api.register_error_handler(HTTPException, _http_error)
    api.register_error_handler(Exception, _our_fault)
    # A path that no route has, or a method that it does not take, belongs to no blueprint.
    api.app_errorhandler(HTTPException)(_http_error_by_path)
    return api


def _http_error(error: HTTPException) -> Response:
    """A refusal of the framework (405, 413) in the shape of all others."""
    headers = dict(error.get_response().headers) if error.code == 405 else {}
    allow = {"Allow": headers["Allow"]} if "Allow" in headers else {}
    return refusal_response(ApiRefusal(error.code or 500, error.description or error.name, headers=allow))


def _http_error_by_path(error: HTTPException) -> Response | HTTPException:
    return _http_error(error) if request.path.startswith(f"{PREFIX}/") else error


def _our_fault(error: Exception) -> Response:
    """What no check foresaw. Nothing was committed; the client may send the same again."""
    _log.error("request failed", exc_info=error)
    return refusal_response(ApiRefusal(503, texts.AGAIN, headers={"Retry-After": str(RETRY_AFTER_SECONDS)}))
