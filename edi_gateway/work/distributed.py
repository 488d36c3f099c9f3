"""The runner of many machines: Procrastinate on the PostgreSQL that holds the tables.

A wake-up is a job with a queueing lock of its task and key, so that what waits already is not queued twice, wherever it
was asked for. Every process that works (`edi-gateway worker`, or `serve`, which brings its own) takes jobs, the urgent
ones first, and beats its heart; the jobs of one that died are found by their age and woken anew by the others.

Wake-ups are handed over by a thread of their own: who commits does not wait for the queue, nor fail with it. One that
is lost so (the process dies, the queue refuses) costs a delay: the sweep finds what waits in the tables.

Procrastinate's own locks are not used: they would keep a partner waiting for the job of a dead host. Order and limits
stand in the tables, where `gateway.dispatch` and `gateway.unpack` keep them under any runner.
"""

from __future__ import annotations

import asyncio
import queue
import threading
from collections.abc import Callable, Iterable, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta

import structlog
from apscheduler.schedulers.background import BackgroundScheduler
from procrastinate import App, PsycopgConnector, SyncPsycopgConnector
from procrastinate.exceptions import AlreadyEnqueued, ConnectorException
from procrastinate.jobs import Job, Status
from procrastinate.worker import Worker
from sqlalchemy.engine import make_url

from edi_gateway.work.embedded import FIRST_KEY, WAITING_MAX, Task

CLOSE_SECONDS_MAX = 20.0
"""How long a stopping process waits for its last wake-ups to be written."""

_HEARING_SECONDS = 0.2

_log = structlog.get_logger(__name__)


@dataclass(frozen=True, slots=True)
class Heart:
    """How the death of a host is noticed: no beat for `stalled_after`."""

    beat: timedelta = timedelta(seconds=5)
    stalled_after: timedelta = timedelta(seconds=30)


@dataclass(frozen=True, slots=True)
class _Wake:
    task: str
    key: str
    at: datetime | None

    @property
    def queueing_lock(self) -> str:
        """One for what is to be done at once; for later, one a second."""
        return f"{self.task}:{self.key}" + (f"@{int(self.at.timestamp())}" if self.at else "")


class DistributedWork:
    """A `Waker`, and, once started, a worker with `threads` threads and the clock of what recurs.

    `url` is the SQLAlchemy URL of the database, `urgency` says which tasks come first (higher before lower).
    """

    def __init__(
        self,
        url: str,
        threads: int,
        urgency: Mapping[str, int],
        *,
        queues: Sequence[str] = (),
        heart: Heart = Heart(),
    ) -> None:
        self._conninfo = conninfo(url)
        self._threads = threads
        self._urgency = urgency
        self._queues = tuple(queues) or None
        self._heart = heart
        self._wakes: queue.SimpleQueue[_Wake | None] = queue.SimpleQueue()
        self._handing_over = threading.Thread(target=self._hand_over, name="wake", daemon=True)
        self._clock = BackgroundScheduler(timezone=UTC, job_defaults={"misfire_grace_time": None, "coalesce": True})
        self._working: threading.Thread | None = None
        self._worker: Worker | None = None
        self._stopping = threading.Event()  # no new work
        self._closing = threading.Event()  # no new wake-up either
        self._handing_over.start()

    # --- waking -----------------------------------------------------------------------------------------------------

    def wake(self, task: str, key: str, at: datetime | None = None) -> None:
        """Let some worker run `task` for `key` soon, or at `at`. Any thread; returns at once."""
        if not self._closing.is_set() and self._wakes.qsize() < WAITING_MAX:
            self._wakes.put(_Wake(task, key, at if at is not None and at > datetime.now(UTC) else None))

    def _hand_over(self) -> None:
        app = App(connector=SyncPsycopgConnector(conninfo=self._conninfo, min_size=0, max_size=1))
        with app.open():
            while (wake := self._wakes.get()) is not None:
                try:
                    self._defer(app, wake)
                except ConnectorException as error:
                    _log.warning("wake-up lost; the sweep finds it", task=wake.task, key=wake.key, error=str(error))

    def _defer(self, app: App, wake: _Wake) -> None:
        job = app.configure_task(
            wake.task,
            queue=wake.task,
            priority=self._urgency.get(wake.task, 0),
            queueing_lock=wake.queueing_lock,
            schedule_at=wake.at,
        )
        with suppress(AlreadyEnqueued):
            job.defer(key=wake.key)

    # --- working ----------------------------------------------------------------------------------------------------

    def start(self, tasks: Mapping[str, Task], every: Mapping[str, timedelta]) -> None:
        """Begin to work: `tasks` by name, and those of `every` also at an interval (and at once)."""
        for task, interval in every.items():
            self._clock.add_job(self.wake, "interval", (task, ""), seconds=interval.total_seconds())
            self.wake(task, FIRST_KEY)
        self._clock.start()
        self._working = threading.Thread(target=lambda: asyncio.run(self._work(tasks)), name="work")
        self._working.start()

    async def _work(self, tasks: Mapping[str, Task]) -> None:
        """Take jobs until `close`; after a fault of the database, again."""
        with ThreadPoolExecutor(self._threads, thread_name_prefix="work") as threads:
            asyncio.get_running_loop().set_default_executor(threads)
            while not self._stopping.is_set():
                try:
                    await self._work_once(tasks)
                except ConnectorException as error:
                    _log.warning("no work: the database does not answer", error=str(error))
                    await asyncio.sleep(self._heart.beat.total_seconds())

    async def _work_once(self, tasks: Mapping[str, Task]) -> None:
        connector = PsycopgConnector(conninfo=self._conninfo, min_size=1, max_size=self._threads + 2)
        app = App(connector=connector)
        for name, task in tasks.items():
            app.task(name=name, queue=name)(_bounded(name, task))
        async with app.open_async():
            self._worker = Worker(
                app,
                queues=self._queues,
                concurrency=self._threads,
                fetch_job_polling_interval=self._heart.beat.total_seconds(),
                delete_jobs="always",
                install_signal_handlers=False,
                update_heartbeat_interval=self._heart.beat.total_seconds(),
                stalled_worker_timeout=self._heart.stalled_after.total_seconds(),
            )
            recovering = asyncio.create_task(self._recover(app))
            try:
                if not self._stopping.is_set():
                    await self._worker.run()  # type: ignore[no-untyped-call]  # without annotations there
            finally:
                recovering.cancel()

    async def _recover(self, app: App) -> None:
        """Again and again: end the jobs of workers whose heart stopped, and wake for what they were about."""
        while True:
            try:
                await self._recover_once(app)
            except ConnectorException as error:
                _log.warning("stalled jobs cannot be looked for", error=str(error))
            await asyncio.sleep(self._heart.beat.total_seconds())

    async def _recover_once(self, app: App) -> None:
        seconds = self._heart.stalled_after.total_seconds()
        stalled: Iterable[Job] = await app.job_manager.get_stalled_jobs(seconds_since_heartbeat=seconds)
        for job in stalled:
            with suppress(ConnectorException):  # another worker was faster
                await app.job_manager.finish_job(job, Status.FAILED, delete_job=True)
                _log.warning("the worker of a job is gone", task=job.task_name, key=job.task_kwargs.get("key"))
            self.wake(job.task_name, str(job.task_kwargs.get("key", "")))

    @property
    def running(self) -> bool:
        """Whether it takes work, for the readiness check. One that only wakes depends on the workers elsewhere."""
        if self._working is None:
            return self._handing_over.is_alive() and not self._closing.is_set()
        return self._working.is_alive() and not self._stopping.is_set()

    def close(self) -> None:
        """Let what runs come to its end; what waits is for the other workers. What they woke goes out before."""
        if self._clock.running:
            # Stopped while it rings, the clock of APScheduler 3.11 fails in its thread: pause it, wait for the ringing.
            self._clock.pause()
            self._clock.get_jobs()
            self._clock.shutdown(wait=True)
        if self._working is not None:
            self._end_worker(self._working)
        self._closing.set()
        self._wakes.put(None)
        self._handing_over.join(CLOSE_SECONDS_MAX)

    def _end_worker(self, working: threading.Thread) -> None:
        """Until it has ended: it may be between two beginnings, where it does not hear."""
        self._stopping.set()
        while working.is_alive():
            if self._worker is not None:
                self._worker.stop()  # type: ignore[no-untyped-call]  # likewise
            working.join(_HEARING_SECONDS)


def _bounded(name: str, task: Task) -> Callable[..., None]:
    def run(key: str) -> None:
        try:
            task(key)
        except Exception:  # noqa: BLE001 - the boundary: one item's failure must not take the runner with it
            _log.exception("work failed", task=name, key=key)

    return run


def conninfo(url: str) -> str:
    """The URL as PostgreSQL's own library reads it."""
    return make_url(url).set(drivername="postgresql").render_as_string(hide_password=False)
