"""Units of work: nothing is kept without a commit, writers wait for each other, readers for nobody."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta, timezone
from decimal import Decimal
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from sqlalchemy import text
from sqlalchemy.exc import IntegrityError
from sqlalchemy.orm import Mapped, mapped_column

from edi_gateway.store.base import Base, ExactDecimal, JsonText, UtcDateTime
from edi_gateway.store.database import Database
from edi_gateway.store.events import EventChain
from edi_gateway.store.payloads import Payload
from tests.databases import database_url

NOW = datetime(2026, 11, 22, 12, 0, tzinfo=UTC)
SHA = "ab" * 32


@pytest.fixture
def woken() -> list[tuple[str, str, datetime | None]]:
    return []


@pytest.fixture
def database(tmp_path: Path, woken: list[tuple[str, str, datetime | None]]) -> Iterator[Database]:
    database = Database(database_url(tmp_path), lambda *wake: woken.append(wake))
    database.create_all()
    yield database
    database.close()


def payloads(database: Database) -> int:
    with database.read() as view:
        return view.session.query(Payload).count()


def test_leaving_without_commit_keeps_nothing(database: Database, woken: list[object]) -> None:
    with database.write() as uow:
        uow.session.add(Payload(sha256=SHA, size=1, stored_at=NOW))
        uow.record_event("payload", SHA, None, None, "", {}, NOW)
        uow.wake("sweep", "")
    assert (payloads(database), woken) == (0, [])


def test_an_exception_keeps_nothing(database: Database) -> None:
    def fail() -> None:
        with database.write() as uow:
            uow.session.add(Payload(sha256=SHA, size=1, stored_at=NOW))
            uow.session.flush()
            raise ZeroDivisionError

    with pytest.raises(ZeroDivisionError):
        fail()
    assert payloads(database) == 0


def test_wake_ups_come_after_the_commit_each_once_and_the_earliest(database: Database, woken: list[object]) -> None:
    later, latest = NOW + timedelta(minutes=5), NOW + timedelta(minutes=9)
    with database.write() as uow:
        uow.wake("dispatch", "acme", latest)
        uow.wake("dispatch", "acme", later)
        uow.wake("dispatch", "bolt", later)
        uow.wake("dispatch", "bolt")  # now does not replace later: what is due then may not be due now
        uow.wake("dispatch", "bolt")
        assert woken == []
        uow.commit()
    assert woken == [("dispatch", "acme", later), ("dispatch", "bolt", later), ("dispatch", "bolt", None)]


def test_a_failed_commit_wakes_nobody(database: Database, woken: list[object]) -> None:
    with database.write() as uow:
        uow.session.add(EventChain(id=2, number=0, hash=""))
        uow.wake("sweep", "")
        with pytest.raises(IntegrityError):
            uow.commit()
    assert woken == []


def test_what_happened_is_told_after_the_commit(database: Database) -> None:
    heard: list[str] = []
    database.hear = lambda item: heard.append(item.subject)
    for subject, kept in (("a:1", True), ("a:2", False)):
        with database.write() as uow:
            uow.record_event("kind", subject, None, None, "", {}, NOW)
            assert subject not in heard
            if kept:
                uow.commit()
    assert heard == ["a:1"]


def test_what_a_view_changes_is_not_kept(database: Database) -> None:
    with database.read() as view:
        view.session.add(Payload(sha256=SHA, size=1, stored_at=NOW))
        view.session.flush()
    assert payloads(database) == 0


def test_the_unique_key_decides_and_not_a_look_up(database: Database) -> None:
    values = {"sha256": SHA, "size": 1, "stored_at": NOW}
    for first in (True, False):
        with database.write() as uow:
            assert uow.insert_once(Payload, values) is first
            uow.commit()
    assert payloads(database) == 1


def test_writers_that_read_first_do_not_fail_each_other(database: Database) -> None:
    """With a deferred BEGIN most of these end in "database is locked", whatever the timeout."""

    def write(worker: int) -> None:
        for number in range(20):
            with database.write() as uow:
                uow.session.query(Payload).count()
                uow.session.add(Payload(sha256=f"{worker:032x}{number:032x}", size=1, stored_at=NOW))
                uow.commit()

    threads = [threading.Thread(target=write, args=(worker,)) for worker in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert payloads(database) == 80


def test_a_reader_is_not_blocked_by_a_writer_and_sees_one_moment(database: Database) -> None:
    with database.write() as uow:
        uow.session.add(Payload(sha256=SHA, size=1, stored_at=NOW))
        uow.session.flush()
        assert payloads(database) == 0
        with database.read() as view:
            assert view.session.query(Payload).count() == 0
            uow.commit()
            assert view.session.query(Payload).count() == 0
    assert payloads(database) == 1


def test_sqlite_is_set_up_to_survive_a_power_cut(tmp_path: Path) -> None:
    database = Database(f"sqlite:///{tmp_path}/gateway.sqlite")
    with database.write() as uow:
        found = {
            name: uow.session.execute(text(f"PRAGMA {name}")).scalar_one()
            for name in ("journal_mode", "synchronous", "foreign_keys")
        }
    assert found == {"journal_mode": "wal", "synchronous": 2, "foreign_keys": 1}  # 2 is FULL
    database.close()


def test_only_a_commit_that_need_not_last_does_not_wait_for_the_disk(tmp_path: Path) -> None:
    database = Database(f"sqlite:///{tmp_path / 'edi.db'}")
    database.create_all()
    found = []
    for is_lasting in (True, False, True, False):
        with database.write(is_lasting=is_lasting) as uow:
            found.append(uow.connection.exec_driver_sql("PRAGMA synchronous").scalar())
            uow.record_event("test", "test:1", None, None, "", {}, datetime.now(UTC))
            if len(found) < 4:  # the last one is given up
                uow.commit()
    with database.write() as uow:
        found.append(uow.connection.exec_driver_sql("PRAGMA synchronous").scalar())
        kept = uow.session.get_one(EventChain, 1).number
    database.close()
    assert found == [2, 1, 2, 1, 2]  # FULL and NORMAL
    assert kept == 3


def test_an_event_needs_an_aware_time(database: Database) -> None:
    with database.write() as uow, pytest.raises(ValueError, match="aware"):
        uow.record_event("kind", "subject:1", None, None, "", {}, datetime(2026, 11, 22))  # noqa: DTZ001 - the fault


class Kept(Base):
    """A row of every exact type."""

    __tablename__ = "test_kept"
    __table_args__ = {"info": {"only": "tests"}}  # noqa: RUF012 - SQLAlchemy's name

    id: Mapped[int] = mapped_column(primary_key=True)
    amount: Mapped[Decimal | None]
    at: Mapped[datetime | None]
    value: Mapped[object] = mapped_column(JsonText, nullable=True)


Base.metadata.remove(Kept.__table__)  # type: ignore[arg-type]  # not a table of the gateway


@given(
    st.none() | st.decimals(allow_nan=False, allow_infinity=False),
    st.none() | st.datetimes(timezones=st.just(timezone(timedelta(hours=5, minutes=30)))),
    st.recursive(
        st.none() | st.booleans() | st.integers() | st.text(), lambda s: st.lists(s, max_size=3), max_leaves=5
    ),
)
@settings(deadline=None, max_examples=60, suppress_health_check=[HealthCheck.function_scoped_fixture])
def test_what_is_stored_comes_back_exactly(
    database: Database, amount: Decimal | None, at: datetime | None, value: object
) -> None:
    with database.write() as uow:
        Kept.__table__.create(uow.session.connection(), checkfirst=True)  # type: ignore[attr-defined]
        kept = Kept(amount=amount, at=at, value=value)
        uow.session.add(kept)
        uow.commit()
        key = kept.id
    with database.read() as view:
        found = view.session.get_one(Kept, key)
        assert (found.amount, found.at, found.value) == (amount, at, value)
        assert found.at is None or found.at.tzinfo is UTC


def test_money_is_not_rounded_by_sqlite(database: Database) -> None:
    """SQLite kept 12345678901234.5678 as a float and gave …5684."""
    bound = ExactDecimal().process_bind_param(Decimal("12345678901234.5678"), database.engine.dialect)
    assert bound == "12345678901234.5678"


@pytest.mark.parametrize("value", [Decimal("NaN"), Decimal("Infinity"), 1.5])
def test_only_a_finite_decimal_is_money(database: Database, value: object) -> None:
    with pytest.raises(ValueError, match="finite Decimal"):
        ExactDecimal().process_bind_param(value, database.engine.dialect)  # type: ignore[arg-type]


def test_a_naive_time_is_refused(database: Database) -> None:
    with pytest.raises(ValueError, match="aware"):
        UtcDateTime().process_bind_param(datetime(2026, 11, 22), database.engine.dialect)  # noqa: DTZ001 - the fault
