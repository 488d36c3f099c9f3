"""`GET /metrics`: how the gateway stands and how long things take, in the text format of Prometheus.

Whoever asks shows a token whose role may read metrics (`edi-gateway tokens create prometheus --role monitor`).
Counters and times are those of this process; what waits is read from the tables, which all processes share.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Iterable, Iterator, Mapping
from importlib.metadata import version
from typing import TYPE_CHECKING

import structlog
from flask import Blueprint, Response, request
from prometheus_client import CONTENT_TYPE_LATEST, CollectorRegistry, Counter, Histogram, generate_latest
from prometheus_client.core import GaugeMetricFamily, Metric
from prometheus_client.registry import Collector
from sqlalchemy.exc import SQLAlchemyError

from edi_gateway.gateway import tokens
from edi_gateway.gateway.app import Gateway
from edi_gateway.gateway.tokens import Scope
from edi_gateway.gateway.vital_signs import VitalSigns, vital_signs
from edi_gateway.store.events import Happened

if TYPE_CHECKING:
    from _typeshed.wsgi import StartResponse, WSGIApplication, WSGIEnvironment

SECONDS = (0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0, 10.0, 30.0, 60.0, 300.0)
"""Upper bounds of the buckets, from a small POST to a partner who answers at the last moment."""

AREAS = ("as2", "api", "healthz", "readyz", "metrics")
"""The first step of a path, as a label; every other one is `other`, or strangers would make the labels."""

_log = structlog.get_logger(__name__)

Task = Callable[[str], object]


class Metrics:
    """The numbers of one process."""

    def __init__(self, gateway: Gateway) -> None:
        self._registry = CollectorRegistry()
        self._events = Counter(
            "edi_gateway_events", "Events of the log, by kind and the state reached", ["kind", "to"],
            registry=self._registry,
        )  # fmt: skip
        self._requests = Histogram(
            "edi_gateway_request_seconds", "Time to answer a request", ["area", "status"],
            buckets=SECONDS, registry=self._registry,
        )  # fmt: skip
        self._stages = Histogram(
            "edi_gateway_stage_seconds", "Time of one piece of work", ["stage", "outcome"],
            buckets=SECONDS, registry=self._registry,
        )  # fmt: skip
        self._registry.register(_Standing(gateway))

    def hear(self, happened: Happened) -> None:
        """Count an event after its commit."""
        self._events.labels(happened.kind, happened.to_state or "").inc()

    def timed(self, stage: str, task: Task) -> Task:
        """The task, its time taken."""

        def run(key: str) -> object:
            began, outcome = time.perf_counter(), "failed"
            try:
                done = task(key)
                outcome = "done"
                return done
            finally:
                self._stages.labels(stage, outcome).observe(time.perf_counter() - began)

        return run

    def in_front_of(self, application: WSGIApplication) -> WSGIApplication:
        """The application, the time of its answers taken."""

        def serve(environ: WSGIEnvironment, start_response: StartResponse) -> Iterable[bytes]:
            began = time.perf_counter()

            def start(status: str, headers: list[tuple[str, str]], *more: object) -> object:
                taken = time.perf_counter() - began
                self._requests.labels(_area(environ), status[:3]).observe(taken)
                return start_response(status, headers, *more)  # type: ignore[arg-type]  # exc_info, if any

            return application(environ, start)  # type: ignore[arg-type]  # the same call, in front of it

        return serve

    def text(self) -> bytes:
        """Everything, as Prometheus reads it."""
        return generate_latest(self._registry)


def _area(environ: Mapping[str, object]) -> str:
    first = str(environ.get("PATH_INFO", "")).strip("/").partition("/")[0]
    return first if first in AREAS else "other"


def blueprint(gateway: Gateway, metrics: Metrics) -> Blueprint:
    """The route."""
    routes = Blueprint("metrics", __name__)

    @routes.get("/metrics")
    def shown() -> Response:
        scheme, _, token = request.headers.get("Authorization", "").partition(" ")
        caller = tokens.authenticate(gateway, token.strip()) if scheme.lower() == "bearer" and token.strip() else None
        if caller is None:
            return _refused(
                401, "Show a token: Authorization: Bearer …; `edi-gateway tokens create NAME --role monitor`"
            )
        if not caller.may(Scope.METRICS_READ):
            return _refused(403, f"The role {caller.role.value} may not read metrics; make a token with --role monitor")
        return Response(metrics.text(), content_type=CONTENT_TYPE_LATEST)

    return routes


def _refused(status: int, text: str) -> Response:
    return Response(f"{text}\n", status, {"WWW-Authenticate": 'Bearer realm="edi-gateway"'}, mimetype="text/plain")


class _Standing(Collector):
    """What is read from the tables when somebody asks."""

    def __init__(self, gateway: Gateway) -> None:
        self._gateway = gateway

    def describe(self) -> Iterable[Metric]:
        """None beforehand: asking would look into the database when the process starts."""
        return ()

    def collect(self) -> Iterator[Metric]:
        build = GaugeMetricFamily("edi_gateway_build_info", "The version that runs", labels=["version"])
        build.add_metric([version("edi-gateway")], 1)
        yield build
        up = GaugeMetricFamily("edi_gateway_database_up", "Whether the database answers")
        try:
            signs = vital_signs(self._gateway)
        except SQLAlchemyError as error:
            _log.error("the database does not answer", exc_info=error)
            up.add_metric([], 0)
            yield up
            return
        up.add_metric([], 1)
        yield up
        yield from _families(signs)


def _families(signs: VitalSigns) -> Iterator[Metric]:
    waiting = GaugeMetricFamily("edi_gateway_waiting", "Transmissions that wait, by what for", labels=["stage"])
    oldest = GaugeMetricFamily("edi_gateway_oldest_waiting_seconds", "Age of the oldest of them", labels=["stage"])
    for stage, queue in signs.queues.items():
        waiting.add_metric([stage], queue.count)
        age = (signs.at - queue.oldest).total_seconds() if queue.oldest else 0.0
        oldest.add_metric([stage], max(age, 0.0))
    yield waiting
    yield oldest
    messages = GaugeMetricFamily("edi_gateway_messages", "Messages that need or await something", labels=["state"])
    for state, count in signs.messages.items():
        messages.add_metric([state], count)
    yield messages
    overdue = GaugeMetricFamily("edi_gateway_overdue", "Deadlines that have passed")
    overdue.add_metric([], signs.overdue)
    yield overdue
    yield _certificates(signs)


def _certificates(signs: VitalSigns) -> Metric:
    days = GaugeMetricFamily(
        "edi_gateway_certificate_days_left", "Days until a certificate ends", labels=["owner", "fingerprint", "use"]
    )
    for each in signs.certificates:
        left = (each.certificate.not_after - signs.at).total_seconds() / 86400
        days.add_metric([each.subject, each.certificate.fingerprint[:16], each.purpose], round(left, 2))
    return days
