"""The runner of one machine: APScheduler in the process of the server.

A wake-up for what is already waiting is the same wake-up (a job has the id `task:key`). A wake-up for what is running
makes it run once more afterwards, because the run may have looked before the new item was committed. Nothing here is
kept: when the process dies, the sweep of the next one finds what waits.
"""

from __future__ import annotations

import threading
from collections.abc import Callable, Mapping
from datetime import UTC, datetime, timedelta

import structlog
from apscheduler.executors.pool import ThreadPoolExecutor
from apscheduler.schedulers.background import BackgroundScheduler

Task = Callable[[str], object]  # takes the key
WAITING_MAX = 20_000  # wake-ups kept in memory; beyond it they are left to the sweep

_log = structlog.get_logger(__name__)


class EmbeddedWork:
    """A `Waker` and the threads that do the work. Wake-ups before `start` are kept."""

    def __init__(self, threads: int) -> None:
        self._tasks: Mapping[str, Task] = {}
        self._lock = threading.Lock()
        self._waiting: set[tuple[str, str]] = set()
        self._running: set[tuple[str, str]] = set()
        self._again: set[tuple[str, str]] = set()
        self._closing = False
        # One instance a key is our own rule (`_running`): the scheduler's would drop the second wake-up.
        self._scheduler = BackgroundScheduler(
            timezone=UTC,
            executors={"default": ThreadPoolExecutor(threads)},
            job_defaults={"max_instances": 2**31, "misfire_grace_time": None, "coalesce": True},
        )

    def start(self, tasks: Mapping[str, Task], every: Mapping[str, timedelta]) -> None:
        """Begin: `tasks` by name, and those of `every` also at an interval (and at once), with the key ""."""
        self._tasks = tasks
        for task, interval in every.items():
            self._scheduler.add_job(self.wake, "interval", (task, ""), seconds=interval.total_seconds())
            self.wake(task, "")
        self._scheduler.start()

    def wake(self, task: str, key: str, at: datetime | None = None) -> None:
        """Run `task` for `key` now, or at `at`. Any thread; returns at once."""
        item = (task, key)
        with self._lock:
            if self._closing:
                return
            if at is not None and at > datetime.now(UTC):
                self._later(item, at)
            elif item in self._running:
                self._again.add(item)
            elif item not in self._waiting and len(self._waiting) < WAITING_MAX:
                self._waiting.add(item)
                self._scheduler.add_job(self._run, args=item)

    def _later(self, item: tuple[str, str], at: datetime) -> None:
        """A job at `at`, unless one comes earlier."""
        job_id = ":".join(item)
        job = self._scheduler.get_job(job_id)
        if job is None or job.next_run_time is None or at < job.next_run_time:
            self._scheduler.add_job(self.wake, "date", item, run_date=at, id=job_id, replace_existing=True)

    def _run(self, task: str, key: str) -> None:
        item = (task, key)
        with self._lock:
            self._waiting.discard(item)
            if self._closing:
                return
            if item in self._running:
                self._again.add(item)
                return
            self._running.add(item)
        try:
            self._tasks[task](key)
        except Exception:  # noqa: BLE001 - the boundary: one item's failure must not take the runner with it
            _log.exception("work failed", task=task, key=key)
        finally:
            with self._lock:
                self._running.discard(item)
                again = item in self._again
                self._again.discard(item)
            if again:
                self.wake(task, key)

    @property
    def running(self) -> bool:
        """Whether the scheduler is alive, for the readiness check."""
        return bool(self._scheduler.running) and not self._closing

    def close(self) -> None:
        """Let what runs come to its end; what waits stays in the tables."""
        with self._lock:
            self._closing = True
        if self._scheduler.running:
            self._scheduler.shutdown(wait=True)
