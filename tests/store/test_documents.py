"""Interchanges and messages in the database: keys used once, states that may be, numbers given once."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest
from sqlalchemy import text
from sqlalchemy.exc import IntegrityError

from edi_gateway.edifact.findings import Finding
from edi_gateway.marketplace.rules import UNKNOWN_ORDER
from edi_gateway.store.documents import add_findings, findings_of, recent_messages, take_number
from tests.gateway.documents.desk import Desk, invrpt, partial


@pytest.fixture
def desk(tmp_path: Path) -> Iterator[Desk]:
    desk = Desk(tmp_path)
    desk.place()
    desk.arrive(partial())
    yield desk
    desk.close()


def execute(desk: Desk, statement: str) -> None:
    with desk.gateway.database.write() as uow:
        uow.session.execute(text(statement))
        uow.commit()


@pytest.mark.parametrize(
    ("statement", "constraint"),
    [
        ("UPDATE message SET state = 'sent' WHERE direction = 'in'", "state_of_direction"),
        ("UPDATE message SET state = 'applied' WHERE direction = 'out'", "state_of_direction"),
        ("UPDATE message SET state = 'waiting' WHERE direction = 'in'", "waits_for_something"),
        ("UPDATE message SET awaits = 'A1'", "waits_for_something"),
        ("UPDATE message SET state = 'exception', reason = '' WHERE direction = 'in'", "reason_given"),
        ("UPDATE interchange SET state = 'sent' WHERE direction = 'in'", "state_of_direction"),
        ("UPDATE interchange SET state = 'repeated' WHERE direction = 'in'", "repeats_which"),
        ("UPDATE counter SET value = 0", "counts_from_one"),
        ("UPDATE message SET interchange_id = 'none' WHERE direction = 'in'", "(?i)foreign key"),
    ],
)
def test_what_may_not_be_is_refused(desk: Desk, statement: str, constraint: str) -> None:
    with pytest.raises(IntegrityError, match=constraint):
        execute(desk, statement)


def test_a_control_reference_is_processed_once(desk: Desk) -> None:
    desk.arrive(invrpt())
    with pytest.raises(IntegrityError):
        execute(desk, "UPDATE interchange SET control_reference = 'VEN0001' WHERE direction = 'in'")


def test_a_control_reference_is_sent_once(desk: Desk) -> None:
    with pytest.raises(IntegrityError):
        execute(desk, "UPDATE interchange SET control_reference = '1' WHERE direction = 'out'")


def test_numbers_are_given_once_and_without_a_gap(desk: Desk) -> None:
    database = desk.gateway.database
    with database.write() as uow:
        assert [take_number(uow.session, "test") for _ in range(3)] == [1, 2, 3]
        assert take_number(uow.session, "other") == 1
        uow.commit()
    with database.write() as uow:
        assert take_number(uow.session, "test") == 4  # given back: nothing is committed
    with database.write() as uow:
        assert take_number(uow.session, "test") == 4


def test_a_finding_is_kept_in_both_languages(desk: Desk) -> None:
    (message,) = desk.received("ORDRSP")
    with desk.gateway.database.write() as uow:
        add_findings(uow.session, [Finding(UNKNOWN_ORDER, value="A1")], message.interchange_id, message.id)
        uow.commit()
    with desk.gateway.database.read() as reading:
        (stored,) = findings_of(reading.session, message.id)
    assert stored.as_json("en")["text"] == "Order A1 is not known for this partner"
    assert stored.as_json("fr")["text"] == "La commande A1 est inconnue pour ce partenaire"
    assert set(stored.as_json()) == set(Finding(UNKNOWN_ORDER).as_json())


def test_messages_newest_first_page_by_page(desk: Desk) -> None:
    for number in range(3):
        desk.arrive(invrpt(f"VEN1{number}", number=f"INV-{number}"))
    with desk.gateway.database.read() as reading:
        everything = recent_messages(reading.session, limit=100)
        seen, before = [], None
        while page := recent_messages(reading.session, limit=2, before=before):
            seen += page
            before = (page[-1].at, page[-1].id)
    assert [row.id for row in seen] == [row.id for row in everything]
    assert [row.at for row in everything] == sorted((row.at for row in everything), reverse=True)
