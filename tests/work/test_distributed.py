"""The runner of many machines: wake-ups that are the same wait once, urgent ones go first, the dead are replaced."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from sqlalchemy import create_engine, text
from sqlalchemy.pool import NullPool

from edi_gateway.work.distributed import DistributedWork, Heart
from tests.databases import Postgresql

SECONDS_MAX = 20.0
SOON = Heart(beat=timedelta(seconds=0.3), stalled_after=timedelta(seconds=1))


def until(condition: Callable[[], bool]) -> None:
    ends = time.monotonic() + SECONDS_MAX
    while not condition():
        assert time.monotonic() < ends, "it did not happen"
        time.sleep(0.02)


class Bench:
    """Runners on one database, and what they ran."""

    def __init__(self, url: str) -> None:
        self.url = url
        self.ran: list[str] = []
        self.runners: list[DistributedWork] = []

    def runner(self, threads: int = 1) -> DistributedWork:
        found = DistributedWork(self.url, threads, {"urgent": 10}, heart=SOON)
        self.runners.append(found)
        return found

    def start(self, work: DistributedWork, every: dict[str, timedelta] | None = None) -> None:
        work.start(dict.fromkeys(("task", "urgent"), self.ran.append), every or {})

    def execute(self, statement: str) -> int:
        engine = create_engine(self.url, poolclass=NullPool, isolation_level="AUTOCOMMIT")
        with engine.connect() as connection:
            found = connection.execute(text(statement))
            return int(found.scalar_one()) if found.returns_rows else 0

    def waiting(self) -> int:
        return self.execute("SELECT count(*) FROM procrastinate_jobs WHERE status = 'todo'")


@pytest.fixture
def bench(tmp_path: Path, postgresql: Postgresql) -> Iterator[Bench]:
    bench = Bench(postgresql.database(str(tmp_path)))
    yield bench
    for runner in bench.runners:
        runner.close()


def test_what_waits_waits_once_whoever_asks(bench: Bench) -> None:
    one, other = bench.runner(), bench.runner()
    for key in "aabab":
        one.wake("task", key)
        other.wake("task", key)
    until(lambda: bench.waiting() == 2)
    bench.start(other)
    until(lambda: sorted(bench.ran) == ["a", "b"])
    other.wake("task", "a")
    until(lambda: sorted(bench.ran) == ["a", "a", "b"])
    until(lambda: bench.waiting() == 0)


def test_urgent_work_goes_first_and_later_work_later(bench: Bench) -> None:
    work = bench.runner()
    work.wake("task", "later", datetime.now(UTC) + timedelta(seconds=2))
    for key in "abc":
        work.wake("task", key)
    work.wake("urgent", "first")
    until(lambda: bench.waiting() == 5)
    bench.start(work)
    until(lambda: len(bench.ran) == 5)
    assert bench.ran == ["first", "a", "b", "c", "later"]


def test_a_failure_stops_neither_the_runner_nor_its_key(bench: Bench, capsys: pytest.CaptureFixture[str]) -> None:
    def fail(key: str) -> None:
        bench.ran.append(key)
        raise ZeroDivisionError

    work = bench.runner()
    work.start({"task": fail}, {})
    work.wake("task", "a")
    until(lambda: bench.ran == ["a"])
    until(lambda: "work failed" in capsys.readouterr().out)
    work.wake("task", "a")
    until(lambda: bench.ran == ["a", "a"])


def test_the_jobs_of_a_dead_worker_are_done_by_another(bench: Bench) -> None:
    """A worker that beats no more, with a job in its hands: as SIGKILL leaves it."""
    work = bench.runner()
    work.wake("task", "orphan")
    until(lambda: bench.waiting() == 1)
    bench.execute("INSERT INTO procrastinate_workers (last_heartbeat) VALUES (now() - interval '1 minute')")
    bench.execute(
        "UPDATE procrastinate_jobs SET status = 'doing', worker_id = (SELECT max(id) FROM procrastinate_workers)"
    )
    bench.start(work)
    until(lambda: bench.ran == ["orphan"])


def test_closing_lets_what_runs_come_to_its_end(bench: Bench) -> None:
    begun, may_end = threading.Event(), threading.Event()

    def slow(key: str) -> None:
        begun.set()
        may_end.wait(SECONDS_MAX)
        bench.ran.append(key)

    work = bench.runner()
    work.start({"task": slow}, {})
    work.wake("task", "a")
    assert begun.wait(SECONDS_MAX)
    closing = threading.Thread(target=work.close)
    closing.start()
    assert not bench.ran
    may_end.set()
    closing.join(SECONDS_MAX)
    assert (bench.ran, work.running) == (["a"], False)
    assert bench.execute("SELECT count(*) FROM procrastinate_workers") == 0


def test_a_queue_that_does_not_answer_costs_the_wake_up_and_nothing_else(
    bench: Bench, capsys: pytest.CaptureFixture[str]
) -> None:
    bench.execute("ALTER TABLE procrastinate_jobs RENAME TO elsewhere")
    work = bench.runner()
    work.wake("task", "a")
    until(lambda: "wake-up lost" in capsys.readouterr().out)
    bench.execute("ALTER TABLE elsewhere RENAME TO procrastinate_jobs")
    work.wake("task", "b")
    until(lambda: bench.waiting() == 1)
