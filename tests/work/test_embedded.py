"""The embedded runner: wake-ups that are the same run once, none is lost, one key runs once at a time."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Iterator, Mapping
from datetime import UTC, datetime, timedelta

import pytest

from edi_gateway.work import Waker, embedded
from edi_gateway.work.embedded import EmbeddedWork, Task

SECONDS_MAX = 5.0


def until(condition: Callable[[], bool]) -> None:
    ends = time.monotonic() + SECONDS_MAX
    while not condition():
        assert time.monotonic() < ends, "it did not happen"
        time.sleep(0.005)


class Bench:
    """A runner with one task that records its keys and can be held up."""

    def __init__(self, threads: int = 3) -> None:
        self.work = EmbeddedWork(threads)
        self.ran: list[str] = []
        self.under_way: set[str] = set()
        self.gate = threading.Event()
        self.gate.set()

    def task(self, key: str) -> None:
        assert key not in self.under_way, "one key at a time"
        self.under_way.add(key)
        self.gate.wait(SECONDS_MAX)
        self.ran.append(key)
        self.under_way.discard(key)

    def start(self, every: Mapping[str, timedelta] | None = None, **tasks: Task) -> None:
        self.work.start({"task": self.task, **tasks}, every or {})


@pytest.fixture
def bench() -> Iterator[Bench]:
    bench = Bench()
    yield bench
    bench.gate.set()
    bench.work.close()


def test_it_is_a_waker(bench: Bench) -> None:
    waker: Waker = bench.work
    bench.start()
    waker.wake("task", "a")
    until(lambda: bench.ran == ["a"])


def test_a_wake_up_before_the_start_is_kept(bench: Bench) -> None:
    bench.work.wake("task", "a")
    bench.start()
    until(lambda: bench.ran == ["a"])


def test_wake_ups_for_what_waits_are_one(bench: Bench) -> None:
    for _ in range(50):
        bench.work.wake("task", "a")
    bench.start()
    bench.work.wake("task", "b")
    until(lambda: sorted(bench.ran) == ["a", "b"])


def test_a_wake_up_for_what_runs_makes_it_run_once_more(bench: Bench) -> None:
    """The run may have looked at the tables before the new item was committed."""
    bench.start()
    bench.gate.clear()
    bench.work.wake("task", "a")
    until(lambda: bench.under_way == {"a"})
    for _ in range(20):
        bench.work.wake("task", "a")
    bench.gate.set()
    until(lambda: bench.ran == ["a", "a"])
    time.sleep(0.05)
    assert bench.ran == ["a", "a"]


def test_keys_run_side_by_side_within_the_bound(bench: Bench) -> None:
    bench.start()
    bench.gate.clear()
    for key in "abcde":
        bench.work.wake("task", key)
    until(lambda: len(bench.under_way) == 3)
    time.sleep(0.05)
    assert len(bench.under_way) == 3
    bench.gate.set()
    until(lambda: sorted(bench.ran) == list("abcde"))


def test_later_is_later_and_the_earliest_counts(bench: Bench) -> None:
    bench.start()
    now = datetime.now(UTC)
    for seconds in (3600, 0.15, 7200):
        bench.work.wake("task", "a", now + timedelta(seconds=seconds))
    assert bench.ran == []
    until(lambda: bench.ran == ["a"])
    assert datetime.now(UTC) >= now + timedelta(seconds=0.15)


def test_a_moment_that_is_over_is_now(bench: Bench) -> None:
    bench.start()
    bench.work.wake("task", "a", datetime.now(UTC) - timedelta(days=1))
    until(lambda: bench.ran == ["a"])


def test_a_failure_stops_neither_the_runner_nor_its_key(bench: Bench, capsys: pytest.CaptureFixture[str]) -> None:
    def fail(key: str) -> None:
        bench.ran.append(key)
        raise ZeroDivisionError

    bench.start(fail=fail)
    bench.work.wake("fail", "a")
    until(lambda: bench.ran == ["a"])
    until(lambda: "work failed" in capsys.readouterr().out)
    bench.work.wake("fail", "a")
    bench.work.wake("task", "b")
    until(lambda: sorted(bench.ran) == ["a", "a", "b"])


def test_at_an_interval_and_at_once(bench: Bench) -> None:
    bench.start({"task": timedelta(seconds=0.05)})
    until(lambda: len(bench.ran) >= 3)
    assert (bench.ran[0], set(bench.ran[1:])) == ("first", {""})


def test_what_waits_in_memory_is_bounded(bench: Bench, monkeypatch: pytest.MonkeyPatch) -> None:
    """What does not fit is left to the sweep."""
    monkeypatch.setattr(embedded, "WAITING_MAX", 3)
    for key in "abcde":
        bench.work.wake("task", key)
    bench.start()
    until(lambda: sorted(bench.ran) == ["a", "b", "c"])


def test_closing_finishes_what_runs_and_leaves_what_waits() -> None:
    bench = Bench(threads=1)
    bench.start()
    bench.gate.clear()
    bench.work.wake("task", "a")
    until(lambda: bench.under_way == {"a"})
    bench.work.wake("task", "b")
    assert bench.work.running
    closing = threading.Thread(target=bench.work.close)
    closing.start()
    until(lambda: not bench.work.running)
    bench.gate.set()
    closing.join()
    bench.work.wake("task", "c")
    assert bench.ran == ["a"]
