"""`/healthz`: the process answers. `/readyz`: it can do its job: database, payload store, workers."""

from __future__ import annotations

from collections.abc import Callable, Mapping

import structlog
from flask import Blueprint, Response, jsonify
from sqlalchemy.exc import SQLAlchemyError

from edi_gateway.gateway.app import Gateway

_log = structlog.get_logger(__name__)


def blueprint(gateway: Gateway, workers_alive: Callable[[], bool]) -> Blueprint:
    """The routes of health."""
    routes = Blueprint("health", __name__)
    checks: Mapping[str, Callable[[], bool]] = {
        "database": gateway.database.answers,
        "payloads": gateway.payloads.answers,
        "workers": workers_alive,
    }

    @routes.get("/healthz")
    def healthz() -> Response:
        return jsonify(status="ok")

    @routes.get("/readyz")
    def readyz() -> tuple[Response, int]:
        found = {name: _holds(name, check) for name, check in checks.items()}
        ready = all(found.values())
        return jsonify(ready=ready, checks=found), 200 if ready else 503

    return routes


def _holds(name: str, check: Callable[[], bool]) -> bool:
    try:
        return check()
    except (OSError, SQLAlchemyError) as error:
        _log.warning("not ready", check=name, error=str(error))
        return False
