"""The application: AS2 in front, then Flask with health and API. One error handler, so that no view has a `try`."""

from __future__ import annotations

from collections.abc import Callable, Sequence

import structlog
from flask import Blueprint, Flask, Response
from werkzeug.exceptions import HTTPException

from edi_gateway.gateway.app import Gateway
from edi_gateway.gateway.receive import HttpAnswer
from edi_gateway.web import as2, health
from edi_gateway.web import metrics as numbers
from edi_gateway.web.metrics import Metrics

RETRY_AFTER_SECONDS = 60

_log = structlog.get_logger(__name__)


def create_app(
    gateway: Gateway,
    *,
    workers_alive: Callable[[], bool] = lambda: True,
    blueprints: Sequence[Blueprint] = (),
    metrics: Metrics | None = None,
) -> Flask:
    """The application of one gateway; `blueprints` adds what the role of this gateway needs more."""
    metrics = metrics or Metrics(gateway)
    app = Flask(__name__, static_folder=None)
    for routes in (
        as2.blueprint(),
        health.blueprint(gateway, workers_alive),
        numbers.blueprint(gateway, metrics),
        *blueprints,
    ):
        app.register_blueprint(routes)
    app.register_error_handler(Exception, _answer_error)
    # Flask's own way to put something in front of it
    app.wsgi_app = metrics.in_front_of(as2.in_front_of(app.wsgi_app, gateway, _failed))  # type: ignore[method-assign, assignment]
    return app


def _answer_error(error: Exception) -> Response | HTTPException:
    """A refusal of HTTP itself stays what it is; anything else is our fault."""
    if isinstance(error, HTTPException):
        return error
    answer = _failed(error)
    return Response(answer.body, answer.status, dict(answer.headers))


def _failed(error: Exception) -> HttpAnswer:
    """Our fault: 503, so that the sender tries again.

    Nothing was promised at that point: an MDN leaves only after its commit.
    """
    if isinstance(error, HTTPException):  # a body that breaks off
        return HttpAnswer(error.code or 400, _TEXT, f"{error.description}\n".encode())
    _log.error("request failed", exc_info=error)
    headers = (("Retry-After", str(RETRY_AFTER_SECONDS)), *_TEXT)
    return HttpAnswer(503, headers, b"The gateway cannot take this now. Nothing was kept; please send it again.\n")


_TEXT = (("Content-Type", "text/plain; charset=utf-8"),)
