"""The OpenAPI 3.1 document, made from the routes: every status, its schema, its headers and examples."""

from __future__ import annotations

from collections.abc import Sequence
from http import HTTPStatus
from typing import Any

from flask_openapi3.blueprint import APIBlueprint
from flask_openapi3.models import Info
from flask_openapi3.openapi import OpenAPI

from edi_gateway.gateway.tokens import ROLES
from edi_gateway.web.api.errors import PROBLEM_TYPE, ErrorEntry, Problem
from edi_gateway.web.api.routes import ALWAYS, Form, Operation

TITLE = "EDI gateway"
VERSION = "1"
SCHEME = "token"
_SUMMARY = """Orders, and what EDI made of them. docs/api.md says how paging, ETags, idempotency and webhooks work.

A token is shown as `Authorization: Bearer …`; `x-scope` of an operation is what its role needs. Errors are problem
details (RFC 9457), in the language of Accept-Language (en, fr)."""
_REFERENCE = "#/components/schemas/"
_ETAG = {"ETag": {"description": "the version", "schema": {"type": "string"}}}
_LANGUAGE = {
    "name": "Accept-Language",
    "in": "header",
    "description": "language of the texts: en or fr",
    "schema": {"type": "string"},
    "example": "fr",
}
_IF_NONE_MATCH = {
    "name": "If-None-Match",
    "in": "header",
    "description": "the ETag of what you have: 304 where it is still the same",
    "schema": {"type": "string"},
}
_IF_MATCH = {
    "name": "If-Match",
    "in": "header",
    "description": "the ETag of GET on the order: 412 where it has changed meanwhile",
    "schema": {"type": "string"},
}


def describe(api: APIBlueprint, prefix: str, operations: Sequence[Operation]) -> dict[str, Any]:
    """The document. Made once, by an application that serves nothing."""
    application = OpenAPI(
        __name__,
        info=Info(title=TITLE, version=VERSION, description=_SUMMARY),
        security_schemes={SCHEME: {"type": "http", "scheme": "bearer", "description": _roles()}},
        doc_ui=False,
        validation_error_model=Problem,
    )
    application.paths.update(api.paths)
    application.components_schemas.update(api.components_schemas)
    application.tags.extend(api.tags)
    document: dict[str, Any] = application.api_doc
    document["openapi"] = "3.1.0"
    schemas = document["components"]["schemas"]
    schemas[ErrorEntry.__name__] = ErrorEntry.model_json_schema()
    schemas[Problem.__name__] = Problem.model_json_schema(ref_template=_REFERENCE + "{model}")
    schemas[Problem.__name__].pop("$defs", None)
    for operation in operations:
        _complete(document["paths"][prefix + _templated(operation.path)][operation.method], operation)
    return document


def _roles() -> str:
    lines = [f"{role.value}: {', '.join(sorted(scope.value for scope in scopes))}" for role, scopes in ROLES.items()]
    return "The scopes of each role. " + "; ".join(lines)


def _templated(path: str) -> str:
    """``/orders/<number>`` as ``/orders/{number}``."""
    parts = path.replace(">", "<").split("<")
    return "".join("{" + part.rpartition(":")[2] + "}" if index % 2 else part for index, part in enumerate(parts))


def _complete(described: dict[str, Any], operation: Operation) -> None:
    described["x-scope"] = operation.scope.value
    described["security"] = [{SCHEME: []}]
    responses = described["responses"]
    for status in [status for status in responses if not 200 <= int(status) < 300]:
        del responses[status]
    parameters = described.setdefault("parameters", [])
    parameters.append(_LANGUAGE)
    if operation.method == "get":
        parameters.append(_IF_NONE_MATCH)
        responses["304"] = {"description": "You have it already", "headers": _ETAG}
        responses["200"]["headers"] = _ETAG
    if operation.is_conditional:
        parameters.append(_IF_MATCH)
    for form in operation.gives:
        responses["200"].setdefault("content", {})[form.content_type] = _media(form)
    if operation.takes:
        content = {form.content_type: _media(form) for form in operation.takes}
        described["requestBody"] = {"required": True, "content": content}
    for status in sorted({*ALWAYS, *operation.refusals}):
        responses[str(status)] = _refusal(status)


def _media(form: Form) -> dict[str, Any]:
    schema: dict[str, Any] = {"type": "string"}
    if form.description:
        schema["description"] = form.description
    return {"schema": schema}


def _refusal(status: int) -> dict[str, Any]:
    headers = {"WWW-Authenticate": {"schema": {"type": "string"}}} if status == 401 else {}
    answer = {
        "description": HTTPStatus(status).phrase,
        "content": {PROBLEM_TYPE: {"schema": {"$ref": _REFERENCE + Problem.__name__}}},
    }
    return {**answer, "headers": headers} if headers else answer
