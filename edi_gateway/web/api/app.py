"""The API put together: its routes, its guard, its errors, its description."""

from __future__ import annotations

from typing import Any

import structlog
from flask import Response, jsonify, request
from flask_openapi3.blueprint import APIBlueprint
from flask_openapi3.models import Info
from flask_openapi3.openapi import OpenAPI
from werkzeug.exceptions import HTTPException

from edi_gateway.gateway.app import Gateway
from edi_gateway.web.api import cycles, documents, orders
from edi_gateway.web.api.access import require_token
from edi_gateway.web.api.errors import ApiRefusal, ErrorAnswer, refusal_response
from edi_gateway.web.api.models import Answer

PREFIX = "/api/v1"
DESCRIPTION = "/openapi.json"
SECURITY: list[dict[str, list[str]]] = [{"token": []}]
RETRY_AFTER_SECONDS = 60
_RESPONSES: dict[Any, Any] = {
    200: Answer,
    **dict.fromkeys((400, 401, 404, 409, 413, 415, 422, 503), ErrorAnswer),
}


_log = structlog.get_logger(__name__)


def blueprint(gateway: Gateway) -> APIBlueprint:
    """The API of one gateway, to be registered on its Flask application."""
    api = APIBlueprint("api", __name__, url_prefix=PREFIX, abp_security=SECURITY, abp_responses=_RESPONSES, doc_ui=True)
    for routes in (orders, documents, cycles):
        routes.add_routes(api, gateway)
    described = _description(api)
    api.add_url_rule(DESCRIPTION, "description", lambda: jsonify(described))

    @api.before_request
    def guard() -> None:
        request.max_content_length = gateway.config.limits.api_body_bytes_max
        if request.endpoint != "api.description":
            require_token(gateway.config)

    api.register_error_handler(ApiRefusal, refusal_response)
    api.register_error_handler(HTTPException, _http_error)
    api.register_error_handler(Exception, _our_fault)
    # A path that no route has, or a method that it does not take, belongs to no blueprint.
    api.app_errorhandler(HTTPException)(_http_error_by_path)
    return api


def _http_error(error: HTTPException) -> Response:
    """A refusal of the framework (405, 413) in the shape of all others."""
    status = error.code or 500
    name = (error.name or "error").lower().replace(" ", "_")
    return refusal_response(ApiRefusal(status, name, error.description or name))


def _http_error_by_path(error: HTTPException) -> Response | HTTPException:
    return _http_error(error) if request.path.startswith(f"{PREFIX}/") else error


def _our_fault(error: Exception) -> Response:
    """What no check foresaw. Nothing was committed; the client may send the same again."""
    _log.error("request failed", exc_info=error)
    response = refusal_response(ApiRefusal(503, "unavailable", "this cannot be done now; please send it again"))
    response.headers["Retry-After"] = str(RETRY_AFTER_SECONDS)
    return response


def _description(api: APIBlueprint) -> dict[str, Any]:
    """The OpenAPI document. Made once, by an application that serves nothing."""
    described = OpenAPI(
        __name__,
        info=Info(title="EDI gateway", version="1", description="Orders, and what EDI made of them"),
        security_schemes={"token": {"type": "http", "scheme": "bearer"}},
        doc_ui=False,
        validation_error_model=ErrorAnswer,
    )
    described.paths.update(api.paths)
    described.components_schemas.update(api.components_schemas)
    described.tags.extend(api.tags)
    document: dict[str, Any] = described.api_doc
    return document
