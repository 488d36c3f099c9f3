"""Answers that say no: one shape for all of them.

{"error": "invalid", "message": "…", "errors": [{"path": "order/lines/0/quantity", "code": "Q702", "message": "…"}]}
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from flask import Response, jsonify
from pydantic import BaseModel, Field, ValidationError

from edi_gateway.edifact.findings import Finding

ERRORS_MAX = 100
"""How many errors one answer lists."""


class ErrorEntry(BaseModel):
    """One error: where in the request, which rule, what is wrong, what to do."""

    path: str
    code: str
    message: str
    hint: str = ""


class ErrorAnswer(BaseModel):
    """Why a request was refused."""

    error: str = Field(description="unauthorised, not_found, conflict, invalid, too_large, unavailable")
    message: str
    errors: list[ErrorEntry] = []


class ApiRefusal(Exception):
    """A request that is refused: the status and the answer."""

    def __init__(self, status: int, error: str, message: str, errors: Sequence[ErrorEntry] = ()) -> None:
        super().__init__(message)
        self.status = status
        self.answer = ErrorAnswer(error=error, message=message, errors=list(errors)[:ERRORS_MAX])


def refusal_response(refusal: ApiRefusal) -> Response:
    response = jsonify(refusal.answer.model_dump())
    response.status_code = refusal.status
    if refusal.status == 401:
        response.headers["WWW-Authenticate"] = 'Bearer realm="edi-gateway"'
    return response


def not_found(what: str) -> ApiRefusal:
    return ApiRefusal(404, "not_found", what)


def conflict(why: str) -> ApiRefusal:
    return ApiRefusal(409, "conflict", why)


def invalid(errors: Sequence[ErrorEntry]) -> ApiRefusal:
    return ApiRefusal(422, "invalid", f"the request has {len(errors)} error{'s' if len(errors) > 1 else ''}", errors)


def invalid_model(error: ValidationError) -> ApiRefusal:
    """Every fault that pydantic found, with its path; the values stay out of the answer."""
    found = error.errors(include_url=False, include_context=False, include_input=False)
    return invalid([ErrorEntry(path=_path(entry["loc"]), code=entry["type"], message=entry["msg"]) for entry in found])


def invalid_record(findings: Sequence[Finding], prefix: str) -> ApiRefusal:
    """Every finding of the record's rules; `prefix` is where the record stands in the request."""
    return invalid(
        [
            ErrorEntry(
                path=f"{prefix}/{_slashed(finding.path)}" if finding.path else prefix,
                code=finding.code,
                message=finding.text(),
                hint=finding.hint(),
            )
            for finding in findings
        ]
    )


def _path(location: Sequence[Any]) -> str:
    return "/".join(str(part) for part in location)


def _slashed(path: str) -> str:
    """``lines[2]/quantity`` as ``lines/2/quantity``."""
    return path.replace("[", "/").replace("]", "")
