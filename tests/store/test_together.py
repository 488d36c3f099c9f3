"""Several units of work in one commit: none returns before it, and none suffers from its neighbours."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime
from pathlib import Path

import pytest
from sqlalchemy.exc import DBAPIError

from edi_gateway.store.database import TOGETHER_MAX, Database, UnitOfWork
from edi_gateway.store.events import verify_chain
from edi_gateway.store.payloads import Payload
from edi_gateway.store.together import Together

NOW = datetime(2026, 11, 22, 12, 0, tzinfo=UTC)
STEP = "receive.accept"


@pytest.fixture
def database(tmp_path: Path) -> Iterator[Database]:
    database = Database(f"sqlite:///{tmp_path}/gateway.sqlite")
    database.create_all()
    yield database
    database.close()


def sha(number: int) -> str:
    return f"{number:064x}"


def keeping(number: int) -> Callable[[UnitOfWork], int]:
    def work(uow: UnitOfWork) -> int:
        uow.insert_once(Payload, {"sha256": sha(number), "size": number, "stored_at": NOW, "content": b"x"})
        uow.record_event("payload", f"payload:{number}", None, "kept", "", {}, NOW)
        uow.wake("unpack", str(number))
        return number

    return work


def kept(database: Database) -> set[int]:
    with database.read() as view:
        return {row.size for row in view.session.query(Payload)}


def all_at_once(database: Database, works: list[Callable[[UnitOfWork], int]]) -> list[int | BaseException]:
    """What came of each, where all threads have to wait for a writer and so form groups."""
    with ThreadPoolExecutor(len(works)) as threads:
        with database.write() as uow:
            uow.session.connection()  # takes the lock
            uow.insert_missing(Payload, [{"sha256": sha(10**6), "size": 10**6, "stored_at": NOW, "content": b""}])
            started = [threads.submit(database.write_together, STEP, work) for work in works]
            threading.Event().wait(0.05)
        return [future.exception() or future.result() for future in started]


def test_each_gets_its_own_result_after_the_commit(database: Database) -> None:
    woken: list[tuple[str, set[int]]] = []
    database.wake = lambda task, key, at: woken.append((key, kept(database)))
    assert all_at_once(database, [keeping(n) for n in range(12)]) == list(range(12))
    assert kept(database) == set(range(12))
    assert all(int(key) in seen for key, seen in woken), "a wake-up came before its row was kept"
    assert sorted(int(key) for key, _ in woken) == list(range(12))


def test_the_events_of_a_group_are_one_chain(database: Database) -> None:
    all_at_once(database, [keeping(n) for n in range(12)])
    with database.read() as view:
        verdict = verify_chain(view.session)
    assert (verdict.intact, verdict.events) == (True, 12)


def test_who_fails_keeps_nothing_and_takes_nobody_with_him(database: Database) -> None:
    def fail(uow: UnitOfWork) -> int:
        keeping(7)(uow)
        raise ZeroDivisionError

    results = all_at_once(database, [keeping(1), fail, keeping(2), keeping(3)])
    assert isinstance(results[1], ZeroDivisionError)
    assert (results[0], *results[2:]) == (1, 2, 3)
    assert kept(database) == {1, 2, 3}


def test_an_error_of_the_driver_is_sqlalchemys_and_shows_no_values(database: Database) -> None:
    def wrong(uow: UnitOfWork) -> int:
        uow.insert_once(Payload, {"sha256": "secret" * 20, "size": None, "stored_at": NOW, "content": b"x"})
        uow.insert_once(Payload, {"sha256": "secret" * 20, "size": object(), "stored_at": NOW, "content": b"x"})
        return 0

    with pytest.raises(DBAPIError) as caught:
        database.write_together(STEP, wrong)
    assert "secret" not in str(caught.value)
    assert kept(database) == set()


def test_two_databases_on_one_file_write_one_chain(tmp_path: Path, database: Database) -> None:
    """As two processes do: crypto apart, one chain."""
    second = Database(database.url)
    with ThreadPoolExecutor(8) as threads:
        works = [(side, keeping(n)) for n in range(60) for side in [(database, second)[n % 2]]]
        done = list(threads.map(lambda pair: pair[0].write_together(STEP, pair[1]), works))
    assert sorted(done) == list(range(60))
    with second.read() as view:
        verdict = verify_chain(view.session)
    second.close()
    assert (verdict.intact, verdict.events) == (True, 60)


def test_a_group_is_bounded_and_everyone_has_his_turn() -> None:
    groups: list[int] = []
    first_leads, may_go = threading.Event(), threading.Event()

    def lead(group: list[int]) -> None:
        groups.append(len(group))
        first_leads.set()
        assert may_go.wait(10)

    together = Together(lead, TOGETHER_MAX)
    threads = [threading.Thread(target=together.join, args=(n,)) for n in range(2 * TOGETHER_MAX + 6)]
    threads[0].start()
    assert first_leads.wait(10)
    for thread in threads[1:]:
        thread.start()
    while len(together._waiting) < len(threads) - 1:
        threading.Event().wait(0.001)
    may_go.set()
    for thread in threads:
        thread.join(10)
    assert groups == [1, TOGETHER_MAX, TOGETHER_MAX, 5]


def test_who_leads_and_fails_lets_the_next_one_lead() -> None:
    def lead(group: list[int]) -> None:
        raise ZeroDivisionError

    together = Together(lead, 1)
    for number in range(3):
        with pytest.raises(ZeroDivisionError):
            together.join(number)
