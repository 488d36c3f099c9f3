"""Answers that say no: problem details (RFC 9457), one shape for all of them.

{"type": "…/docs/api.md#invalid", "title": "The request has errors", "status": 422, "error": "invalid", "detail": "…",
 "errors": [{"path": "order/lines/0/quantity", "code": "Q702", "message": "…", "hint": "…"}]}
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from flask import Response, jsonify
from pydantic import BaseModel, ConfigDict, Field, ValidationError

from edi_gateway.edifact.findings import Finding
from edi_gateway.web.api import texts
from edi_gateway.web.api.texts import Filled, Text, language

ERRORS_MAX = 100
"""How many errors one answer lists."""

PROBLEM_TYPE = "application/problem+json"
_TYPE = "urn:edi-gateway:problem:"


class ErrorEntry(BaseModel):
    """One error: where in the request, which rule, what is wrong, what to do."""

    path: str = Field(description="place in the request, such as order/lines/0/quantity; of a sheet: row 3, quantity")
    code: str
    message: str
    hint: str = ""


class Problem(BaseModel):
    """Why a request was refused (RFC 9457)."""

    model_config = ConfigDict(
        json_schema_extra={
            "examples": [
                {
                    "type": "urn:edi-gateway:problem:invalid",
                    "title": "The request has errors",
                    "status": 422,
                    "error": "invalid",
                    "detail": "1 error(s); see errors",
                    "errors": [
                        {
                            "path": "order/lines/0/quantity",
                            "code": "Q702",
                            "message": "The quantity 0 is not greater than zero",
                            "hint": "Leave the line out, or send its quantity",
                        }
                    ],
                }
            ]
        }
    )

    type: str
    title: str
    status: int
    error: str = Field(description="the last part of `type`: what programs decide by")
    detail: str
    errors: list[ErrorEntry] = []


class ApiRefusal(Exception):
    """A request that is refused: the status, and why."""

    def __init__(
        self,
        status: int,
        detail: Text | Filled | str,
        errors: Sequence[ErrorEntry] = (),
        headers: Mapping[str, str] | None = None,
    ) -> None:
        super().__init__(str(detail))
        self.status = status
        self.detail = detail
        self.errors = list(errors)[:ERRORS_MAX]
        self.headers = dict(headers or {})

    def problem(self) -> Problem:
        """The answer, in the client's language."""
        code, title = texts.TITLES.get(self.status, texts.TITLES[500])
        detail = self.detail if isinstance(self.detail, str) else self.detail.said(language())
        return Problem(
            type=_TYPE + code,
            title=title.said(language()),
            status=self.status,
            error=code,
            detail=detail,
            errors=self.errors,
        )


def refusal_response(refusal: ApiRefusal) -> Response:
    response = jsonify(refusal.problem().model_dump())
    response.status_code = refusal.status
    response.mimetype = PROBLEM_TYPE
    response.headers.update(refusal.headers)
    response.headers["Content-Language"] = language()
    if refusal.status == 401:
        response.headers["WWW-Authenticate"] = 'Bearer realm="edi-gateway"'
    return response


def not_found(what: Text, name: str) -> ApiRefusal:
    return ApiRefusal(404, Filled(texts.NOTHING_THERE, {"what": what.said(language()), "name": name}))


def conflict(why: str | Text | Filled) -> ApiRefusal:
    return ApiRefusal(409, why)


def invalid(errors: Sequence[ErrorEntry]) -> ApiRefusal:
    return ApiRefusal(422, Filled(texts.ERRORS, {"count": len(errors)}), errors)


def fault(path: str, code: str, text: Text | Filled) -> ErrorEntry:
    """One error of ours, in the client's language."""
    return ErrorEntry(path=path, code=code, message=text.said(language()))


def invalid_model(error: ValidationError) -> ApiRefusal:
    """Every fault that pydantic found, with its path; the values stay out of the answer."""
    found = error.errors(include_url=False, include_input=False)
    return invalid(
        [
            ErrorEntry(
                path=_path(entry["loc"]),
                code=entry["type"],
                message=texts.fault(entry["type"], entry["msg"], entry.get("ctx", {})),
            )
            for entry in found
        ]
    )


def invalid_record(findings: Sequence[Finding], prefix: str) -> ApiRefusal:
    """Every finding of the record's rules; `prefix` is where the record stands in the request."""
    return invalid([entry_of(finding, f"{prefix}/{_slashed(finding.path or '')}".strip("/")) for finding in findings])


def entry_of(finding: Finding, path: str) -> ErrorEntry:
    """A finding as an error of the request."""
    said = language()
    return ErrorEntry(path=path, code=finding.code, message=finding.text(said), hint=finding.hint(said))


def _path(location: Sequence[Any]) -> str:
    return "/".join(str(part) for part in location)


def _slashed(path: str) -> str:
    """``lines[2]/quantity`` as ``lines/2/quantity``."""
    return path.replace("[", "/").replace("]", "")
