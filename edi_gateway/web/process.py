"""The process of a gateway: database migrated, work started, HTTP served until it is told to stop.

Stopping goes from outside in: no new connection, the requests under way answered, the work under way finished, the
database closed. What waits stays in the tables for the next process.
"""

from __future__ import annotations

import threading
from collections.abc import Callable, Mapping, Sequence
from contextlib import AbstractContextManager, nullcontext
from datetime import timedelta
from functools import partial
from typing import Any, Protocol

import structlog
from flask import Blueprint

from edi_gateway import logs
from edi_gateway.config import Config
from edi_gateway.gateway.app import Gateway, open_gateway
from edi_gateway.gateway.keys import KeyStoreError
from edi_gateway.gateway.receive import refuse_oversized
from edi_gateway.gateway.tasks import RECURRING, TASKS, URGENCY
from edi_gateway.store import migrate
from edi_gateway.store.events import Happened
from edi_gateway.web.app import create_app
from edi_gateway.web.metrics import Metrics
from edi_gateway.web.server import Server, stopping_on_signals
from edi_gateway.work import Waker
from edi_gateway.work.embedded import EmbeddedWork, Task

_log = structlog.get_logger(__name__)

Begin = Callable[[Gateway], object]
GatewayTask = Callable[[Gateway, str], object]
Beside = Callable[[Gateway, Callable[[], None]], AbstractContextManager[object]]


class DatabaseBehind(Exception):
    """The database needs a migration that an operator has to start."""


def run(
    config: Config,
    *,
    handlers: Mapping[str, Any],
    blueprints: Callable[[Gateway], Sequence[Blueprint]] = lambda gateway: (),
    announce: Callable[[str], object] = print,
    begin: Begin = lambda gateway: None,
    with_work: bool = True,
    adapt: Callable[[Gateway], Gateway] = lambda gateway: gateway,
    tasks: Mapping[str, GatewayTask] = TASKS,
    beside: Beside = lambda gateway, stop: nullcontext(),
) -> None:
    """Run a gateway until SIGTERM or SIGINT; call it in the main thread.

    `handlers` makes the role, `blueprints` what the role shows over HTTP, `begin` is called before the first request,
    `announce` gets one line: where it listens. Without `with_work` the work is for `edi-gateway worker` elsewhere.
    `adapt` may give the gateway other parts before anything uses it, `tasks` is the work that it does, and `beside`
    goes on as long as it serves; it may stop it.
    """
    logs.configure(config.log_level)
    make_ready(config)
    work = runner(config)
    gateway = open_gateway(config, handlers=handlers, wake=work.wake)
    metrics = Metrics(gateway)
    gateway.database.hear = partial(_hear, metrics)
    try:
        _first_key(gateway)
        gateway = adapt(gateway)
        app = create_app(gateway, workers_alive=lambda: work.running, blueprints=blueprints(gateway), metrics=metrics)
        server = Server(
            app,
            host=config.host,
            port=config.port,
            threads=config.limits.web_threads,
            body_bytes_max=config.limits.body_bytes_max,
            oversized=partial(refuse_oversized, gateway),
        )
        begin(gateway)
        if with_work:
            start_work(work, gateway, metrics, tasks)
        with stopping_on_signals(server.stop):
            announce(f"edi-gateway listens on {server.url} (AS2: {server.url}/as2)")
            with beside(gateway, server.stop):
                server.run()
    finally:
        work.close()
        gateway.close()


def _hear(metrics: Metrics, happened: Happened) -> None:
    logs.happened(happened)
    metrics.hear(happened)


class Work(Waker, Protocol):
    """A runner: it wakes, and once started it works."""

    @property
    def running(self) -> bool: ...

    def start(self, tasks: Mapping[str, Task], every: Mapping[str, timedelta]) -> None: ...

    def close(self) -> None: ...


def runner(config: Config, *, threads: int | None = None, queues: Sequence[str] = ()) -> Work:
    """The runner that the configuration names; one for many machines needs the extra `pg`."""
    threads = threads or config.work.threads
    if not config.work_is_distributed:
        return EmbeddedWork(threads)
    from edi_gateway.work.distributed import DistributedWork, Heart

    stalled = timedelta(seconds=config.work.stalled_seconds)
    heart = Heart(beat=min(stalled / 3, timedelta(seconds=5)), stalled_after=stalled)
    return DistributedWork(config.database_url, threads, URGENCY, queues=queues, heart=heart)


def start_work(work: Work, gateway: Gateway, metrics: Metrics, tasks: Mapping[str, GatewayTask] = TASKS) -> None:
    """Let it work for this gateway, at once and at intervals."""
    bound = {name: metrics.timed(name, partial(task, gateway)) for name, task in tasks.items()}
    work.start(bound, {name: every(gateway.config) for name, every in RECURRING.items()})


def work_until_stopped(
    config: Config,
    *,
    handlers: Mapping[str, Any],
    threads: int | None = None,
    queues: Sequence[str] = (),
    announce: Callable[[str], object] = print,
) -> None:
    """Work without serving HTTP, until SIGTERM or SIGINT; what is under way then comes to its end."""
    logs.configure(config.log_level)
    make_ready(config)
    work = runner(config, threads=threads, queues=queues)
    gateway = open_gateway(config, handlers=handlers, wake=work.wake)
    metrics = Metrics(gateway)
    gateway.database.hear = partial(_hear, metrics)
    stop = threading.Event()
    try:
        with stopping_on_signals(stop.set):
            _first_key(gateway)
            start_work(work, gateway, metrics)
            announce("edi-gateway works")
            while not stop.wait(1):
                pass  # a signal is heard between two waits
    finally:
        work.close()
        gateway.close()


def make_ready(config: Config) -> None:
    """The schema of this version. A database file of our own is migrated; a server's is the operator's decision."""
    config.data_dir.mkdir(parents=True, exist_ok=True, mode=0o700)
    if not config.is_on_server:
        migrate.upgrade(config.database_url)
        return
    present, needed = migrate.state(config.database_url)
    if present is not None and present > needed:
        _log.warning("the database is newer than this version, which may work on for now", at=present, needed=needed)
    elif present != needed:
        raise DatabaseBehind(f"the database is at {present or 'nothing'}, not {needed}: run `edi-gateway db upgrade`")


def _first_key(gateway: Gateway) -> None:
    """Without a key no receipt can be signed. A new installation makes one; one of several nodes does not, for each
    would sign with a key of its own."""
    if gateway.keys.dated():
        return
    if gateway.config.is_on_server:
        folder = gateway.config.data_dir / "keys"
        raise KeyStoreError(
            f"{folder} holds no key: copy that of another node, or run `edi-gateway keys generate` once"
        )
    own = gateway.keys.generate(gateway.config.identity.as2_id, now=gateway.now())
    _log.info("made our first key", key=own.name, certificate=own.certificate.fingerprint)
