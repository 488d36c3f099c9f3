"""The event log: every change leaves its trace, and no trace can be changed unseen."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path

import pytest
from sqlalchemy import text

from edi_gateway.store.database import Database
from edi_gateway.store.events import Event, EventChain, events_of, verify_chain
from tests.databases import database_url

NOW = datetime(2026, 11, 22, 12, 0, 0, 123456, tzinfo=UTC)
EVENTS = 7


@pytest.fixture
def database(tmp_path: Path) -> Iterator[Database]:
    database = Database(database_url(tmp_path))
    database.create_all()
    for number in range(EVENTS):
        record(database, f"order:{number % 2}", f"état {number}")
    yield database
    database.close()


def record(database: Database, subject: str, reason: str) -> None:
    with database.write() as uow:
        uow.record_event("order.state", subject, "open", "closed", reason, {"size": 3}, NOW)
        uow.commit()


def tamper(database: Database, statement: str) -> None:
    with database.write() as uow:
        uow.session.execute(text(statement))
        uow.commit()


def test_the_chain_verifies(database: Database) -> None:
    with database.read() as view:
        assert verify_chain(view.session).intact
        assert verify_chain(view.session).events == EVENTS


def test_an_empty_log_verifies(tmp_path: Path) -> None:
    database = Database(database_url(tmp_path, "empty"))
    database.create_all()
    with database.read() as view:
        assert verify_chain(view.session).intact
    database.close()


def test_events_of_a_subject_oldest_first(database: Database) -> None:
    with database.read() as view:
        found = events_of(view.session, "order:1")
    assert [event.reason for event in found] == ["état 1", "état 3", "état 5"]
    assert found[0].details == {"size": 3}
    assert found[0].at == NOW


@pytest.mark.parametrize(
    ("statement", "broken_at", "why"),
    [
        ("UPDATE event SET to_state = 'open' WHERE number = 3", 3, "fields were changed"),
        ("UPDATE event SET at = '2020-01-01 00:00:00.000000' WHERE number = 1", 1, "fields were changed"),
        ("UPDATE event SET content = replace(content, '3', '4') WHERE number = 4", 4, "reason or details"),
        ("DELETE FROM event WHERE number = 5", 5, "event 5 is missing"),
        ("DELETE FROM event WHERE number = 7", 7, "the log ends before its head"),
        ("DELETE FROM event", 1, "the log ends before its head"),
        ("DELETE FROM event_chain", 8, "the log ends before its head"),
        (
            "UPDATE event SET hash = content_sha256 WHERE number = 2",
            2,
            "fields were changed",
        ),
        ("UPDATE event SET number = 9 WHERE number = 7", 7, "event 7 is missing"),
        ("UPDATE event SET previous_hash = hash WHERE number = 6", 6, "does not follow"),
    ],
)
def test_a_change_is_found_where_it_was_made(database: Database, statement: str, broken_at: int, why: str) -> None:
    tamper(database, statement)
    with database.read() as view:
        verdict = verify_chain(view.session)
    assert (verdict.intact, verdict.broken_at) == (False, broken_at)
    assert why in verdict.why


def test_masked_content_leaves_the_chain_intact(database: Database) -> None:
    """Personal data may go after its term; that something happened, when, and to what, stays proven."""
    tamper(database, "UPDATE event SET content = NULL WHERE number = 3")
    with database.read() as view:
        assert verify_chain(view.session).intact
        assert view.session.get_one(Event, 3).reason == ""


def test_the_log_is_append_only(database: Database) -> None:
    for change in ("reason", "delete"):
        with database.write() as uow:
            event = uow.session.get_one(Event, 2)
            if change == "delete":
                uow.session.delete(event)
            else:
                event.kind = "another"
            with pytest.raises(RuntimeError, match="append-only"):
                uow.commit()


def test_the_chain_has_one_head(database: Database) -> None:
    with database.read() as view:
        assert [head.number for head in view.session.query(EventChain)] == [EVENTS]
