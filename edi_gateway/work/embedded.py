"""The runner of one machine: threads of the server's own process, and APScheduler as their clock.

A wake-up for what is already waiting is the same wake-up. A wake-up for what is running makes it run once more
afterwards, because the run may have looked before the new item was committed. Nothing here is kept: when the process
dies, the sweep of the next one finds what waits.
"""

from __future__ import annotations

import threading
from collections.abc import Callable, Mapping
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime, timedelta

import structlog
from apscheduler.schedulers.background import BackgroundScheduler

Task = Callable[[str], object]  # takes the key
Item = tuple[str, str]  # task and key
FIRST_KEY = "first"
"""The key of a recurring task when a process begins; afterwards it is ""."""
WAITING_MAX = 20_000  # wake-ups kept in memory; beyond it they are left to the sweep

_log = structlog.get_logger(__name__)


class EmbeddedWork:
    """A `Waker` and the threads that do the work. Wake-ups before `start` are kept."""

    def __init__(self, threads: int) -> None:
        self._tasks: Mapping[str, Task] = {}
        self._threads = ThreadPoolExecutor(threads, thread_name_prefix="work")
        self._clock = BackgroundScheduler(
            timezone=UTC, job_defaults={"max_instances": 10, "misfire_grace_time": None, "coalesce": True}
        )
        self._lock = threading.Lock()
        self._waiting: set[Item] = set()
        self._running: set[Item] = set()
        self._again: set[Item] = set()
        self._started = False
        self._closing = False

    def start(self, tasks: Mapping[str, Task], every: Mapping[str, timedelta]) -> None:
        """Begin: `tasks` by name, and those of `every` also at an interval (and at once)."""
        for task, interval in every.items():
            self._clock.add_job(self.wake, "interval", (task, ""), seconds=interval.total_seconds())
            self.wake(task, FIRST_KEY)
        self._clock.start()
        with self._lock:
            self._tasks, self._started = tasks, True
            for item in self._waiting:
                self._threads.submit(self._run, item)

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
                if self._started:
                    self._threads.submit(self._run, item)

    def _later(self, item: Item, at: datetime) -> None:
        """A job at `at`, unless there is one that comes earlier; one job for each item."""
        job_id = ":".join(item)
        job = self._clock.get_job(job_id)
        if job is None or job.trigger.run_date > at:
            self._clock.add_job(self.wake, "date", item, run_date=at, id=job_id, replace_existing=True)

    def _run(self, item: Item) -> None:
        with self._lock:
            self._waiting.discard(item)
            if self._closing:
                return
            self._running.add(item)
        task, key = item
        try:
            self._tasks[task](key)
        except Exception:  # noqa: BLE001 - the boundary: one item's failure must not take the runner with it
            _log.exception("work failed", task=task, key=key)
        finally:
            self._done(item)

    def _done(self, item: Item) -> None:
        with self._lock:
            self._running.discard(item)
            again = item in self._again
            self._again.discard(item)
        if again:
            self.wake(*item)

    @property
    def running(self) -> bool:
        """Whether it takes work, for the readiness check."""
        return self._started and bool(self._clock.running) and not self._closing

    def close(self) -> None:
        """Let what runs come to its end; what waits stays in the tables."""
        with self._lock:
            self._closing = True
        if self._clock.running:
            # Stopped while it rings, the clock of APScheduler 3.11 fails in its thread: pause it, wait for the ringing.
            self._clock.pause()
            self._clock.get_jobs()
            self._clock.shutdown(wait=True)
        self._threads.shutdown(wait=True, cancel_futures=True)
